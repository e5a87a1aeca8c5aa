//! Pictures by what the layer before the scores makes of them: near each other there, alike to the network.

use super::Explainer;
use super::probe::is;
use crate::error::{Error, Result};
use crate::nn::Wire;
use crate::rng::Rng;

/// Rounds of the power iteration; it stops before when the axes stand still.
const ROUNDS: usize = 500;

impl Explainer {
    /// The wire that the last affine layer reads; the scores themselves if there is none.
    fn penultimate(&self) -> Wire {
        let last = self.net.wires().filter(|&wire| is(&self.net, wire, "affine")).last();
        last.map_or(self.net.output(), |wire| self.net.node(wire).inputs[0])
    }

    /// Numbers in the features of one picture.
    pub fn feature_len(&self) -> usize {
        self.net.node(self.penultimate()).shape.len()
    }

    /// The features of the picture: what the last affine layer reads.
    pub fn features(&self) -> Result<Vec<f32>> {
        self.seen()?;
        let mut out = vec![0.0; self.feature_len()];
        self.live.run.read(self.penultimate(), 0, &mut out)?;
        Ok(out)
    }

    /// The features of other pictures (CHW, one after another), a row for each. Errors: those of [`Explainer::look`].
    pub fn features_of(&mut self, pictures: &[f32]) -> Result<Vec<f32>> {
        let (wire, len) = (self.penultimate(), self.feature_len());
        let image = self.net.input_shape().len();
        if !pictures.len().is_multiple_of(image) {
            return Err(Error::shape("pictures", format!("a multiple of {image} numbers"), pictures.len()));
        }
        let mut rows = vec![0.0; pictures.len() / image * len];
        let mut out = rows.chunks_exact_mut(len);
        for batch in pictures.chunks(self.many.batch() * image) {
            self.many.forward(&self.params, batch)?;
            for (i, row) in out.by_ref().take(batch.len() / image).enumerate() {
                self.many.run.read(wire, i, row)?;
            }
        }
        Ok(rows)
    }
}

/// The `count` rows nearest to `query` with their distances (Euclid's), nearest first.
pub fn nearest(rows: &[f32], query: &[f32], count: usize) -> Vec<(usize, f32)> {
    let squares = |row: &[f32]| row.iter().zip(query).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
    let mut all: Vec<(usize, f32)> =
        rows.chunks_exact(query.len()).map(|row| squares(row).sqrt()).enumerate().collect();
    all.sort_by(|a, b| a.1.total_cmp(&b.1));
    all.truncate(count);
    all
}

/// The two directions in which rows differ most: principal component analysis. Pearson 1901, Hotelling 1933.
#[derive(Debug, Clone, PartialEq)]
pub struct Axes {
    mean: Vec<f64>,
    axes: [Vec<f64>; 2],
    /// The part of all variance along each axis.
    pub shares: [f64; 2],
}

impl Axes {
    /// The axes of rows of this length, by power iteration on their covariance; each points where its largest number is
    /// positive. Errors: [`Error::Shape`] for fewer than two rows and rows of fewer than two numbers.
    pub fn of(rows: &[f32], len: usize) -> Result<Self> {
        let n = rows.len().checked_div(len).unwrap_or(0);
        if n < 2 || len < 2 || rows.len() != n * len {
            return Err(Error::shape("rows", "two or more, of two or more numbers each", format!("{n} of {len}")));
        }
        let mut mean = vec![0.0; len];
        rows.chunks_exact(len)
            .for_each(|row| mean.iter_mut().zip(row).for_each(|(m, &v)| *m += f64::from(v) / n as f64));
        let covariance = covariance(rows, &mean);
        let total: f64 = (0..len).map(|i| covariance[i * len + i]).sum();
        let first = leading(&covariance, None);
        let second = leading(&covariance, Some(&first.0));
        let share = |variance: f64| if total > 0.0 { variance / total } else { 0.0 };
        Ok(Self { mean, shares: [share(first.1), share(second.1)], axes: [first.0, second.0] })
    }

    /// Where a row lies along the two axes.
    pub fn place(&self, row: &[f32]) -> [f32; 2] {
        self.axes.each_ref().map(|axis| {
            let along = row.iter().zip(&self.mean).zip(axis).map(|((&v, m), a)| (f64::from(v) - m) * a);
            along.sum::<f64>() as f32
        })
    }
}

fn covariance(rows: &[f32], mean: &[f64]) -> Vec<f64> {
    let (len, n) = (mean.len(), rows.len() / mean.len());
    let mut covariance = vec![0.0; len * len];
    for row in rows.chunks_exact(len) {
        let centred: Vec<f64> = row.iter().zip(mean).map(|(&v, m)| f64::from(v) - m).collect();
        for (line, a) in covariance.chunks_exact_mut(len).zip(&centred).filter(|(_, a)| **a != 0.0) {
            line.iter_mut().zip(&centred).for_each(|(c, b)| *c += a * b / n as f64);
        }
    }
    covariance
}

/// The eigenvector of the largest eigenvalue, across `across` if that is given, and the eigenvalue.
fn leading(matrix: &[f64], across: Option<&[f64]>) -> (Vec<f64>, f64) {
    let len = matrix.len().isqrt();
    let mut rng = Rng::new(1);
    let mut axis: Vec<f64> = (0..len).map(|_| f64::from(rng.normal())).collect();
    let mut value = 0.0;
    for _ in 0..ROUNDS {
        if let Some(other) = across {
            let along = dot(&axis, other);
            axis.iter_mut().zip(other).for_each(|(a, o)| *a -= along * o);
        }
        let size = dot(&axis, &axis).sqrt();
        axis.iter_mut().for_each(|a| *a /= size.max(f64::MIN_POSITIVE));
        let next: Vec<f64> = matrix.chunks_exact(len).map(|line| dot(line, &axis)).collect();
        value = dot(&next, &axis);
        let moved: f64 = next.iter().zip(&axis).map(|(n, a)| (n - value * a).powi(2)).sum();
        if value <= 0.0 || moved.sqrt() < 1e-9 * value {
            break;
        }
        axis = next;
    }
    let size = dot(&axis, &axis).sqrt().max(f64::MIN_POSITIVE);
    let largest = axis.iter().copied().fold(0.0, |most: f64, v| if v.abs() > most.abs() { v } else { most });
    axis.iter_mut().for_each(|a| *a /= size.copysign(largest));
    (axis, value)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
