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
    /// Whether its parameters stay as they are: see [`Network::freeze`].
    pub frozen: bool,
}

/// A network under construction.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    views: Vec<View>,
    auxiliaries: Vec<(Wire, f32)>,
}

impl Graph {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// An input of the network: images of this shape.
    pub fn input(&mut self, name: &str, shape: Shape) -> Result<Wire> {
        if holds(name, "numbers in an image", &[shape.c, shape.h, shape.w], 0)? == 0 {
            return Err(Error::shape(name, "at least one number in each image", shape));
        }
        let params = self.views.len()..self.views.len();
        self.push(Node { name: name.into(), layer: None, inputs: vec![], shape, flat: shape, params, frozen: false })
    }

    /// Appends a layer that reads `inputs` and returns its output.
    pub fn add(&mut self, name: &str, layer: impl Layer + 'static, inputs: &[Wire]) -> Result<Wire> {
        self.append(name, Arc::new(layer), inputs)
    }

    /// As [`Graph::add`] for a layer whose kind is known at run time only.
    ///
    /// Fails, and changes nothing, where the layer cannot read those inputs, where its name is taken, and where its output
    /// or the network's parameters would be more than memory can hold.
    pub fn append(&mut self, name: &str, layer: Arc<dyn Layer>, inputs: &[Wire]) -> Result<Wire> {
        let shapes: Vec<Shape> = inputs.iter().map(|w| self.nodes[w.0].shape).collect();
        let arity = layer.arity();
        if !arity.contains(&inputs.len()) {
            let least = if arity.start() == arity.end() { "" } else { " or more" };
            return Err(Error::value(name, format!("{}{least} inputs", arity.start()), inputs.len()));
        }
        let shape = layer.output(&shapes).map_err(|e| named(name, e))?;
        if self.nodes.iter().any(|n| n.name == name) {
            return Err(Error::value("layer name", "a name of its own", name));
        }
        holds(name, "numbers in its output", &[shape.c, shape.h, shape.w], 0)?;
        let flat = self.flat(name, &*layer, inputs)?;
        let mut end = self.views.last().map_or(0, |v| v.range().end);
        let mut views = layer.params(&shapes, flat);
        for view in &mut views {
            view.name = format!("{name}.{}", view.name);
            view.offset = end;
            end = holds(name, "parameters up to here", &view.shape, end)?;
        }
        let params = self.views.len()..self.views.len() + views.len();
        self.views.append(&mut views);
        let flat = layer.flat(flat).unwrap_or(shape);
        self.push(Node {
            name: name.into(),
            layer: Some(layer),
            inputs: inputs.to_vec(),
            shape,
            flat,
            params,
            frozen: false,
        })
    }

    /// The image whose flattening the first input is. A layer that knows nothing of flattenings must not read one: inside
    /// a run its numbers lie in another order than the public one.
    fn flat(&self, name: &str, layer: &dyn Layer, inputs: &[Wire]) -> Result<Shape> {
        let first = self.nodes[inputs[0].0].flat;
        let passes = layer.flat(first).is_some();
        let fits = |w: &Wire| self.nodes[w.0].flat == if passes { first } else { self.nodes[w.0].shape };
        if !layer.reads_flat() && !inputs.iter().all(fits) {
            let got = format!("one of {first}");
            return Err(Error::shape(name, "inputs that are no flattenings of images, or all of the same", got));
        }
        Ok(first)
    }

    /// Makes a wire of class scores an auxiliary classifier: while training, its loss counts this much beside the output's.
    pub fn auxiliary(&mut self, wire: Wire, weight: f32) -> Result<()> {
        let node = &self.nodes[wire.0];
        if node.shape.len() != node.shape.c || weight < 0.0 {
            let got = format!("{} with weight {weight}", node.shape);
            return Err(Error::value(&node.name, "class scores and a weight of at least 0 for an auxiliary loss", got));
        }
        self.auxiliaries.push((wire, weight));
        Ok(())
    }

    /// The shape of one image on a wire.
    pub fn shape(&self, wire: Wire) -> Shape {
        self.nodes[wire.0].shape
    }

    /// The wire behind a layer's name.
    pub fn wire(&self, name: &str) -> Result<Wire> {
        wire(&self.nodes, name)
    }

    /// The nodes so far, in order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The finished network; `output` is the wire that answers.
    pub fn finish(self, output: Wire) -> Network {
        Network(Arc::new(Finished { nodes: self.nodes, views: self.views, output, auxiliaries: self.auxiliaries }))
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
    auxiliaries: Vec<(Wire, f32)>,
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

    /// The auxiliary classifiers and how much their losses count; see [`Graph::auxiliary`].
    pub fn auxiliaries(&self) -> &[(Wire, f32)] {
        &self.0.auxiliaries
    }

    /// The wire behind a layer's name.
    pub fn wire(&self, name: &str) -> Result<Wire> {
        wire(&self.0.nodes, name)
    }

    /// The shape of one input image.
    pub fn input_shape(&self) -> Shape {
        self.0.nodes[0].shape
    }

    /// The network up to the wire `last`, for images of this shape, with what `layer` puts in each layer's place. Names and wires
    /// stay what they are; nothing is frozen, and no auxiliary classifier counts.
    ///
    /// Errors: those of [`Graph::append`], where a layer cannot read what comes.
    pub fn front(&self, last: Wire, input: Shape, layer: impl Fn(&Arc<dyn Layer>) -> Arc<dyn Layer>) -> Result<Self> {
        let mut graph = Graph::new();
        for node in &self.nodes()[..=last.0] {
            match &node.layer {
                None => graph.input(&node.name, input)?,
                Some(own) => graph.append(&node.name, layer(own), &node.inputs)?,
            };
        }
        Ok(graph.finish(last))
    }

    /// Parameters of this network, each the one of its name in those of another. Errors: those of [`Params::get`] and
    /// [`Params::set`].
    pub fn params_from(&self, others: &Params) -> Result<Params> {
        let mut own = self.zeros();
        for view in self.views() {
            own.set(&view.name, &others.get(&view.name)?)?;
        }
        Ok(own)
    }

    /// The same network with these layers frozen: they run as in inference, even in training, and keep their parameters.
    /// Where only frozen layers come before a layer, no gradient is computed for them at all.
    ///
    /// A part is a layer's name, or its beginning and `*`: `conv*`. Errors: [`Error::Missing`] for a part that names no
    /// layer with parameters.
    pub fn freeze<S: AsRef<str>>(&self, parts: &[S]) -> Result<Self> {
        let mut nodes = self.nodes().to_vec();
        for part in parts.iter().map(AsRef::as_ref) {
            let mut found = false;
            for node in nodes.iter_mut().filter(|node| node.layer.is_some()) {
                let named = part.strip_suffix('*').map_or(node.name == part, |start| node.name.starts_with(start));
                node.frozen |= named;
                found |= named && !node.params.is_empty();
            }
            if !found {
                let own = nodes.iter().filter(|node| !node.params.is_empty()).map(|node| node.name.as_str());
                let expected = format!("one of {}, or the beginning of some and *", own.collect::<Vec<_>>().join(", "));
                return Err(Error::missing("layer to freeze", expected, part));
            }
        }
        let Finished { views, auxiliaries, output, .. } = &*self.0;
        let (views, auxiliaries, output) = (views.clone(), auxiliaries.clone(), *output);
        Ok(Self(Arc::new(Finished { nodes, views, output, auxiliaries })))
    }

    /// Whether each view of the parameters is a frozen layer's, in their order.
    pub fn frozen_views(&self) -> Vec<bool> {
        let mut frozen = vec![false; self.views().len()];
        for node in self.nodes().iter().filter(|node| node.frozen) {
            frozen[node.params.clone()].fill(true);
        }
        frozen
    }

    /// An arena of zeros for this network's parameters.
    pub fn zeros(&self) -> Params {
        Params::zeros(self.0.views.clone())
    }

    /// The views of the parameters, in order.
    pub fn views(&self) -> &[View] {
        &self.0.views
    }

    /// Number of parameters, running statistics not counted, as the field does.
    pub fn parameters(&self) -> usize {
        self.0.views.iter().filter(|v| !v.role.is_statistic()).map(View::len).sum()
    }

    /// Numbers in an arena: parameters and running statistics.
    pub fn arena_len(&self) -> usize {
        self.0.views.last().map_or(0, |v| v.range().end)
    }

    /// The shapes a node reads.
    pub fn input_shapes(&self, node: &Node) -> Vec<Shape> {
        node.inputs.iter().map(|w| self.0.nodes[w.0].shape).collect()
    }
}

fn wire(nodes: &[Node], name: &str) -> Result<Wire> {
    nodes.iter().position(|n| n.name == name).map(Wire).ok_or_else(|| {
        let names: Vec<&str> = nodes.iter().map(|n| n.name.as_str()).collect();
        Error::missing("layer", format!("one of {}", names.join(", ")), name)
    })
}

/// Most numbers in one image of a wire, and most parameters: they are counted in 32 bits, batch and halo included.
const MOST: u64 = 1 << 28;

/// `before` and the numbers in a tensor of this shape together, if memory can hold them.
fn holds(name: &str, what: &str, shape: &[usize], before: usize) -> Result<usize> {
    let len = shape.iter().fold(1, |n: u64, &side| n.saturating_mul(side as u64));
    let sum = len.saturating_add(before as u64);
    if sum > MOST {
        return Err(Error::shape(name, format!("at most {MOST} {what}"), sum));
    }
    Ok(sum as usize)
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
