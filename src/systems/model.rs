//! A model for callers who bring data of their own: it answers, is looked into and learns.
//!
//! The recogniser reads drawings with networks that stay as they are; this is any network, and it may learn.

use crate::error::{Error, Result};
use crate::kernel::act::sigmoid;
use crate::kernel::softmax::softmax;
use crate::nn::plan::affordable;
use crate::nn::{Init, Mode, Network, Params, Run, Want, Wire, description};
use crate::rng::Rng;
use crate::shape::Shape;
use crate::train::{Options, Progress, Trainer};
use std::collections::BTreeMap;

/// Images answered in one run: more hardly make it faster, and memory grows with them.
const ANSWERED: usize = 16;
/// Images in a shard of a batch that is learnt from; `systems/digits/recipe.rs` has the measurement.
const SHARD: usize = 25;

/// A network with its parameters.
pub struct Model {
    /// What else is known of it, as its file says it: a name, an architecture, a calibration until it learns.
    pub metadata: BTreeMap<String, String>,
    net: Network,
    params: Params,
    /// Made when first needed, as large as was needed.
    answering: Option<Run>,
    showing: Option<Run>,
    learning: Option<Learning>,
}

struct Learning {
    trainer: Trainer,
    options: Options,
    batch: usize,
    steps: u64,
    step: u64,
    seed: u64,
}

impl Model {
    /// The network that a description describes ([`description::read`]), its parameters drawn from `seed` (He et al. 2015).
    pub fn define(description: &str, seed: u64) -> Result<Self> {
        let net = description::read(description)?;
        affordable(&net, 1, &Want::outputs())?;
        let mut params = net.zeros();
        Init::He.fill(&mut params, seed)?;
        Ok(Self::new(net, params, BTreeMap::new()))
    }

    /// A network with its parameters, and what else is known of it.
    pub fn new(net: Network, params: Params, metadata: BTreeMap<String, String>) -> Self {
        Self { metadata, net, params, answering: None, showing: None, learning: None }
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.net
    }

    /// The parameters; while it learns, as the last step left them.
    pub fn params(&self) -> &Params {
        self.learning.as_ref().map_or(&self.params, |learning| learning.trainer.result())
    }

    /// Numbers in one answer.
    pub fn answers(&self) -> usize {
        self.net.node(self.net.output()).shape.len()
    }

    /// Probabilities for some images (CHW, one after another), a row each. A network that ends in a sigmoid has said them itself,
    /// each by itself; of one number that is no probability yet it is the sigmoid; of several the softmax. Errors: those of
    /// [`Model::scores`].
    pub fn probabilities(&mut self, images: &[f32]) -> Result<Vec<f32>> {
        let classes = self.answers();
        let mut scores = self.scores(images)?;
        let level = crate::kernel::Level::new();
        let last = self.net.node(self.net.output()).layer.as_ref().map_or("", |layer| layer.kind());
        match (last, classes) {
            ("sigmoid" | "hard_sigmoid", _) => {}
            (_, 1) => sigmoid(level, &mut scores),
            _ => scores.chunks_exact_mut(classes).for_each(|row| softmax(level, row, classes)),
        }
        Ok(scores)
    }

    /// The network's answers to some images (CHW, one after another), CHW each. Errors: [`Error::Shape`] for no whole
    /// images, [`Error::Value`] for numbers that are not finite.
    pub fn scores(&mut self, images: &[f32]) -> Result<Vec<f32>> {
        let (image, answers) = (self.net.input_shape().len(), self.answers());
        let n = whole(images, self.net.input_shape())?;
        if !images.iter().all(|v| v.is_finite()) {
            return Err(Error::value("images", "finite numbers", "others"));
        }
        let batch = n.min(ANSWERED);
        let mut run = match self.answering.take().filter(|run| run.plan().batch >= batch) {
            Some(run) => run,
            None => planned(&self.net, batch, Vec::new())?,
        };
        let mut out = vec![0.0; n * answers];
        for (images, rows) in images.chunks(batch * image).zip(out.chunks_mut(batch * answers)) {
            run.forward(self.params(), images, images.len() / image, Mode::Infer)?;
            let rows = rows.chunks_exact_mut(answers).enumerate();
            rows.into_iter().try_for_each(|(i, row)| run.read(self.net.output(), i, row))?;
        }
        self.answering = Some(run);
        Ok(out)
    }

    /// What layers make of one image (CHW): the shape and the numbers (CHW) of each. Errors: those of
    /// [`Model::scores`], [`Error::Missing`] for a layer that there is not.
    pub fn features<S: AsRef<str>>(&mut self, image: &[f32], layers: &[S]) -> Result<Vec<(Shape, Vec<f32>)>> {
        if whole(image, self.net.input_shape())? != 1 {
            return Err(Error::shape("image", "one", image.len()));
        }
        let wires: Vec<Wire> = layers.iter().map(|name| self.net.wire(name.as_ref())).collect::<Result<_>>()?;
        let mut run = match self.showing.take() {
            Some(run) => run,
            None => planned(&self.net, 1, self.net.wires().collect())?,
        };
        run.forward(self.params(), image, 1, Mode::Infer)?;
        let shown = wires.into_iter().map(|wire| {
            let shape = self.net.node(wire).shape;
            let mut values = vec![0.0; shape.len()];
            run.read(wire, 0, &mut values).map(|()| (shape, values))
        });
        let shown = shown.collect();
        self.showing = Some(run);
        shown
    }

    /// Begins to learn: `steps` steps on batches of up to `batch` images. Everything random follows from `seed`.
    pub fn begin(&mut self, options: Options, batch: usize, steps: u64, seed: u64) -> Result<()> {
        self.end();
        affordable(&self.net, batch, &Want::training())?;
        let trainer = Trainer::new(&self.net, self.params.clone(), batch, batch.min(SHARD), &options)?;
        // How sure the network may be was fitted to other weights.
        self.metadata.retain(|key, _| key != "temperature" && key != "threshold");
        self.learning = Some(Learning { trainer, options, batch, steps, step: 0, seed });
        Ok(())
    }

    /// One step on images (CHW) and the class of each. Errors, and changes nothing: [`Error::Missing`] before
    /// [`Model::begin`], [`Error::Shape`] and [`Error::Value`] for data that do not fit and a loss that is not finite.
    pub fn step(&mut self, images: &[f32], labels: &[u32]) -> Result<Progress> {
        let (n, classes) = (whole(images, self.net.input_shape())?, self.answers());
        let Some(learning) = &mut self.learning else {
            return Err(Error::missing("training", "a call of begin before", "none"));
        };
        if labels.len() != n || n > learning.batch {
            let expected = format!("one for each of up to {} images", learning.batch);
            return Err(Error::shape("labels", expected, format!("{} for {n}", labels.len())));
        }
        if let Some(label) = labels.iter().find(|&&label| label as usize >= classes) {
            return Err(Error::value("label", format!("a class below {classes}"), label));
        }
        if !images.iter().all(|v| v.is_finite()) {
            return Err(Error::value("images", "finite numbers", "others"));
        }
        let rate = learning.options.schedule.rate(learning.options.rate, learning.step, learning.steps.max(1));
        let image = images.len() / n;
        let fill = |i: usize, x: &mut [f32], target: &mut [f32]| {
            x.copy_from_slice(&images[i * image..][..image]);
            target.fill(0.0);
            target[labels[i] as usize] = 1.0;
        };
        let progress = learning.trainer.step(n, rate, Rng::mix(learning.seed, learning.step), fill)?;
        learning.step += 1;
        Ok(progress)
    }

    /// Ends the learning; the averaged parameters stay, if an average was kept.
    pub fn end(&mut self) {
        if let Some(learning) = self.learning.take() {
            self.params = learning.trainer.result().clone();
        }
    }

    /// Freezes layers, as [`Network::freeze`] does; a training under way ends.
    pub fn freeze<S: AsRef<str>>(&mut self, parts: &[S]) -> Result<()> {
        let net = self.net.freeze(parts)?;
        self.end();
        (self.net, self.answering, self.showing) = (net, None, None);
        Ok(())
    }
}

/// How many images these numbers are.
fn whole(images: &[f32], shape: Shape) -> Result<usize> {
    if images.is_empty() || !images.len().is_multiple_of(shape.len()) {
        return Err(Error::shape("images", format!("one or more of {shape} numbers"), images.len()));
    }
    Ok(images.len() / shape.len())
}

fn planned(net: &Network, batch: usize, taps: Vec<Wire>) -> Result<Run> {
    let want = Want::values(taps);
    affordable(net, batch, &want)?;
    Ok(Run::new(net, batch, &want))
}
