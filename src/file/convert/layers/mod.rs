//! What each layer of Keras is in operators of ONNX. Source: <https://keras.io/api/layers/>, and `keras/src/layers` where the
//! pages leave something open.

mod act;
mod conv;
mod dense;
mod merge;
mod norm;
mod pool;
mod recurrent;
mod shape;

use super::builder::Wire;
use super::config::Layer;
use super::store::Place;
use super::translate::Translator;
use crate::error::Result;
use crate::tensor::Tensor;

/// One use of a layer.
pub(super) struct Job<'a> {
    pub(super) layer: &'a Layer,
    /// What it is called in the graph.
    pub(super) name: String,
    pub(super) place: &'a Place<'a>,
}

impl Job<'_> {
    /// The name of a part of it.
    fn part(&self, what: &str) -> String {
        format!("{}.{what}", self.name)
    }
}

impl Translator<'_> {
    /// The weight `role` of a layer, number `index` of those that it has, with so many axes.
    fn weight(&self, job: &Job, role: &str, index: usize, axes: usize) -> Result<Tensor> {
        self.store.need(job.place, "", role, index, axes)
    }

    /// One number for each of `count` channels.
    fn channels(&self, job: &Job, role: &str, index: usize, count: usize) -> Result<Tensor> {
        let tensor = self.weight(job, role, index, 1)?;
        match tensor.len() == count {
            true => Ok(tensor),
            false => Err(job.layer.refuse(format!("{count} numbers as {role}"), tensor.len())),
        }
    }
}

/// What nothing is left of once a model has been trained.
const IDLE: &[&str] = &[
    "InputLayer",
    "Dropout",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "AlphaDropout",
    "GaussianDropout",
    "GaussianNoise",
    "ActivityRegularization",
    "RandomFlip",
    "RandomRotation",
    "RandomZoom",
    "RandomTranslation",
    "RandomContrast",
    "RandomBrightness",
];

/// The axes of a layer such as `Conv2D`, behind its name.
fn dimensions<'a>(class: &'a str, prefix: &str) -> Option<usize> {
    let axes: &'a str = class.strip_prefix(prefix)?;
    ["1D", "2D", "3D"].iter().position(|end| *end == axes).map(|at| at + 1)
}

/// Families of layers over one to three axes.
const FAMILIES: &[&str] = &[
    "Conv",
    "DepthwiseConv",
    "SeparableConv",
    "MaxPooling",
    "AveragePooling",
    "GlobalMaxPooling",
    "GlobalAveragePooling",
    "ZeroPadding",
    "Cropping",
    "UpSampling",
];

const OTHERS: &[&str] = &[
    "Activation",
    "Add",
    "Average",
    "BatchNormalization",
    "Bidirectional",
    "Concatenate",
    "Conv1DTranspose",
    "Conv2DTranspose",
    "Dense",
    "ELU",
    "Flatten",
    "GRU",
    "LSTM",
    "LayerNormalization",
    "LeakyReLU",
    "Maximum",
    "Minimum",
    "Multiply",
    "Normalization",
    "PReLU",
    "Permute",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Resizing",
    "SimpleRNN",
    "Softmax",
    "Subtract",
];

/// Whether a layer is one that is translated.
pub(super) fn is_known(class: &str) -> bool {
    let family = FAMILIES.iter().any(|prefix| dimensions(class, prefix).is_some());
    family || IDLE.contains(&class) || OTHERS.contains(&class)
}

/// Translates one use of a layer. Several inputs are for those that join them.
pub(super) fn layer(t: &mut Translator, job: &Job, mut inputs: Vec<Wire>) -> Result<Wire> {
    let class = job.layer.class.as_str();
    if job.layer.get("data_format").and_then(serde_json::Value::as_str) == Some("channels_first") {
        return Err(job.layer.refuse("channels_last, as TensorFlow has it", "channels_first"));
    }
    if matches!(class, "Add" | "Average" | "Concatenate" | "Maximum" | "Minimum" | "Multiply" | "Subtract") {
        return t.merge(job, inputs);
    }
    if inputs.len() != 1 {
        return Err(job.layer.refuse("one input", inputs.len()));
    }
    let x = inputs.remove(0);
    if IDLE.contains(&class) {
        return Ok(x);
    }
    let axes = |prefix: &str| dimensions(class, prefix);
    if let Some(axes) = axes("Conv") {
        return t.conv(job, x, axes);
    } else if let Some(axes) = axes("DepthwiseConv").or(axes("SeparableConv")) {
        return t.depthwise(job, x, axes);
    } else if let Some(axes) = axes("MaxPooling").or(axes("AveragePooling")) {
        return t.pool(job, x, axes);
    } else if let Some(axes) = axes("GlobalMaxPooling").or(axes("GlobalAveragePooling")) {
        return t.global_pool(job, x, axes);
    } else if let Some(axes) = axes("ZeroPadding") {
        return t.zero_padding(job, x, axes);
    } else if let Some(axes) = axes("Cropping") {
        return t.cropping(job, x, axes);
    } else if let Some(axes) = axes("UpSampling") {
        return t.upsampling(job, x, axes);
    }
    match class {
        "Activation" => {
            let function = job.layer.function("activation", "linear")?.to_string();
            t.activation(job, x, &function, &job.name)
        }
        "ReLU" | "LeakyReLU" | "PReLU" | "ELU" | "Softmax" => t.bend(job, x),
        "BatchNormalization" => t.batch_norm(job, x),
        "LayerNormalization" => t.layer_norm(job, x),
        "Rescaling" | "Normalization" => t.rescale(job, x),
        "Conv1DTranspose" => t.conv_transpose(job, x, 1),
        "Conv2DTranspose" => t.conv_transpose(job, x, 2),
        "Dense" => t.dense(job, x),
        "Flatten" => t.flatten(job, x),
        "Reshape" => t.under_sides(job, x),
        "Permute" => t.permute(job, x),
        "RepeatVector" => t.repeat(job, x),
        "Resizing" => t.resizing(job, x),
        "LSTM" | "GRU" | "SimpleRNN" => t.recurrent(job, x),
        "Bidirectional" => t.bidirectional(job, x),
        other => Err(job.layer.refuse("a layer that is known here", other)),
    }
}
