//! TensorFlow Lite: a list of operators on numbered tensors. Each becomes the layer of Keras that it was made from, and the whole
//! is translated as a model of Keras is. Schema: `tensorflow/compiler/mlir/lite/schema/schema.fbs`.
//!
//! Weights in few bits become the numbers that they stand for; what runs between them runs in full precision, so that a model of
//! 8 bits answers here within its steps of what TensorFlow Lite says, not to the bit.

mod flat;
mod operators;

use super::config::{Layer, Net, Point};
use super::store::{Named, Store};
use super::translate::{self, Dialect, LISTED};
use crate::error::{Error, Result};
use crate::file::array::{Array, Number};
use crate::file::number::{ByteOrder, short};
use crate::file::onnx::Model;
use crate::tensor::Tensor;
use flat::Table;
use serde_json::{Map, Value, json};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

/// Most operators, and most tensors.
const MOST: usize = 100_000;

fn refuse(expected: impl std::fmt::Display, got: impl std::fmt::Display) -> Error {
    Error::format("TensorFlow Lite", expected, short(&got.to_string()))
}

/// Reads the first graph of a file.
pub(super) fn read(bytes: &[u8]) -> Result<Model> {
    let root = Table::root(bytes).ok_or_else(|| refuse("a whole file", "a part of one"))?;
    let graph = *root.tables(2).first().ok_or_else(|| refuse("a graph", "none"))?;
    let (tensors, operators) = (graph.tables(0), graph.tables(3));
    if tensors.len().max(operators.len()) > MOST {
        return Err(refuse(format!("at most {MOST} operators and tensors"), tensors.len().max(operators.len())));
    }
    let (codes, buffers) = (root.tables(1), root.tables(4));
    let room = Cell::new(bytes.len().saturating_mul(16).saturating_add(1 << 24));
    let mut reader = Reader {
        tensors,
        buffers,
        room,
        shapes: BTreeSet::new(),
        made: BTreeMap::new(),
        layers: Vec::new(),
        weights: Named::default(),
    };
    let inputs = reader.inputs(&graph)?;
    let mut unknown = BTreeMap::new();
    for (k, operator) in operators.iter().enumerate() {
        let code = usize::try_from(operator.int(0, 0)).ok().and_then(|code| codes.get(code));
        let code = code.ok_or_else(|| refuse("operators with codes", k))?;
        // The first schema had a byte for it.
        let number = code.int(3, 0).max(i32::from(code.byte(0)));
        let name = operators::name(number).map_or_else(|| format!("operator {number} {}", code.text(1)), String::from);
        let known = match reader.operator(number, operator) {
            // What reads from something that is not known has no reason of its own.
            Err(_) if !unknown.is_empty() => true,
            known => known?,
        };
        if !known {
            *unknown.entry(name.trim().to_string()).or_insert(0_usize) += 1;
        }
    }
    if !unknown.is_empty() {
        let list: Vec<String> =
            unknown.iter().take(LISTED).map(|(name, count)| format!("{} ({count})", short(name))).collect();
        return Err(Error::missing("TensorFlow Lite", "operators that are known here", list.join(", ")));
    }
    let outputs = graph.ints(2).iter().map(|&tensor| reader.point(tensor)).collect::<Result<Vec<_>>>()?;
    let Reader { layers, weights, .. } = reader;
    let places = layers.iter().enumerate().map(|(k, layer)| (layer.name.clone(), k)).collect();
    let net = Net { chain: false, layers, places, inputs, outputs };
    let name = graph.text(4);
    let about =
        if name.is_empty() || name == "main" { BTreeMap::new() } else { BTreeMap::from([("name".into(), name)]) };
    translate::model(&net, &Store::Named(weights), Dialect::Three, about)
}

/// The graph so far.
struct Reader<'a> {
    tensors: Vec<Table<'a>>,
    buffers: Vec<Table<'a>>,
    /// How many numbers constants may still have: operators may share them.
    room: Cell<usize>,
    /// Tensors that say of shapes.
    shapes: BTreeSet<i32>,
    /// Which layer makes a tensor.
    made: BTreeMap<i32, Point>,
    layers: Vec<Layer>,
    weights: Named,
}

impl<'a> Reader<'a> {
    fn tensor(&self, number: i32) -> Result<&Table<'a>> {
        let found = usize::try_from(number).ok().and_then(|number| self.tensors.get(number));
        found.ok_or_else(|| refuse("tensors that the graph has", number))
    }

    /// The sides of a tensor, the batch left out.
    fn sides(&self, number: i32) -> Result<Vec<usize>> {
        // A side that is open is −1 in the one list and 1 in the other.
        let (all, open) = (self.tensor(number)?.ints(0), self.tensor(number)?.ints(7));
        let sides: Option<Vec<usize>> = all.iter().skip(1).map(|&side| usize::try_from(side).ok()).collect();
        match sides {
            Some(sides)
                if sides.len() <= 4
                    && open.iter().skip(1).all(|&side| side >= 0)
                    && all.first().is_none_or(|&batch| batch == 1) =>
            {
                Ok(sides)
            }
            _ => Err(refuse("tensors of one picture with at most 5 axes, all but the first known", format!("{all:?}"))),
        }
    }

    fn point(&self, number: i32) -> Result<Point> {
        let made = self.made.get(&number).cloned();
        made.ok_or_else(|| refuse("tensors that an operator before has made", number))
    }

    /// Whether a tensor is a constant of the file.
    fn is_constant(&self, number: i32) -> bool {
        !self.made.contains_key(&number) && self.raw(number).is_ok_and(|raw| !raw.is_empty())
    }

    fn raw(&self, number: i32) -> Result<&'a [u8]> {
        let buffer = usize::try_from(self.tensor(number)?.int(2, 0)).ok().and_then(|buffer| self.buffers.get(buffer));
        Ok(buffer.map_or(&[][..], |buffer| buffer.bytes(0)))
    }

    /// The numbers of a constant. Few bits become what they stand for.
    fn constant(&self, number: i32) -> Result<Tensor> {
        let table = self.tensor(number)?;
        let name = table.text(3);
        let kind = match table.byte(1) {
            0 => Number::F32,
            1 => Number::F16,
            2 => Number::I32,
            3 => Number::U8,
            4 => Number::I64,
            6 => Number::Bool,
            7 => Number::I16,
            9 => Number::I8,
            other => return Err(Error::format(short(&name), "numbers of a known type", other)),
        };
        let sides: Option<Vec<usize>> = table.ints(0).iter().map(|&side| usize::try_from(side).ok()).collect();
        let sides = sides.filter(|sides| sides.len() <= 8).ok_or_else(|| refuse("sides of at least 0", &name))?;
        let left = self.room.get().checked_sub(self.raw(number)?.len());
        self.room.set(left.ok_or_else(|| refuse("constants in keeping with the file's size", "far more"))?);
        let mut values =
            Array::decode(&name, kind, &sides, self.raw(number)?, ByteOrder::Little)?.to_real().into_owned();
        if let Some(few) = table.table(4).filter(|_| kind.is_whole()) {
            let (scales, zeros) = (few.floats(2), few.longs(3));
            let axis = usize::try_from(few.int(6, 0)).unwrap_or(usize::MAX);
            if scales.len() == 1 {
                let zero = zeros.first().copied().unwrap_or(0) as f32;
                values.mapv_inplace(|v| (v - zero) * scales[0]);
            } else if scales.len() > 1 {
                if sides.get(axis) != Some(&scales.len()) {
                    return Err(Error::format(short(&name), "a scale for each channel", scales.len()));
                }
                for (k, mut part) in values.axis_iter_mut(ndarray::Axis(axis)).enumerate() {
                    let zero = zeros.get(k).copied().unwrap_or(0) as f32;
                    part.mapv_inplace(|v| (v - zero) * scales[k]);
                }
            }
        }
        Ok(values)
    }

    /// The inputs of the graph as layers.
    fn inputs(&mut self, graph: &Table) -> Result<Vec<Point>> {
        let mut points = Vec::new();
        for number in graph.ints(1) {
            let sides: Vec<Value> = self.sides(number)?.into_iter().map(Value::from).collect();
            let shape: Vec<Value> = std::iter::once(Value::Null).chain(sides).collect();
            let name = self.tensor(number)?.text(3);
            points.push(self.add("InputLayer", &name, json!({ "batch_shape": shape }), None, number));
        }
        Ok(points)
    }

    /// Adds a layer that makes a tensor.
    fn add(&mut self, class: &str, name: &str, settings: Value, reads: Option<Vec<Point>>, makes: i32) -> Point {
        // A name of a tensor is a path with a place behind it; a number makes it one of its own.
        let plain = name.split([':', ';']).next().unwrap_or_default().trim_matches('/').replace('/', ".");
        let name = format!("{}.{}", if plain.is_empty() { class } else { &plain }, self.layers.len());
        let settings = if let Value::Object(map) = settings { map } else { Map::new() };
        let calls = reads.into_iter().collect();
        let stored = String::new();
        self.layers.push(Layer { class: class.into(), name: name.clone(), stored, settings, calls, inner: None });
        let point = Point { layer: name, call: 0, output: 0 };
        self.made.insert(makes, point.clone());
        point
    }

    /// Gives the layer that was added last a weight.
    fn weight(&mut self, role: &str, tensor: Tensor) {
        if let Some(layer) = self.layers.last() {
            self.weights.insert(&format!("{}/{role}", layer.name), tensor);
        }
    }
}
