//! Transfer learning: a trained network learns something else. (`sources/004`: what its first layers see serves again.)
//! Which of its layers stay is [`Network::freeze`]'s to say.

use crate::error::{Error, Result};
use crate::nn::{Init, Network, Params, description};
use serde_json::Value;

/// The network with `classes` answers in place of its own, and its parameters: those of its last affine or convolutional
/// layer are drawn anew from `seed` (He et al. 2015), all others are the ones given. Frozen layers stay frozen.
///
/// Errors: [`Error::Value`] without a class, [`Error::Missing`] for a network without such a layer.
pub fn with_classes(net: &Network, params: &Params, classes: usize, seed: u64) -> Result<(Network, Params)> {
    if classes == 0 {
        return Err(Error::value("classes", "at least 1", classes));
    }
    let mut description: Value = serde_json::from_str(&description::write(net))
        .map_err(|e| Error::format("network", "its own description", e))?;
    let layers = description["layers"].as_array_mut().into_iter().flatten().rev();
    let last = layers.into_iter().find(|layer| layer["type"] == "affine" || layer["type"] == "conv");
    let last = last.ok_or_else(|| Error::missing("network", "an affine or convolutional layer to answer", "none"))?;
    last["out"] = classes.into();
    let answer = last["name"].as_str().unwrap_or_default().to_string();
    let frozen: Vec<&str> = net.nodes().iter().filter(|n| n.frozen && n.name != answer).map(|n| &*n.name).collect();
    let frozen: Vec<&str> =
        frozen.into_iter().filter(|name| net.wire(name).is_ok_and(|w| !net.node(w).params.is_empty())).collect();
    let next = description::read(&description.to_string())?.freeze(&frozen)?;
    let mut fresh = next.zeros();
    Init::He.fill(&mut fresh, seed)?;
    let head = format!("{answer}.");
    for (name, tensor) in params.named().iter().filter(|(name, _)| !name.starts_with(&head)) {
        fresh.set(name, tensor)?;
    }
    Ok((next, fresh))
}
