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
//! An `auxiliary` classifier, if there is one, stands there with the weight of its loss: `{ "aux1": 0.3 }`.
//!
//! A layer without `inputs` reads the one before it; without `output` the last one answers. [`KINDS`] lists every type
//! with its options; an option that is left out has its default. `input` is the name of the network's input.

mod kinds;
mod setting;

pub use kinds::{KINDS, Kind, Opt};
pub use setting::{Setting, window_options};

use crate::error::{Error, Result};
use crate::nn::graph::{Graph, Network, Wire};
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
        |key| matches!(key, "input" | "layers" | "output" | "auxiliary"),
        "input, layers, output, auxiliary",
    )?;
    let mut last = graph.input(INPUT, input(network.get("input"))?)?;
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

fn input(value: Option<&Value>) -> Result<Shape> {
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
    let kind = Kind::named(name, text(name, given("type")?)?)?;
    only(
        name,
        layer,
        |key| matches!(key, "name" | "type" | "inputs") || kind.options.iter().any(|o| o.name == key),
        &kind.options.iter().map(|o| o.name).chain(["name", "type", "inputs"]).collect::<Vec<_>>().join(", "),
    )?;
    let options = kind.options.iter().map(|o| Ok((o.name, o.read(name, layer.get(o.name))?)));
    let built = (kind.make)(&kinds::Options(options.collect::<Result<_>>()?));
    let inputs = match layer.get("inputs") {
        None => vec![last],
        Some(Value::Array(names)) => names.iter().map(|input| graph.wire(text(name, input)?)).collect::<Result<_>>()?,
        other => return Err(Error::format(format!("{name}: inputs"), "an array of names", shown(other))),
    };
    graph.append(name, built, &inputs)
}

/// The description of a network, without line breaks. [`read`] gives the same network back.
pub fn write(net: &Network) -> String {
    let Shape { c, h, w } = net.input_shape();
    let quoted = |text: &str| Value::from(text).to_string();
    let called = |wire: Wire| quoted(if wire == Wire(0) { INPUT } else { &net.node(wire).name });
    let mut out = format!("{{\"input\":[{c},{h},{w}],\"layers\":[");
    for (wire, node) in net.wires().zip(net.nodes()) {
        let Some(layer) = &node.layer else { continue };
        if wire.0 > 1 {
            out.push(',');
        }
        out += &format!("{{\"name\":{},\"type\":{}", quoted(&node.name), quoted(layer.kind()));
        for (key, setting) in layer.options() {
            if !Kind::is_default(layer.kind(), key, setting) {
                out += &format!(",\"{key}\":{setting}");
            }
        }
        if node.inputs != [Wire(wire.0 - 1)] {
            let inputs: Vec<String> = node.inputs.iter().map(|w| called(*w)).collect();
            out += &format!(",\"inputs\":[{}]", inputs.join(","));
        }
        out.push('}');
    }
    out.push(']');
    if !net.auxiliaries().is_empty() {
        let weights = net.auxiliaries().iter().map(|(wire, weight)| format!("{}:{weight}", called(*wire)));
        out += &format!(",\"auxiliary\":{{{}}}", weights.collect::<Vec<_>>().join(","));
    }
    if net.output().0 + 1 != net.nodes().len() {
        out += &format!(",\"output\":{}", called(net.output()));
    }
    out + "}"
}
