//! ONNX out: any network of this crate as a graph of standard operators, with its weights under their own names.
//!
//! Images go in as N × C × H × W, any number of them, and the class scores come out as N × classes, before the softmax. What
//! the numbers of an image mean is written into the model's metadata by whoever knows.

use crate::error::{Error, Result};
use crate::file::array::{Array, Number};
use crate::file::onnx::{Attribute, Graph, Model, Node as Operator, Port};
use crate::nn::graph::Node;
use crate::nn::spec::Setting;
use crate::nn::{Network, Params, Wire};
use crate::shape::Shape;
use ndarray::ArrayD;
use std::collections::BTreeMap;

/// The standard operators' version: the first with a group norm that has a weight for each channel.
const OPSET: i64 = 21;

/// The graph of a network in inference. Layers that do nothing then are left out, and so is what leads to no answer.
///
/// Errors: [`Error::Missing`] for parameters of another network, [`Error::Value`] for a layer that ONNX cannot say: a local
/// response norm over an even number of channels, an unpooling that is not just its pooling's inverse.
pub fn to_onnx(name: &str, net: &Network, params: &Params, metadata: BTreeMap<String, String>) -> Result<Model> {
    let mut writer = Writer { net, params, graph: Graph::default(), wires: BTreeMap::new() };
    let shape = net.input_shape();
    for (wire, needed) in net.wires().zip(needed(net)) {
        match &net.node(wire).layer {
            None => drop(writer.wires.insert(wire, Value { name: "input".into(), rank: 4 })),
            Some(_) if needed => writer.layer(wire)?,
            Some(_) => (),
        }
    }
    let (wire, out) = (net.output(), net.node(net.output()).shape);
    let vector = (out.h, out.w) == (1, 1);
    let answer = if vector { writer.vector(wire) } else { writer.wires[&wire].name.clone() };
    writer.push("Identity", "answer", &[&answer], "", &[]);
    writer.free("output");
    if let Some(last) = writer.graph.nodes.last_mut() {
        last.outputs = vec!["output".into()];
    }
    let port = |name: &str, sides: &[usize]| Port {
        name: name.into(),
        number: Some(Number::F32),
        shape: Some(std::iter::once(None).chain(sides.iter().copied().map(Some)).collect()),
    };
    let sides = [out.c, out.h, out.w];
    let mut graph = writer.graph;
    graph.name = name.into();
    graph.inputs = vec![port("input", &[shape.c, shape.h, shape.w])];
    graph.outputs = vec![port("output", if vector { &sides[..1] } else { &sides })];
    Ok(Model { opset: OPSET, producer: format!("hitofude {}", env!("CARGO_PKG_VERSION")), graph, metadata })
}

/// Which wires lead to the output.
fn needed(net: &Network) -> Vec<bool> {
    let numbers: BTreeMap<Wire, usize> = net.wires().zip(0..).collect();
    let mut needed = vec![false; net.nodes().len()];
    needed[numbers[&net.output()]] = true;
    for (k, node) in net.nodes().iter().enumerate().rev().filter(|(_, node)| !node.inputs.is_empty()) {
        for input in &node.inputs {
            needed[numbers[input]] |= needed[k];
        }
    }
    needed
}

/// A wire in the graph: its name, and whether a vector is N × C (2) or N × C × 1 × 1 (4).
#[derive(Clone)]
struct Value {
    name: String,
    rank: usize,
}

struct Writer<'a> {
    net: &'a Network,
    params: &'a Params,
    graph: Graph,
    wires: BTreeMap<Wire, Value>,
}

/// A setting by its name.
type Setup<'a> = (&'a str, Attribute);

fn ints(list: &[usize]) -> Attribute {
    Attribute::Ints(list.iter().map(|&v| v as i64).collect())
}

fn text(text: &str) -> Attribute {
    Attribute::Text(text.into())
}

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
    fn push(&mut self, op: &str, name: &str, inputs: &[&str], output: &str, attributes: &[Setup]) -> String {
        self.graph.nodes.push(Operator {
            name: name.into(),
            op: op.into(),
            domain: String::new(),
            inputs: inputs.iter().map(|input| input.to_string()).collect(),
            outputs: vec![output.into()],
            attributes: attributes.iter().map(|(name, value)| (name.to_string(), value.clone())).collect(),
        });
        output.into()
    }

    /// Gives a layer's array of this name another one: the name is the model's own.
    fn free(&mut self, taken: &str) {
        for name in self.graph.nodes.iter_mut().flat_map(|node| node.inputs.iter_mut().chain(&mut node.outputs)) {
            if name == taken {
                name.push_str("/array");
            }
        }
    }

    fn constant(&mut self, name: String, array: impl Into<Array>) -> String {
        self.graph.constants.push((name.clone(), array.into()));
        name
    }

    fn list(&mut self, name: String, values: &[i64]) -> String {
        self.constant(name, ndarray::arr1(values).into_dyn())
    }

    /// A parameter of a layer; `None` if it has none of that name.
    fn parameter(&mut self, node: &Node, name: &str) -> Option<String> {
        let full = format!("{}.{name}", node.name);
        let tensor = self.params.get(&full).ok()?;
        Some(self.constant(full, tensor))
    }

    /// Weight and bias, or numbers that change nothing.
    fn affine(&mut self, node: &Node, shape: &[usize]) -> [String; 2] {
        [("weight", 1.0), ("bias", 0.0)].map(|(name, missing)| match self.parameter(node, name) {
            Some(found) => found,
            None => self.constant(format!("{}.{name}", node.name), ArrayD::from_elem(shape, missing)),
        })
    }

    /// A wire's name as N × C.
    fn vector(&mut self, wire: Wire) -> String {
        let Value { name, rank } = self.wires[&wire].clone();
        let flat = format!("{name}/flat");
        if rank == 2 || self.graph.nodes.iter().any(|node| node.outputs[0] == flat) {
            return if rank == 2 { name } else { flat };
        }
        self.push("Flatten", &flat, &[&name], &flat, &[])
    }

    /// A wire's name as N × C × H × W.
    fn image(&mut self, wire: Wire) -> String {
        let Value { name, rank } = self.wires[&wire].clone();
        let tall = format!("{name}/image");
        if rank == 4 || self.graph.nodes.iter().any(|node| node.outputs[0] == tall) {
            return if rank == 4 { name } else { tall };
        }
        let axes = self.list(format!("{name}/axes"), &[2, 3]);
        self.push("Unsqueeze", &tall, &[&name, &axes], &tall, &[])
    }

    /// Writes one layer.
    fn layer(&mut self, wire: Wire) -> Result<()> {
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
