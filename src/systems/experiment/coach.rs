//! A coach: the parameters, and the steps that learners' gradients make them take.

use super::inspect::{self, Inspected};
use super::setup::Setup;
use crate::error::{Error, Result};
use crate::file::safetensors::Weights;
use crate::nn::params::View;
use crate::nn::{Network, Params};
use crate::shape::Shape;
use crate::tensor::Tensor;
use crate::train::descent::row;
use crate::train::group::Ready;
use crate::train::regularise::Verdict;
use crate::train::{Descent, EarlyStopping, Group, Progress, State};

/// A loss of this many times that of a blind guess is no learning any more.
pub(super) const DIVERGED: f64 = 100.0;

/// The half of a training that decides.
pub struct Coach {
    setup: Setup,
    net: Network,
    descent: Descent,
    classes: usize,
    /// The gradients of the step so far, in the order of its shards.
    shards: Vec<(Vec<f32>, Progress)>,
    filled: usize,
    early: EarlyStopping,
    /// The parameters of the best validation.
    best: Option<Params>,
}

impl Coach {
    /// Begins with the setup's first weights, for pictures of this shape and so many classes.
    pub fn new(setup: Setup, input: Shape, classes: usize) -> Result<Self> {
        let net = setup.network(input, classes)?;
        let descent = Descent::new(&net, setup.first(&net)?, &setup.options)?;
        let shards = vec![(Vec::new(), Progress::default()); setup.shards()];
        let early = EarlyStopping::new(setup.options.patience);
        Ok(Self { setup, net, descent, classes, shards, filled: 0, early, best: None })
    }

    /// Begins with these weights in place of the setup's, before the first step. They may be of a network whose layers have other
    /// names. Errors: [`Error::Shape`] for parameters of another shape or order, [`Error::Value`] behind the first step.
    pub fn begin_with(&mut self, params: &Params) -> Result<()> {
        let alike = |(a, b): (&View, &View)| a.shape == b.shape && a.order == b.order;
        let (own, its) = (self.net.views(), params.views());
        if own.len() != its.len() || !own.iter().zip(its).all(alike) {
            let got = format!("{} of {} numbers", its.len(), params.values().len());
            return Err(Error::shape("weights to begin with", format!("the setup's {} parameters", own.len()), got));
        }
        if self.steps() > 0 {
            return Err(Error::value("weights to begin with", "before the first step", self.steps()));
        }
        let mut first = self.net.zeros();
        first.values_mut().copy_from_slice(params.values());
        self.descent = Descent::new(&self.net, first, &self.setup.options)?;
        Ok(())
    }

    /// The network in training.
    pub fn network(&self) -> &Network {
        &self.net
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.descent.steps()
    }

    /// Steps between validations.
    pub fn every(&self) -> u64 {
        self.setup.every()
    }

    /// Images that a validation on the way looks at, if there are as many.
    pub fn glance(&self) -> usize {
        self.setup.glance()
    }

    /// The parameters for the next step.
    pub fn params(&self) -> &Params {
        self.descent.params()
    }

    /// The parameters that the last step left: the moving average if one is kept.
    pub fn latest(&self) -> &Params {
        self.descent.result()
    }

    /// The parameters to use: the latest; of a finished training with early stopping those of the best validation.
    pub fn result(&self) -> &Params {
        self.best.as_ref().filter(|_| self.finished()).unwrap_or(self.latest())
    }

    /// Whether all steps are taken, or validations have got no better for too long.
    pub fn finished(&self) -> bool {
        self.steps() >= self.setup.steps || self.early.stops()
    }

    /// Judges a validation of the latest parameters by its loss and, with patience in the options, keeps them if they are
    /// the best.
    pub fn see(&mut self, loss: f64) -> Verdict {
        let verdict = self.early.see(loss);
        if verdict == Verdict::Best && self.setup.options.patience > 0 {
            self.best = Some(self.latest().clone());
        }
        verdict
    }

    /// What early stopping remembers besides [`Coach::state`]: losses, and the parameters of the best one.
    pub fn stopping(&self) -> (EarlyStopping, &[f32]) {
        (self.early, self.best.as_ref().map_or(&[], Params::values))
    }

    /// Goes on from what [`Coach::stopping`] gave. Refuses parameters of another network.
    pub fn restore_stopping(&mut self, loss: f64, waited: u32, best: &[f32]) -> Result<()> {
        let len = self.net.arena_len();
        if !best.is_empty() && best.len() != len {
            return Err(Error::shape("best parameters", len, best.len()));
        }
        self.best = (!best.is_empty()).then(|| self.params().clone());
        if let Some(params) = &mut self.best {
            params.values_mut().copy_from_slice(best);
        }
        self.early = EarlyStopping::resumed(self.setup.options.patience, loss, waited);
        Ok(())
    }

    /// Takes the gradient of the step's next shard, in the order of the arena; shards come in their order.
    pub fn add(&mut self, gradient: &[f32], progress: Progress) -> Result<()> {
        let len = self.net.arena_len();
        if gradient.len() != len || self.filled == self.shards.len() {
            let expected = format!("{len} numbers for each of {} shards", self.shards.len());
            return Err(Error::shape("gradient", expected, format!("{}, shard {}", gradient.len(), self.filled + 1)));
        }
        let (own, its) = &mut self.shards[self.filled];
        own.clear();
        own.extend_from_slice(gradient);
        *its = progress;
        self.filled += 1;
        Ok(())
    }

    /// Takes the step, once every shard is there. Returns what it came to and its learning rate.
    ///
    /// Fails, and changes no weight, where a shard is missing, where the loss or the gradient is no number and where the
    /// loss has left all bounds; the error then names the step. The step's shards must be added anew.
    pub fn step(&mut self) -> Result<(Progress, f32)> {
        let filled = std::mem::take(&mut self.filled);
        if filled != self.shards.len() {
            return Err(Error::value("shards of the step", self.shards.len(), filled));
        }
        let mut sum = Progress::default();
        self.shards.iter().for_each(|(_, part)| sum.add(*part));
        self.bounded(&sum)?;
        self.shards.iter().try_for_each(|(gradient, _)| self.finite(gradient))?;
        let rate = self.rate();
        let progress = self.descent.apply(self.shards.iter().map(|(g, part)| (&g[..], *part)), rate)?;
        Ok((progress, rate))
    }

    /// Takes the step in a group, with the errors of [`Coach::step`]: `work` computes the shards that are this member's by
    /// [`crate::train::group::share`], as [`Descent::sum_in`] asks for them.
    pub fn step_in<F>(&mut self, group: &dyn Group, work: F) -> Result<(Progress, f32)>
    where
        F: FnOnce(&Params, &mut Ready<'_>) -> Result<Vec<Progress>>,
    {
        let sum = self.descent.sum_in(group, work)?;
        self.bounded(&sum)?;
        let rate = self.rate();
        Ok((self.descent.update(sum, rate)?, rate))
    }

    /// The learning rate of the next step.
    fn rate(&self) -> f32 {
        let options = &self.setup.options;
        options.schedule.rate(options.rate, self.steps(), self.setup.steps)
    }

    /// Refuses a step whose loss has left all bounds.
    fn bounded(&self, sum: &Progress) -> Result<()> {
        let (loss, bound) = (sum.loss / sum.images.max(1) as f64, DIVERGED * libm::log(self.classes as f64));
        if loss > bound {
            return Err(Error::value(format!("step {}", self.steps() + 1), format!("a loss below {bound:.0}"), loss));
        }
        Ok(())
    }

    /// Refuses a shard's gradient that has a number that is none; the error names the layer.
    fn finite(&self, gradient: &[f32]) -> Result<()> {
        inspect::finite(self.net.views(), gradient, self.steps())
    }

    /// Everything to go on from here with the same bits.
    pub fn state(&self) -> State {
        self.descent.state()
    }

    /// Goes on from a state. Refuses one of another network or optimiser and is then as it was.
    pub fn restore(&mut self, state: State) -> Result<()> {
        self.filled = 0;
        self.descent.restore(state)
    }

    /// All that [`Coach::resume`] needs, as named tensors of one row each.
    pub fn checkpoint(&self) -> Result<Weights> {
        let (early, best) = self.stopping();
        let state = self.state();
        let metadata = [
            ("setup", self.setup.to_json()?),
            ("steps", state.memory.steps.to_string()),
            ("best_loss", early.best.to_string()),
            ("waited", early.waited.to_string()),
        ];
        let mut tensors = state.rows();
        if !best.is_empty() {
            tensors.push(row("best", best.to_vec()));
        }
        Ok(Weights { tensors, metadata: metadata.map(|(key, value)| (key.to_string(), value)).into() })
    }

    /// Goes on from a checkpoint of the same setup; on the same pictures the weights then end as if never stopped. Refuses
    /// another one and is then as it was.
    pub fn resume(&mut self, checkpoint: &Weights) -> Result<()> {
        checkpoint.agree("setup", &self.setup.to_json()?)?;
        let state = State::from_rows(&checkpoint.tensors, checkpoint.number("steps")?)?;
        let best = checkpoint.tensors.iter().find(|(name, _)| name == "best");
        let best: Vec<f32> = best.map_or(Vec::new(), |(_, values)| values.iter().copied().collect());
        let before = self.state();
        self.restore(state)?;
        let stopping = self.restore_stopping(checkpoint.number("best_loss")?, checkpoint.number("waited")?, &best);
        stopping.inspect_err(|_| self.restore(before).expect("its own state"))
    }

    /// The trained weights by name, in their public order.
    pub fn weights(&self) -> Vec<(String, Tensor)> {
        self.result().named()
    }

    /// Weights and gradients of every layer that has weights, as the last step left them.
    pub fn inspect(&self) -> Vec<[Inspected; 2]> {
        inspect::weights(self.params(), self.descent.gradient())
    }

    /// The filters of the first layer with a window, `oc × c × kh × kw`, if there is one; with their name.
    pub fn filters(&self) -> Option<(String, Tensor)> {
        let view = self.net.views().iter().find(|view| view.shape.len() == 4)?;
        Some((view.name.clone(), self.params().get(&view.name).ok()?))
    }
}
