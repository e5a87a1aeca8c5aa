//! What segmentation is trained on: pictures with the class of every pixel, drawn anew all the time.

use crate::data::scenes::{Digits, Part, Scene, Setup};
use crate::data::streets::{self, Split, View};
use crate::error::Result;
use crate::train::Ring;

/// What a network is trained to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Sheets of digits ([`crate::data::scenes`]): paper and ten digits.
    Sheets,
    /// Streets ([`crate::data::streets`]): the sky and eight classes of things.
    Streets,
}

const SHEET: [&str; 11] = ["paper", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
const STREET: [&str; streets::CLASSES.len()] = {
    let mut names = [""; streets::CLASSES.len()];
    let mut i = 0;
    while i < names.len() {
        names[i] = streets::CLASSES[i].name;
        i += 1;
    }
    names
};

/// The fewest and the most digits on a sheet to learn from.
const CROWDED: [usize; 2] = [4, 9];

impl Task {
    /// The names of the classes; the first is the background.
    pub const fn classes(self) -> &'static [&'static str] {
        match self {
            Self::Sheets => &SHEET,
            Self::Streets => &STREET,
        }
    }

    /// How much a pixel of each class counts in the loss: rare, thin things more, after the paper's class balancing
    /// (Badrinarayanan et al. 2017, section 3) but less strongly, for the sake of intersection over union.
    pub const fn weights(self) -> &'static [f32] {
        match self {
            Self::Sheets => &[1.0; 11],
            Self::Streets => &[1.0, 1.0, 1.2, 1.0, 1.0, 1.0, 1.3, 2.0, 2.5],
        }
    }

    /// Rows and columns of its pictures.
    pub const fn size(self) -> (usize, usize) {
        match self {
            Self::Sheets => (128, 128),
            Self::Streets => (streets::HEIGHT, streets::WIDTH),
        }
    }

    /// Sample `i` of a part.
    pub fn draw(self, split: Split, i: u64) -> Result<Sample> {
        match self {
            Self::Sheets => {
                let part = match split {
                    Split::Train => Part::Train,
                    Split::Validation => Part::Validation,
                    Split::Test => Part::Test,
                };
                // More digits teach more: an empty sheet takes as long to learn from.
                let count = if split == Split::Train { CROWDED } else { Setup::full().count };
                let scene = Scene::draw(&Setup { count, ..Setup::full() }, &Digits::made(), part.seed(i))?;
                Ok(Sample::new(&scene.picture.pixels, scene.labels()))
            }
            Self::Streets => {
                let View { picture, truth } = streets::view(split, i);
                Ok(Sample::new(&picture.pixels, truth))
            }
        }
    }
}

/// A picture in bytes, as files and cameras have it, and the class of each of its pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Planes of red, green and blue.
    pub picture: Vec<u8>,
    /// Row after row.
    pub truth: Vec<u8>,
}

impl Sample {
    fn new(pixels: &[f32], truth: Vec<u8>) -> Self {
        let byte = |v: &f32| (v.clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
        Self { picture: pixels.iter().map(byte).collect(), truth }
    }

    /// The picture as networks read it.
    pub fn image(&self) -> impl Iterator<Item = f32> {
        self.picture.iter().map(|&byte| super::scaled(f32::from(byte) / 255.0))
    }
}

/// Samples to learn from. To draw one takes as long as to learn from it, so that each is used several times: a ring, in which
/// every step puts a few new ones in the places of the oldest.
pub struct Pool {
    task: Task,
    seed: u64,
    ring: Ring<Sample>,
}

impl Pool {
    /// The newest `size` samples of the `drawn` that a training has drawn, at least so many. Which they are follows from the
    /// seed.
    pub fn new(task: Task, seed: u64, size: usize, drawn: u64) -> Result<Self> {
        Ok(Self { task, seed, ring: Ring::new(size, drawn, |i| one(task, seed, i))? })
    }

    /// Draws `n` new samples.
    pub fn renew(&mut self, n: usize) -> Result<()> {
        let (task, seed) = (self.task, self.seed);
        self.ring.renew(n, |i| one(task, seed, i))
    }

    /// The samples there are now.
    pub fn samples(&self) -> &[Sample] {
        self.ring.samples()
    }
}

/// Sample `i` of a training: those of other seeds see other samples.
fn one(task: Task, seed: u64, i: u64) -> Result<Sample> {
    task.draw(Split::Train, (seed % 1000) * 1_000_000 + i)
}
