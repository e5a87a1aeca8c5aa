//! What the sources claim about architectures and training, each as networks trained alike but for one thing.
//!
//! Short trainings of small networks: they show which way a thing works, not how far it can be taken.

use super::{BATCH, to_unit};
use crate::data::augment::Augment;
use crate::data::idx::Labelled;
use crate::error::{Error, Result};
use crate::nn::layers::act::Activation::Relu;
use crate::nn::layers::add::Add;
use crate::nn::layers::affine::Affine;
use crate::nn::layers::batch_norm::BatchNorm;
use crate::nn::layers::flatten::Flatten;
use crate::nn::layers::pool::Pool;
use crate::nn::{Conv, Graph, Init, Network, Wire};
use crate::rng::Rng;
use crate::shape::{Shape, Window};
use crate::train::{Curve, Options, Progress, Rule, Schedule, Trainer, evaluate};
use serde::Serialize;

/// A claim and the networks that test it.
pub struct Claim {
    /// Its name on the command line and in the last line of the report.
    pub name: &'static str,
    /// What is claimed, for people.
    pub says: &'static str,
    /// What is trained, the plain case first.
    pub arms: &'static [Arm],
    /// Steps of a hundred images.
    pub steps: u64,
    /// The first images of MNIST's training part that are learnt from.
    pub train_images: usize,
}

/// One of the networks of a claim.
pub struct Arm {
    /// What is different about it.
    pub name: &'static str,
    wire: fn(&mut Graph, Wire) -> Result<Wire>,
    /// First weights.
    pub init: Init,
    /// Update rule, rate and schedule.
    pub options: Options,
    /// How images are varied.
    pub images: Augment,
}

/// What a training came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// Parameters of the network.
    pub parameters: usize,
    /// Mean loss of the last tenth of the steps.
    pub loss: f64,
    /// Accuracy on the test images, from 0 to 1.
    pub test: f64,
    /// Norm of the gradient of the first layer's weights, mean of the first twenty steps.
    pub stem: f64,
    /// Whether it ended early, with a loss beyond all numbers.
    pub diverged: bool,
    /// The scores of the test images, for an ensemble.
    #[serde(skip)]
    pub scores: Vec<f32>,
}

/// Steps that the gradient at the first layer is the mean of.
const EARLY: u64 = 20;

const fn arm(name: &'static str, wire: fn(&mut Graph, Wire) -> Result<Wire>, options: Options) -> Arm {
    Arm { name, wire, init: Init::He, options, images: Augment::NONE }
}

const ADAM: Options = Options::new(Rule::Adam, 1e-3);
const MOMENTUM: Options = Options::new(Rule::Momentum, 0.05);
/// Too small for the signal of a deep network, as first weights were chosen before 2010.
const SMALL: Init = Init::Gaussian(0.05);

/// Every claim, in the order of the sources.
pub const CLAIMS: &[Claim] = &[
    Claim {
        name: "three 3x3 for one 7x7",
        says: "the same receptive field with fewer parameters and two more activations learns as well or better",
        arms: &[
            arm("one 7 × 7", |g, x| field(g, x, &[7]), ADAM),
            arm("three 3 × 3", |g, x| field(g, x, &[3; 3]), ADAM),
        ],
        steps: 400,
        train_images: 60_000,
    },
    Claim {
        name: "skips",
        says: "a deep plain network learns worse than a shallow one; the same depth with skips learns well",
        // With momentum at 0.05 the network with skips died within the 200 steps: 11 % where the plain one had 85.
        arms: &[
            arm("4 layers", |g, x| deep(g, x, 4, false), ADAM),
            arm("24 layers", |g, x| deep(g, x, 24, false), ADAM),
            arm("24 layers with skips", |g, x| deep(g, x, 24, true), ADAM),
        ],
        steps: 200,
        train_images: 60_000,
    },
    Claim {
        name: "auxiliary loss",
        says: "a classifier half-way up brings the gradient to the first layers",
        arms: &[
            Arm { init: SMALL, ..arm("without", |g, x| halfway(g, x, false), MOMENTUM) },
            Arm { init: SMALL, ..arm("with", |g, x| halfway(g, x, true), MOMENTUM) },
        ],
        steps: 200,
        train_images: 60_000,
    },
    Claim {
        name: "batch norm and the rate",
        says: "with batch normalisation a tenfold rate does no harm",
        arms: &[
            arm("without, 0.1", |g, x| normed(g, x, false), Options::new(Rule::Sgd, 0.1)),
            arm("without, 1.0", |g, x| normed(g, x, false), Options::new(Rule::Sgd, 1.0)),
            arm("with, 0.1", |g, x| normed(g, x, true), Options::new(Rule::Sgd, 0.1)),
            arm("with, 1.0", |g, x| normed(g, x, true), Options::new(Rule::Sgd, 1.0)),
        ],
        steps: 300,
        train_images: 60_000,
    },
    Claim {
        name: "rate decay",
        says: "a rate that falls ends lower than one that stays",
        arms: &[
            arm("constant", plain, Options { rate: 5e-3, ..ADAM }),
            arm("cosine", plain, Options { schedule: Schedule::new(Curve::Cosine, 0.0), rate: 5e-3, ..ADAM }),
        ],
        steps: 1100,
        train_images: 60_000,
    },
    Claim {
        name: "augmentation",
        says: "of a thousand images, varied ones teach more",
        arms: &[arm("as they are", plain, ADAM), Arm { images: Augment::MNIST, ..arm("varied", plain, ADAM) }],
        steps: 1000,
        train_images: 1000,
    },
    Claim {
        name: "ensemble",
        says: "the mean of several networks' probabilities is better than each of them",
        arms: &[arm("each seed", plain, ADAM)],
        steps: 550,
        train_images: 60_000,
    },
];

/// Three convolutions, each halved by pooling.
fn plain(g: &mut Graph, mut x: Wire) -> Result<Wire> {
    for (n, channels) in (1..).zip([16, 32, 64]) {
        x = unit(g, x, n, channels, false)?;
        x = g.add(&format!("relu{n}"), Relu, &[x])?;
        x = g.add(&format!("pool{n}"), Pool::Max(Window::square(2).stride(2)), &[x])?;
    }
    scores(g, x)
}

/// Two stages of 24 channels; between their poolings, convolutions of these sizes.
fn field(g: &mut Graph, x: Wire, kernels: &[usize]) -> Result<Wire> {
    let mut x = halved(g, x, 24)?;
    for (n, &k) in (2..).zip(kernels) {
        x = g.add(&format!("conv{n}"), Conv::new(24, k).pad(k / 2), &[x])?;
        x = g.add(&format!("relu{n}"), Relu, &[x])?;
    }
    let x = g.add("pool2", Pool::Max(Window::square(2).stride(2)), &[x])?;
    scores(g, x)
}

/// `layers` normalised convolutions of 12 channels, in blocks of two that may have skips. He et al. 2016.
fn deep(g: &mut Graph, x: Wire, layers: usize, skips: bool) -> Result<Wire> {
    let mut x = halved(g, x, 12)?;
    for n in (2..2 + layers).step_by(2) {
        let y = unit(g, x, n, 12, true)?;
        let y = g.add(&format!("relu{n}"), Relu, &[y])?;
        let mut y = unit(g, y, n + 1, 12, true)?;
        if skips {
            y = g.add(&format!("add{n}"), Add, &[y, x])?;
        }
        x = g.add(&format!("relu{}", n + 1), Relu, &[y])?;
    }
    let x = g.add("pool2", Pool::Max(Window::square(2).stride(2)), &[x])?;
    scores(g, x)
}

/// Ten convolutions, and perhaps an auxiliary classifier behind the third.
fn halfway(g: &mut Graph, x: Wire, auxiliary: bool) -> Result<Wire> {
    let mut x = halved(g, x, 12)?;
    for n in 2..=10 {
        x = unit(g, x, n, 12, false)?;
        x = g.add(&format!("relu{n}"), Relu, &[x])?;
        if n == 3 && auxiliary {
            let side = g.add("aux.pool", Pool::Average(Window::square(2).stride(2)), &[x])?;
            let side = g.add("aux.flatten", Flatten, &[side])?;
            let side = g.add("aux.affine", Affine::new(10), &[side])?;
            g.auxiliary(side, 0.3)?;
        }
    }
    let x = g.add("pool2", Pool::Max(Window::square(2).stride(2)), &[x])?;
    scores(g, x)
}

/// Six convolutions that are normalised or not, and the mean of each map, so that the scores, which nothing normalises, stand
/// the higher rate.
fn normed(g: &mut Graph, x: Wire, norm: bool) -> Result<Wire> {
    let mut x = halved(g, x, 12)?;
    for n in 2..=6 {
        x = unit(g, x, n, 12, norm)?;
        x = g.add(&format!("relu{n}"), Relu, &[x])?;
    }
    let x = g.add("pool2", Pool::Average(Window::square(7).stride(7)), &[x])?;
    scores(g, x)
}

/// The first layer, and half the size.
fn halved(g: &mut Graph, x: Wire, channels: usize) -> Result<Wire> {
    let x = g.add("conv1", Conv::new(channels, 3).pad(1), &[x])?;
    let x = g.add("relu1", Relu, &[x])?;
    g.add("pool1", Pool::Max(Window::square(2).stride(2)), &[x])
}

fn unit(g: &mut Graph, x: Wire, n: usize, channels: usize, norm: bool) -> Result<Wire> {
    let x = g.add(&format!("conv{n}"), Conv::new(channels, 3).pad(1), &[x])?;
    if norm { g.add(&format!("norm{n}"), BatchNorm::default(), &[x]) } else { Ok(x) }
}

fn scores(g: &mut Graph, x: Wire) -> Result<Wire> {
    let x = g.add("flatten", Flatten, &[x])?;
    g.add("scores", Affine::new(10), &[x])
}

impl Claim {
    /// The claim of that name, if it is one.
    pub fn named(name: &str) -> Option<&'static Self> {
        CLAIMS.iter().find(|claim| claim.name == name)
    }

    /// Trains one of its networks with this seed and measures. `report` hears each step's sums.
    pub fn run(
        &self,
        arm: &Arm,
        train: &Labelled,
        test: &Labelled,
        seed: u64,
        mut report: impl FnMut(Progress),
    ) -> Result<Outcome> {
        let n = self.train_images.min(train.images.n);
        if n == 0 || test.images.n == 0 {
            return Err(Error::missing("images", "some to learn from and some to be judged by", "none"));
        }
        let net = arm.build()?;
        let mut params = net.zeros();
        arm.init.fill(&mut params, seed)?;
        let mut trainer = Trainer::new(&net, params, BATCH, BATCH / 4, &arm.options)?;
        let (mut draw, mut stem, mut losses, mut diverged) = (Rng::part(seed, u64::MAX), 0.0, Vec::new(), false);
        for step in 0..self.steps {
            let batch: [usize; BATCH] = std::array::from_fn(|_| draw.below(n));
            let rate = arm.options.schedule.rate(arm.options.rate, step, self.steps);
            let Ok(sums) =
                trainer.step(BATCH, rate, Rng::mix(seed, step), arm.fill(train, &batch, Rng::mix(!seed, step)))
            else {
                diverged = true;
                break;
            };
            if step < EARLY {
                let first = &trainer.gradient()[net.views()[0].range()];
                stem += first.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt() / EARLY as f64;
            }
            losses.push(sums.loss / sums.images as f64);
            report(sums);
        }
        let fill = |i: usize, out: &mut [f32]| to_unit(test.images.image(i), out);
        let scores = evaluate::scores(&net, trainer.result(), test.images.n, fill)?;
        let wrong = evaluate::misclassified(&scores, &test.labels).len();
        let last = &losses[losses.len() - losses.len().div_ceil(10)..];
        Ok(Outcome {
            parameters: net.parameters(),
            loss: last.iter().sum::<f64>() / last.len().max(1) as f64,
            test: 1.0 - wrong as f64 / test.images.n as f64,
            stem,
            diverged,
            scores,
        })
    }
}

impl Arm {
    /// Its network.
    pub fn build(&self) -> Result<Network> {
        let mut graph = Graph::new();
        let x = graph.input("input", Shape::new(1, 28, 28))?;
        let output = (self.wire)(&mut graph, x)?;
        Ok(graph.finish(output))
    }

    /// What a step writes for each image of its batch.
    fn fill<'a>(
        &'a self,
        train: &'a Labelled,
        batch: &'a [usize],
        seed: u64,
    ) -> impl Fn(usize, &mut [f32], &mut [f32]) + Sync + 'a {
        move |i, image, target| {
            let (mut still, side) = ([0.0; 784], train.images.w);
            to_unit(train.images.image(batch[i]), &mut still);
            self.images.apply(&mut Rng::part(seed, i as u64), &still, image, side, side);
            target.fill(0.0);
            target[usize::from(train.labels[batch[i]])] = 1.0;
        }
    }
}
