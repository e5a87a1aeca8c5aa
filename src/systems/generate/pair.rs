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

/// A network's buffers for a batch, and the gradient that it found.
struct Learner {
    run: Run,
    gradient: Vec<f32>,
}

impl Learner {
    fn new(net: &Network, batch: usize) -> Self {
        Self { run: Run::new(net, batch, &Want::training()), gradient: vec![0.0; net.arena_len()] }
    }

    /// What the discriminator makes of images of these classes if they are to be called `target`: mean loss and mean sureness.
    fn tell(
        &mut self,
        used: &Params,
        settings: &Settings,
        images: &[f32],
        classes: &[f32],
        target: f32,
    ) -> Result<[f64; 2]> {
        let n = images.len() / IMAGE.len();
        let rows = Rows::new(settings, n, classes, target);
        self.run.forward_feeds(used, &rows.feeds(settings, images, classes), MODE)?;
        self.gradient.fill(0.0);
        self.run.backward_losses(used, &mut self.gradient, 1.0 / n as f32);
        Ok([self.run.total_loss() / n as f64, sureness(self.run.output(), &rows.counts) / n as f64])
    }
}

/// Nothing in the two networks is random once their inputs are.
const MODE: Mode = Mode::Train { seed: 0 };

/// Targets of a batch, and which of its scores count.
struct Rows {
    target: Vec<f32>,
    counts: Vec<f32>,
}

impl Rows {
    fn new(settings: &Settings, n: usize, classes: &[f32], target: f32) -> Self {
        let counts = if settings.conditional { classes.to_vec() } else { vec![1.0; n] };
        Self { target: vec![target; n * settings.scores()], counts }
    }

    fn feeds<'a>(&'a self, settings: &Settings, images: &'a [f32], classes: &'a [f32]) -> Vec<Feed<'a>> {
        let (target, counts) = (Feed::new("target", &self.target), Feed::new("counts", &self.counts));
        let mut feeds = vec![Feed::new("image", images), target, counts];
        feeds.extend((settings.auxiliary > 0.0).then(|| Feed::new("asked", classes)));
        feeds
    }
}

/// Both, beside one another where there are threads.
fn both<A: Send, B: Send>(a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B + Send) -> (A, B) {
    #[cfg(feature = "cli")]
    return rayon::join(a, b);
    #[cfg(not(feature = "cli"))]
    (a(), b())
}

/// A generator and a discriminator that learn from one another.
pub struct Pair {
    settings: Settings,
    nets: [Network; 2],
    /// Of the generator and of the discriminator.
    descents: [Descent; 2],
    generator: Learner,
    /// Of the real images and of the drawn ones.
    discriminators: [Learner; 2],
    /// The discriminator once more: the gradient of the image alone.
    through: Run,
    spectral: Option<Spectral>,
    /// The discriminator's parameters as they are used.
    used: Params,
    drawn: Vec<f32>,
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
            descents: [Descent::new(&g, generator, &g_options)?, Descent::new(&d, discriminator, &d_options)?],
            generator: Learner::new(&g, settings.batch),
            discriminators: [(); 2].map(|()| Learner::new(&d, settings.batch)),
            nets: [g, d],
            spectral,
            drawn: vec![],
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
        (&self.nets[0], self.descents[0].result())
    }

    /// The parameters of the generator and of the discriminator as the last step left them.
    pub fn params(&self) -> [&Params; 2] {
        self.descents.each_ref().map(Descent::params)
    }

    /// The discriminator's parameters as they are used: divided, where it is spectral.
    pub fn used(&self) -> &Params {
        &self.used
    }

    /// The gradients of the last step, of the generator and of the discriminator, in their arenas' orders.
    pub fn gradients(&self) -> [&[f32]; 2] {
        self.descents.each_ref().map(Descent::gradient)
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
        let (real, fake) = (one_hot(batch.labels), one_hot(batch.digits));
        let Self { settings, descents: [generator, discriminator], discriminators: [of_real, of_drawn], used, .. } =
            self;
        // The discriminator takes each kind of image by itself: batch norms would tell a mixture apart.
        let (told, drawn) = both(
            || of_real.tell(used, settings, batch.real, &real, 1.0 - settings.smoothing),
            || {
                draw(settings, &mut self.generator.run, generator.params(), batch.latents, &fake, &mut self.drawn)?;
                of_drawn.tell(used, settings, &self.drawn, &fake, 0.0)
            },
        );
        let ([on_real, d_real], [on_drawn, d_fake]) = (told?, drawn?);
        let d_loss = on_real + on_drawn;
        let mut shards = self.discriminators.each_mut().map(|learner| &mut learner.gradient[..]);
        if let Some(spectral) = &self.spectral {
            shards.iter_mut().for_each(|gradient| spectral.through(&self.used, gradient));
        }
        let part = |loss| train::Progress { images: n, loss, correct: 0, gradient_norm: 0.0 };
        let [of_real, of_drawn] = shards;
        discriminator.apply([(&*of_real, part(on_real)), (&*of_drawn, part(on_drawn))], rates[1])?;
        if let Some(spectral) = &mut self.spectral {
            spectral.follow(discriminator.params());
        }
        self.use_params();
        // The generator: its drawings are to be taken for real.
        let rows = Rows::new(&self.settings, n, &fake, 1.0);
        self.through.forward_feeds(&self.used, &rows.feeds(&self.settings, &self.drawn, &fake), MODE)?;
        self.through.backward_losses(&self.used, &mut [], 1.0 / n as f32);
        let g_loss = self.through.total_loss() / n as f64;
        self.hand_over()?;
        let Learner { run, gradient } = &mut self.generator;
        gradient.fill(0.0);
        run.backward(self.descents[0].params(), gradient);
        self.descents[0].apply([(&gradient[..], part(g_loss))], rates[0])?;
        Ok(Progress { d_loss, g_loss, d_real, d_fake })
    }

    /// What the discriminator's gradient is at its image is the gradient of the generator's answer.
    fn hand_over(&mut self) -> Result<()> {
        let nothing = || Error::missing("gradient of the drawings", "one that the discriminator left", "none");
        let image = self.nets[1].wire("image")?;
        let (from, map) = self.through.gradient(image).ok_or_else(nothing)?;
        let output = self.nets[0].output();
        let (_, _, to, place) = self.generator.run.seed_gradient(output).ok_or_else(nothing)?;
        let mut row = vec![0.0; IMAGE.len()];
        for (from, to) in from.chunks_exact(map.len()).zip(to.chunks_exact_mut(place.len())) {
            map.copy_to_chw(from, &mut row);
            place.fill_from_chw(&row, to);
        }
        Ok(())
    }

    fn use_params(&mut self) {
        let params = self.descents[1].params();
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
        let [generator, discriminator] = self.descents.each_ref().map(Descent::state);
        Whole { generator, discriminator, vectors }
    }

    /// Goes on from a state. Refuses one of another pair; then only the discriminator may have taken it.
    pub(super) fn restore(&mut self, state: Whole) -> Result<()> {
        let [generator, discriminator] = &mut self.descents;
        discriminator.restore(state.discriminator)?;
        generator.restore(state.generator)?;
        if let Some(spectral) = &mut self.spectral {
            spectral.restore(&state.vectors.unwrap_or_default(), self.descents[1].params())?;
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

/// Draws a batch, and leaves in the run what the generator's way back needs.
fn draw(
    settings: &Settings,
    run: &mut Run,
    params: &Params,
    latents: &[f32],
    digits: &[f32],
    drawn: &mut Vec<f32>,
) -> Result<()> {
    let mut feeds = vec![Feed::new("latent", latents)];
    feeds.extend(settings.conditional.then(|| Feed::new("digit", digits)));
    run.forward_feeds(params, &feeds, MODE)?;
    drawn.resize(run.images() * IMAGE.len(), 0.0);
    let output = run.network().output();
    drawn.chunks_exact_mut(IMAGE.len()).enumerate().try_for_each(|(i, image)| run.read(output, i, image))
}

/// Sum of the probabilities of "real" that the scores that count stand for.
fn sureness(scores: &[f32], counts: &[f32]) -> f64 {
    let counted = scores.iter().zip(counts).filter(|(_, count)| **count > 0.0);
    counted.map(|(score, _)| f64::from(sigmoid(*score))).sum()
}

pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + libm::expf(-x))
}
