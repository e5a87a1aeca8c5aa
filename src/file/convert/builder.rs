//! Builds an ONNX graph from layers that have their channels last.

use crate::error::{Error, Result};
use crate::file::array::{Array, Number};
use crate::file::number::short;
use crate::file::onnx::{Attribute, Graph, Model, Node, Port};
use crate::tensor::Tensor;
use ndarray::{ArrayD, IxDyn};
use std::collections::{BTreeMap, BTreeSet};

/// The version of the operators that are written.
const OPSET: i64 = 20;

/// What one output of a layer is.
#[derive(Debug, Clone)]
pub(super) struct Wire {
    pub(super) name: String,
    /// The sides as Keras has them: the batch left out, channels last.
    pub(super) sides: Vec<Option<usize>>,
    pub(super) hold: Hold,
    /// Zeros around it that are not there yet: a convolution takes them over.
    pub(super) pad: Option<(Vec<usize>, Vec<usize>)>,
    /// Whether nothing in it is below 0.
    pub(super) positive: bool,
}

/// How the numbers of a wire are held.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Hold {
    /// As Keras has them.
    Plain,
    /// With the channels first.
    First,
    /// A row of numbers that was maps with the channels first, of this height, width and number of channels.
    Flat([usize; 3]),
}

impl Wire {
    pub(super) fn new(name: String, sides: Vec<Option<usize>>, hold: Hold) -> Self {
        Self { name, sides, hold, pad: None, positive: false }
    }

    /// The channels, or the one side there is.
    pub(super) fn channels(&self) -> Option<usize> {
        self.sides.last().copied().flatten()
    }

    /// All sides but the channels.
    pub(super) fn spatial(&self) -> &[Option<usize>] {
        &self.sides[..self.sides.len().saturating_sub(1)]
    }
}

/// How many numbers sides make, if all are known.
pub(super) fn count(sides: &[Option<usize>]) -> Option<usize> {
    sides.iter().try_fold(1_usize, |n, side| n.checked_mul((*side)?))
}

/// A tensor with its axes in another order.
pub(super) fn permuted(tensor: Tensor, axes: &[usize]) -> Tensor {
    tensor.permuted_axes(IxDyn(axes)).as_standard_layout().into_owned()
}

/// A tensor of other sides. Errors: [`Error::Shape`] where there are not as many numbers.
pub(super) fn reshaped(what: &str, tensor: Tensor, sides: &[usize]) -> Result<Tensor> {
    let have = format!("{:?}", tensor.shape());
    let tensor = tensor.as_standard_layout().into_owned();
    tensor.into_shape_with_order(IxDyn(sides)).map_err(|_| Error::shape(short(what), format!("{sides:?}"), have))
}

pub(super) fn ints(list: &[usize]) -> Attribute {
    Attribute::Ints(list.iter().map(|&n| n as i64).collect())
}

#[derive(Default)]
pub(super) struct Builder {
    graph: Graph,
    names: BTreeSet<String>,
    /// The last number that was put behind a name.
    numbers: BTreeMap<String, usize>,
    /// The place of each constant.
    places: BTreeMap<String, usize>,
}

impl Builder {
    /// A name that nothing has yet.
    pub(super) fn fresh(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_string();
        let number = self.numbers.entry(name.clone()).or_insert(1);
        while self.names.contains(&name) {
            *number += 1;
            name = format!("{wanted}_{number}");
        }
        self.names.insert(name.clone());
        name
    }

    pub(super) fn input(&mut self, name: &str, sides: &[Option<usize>], number: Number) -> String {
        let name = self.fresh(name);
        let shape = std::iter::once(None).chain(sides.iter().copied()).collect();
        self.graph.inputs.push(Port { name: name.clone(), number: Some(number), shape: Some(shape) });
        name
    }

    /// A constant. One of this name that is the same is used again.
    pub(super) fn constant(&mut self, name: &str, array: impl Into<Array>) -> String {
        let array = array.into();
        if let Some(&place) = self.places.get(name)
            && self.graph.constants[place].1 == array
        {
            return name.to_string();
        }
        let name = self.fresh(name);
        self.places.insert(name.clone(), self.graph.constants.len());
        self.graph.constants.push((name.clone(), array));
        name
    }

    /// A constant list of whole numbers.
    pub(super) fn list(&mut self, name: &str, list: &[i64]) -> String {
        self.constant(name, ndarray::arr1(list).into_dyn())
    }

    /// An operator with one output, whose name it gives back.
    pub(super) fn node(&mut self, op: &str, name: &str, inputs: &[&str], attributes: &[(&str, Attribute)]) -> String {
        self.node_of(op, name, inputs, attributes, 1).remove(0)
    }

    /// As [`Builder::node`] with several outputs.
    pub(super) fn node_of(
        &mut self,
        op: &str,
        name: &str,
        inputs: &[&str],
        attributes: &[(&str, Attribute)],
        outputs: usize,
    ) -> Vec<String> {
        let made: Vec<String> = (0..outputs.max(1)).map(|_| self.fresh(name)).collect();
        self.graph.nodes.push(Node {
            name: made[0].clone(),
            op: op.into(),
            domain: String::new(),
            inputs: inputs.iter().map(|name| name.to_string()).collect(),
            outputs: made.clone(),
            attributes: attributes.iter().map(|(name, value)| (name.to_string(), value.clone())).collect(),
        });
        made
    }

    pub(super) fn transpose(&mut self, name: &str, input: &str, axes: &[usize]) -> String {
        self.node("Transpose", &format!("{name}.transpose"), &[input], &[("perm", ints(axes))])
    }

    /// The same numbers with other sides behind the batch; −1 is what is left.
    pub(super) fn reshape(&mut self, name: &str, input: &str, sides: &[i64]) -> String {
        // 0 keeps the batch.
        let sides: Vec<i64> = std::iter::once(0).chain(sides.iter().copied()).collect();
        let shape = self.list(&format!("{name}.shape"), &sides);
        self.node("Reshape", &format!("{name}.reshape"), &[input, &shape], &[])
    }

    /// Zeros that were put off are put around it.
    pub(super) fn settled(&mut self, mut wire: Wire) -> Wire {
        let Some((before, behind)) = wire.pad.take() else { return wire };
        let zeros = |spatial: &[usize]| {
            let spatial = spatial.iter().map(|&n| n as i64);
            match wire.hold {
                Hold::First => [0, 0].into_iter().chain(spatial).collect::<Vec<i64>>(),
                _ => [0].into_iter().chain(spatial).chain([0]).collect(),
            }
        };
        let name = format!("{}.pad", wire.name);
        let pads = self.list(&format!("{name}.pads"), &[zeros(&before), zeros(&behind)].concat());
        wire.name = self.node("Pad", &name, &[&wire.name, &pads], &[]);
        wire
    }

    /// With the channels first, where there are maps.
    pub(super) fn first(&mut self, wire: Wire) -> Wire {
        let wire = self.settled(wire);
        let rank = wire.sides.len();
        if wire.hold == Hold::First || rank < 2 {
            return if rank < 2 { self.plain(wire) } else { wire };
        }
        let wire = self.plain(wire);
        let name = match still(&wire) {
            Some(sides) => {
                let turned = [&sides[rank - 1..], &sides[..rank - 1]].concat();
                self.reshape(&wire.name, &wire.name, &turned)
            }
            None => {
                let axes: Vec<usize> = [0, rank].into_iter().chain(1..rank).collect();
                self.transpose(&wire.name, &wire.name, &axes)
            }
        };
        Wire { name, hold: Hold::First, ..wire }
    }

    /// As Keras has it.
    pub(super) fn plain(&mut self, wire: Wire) -> Wire {
        let wire = self.settled(wire);
        let name = match wire.hold {
            Hold::Plain => return wire,
            Hold::First => match still(&wire) {
                Some(sides) => self.reshape(&wire.name, &wire.name, &sides),
                None => {
                    let axes: Vec<usize> = [0].into_iter().chain(2..=wire.sides.len()).chain([1]).collect();
                    self.transpose(&wire.name, &wire.name, &axes)
                }
            },
            Hold::Flat([h, w, c]) => {
                let maps = self.reshape(&wire.name, &wire.name, &[c as i64, h as i64, w as i64]);
                let turned = self.transpose(&wire.name, &maps, &[0, 2, 3, 1]);
                self.reshape(&wire.name, &turned, &[-1])
            }
        };
        Wire { name, hold: Hold::Plain, ..wire }
    }

    /// The finished model with these outputs, their names those of the layers that make them.
    pub(super) fn finish(mut self, outputs: Vec<Wire>, metadata: BTreeMap<String, String>) -> Model {
        for wire in outputs {
            // Maps stay with their channels first, as pictures come in.
            let wire = if wire.sides.len() == 3 { self.first(wire) } else { self.plain(wire) };
            let mut sides = wire.sides.clone();
            if wire.hold == Hold::First {
                sides.rotate_right(1);
            }
            let shape = std::iter::once(None).chain(sides).collect();
            // An input that is an output, or one that is there twice, needs an operator.
            let ports = self.graph.inputs.iter().chain(&self.graph.outputs);
            let name = match ports.clone().any(|port| port.name == wire.name) {
                true => self.node("Identity", &wire.name, &[&wire.name], &[]),
                false => wire.name,
            };
            self.graph.outputs.push(Port { name, number: Some(Number::F32), shape: Some(shape) });
        }
        Model { opset: OPSET, producer: "hitofude".into(), graph: self.graph, metadata }
    }
}

/// The sides of a wire whose channels may stand first or last without a number moving; −1 for one that is open.
fn still(wire: &Wire) -> Option<Vec<i64>> {
    let open = wire.sides.iter().filter(|side| side.is_none()).count();
    let one = wire.channels() == Some(1) || count(wire.spatial()) == Some(1);
    (one && open <= 1).then(|| wire.sides.iter().map(|side| side.map_or(-1, |n| n as i64)).collect())
}

/// A tensor of one number for each channel of a picture, as it is written for arrays with their channels first.
pub(super) fn for_channels(values: Vec<f32>, spatial: usize) -> Tensor {
    let sides: Vec<usize> = std::iter::once(values.len()).chain(std::iter::repeat_n(1, spatial)).collect();
    ArrayD::from_shape_vec(IxDyn(&sides), values).unwrap_or_default()
}
