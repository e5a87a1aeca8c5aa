//! A model of few bits as ONNX: standard operators with values that are quantised and dequantised between them (QDQ), which ONNX
//! Runtime runs in whole numbers of 8 bits.
//!
//! Weights of any bits are stored as 8-bit numbers. Between levels biases become 32-bit ones, worth the product of their input's and
//! their filter's step. At signs they stay in single precision: a sum of signs is worth one or two, and half of that turns a sign. Signs
//! are compared with 0. Global averages stay in single precision, as they are not rounded here either.

use super::{Filters, Form, Kind, Model, Step};
use crate::error::Result;
use crate::file::array::{Array, Number};
use crate::file::onnx::{self, Attribute, Graph, Node, Port};
use crate::shape::{Shape, Window};
use ndarray::{ArrayD, IxDyn, arr0, arr1};

/// The standard operators' version, as for networks in single precision.
const OPSET: i64 = 21;

/// The graph of a model: images as N × C × H × W go in, scores before the softmax come out.
///
/// Errors: those of [`Model::check`].
pub fn to_onnx(name: &str, model: &Model) -> Result<onnx::Model> {
    model.check()?;
    let mut writer = Writer { graph: Graph::default(), values: Vec::new() };
    for step in &model.steps {
        let value = writer.step(model, step);
        writer.values.push(value);
    }
    let answer = writer.values.last().cloned().unwrap_or_default();
    writer.push("Flatten", &[&answer], "output", vec![("axis", Attribute::Int(1))]);
    let Shape { c, h, w } = model.input();
    let port = |name: &str, sides: &[usize]| {
        let shape = std::iter::once(None).chain(sides.iter().copied().map(Some)).collect();
        Port { name: name.into(), number: Some(Number::F32), shape: Some(shape) }
    };
    let mut graph = writer.graph;
    graph.name = name.into();
    graph.inputs = vec![port("input", &[c, h, w])];
    graph.outputs = vec![port("output", &[model.answers()])];
    let producer = format!("hitofude {}", env!("CARGO_PKG_VERSION"));
    Ok(onnx::Model { opset: OPSET, producer, graph, metadata: model.metadata.clone() })
}

struct Writer {
    graph: Graph,
    /// The array with each step's values, in single precision.
    values: Vec<String>,
}

impl Writer {
    fn push(&mut self, op: &str, inputs: &[&str], output: &str, attributes: Vec<(&str, Attribute)>) -> String {
        self.graph.nodes.push(Node {
            name: format!("{output}:{op}"),
            op: op.into(),
            domain: String::new(),
            inputs: inputs.iter().map(|input| input.to_string()).collect(),
            outputs: vec![output.into()],
            attributes: attributes.into_iter().map(|(name, value)| (name.to_string(), value)).collect(),
        });
        output.into()
    }

    fn constant(&mut self, name: String, array: impl Into<Array>) -> String {
        self.graph.constants.push((name.clone(), array.into()));
        name
    }

    /// Writes a step and says where its values are.
    fn step(&mut self, model: &Model, step: &Step) -> String {
        let name = format!("{}.value", step.name);
        let input = |k: usize| self.values[step.inputs[k]].clone();
        let raw = match &step.kind {
            Kind::Input => "input".into(),
            Kind::Filters(filters) => {
                let x = input(0);
                self.filters(model, step, filters, &x)
            }
            Kind::MaxPool(window) => {
                let x = input(0);
                self.push("MaxPool", &[&x], &format!("{name}.pool"), attributes(window))
            }
            Kind::Mean => {
                let x = input(0);
                return self.push("GlobalAveragePool", &[&x], &name, Vec::new());
            }
            Kind::Add { relu } => {
                let (a, b) = (input(0), input(1));
                let sum = self.push("Add", &[&a, &b], &format!("{name}.sum"), Vec::new());
                if *relu { self.push("Relu", &[&sum], &format!("{name}.relu"), Vec::new()) } else { sum }
            }
            Kind::Sign => input(0),
        };
        match step.form {
            Form::Levels { step: unit, bounds: (least, _) } => self.rounded(&step.name, &raw, unit, least),
            Form::Signs if matches!(step.kind, Kind::MaxPool(_)) => raw,
            Form::Signs => self.signs(&step.name, &raw),
            Form::Numbers => raw,
        }
    }

    fn filters(&mut self, model: &Model, step: &Step, filters: &Filters, x: &str) -> String {
        let own = |what: &str| format!("{}.{what}", step.name);
        let unit = match (model.steps[step.inputs[0]].form, step.form) {
            (Form::Levels { step, .. }, Form::Levels { .. } | Form::Numbers) => Some(step),
            _ => None,
        };
        let (kh, kw) = filters.window.kernel;
        let channels = filters.weights.len() / (step.shape.c * kh * kw);
        let shape = IxDyn(&[step.shape.c, channels, kh, kw]);
        let numbers = filters.weights.iter().map(|w| i64::from(*w)).collect();
        let numbers = ArrayD::from_shape_vec(shape, numbers).expect("as many as the model was checked to have");
        let (weights, scales) = (own("weight"), own("scale"));
        self.constant(weights.clone(), Array::whole(Number::I8, numbers));
        self.constant(scales.clone(), arr1(&filters.scales).into_dyn());
        let w = self.dequantised(&weights, &scales, Number::I8, own("weight.value"), step.shape.c);
        let b = self.bias(step, filters, unit);
        let sum = self.push("Conv", &[x, &w, &b], &own("sum"), attributes(&filters.window));
        if filters.relu { self.push("Relu", &[&sum], &own("relu"), Vec::new()) } else { sum }
    }

    /// A bias in whole numbers, worth what the sums are; in single precision where they are worth nothing or too little, and at signs.
    fn bias(&mut self, step: &Step, filters: &Filters, unit: Option<f32>) -> String {
        let name = format!("{}.bias", step.name);
        let units: Vec<f32> = filters.scales.iter().map(|scale| scale * unit.unwrap_or(0.0)).collect();
        let whole: Vec<f64> =
            filters.bias.iter().zip(&units).map(|(b, u)| (f64::from(*b) / f64::from(*u)).round()).collect();
        if !whole.iter().all(|b| b.abs() < f64::from(i32::MAX)) {
            return self.constant(name, arr1(&filters.bias).into_dyn());
        }
        let numbers: Vec<i64> = whole.into_iter().map(|b| b as i64).collect();
        let scales = self.constant(format!("{name}.scale"), arr1(&units).into_dyn());
        self.constant(name.clone(), Array::whole(Number::I32, arr1(&numbers).into_dyn()));
        self.dequantised(&name, &scales, Number::I32, format!("{name}.value"), units.len())
    }

    /// Whole numbers without a zero point, each filter's times its scale.
    fn dequantised(&mut self, numbers: &str, scales: &str, number: Number, name: String, filters: usize) -> String {
        let zeros = Array::whole(number, ArrayD::zeros(IxDyn(&[filters])));
        let zero = self.constant(format!("{name}.zero"), zeros);
        self.push("DequantizeLinear", &[numbers, scales, &zero], &name, vec![("axis", Attribute::Int(0))])
    }

    /// Values rounded to 256 levels.
    fn rounded(&mut self, name: &str, raw: &str, unit: f32, least: i16) -> String {
        let scale = self.constant(format!("{name}.step"), arr0(unit).into_dyn());
        let zero = Array::whole(Number::U8, arr0(-i64::from(least)).into_dyn());
        let zero = self.constant(format!("{name}.zero"), zero);
        let levels = self.push("QuantizeLinear", &[raw, &scale, &zero], &format!("{name}.levels"), Vec::new());
        self.push("DequantizeLinear", &[&levels, &scale, &zero], &format!("{name}.value"), Vec::new())
    }

    fn signs(&mut self, name: &str, raw: &str) -> String {
        let [zero, plus, minus] = [("threshold", 0.0f32), ("plus", 1.0), ("minus", -1.0)]
            .map(|(what, value)| self.constant(format!("{name}.{what}"), arr0(value).into_dyn()));
        let above = self.push("GreaterOrEqual", &[raw, &zero], &format!("{name}.above"), Vec::new());
        self.push("Where", &[&above, &plus, &minus], &format!("{name}.value"), Vec::new())
    }
}

fn attributes(window: &Window) -> Vec<(&'static str, Attribute)> {
    let ints = |list: &[usize]| Attribute::Ints(list.iter().map(|v| *v as i64).collect());
    let pair = |(a, b): (usize, usize)| ints(&[a, b]);
    let (top, left) = window.pad;
    vec![
        ("kernel_shape", pair(window.kernel)),
        ("strides", pair(window.stride)),
        ("dilations", pair(window.dilation)),
        ("pads", ints(&[top, left, top, left])),
    ]
}
