//! Convolutions: over one and two axes on the engine's kernels, image by image; over three axes as they are written.

use super::super::call::{Answer, Call, array};
use super::window::{Sliding, last, pads, reach, three};
use crate::error::Result;
use crate::file::array::Array;
use crate::kernel::Level;
use crate::kernel::conv::{Forward, Geometry, InputGradient};
use crate::kernel::depthwise::Depthwise;
use crate::kernel::gemm::Store;
use crate::shape::{Shape, Window};
use crate::tensor::Map;
use ndarray::ArrayD;

/// What a convolution works on: its input's and filters' numbers and sides.
struct Filters<'a> {
    weights: &'a [f32],
    bias: Option<&'a [f32]>,
    /// Channels of one group, in and out.
    c: usize,
    oc: usize,
    groups: usize,
}

fn numbers(x: &ArrayD<f32>) -> &[f32] {
    x.as_slice().unwrap_or(&[])
}

/// How many groups the channels and filters fall into.
fn groups(call: &Call, channels: usize, filters: usize) -> Result<usize> {
    let groups = call.int("group", 1)?;
    let fits = |g: &usize| *g > 0 && channels.is_multiple_of(*g) && filters.is_multiple_of(*g) && filters > 0;
    let refuse = || call.refuse(format!("groups that divide {channels} and {filters} channels"), groups);
    usize::try_from(groups).ok().filter(fits).ok_or_else(refuse)
}

/// How filters slide over images, and into how many groups they and the channels fall.
pub(super) fn sliding(call: &Call, x: &[usize], w: &[usize]) -> Result<(Sliding, usize)> {
    let refuse = |c: usize| call.refuse(format!("filters of {c} channels over {x:?}"), format!("{w:?}"));
    if w.len() != x.len() || w.contains(&0) {
        return Err(refuse(x.get(1).copied().unwrap_or(0)));
    }
    let window = Sliding::new(call, x, w.get(2..))?;
    let groups = groups(call, x[1], w[0])?;
    if w[1] != x[1] / groups {
        return Err(refuse(x[1] / groups));
    }
    Ok((window, groups))
}

pub(super) fn conv(call: &Call) -> Answer {
    let (x, w) = (call.real(0)?, call.real(1)?);
    let (window, groups) = sliding(call, x.shape(), w.shape())?;
    let (n, channels, out) = (x.shape()[0], x.shape()[1], w.shape()[0]);
    let (c, oc) = (channels / groups, out / groups);
    let filters = Filters { weights: numbers(w), bias: bias(call, out)?, c, oc, groups };
    let shape = window.shape(call, n, out)?;
    let run = if window.axes == 3 { slow } else { fast };
    let values = if call.idle {
        vec![0.0; shape.iter().product()]
    } else {
        spend(call, window.axes, &[n, out, c, window.seen()])?;
        run(call.level, &window, &filters, numbers(x), n)
    };
    Ok(vec![Array::real(call.x(0)?.number(), array(&shape, values)?)])
}

/// Takes the work of a convolution: over three axes it is a plain loop.
fn spend(call: &Call, axes: usize, counts: &[usize]) -> Result<()> {
    if axes == 3 { call.visit(counts) } else { call.multiply(counts) }
}

fn bias<'a>(call: &'a Call, out: usize) -> Result<Option<&'a [f32]>> {
    let bias = call.real_or_none(2)?;
    match bias {
        Some(bias) if bias.len() != out => Err(call.refuse(format!("{out} biases"), bias.len())),
        _ => Ok(bias.map(numbers)),
    }
}

/// The filters as the kernels take them: for each group `(kh, kw, c) × oc`. `at` finds a filter's number by group, output,
/// channel and tap.
fn arranged(f: &Filters, taps: usize, at: impl Fn(usize, usize, usize, usize) -> usize) -> Vec<f32> {
    let mut out = Vec::with_capacity(f.weights.len());
    for (g, tap) in (0..f.groups).flat_map(|g| (0..taps).map(move |tap| (g, tap))) {
        for c in 0..f.c {
            out.extend((0..f.oc).map(|o| f.weights[at(g, o, c, tap)]));
        }
    }
    out
}

/// An image of channels, one after another, inside a frame of zeros, as pixels.
fn framed(x: &[f32], (h, w): (usize, usize), at: (usize, usize), map: &Map, out: &mut [f32]) {
    let c = map.shape.c;
    for (ch, plane) in x.chunks_exact(h * w).enumerate() {
        for (y, row) in plane.chunks_exact(w).enumerate() {
            let start = map.at(y + at.0, at.1) + ch;
            out[start..].iter_mut().step_by(c).zip(row).for_each(|(out, v)| *out = *v);
        }
    }
}

fn fast(level: Level, window: &Sliding, f: &Filters, x: &[f32], n: usize) -> Vec<f32> {
    let ([_, h, w], [_, oh, ow]) = (window.input, window.output);
    let [_, top, left] = window.before;
    let sides = (h + top + window.after[1], w + left + window.after[2]);
    let from = Map::new(Shape::new(f.c * f.groups, sides.0, sides.1), (0, 0));
    let to = Map::new(Shape::new(f.oc * f.groups, oh, ow), (0, 0));
    let slide = Window {
        kernel: (window.kernel[1], window.kernel[2]),
        stride: (window.stride[1], window.stride[2]),
        pad: (0, 0),
        dilation: (window.dilation[1], window.dilation[2]),
    };
    let taps = slide.kernel.0 * slide.kernel.1;
    let mut kernel = Kernel::new(level, slide, f, from, to, taps);
    let (mut image, mut pixels) = (vec![0.0; from.len()], vec![0.0; to.len()]);
    let mut out = vec![0.0; n * to.len()];
    for (x, y) in x.chunks_exact(f.c * f.groups * h * w).zip(out.chunks_exact_mut(to.len())) {
        framed(x, (h, w), (top, left), &from, &mut image);
        kernel.run(level, &image, f.bias, &mut pixels);
        to.copy_to_chw(&pixels, y);
    }
    out
}

/// The kernel that fits: every channel by itself, or windows of all.
enum Kernel {
    Depthwise(Depthwise),
    Dense(Forward, Vec<f32>),
}

impl Kernel {
    fn new(level: Level, window: Window, f: &Filters, from: Map, to: Map, taps: usize) -> Self {
        if f.c == 1 && f.oc == 1 && f.groups > 1 {
            let mut depthwise = Depthwise::new(window, from, to, None, None);
            depthwise.pack(f.weights);
            return Self::Depthwise(depthwise);
        }
        let weights = arranged(f, taps, |g, o, c, tap| ((g * f.oc + o) * f.c + c) * taps + tap);
        let mut forward = Forward::new(level, Geometry { window, groups: f.groups, x: from, y: to }, 1);
        forward.pack(level, &weights);
        let work = vec![0.0; forward.workspace()];
        Self::Dense(forward, work)
    }

    fn run(&mut self, level: Level, x: &[f32], bias: Option<&[f32]>, y: &mut [f32]) {
        match self {
            Self::Depthwise(depthwise) => depthwise.run(level, 1, x, bias, false, y),
            Self::Dense(forward, work) => forward.run(level, 1, x, Store::Set { bias, relu: false }, y, work),
        }
    }
}

fn slow(_: Level, window: &Sliding, f: &Filters, x: &[f32], n: usize) -> Vec<f32> {
    let (area, _) = window.areas();
    let [kd, kh, kw] = window.kernel;
    let [_, h, w] = window.input;
    let mut out = Vec::new();
    for (image, o) in (0..n).flat_map(|i| (0..f.oc * f.groups).map(move |o| (i, o))) {
        for [od, oh, ow] in window.outputs() {
            let mut sum = f.bias.map_or(0.0, |bias| f64::from(bias[o]));
            for c in 0..f.c {
                let plane = &x[(image * f.c * f.groups + o / f.oc * f.c + c) * area..][..area];
                let filter = &f.weights[(o * f.c + c) * kd * kh * kw..];
                for (a, d) in window.taps(0, od) {
                    for (b, y) in window.taps(1, oh) {
                        for (e, x) in window.taps(2, ow) {
                            let weight = filter[(a * kh + b) * kw + e];
                            sum += f64::from(weight) * f64::from(plane[(d * h + y) * w + x]);
                        }
                    }
                }
            }
            out.push(sum as f32);
        }
    }
    out
}

/// The convolution the other way round: `window.output` is its input, and what `window.input` says is what it makes.
pub(super) fn transpose(call: &Call) -> Answer {
    let (x, w) = (call.real(0)?, call.real(1)?);
    let axes = x.ndim().saturating_sub(2);
    if !(1..=3).contains(&axes) || w.ndim() != x.ndim() || w.shape()[0] != x.shape()[1] || w.is_empty() {
        return Err(call.refuse(format!("filters for {:?}", x.shape()), format!("{:?}", w.shape())));
    }
    let (n, channels) = (x.shape()[0], x.shape()[1]);
    let groups = groups(call, channels, channels)?;
    let (c, oc) = (channels / groups, w.shape()[1]);
    let filters = Filters { weights: numbers(w), bias: bias(call, oc * groups)?, c, oc, groups };
    let (window, full) = turned(call, &x.shape()[2..], &w.shape()[2..])?;
    let shape = [&[n, oc * groups], &window.input[3 - axes..]].concat();
    call.sized(&shape)?;
    call.sized(&[&[oc * groups][..], &full].concat())?;
    spend(call, axes, &[n, oc * groups, c, window.seen()])?;
    let run = if axes == 3 { turned_slow } else { turned_fast };
    let out = run(call.level, &window, &full, &filters, numbers(x), n);
    Ok(vec![Array::real(call.x(0)?.number(), array(&shape, out)?)])
}

/// The window of a transposed convolution, and what it makes before the pads are cut off.
fn turned(call: &Call, input: &[usize], kernel: &[usize]) -> Result<(Sliding, [usize; 3])> {
    let axes = input.len();
    let (stride, dilation) = (three(call, "strides", axes, 1)?, three(call, "dilations", axes, 1)?);
    let (kernel, input) = (last(kernel, 1), last(input, 1));
    let more = three(call, "output_padding", axes, 0)?;
    let ((mut before, mut after), auto) = (pads(call, axes)?, call.text("auto_pad", "NOTSET")?);
    let wanted = match call.ints("output_shape")? {
        Some(_) => Some(three(call, "output_shape", axes, 1)?),
        None => None,
    };
    let (mut output, mut full) = ([1; 3], [1; 3]);
    for axis in 3 - axes..3 {
        let span = input[axis].checked_sub(1).and_then(|last| last.checked_mul(stride[axis]));
        let span = span.ok_or_else(|| call.refuse("at least one number along each axis", 0))?;
        full[axis] = span.saturating_add(reach(kernel[axis], dilation[axis])).saturating_add(more[axis]);
        call.sized(&[full[axis]])?;
        let same = auto.starts_with("SAME").then_some(input[axis] * stride[axis]);
        if let Some(wanted) = wanted.map(|sides| sides[axis]).or(same) {
            // A wanted side beyond what the windows make is filled up at the end.
            full[axis] = full[axis].max(wanted);
            let total = full[axis] - wanted;
            // The larger half is cut at the start but for SAME_UPPER, as the operator's description has it.
            before[axis] = if auto == "SAME_UPPER" { total / 2 } else { total.div_ceil(2) };
            after[axis] = total - before[axis];
        }
        output[axis] =
            full[axis].checked_sub(before[axis] + after[axis]).filter(|&side| side > 0).ok_or_else(|| {
                call.refuse("pads that leave something", format!("{} of {}", before[axis] + after[axis], full[axis]))
            })?;
    }
    Ok((Sliding { input: output, kernel, stride, dilation, before, after, output: input, axes }, full))
}

fn turned_fast(level: Level, s: &Sliding, full: &[usize; 3], f: &Filters, x: &[f32], n: usize) -> Vec<f32> {
    let ([_, h, w], [_, oh, ow]) = (s.output, s.input);
    let window = Window {
        kernel: (s.kernel[1], s.kernel[2]),
        stride: (s.stride[1], s.stride[2]),
        pad: (0, 0),
        dilation: (s.dilation[1], s.dilation[2]),
    };
    let taps = window.kernel.0 * window.kernel.1;
    let halo = Geometry::gradient_halo(&window, (full[1], full[2]), (h, w));
    let from = Map::new(Shape::new(f.c * f.groups, h, w), halo);
    let to = Map::new(Shape::new(f.oc * f.groups, full[1], full[2]), (0, 0));
    // To the kernel this is the gradient of a convolution from `to` to `from`.
    let turned = Filters { weights: f.weights, bias: None, c: f.oc, oc: f.c, groups: f.groups };
    let weights = arranged(&turned, taps, |g, o, c, tap| ((g * f.c + o) * f.oc + c) * taps + tap);
    let mut kernel = InputGradient::new(level, Geometry { window, groups: f.groups, x: to, y: from }, 1);
    kernel.pack(level, &weights);
    let step = f.oc * f.groups;
    let bias: Vec<f32> = f.bias.map_or_else(|| vec![0.0; step], <[f32]>::to_vec);
    let mut work = vec![0.0; kernel.workspace()];
    let (mut image, mut pixels) = (vec![0.0; from.len()], vec![0.0; to.len()]);
    let mut out = Vec::with_capacity(n * bias.len() * oh * ow);
    for x in x.chunks_exact(f.c * f.groups * h * w) {
        from.fill_from_chw(x, &mut image);
        kernel.run(level, 1, &image, Store::SET, &mut pixels, &mut work);
        for (ch, bias) in bias.iter().enumerate() {
            for y in 0..oh {
                let row = &pixels[to.at(y + s.before[1], s.before[2]) + ch..];
                out.extend(row.iter().step_by(step).take(ow).map(|v| v + bias));
            }
        }
    }
    out
}

fn turned_slow(_: Level, s: &Sliding, _: &[usize; 3], f: &Filters, x: &[f32], n: usize) -> Vec<f32> {
    let (made, given) = s.areas();
    let [kd, kh, kw] = s.kernel;
    let [_, h, w] = s.input;
    let mut out = Vec::with_capacity(n * f.oc * f.groups * made);
    for (image, o) in (0..n).flat_map(|i| (0..f.oc * f.groups).map(move |o| (i, o))) {
        let mut plane = vec![f.bias.map_or(0.0, |bias| bias[o]); made];
        for c in 0..f.c {
            let channel = o / f.oc * f.c + c;
            let from = &x[(image * f.c * f.groups + channel) * given..][..given];
            let filter = &f.weights[(channel * f.oc + o % f.oc) * kd * kh * kw..];
            for ([d, y, x], v) in s.outputs().zip(from) {
                for (a, d) in s.taps(0, d) {
                    for (b, y) in s.taps(1, y) {
                        for (e, x) in s.taps(2, x) {
                            plane[(d * h + y) * w + x] += v * filter[(a * kh + b) * kw + e];
                        }
                    }
                }
            }
        }
        out.extend(plane);
    }
    out
}
