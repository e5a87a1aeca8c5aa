//! Convolutions: filters turned to have their channels first, and TensorFlow's padding as such that is alike on both sides.

use super::super::builder::{Hold, Wire, ints, permuted, reshaped};
use super::super::translate::Translator;
use super::Job;
use crate::error::Result;
use crate::file::onnx::Attribute;
use crate::tensor::Tensor;
use ndarray::{ArrayD, IxDyn, Slice};

/// How a window slides over the axes of a map.
pub(super) struct Slide {
    pub(super) kernel: Vec<usize>,
    pub(super) stride: Vec<usize>,
    pub(super) dilation: Vec<usize>,
    pub(super) before: Vec<usize>,
    pub(super) behind: Vec<usize>,
    /// Padding that depends on a side that is open, left to whoever runs the graph.
    pub(super) auto: bool,
    pub(super) output: Vec<Option<usize>>,
}

impl Slide {
    /// TensorFlow's rule: as many outputs as strides fit into the input, and what is missing for that padded, the larger half
    /// behind. Source: `tensorflow/core/framework/kernel_shape_util.cc`.
    pub(super) fn new(
        job: &Job,
        input: &Wire,
        padding: &str,
        kernel: Vec<usize>,
        stride: Vec<usize>,
        dilation: Vec<usize>,
    ) -> Result<Self> {
        let axes = kernel.len();
        let (mut before, mut behind) = match (&input.pad, padding) {
            (Some((before, behind)), "valid") => (before.clone(), behind.clone()),
            _ => (vec![0; axes], vec![0; axes]),
        };
        let (mut output, mut auto) = (Vec::new(), false);
        for (axis, &side) in input.spatial().iter().enumerate() {
            let reach =
                (kernel[axis] - 1).checked_mul(dilation[axis]).filter(|reach| *reach < super::super::settings::MOST);
            let reach = reach.ok_or_else(|| job.layer.refuse("a window of a usual size", kernel[axis]))?;
            match (padding, side) {
                // The side has what is padded already.
                ("valid", side) => {
                    let span = side.map(|side| side.checked_sub(reach + 1).map(|rest| rest / stride[axis] + 1));
                    let out = span.map(|out| {
                        out.ok_or_else(|| job.layer.refuse("windows within the input", format!("{side:?}")))
                    });
                    output.push(out.transpose()?);
                }
                ("causal", side) => {
                    before[axis] = reach;
                    output.push(side.map(|side| side.div_ceil(stride[axis])));
                }
                ("same", Some(side)) => {
                    let out = side.div_ceil(stride[axis]);
                    let missing = ((out.max(1) - 1) * stride[axis] + reach + 1).saturating_sub(side);
                    (before[axis], behind[axis]) = (missing / 2, missing - missing / 2);
                    output.push(Some(out));
                }
                ("same", None) => {
                    auto |= stride[axis] > 1;
                    (before[axis], behind[axis]) = (reach / 2, reach - reach / 2);
                    output.push(None);
                }
                (other, _) => return Err(job.layer.refuse("padding valid, same or causal", other)),
            }
        }
        Ok(Self { kernel, stride, dilation, before, behind, auto, output })
    }

    pub(super) fn attributes(&self) -> Vec<(&'static str, Attribute)> {
        let mut list = vec![("kernel_shape", ints(&self.kernel)), ("strides", ints(&self.stride))];
        if self.dilation.iter().any(|&d| d > 1) {
            list.push(("dilations", ints(&self.dilation)));
        }
        match self.auto {
            true => list.push(("auto_pad", Attribute::Text("SAME_UPPER".into()))),
            false => list.push(("pads", ints(&[&self.before[..], &self.behind].concat()))),
        }
        list
    }

    /// Makes the padding alike on both sides where zeros at the edge of the filters can take its place: networks that train and
    /// show their maps have one number for both.
    fn balance(&mut self, mut weight: Tensor) -> Tensor {
        for axis in 0..self.kernel.len() {
            let (before, behind, d) = (self.before[axis], self.behind[axis], self.dilation[axis]);
            let most = before.max(behind);
            if self.auto || before == behind || before.abs_diff(behind) % d != 0 {
                continue;
            }
            let (front, rear) = ((most - before) / d, (most - behind) / d);
            weight = widened(weight, axis + 2, front, rear);
            self.kernel[axis] += front + rear;
            (self.before[axis], self.behind[axis]) = (most, most);
        }
        weight
    }
}

/// Zeros before and behind one axis.
fn widened(weight: Tensor, axis: usize, front: usize, rear: usize) -> Tensor {
    let mut sides = weight.shape().to_vec();
    let own = sides[axis];
    sides[axis] += front + rear;
    let mut wide = ArrayD::zeros(IxDyn(&sides));
    wide.slice_axis_mut(ndarray::Axis(axis), Slice::from(front..front + own)).assign(&weight);
    wide
}

/// The settings of a layer's window: strides and dilation. TensorFlow takes one of them at most.
fn steps(job: &Job, axes: usize) -> Result<(Vec<usize>, Vec<usize>)> {
    Ok((job.layer.each("strides", axes, 1)?, job.layer.each("dilation_rate", axes, 1)?))
}

/// Maps for a layer over so many axes: those that are there, with the zeros around them that nobody has put there yet.
pub(super) fn maps(t: &mut Translator, job: &Job, x: Wire, axes: usize, keep_pad: bool) -> Result<Wire> {
    if x.sides.len() != axes + 1 {
        return Err(job.layer.refuse(format!("an input with {axes} axes and channels"), format!("{:?}", x.sides)));
    }
    match x.hold {
        Hold::First if keep_pad => Ok(x),
        _ => Ok(t.out.first(x)),
    }
}

impl Translator<'_> {
    pub(super) fn conv(&mut self, job: &Job, x: Wire, axes: usize) -> Result<Wire> {
        let kernel = self.weight(job, "kernel", 0, axes + 2)?;
        // Height, width, channels in, channels out; the last two come first.
        let order: Vec<usize> = [axes + 1, axes].into_iter().chain(0..axes).collect();
        let weight = permuted(kernel, &order);
        let groups = job.layer.int("groups", 1)?;
        let x = self.slide(job, x, axes, weight, groups, 1)?;
        self.own_activation(job, x)
    }

    /// A convolution with these filters, with the bias that is weight number `bias` if there is one.
    fn slide(&mut self, job: &Job, x: Wire, axes: usize, weight: Tensor, groups: usize, bias: usize) -> Result<Wire> {
        let padding = job.layer.text("padding", "valid")?.to_string();
        let x = maps(self, job, x, axes, padding == "valid")?;
        let (stride, dilation) = steps(job, axes)?;
        let (out, each) = (weight.shape()[0], weight.shape()[1]);
        let fits = groups > 0 && out % groups == 0 && x.channels().is_none_or(|c| Some(c) == each.checked_mul(groups));
        if !fits {
            let got = format!("{:?} in {groups} groups for {:?}", weight.shape(), x.sides);
            return Err(job.layer.refuse("filters for the channels there are", got));
        }
        let mut slide = Slide::new(job, &x, &padding, weight.shape()[2..].to_vec(), stride, dilation)?;
        let weight = slide.balance(weight);
        let mut attributes = slide.attributes();
        if groups > 1 {
            attributes.push(("group", Attribute::Int(groups as i64)));
        }
        let weight = self.out.constant(&job.part("weight"), weight);
        let mut inputs = vec![x.name.as_str(), &weight];
        let name;
        if job.layer.flag("use_bias", true) {
            let bias = self.channels(job, "bias", bias, out)?;
            name = self.out.constant(&job.part("bias"), bias);
            inputs.push(&name);
        }
        let made = self.out.node("Conv", &job.name, &inputs, &attributes);
        let sides = slide.output.into_iter().chain([Some(out)]).collect();
        Ok(Wire::new(made, sides, Hold::First))
    }

    /// Filters of one channel each; behind a separable convolution's those of one pixel.
    pub(super) fn depthwise(&mut self, job: &Job, x: Wire, axes: usize) -> Result<Wire> {
        let separable = job.layer.class.starts_with("Separable");
        // Keras 3 calls that of a layer which has no other the kernel.
        let own = self.weight(job, "depthwise_kernel", 0, axes + 2);
        let kernel = own.or_else(|_| self.weight(job, "kernel", 0, axes + 2))?;
        let (channels, many) = (kernel.shape()[axes], kernel.shape()[axes + 1]);
        let order: Vec<usize> = [axes, axes + 1].into_iter().chain(0..axes).collect();
        let kernel = permuted(kernel, &order);
        let sides = [&[channels * many, 1], &kernel.shape()[2..]].concat();
        let weight = reshaped(&job.name, kernel, &sides)?;
        if !separable {
            let x = self.slide(job, x, axes, weight, channels, 1)?;
            return self.own_activation(job, x);
        }
        let x = self.spread(job, x, axes, weight, channels)?;
        let pixel = self.weight(job, "pointwise_kernel", 1, axes + 2)?;
        let order: Vec<usize> = [axes + 1, axes].into_iter().chain(0..axes).collect();
        let pixel = permuted(pixel, &order);
        let (out, ones) = (pixel.shape()[0], pixel.shape()[2..].iter().all(|&k| k == 1));
        if pixel.shape()[1] != channels * many || !ones {
            return Err(job.layer.refuse("filters of one pixel for these channels", format!("{:?}", pixel.shape())));
        }
        let x = self.pixels(job, x, pixel, Some(2).filter(|_| job.layer.flag("use_bias", true)), out)?;
        self.own_activation(job, x)
    }

    /// The first half of a separable convolution, under a name of its own.
    fn spread(&mut self, job: &Job, x: Wire, axes: usize, weight: Tensor, channels: usize) -> Result<Wire> {
        let padding = job.layer.text("padding", "valid")?.to_string();
        let x = maps(self, job, x, axes, padding == "valid")?;
        if x.channels() != Some(channels) {
            return Err(job.layer.refuse(format!("{channels} channels"), format!("{:?}", x.sides)));
        }
        let (stride, dilation) = steps(job, axes)?;
        let out = weight.shape()[0];
        let mut slide = Slide::new(job, &x, &padding, weight.shape()[2..].to_vec(), stride, dilation)?;
        let weight = slide.balance(weight);
        let attributes = [slide.attributes(), vec![("group", Attribute::Int(channels as i64))]].concat();
        let weight = self.out.constant(&job.part("depthwise.weight"), weight);
        let made = self.out.node("Conv", &job.part("depthwise"), &[&x.name, &weight], &attributes);
        Ok(Wire::new(made, slide.output.into_iter().chain([Some(out)]).collect(), Hold::First))
    }

    /// A convolution of single pixels.
    pub(super) fn pixels(
        &mut self,
        job: &Job,
        x: Wire,
        weight: Tensor,
        bias: Option<usize>,
        out: usize,
    ) -> Result<Wire> {
        let kernel = vec![1; weight.ndim() - 2];
        let weight = self.out.constant(&job.part("weight"), weight);
        let mut inputs = vec![x.name.as_str(), &weight];
        let name;
        if let Some(index) = bias {
            let bias = self.channels(job, "bias", index, out)?;
            name = self.out.constant(&job.part("bias"), bias);
            inputs.push(&name);
        }
        let made = self.out.node("Conv", &job.name, &inputs, &[("kernel_shape", ints(&kernel))]);
        Ok(Wire::new(made, x.spatial().iter().copied().chain([Some(out)]).collect(), Hold::First))
    }

    /// The way back from smaller maps. Padded as the convolution that it is the way back of.
    pub(super) fn conv_transpose(&mut self, job: &Job, x: Wire, axes: usize) -> Result<Wire> {
        let x = maps(self, job, x, axes, false)?;
        let kernel = self.weight(job, "kernel", 0, axes + 2)?;
        let order: Vec<usize> = [axes + 1, axes].into_iter().chain(0..axes).collect();
        // Keras has the channels that come out before those that go in.
        let mut weight = permuted(kernel, &order);
        let (stride, dilation) = steps(job, axes)?;
        let out = weight.shape()[1];
        let plain = dilation.iter().all(|&d| d == 1) && job.layer.get("output_padding").is_none();
        if !plain || x.channels() != Some(weight.shape()[0]) {
            return Err(job
                .layer
                .refuse("filters for the channels there are, without dilation or output_padding", "others"));
        }
        let padding = job.layer.text("padding", "valid")?;
        let (mut pads, mut more, mut sides) = (Vec::new(), Vec::new(), Vec::new());
        for (axis, &s) in stride.iter().enumerate() {
            let k = weight.shape()[axis + 2];
            more.push(s.saturating_sub(k));
            let cut = match padding {
                "valid" => 0,
                "same" => k.saturating_sub(s),
                other => return Err(job.layer.refuse("padding valid or same", other)),
            };
            // The larger half is cut behind: one more zero before the filter makes both alike.
            if cut % 2 == 1 {
                weight = widened(weight, axis + 2, 1, 0);
            }
            pads.push(cut.div_ceil(2));
            let grown = |side: usize| side.checked_mul(s)?.checked_add(k.saturating_sub(s).saturating_sub(cut));
            sides.push(x.sides[axis].map(|side| grown(side).unwrap_or(usize::MAX)));
        }
        let kernel = weight.shape()[2..].to_vec();
        let weight = self.out.constant(&job.part("weight"), weight);
        let mut inputs = vec![x.name.as_str(), &weight];
        let name;
        if job.layer.flag("use_bias", true) {
            let bias = self.channels(job, "bias", 1, out)?;
            name = self.out.constant(&job.part("bias"), bias);
            inputs.push(&name);
        }
        let attributes = [
            ("kernel_shape", ints(&kernel)),
            ("strides", ints(&stride)),
            ("pads", ints(&[&pads[..], &pads].concat())),
            ("output_padding", ints(&more)),
        ];
        let made = self.out.node("ConvTranspose", &job.name, &inputs, &attributes);
        let x = Wire::new(made, sides.into_iter().chain([Some(out)]).collect(), Hold::First);
        self.own_activation(job, x)
    }
}
