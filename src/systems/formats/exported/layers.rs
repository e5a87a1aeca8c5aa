//! Which operator or operators a layer is.

use super::{Setup, Value, Writer, ints, text};
use crate::error::{Error, Result};
use crate::file::onnx::Attribute;
use crate::nn::Wire;
use crate::nn::description::Setting;
use crate::nn::graph::Node;
use crate::shape::Shape;
use ndarray::ArrayD;

/// The options of a layer.
struct Options(Vec<(&'static str, Setting)>);

impl Options {
    fn get(&self, name: &str) -> Option<Setting> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, setting)| *setting)
    }

    fn size(&self, name: &str) -> usize {
        if let Some(Setting::Size(n)) = self.get(name) { n } else { 1 }
    }

    fn axes(&self, name: &str) -> [usize; 2] {
        if let Some(Setting::Axes((h, w))) = self.get(name) { [h, w] } else { [0, 0] }
    }

    fn number(&self, name: &str) -> Attribute {
        Attribute::Float(if let Some(Setting::Number(x)) = self.get(name) { x } else { f32::NAN })
    }

    fn flag(&self, name: &str) -> bool {
        self.get(name) == Some(Setting::Flag(true))
    }

    /// The attributes of a window.
    fn window(&self) -> Vec<Setup<'static>> {
        let [kernel, stride, dilation, [top, left]] =
            ["kernel", "stride", "dilation", "pad"].map(|name| self.axes(name));
        vec![
            ("kernel_shape", ints(&kernel)),
            ("strides", ints(&stride)),
            ("dilations", ints(&dilation)),
            ("pads", ints(&[top, left, top, left])),
        ]
    }
}

impl Writer<'_> {
    /// Writes one layer.
    pub(super) fn layer(&mut self, wire: Wire) -> Result<()> {
        let node = self.net.node(wire).clone();
        let Some(layer) = &node.layer else { return Ok(()) };
        let (kind, o) = (layer.kind(), Options(layer.options()));
        if matches!(kind, "dropout" | "stochastic_depth" | "identity") {
            let same = self.wires[&node.inputs[0]].clone();
            self.wires.insert(wire, same);
            return Ok(());
        }
        let rank = match kind {
            "flatten" | "affine" => 2,
            "add" => node.inputs.iter().map(|w| self.wires[w].rank).max().unwrap_or(4),
            _ if plain(kind).is_some()
                || matches!(kind, "relu6" | "leaky_relu" | "elu" | "batch_norm" | "layer_norm" | "prelu" | "silu") =>
            {
                self.wires[&node.inputs[0]].rank
            }
            _ => 4,
        };
        let as_it_is = |writer: &mut Self, w: &Wire| if rank == 4 { writer.image(*w) } else { writer.vector(*w) };
        let inputs: Vec<String> = match kind {
            "flatten" => vec![self.wires[&node.inputs[0]].name.clone()],
            _ => node.inputs.iter().map(|w| as_it_is(self, w)).collect(),
        };
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        self.operator(&node, kind, &o, &inputs)?;
        self.wires.insert(wire, Value { name: node.name.clone(), rank });
        Ok(())
    }

    /// The operator or operators of a layer; the last one's output has the layer's name.
    fn operator(&mut self, node: &Node, kind: &str, o: &Options, inputs: &[&str]) -> Result<()> {
        let (name, x, c) = (node.name.clone(), inputs[0], self.net.node(node.inputs[0]).shape);
        if let Some((op, attributes)) = plain(kind) {
            self.push(op, &name, inputs, &name, &attributes);
            return Ok(());
        }
        match kind {
            "conv" | "conv_transpose" | "affine" => self.weighted(node, kind, o, x),
            "conv3d" => self.volume(node, o, x, c),
            "max_pool" | "average_pool" => self.pool(node, kind, o, x),
            "max_unpool" => self.unpool(node, o, inputs)?,
            "upsample_nearest" | "upsample_bilinear" => self.upsample(node, kind, o, x),
            "batch_norm" | "layer_norm" | "instance_norm" | "group_norm" => self.norm(node, kind, o, x, c),
            "local_response_norm" => {
                let size = o.size("size");
                if size.is_multiple_of(2) {
                    return Err(Error::value(&name, "an odd number of channels, which ONNX centres alike", size));
                }
                let attributes = [
                    ("size", Attribute::Int(size as i64)),
                    ("alpha", o.number("alpha")),
                    ("beta", o.number("beta")),
                    ("bias", o.number("k")),
                ];
                self.push("LRN", &name, inputs, &name, &attributes);
            }
            "prelu" => {
                let slope = self.params.get(&format!("{name}.weight"))?;
                let sides = if slope.len() > 1 && self.wires[&node.inputs[0]].rank == 4 { 3 } else { 1 };
                let shape = [&[slope.len()][..], &vec![1; sides - 1]].concat();
                let slope = slope.into_shape_with_order(shape).map_err(|e| Error::shape(&name, "slopes", e))?;
                let slope = self.constant(format!("{name}.weight"), slope);
                self.push("PRelu", &name, &[x, &slope], &name, &[]);
            }
            "relu6" => {
                let low = self.constant(format!("{name}/low"), ArrayD::from_elem(vec![], 0.0_f32));
                let high = self.constant(format!("{name}/high"), ArrayD::from_elem(vec![], 6.0_f32));
                self.push("Clip", &name, &[x, &low, &high], &name, &[]);
            }
            "leaky_relu" => drop(self.push("LeakyRelu", &name, inputs, &name, &[("alpha", o.number("slope"))])),
            "elu" => drop(self.push("Elu", &name, inputs, &name, &[("alpha", o.number("alpha"))])),
            "silu" => {
                let gate = self.push("Sigmoid", &format!("{name}/gate"), inputs, &format!("{name}/gate"), &[]);
                self.push("Mul", &name, &[x, &gate], &name, &[]);
            }
            other => return Err(Error::value(&name, "a layer that ONNX has an operator for", other)),
        }
        Ok(())
    }

    fn weighted(&mut self, node: &Node, kind: &str, o: &Options, x: &str) {
        let given: Vec<String> = ["weight", "bias"].into_iter().filter_map(|p| self.parameter(node, p)).collect();
        let inputs: Vec<&str> = std::iter::once(x).chain(given.iter().map(String::as_str)).collect();
        let (op, attributes) = match kind {
            "affine" => ("Gemm", vec![("transB", Attribute::Int(1))]),
            "conv" => ("Conv", [o.window(), vec![("group", Attribute::Int(o.size("groups") as i64))]].concat()),
            _ => ("ConvTranspose", [o.window(), vec![("output_padding", ints(&o.axes("output_pad")))]].concat()),
        };
        self.push(op, &node.name, &inputs, &node.name, &attributes);
    }

    /// A convolution over volumes, whose slices are channels in this crate.
    fn volume(&mut self, node: &Node, o: &Options, x: &str, shape: Shape) {
        let part = |part: &str| format!("{}/{part}", node.name);
        let slices = o.size("slices");
        let order = [("perm", ints(&[0, 2, 1, 3, 4]))];
        let sides = |d: usize, c: usize, s: Shape| [0, d as i64, c as i64, s.h as i64, s.w as i64];
        let to = self.list(part("slices"), &sides(slices, shape.c / slices, shape));
        let x = self.push("Reshape", &part("in"), &[x, &to], &part("in"), &[]);
        let x = self.push("Transpose", &part("deep"), &[&x], &part("deep"), &order);
        let depth = ["depth", "depth_stride", "depth_dilation", "depth_pad"].map(|name| o.size(name));
        let [k, s, d, p] = ["kernel", "stride", "dilation", "pad"].map(|name| o.axes(name));
        let attributes = [
            ("kernel_shape", ints(&[depth[0], k[0], k[1]])),
            ("strides", ints(&[depth[1], s[0], s[1]])),
            ("dilations", ints(&[depth[2], d[0], d[1]])),
            ("pads", ints(&[depth[3], p[0], p[1], depth[3], p[0], p[1]])),
        ];
        let given: Vec<String> = ["weight", "bias"].into_iter().filter_map(|p| self.parameter(node, p)).collect();
        let inputs: Vec<&str> = std::iter::once(&*x).chain(given.iter().map(String::as_str)).collect();
        let y = self.push("Conv", &part("conv"), &inputs, &part("conv"), &attributes);
        let y = self.push("Transpose", &part("flat"), &[&y], &part("flat"), &order);
        let to = self.list(part("joined"), &[0, node.shape.c as i64, node.shape.h as i64, node.shape.w as i64]);
        self.push("Reshape", &node.name, &[&y, &to], &node.name, &[]);
    }

    fn pool(&mut self, node: &Node, kind: &str, o: &Options, x: &str) {
        let mut attributes = o.window();
        let op = if kind == "max_pool" {
            attributes.push(("ceil_mode", Attribute::Int(i64::from(o.flag("ceil")))));
            "MaxPool"
        } else {
            attributes.push(("count_include_pad", Attribute::Int(1)));
            "AveragePool"
        };
        self.push(op, &node.name, &[x], &node.name, &attributes);
    }

    fn unpool(&mut self, node: &Node, o: &Options, inputs: &[&str]) -> Result<()> {
        let ([kernel, stride, pad], v) =
            (["kernel", "stride", "pad"].map(|name| o.axes(name)), self.net.node(node.inputs[0]).shape);
        let back = |n: usize, i: usize| ((n - 1) * stride[i] + kernel[i]).checked_sub(2 * pad[i]);
        if (back(v.h, 0), back(v.w, 1)) != (Some(node.shape.h), Some(node.shape.w)) {
            return Err(Error::value(&node.name, "an unpooling that leaves no rest", node.shape));
        }
        let (window, places) = (o.window(), format!("{}/places", node.name));
        let window: Vec<Setup> = window.into_iter().filter(|(name, _)| *name != "dilations").collect();
        self.push("MaxPool", &format!("{}/pool", node.name), &inputs[1..], &format!("{}/pool", node.name), &window);
        if let Some(pool) = self.graph.nodes.last_mut() {
            pool.outputs.push(places.clone());
        }
        self.push("MaxUnpool", &node.name, &[inputs[0], &places], &node.name, &window);
        Ok(())
    }

    fn upsample(&mut self, node: &Node, kind: &str, o: &Options, x: &str) {
        let scale = o.size("scale") as f32;
        let scales = ndarray::arr1(&[1.0, 1.0, scale, scale]).into_dyn();
        let scales = self.constant(format!("{}/scales", node.name), scales);
        let attributes = if kind == "upsample_nearest" {
            vec![
                ("mode", text("nearest")),
                ("coordinate_transformation_mode", text("asymmetric")),
                ("nearest_mode", text("floor")),
            ]
        } else {
            vec![("mode", text("linear")), ("coordinate_transformation_mode", text("half_pixel"))]
        };
        self.push("Resize", &node.name, &[x, "", &scales], &node.name, &attributes);
    }

    fn norm(&mut self, node: &Node, kind: &str, o: &Options, x: &str, shape: Shape) {
        let name = node.name.clone();
        let whole: Vec<usize> =
            if (shape.h, shape.w) == (1, 1) { vec![shape.c] } else { vec![shape.c, shape.h, shape.w] };
        let [weight, bias] = self.affine(node, if kind == "layer_norm" { &whole } else { &whole[..1] });
        let mut attributes = vec![("epsilon", o.number("eps"))];
        let mut inputs = vec![x.to_string(), weight, bias];
        let op = match kind {
            "batch_norm" => {
                inputs.extend(["running_mean", "running_var"].into_iter().filter_map(|p| self.parameter(node, p)));
                "BatchNormalization"
            }
            "layer_norm" => {
                attributes.push(("axis", Attribute::Int(1)));
                "LayerNormalization"
            }
            "instance_norm" => "InstanceNormalization",
            _ => {
                attributes.push(("num_groups", Attribute::Int(o.size("groups") as i64)));
                "GroupNormalization"
            }
        };
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        self.push(op, &name, &inputs, &name, &attributes);
    }
}

/// The operator of a layer without parameters or options.
fn plain(kind: &str) -> Option<(&'static str, Vec<Setup<'static>>)> {
    Some((
        match kind {
            "relu" => "Relu",
            "sigmoid" => "Sigmoid",
            "tanh" => "Tanh",
            "selu" => "Selu",
            "gelu" => "Gelu",
            "hard_swish" => "HardSwish",
            "hard_sigmoid" => return Some(("HardSigmoid", vec![("alpha", Attribute::Float(1.0 / 6.0))])),
            "softplus" => "Softplus",
            "global_average_pool" => "GlobalAveragePool",
            "flatten" => return Some(("Flatten", vec![("axis", Attribute::Int(1))])),
            "add" => "Sum",
            "concat" => return Some(("Concat", vec![("axis", Attribute::Int(1))])),
            "scale" => "Mul",
            _ => return None,
        },
        vec![],
    ))
}
