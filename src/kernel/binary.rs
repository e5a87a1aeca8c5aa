//! Layers over signs, one bit each: 32 channels to a word, 1 for −1, so that a sign's bit is its number's. Where two signs differ
//! their product is −1, so a window's sum is its length less twice the ones of an exclusive or.
//!
//! A sign is never 0: a halo's zeros read as +1 here, and only windows without padding are a layer of signs.

use crate::tensor::Map;

/// Words of a pixel with so many channels.
pub const fn words(channels: usize) -> usize {
    channels.div_ceil(32)
}

/// The packed word of a row of a window and a column, for weights that are negative where `negative(tap, channel, column)`.
pub fn weight_word(channels: usize, negative: impl Fn(usize, usize, usize) -> bool) -> impl Fn(usize, usize) -> i32 {
    move |row, column| {
        let (tap, word) = (row / words(channels), row % words(channels));
        let mut bits = 0;
        for (bit, ch) in (32 * word..channels.min(32 * (word + 1))).enumerate() {
            bits |= i32::from(negative(tap, ch, column)) << bit;
        }
        bits
    }
}

/// The signs of `n` images of 16-bit numbers, two to a word, of so many channels.
pub fn signs(n: usize, channels: usize, (x, xm): (&[i32], &Map), (y, ym): (&mut [i32], &Map)) {
    for (from, to) in xm.rows(n).zip(ym.rows(n)) {
        let pixels = x[from].chunks_exact(xm.shape.c).zip(y[to].chunks_exact_mut(ym.shape.c));
        for (pixel, out) in pixels {
            out.fill(0);
            for ch in 0..channels {
                let negative = pixel[ch / 2] << (16 * (1 - ch % 2)) < 0;
                out[ch / 32] |= i32::from(negative) << (ch % 32);
            }
        }
    }
}
