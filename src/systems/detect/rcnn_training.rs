//! The training of R-CNN's network: regions of scenes that selective search proposes, and which digit each holds (Girshick et
//! al. 2014, section 2.3 and appendix C; the scores and the boxes learn at once).

use super::rcnn::{Warp, proposals, searched};
use super::sample::{self, Plan, Trained};
use super::search::Search;
use super::targets::{self, RegionTarget, Thing};
use super::{CLASSES, SCALE, SIDE};
use crate::data::scenes::{Digits, Scene, Setup};
use crate::error::{Error, Result};
use crate::file::safetensors::Weights;
use crate::kernel::Level;
use crate::kernel::roi::Region;
use crate::nn::losses::{Huber, MaskCrossEntropy};
use crate::nn::{Graph, Init, Network, Port, Rows};
use crate::rng::Rng;
use crate::shape::Shape;
use crate::train::{Curve, Optimiser, Options, Progress, Ring, Rule, Schedule, State, Trainer};
use crate::zoo::rcnn;

/// Scenes to learn from: searched once, since the search takes longer than a step. A step puts one new scene in the place of the
/// oldest.
const POOL: usize = 400;
/// Regions of a scene in a step.
const REGIONS: usize = 12;
/// Regions that one replica takes at a time; batch norms see as many.
const SHARD: usize = 48;
/// Where Huber's loss of shifts turns straight.
const STRAIGHT: f32 = 1.0 / 9.0;

/// A scene that has been searched.
struct Searched {
    warp: Warp,
    things: Vec<Thing>,
    proposals: Vec<Region>,
}

/// A training under way.
pub struct Training {
    plan: Plan,
    setup: Setup,
    digits: Digits,
    options: Options,
    trainer: Trainer,
    /// None before the first step, and behind one that failed: it follows from the number of the step.
    pool: Option<Ring<Searched>>,
    step: u64,
}

impl Training {
    /// Begins a training. Errors: those of [`super::Training::new`].
    pub fn new(plan: Plan, setup: Setup, digits: Digits) -> Result<Self> {
        plan.check()?;
        setup.check()?;
        if setup.side != SIDE {
            return Err(Error::value("side of the scenes", SIDE, setup.side));
        }
        let net = network(true)?;
        let options = Options {
            optimiser: Optimiser::new(Rule::AdamW),
            rate: plan.rate,
            schedule: Schedule::new(Curve::Cosine, 0.05),
            average: 0.99,
            clip_norm: 10.0,
            ..Options::DEFAULT
        };
        let mut params = net.zeros();
        Init::He.fill(&mut params, plan.seed)?;
        let trainer = Trainer::new(&net, params, plan.batch * REGIONS, SHARD, &options)?;
        Ok(Self { plan, setup, digits, options, trainer, pool: None, step: 0 })
    }

    /// Goes on from a checkpoint of the same plan; the weights then end as if never stopped. Errors: those of
    /// [`Weights::agree`] and [`Trainer::restore`].
    pub fn resume(&mut self, checkpoint: &Weights) -> Result<()> {
        checkpoint.agree("plan", &format!("{:?}", self.plan))?;
        let step = checkpoint.number("step")?;
        self.trainer.restore(State::from_rows(&checkpoint.tensors, step)?)?;
        (self.pool, self.step) = (None, step);
        Ok(())
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// Whether all steps are taken.
    pub fn finished(&self) -> bool {
        self.step >= self.plan.steps
    }

    /// One step. The loss in its report is the sum of both, summed over regions.
    pub fn step(&mut self) -> Result<Progress> {
        let seed = Rng::mix(self.plan.seed, 1 + self.step);
        let (source, plan) = ((&self.setup, &self.digits), self.plan);
        let search = |i: u64| search(sample::scene(source, plan.seed, i)?);
        let mut pool = match self.pool.take() {
            Some(pool) => pool,
            None => Ring::new(POOL, POOL as u64 + self.step, search)?,
        };
        let mut rng = Rng::new(seed);
        let mut chosen: Vec<(&Warp, RegionTarget)> = Vec::new();
        for _ in 0..plan.batch {
            let Searched { things, proposals, warp } = &pool.samples()[rng.below(POOL)];
            let targets = targets::regions(&mut rng, proposals, things, REGIONS);
            chosen.extend(targets.into_iter().map(|target| (warp, target)));
        }
        let rate = self.options.schedule.rate(self.options.rate, self.step, self.plan.steps);
        let level = Level::new();
        let progress = self.trainer.step_feeds(chosen.len(), rate, seed, |images, batch| {
            for i in images {
                let (warp, RegionTarget { region, class, shift }) = chosen[i];
                batch.rows("image")?.extend(warp.region(level, region));
                batch.rows("class")?.push(class as f32);
                let own = |k: usize| class > 0 && k / 4 == class;
                batch.rows("refined_to")?.extend((0..4 * CLASSES).map(|k| if own(k) { shift[k % 4] } else { 0.0 }));
                batch.rows("refined_count")?.extend((0..4 * CLASSES).map(|k| f32::from(own(k))));
            }
            Ok(())
        })?;
        pool.renew(1, search)?;
        self.pool = Some(pool);
        self.step += 1;
        Ok(progress)
    }

    /// All that a training needs to go on.
    pub fn checkpoint(&self) -> Weights {
        let metadata = [("plan".to_string(), format!("{:?}", self.plan)), ("step".to_string(), self.step.to_string())];
        Weights { tensors: self.trainer.state().rows(), metadata: metadata.into() }
    }

    /// The network as it ships, and what its file says of it.
    pub fn trained(&self) -> Result<Trained> {
        let net = network(false)?;
        let params = net.params_from(self.trainer.result())?;
        Ok((net, params, sample::metadata("rcnn", SCALE)))
    }
}

fn search(scene: Scene) -> Result<Searched> {
    let (picture, _) = searched(&scene.picture)?;
    let proposals = proposals(&Search::sheet(), &picture)?;
    Ok(Searched { things: sample::things(&scene), proposals, warp: Warp::new(&picture) })
}

fn network(learns: bool) -> Result<Network> {
    let mut g = Graph::new();
    let x = g.input("image", Shape::new(3, rcnn::SIDE, rcnn::SIDE))?;
    let [scores, refined] = rcnn::rcnn(&mut g, x, CLASSES)?;
    g.output("refined", refined)?;
    if learns {
        let boxes = Shape::new(4 * CLASSES, 1, 1);
        let class = g.port("class", Shape::new(1, 1, 1), Port::Mask(CLASSES), Rows::IMAGES)?;
        let to = g.port("refined_to", boxes, Port::Image, Rows::IMAGES)?;
        let count = g.port("refined_count", boxes, Port::Image, Rows::IMAGES)?;
        g.loss("loss_class", MaskCrossEntropy, &[scores, class], 1.0)?;
        g.loss("loss_refined", Huber(STRAIGHT), &[refined, to, count], 0.3 / STRAIGHT)?;
    }
    Ok(g.finish(scores))
}
