//! The module for networks of few bits: a model with its numbers rounded, what rounding did to it, and a search for bits layer by layer.

use super::{Outcome, give, numbers as take};
use crate::Error;
use crate::file::safetensors::Precision;
use crate::systems::model::Model;
use crate::systems::quantise::search::{Labelled, Search};
use crate::systems::quantise::{self, Bits, Form, Kind, Method, Plan, Ranges, Reader, layout};
use crate::systems::recognise::Calibration;
use crate::systems::saved::{self, Saved};
use js_sys::{Float32Array, Int8Array, Int16Array, Uint8Array};
use serde::Serialize;
use std::cell::RefCell;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.d.ts");

/// The most layers that are given bits by hand.
const MOST_LAYERS: usize = 4096;

#[derive(Serialize)]
struct Layer<'a> {
    name: &'a str,
    kind: &'static str,
    shape: [usize; 3],
    inputs: Vec<&'a str>,
    /// What comes out.
    form: &'static str,
    /// What a level is worth, and the least and largest there are.
    step: Option<f32>,
    levels: Option<[i16; 2]>,
    bits: Option<String>,
    weights: usize,
    bytes: usize,
    relu: bool,
    window: Option<Window>,
}

#[derive(Serialize)]
struct Window {
    kernel: [usize; 2],
    stride: [usize; 2],
    pad: [usize; 2],
}

fn layer<'a>(steps: &'a [quantise::Step], step: &'a quantise::Step) -> Layer<'a> {
    let (form, unit, levels) = match step.form {
        Form::Levels { step, bounds: (lo, hi) } => ("levels", Some(step), Some([lo, hi])),
        Form::Signs => ("signs", None, None),
        Form::Numbers => ("numbers", None, None),
    };
    let (kind, filters) = match &step.kind {
        Kind::Input => ("input", None),
        Kind::Filters(filters) => ("filters", Some(filters)),
        Kind::MaxPool(_) => ("max_pool", None),
        Kind::Mean => ("mean", None),
        Kind::Add { .. } => ("add", None),
        Kind::Sign => ("sign", None),
    };
    let window = filters.map(|filters| {
        let window = filters.window;
        let pair = |(a, b): (usize, usize)| [a, b];
        Window { kernel: pair(window.kernel), stride: pair(window.stride), pad: pair(window.pad) }
    });
    Layer {
        name: &step.name,
        kind,
        shape: [step.shape.c, step.shape.h, step.shape.w],
        inputs: step.inputs.iter().map(|input| &*steps[*input].name).collect(),
        form,
        step: unit,
        levels,
        bits: filters.map(|filters| filters.bits.to_string()),
        weights: filters.map_or(0, |filters| filters.weights.len()),
        bytes: filters.map_or(0, |filters| filters.bits.bytes(filters.weights.len())),
        relu: filters.is_some_and(|filters| filters.relu),
        window,
    }
}

/// A network in single precision, living in the engine's memory until `free` is called. Pictures are NCHW, one after another.
#[wasm_bindgen]
pub struct FloatModel(RefCell<Model>);

#[wasm_bindgen]
impl FloatModel {
    /// Opens the network in a safetensors file whose metadata describe it or name its architecture. Throws with code `format`,
    /// `missing`, `shape` or `value` where it is none.
    pub fn load(#[wasm_bindgen(unchecked_param_type = "Uint8Array")] weights: &JsValue) -> Outcome<Self> {
        let Saved { net, params, metadata } = saved::read(&take::weights(weights)?)?;
        Ok(Self(RefCell::new(Model::new(net, params, metadata))))
    }

    /// What it is called.
    #[wasm_bindgen(getter)]
    pub fn name(&self) -> String {
        let model = self.0.borrow();
        let named = model.metadata.get("name").or_else(|| model.metadata.get("architecture"));
        named.cloned().unwrap_or_else(|| "own".into())
    }

    /// Every layer in order.
    #[wasm_bindgen(unchecked_return_type = "FloatLayer[]")]
    pub fn layers(&self) -> Outcome<JsValue> {
        #[derive(Serialize)]
        struct Node<'a> {
            name: &'a str,
            shape: [usize; 3],
        }
        let model = self.0.borrow();
        let nodes = model.network().nodes().iter();
        give::plain(
            &nodes.map(|n| Node { name: &n.name, shape: [n.shape.c, n.shape.h, n.shape.w] }).collect::<Vec<_>>(),
        )
    }

    /// The answers to pictures, before any softmax. Throws with code `shape` or `value` for others.
    pub fn scores(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Float32Array")] images: &JsValue,
    ) -> Outcome<Float32Array> {
        let images = take::floats("images", images)?;
        Ok(self.0.borrow_mut().scores(&images)?.as_slice().into())
    }

    /// What layers make of one picture, CHW. Throws as `scores` does, and with code `missing` for a layer that there is not.
    #[wasm_bindgen(unchecked_return_type = "Float32Array[]")]
    pub fn values(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Float32Array")] image: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "string[]")] layers: &JsValue,
    ) -> Outcome<js_sys::Array> {
        let (image, layers) = (take::floats("image", image)?, take::texts("layers", layers)?);
        let found = self.0.borrow_mut().features(&image, &layers)?;
        Ok(found.iter().map(|(_, values)| JsValue::from(Float32Array::from(values.as_slice()))).collect())
    }

    /// The file that `load` opens, its numbers in 16 or in 32 bits. Throws with code `value` for weights that 16 bits do not hold.
    #[wasm_bindgen(unchecked_return_type = "Uint8Array<ArrayBuffer>")]
    pub fn save(&self, #[wasm_bindgen(unchecked_param_type = "16 | 32")] bits: &JsValue) -> Outcome<Uint8Array> {
        let precision = match take::count("bits", bits)? {
            16 => Precision::F16,
            32 => Precision::F32,
            other => return Err(Error::value("bits", "16 or 32", other).into()),
        };
        let model = self.0.borrow();
        let (net, params) = (model.network().clone(), model.params().clone());
        Ok(saved::write(&Saved { net, params, metadata: model.metadata.clone() }, precision)?.as_slice().into())
    }
}

/// The layers of a model that can be given fewer bits, in order.
#[wasm_bindgen(js_name = roundedLayers, unchecked_return_type = "RoundedLayer[]")]
pub fn rounded_layers(model: &FloatModel) -> Outcome<JsValue> {
    #[derive(Serialize)]
    struct Rounded {
        name: String,
        weights: usize,
        learnt: bool,
    }
    let layers = quantise::layers(model.0.borrow().network());
    let given: Vec<Rounded> =
        layers.into_iter().map(|(name, weights, learnt)| Rounded { name, weights, learnt }).collect();
    give::plain(&given)
}

/// A layer's weights in single precision as rounding finds them: filter after filter, a batch norm behind them worked in. Throws with
/// code `missing` for a layer that has none.
#[wasm_bindgen(js_name = foldedWeights)]
pub fn folded_weights(
    model: &FloatModel,
    #[wasm_bindgen(unchecked_param_type = "string")] layer: &JsValue,
) -> Outcome<Float32Array> {
    let layer = take::text("layer", layer)?;
    let model = model.0.borrow();
    Ok(quantise::folded(model.network(), model.params(), &layer)?.as_slice().into())
}

/// What a model's values were on pictures to calibrate by; it serves every choice of bits. Lives until `free` is called.
#[wasm_bindgen]
pub struct ActivationRanges(Ranges);

#[wasm_bindgen]
impl ActivationRanges {
    /// Runs the model on pictures (NCHW). Throws with code `missing` for a layer that has no form of few bits, `shape` and `value` for
    /// pictures that do not fit.
    #[wasm_bindgen(constructor)]
    pub fn new(
        model: &FloatModel,
        #[wasm_bindgen(unchecked_param_type = "Bits[]")] bits: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "Float32Array")] images: &JsValue,
    ) -> Outcome<Self> {
        let (bits, images) = (all_bits(bits)?, take::floats("images", images)?);
        let model = model.0.borrow();
        Ok(Self(Ranges::of(model.network(), model.params(), &bits, &images)?))
    }

    /// Each step's name, and the model's layer whose values it has: a convolution's step has those behind its ReLU.
    #[wasm_bindgen(unchecked_return_type = "[step: string, layer: string][]")]
    pub fn ends(&self) -> Outcome<JsValue> {
        give::plain(&self.0.ends())
    }
}

fn all_bits(bits: &JsValue) -> Outcome<Vec<Bits>> {
    take::items("bits", bits, MOST_LAYERS, |i, bits| Ok(take::text(&format!("bits[{i}]"), bits)?.parse()?))
}

/// A network in few bits, living in the engine's memory until `free` is called.
#[wasm_bindgen]
pub struct FewBits(RefCell<Reader>);

#[wasm_bindgen]
impl FewBits {
    /// Rounds a model: one entry of `bits` for all layers, or one for each of `roundedLayers`. Throws with code `shape` for another
    /// number of them or ranges of another model, `value` for bits or a method that there are not, `missing` for a layer without a form.
    pub fn quantise(
        model: &FloatModel,
        #[wasm_bindgen(unchecked_param_type = "Bits[]")] bits: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "RangeMethod")] method: &JsValue,
        ranges: &ActivationRanges,
    ) -> Outcome<Self> {
        let plan = Plan { bits: all_bits(bits)?, method: take::text("method", method)?.parse::<Method>()? };
        let model = model.0.borrow();
        let mut few = quantise::quantise_within(model.network(), model.params(), &plan, &ranges.0)?;
        let kept = ["name", "temperature", "threshold"].into_iter();
        few.metadata =
            kept.filter_map(|key| model.metadata.get_key_value(key)).map(|(k, v)| (k.clone(), v.clone())).collect();
        Ok(Self(RefCell::new(Reader::new(few)?)))
    }

    /// Opens a file of few bits. Throws with code `format`, `shape` or `value` where it is none.
    pub fn load(#[wasm_bindgen(unchecked_param_type = "Uint8Array")] file: &JsValue) -> Outcome<Self> {
        Ok(Self(RefCell::new(Reader::new(layout::read(&take::weights(file)?)?)?)))
    }

    /// Whether a file's header says that it is one of few bits.
    pub fn is(#[wasm_bindgen(unchecked_param_type = "Uint8Array")] file: &JsValue) -> Outcome<bool> {
        Ok(layout::is(&take::weights(file)?))
    }

    /// What it is called.
    #[wasm_bindgen(getter)]
    pub fn name(&self) -> String {
        self.0.borrow().model().metadata.get("name").cloned().unwrap_or_else(|| "own".into())
    }

    /// What its answers are divided by, and from which probability on one is sure.
    #[wasm_bindgen(unchecked_return_type = "[temperature: number, threshold: number]")]
    pub fn calibration(&self) -> Outcome<Vec<f32>> {
        let Calibration { temperature, threshold } = Calibration::from_metadata(&self.0.borrow().model().metadata)?;
        Ok(vec![temperature, threshold])
    }

    /// Every step in order, the input first.
    #[wasm_bindgen(unchecked_return_type = "FewLayer[]")]
    pub fn layers(&self) -> Outcome<JsValue> {
        let reader = self.0.borrow();
        let steps = &reader.model().steps;
        give::plain(&steps.iter().map(|step| layer(steps, step)).collect::<Vec<_>>())
    }

    /// The answers to pictures (NCHW), before any softmax. Throws with code `shape` or `value` for others.
    pub fn scores(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Float32Array")] images: &JsValue,
    ) -> Outcome<Float32Array> {
        let images = take::floats("images", images)?;
        Ok(self.0.borrow_mut().scores(&images)?.as_slice().into())
    }

    /// What a step made of the last single picture, CHW. Throws with code `missing` for a step that there is not.
    pub fn values(&self, #[wasm_bindgen(unchecked_param_type = "string")] layer: &JsValue) -> Outcome<Float32Array> {
        let layer = take::text("layer", layer)?;
        Ok(self.0.borrow().values(&layer)?.as_slice().into())
    }

    /// A layer's weights as whole numbers, filter after filter, and what 1 is worth in each filter. Throws with code `missing` for a
    /// layer that has none.
    #[wasm_bindgen(unchecked_return_type = "WholeWeights")]
    pub fn weights(&self, #[wasm_bindgen(unchecked_param_type = "string")] layer: &JsValue) -> Outcome<JsValue> {
        #[derive(Serialize)]
        struct Whole {
            #[serde(with = "serde_wasm_bindgen::preserve")]
            weights: Int8Array,
            #[serde(with = "serde_wasm_bindgen::preserve")]
            scales: Float32Array,
        }
        let layer = take::text("layer", layer)?;
        let reader = self.0.borrow();
        let found = reader.model().filters().find(|(step, _)| step.name == layer);
        let (_, filters) = found.ok_or_else(|| Error::missing("layer", "one with weights", layer))?;
        give::plain(&Whole { weights: filters.weights.as_slice().into(), scales: filters.scales.as_slice().into() })
    }

    /// How one number of a layer came about, for the last single picture: filter, row and column of its map. Throws with code `missing`
    /// or `value` for a layer without weights and for a place that there is not.
    #[wasm_bindgen(unchecked_return_type = "WholeSum")]
    pub fn sum(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] layer: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] filter: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] row: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] column: &JsValue,
    ) -> Outcome<JsValue> {
        #[derive(Serialize)]
        struct Sum {
            #[serde(with = "serde_wasm_bindgen::preserve")]
            inputs: Int16Array,
            #[serde(with = "serde_wasm_bindgen::preserve")]
            weights: Int8Array,
            sum: i32,
            scale: f32,
            bias: f32,
            value: f32,
        }
        let (layer, filter) = (take::text("layer", layer)?, take::count("filter", filter)?);
        let place = (take::count("row", row)?, take::count("column", column)?);
        let sum = self.0.borrow().sum(&layer, filter, place)?;
        let (inputs, weights) = (sum.inputs.as_slice().into(), sum.weights.as_slice().into());
        give::plain(&Sum { inputs, weights, sum: sum.sum, scale: sum.scale, bias: sum.bias, value: sum.value })
    }

    /// The file that `load` opens: packed bits in safetensors.
    #[wasm_bindgen(unchecked_return_type = "Uint8Array<ArrayBuffer>")]
    pub fn save(&self) -> Outcome<Uint8Array> {
        Ok(layout::write(self.0.borrow().model())?.as_slice().into())
    }
}

/// A search for bits layer by layer: from 8 everywhere, each step gives 4 or 2 to the layer where a byte saved costs the least loss.
/// Lives until `free` is called.
#[wasm_bindgen]
pub struct BitSearch(RefCell<Search>);

#[wasm_bindgen]
impl BitSearch {
    /// Begins on pictures (NCHW) with the class of each. Throws as `FewBits.quantise` does.
    #[wasm_bindgen(constructor)]
    pub fn new(
        model: &FloatModel,
        #[wasm_bindgen(unchecked_param_type = "RangeMethod")] method: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "Float32Array")] images: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "Uint8Array")] labels: &JsValue,
    ) -> Outcome<Self> {
        let method = take::text("method", method)?.parse::<Method>()?;
        let (images, labels) = (take::floats("images", images)?, take::weights(labels)?);
        let (part, model) = (Labelled { images: &images, labels: &labels }, model.0.borrow());
        Ok(Self(RefCell::new(Search::new(model.network(), model.params(), method, part)?)))
    }

    /// Where it stands.
    #[wasm_bindgen(unchecked_return_type = "BitChoice")]
    pub fn last(&self) -> Outcome<JsValue> {
        #[derive(Serialize)]
        struct Choice {
            bits: Vec<String>,
            bytes: usize,
            loss: f64,
            accuracy: f64,
        }
        let search = self.0.borrow();
        let quantise::search::Choice { bits, bytes, score } = search.last();
        let bits = bits.iter().map(Bits::to_string).collect();
        give::plain(&Choice { bits, bytes: *bytes, loss: score.loss, accuracy: score.accuracy })
    }

    /// Takes a step; false where no layer can do with fewer bits.
    pub fn step(&self) -> Outcome<bool> {
        Ok(self.0.borrow_mut().step()?.is_some())
    }
}
