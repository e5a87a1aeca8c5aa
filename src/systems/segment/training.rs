//! The training of the networks for segmentation: cross-entropy of every pixel, by Adam, on samples drawn meanwhile.

use super::{Pool, Recipe, SCALE, Wiring};
use crate::error::{Error, Result};
use crate::file::safetensors::Weights;
use crate::nn::losses::MaskCrossEntropy;
use crate::nn::params::Role;
use crate::nn::{Conv, Graph, Init, Network, Params, Port, Rows};
use crate::rng::Rng;
use crate::shape::Shape;
use crate::train::{Curve, Optimiser, Options, Progress, Rule, Schedule, State, Trainer};
use crate::zoo;
use std::collections::BTreeMap;

/// How much the coarser scores of an FCN count beside the finest. Their loss is taken where they are, not enlarged: that takes
/// a third of the time.
const COARSER: f32 = 0.3;

/// A network as it ships: its structure, its parameters, and what its file says of it.
pub type Trained = (Network, Params, BTreeMap<String, String>);

/// What of a training is not the recipe's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Steps in all.
    pub steps: u64,
    /// Samples in a step.
    pub batch: usize,
    /// Samples in the pool, and how many new ones a step draws.
    pub pool: usize,
    /// New samples in each step.
    pub fresh: usize,
    /// Everything random follows from it.
    pub seed: u64,
}

impl Plan {
    /// As the weights that ship were trained.
    pub const fn new(steps: u64, seed: u64) -> Self {
        Self { steps, batch: 8, pool: 2400, fresh: 2, seed }
    }

    fn check(&self) -> Result<()> {
        let Self { steps, batch, pool, fresh, .. } = *self;
        if steps == 0 || !(1..=64).contains(&batch) || !(batch..=20_000).contains(&pool) || fresh > pool {
            let got = format!("{steps} steps of {batch} out of {pool}, {fresh} of them new");
            return Err(Error::value("training", "at least 1 step of 1 to 64 samples out of up to 20000", got));
        }
        Ok(())
    }
}

/// A training under way.
pub struct Training {
    recipe: Recipe,
    plan: Plan,
    options: Options,
    trainer: Trainer,
    pool: Pool,
    step: u64,
}

/// What the scales of batch norms begin at beside weights that are taken over.
const NEW: f32 = 0.2;
/// Samples that one replica takes at a time; batch norms see as many.
const SHARD: usize = 4;

impl Training {
    /// Begins a training.
    pub fn new(recipe: Recipe, plan: Plan) -> Result<Self> {
        Self::from(recipe, plan, None)
    }

    /// Begins with the weights of another training of this recipe, or of a network whose first layers are the same: what has a
    /// parameter's name and shape is taken over, and what else batch norms give out begins a fifth as large, so as not to drown
    /// it. Errors: [`Error::Missing`] where there is nothing such.
    pub fn upon(recipe: Recipe, plan: Plan, before: &Params) -> Result<Self> {
        let mut training = Self::from(recipe, plan, None)?;
        let mut params = training.trainer.result().clone();
        let mut taken = 0;
        for view in params.views().to_vec() {
            match before.get(&view.name) {
                Ok(tensor) if tensor.shape() == view.shape => {
                    params.set(&view.name, &tensor)?;
                    taken += 1;
                }
                _ if view.role == Role::Scale => params.set(&view.name, &(params.get(&view.name)? * NEW))?,
                _ => (),
            }
        }
        if taken == 0 {
            let expected = format!("weights with parameters of {}", recipe.name);
            return Err(Error::missing("training", expected, "none of its names and shapes"));
        }
        let size = SHARD.min(plan.batch);
        training.trainer =
            Trainer::new(&training.trainer.network().clone(), params, plan.batch, size, &training.options)?;
        Ok(training)
    }

    /// Goes on from a checkpoint of the same recipe and plan; the weights then end as if never stopped. Errors: those of
    /// [`Weights::agree`] and [`Trainer::restore`].
    pub fn resume(recipe: Recipe, plan: Plan, checkpoint: &Weights) -> Result<Self> {
        Self::from(recipe, plan, Some(checkpoint))
    }

    fn from(recipe: Recipe, plan: Plan, checkpoint: Option<&Weights>) -> Result<Self> {
        plan.check()?;
        let net = network(&recipe, true)?;
        let options = Options {
            optimiser: Optimiser::new(Rule::Adam),
            rate: recipe.rate,
            schedule: Schedule::new(Curve::Cosine, 0.05),
            average: 0.99,
            clip_norm: 5.0,
            ..Options::DEFAULT
        };
        let mut params = net.zeros();
        Init::He.fill(&mut params, plan.seed)?;
        if recipe.plan == Wiring::Fcn {
            zoo::fcn::begin_bilinear(&mut params)?;
        }
        let mut trainer = Trainer::new(&net, params, plan.batch, SHARD.min(plan.batch), &options)?;
        let mut step = 0;
        if let Some(checkpoint) = checkpoint {
            checkpoint.agree("recipe", recipe.name)?;
            checkpoint.agree("plan", &format!("{plan:?}"))?;
            step = checkpoint.number("step")?;
            trainer.restore(State::from_rows(&checkpoint.tensors, step)?)?;
        }
        let drawn = plan.pool as u64 + step * plan.fresh as u64;
        let pool = Pool::new(recipe.task, plan.seed, plan.pool, drawn)?;
        Ok(Self { recipe, plan, options, trainer, pool, step })
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// Whether all steps are taken.
    pub fn finished(&self) -> bool {
        self.step >= self.plan.steps
    }

    /// One step. The loss in its report is the mean over pixels, summed over samples.
    pub fn step(&mut self) -> Result<Progress> {
        let seed = Rng::mix(self.plan.seed, 1 + self.step);
        let (mut rng, samples, recipe) = (Rng::new(seed), self.pool.samples(), self.recipe);
        let chosen: Vec<usize> = (0..self.plan.batch).map(|_| rng.below(samples.len())).collect();
        let rate = self.options.schedule.rate(self.options.rate, self.step, self.plan.steps);
        let progress = self.trainer.step_feeds(self.plan.batch, rate, seed, |images, batch| {
            for i in images {
                let sample = &samples[chosen[i]];
                batch.rows("image")?.extend(sample.image());
                batch.rows("truth")?.extend(sample.truth.iter().map(|&class| f32::from(class)));
                let weights = recipe.task.weights();
                batch.rows("weights")?.extend(sample.truth.iter().map(|&class| weights[usize::from(class)]));
                for (_, stride) in recipe.coarse() {
                    batch.rows(&truth_of(*stride))?.extend(thinned(&sample.truth, recipe.task.size(), *stride));
                }
            }
            Ok(())
        })?;
        self.pool.renew(self.plan.fresh)?;
        self.step += 1;
        Ok(progress)
    }

    /// All that a training needs to go on.
    pub fn checkpoint(&self) -> Weights {
        let metadata = [
            ("recipe", self.recipe.name.into()),
            ("plan", format!("{:?}", self.plan)),
            ("step", self.step.to_string()),
        ];
        let metadata = metadata.map(|(key, value): (&str, String)| (key.to_string(), value)).into();
        Weights { tensors: self.trainer.state().rows(), metadata }
    }

    /// The network as it ships, and what its file says of it.
    pub fn trained(&self) -> Result<Trained> {
        saved(&self.recipe, self.trainer.result())
    }
}

/// A recipe's network with these parameters, its losses left out.
fn saved(recipe: &Recipe, params: &Params) -> Result<Trained> {
    let net = network(recipe, false)?;
    let params = net.params_from(params)?;
    let scale = |v: f32| format!("[{v},{v},{v}]");
    let metadata = [
        ("name", recipe.name.to_string()),
        ("classes", recipe.task.classes().join(",")),
        ("mean", scale(SCALE[0])),
        ("std", scale(SCALE[1])),
    ];
    let metadata = metadata.into_iter().map(|(key, value)| (key.to_string(), value)).collect();
    Ok((net, params, metadata))
}

/// A recipe's network, to learn with or to answer with. Losses are means over pixels.
fn network(recipe: &Recipe, learns: bool) -> Result<Network> {
    let ((h, w), classes) = (recipe.task.size(), recipe.task.classes().len());
    let mut g = Graph::new();
    let x = g.input("image", Shape::new(3, h, w))?;
    let answers = recipe.wire(&mut g, x)?;
    let (best, coarser) = answers.split_last().expect("every recipe answers");
    for (wire, name) in coarser.iter().zip(["32s", "16s"]) {
        g.output(name, *wire)?;
    }
    if learns {
        let truth = g.port("truth", Shape::new(1, h, w), Port::Mask(classes), Rows::IMAGES)?;
        let weights = g.port("weights", Shape::new(1, h, w), Port::Distribution, Rows::IMAGES)?;
        g.loss("loss", MaskCrossEntropy, &[*best, truth, weights], 1.0 / (h * w) as f32)?;
        for (name, stride) in recipe.coarse() {
            let (h, w) = (h / stride, w / stride);
            let truth = g.port(&truth_of(*stride), Shape::new(1, h, w), Port::Mask(classes), Rows::IMAGES)?;
            let scores = match g.wire(name)? {
                map if g.shape(map).c == classes => map,
                map => g.add(&format!("score_{name}"), Conv::new(classes, 1), &[map])?,
            };
            g.loss(&format!("loss_{name}"), MaskCrossEntropy, &[scores, truth], COARSER / (h * w) as f32)?;
        }
    }
    Ok(g.finish(*best))
}

/// The input with the truth for scores at this stride.
fn truth_of(stride: usize) -> String {
    format!("truth{stride}")
}

/// The class in the middle of each square of `stride` pixels.
fn thinned(truth: &[u8], (h, w): (usize, usize), stride: usize) -> impl Iterator<Item = f32> + use<'_> {
    let rows = (stride / 2..h).step_by(stride);
    rows.flat_map(move |y| (stride / 2..w).step_by(stride).map(move |x| f32::from(truth[y * w + x])))
}
