//! Teaching a network somebody's own hand: its last layers are retrained on a few of their drawings, in a second, on the
//! device.
//!
//! The layers before are frozen, so what they make of a picture is computed once and the training proper runs over two
//! affine layers. So that nothing else is forgotten, most of every batch is rehearsal: pictures that the network is
//! asked to read exactly as it did before (Li and Hoiem 2018, "Learning without forgetting"; Robins 1995). A lesson always
//! starts from the weights as they shipped: what is learnt depends on the drawings, not on the order of the lessons.

mod head;

use crate::data::augment::{Augment, Hand};
use crate::data::ink::{self, SIDE};
use crate::data::strokes::Stroke;
use crate::data::synth;
use crate::error::{Error, Result};
use crate::file::safetensors::{self, Precision, Weights};
use crate::kernel::softmax::softmax;
use crate::nn::{Mode, Network, Params, Run, Want};
use crate::rng::Rng;
use crate::train::{Curve, Descent, Options, Replica, Schedule, evaluate};
use crate::zoo;
use head::Head;
use std::collections::BTreeMap;

/// Digits rehearsed in lessons, made from no data: see [`synth`]. They take no room in what ships.
pub const REHEARSED: usize = 2000;
/// Digits that show whether others are still read as before; none of them is rehearsed.
pub const OTHERS: usize = 1000;
/// The part of them that a lesson may cost. What it has learnt is scaled down until it costs no more: the parameters on
/// the way from the old to the new ones keep most of both (Wortsman et al. 2022, "Robust fine-tuning").
pub const FORGETS: f64 = 0.002;
const REHEARSAL_SEED: u64 = 1;
const OTHERS_SEED: u64 = 2;
const DIGITS: usize = 10;
/// The part of the drawings that a lesson should get right.
pub const LEARNT: f64 = 0.75;
/// The fewest drawings to learn a hand from.
pub const FEWEST: usize = 5;
/// The most.
pub const MOST: usize = 500;

/// How a lesson goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lesson {
    /// Pictures made of each drawing, each as the same hand might have drawn it on another day.
    pub variants: usize,
    /// How far these may be from the drawing.
    pub hand: Hand,
    /// The person's pictures in each step.
    pub own: usize,
    /// Pictures rehearsed in each step.
    pub rehearsed: usize,
    /// Steps of a round.
    pub steps: u64,
    /// Rounds at most; one is enough where [`LEARNT`] of the drawings are read right behind it. More for everybody would
    /// read the drawings of the lesson better and those that follow worse.
    pub rounds: u64,
    /// Update rule, rate and schedule.
    pub options: Options,
}

impl Default for Lesson {
    fn default() -> Self {
        let bend = Augment { rotate: 8.0, scale: 0.12, shear: 0.12, elastic_alpha: 0.5, ..Augment::NONE };
        let options = Options { rate: 4e-4, schedule: Schedule::new(Curve::Cosine, 0.1), ..Options::DEFAULT };
        let hand = Hand { bend, pen: [1.5, 2.1], step: [0.3, 1.5], tremor: 0.1, drift: 0.6, apart: 0.3, cut: 0.5 };
        Self { variants: 16, hand, own: 12, rehearsed: 84, steps: 100, rounds: 4, options }
    }
}

/// One drawing and what it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// 0 to 9.
    pub digit: u8,
    /// The pen's path.
    pub strokes: Vec<Stroke>,
}

/// A network that can be taught.
pub struct Personaliser {
    net: Network,
    params: Params,
    head: Head,
    run: Run,
    rehearsal: Samples,
    others: Samples,
    labels: Vec<u8>,
    /// What the file of weights says besides: the calibration stays as it was fitted.
    metadata: BTreeMap<String, String>,
}

/// What came of a lesson.
#[derive(Debug, Clone)]
pub struct Taught {
    /// The whole network's parameters.
    pub params: Params,
    /// How much of what was learnt is kept, from 0 to 1: see [`FORGETS`].
    pub kept: f32,
    /// Part of [`OTHERS`] digits by no hand of the lesson, and none rehearsed, that are read right before and after it.
    pub others: [f64; 2],
}

/// What the frozen layers make of pictures, and how these should be read.
#[derive(Debug, Default)]
struct Samples {
    n: usize,
    features: Vec<f32>,
    targets: Vec<f32>,
}

/// Pictures that go through the frozen layers at once.
const BATCH: usize = 25;

impl Personaliser {
    /// Prepares a network of digits for lessons.
    ///
    /// Fails for a network that does not read one grey picture of 28 × 28, or does not end in two affine layers.
    pub fn new(net: &Network, params: &Params) -> Result<Self> {
        let head = Head::of(net)?;
        if net.input_shape().len() != SIDE * SIDE || net.node(net.output()).shape.len() != DIGITS {
            return Err(Error::shape("network to teach", "28 × 28 numbers in, 10 out", net.input_shape()));
        }
        let run = Run::new(net, BATCH, &Want::values(vec![head.cut]));
        let [rehearsal, others] = [(); 2].map(|()| Samples::default());
        let (net, params) = (net.clone(), params.clone());
        let (labels, metadata) = (Vec::new(), BTreeMap::new());
        let mut own = Self { net, params, head, run, rehearsal, others, labels, metadata };
        own.rehearsal = own.through(&to_unit(&synth::digits(REHEARSAL_SEED, REHEARSED).images.pixels))?;
        let others = synth::digits(OTHERS_SEED, OTHERS);
        own.others = own.through(&to_unit(&others.images.pixels))?;
        own.labels = others.labels;
        Ok(own)
    }

    /// Prepares the network in a safetensors file, whose metadata name its `architecture`.
    ///
    /// Errors: those of [`safetensors::read`] and [`Personaliser::new`], and [`Error::Missing`] for an absent architecture
    /// and for tensors that are not exactly the network's.
    pub fn load(bytes: &[u8]) -> Result<Self> {
        let Weights { tensors, metadata } = safetensors::read(bytes)?;
        let Some(architecture) = metadata.get("architecture") else {
            return Err(Error::missing("weights", "metadata with an architecture", "none"));
        };
        let net = zoo::build(architecture)?;
        let mut params = net.zeros();
        params.load(&tensors)?;
        Ok(Self { metadata, ..Self::new(&net, &params)? })
    }

    /// A taught network as a safetensors file like the one it came from: float16, the same metadata.
    pub fn save(&self, taught: &Taught) -> Result<Vec<u8>> {
        let weights = Weights { tensors: taught.params.named(), metadata: self.metadata.clone() };
        safetensors::write(&weights, Precision::F16)
    }

    /// The parameters after a lesson on these drawings; the seed decides how they are varied and in what order they come.
    ///
    /// Fails on fewer than [`FEWEST`] or more than [`MOST`] drawings, on a digit above 9 and on drawings that cannot be
    /// rendered (see [`ink::render`]).
    pub fn teach(&mut self, examples: &[Example], lesson: &Lesson, seed: u64) -> Result<Taught> {
        let own = self.examples(examples, lesson, seed)?;
        let old = self.head.params(&self.params);
        let mut replica = Replica::new(&self.head.net, lesson.own + lesson.rehearsed, &lesson.options)?;
        let mut descent = Descent::new(&self.head.net, old.clone(), &lesson.options)?;
        let mut rng = Rng::part(seed, u64::MAX);
        for _ in 0..lesson.rounds {
            self.round(&mut replica, &mut descent, &mut rng, &own, lesson)?;
            let drawn = |i: usize, out: &mut [f32]| own.features_of(i * lesson.variants, out);
            let digits: Vec<u8> = examples.iter().map(|example| example.digit).collect();
            if self.right(descent.params(), drawn, &digits)? >= LEARNT {
                break;
            }
        }
        self.kept(&old, descent.params())
    }

    /// One round of steps.
    fn round(
        &self,
        replica: &mut Replica,
        descent: &mut Descent,
        rng: &mut Rng,
        own: &Samples,
        lesson: &Lesson,
    ) -> Result<()> {
        let batch = lesson.own + lesson.rehearsed;
        let Options { schedule, rate, .. } = lesson.options;
        for step in 0..lesson.steps {
            let samples = |i: usize| if i < lesson.own { own } else { &self.rehearsal };
            let picks: Vec<usize> = (0..batch).map(|i| rng.below(samples(i).n)).collect();
            let fill = |i: usize, features: &mut [f32], target: &mut [f32]| samples(i).copy(picks[i], features, target);
            let progress = replica.learn(descent.params(), batch, 1.0 / batch as f32, 0, fill)?;
            descent.apply([(replica.gradient(), progress)], schedule.rate(rate, step, lesson.steps))?;
        }
        Ok(())
    }

    /// As much of a lesson as others' digits allow.
    fn kept(&self, old: &Params, new: &Params) -> Result<Taught> {
        let others = &self.others;
        let right = |params: &Params| self.right(params, |i, out| others.features_of(i, out), &self.labels);
        let before = right(old)?;
        let mut kept = 1.0;
        loop {
            let mut params = old.clone();
            params.values_mut().iter_mut().zip(new.values()).for_each(|(p, new)| *p += kept * (new - *p));
            let after = right(&params)?;
            if after >= before - FORGETS || kept < 0.1 {
                let others = [before, after];
                return Ok(Taught { params: self.head.put(&params, &self.params), kept, others });
            }
            kept *= 0.8;
        }
    }

    /// The part of these features that the last layers read right.
    fn right(&self, head: &Params, features: impl Fn(usize, &mut [f32]) + Sync, labels: &[u8]) -> Result<f64> {
        let scores = evaluate::scores(&self.head.net, head, labels.len(), features)?;
        Ok(1.0 - evaluate::misclassified(&scores, labels).len() as f64 / labels.len() as f64)
    }

    /// The person's drawings, varied, behind the frozen layers.
    fn examples(&mut self, examples: &[Example], lesson: &Lesson, seed: u64) -> Result<Samples> {
        if !(FEWEST..=MOST).contains(&examples.len()) {
            return Err(Error::value("drawings to learn from", format!("{FEWEST} to {MOST}"), examples.len()));
        }
        let mut pictures = vec![0.0; examples.len() * lesson.variants * SIDE * SIDE];
        for (i, pixels) in pictures.chunks_exact_mut(SIDE * SIDE).enumerate() {
            let strokes = &examples[i / lesson.variants].strokes;
            if i % lesson.variants == 0 {
                ink::render(strokes, ink::PEN, pixels)?;
            } else {
                lesson.hand.render(&mut Rng::part(seed, i as u64), strokes, pixels)?;
            }
        }
        let mut samples = self.through(&pictures)?;
        for (target, i) in samples.targets.chunks_exact_mut(DIGITS).zip(0..) {
            let digit = usize::from(examples[i / lesson.variants].digit);
            if digit >= DIGITS {
                return Err(Error::value("digit", format!("below {DIGITS}"), digit));
            }
            target.fill(0.0);
            target[digit] = 1.0;
        }
        Ok(samples)
    }

    /// Takes pictures through the network: what the frozen layers make of them, and what the whole reads.
    fn through(&mut self, pictures: &[f32]) -> Result<Samples> {
        let size = self.net.node(self.head.cut).shape.len();
        let n = pictures.len() / (SIDE * SIDE);
        let mut samples = Samples { n, features: vec![0.0; n * size], targets: Vec::new() };
        let mut features = samples.features.chunks_exact_mut(size);
        for batch in pictures.chunks(BATCH * SIDE * SIDE) {
            let count = batch.len() / (SIDE * SIDE);
            self.run.forward(&self.params, batch, count, Mode::Infer)?;
            for (i, out) in features.by_ref().take(count).enumerate() {
                self.run.read(self.head.cut, i, out)?;
            }
            samples.targets.extend_from_slice(self.run.output());
        }
        softmax(self.run.level(), &mut samples.targets, DIGITS);
        Ok(samples)
    }
}

impl Samples {
    fn features_of(&self, i: usize, out: &mut [f32]) {
        out.copy_from_slice(&self.features[i * out.len()..][..out.len()]);
    }

    fn copy(&self, i: usize, features: &mut [f32], target: &mut [f32]) {
        self.features_of(i, features);
        target.copy_from_slice(&self.targets[i * target.len()..][..target.len()]);
    }
}

fn to_unit(pixels: &[u8]) -> Vec<f32> {
    pixels.iter().map(|&p| f32::from(p) / 255.0).collect()
}
