//! Operators that work along axes: sums, extremes, softmax, sorting.

use super::super::call::{Answer, Call, alike, array};
use super::shape::reshaped;
use crate::error::Result;
use crate::file::array::{Array, Data};
use ndarray::ArrayD;

/// What is left of a run of numbers.
type Reduce = (fn(&[f32]) -> f32, fn(&[i64]) -> i64);

fn sum(x: &[f32]) -> f64 {
    x.iter().map(|&x| f64::from(x)).sum()
}

fn squares(x: &[f32]) -> f64 {
    x.iter().map(|&x| f64::from(x) * f64::from(x)).sum()
}

fn max(x: &[f32]) -> f32 {
    x.iter().fold(f32::NEG_INFINITY, |a, &b| if b > a || b.is_nan() { b } else { a })
}

fn log_sum_exp(x: &[f32]) -> f32 {
    let top = max(x);
    if top.is_infinite() {
        return top;
    }
    top + (x.iter().map(|&x| f64::from(x - top).exp()).sum::<f64>()).ln() as f32
}

fn function(op: &str) -> Option<Reduce> {
    let wrapping_sum = |x: &[i64]| x.iter().fold(0, |a: i64, b| a.wrapping_add(*b));
    Some(match op {
        "ReduceSum" => (|x| sum(x) as f32, wrapping_sum),
        "ReduceMean" => (
            |x| (sum(x) / x.len() as f64) as f32,
            |x| x.iter().fold(0, |a: i64, b| a.wrapping_add(*b)).checked_div(x.len() as i64).unwrap_or(0),
        ),
        "ReduceMax" => (max, |x| x.iter().copied().max().unwrap_or(i64::MIN)),
        "ReduceMin" => (
            |x| x.iter().fold(f32::INFINITY, |a, &b| if b < a || b.is_nan() { b } else { a }),
            |x| x.iter().copied().min().unwrap_or(i64::MAX),
        ),
        "ReduceProd" => (
            |x| x.iter().map(|&x| f64::from(x)).product::<f64>() as f32,
            |x| x.iter().fold(1, |a: i64, b| a.wrapping_mul(*b)),
        ),
        "ReduceL1" => (
            |x| x.iter().map(|&x| f64::from(x.abs())).sum::<f64>() as f32,
            |x| x.iter().fold(0, |a: i64, b| a.wrapping_add(b.wrapping_abs())),
        ),
        "ReduceL2" => {
            (|x| squares(x).sqrt() as f32, |x| x.iter().map(|&x| x as f64 * x as f64).sum::<f64>().sqrt() as i64)
        }
        "ReduceSumSquare" => {
            (|x| squares(x) as f32, |x| x.iter().fold(0, |a: i64, b| a.wrapping_add(b.wrapping_mul(*b))))
        }
        "ReduceLogSum" => {
            (|x| sum(x).ln() as f32, |x| (x.iter().fold(0, |a: i64, b| a.wrapping_add(*b)) as f64).ln() as i64)
        }
        "ReduceLogSumExp" => (log_sum_exp, |x| x.iter().map(|&x| (x as f64).exp()).sum::<f64>().ln() as i64),
        _ => return None,
    })
}

pub(super) fn reduce(call: &Call) -> Answer {
    let x = call.x(0)?;
    let rank = x.shape().len();
    let axes = match call.list(1, "axes")? {
        Some(axes) if !axes.is_empty() => call.places(&axes, rank)?,
        _ if call.int("noop_with_empty_axes", 0)? == 1 => vec![],
        _ => (0..rank).collect(),
    };
    let f = function(&call.node.op).ok_or_else(|| call.refuse("a reduction", &call.node.op))?;
    let kept: Vec<usize> = (0..rank).filter(|axis| !axes.contains(axis)).collect();
    let keep = call.int("keepdims", 1)? == 1;
    let shape: Vec<usize> = match keep {
        true => (0..rank).map(|axis| if axes.contains(&axis) { 1 } else { x.shape()[axis] }).collect(),
        false => kept.iter().map(|&axis| x.shape()[axis]).collect(),
    };
    let order = [kept, axes.clone()].concat();
    let run: usize = axes.iter().map(|&axis| x.shape()[axis]).product();
    Ok(vec![match x.data() {
        Data::Real(data) => Array::real(x.number(), runs(data, order, run, &shape, f.0)?),
        // No whole number is below all others of its type but the type's own least.
        Data::Whole(data) => {
            let (least, most) = x.number().limits();
            Array::whole(x.number(), runs(data, order, run, &shape, f.1)?.mapv(|v| v.clamp(least, most)))
        }
    }])
}

/// `f` of each run of numbers behind the axes that are kept.
fn runs<T: Copy>(
    data: &ArrayD<T>,
    order: Vec<usize>,
    run: usize,
    shape: &[usize],
    f: fn(&[T]) -> T,
) -> Result<ArrayD<T>> {
    let moved = data.view().permuted_axes(order);
    let moved = moved.as_standard_layout();
    let numbers = moved.as_slice().unwrap_or(&[]);
    let count = shape.iter().product();
    array(shape, (0..count).map(|i| f(&numbers[i * run..(i + 1) * run])).collect())
}

/// The place of the largest or smallest number along an axis.
pub(super) fn arg(call: &Call) -> Answer {
    let x = call.x(0)?.to_real();
    let axis = call.axis(0, x.ndim())?;
    let (side, inner): (usize, usize) = (x.shape()[axis], x.shape()[axis + 1..].iter().product());
    if side == 0 {
        return Err(call.refuse("at least one number along the axis", 0));
    }
    let last = call.int("select_last_index", 0)? == 1;
    let smallest = call.node.op == "ArgMin";
    let data = x.as_slice().unwrap_or(&[]);
    let best = |i: usize| {
        let start = i / inner * side * inner + i % inner;
        let value = |k: usize| if smallest { -data[start + k * inner] } else { data[start + k * inner] };
        let wins = |a: usize, b: usize| value(b) > value(a) || (last && value(b) == value(a));
        (1..side).fold(0, |best, k| if wins(best, k) { k } else { best }) as i64
    };
    let mut shape = x.shape().to_vec();
    shape[axis] = 1;
    let places: Array = array(&shape, (0..x.len() / side).map(best).collect())?.into();
    if call.int("keepdims", 1)? == 0 {
        shape.remove(axis);
    }
    Ok(vec![reshaped(&places, &shape)?])
}

/// Softmax, its logarithm, or all for the largest. Up to opset 12 over all axes from one on.
pub(super) fn softmax(call: &Call) -> Answer {
    let x = call.x(0)?;
    let data = call.real(0)?;
    let rank = data.ndim();
    let old = call.opset < 13;
    let axis = call.axis(if old { 1 } else { -1 }, rank.max(1))?;
    if data.is_empty() || rank == 0 {
        return Ok(vec![x.clone()]);
    }
    let (side, inner): (usize, usize) = match old {
        true => (data.shape()[axis..].iter().product(), 1),
        false => (data.shape()[axis], data.shape()[axis + 1..].iter().product()),
    };
    let out = lines(data, (side, inner), |line| one_softmax(&call.node.op, call, line));
    Ok(vec![Array::real(x.number(), array(data.shape(), out)?)])
}

/// What `f` makes of every line along an axis of this side, with so many numbers behind each place.
pub(super) fn lines(data: &ArrayD<f32>, (side, inner): (usize, usize), f: impl Fn(&mut [f32])) -> Vec<f32> {
    let mut out: Vec<f32> = data.iter().copied().collect();
    let mut line = vec![0.0; side];
    let rows = out.len().checked_div(side * inner).unwrap_or(0);
    for start in (0..rows).flat_map(|o| (0..inner).map(move |i| o * side * inner + i)) {
        for (k, v) in line.iter_mut().enumerate() {
            *v = out[start + k * inner];
        }
        f(&mut line);
        for (k, v) in line.iter().enumerate() {
            out[start + k * inner] = *v;
        }
    }
    out
}

fn one_softmax(op: &str, call: &Call, line: &mut [f32]) {
    match op {
        "Softmax" => crate::kernel::softmax::softmax(call.level, line, line.len()),
        "LogSoftmax" => crate::kernel::softmax::log_softmax(call.level, line, line.len()),
        _ => {
            let best = crate::kernel::reduce::argmax(line).unwrap_or(0);
            line.fill(0.0);
            line[best] = 1.0;
        }
    }
}

/// Running sums or products along an axis.
pub(super) fn running(call: &Call) -> Answer {
    let x = call.x(0)?;
    let at = call.whole(1)?.iter().next().copied().unwrap_or(0);
    let axis = call.places(&[at], x.shape().len())?[0];
    let (exclusive, reverse) = (call.int("exclusive", 0)? == 1, call.int("reverse", 0)? == 1);
    let (side, inner): (usize, usize) = (x.shape()[axis], x.shape()[axis + 1..].iter().product());
    fn run<T: Copy>(
        data: &ArrayD<T>,
        (side, inner): (usize, usize),
        from: T,
        add: fn(T, T) -> T,
        how: (bool, bool),
    ) -> Vec<T> {
        let mut out: Vec<T> = data.iter().copied().collect();
        let rows = out.len().checked_div(side * inner).unwrap_or(0);
        for start in (0..rows).flat_map(|o| (0..inner).map(move |i| o * side * inner + i)) {
            let mut sum = from;
            for k in 0..side {
                let at = start + if how.1 { side - 1 - k } else { k } * inner;
                let before = sum;
                sum = add(sum, out[at]);
                out[at] = if how.0 { before } else { sum };
            }
        }
        out
    }
    let (sides, how) = ((side, inner), (exclusive, reverse));
    let sums = call.node.op == "CumSum";
    Ok(vec![match x.data() {
        Data::Real(data) if sums => {
            Array::real(x.number(), array(x.shape(), run(data, sides, 0.0, |a, b| a + b, how))?)
        }
        Data::Real(data) => Array::real(x.number(), array(x.shape(), run(data, sides, 1.0, |a, b| a * b, how))?),
        Data::Whole(data) if sums => {
            Array::whole(x.number(), array(x.shape(), run(data, sides, 0, i64::wrapping_add, how))?)
        }
        Data::Whole(data) => Array::whole(x.number(), array(x.shape(), run(data, sides, 1, i64::wrapping_mul, how))?),
    }])
}

/// The `k` largest or smallest along an axis, and their places.
pub(super) fn top_k(call: &Call) -> Answer {
    let x = call.x(0)?;
    let axis = call.axis(-1, x.shape().len())?;
    let side = x.shape()[axis];
    let k = match call.given(1) {
        Some(_) => call.whole(1)?.iter().next().copied().unwrap_or(0),
        None => call.int("k", 1)?,
    };
    let k = usize::try_from(k).ok().filter(|&k| k <= side);
    let k = k.ok_or_else(|| call.refuse(format!("k up to {side}"), "another"))?;
    let largest = call.int("largest", 1)? == 1;
    let values = x.to_real();
    let inner: usize = x.shape()[axis + 1..].iter().product();
    let flat = values.as_slice().unwrap_or(&[]);
    let outer = x.len().checked_div(side * inner).unwrap_or(0);
    let mut found = vec![0_i64; outer * k * inner];
    for (o, i) in (0..outer).flat_map(|o| (0..inner).map(move |i| (o, i))) {
        let value = |p: &usize| flat[(o * side + p) * inner + i];
        let mut order: Vec<usize> = (0..side).collect();
        order.sort_by(|a, b| if largest { value(b).total_cmp(&value(a)) } else { value(a).total_cmp(&value(b)) });
        order[..k].iter().enumerate().for_each(|(p, &at)| found[(o * k + p) * inner + i] = at as i64);
    }
    let mut shape = x.shape().to_vec();
    shape[axis] = k;
    let place = |(i, &p): (usize, &i64)| (i / (k * inner) * side + p as usize) * inner + i % inner;
    let picked = alike!(x, data => {
        let data = data.as_slice().unwrap_or(&[]);
        array(&shape, found.iter().enumerate().map(|at| data[place(at)]).collect())?
    });
    Ok(vec![picked, array(&shape, found)?.into()])
}
