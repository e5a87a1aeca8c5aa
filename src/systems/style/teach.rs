//! How the networks that ship have learnt: the feature network to tell families of drawn pictures apart, the stylizers to
//! do in one pass what a [`super::Painting`] descends to.

use super::features::{OWN, front};
use super::goal::{Goal, Losses};
use super::stylizer::{MARGIN, grains};
use super::{Features, Options, painting};
use crate::data::pictures::{FAMILIES, Rgb, family};
use crate::error::{Error, Result};
use crate::nn::{Init, Mode, Network, Params, Run, Want};
use crate::rng::Rng;
use crate::shape::Shape;
use crate::train::{Curve, Descent, Group, Objective, Optimiser, Progress, Rule, Schedule, Trainer, evaluate};
use crate::{train, zoo};
use std::sync::Arc;

/// Pixels along each side of a picture that the feature network learns from.
const SIDE: usize = 64;
/// Pictures in a step, and in a shard of it.
const BATCH: (usize, usize) = (32, 8);

/// The feature network at school.
pub struct FeatureLesson {
    trainer: Trainer,
    seed: u64,
    steps: u64,
    step: u64,
    options: train::Options,
}

/// What ships: a network that reads pictures of any size, and its parameters.
pub type Taught = (Network, Params);

impl FeatureLesson {
    /// Steps if none are asked for.
    pub const STEPS: u64 = 400;

    /// Begins a training of so many steps. Everything random follows from `seed`.
    pub fn new(seed: u64, steps: u64) -> Result<Self> {
        let net = front(|g, x| zoo::style::textures(g, x, FAMILIES.len()), Shape::new(3, SIDE, SIDE))?;
        let mut params = net.zeros();
        Init::He.fill(&mut params, seed)?;
        let options = train::Options {
            optimiser: Optimiser::new(Rule::AdamW),
            rate: 2e-3,
            schedule: Schedule::new(Curve::Cosine, 0.05),
            clip_norm: 5.0,
            ..train::Options::DEFAULT
        };
        Ok(Self { trainer: Trainer::new(&net, params, BATCH.0, BATCH.1, &options)?, seed, steps, step: 0, options })
    }

    /// Shares the steps with the members of a group, all of which train the same.
    pub fn join(&mut self, group: Arc<dyn Group>) {
        self.trainer.join(group);
    }

    /// One step on pictures drawn for it.
    pub fn step(&mut self) -> Result<Progress> {
        let (seed, step) = (Rng::mix(self.seed, 1 + self.step), self.step);
        let rate = self.options.schedule.rate(self.options.rate, step, self.steps.max(1));
        self.step += 1;
        self.trainer.step(BATCH.0, rate, seed, |i, image, target| {
            let mut rng = Rng::part(seed, i as u64);
            let class = rng.below(FAMILIES.len());
            image.copy_from_slice(&seen(&mut rng, class));
            target.fill(0.0);
            target[class] = 1.0;
        })
    }

    /// Which part of `n` pictures that it has not seen it names rightly.
    pub fn accuracy(&self, n: usize) -> Result<f64> {
        let (seed, class) = (Rng::mix(self.seed, 0), |i: usize| i % FAMILIES.len());
        let scores = evaluate::scores(self.trainer.network(), self.trainer.params(), n, |i, image| {
            let mut rng = Rng::part(seed, i as u64);
            image.copy_from_slice(&seen(&mut rng, class(i)));
        })?;
        let labels: Vec<u8> = (0..n).map(|i| class(i) as u8).collect();
        Ok(1.0 - evaluate::misclassified(&scores, &labels).len() as f64 / n as f64)
    }

    /// The convolutions, without what told the families apart.
    pub fn taught(&self) -> Result<Taught> {
        let net = front(zoo::style::features, Shape::new(3, SIDE, SIDE))?;
        let params = net.params_from(self.trainer.params())?;
        Ok((net, params))
    }
}

/// A family's picture as the feature network sees it while it learns: in any colours, so that it must look at the forms.
fn seen(rng: &mut Rng, class: usize) -> Vec<f32> {
    let seed = u64::from(rng.bits()) << 8 | 0xa5;
    let mut picture = FAMILIES[class].sketch(seed, SIDE, SIDE).expect("a size that can be drawn");
    recoloured(rng, &mut picture);
    scaled(&picture).collect()
}

/// Shuffles the planes, turns some over and changes the contrast.
fn recoloured(rng: &mut Rng, picture: &mut Rgb) {
    let mut order = [0, 1, 2];
    rng.shuffle(&mut order);
    let n = picture.h * picture.w;
    let (negative, contrast) = (rng.below(3) == 0, rng.range(0.6, 1.1));
    let value = |v: f32| if negative { 0.5 - contrast * (v - 0.5) } else { 0.5 + contrast * (v - 0.5) };
    picture.pixels = order.iter().flat_map(|k| picture.pixels[k * n..][..n].iter().map(|v| value(*v))).collect();
}

/// A picture's numbers as the project's own networks want them.
fn scaled(picture: &Rgb) -> impl Iterator<Item = f32> {
    let [mean, deviation] = OWN;
    picture.planes().enumerate().flat_map(move |(k, plane)| plane.iter().map(move |v| (v - mean[k]) / deviation[k]))
}

/// Pixels along each side of what a stylizer is judged by, and along each side of the pictures that it is cut from, which
/// are as large as the style's.
const CUT: (usize, usize) = (128, 256);
/// Pixels along each side of what it reads: as when it paints, its margin is not looked at.
const SEEN: usize = CUT.0 + 2 * MARGIN;
/// Pictures in a step, and pictures to cut from.
const CUTS: (usize, usize) = (2, 60);

/// A stylizer at school.
pub struct StyleLesson {
    run: Run,
    descent: Descent,
    goal: Goal,
    pool: Vec<Rgb>,
    options: train::Options,
    seed: u64,
    steps: u64,
    step: u64,
}

impl StyleLesson {
    /// Steps if none are asked for.
    pub const STEPS: u64 = 4000;
    /// How strong the grains are that it lays over what it reads, of a colour's deviation.
    pub const GRAIN: f32 = 0.05;

    /// Begins to teach the hand of the style of that name, by the losses that `weights` weigh as a painting's.
    pub fn new(features: &Features, style: &str, weights: &Options, seed: u64, steps: u64) -> Result<Self> {
        if steps == 0 {
            return Err(Error::value("steps", "at least 1", steps));
        }
        let net = front(zoo::style::stylizer, Shape::new(3, SEEN, SEEN))?;
        let mut params = net.zeros();
        Init::He.fill(&mut params, seed)?;
        let options = train::Options {
            optimiser: Optimiser::new(Rule::Adam),
            rate: 3e-3,
            schedule: Schedule::new(Curve::Cosine, 0.03),
            clip_norm: 10.0,
            ..train::Options::DEFAULT
        };
        let descent = Descent::new(&net, params, &options)?;
        let run = Run::new(&net, CUTS.0, &Want::training());
        let pool: Result<Vec<Rgb>> = (0..CUTS.1)
            .map(|i| {
                let mut rng = Rng::part(Rng::mix(seed, 0), i as u64);
                // Scenes come twice as often as patterns.
                let of = if i % 3 == 2 { FAMILIES } else { &FAMILIES[..5] };
                let mut picture = of[rng.below(of.len())].draw(u64::from(rng.bits()), CUT.1, CUT.1)?;
                if i % 4 == 3 {
                    recoloured(&mut rng, &mut picture);
                }
                Ok(picture)
            })
            .collect();
        let style = family(style)?.draw(1, CUT.1, CUT.1)?;
        let goal = Goal::new(features, &Rgb::new(CUT.0, CUT.0), &style, &painting::weights(features, weights))?;
        Ok(Self { run, descent, goal, pool: pool?, options, seed, steps, step: 0 })
    }

    /// One step; gives the mean of its pictures' losses before it.
    pub fn step(&mut self) -> Result<Losses> {
        let mut rng = Rng::part(self.seed, 1 + self.step);
        let cuts: Vec<Rgb> = (0..CUTS.0).map(|_| piece(&mut rng, &self.pool)).collect();
        let grains = grains(u64::from(rng.bits()), StyleLesson::GRAIN, (SEEN, SEEN));
        let images = cuts.iter().flat_map(|cut| scaled(cut).zip(grains.iter().cycle()).map(|(v, grain)| v + grain));
        let images: Vec<f32> = images.collect();
        let params = self.descent.params().clone();
        self.run.forward(&params, &images, CUTS.0, Mode::Train { seed: self.seed })?;
        let (output, len) = (self.run.network().output(), 3 * CUT.0 * CUT.0);
        let (mut whole, mut gradient) = (Rgb::new(SEEN, SEEN), vec![0.0; len]);
        let mut gradients = vec![0.0; CUTS.0 * whole.pixels.len()];
        let mut mean = Losses::default();
        for (i, (content, out)) in cuts.iter().zip(gradients.chunks_exact_mut(whole.pixels.len())).enumerate() {
            self.run.read(output, i, &mut whole.pixels)?;
            self.goal.aim(&content.cut(MARGIN, MARGIN, CUT.0, CUT.0))?;
            self.goal.value(&whole.cut(MARGIN, MARGIN, CUT.0, CUT.0).pixels)?;
            self.goal.gradient(&mut gradient)?;
            let middle = out.chunks_exact_mut(SEEN * SEEN).flat_map(|plane| {
                plane.chunks_exact_mut(SEEN).skip(MARGIN).take(CUT.0).map(|row| &mut row[MARGIN..MARGIN + CUT.0])
            });
            for (to, from) in middle.zip(gradient.chunks_exact(CUT.0)) {
                to.iter_mut().zip(from).for_each(|(to, from)| *to = from / CUTS.0 as f32);
            }
            let losses = self.goal.losses();
            mean.content += losses.content / CUTS.0 as f64;
            mean.style += losses.style / CUTS.0 as f64;
            mean.variation += losses.variation / CUTS.0 as f64;
        }
        let (_, _, dy, map) = self.run.seed_gradient(output).expect("a plan that trains");
        for (gradient, dy) in gradients.chunks_exact(whole.pixels.len()).zip(dy.chunks_exact_mut(map.len())) {
            map.fill_from_chw(gradient, dy);
        }
        let mut dparams = vec![0.0; params.values().len()];
        self.run.backward(&params, &mut dparams);
        let rate = self.options.schedule.rate(self.options.rate, self.step, self.steps);
        let progress = Progress { images: CUTS.0, loss: mean.sum(), ..Progress::default() };
        self.descent.apply([(&dparams[..], progress)], rate)?;
        self.step += 1;
        Ok(mean)
    }

    /// The stylizer.
    pub fn taught(&self) -> Taught {
        (self.run.network().clone(), self.descent.result().clone())
    }
}

/// A piece of one of the pictures, perhaps mirrored.
fn piece(rng: &mut Rng, pool: &[Rgb]) -> Rgb {
    let from = &pool[rng.below(pool.len())];
    let (top, left) = (rng.below(from.h - SEEN + 1), rng.below(from.w - SEEN + 1));
    let mut out = from.cut(top, left, SEEN, SEEN);
    if rng.below(2) == 0 {
        out.pixels.chunks_exact_mut(SEEN).for_each(<[f32]>::reverse);
    }
    out
}
