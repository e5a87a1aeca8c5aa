//! A network as data: a JSON list of layers, to be edited in a page, kept in a URL or carried by a file of weights.
//!
//! ```json
//! {
//!   "input": [1, 28, 28],
//!   "layers": [
//!     { "name": "conv1", "type": "conv", "out": 16, "kernel": 3, "pad": 1 },
//!     { "name": "relu1", "type": "relu" },
//!     { "name": "sum", "type": "add", "inputs": ["relu1", "input"] }
//!   ],
//!   "output": "sum"
//! }
//! ```
//!
//! An `auxiliary` classifier, if there is one, stands there with the weight of its loss: `{ "aux1": 0.3 }`, and another
//! output with the layer that gives it: `"outputs": { "boxes": "head2" }`.
//!
//! An input behind the first one is a layer of the type `input` with its `shape`, with what it `holds` ([`Port`]; `below`, for
//! masks and indices), and with the most `rows` for an image, or the input that it has as many rows `with`. A loss is a layer
//! of one of [`LOSSES`], with its `weight`. A layer that shares another's parameters names it in `share`, and has its type and
//! options.
//!
//! A layer without `inputs` reads the one before it; without `output` the last one answers. [`KINDS`] lists every type
//! with its options; an option that is left out has its default. `input` is the name of the network's input.

mod kinds;
mod port;
mod setting;

pub use kinds::{FEW_BITS, KINDS, Kind, LOSSES, Opt, REGIONS, SEQUENCES};
pub use setting::{Setting, window_options};

use crate::error::{Error, Result};
use crate::nn::graph::{Graph, Wire};
use crate::nn::layer::Layer;
use crate::nn::network::Network;
#[cfg(doc)]
use crate::nn::port::Port;
use crate::shape::Shape;
use serde_json::{Map, Value};
use setting::{shown, text};

/// Longest description, in bytes, and most layers.
const LIMITS: (usize, usize) = (1 << 20, 4096);

/// The name of the network's input.
const INPUT: &str = "input";

/// Why a description is no network.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// Which layer of the list, if it is one's.
    pub layer: Option<usize>,
    /// What is wrong. Names the layer, too.
    pub error: Error,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self { layer: None, error }
    }
}

/// Builds the network that a description describes.
///
/// Errors: [`Error::Format`] for text that is no such JSON, [`Error::Missing`] for an unknown type or input,
/// [`Error::Value`] for an option out of range, [`Error::Shape`] for shapes that do not fit. All name the layer.
pub fn read(json: &str) -> Result<Network> {
    let (graph, output) = draft(json);
    Ok(graph.finish(output.map_err(|fault| fault.error)?))
}

/// As [`read`] for a description that may be unfinished: everything that could be wired, and the output or the fault.
pub fn draft(json: &str) -> (Graph, std::result::Result<Wire, Fault>) {
    let mut graph = Graph::new();
    let output = wire(json, &mut graph);
    (graph, output)
}

fn wire(json: &str, graph: &mut Graph) -> std::result::Result<Wire, Fault> {
    if json.len() > LIMITS.0 {
        return Err(Error::format("network", format!("at most {} bytes", LIMITS.0), json.len()).into());
    }
    let value: Value = serde_json::from_slice(json.as_bytes()).map_err(|e| Error::format("network", "JSON", e))?;
    let Value::Object(network) = &value else {
        return Err(Error::format("network", "an object with input and layers", shown(Some(&value))).into());
    };
    only(
        "network",
        network,
        |key| matches!(key, "input" | "layers" | "output" | "outputs" | "auxiliary"),
        "input, layers, output, outputs, auxiliary",
    )?;
    let mut last = graph.input(INPUT, shape(network.get("input"))?)?;
    let layers = network.get("layers").and_then(Value::as_array);
    let layers = layers.filter(|layers| layers.len() <= LIMITS.1).ok_or_else(|| {
        Error::format("layers", format!("an array of at most {}", LIMITS.1), shown(network.get("layers")))
    })?;
    for (i, layer) in layers.iter().enumerate() {
        last = append(graph, i, layer, last).map_err(|error| Fault { layer: Some(i), error })?;
    }
    if let Some(auxiliary) = network.get("auxiliary") {
        auxiliaries(graph, auxiliary)?;
    }
    if let Some(outputs) = network.get("outputs") {
        let refuse = || Error::format("outputs", "names with layers", shown(Some(outputs)));
        for (name, layer) in outputs.as_object().ok_or_else(refuse)? {
            graph.output(name, graph.wire(text(name, layer)?)?)?;
        }
    }
    Ok(match network.get("output") {
        None => last,
        Some(name) => graph.wire(text("output", name)?)?,
    })
}

/// Refuses an object with a key that nobody reads: a misspelt option must not pass for its default.
fn only(what: &str, object: &Map<String, Value>, known: impl Fn(&str) -> bool, names: &str) -> Result<()> {
    match object.keys().find(|key| !known(key)) {
        Some(key) => Err(Error::missing(what, format!("only {names}"), key)),
        None => Ok(()),
    }
}

fn shape(value: Option<&Value>) -> Result<Shape> {
    let sides: Option<Vec<usize>> = value
        .and_then(Value::as_array)
        .and_then(|sides| sides.iter().map(|side| Some(side.as_u64()? as usize)).collect());
    match sides.as_deref() {
        Some(&[c, h, w]) => Ok(Shape::new(c, h, w)),
        _ => Err(Error::format("input", "[channels, height, width]", shown(value))),
    }
}

fn auxiliaries(graph: &mut Graph, value: &Value) -> Result<()> {
    let refuse = || Error::format("auxiliary", "layers with the weights of their losses", shown(Some(value)));
    for (name, weight) in value.as_object().ok_or_else(refuse)? {
        graph.auxiliary(graph.wire(name)?, weight.as_f64().ok_or_else(refuse)? as f32)?;
    }
    Ok(())
}

fn append(graph: &mut Graph, i: usize, value: &Value, last: Wire) -> Result<Wire> {
    let place = format!("layer {}", i + 1);
    let Value::Object(layer) = value else {
        return Err(Error::format(place, "an object with name and type", shown(Some(value))));
    };
    let given = |key: &str| layer.get(key).ok_or_else(|| Error::missing(&place, key, "none"));
    let name = text(&place, given("name")?)?;
    let kind = text(name, given("type")?)?;
    if kind == port::TYPE {
        // An input is read by name only.
        return port::read(graph, name, layer).map(|_| last);
    }
    let inputs = match layer.get("inputs") {
        None => vec![last],
        Some(Value::Array(names)) => names.iter().map(|input| graph.wire(text(name, input)?)).collect::<Result<_>>()?,
        other => return Err(Error::format(format!("{name}: inputs"), "an array of names", shown(other))),
    };
    let kind = Kind::named(name, kind)?;
    let own = ["name", "type", "inputs"].into_iter().chain(kind.options.iter().map(|o| o.name));
    let own: Vec<&str> = own.chain([if kind.is_loss() { "weight" } else { "share" }]).collect();
    only(name, layer, |key| own.contains(&key), &own.join(", "))?;
    let options = kind.options.iter().map(|o| Ok((o.name, o.read(name, layer.get(o.name))?)));
    let built = (kind.make)(&kinds::Options(options.collect::<Result<_>>()?));
    match (layer.get("share"), layer.get("weight")) {
        (Some(owner), _) => shared(graph, name, &*built, graph.wire(text(name, owner)?)?, &inputs),
        (_, weight) if kind.is_loss() => {
            let refuse = || Error::value(format!("{name}: weight"), "a number", shown(weight));
            let weight = weight.map_or(Some(1.0), Value::as_f64).ok_or_else(refuse)?;
            graph.append_loss(name, built, &inputs, weight as f32).map(|_| last)
        }
        _ => graph.append(name, built, &inputs),
    }
}

/// A layer that shares: it must be what its owner is.
fn shared(graph: &mut Graph, name: &str, built: &dyn Layer, owner: Wire, inputs: &[Wire]) -> Result<Wire> {
    let theirs = graph.nodes()[owner.0].layer.clone();
    match theirs.filter(|theirs| theirs.kind() == built.kind() && theirs.options() == built.options()) {
        Some(_) => graph.share(name, owner, inputs),
        None => Err(Error::value(
            format!("{name}: share"),
            "a layer of the same type and options",
            graph.nodes()[owner.0].name.as_str(),
        )),
    }
}

/// The description of a network, without line breaks. [`read`] gives the same network back.
pub fn write(net: &Network) -> String {
    let Shape { c, h, w } = net.input_shape();
    let layers: Vec<String> = net.wires().skip(1).map(|wire| written(net, wire)).collect();
    let mut out = format!("{{\"input\":[{c},{h},{w}],\"layers\":[{}]", layers.join(","));
    let named = |out: &mut String, key: &str, entries: Vec<String>| {
        if !entries.is_empty() {
            *out += &format!(",\"{key}\":{{{}}}", entries.join(","));
        }
    };
    let weight = |(wire, weight): &(Wire, f32)| format!("{}:{weight}", called(net, *wire));
    named(&mut out, "auxiliary", net.auxiliaries().iter().map(weight).collect());
    let output = |(name, wire): &(String, Wire)| format!("{}:{}", quoted(name), called(net, *wire));
    named(&mut out, "outputs", net.outputs().iter().map(output).collect());
    let says = |wire: &Wire| net.node(*wire).layer.as_ref().is_some_and(|layer| !layer.is_loss());
    if net.wires().filter(says).last().unwrap_or(Wire(0)) != net.output() {
        out += &format!(",\"output\":{}", called(net, net.output()));
    }
    out + "}"
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn called(net: &Network, wire: Wire) -> String {
    quoted(if wire == Wire(0) { INPUT } else { &net.node(wire).name })
}

/// One entry of the list of layers.
fn written(net: &Network, wire: Wire) -> String {
    let node = net.node(wire);
    let Some(layer) = &node.layer else {
        let like = net.wires().take(wire.0).find(|w| net.node(*w).layer.is_none() && net.node(*w).rows == node.rows);
        return port::write(node, net.rows_each(wire), like.map(|w| net.node(w).name.as_str()));
    };
    let mut out = format!("{{\"name\":{},\"type\":{}", quoted(&node.name), quoted(layer.kind()));
    for (key, setting) in layer.options() {
        if !Kind::is_default(layer.kind(), key, setting) {
            out += &format!(",\"{key}\":{setting}");
        }
    }
    if let Some(owner) = node.shares {
        out += &format!(",\"share\":{}", called(net, owner));
    }
    if let Some((_, weight)) = net.losses().iter().find(|(loss, weight)| *loss == wire && *weight != 1.0) {
        out += &format!(",\"weight\":{weight}");
    }
    // The wire that a layer reads if it names none: of inputs and losses nobody reads without being told.
    let says = |w: &Wire| w.0 == 0 || net.node(*w).layer.as_ref().is_some_and(|layer| !layer.is_loss());
    let before = net.wires().take(wire.0).filter(says).last();
    if node.inputs.iter().ne(before.iter()) {
        let inputs: Vec<String> = node.inputs.iter().map(|w| called(net, *w)).collect();
        out += &format!(",\"inputs\":[{}]", inputs.join(","));
    }
    out + "}"
}
