//! Descent: gradients of shards summed in a fixed order, then one update of the parameters.
//!
//! Where the shards were computed does not matter, so the weights are the same to the bit for any number of threads or
//! workers. (Data-parallel SGD; Goyal et al. 2017.)

use super::group::{Group, Ready};
use super::optimiser::Memory;
use super::options::Options;
use super::regularise::{clip, penalise};
use super::replica::Progress;
use crate::error::{Error, Result};
use crate::kernel::{Level, act, update};
use crate::nn::params::{Role, View};
use crate::nn::{Network, Params};
use crate::tensor::Tensor;
use std::ops::Range;

/// Parameters on their way down, with all that the updates remember.
pub struct Descent {
    params: Params,
    options: Options,
    memory: Memory,
    /// Exponential moving average of the parameters.
    average: Option<Params>,
    gradient: Vec<f32>,
    /// What the shards brought along for the running statistics.
    statistics: Vec<f32>,
    /// The parts of the arena that are trained, and those of them that hold weights.
    trained: Vec<Range<usize>>,
    weights: Vec<Range<usize>>,
    /// Those that are read as signs.
    latent: Vec<Range<usize>>,
    /// The running statistics of frozen layers.
    still: Vec<Range<usize>>,
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

impl State {
    /// As named tensors of one row each, for a checkpoint; what the training does not remember is left out. The number of
    /// steps is for the checkpoint to say.
    pub fn rows(self) -> Vec<(String, Tensor)> {
        let Memory { first, second, .. } = self.memory;
        let average = self.average.unwrap_or_default();
        let all = [("params", self.params), ("first", first), ("second", second), ("average", average)];
        all.into_iter().filter(|(_, values)| !values.is_empty()).map(|(name, values)| row(name, values)).collect()
    }

    /// Back from such tensors, behind so many steps. Fails where there are no parameters.
    pub fn from_rows(rows: &[(String, Tensor)], steps: u64) -> Result<Self> {
        let find = |name: &str| rows.iter().find(|(n, _)| n == name).map(|(_, t)| t.iter().copied().collect());
        let memory =
            Memory { first: find("first").unwrap_or_default(), second: find("second").unwrap_or_default(), steps };
        let params = find("params").ok_or_else(|| Error::missing("checkpoint", "a row of params", "none"))?;
        Ok(Self { params, memory, average: find("average") })
    }
}

/// Numbers as a named tensor of one row.
pub fn row(name: &str, values: Vec<f32>) -> (String, Tensor) {
    (name.to_string(), Tensor::from_shape_vec(vec![values.len()], values).expect("one row"))
}

impl Descent {
    /// Starts from the parameters `params` of `net`. Refuses options that cannot work.
    pub fn new(net: &Network, params: Params, options: &Options) -> Result<Self> {
        options.check()?;
        let len = params.values().len();
        let frozen = net.frozen_views();
        let part = |keep: &dyn Fn(&View, bool) -> bool| -> Vec<Range<usize>> {
            net.views().iter().zip(&frozen).filter(|(v, frozen)| keep(v, **frozen)).map(|(v, _)| v.range()).collect()
        };
        Ok(Self {
            average: (options.average > 0.0).then(|| params.clone()),
            memory: options.optimiser.memory(len),
            options: *options,
            params,
            gradient: vec![0.0; len],
            statistics: vec![],
            trained: part(&|v, frozen| !frozen && !v.role.is_statistic()),
            weights: part(&|v, frozen| !frozen && v.role == Role::Weight),
            latent: part(&|v, frozen| !frozen && v.role == Role::Latent),
            still: part(&|v, frozen| frozen && v.role.is_statistic()),
            level: Level::new(),
        })
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
        self.update(progress, rate)
    }

    /// Sums the gradients of a step's shards in a group, and says what they came to; [`Descent::update`] takes the step.
    /// `work` computes this member's shards. Fails, for every member alike, with the first one's error whose work failed.
    pub fn sum_in<F>(&mut self, group: &dyn Group, work: F) -> Result<Progress>
    where
        F: FnOnce(&Params, &mut Ready<'_>) -> Result<Vec<Progress>>,
    {
        let (mut outcome, mut work) = (Ok(Vec::new()), Some(work));
        let params = &self.params;
        group.sum(&mut self.gradient, &mut |ready| {
            if let Some(work) = work.take() {
                outcome = work(params, ready);
            }
        });
        let mut progress = Progress::default();
        group.settle(outcome)?.into_iter().for_each(|part| progress.add(part));
        Ok(progress)
    }

    /// The step from the summed gradient of shards that came to `progress`, with the errors of [`Descent::apply`].
    pub fn update(&mut self, mut progress: Progress, rate: f32) -> Result<Progress> {
        self.params.take_statistics(&mut self.gradient, &mut self.statistics);
        let penalty = penalise(&self.options, self.level, self.params.values(), &mut self.gradient, &self.weights);
        progress.loss += penalty * progress.images as f64;
        progress.gradient_norm = clip(&self.options, self.level, &mut self.gradient);
        if !progress.loss.is_finite() || !progress.gradient_norm.is_finite() {
            let step = self.memory.steps + 1;
            return Err(Error::value(
                format!("loss of step {step}"),
                "a finite number (try a lower rate)",
                progress.loss,
            ));
        }
        let still: Vec<f32> = self.still.iter().flat_map(|part| &self.params.values()[part.clone()]).copied().collect();
        self.params.follow(&self.statistics, progress.images);
        let params = self.params.values_mut();
        let mut still = still.into_iter();
        for part in self.still.iter().cloned() {
            params[part].fill_with(|| still.next().expect("as many as were kept"));
        }
        self.options.optimiser.step(self.level, params, &self.gradient, &mut self.memory, rate, &self.trained);
        for part in self.latent.iter().cloned() {
            update::clamp(self.level, &mut params[part], 1.0);
        }
        if let Some(average) = &mut self.average {
            // A young average would remember the first weights too long.
            let young = self.memory.steps as f32 / (self.memory.steps as f32 + 10.0);
            update::ema(self.level, average.values_mut(), self.params.values(), self.options.average.min(young));
        }
        Ok(progress)
    }

    /// The parameters as the last step left them.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// The parameters to use: the moving average if one is kept.
    pub fn result(&self) -> &Params {
        self.average.as_ref().unwrap_or(&self.params)
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
            average: self.average.as_ref().map(|p| p.values().to_vec()),
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
        if let (Some(average), Some(values)) = (&mut self.average, &state.average) {
            average.values_mut().copy_from_slice(values);
        }
        self.memory = state.memory;
        Ok(())
    }
}
