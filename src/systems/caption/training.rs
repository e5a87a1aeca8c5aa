//! The training of a captioner: teacher forcing (Williams and Zipser 1989; Vinyals et al. 2015, section 3.1) on scenes drawn
//! meanwhile. The eye learns besides, at every cell with ink, whose it is and where that digit's middle is; and every word that is
//! about a digit learns to look at it (Liu et al. 2017, "Attention Correctness in Neural Image Captioning"). Neither is asked
//! for afterwards.

use super::grammar::{Language, WORDS};
use super::sample::{Cell, Pool, Sample};
use crate::error::{Error, Result};
use crate::file::safetensors::Weights;
use crate::nn::layers::slice::Slice;
use crate::nn::losses::{MaskCrossEntropy, SquaredError};
use crate::nn::{Conv, Graph, Init, Network, Params, Port, Rows};
use crate::rng::Rng;
use crate::shape::Shape;
use crate::train::{Batch, Curve, Optimiser, Options, Progress, Rule, Schedule, State, Trainer};
use crate::zoo::nic::{self, CELLS, HIDDEN, Writer};
use std::collections::BTreeMap;

/// What a training has come to: the parameters of both halves of [`nic`], and what their file says of itself.
pub type Trained = (Params, BTreeMap<String, String>);

/// How much each loss counts: a word, where it looks, the digit of a cell, the place of one.
const COUNTS: [f32; 4] = [0.1, 0.03, 0.03, 0.3];
/// The scores of a cell: none, and the ten digits.
const THINGS: usize = 11;

/// How long and on what.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// Steps in all.
    pub steps: u64,
    /// Samples in a step.
    pub batch: usize,
    /// Samples in the pool.
    pub pool: usize,
    /// New samples in each step.
    pub fresh: usize,
    /// AdamW's highest rate.
    pub rate: f32,
    /// Everything random follows from it.
    pub seed: u64,
}

impl Plan {
    /// Steps, if none are asked for: a quarter of an hour on two cores.
    pub const STEPS: u64 = 6000;

    /// So many steps of 16 samples.
    pub const fn new(steps: u64, seed: u64) -> Self {
        Self { steps, batch: 16, pool: 3000, fresh: 4, rate: 3e-3, seed }
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
    plan: Plan,
    options: Options,
    trainer: Trainer,
    pool: Pool,
    place: Vec<f32>,
    step: u64,
    /// What was trained before, for people to read.
    before: Option<String>,
}

/// Samples that one replica takes at a time; batch norms see as many.
const SHARD: usize = 8;

impl Training {
    /// Begins a training. Errors: [`Error::Value`] for a plan that cannot work.
    pub fn new(plan: Plan) -> Result<Self> {
        Self::from(plan, None)
    }

    /// Goes on from a checkpoint of the same plan; the weights then end as if never stopped. Errors: those of
    /// [`Weights::agree`] and [`Trainer::restore`].
    pub fn resume(plan: Plan, checkpoint: &Weights) -> Result<Self> {
        Self::from(plan, Some(checkpoint))
    }

    /// Begins anew with what another training's checkpoint has come to: its averaged parameters. Errors: [`Error::Missing`] and
    /// [`Error::Shape`] for another network's.
    pub fn upon(plan: Plan, checkpoint: &Weights) -> Result<Self> {
        let mut training = Self::from(plan, None)?;
        let State { params: last, average, .. } = State::from_rows(&checkpoint.tensors, 0)?;
        let (before, net) = (average.unwrap_or(last), training.trainer.network().clone());
        if before.len() != net.arena_len() {
            return Err(Error::shape("parameters to begin with", net.arena_len(), before.len()));
        }
        let mut params = net.zeros();
        params.values_mut().copy_from_slice(&before);
        training.trainer = Trainer::new(&net, params, plan.batch, SHARD.min(plan.batch), &training.options)?;
        let said = |key: &str| checkpoint.metadata.get(key).map_or("?", String::as_str);
        let earlier = checkpoint.metadata.get("before").map_or(String::new(), |before| format!(", upon {before}"));
        training.before = Some(format!("step {} of {}{earlier}", said("step"), said("plan")));
        Ok(training)
    }

    fn from(plan: Plan, checkpoint: Option<&Weights>) -> Result<Self> {
        plan.check()?;
        let net = network()?;
        let options = Options {
            optimiser: Optimiser::new(Rule::AdamW),
            rate: plan.rate,
            schedule: Schedule::new(Curve::OneCycle, 0.15),
            average: 0.99,
            clip_norm: 1.0,
            ..Options::DEFAULT
        };
        let mut params = net.zeros();
        Init::He.fill(&mut params, plan.seed)?;
        remember(&mut params)?;
        let mut trainer = Trainer::new(&net, params, plan.batch, SHARD.min(plan.batch), &options)?;
        let mut step = 0;
        if let Some(checkpoint) = checkpoint {
            checkpoint.agree("plan", &format!("{plan:?}"))?;
            step = checkpoint.number("step")?;
            trainer.restore(State::from_rows(&checkpoint.tensors, step)?)?;
        }
        let pool = Pool::new(plan.seed, plan.pool, plan.pool as u64 + step * plan.fresh as u64)?;
        Ok(Self {
            plan,
            options,
            trainer,
            pool,
            place: nic::places(),
            step,
            before: checkpoint.and_then(|c| c.metadata.get("before").cloned()),
        })
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// Whether all steps are taken.
    pub fn finished(&self) -> bool {
        self.step >= self.plan.steps
    }

    /// One step. The loss in its report is that of all losses, summed over samples.
    pub fn step(&mut self) -> Result<Progress> {
        let seed = Rng::mix(self.plan.seed, 1 + self.step);
        let (mut rng, samples, place) = (Rng::new(seed), self.pool.samples(), &self.place);
        let chosen: Vec<usize> = (0..self.plan.batch).map(|_| rng.below(samples.len())).collect();
        let rate = self.options.schedule.rate(self.plan.rate, self.step, self.plan.steps);
        let progress = self.trainer.step_feeds(self.plan.batch, rate, seed, |images, batch| {
            images.into_iter().try_for_each(|i| fill(batch, &samples[chosen[i]], place))
        })?;
        self.pool.renew(self.plan.fresh)?;
        self.step += 1;
        Ok(progress)
    }

    /// All that a training needs to go on.
    pub fn checkpoint(&self) -> Weights {
        let metadata = [("plan", format!("{:?}", self.plan)), ("step", self.step.to_string())];
        let before = self.before.iter().map(|before| ("before", before.clone()));
        let metadata = metadata.into_iter().chain(before).map(|(key, value)| (key.to_string(), value)).collect();
        Weights { tensors: self.trainer.state().rows(), metadata }
    }

    /// The parameters as they ship, and what their file says of itself.
    pub fn trained(&self) -> Result<Trained> {
        let net = whole()?;
        let metadata = [("name", "caption".to_string()), ("vocabulary", WORDS.join(" "))];
        let metadata = metadata.into_iter().map(|(key, value)| (key.to_string(), value)).collect();
        Ok((net.params_from(self.trainer.result())?, metadata))
    }

    /// What was trained before, if anything: which step of which plan.
    pub fn before(&self) -> Option<&str> {
        self.before.as_deref()
    }

    /// Parameters of the network that ships.
    pub fn parameters(&self) -> Result<usize> {
        Ok(self.trained()?.0.views().iter().filter(|v| !v.role.is_statistic()).map(crate::nn::params::View::len).sum())
    }
}

/// Lets the memory begin by keeping what it has: a forget gate of bias 1 (Gers et al. 2000; Jozefowicz et al. 2015).
fn remember(params: &mut Params) -> Result<()> {
    let mut bias = params.get("lstm.bias_ih_l0")?;
    bias.iter_mut().skip(HIDDEN).take(HIDDEN).for_each(|b| *b = 1.0);
    params.set("lstm.bias_ih_l0", &bias)
}

/// What a sequence needs by name.
fn named(what: &str, language: Language) -> String {
    format!("{what} {}", language.name())
}

/// Both halves at one word: the parameters that ship.
fn whole() -> Result<Network> {
    let mut g = Graph::new();
    let [image, place] = nic::inputs(&mut g)?;
    let seen = nic::see(&mut g, image, place)?;
    let mut writer = Writer::new(WORDS.len());
    let state = writer.begin(&mut g, seen)?;
    let word = g.port("word", Shape::new(1, 1, 1), Port::Indices(WORDS.len()), Rows::IMAGES)?;
    let word = writer.embed(&mut g, "next", word)?;
    let said = writer.step(&mut g, "next", word, seen, state)?;
    Ok(g.finish(said.scores))
}

/// The network to learn with: both languages' sentences, word by word, and all losses.
fn network() -> Result<Network> {
    let mut g = Graph::new();
    let [image, place] = nic::inputs(&mut g)?;
    let seen = nic::see(&mut g, image, place)?;
    let cells = |c: usize| Shape::new(c, CELLS, CELLS);
    let things = g.port("things", cells(1), Port::Mask(THINGS), Rows::IMAGES)?;
    let middles = g.port("middles", cells(3), Port::Image, Rows::IMAGES)?;
    let there = g.port("there", cells(1), Port::Distribution, Rows::IMAGES)?;
    let what = g.add("what", Conv::new(THINGS, 1), &[seen.values])?;
    g.loss("what loss", MaskCrossEntropy, &[what, things], COUNTS[2])?;
    let at = g.add("where", Conv::new(3, 1), &[seen.values])?;
    g.loss("where loss", SquaredError, &[at, middles, there], COUNTS[3])?;
    let mut writer = Writer::new(WORDS.len());
    let begun = writer.begin(&mut g, seen)?;
    let mut last = what;
    for language in Language::ALL {
        let (name, steps) = (language.name(), language.longest());
        let mut sequence =
            |what: &str, port: Port| g.port(&named(what, language), Shape::new(1, steps, 1), port, Rows::IMAGES);
        let words = sequence("words", Port::Indices(WORDS.len()))?;
        let (truth, looked) =
            (sequence("truth", Port::Mask(WORDS.len()))?, sequence("looked", Port::Mask(CELLS * CELLS))?);
        let words = writer.embed(&mut g, name, words)?;
        let mut state = begun;
        for t in 0..steps {
            let of = format!("{name} {t}");
            let mut row = |what: &str, wire| g.add(&format!("{what} {of}"), Slice::rows(t..t + 1), &[wire]);
            let (word, truth, looked) = (row("word", words)?, row("true", truth)?, row("there", looked)?);
            let said = writer.step(&mut g, &of, word, seen, state)?;
            g.loss(&format!("word loss {of}"), MaskCrossEntropy, &[said.scores, truth], COUNTS[0])?;
            g.loss(&format!("look loss {of}"), MaskCrossEntropy, &[said.looks, looked], COUNTS[1])?;
            (state, last) = (said.state, said.scores);
        }
    }
    Ok(g.finish(last))
}

/// Adds a sample to a batch.
fn fill(batch: &mut Batch, sample: &Sample, place: &[f32]) -> Result<()> {
    batch.rows("image")?.extend(sample.image());
    batch.rows("place")?.extend(place);
    let n = CELLS * CELLS;
    let (mut things, mut middles, mut there) = (vec![0.0; n], vec![0.0; 3 * n], vec![0.0; n]);
    for (i, cell) in sample.cells.iter().enumerate() {
        match *cell {
            Cell::Paper => {}
            Cell::Unasked => things[i] = -1.0,
            Cell::Digit(of) => {
                let mark = &sample.marks[of];
                (things[i], there[i]) = (1.0 + f32::from(mark.digit), 1.0);
                mark.place.iter().enumerate().for_each(|(k, v)| middles[k * n + i] = *v);
            }
        }
    }
    batch.rows("things")?.extend(things);
    batch.rows("middles")?.extend(middles);
    batch.rows("there")?.extend(there);
    for (language, sentence) in Language::ALL.into_iter().zip(&sample.sentences) {
        let steps = language.longest();
        let tokens = sentence.iter().map(|word| word.token as f32);
        let padded = |row: &mut Vec<f32>, from: usize, with: f32| row.resize(from + steps, with);
        for (what, values, with) in [
            ("words", std::iter::once(language.start() as f32).chain(tokens.clone()).collect::<Vec<f32>>(), 0.0),
            ("truth", tokens.chain([super::grammar::END as f32]).collect(), -1.0),
            ("looked", sentence.iter().map(|w| w.about.map_or(-1.0, |i| sample.marks[i].cell as f32)).collect(), -1.0),
        ] {
            let row = batch.rows(&named(what, language))?;
            let from = row.len();
            row.extend(values);
            padded(row, from, with);
        }
    }
    Ok(())
}
