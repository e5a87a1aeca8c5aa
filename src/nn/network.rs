//! A finished network: what a plan is made of and a run runs.

use super::graph::{Graph, Node, Ports, Wire, wire};
use super::layer::Layer;
use super::losses::CrossEntropy;
use super::params::{Params, View};
use super::port::{Feed, Port, Rows};
use crate::error::{Error, Result};
use crate::shape::Shape;
use std::sync::Arc;

/// A finished network: its structure, without parameters. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Network(Arc<Finished>);

#[derive(Debug, Clone)]
struct Finished {
    nodes: Vec<Node>,
    views: Vec<View>,
    output: Wire,
    ports: Ports,
}

impl Network {
    pub(super) fn new(nodes: Vec<Node>, views: Vec<View>, output: Wire, ports: Ports) -> Self {
        Self(Arc::new(Finished { nodes, views, output, ports }))
    }

    pub(super) fn ports(&self) -> &Ports {
        &self.0.ports
    }

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
        &self.0.ports.auxiliaries
    }

    /// The inputs, in order; the first one holds the images.
    pub fn inputs(&self) -> impl Iterator<Item = Wire> {
        self.wires().filter(|w| self.node(*w).layer.is_none())
    }

    /// Whether a gradient goes back through a node to its input `i`.
    pub(super) fn passes(node: &Node, i: usize) -> bool {
        node.layer.as_ref().is_some_and(|layer| layer.passes(i, node.inputs.len()))
    }

    /// Each input with its rows in these feeds, and how many images they are: what a run of up to `batch` images checks first.
    ///
    /// Errors: those of [`super::Run::forward_feeds`].
    #[allow(clippy::type_complexity, reason = "a count and a list that belong together")]
    pub fn fed<'a>(&self, batch: usize, feeds: &[Feed<'a>]) -> Result<(usize, Vec<(Wire, &'a [f32])>)> {
        let (counts, fed) = super::feeding::check(self, batch, feeds)?;
        Ok((counts[0], fed))
    }

    /// How many groups of rows there are.
    pub(super) fn groups(&self) -> usize {
        1 + self.0.ports.rows.len()
    }

    /// The named outputs beside the answer; see [`Graph::output`].
    pub fn outputs(&self) -> &[(String, Wire)] {
        &self.0.ports.outputs
    }

    /// The losses and how much each counts; see [`Graph::loss`].
    pub fn losses(&self) -> &[(Wire, f32)] {
        &self.0.ports.losses
    }

    /// Most rows of a wire for one image.
    pub fn rows_each(&self, wire: Wire) -> usize {
        match self.node(wire).rows.0 {
            0 => 1,
            group => self.0.ports.rows[group - 1],
        }
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
        let mut graph = Graph::like(self);
        let wires: Vec<Wire> = self.wires().collect();
        for (k, node) in self.nodes()[..=last.0].iter().enumerate() {
            match &node.layer {
                None if k == 0 => graph.input(&node.name, input)?,
                own => graph.copy(node, own.as_ref().map(&layer), &wires)?,
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
        self.marked(parts, |node| (node.frozen, node.infers) = (true, true))
    }

    /// As [`Network::freeze`] for layers that keep their parameters but run as the others do: in training, batch
    /// normalisation takes the batch's own statistics and dropout drops.
    pub fn fix<S: AsRef<str>>(&self, parts: &[S]) -> Result<Self> {
        self.marked(parts, |node| node.frozen = true)
    }

    fn marked<S: AsRef<str>>(&self, parts: &[S], mark: impl Fn(&mut Node)) -> Result<Self> {
        let mut nodes = self.nodes().to_vec();
        for part in parts.iter().map(AsRef::as_ref) {
            let mut found = false;
            for node in nodes.iter_mut().filter(|node| node.layer.is_some()) {
                if part.strip_suffix('*').map_or(node.name == part, |start| node.name.starts_with(start)) {
                    mark(node);
                    found |= !node.params.is_empty();
                }
            }
            if !found {
                let own = nodes.iter().filter(|node| !node.params.is_empty()).map(|node| node.name.as_str());
                let expected = format!("one of {}, or the beginning of some and *", own.collect::<Vec<_>>().join(", "));
                return Err(Error::missing("layer to freeze", expected, part));
            }
        }
        Ok(Self(Arc::new(Finished { nodes, ..(*self.0).clone() })))
    }

    /// The same network with the losses of a classifier: a last input `target`, a distribution over the classes, and the
    /// cross-entropy of every auxiliary classifier and, as the last loss, of the answer, `class`, against it. Where a layer has
    /// one of these names, a prime follows.
    ///
    /// Errors: [`Error::Value`] for a network that has losses already, [`Error::Shape`] for an answer that is no vector.
    pub fn classifier(&self) -> Result<Self> {
        if !self.losses().is_empty() {
            return Err(Error::value("classifier", "a network without losses", self.losses().len()));
        }
        let Finished { nodes, views, output, ports } = (*self.0).clone();
        let (shape, auxiliaries) = (nodes[output.0].shape, ports.auxiliaries.clone());
        if shape.len() != shape.c {
            return Err(Error::shape("classifier", "an answer that is a vector of scores", shape));
        }
        let mut graph = Graph::grown(nodes, views, ports);
        let target = graph.port(&graph.unused("target"), shape, Port::Distribution, Rows::IMAGES)?;
        for (wire, weight) in auxiliaries {
            let name = graph.unused(&format!("{} loss", graph.nodes()[wire.0].name));
            graph.loss(&name, CrossEntropy, &[wire, target], weight)?;
        }
        graph.loss(&graph.unused("class"), CrossEntropy, &[output, target], 1.0)?;
        Ok(graph.finish(output))
    }

    /// Whether each view of the parameters is a frozen layer's, in their order.
    pub fn frozen_views(&self) -> Vec<bool> {
        let mut frozen = vec![false; self.views().len()];
        for node in self.nodes().iter().filter(|node| node.frozen) {
            frozen[node.params.clone()].fill(true);
        }
        // What is shared learns where one of its layers does.
        for node in self.nodes().iter().filter(|node| !node.frozen) {
            frozen[node.params.clone()].fill(false);
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
