//! All that decides how a pair of networks learns but the digits and the seed.

use crate::error::{Error, Result};
use crate::nn::layers::affine::Affine;
use crate::nn::layers::concat::Concat;
use crate::nn::losses::{BinaryCrossEntropy, CrossEntropy};
use crate::nn::{Graph, Network, Port, Rows};
use crate::shape::Shape;
use crate::train::{Optimiser, Options, Rule};
use crate::zoo::dcgan;
use serde::{Deserialize, Serialize};

/// Classes of digits.
pub const CLASSES: usize = 10;
/// The images.
pub(super) const IMAGE: Shape = Shape::new(1, 28, 28);

/// How a pair learns. As JSON every part may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Whether a digit is asked for. The discriminator then has a score for each class, and the one of the digit that was asked
    /// for counts: the projection discriminator of Miyato and Koyama 2018, its classes' vectors the rows of the last layer.
    pub conditional: bool,
    /// How much the classes count that the discriminator reads beside, of real digits and drawn ones: the auxiliary
    /// classifier of Odena et al. 2017, so that what is drawn can be read. 0 is none.
    pub auxiliary: f32,
    /// Whether each weight of the discriminator is divided by its largest singular value, in place of batch norms (Miyato et al.
    /// 2018): no image then has a score whose slope runs away.
    pub spectral: bool,
    /// Whether the discriminator has batch norms, where it is not spectral.
    pub norm: bool,
    /// Decay per step of the averaged generator that draws in the end; 0 for the last one. A generator circles around what it
    /// is after; its mean does not. (Yazıcı et al. 2019.)
    pub average: f32,
    /// How far below 1 the target of a real image is, so that the discriminator is never quite sure; that of a drawn one stays 0.
    /// (Salimans et al. 2016: one-sided, for a target above 0 would hold bad drawings where they are.)
    pub smoothing: f32,
    /// Numbers that a drawing starts from, beside the digit.
    pub latent: usize,
    /// Channels of the generator.
    pub generator: [usize; 3],
    /// Channels of the discriminator.
    pub discriminator: [usize; 3],
    /// Images of each kind in a step.
    pub batch: usize,
    /// Learning rates of the generator and of the discriminator.
    pub rates: [f32; 2],
    /// Adam's β₁: the paper found that 0.9 makes the two swing.
    pub beta1: f64,
    /// Steps in all, over the second half of which the rates go down to 0 evenly; 0 for no end.
    pub steps: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Settings {
    /// As the weights that ship were trained, but for the end.
    pub const DEFAULT: Self = Self {
        conditional: true,
        auxiliary: 0.0,
        spectral: false,
        norm: true,
        average: 0.998,
        smoothing: 0.1,
        latent: 32,
        generator: [64, 64, 48],
        discriminator: [32, 64, 96],
        batch: 64,
        rates: [4e-4, 4e-4],
        beta1: 0.5,
        steps: 0,
    };

    /// Mode collapse made to happen: a generator 150 times as fast as a discriminator that nothing holds finds one drawing that
    /// passes, and runs from one such drawing to the next. (Goodfellow 2016, section 5.1.1; Radford et al. 2015, section 3.)
    /// After 250 steps on MNIST `deep_convnet` read 92 % of what it drew as one digit. No average: that of a generator on the run
    /// is many drawings at once.
    pub const COLLAPSE: Self =
        Self { conditional: false, norm: false, average: 0.0, smoothing: 0.0, rates: [3e-2, 2e-4], ..Self::DEFAULT };

    /// What cures it, of the same networks, so that [`super::Training::change`] can go on from what has collapsed: spectral
    /// normalisation, rates that are level, and a discriminator that is never quite sure.
    pub const CURE: Self = Self { conditional: false, norm: false, spectral: true, ..Self::DEFAULT };

    /// Refuses settings that cannot work, by name.
    pub fn check(&self) -> Result<()> {
        let whole = [("latent numbers", self.latent, 1 << 10), ("images in a step", self.batch, 1 << 10)];
        let widths = self.generator.iter().chain(&self.discriminator).map(|width| ("channels", *width, 1 << 10));
        for (what, value, most) in whole.into_iter().chain(widths) {
            if !(1..=most).contains(&value) {
                return Err(Error::value(what, format!("1 to {most}"), value));
            }
        }
        if !(0.0..=0.5).contains(&self.smoothing) {
            return Err(Error::value("label smoothing", "a number from 0 to 0.5", self.smoothing));
        }
        if !(0.0..=100.0).contains(&self.auxiliary) {
            return Err(Error::value("weight of the auxiliary classifier", "a number from 0 to 100", self.auxiliary));
        }
        if self.auxiliary > 0.0 && !self.conditional {
            return Err(Error::value("auxiliary classifier", "a conditional pair", "another"));
        }
        if self.batch == 1 && (self.norm || !self.spectral) {
            return Err(Error::value("images in a step", "at least 2 for batch norms", 1));
        }
        self.options().iter().try_for_each(Options::check)
    }

    /// Those of the generator's descent and of the discriminator's.
    pub(super) fn options(&self) -> [Options; 2] {
        let optimiser = Optimiser { momentum: self.beta1, ..Optimiser::new(Rule::Adam) };
        let of = |rate, average| Options { optimiser, rate, average, ..Options::DEFAULT };
        [of(self.rates[0], self.average), of(self.rates[1], 0.0)]
    }

    /// The rates of a step.
    pub(super) fn rates_at(&self, step: u64) -> [f32; 2] {
        let left = (1.0 - (step as f32 + 0.5) / self.steps.max(1) as f32).max(0.0);
        let part = if self.steps == 0 { 1.0 } else { (2.0 * left).min(1.0) };
        self.rates.map(|rate| rate * part)
    }

    /// Scores of the discriminator for an image.
    pub(super) fn scores(&self) -> usize {
        if self.conditional { CLASSES } else { 1 }
    }

    /// The generator: inputs `latent` and, where a digit is asked for, `digit`, one weight for each class.
    pub fn generator(&self) -> Result<Network> {
        let mut g = Graph::new();
        let mut z = g.input("latent", Shape::new(self.latent, 1, 1))?;
        if self.conditional {
            let digit = g.input("digit", Shape::new(CLASSES, 1, 1))?;
            z = g.add("asked", Concat, &[z, digit])?;
        }
        let ink = dcgan::generator(&mut g, z, self.generator)?;
        Ok(g.finish(ink))
    }

    /// The discriminator, to learn with or to ask: the logits of "real", one for each class if a digit is asked for.
    pub fn discriminator(&self, learns: bool) -> Result<Network> {
        let mut g = Graph::new();
        let image = g.input("image", IMAGE)?;
        let found = dcgan::discriminator(&mut g, image, self.discriminator, self.norm && !self.spectral)?;
        let scores = g.add("real", Affine::new(self.scores()), &[found])?;
        let class = match self.auxiliary > 0.0 {
            true => Some(g.add("class", Affine::new(CLASSES), &[found])?),
            false => None,
        };
        if learns {
            let shape = g.shape(scores);
            let target = g.port("target", shape, Port::Distribution, Rows::IMAGES)?;
            let counts = g.port("counts", shape, Port::Distribution, Rows::IMAGES)?;
            g.loss("game", BinaryCrossEntropy, &[scores, target, counts], 1.0)?;
            if let Some(class) = class {
                let asked = g.port("asked", g.shape(class), Port::Distribution, Rows::IMAGES)?;
                g.loss("reading", CrossEntropy, &[class, asked], self.auxiliary)?;
            }
        }
        Ok(g.finish(scores))
    }
}
