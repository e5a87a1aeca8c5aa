//! What enters and leaves a network by name: inputs with their kinds and numbers of rows, and what a run is fed.

use crate::error::{Error, Result};
use crate::shape::Shape;

/// What the numbers of an input are. A run refuses numbers that are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// Pictures, or any finite numbers. The only kind that can have a gradient.
    Image,
    /// At each pixel, weights over the channels: a distribution, class scores of another network. Finite, at least 0.
    Distribution,
    /// At each pixel, a class below this number, or −1 for a pixel that counts for nothing.
    Mask(usize),
    /// Whole numbers from 0 to below this one: tokens, lengths, actions.
    Indices(usize),
    /// Five numbers a row: the image's number in the run, then `x0 y0 x1 y1`.
    Boxes,
}

impl Port {
    /// Whether a gradient can be asked for.
    pub fn has_gradient(self) -> bool {
        self == Self::Image
    }

    /// Whether an input of this kind can have this shape.
    pub(super) fn fits(self, shape: Shape) -> bool {
        match self {
            Self::Image | Self::Distribution | Self::Indices(_) => true,
            Self::Mask(_) => shape.c == 1,
            Self::Boxes => shape == Shape::new(5, 1, 1),
        }
    }

    /// Refuses numbers that an input of this kind cannot have, in a run of `images` images.
    ///
    /// [`Port::Image`] is not looked at: NaN and infinity come out where they went in, as everywhere in the field.
    pub(super) fn check(self, name: &str, values: &[f32], images: usize) -> Result<()> {
        let whole = |v: f32, below: usize| v >= 0.0 && v < below as f32 && v.fract() == 0.0;
        let (bad, expected) = match self {
            Self::Image => return Ok(()),
            Self::Distribution => {
                (values.iter().find(|v| !(v.is_finite() && **v >= 0.0)), "finite numbers of at least 0".to_string())
            }
            Self::Mask(classes) => (
                values.iter().find(|&&v| v != -1.0 && !whole(v, classes)),
                format!("classes below {classes}, or -1 for none"),
            ),
            Self::Indices(below) => {
                (values.iter().find(|&&v| !whole(v, below)), format!("whole numbers below {below}"))
            }
            Self::Boxes => (
                values.chunks_exact(5).find_map(|b| {
                    let fits = whole(b[0], images) && b[1..].iter().all(|v| v.is_finite());
                    (!fits).then(|| b.iter().find(|v| !v.is_finite()).unwrap_or(&b[0]))
                }),
                format!("an image below {images} and finite corners"),
            ),
        };
        bad.map_or(Ok(()), |bad| Err(Error::value(name, expected, bad)))
    }
}

/// A group of wires that have as many rows as one another: images, regions, sequences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rows(pub(super) usize);

impl Rows {
    /// One row for each image of the run: what all wires have that nobody gives other rows.
    pub const IMAGES: Self = Self(0);
}

/// What one input of a run is filled with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Feed<'a> {
    /// The input's name.
    pub input: &'a str,
    /// Its rows one after another, each in CHW order.
    pub values: &'a [f32],
}

impl<'a> Feed<'a> {
    /// These rows for the input of this name.
    pub fn new(input: &'a str, values: &'a [f32]) -> Self {
        Self { input, values }
    }
}
