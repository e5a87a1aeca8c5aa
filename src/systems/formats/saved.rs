//! One file that is a whole model: safetensors with the weights, and the network's description in the metadata.
//!
//! `network` is the description as [`description`] has it; `architecture` names one of the catalogue instead. Files of PyTorch's
//! `state_dict` load for the catalogue's architectures, whose parameters have torchvision's names.

use crate::error::{Error, Result};
use crate::file::safetensors::{self, Precision, Weights};
use crate::nn::{Network, Params, description, fold, params};
use crate::tensor::Tensor;
use crate::zoo;
use std::collections::{BTreeMap, BTreeSet};

/// What PyTorch counts for a batch norm, its batches: nothing depends on it.
pub(super) const COUNTS: &str = ".num_batches_tracked";

/// A network with its weights, and whatever else its file says.
#[derive(Debug, Clone)]
pub struct Saved {
    /// The structure.
    pub net: Network,
    /// The parameters.
    pub params: Params,
    /// The rest: a name, a calibration, the names of the classes.
    pub metadata: BTreeMap<String, String>,
}

/// Reads a file that says itself what network it holds.
///
/// Errors: those of [`safetensors::read`] and [`description::read`]; [`Error::Missing`] for metadata without a network or with an
/// unknown architecture, and for tensors that are not exactly the network's.
pub fn read(bytes: &[u8]) -> Result<Saved> {
    let weights = safetensors::read(bytes)?;
    let net = match (weights.metadata.get("network"), weights.metadata.get("architecture")) {
        (Some(description), _) => description::read(description)?,
        (None, Some(name)) => zoo::build(name)?,
        (None, None) => return Err(Error::missing("weights", "metadata with a network or an architecture", "neither")),
    };
    with(net, weights)
}

/// Reads weights for this network, whatever the file says of one: those that PyTorch saved, for example.
pub fn read_for(net: Network, bytes: &[u8]) -> Result<Saved> {
    with(net, safetensors::read(bytes)?)
}

/// Puts weights into their network. Those of auxiliary classifiers, which only a training asks, may be left out: the network
/// is then the one without them.
pub(super) fn with(net: Network, Weights { mut tensors, metadata }: Weights) -> Result<Saved> {
    tensors.retain(|(name, _)| !name.ends_with(COUNTS));
    let net = for_weights(net, &tensors)?;
    params::matched(net.views(), &tensors)?;
    let mut params = net.zeros();
    params.load(&tensors)?;
    Ok(Saved { net, params, metadata })
}

/// The network, without its auxiliary classifiers if none of their weights is there.
pub(super) fn for_weights(net: Network, tensors: &[(String, Tensor)]) -> Result<Network> {
    let lean = fold::without_auxiliaries(&net)?;
    let kept: BTreeSet<&str> = lean.views().iter().map(|view| view.name.as_str()).collect();
    let given: BTreeSet<&str> = tensors.iter().map(|(name, _)| name.as_str()).collect();
    let mut others = net.views().iter().map(|view| view.name.as_str()).filter(|name| !kept.contains(name)).peekable();
    let left_out = others.peek().is_some() && others.all(|name| !given.contains(name));
    Ok(if left_out { lean } else { net })
}

/// Writes a file that [`read`] takes back. Equal models give equal bytes. Errors: those of [`safetensors::write`].
pub fn write(model: &Saved, precision: Precision) -> Result<Vec<u8>> {
    let mut metadata = model.metadata.clone();
    metadata.insert("network".into(), description::write(&model.net));
    safetensors::write(&Weights { tensors: model.params.named(), metadata }, precision)
}
