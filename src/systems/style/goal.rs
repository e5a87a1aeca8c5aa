//! What a painting is measured by: content, style and variation, each with its gradient by the pixels.
//!
//! The losses are those of Gatys et al. 2016 (sections 2.1 to 2.3), with one choice for the weights they leave free. A
//! layer's content loss is divided by the sum of squares of its target, and so is its style loss: 1 is "all of it is
//! missing", whatever the network and the size. Gram matrices are means over the pixels, so that pictures of two sizes
//! can be compared.

use super::Features;
use super::eye::Eye;
use crate::data::pictures::Rgb;
use crate::error::{Error, Result};
use crate::kernel::Level;
use crate::kernel::gemm::Store;
use crate::kernel::gram::Gram;
use crate::kernel::reduce::{squared_distance, sum_of_squares};
use crate::nn::Wire;
use crate::tensor::Map;
use crate::train::Objective;

/// How much each part counts. Layers that are not named count nothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Weights {
    /// Of layers as content.
    pub content: Vec<(String, f32)>,
    /// Of layers as style.
    pub style: Vec<(String, f32)>,
    /// Of the total variation.
    pub variation: f32,
}

/// What one layer adds to the loss.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerLoss {
    /// The layer.
    pub name: String,
    /// As content, weighted.
    pub content: f64,
    /// As style, weighted.
    pub style: f64,
}

/// The parts of the loss, weighted; their sum is what descends.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Losses {
    /// How far the features are from the content's.
    pub content: f64,
    /// How far the Gram matrices are from the style's.
    pub style: f64,
    /// How restless the picture is.
    pub variation: f64,
    /// The first two, layer by layer.
    pub layers: Vec<LayerLoss>,
}

impl Losses {
    /// The loss.
    pub fn sum(&self) -> f64 {
        self.content + self.style + self.variation
    }
}

/// The losses of pictures of one size against one content and one style.
pub struct Goal {
    eye: Eye,
    size: (usize, usize),
    targets: Vec<Target>,
    variation: f32,
    losses: Losses,
    /// The picture that was looked at last.
    picture: Vec<f32>,
}

/// What one layer is to be.
struct Target {
    name: String,
    wire: Wire,
    content: Option<Content>,
    style: Option<Style>,
}

struct Content {
    weight: f32,
    /// The values, laid out as the layer's.
    target: Vec<f32>,
    /// One over the sum of their squares.
    share: f64,
}

struct Style {
    weight: f32,
    size: usize,
    gram: Gram,
    now: Vec<f32>,
    target: Vec<f32>,
    share: f64,
}

impl Goal {
    /// Measures pictures as large as `content`. Errors: [`Error::Missing`] for a layer that there is not, [`Error::Value`]
    /// for a weight below 0 or not finite and for no layer at all, [`Error::Shape`] for pictures too small for the network.
    pub fn new(features: &Features, content: &Rgb, style: &Rgb, weights: &Weights) -> Result<Self> {
        let used = used(features, weights)?;
        let wires: Vec<Wire> = used.iter().map(|(_, wire, ..)| *wire).collect();
        let grams = style_targets(features, style, &used)?;
        let size = (content.h, content.w);
        let mut eye = Eye::new(features, &wires, size, true)?;
        eye.look(&content.pixels)?;
        let mut targets = Vec::with_capacity(used.len());
        for ((name, wire, as_content, as_style), target) in used.into_iter().zip(grams) {
            let (values, (map, gradient)) = (eye.values(wire).0.to_vec(), eye.maps(wire));
            let share = one_over(pixels(&values, map));
            let content = (as_content > 0.0).then_some(Content { weight: as_content, target: values, share });
            let style = target.map(|target| Style {
                weight: as_style,
                size: map.shape.c,
                gram: Gram::new(map, gradient),
                now: vec![0.0; target.len()],
                share: one_over(sum_of_squares(eye.level(), &target)),
                target,
            });
            targets.push(Target { name, wire, content, style });
        }
        let picture = content.pixels.clone();
        Ok(Self { eye, size, targets, variation: weights.variation, losses: Losses::default(), picture })
    }

    /// Takes another content, of the same size; the style stays.
    pub fn aim(&mut self, content: &Rgb) -> Result<()> {
        if (content.h, content.w) != self.size {
            let expected = format!("{} × {} as before", self.size.1, self.size.0);
            return Err(Error::shape("content", expected, format!("{} × {}", content.w, content.h)));
        }
        self.eye.look(&content.pixels)?;
        for target in &mut self.targets {
            if let Some(content) = &mut target.content {
                let (values, map) = self.eye.values(target.wire);
                content.target.copy_from_slice(values);
                content.share = one_over(pixels(values, map));
            }
        }
        Ok(())
    }

    /// Bytes that a goal for these sizes comes to hold. Errors: those of [`Goal::new`].
    pub fn need(features: &Features, size: (usize, usize), style: (usize, usize), weights: &Weights) -> Result<usize> {
        let used = used(features, weights)?;
        let wires: Vec<Wire> = used.iter().map(|(_, wire, ..)| *wire).collect();
        let styled: Vec<Wire> = used.iter().filter(|(.., style)| *style > 0.0).map(|(_, wire, ..)| *wire).collect();
        // The style is looked at before the painting's own buffers are there.
        let before = if styled.is_empty() { 0 } else { Eye::bytes(features, &styled, style, false)? };
        Ok(before.max(Eye::bytes(features, &wires, size, true)?))
    }

    /// New weights for the layers that are looked at already. Errors: [`Error::Missing`] where there would be others; the
    /// goal must then be made anew, and is as it was.
    pub fn reweigh(&mut self, features: &Features, weights: &Weights) -> Result<()> {
        let used = used(features, weights)?;
        let same = used.len() == self.targets.len()
            && used.iter().zip(&self.targets).all(|((name, _, content, style), target)| {
                *name == target.name
                    && (*content > 0.0) == target.content.is_some()
                    && (*style > 0.0) == target.style.is_some()
            });
        if !same {
            return Err(Error::missing("weights", "the layers that have targets", "others"));
        }
        for ((_, _, content, style), target) in used.into_iter().zip(&mut self.targets) {
            target.content.iter_mut().for_each(|target| target.weight = content);
            target.style.iter_mut().for_each(|target| target.weight = style);
        }
        self.variation = weights.variation;
        Ok(())
    }

    /// The parts of the last value.
    pub fn losses(&self) -> &Losses {
        &self.losses
    }

    /// A style layer's channels, its Gram matrix at the last value, and the one that it should have.
    pub fn gram(&self, layer: &str) -> Result<(usize, &[f32], &[f32])> {
        let target = self.targets.iter().find(|target| target.name == layer).and_then(|target| target.style.as_ref());
        let style = target.ok_or_else(|| {
            let used = self.targets.iter().filter(|target| target.style.is_some()).map(|target| target.name.as_str());
            Error::missing("style layer", format!("one of {}", used.collect::<Vec<_>>().join(", ")), layer)
        })?;
        Ok((style.size, &style.now, &style.target))
    }
}

impl Objective for Goal {
    fn value(&mut self, x: &[f32]) -> Result<f64> {
        self.eye.look(x)?;
        self.picture.copy_from_slice(x);
        let level = self.eye.level();
        self.losses =
            Losses { variation: f64::from(self.variation) * variation(level, x, self.size), ..Losses::default() };
        for target in &mut self.targets {
            let (values, map) = self.eye.values(target.wire);
            let content = target.content.as_ref().map_or(0.0, |content| {
                let missing = map
                    .rows(1)
                    .map(|row| squared_distance(level, &values[row.clone()], &content.target[row]))
                    .sum::<f64>();
                f64::from(content.weight) * content.share * missing
            });
            let style = target.style.as_mut().map_or(0.0, |style| {
                style.gram.forward(level, values, &mut style.now);
                f64::from(style.weight) * style.share * squared_distance(level, &style.now, &style.target)
            });
            self.losses.content += content;
            self.losses.style += style;
            self.losses.layers.push(LayerLoss { name: target.name.clone(), content, style });
        }
        Ok(self.losses.sum())
    }

    fn gradient(&mut self, out: &mut [f32]) -> Result<()> {
        let level = self.eye.level();
        for target in &mut self.targets {
            let (values, map, dy, dmap, mut first) = self.eye.seed(target.wire);
            if let Some(content) = &target.content {
                let share = 2.0 * content.weight * content.share as f32;
                for (from, to) in map.rows(1).zip(dmap.rows(1)) {
                    let missing = values[from.clone()].iter().zip(&content.target[from]);
                    let dy = &mut dy[to];
                    if first {
                        dy.fill(0.0);
                    }
                    dy.iter_mut().zip(missing).for_each(|(dy, (y, t))| *dy += share * (y - t));
                }
                first = false;
            }
            if let Some(style) = &mut target.style {
                let share = 2.0 * style.weight * style.share as f32;
                let missing = style.now.iter().zip(&style.target);
                let dgram: Vec<f32> = missing.map(|(now, target)| share * (now - target)).collect();
                let store = if first { Store::SET } else { Store::Add };
                style.gram.backward(level, values, &dgram, store, dy);
            }
        }
        self.eye.back(out);
        add_variation(&self.picture, self.size, self.variation, out);
        Ok(())
    }
}

/// The layers that count: name, wire, weight as content and as style, in the network's order.
fn used(features: &Features, weights: &Weights) -> Result<Vec<(String, Wire, f32, f32)>> {
    for (name, weight) in weights.content.iter().chain(&weights.style) {
        features.layer(name)?;
        if !(weight.is_finite() && *weight >= 0.0) {
            return Err(Error::value(format!("weight of {name}"), "at least 0", weight));
        }
    }
    let of = |list: &[(String, f32)], name: &str| list.iter().find(|(n, _)| n == name).map_or(0.0, |(_, w)| *w);
    let row = |layer: &super::Layer| {
        let (content, style) = (of(&weights.content, &layer.name), of(&weights.style, &layer.name));
        (content + style > 0.0).then(|| (layer.name.clone(), layer.wire, content, style))
    };
    let used: Vec<_> = features.layers().iter().filter_map(row).collect();
    if used.is_empty() {
        return Err(Error::value("layers", "at least one with a weight", "none"));
    }
    Ok(used)
}

/// The Gram matrices of the style picture, for the layers that count as style.
fn style_targets(features: &Features, style: &Rgb, used: &[(String, Wire, f32, f32)]) -> Result<Vec<Option<Vec<f32>>>> {
    let wires: Vec<Wire> = used.iter().filter(|(.., style)| *style > 0.0).map(|(_, wire, ..)| *wire).collect();
    if wires.is_empty() {
        return Ok(vec![None; used.len()]);
    }
    let mut eye = Eye::new(features, &wires, (style.h, style.w), false)?;
    eye.look(&style.pixels)?;
    let gram = |(_, wire, _, weight): &(String, Wire, f32, f32)| {
        (*weight > 0.0).then(|| {
            let (values, map) = eye.values(*wire);
            let mut gram = vec![0.0; map.shape.c * map.shape.c];
            Gram::new(map, map).forward(eye.level(), values, &mut gram);
            gram
        })
    };
    Ok(used.iter().map(gram).collect())
}

fn one_over(sum: f64) -> f64 {
    // A target of nothing at all weighs nothing.
    if sum > 1e-30 { 1.0 / sum } else { 0.0 }
}

/// The sum of squares of one image's pixels, its halo left out.
fn pixels(values: &[f32], map: Map) -> f64 {
    map.rows(1).map(|row| values[row].iter().map(|v| f64::from(v * v)).sum::<f64>()).sum()
}

/// How much more a number counts beyond black and white than a step between neighbours. No picture can show it, but a descent
/// without bounds finds it: a wave's foam becomes a glare.
const BEYOND: f32 = 4.0;

/// `½ Σ (xᵢ₊₁,ⱼ − xᵢⱼ)² + (xᵢ,ⱼ₊₁ − xᵢⱼ)²` over the planes of a picture, over the number of its numbers: Mahendran and Vedaldi
/// 2015, section 3, with β = 2. And, as in their section 3, what is out of range: here [`BEYOND`]` · ½ Σ` of its square.
fn variation(level: Level, picture: &[f32], (h, w): (usize, usize)) -> f64 {
    let rows = picture.chunks_exact(w);
    let across: f64 = rows.map(|row| squared_distance(level, &row[1..], &row[..w - 1])).sum();
    let down: f64 =
        picture.chunks_exact(h * w).map(|plane| squared_distance(level, &plane[w..], &plane[..(h - 1) * w])).sum();
    let out: f64 = picture.iter().map(|v| beyond(*v)).map(|v| f64::from(v * v)).sum();
    0.5 * (across + down + f64::from(BEYOND) * out) / picture.len() as f64
}

/// How far a number is above 1, or below 0.
fn beyond(v: f32) -> f32 {
    v - v.clamp(0.0, 1.0)
}

/// Adds `weight` times the gradient of [`variation`].
fn add_variation(picture: &[f32], (h, w): (usize, usize), weight: f32, gradient: &mut [f32]) {
    let share = weight / picture.len() as f32;
    gradient.iter_mut().zip(picture).for_each(|(out, v)| *out += share * BEYOND * beyond(*v));
    for (plane, out) in picture.chunks_exact(h * w).zip(gradient.chunks_exact_mut(h * w)) {
        for (row, out) in plane.chunks_exact(w).zip(out.chunks_exact_mut(w)) {
            for x in 1..w {
                out[x] += share * (row[x] - row[x - 1]);
            }
            for x in 1..w {
                out[x - 1] -= share * (row[x] - row[x - 1]);
            }
        }
        for i in w..h * w {
            out[i] += share * (plane[i] - plane[i - w]);
        }
        for i in w..h * w {
            out[i - w] -= share * (plane[i] - plane[i - w]);
        }
    }
}
