//! A colour picture as numbers, and the doors between it and what screens and files have.

use crate::error::{Error, Result};

/// A colour picture: planes of red, green and blue (CHW), 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Rgb {
    /// Rows.
    pub h: usize,
    /// Columns.
    pub w: usize,
    /// `3 · h · w` numbers.
    pub pixels: Vec<f32>,
}

impl Rgb {
    /// Black.
    pub fn new(h: usize, w: usize) -> Self {
        Self { h, w, pixels: vec![0.0; 3 * h * w] }
    }

    /// From bytes of red, green, blue and alpha, pixel after pixel, laid over white. Errors: [`Error::Shape`] for no
    /// pixel, and for another number of bytes.
    pub fn from_rgba(h: usize, w: usize, bytes: &[u8]) -> Result<Self> {
        if h == 0 || w == 0 || h.checked_mul(w).and_then(|n| n.checked_mul(4)) != Some(bytes.len()) {
            return Err(Error::shape("picture", format!("{w} × {h} × 4 bytes, at least 4"), bytes.len()));
        }
        Ok(Self::laid(h, w, bytes, 1.0))
    }

    /// As [`Rgb::from_rgba`], laid over the paper that its ink is seen on: black where what covers it is light in the mean, as
    /// white ink on an empty canvas is, and white where it is dark. Errors likewise.
    pub fn on_paper(h: usize, w: usize, bytes: &[u8]) -> Result<Self> {
        let picture = Self::from_rgba(h, w, bytes)?;
        let (light, cover) = bytes.chunks_exact(4).fold((0, 0), |(light, cover), p| {
            // Luma of ITU-R BT.601, in 256ths, as far as it covers.
            let luma = (77 * u64::from(p[0]) + 150 * u64::from(p[1]) + 29 * u64::from(p[2])) >> 8;
            (light + luma * u64::from(p[3]), cover + u64::from(p[3]))
        });
        // What covers everything stays as it is to the bit.
        let bare = cover < 255 * (h * w) as u64;
        Ok(if bare && 2 * light > 255 * cover { Self::laid(h, w, bytes, 0.0) } else { picture })
    }

    /// Bytes of red, green, blue and alpha over paper of one grey.
    fn laid(h: usize, w: usize, bytes: &[u8], paper: f32) -> Self {
        let mut picture = Self::new(h, w);
        for (i, pixel) in bytes.chunks_exact(4).enumerate() {
            let alpha = f32::from(pixel[3]) / 255.0;
            for (plane, byte) in pixel[..3].iter().enumerate() {
                picture.pixels[plane * h * w + i] = paper + alpha * (f32::from(*byte) / 255.0 - paper);
            }
        }
        picture
    }

    /// Bytes of red, green, blue and an alpha of 255; what is out of range is the nearest that is in it.
    pub fn rgba(&self) -> Vec<u8> {
        let n = self.h * self.w;
        let byte = |v: f32| (v.clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
        (0..n)
            .flat_map(|i| [byte(self.pixels[i]), byte(self.pixels[n + i]), byte(self.pixels[2 * n + i]), 255])
            .collect()
    }

    /// The three planes.
    pub fn planes(&self) -> impl Iterator<Item = &[f32]> {
        self.pixels.chunks_exact(self.h * self.w)
    }

    /// Its `h` rows and `w` columns from row `top` and column `left` on. Panics where there are not as many.
    pub fn cut(&self, top: usize, left: usize, h: usize, w: usize) -> Self {
        let mut out = Self::new(h, w);
        for (from, to) in self.planes().zip(out.pixels.chunks_exact_mut(h * w)) {
            for (row, to) in from.chunks_exact(self.w).skip(top).zip(to.chunks_exact_mut(w)) {
                to.copy_from_slice(&row[left..left + w]);
            }
        }
        out
    }

    /// The picture in another size: every new pixel is the mean under a tent that reaches to its neighbours, and never
    /// less far than to the next old pixel. So it is bilinear where it grows and free of moiré where it shrinks.
    pub fn resized(&self, h: usize, w: usize) -> Self {
        if (h, w) == (self.h, self.w) {
            return self.clone();
        }
        let (rows, columns) = (tents(self.h, h), tents(self.w, w));
        let mut out = Self::new(h, w);
        let mut wide = vec![0.0; self.h * w];
        for (from, to) in self.planes().zip(out.pixels.chunks_exact_mut(h * w)) {
            for (row, wide) in from.chunks_exact(self.w).zip(wide.chunks_exact_mut(w)) {
                for ((first, weights), v) in columns.iter().zip(wide) {
                    *v = weights.iter().zip(&row[*first..]).map(|(k, x)| k * x).sum();
                }
            }
            for ((first, weights), row) in rows.iter().zip(to.chunks_exact_mut(w)) {
                for (k, wide) in weights.iter().zip(wide.chunks_exact(w).skip(*first)) {
                    row.iter_mut().zip(wide).for_each(|(v, x)| *v += k * x);
                }
            }
        }
        out
    }
}

/// For each of `to` pixels the first of the `from` ones that it is a mean of, and their weights.
fn tents(from: usize, to: usize) -> Vec<(usize, Vec<f32>)> {
    let scale = from as f32 / to as f32;
    let reach = scale.max(1.0);
    let tent = |o: usize| {
        let centre = (o as f32 + 0.5) * scale - 0.5;
        let first = (centre - reach).ceil().max(0.0) as usize;
        let last = ((centre + reach).floor() as usize).min(from - 1);
        let weights: Vec<f32> = (first..=last).map(|i| (1.0 - (i as f32 - centre).abs() / reach).max(0.0)).collect();
        let sum: f32 = weights.iter().sum();
        (first, weights.into_iter().map(|k| k / sum).collect())
    };
    (0..to).map(tent).collect()
}
