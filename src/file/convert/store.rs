//! Weights by the layer that they belong to, as each format names them.

use super::config::Layer;
use super::hdf5::Hdf5;
use crate::error::{Error, Result};
use crate::file::number::short;
use crate::tensor::Tensor;
use std::cell::Cell;
use std::collections::BTreeMap;

/// The group of a file with a whole model that has its weights.
const LISTS: &str = "model_weights";

/// A layer's place in its model: the layers around it and itself, from the outside in.
pub(super) struct Place<'a> {
    pub(super) path: Vec<&'a Layer>,
}

/// How a file says to which layer weights belong.
pub(super) enum Store {
    /// `layer/kernel`, whatever stands before it.
    Named(Named),
    /// A list for each layer of the outermost model, in Keras' order; for the layers of a model inside by name.
    Listed(Hdf5),
    /// `layers/dense_1/vars/0`.
    Paths(Hdf5),
}

/// How many numbers layers may take of a file's weights, however few those are, and for each of them: a layer that is used
/// several times takes them every time.
const ROOM: (usize, usize) = (1 << 24, 16);

/// Weights by the last two parts of their names.
#[derive(Default)]
pub(super) struct Named {
    all: BTreeMap<String, Vec<(String, Tensor)>>,
    count: usize,
    taken: Cell<usize>,
}

impl Named {
    pub(super) fn insert(&mut self, name: &str, tensor: Tensor) {
        self.count += tensor.len();
        let name = name.strip_suffix(":0").unwrap_or(name);
        self.all.entry(tail(name).to_string()).or_default().push((name.to_string(), tensor));
    }

    /// The weight `role` of a layer, where it is the only one of its name, or the only one within the models around it.
    fn get(&self, place: &Place, role: &str) -> Option<&Tensor> {
        let layer = place.path.last()?;
        // A layer's name may have slashes itself.
        let own = layer.name.rsplit('/').next().unwrap_or(&layer.name);
        let list = self.all.get(&format!("{own}/{role}"))?;
        if let [(_, only)] = &list[..] {
            return Some(only);
        }
        let full = place.path.iter().map(|layer| layer.name.as_str()).collect::<Vec<_>>().join("/");
        let whole = |name: &str| name == format!("{full}/{role}") || name == format!("{}/{role}", layer.name);
        list.iter().find(|(name, _)| whole(name)).map(|(_, tensor)| tensor)
    }
}

/// A weight of a file that lists those of each layer of the outermost model.
fn listed(file: &Hdf5, place: &Place, inside: &str, role: &str, index: usize) -> Result<Option<Tensor>> {
    let (Some(first), Some(last)) = (place.path.first(), place.path.last()) else { return Ok(None) };
    let group = format!("{LISTS}/{}", first.name);
    let names = file.list(&group, "weight_names")?;
    let own = |name: &str| match inside {
        "" => tail(name.strip_suffix(":0").unwrap_or(name)) == format!("{}/{role}", last.name),
        inside => is_inside(name, place, inside, role),
    };
    // Each direction of a layer that runs in both counts its own from 0.
    let name = match place.path.len() {
        1 if !inside.contains('_') => names.get(index),
        _ => names.iter().find(|name| own(name)),
    };
    name.map_or(Ok(None), |name| file.tensor(&format!("{group}/{name}")))
}

/// Whether a name is that of a weight of a part of a layer: a cell, or one of two directions.
fn is_inside(name: &str, place: &Place, inside: &str, role: &str) -> bool {
    let Some(layer) = place.path.last() else { return false };
    let name = name.strip_suffix(":0").unwrap_or(name);
    let way = inside.split_once('_').map(|(way, _)| format!("{way}_"));
    let has = |wanted: &dyn Fn(&str) -> bool| name.split('/').any(wanted);
    has(&|part| part == layer.name)
        && way.is_none_or(|way| has(&|part| part.starts_with(&way)))
        && name.rsplit('/').next() == Some(role)
}

impl Named {
    fn take(&self, role: &str, tensor: &Tensor) -> Result<Tensor> {
        let taken = self.taken.get().saturating_add(tensor.len());
        if taken > ROOM.0.saturating_add(self.count.saturating_mul(ROOM.1)) {
            return Err(Error::format(short(role), "layers in keeping with the weights there are", "far more"));
        }
        self.taken.set(taken);
        Ok(tensor.clone())
    }
}

/// The last two parts of a name.
fn tail(name: &str) -> &str {
    let from = name.rmatch_indices('/').nth(1).map_or(0, |(at, _)| at + 1);
    &name[from..]
}

impl Store {
    /// The weight `role` of a layer, which is number `index` of those that it has, if there is one. `inside` is the part of the
    /// layer that has it, such as a recurrent layer's cell.
    pub(super) fn get(&self, place: &Place, inside: &str, role: &str, index: usize) -> Result<Option<Tensor>> {
        match self {
            Self::Named(named) => {
                let mut all = named.all.values().flatten();
                let found = match inside {
                    "" => named.get(place, role),
                    inside => all.find(|(name, _)| is_inside(name, place, inside, role)).map(|(_, tensor)| tensor),
                };
                found.map(|tensor| named.take(role, tensor)).transpose()
            }
            Self::Listed(file) => listed(file, place, inside, role, index),
            Self::Paths(file) => {
                let path: String = place.path.iter().map(|layer| format!("layers/{}/", layer.stored)).collect();
                file.tensor(&format!("{path}{inside}vars/{index}"))
            }
        }
    }

    /// As [`Store::get`] for a weight that has to be there, with so many axes.
    pub(super) fn need(&self, place: &Place, inside: &str, role: &str, index: usize, axes: usize) -> Result<Tensor> {
        let name = place.path.last().map_or("", |layer| &layer.name);
        let tensor = self.get(place, inside, role, index)?;
        let tensor = tensor.ok_or_else(|| Error::missing("weights", short(&format!("{name}/{role}")), "none"))?;
        if tensor.ndim() != axes || tensor.is_empty() {
            let what = short(&format!("{name}/{role}"));
            return Err(Error::shape(what, format!("{axes} axes, none of them 0"), format!("{:?}", tensor.shape())));
        }
        Ok(tensor)
    }
}
