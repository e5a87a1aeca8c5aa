//! A model as Keras describes it in JSON: layers and what each of them reads. Keras 2, Keras 3 and TensorFlow.js write three
//! dialects of it.

use crate::error::{Error, Result};
use crate::file::number::short;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Models inside one another, at most.
const DEEPEST: usize = 16;

/// A model: a chain of layers, or a graph of them.
pub(super) struct Net {
    pub(super) chain: bool,
    pub(super) layers: Vec<Layer>,
    /// The place of each layer by its name.
    pub(super) places: BTreeMap<String, usize>,
    pub(super) inputs: Vec<Point>,
    pub(super) outputs: Vec<Point>,
}

/// A layer, or a model in the place of one.
pub(super) struct Layer {
    pub(super) class: String,
    pub(super) name: String,
    /// What Keras 3 calls it in a file of weights: its class and a number.
    pub(super) stored: String,
    pub(super) settings: Map<String, Value>,
    /// What it reads each time it is used.
    pub(super) calls: Vec<Vec<Point>>,
    pub(super) inner: Option<Net>,
}

/// One output of one use of a layer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Point {
    pub(super) layer: String,
    pub(super) call: usize,
    pub(super) output: usize,
}

fn refuse(expected: &str, got: impl std::fmt::Display) -> Error {
    Error::format("model", expected, short(&got.to_string()))
}

fn is_model(class: &str) -> bool {
    matches!(class, "Sequential" | "Functional" | "Model")
}

/// The model that a description holds.
pub(super) fn read(value: &Value) -> Result<Net> {
    let value = value.get("model_config").unwrap_or(value);
    let class = value.get("class_name").and_then(Value::as_str).unwrap_or("none");
    if !is_model(class) {
        return Err(refuse("a Sequential or Functional model", format!("class {class}")));
    }
    net(value, class, 0)
}

fn net(value: &Value, class: &str, depth: usize) -> Result<Net> {
    if depth > DEEPEST {
        return Err(refuse("models at most 16 deep inside one another", "more"));
    }
    let config = value.get("config").unwrap_or(&Value::Null);
    // The first Kerases wrote a Sequential as a list.
    let list = config.get("layers").unwrap_or(config).as_array();
    let list = list.ok_or_else(|| refuse("a list of layers", "none"))?;
    let mut used = BTreeMap::new();
    let mut layers = Vec::with_capacity(list.len());
    for value in list {
        layers.push(layer(value, &mut used, depth)?);
    }
    let mut places = BTreeMap::new();
    for (k, layer) in layers.iter().enumerate() {
        if places.insert(layer.name.clone(), k).is_some() {
            return Err(refuse("layers with names of their own", format!("two called {}", layer.name)));
        }
    }
    let of = |key: &str| config.get(key).map(points).unwrap_or_default();
    let (inputs, outputs) = (of("input_layers"), of("output_layers"));
    let mut net = Net { chain: class == "Sequential", layers, places, inputs, outputs };
    if net.chain {
        net.open_with(value, config);
    } else if net.inputs.is_empty() || net.outputs.is_empty() {
        return Err(refuse("a model with inputs and outputs", "none"));
    }
    Ok(net)
}

impl Net {
    /// A chain may say itself what it was built for.
    fn open_with(&mut self, value: &Value, config: &Value) {
        let built = value.get("build_config").and_then(|built| built.get("input_shape"));
        let shape = config.get("build_input_shape").or(built);
        if let (Some(first), Some(shape)) = (self.layers.first_mut(), shape.filter(|shape| shape.is_array())) {
            first.settings.entry("batch_input_shape").or_insert_with(|| shape.clone());
        }
    }

    /// All layers, those of models inside among them.
    pub(super) fn visit<'a>(&'a self, see: &mut dyn FnMut(&'a Layer)) {
        for layer in &self.layers {
            match &layer.inner {
                Some(inner) => inner.visit(see),
                None => see(layer),
            }
        }
    }
}

fn layer(value: &Value, used: &mut BTreeMap<String, usize>, depth: usize) -> Result<Layer> {
    let class = value.get("class_name").and_then(Value::as_str).ok_or_else(|| refuse("layers with a class", value))?;
    let Some(Value::Object(config)) = value.get("config").map(|config| match config {
        Value::Array(_) => Value::Object(Map::new()),
        other => other.clone(),
    }) else {
        return Err(refuse("layers with settings", class));
    };
    let name = value.get("name").or_else(|| config.get("name")).and_then(Value::as_str).unwrap_or(class).to_string();
    let base = snake(class);
    let count = used.entry(base.clone()).or_insert(0);
    let stored = if *count == 0 { base } else { format!("{base}_{count}") };
    *count += 1;
    let inner = if is_model(class) { Some(net(value, class, depth + 1)?) } else { None };
    let calls = value.get("inbound_nodes").and_then(Value::as_array);
    let calls = calls.map(|calls| calls.iter().map(points).collect()).unwrap_or_default();
    let class = class.rsplit('>').next().unwrap_or(class).to_string();
    // A model's own settings are its layers, which are read.
    let settings = if inner.is_some() { Map::new() } else { config };
    Ok(Layer { class, name, stored, settings, calls, inner })
}

/// A layer alone, as another has it inside.
pub(super) fn single(value: &Value) -> Result<Layer> {
    layer(value, &mut BTreeMap::new(), DEEPEST)
}

/// Every point that a description mentions, in its order. The dialects: `["conv", 0, 0, {}]` within lists, and objects with a
/// `keras_history`.
fn points(value: &Value) -> Vec<Point> {
    let mut found = Vec::new();
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match value {
            Value::Array(list) => match &list[..] {
                [Value::String(layer), call, output, ..] if call.is_u64() && output.is_u64() => {
                    let whole = |value: &Value| value.as_u64().and_then(|n| n.try_into().ok()).unwrap_or(usize::MAX);
                    found.push(Point { layer: layer.clone(), call: whole(call), output: whole(output) });
                    // What is given by name stands behind.
                    open.extend(list.get(3));
                }
                list => open.extend(list.iter().rev()),
            },
            Value::Object(map) => match map.get("keras_history") {
                Some(history) => open.push(history),
                // Arguments come before those that are given by name.
                None => {
                    open.extend(map.iter().filter(|(key, _)| *key != "args").map(|(_, value)| value));
                    open.extend(map.get("args"));
                }
            },
            _ => (),
        }
    }
    found
}

/// A class as Keras 3 writes it in files of weights: `DepthwiseConv2D` is `depthwise_conv2d`, `ReLU` is `re_lu`.
fn snake(class: &str) -> String {
    let plain: Vec<char> = class.chars().filter(|c| c.is_alphanumeric() || *c == '_').collect();
    let mut words: Vec<char> = Vec::new();
    let mut at = 0;
    while at < plain.len() {
        let begins = |i: usize| {
            plain.get(i).is_some_and(char::is_ascii_uppercase) && plain.get(i + 1).is_some_and(char::is_ascii_lowercase)
        };
        words.push(plain[at]);
        if begins(at + 1) {
            words.push('_');
            words.push(plain[at + 1]);
            at += 2;
            while plain.get(at).is_some_and(char::is_ascii_lowercase) {
                words.push(plain[at]);
                at += 1;
            }
        } else {
            at += 1;
        }
    }
    let mut out = String::new();
    for (i, c) in words.iter().enumerate() {
        if c.is_ascii_uppercase() && i > 0 && words[i - 1].is_ascii_lowercase() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::snake;

    #[test]
    fn classes_are_called_as_keras_calls_them_in_its_files() {
        // What keras.src.utils.naming.to_snake_case of Keras 3.12 gives.
        for (class, name) in [
            ("Conv2D", "conv2d"),
            ("DepthwiseConv2D", "depthwise_conv2d"),
            ("BatchNormalization", "batch_normalization"),
            ("ReLU", "re_lu"),
            ("PReLU", "p_re_lu"),
            ("LSTM", "lstm"),
            ("GlobalAveragePooling2D", "global_average_pooling2d"),
            ("ZeroPadding2D", "zero_padding2d"),
        ] {
            assert_eq!(snake(class), name);
        }
    }
}
