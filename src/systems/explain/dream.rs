//! Deep dream: a picture changed until a layer sees in it more of what it saw. Mordvintsev et al. 2015, "Inceptionism".
//!
//! The convolutions of a network read a picture of any size, so its front is wired anew for that size. The dream goes
//! from a small picture to the whole one: what was dreamt small is carried on to the next size.

use super::ascent::normalise;
use super::picture::{as_read, checked, resized, rolled, scaled};
use super::probe::{At, Probe, Rule};
use super::within;
use crate::error::{Error, Result};
use crate::nn::{Network, Params, Wire};
use crate::rng::Rng;
use crate::shape::Shape;
use std::sync::Arc;

/// From one size to the next.
const OCTAVE: f32 = 1.4;
/// The most sizes.
const OCTAVES: usize = 4;
/// Steps at each.
const STEPS: usize = 12;
/// The smallest side of a picture and of an octave, and the largest.
const SIDES: (usize, usize) = (28, 512);
/// Pixels from the edges on which a step fades out: a layer sees padding there. The dream is moved before every step, around
/// the edges, so that each pixel's turn comes.
const EDGE: usize = 12;

/// A picture being dreamt: channel after channel (CHW), 0 paper to 1 ink.
pub struct Dream {
    net: Network,
    params: Params,
    layer: String,
    /// The picture as it came, and its size.
    given: Vec<f32>,
    whole: (usize, usize),
    /// The sizes to come, the next one last.
    sizes: Vec<(usize, usize)>,
    now: Octave,
    /// What the network reads for paper and for ink in each channel.
    ends: Vec<[f32; 2]>,
    rate: f32,
    steps: (usize, usize),
    rng: Rng,
}

/// The dream at one size.
struct Octave {
    size: (usize, usize),
    probe: Probe,
    params: Params,
    wire: Wire,
    /// The given picture at this size, and the dream.
    plain: Vec<f32>,
    dream: Vec<f32>,
}

impl Dream {
    /// Begins to dream what `layer` sees in a picture of `h` rows and `w` columns, of which the network reads `ends` for paper
    /// and for ink in each channel; a step changes it by `rate` grey levels (root mean square).
    ///
    /// Errors: [`Error::Missing`] for a layer that there is not, [`Error::Shape`] for a picture of another size, other channels
    /// and a layer behind the last maps, [`Error::Value`] for sides below 28 or above 512 and where memory would not do.
    pub fn new(
        net: &Network,
        params: &Params,
        layer: &str,
        given: &[f32],
        (h, w): (usize, usize),
        ends: &[[f32; 2]],
        rate: f32,
    ) -> Result<Self> {
        within("rows", h, SIDES.0, SIDES.1)?;
        within("columns", w, SIDES.0, SIDES.1)?;
        within("rate", rate, 0.0, 1.0)?;
        let channels = net.input_shape().c;
        checked(ends, channels)?;
        if given.len() != channels * h * w {
            return Err(Error::shape("picture", format!("{channels} × {h} × {w} numbers"), given.len()));
        }
        let smaller = |(h, w): &(usize, usize)| {
            let next = ((*h as f32 / OCTAVE) as usize, (*w as f32 / OCTAVE) as usize);
            (next.0.min(next.1) >= SIDES.0).then_some(next)
        };
        let mut sizes: Vec<(usize, usize)> = std::iter::successors(Some((h, w)), smaller).take(OCTAVES).collect();
        let steps = (0, STEPS * sizes.len());
        // The largest before the others: it is the one that memory may refuse.
        Octave::new(net, params, layer, given.to_vec(), (h, w))?;
        let first = sizes.pop().expect("the picture's own size");
        let now = Octave::new(net, params, layer, resized(given, (h, w), first), first)?;
        let (net, params, layer, given) = (net.clone(), params.clone(), layer.into(), given.to_vec());
        let (ends, rng) = (ends.to_vec(), Rng::new(1));
        Ok(Self { net, params, layer, given, whole: (h, w), sizes, now, ends, rate, steps, rng })
    }

    /// Steps taken and steps in all.
    pub fn steps(&self) -> (usize, usize) {
        self.steps
    }

    /// The dream so far: rows, columns, pixels (CHW).
    pub fn picture(&self) -> (usize, usize, &[f32]) {
        (self.now.size.0, self.now.size.1, &self.now.dream)
    }

    /// A step; returns half the mean square of the layer's values before it. Nothing happens after the last one.
    pub fn step(&mut self) -> Result<f32> {
        let (done, all) = self.steps;
        if done == all {
            return Ok(0.0);
        }
        if done > 0
            && done.is_multiple_of(STEPS)
            && let Some(size) = self.sizes.pop()
        {
            // Only what was dreamt is enlarged; the picture itself comes sharp.
            let dreamt: Vec<f32> = self.now.dream.iter().zip(&self.now.plain).map(|(d, p)| d - p).collect();
            let (from, plain) = (self.now.size, resized(&self.given, self.whole, size));
            self.now = Octave::new(&self.net, &self.params, &self.layer, plain, size)?;
            let more = resized(&dreamt, from, size);
            self.now.dream.iter_mut().zip(more).for_each(|(d, more)| *d = (*d + more).clamp(0.0, 1.0));
        }
        self.steps.0 += 1;
        self.now.step(&self.ends, self.rate, &mut self.rng)
    }
}

impl Octave {
    fn new(net: &Network, params: &Params, layer: &str, plain: Vec<f32>, size: (usize, usize)) -> Result<Self> {
        let (net, params, wire) = front(net, params, layer, Shape::new(net.input_shape().c, size.0, size.1))?;
        Ok(Self { size, probe: Probe::new(&net, 1)?, params, wire, dream: plain.clone(), plain })
    }

    fn step(&mut self, ends: &[[f32; 2]], rate: f32, rng: &mut Rng) -> Result<f32> {
        let (h, w) = self.size;
        let (down, right) = (rng.below(h), rng.below(w));
        let moved = rolled(&self.dream, (h, w), (down, right));
        self.probe.forward(&self.params, &as_read(moved, h * w, ends))?;
        let mut half_square = 0.0;
        self.probe.back(&self.params, self.wire, None, Rule::Gradient, |_, At { y, map, dy, dmap }| {
            for (from, to) in map.rows(1).zip(dmap.rows(1)) {
                half_square += 0.5 * y[from.clone()].iter().map(|v| v * v).sum::<f32>() / map.shape.len() as f32;
                dy[to].copy_from_slice(&y[from]);
            }
        });
        let (mut gradient, input) = (Vec::new(), self.probe.run.network().wires().next());
        self.probe.gradients(input.expect("a network has an input"), &mut gradient);
        scaled(&mut gradient, h * w, ends);
        let edge = |y: usize, x: usize| y.min(h - 1 - y).min(x).min(w - 1 - x);
        let share = |i: usize| (edge(i / w % h, i % w) as f32 / EDGE as f32).min(1.0);
        gradient.iter_mut().enumerate().for_each(|(i, g)| *g *= share(i));
        normalise(&mut gradient);
        let up = rolled(&gradient, (h, w), (h - down, w - right));
        self.dream.iter_mut().zip(up).for_each(|(d, g)| *d = (*d + rate * g).clamp(0.0, 1.0));
        Ok(half_square)
    }
}

/// A network up to the activation behind `layer`, for pictures of another size, with its parameters.
fn front(net: &Network, params: &Params, layer: &str, input: Shape) -> Result<(Network, Params, Wire)> {
    let last = net.wire(layer)?;
    // One wire more: the activation that follows, if one does.
    let behind = |wire: &Wire| {
        let (from, node) = (net.node(last), net.node(*wire));
        from.layer.is_some() && node.inputs == [last] && node.layer.as_ref().is_some_and(|layer| layer.in_place())
    };
    let output = net.wires().skip_while(|wire| *wire <= last).take_while(behind).last().unwrap_or(last);
    let (front, shape) = (net.front(output, input, Arc::clone)?, net.node(last).shape);
    if (shape.h, shape.w) == (1, 1) {
        return Err(Error::shape(layer, "a layer with maps", shape));
    }
    let own = front.params_from(params)?;
    Ok((front, own, output))
}
