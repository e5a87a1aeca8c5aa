//! Looking inside a network: what it does with a picture step by step, forward and backward, why it answers as it does,
//! and what its units want.
//!
//! One [`Explainer`] looks at one picture at a time. Everything it tells comes from the engine's own buffers, weights and
//! gradients; a method is a short file. Only the [`Album`] knows digits: any network of one picture and class scores will do.

mod album;
mod ascent;
mod backward;
mod dream;
mod embedding;
mod grad_cam;
mod gradient;
mod guided;
mod integrated;
mod occlusion;
mod picture;
mod probe;
mod receptive;
mod step;

pub use album::Album;
pub use ascent::{Ascent, Goal};
pub use backward::{Backward, Numeric};
pub use dream::Dream;
pub use embedding::{Axes, nearest};
pub use receptive::Field;
pub use step::{Softmax, Step};

use crate::error::{Error, Result};
use crate::nn::{Network, Params, Wire};
use probe::{Probe, Rule};

/// The most pictures in one batch: for the methods that look at many variants of one.
const BATCH: usize = 16;

/// A network that lets itself be looked into.
pub struct Explainer {
    net: Network,
    params: Params,
    /// The picture, and everything that the network made of it.
    picture: Vec<f32>,
    live: Probe,
    /// For variants of the picture, so that `live` keeps its values.
    many: Probe,
}

/// A method that says which pixels speak for a class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Method {
    /// The gradient of the score by the picture: `∂S/∂x`. Simonyan et al. 2014, "Deep inside convolutional networks".
    Saliency,
    /// Its mean over so many pictures with noise of this standard deviation. Smilkov et al. 2017, "SmoothGrad".
    SmoothGrad {
        /// Noisy pictures.
        samples: usize,
        /// Standard deviation of their noise.
        noise: f32,
        /// Decides the noise.
        seed: u64,
    },
    /// The gradient, with every ReLU letting back only what is positive both ways. Springenberg et al. 2015, "Striving
    /// for simplicity".
    Guided,
    /// Where the last maps speak for the class. Selvaraju et al. 2017, "Grad-CAM".
    GradCam,
    /// What the score loses when a square is taken away. Zeiler and Fergus 2014, "Visualizing and understanding".
    Occlusion {
        /// Side of the square.
        side: usize,
        /// From one square to the next.
        stride: usize,
    },
    /// The gradient along the way from nothing to the picture, times the picture. Sundararajan et al. 2017, "Axiomatic
    /// attribution".
    Integrated {
        /// Steps on the way.
        steps: usize,
    },
}

/// What a method says.
#[derive(Debug, Clone, PartialEq)]
pub struct Reasons {
    /// One number for each number of the picture (CHW); Grad-CAM gives one for each pixel.
    pub map: Vec<f32>,
    /// The score of the class.
    pub score: f32,
    /// The score where there is nothing, if the method compares with that.
    pub baseline: Option<f32>,
}

impl Explainer {
    /// Looks into `net` with these parameters.
    ///
    /// Errors: [`Error::Shape`] for parameters of another network, and for one whose answer is no vector of scores;
    /// [`Error::Value`] where it would take more memory than a page has.
    pub fn new(net: &Network, params: &Params) -> Result<Self> {
        let answer = net.node(net.output()).shape;
        if params.views() != net.views() || answer.len() != answer.c {
            return Err(Error::shape("network to explain", "its own parameters, and class scores", answer));
        }
        Ok(Self {
            net: net.clone(),
            params: params.clone(),
            picture: Vec::new(),
            live: Probe::new(net, 1)?,
            many: Probe::new(net, BATCH)?,
        })
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.net
    }

    /// Its parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Takes other parameters of the same network, of one that learns; what it saw is forgotten. Errors: [`Error::Shape`] for those
    /// of another network.
    pub fn renew(&mut self, params: &Params) -> Result<()> {
        if params.views() != self.net.views() {
            return Err(Error::shape(
                "parameters",
                "those of the network",
                format!("{} others", params.values().len()),
            ));
        }
        self.params.values_mut().copy_from_slice(params.values());
        self.picture.clear();
        Ok(())
    }

    /// The most pictures in one batch: fewer than 16 where memory allows no more.
    pub fn batch(&self) -> usize {
        self.many.batch()
    }

    /// Takes a picture (CHW) in, for all that is asked afterwards.
    ///
    /// Errors, after which the last picture still stands: [`Error::Shape`] for another number of pixels,
    /// [`Error::Value`] for numbers that are not finite.
    pub fn look(&mut self, picture: &[f32]) -> Result<()> {
        let shape = self.net.input_shape();
        if picture.len() != shape.len() {
            return Err(Error::shape("picture", format!("{shape} = {} numbers", shape.len()), picture.len()));
        }
        self.live.forward(&self.params, picture)?;
        self.picture.clear();
        self.picture.extend_from_slice(picture);
        Ok(())
    }

    /// The scores of the picture's classes, before any softmax.
    pub fn scores(&self) -> Result<&[f32]> {
        self.seen()?;
        Ok(self.live.scores())
    }

    /// The values of a layer (CHW), behind the activation that works in its buffer.
    pub fn values(&self, layer: &str) -> Result<Vec<f32>> {
        self.seen()?;
        let wire = self.live.behind(self.net.wire(layer)?);
        let mut out = vec![0.0; self.net.node(wire).shape.len()];
        self.live.run.read(wire, 0, &mut out)?;
        Ok(out)
    }

    /// Which pixels speak for a class, by one of the methods.
    ///
    /// Errors: [`Error::Value`] for a class that there is not and for settings out of range, [`Error::Missing`] before the
    /// first picture and where a method needs a layer that there is not.
    pub fn reasons(&mut self, method: Method, class: usize) -> Result<Reasons> {
        self.seen()?;
        self.checked(class)?;
        let score = self.live.scores()[class];
        let with = |map| Reasons { map, score, baseline: None };
        match method {
            Method::Saliency => self.saliency(class).map(with),
            Method::SmoothGrad { samples, noise, seed } => self.smooth_grad(class, samples, noise, seed).map(with),
            Method::Guided => self.guided(class).map(with),
            Method::GradCam => self.grad_cam(class).map(with),
            Method::Occlusion { side, stride } => self.occlusion(class, side, stride).map(with),
            Method::Integrated { steps } => {
                let (map, baseline) = self.integrated(class, steps)?;
                Ok(Reasons { map, score, baseline: Some(baseline) })
            }
        }
    }

    fn input(&self) -> Wire {
        self.net.wires().next().expect("a network has an input")
    }

    /// Refuses to speak before there is a picture.
    fn seen(&self) -> Result<()> {
        if self.picture.is_empty() {
            return Err(Error::missing("picture", "one to look at before", "none yet"));
        }
        Ok(())
    }

    fn checked(&self, class: usize) -> Result<()> {
        let classes = self.live.scores().len();
        if class >= classes {
            return Err(Error::value("class", format!("below {classes}"), class));
        }
        Ok(())
    }

    /// The gradients of the scores of a class by pictures (CHW, one after another), in `out`.
    fn picture_gradients(&mut self, class: usize, rule: Rule, pictures: &[f32], out: &mut Vec<f32>) -> Result<()> {
        let (size, output) = (self.picture.len(), self.net.output());
        for batch in pictures.chunks(self.many.batch() * size) {
            self.many.forward(&self.params, batch)?;
            self.many.back(&self.params, output, None, rule, |_, at| at.dy[class] = 1.0);
            self.many.gradients(self.input(), out);
        }
        Ok(())
    }
}

/// A setting in its bounds.
fn within<T: PartialOrd + std::fmt::Display>(what: &str, value: T, least: T, most: T) -> Result<T> {
    if value >= least && value <= most {
        return Ok(value);
    }
    Err(Error::value(what, format!("{least} to {most}"), value))
}

/// The last layer whose maps have a height and a width, and the wire behind its activation.
fn last_maps(net: &Network) -> Result<Wire> {
    let spatial = |wire: &Wire| net.node(*wire).layer.as_ref().is_some_and(|layer| layer.kind() == "conv");
    net.wires().filter(spatial).last().ok_or_else(|| Error::missing("network", "a convolution", "none"))
}
