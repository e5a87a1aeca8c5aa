//! The one source of randomness: seeded, with the same stream on every target.
//!
//! PCG (O'Neill 2014) by way of `rand_pcg`; logarithm and cosine come from the `libm` crate because the
//! platform's own differ in the last bit.

use rand_core::{Rng as _, SeedableRng};
use rand_pcg::Pcg32;

/// A seeded generator.
#[derive(Debug, Clone, PartialEq)]
pub struct Rng(Pcg32);

impl Rng {
    /// The stream of this seed.
    pub fn new(seed: u64) -> Self {
        Self(Pcg32::seed_from_u64(seed))
    }

    /// An independent stream for part `index` of the work under `seed`: a layer, a step, an image.
    pub fn part(seed: u64, index: u64) -> Self {
        Self::new(Self::mix(seed, index))
    }

    /// The seed of that stream.
    pub fn mix(seed: u64, index: u64) -> u64 {
        // SplitMix64's finaliser: neighbouring indices give unrelated seeds.
        let mut z = seed ^ index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 32 random bits.
    pub fn bits(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// Uniform in `[0, 1)`, a multiple of 2⁻²⁴.
    pub fn uniform(&mut self) -> f32 {
        (self.bits() >> 8) as f32 * (1.0 / 16_777_216.0)
    }

    /// Uniform in `[low, high)`.
    pub fn range(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.uniform()
    }

    /// A whole number in `0..n`; `n` must not be zero. Lemire's multiplication: bias below n / 2³².
    pub fn below(&mut self, n: usize) -> usize {
        ((u64::from(self.bits()) * n as u64) >> 32) as usize
    }

    /// Standard normal, by Box and Muller (1958).
    pub fn normal(&mut self) -> f32 {
        let u = 1.0 - self.uniform();
        let v = self.uniform();
        libm::sqrtf(-2.0 * libm::logf(u)) * libm::cosf(std::f32::consts::TAU * v)
    }

    /// Fisher and Yates's shuffle.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}
