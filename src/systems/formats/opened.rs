//! A model file of any format, opened by what its bytes say: what it is made of, what it answers, and the same model in
//! another format.
//!
//! An ONNX graph runs as it is written; whatever holds weights alone runs as the network that it names, describes, or fits.

mod format;
mod weights;

pub use format::{Format, Target};

use super::exported::to_onnx;
use super::imported::Imported;
use super::saved::{self, Saved};
use crate::error::{Error, Result};
use crate::file::array::{Array, Number};
use crate::file::onnx::{self, Port};
use crate::file::{npz, pickle, safetensors};
use crate::nn::plan::affordable;
use crate::nn::{Mode, Network, Params, Run, Want, Wire, description};
use crate::shape::Shape;
use ndarray::ArrayD;
use std::collections::BTreeMap;
use weights::NETWORK;

/// A model from a file.
pub struct Opened {
    /// What the file was.
    pub format: Format,
    /// What it is called.
    pub name: String,
    /// What else the file says.
    pub metadata: BTreeMap<String, String>,
    body: Body,
}

enum Body {
    Graph(Imported),
    /// With a run that keeps the wires which were asked for last.
    Network(Box<(Network, Params)>, Option<(Vec<Wire>, Box<Run>)>),
}

/// An input or one step of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// An input, an ONNX operator, or a type of layer.
    pub kind: String,
    /// The rows that it reads.
    pub inputs: Vec<usize>,
    /// Sides of what it makes of one image.
    pub shape: Vec<usize>,
    /// Numbers that it has learnt.
    pub parameters: usize,
    /// Multiply-adds for one image.
    pub multiply_adds: u64,
}

/// Arrays by name.
pub type Named = Vec<(String, Array)>;

impl Opened {
    /// Opens a file. `name` is what to call the model if the file does not say. Weights alone need an `architecture`, a name
    /// of the catalogue or a description ([`description`]), unless the file gives one or they fit exactly one of the catalogue's.
    ///
    /// Errors: those of the format's reader; [`Error::Format`] for what is no model; [`Error::Missing`] for ONNX operators that
    /// are not known, all at once, and for weights whose network is not known.
    pub fn read(bytes: &[u8], name: &str, architecture: Option<&str>) -> Result<Self> {
        let format = Format::of(bytes)?;
        let weights = match format {
            Format::Onnx => {
                let mut model = onnx::read(bytes)?;
                let metadata = std::mem::take(&mut model.metadata);
                return Ok(Self::new(format, name, metadata, Body::Graph(Imported::new(model)?)));
            }
            Format::Safetensors => safetensors::read(bytes)?,
            Format::Npz => weights::from_arrays(npz::read(bytes)?)?,
            Format::Pickle => {
                safetensors::Weights { tensors: pickle::read(bytes)?.into_iter().collect(), metadata: BTreeMap::new() }
            }
        };
        let Saved { net, params, metadata } = weights::placed(weights, architecture)?;
        affordable(&net, 1, &Want::outputs())?;
        Ok(Self::new(format, name, metadata, Body::Network(Box::new((net, params)), None)))
    }

    fn new(format: Format, name: &str, metadata: BTreeMap<String, String>, body: Body) -> Self {
        let named = metadata.get("name").or_else(|| metadata.get("architecture"));
        let name = named.map_or(name, String::as_str).chars().filter(|c| !c.is_control()).take(80).collect();
        Self { format, name, metadata, body }
    }

    /// What must be given to run it.
    pub fn inputs(&self) -> Vec<Port> {
        match &self.body {
            Body::Graph(graph) => graph.inputs().to_vec(),
            Body::Network(own, _) => vec![port("input", &image(own.0.input_shape()))],
        }
    }

    /// What it answers.
    pub fn outputs(&self) -> Vec<Port> {
        match &self.body {
            Body::Graph(graph) => graph.outputs().to_vec(),
            Body::Network(own, _) => vec![port("output", &sides(own.0.node(own.0.output()).shape))],
        }
    }

    /// Says what size an input has, where the file leaves it open. Errors as [`Imported::resize`].
    pub fn resize(&mut self, input: &str, sides: &[usize]) -> Result<()> {
        match &mut self.body {
            Body::Graph(graph) => graph.resize(input, sides),
            Body::Network(..) => Err(Error::shape(input, "the size that the network has", format!("{sides:?}"))),
        }
    }

    /// The inputs and every step behind them, for one image. Errors: those of [`Imported::operators`].
    pub fn rows(&self) -> Result<Vec<Row>> {
        match &self.body {
            Body::Graph(graph) => graph_rows(graph),
            Body::Network(own, _) => Ok(network_rows(&own.0)),
        }
    }

    /// Runs it on named inputs. Returns its outputs by name, and what the rows of `taps` made.
    ///
    /// Errors: those of [`Imported::run`]; [`Error::Missing`] for a row that there is not or that nobody reads.
    pub fn run(&mut self, inputs: &[(String, Array)], taps: &[usize]) -> Result<(Named, Vec<Array>)> {
        match &mut self.body {
            Body::Graph(graph) => run_graph(graph, inputs, taps),
            Body::Network(own, run) => run_network(&own.0, &own.1, run, inputs, taps),
        }
    }

    /// The model as a network of this crate. Errors: those of [`Imported::network`], which list what is no layer here.
    pub fn network(&self) -> Result<Saved> {
        match &self.body {
            Body::Graph(graph) => {
                let (net, params) = graph.network()?;
                // Its layers are called as the graph's, which need not be the catalogue's names.
                let mut metadata = self.metadata.clone();
                metadata.remove("architecture");
                metadata.insert("name".into(), self.name.clone());
                Ok(Saved { net, params, metadata })
            }
            Body::Network(own, _) => {
                Ok(Saved { net: own.0.clone(), params: own.1.clone(), metadata: self.metadata.clone() })
            }
        }
    }

    /// The model as a file of another format.
    ///
    /// Errors: those of [`Opened::network`] for safetensors, and those of the format's writer.
    pub fn write(&self, target: Target) -> Result<Vec<u8>> {
        match (target, &self.body) {
            (Target::Onnx, Body::Graph(graph)) => {
                Ok(onnx::write(&onnx::Model { metadata: self.metadata.clone(), ..graph.to_model() }))
            }
            (Target::Onnx, Body::Network(own, _)) => {
                let mut metadata = self.metadata.clone();
                metadata.entry("output".into()).or_insert_with(|| "scores before the softmax".into());
                Ok(onnx::write(&to_onnx(&self.name, &own.0, &own.1, metadata)?))
            }
            (Target::Safetensors(precision), _) => saved::write(&self.network()?, precision),
            (Target::Npz, body) => match (self.network(), body) {
                (Ok(Saved { net, params, .. }), _) => {
                    let arrays = params.named().into_iter().map(|(name, tensor)| (name, tensor.into()));
                    npz::write(&arrays.chain([weights::text(NETWORK, &description::write(&net))]).collect::<Named>())
                }
                // What is no network of this crate has its constants.
                (Err(_), Body::Graph(graph)) => {
                    npz::write(&graph.constants().map(|(name, array)| (name.into(), array.clone())).collect::<Named>())
                }
                (Err(error), _) => Err(error),
            },
        }
    }
}

fn image(shape: Shape) -> Vec<usize> {
    vec![shape.c, shape.h, shape.w]
}

/// The sides of an image, or of a vector.
fn sides(shape: Shape) -> Vec<usize> {
    if (shape.h, shape.w) == (1, 1) { vec![shape.c] } else { image(shape) }
}

/// An array of images of a network: any number of them.
fn port(name: &str, sides: &[usize]) -> Port {
    let shape = std::iter::once(None).chain(sides.iter().copied().map(Some)).collect();
    Port { name: name.into(), number: Some(Number::F32), shape: Some(shape) }
}

fn graph_rows(graph: &Imported) -> Result<Vec<Row>> {
    let (images, operators) = graph.described()?;
    let row = |name: &str, kind: &str, shape| Row {
        name: name.into(),
        kind: kind.into(),
        shape,
        inputs: Vec::new(),
        parameters: 0,
        multiply_adds: 0,
    };
    let names = graph.inputs().iter().map(|port| port.name.as_str());
    let mut rows: Vec<Row> =
        names.clone().zip(images).map(|(name, image)| row(name, "input", image[1..].to_vec())).collect();
    let mut makers: BTreeMap<&str, usize> = names.zip(0..).collect();
    for operator in &operators {
        let inputs = operator.reads.iter().filter_map(|name| makers.get(name.as_str()).copied()).collect();
        makers.extend(operator.makes.iter().map(|name| (name.as_str(), rows.len())));
        let shape = operator.shape.iter().skip(1).copied().collect();
        let (parameters, multiply_adds) = (operator.parameters, operator.multiply_adds);
        rows.push(Row { inputs, parameters, multiply_adds, ..row(&operator.name, &operator.op, shape) });
    }
    Ok(rows)
}

fn network_rows(net: &Network) -> Vec<Row> {
    let places: BTreeMap<Wire, usize> = net.wires().zip(0..).collect();
    let row = |node: &crate::nn::graph::Node| Row {
        name: node.name.clone(),
        kind: node.layer.as_ref().map_or("input", |layer| layer.kind()).into(),
        inputs: node.inputs.iter().map(|wire| places[wire]).collect(),
        shape: sides(node.shape),
        parameters: net.views()[node.params.clone()].iter().map(|view| view.len()).sum(),
        multiply_adds: node.layer.as_ref().map_or(0, |layer| layer.multiply_adds(&net.input_shapes(node))),
    };
    net.nodes().iter().map(row).collect()
}

fn run_graph(graph: &Imported, inputs: &[(String, Array)], taps: &[usize]) -> Result<(Named, Vec<Array>)> {
    let rows = if taps.is_empty() { Vec::new() } else { graph.operators()? };
    let wanted: Vec<&str> = taps
        .iter()
        .map(|&tap| match tap.checked_sub(graph.inputs().len()) {
            None => Ok(graph.inputs()[tap].name.as_str()),
            Some(row) => rows.get(row).and_then(|row| row.makes.first()).map(String::as_str).ok_or_else(|| absent(tap)),
        })
        .collect::<Result<_>>()?;
    let mut seen: BTreeMap<String, Array> =
        inputs.iter().filter(|(name, _)| wanted.contains(&name.as_str())).cloned().collect();
    let outputs = graph.run_watched(inputs, &mut |name, array| {
        if wanted.contains(&name) {
            seen.insert(name.into(), array.clone());
        }
    })?;
    let taken = wanted.iter().zip(taps).map(|(name, &tap)| seen.get(*name).cloned().ok_or_else(|| absent(tap)));
    Ok((outputs, taken.collect::<Result<_>>()?))
}

fn absent(row: usize) -> Error {
    Error::missing("tap", "a row of the model that somebody reads", row)
}

fn run_network(
    net: &Network,
    params: &Params,
    kept: &mut Option<(Vec<Wire>, Box<Run>)>,
    inputs: &[(String, Array)],
    taps: &[usize],
) -> Result<(Named, Vec<Array>)> {
    let [(_, images)] = inputs else {
        return Err(Error::missing("inputs", "one array of images, NCHW", inputs.len()));
    };
    let wires: Vec<Wire> =
        taps.iter().map(|&tap| net.wires().nth(tap).ok_or_else(|| absent(tap))).collect::<Result<_>>()?;
    let (images, each) = (images.to_real(), net.input_shape().len());
    let n = images.shape().first().copied().unwrap_or(0);
    if n == 0 || images.len() != n * each {
        return Err(Error::shape("images", format!("n × {}", net.input_shape()), format!("{:?}", images.shape())));
    }
    if kept.as_ref().is_none_or(|(taps, _)| *taps != wires) {
        let want = Want::values(wires.clone());
        affordable(net, 1, &want)?;
        *kept = Some((wires.clone(), Box::new(Run::new(net, 1, &want))));
    }
    let Some((_, run)) = kept else { return Err(Error::missing("run", "one", "none")) };
    let mut made: Vec<Vec<f32>> = vec![Vec::new(); wires.len() + 1];
    for image in images.as_slice().unwrap_or(&[]).chunks_exact(each) {
        run.forward(params, image, 1, Mode::Infer)?;
        for (wire, out) in std::iter::once(net.output()).chain(wires.iter().copied()).zip(&mut made) {
            let start = out.len();
            out.resize(start + net.node(wire).shape.len(), 0.0);
            run.read(wire, 0, &mut out[start..])?;
        }
    }
    let array = |wire: Wire, values: Vec<f32>| -> Result<Array> {
        let shape = net.node(wire).shape;
        let sides = [&[n][..], &sides(shape)].concat();
        Ok(ArrayD::from_shape_vec(sides, values).map_err(|e| Error::shape("output", shape, e))?.into())
    };
    let mut made = made.into_iter();
    let output = array(net.output(), made.next().unwrap_or_default())?;
    let taken = wires.iter().zip(made).map(|(wire, values)| array(*wire, values)).collect::<Result<_>>()?;
    Ok((vec![("output".into(), output)], taken))
}
