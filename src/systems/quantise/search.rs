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

/// A search on its way: from 8 bits everywhere, each step gives 4 or 2 bits to the layer where a byte saved costs the least loss on
/// the images to choose by. Layers that learnt their bits keep them.
pub struct Search {
    net: Network,
    params: Params,
    method: Method,
    images: Vec<f32>,
    labels: Vec<u8>,
    ranges: build::Ranges,
    last: Choice,
}

impl Search {
    /// Begins with 8 bits everywhere. Errors: those of [`build::quantise`] and [`score`].
    pub fn new(net: &Network, params: &Params, method: Method, part: Labelled<'_>) -> Result<Self> {
        let bits = vec![Bits::Int(8); build::layers(net).len()];
        let ranges = build::Ranges::of(net, params, &bits, part.images)?;
        let none = Choice { bits: Vec::new(), bytes: 0, score: Score { loss: 0.0, accuracy: 0.0 } };
        let (images, labels) = (part.images.to_vec(), part.labels.to_vec());
        let mut search = Self { net: net.clone(), params: params.clone(), method, images, labels, ranges, last: none };
        search.last = search.choice(bits)?;
        Ok(search)
    }

    /// Where it stands.
    pub fn last(&self) -> &Choice {
        &self.last
    }

    fn choice(&self, bits: Vec<Bits>) -> Result<Choice> {
        let plan = Plan { bits: bits.clone(), method: self.method };
        let model = build::quantise_within(&self.net, &self.params, &plan, &self.ranges)?;
        let bytes = model.filters().map(|(_, filters)| filters.bits.bytes(filters.weights.len())).sum();
        let score = score(&model, Labelled { images: &self.images, labels: &self.labels })?;
        Ok(Choice { bytes, bits, score })
    }

    /// Takes a step and returns where it led; nothing where no layer can do with fewer. Errors: those of [`build::quantise`] and
    /// [`score`].
    pub fn step(&mut self) -> Result<Option<Choice>> {
        let mut best: Option<(f64, Choice)> = None;
        for (i, (_, _, learnt)) in build::layers(&self.net).into_iter().enumerate() {
            let fewer = match self.last.bits[i] {
                Bits::Int(8) if !learnt => Bits::Int(4),
                Bits::Int(4) if !learnt => Bits::Int(2),
                _ => continue,
            };
            let mut bits = self.last.bits.clone();
            bits[i] = fewer;
            let tried = self.choice(bits)?;
            let saved = self.last.bytes.saturating_sub(tried.bytes).max(1);
            let cost = (tried.score.loss - self.last.score.loss).max(0.0) / saved as f64;
            if best.as_ref().is_none_or(|(least, _)| cost < *least) {
                best = Some((cost, tried));
            }
        }
        let Some((_, chosen)) = best else { return Ok(None) };
        self.last = chosen.clone();
        Ok(Some(chosen))
    }
}

/// Searches until the weights take at most `bytes`. Returns every step taken, the last one within `bytes`.
///
/// Errors: those of [`build::quantise`] and [`score`]; [`Error::Value`] where 2 bits everywhere are more than `bytes`.
pub fn greedy(net: &Network, params: &Params, method: Method, part: Labelled<'_>, bytes: usize) -> Result<Vec<Choice>> {
    let mut search = Search::new(net, params, method, part)?;
    let mut taken = vec![search.last().clone()];
    while search.last().bytes > bytes {
        let least = search.last().bytes;
        taken.push(search.step()?.ok_or_else(|| Error::value("bytes", format!("at least {least}"), bytes))?);
    }
    Ok(taken)
}
