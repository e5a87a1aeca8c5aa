//! The step of a long short-term memory, forward and backward, for one sequence: the products before it are GEMM's.
//!
//! Gates lie as PyTorch has them: input, forget, cell, output, `hidden` numbers each. Hochreiter and Schmidhuber 1997, with the
//! forget gate of Gers et al. 2000. The kernels are elementwise, so their bits are the same at every lane level.

use super::Level;
use super::act::{sigmoid, sigmoid_backward, tanh, tanh_backward};
use fearless_simd::{Simd, dispatch};
use fearless_simd_macros::simd;

/// Gates of a cell.
pub const GATES: usize = 4;

/// Turns the sums before the `gates` into the gates and takes the step: `c = f ⊙ c₀ + i ⊙ g`, `t = tanh c`, `h = o ⊙ t`.
///
/// `before` is the cell before the step. All but `gates`, which has four times as many, have `hidden` numbers.
pub fn lstm(
    level: Level,
    gates: &mut [f32],
    before: &[f32],
    cell: &mut [f32],
    squashed: &mut [f32],
    hidden: &mut [f32],
) {
    let n = hidden.len();
    assert_eq!(gates.len(), GATES * n);
    sigmoid(level, &mut gates[..2 * n]);
    tanh(level, &mut gates[2 * n..3 * n]);
    sigmoid(level, &mut gates[3 * n..]);
    dispatch!(level, simd => keep_body(simd, gates, before, cell));
    squashed.copy_from_slice(cell);
    tanh(level, squashed);
    dispatch!(level, simd => product_body(simd, &gates[3 * n..], squashed, hidden));
}

/// `c = f ⊙ c₀ + i ⊙ g`.
#[simd]
fn keep_body<S: Simd>(_: S, gates: &[f32], before: &[f32], cell: &mut [f32]) {
    let n = cell.len();
    let (input, rest) = gates.split_at(n);
    let (forget, rest) = rest.split_at(n);
    for ((((c, before), i), f), g) in cell.iter_mut().zip(before).zip(input).zip(forget).zip(rest) {
        *c = f * before + i * g;
    }
}

/// `out = a ⊙ b`.
#[simd]
fn product_body<S: Simd>(_: S, a: &[f32], b: &[f32], out: &mut [f32]) {
    for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
        *out = a * b;
    }
}

/// What [`lstm`] left of a step.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// The four gates.
    pub gates: &'a [f32],
    /// The cell before the step.
    pub before: &'a [f32],
    /// The hyperbolic tangent of the cell after it.
    pub squashed: &'a [f32],
}

/// The way back through [`lstm`]: from the gradients of the hidden state and of the cell after the step, writes those of the
/// sums before the gates, and turns the cell's into that of the cell before.
pub fn lstm_backward(level: Level, step: Step<'_>, dhidden: &[f32], dcell: &mut [f32], dgates: &mut [f32]) {
    let n = dhidden.len();
    assert!(step.gates.len() == GATES * n && dgates.len() == GATES * n && dcell.len() == n);
    dispatch!(level, simd => backward_body(simd, step, dhidden, dcell, dgates));
    sigmoid_backward(level, &step.gates[..2 * n], &mut dgates[..2 * n]);
    tanh_backward(level, &step.gates[2 * n..3 * n], &mut dgates[2 * n..3 * n]);
    sigmoid_backward(level, &step.gates[3 * n..], &mut dgates[3 * n..]);
}

#[simd]
fn backward_body<S: Simd>(_: S, step: Step<'_>, dhidden: &[f32], dcell: &mut [f32], dgates: &mut [f32]) {
    let n = dhidden.len();
    for k in 0..n {
        let [i, f, g, o] = [0, 1, 2, 3].map(|gate| step.gates[gate * n + k]);
        let (t, dh) = (step.squashed[k], dhidden[k]);
        let dc = dcell[k] + dh * o * ((1.0 - t) * (1.0 + t));
        dgates[k] = dc * g;
        dgates[n + k] = dc * step.before[k];
        dgates[2 * n + k] = dc * i;
        dgates[3 * n + k] = dh * t;
        dcell[k] = dc * f;
    }
}
