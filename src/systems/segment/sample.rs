//! What segmentation is trained on: pictures with the class of every pixel, drawn anew all the time.

use crate::data::scenes::{Digits, Part, Scene, Setup};
use crate::data::streets::{self, Split, View};
use crate::error::Result;
#[cfg(feature = "cli")]
use rayon::prelude::*;

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
                let scene = Scene::draw(&Setup::full(), &Digits::made(), part.seed(i))?;
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
    samples: Vec<Sample>,
    /// Samples drawn so far.
    drawn: u64,
}

impl Pool {
    /// The newest `size` samples of the `drawn` that a training has drawn, at least so many. Which they are follows from the
    /// seed.
    pub fn new(task: Task, seed: u64, size: usize, drawn: u64) -> Result<Self> {
        let drawn = drawn.max(size as u64);
        let mut pool = Self { task, seed, samples: Vec::new(), drawn };
        let mut samples = pool.some(drawn - size as u64, size)?;
        // Sample `i` lies at the place `i` modulo the size.
        samples.rotate_right((drawn % size as u64) as usize);
        pool.samples = samples;
        Ok(pool)
    }

    /// Draws `n` new samples.
    pub fn renew(&mut self, n: usize) -> Result<()> {
        for sample in self.some(self.drawn, n)? {
            let place = (self.drawn % self.samples.len() as u64) as usize;
            self.samples[place] = sample;
            self.drawn += 1;
        }
        Ok(())
    }

    /// The samples there are now.
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    fn some(&self, from: u64, n: usize) -> Result<Vec<Sample>> {
        // Trainings of other seeds see other samples.
        let start = (self.seed % 1000) * 1_000_000;
        let draw = |i: usize| self.task.draw(Split::Train, start + from + i as u64);
        #[cfg(feature = "cli")]
        return (0..n).into_par_iter().map(draw).collect();
        #[cfg(not(feature = "cli"))]
        (0..n).map(draw).collect()
    }
}
