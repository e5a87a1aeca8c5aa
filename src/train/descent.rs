//! Descent: gradients of shards summed in a fixed order, then one update of the parameters.
//!
//! Where the shards were computed does not matter, so the weights are the same to the bit for any number of threads or
//! workers. (Data-parallel SGD; Goyal et al. 2017.)

use super::optimiser::{Memory, Optimiser};
use super::replica::Progress;
use crate::error::{Error, Result};
use crate::kernel::{Level, act, reduce, update};
use crate::nn::Params;

/// Parameters on their way down, with all that the updates remember.
pub struct Descent {
    params: Params,
    optimiser: Optimiser,
    memory: Memory,
    /// Exponential moving average of the parameters and its decay per step. Polyak and Juditsky 1992.
    average: Option<(Params, f32)>,
    gradient: Vec<f32>,
    level: Level,
}

/// All that a training needs to go on with the same bits.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// The parameter arena.
    pub params: Vec<f32>,
    /// The optimiser's memory.
    pub memory: Memory,
    /// The arena of the averaged parameters, if there is one.
    pub average: Option<Vec<f32>>,
}

impl Descent {
    /// Starts from `params`. With `average`, a moving average of the parameters with that decay per step is kept as well.
    pub fn new(params: Params, optimiser: Optimiser, average: Option<f32>) -> Self {
        let len = params.values().len();
        Self {
            average: average.map(|decay| (params.clone(), decay)),
            memory: optimiser.memory(len),
            optimiser,
            params,
            gradient: vec![0.0; len],
            level: Level::new(),
        }
    }

    /// One step at this learning rate: sums the gradients of the batch's shards in the order given, and updates.
    ///
    /// Fails, and changes nothing, if a gradient has another size than the arena, or if the loss or the summed gradient
    /// is not finite.
    pub fn apply<'a, I>(&mut self, shards: I, rate: f32) -> Result<Progress>
    where
        I: IntoIterator<Item = (&'a [f32], Progress)>,
    {
        let mut progress = Progress::default();
        self.gradient.fill(0.0);
        for (gradient, part) in shards {
            if gradient.len() != self.gradient.len() {
                return Err(Error::shape("gradient", format!("{} numbers", self.gradient.len()), gradient.len()));
            }
            act::add_assign(self.level, &mut self.gradient, gradient);
            progress.add(part);
        }
        if !progress.loss.is_finite() || !reduce::sum(self.level, &self.gradient).is_finite() {
            let step = self.memory.steps + 1;
            return Err(Error::value(
                format!("loss of step {step}"),
                "a finite number (try a lower rate)",
                progress.loss,
            ));
        }
        self.optimiser.step(self.level, self.params.values_mut(), &self.gradient, &mut self.memory, rate);
        if let Some((average, decay)) = &mut self.average {
            // A young average would remember the first weights too long.
            let young = self.memory.steps as f32 / (self.memory.steps as f32 + 10.0);
            update::ema(self.level, average.values_mut(), self.params.values(), decay.min(young));
        }
        Ok(progress)
    }

    /// The parameters as the last step left them.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// The parameters to use: the moving average if one is kept.
    pub fn result(&self) -> &Params {
        self.average.as_ref().map_or(&self.params, |(average, _)| average)
    }

    /// The summed gradient of the last step, in the arena's order.
    pub fn gradient(&self) -> &[f32] {
        &self.gradient
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.memory.steps
    }

    /// Everything to go on from here with the same bits.
    pub fn state(&self) -> State {
        State {
            params: self.params.values().to_vec(),
            memory: self.memory.clone(),
            average: self.average.as_ref().map(|(p, _)| p.values().to_vec()),
        }
    }

    /// Goes on from a state. Refuses one of another network or optimiser and is then as it was.
    pub fn restore(&mut self, state: State) -> Result<()> {
        let own = self.state();
        let sizes =
            |s: &State| (s.params.len(), s.memory.first.len(), s.memory.second.len(), s.average.as_ref().map(Vec::len));
        if sizes(&own) != sizes(&state) {
            return Err(Error::shape(
                "checkpoint",
                format!("{:?} numbers", sizes(&own)),
                format!("{:?}", sizes(&state)),
            ));
        }
        self.params.values_mut().copy_from_slice(&state.params);
        if let (Some((average, _)), Some(values)) = (&mut self.average, &state.average) {
            average.values_mut().copy_from_slice(values);
        }
        self.memory = state.memory;
        Ok(())
    }
}
