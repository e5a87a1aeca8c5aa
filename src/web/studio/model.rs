//! Any network with its weights, for a page with data of its own: it answers, learns, changes and is saved.

use super::training::Sums;
use super::{Outcome, give, take};
use crate::file::safetensors::Precision;
use crate::systems::explain::Explainer;
use crate::systems::saved::{self, Saved};
use crate::systems::{model::Model, transfer};
use crate::train::Options;
use js_sys::{Float32Array, Uint8Array};
use serde::Serialize;
use std::cell::RefCell;
use wasm_bindgen::prelude::*;

const MOST: u64 = 1 << 53;

/// A network with its weights, living in the engine's memory until `free` is called. Pictures are NCHW, one after another.
// Arguments are copied before the cell is borrowed: a getter of theirs may call the same model again.
#[wasm_bindgen]
pub struct OwnModel(RefCell<Model>);

#[derive(Serialize)]
struct Features {
    name: String,
    shape: [usize; 3],
    #[serde(with = "serde_wasm_bindgen::preserve")]
    values: Float32Array,
}

#[wasm_bindgen]
impl OwnModel {
    /// Opens the network in a safetensors file whose metadata describe it or name its architecture. Throws with code
    /// `format`, `missing`, `shape` or `value` where it is none.
    pub fn load(#[wasm_bindgen(unchecked_param_type = "Uint8Array")] weights: &JsValue) -> Outcome<Self> {
        let Saved { net, params, metadata } = saved::read(&take::file("weights", weights)?)?;
        Ok(Self(RefCell::new(Model::new(net, params, metadata))))
    }

    /// Builds the network that a description (JSON) describes, its weights drawn from a seed. Throws with any code.
    pub fn define(
        #[wasm_bindgen(unchecked_param_type = "string")] description: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] seed: &JsValue,
    ) -> Outcome<Self> {
        let (description, seed) = (take::long_text("network", description)?, take::whole("seed", seed, MOST)?);
        Ok(Self(RefCell::new(Model::define(&description, seed)?)))
    }

    /// What it is called.
    #[wasm_bindgen(getter)]
    pub fn name(&self) -> String {
        let model = self.0.borrow();
        let named = model.metadata.get("name").or_else(|| model.metadata.get("architecture"));
        named.cloned().unwrap_or_else(|| "own".into())
    }

    /// Calls it something else.
    #[wasm_bindgen(setter)]
    pub fn set_name(&self, #[wasm_bindgen(unchecked_param_type = "string")] name: &JsValue) -> Outcome<()> {
        let name = take::text("name", name)?;
        self.0.borrow_mut().metadata.insert("name".into(), name);
        Ok(())
    }

    /// Every layer in order.
    #[wasm_bindgen(unchecked_return_type = "Node[]")]
    pub fn layers(&self) -> Outcome<JsValue> {
        give::nodes(self.0.borrow().network())
    }

    /// A row of probabilities for each picture: the softmax of the answers. Throws with code `shape` where the values are
    /// no whole pictures and `value` for values that are not finite.
    pub fn predict(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Float32Array")] images: &JsValue,
    ) -> Outcome<Float32Array> {
        let images = take::floats("images", images)?;
        Ok(self.0.borrow_mut().probabilities(&images)?.as_slice().into())
    }

    /// The answers themselves, before any softmax. Throws as `predict` does.
    pub fn scores(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Float32Array")] images: &JsValue,
    ) -> Outcome<Float32Array> {
        let images = take::floats("images", images)?;
        Ok(self.0.borrow_mut().scores(&images)?.as_slice().into())
    }

    /// What layers make of one picture. Throws as `predict` does, and with code `missing` for a layer that there is not.
    #[wasm_bindgen(unchecked_return_type = "Features[]")]
    pub fn features(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Float32Array")] image: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "string[]")] layers: &JsValue,
    ) -> Outcome<JsValue> {
        let (image, layers) = (take::floats("image", image)?, take::texts("layers", layers)?);
        let found = self.0.borrow_mut().features(&image, &layers)?;
        let given: Vec<Features> = layers
            .into_iter()
            .zip(found)
            .map(|(name, (s, values))| Features { name, shape: [s.c, s.h, s.w], values: values.as_slice().into() })
            .collect();
        give::plain(&given)
    }

    /// Which numbers of one picture speak for a class, as `Explainer.reasons` says. Throws with code `shape` for another picture
    /// and for a network whose answer is no vector of scores, `missing` for an unknown method, `value` for a class there is not.
    #[wasm_bindgen(unchecked_return_type = "Reasons")]
    pub fn explain(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Float32Array")] image: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "Method")] method: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] class: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] amount: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] noise: &JsValue,
    ) -> Outcome<JsValue> {
        let (image, class) = (take::floats("image", image)?, take::count("class", class)?);
        let method = super::explain::method(method, amount, noise)?;
        let model = self.0.borrow();
        let mut explainer = Explainer::new(model.network(), model.params())?;
        explainer.look(&image)?;
        super::explain::given(&explainer.reasons(method, class)?)
    }

    /// Begins to learn: `steps` steps on batches of up to `batch` pictures, with options (JSON) as `Options` in the Rust
    /// documentation has them. Throws with code `format` or `value`.
    pub fn begin(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] options: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] batch: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] steps: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] seed: &JsValue,
    ) -> Outcome<()> {
        let options = Options::from_json(&take::long_text("options", options)?)?;
        let (batch, steps) = (take::count("batch", batch)?, take::whole("steps", steps, MOST)?);
        let seed = take::whole("seed", seed, MOST)?;
        Ok(self.0.borrow_mut().begin(options, batch, steps, seed)?)
    }

    /// One step on pictures and the class of each. Throws, and changes nothing, with code `missing` before `begin`, `shape`
    /// and `value` for data that do not fit and for a loss that is not finite.
    #[wasm_bindgen(unchecked_return_type = "Sums")]
    pub fn step(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Float32Array")] images: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "Uint32Array")] labels: &JsValue,
    ) -> Outcome<JsValue> {
        let (images, labels) = (take::floats("images", images)?, take::labels("labels", labels)?);
        let progress = self.0.borrow_mut().step(&images, &labels)?;
        give::plain(&Sums::from(progress))
    }

    /// Ends the learning. Without a training under way nothing happens.
    pub fn end(&self) {
        self.0.borrow_mut().end();
    }

    /// Freezes layers: names, or beginnings with `*`. Throws with code `missing` for one that names no layer with weights.
    pub fn freeze(&self, #[wasm_bindgen(unchecked_param_type = "string[]")] layers: &JsValue) -> Outcome<()> {
        let layers = take::texts("layers", layers)?;
        Ok(self.0.borrow_mut().freeze(&layers)?)
    }

    /// Gives it so many classes in place of its own; its last layer begins anew. Throws with code `value` or `missing`.
    #[wasm_bindgen(js_name = setClasses)]
    pub fn set_classes(
        &self,
        #[wasm_bindgen(unchecked_param_type = "number")] classes: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] seed: &JsValue,
    ) -> Outcome<()> {
        let (classes, seed) = (take::count("classes", classes)?, take::whole("seed", seed, MOST)?);
        let model = &mut *self.0.borrow_mut();
        let (net, params) = transfer::with_classes(model.network(), model.params(), classes, seed)?;
        let mut metadata = std::mem::take(&mut model.metadata);
        metadata.retain(|key, _| key == "name");
        *model = Model::new(net, params, metadata);
        Ok(())
    }

    /// The file that `load` opens, its numbers in 16 or in 32 bits. Throws with code `value` for weights that 16 bits do not
    /// hold.
    #[wasm_bindgen(unchecked_return_type = "Uint8Array<ArrayBuffer>")]
    pub fn save(&self, #[wasm_bindgen(unchecked_param_type = "16 | 32")] bits: &JsValue) -> Outcome<Uint8Array> {
        let precision = match take::count("bits", bits)? {
            16 => Precision::F16,
            32 => Precision::F32,
            other => return Err(crate::Error::value("bits", "16 or 32", other).into()),
        };
        let model = self.0.borrow();
        let (net, params) = (model.network().clone(), model.params().clone());
        let saved = Saved { net, params, metadata: model.metadata.clone() };
        Ok(saved::write(&saved, precision)?.as_slice().into())
    }
}
