//! A painting: an image that descends to what a [`Goal`] measures.

use super::goal::{Goal, Losses, Weights};
use super::{Features, colour};
use crate::data::pictures::Rgb;
use crate::error::{Error, Result};
use crate::kernel::Level;
use crate::rng::Rng;
use crate::train::optimiser::{Memory, Rule};
use crate::train::{Lbfgs, Objective, Optimiser};
use std::sync::Arc;

/// The smallest and the largest side of a painting.
pub const SIDES: (usize, usize) = (32, 512);
/// The most bytes that a painting may take: half of what a page can have, since the browser needs room for copies.
const MOST_BYTES: usize = 2 << 30;
/// Root mean square of the first step of L-BFGS, in grey levels.
const FIRST_STEP: f32 = 0.02;

/// Where the image begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At the content.
    Content,
    /// At noise.
    Noise,
    /// At the style.
    Style,
}

/// How it descends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Way {
    /// By [`Lbfgs`], as the paper does: the loss falls with every step.
    Lbfgs,
    /// By Adam, at this rate in grey levels.
    Adam {
        /// About how much a pixel changes in a step.
        rate: f32,
    },
}

/// Which colours the painting has. Gatys et al. 2016, "Preserving color in neural artistic style transfer".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepColours {
    /// The style's.
    No,
    /// The content's: only its luminance is painted (section 5.2).
    Luminance,
    /// The content's: the style is given their mean and covariance before (section 5.1).
    Histogram,
}

/// How a painting is made.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Rows and columns of the painting.
    pub size: (usize, usize),
    /// Weights of layers as content; with none the network's own choice.
    pub content_layers: Vec<(String, f32)>,
    /// Weights of layers as style; with none the network's own choice.
    pub style_layers: Vec<(String, f32)>,
    /// What all content weights are multiplied by.
    pub content_weight: f32,
    /// What all style weights are multiplied by.
    pub style_weight: f32,
    /// The weight of the total variation.
    pub variation: f32,
    /// How it descends.
    pub way: Way,
    /// Where it begins.
    pub start: Start,
    /// Which colours it has.
    pub keep_colours: KeepColours,
    /// The style's longer side over the painting's: how large the brush is.
    pub style_scale: f32,
    /// Decides the noise.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            size: (256, 256),
            content_layers: Vec::new(),
            style_layers: Vec::new(),
            content_weight: 1.0,
            style_weight: 20.0,
            variation: 10.0,
            way: Way::Lbfgs,
            start: Start::Content,
            keep_colours: KeepColours::No,
            style_scale: 1.0,
            seed: 1,
        }
    }
}

/// What a step came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Steps taken, over all sizes.
    pub step: u64,
    /// The parts of the loss: after the step, or before it where Adam took it.
    pub losses: Losses,
    /// How often the picture was looked at.
    pub evaluations: usize,
    /// L-BFGS found no way further down.
    pub settled: bool,
}

/// An image on its way down.
pub struct Painting {
    features: Arc<Features>,
    options: Options,
    /// As they were given.
    content: Rgb,
    style: Rgb,
    goal: Goal,
    image: Rgb,
    descent: Descent,
    bytes: usize,
    steps: u64,
}

enum Descent {
    Lbfgs(Lbfgs),
    Adam(Optimiser, Memory),
}

impl Descent {
    fn new(way: Way, len: usize) -> Self {
        match way {
            Way::Lbfgs => Self::Lbfgs(Lbfgs::new(FIRST_STEP)),
            Way::Adam { .. } => {
                let adam = Optimiser::new(Rule::Adam);
                Self::Adam(adam, adam.memory(len))
            }
        }
    }
}

impl Painting {
    /// Begins to paint `content` in the hand of `style`.
    ///
    /// Errors: [`Error::Missing`] for a layer that there is not, [`Error::Value`] for options out of range and where memory
    /// would not do, [`Error::Shape`] for a picture too small for the network.
    pub fn new(features: Arc<Features>, content: Rgb, style: Rgb, options: Options) -> Result<Self> {
        let bytes = need(&features, (style.h, style.w), &options)?;
        let (h, w) = options.size;
        let goal = goal(&features, &content, &style, &options)?;
        let image = match options.start {
            Start::Content => content.resized(h, w),
            Start::Style => filled(&style, (h, w)),
            Start::Noise => {
                let mut rng = Rng::new(options.seed);
                Rgb { h, w, pixels: (0..3 * h * w).map(|_| rng.uniform()).collect() }
            }
        };
        let descent = Descent::new(options.way, image.pixels.len());
        Ok(Self { features, content, style, goal, image, descent, bytes, steps: 0, options })
    }

    /// One step. Errors: [`Error::Value`] where the loss is not finite; the image is then as it was.
    pub fn step(&mut self) -> Result<Report> {
        let pixels = &mut self.image.pixels;
        let (evaluations, settled) = match &mut self.descent {
            Descent::Lbfgs(lbfgs) => {
                let step = lbfgs.step(pixels, &mut self.goal)?;
                (step.evaluations, step.settled)
            }
            Descent::Adam(adam, memory) => {
                let Way::Adam { rate } = self.options.way else { unreachable!("the way that made this descent") };
                let loss = self.goal.value(pixels)?;
                if !loss.is_finite() {
                    return Err(Error::value("loss", "a finite number", loss));
                }
                let mut gradient = vec![0.0; pixels.len()];
                self.goal.gradient(&mut gradient)?;
                adam.step(Level::new(), pixels, &gradient, memory, rate, std::slice::from_ref(&(0..gradient.len())));
                pixels.iter_mut().for_each(|v| *v = v.clamp(0.0, 1.0));
                (1, false)
            }
        };
        self.steps += 1;
        Ok(Report { step: self.steps, losses: self.goal.losses().clone(), evaluations, settled })
    }

    /// The painting, in the colours that were asked for. What the descent holds may be darker than black.
    pub fn picture(&self) -> Rgb {
        match self.options.keep_colours {
            KeepColours::Luminance => {
                colour::recoloured(&self.image, &self.content.resized(self.image.h, self.image.w))
            }
            _ => self.image.clone(),
        }
    }

    /// Goes on at another size: the image is carried over. Errors: those of [`Painting::new`]; it is then as it was.
    pub fn resize(&mut self, h: usize, w: usize) -> Result<()> {
        let options = Options { size: (h, w), ..self.options.clone() };
        self.remade(options)
    }

    /// Goes on from this picture, scaled to the painting's size: one that was painted before. The descent begins anew.
    pub fn resume(&mut self, picture: &Rgb) {
        self.image = picture.resized(self.options.size.0, self.options.size.1);
        self.descent = Descent::new(self.options.way, self.image.pixels.len());
    }

    /// Goes on with other weights, colours or rate. Size, start, way and seed stay as they are. Errors: those of
    /// [`Painting::new`]; it is then as it was.
    pub fn change(&mut self, options: Options) -> Result<()> {
        let own = &self.options;
        let way = if let (Way::Adam { .. }, Way::Adam { .. }) = (own.way, options.way) { options.way } else { own.way };
        let options = Options { size: own.size, start: own.start, seed: own.seed, way, ..options };
        let same = (own.keep_colours, own.style_scale) == (options.keep_colours, options.style_scale);
        if same
            && check(&options).is_ok()
            && self.goal.reweigh(&self.features, &weights(&self.features, &options)).is_ok()
        {
            self.options = options;
            if let Descent::Lbfgs(lbfgs) = &mut self.descent {
                lbfgs.forget();
            }
            return Ok(());
        }
        self.remade(options)
    }

    fn remade(&mut self, options: Options) -> Result<()> {
        let bytes = need(&self.features, (self.style.h, self.style.w), &options)?;
        let goal = goal(&self.features, &self.content, &self.style, &options)?;
        let image = self.image.resized(options.size.0, options.size.1);
        self.descent = Descent::new(options.way, image.pixels.len());
        (self.goal, self.image, self.bytes, self.options) = (goal, image, bytes, options);
        Ok(())
    }

    /// How it is made.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// A style layer's channels, its Gram matrix at the last value, and the one that it should have.
    pub fn gram(&self, layer: &str) -> Result<(usize, &[f32], &[f32])> {
        self.goal.gram(layer)
    }

    /// Bytes that it takes, as [`need`] told.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// A number that belongs to the image's bits: FNV-1a.
    pub fn hash(&self) -> u64 {
        let bytes = self.image.pixels.iter().flat_map(|v| v.to_le_bytes());
        bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }
}

/// Bytes that a painting comes to take, with a style picture of `style` rows and columns. Errors: those of
/// [`Painting::new`].
pub fn need(features: &Features, style: (usize, usize), options: &Options) -> Result<usize> {
    check(options)?;
    let (h, w) = options.size;
    let own = Goal::need(features, (h, w), scaled(style, options), &weights(features, options))?;
    let bytes = own + 3 * Lbfgs::bytes(h * w);
    if bytes > MOST_BYTES {
        return Err(Error::value("memory", format!("at most {MOST_BYTES} bytes (try a smaller picture)"), bytes));
    }
    Ok(bytes)
}

/// Sizes from coarse to fine, columns and rows: halves of a half, as long as 64 pixels are left.
pub fn pyramid(w: usize, h: usize) -> Vec<(usize, usize)> {
    let halved = |&(w, h): &(usize, usize)| (w.min(h) >= 128).then_some((w.div_ceil(2), h.div_ceil(2)));
    let mut sizes: Vec<_> = std::iter::successors(Some((w, h)), halved).collect();
    sizes.reverse();
    sizes
}

fn check(options: &Options) -> Result<()> {
    let within = |what: &str, v: f32, low: f32, high: f32| {
        let expected = || Error::value(what, format!("a number from {low} to {high}"), v);
        (low..=high).contains(&v).then_some(()).ok_or_else(expected)
    };
    for (what, side) in [("rows", options.size.0), ("columns", options.size.1)] {
        if !(SIDES.0..=SIDES.1).contains(&side) {
            return Err(Error::value(what, format!("{} to {}", SIDES.0, SIDES.1), side));
        }
    }
    within("content weight", options.content_weight, 0.0, 1e9)?;
    within("style weight", options.style_weight, 0.0, 1e9)?;
    within("total variation", options.variation, 0.0, 1e9)?;
    within("style scale", options.style_scale, 0.25, 2.0)?;
    if let Way::Adam { rate } = options.way {
        within("rate", rate, 1e-5, 1.0)?;
    }
    Ok(())
}

/// Every weight as it counts in the sum.
pub(super) fn weights(features: &Features, options: &Options) -> Weights {
    let own = |given: &[(String, f32)], factor: f32, default: fn(&super::Layer) -> f32| -> Vec<(String, f32)> {
        if given.is_empty() {
            features.layers().iter().map(|layer| (layer.name.clone(), factor * default(layer))).collect()
        } else {
            given.iter().map(|(name, weight)| (name.clone(), factor * weight)).collect()
        }
    };
    Weights {
        content: own(&options.content_layers, options.content_weight, |layer| layer.content),
        style: own(&options.style_layers, options.style_weight, |layer| layer.style),
        variation: options.variation,
    }
}

fn goal(features: &Features, content: &Rgb, style: &Rgb, options: &Options) -> Result<Goal> {
    let (h, w) = options.size;
    let (content, size) = (content.resized(h, w), scaled((style.h, style.w), options));
    let style = style.resized(size.0, size.1);
    let (content, style) = match options.keep_colours {
        KeepColours::No => (content, style),
        KeepColours::Histogram => (content.clone(), colour::matched(&style, &content)),
        KeepColours::Luminance => {
            let (content, style) = (colour::grey(&content), colour::grey(&style));
            (content.clone(), colour::levelled(&style, &content))
        }
    };
    Goal::new(features, &content, &style, &weights(features, options))
}

/// The size at which the style is looked at: its longer side is `style_scale` times the painting's, its shape its own.
fn scaled((h, w): (usize, usize), options: &Options) -> (usize, usize) {
    let long = options.style_scale * options.size.0.max(options.size.1) as f32;
    let side = |side: usize| ((long * side as f32 / h.max(w) as f32).round() as usize).max(SIDES.0 / 2);
    (side(h), side(w))
}

/// The middle of a picture, as large as will fill this size.
fn filled(picture: &Rgb, (h, w): (usize, usize)) -> Rgb {
    let scale = (h as f32 / picture.h as f32).max(w as f32 / picture.w as f32);
    let side = |side: usize, least: usize| ((side as f32 * scale).round() as usize).max(least);
    let whole = picture.resized(side(picture.h, h), side(picture.w, w));
    whole.cut((whole.h - h) / 2, (whole.w - w) / 2, h, w)
}
