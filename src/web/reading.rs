//! What a first visit needs: drawings and pictures, read by the catalogue's networks for digits.

use super::{Outcome, give, take};
use crate::Error;
use crate::systems::recognise::Recogniser;
use js_sys::Float32Array;
use std::cell::RefCell;
use wasm_bindgen::prelude::*;

/// The four steps from a drawing to a network's input. Throws with code `empty` where there is no ink.
#[wasm_bindgen(unchecked_return_type = "Step[]")]
pub fn preprocess(#[wasm_bindgen(unchecked_param_type = "Ink")] ink: &JsValue) -> Outcome<JsValue> {
    let drawing = take::drawing(ink)?;
    give::steps(&drawing.ink().normalise()?)
}

/// A network with its weights, living in the engine's memory until `free` is called.
// The cell is borrowed only while the engine computes: a getter of an argument may call the same model again.
#[wasm_bindgen]
pub struct Model(RefCell<Recogniser>);

#[wasm_bindgen]
impl Model {
    /// Opens the network in a safetensors file. Throws with code `format`, `missing`, `shape` or `value` where it is none.
    #[wasm_bindgen(constructor)]
    pub fn new(#[wasm_bindgen(unchecked_param_type = "Uint8Array")] weights: &JsValue) -> Outcome<Self> {
        Ok(Self(RefCell::new(Recogniser::load(&take::weights(weights)?)?)))
    }

    /// What the weights are called.
    #[wasm_bindgen(getter)]
    pub fn name(&self) -> String {
        self.0.borrow().name().into()
    }

    /// Every layer that `features` can show, from the input to the scores.
    #[wasm_bindgen(unchecked_return_type = "Layer[]")]
    pub fn layers(&self) -> Outcome<JsValue> {
        give::layers(self.0.borrow().layers())
    }

    /// Reads a picture of 28 × 28 grey levels from 0 (paper) to 1 (ink), row by row. Throws with code `shape` for another
    /// number of pixels and `value` for a pixel out of range.
    #[wasm_bindgen(unchecked_return_type = "Answer")]
    pub fn predict(&self, #[wasm_bindgen(unchecked_param_type = "Float32Array")] image: &JsValue) -> Outcome<JsValue> {
        let image = take::image(image)?;
        let answer = self.0.borrow_mut().predict(&image)?;
        give::answer(&answer)
    }

    /// Brings a drawing into the form of the pictures the network has learnt from, and reads it.
    #[wasm_bindgen(js_name = predictInk, unchecked_return_type = "Reading")]
    pub fn predict_ink(&self, #[wasm_bindgen(unchecked_param_type = "Ink")] ink: &JsValue) -> Outcome<JsValue> {
        let drawing = take::drawing(ink)?;
        let reading = self.0.borrow_mut().read_ink(&drawing.ink());
        match reading {
            Ok(reading) => give::reading(&reading),
            Err(Error::Empty) => give::empty(),
            Err(error) => Err(error.into()),
        }
    }

    /// What a layer made of the last picture: `c · h · w` numbers, map after map (CHW). Throws with code `missing` for a
    /// layer that there is not, and before the first picture.
    pub fn features(&self, #[wasm_bindgen(unchecked_param_type = "string")] layer: &JsValue) -> Outcome<Float32Array> {
        let layer = take::text("layer", layer)?;
        Ok(self.0.borrow().features(&layer)?.as_slice().into())
    }
}
