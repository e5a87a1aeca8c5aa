//! Networks of few bits: what was trained in single precision, or with rounding in its graph, runs in whole numbers.
//!
//! [`build::quantise`] turns a network into a [`Model`]: weights of 8 to 2 bits, ternary or of one bit, each filter with a scale
//! (Jacob et al. 2018; Krishnamoorthi 2018), activations of 8 bits with a zero point, or of one bit behind a sign layer. Batch
//! norms go into the scales; ReLUs, zero points and the conversion to what the next layer reads go into the store of the layer
//! before. [`run::Runner`] computes with it, [`layout`] keeps it in a file.
//!
//! Layers that there are: convolutions of one group, affine layers, batch norm behind them, ReLU, sign, maximum and global average
//! pooling, sums of two, flattenings, dropout. Any other is refused by its name.

pub mod build;
pub mod layout;
pub mod onnx;
pub mod range;
pub mod reader;
pub mod run;
pub mod search;
mod weights;

pub use build::{Plan, Ranges, folded, layers, quantise, quantise_within};
pub use range::Method;
pub use reader::Reader;
pub use run::Runner;

use crate::error::{Error, Result};
use crate::shape::{Shape, Window};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// How many bits a weight has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bits {
    /// −1 or 1.
    One,
    /// −1, 0 or 1; five of them in a byte.
    Ternary,
    /// 2 to 8.
    Int(u8),
}

impl Bits {
    /// Bytes that so many weights take in a file.
    pub fn bytes(self, weights: usize) -> usize {
        match self {
            Self::One => weights.div_ceil(8),
            Self::Ternary => weights.div_ceil(5),
            Self::Int(bits) => (weights * usize::from(bits)).div_ceil(8),
        }
    }

    /// Least and largest number.
    pub fn bounds(self) -> (i8, i8) {
        match self {
            Self::One | Self::Ternary => (-1, 1),
            Self::Int(bits) => (-(1i16 << (bits - 1)) as i8, ((1i16 << (bits - 1)) - 1) as i8),
        }
    }
}

impl FromStr for Bits {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "1" => Ok(Self::One),
            "ternary" | "t" => Ok(Self::Ternary),
            _ => {
                let bits = text.parse().ok().filter(|bits| (2..=8).contains(bits)).map(Self::Int);
                let got: String = text.chars().take(20).collect();
                bits.ok_or_else(|| Error::value("bits", "1 to 8, or ternary", got))
            }
        }
    }
}

impl fmt::Display for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One => f.write_str("1"),
            Self::Ternary => f.write_str("ternary"),
            Self::Int(bits) => bits.fmt(f),
        }
    }
}

/// What the values behind a step are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Form {
    /// Whole numbers times a step: those of a layer of 8 bits less their zero point, or sums of them.
    Levels {
        /// What 1 is worth.
        step: f32,
        /// The least and the largest number.
        bounds: (i16, i16),
    },
    /// −1 and 1, a bit each.
    Signs,
    /// Single precision: the answer.
    Numbers,
}

/// A convolution's or an affine layer's numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Filters {
    /// The window; an affine layer's covers its whole input.
    pub window: Window,
    /// Bits of a weight.
    pub bits: Bits,
    /// Out × in × kh × kw.
    pub weights: Vec<i8>,
    /// What a weight of 1 is worth, for each filter; the batch norm's factor is in it.
    pub scales: Vec<f32>,
    /// Added to each filter's sums.
    pub bias: Vec<f32>,
    /// Whether negative results become 0.
    pub relu: bool,
}

/// What a step computes.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// The images themselves; the first step.
    Input,
    /// Convolution or affine layer.
    Filters(Filters),
    /// Maximum pooling.
    MaxPool(Window),
    /// The sum of each map, read as its mean.
    Mean,
    /// A sum of two, with negative results 0 if asked.
    Add {
        /// Whether it is.
        relu: bool,
    },
    /// The sign of levels.
    Sign,
}

/// One step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The layer's name.
    pub name: String,
    /// The steps that it reads, by number.
    pub inputs: Vec<usize>,
    /// The shape of what it makes of one image.
    pub shape: Shape,
    /// What it computes.
    pub kind: Kind,
    /// What comes out.
    pub form: Form,
}

/// A network in few bits. The last step answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// In order.
    pub steps: Vec<Step>,
    /// What else is known of it: a name, a calibration of its answers.
    pub metadata: BTreeMap<String, String>,
}

impl Model {
    /// The layers with weights, in order.
    pub fn filters(&self) -> impl Iterator<Item = (&Step, &Filters)> {
        self.steps.iter().filter_map(|step| match &step.kind {
            Kind::Filters(filters) => Some((step, filters)),
            _ => None,
        })
    }

    /// Numbers in one image.
    pub fn input(&self) -> Shape {
        self.steps[0].shape
    }

    /// Numbers in one answer.
    pub fn answers(&self) -> usize {
        self.steps.last().map_or(0, |step| step.shape.len())
    }
}
