//! Operators in an order in which they can run: some tools write them in another.

use super::{Attribute, Graph, Node};
use std::collections::{BTreeMap, BTreeSet};

/// Puts a graph's operators, and those of the graphs inside, behind the ones that they read from. The order stays where it
/// can; operators that read from one another in a circle stay as they are, for the check to refuse.
pub(super) fn sort(graph: &mut Graph) {
    for node in &mut graph.nodes {
        for attribute in node.attributes.values_mut() {
            if let Attribute::Graph(inner) = attribute {
                sort(inner);
            }
        }
    }
    let made = graph.nodes.iter().enumerate().flat_map(|(k, node)| node.outputs.iter().map(move |name| (name, k)));
    let made: BTreeMap<&String, usize> = made.filter(|(name, _)| !name.is_empty()).collect();
    let reads: Vec<BTreeSet<usize>> = (graph.nodes.iter())
        .map(|node| {
            let mut names = Vec::new();
            mentioned(node, &mut names);
            names.into_iter().filter_map(|name| made.get(name).copied()).collect()
        })
        .collect();
    if reads.iter().enumerate().all(|(k, from)| from.iter().all(|&from| from < k)) {
        return;
    }
    let mut readers = vec![Vec::new(); reads.len()];
    reads.iter().enumerate().for_each(|(k, from)| from.iter().for_each(|&from| readers[from].push(k)));
    let mut waits: Vec<usize> = reads.iter().map(BTreeSet::len).collect();
    let mut ready: BTreeSet<usize> = (0..waits.len()).filter(|k| waits[*k] == 0).collect();
    let mut order = Vec::with_capacity(waits.len());
    while let Some(k) = ready.pop_first() {
        order.push(k);
        for &reader in &readers[k] {
            waits[reader] -= 1;
            if waits[reader] == 0 {
                ready.insert(reader);
            }
        }
    }
    if order.len() == graph.nodes.len() {
        let mut nodes: Vec<Option<Node>> = std::mem::take(&mut graph.nodes).into_iter().map(Some).collect();
        graph.nodes = order.into_iter().filter_map(|k| nodes[k].take()).collect();
    }
}

/// Every name that an operator reads, those of the graphs inside it among them.
fn mentioned<'a>(node: &'a Node, names: &mut Vec<&'a String>) {
    names.extend(&node.inputs);
    for attribute in node.attributes.values() {
        if let Attribute::Graph(inner) = attribute {
            inner.nodes.iter().for_each(|node| mentioned(node, names));
            names.extend(inner.outputs.iter().map(|port| &port.name));
        }
    }
}
