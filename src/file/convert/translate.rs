//! A Keras model as an ONNX graph: layer by layer, in the order in which they read from one another.

use super::builder::{Builder, Hold, Wire};
use super::config::{Layer, Net, Point};
use super::layers;
use super::store::{Place, Store};
use crate::error::{Error, Result};
use crate::file::array::Number;
use crate::file::number::short;
use crate::file::onnx::Model;
use std::collections::{BTreeMap, BTreeSet};

/// Most uses of layers: models that use a model inside twice would double without end.
const MOST: usize = 20_000;

/// Most kinds of layers that a message names.
pub(super) const LISTED: usize = 20;

/// What a setting means where Keras changed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Keras 2, and TensorFlow.js.
    Two,
    /// Keras 3.
    Three,
}

/// Translates a model with its weights.
pub(super) fn model(net: &Net, store: &Store, dialect: Dialect, metadata: BTreeMap<String, String>) -> Result<Model> {
    let mut unknown: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    net.visit(&mut |layer| {
        if !layers::is_known(&layer.class) {
            unknown.entry(&layer.class).or_default().push(&layer.name);
        }
    });
    if !unknown.is_empty() {
        let list: Vec<String> = unknown
            .iter()
            .take(LISTED)
            .map(|(class, names)| short(&format!("{class} ({})", names.join(", "))))
            .collect();
        return Err(Error::missing("model", "layers that are known here", list.join("; ")));
    }
    let mut translator = Translator { store, dialect, out: Builder::default(), names: BTreeMap::new(), uses: 0 };
    let inputs = translator.inputs(net)?;
    let outputs = translator.net(net, &mut Place { path: Vec::new() }, inputs)?;
    if outputs.is_empty() {
        return Err(Error::format("model", "an output", "none"));
    }
    Ok(translator.out.finish(outputs, metadata))
}

pub(super) struct Translator<'a> {
    pub(super) store: &'a Store,
    pub(super) dialect: Dialect,
    pub(super) out: Builder,
    /// What layers are called in the graph, by the names of those around them and their own.
    names: BTreeMap<String, String>,
    uses: usize,
}

impl<'a> Translator<'a> {
    /// The inputs of the outermost model.
    fn inputs(&mut self, net: &'a Net) -> Result<Vec<Wire>> {
        if net.chain {
            let (name, sides, number) = opening(net)?;
            return Ok(vec![self.input(name, sides, number)]);
        }
        let layer = |point: &Point| net.places.get(&point.layer).map(|&k| &net.layers[k]);
        let mut wires = Vec::new();
        for point in &net.inputs {
            let layer = layer(point).ok_or_else(|| Error::missing("model", "its input layers", short(&point.layer)))?;
            let sides = shape(layer)?.ok_or_else(|| layer.refuse("the shape of an input", "none"))?;
            let number = number(layer)?;
            wires.push(self.input(&layer.name, sides, number));
        }
        Ok(wires)
    }

    /// Pictures come in with their channels first.
    fn input(&mut self, name: &str, sides: Vec<Option<usize>>, number: Number) -> Wire {
        let hold = if sides.len() == 3 { Hold::First } else { Hold::Plain };
        let mut held = sides.clone();
        if hold == Hold::First {
            held.rotate_right(1);
        }
        let name = self.out.input(name, &held, number);
        Wire::new(name, sides, hold)
    }

    /// A model on these inputs.
    fn net(&mut self, net: &'a Net, place: &mut Place<'a>, inputs: Vec<Wire>) -> Result<Vec<Wire>> {
        if net.chain {
            let mut wires = inputs;
            for layer in &net.layers {
                wires = self.layer(layer, place, wires)?;
            }
            return Ok(wires);
        }
        let mut made: BTreeMap<(usize, usize), Vec<Wire>> = BTreeMap::new();
        if inputs.len() != net.inputs.len() {
            return Err(Error::shape("model", format!("{} inputs", net.inputs.len()), inputs.len()));
        }
        for (point, wire) in net.inputs.iter().zip(inputs) {
            made.insert((self.index(net, point)?, point.call), vec![wire]);
        }
        for point in &net.outputs {
            self.make(net, place, (self.index(net, point)?, point.call), &mut made)?;
        }
        net.outputs.iter().map(|point| self.made(net, point, &made)).collect()
    }

    fn index(&self, net: &Net, point: &Point) -> Result<usize> {
        let index = net.places.get(&point.layer).copied();
        index.ok_or_else(|| Error::missing("model", "layers that it has", short(&point.layer)))
    }

    fn made(&self, net: &Net, point: &Point, made: &BTreeMap<(usize, usize), Vec<Wire>>) -> Result<Wire> {
        let wire = made.get(&(self.index(net, point)?, point.call)).and_then(|wires| wires.get(point.output));
        wire.cloned().ok_or_else(|| Error::missing("model", "outputs that its layers have", short(&point.layer)))
    }

    /// Makes one use of a layer, and whatever it needs before it. A list takes the place of recursion: chains are long.
    fn make(
        &mut self,
        net: &'a Net,
        place: &mut Place<'a>,
        goal: (usize, usize),
        made: &mut BTreeMap<(usize, usize), Vec<Wire>>,
    ) -> Result<()> {
        let (mut open, mut begun) = (vec![goal], BTreeSet::new());
        while let Some(&key) = open.last() {
            if made.contains_key(&key) {
                open.pop();
                continue;
            }
            let layer = &net.layers[key.0];
            let call = layer.calls.get(key.1);
            let reads = call.ok_or_else(|| layer.refuse("what it reads", format!("nothing for use {}", key.1)))?;
            let mut waits = Vec::new();
            for point in reads {
                let need = (self.index(net, point)?, point.call);
                if !made.contains_key(&need) {
                    waits.push(need);
                }
            }
            if !waits.is_empty() {
                if !begun.insert(key) {
                    return Err(layer.refuse("layers that do not read from one another in a circle", "a circle"));
                }
                open.extend(waits);
                continue;
            }
            let inputs = reads.iter().map(|point| self.made(net, point, made)).collect::<Result<_>>()?;
            let wires = self.layer(layer, place, inputs)?;
            made.insert(key, wires);
            open.pop();
        }
        Ok(())
    }

    /// One use of a layer.
    fn layer(&mut self, layer: &'a Layer, place: &mut Place<'a>, inputs: Vec<Wire>) -> Result<Vec<Wire>> {
        self.uses += 1;
        if self.uses > MOST {
            return Err(layer.refuse(format!("at most {MOST} uses of layers"), "more"));
        }
        place.path.push(layer);
        let wires = match &layer.inner {
            Some(inner) => self.net(inner, place, inputs),
            None => {
                let name = self.name(place);
                layers::layer(self, &layers::Job { layer, name, place }, inputs).map(|wire| vec![wire])
            }
        };
        place.path.pop();
        wires
    }

    /// What a layer is called in the graph: by its own name, or with those around it where another has that.
    fn name(&mut self, place: &Place) -> String {
        let path = place.path.iter().map(|layer| layer.name.as_str()).collect::<Vec<_>>().join("/");
        if let Some(name) = self.names.get(&path) {
            return name.clone();
        }
        let own = place.path.last().map_or("", |layer| &layer.name);
        let taken = self.names.values().any(|name| name == own);
        let name = if taken { path.clone() } else { own.to_string() };
        self.names.insert(path, name.clone());
        name
    }
}

/// The sides of what a layer reads, if it says.
fn shape(layer: &Layer) -> Result<Option<Vec<Option<usize>>>> {
    Ok(match layer.sides("batch_input_shape")? {
        None => layer.sides("batch_shape")?,
        some => some,
    })
}

/// The type of an input's numbers: whole for words, real for all else.
fn number(layer: &Layer) -> Result<Number> {
    let named = layer.get("dtype").and_then(serde_json::Value::as_str).unwrap_or("float32");
    Ok(if named.starts_with("int") || named.starts_with("uint") { Number::I64 } else { Number::F32 })
}

/// The name and the sides of what a chain reads.
fn opening(net: &Net) -> Result<(&str, Vec<Option<usize>>, Number)> {
    let first = net.layers.first().ok_or_else(|| Error::format("model", "layers", "none"))?;
    if let Some(sides) = shape(first)? {
        let name = if first.class == "InputLayer" { &first.name } else { "input" };
        return Ok((name, sides, number(first)?));
    }
    let inner = first.inner.as_ref().ok_or_else(|| first.refuse("the shape of the model's input", "none"))?;
    if inner.chain {
        return opening(inner);
    }
    let layer = inner.inputs.first().and_then(|point| inner.places.get(&point.layer)).map(|&k| &inner.layers[k]);
    let layer = layer.ok_or_else(|| first.refuse("a model with an input", "none"))?;
    let sides = shape(layer)?.ok_or_else(|| layer.refuse("the shape of an input", "none"))?;
    Ok((&layer.name, sides, number(layer)?))
}
