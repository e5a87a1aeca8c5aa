//! Spectral normalisation: each weight divided by its largest singular value. Miyato, Kataoka, Koyama and Yoshida 2018.
//!
//! The value is found by power iteration, three rounds for each step of learning: weights move little in a step, so the vectors
//! of the step before are nearly right. (PyTorch has one for each time that the network runs, which is as many.) The gradient goes through the division; the two vectors are constants in it, as in the
//! paper.

use crate::error::{Error, Result};
use crate::nn::Params;
use crate::nn::params::{Order, Role};
use crate::rng::Rng;
use std::ops::Range;

/// Rounds before the first step: PyTorch has 15.
const FIRST: usize = 30;
/// Rounds for each step.
const ROUNDS: usize = 3;

/// One weight as a matrix: in the arena it lies with its outputs side by side, one row for each input.
struct Matrix {
    place: Range<usize>,
    outputs: usize,
    /// Unit vectors over the inputs and the outputs.
    left: Vec<f64>,
    right: Vec<f64>,
    largest: f64,
}

/// The largest singular value of each weight of a network, followed as the weights move.
pub struct Spectral {
    matrices: Vec<Matrix>,
}

impl Spectral {
    /// For these parameters: their weights of convolutions of one group and of affine layers. The vectors begin at random, from
    /// `seed`. Errors: [`Error::Value`] for weights in any other order.
    pub fn new(params: &Params, seed: u64) -> Result<Self> {
        let mut matrices = Vec::new();
        for (k, view) in params.views().iter().enumerate().filter(|(_, view)| view.role == Role::Weight) {
            if !matches!(view.order, Order::Conv { groups: 1 } | Order::Affine { .. }) {
                return Err(Error::value(&view.name, "the weights of a convolution or an affine layer", "others"));
            }
            let (outputs, mut rng) = (view.shape[0], Rng::part(seed, k as u64));
            let right = (0..outputs).map(|_| f64::from(rng.normal())).collect();
            let left = vec![0.0; view.len() / outputs.max(1)];
            matrices.push(Matrix { place: view.range(), outputs, left, right, largest: 0.0 });
        }
        let mut spectral = Self { matrices };
        spectral.rounds(params, FIRST);
        Ok(spectral)
    }

    /// Power iteration for weights that have moved by a step.
    pub fn follow(&mut self, params: &Params) {
        self.rounds(params, ROUNDS);
    }

    fn rounds(&mut self, params: &Params, n: usize) {
        for matrix in &mut self.matrices {
            (0..n).for_each(|_| matrix.round(&params.values()[matrix.place.clone()]));
        }
    }

    /// The largest singular value of each weight, in the arena's order.
    pub fn largest(&self) -> Vec<f64> {
        self.matrices.iter().map(|matrix| matrix.largest).collect()
    }

    /// Writes to `used` what `params` are with each weight divided.
    pub fn divide(&self, params: &Params, used: &mut Params) {
        let used = used.values_mut();
        used.copy_from_slice(params.values());
        for Matrix { place, largest, .. } in &self.matrices {
            let scale = (1.0 / largest) as f32;
            used[place.clone()].iter_mut().for_each(|w| *w *= scale);
        }
    }

    /// Turns the gradient of the divided weights into that of the weights themselves: `(G − ⟨G, W / σ⟩ u vᵀ) / σ`.
    pub fn through(&self, used: &Params, gradient: &mut [f32]) {
        for Matrix { place, outputs, left, right, largest } in &self.matrices {
            let (w, g) = (&used.values()[place.clone()], &mut gradient[place.clone()]);
            let along: f64 = w.iter().zip(&*g).map(|(w, g)| f64::from(*w) * f64::from(*g)).sum();
            for (row, l) in g.chunks_exact_mut(*outputs).zip(left) {
                for (g, r) in row.iter_mut().zip(right) {
                    *g = ((f64::from(*g) - along * l * r) / largest) as f32;
                }
            }
        }
    }

    /// The vectors over the outputs, from which a training goes on.
    pub(super) fn vectors(&self) -> Vec<f32> {
        self.matrices.iter().flat_map(|matrix| matrix.right.iter().map(|v| *v as f32)).collect()
    }

    /// Goes on from such vectors at these parameters. Errors: [`Error::Shape`] for another number of them.
    pub(super) fn restore(&mut self, vectors: &[f32], params: &Params) -> Result<()> {
        let all: usize = self.matrices.iter().map(|matrix| matrix.outputs).sum();
        if vectors.len() != all {
            return Err(Error::shape("vectors of spectral normalisation", all, vectors.len()));
        }
        let mut rest = vectors;
        for matrix in &mut self.matrices {
            let (own, after) = rest.split_at(matrix.outputs);
            matrix.right = own.iter().map(|v| f64::from(*v)).collect();
            matrix.measure(&params.values()[matrix.place.clone()]);
            rest = after;
        }
        Ok(())
    }
}

impl Matrix {
    /// `u = Wv / |Wv|`, and `σ = |Wv|`.
    fn measure(&mut self, w: &[f32]) {
        for (l, row) in self.left.iter_mut().zip(w.chunks_exact(self.outputs)) {
            *l = row.iter().zip(&self.right).map(|(w, r)| f64::from(*w) * r).sum();
        }
        self.largest = normalise(&mut self.left);
    }

    fn round(&mut self, w: &[f32]) {
        self.measure(w);
        self.right.fill(0.0);
        for (l, row) in self.left.iter().zip(w.chunks_exact(self.outputs)) {
            for (r, w) in self.right.iter_mut().zip(row) {
                *r += l * f64::from(*w);
            }
        }
        normalise(&mut self.right);
        // What a checkpoint keeps are these in single precision; a training that goes on must find the same.
        self.right.iter_mut().for_each(|v| *v = f64::from(*v as f32));
        self.measure(w);
    }
}

/// Divides a vector by its length, which it returns; next to nothing counts as a little.
fn normalise(v: &mut [f64]) -> f64 {
    let length = v.iter().map(|v| v * v).sum::<f64>().sqrt().max(1e-12);
    v.iter_mut().for_each(|v| *v /= length);
    length
}
