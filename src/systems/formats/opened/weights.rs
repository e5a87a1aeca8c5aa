//! Weights without a graph: which network they belong to.

use super::Named;
use crate::error::{Error, Result};
use crate::file::array::{Array, Data, Number};
use crate::file::safetensors::Weights;
use crate::nn::{Network, description};
use crate::systems::formats::saved::{self, Saved};
use crate::tensor::Tensor;
use crate::zoo::{self, textbook};
use std::collections::BTreeMap;

/// The array of an `.npz` that holds a network's description, a byte for each letter: NumPy reads it as any other.
pub(super) const NETWORK: &str = "__network__";

/// A text as an array of its bytes.
pub(super) fn text(name: &str, text: &str) -> (String, Array) {
    let bytes: Vec<i64> = text.bytes().map(i64::from).collect();
    (name.into(), Array::whole(Number::U8, ndarray::arr1(&bytes).into_dyn()))
}

/// An archive's arrays as weights, its description as metadata.
pub(super) fn from_arrays(arrays: Named) -> Result<Weights> {
    let mut weights = Weights::default();
    for (name, array) in arrays {
        match array.data() {
            Data::Whole(bytes) if name == NETWORK => {
                let text = bytes.iter().map(|&byte| byte as u8).collect();
                let text = String::from_utf8(text).map_err(|e| Error::format(NETWORK, "text", e))?;
                weights.metadata.insert("network".into(), text);
            }
            _ if array.to_real().iter().all(|v| v.is_finite()) => {
                weights.tensors.push((name, array.to_real().into_owned()));
            }
            _ => return Err(Error::value(name, "finite numbers", "others")),
        }
    }
    Ok(weights)
}

/// Weights in their network: the one asked for, the one that the file describes or names, else the only one they fit.
pub(super) fn placed(Weights { tensors, metadata }: Weights, asked: Option<&str>) -> Result<Saved> {
    let described = |text: &str| if text.starts_with('{') { description::read(text) } else { zoo::build(text) };
    let told = asked.or_else(|| metadata.get("network").or_else(|| metadata.get("architecture")).map(String::as_str));
    let (name, net) = match told {
        Some(text) => (text.to_string(), described(text)?),
        None => only(&tensors)?,
    };
    let tensors =
        if is_textbook(&tensors) { textbook::import(&name, &tensors.into_iter().collect())? } else { tensors };
    saved::with(net, Weights { tensors, metadata: named(metadata, &name) })
}

/// The metadata with the architecture's name, where it is one.
fn named(mut metadata: BTreeMap<String, String>, name: &str) -> BTreeMap<String, String> {
    metadata.remove("network");
    if name.starts_with('{') {
        metadata.remove("architecture");
    } else {
        metadata.insert("architecture".into(), name.into());
    }
    metadata
}

/// Whether these are the textbook's names.
fn is_textbook(tensors: &[(String, Tensor)]) -> bool {
    tensors.iter().any(|(name, _)| name == "W1")
}

/// The one architecture of the catalogue that weights fit. Errors: [`Error::Missing`] where there is none, or more than one.
fn only(tensors: &[(String, Tensor)]) -> Result<(String, Network)> {
    let rows = zoo::CATALOGUE.iter().chain(zoo::IMAGENET);
    let mut fitting = Vec::new();
    for row in rows {
        let net = row.build()?;
        if fits(row.name, &net, tensors) {
            fitting.push((row.name.to_string(), net));
        }
    }
    if fitting.len() == 1 {
        return Ok(fitting.remove(0));
    }
    let names: Vec<&str> = fitting.iter().map(|(name, _)| name.as_str()).collect();
    let got = if names.is_empty() {
        "weights that fit none of them".into()
    } else {
        format!("weights that fit {}", names.join(" and "))
    };
    Err(Error::missing("architecture", "the name of a network of the catalogue, or a description", got))
}

fn fits(name: &str, net: &Network, tensors: &[(String, Tensor)]) -> bool {
    if is_textbook(tensors) {
        return textbook::import(name, &tensors.iter().cloned().collect()).is_ok();
    }
    let Ok(net) = saved::for_weights(net.clone(), tensors) else { return false };
    let counted = |name: &str| !name.ends_with(saved::COUNTS);
    let shapes: BTreeMap<&str, &[usize]> = tensors
        .iter()
        .map(|(name, tensor)| (name.as_str(), tensor.shape()))
        .filter(|(name, _)| counted(name))
        .collect();
    shapes.len() == net.views().len()
        && net.views().iter().all(|view| shapes.get(view.name.as_str()) == Some(&&view.shape[..]))
}
