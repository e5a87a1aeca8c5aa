//! How parameters begin: weights at random, all others with a number of their own.

use super::params::Params;
use crate::error::{Error, Result};
use crate::rng::Rng;
use crate::tensor::Tensor;
use ndarray::IxDyn;

/// The distribution of a layer's first weights, of mean 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Init {
    /// Normal, σ = √(2 / fan-in), for ReLU. He et al. 2015.
    He,
    /// Uniform with He's σ: within ±√(6 / fan-in).
    HeUniform,
    /// Normal, σ = √(2 / (fan-in + fan-out)), for sigmoid and tanh. Glorot and Bengio 2010.
    Xavier,
    /// Uniform with Xavier's σ, as the paper has it: within ±√(6 / (fan-in + fan-out)).
    XavierUniform,
    /// Normal with this σ for every layer; the sources use 0.01.
    Gaussian(f32),
}

/// Half the width of a uniform distribution of deviation 1: √3.
const SPREAD: f32 = 1.732_050_8;

impl Init {
    /// Draws every weight anew from `seed`, in the public order of each parameter, and sets all others to what they begin
    /// with: biases to 0, scales to 1.
    ///
    /// Each parameter has a random stream of its own, so that a change to one layer leaves the others' draws alone.
    pub fn fill(self, params: &mut Params, seed: u64) -> Result<()> {
        if let Init::Gaussian(sigma) = self
            && !(sigma.is_finite() && sigma >= 0.0)
        {
            return Err(Error::value("Gaussian initialisation", "a finite σ of at least 0", sigma));
        }
        for (i, view) in params.views().to_vec().into_iter().enumerate() {
            let mut rng = Rng::part(seed, i as u64);
            let sigma = self.sigma(view.fan_in, view.fan_out);
            let mut draw = |_| match self {
                _ if !view.role.is_drawn() => view.start,
                Init::HeUniform | Init::XavierUniform => sigma * SPREAD * rng.range(-1.0, 1.0),
                _ => sigma * rng.normal(),
            };
            let values: Vec<f32> = (0..view.len()).map(&mut draw).collect();
            let tensor = Tensor::from_shape_vec(IxDyn(&view.shape), values).expect("as many as the shape holds");
            params.set(&view.name, &tensor)?;
        }
        Ok(())
    }

    fn sigma(self, fan_in: usize, fan_out: usize) -> f32 {
        match self {
            Init::He | Init::HeUniform => (2.0 / fan_in.max(1) as f32).sqrt(),
            Init::Xavier | Init::XavierUniform => (2.0 / (fan_in + fan_out).max(1) as f32).sqrt(),
            Init::Gaussian(sigma) => sigma,
        }
    }
}
