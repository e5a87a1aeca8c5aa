//! The rows of the sources' tables.

use super::Accuracy;
use crate::train::{Options, Rule};
use serde::Serialize;

/// One experiment.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Preset {
    /// Its name in addresses, on the command line and in the last line of the report.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// Sizes of the hidden layers of a perceptron; none for DeepConvNet.
    pub hidden: &'static [usize],
    /// The activation behind each hidden layer.
    pub activation: &'static str,
    /// Ratio dropped behind each activation; 0 for no such layer.
    pub dropout: f32,
    /// Whether each hidden layer is normalised over the batch.
    pub batch_norm: bool,
    /// First weights.
    pub start: Start,
    /// Optimiser and penalty.
    pub options: Options,
    /// Steps of a hundred images.
    pub steps: u64,
    /// The first images of MNIST's training part that are learnt from.
    pub train_images: usize,
    /// The first images of its test part that judge.
    pub test_images: usize,
    /// What the source measured, if it printed it.
    pub theirs: Option<Accuracy>,
    /// Why ours may differ.
    pub why: &'static str,
}

/// How weights begin: with σ = 0.01, after Glorot and Bengio, after He et al.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Start {
    /// Normal with σ = 0.01.
    Gaussian,
    /// See [`crate::nn::Init::Xavier`].
    Xavier,
    /// See [`crate::nn::Init::He`].
    He,
}

impl Preset {
    /// The network as the JSON of [`crate::nn::description`].
    pub fn network(&self) -> String {
        let mut layers = Vec::new();
        if self.hidden.is_empty() {
            deep(&mut layers);
        } else {
            self.perceptron(&mut layers);
        }
        format!(r#"{{"input":[1,28,28],"layers":[{}]}}"#, layers.join(","))
    }

    fn perceptron(&self, layers: &mut Vec<String>) {
        let kind = self.activation;
        layers.push(r#"{"name":"flatten","type":"flatten"}"#.into());
        for (i, out) in self.hidden.iter().enumerate() {
            let n = i + 1;
            layers.push(format!(r#"{{"name":"affine{n}","type":"affine","out":{out}}}"#));
            if self.batch_norm {
                layers.push(format!(r#"{{"name":"norm{n}","type":"batch_norm"}}"#));
            }
            layers.push(format!(r#"{{"name":"{kind}{n}","type":"{kind}"}}"#));
            if self.dropout > 0.0 {
                layers.push(format!(r#"{{"name":"dropout{n}","type":"dropout","ratio":{}}}"#, self.dropout));
            }
        }
        let n = self.hidden.len() + 1;
        layers.push(format!(r#"{{"name":"affine{n}","type":"affine","out":10}}"#));
    }
}

/// DeepConvNet as `zoo` wires it; systems that meet a page speak JSON.
fn deep(layers: &mut Vec<String>) {
    for (i, (out, pad)) in [(16, 1), (16, 1), (32, 1), (32, 2), (64, 1), (64, 1)].into_iter().enumerate() {
        let n = i + 1;
        layers.push(format!(r#"{{"name":"conv{n}","type":"conv","out":{out},"kernel":3,"pad":{pad}}}"#));
        layers.push(format!(r#"{{"name":"relu{n}","type":"relu"}}"#));
        if n % 2 == 0 {
            layers.push(format!(r#"{{"name":"pool{}","type":"max_pool","kernel":2,"stride":2}}"#, n / 2));
        }
    }
    for (name, kind, options) in [
        ("flatten", "flatten", ""),
        ("affine1", "affine", r#","out":50"#),
        ("relu7", "relu", ""),
        ("dropout1", "dropout", r#","ratio":0.5"#),
        ("affine2", "affine", r#","out":10"#),
        ("dropout2", "dropout", r#","ratio":0.5"#),
    ] {
        layers.push(format!(r#"{{"name":"{name}","type":"{kind}"{options}}}"#));
    }
}

const fn measured(train: f64, test: f64) -> Option<Accuracy> {
    Some(Accuracy { train, test })
}

/// The vanishing gradient: 784–40–20–10, gradient descent at 0.1.
const VANISHING: Preset = Preset {
    name: "",
    about: "",
    hidden: &[40, 20],
    activation: "sigmoid",
    dropout: 0.0,
    batch_norm: false,
    start: Start::Gaussian,
    options: Options::new(Rule::Sgd, 0.1),
    steps: 2000,
    train_images: 60_000,
    test_images: 10_000,
    theirs: None,
    why: "their seed is not known, and train is one batch of 100",
};

/// The optimisers, at 0.01 for a thousand steps.
const OPTIMISERS: Preset = Preset { activation: "relu", start: Start::He, steps: 1000, ..VANISHING };

/// Overfitting: six hidden layers of a hundred, 300 images.
const OVERFITTING: Preset = Preset {
    hidden: &[100; 6],
    options: Options::new(Rule::Sgd, 0.01),
    train_images: 300,
    why: "their seed and, behind the penalty, their rule are not printed",
    ..OPTIMISERS
};

/// Every row, in the order of the source.
pub const PRESETS: &[Preset] = &[
    Preset {
        name: "sigmoid, Gaussian",
        about: "the gradient vanishes: stuck at the most frequent class",
        theirs: measured(0.1, 0.1135),
        why: "it calls every image the same digit; which one, and so 0.098 to 0.1135, depends on the last batches",
        ..VANISHING
    },
    Preset {
        name: "relu, Gaussian",
        about: "ReLU lets the gradient through",
        activation: "relu",
        theirs: measured(0.91, 0.9258),
        why: "it leaves its plateau after several hundred steps, sooner or later by the seed",
        ..VANISHING
    },
    Preset {
        name: "sigmoid, Xavier",
        about: "first weights that keep a sigmoid's signal",
        start: Start::Xavier,
        theirs: measured(0.86, 0.8762),
        why: "Saitoh's Xavier is √(1 / fan-in); here it is Glorot and Bengio's √(2 / (fan-in + fan-out))",
        ..VANISHING
    },
    Preset {
        name: "relu, He",
        about: "first weights that keep a ReLU's signal",
        activation: "relu",
        start: Start::He,
        theirs: measured(0.98, 0.9523),
        ..VANISHING
    },
    Preset {
        name: "relu, Xavier",
        about: "next to He's",
        activation: "relu",
        start: Start::Xavier,
        theirs: measured(0.97, 0.9502),
        ..VANISHING
    },
    Preset {
        name: "momentum",
        about: "1,000 steps of momentum",
        options: Options::new(Rule::Momentum, 0.01),
        theirs: measured(0.98, 0.938),
        ..OPTIMISERS
    },
    Preset {
        name: "adagrad",
        about: "1,000 steps of AdaGrad",
        options: Options::new(Rule::AdaGrad, 0.01),
        theirs: measured(0.97, 0.9375),
        ..OPTIMISERS
    },
    Preset {
        name: "rmsprop",
        about: "1,000 steps of RMSProp",
        options: Options::new(Rule::RmsProp, 0.01),
        theirs: measured(0.98, 0.9408),
        ..OPTIMISERS
    },
    Preset {
        name: "adam",
        about: "1,000 steps of Adam",
        options: Options::new(Rule::Adam, 0.01),
        theirs: measured(0.95, 0.9437),
        ..OPTIMISERS
    },
    Preset {
        name: "adam, batch norm",
        about: "1,000 steps of Adam with batch normalisation",
        batch_norm: true,
        options: Options::new(Rule::Adam, 0.01),
        why: "a figure without numbers: sooner and more accurate than Adam alone",
        ..OPTIMISERS
    },
    Preset { name: "overfitting", about: "300 images known by heart", theirs: measured(1.0, 0.7732), ..OVERFITTING },
    Preset {
        name: "overfitting, L2",
        about: "the cure by a penalty on the weights",
        options: Options { l2: 0.1, ..Options::new(Rule::Sgd, 0.01) },
        theirs: measured(259.0 / 300.0, 0.6759),
        ..OVERFITTING
    },
    Preset {
        name: "overfitting, dropout",
        about: "the cure by dropping 15 % of each hidden layer",
        dropout: 0.15,
        theirs: measured(0.92, 0.7261),
        why: "dropout is inverted here: what is kept grows while training, so learning is a little faster",
        ..OVERFITTING
    },
    Preset {
        name: "overfitting, L2 and dropout",
        about: "both, for 5,000 steps",
        dropout: 0.15,
        options: Options { l2: 0.1, ..Options::new(Rule::Sgd, 0.01) },
        steps: 5000,
        theirs: measured(260.0 / 300.0, 0.6343),
        ..OVERFITTING
    },
    Preset {
        name: "deep",
        about: "DeepConvNet, \"nearly an hour\" on the author's CPU",
        hidden: &[],
        options: Options::DEFAULT,
        train_images: 5000,
        test_images: 1000,
        theirs: measured(0.995, 0.982),
        why: "their sizes are not printed; three digits of 0.982 mean 1,000 test images, and their train is of more than \
              one batch",
        ..OPTIMISERS
    },
];
