//! Recipes: all that decides a training but its data and its seed.

use crate::data::augment::{Augment, Hand};
use crate::error::{Error, Result};
use crate::nn::{Graph, Init, Network, Wire};
use crate::train::{Curve, Optimiser, Options, Rule, Schedule};
use crate::zoo;

/// A named way to train a network to read digits.
#[derive(Debug, Clone, Copy)]
pub struct Recipe {
    /// The name that the command knows it by.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// The architecture, a row of the catalogue.
    pub architecture: &'static str,
    /// Its wiring while training, where that differs from the catalogue's (in dropout, which inference ignores).
    pub wiring: Option<fn(&mut Graph, Wire) -> Result<Wire>>,
    /// First weights.
    pub init: Init,
    /// Update rule, rate, schedule, averaging, regularisation.
    pub options: Options,
    /// Images in a step.
    pub batch: usize,
    /// Images in a shard of it. 25 fit the second-level cache: 1,460 images/s there, 1,145 in one shard of 100.
    pub shard: usize,
    /// Epochs if none are asked for.
    pub epochs: u32,
    /// How images are varied.
    pub images: Augment,
    /// Part of them that is shown as it is. Beside ink, which is rendered anew, varied images stand out by the blur of
    /// their resampling; a network that never sees sharp ones from MNIST takes those of the test for ink.
    pub plain: f32,
    /// Pen strokes and scribbles in each epoch, beside MNIST.
    pub ink: Option<Ink>,
}

/// The part of an epoch that is drawn with a pen.
#[derive(Debug, Clone, Copy)]
pub struct Ink {
    /// How drawings are varied.
    pub hand: Hand,
    /// How often a drawing comes in an epoch on average, each time varied anew.
    pub repeats: usize,
    /// Part of the drawings that get another shape of their digit: see [`crate::data::augment::vary`].
    pub shapes: f32,
    /// Scribbles in an epoch.
    pub scribbles: usize,
}

const BASE: Recipe = Recipe {
    name: "",
    about: "",
    architecture: "",
    wiring: None,
    init: Init::He,
    options: Options {
        optimiser: Optimiser::new(Rule::AdamW).decay(0.02),
        rate: 2e-3,
        schedule: Schedule::new(Curve::Cosine, 0.05),
        average: 0.999,
        ..Options::DEFAULT
    },
    batch: 100,
    shard: 25,
    epochs: 30,
    images: Augment::MNIST,
    plain: 0.0,
    ink: None,
};

/// A rate that rises for a fifth of the training and falls to nothing: most of a long training in a few epochs.
const CYCLE: Options =
    Options { rate: 5e-3, schedule: Schedule::new(Curve::OneCycle, 0.2), average: 0.998, ..BASE.options };

/// A paper's idea at the size of digits. A fifth of the images stay sharp, as those of the test are.
const MINI: Recipe = Recipe { options: CYCLE, epochs: 5, plain: 0.2, ..BASE };

/// For networks too small to learn everything that [`Augment::MNIST`] makes.
const MILD: Augment = Augment { shift: 1.5, rotate: 10.0, scale: 0.1, shear: 0.1, thickness: 0.2, ..Augment::NONE };

/// Weights that have been trained already and now lose most of their bits.
const FEWER: Recipe =
    Recipe { options: Options { rate: 4e-3, ..CYCLE }, epochs: 12, images: MILD, plain: 0.25, ..BASE };

/// Half of the hidden layer is dropped, as in the sources, but none of the scores.
fn scores_kept(g: &mut Graph, x: Wire) -> Result<Wire> {
    zoo::deep_convnet::deep_convnet(g, x, [0.5, 0.0])
}

/// Every recipe there is.
pub const RECIPES: &[Recipe] = &[
    Recipe {
        name: "deep_convnet",
        about: "DeepConvNet on MNIST, its images shifted, turned, sheared and bent",
        architecture: "deep_convnet",
        wiring: Some(scores_kept),
        epochs: 20,
        ..BASE
    },
    Recipe {
        name: "draw",
        about: "DeepConvNet for people's drawings: MNIST, pen strokes varied like a hand's, and scribbles to be unsure of",
        architecture: "deep_convnet",
        wiring: Some(scores_kept),
        epochs: 20,
        plain: 0.3,
        ink: Some(Ink { hand: Hand::INK, repeats: 4, shapes: 0.08, scribbles: 2500 }),
        ..BASE
    },
    Recipe {
        name: "synth",
        about: "DeepConvNet for digits made without any data (--data synth)",
        architecture: "deep_convnet",
        wiring: Some(scores_kept),
        epochs: 6,
        images: Augment { shift: 1.0, thickness: 0.3, ..Augment::NONE },
        plain: 0.5,
        ..BASE
    },
    Recipe {
        name: "fast",
        about: "99 % of MNIST in one epoch: a small network under a one-cycle rate, images as they are",
        architecture: "fast",
        // Many small steps, 1,719 in an epoch: in steps of 64 images a network much like it read 0.05 points fewer of the
        // validation images.
        options: Options {
            optimiser: Optimiser::new(Rule::Adam),
            rate: 1e-2,
            schedule: Schedule::new(Curve::OneCycle, 0.2),
            average: 0.98,
            label_smoothing: 0.1,
            ..Options::DEFAULT
        },
        batch: 32,
        shard: 32,
        epochs: 1,
        images: Augment::NONE,
        ..BASE
    },
    Recipe {
        name: "simple_convnet",
        about: "SimpleConvNet on MNIST, its images shifted and turned",
        architecture: "simple_convnet",
        options: Options { rate: 1e-3, ..BASE.options },
        epochs: 10,
        images: MILD,
        plain: 0.25,
        ..BASE
    },
    Recipe {
        name: "tiny",
        about: "fewer than 10,000 parameters on MNIST, its images shifted and turned",
        architecture: "tiny",
        options: Options { rate: 1e-2, ..CYCLE },
        epochs: 12,
        images: MILD,
        plain: 0.25,
        ..BASE
    },
    Recipe {
        name: "tiny_mixed",
        about: "tiny with weights of 8, 8, 4, 4 and 2 bits, going on from its own (--from tiny)",
        architecture: "tiny_mixed",
        ..FEWER
    },
    Recipe {
        name: "smallest",
        about: "tiny with weights of 2 bits behind the first layer's 8, going on from its own (--from tiny)",
        architecture: "smallest",
        epochs: 16,
        ..FEWER
    },
    Recipe {
        name: "binary",
        about: "a network of one bit inside, weights and activations, on MNIST, its images shifted and turned",
        architecture: "binary",
        // Latent weights stay within ±1, and a weight that is read as its sign must travel to change.
        options: Options { optimiser: Optimiser::new(Rule::Adam), rate: 1e-2, ..CYCLE },
        epochs: 20,
        images: MILD,
        plain: 0.25,
        ..BASE
    },
    Recipe {
        name: "resnet_mini",
        about: "a small ResNet on MNIST, its images shifted, turned, sheared and bent",
        architecture: "resnet_mini",
        ..MINI
    },
    Recipe {
        name: "vgg_mini",
        about: "a small VGG on MNIST, its images shifted, turned, sheared and bent",
        architecture: "vgg_mini",
        ..MINI
    },
    Recipe {
        name: "googlenet_mini",
        about: "a small GoogLeNet with its auxiliary loss on MNIST, its images shifted, turned, sheared and bent",
        architecture: "googlenet_mini",
        ..MINI
    },
    Recipe {
        name: "alexnet_mini",
        about: "a small AlexNet on MNIST, its images shifted, turned, sheared and bent",
        architecture: "alexnet_mini",
        // Without batch norms it stands no more.
        options: Options { rate: 1.5e-3, ..CYCLE },
        epochs: 6,
        ..MINI
    },
    Recipe {
        name: "efficientnet_mini",
        about: "a small EfficientNet on MNIST, its images shifted, turned, sheared and bent",
        architecture: "efficientnet_mini",
        ..MINI
    },
    Recipe {
        name: "three_layer_mlp",
        about: "the three-layer perceptron on MNIST as it is",
        architecture: "three_layer_mlp",
        init: Init::Xavier,
        images: Augment::NONE,
        ..BASE
    },
];

impl Recipe {
    /// The recipe of that name.
    pub fn named(name: &str) -> Result<&'static Self> {
        RECIPES.iter().find(|r| r.name == name).ok_or_else(|| {
            let names: Vec<&str> = RECIPES.iter().map(|r| r.name).collect();
            Error::missing("recipe", format!("one of {}", names.join(", ")), name)
        })
    }

    /// The network as it is wired for training.
    pub fn network(&self) -> Result<Network> {
        match self.wiring {
            Some(wiring) => zoo::build_with(self.architecture, wiring),
            None => zoo::build(self.architecture),
        }
    }
}
