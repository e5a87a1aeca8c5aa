//! The functions that recurrent cells squash their sums with, by the names that ONNX gives them.

use super::super::call::Call;
use super::elementwise::{relu, sigmoid, softplus};
use crate::error::Result;

/// A function with its two numbers, `a` and `b`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Squash {
    f: fn(f32, f32, f32) -> f32,
    a: f32,
    b: f32,
}

impl Squash {
    /// The function's value at `x`.
    pub(super) fn of(self, x: f32) -> f32 {
        (self.f)(x, self.a, self.b)
    }
}

/// A function by its name: how many numbers it takes, and those it has if none are given.
type Known = (&'static str, usize, [f32; 2], fn(f32, f32, f32) -> f32);

const KNOWN: [Known; 11] = [
    ("sigmoid", 0, [0.0; 2], |x, _, _| sigmoid(x)),
    ("tanh", 0, [0.0; 2], |x, _, _| x.tanh()),
    ("relu", 0, [0.0; 2], |x, _, _| relu(x)),
    ("softsign", 0, [0.0; 2], |x, _, _| x / (1.0 + x.abs())),
    ("softplus", 0, [0.0; 2], |x, _, _| softplus(x)),
    ("leakyrelu", 1, [0.01, 0.0], |x, a, _| if x < 0.0 { a * x } else { x }),
    ("thresholdedrelu", 1, [1.0, 0.0], |x, a, _| if x > a { x } else { 0.0 }),
    ("elu", 1, [1.0, 0.0], |x, a, _| if x < 0.0 { a * x.exp_m1() } else { x }),
    ("hardsigmoid", 2, [0.2, 0.5], |x, a, b| (a * x + b).clamp(0.0, 1.0)),
    ("affine", 2, [1.0, 0.0], |x, a, b| a * x + b),
    ("scaledtanh", 2, [1.0, 1.0], |x, a, b| a * (b * x).tanh()),
];

/// The functions of each of `ways` directions: those of the attribute `activations`, or `standard`. Numbers of the attributes
/// `activation_alpha` and `activation_beta` go to the functions that take any, one after another.
pub(super) fn squashes(call: &Call, standard: &[&str], ways: usize) -> Result<Vec<Vec<Squash>>> {
    let asked = call.texts("activations")?;
    let names: Vec<String> = if asked.is_empty() {
        standard.iter().map(|name| name.to_lowercase()).cycle().take(ways * standard.len()).collect()
    } else {
        asked.iter().map(|name| name.to_lowercase()).collect()
    };
    if names.len() != ways * standard.len() {
        return Err(call.refuse(format!("{} activations", ways * standard.len()), names.len()));
    }
    let mut alpha = call.floats("activation_alpha")?.iter();
    let mut beta = call.floats("activation_beta")?.iter();
    let mut all = Vec::with_capacity(names.len());
    for name in &names {
        let known = KNOWN.iter().find(|(known, ..)| known == name);
        let &(_, takes, [a, b], f) =
            known.ok_or_else(|| call.refuse("activations of recurrent cells that ONNX knows", name))?;
        let a = if takes > 0 { alpha.next().copied().unwrap_or(a) } else { a };
        let b = if takes > 1 { beta.next().copied().unwrap_or(b) } else { b };
        all.push(Squash { f, a, b });
    }
    Ok(all.chunks(standard.len()).map(<[Squash]>::to_vec).collect())
}
