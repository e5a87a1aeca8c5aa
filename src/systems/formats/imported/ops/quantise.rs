//! Numbers as small whole ones and back: `x ≈ (q − zero point) · scale`, one scale for all, for each place of an axis, or
//! for each block along it.

use super::super::call::{Answer, Call, array};
use super::broadcast::zip;
use super::elementwise::number;
use crate::error::Result;
use crate::file::array::{Array, Number};
use ndarray::{ArrayD, Axis, IxDyn};

/// Scales or zero points, so that they broadcast over an array of this shape.
pub(super) fn spread(call: &Call, list: &ArrayD<f32>, shape: &[usize]) -> Result<ArrayD<f32>> {
    if list.len() == 1 {
        return array(&[], list.iter().copied().collect());
    }
    let axis = call.axis(1, shape.len())?;
    let block = call.int("block_size", 0)?;
    if let (Ok(block @ 1..), true) = (usize::try_from(block), list.ndim() == shape.len()) {
        let places: Vec<usize> = (0..shape[axis]).map(|i| i / block).collect();
        if places.last().is_some_and(|&last| last >= list.shape()[axis]) {
            return Err(call.refuse(format!("a scale for each {block} of {shape:?}"), format!("{:?}", list.shape())));
        }
        return Ok(list.select(Axis(axis), &places));
    }
    let mut sides = vec![1; shape.len()];
    sides[axis] = shape[axis];
    if list.len() != shape[axis] {
        return Err(call.refuse(format!("{} scales", shape[axis]), list.len()));
    }
    array(&sides, list.iter().copied().collect())
}

/// Numbers in steps of a scale from a zero point, within the limits of a type.
pub(super) fn quantised(
    call: &Call,
    x: &ArrayD<f32>,
    scale: &ArrayD<f32>,
    zero: &ArrayD<f32>,
    to: Number,
) -> Result<ArrayD<i64>> {
    let (least, most) = to.limits();
    let steps = zip(call, x, scale, |x, scale| f64::from((x / scale).round_ties_even()))?;
    zip(call, &steps, zero, |q, zero| (q + f64::from(zero)).clamp(least as f64, most as f64) as i64)
}

pub(super) fn quantise(call: &Call) -> Answer {
    let x = call.x(0)?.to_real();
    let scale = spread(call, &call.x(1)?.to_real(), x.shape())?;
    let to = match call.given(2) {
        Some(zero) => zero.number(),
        None if call.int("output_dtype", 0)? != 0 => number(call, "output_dtype", 2)?,
        None => Number::U8,
    };
    let zero = match call.given(2) {
        Some(zero) => spread(call, &zero.to_real(), x.shape())?,
        None => ArrayD::zeros(IxDyn(&[])),
    };
    if !to.is_whole() {
        return Err(call.refuse("a whole number type to quantise to", format!("{to:?}")));
    }
    Ok(vec![Array::whole(to, quantised(call, &x, &scale, &zero, to)?)])
}

pub(super) fn dequantise(call: &Call) -> Answer {
    let q = call.whole(0)?;
    let scale = spread(call, call.real(1)?, q.shape())?;
    let to = match call.int("output_dtype", 0)? {
        0 => call.x(1)?.number(),
        _ => number(call, "output_dtype", 1)?,
    };
    let zero = match call.given(2) {
        Some(zero) => spread(call, &zero.to_real(), q.shape())?,
        None => ArrayD::zeros(IxDyn(&[])),
    };
    let steps = zip(call, q, &zero, |q, zero| (q as f64 - f64::from(zero)) as f32)?;
    Ok(vec![Array::real(to, zip(call, &steps, &scale, |q, scale| q * scale)?)])
}

/// To 8 bits with a scale of the numbers' own, which it answers, too.
pub(super) fn dynamic(call: &Call) -> Answer {
    let x = call.real(0)?;
    let low = x.iter().copied().fold(0.0, f32::min);
    let high = x.iter().copied().fold(0.0, f32::max);
    let scale = (high - low) / 255.0;
    let zero = if scale == 0.0 { 0.0 } else { (-low / scale).clamp(0.0, 255.0).round_ties_even() };
    let one = |v: f32| array(&[], vec![v]);
    let q = quantised(call, x, &one(if scale == 0.0 { 1.0 } else { scale })?, &one(zero)?, Number::U8)?;
    let zero = Array::whole(Number::U8, array(&[], vec![zero as i64])?);
    Ok(vec![Array::whole(Number::U8, q), one(scale)?.into(), zero])
}
