//! Resizing, one axis after another: every output is a weighted sum of a few inputs along the axis.
//!
//! The weights follow the standard's own reference implementation, `onnx/reference/ops/op_resize.py`.

use super::super::call::{Answer, Call, array};
use crate::error::Result;
use crate::file::array::{Array, Data};
use ndarray::ArrayD;

/// How one axis changes.
struct Axis {
    axis: usize,
    input: usize,
    output: usize,
    scale: f64,
    /// The part of the axis that is looked at, for `tf_crop_and_resize`.
    crop: (f64, f64),
}

/// What an output is made of; `None` where it lies outside.
type Taps = Option<Vec<(usize, f32)>>;

pub(super) fn resize(call: &Call) -> Answer {
    let x = call.x(0)?;
    let plan = plan(call, x)?;
    let shape = plan.iter().fold(x.shape().to_vec(), |mut shape, a| {
        shape[a.axis] = a.output;
        shape
    });
    call.sized(&shape)?;
    let rules = Rules::new(call)?;
    let mut out = x.to_real().into_owned();
    for axis in &plan {
        if axis.input == 0 {
            return Err(call.refuse("at least one number along each axis", 0));
        }
        if axis.input != axis.output || axis.scale != 1.0 || rules.position == "tf_crop_and_resize" {
            let taps: Vec<Taps> = (0..axis.output).map(|o| rules.taps(axis, o)).collect();
            out = along(call, &out, axis.axis, &taps, rules.outside)?;
        }
    }
    Ok(vec![match x.data() {
        Data::Real(_) => Array::real(x.number(), out),
        Data::Whole(_) => Array::whole(x.number(), out.mapv(|v| v.round_ties_even() as i64)),
    }])
}

/// The weighted sums along an axis.
fn along(call: &Call, x: &ArrayD<f32>, axis: usize, taps: &[Taps], outside: f32) -> Result<ArrayD<f32>> {
    let (side, inner): (usize, usize) = (x.shape()[axis], x.shape()[axis + 1..].iter().product());
    let mut shape = x.shape().to_vec();
    shape[axis] = taps.len();
    call.visit(&[taps.iter().flatten().map(Vec::len).max().unwrap_or(1), shape.iter().product()])?;
    // What is enlarged so far lies beside what comes out.
    call.budget.room(4 * x.len().saturating_add(call.sized(&shape)?))?;
    let mut out = vec![0.0; shape.iter().product()];
    let blocks = x.as_slice().unwrap_or(&[]).chunks_exact((side * inner).max(1));
    for (block, out) in blocks.zip(out.chunks_exact_mut((taps.len() * inner).max(1))) {
        for (taps, line) in taps.iter().zip(out.chunks_exact_mut(inner.max(1))) {
            let Some(taps) = taps else {
                line.fill(outside);
                continue;
            };
            for (at, weight) in taps {
                let from = &block[at * inner..][..inner];
                line.iter_mut().zip(from).for_each(|(out, v)| *out += weight * v);
            }
        }
    }
    array(&shape, out)
}

/// Which axes change, and how much: by scales or sizes for all axes or some.
fn plan(call: &Call, x: &Array) -> Result<Vec<Axis>> {
    let (shape, rank) = (x.shape(), x.shape().len());
    let axes = match call.ints("axes")? {
        Some(axes) => call.places(&axes, rank)?,
        None => (0..rank).collect(),
    };
    // Up to opset 10 the scales were the second input, or an attribute.
    let old = call.opset < 11;
    let filled = |i: usize| call.given(i).filter(|list| !list.is_empty());
    let roi = if old { None } else { filled(1) }.map(|roi| roi.to_real().into_owned());
    let crop = |i: usize| {
        let at = |i: usize| roi.as_ref().and_then(|roi| roi.as_slice()?.get(i)).map(|v| f64::from(*v));
        (at(i).unwrap_or(0.0), at(i + axes.len()).unwrap_or(1.0))
    };
    let scales = match call.node.attributes.get("scales") {
        Some(crate::file::onnx::Attribute::Floats(list)) => Some(list.clone()),
        _ => filled(if old { 1 } else { 2 }).map(|list| list.to_real().iter().copied().collect()),
    };
    let axis = |i: usize, output: usize, scale: f64| Axis {
        axis: axes[i],
        input: shape[axes[i]],
        output,
        scale,
        crop: crop(i),
    };
    if let Some(scales) = scales {
        if scales.len() != axes.len() || scales.iter().any(|s| !(*s > 0.0 && *s < 1e6)) {
            return Err(call.refuse(format!("{} scales above 0", axes.len()), format!("{scales:?}")));
        }
        let output = |i: usize| (shape[axes[i]] as f32 * scales[i]).floor() as usize;
        return Ok((0..axes.len()).map(|i| axis(i, output(i), f64::from(scales[i]))).collect());
    }
    let Some(_) = filled(3) else {
        return Err(call.refuse("scales or sizes", "neither"));
    };
    let sizes: Vec<i64> = call.whole(3)?.iter().copied().collect();
    if sizes.len() != axes.len() || sizes.iter().any(|s| !(1..=1 << 28).contains(s)) {
        return Err(call.refuse(format!("{} sizes of at least 1", axes.len()), format!("{sizes:?}")));
    }
    let scale = |i: usize| sizes[i] as f64 / shape[axes[i]] as f64;
    let all = (0..axes.len()).map(scale);
    let common = match call.text("keep_aspect_ratio_policy", "stretch")? {
        "not_larger" => Some(all.fold(f64::INFINITY, f64::min)),
        "not_smaller" => Some(all.fold(0.0, f64::max)),
        _ => None,
    };
    Ok((0..axes.len())
        .map(|i| match common {
            Some(scale) => axis(i, (scale * shape[axes[i]] as f64 + 0.5).floor() as usize, scale),
            None => axis(i, sizes[i] as usize, scale(i)),
        })
        .collect())
}

/// The operator's settings.
struct Rules<'a> {
    kind: &'a str,
    position: &'a str,
    nearest: &'a str,
    antialias: bool,
    exclude_outside: bool,
    outside: f32,
    cubic: f64,
}

impl<'a> Rules<'a> {
    fn new(call: &'a Call) -> Result<Self> {
        let old = call.opset < 11;
        let rules = Self {
            kind: call.text("mode", "nearest")?,
            position: if old { "asymmetric" } else { call.text("coordinate_transformation_mode", "half_pixel")? },
            nearest: if old { "simple" } else { call.text("nearest_mode", "round_prefer_floor")? },
            antialias: call.int("antialias", 0)? == 1,
            exclude_outside: call.int("exclude_outside", 0)? == 1,
            outside: call.float("extrapolation_value", 0.0)?,
            cubic: f64::from(call.float("cubic_coeff_a", -0.75)?),
        };
        if !matches!(rules.kind, "nearest" | "linear" | "bilinear" | "cubic") {
            return Err(call.refuse("mode nearest, linear or cubic", rules.kind));
        }
        Ok(rules)
    }

    /// Where output `o` lies in the input; `None` if outside the crop.
    fn position(&self, a: &Axis, o: usize) -> Option<f64> {
        let (n, m) = (a.input as f64, a.output as f64);
        // In `f32`, as PyTorch and ONNX Runtime have it: at 0.6, the nearest number at or below 3 / 0.6 is 5, not 4.
        let by = |o: f32| f64::from(o / a.scale as f32);
        let half = f64::from((o as f32 + 0.5) / a.scale as f32 - 0.5);
        let o = o as f64;
        Some(match self.position {
            "asymmetric" => by(o as f32),
            "align_corners" if a.output == 1 => 0.0,
            // What counts is the side that comes out: `scale · n` may be no whole number.
            "align_corners" => o * (n - 1.0) / (m - 1.0),
            "pytorch_half_pixel" if a.output == 1 => 0.0,
            "tf_half_pixel_for_nn" => by(o as f32 + 0.5),
            "half_pixel_symmetric" => n / 2.0 * (1.0 - m / (a.scale * n)) + half,
            "tf_crop_and_resize" => {
                let (start, end) = a.crop;
                let at = match a.output {
                    1 => (start + end) * (n - 1.0) / 2.0,
                    _ => start * (n - 1.0) + o * (end - start) * (n - 1.0) / (m - 1.0),
                };
                return (0.0..=n - 1.0).contains(&at).then_some(at);
            }
            _ => half,
        })
    }

    fn taps(&self, a: &Axis, o: usize) -> Taps {
        let at = self.position(a, o)?;
        // The input on the left, and how far on: more than 0, up to 1.
        let base = at.ceil() - 1.0;
        let (first, mut weights) = self.weights(at - base, a.scale);
        let place = |k: usize| base as i64 + first + k as i64;
        if self.exclude_outside {
            for (k, weight) in weights.iter_mut().enumerate() {
                *weight = if (0..a.input as i64).contains(&place(k)) { *weight } else { 0.0 };
            }
            let sum: f64 = weights.iter().sum();
            weights.iter_mut().for_each(|weight| *weight /= sum);
        }
        let tap = |(k, weight): (usize, &f64)| (place(k).clamp(0, a.input as i64 - 1) as usize, *weight as f32);
        Some(weights.iter().enumerate().map(tap).filter(|(_, weight)| *weight != 0.0).collect())
    }

    /// The first tap from the left neighbour on, and the weights, for an output that lies `ratio` behind it.
    fn weights(&self, ratio: f64, scale: f64) -> (i64, Vec<f64>) {
        let narrow = if self.antialias { scale.min(1.0) } else { 1.0 };
        let (reach, weight): (f64, Box<dyn Fn(f64) -> f64>) = match self.kind {
            "cubic" => (2.0, Box::new(|x: f64| cubic(x, self.cubic))),
            "nearest" => {
                let right = match self.nearest {
                    _ if ratio == 1.0 => true,
                    // Up to opset 10: the next when a side becomes smaller, else the one before.
                    "simple" => scale < 1.0,
                    "floor" => false,
                    "ceil" => true,
                    "round_prefer_ceil" => ratio >= 0.5,
                    _ => ratio > 0.5,
                };
                return (i64::from(right), vec![1.0]);
            }
            _ => (1.0, Box::new(|x: f64| (1.0 - x.abs()).max(0.0))),
        };
        let first = (-reach / narrow).floor() as i64 + 1;
        let mut weights: Vec<f64> = (first..2 - first).map(|k| weight((k as f64 - ratio) * narrow)).collect();
        if self.antialias {
            let sum: f64 = weights.iter().sum();
            weights.iter_mut().for_each(|weight| *weight /= sum);
        }
        (first, weights)
    }
}

/// Keys's cubic kernel, 1981.
fn cubic(x: f64, a: f64) -> f64 {
    let x = x.abs();
    match x {
        _ if x <= 1.0 => ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0,
        _ if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * a,
        _ => 0.0,
    }
}
