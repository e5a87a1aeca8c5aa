//! From bytes to a [`Model`] that holds together: every name is defined once, before it is read.

use super::inline::inline;
use super::order::sort;
use super::{Attribute, Graph, Model, Node, Number, Port, number, proto};
use crate::error::{Error, Result};
use crate::file::array::{Array, Data};
use crate::file::number::{ByteOrder, short};
use prost::Message;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// How a model in several files is read: gives the bytes of a file beside it, by name.
pub type Beside<'a> = dyn FnMut(&str) -> Result<Vec<u8>> + 'a;

/// Most numbers in all sparse arrays together: 64 MiB of `f32`.
const MOST_SPARSE: usize = 1 << 24;

/// Reads a model that is one file. See [`read_with`].
pub fn read(bytes: &[u8]) -> Result<Model> {
    read_with(bytes, &mut |name| {
        Err(Error::missing(short(name), "weights inside the model's own file", "a file beside it"))
    })
}

/// Reads a model whose weights may lie in files beside it.
///
/// Allocates at most 256 times the file's size, and of a file that is mostly weights about three times: an empty message
/// takes two bytes in a file. Sparse arrays take 128 MiB more at most. Errors: [`Error::Format`] for bytes that are no such messages, graphs nested deeper than 30,
/// arrays that do not fit their shape or are of a type that is not read here, names that are defined twice or never.
pub fn read_with(bytes: &[u8], beside: &mut Beside) -> Result<Model> {
    let mut model =
        proto::Model::decode(bytes).map_err(|e| refuse("the messages of a model", short(&e.to_string())))?;
    inline(&mut model)?;
    let opset = model.opset_import.iter().find(|set| matches!(set.domain.as_str(), "" | "ai.onnx"));
    let Some(graph) = model.graph else {
        return Err(refuse("a graph", "none"));
    };
    // Opset 1 had no list of imports.
    let opset = opset.map_or(1, |set| set.version);
    let mut reader = Reader { beside, files: BTreeMap::new(), sparse: MOST_SPARSE };
    let mut graph = reader.graph(graph)?;
    sort(&mut graph);
    check(&graph, &mut BTreeSet::new())?;
    let producer = format!("{} {}", model.producer_name, model.producer_version).trim().to_string();
    let metadata = model.metadata_props.into_iter().map(|pair| (pair.key, pair.value)).collect();
    Ok(Model { opset, producer, graph, metadata })
}

/// The error of a file that is no such model.
pub(super) fn refuse(expected: impl std::fmt::Display, got: impl std::fmt::Display) -> Error {
    Error::format("ONNX", expected, got)
}

struct Reader<'a, 'b> {
    beside: &'a mut Beside<'b>,
    files: BTreeMap<String, Rc<[u8]>>,
    /// Numbers that sparse arrays may still take.
    sparse: usize,
}

impl Reader<'_, '_> {
    fn graph(&mut self, graph: proto::Graph) -> Result<Graph> {
        let mut constants = Vec::with_capacity(graph.initializer.len());
        for mut tensor in graph.initializer {
            let name = std::mem::take(&mut tensor.name);
            let array = self.array(&name, tensor)?;
            constants.push((name, array));
        }
        for tensor in graph.sparse_initializer {
            let name = tensor.values.as_ref().map(|values| values.name.clone()).unwrap_or_default();
            let array = self.dense(&name, tensor)?;
            constants.push((name, array));
        }
        let known: BTreeSet<&str> = constants.iter().map(|(name, _)| name.as_str()).collect();
        let inputs = graph.input.into_iter().map(port).filter(|p| !known.contains(p.name.as_str())).collect();
        let outputs = graph.output.into_iter().map(port).collect();
        let nodes = graph.node.into_iter().map(|node| self.node(node)).collect::<Result<_>>()?;
        Ok(Graph { name: graph.name, nodes, constants, inputs, outputs })
    }

    fn node(&mut self, node: proto::Node) -> Result<Node> {
        let mut attributes = BTreeMap::new();
        for attribute in node.attribute {
            let name = attribute.name.clone();
            attributes.insert(name, self.attribute(attribute)?);
        }
        let domain = if node.domain == "ai.onnx" { String::new() } else { node.domain };
        Ok(Node { name: node.name, op: node.op_type, domain, inputs: node.input, outputs: node.output, attributes })
    }

    fn attribute(&mut self, mut a: proto::Attribute) -> Result<Attribute> {
        if let Some(tensor) = a.sparse_tensor.take() {
            return Ok(Attribute::Tensor(self.dense(&a.name, tensor)?));
        }
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok(match (a.r#type, a.t, a.g) {
            (1, ..) => Attribute::Float(a.f),
            (2, ..) => Attribute::Int(a.i),
            (3, ..) => Attribute::Text(text(a.s)),
            (_, Some(tensor), _) => Attribute::Tensor(self.array(&a.name, *tensor)?),
            (_, _, Some(graph)) => Attribute::Graph(self.graph(*graph)?),
            (6, ..) => Attribute::Floats(a.floats),
            (7, ..) => Attribute::Ints(a.ints),
            (8, ..) => Attribute::Texts(a.strings.into_iter().map(text).collect()),
            (kind, ..) => return Err(Error::format(short(&a.name), "an attribute of a known type", kind)),
        })
    }

    fn array(&mut self, name: &str, tensor: proto::Tensor) -> Result<Array> {
        let Some(number) = number(tensor.data_type.into()) else {
            let got = format!("type {}", tensor.data_type);
            return Err(Error::format(short(name), "numbers of 8 to 64 bits or truth values (8 bits whole)", got));
        };
        let shape: Option<Vec<usize>> = tensor.dims.iter().map(|&side| usize::try_from(side).ok()).collect();
        let Some(shape) = shape else {
            return Err(Error::format(short(name), "sides of at least 0", format!("{:?}", tensor.dims)));
        };
        if tensor.data_location == 1 {
            let bytes = self.outside(name, &tensor.external_data)?;
            return Array::decode(name, number, &shape, &bytes, ByteOrder::Little);
        }
        let bytes = if tensor.raw_data.is_empty() { listed(number, &tensor) } else { tensor.raw_data };
        Array::decode(name, number, &shape, &bytes, ByteOrder::Little)
    }

    /// A sparse array with all its numbers. Its indices are one number each, in C order, or one for each axis.
    fn dense(&mut self, name: &str, tensor: proto::SparseTensor) -> Result<Array> {
        let refuse = |expected: &str, got: String| Error::format(short(name), expected, got);
        let (Some(values), Some(indices)) = (tensor.values, tensor.indices) else {
            return Err(refuse("values and indices of a sparse array", "none".into()));
        };
        let sides: Option<Vec<usize>> = tensor.dims.iter().map(|&side| usize::try_from(side).ok()).collect();
        let sides = sides.ok_or_else(|| refuse("sides of at least 0", format!("{:?}", tensor.dims)))?;
        let count = sides.iter().try_fold(1_usize, |n, &side| n.checked_mul(side));
        let left = count.and_then(|count| self.sparse.checked_sub(count));
        self.sparse = left.ok_or_else(|| refuse("sparse arrays of at most 64 MiB in all", format!("{sides:?}")))?;
        let (values, indices) = (self.array(name, values)?, self.array(name, indices)?);
        let Data::Whole(places) = indices.data() else {
            return Err(refuse("indices in whole numbers", format!("{:?}", indices.number())));
        };
        let places: Vec<i64> = places.iter().copied().collect();
        let each = if indices.shape().len() == 2 { sides.len() } else { 1 };
        let inside = |&(place, side): &(i64, usize)| (0..side as i64).contains(&place);
        let flat = places.chunks(each.max(1)).map(|place| {
            let own: Vec<usize> = if each == 1 { vec![count.unwrap_or(0)] } else { sides.clone() };
            let pairs: Vec<(i64, usize)> = place.iter().copied().zip(own).collect();
            let fits = pairs.len() == place.len() && pairs.iter().all(inside);
            fits.then(|| pairs.iter().fold(0, |at, (place, side)| at * side + *place as usize))
        });
        let flat: Option<Vec<usize>> = flat.collect();
        let flat = flat.filter(|flat| flat.len() == values.len());
        let flat = flat.ok_or_else(|| refuse("an index inside the array for each value", format!("{places:?}")))?;
        values.scattered(&sides, &flat)
    }

    /// The bytes of an array in a file beside the model.
    fn outside(&mut self, name: &str, entries: &[proto::Pair]) -> Result<Vec<u8>> {
        let entry = |key: &str| entries.iter().find(|pair| pair.key == key).map(|pair| pair.value.as_str());
        let location = entry("location").unwrap_or_default();
        let parts: Vec<&str> = location.split('/').filter(|part| *part != ".").collect();
        let inside = parts.iter().all(|part| !part.is_empty() && *part != "..") && !location.contains(['\\', ':']);
        if parts.is_empty() || !inside {
            return Err(Error::format(short(name), "the name of a file beside the model", short(location)));
        }
        let location = &*parts.join("/");
        if !self.files.contains_key(location) {
            let bytes = (self.beside)(location)?;
            self.files.insert(location.to_string(), bytes.into());
        }
        let bytes = &self.files[location];
        let place = |key: &str, missing: usize| entry(key).map_or(Some(missing), |text| text.parse().ok());
        let offset = place("offset", 0);
        let end = offset.and_then(|at| place("length", bytes.len().saturating_sub(at))?.checked_add(at));
        let part = offset.zip(end).and_then(|(at, end)| bytes.get(at..end));
        let refuse = || Error::format(short(name), format!("a part of {location}'s {} bytes", bytes.len()), "another");
        part.map(<[u8]>::to_vec).ok_or_else(refuse)
    }
}

/// The bytes of an array whose numbers the file lists one by one.
fn listed(number: Number, tensor: &proto::Tensor) -> Vec<u8> {
    let size = number.size();
    let low = |bytes: &[u8]| bytes[..size].to_vec();
    match number {
        Number::F32 => tensor.float_data.iter().flat_map(|x| x.to_le_bytes()).collect(),
        Number::F64 => tensor.double_data.iter().flat_map(|x| x.to_le_bytes()).collect(),
        Number::I64 => tensor.int64_data.iter().flat_map(|x| x.to_le_bytes()).collect(),
        Number::U32 | Number::U64 => tensor.uint64_data.iter().flat_map(|x| low(&x.to_le_bytes())).collect(),
        _ => tensor.int32_data.iter().flat_map(|x| low(&x.to_le_bytes())).collect(),
    }
}

fn port(info: proto::ValueInfo) -> Port {
    let tensor = info.r#type.and_then(|t| t.tensor_type);
    let number = tensor.as_ref().and_then(|t| number(t.elem_type.into()));
    let side = |side: proto::Dimension| match side.value {
        Some(proto::Side::Size(size)) => usize::try_from(size).ok(),
        _ => None,
    };
    let shape = tensor.and_then(|t| t.shape).map(|shape| shape.dim.into_iter().map(side).collect());
    Port { name: info.name, number, shape }
}

/// Every name is defined before it is read and only once. `known` are the names around the graph.
fn check<'a>(graph: &'a Graph, known: &mut BTreeSet<&'a str>) -> Result<()> {
    let mut own = Vec::new();
    let given = graph.inputs.iter().map(|p| &p.name).chain(graph.constants.iter().map(|(name, _)| name));
    let mut define = |name: &'a str, known: &mut BTreeSet<&'a str>| {
        if !known.insert(name) {
            return Err(refuse("every name defined once", short(name)));
        }
        own.push(name);
        Ok(())
    };
    for name in given {
        define(name, known)?;
    }
    for node in &graph.nodes {
        for name in node.inputs.iter().filter(|name| !name.is_empty()) {
            if !known.contains(name.as_str()) {
                let what = format!("{} {}", short(&node.op), short(&node.name));
                return Err(Error::missing(what, "inputs that a node before it makes", short(name)));
            }
        }
        for attribute in node.attributes.values() {
            if let Attribute::Graph(inner) = attribute {
                check(inner, known)?;
            }
        }
        for name in node.outputs.iter().filter(|name| !name.is_empty()) {
            define(name, known)?;
        }
    }
    for port in &graph.outputs {
        if !known.contains(port.name.as_str()) {
            return Err(Error::missing("ONNX output", "one that a node makes", short(&port.name)));
        }
    }
    for name in own {
        known.remove(name);
    }
    Ok(())
}
