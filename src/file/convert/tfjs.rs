//! TensorFlow.js layers models: `model.json` with the layers and a list of the weights, which lie in files beside it, perhaps
//! in few bits. Source: `tfjs-core/src/io/io_utils.ts` (`decodeWeights`).

use super::store::{Named, Store};
use super::{Given, config, translate};
use crate::error::{Error, Result};
use crate::file::array::{Array, Number};
use crate::file::number::{ByteOrder, short};
use crate::file::onnx::Model;
use crate::tensor::Tensor;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;

fn refuse(expected: &str, got: impl std::fmt::Display) -> Error {
    Error::format("model.json", expected, short(&got.to_string()))
}

/// Reads the model that `main` describes, with the weights among `files`.
pub(super) fn read(main: Given, files: &[Given]) -> Result<Model> {
    let text = main.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(main.bytes);
    let json: Value = serde_json::from_slice(text).map_err(|e| refuse("JSON", e))?;
    let topology = json.get("modelTopology").filter(|topology| !topology.is_null());
    let topology = topology.ok_or_else(|| refuse("modelTopology, the layers", "none: weights alone"))?;
    if json.get("format").and_then(Value::as_str) == Some("graph-model") || topology.get("node").is_some() {
        let way =
            "a graph model: convert the Keras model again with --output_format=tfjs_layers_model, or save it as .keras";
        return Err(Error::format("model.json", "a layers model", way));
    }
    let net = config::read(topology)?;
    let mut store = Named::default();
    let groups = json.get("weightsManifest").and_then(Value::as_array);
    let groups = groups.ok_or_else(|| refuse("weightsManifest, the list of weights", "none"))?;
    let count: usize = groups.iter().map(|group| list(group, "paths").len()).sum();
    for group in groups {
        weights(group, files, count == 1, &mut store)?;
    }
    let mut about = about(files);
    let name = topology.get("config").and_then(|config| config.get("name")).and_then(Value::as_str);
    if let Some(name) = name {
        about.entry("name".into()).or_insert_with(|| name.to_string());
    }
    translate::model(&net, &Store::Named(store), translate::Dialect::Two, about)
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The weights of one group: its files one behind the other, cut into tensors.
fn weights(group: &Value, files: &[Given], alone: bool, store: &mut Named) -> Result<()> {
    let parts: Vec<Cow<[u8]>> =
        list(group, "paths").iter().map(|path| part(path, files, alone)).collect::<Result<_>>()?;
    let joined = match &parts[..] {
        [one] => Cow::Borrowed(&**one),
        many => Cow::Owned(many.concat()),
    };
    let mut rest: &[u8] = &joined;
    for entry in list(group, "weights") {
        let name = entry.get("name").and_then(Value::as_str).ok_or_else(|| refuse("weights with names", entry))?;
        let (tensor, used) = tensor(name, entry, rest)?;
        rest = &rest[used..];
        store.insert(name, tensor);
    }
    Ok(())
}

/// The file of a path, which is looked for by its whole name and by its last part. Where it is the only one, the only file that is
/// no JSON may be called anything.
fn part<'a>(path: &Value, files: &[Given<'a>], alone: bool) -> Result<Cow<'a, [u8]>> {
    let path = path.as_str().ok_or_else(|| refuse("paths", path))?.trim_start_matches("./");
    let last = |name: &'a str| name.rsplit(['/', '\\']).next().unwrap_or(name);
    let own = path.rsplit('/').next().unwrap_or(path);
    let whole = files.iter().find(|file| file.name == path);
    let found = whole.or_else(|| files.iter().find(|file| last(file.name) == own));
    let mut others = files.iter().filter(|file| !file.bytes.trim_ascii_start().starts_with(b"{"));
    let only = others.next().filter(|_| alone && others.next().is_none());
    let found = found
        .or(only)
        .ok_or_else(|| Error::missing("model.json", format!("the file {} with it", short(path)), "none"))?;
    Ok(Cow::Borrowed(found.bytes))
}

/// One tensor at the beginning of `bytes`, and how many of them are its own.
fn tensor(name: &str, entry: &Value, bytes: &[u8]) -> Result<(Tensor, usize)> {
    let of = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_string();
    let shape = entry.get("shape").and_then(Value::as_array).cloned().unwrap_or_default();
    let shape: Option<Vec<usize>> = shape.iter().map(|side| side.as_u64()?.try_into().ok()).collect();
    let shape = shape.filter(|shape| shape.len() <= 8).ok_or_else(|| refuse("shapes of whole numbers", entry))?;
    let few = entry.get("quantization");
    let dtype = of(few.unwrap_or(entry), "dtype");
    let number = match dtype.as_str() {
        "float32" => Number::F32,
        "int32" => Number::I32,
        "bool" | "uint8" => Number::U8,
        "uint16" => Number::U16,
        "float16" => Number::F16,
        other => {
            return Err(Error::format(short(name), "float32, float16, int32, uint8, uint16 or bool", short(other)));
        }
    };
    let size = shape.iter().try_fold(number.size(), |n, &side| n.checked_mul(side));
    let own = size.and_then(|size| bytes.get(..size));
    let own = own.ok_or_else(|| {
        let got = format!("{} bytes for shape {shape:?}", bytes.len());
        Error::format(short(name), "all its bytes in the files of weights", got)
    })?;
    let array = Array::decode(name, number, &shape, own, ByteOrder::Little)?;
    let mut tensor = array.to_real().into_owned();
    if let Some(few) = few.filter(|_| number != Number::F16) {
        let setting = |key: &str| few.get(key).and_then(Value::as_f64).filter(|v| v.is_finite());
        let (scale, low) =
            setting("scale").zip(setting("min")).ok_or_else(|| refuse("scale and min of few bits", entry))?;
        // TensorFlow.js computes it in numbers of 64 bits.
        tensor.mapv_inplace(|v| (f64::from(v) * scale + low) as f32);
    }
    Ok((tensor, own.len()))
}

/// What Teachable Machine's `metadata.json` says: the names of the classes, and what pictures it wants.
fn about(files: &[Given]) -> BTreeMap<String, String> {
    let mut about = BTreeMap::new();
    let own = files.iter().filter(|file| file.bytes.trim_ascii_start().starts_with(b"{"));
    let parsed = own.filter_map(|file| serde_json::from_slice::<Value>(file.bytes).ok());
    for json in parsed.filter(|json| json.get("modelTopology").is_none()) {
        let labels = json.get("labels").or_else(|| json.get("wordLabels")).filter(|labels| labels.is_array());
        if let Some(labels) = labels {
            about.insert("classes".into(), labels.to_string());
        }
        let text = |key: &str| json.get(key).and_then(Value::as_str).map(str::to_string);
        if let Some(name) = text("modelName").filter(|name| !name.is_empty()) {
            about.insert("name".into(), name);
        }
        if text("packageName").is_some_and(|name| name.ends_with("teachablemachine/image")) {
            about.insert("pixels".into(), "signed".into());
        }
    }
    about
}
