//! Samples that a training draws while it learns. Where to draw one takes as long as to learn from it, each is used several
//! times: a ring, in which every step puts a few new ones in the places of the oldest.

use crate::error::Result;
#[cfg(feature = "cli")]
use rayon::prelude::*;

/// The newest of the samples that have been drawn.
#[derive(Debug, Clone)]
pub struct Ring<T> {
    /// Sample `i` lies at the place `i` modulo their number.
    samples: Vec<T>,
    /// Samples drawn so far.
    drawn: u64,
}

impl<T: Send> Ring<T> {
    /// The newest `size` of the `drawn` samples that a training has drawn, at least so many; `draw` makes the one of a number.
    /// Errors: those of `draw`.
    pub fn new(size: usize, drawn: u64, draw: impl Fn(u64) -> Result<T> + Sync) -> Result<Self> {
        let drawn = drawn.max(size as u64);
        let mut samples = several(drawn - size as u64, size, draw)?;
        samples.rotate_right((drawn % size as u64) as usize);
        Ok(Self { samples, drawn })
    }

    /// Draws `n` new samples. Errors: those of `draw`; the ring is then as it was.
    pub fn renew(&mut self, n: usize, draw: impl Fn(u64) -> Result<T> + Sync) -> Result<()> {
        for sample in several(self.drawn, n, draw)? {
            let place = (self.drawn % self.samples.len() as u64) as usize;
            self.samples[place] = sample;
            self.drawn += 1;
        }
        Ok(())
    }

    /// The samples there are now.
    pub fn samples(&self) -> &[T] {
        &self.samples
    }
}

/// The `n` samples from number `from` on, in their order, drawn on several threads where there are some. Errors: those of
/// `draw`.
pub fn several<T: Send>(from: u64, n: usize, draw: impl Fn(u64) -> Result<T> + Sync) -> Result<Vec<T>> {
    let numbered = |i: usize| draw(from + i as u64);
    #[cfg(feature = "cli")]
    return (0..n).into_par_iter().map(numbered).collect();
    #[cfg(not(feature = "cli"))]
    (0..n).map(numbered).collect()
}
