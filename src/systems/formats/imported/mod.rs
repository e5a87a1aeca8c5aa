//! Models from elsewhere: an ONNX graph, run as it is written.
//!
//! The graph's arrays are of any rank, while a network of this crate is made of images. So the graph runs operator by
//! operator on arrays, convolutions and matrix products on the engine's kernels. What depends on nothing but constants is
//! computed once, when the model is read.
//!
//! Where a graph is a network of images after all, [`Imported::network`] makes one of it: that trains, shows its features
//! and explains itself like any other.

mod budget;
mod call;
mod control;
mod describe;
mod lower;
mod ops;

pub use budget::MEMORY;
pub use describe::Operator;

use crate::error::{Error, Result};
use crate::file::array::Array;
use crate::file::onnx::{self, Attribute, Graph, Model, Node, Port};
use crate::kernel::Level;
use budget::Budget;
use call::{Answer, Call, sized};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

/// Most numbers in a constant that is computed when a model is read, and in all of them together (64 MiB of `f32`): a graph
/// of a few bytes may ask for any size.
const FOLDED: (usize, usize) = (1 << 20, 1 << 24);

/// A model that can be run.
#[derive(Debug, Clone)]
pub struct Imported {
    opset: i64,
    graph: Graph,
    constants: BTreeMap<String, Arc<Array>>,
    /// The sides of inputs, for what the file leaves open.
    sizes: BTreeMap<String, Vec<usize>>,
    /// Bytes of arrays that may live at once in a run.
    memory: usize,
}

/// Arrays by name, and those around a part of a graph.
#[derive(Default)]
struct Scope<'a> {
    values: BTreeMap<&'a str, Arc<Array>>,
    outer: Option<&'a Scope<'a>>,
    /// Names of which shapes alone are asked: products may leave zeros there.
    shapes: BTreeSet<&'a str>,
    budget: Rc<Budget>,
}

impl Scope<'_> {
    fn get(&self, name: &str) -> Option<Arc<Array>> {
        self.values.get(name).cloned().or_else(|| self.outer?.get(name))
    }
}

impl Imported {
    /// Takes a model over. Errors: [`Error::Missing`] that lists every operator which is not known here, with its nodes.
    pub fn new(mut model: Model) -> Result<Self> {
        let mut unknown = BTreeMap::new();
        unsupported(&model.graph, &mut unknown);
        if !unknown.is_empty() {
            let list: Vec<String> = unknown.iter().map(|(op, nodes)| format!("{op} ({})", nodes.join(", "))).collect();
            return Err(Error::missing("ONNX", "operators that are known here", list.join("; ")));
        }
        let constants = std::mem::take(&mut model.graph.constants);
        let constants = constants.into_iter().map(|(name, array)| (name, Arc::new(array))).collect();
        let mut imported =
            Self { opset: model.opset, graph: model.graph, constants, sizes: BTreeMap::new(), memory: MEMORY };
        imported.fold();
        Ok(imported)
    }

    /// Reads a model. Errors: those of [`onnx::read`] and [`Imported::new`].
    pub fn read(bytes: &[u8]) -> Result<Self> {
        Self::new(onnx::read(bytes)?)
    }

    /// What must be given to run it.
    pub fn inputs(&self) -> &[Port] {
        &self.graph.inputs
    }

    /// What it answers.
    pub fn outputs(&self) -> &[Port] {
        &self.graph.outputs
    }

    /// Its weights and other constants, those that were computed among them.
    pub fn constants(&self) -> impl Iterator<Item = (&str, &Array)> {
        self.constants.iter().map(|(name, array)| (name.as_str(), &**array))
    }

    /// Says what size an input has, for all that is told of the model without running it. Errors: [`Error::Missing`] for an
    /// input that there is not, [`Error::Shape`] for sides other than those that the file gives.
    pub fn resize(&mut self, input: &str, sides: &[usize]) -> Result<()> {
        let names = || self.graph.inputs.iter().map(|port| port.name.as_str()).collect::<Vec<_>>().join(", ");
        let port = self.graph.inputs.iter().find(|port| port.name == input);
        let port = port.ok_or_else(|| Error::missing("input", format!("one of {}", names()), input))?;
        sized(sides)?;
        if sides.contains(&0) || !fits(port, sides) {
            return Err(Error::shape(input, shown(port), format!("{sides:?}")));
        }
        self.sizes.insert(input.into(), sides.into());
        Ok(())
    }

    /// Lets a run's arrays take so many bytes at once, in the place of [`MEMORY`], and its operators work in proportion.
    pub fn allow(&mut self, bytes: usize) {
        self.memory = bytes;
    }

    /// The budget of a run on so many numbers.
    fn budget(&self, numbers: usize) -> Rc<Budget> {
        let own = self.constants.values().map(|array| array.len()).sum::<usize>();
        Rc::new(Budget::new(self.memory, own.saturating_add(numbers)))
    }

    /// The sides of an input, as far as they are known.
    fn sides(&self, port: &Port) -> Vec<Option<usize>> {
        let said = self.sizes.get(&port.name).map(|sides| sides.iter().copied().map(Some).collect());
        said.or_else(|| port.shape.clone()).unwrap_or_default()
    }

    /// The model as a file holds it, what was computed when it was read among its constants.
    pub fn to_model(&self) -> Model {
        let constants = self.constants().map(|(name, array)| (name.to_string(), array.clone())).collect();
        Model { opset: self.opset, graph: Graph { constants, ..self.graph.clone() }, ..Model::default() }
    }

    /// The operators that are left to run.
    pub fn nodes(&self) -> &[Node] {
        &self.graph.nodes
    }

    /// Computes what depends on constants only. An operator that fails is left for the run to report.
    fn fold(&mut self) {
        let nodes = std::mem::take(&mut self.graph.nodes);
        let mut total = 0;
        for node in nodes {
            match self.folded(&node) {
                Some(answers) if total + sum(&answers) <= FOLDED.1 => {
                    total += sum(&answers);
                    let named = node.outputs.iter().cloned().zip(answers).filter(|(name, _)| !name.is_empty());
                    self.constants.extend(named.map(|(name, array)| (name, Arc::new(array))));
                }
                _ => self.graph.nodes.push(node),
            }
        }
    }

    /// What a node makes of constants, if it reads nothing else and neither is large.
    fn folded(&self, node: &Node) -> Option<Vec<Array>> {
        let mut values = BTreeMap::new();
        for name in node.inputs.iter().filter(|name| !name.is_empty()) {
            values.insert(name.as_str(), self.constants.get(name)?.clone());
        }
        let small = values.values().map(|x| x.len()).sum::<usize>() <= FOLDED.0;
        let inner = node.attributes.values().any(|attribute| matches!(attribute, Attribute::Graph(_)));
        if !small || inner {
            return None;
        }
        let budget = Rc::new(Budget::new(4 * FOLDED.1, 0));
        let answers = operate(node, self.opset, &Scope { values, budget, ..Scope::default() }).ok()?;
        let complete = answers.len() >= node.outputs.iter().filter(|name| !name.is_empty()).count();
        (complete && sum(&answers) <= FOLDED.0).then_some(answers)
    }

    /// Runs the model on named inputs and returns its outputs by name. Inputs of another number type are converted.
    ///
    /// Errors: [`Error::Missing`] for an input that is not given or not known, and those of operators, which name the node.
    pub fn run(&self, inputs: &[(String, Array)]) -> Result<Vec<(String, Array)>> {
        self.run_watched(inputs, &mut |_, _| ())
    }

    /// As [`Imported::run`]; `watch` is shown every array as it is made.
    pub fn run_watched(
        &self,
        inputs: &[(String, Array)],
        watch: &mut dyn FnMut(&str, &Array),
    ) -> Result<Vec<(String, Array)>> {
        let budget = self.budget(inputs.iter().map(|(_, array)| array.len()).sum());
        let mut scope = Scope { budget, ..Scope::default() };
        scope.values.extend(self.constants.iter().map(|(name, array)| (name.as_str(), array.clone())));
        for port in &self.graph.inputs {
            let names = || inputs.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
            let given = inputs.iter().find(|(name, _)| *name == port.name);
            let (_, array) = given.ok_or_else(|| Error::missing("inputs", &port.name, names()))?;
            scope.values.insert(&port.name, Arc::new(fitted(port, array)?));
        }
        for (name, array) in inputs.iter().filter(|(name, _)| !self.graph.inputs.iter().any(|p| p.name == *name)) {
            // A constant may be replaced, as old files list them among their inputs.
            match self.constants.get_key_value(name) {
                Some((name, _)) => drop(scope.values.insert(name, Arc::new(array.clone()))),
                None => return Err(Error::missing("inputs", "only those of the model", name)),
            }
        }
        evaluate(&self.graph, self.opset, &mut scope, &mut |name, array| watch(name, array))
    }
}

/// Whether an array of these sides may be an input, as far as the file says.
fn fits(port: &Port, sides: &[usize]) -> bool {
    port.shape.as_ref().is_none_or(|shape| {
        shape.len() == sides.len() && shape.iter().zip(sides).all(|(want, have)| want.is_none_or(|want| want == *have))
    })
}

/// The sides of an input for people.
fn shown(port: &Port) -> String {
    let side = |side: &Option<usize>| side.map_or_else(|| "any".to_string(), |side| side.to_string());
    port.shape.as_deref().map_or_else(|| "any sides".into(), |s| s.iter().map(side).collect::<Vec<_>>().join(" × "))
}

/// An input in the type that the model wants and, as far as it says, of its shape.
fn fitted(port: &Port, array: &Array) -> Result<Array> {
    if !fits(port, array.shape()) {
        return Err(Error::shape(&port.name, shown(port), format!("{:?}", array.shape())));
    }
    Ok(match port.number {
        Some(number) if number != array.number() => array.cast(number),
        _ => array.clone(),
    })
}

fn sum(arrays: &[Array]) -> usize {
    arrays.iter().map(Array::len).sum()
}

/// The operators that are not known, with the nodes that use them.
fn unsupported(graph: &Graph, unknown: &mut BTreeMap<String, Vec<String>>) {
    for (i, node) in graph.nodes.iter().enumerate() {
        let controls = node.domain.is_empty() && control::OPERATORS.contains(&node.op.as_str());
        if !controls && ops::find(&node.domain, &node.op).is_none() {
            let op = if node.domain.is_empty() { node.op.clone() } else { format!("{}.{}", node.domain, node.op) };
            let name = if node.name.is_empty() { format!("node {i}") } else { node.name.clone() };
            unknown.entry(op).or_default().push(name);
        }
        for attribute in node.attributes.values() {
            if let Attribute::Graph(inner) = attribute {
                unsupported(inner, unknown);
            }
        }
    }
}

/// The names of all operators that are known.
pub fn operators() -> Vec<&'static str> {
    let mut names: Vec<_> = ops::names().chain(control::OPERATORS).collect();
    names.sort_unstable();
    names
}

/// Runs a graph in its scope and returns its outputs. `watch` is shown every array as it is made.
fn evaluate<'a>(
    graph: &'a Graph,
    opset: i64,
    scope: &mut Scope<'a>,
    watch: &mut dyn FnMut(&'a str, &Arc<Array>),
) -> Result<Vec<(String, Array)>> {
    for (name, array) in &graph.constants {
        scope.budget.operator(array.len())?;
        scope.values.insert(name, Arc::new(array.clone()));
    }
    let mut last: BTreeMap<&str, usize> = BTreeMap::new();
    for (k, node) in graph.nodes.iter().enumerate() {
        last.extend(mentioned_by(node).into_iter().map(|name| (name, k)));
    }
    last.extend(graph.outputs.iter().map(|port| (port.name.as_str(), usize::MAX)));
    let mut held = BTreeSet::new();
    for (k, node) in graph.nodes.iter().enumerate() {
        let answers = operate(node, opset, scope)?;
        if answers.len() < node.outputs.iter().filter(|name| !name.is_empty()).count() {
            return Err(Error::value(&node.op, format!("{} outputs", answers.len()), node.outputs.len()));
        }
        for (name, array) in node.outputs.iter().zip(answers).filter(|(name, _)| last.contains_key(name.as_str())) {
            scope.budget.hold(&array)?;
            held.insert(name.as_str());
            let array = Arc::new(array);
            watch(name, &array);
            scope.values.insert(name, array);
        }
        // What nobody reads any more is let go.
        for name in node.inputs.iter().filter(|name| last.get(name.as_str()) == Some(&k)) {
            let gone = scope.values.remove(name.as_str());
            gone.filter(|_| held.remove(name.as_str())).inspect(|array| scope.budget.release(array));
        }
    }
    // Whoever asked for the outputs holds them from here on.
    held.iter().filter_map(|name| scope.values.get(name)).for_each(|array| scope.budget.release(array));
    let output = |port: &Port| {
        let array = scope.get(&port.name).ok_or_else(|| Error::missing("outputs", &port.name, "none"))?;
        Ok((port.name.clone(), Arc::unwrap_or_clone(array)))
    };
    graph.outputs.iter().map(output).collect()
}

/// Every name that an operator reads, within the graphs inside it, too.
fn mentioned_by(node: &Node) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    mentioned(node, &mut names);
    names
}

fn mentioned<'a>(node: &'a Node, names: &mut BTreeSet<&'a str>) {
    names.extend(node.inputs.iter().map(String::as_str));
    for attribute in node.attributes.values() {
        if let Attribute::Graph(inner) = attribute {
            names.extend(inner.outputs.iter().map(|port| port.name.as_str()));
            inner.nodes.iter().for_each(|node| mentioned(node, names));
        }
    }
}

/// Runs one operator.
fn operate(node: &Node, opset: i64, scope: &Scope) -> Answer {
    let input = |name: &String| match (name.is_empty(), scope.get(name)) {
        (true, _) => Ok(None),
        (_, Some(array)) => Ok(Some(array)),
        _ => Err(Error::missing(&node.op, "inputs that have been computed", name)),
    };
    let inputs: Vec<Option<Arc<Array>>> = node.inputs.iter().map(input).collect::<Result<_>>()?;
    let budget = &*scope.budget;
    let idle = node.outputs.iter().any(|name| scope.shapes.contains(name.as_str()));
    let call = Call { node, opset, level: Level::new(), inputs, budget, idle };
    if node.domain.is_empty() && control::OPERATORS.contains(&node.op.as_str()) {
        return control::run(&call, scope).map_err(|error| about(&call, error));
    }
    let op = ops::find(&node.domain, &node.op);
    let op = op.ok_or_else(|| Error::missing("ONNX", "an operator that is known here", &node.op))?;
    let read: usize = call.inputs.iter().flatten().map(|array| array.len()).sum();
    let answers = budget.operator(read).and_then(|()| op(&call)).map_err(|error| about(&call, error))?;
    budget.operator(sum(&answers)).map_err(|error| about(&call, error))?;
    Ok(answers)
}

/// The error of an operator, with its name if it has none yet.
fn about(call: &Call, error: Error) -> Error {
    match error {
        Error::Shape(mut detail) => {
            detail.what = format!("{}: {}", call.what(), detail.what);
            Error::Shape(detail)
        }
        other => other,
    }
}
