//! Normalisations.

use super::super::call::{Answer, Call, array, place};
use super::broadcast::zip;
use crate::error::Result;
use crate::file::array::Array;
use ndarray::{ArrayD, IxDyn};

fn numbers(x: &ArrayD<f32>) -> &[f32] {
    x.as_slice().unwrap_or(&[])
}

fn moments(x: impl Iterator<Item = f32> + Clone) -> (f64, f64) {
    let count = x.clone().count() as f64;
    let mean = x.clone().map(f64::from).sum::<f64>() / count;
    (mean, x.map(|v| (f64::from(v) - mean).powi(2)).sum::<f64>() / count)
}

/// Batch, channels, and numbers in each channel.
fn sides(call: &Call, x: &ArrayD<f32>) -> Result<(usize, usize, usize)> {
    match x.shape() {
        [n, c, sides @ ..] => Ok((*n, *c, sides.iter().product())),
        [n] => Ok((*n, 1, 1)),
        [] => Err(call.refuse("batch and channels", "one number")),
    }
}

/// Input `i`, one number for each of `count`.
fn each<'a>(call: &'a Call, i: usize, count: usize) -> Result<&'a [f32]> {
    let list = call.real(i)?;
    if list.len() != count {
        return Err(call.refuse(format!("{count} numbers as input {i}"), list.len()));
    }
    Ok(numbers(list))
}

fn made(call: &Call, shape: &[usize], values: Vec<f32>) -> Answer {
    Ok(vec![Array::real(call.x(0)?.number(), array(shape, values)?)])
}

pub(super) fn batch(call: &Call) -> Answer {
    let x = call.real(0)?;
    let (_, c, area) = sides(call, x)?;
    let [scale, bias, mean, variance] = [1, 2, 3, 4].map(|i| each(call, i, c));
    let (scale, bias, mut mean, mut variance) = (scale?, bias?, mean?.to_vec(), variance?.to_vec());
    let eps = f64::from(call.float("epsilon", 1e-5)?);
    let training = call.int("training_mode", 0)? == 1;
    let running = [mean.clone(), variance.clone()];
    if training {
        for ch in 0..c {
            let own = numbers(x).iter().enumerate().filter(|(i, _)| i / area % c == ch).map(|(_, v)| *v);
            let (m, v) = moments(own);
            (mean[ch], variance[ch]) = (m as f32, v as f32);
        }
    }
    let line = |ch: usize| {
        let gain = f64::from(scale[ch]) / (f64::from(variance[ch]) + eps).sqrt();
        (gain as f32, (f64::from(bias[ch]) - gain * f64::from(mean[ch])) as f32)
    };
    let lines: Vec<(f32, f32)> = (0..c).map(line).collect();
    let mut out = Vec::with_capacity(x.len());
    for (i, plane) in numbers(x).chunks_exact(area.max(1)).enumerate() {
        let (gain, shift) = lines[i % c];
        out.extend(plane.iter().map(|v| v * gain + shift));
    }
    let mut answers = made(call, x.shape(), out)?;
    if training {
        let keep = call.float("momentum", 0.9)?;
        for (old, new) in running.iter().zip([mean, variance]) {
            let followed = old.iter().zip(new).map(|(old, new)| old * keep + new * (1.0 - keep)).collect();
            answers.push(array(&[c], followed)?.into());
        }
    }
    Ok(answers)
}

/// Each run of numbers of one image with mean 0 and variance 1, then a gain and a shift for each channel.
fn by_run(call: &Call, runs: usize, gain: impl Fn(usize) -> f32, shift: impl Fn(usize) -> f32) -> Answer {
    let x = call.real(0)?;
    let (_, c, area) = sides(call, x)?;
    let (eps, run) = (f64::from(call.float("epsilon", 1e-5)?), c / runs * area);
    let mut out = Vec::with_capacity(x.len());
    for (i, numbers) in numbers(x).chunks_exact(run.max(1)).enumerate() {
        let (mean, variance) = moments(numbers.iter().copied());
        let inverse = 1.0 / (variance + eps).sqrt();
        out.extend(numbers.iter().enumerate().map(|(k, v)| {
            let ch = i % runs * (c / runs) + k / area;
            ((f64::from(*v) - mean) * inverse) as f32 * gain(ch) + shift(ch)
        }));
    }
    made(call, x.shape(), out)
}

pub(super) fn instance(call: &Call) -> Answer {
    let (_, c, _) = sides(call, call.real(0)?)?;
    let (gain, shift) = (each(call, 1, c)?, each(call, 2, c)?);
    by_run(call, c.max(1), |ch| gain[ch], |ch| shift[ch])
}

pub(super) fn group(call: &Call) -> Answer {
    let (_, c, _) = sides(call, call.real(0)?)?;
    let groups = call.int("num_groups", 0)?;
    let Some(groups) = usize::try_from(groups).ok().filter(|&g| g > 0 && c.is_multiple_of(g)) else {
        return Err(call.refuse(format!("groups that divide {c} channels"), groups));
    };
    // Opset 18 had a number for each group, later ones for each channel.
    let count = if call.opset < 21 { groups } else { c };
    let (gain, shift) = (each(call, 1, count)?, each(call, 2, count)?);
    by_run(call, groups, |ch| gain[ch * count / c], |ch| shift[ch * count / c])
}

/// The numbers behind an axis with mean 0 and variance 1, or with mean square 1.
pub(super) fn layer(call: &Call) -> Answer {
    let x = call.real(0)?;
    let rank = x.ndim();
    let axis = call.int("axis", -1)?;
    let axis = place(axis, rank).ok_or_else(|| call.refuse(format!("an axis of rank {rank}"), axis))?;
    let run: usize = x.shape()[axis..].iter().product();
    let eps = f64::from(call.float("epsilon", 1e-5)?);
    let square = call.node.op == "RMSNormalization";
    let (mut out, mut means, mut inverses) = (Vec::with_capacity(x.len()), Vec::new(), Vec::new());
    for run in numbers(x).chunks_exact(run.max(1)) {
        let (mean, variance) = moments(run.iter().copied());
        let (mean, spread) = if square { (0.0, variance + mean * mean) } else { (mean, variance) };
        let inverse = 1.0 / (spread + eps).sqrt();
        out.extend(run.iter().map(|v| ((f64::from(*v) - mean) * inverse) as f32));
        means.push(mean as f32);
        inverses.push(inverse as f32);
    }
    let mut y = zip(call, &array(x.shape(), out)?, call.real(1)?, |v, gain| v * gain)?;
    if let Some(shift) = call.real_or_none(2)? {
        y = zip(call, &y, shift, |v, shift| v + shift)?;
    }
    let shape = [&x.shape()[..axis], &vec![1; rank - axis]].concat();
    let number = call.x(0)?.number();
    Ok(vec![Array::real(number, y), array(&shape, means)?.into(), array(&shape, inverses)?.into()])
}

/// Over neighbouring channels. Krizhevsky et al. 2012.
pub(super) fn local_response(call: &Call) -> Answer {
    let x = call.real(0)?;
    let (n, c, area) = sides(call, x)?;
    let size = usize::try_from(call.int("size", 1)?).unwrap_or(0).clamp(1, 1 << 16);
    let (alpha, beta, bias) = (call.float("alpha", 1e-4)?, call.float("beta", 0.75)?, call.float("bias", 1.0)?);
    call.visit(&[x.len(), size.min(c)])?;
    let data = numbers(x);
    let mut out = Vec::with_capacity(x.len());
    for (image, ch) in (0..n).flat_map(|i| (0..c).map(move |ch| (i, ch))) {
        let near = ch.saturating_sub((size - 1) / 2)..(ch + size / 2 + 1).min(c);
        for i in 0..area {
            let at = |ch: usize| data[(image * c + ch) * area + i];
            let squares: f32 = near.clone().map(|ch| at(ch) * at(ch)).sum();
            out.push(at(ch) / (bias + alpha / size as f32 * squares).powf(beta));
        }
    }
    made(call, x.shape(), out)
}

/// Norm 1 along an axis.
pub(super) fn unit(call: &Call) -> Answer {
    let x = call.real(0)?;
    let axis = call.axis(-1, x.ndim())?;
    let first = call.int("p", 2)? == 1;
    let sum = x.map_axis(ndarray::Axis(axis), |line| {
        let sum: f64 = line.iter().map(|&v| if first { f64::from(v.abs()) } else { f64::from(v).powi(2) }).sum();
        if first { sum as f32 } else { sum.sqrt() as f32 }
    });
    let sum = sum.insert_axis(ndarray::Axis(axis));
    Ok(vec![Array::real(call.x(0)?.number(), zip(call, x, &sum, |v, norm| if norm == 0.0 { 0.0 } else { v / norm })?)])
}

/// Mean 0 and variance 1 over some axes.
pub(super) fn mean_variance(call: &Call) -> Answer {
    let x = call.real(0)?;
    let axes = call.places(&call.ints("axes")?.unwrap_or_else(|| vec![0, 2, 3]), x.ndim())?;
    let mut order: Vec<usize> = (0..x.ndim()).filter(|axis| !axes.contains(axis)).collect();
    let shape: Vec<usize> = (0..x.ndim()).map(|a| if axes.contains(&a) { 1 } else { x.shape()[a] }).collect();
    let run: usize = axes.iter().map(|&axis| x.shape()[axis]).product();
    order.extend(axes);
    let moved = x.view().permuted_axes(order).as_standard_layout().into_owned();
    let both: Vec<(f64, f64)> =
        numbers(&moved).chunks_exact(run.max(1)).map(|run| moments(run.iter().copied())).collect();
    let both = ArrayD::from_shape_vec(IxDyn(&shape), both).map_err(|e| call.refuse("axes of the array", e))?;
    let y = zip(call, x, &both, |v, (mean, variance)| ((f64::from(v) - mean) / (variance.sqrt() + 1e-9)) as f32)?;
    Ok(vec![Array::real(call.x(0)?.number(), y)])
}
