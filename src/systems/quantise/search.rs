//! Bits layer by layer: which layer can do with fewer at the least loss.

use super::{Bits, Method, Model, Plan, Runner, build};
use crate::error::{Error, Result};
use crate::kernel::Level;
use crate::kernel::softmax::softmax;
use crate::nn::{Network, Params};

/// Images with their labels to choose by.
#[derive(Debug, Clone, Copy)]
pub struct Labelled<'a> {
    /// CHW, one after another.
    pub images: &'a [f32],
    /// A class each.
    pub labels: &'a [u8],
}

/// How well a model reads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Mean cross-entropy.
    pub loss: f64,
    /// Part that was read right.
    pub accuracy: f64,
}

/// Images in a run.
const BATCH: usize = 50;

/// Reads images with a model. Errors: those of [`Runner`], [`Error::Shape`] for other numbers of images and labels.
pub fn score(model: &Model, part: Labelled<'_>) -> Result<Score> {
    let (each, classes) = (model.input().len(), model.answers());
    if part.labels.is_empty() || part.images.len() != part.labels.len() * each {
        return Err(Error::shape("images", format!("{} with a label each", part.labels.len()), part.images.len()));
    }
    let mut runner = Runner::new(model, BATCH)?;
    let (mut loss, mut right) = (0.0, 0usize);
    for (images, labels) in part.images.chunks(BATCH * each).zip(part.labels.chunks(BATCH)) {
        let mut scores = runner.run(images)?;
        softmax(Level::new(), &mut scores, classes);
        for (row, label) in scores.chunks_exact(classes).zip(labels) {
            let of = row.get(usize::from(*label)).copied().unwrap_or(0.0);
            loss -= libm::log(f64::from(of.max(1e-12)));
            right += usize::from(row.iter().all(|p| *p <= of));
        }
    }
    let n = part.labels.len() as f64;
    Ok(Score { loss: loss / n, accuracy: right as f64 / n })
}

/// A way down that was taken: which layer was given how many bits, the bytes of all weights then, and how well it reads.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// The bits of every layer.
    pub bits: Vec<Bits>,
    /// Bytes of all weights.
    pub bytes: usize,
    /// On the images to choose by.
    pub score: Score,
}

/// From 8 bits everywhere to at most `bytes` of weights, step by step: 8, 4 and 2 bits, each time for the layer where a byte saved
/// costs the least loss on the images to choose by. Returns every step taken, the last one within `bytes`.
///
/// Errors: those of [`build::quantise`] and [`score`]; [`Error::Value`] where 2 bits everywhere are more than `bytes`.
pub fn greedy(net: &Network, params: &Params, method: Method, part: Labelled<'_>, bytes: usize) -> Result<Vec<Choice>> {
    let layers = build::layers(net);
    let size = |bits: &[Bits]| layers.iter().zip(bits).map(|((_, weights, _), b)| b.bytes(*weights)).sum::<usize>();
    let choice = |bits: Vec<Bits>| -> Result<Choice> {
        let plan = Plan { bits: bits.clone(), method };
        let score = score(&build::quantise(net, params, &plan, part.images)?, part)?;
        Ok(Choice { bytes: size(&bits), bits, score })
    };
    let mut taken = vec![choice(vec![Bits::Int(8); layers.len()])?];
    loop {
        let last = taken.last().expect("at least one").clone();
        if last.bytes <= bytes {
            return Ok(taken);
        }
        let mut best: Option<(f64, Choice)> = None;
        for i in 0..layers.len() {
            let fewer = match last.bits[i] {
                Bits::Int(8) => Bits::Int(4),
                Bits::Int(4) => Bits::Int(2),
                _ => continue,
            };
            let mut bits = last.bits.clone();
            bits[i] = fewer;
            let tried = choice(bits)?;
            let cost = (tried.score.loss - last.score.loss).max(0.0) / (last.bytes - tried.bytes).max(1) as f64;
            if best.as_ref().is_none_or(|(least, _)| cost < *least) {
                best = Some((cost, tried));
            }
        }
        let (_, chosen) = best.ok_or_else(|| Error::value("bytes", format!("at least {}", last.bytes), bytes))?;
        taken.push(chosen);
    }
}
