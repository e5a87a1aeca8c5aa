//! The Fréchet distance between two Gaussians (Dowson and Landau 1982), of features of real and drawn images: FID (Heusel et
//! al. 2017).
//!
//! `|m₁ − m₂|² + tr S₁ + tr S₂ − 2 Σ √eig(S₁ S₂)`, the covariances over `n − 1`. The eigenvalues are those of the symmetric
//! `√S₁ S₂ √S₁`. Distances depend on the features and on the number of samples: only those of one network and one `n` can be held
//! against each other.

use crate::error::{Error, Result};

/// Mean and covariance of rows of numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    /// Mean of each number.
    pub mean: Vec<f64>,
    /// Covariance over `n − 1`, row after row.
    pub covariance: Vec<f64>,
}

impl Moments {
    /// Of rows of `width` numbers. Errors: [`Error::Shape`] for fewer than two whole rows.
    pub fn of(rows: &[f32], width: usize) -> Result<Self> {
        let n = rows.len() / width.max(1);
        if width == 0 || n < 2 || rows.len() != n * width {
            return Err(Error::shape("features", format!("at least 2 rows of {width}"), rows.len()));
        }
        let mut mean = vec![0.0; width];
        for row in rows.chunks_exact(width) {
            mean.iter_mut().zip(row).for_each(|(mean, v)| *mean += f64::from(*v) / n as f64);
        }
        let mut covariance = vec![0.0; width * width];
        let mut off = vec![0.0; width];
        for row in rows.chunks_exact(width) {
            off.iter_mut().zip(row).zip(&mean).for_each(|((off, v), mean)| *off = f64::from(*v) - mean);
            for (line, a) in covariance.chunks_exact_mut(width).zip(&off) {
                line.iter_mut().zip(&off).for_each(|(sum, b)| *sum += a * b);
            }
        }
        covariance.iter_mut().for_each(|sum| *sum /= (n - 1) as f64);
        Ok(Self { mean, covariance })
    }
}

/// The distance, squared as the field gives it. Errors: [`Error::Shape`] for moments of another width.
pub fn distance(a: &Moments, b: &Moments) -> Result<f64> {
    let d = a.mean.len();
    let sizes = [a.covariance.len(), b.covariance.len(), b.mean.len() * d];
    if sizes != [d * d; 3] {
        return Err(Error::shape("moments", format!("{d} means and {d} × {d} covariances, twice"), b.mean.len()));
    }
    let apart: f64 = a.mean.iter().zip(&b.mean).map(|(a, b)| (a - b) * (a - b)).sum();
    let trace = |m: &Moments| (0..d).map(|i| m.covariance[i * d + i]).sum::<f64>();
    let (values, vectors) = eigen(a.covariance.clone(), d);
    // V √λ Vᵀ, where rounding may have left a λ below 0.
    let root = {
        let scaled: Vec<f64> =
            vectors.iter().enumerate().map(|(k, v)| v * values[k % d].max(0.0).sqrt().sqrt()).collect();
        product(&scaled, &transposed(&scaled, d), d)
    };
    let (middle, _) = eigen(product(&product(&root, &b.covariance, d), &root, d), d);
    let common: f64 = middle.iter().map(|value| value.max(0.0).sqrt()).sum();
    Ok(apart + trace(a) + trace(b) - 2.0 * common)
}

fn product(a: &[f64], b: &[f64], d: usize) -> Vec<f64> {
    let mut out = vec![0.0; d * d];
    for (row, a) in out.chunks_exact_mut(d).zip(a.chunks_exact(d)) {
        for (a, b) in a.iter().zip(b.chunks_exact(d)) {
            row.iter_mut().zip(b).for_each(|(out, b)| *out += a * b);
        }
    }
    out
}

fn transposed(a: &[f64], d: usize) -> Vec<f64> {
    (0..d * d).map(|k| a[k % d * d + k / d]).collect()
}

/// Eigenvalues of a symmetric matrix of `d` rows, and the vectors in its columns: Jacobi's rotations (1846), every pair in turn
/// until nothing is left beside the diagonal.
pub fn eigen(mut a: Vec<f64>, d: usize) -> (Vec<f64>, Vec<f64>) {
    let mut v: Vec<f64> = (0..d * d).map(|k| f64::from(u8::from(k / d == k % d))).collect();
    let size: f64 = a.iter().map(|x| x * x).sum();
    // Eight rounds are enough for 50 rows.
    for _ in 0..60 {
        let beside: f64 = (0..d * d).filter(|k| k / d != k % d).map(|k| a[k] * a[k]).sum();
        if beside <= 1e-30 * size {
            break;
        }
        for p in 0..d {
            for q in p + 1..d {
                rotate(&mut a, &mut v, d, p, q);
            }
        }
    }
    ((0..d).map(|i| a[i * d + i]).collect(), v)
}

/// Turns axes `p` and `q` so that nothing is left between them.
fn rotate(a: &mut [f64], v: &mut [f64], d: usize, p: usize, q: usize) {
    let between = a[p * d + q];
    if between == 0.0 {
        return;
    }
    let theta = (a[q * d + q] - a[p * d + p]) / (2.0 * between);
    let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let c = 1.0 / (t * t + 1.0).sqrt();
    let s = t * c;
    for k in 0..d {
        let (x, y) = (a[k * d + p], a[k * d + q]);
        (a[k * d + p], a[k * d + q]) = (c * x - s * y, s * x + c * y);
    }
    for k in 0..d {
        let (x, y) = (a[p * d + k], a[q * d + k]);
        (a[p * d + k], a[q * d + k]) = (c * x - s * y, s * x + c * y);
        let (x, y) = (v[k * d + p], v[k * d + q]);
        (v[k * d + p], v[k * d + q]) = (c * x - s * y, s * x + c * y);
    }
}
