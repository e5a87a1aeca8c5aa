//! Operators that pick numbers by their place, or places by their number.

use super::super::call::{Answer, Call, alike, array, place};
use super::shape::reshaped;
use crate::error::Result;
use crate::file::array::{Array, Data};
use ndarray::{ArrayD, Axis, Dimension, IxDyn, Slice};

/// Indices into a side, from its end if negative.
fn places(call: &Call, indices: impl IntoIterator<Item = i64>, side: usize) -> Result<Vec<usize>> {
    let place = |i: i64| place(i, side).ok_or_else(|| call.refuse(format!("indices into {side}"), i));
    indices.into_iter().map(place).collect()
}

/// The numbers at these places of an axis.
fn taken(call: &Call, x: &Array, axis: usize, places: &[usize]) -> Result<Array> {
    let mut shape = x.shape().to_vec();
    shape[axis] = places.len();
    call.sized(&shape)?;
    Ok(alike!(x, data => data.select(Axis(axis), places)))
}

pub(super) fn gather(call: &Call) -> Answer {
    let (x, indices) = (call.x(0)?, call.whole(1)?);
    let axis = call.axis(0, x.shape().len())?;
    let flat = taken(call, x, axis, &places(call, indices.iter().copied(), x.shape()[axis])?)?;
    let (before, behind) = (&x.shape()[..axis], &x.shape()[axis + 1..]);
    Ok(vec![reshaped(&flat, &[before, indices.shape(), behind].concat())?])
}

/// The numbers at these places of the last axis (`ai.onnx.ml`); of a vector, as one row.
pub(super) fn features(call: &Call) -> Answer {
    let (x, indices) = (call.x(0)?, call.whole(1)?);
    let Some(axis) = x.shape().len().checked_sub(1) else {
        return Err(call.refuse("an array of features", "one number"));
    };
    let out = taken(call, x, axis, &places(call, indices.iter().copied(), x.shape()[axis])?)?;
    Ok(vec![if axis == 0 { reshaped(&out, &[1, out.len()])? } else { out }])
}

/// Where each number of `indices`, an array over `shape`, points when it stands in for the coordinate of an axis.
fn along(call: &Call, shape: &[usize], axis: usize, indices: &ArrayD<i64>) -> Result<Vec<usize>> {
    let fits = indices.shape().iter().zip(shape).enumerate().all(|(i, (a, b))| i == axis || a <= b);
    if indices.ndim() != shape.len() || !fits {
        return Err(call.refuse(format!("indices within {shape:?}"), format!("{:?}", indices.shape())));
    }
    let at = |(mut at, &index): (IxDyn, &i64)| {
        at[axis] =
            place(index, shape[axis]).ok_or_else(|| call.refuse(format!("indices into {}", shape[axis]), index))?;
        Ok(at.as_array_view().iter().zip(shape).fold(0, |flat, (at, side)| flat * side + at))
    };
    indices.indexed_iter().map(at).collect()
}

pub(super) fn gather_elements(call: &Call) -> Answer {
    let (x, indices) = (call.x(0)?, call.whole(1)?);
    let axis = call.axis(0, x.shape().len())?;
    let places = along(call, x.shape(), axis, indices)?;
    Ok(vec![alike!(x, data => {
        let data = data.as_slice().unwrap_or(&[]);
        array(indices.shape(), places.iter().map(|&at| data[at]).collect())?
    })])
}

pub(super) fn scatter_elements(call: &Call) -> Answer {
    let (x, indices) = (call.x(0)?, call.whole(1)?);
    let axis = call.axis(0, x.shape().len())?;
    let places = along(call, x.shape(), axis, indices)?;
    scattered(call, &places, 1)
}

/// A number that updates can be.
trait Number: Copy + PartialOrd + std::ops::Add<Output = Self> + std::ops::Mul<Output = Self> {}
impl Number for f32 {}
impl Number for i64 {}

/// `x` with updates set, or met as the operator says: runs of `length`, each from a place on.
fn scattered(call: &Call, places: &[usize], length: usize) -> Answer {
    let (x, updates, how) = (call.x(0)?, call.x(2)?, call.text("reduction", "none")?);
    if updates.len() != places.len() * length {
        return Err(call.refuse(format!("{} updates", places.len() * length), updates.len()));
    }
    fn set<T: Number>(x: &ArrayD<T>, updates: &ArrayD<T>, places: &[usize], length: usize, how: &str) -> ArrayD<T> {
        let mut out = x.clone();
        let numbers = out.as_slice_mut().unwrap_or(&mut []);
        for (i, &new) in updates.iter().enumerate() {
            let old = &mut numbers[places[i / length] + i % length];
            *old = match how {
                "add" => *old + new,
                "mul" => *old * new,
                "max" if *old > new => *old,
                "min" if *old < new => *old,
                _ => new,
            };
        }
        out
    }
    Ok(vec![match (x.data(), updates.data()) {
        (Data::Real(a), Data::Real(b)) => Array::real(x.number(), set(a, b, places, length, how)),
        (Data::Whole(a), Data::Whole(b)) => Array::whole(x.number(), set(a, b, places, length, how)),
        _ => return Err(call.refuse("updates of the array's type", format!("{:?}", updates.number()))),
    }])
}

/// The index vectors in the last axis of `indices`, checked against the leading sides of `shape`.
fn vectors(call: &Call, shape: &[usize], indices: &ArrayD<i64>) -> Result<(usize, Vec<usize>)> {
    let depth = indices.shape().last().copied().unwrap_or(0);
    if depth == 0 || depth > shape.len() {
        return Err(call.refuse(format!("index vectors into {shape:?}"), format!("{:?}", indices.shape())));
    }
    let at = |(i, &index): (usize, &i64)| {
        let side = shape[i % depth];
        place(index, side).ok_or_else(|| call.refuse(format!("indices into {side}"), index))
    };
    Ok((depth, indices.iter().enumerate().map(at).collect::<Result<_>>()?))
}

pub(super) fn scatter_nd(call: &Call) -> Answer {
    let (x, indices) = (call.x(0)?, call.whole(1)?);
    let (depth, flat) = vectors(call, x.shape(), indices)?;
    let length: usize = x.shape()[depth..].iter().product();
    let start = |index: &[usize]| index.iter().zip(x.shape()).fold(0, |at, (i, side)| at * side + i) * length;
    let places: Vec<usize> = flat.chunks_exact(depth).map(start).collect();
    if length == 0 {
        return Ok(vec![x.clone()]);
    }
    scattered(call, &places, length)
}

pub(super) fn gather_nd(call: &Call) -> Answer {
    let (x, indices) = (call.x(0)?, call.whole(1)?);
    let batch = usize::try_from(call.int("batch_dims", 0)?).unwrap_or(usize::MAX);
    if batch >= indices.ndim().min(x.shape().len()) || x.shape()[..batch] != indices.shape()[..batch] {
        return Err(call.refuse("batch axes that both have alike", batch));
    }
    let inner = &x.shape()[batch..];
    let (depth, flat) = vectors(call, inner, indices)?;
    let length: usize = inner[depth..].iter().product();
    let each: usize = inner.iter().product();
    let batches: usize = x.shape()[..batch].iter().product();
    let rows = (flat.len() / depth).checked_div(batches).unwrap_or(0).max(1);
    let shape = [&indices.shape()[..indices.ndim() - 1], &inner[depth..]].concat();
    call.sized(&shape)?;
    let start = |row: usize, index: &[usize]| {
        index.iter().zip(inner).fold(0, |at, (i, side)| at * side + i) * length + row / rows * each
    };
    let starts: Vec<usize> = flat.chunks_exact(depth).enumerate().map(|(row, index)| start(row, index)).collect();
    Ok(vec![alike!(x, data => {
        let data = data.as_slice().unwrap_or(&[]);
        array(&shape, starts.iter().flat_map(|&at| data[at..at + length].iter().copied()).collect())?
    })])
}

pub(super) fn slice(call: &Call) -> Answer {
    let mut x = call.x(0)?.clone();
    let rank = x.shape().len();
    let list = |i: usize, name: &str| call.list(i, name)?.ok_or_else(|| call.refuse(name, "none"));
    let (starts, ends) = (list(1, "starts")?, list(2, "ends")?);
    let axes = call.list(3, "axes")?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = call.list(4, "steps")?.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
        return Err(call.refuse("as many ends, axes and steps as starts", starts.len()));
    }
    for (i, axis) in call.places(&axes, rank)?.into_iter().enumerate() {
        let (side, step) = (x.shape()[axis] as i64, steps[i]);
        if step == 0 {
            return Err(call.refuse("steps other than 0", 0));
        }
        // Backwards a slice may begin at the last number and end before the first.
        let (low, high) = if step > 0 { (0, side) } else { (-1, side - 1) };
        let at = |i: i64| (if i < 0 { i.saturating_add(side) } else { i }).clamp(low, high);
        let (start, end) = (at(starts[i]), at(ends[i]));
        let count = if step > 0 { end - start } else { start - end }.max(0) as u64;
        let count = count.div_ceil(step.unsigned_abs());
        x = if step == 1 {
            let range = start as usize..start as usize + count as usize;
            alike!(&x, data => data.slice_axis(Axis(axis), Slice::from(range)).to_owned())
        } else {
            let places: Vec<usize> = (0..count as i64).map(|k| (start + k * step) as usize).collect();
            taken(call, &x, axis, &places)?
        };
    }
    Ok(vec![x])
}

pub(super) fn pad(call: &Call) -> Answer {
    let x = call.x(0)?;
    let rank = x.shape().len();
    let pads = match call.list(1, "pads")? {
        Some(pads) => pads,
        None => call.ints("paddings")?.ok_or_else(|| call.refuse("pads", "none"))?,
    };
    let axes = match call.given(3) {
        Some(_) => call.places(&call.whole(3)?.iter().copied().collect::<Vec<_>>(), rank)?,
        None => (0..rank).collect(),
    };
    if pads.len() != 2 * axes.len() {
        return Err(call.refuse(format!("{} pads", 2 * axes.len()), pads.len()));
    }
    let mode = call.text("mode", "constant")?;
    let value = match call.given(2) {
        Some(value) => value.clone(),
        None => array(&[], vec![call.float("value", 0.0)?])?.into(),
    };
    let mut out = x.clone();
    for (i, &axis) in axes.iter().enumerate() {
        let (before, after) = (pads[i], pads[axes.len() + i]);
        out = padded(call, &out, axis, (before, after), mode, &value)?;
    }
    Ok(vec![out])
}

/// One axis made longer, or shorter by negative pads.
fn padded(
    call: &Call,
    x: &Array,
    axis: usize,
    (before, after): (i64, i64),
    mode: &str,
    value: &Array,
) -> Result<Array> {
    let side = x.shape()[axis] as i64;
    let end = after.checked_add(side).filter(|end| *end <= 1 << 28 && before <= 1 << 28);
    let end = end.filter(|end| *end >= before.saturating_neg());
    let end = end.ok_or_else(|| call.refuse(format!("pads for {side}"), format!("{before} and {after}")))?;
    if mode == "constant" {
        let inside: Vec<usize> = (0..side as usize).filter(|&i| i as i64 >= -before && (i as i64) < end).collect();
        let kept = taken(call, x, axis, &inside)?;
        let mut shape = kept.shape().to_vec();
        shape[axis] = (end + before) as usize;
        call.sized(&shape)?;
        // Where nothing of it is left, the pads may end before it would begin.
        let start = if inside.is_empty() { 0 } else { before.max(0) as usize };
        let inner = Slice::from(start..start + inside.len());
        let value = value.cast(x.number());
        return Ok(match (kept.data(), value.data()) {
            (Data::Real(kept), Data::Real(value)) => {
                let fill = value.iter().next().copied().unwrap_or(0.0);
                Array::real(x.number(), framed(kept, &shape, axis, inner, fill))
            }
            (Data::Whole(kept), Data::Whole(value)) => {
                let fill = value.iter().next().copied().unwrap_or(0);
                Array::whole(x.number(), framed(kept, &shape, axis, inner, fill))
            }
            _ => x.clone(),
        });
    }
    // Negative pads crop first: what is repeated is what they leave.
    let (first, left) = ((-before).max(0), side + before.min(0) + after.min(0));
    if mode == "wrap" && left <= 0 && end + before > 0 {
        return Err(call.refuse("at least one number to repeat", format!("{side} less {before} and {after}")));
    }
    let fold = |i: i64| match mode {
        "edge" => i.clamp(0, side - 1),
        "wrap" => first + (i - first).rem_euclid(left),
        _ if side == 1 => 0,
        _ => (side - 1) - (i.rem_euclid(2 * side - 2) - (side - 1)).abs(),
    };
    if !matches!(mode, "edge" | "wrap" | "reflect") {
        return Err(call.refuse("mode constant, reflect, edge or wrap", mode));
    }
    if side == 0 && end + before > 0 {
        return Err(call.refuse("at least one number to repeat", 0));
    }
    taken(call, x, axis, &(-before..end).map(|i| fold(i) as usize).collect::<Vec<_>>())
}

/// `inner` in an array that is `fill` around it.
fn framed<T: Copy>(kept: &ArrayD<T>, shape: &[usize], axis: usize, inner: Slice, fill: T) -> ArrayD<T> {
    let mut out = ArrayD::from_elem(shape, fill);
    out.slice_axis_mut(Axis(axis), inner).assign(kept);
    out
}

/// What a condition chooses along an axis, or of all numbers in a row.
pub(super) fn compress(call: &Call) -> Answer {
    let (x, chosen) = (call.x(0)?, call.whole(1)?);
    let flat;
    let (x, axis) = if call.node.attributes.contains_key("axis") {
        (x, call.axis(0, x.shape().len())?)
    } else {
        flat = reshaped(x, &[x.len()])?;
        (&flat, 0)
    };
    if chosen.len() > x.shape()[axis] {
        return Err(call.refuse(format!("at most {} conditions", x.shape()[axis]), chosen.len()));
    }
    let places: Vec<usize> = chosen.iter().enumerate().filter(|(_, c)| **c != 0).map(|(i, _)| i).collect();
    Ok(vec![taken(call, x, axis, &places)?])
}

/// Sequences turned round within their lengths.
pub(super) fn reverse_sequence(call: &Call) -> Answer {
    let (x, lengths) = (call.x(0)?, call.whole(1)?);
    let (time, batch) = (call.int("time_axis", 0)?, call.int("batch_axis", 1)?);
    let [time, batch] = call.places(&[time, batch], x.shape().len())?[..] else {
        return Err(call.refuse("an axis of steps and one of sequences", "others"));
    };
    let (steps, count) = (x.shape()[time], x.shape()[batch]);
    let fits = |n: &i64| (0..=steps as i64).contains(n);
    if lengths.len() != count || !lengths.iter().all(fits) {
        return Err(call.refuse(format!("{count} lengths up to {steps}"), format!("{lengths:?}")));
    }
    let lengths: Vec<usize> = lengths.iter().map(|&n| n as usize).collect();
    Ok(vec![alike!(x, data => {
        let mut out = data.clone();
        for (k, &length) in lengths.iter().enumerate() {
            for t in 0..length {
                let from = data.index_axis(Axis(batch), k);
                let axis = Axis(time - usize::from(batch < time));
                out.index_axis_mut(Axis(batch), k).index_axis_mut(axis, t).assign(&from.index_axis(axis, length - 1 - t));
            }
        }
        out
    })])
}

/// Axes cut, or filled with zeros, to the sides that are asked, about their middles.
pub(super) fn center_crop_pad(call: &Call) -> Answer {
    let x = call.x(0)?;
    let rank = x.shape().len();
    let axes = call.ints("axes")?.map_or_else(|| Ok((0..rank).collect()), |axes| call.places(&axes, rank))?;
    let sides: Vec<i64> = call.whole(1)?.iter().copied().collect();
    if sides.len() != axes.len() || sides.iter().any(|side| !(0..=1 << 28).contains(side)) {
        return Err(call.refuse(format!("{} sides", axes.len()), format!("{sides:?}")));
    }
    let zero = array(&[], vec![0.0_f32])?.into();
    let mut out = x.clone();
    for (&axis, &side) in axes.iter().zip(&sides) {
        let more = side - out.shape()[axis] as i64;
        // What is odd goes to the end, or comes off there.
        let before = if more >= 0 { more / 2 } else { -(-more / 2) };
        out = padded(call, &out, axis, (before, more - before), "constant", &zero)?;
    }
    Ok(vec![out])
}

/// The upper or lower triangle of matrices.
pub(super) fn trilu(call: &Call) -> Answer {
    let x = call.x(0)?;
    let &[.., rows, columns] = x.shape() else {
        return Err(call.refuse("matrices", format!("{:?}", x.shape())));
    };
    let k = if call.given(1).is_some() { call.whole(1)?.iter().next().copied().unwrap_or(0) } else { 0 };
    let upper = call.int("upper", 1)? == 1;
    let keeps = |i: usize| {
        let off = (i % columns) as i64 - (i / columns % rows) as i64;
        if upper { off >= k } else { off <= k }
    };
    Ok(vec![alike!(x, data => {
        let kept = data.iter().enumerate().map(|(i, &v)| if keeps(i) { v } else { Default::default() });
        array(x.shape(), kept.collect())?
    })])
}

/// The places of all numbers that are not zero, one row for each axis.
pub(super) fn non_zero(call: &Call) -> Answer {
    let x = call.x(0)?.to_real();
    let found: Vec<IxDyn> = x.indexed_iter().filter(|(_, v)| **v != 0.0).map(|(at, _)| at).collect();
    let values = (0..x.ndim()).flat_map(|axis| found.iter().map(move |at| at[axis] as i64)).collect();
    Ok(vec![array(&[x.ndim(), found.len()], values)?.into()])
}

pub(super) fn one_hot(call: &Call) -> Answer {
    let (indices, values) = (call.x(0)?.to_real().mapv(|x| x as i64), call.x(2)?);
    let depth = call.scalar(1)?.unwrap_or(0.0).clamp(0.0, 1e9) as usize;
    let rank = indices.ndim() + 1;
    let axis = call.axis(-1, rank)?;
    let mut shape = indices.shape().to_vec();
    shape.insert(axis, depth);
    let len = call.sized(&shape)?;
    let inner: usize = indices.shape()[axis..].iter().product();
    let flat: Vec<i64> = indices.iter().copied().collect();
    let hot = |i: usize| {
        let index = flat[i / (inner * depth) * inner + i % inner];
        place(index, depth) == Some(i / inner % depth)
    };
    if values.shape() != [2] {
        return Err(call.refuse("an off value and an on value", format!("{:?}", values.shape())));
    }
    Ok(vec![alike!(values, pair => array(&shape, (0..len).map(|i| pair[[usize::from(hot(i))].as_slice()]).collect())?)])
}
