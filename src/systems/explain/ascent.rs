//! What a unit wants: a picture that climbs the gradient of its activation. Erhan et al. 2009, "Visualizing higher-layer
//! features"; Simonyan et al. 2014 for classes.
//!
//! Left alone, it climbs into noise that no hand would draw. Three things keep it legible, each with its own amount: it is
//! moved a little before every step (jitter; Mordvintsev et al. 2015), mixed with its neighbours (blur; Yosinski et al.
//! 2015), and held to a small total variation (Mahendran and Vedaldi 2015).

use super::picture::{add_variation, as_read, blur, checked, rolled, scaled};
use super::probe::{At, Rule};
use super::{Explainer, within};
use crate::error::{Error, Result};
use crate::nn::Wire;
use crate::rng::Rng;
use crate::shape::Shape;

/// What to climb to, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Goal {
    /// A layer: the mean of a channel's map before its activation is climbed, or a score.
    pub layer: String,
    /// Channels or classes, a picture for each.
    pub channels: Vec<usize>,
    /// How far a step goes, in grey levels (root mean square).
    pub rate: f32,
    /// The most pixels that a picture is moved before a step.
    pub jitter: usize,
    /// How much a picture is mixed with its neighbours after a step, 0 to 1.
    pub blur: f32,
    /// How much total variation counts beside the gradient.
    pub variation: f32,
    /// Decides the first picture and the jitter.
    pub seed: u64,
    /// What the network reads for paper and for ink in each channel.
    pub ends: Vec<[f32; 2]>,
}

impl Goal {
    /// One channel with settings that make legible pictures of 28 × 28, of networks that read 0 for paper and 1 for ink.
    pub fn new(layer: &str, channels: Vec<usize>) -> Self {
        Self {
            layer: layer.into(),
            channels,
            rate: 0.05,
            jitter: 2,
            blur: 0.4,
            variation: 0.25,
            seed: 1,
            ends: vec![[0.0, 1.0]],
        }
    }
}

/// Pictures on their way up.
pub struct Ascent {
    goal: Goal,
    wire: Wire,
    shape: Shape,
    pictures: Vec<f32>,
    rng: Rng,
}

impl Ascent {
    /// Begins with faint noise on paper.
    ///
    /// Errors: [`Error::Missing`] for a layer that there is not, [`Error::Value`] for channels that there are not, none or
    /// more than a batch, and for settings out of range.
    pub fn new(explainer: &Explainer, goal: Goal) -> Result<Self> {
        let (net, most) = (explainer.network(), explainer.batch());
        let wire = net.wire(&goal.layer)?;
        within("pictures", goal.channels.len(), 1, most)?;
        let channels = net.node(wire).shape.c;
        if let Some(bad) = goal.channels.iter().find(|&&channel| channel >= channels) {
            return Err(Error::value("channel", format!("below {channels}"), bad));
        }
        within("rate", goal.rate, 0.0, 1.0)?;
        within("blur", goal.blur, 0.0, 1.0)?;
        within("total variation", goal.variation, 0.0, 100.0)?;
        let shape = net.input_shape();
        checked(&goal.ends, shape.c)?;
        within("jitter", goal.jitter, 0, shape.h.min(shape.w) / 2)?;
        let mut rng = Rng::new(goal.seed);
        let pictures = (0..goal.channels.len() * shape.len()).map(|_| 0.2 * rng.uniform()).collect();
        Ok(Self { goal, wire, shape, pictures, rng })
    }

    /// The pictures (CHW, one after another), 0 paper to 1 ink.
    pub fn pictures(&self) -> &[f32] {
        &self.pictures
    }

    /// One step up; returns what each picture reached before it: the mean of its channel, behind an activation that works
    /// in the layer's buffer.
    pub fn step(&mut self, explainer: &mut Explainer) -> Result<Vec<f32>> {
        let (Shape { h, w, .. }, len, plane) = (self.shape, self.shape.len(), self.shape.h * self.shape.w);
        let mut shift = |side: usize| (side + self.rng.below(2 * self.goal.jitter + 1) - self.goal.jitter) % side;
        let (down, right) = (shift(h), shift(w));
        let moved = rolled(&self.pictures, (h, w), (down, right));
        let (mut gradients, reached) = self.gradients(explainer, &as_read(moved, plane, &self.goal.ends))?;
        scaled(&mut gradients, plane, &self.goal.ends);
        gradients.chunks_exact_mut(len).for_each(normalise);
        for (gradient, picture) in gradients.chunks_exact(plane).zip(self.pictures.chunks_exact_mut(plane)) {
            let mut up = rolled(gradient, (h, w), ((h - down) % h, (w - right) % w));
            add_variation(picture, (h, w), -self.goal.variation, &mut up);
            picture.iter_mut().zip(&up).for_each(|(p, g)| *p += self.goal.rate * g);
            blur(picture, (h, w), self.goal.blur);
            picture.iter_mut().for_each(|p| *p = p.clamp(0.0, 1.0));
        }
        Ok(reached)
    }

    /// The gradient of each picture's goal, and what it is.
    fn gradients(&self, explainer: &mut Explainer, pictures: &[f32]) -> Result<(Vec<f32>, Vec<f32>)> {
        let (input, channels) = (explainer.input(), &self.goal.channels);
        let Explainer { many, params, .. } = explainer;
        many.forward(params, pictures)?;
        let mut reached = vec![0.0; channels.len()];
        many.back(params, self.wire, None, Rule::Gradient, |i, At { y, map, dy, dmap }| {
            let share = 1.0 / (map.shape.h * map.shape.w) as f32;
            for (row, column) in (0..map.shape.h).flat_map(|row| (0..map.shape.w).map(move |column| (row, column))) {
                reached[i] += share * y[map.at(row, column) + channels[i]];
                dy[dmap.at(row, column) + channels[i]] = share;
            }
        });
        let mut gradients = Vec::new();
        many.gradients(input, &mut gradients);
        Ok((gradients, reached))
    }
}

/// Scales a gradient to a root mean square of 1; one that is zero stays.
pub(super) fn normalise(gradient: &mut [f32]) {
    let square = gradient.iter().map(|g| g * g).sum::<f32>() / gradient.len() as f32;
    if square > 0.0 {
        gradient.iter_mut().for_each(|g| *g /= square.sqrt());
    }
}
