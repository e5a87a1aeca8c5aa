//! Which layer an operator is.

use super::super::ops::window::{Sliding, pads, three};
use super::{Lowering, flat, no};
use crate::error::Result;
use crate::file::onnx::Node;
use crate::kernel::lrn::Response;
use crate::kernel::resize::Between;
use crate::nn::Wire;
use crate::nn::layer::Layer;
use crate::nn::layers::act::Activation;
use crate::nn::layers::add::Add;
use crate::nn::layers::affine::Affine;
use crate::nn::layers::batch_norm::BatchNorm;
use crate::nn::layers::concat::Concat;
use crate::nn::layers::conv::Conv;
use crate::nn::layers::conv_transpose::ConvTranspose;
use crate::nn::layers::dropout::Dropout;
use crate::nn::layers::flatten::Flatten;
use crate::nn::layers::lrn::LocalResponseNorm;
use crate::nn::layers::norm::{Norm, Over};
use crate::nn::layers::pool::Pool;
use crate::nn::layers::prelu::Prelu;
use crate::nn::layers::scale::Scale;
use crate::nn::layers::upsample::Upsample;
use crate::shape::{Shape, Window};
use crate::tensor::Tensor;
use ndarray::IxDyn;

impl<'a> Lowering<'a> {
    /// Adds the layer that a node is.
    pub(super) fn node(&mut self, node: &'a Node) -> Result<()> {
        if node.outputs.first().is_some_and(|name| self.done.contains(name.as_str())) {
            return Ok(());
        }
        match node.op.as_str() {
            "Conv" => self.conv(node),
            "ConvTranspose" => self.conv_transpose(node),
            "Gemm" => self.gemm(node),
            "MatMul" => self.matmul(node),
            "MaxPool" | "AveragePool" => self.pool(node),
            "GlobalAveragePool" => self.one(node, Pool::GlobalAverage),
            "GlobalMaxPool" => {
                let Shape { h, w, .. } = self.graph.shape(self.wire(node, 0)?);
                let window = Window { kernel: (h, w), ..Window::square(1) };
                self.one(node, Pool::Max(window))
            }
            "ReduceMean" => self.mean(node),
            "BatchNormalization" => self.batch_norm(node),
            "InstanceNormalization" | "GroupNormalization" | "LayerNormalization" => self.norm(node),
            "LRN" => self.local_response(node),
            "PRelu" => self.prelu(node),
            "Add" | "Sum" => self.join(node, Add),
            "Concat" => self.concat(node),
            "Mul" => self.mul(node),
            "Resize" | "Upsample" => self.upsample(node),
            "Flatten" | "Reshape" | "Squeeze" | "Unsqueeze" => self.reshape(node),
            "Identity" | "Cast" => self.alias(node, self.wire(node, 0)?),
            "Softmax" | "LogSoftmax" if self.model.graph.outputs.iter().any(|p| node.outputs[0] == p.name) => {
                self.alias(node, self.wire(node, 0)?)
            }
            "Dropout" => self.one(node, Dropout(self.call(node).float("ratio", 0.5)?)),
            _ => self.one(node, self.activation(node)?),
        }
    }

    fn one(&mut self, node: &'a Node, layer: impl Layer + 'static) -> Result<()> {
        let x = self.wire(node, 0)?;
        self.add(node, layer, &[x], vec![])
    }

    fn activation(&self, node: &'a Node) -> Result<Activation> {
        let call = self.call(node);
        Ok(match node.op.as_str() {
            "Relu" => Activation::Relu,
            "Sigmoid" => Activation::Sigmoid,
            "Tanh" => Activation::Tanh,
            "LeakyRelu" => Activation::LeakyRelu(call.float("alpha", 0.01)?),
            "Elu" => Activation::Elu(call.float("alpha", 1.0)?),
            "Selu" if node.attributes.is_empty() => Activation::Selu,
            "Gelu" if call.text("approximate", "none")? == "none" => Activation::Gelu,
            "HardSwish" => Activation::HardSwish,
            "HardSigmoid"
                if (call.float("alpha", 0.2)? * 6.0 - 1.0).abs() < 1e-6 && call.float("beta", 0.5)? == 0.5 =>
            {
                Activation::HardSigmoid
            }
            "Softplus" => Activation::Softplus,
            "Clip" => {
                let old = call.opset < 11;
                let low = if old { call.float("min", f32::MIN)? } else { call.scalar(1)?.unwrap_or(f32::MIN) };
                let high = if old { call.float("max", f32::MAX)? } else { call.scalar(2)?.unwrap_or(f32::MAX) };
                match (low, high) {
                    (0.0, 6.0) => Activation::Relu6,
                    (0.0, high) if high >= f32::MAX => Activation::Relu,
                    _ => return Err(no("bounds 0 and 6")),
                }
            }
            _ => return Err(no("an operator that is a layer here, with its usual settings")),
        })
    }

    /// The window of a convolution or pooling, padded alike on both sides.
    fn window(&self, node: &'a Node, kernel: Option<&[usize]>) -> Result<(Window, Sliding)> {
        let sides = self.trace.sides(node.inputs.first().map_or("", |name| name));
        let s = Sliding::new(&self.call(node), sides, kernel)?;
        let pair = |three: [usize; 3]| (three[1], three[2]);
        if s.axes > 2 || s.before != s.after {
            return Err(no("one or two axes, padded alike on both sides"));
        }
        let window =
            Window { kernel: pair(s.kernel), stride: pair(s.stride), pad: pair(s.before), dilation: pair(s.dilation) };
        Ok((window, s))
    }

    fn conv(&mut self, node: &'a Node) -> Result<()> {
        let (weight, bias) = (self.constant(node, 1)?, self.optional(node, 2)?);
        let (window, _) = self.window(node, weight.shape().get(2..))?;
        let groups = usize::try_from(self.call(node).int("group", 1)?).unwrap_or(0);
        let layer = Conv { out: weight.shape()[0], window, groups, bias: bias.is_some() };
        let x = self.wire(node, 0)?;
        self.add(node, layer, &[x], vec![("weight", Some(tall(weight)?)), ("bias", bias)])
    }

    fn conv_transpose(&mut self, node: &'a Node) -> Result<()> {
        let (weight, bias) = (self.constant(node, 1)?, self.optional(node, 2)?);
        let call = self.call(node);
        let axes = weight.ndim().saturating_sub(2);
        let plain = call.int("group", 1)? == 1
            && call.text("auto_pad", "NOTSET")? == "NOTSET"
            && !node.attributes.contains_key("output_shape");
        let (before, after) = pads(&call, axes.min(3))?;
        if !plain || !(1..=2).contains(&axes) || before != after {
            return Err(no("one group over one or two axes, padded alike on both sides"));
        }
        let read = |name: &str, missing: usize| three(&call, name, axes, missing).map(|v| (v[1], v[2]));
        let (stride, dilation, output_pad) = (read("strides", 1)?, read("dilations", 1)?, read("output_padding", 0)?);
        let weight = tall(weight)?;
        let window =
            Window { kernel: (weight.shape()[2], weight.shape()[3]), stride, pad: (before[1], before[2]), dilation };
        let layer = ConvTranspose { out: weight.shape()[1], window, output_pad, bias: bias.is_some() };
        let x = self.wire(node, 0)?;
        self.add(node, layer, &[x], vec![("weight", Some(weight)), ("bias", bias)])
    }

    fn gemm(&mut self, node: &'a Node) -> Result<()> {
        let call = self.call(node);
        let plain = call.float("alpha", 1.0)? == 1.0 && call.float("beta", 1.0)? == 1.0 && call.int("transA", 0)? == 0;
        let (weight, bias) = (self.constant(node, 1)?, self.optional(node, 2)?.map(flat));
        if !plain {
            return Err(no("a product and a sum as they are"));
        }
        let weight = if call.int("transB", 0)? == 1 { weight } else { weight.reversed_axes() };
        self.affine(node, weight, bias)
    }

    fn affine(&mut self, node: &'a Node, weight: Tensor, bias: Option<Tensor>) -> Result<()> {
        let layer = Affine { out: weight.shape()[0], bias: bias.is_some() };
        let fits = weight.ndim() == 2 && bias.as_ref().is_none_or(|bias| bias.len() == layer.out);
        if !fits {
            return Err(no("a matrix and a bias for each output"));
        }
        let x = self.wire(node, 0)?;
        self.add(node, layer, &[x], vec![("weight", Some(weight)), ("bias", bias)])
    }

    /// A product with a constant matrix, and the sum behind it.
    fn matmul(&mut self, node: &'a Node) -> Result<()> {
        let weight = self.constant(node, 1)?.reversed_axes();
        let readers = self.readers(&node.outputs[0]);
        let bias = match readers[..] {
            [add] if add.op == "Add" => {
                let other = usize::from(add.inputs[0] == node.outputs[0]);
                self.constant(add, other)
                    .ok()
                    .filter(|bias| bias.len() == weight.shape()[0])
                    .map(|bias| (add, flat(bias)))
            }
            _ => None,
        };
        match bias {
            Some((add, bias)) => {
                self.affine(node, weight, Some(bias))?;
                self.done.insert(&add.outputs[0]);
                self.wires.insert(&add.outputs[0], self.wires[node.outputs[0].as_str()]);
                Ok(())
            }
            None => self.affine(node, weight, None),
        }
    }

    fn pool(&mut self, node: &'a Node) -> Result<()> {
        let (window, s) = self.window(node, None)?;
        let call = self.call(node);
        let x = self.graph.shape(self.wire(node, 0)?);
        let exact = window.output(x.h, x.w)? == (s.output[1], s.output[2]);
        let used = node.outputs.get(1).is_some_and(|name| !name.is_empty());
        let counted = call.int("count_include_pad", 0)? == 1 || window.pad == (0, 0);
        match node.op.as_str() {
            _ if used => Err(no("no places")),
            "MaxPool" if exact => self.one(node, Pool::Max(window)),
            "MaxPool" => self.one(node, Pool::MaxCeil(window)),
            _ if exact && counted => self.one(node, Pool::Average(window)),
            _ => Err(no("windows that leave no rest, their padding counted")),
        }
    }

    fn mean(&mut self, node: &'a Node) -> Result<()> {
        let rank = self.trace.sides(&node.inputs[0]).len();
        let call = self.call(node);
        let axes = call.list(1, "axes")?.unwrap_or_default();
        let mut axes = call.places(&axes, rank)?;
        axes.sort_unstable();
        if rank < 3 || axes != (2..rank).collect::<Vec<_>>() {
            return Err(no("a mean over whole maps"));
        }
        self.one(node, Pool::GlobalAverage)
    }

    fn batch_norm(&mut self, node: &'a Node) -> Result<()> {
        let call = self.call(node);
        let layer = BatchNorm { eps: call.float("epsilon", 1e-5)?, ..BatchNorm::default() };
        if call.int("training_mode", 0)? == 1 {
            return Err(no("inference"));
        }
        let [weight, bias, mean, variance] = [1, 2, 3, 4].map(|i| self.constant(node, i));
        let values = [("weight", weight?), ("bias", bias?), ("running_mean", mean?), ("running_var", variance?)];
        let x = self.wire(node, 0)?;
        self.add(node, layer, &[x], values.into_iter().map(|(name, v)| (name, Some(v))).collect())
    }

    fn norm(&mut self, node: &'a Node) -> Result<()> {
        let call = self.call(node);
        let (weight, bias) = (self.constant(node, 1)?, self.optional(node, 2)?);
        let rank = self.trace.sides(&node.inputs[0]).len() as i64;
        let axis = call.int("axis", -1)?;
        let over = match node.op.as_str() {
            "InstanceNormalization" => Over::Instance,
            "GroupNormalization" => Over::Group(usize::try_from(call.int("num_groups", 0)?).unwrap_or(0)),
            _ if axis == 1 || axis == 1 - rank => Over::Layer,
            _ => return Err(no("a norm over whole images")),
        };
        let bias = bias.unwrap_or_else(|| Tensor::zeros(weight.raw_dim()));
        let layer = Norm { over, eps: call.float("epsilon", 1e-5)?, affine: true };
        let x = self.wire(node, 0)?;
        self.add(node, layer, &[x], vec![("weight", Some(weight)), ("bias", Some(bias))])
    }

    fn local_response(&mut self, node: &'a Node) -> Result<()> {
        let call = self.call(node);
        let size = usize::try_from(call.int("size", 1)?).unwrap_or(0);
        let (alpha, beta, k) = (call.float("alpha", 1e-4)?, call.float("beta", 0.75)?, call.float("bias", 1.0)?);
        if size.is_multiple_of(2) {
            return Err(no("an odd number of channels"));
        }
        self.one(node, LocalResponseNorm(Response { size, alpha, beta, k }))
    }

    fn prelu(&mut self, node: &'a Node) -> Result<()> {
        let slope = flat(self.constant(node, 1)?);
        let x = self.wire(node, 0)?;
        if slope.len() != 1 && slope.len() != self.graph.shape(x).c {
            return Err(no("a slope for each channel, or one"));
        }
        self.add(node, Prelu { shared: slope.len() == 1 }, &[x], vec![("weight", Some(slope))])
    }

    fn join(&mut self, node: &'a Node, layer: impl Layer + 'static) -> Result<()> {
        let wires: Vec<Wire> = (0..node.inputs.len()).map(|i| self.wire(node, i)).collect::<Result<_>>()?;
        match wires[..] {
            [x] => self.alias(node, x),
            _ => self.add(node, layer, &wires, vec![]),
        }
    }

    fn concat(&mut self, node: &'a Node) -> Result<()> {
        let rank = self.trace.sides(&node.outputs[0]).len();
        if self.call(node).axis(1, rank)? != 1 {
            return Err(no("channels beside channels"));
        }
        self.join(node, Concat)
    }

    /// Factors for channels, or a gate that belongs to an activation.
    fn mul(&mut self, node: &'a Node) -> Result<()> {
        let (a, b) = (self.wire(node, 0)?, self.wire(node, 1)?);
        for (x, gate) in [(0, 1), (1, 0)] {
            let made = self.model.graph.nodes.iter().find(|n| n.outputs.first() == Some(&node.inputs[gate]));
            if let Some(made) = made.filter(|made| made.inputs.first() == Some(&node.inputs[x])) {
                match (made.op.as_str(), self.activation(made)) {
                    ("Sigmoid", _) => return self.add(node, Activation::Silu, &[[a, b][x]], vec![]),
                    (_, Ok(Activation::HardSigmoid)) => {
                        return self.add(node, Activation::HardSwish, &[[a, b][x]], vec![]);
                    }
                    _ => (),
                }
            }
        }
        let factors = |w: Wire| self.graph.shape(w).h * self.graph.shape(w).w == 1;
        match (factors(a), factors(b)) {
            (_, true) => self.add(node, Scale, &[a, b], vec![]),
            (true, _) => self.add(node, Scale, &[b, a], vec![]),
            _ => Err(no("factors for channels")),
        }
    }

    fn upsample(&mut self, node: &'a Node) -> Result<()> {
        let call = self.call(node);
        let (x, y) = (self.trace.image(&node.inputs[0])?, self.trace.image(&node.outputs[0])?);
        let scale = y.h / x.h.max(1);
        let place =
            if call.opset < 11 { "asymmetric" } else { call.text("coordinate_transformation_mode", "half_pixel")? };
        let half = matches!(place, "half_pixel" | "pytorch_half_pixel");
        let between = match call.text("mode", "nearest")? {
            "nearest" if half && call.text("nearest_mode", "round_prefer_floor")?.starts_with("round") => {
                Between::Nearest
            }
            "nearest" if place == "asymmetric" && (call.opset < 11 || call.text("nearest_mode", "")? == "floor") => {
                Between::Nearest
            }
            "linear" if half => Between::Bilinear,
            _ => return Err(no("the nearest pixel, or a mixture of pixels that are areas")),
        };
        if (y.h, y.w) != (x.h * scale, x.w * scale) {
            return Err(no("a whole number of times as high and wide"));
        }
        self.one(node, Upsample { scale, between })
    }

    /// Another shape: a flattening, or the same numbers under other axes.
    fn reshape(&mut self, node: &'a Node) -> Result<()> {
        let (wire, to) = (self.wire(node, 0)?, self.trace.image(&node.outputs[0])?);
        let from = self.graph.shape(wire);
        if from == to {
            self.alias(node, wire)
        } else if to == Shape::new(from.len(), 1, 1) {
            self.one(node, Flatten)
        } else {
            Err(no("a flattening"))
        }
    }
}

/// Filters over one axis as filters over two.
fn tall(weight: Tensor) -> Result<Tensor> {
    let shape = match *weight.shape() {
        [o, c, k] => [o, c, 1, k],
        [o, c, h, w] => [o, c, h, w],
        _ => return Err(no("filters over one or two axes")),
    };
    weight.into_shape_with_order(IxDyn(&shape)).map_err(|_| no("filters that are whole"))
}
