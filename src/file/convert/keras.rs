//! Files of Keras: `.keras`, a zip with the layers in JSON and the weights in HDF5, and `.h5`, which has both in HDF5.

use super::hdf5::Hdf5;
use super::store::Store;
use super::translate::Dialect;
use super::{archive, config, translate};
use crate::error::{Error, Result};
use crate::file::number::short;
use crate::file::onnx::Model;
use serde_json::Value;
use std::collections::BTreeMap;

fn json(name: &str, bytes: &[u8]) -> Result<Value> {
    serde_json::from_slice(bytes).map_err(|e| Error::format(name, "JSON", short(&e.to_string())))
}

fn dialect(version: &str) -> Dialect {
    if version.starts_with(['1', '2']) || version.starts_with("tfjs") { Dialect::Two } else { Dialect::Three }
}

fn named(value: &Value) -> BTreeMap<String, String> {
    let name = value.get("config").and_then(|config| config.get("name")).and_then(Value::as_str);
    name.map(|name| ("name".to_string(), name.to_string())).into_iter().collect()
}

/// Reads a `.keras` file.
pub(super) fn zip(bytes: &[u8]) -> Result<Model> {
    let files = archive::unpacked(bytes)?;
    let file = |name: &str| files.iter().find(|(own, _)| own == name).map(|(_, bytes)| bytes.as_slice());
    let need =
        |name: &str| file(name).ok_or_else(|| Error::missing("Keras file", format!("a file {name} in it"), "none"));
    let layers = json("config.json", need("config.json")?)?;
    let about = file("metadata.json").map_or(Ok(Value::Null), |bytes| json("metadata.json", bytes))?;
    let version = about.get("keras_version").and_then(Value::as_str).unwrap_or("3");
    let net = config::read(&layers)?;
    let store = Store::Paths(Hdf5::open(need("model.weights.h5")?)?);
    translate::model(&net, &store, dialect(version), named(&layers))
}

/// Reads an `.h5` file with a whole model.
pub(super) fn hdf5(bytes: &[u8]) -> Result<Model> {
    let file = Hdf5::open(bytes)?;
    let Some(text) = file.text("model_config")? else {
        let way = "weights or data alone: save the whole model with model.save(\"model.keras\")";
        return Err(Error::format("HDF5", "a model of Keras with its layers", way));
    };
    let layers = json("model_config", text.as_bytes())?;
    let version = file.text("keras_version")?.unwrap_or_else(|| "2".into());
    let net = config::read(&layers)?;
    translate::model(&net, &Store::Listed(file), dialect(&version), named(&layers))
}
