//! The wired list: nodes in a topological order, built by a function from wire to wire.

use super::layer::Layer;
use super::network::Network;
use super::params::View;
use super::port::{Port, Rows};
use crate::error::{Error, Result};
use crate::shape::Shape;
use std::sync::Arc;

/// The output of a node, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Wire(pub(super) usize);

impl Wire {
    /// That of the images.
    pub const FIRST: Self = Self(0);

    /// Its number, in the order of wiring.
    pub const fn index(self) -> usize {
        self.0
    }
}

/// One layer, wired.
#[derive(Debug, Clone)]
pub struct Node {
    /// The layer's name, unique in its graph.
    pub name: String,
    /// What it computes; `None` for an input of the network.
    pub layer: Option<Arc<dyn Layer>>,
    /// What an input holds; [`Port::Image`] for a layer.
    pub port: Port,
    /// Which rows it has.
    pub rows: Rows,
    /// What it reads.
    pub inputs: Vec<Wire>,
    /// The shape of its output for one image.
    pub shape: Shape,
    /// The image whose flattening its output is; its own shape if it is none.
    pub flat: Shape,
    /// Its parameters: a range of the graph's views.
    pub params: std::ops::Range<usize>,
    /// The layer whose parameters it uses, if they are another's; see [`Graph::share`].
    pub shares: Option<Wire>,
    /// Whether its parameters stay as they are: see [`Network::freeze`] and [`Network::fix`].
    pub frozen: bool,
    /// Whether it runs as in inference, even in training: see [`Network::freeze`].
    pub infers: bool,
}

/// A network under construction.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    views: Vec<View>,
    ports: Ports,
}

/// What a network is asked for by name, beside its inputs.
#[derive(Debug, Clone, Default)]
pub(super) struct Ports {
    /// Most rows of each group for one image, behind [`Rows::IMAGES`].
    pub(super) rows: Vec<usize>,
    pub(super) outputs: Vec<(String, Wire)>,
    pub(super) losses: Vec<(Wire, f32)>,
    pub(super) auxiliaries: Vec<(Wire, f32)>,
}

impl Graph {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty list for nodes of another network: with its groups of rows.
    pub(super) fn like(net: &Network) -> Self {
        let rows = net.ports().rows.clone();
        Self { ports: Ports { rows, ..Ports::default() }, ..Self::default() }
    }

    /// A finished network's list, to be gone on with.
    pub(super) fn grown(nodes: Vec<Node>, views: Vec<View>, ports: Ports) -> Self {
        Self { nodes, views, ports }
    }

    /// Appends a node of another network, which reads where `moved` says its inputs have gone, as `layer` if it is no input.
    /// Parameters that it shares it shares again, if their owner has been copied.
    pub(super) fn copy(&mut self, node: &Node, layer: Option<Arc<dyn Layer>>, moved: &[Wire]) -> Result<Wire> {
        let inputs: Vec<Wire> = node.inputs.iter().map(|w| moved[w.0]).collect();
        match (layer, node.shares) {
            (None, _) => self.entry(&node.name, node.shape, node.port, node.rows),
            (_, Some(owner)) => self.share(&node.name, moved[owner.0], &inputs),
            (Some(layer), None) => self.append(&node.name, layer, &inputs),
        }
    }

    /// An input of the network: images of this shape.
    pub fn input(&mut self, name: &str, shape: Shape) -> Result<Wire> {
        self.entry(name, shape, Port::Image, Rows::IMAGES)
    }

    /// A named input of rows of this shape and kind. The first input of a network must hold its images.
    ///
    /// Errors: [`Error::Shape`] for a shape without numbers, with too many, or that its kind cannot have, [`Error::Value`] for
    /// a name that is taken and for a first input that is no image.
    pub fn port(&mut self, name: &str, shape: Shape, port: Port, rows: Rows) -> Result<Wire> {
        if !port.fits(shape) {
            return Err(Error::shape(name, format!("a shape for {port:?}"), shape));
        }
        if self.nodes.is_empty() && (port, rows) != (Port::Image, Rows::IMAGES) {
            return Err(Error::value(name, "images as the first input", format!("{port:?}")));
        }
        self.entry(name, shape, port, rows)
    }

    fn entry(&mut self, name: &str, shape: Shape, port: Port, rows: Rows) -> Result<Wire> {
        if holds(name, "numbers in an image", &[shape.c, shape.h, shape.w], 0)? == 0 {
            return Err(Error::shape(name, "at least one number in each image", shape));
        }
        self.unnamed(name)?;
        let params = self.views.len()..self.views.len();
        let (inputs, layer, shares) = (vec![], None, None);
        let (name, flat, frozen, infers) = (name.into(), shape, false, false);
        self.push(Node { name, layer, port, rows, inputs, shape, flat, params, shares, frozen, infers })
    }

    /// A group of rows of its own, at most `each` for an image: regions of an image, say.
    ///
    /// Errors: [`Error::Value`] for none, and for more than 65,536.
    pub fn rows(&mut self, each: usize) -> Result<Rows> {
        if !(1..=1 << 16).contains(&each) {
            return Err(Error::value("rows for an image", "1 to 65536", each));
        }
        self.ports.rows.push(each);
        Ok(Rows(self.ports.rows.len()))
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
        let mut node = self.fitted(name, layer, inputs)?;
        let mut views = self.views_of(&node)?;
        let mut end = self.views.last().map_or(0, |v| v.range().end);
        for view in &mut views {
            view.name = format!("{name}.{}", view.name);
            view.offset = end;
            end = holds(name, "parameters up to here", &view.shape, end)?;
        }
        node.params = self.views.len()..self.views.len() + views.len();
        self.views.append(&mut views);
        self.push(node)
    }

    /// Appends the layer behind `of` once more, with the same parameters: their gradients add up.
    ///
    /// Errors: those of [`Graph::append`]; [`Error::Shape`] where those parameters do not fit these inputs, [`Error::Value`] for
    /// an input in a layer's place, and for running statistics, which have one place only.
    pub fn share(&mut self, name: &str, of: Wire, inputs: &[Wire]) -> Result<Wire> {
        let owner = self.nodes[of.0].shares.unwrap_or(of);
        let Node { layer, params, name: theirs, .. } = self.nodes[owner.0].clone();
        let layer = layer.ok_or_else(|| Error::value(name, "a layer to share with", &theirs))?;
        let mut node = self.fitted(name, layer, inputs)?;
        let (own, there) = (self.views_of(&node)?, &self.views[params.clone()]);
        if own.len() != there.len() || !own.iter().zip(there).all(|(a, b)| a.shape == b.shape && a.order == b.order) {
            let got = format!("{:?}", own.iter().map(|v| &v.shape).collect::<Vec<_>>());
            return Err(Error::shape(name, format!("the parameters of {theirs}"), got));
        }
        if there.iter().any(|view| view.role.is_statistic()) {
            return Err(Error::value(name, "a layer without running statistics", &theirs));
        }
        (node.params, node.shares) = (params, Some(owner));
        self.push(node)
    }

    /// The node that a layer would be, behind these inputs, parameters aside.
    fn fitted(&self, name: &str, layer: Arc<dyn Layer>, inputs: &[Wire]) -> Result<Node> {
        let shapes: Vec<Shape> = inputs.iter().map(|w| self.nodes[w.0].shape).collect();
        let arity = layer.arity();
        if !arity.contains(&inputs.len()) {
            let least = if arity.start() == arity.end() { "" } else { " or more" };
            return Err(Error::value(name, format!("{}{least} inputs", arity.start()), inputs.len()));
        }
        let shape = layer.output(&shapes).map_err(|e| named(name, e))?;
        let rows: Vec<Rows> = inputs.iter().map(|w| self.nodes[w.0].rows).collect();
        let rows = layer.rows(&rows).ok_or_else(|| Error::value(name, "inputs of as many rows each", "others"))?;
        self.unnamed(name)?;
        holds(name, "numbers in its output", &[shape.c, shape.h, shape.w], 0)?;
        let flat = layer.flat(self.flat(name, &*layer, inputs)?).unwrap_or(shape);
        let (name, inputs, params) = (name.to_string(), inputs.to_vec(), 0..0);
        let (port, layer, shares, frozen, infers) = (Port::Image, Some(layer), None, false, false);
        Ok(Node { name, layer, port, rows, inputs, shape, flat, params, shares, frozen, infers })
    }

    /// The parameters that a node's layer asks for. Running statistics are taken over images, so other rows cannot have them.
    fn views_of(&self, node: &Node) -> Result<Vec<View>> {
        let Some(layer) = &node.layer else { return Ok(vec![]) };
        let shapes: Vec<Shape> = node.inputs.iter().map(|w| self.nodes[w.0].shape).collect();
        let flat = node.inputs.first().map_or(node.shape, |w| self.nodes[w.0].flat);
        let views = layer.params(&shapes, flat);
        if node.rows != Rows::IMAGES && views.iter().any(|view| view.role.is_statistic()) {
            return Err(Error::value(&node.name, "a row for each image, for running statistics", "other rows"));
        }
        Ok(views)
    }

    /// This name, or with as many primes as no node has.
    pub(super) fn unused(&self, name: &str) -> String {
        let mut name = name.to_string();
        while self.unnamed(&name).is_err() {
            name.push('′');
        }
        name
    }

    fn unnamed(&self, name: &str) -> Result<()> {
        if self.nodes.iter().any(|n| n.name == name) {
            return Err(Error::value("layer name", "a name of its own", name));
        }
        Ok(())
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

    /// Names a wire whose values a run keeps beside the answer's: a second head, a state for the next step.
    ///
    /// Errors: [`Error::Value`] for a name that another output has.
    pub fn output(&mut self, name: &str, wire: Wire) -> Result<()> {
        if self.ports.outputs.iter().any(|(other, _)| other == name) {
            return Err(Error::value("output name", "a name of its own", name));
        }
        self.ports.outputs.push((name.into(), wire));
        Ok(())
    }

    /// Appends a loss that counts this much in training; see [`super::losses`].
    ///
    /// Errors: those of [`Graph::append`]; [`Error::Value`] for a layer that is no loss and for a weight that is negative or
    /// not finite.
    pub fn loss(&mut self, name: &str, loss: impl Layer + 'static, inputs: &[Wire], weight: f32) -> Result<Wire> {
        self.append_loss(name, Arc::new(loss), inputs, weight)
    }

    /// As [`Graph::loss`] for a loss whose kind is known at run time only.
    pub fn append_loss(&mut self, name: &str, loss: Arc<dyn Layer>, inputs: &[Wire], weight: f32) -> Result<Wire> {
        if !(loss.is_loss() && weight >= 0.0 && weight.is_finite()) {
            let got = format!("{} with weight {weight}", loss.kind());
            return Err(Error::value(name, "a loss and a weight of at least 0", got));
        }
        let wire = self.append(name, loss, inputs)?;
        self.ports.losses.push((wire, weight));
        Ok(wire)
    }

    /// Makes a wire of class scores an auxiliary classifier: while training, its loss counts this much beside the output's.
    pub fn auxiliary(&mut self, wire: Wire, weight: f32) -> Result<()> {
        let node = &self.nodes[wire.0];
        if node.shape.len() != node.shape.c || weight < 0.0 {
            let got = format!("{} with weight {weight}", node.shape);
            return Err(Error::value(&node.name, "class scores and a weight of at least 0 for an auxiliary loss", got));
        }
        self.ports.auxiliaries.push((wire, weight));
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
        Network::new(self.nodes, self.views, output, self.ports)
    }

    fn push(&mut self, node: Node) -> Result<Wire> {
        self.nodes.push(node);
        Ok(Wire(self.nodes.len() - 1))
    }
}

pub(super) fn wire(nodes: &[Node], name: &str) -> Result<Wire> {
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
