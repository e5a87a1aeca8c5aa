//! The training of Faster R-CNN, end to end: four losses at once, on scenes drawn for each step (Ren et al. 2015, 3.2, in
//! its "approximate joint" form: no gradient goes through the places of proposals).

use super::boxes::HEIGHTS;
use super::proposals::{Choice, propose};
use super::sample::{self, Plan, Trained, quantised};
use super::targets::{self, AnchorTargets, Thing};
use super::{CLASSES, SCALE, SIDE, scaled};
use crate::data::scenes::{Digits, Setup};
use crate::error::{Error, Result};
use crate::file::safetensors::Weights;
use crate::kernel::roi::Region;
use crate::nn::losses::{BinaryCrossEntropy, Huber, MaskCrossEntropy};
use crate::nn::{Graph, Init, Network, Params, Port, Rows};
use crate::rng::Rng;
use crate::shape::Shape;
use crate::train::ring::several;
use crate::train::{Curve, Optimiser, Options, Progress, Rule, Schedule, State, Trainer};
use crate::zoo::faster_rcnn::{STRIDE, Wires, faster_rcnn};

/// Regions of an image that are learnt from.
const REGIONS: usize = 48;
/// How proposals are chosen to learn from.
const CHOICE: Choice = Choice { before: 300, after: 100, overlap: 0.7, least: f32::NEG_INFINITY };
/// Where Huber's loss of shifts turns straight, as torchvision has it.
const STRAIGHT: f32 = 1.0 / 9.0;

/// A training under way.
pub struct Training {
    plan: Plan,
    setup: Setup,
    digits: Digits,
    options: Options,
    wires: Wires,
    trainer: Trainer,
    step: u64,
}

/// Scenes that one replica takes at a time; batch norms see as many.
const SHARD: usize = 4;

impl Training {
    /// Begins a training on scenes of this setup with digits of this supply. Errors: those of [`Setup::check`], and
    /// [`Error::Value`] for a plan that cannot be and for sheets of another size than [`SIDE`].
    pub fn new(plan: Plan, setup: Setup, digits: Digits) -> Result<Self> {
        plan.check()?;
        setup.check()?;
        if setup.side != SIDE {
            return Err(Error::value("side of the scenes", SIDE, setup.side));
        }
        let (net, wires) = network(true)?;
        let options = Options {
            optimiser: Optimiser::new(Rule::AdamW),
            rate: plan.rate,
            schedule: Schedule::new(Curve::Cosine, 0.05),
            average: 0.995,
            clip_norm: 10.0,
            ..Options::DEFAULT
        };
        let mut params = net.zeros();
        Init::He.fill(&mut params, plan.seed)?;
        let trainer = Trainer::new(&net, params, plan.batch, SHARD.min(plan.batch), &options)?;
        Ok(Self { plan, setup, digits, options, wires, trainer, step: 0 })
    }

    /// Goes on from a checkpoint of the same plan; the weights then end as if never stopped. Errors: those of
    /// [`Weights::agree`] and [`Trainer::restore`].
    pub fn resume(&mut self, checkpoint: &Weights) -> Result<()> {
        checkpoint.agree("plan", &format!("{:?}", self.plan))?;
        let step = checkpoint.number("step")?;
        self.trainer.restore(State::from_rows(&checkpoint.tensors, step)?)?;
        self.step = step;
        Ok(())
    }

    /// Begins with the weights of another training. Errors: those of [`Network::params_from`].
    pub fn upon(&mut self, before: &Params) -> Result<()> {
        let net = self.trainer.network().clone();
        let params = net.params_from(before)?;
        self.trainer = Trainer::new(&net, params, self.plan.batch, SHARD.min(self.plan.batch), &self.options)?;
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

    /// One step. The loss in its report is the sum of the four, summed over scenes.
    pub fn step(&mut self) -> Result<Progress> {
        let (seed, n) = (Rng::mix(self.plan.seed, 1 + self.step), self.plan.batch);
        let (source, plan_seed) = ((&self.setup, &self.digits), self.plan.seed);
        let scenes = several(self.step * n as u64, n, |i| sample::scene(source, plan_seed, i))?;
        let things: Vec<Vec<Thing>> = scenes.iter().map(sample::things).collect();
        let rate = self.options.schedule.rate(self.options.rate, self.step, self.plan.steps);
        let (wires, net) = (self.wires, self.trainer.network());
        let map = net.node(wires.objectness).shape;
        let progress = self.trainer.step_staged(
            n,
            rate,
            seed,
            wires.boxes,
            |images, batch| {
                for i in images {
                    let mut rng = Rng::part(seed, 2 * i as u64);
                    batch.rows("image")?.extend(scenes[i].picture.pixels.iter().map(|v| scaled(quantised(*v))));
                    let targets = AnchorTargets::new(&mut rng, map, &things[i]);
                    batch.rows("holds")?.extend(&targets.holds);
                    batch.rows("holds_count")?.extend(&targets.counts);
                    batch.rows("shifts_to")?.extend(&targets.shifts);
                    batch.rows("shifts_count")?.extend(&targets.shifts_count);
                }
                Ok(())
            },
            |images, run, batch| {
                for (k, i) in images.enumerate() {
                    let mut rng = Rng::part(seed, 2 * i as u64 + 1);
                    let proposals = propose(run, [wires.objectness, wires.shifts], k, &CHOICE);
                    let regions: Vec<Region> = proposals.into_iter().map(|p| p.region).collect();
                    let chosen = targets::regions(&mut rng, &regions, &things[i], REGIONS);
                    let weight = 1.0 / chosen.len().max(1) as f32;
                    for target in chosen {
                        let [x0, y0, x1, y1] = target.region;
                        batch.rows("boxes")?.extend([k as f32, x0, y0, x1, y1]);
                        batch.rows("class")?.push(target.class as f32);
                        batch.rows("class_count")?.push(weight);
                        batch.rows("refined_to")?.extend(target.shift);
                        batch.rows("refined_count")?.push(if target.class > 0 { weight } else { 0.0 });
                    }
                }
                Ok(())
            },
        )?;
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
        let (net, _) = network(false)?;
        let params = net.params_from(self.trainer.result())?;
        Ok((net, params, sample::metadata("faster_rcnn", SCALE)))
    }
}

/// The network, to learn with or to answer with.
fn network(learns: bool) -> Result<(Network, Wires)> {
    let mut g = Graph::new();
    let x = g.input("image", Shape::new(3, SIDE, SIDE))?;
    let mut places = None;
    if learns {
        let map = Shape::new(HEIGHTS.len(), SIDE / STRIDE, SIDE / STRIDE);
        let four = Shape::new(4 * map.c, map.h, map.w);
        let mut port = |name: &str, shape| g.port(name, shape, Port::Image, Rows::IMAGES);
        places = Some([
            port("holds", map)?,
            port("holds_count", map)?,
            port("shifts_to", four)?,
            port("shifts_count", four)?,
        ]);
    }
    let wires = faster_rcnn(&mut g, x, CLASSES, HEIGHTS.len(), REGIONS)?;
    g.output("objectness", wires.objectness)?;
    g.output("shifts", wires.shifts)?;
    g.output("refined", wires.refined)?;
    if let Some([holds, holds_count, shifts_to, shifts_count]) = places {
        let (one, rows) = (Shape::new(1, 1, 1), wires.rows);
        let class = g.port("class", one, Port::Mask(CLASSES), rows)?;
        let class_count = g.port("class_count", one, Port::Image, rows)?;
        let to = g.port("refined_to", Shape::new(4, 1, 1), Port::Image, rows)?;
        let to_count = g.port("refined_count", one, Port::Image, rows)?;
        let smooth = 1.0 / STRAIGHT;
        g.loss("loss_holds", BinaryCrossEntropy, &[wires.objectness, holds, holds_count], 1.0)?;
        g.loss("loss_shifts", Huber(STRAIGHT), &[wires.shifts, shifts_to, shifts_count], smooth * 0.3)?;
        g.loss("loss_class", MaskCrossEntropy, &[wires.scores, class, class_count], 1.0)?;
        g.loss("loss_refined", Huber(STRAIGHT), &[wires.refined, to, to_count], smooth * 0.3)?;
    }
    Ok((g.finish(wires.scores), wires))
}
