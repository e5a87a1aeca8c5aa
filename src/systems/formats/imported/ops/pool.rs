//! Pooling over one to three axes.

use super::super::call::{Answer, Call, array};
use super::window::{Sliding, last, pads, three};
use crate::error::Result;
use crate::file::array::{Array, Data};
use ndarray::ArrayD;

/// The largest number under each window and, if asked, its place.
pub(super) fn max(call: &Call) -> Answer {
    let x = call.x(0)?;
    let window = Sliding::new(call, x.shape(), None)?;
    let shape = window.shape(call, x.shape()[0], x.shape()[1])?;
    call.visit(&[x.shape()[0], x.shape()[1], window.seen()])?;
    let columns = call.int("storage_order", 0)? == 1;
    let (values, places) = match x.data() {
        Data::Real(data) => {
            let (values, places) = largest(&window, data, f32::NEG_INFINITY, |a, b| b > a || b.is_nan());
            (Array::real(x.number(), array(&shape, values)?), places)
        }
        Data::Whole(data) => {
            let (values, places) = largest(&window, data, i64::MIN, |a, b| b > a);
            (Array::whole(x.number(), array(&shape, values)?), places)
        }
    };
    if call.node.outputs.len() < 2 {
        return Ok(vec![values]);
    }
    let place = |(i, at): (usize, usize)| {
        let (area, out) = window.areas();
        let [d, h, w] = window.input;
        let inside = if columns { (at % w * h + at / w % h) * d + at / (w * h) } else { at };
        (i / out * area + inside) as i64
    };
    Ok(vec![values, array(&shape, places.into_iter().enumerate().map(place).collect())?.into()])
}

fn largest<T: Copy>(s: &Sliding, x: &ArrayD<T>, least: T, beats: fn(T, T) -> bool) -> (Vec<T>, Vec<usize>) {
    let (area, _) = s.areas();
    let [_, h, w] = s.input;
    let (mut values, mut places) = (Vec::new(), Vec::new());
    for plane in x.as_slice().unwrap_or(&[]).chunks_exact(area.max(1)) {
        for [od, oh, ow] in s.outputs() {
            let (mut best, mut place) = (least, 0);
            for (_, d) in s.taps(0, od) {
                for (_, y) in s.taps(1, oh) {
                    let row = (d * h + y) * w;
                    for (_, x) in s.taps(2, ow) {
                        if beats(best, plane[row + x]) {
                            (best, place) = (plane[row + x], row + x);
                        }
                    }
                }
            }
            values.push(best);
            places.push(place);
        }
    }
    (values, places)
}

/// The mean, or the Lᵖ norm, under each window.
pub(super) fn average(call: &Call) -> Answer {
    let x = call.real(0)?;
    let window = Sliding::new(call, x.shape(), None)?;
    let shape = window.shape(call, x.shape()[0], x.shape()[1])?;
    call.visit(&[x.shape()[0], x.shape()[1], window.seen()])?;
    let (area, _) = window.areas();
    let [_, h, w] = window.input;
    let padding = call.int("count_include_pad", 0)? == 1;
    let norm = power(call, "LpPool")?;
    let mut out = Vec::new();
    for plane in x.as_slice().unwrap_or(&[]).chunks_exact(area.max(1)) {
        for at in window.outputs() {
            let (mut sum, mut count) = (0.0, 0);
            for (_, d) in window.taps(0, at[0]) {
                for (_, y) in window.taps(1, at[1]) {
                    for (_, x) in window.taps(2, at[2]) {
                        let v = f64::from(plane[(d * h + y) * w + x]);
                        sum += norm.map_or(v, |p| v.abs().powf(p));
                        count += 1;
                    }
                }
            }
            let counted = (0..3).map(|axis| window.counted(axis, at[axis])).product();
            let divisor = if padding { counted } else { count };
            out.push(norm.map_or_else(|| sum / f64::from(divisor.max(1) as u32), |p| sum.powf(1.0 / p)) as f32);
        }
    }
    Ok(vec![Array::real(call.x(0)?.number(), array(&shape, out)?)])
}

fn power(call: &Call, op: &str) -> Result<Option<f64>> {
    Ok(if call.node.op == op { Some(call.int("p", 2)?.max(1) as f64) } else { None })
}

/// Each number at the place that max pooling gave, zeros elsewhere.
pub(super) fn unpool(call: &Call) -> Answer {
    let (x, places) = (call.real(0)?, call.whole(1)?);
    let axes = x.ndim().saturating_sub(2);
    if !(1..=3).contains(&axes) || places.shape() != x.shape() {
        return Err(call.refuse(format!("a place for each of {:?}", x.shape()), format!("{:?}", places.shape())));
    }
    let [kernel, stride] = [three(call, "kernel_shape", axes, 1)?, three(call, "strides", axes, 1)?];
    let (before, after) = pads(call, axes)?;
    let input = last(&x.shape()[2..], 1);
    let side = |a: usize| (input[a].saturating_sub(1) * stride[a] + kernel[a]).saturating_sub(before[a] + after[a]);
    let mut shape = x.shape()[..2].to_vec();
    shape.extend((3 - axes..3).map(side));
    // Places count over the array that was pooled, which a third input may set into the corner of a larger one.
    let pooled = shape.clone();
    call.sized(&pooled)?;
    if call.given(2).is_some() {
        shape = call.whole(2)?.iter().map(|&side| usize::try_from(side).unwrap_or(0)).collect();
    }
    if shape.len() != pooled.len() || shape.iter().zip(&pooled).any(|(to, from)| to < from) {
        return Err(call.refuse(format!("an output of at least {pooled:?}"), format!("{shape:?}")));
    }
    let mut out = vec![0.0; call.sized(&shape)?];
    let count = pooled.iter().product();
    for (v, &place) in x.iter().zip(places) {
        let inside = usize::try_from(place).ok().filter(|&place| place < count);
        let mut rest = inside.ok_or_else(|| call.refuse(format!("places below {count}"), place))?;
        let (mut at, mut step) = (0, 1);
        for (from, to) in pooled.iter().zip(&shape).rev() {
            (at, rest, step) = (at + rest % from * step, rest / from, step * to);
        }
        out[at] = *v;
    }
    Ok(vec![Array::real(call.x(0)?.number(), array(&shape, out)?)])
}

/// One number for each channel: the largest, the mean or the Lᵖ norm of all.
pub(super) fn global(call: &Call) -> Answer {
    let x = call.real(0)?;
    let [n, c, sides @ ..] = x.shape() else {
        return Err(call.refuse("batch and channels", format!("{:?}", x.shape())));
    };
    let area: usize = sides.iter().product();
    if area == 0 {
        return Err(call.refuse("at least one number in each channel", 0));
    }
    let norm = power(call, "GlobalLpPool")?;
    let one = |plane: &[f32]| match norm {
        Some(p) => plane.iter().map(|&v| f64::from(v.abs()).powf(p)).sum::<f64>().powf(1.0 / p) as f32,
        None if call.node.op == "GlobalMaxPool" => plane.iter().copied().fold(f32::NEG_INFINITY, f32::max),
        None => (plane.iter().map(|&v| f64::from(v)).sum::<f64>() / area as f64) as f32,
    };
    let shape = [&[*n, *c][..], &vec![1; sides.len()]].concat();
    let values = x.as_slice().unwrap_or(&[]).chunks_exact(area).map(one).collect();
    Ok(vec![Array::real(call.x(0)?.number(), array(&shape, values)?)])
}
