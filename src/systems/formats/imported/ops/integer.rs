//! Operators on whole numbers of 8 bits: products and convolutions with exact sums, and the operators of quantised files
//! (`QLinear…`), which bring their sums back to 8 bits.

use super::super::call::{Answer, Call, array};
use super::broadcast::zip;
use super::conv::sliding;
use super::product::Stacks;
use super::quantise::{quantised, spread};
use super::recurrent::Weights;
use crate::error::Result;
use crate::file::array::{Array, Number};
use crate::file::onnx::Node;
use crate::kernel::Level;
use ndarray::{ArrayD, IxDyn};
use std::sync::Arc;

// One function for each pair of types: what walks two arrays is compiled once for them.
const MINUS: fn(i32, i32) -> i32 = i32::wrapping_sub;
const PLUS: fn(i32, i32) -> i32 = i32::wrapping_add;
const TIMES: fn(f32, f32) -> f32 = |a, b| a * b;
const SCALED: fn(i32, f32) -> f32 = |sum, by| sum as f32 * by;

/// `out += a · b` for each number of a row.
fn add_row(out: &mut [i32], a: i32, b: &[i32]) {
    out.iter_mut().zip(b).for_each(|(out, b)| *out = out.wrapping_add(a.wrapping_mul(*b)));
}

/// `a` (m × k) times `b` (k × n).
fn multiply((m, k, n): (usize, usize, usize), a: &[i32], b: &[i32]) -> Vec<i32> {
    let mut out = vec![0; m * n];
    if k * n > 0 {
        for (row, out) in a.chunks_exact(k).zip(out.chunks_exact_mut(n)) {
            row.iter().zip(b.chunks_exact(n)).filter(|(a, _)| **a != 0).for_each(|(a, b)| add_row(out, *a, b));
        }
    }
    out
}

/// Input `i` less its zero points, input `zero` if it is given: one for all, or one for each place of `axis`.
fn centred(call: &Call, i: usize, zero: usize, axis: usize) -> Result<ArrayD<i32>> {
    let x = call.whole(i)?.mapv(|v| v as i32);
    let Some(_) = call.given(zero) else { return Ok(x) };
    let zero = call.whole(zero)?.mapv(|v| v as i32);
    let less = zip(call, &x, &along(call, &zero, x.shape(), axis)?, MINUS)?;
    if less.shape() != x.shape() {
        return Err(call.refuse(format!("zero points for {:?}", x.shape()), format!("{:?}", zero.shape())));
    }
    Ok(less)
}

/// One number, one for each place of an axis, or an array that broadcasts as it is.
fn along<T: Clone>(call: &Call, list: &ArrayD<T>, shape: &[usize], axis: usize) -> Result<ArrayD<T>> {
    if list.len() == 1 {
        return array(&[], list.iter().cloned().collect());
    }
    if list.ndim() == shape.len() {
        return Ok(list.clone());
    }
    let mut sides = vec![1; shape.len()];
    let fits = sides.get_mut(axis).zip(shape.get(axis)).map(|(side, all)| *side = *all).is_some();
    if !fits || list.len() != shape[axis] {
        return Err(call.refuse(format!("one number, or one for each place of axis {axis} of {shape:?}"), list.len()));
    }
    array(&sides, list.iter().cloned().collect())
}

/// The product of inputs `a` and `b` of the last two axes, each with the input of its zero points.
fn matmul_of(call: &Call, a: (usize, usize), b: (usize, usize)) -> Result<ArrayD<i32>> {
    let rank = |i: usize| call.x(i).map(|x| x.shape().len());
    let (rows, columns) = (rank(a.0)?.saturating_sub(2), rank(b.0)?.saturating_sub(1));
    let (x, y) = (centred(call, a.0, a.1, rows)?, centred(call, b.0, b.1, columns)?);
    stacked(call, &x, &y)
}

fn stacked(call: &Call, x: &ArrayD<i32>, y: &ArrayD<i32>) -> Result<ArrayD<i32>> {
    let Stacks { sides: (m, k, n), starts, shape, .. } = Stacks::new(call, x.shape(), y.shape())?;
    let (a, b) = (x.as_slice().unwrap_or(&[]), y.as_slice().unwrap_or(&[]));
    let each = |&(i, j): &(usize, usize)| multiply((m, k, n), &a[i..i + m * k], &b[j..j + k * n]);
    array(&shape, starts.iter().flat_map(each).collect())
}

fn whole(x: ArrayD<i32>) -> Array {
    Array::whole(Number::I32, x.mapv(i64::from))
}

/// `MatMulInteger`: products of numbers of 8 bits, their sums in 32.
pub(super) fn matmul(call: &Call) -> Answer {
    Ok(vec![whole(matmul_of(call, (0, 2), (1, 3))?)])
}

/// `ConvInteger`: a convolution of numbers of 8 bits, its sums in 32.
pub(super) fn conv(call: &Call) -> Answer {
    Ok(vec![whole(conv_of(call, (0, 2), (1, 3))?)])
}

/// The convolution of input `x` with filters `w`, each with the input of its zero points.
fn conv_of(call: &Call, x: (usize, usize), w: (usize, usize)) -> Result<ArrayD<i32>> {
    let (x, w) = (centred(call, x.0, x.1, 1)?, centred(call, w.0, w.1, 0)?);
    let (window, groups) = sliding(call, x.shape(), w.shape())?;
    let (n, channels, out) = (x.shape()[0], x.shape()[1], w.shape()[0]);
    let (c, oc) = (channels / groups, out / groups);
    let shape = window.shape(call, n, out)?;
    call.visit(&[n, out, w.shape()[1], window.seen()])?;
    let ((area, places), [kd, kh, kw], [_, h, wide]) = (window.areas(), window.kernel, window.input);
    let (x, w) = (x.as_slice().unwrap_or(&[]), w.as_slice().unwrap_or(&[]));
    let taps = kd * kh * kw;
    // Filters as (group, tap, channel) × output, so that the innermost loop runs over outputs.
    let mut rows = vec![0; w.len()];
    for (i, &v) in w.iter().enumerate() {
        let (o, channel, tap) = (i / (c * taps), i / taps % c, i % taps);
        rows[(((o / oc) * taps + tap) * c + channel) * oc + o % oc] = v;
    }
    let mut values = vec![0; shape.iter().product()];
    let mut sums = vec![0; oc];
    for (image, g) in (0..n).flat_map(|i| (0..groups).map(move |g| (i, g))) {
        for (place, [od, oh, ow]) in window.outputs().enumerate() {
            sums.fill(0);
            for (a, d) in window.taps(0, od) {
                for (b, y) in window.taps(1, oh) {
                    for (e, column) in window.taps(2, ow) {
                        let tap = (a * kh + b) * kw + e;
                        for channel in 0..c {
                            let v = x[(image * channels + g * c + channel) * area + (d * h + y) * wide + column];
                            add_row(&mut sums, v, &rows[((g * taps + tap) * c + channel) * oc..][..oc]);
                        }
                    }
                }
            }
            for (o, sum) in sums.iter().enumerate() {
                values[(image * out + g * oc + o) * places + place] = *sum;
            }
        }
    }
    array(&shape, values)
}

/// The one number of an input that is a scale.
fn scale(call: &Call, i: usize) -> Result<f32> {
    call.scalar(i)?.ok_or_else(|| call.refuse(format!("a scale as input {i}"), "none"))
}

/// Sums times their scales, brought to 8 bits with the scale and zero point of inputs `to`.
fn brought(call: &Call, sums: &ArrayD<i32>, scales: &ArrayD<f32>, to: (usize, usize)) -> Answer {
    let (scale, number) = (scale(call, to.0)?, call.x(to.1)?.number());
    let zero = call.scalar(to.1)?.unwrap_or(0.0);
    let (least, most) = number.limits();
    let bring = |sum: i32, by: f32| {
        let step = (f64::from(sum) * f64::from(by / scale)).round_ties_even();
        (step + f64::from(zero)).clamp(least as f64, most as f64) as i64
    };
    Ok(vec![Array::whole(number, zip(call, sums, scales, bring)?)])
}

/// Scales of both factors, multiplied; that of the second along `axis` of the product.
fn scales(call: &Call, (a, b): (usize, usize), shape: &[usize], axis: usize) -> Result<ArrayD<f32>> {
    let first = along(call, call.real(a)?, shape, shape.len().saturating_sub(2))?;
    let second = along(call, call.real(b)?, shape, axis)?;
    zip(call, &first, &second, TIMES)
}

/// `QLinearMatMul`.
pub(super) fn qlinear_matmul(call: &Call) -> Answer {
    let sums = matmul_of(call, (0, 2), (3, 5))?;
    let scales = scales(call, (1, 4), sums.shape(), sums.ndim().saturating_sub(1))?;
    brought(call, &sums, &scales, (6, 7))
}

/// `QLinearConv`.
pub(super) fn qlinear_conv(call: &Call) -> Answer {
    let mut sums = conv_of(call, (0, 2), (3, 5))?;
    if call.given(8).is_some() {
        let bias = along(call, &call.whole(8)?.mapv(|v| v as i32), sums.shape(), 1)?;
        sums = zip(call, &sums, &bias, PLUS)?;
    }
    let first = array(&[], vec![scale(call, 1)?])?;
    let second = along(call, call.real(4)?, sums.shape(), 1)?;
    let scales = zip(call, &first, &second, TIMES)?;
    brought(call, &sums, &scales, (6, 7))
}

/// `QGemm` (`com.microsoft`): `α A B + C`, to 8 bits if a scale is given, else in floating point.
pub(super) fn gemm(call: &Call) -> Answer {
    let turn = |x: ArrayD<i32>, name: &str| -> Result<ArrayD<i32>> {
        if x.ndim() != 2 {
            return Err(call.refuse("two matrices", format!("{:?}", x.shape())));
        }
        Ok(if call.int(name, 0)? != 0 { x.t().as_standard_layout().into_owned() } else { x })
    };
    let columns = usize::from(call.int("transB", 0)? == 0);
    let a = turn(centred(call, 0, 2, 0)?, "transA")?;
    let b = turn(centred(call, 3, 5, columns)?, "transB")?;
    let mut sums = stacked(call, &a, &b)?;
    if call.given(6).is_some() {
        let own = sums.shape().to_vec();
        sums = zip(call, &sums, &call.whole(6)?.mapv(|v| v as i32), PLUS)?;
        if sums.shape() != own {
            return Err(call.refuse(format!("a third array for {own:?}"), format!("{:?}", sums.shape())));
        }
    }
    let alpha = call.float("alpha", 1.0)?;
    let scales = scales(call, (1, 4), sums.shape(), 1)?.mapv(|scale| alpha * scale);
    if call.given(7).is_some() && call.given(8).is_some() {
        return brought(call, &sums, &scales, (7, 8));
    }
    Ok(vec![zip(call, &sums, &scales, SCALED)?.into()])
}

/// `MatMulIntegerToFloat` and `DynamicQuantizeMatMul` (`com.microsoft`): a product of 8 bits in floating point; the second
/// brings its first factor to 8 bits itself.
pub(super) fn matmul_to_real(call: &Call) -> Answer {
    let dynamic = call.node.op == "DynamicQuantizeMatMul";
    let (sums, first, at) = if dynamic {
        let x = call.real(0)?;
        let (steps, scale) = eight_bits(x);
        let a = array(x.shape(), steps)?;
        let b = centred(call, 1, 3, call.x(1)?.shape().len().saturating_sub(1))?;
        (stacked(call, &a, &b)?, array(&[], vec![scale])?, (2, 4))
    } else {
        let sums = matmul_of(call, (0, 4), (1, 5))?;
        let first = along(call, call.real(2)?, sums.shape(), sums.ndim().saturating_sub(2))?;
        (sums, first, (3, 6))
    };
    let second = along(call, call.real(at.0)?, sums.shape(), sums.ndim().saturating_sub(1))?;
    let scales = zip(call, &first, &second, TIMES)?;
    let mut out = zip(call, &sums, &scales, SCALED)?;
    if let Some(bias) = call.real_or_none(at.1)? {
        out = zip(call, &out, bias, |x, bias| x + bias)?;
    }
    Ok(vec![out.into()])
}

/// Numbers as steps from their zero point, of a scale of their own that 256 steps cover, and the scale.
fn eight_bits<'a>(x: impl IntoIterator<Item = &'a f32> + Clone) -> (Vec<i32>, f32) {
    let (low, high) = x.clone().into_iter().fold((0.0_f32, 0.0_f32), |(low, high), &v| (low.min(v), high.max(v)));
    let scale = if high > low { (high - low) / 255.0 } else { 1.0 };
    let zero = (-low / scale).clamp(0.0, 255.0).round_ties_even();
    let step = |v: &f32| (((v / scale).round_ties_even() + zero).clamp(0.0, 255.0) - zero) as i32;
    (x.into_iter().map(step).collect(), scale)
}

/// Weights of 8 bits for factors that are brought to 8 bits before each product.
pub(super) struct Dynamic {
    steps: Vec<i32>,
    /// One for each column.
    scales: Vec<f32>,
    k: usize,
    n: usize,
}

impl Dynamic {
    /// Those of direction `way` (k × n) with the scales and zero points of two inputs: one for all of a direction, or one for
    /// each column. What does not fit counts as 1 and 0.
    pub(super) fn new(
        call: &Call,
        list: &ArrayD<i64>,
        way: usize,
        (k, n): (usize, usize),
        (scale, zero): (usize, usize),
    ) -> Self {
        let of = |i: usize, missing: f32| -> Vec<f32> {
            let all: Vec<f32> = call.given(i).map(|x| x.to_real().iter().copied().collect()).unwrap_or_default();
            let at = |j: usize| if all.len() >= n { way * n + j } else { way.min(all.len().max(1) - 1) };
            (0..n).map(|j| all.get(at(j)).copied().unwrap_or(missing)).collect()
        };
        let (scales, zeros) = (of(scale, 1.0), of(zero, 0.0));
        let own = list.iter().skip(way * k * n).take(k * n);
        let steps = own.enumerate().map(|(i, &v)| v as i32 - zeros[i % n] as i32).collect();
        Self { steps, scales, k, n }
    }
}

impl Weights for Dynamic {
    fn times(&self, _: Level, m: usize, a: &[f32]) -> Vec<f32> {
        let (steps, scale) = eight_bits(a);
        let sums = multiply((m, self.k, self.n), &steps, &self.steps);
        sums.iter().zip(self.scales.iter().cycle()).map(|(sum, by)| *sum as f32 * (scale * by)).collect()
    }
}

/// The other operators of quantised files (`QLinearAdd`, `QLinearConcat` and their like, `com.microsoft`): the operator itself
/// between a conversion from 8 bits and one back.
pub(super) fn qlinear(call: &Call) -> Answer {
    let op = call.node.op.trim_start_matches("QLinear");
    // A concatenation says first what it makes, the others last.
    let (from, count, to) = match op {
        "Concat" => (2, call.inputs.len().saturating_sub(2) / 3, 0),
        "Add" | "Mul" => (0, 2, 6),
        _ => (0, 1, 3),
    };
    let inputs = (0..count).map(|k| {
        let i = from + 3 * k;
        let x = call.x(i)?.to_real();
        let (scale, zero) = (call.scalar(i + 1)?.unwrap_or(1.0), call.scalar(i + 2)?.unwrap_or(0.0));
        Ok(Some(Arc::new(x.mapv(|v| (v - zero) * scale).into())))
    });
    let mut node = Node { op: op.into(), domain: String::new(), ..call.node.clone() };
    let last = call.int("channels_last", 0)? != 0;
    if last {
        return Err(call.refuse("channels before rows and columns", "channels_last"));
    }
    node.attributes.remove("channels_last");
    let inner = Call { node: &node, inputs: inputs.collect::<Result<_>>()?, ..*call };
    let run = super::find("", op).ok_or_else(|| call.refuse("an operator that is known here", op))?;
    let out = run(&inner)?;
    let Some(out) = out.first() else { return Err(call.refuse("one output", 0)) };
    let out = out.to_real();
    let scale = spread(call, call.real(to)?, out.shape())?;
    let (zero, number) = match call.given(to + 1) {
        Some(zero) => (spread(call, &zero.to_real(), out.shape())?, zero.number()),
        None => (ArrayD::zeros(IxDyn(&[])), call.x(from)?.number()),
    };
    Ok(vec![Array::whole(number, quantised(call, &out, &scale, &zero, number)?)])
}
