//! The two networks and a step of their game.

use super::settings::{CLASSES, IMAGE, Settings};
use super::spectral::Spectral;
use crate::error::{Error, Result};
use crate::nn::{Feed, Init, Mode, Network, Params, Run, Want};
use crate::rng::Rng;
use crate::train::{self, Descent, State};

/// σ of the first weights, the paper's.
const SIGMA: f32 = 0.02;

/// What a step is given: as many real images as are to be drawn.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// Real images, 1 × 28 × 28 each, from 0 to 1.
    pub real: &'a [f32],
    /// The digit on each.
    pub labels: &'a [u8],
    /// What each drawing starts from.
    pub latents: &'a [f32],
    /// The digit that is asked for.
    pub digits: &'a [u8],
}

/// What a step came to: means over its images.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Progress {
    /// What the discriminator lost: of real images and of drawn ones together.
    pub d_loss: f64,
    /// What the generator lost.
    pub g_loss: f64,
    /// How sure the discriminator was that real images are real, from 0 to 1.
    pub d_real: f64,
    /// And that drawn ones are.
    pub d_fake: f64,
}

/// One of the two on its way down.
struct Side {
    net: Network,
    run: Run,
    descent: Descent,
    gradient: Vec<f32>,
}

impl Side {
    fn new(net: Network, batch: usize, params: Params, options: &train::Options) -> Result<Self> {
        let run = Run::new(&net, batch, &Want::training());
        let gradient = vec![0.0; net.arena_len()];
        Ok(Self { descent: Descent::new(&net, params, options)?, net, run, gradient })
    }
}

/// A generator and a discriminator that learn from one another.
pub struct Pair {
    settings: Settings,
    generator: Side,
    discriminator: Side,
    /// The discriminator once more: the gradient of the image alone.
    through: Run,
    spectral: Option<Spectral>,
    /// The discriminator's parameters as they are used.
    used: Params,
    drawn: Vec<f32>,
    target: Vec<f32>,
    counts: Vec<f32>,
}

/// A class of weight 1 in each row.
pub(super) fn one_hot(classes: &[u8]) -> Vec<f32> {
    let mut rows = vec![0.0; classes.len() * CLASSES];
    rows.chunks_exact_mut(CLASSES).zip(classes).for_each(|(row, class)| row[usize::from(*class)] = 1.0);
    rows
}

impl Pair {
    /// Begins with weights drawn from `seed`. Errors: those of [`Settings::check`].
    pub fn new(settings: Settings, seed: u64) -> Result<Self> {
        settings.check()?;
        let (mut g, mut d) = (settings.generator()?.zeros(), settings.discriminator(true)?.zeros());
        Init::Gaussian(SIGMA).fill(&mut g, Rng::mix(seed, 1))?;
        // Behind spectral normalisation a weight's size is nothing, and without it and without norms it is all.
        let init = if settings.norm && !settings.spectral { Init::Gaussian(SIGMA) } else { Init::He };
        init.fill(&mut d, Rng::mix(seed, 2))?;
        Self::with(settings, &g, &d, seed)
    }

    /// Begins with these parameters of [`Settings::generator`] and [`Settings::discriminator`]. Errors: those of
    /// [`Settings::check`] and [`Network::params_from`].
    pub fn with(settings: Settings, generator: &Params, discriminator: &Params, seed: u64) -> Result<Self> {
        settings.check()?;
        let [g_options, d_options] = settings.options();
        let (g, d) = (settings.generator()?, settings.discriminator(true)?);
        let (generator, discriminator) = (g.params_from(generator)?, d.params_from(discriminator)?);
        let inputs = Want { inputs: true, ..Want::outputs() };
        let spectral = settings.spectral.then(|| Spectral::new(&discriminator, Rng::mix(seed, 3))).transpose()?;
        let mut pair = Self {
            through: Run::new(&d, settings.batch, &inputs),
            used: discriminator.clone(),
            generator: Side::new(g, settings.batch, generator, &g_options)?,
            discriminator: Side::new(d, settings.batch, discriminator, &d_options)?,
            spectral,
            drawn: vec![],
            target: vec![],
            counts: vec![],
            settings,
        };
        pair.use_params();
        Ok(pair)
    }

    /// How it learns.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The generator with the parameters to draw by: the moving average if one is kept.
    pub fn generator(&self) -> (&Network, &Params) {
        (&self.generator.net, self.generator.descent.result())
    }

    /// The parameters of the generator and of the discriminator as the last step left them.
    pub fn params(&self) -> [&Params; 2] {
        [self.generator.descent.params(), self.discriminator.descent.params()]
    }

    /// The discriminator's parameters as they are used: divided, where it is spectral.
    pub fn used(&self) -> &Params {
        &self.used
    }

    /// The gradients of the last step, of the generator and of the discriminator, in their arenas' orders.
    pub fn gradients(&self) -> [&[f32]; 2] {
        [self.generator.descent.gradient(), self.discriminator.descent.gradient()]
    }

    /// What the generator drew in the last step.
    pub fn drawn(&self) -> &[f32] {
        &self.drawn
    }

    /// One step of both at the rates of the generator and the discriminator: draw, tell real from drawn and learn from it, ask the
    /// wiser discriminator about the same drawings, and learn from its gradient.
    ///
    /// Errors: [`Error::Shape`] and [`Error::Value`] for a batch that is none, before anything changes; [`Error::Value`] for a
    /// loss or a gradient that is not finite, where the discriminator may have taken its step.
    pub fn step(&mut self, batch: &Batch<'_>, rates: [f32; 2]) -> Result<Progress> {
        let n = self.fits(batch)?;
        let (mode, scale) = (Mode::Train { seed: 0 }, 1.0 / n as f32);
        let (real, fake) = (one_hot(batch.labels), one_hot(batch.digits));
        self.draw(batch, &fake, mode)?;
        // The discriminator, on each kind of image by itself: batch norms would tell a mixture apart.
        self.discriminator.gradient.fill(0.0);
        let mut progress = Progress::default();
        for (images, classes, target) in
            [(batch.real, &real, 1.0 - self.settings.smoothing), (&self.drawn[..], &fake, 0.0)]
        {
            fill(&self.settings, n, classes, target, &mut self.target, &mut self.counts);
            let feeds = feeds(&self.settings, images, classes, &self.target, &self.counts);
            let Side { run, gradient, .. } = &mut self.discriminator;
            run.forward_feeds(&self.used, &feeds, mode)?;
            run.backward_losses(&self.used, gradient, scale);
            progress.d_loss += run.total_loss() / n as f64;
            let sure = sureness(run.output(), &self.counts) / n as f64;
            *(if target > 0.0 { &mut progress.d_real } else { &mut progress.d_fake }) = sure;
        }
        if let Some(spectral) = &self.spectral {
            spectral.through(&self.used, &mut self.discriminator.gradient);
        }
        descend(&mut self.discriminator, 2 * n, progress.d_loss, rates[1])?;
        if let Some(spectral) = &mut self.spectral {
            spectral.follow(self.discriminator.descent.params());
        }
        self.use_params();
        // The generator: its drawings are to be taken for real.
        fill(&self.settings, n, &fake, 1.0, &mut self.target, &mut self.counts);
        let feeds = feeds(&self.settings, &self.drawn, &fake, &self.target, &self.counts);
        self.through.forward_feeds(&self.used, &feeds, mode)?;
        self.through.backward_losses(&self.used, &mut [], scale);
        progress.g_loss = self.through.total_loss() / n as f64;
        self.hand_over()?;
        let Side { run, gradient, descent, .. } = &mut self.generator;
        gradient.fill(0.0);
        run.backward(descent.params(), gradient);
        descend(&mut self.generator, n, progress.g_loss, rates[0])?;
        Ok(progress)
    }

    /// Draws a batch, and leaves what the generator's way back needs.
    fn draw(&mut self, batch: &Batch<'_>, digits: &[f32], mode: Mode) -> Result<()> {
        let Side { run, descent, net, .. } = &mut self.generator;
        let mut feeds = vec![Feed::new("latent", batch.latents)];
        feeds.extend(self.settings.conditional.then(|| Feed::new("digit", digits)));
        run.forward_feeds(descent.params(), &feeds, mode)?;
        self.drawn.resize(run.images() * IMAGE.len(), 0.0);
        let images = self.drawn.chunks_exact_mut(IMAGE.len()).enumerate();
        for (i, image) in images {
            run.read(net.output(), i, image)?;
        }
        Ok(())
    }

    /// What the discriminator's gradient is at its image is the gradient of the generator's answer.
    fn hand_over(&mut self) -> Result<()> {
        let nothing = || Error::missing("gradient of the drawings", "one that the discriminator left", "none");
        let image = self.discriminator.net.wire("image")?;
        let (from, map) = self.through.gradient(image).ok_or_else(nothing)?;
        let output = self.generator.net.output();
        let (_, _, to, place) = self.generator.run.seed_gradient(output).ok_or_else(nothing)?;
        let mut row = vec![0.0; IMAGE.len()];
        for (from, to) in from.chunks_exact(map.len()).zip(to.chunks_exact_mut(place.len())) {
            map.copy_to_chw(from, &mut row);
            place.fill_from_chw(&row, to);
        }
        Ok(())
    }

    fn use_params(&mut self) {
        let params = self.discriminator.descent.params();
        match &self.spectral {
            Some(spectral) => spectral.divide(params, &mut self.used),
            None => self.used.values_mut().copy_from_slice(params.values()),
        }
    }

    /// How many images a batch has, if it is one.
    fn fits(&self, batch: &Batch<'_>) -> Result<usize> {
        let n = batch.labels.len();
        if n == 0 || n > self.settings.batch {
            return Err(Error::value("images in a step", format!("1 to {}", self.settings.batch), n));
        }
        let want = [n * IMAGE.len(), n * self.settings.latent, n];
        let have = [batch.real.len(), batch.latents.len(), batch.digits.len()];
        if want != have {
            let what = "real images, latent numbers and digits of a step";
            return Err(Error::shape(what, format!("{want:?} numbers"), format!("{have:?}")));
        }
        match batch.labels.iter().chain(batch.digits).find(|class| usize::from(**class) >= CLASSES) {
            Some(class) => Err(Error::value("digit", format!("below {CLASSES}"), class)),
            None => Ok(n),
        }
    }

    /// Everything to go on from here with the same bits.
    pub(super) fn state(&self) -> Whole {
        let vectors = self.spectral.as_ref().map(Spectral::vectors);
        Whole { generator: self.generator.descent.state(), discriminator: self.discriminator.descent.state(), vectors }
    }

    /// Goes on from a state. Refuses one of another pair; then only the generator may have taken it.
    pub(super) fn restore(&mut self, state: Whole) -> Result<()> {
        self.discriminator.descent.restore(state.discriminator)?;
        self.generator.descent.restore(state.generator)?;
        if let Some(spectral) = &mut self.spectral {
            spectral.restore(&state.vectors.unwrap_or_default(), self.discriminator.descent.params())?;
        }
        self.use_params();
        Ok(())
    }
}

/// All that a pair needs to go on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Whole {
    pub(super) generator: State,
    pub(super) discriminator: State,
    pub(super) vectors: Option<Vec<f32>>,
}

/// Targets of `n` images, and which of their scores count.
fn fill(settings: &Settings, n: usize, classes: &[f32], to: f32, target: &mut Vec<f32>, counts: &mut Vec<f32>) {
    let scores = settings.scores();
    target.clear();
    target.resize(n * scores, to);
    counts.clear();
    if settings.conditional { counts.extend_from_slice(classes) } else { counts.resize(n, 1.0) }
}

fn feeds<'a>(
    settings: &Settings,
    images: &'a [f32],
    classes: &'a [f32],
    target: &'a [f32],
    counts: &'a [f32],
) -> Vec<Feed<'a>> {
    let mut feeds = vec![Feed::new("image", images), Feed::new("target", target), Feed::new("counts", counts)];
    feeds.extend((settings.auxiliary > 0.0).then(|| Feed::new("asked", classes)));
    feeds
}

/// Sum of the probabilities of "real" that the scores that count stand for.
fn sureness(scores: &[f32], counts: &[f32]) -> f64 {
    let counted = scores.iter().zip(counts).filter(|(_, count)| **count > 0.0);
    counted.map(|(score, _)| f64::from(sigmoid(*score))).sum()
}

pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + libm::expf(-x))
}

fn descend(side: &mut Side, images: usize, loss: f64, rate: f32) -> Result<()> {
    let progress = train::Progress { images, loss, correct: 0, gradient_norm: 0.0 };
    side.descent.apply([(&side.gradient[..], progress)], rate).map(|_| ())
}
