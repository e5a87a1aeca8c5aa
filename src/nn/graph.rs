//! The wired list: nodes in a topological order, built by a function from wire to wire.

use super::layer::Layer;
use super::params::{Params, View};
use crate::error::{Error, Result};
use crate::shape::Shape;
use std::sync::Arc;

/// The output of a node, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Wire(pub(super) usize);

/// One layer, wired.
#[derive(Debug, Clone)]
pub struct Node {
    /// The layer's name, unique in its graph.
    pub name: String,
    /// What it computes; `None` for an input of the network.
    pub layer: Option<Arc<dyn Layer>>,
    /// What it reads.
    pub inputs: Vec<Wire>,
    /// The shape of its output for one image.
    pub shape: Shape,
    /// The image whose flattening its output is; its own shape if it is none.
    pub flat: Shape,
    /// Its parameters: a range of the graph's views.
    pub params: std::ops::Range<usize>,
}

/// A network under construction.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    views: Vec<View>,
}

impl Graph {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// An input of the network: images of this shape.
    pub fn input(&mut self, name: &str, shape: Shape) -> Result<Wire> {
        if shape.is_empty() {
            return Err(Error::shape(name, "at least one number in each image", shape));
        }
        let params = self.views.len()..self.views.len();
        self.push(Node { name: name.into(), layer: None, inputs: vec![], shape, flat: shape, params })
    }

    /// Appends a layer that reads `inputs` and returns its output.
    pub fn add(&mut self, name: &str, layer: impl Layer + 'static, inputs: &[Wire]) -> Result<Wire> {
        let shapes: Vec<Shape> = inputs.iter().map(|w| self.nodes[w.0].shape).collect();
        let shape = layer.output(&shapes).map_err(|e| named(name, e))?;
        if self.nodes.iter().any(|n| n.name == name) {
            return Err(Error::value("layer name", "a name of its own", name));
        }
        let first = self.views.len();
        let flat = inputs.first().map_or(shape, |w| self.nodes[w.0].flat);
        for mut view in layer.params(&shapes, flat) {
            view.name = format!("{name}.{}", view.name);
            view.offset = self.views.last().map_or(0, |v| v.range().end);
            self.views.push(view);
        }
        let params = first..self.views.len();
        let flat = layer.flat(flat).unwrap_or(shape);
        let layer: Option<Arc<dyn Layer>> = Some(Arc::new(layer));
        self.push(Node { name: name.into(), layer, inputs: inputs.to_vec(), shape, flat, params })
    }

    /// The shape of one image on a wire.
    pub fn shape(&self, wire: Wire) -> Shape {
        self.nodes[wire.0].shape
    }

    /// The finished network; `output` is the wire that answers.
    pub fn finish(self, output: Wire) -> Network {
        Network(Arc::new(Finished { nodes: self.nodes, views: self.views, output }))
    }

    fn push(&mut self, node: Node) -> Result<Wire> {
        self.nodes.push(node);
        Ok(Wire(self.nodes.len() - 1))
    }
}

/// A finished network: its structure, without parameters. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Network(Arc<Finished>);

#[derive(Debug)]
struct Finished {
    nodes: Vec<Node>,
    views: Vec<View>,
    output: Wire,
}

impl Network {
    /// The nodes, in order.
    pub fn nodes(&self) -> &[Node] {
        &self.0.nodes
    }

    /// The node behind a wire.
    pub fn node(&self, wire: Wire) -> &Node {
        &self.0.nodes[wire.0]
    }

    /// Every wire, in order.
    pub fn wires(&self) -> impl Iterator<Item = Wire> {
        (0..self.0.nodes.len()).map(Wire)
    }

    /// The wire that answers.
    pub fn output(&self) -> Wire {
        self.0.output
    }

    /// The wire behind a layer's name.
    pub fn wire(&self, name: &str) -> Result<Wire> {
        let at = self.0.nodes.iter().position(|n| n.name == name);
        at.map(Wire).ok_or_else(|| {
            let names: Vec<&str> = self.0.nodes.iter().map(|n| n.name.as_str()).collect();
            Error::missing("layer", format!("one of {}", names.join(", ")), name)
        })
    }

    /// The shape of one input image.
    pub fn input_shape(&self) -> Shape {
        self.0.nodes[0].shape
    }

    /// An arena of zeros for this network's parameters.
    pub fn zeros(&self) -> Params {
        Params::zeros(self.0.views.clone())
    }

    /// The views of the parameters, in order.
    pub fn views(&self) -> &[View] {
        &self.0.views
    }

    /// Number of parameters.
    pub fn parameters(&self) -> usize {
        self.0.views.iter().map(View::len).sum()
    }

    /// The shapes a node reads.
    pub fn input_shapes(&self, node: &Node) -> Vec<Shape> {
        node.inputs.iter().map(|w| self.0.nodes[w.0].shape).collect()
    }
}

fn named(name: &str, error: Error) -> Error {
    match error {
        Error::Shape(mut d) => {
            d.what = format!("{name}: {}", d.what);
            Error::Shape(d)
        }
        Error::Value(mut d) => {
            d.what = format!("{name}: {}", d.what);
            Error::Value(d)
        }
        other => other,
    }
}
