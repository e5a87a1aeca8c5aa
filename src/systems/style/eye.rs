//! A feature network at work on pictures of one size: what its layers answer, and how an answer hangs on the pixels.

use super::{Features, wired};
use crate::error::{Error, Result};
use crate::kernel::{Level, reduce};
use crate::nn::{Mode, Network, Params, Plan, Run, Want, Wire};
use crate::tensor::Map;

/// The network up to the last layer that is looked at.
pub(super) struct Eye {
    run: Run,
    params: Params,
    /// Mean and deviation of each colour.
    scale: [[f32; 3]; 2],
    /// The picture as the network wants it, CHW.
    picture: Vec<f32>,
    input: Wire,
}

impl Eye {
    /// Looks at these layers of pictures of `h` rows and `w` columns; with `back` also the way back to the pixels.
    pub fn new(features: &Features, layers: &[Wire], size: (usize, usize), back: bool) -> Result<Self> {
        let (net, params, want) = planned(features, layers, size, back)?;
        let input = net.wires().next().expect("a network has an input");
        let run = Run::new(&net, 1, &want);
        Ok(Self { run, params, scale: features.scale, picture: vec![0.0; 3 * size.0 * size.1], input })
    }

    /// Bytes that an eye would hold, as near as its plan tells: buffers, parameters, what they are packed into.
    pub fn bytes(features: &Features, layers: &[Wire], size: (usize, usize), back: bool) -> Result<usize> {
        let (net, _, want) = planned(features, layers, size, back)?;
        let numbers = net.nodes().iter().map(|node| node.shape.len() as u64).sum::<u64>();
        if numbers > 1 << 30 {
            return Err(Error::value("memory", "a picture that fits", format!("{numbers} numbers at work")));
        }
        // Minimal filtering has four numbers for each of a filter's, once each way; a row has a place in each table.
        let ways = if back { 2 } else { 1 };
        let packed = 4 * ways * net.arena_len();
        let tables = 2 * ways * net.nodes().iter().map(|node| node.shape.h * node.shape.w).sum::<usize>();
        let plan = Plan::new(&net, 1, &want).bytes();
        Ok(plan + 4 * (net.arena_len() + packed + tables + 3 * size.0 * size.1))
    }

    /// The lane level it computes at.
    pub fn level(&self) -> Level {
        self.run.level()
    }

    /// Looks at a picture (CHW, 0 to 1). Errors: [`Error::Value`] for numbers that are not finite.
    pub fn look(&mut self, picture: &[f32]) -> Result<()> {
        if !reduce::sum(self.run.level(), picture).is_finite() {
            return Err(Error::value("picture", "finite numbers", "others"));
        }
        let plane = picture.len() / 3;
        let [mean, deviation] = self.scale;
        for (k, (to, from)) in self.picture.chunks_exact_mut(plane).zip(picture.chunks_exact(plane)).enumerate() {
            let gain = 1.0 / deviation[k];
            to.iter_mut().zip(from).for_each(|(to, from)| *to = (from - mean[k]) * gain);
        }
        self.run.forward(&self.params, &self.picture, 1, Mode::Infer)
    }

    /// What a layer answered: NHWC with a halo.
    pub fn values(&self, layer: Wire) -> (&[f32], Map) {
        self.run.values(layer).expect("a layer that is looked at")
    }

    /// Where a layer's values and gradients lie.
    pub fn maps(&self, layer: Wire) -> (Map, Map) {
        let place = self.run.plan().places[self.number(layer)];
        (place.map, place.gradient.map_or(place.map, |(map, _)| map))
    }

    fn number(&self, layer: Wire) -> usize {
        self.run.network().wires().position(|wire| wire == layer).expect("a layer that is looked at")
    }

    /// A layer's values, and its gradient to be set (`true`) or added to before [`Eye::back`].
    pub fn seed(&mut self, layer: Wire) -> (&[f32], Map, &mut [f32], Map, bool) {
        self.run.open_gradient(layer).expect("a loss taken here")
    }

    /// From the gradients that [`Eye::seed`] was given to that of the picture's pixels (CHW), into `out`.
    pub fn back(&mut self, out: &mut [f32]) {
        self.run.backward(&self.params, &mut []);
        out.fill(0.0);
        let Some((values, map)) = self.run.gradient(self.input) else { return };
        map.copy_to_chw(values, out);
        let plane = out.len() / 3;
        for (k, out) in out.chunks_exact_mut(plane).enumerate() {
            let gain = 1.0 / self.scale[1][k];
            out.iter_mut().for_each(|v| *v *= gain);
        }
    }
}

fn planned(features: &Features, layers: &[Wire], size: (usize, usize), back: bool) -> Result<(Network, Params, Want)> {
    let last = layers.iter().max().ok_or_else(|| Error::value("layers", "at least one with a weight", "none"))?;
    let (net, params) = wired(&features.net, &features.params, *last, size)?;
    let layers = layers.to_vec();
    Ok((net, params, if back { Want::input_gradient(layers) } else { Want::values(layers) }))
}
