//! Functions of a model's own, which exporters write for modules: each use becomes the operators that the function is made of.

use super::proto::{Attribute, Function, Graph, Model, Node};
use super::read::refuse;
use crate::error::{Error, Result};
use crate::file::number::short;
use std::collections::BTreeMap;

/// Most operators that functions may become: a few that use each other twice would double without end.
const MOST: usize = 200_000;
/// Most functions inside one another.
const DEEPEST: usize = 30;

/// Puts the operators of functions in the places of their uses. Errors: [`Error::Format`] for functions that use themselves or
/// become too many operators, and for one that means another version of the standard operators than the model.
pub(super) fn inline(model: &mut Model) -> Result<()> {
    if model.functions.is_empty() {
        return Ok(());
    }
    let functions = std::mem::take(&mut model.functions);
    let opset = version(&model.opset_import);
    let known = functions.iter().map(|f| ((plain(&f.domain), f.name.as_str()), f)).collect();
    let mut inliner = Inliner { known, opset, uses: 0, made: 0 };
    match &mut model.graph {
        Some(graph) => inliner.graph(graph, 0),
        None => Ok(()),
    }
}

fn plain(domain: &str) -> &str {
    if domain == "ai.onnx" { "" } else { domain }
}

fn version(list: &[super::proto::Opset]) -> Option<i64> {
    list.iter().find(|set| plain(&set.domain).is_empty()).map(|set| set.version)
}

struct Inliner<'a> {
    known: BTreeMap<(&'a str, &'a str), &'a Function>,
    opset: Option<i64>,
    uses: usize,
    made: usize,
}

impl Inliner<'_> {
    fn graph(&mut self, graph: &mut Graph, depth: usize) -> Result<()> {
        let mut nodes = Vec::with_capacity(graph.node.len());
        for node in std::mem::take(&mut graph.node) {
            self.node(node, depth, &mut nodes)?;
        }
        graph.node = nodes;
        Ok(())
    }

    fn node(&mut self, mut node: Node, depth: usize, out: &mut Vec<Node>) -> Result<()> {
        self.made += 1;
        if depth > DEEPEST || self.made > MOST {
            let expected = format!("functions that become at most {MOST} operators, {DEEPEST} deep");
            return Err(refuse(expected, short(&node.op_type)));
        }
        for inner in node.attribute.iter_mut().filter_map(|attribute| attribute.g.as_deref_mut()) {
            self.graph(inner, depth + 1)?;
        }
        let Some(&function) = self.known.get(&(plain(&node.domain), node.op_type.as_str())) else {
            out.push(node);
            return Ok(());
        };
        let own = version(&function.opset_import);
        if own.is_some() && self.opset.is_some() && own != self.opset {
            let what = format!("function {}", short(&function.name));
            let (expected, got) = (self.opset.unwrap_or(0), own.unwrap_or(0));
            return Err(Error::format(what, format!("standard operators of version {expected}, as the model"), got));
        }
        self.uses += 1;
        let names = Names::new(function, &node, self.uses);
        let settings = settings(function, &node);
        for inner in &function.node {
            let mut inner = inner.clone();
            names.rename(&mut inner);
            fill(&mut inner, &settings);
            self.node(inner, depth + 1, out)?;
        }
        Ok(())
    }
}

/// The settings of a use, with those that the function has by itself.
fn settings<'a>(function: &'a Function, node: &'a Node) -> BTreeMap<&'a str, &'a Attribute> {
    let all = function.attribute_proto.iter().chain(&node.attribute);
    all.map(|attribute| (attribute.name.as_str(), attribute)).collect()
}

/// Gives settings that refer to the function's their values; those that nobody gave are left out.
fn fill(node: &mut Node, settings: &BTreeMap<&str, &Attribute>) {
    let filled = std::mem::take(&mut node.attribute).into_iter().filter_map(|mut attribute| {
        if let Some(graph) = attribute.g.as_deref_mut() {
            graph.node.iter_mut().for_each(|node| fill(node, settings));
        }
        if attribute.ref_attr_name.is_empty() {
            return Some(attribute);
        }
        let given = settings.get(attribute.ref_attr_name.as_str())?;
        Some(Attribute { name: attribute.name, ref_attr_name: String::new(), ..(*given).clone() })
    });
    node.attribute = filled.collect();
}

/// What the names inside a function become at one of its uses.
struct Names<'a> {
    known: BTreeMap<&'a str, &'a str>,
    prefix: String,
}

impl<'a> Names<'a> {
    fn new(function: &'a Function, node: &'a Node, number: usize) -> Self {
        let given = |list: &'a [String], i: usize| list.get(i).map_or("", String::as_str);
        let inputs = function.input.iter().enumerate().map(|(i, name)| (name.as_str(), given(&node.input, i)));
        let outputs = function.output.iter().enumerate().map(|(i, name)| (name.as_str(), given(&node.output, i)));
        // An output that nobody wants is made under a name of its own.
        let outputs = outputs.filter(|(_, to)| !to.is_empty());
        Self { known: inputs.chain(outputs).collect(), prefix: format!("{}#{number}/", function.name) }
    }

    fn of(&self, name: &str) -> String {
        match self.known.get(name) {
            _ if name.is_empty() => String::new(),
            Some(outside) => (*outside).to_string(),
            None => format!("{}{name}", self.prefix),
        }
    }

    fn rename(&self, node: &mut Node) {
        node.input.iter_mut().chain(&mut node.output).for_each(|name| *name = self.of(name));
        if !node.name.is_empty() {
            node.name = format!("{}{}", self.prefix, node.name);
        }
        for graph in node.attribute.iter_mut().filter_map(|attribute| attribute.g.as_deref_mut()) {
            graph.node.iter_mut().for_each(|node| self.rename(node));
            graph.input.iter_mut().chain(&mut graph.output).for_each(|port| port.name = self.of(&port.name));
            graph.initializer.iter_mut().for_each(|tensor| tensor.name = self.of(&tensor.name));
        }
    }
}
