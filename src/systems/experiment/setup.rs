//! A setup: everything that decides a training but its data, as one JSON object. The page's address carries it.

use crate::data::augment::Augment;
use crate::error::{Error, Result};
use crate::nn::{Init, Network, Params, description};
use crate::shape::Shape;
use crate::train::Options;
use serde::{Deserialize, Serialize};

/// The most images in a step.
const MAX_BATCH: usize = 4096;

/// What a person chooses. As JSON every part may be left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Setup {
    /// The network's own JSON, layer by layer; see [`description`].
    pub network: String,
    /// How weights begin: `he`, `he_uniform`, `xavier`, `xavier_uniform`, or `gaussian` with this σ.
    pub init: String,
    /// σ of a Gaussian initialisation.
    pub sigma: f32,
    /// Update rule, rate, schedule and regularisers.
    pub options: Options,
    /// How far the training images are bent.
    pub augment: Augment,
    /// Images in a step.
    pub batch: usize,
    /// Images in a shard of it, the piece that one worker computes at a time. Normalisation by batch sees one shard.
    pub shard: usize,
    /// Steps of the whole training, by which the schedule goes.
    pub steps: u64,
    /// Layers that stay as they begin.
    pub freeze: Vec<String>,
    /// Train on this many of the images only; 0 for all.
    pub limit: usize,
    /// Decides the first weights, the order of the images, their variations and dropout.
    pub seed: u64,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            network: String::new(),
            init: "he".into(),
            sigma: 0.01,
            options: Options::DEFAULT,
            augment: Augment::NONE,
            batch: 100,
            shard: 25,
            steps: 1000,
            freeze: Vec::new(),
            limit: 0,
            seed: 1,
        }
    }
}

impl Setup {
    /// Reads the JSON object; what it does not say is the default's. Errors name what is wrong.
    pub fn from_json(text: &str) -> Result<Self> {
        let setup: Self =
            serde_json::from_slice(text.as_bytes()).map_err(|e| Error::format("setup", "a training's setup", e))?;
        setup.options.check()?;
        setup.augment.check()?;
        let whole = |what: &str, value: usize, most: usize| match value {
            0 => Err(Error::value(what, format!("1 to {most}"), 0)),
            _ if value > most => Err(Error::value(what, format!("1 to {most}"), value)),
            _ => Ok(()),
        };
        whole("batch", setup.batch, MAX_BATCH)?;
        whole("images in a shard", setup.shard, setup.batch)?;
        whole("steps", setup.steps.try_into().unwrap_or(usize::MAX), 100_000_000)?;
        setup.init().map(|_| setup)
    }

    /// The JSON object that [`Setup::from_json`] reads.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|e| Error::format("setup", "numbers that JSON can hold", e))
    }

    /// The network behind images of this shape, with a score for each class.
    pub fn network(&self, input: Shape, classes: usize) -> Result<Network> {
        let net = description::read(&self.network)?;
        if net.input_shape() != input {
            return Err(Error::shape("the network's input", format!("pictures of {input}"), net.input_shape()));
        }
        let scores = net.node(net.output()).shape;
        if scores != Shape::new(classes, 1, 1) {
            return Err(Error::shape("the last layer", format!("a score for each of {classes} classes"), scores));
        }
        net.freeze(&self.freeze)
    }

    /// The first weights of a network.
    pub fn first(&self, net: &Network) -> Result<Params> {
        let mut params = net.zeros();
        self.init()?.fill(&mut params, self.seed)?;
        Ok(params)
    }

    /// Shards in a step.
    pub fn shards(&self) -> usize {
        self.batch.div_ceil(self.shard)
    }

    /// Steps between validations: 25 in a training, but never one within ten steps of another.
    pub fn every(&self) -> u64 {
        self.steps.div_ceil(25).max(10)
    }

    /// Images that a validation on the way looks at; the last one looks at all. As many as cost a tenth of the steps before
    /// it, where learning an image takes three times as long as reading one, but 200 to 1000; early stopping goes by the most.
    pub fn glance(&self) -> usize {
        match self.options.patience {
            0 => (self.every() * self.batch as u64 * 3).div_ceil(10).clamp(200, 1000) as usize,
            _ => 1000,
        }
    }

    fn init(&self) -> Result<Init> {
        match &*self.init {
            "he" => Ok(Init::He),
            "he_uniform" => Ok(Init::HeUniform),
            "xavier" => Ok(Init::Xavier),
            "xavier_uniform" => Ok(Init::XavierUniform),
            "gaussian" => Ok(Init::Gaussian(self.sigma)),
            other => {
                let known = "one of he, he_uniform, xavier, xavier_uniform, gaussian";
                Err(Error::missing("initialisation", known, other))
            }
        }
    }
}
