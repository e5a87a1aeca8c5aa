//! Floor 5: the wasm door. Converts, calls, converts; never computes.
//!
//! Whatever JavaScript hands in is looked at before anything is copied, so that a bad argument is a thrown `Error` with a
//! `code` and never a trap, and a handle works on after it has thrown.
//!
//! The door makes six modules. What a first visit needs is small: drawings and pictures are read by the catalogue's networks
//! for digits. The feature `studio` adds what comes when it is asked for: any network, training, the labs; the feature
//! `formats` models from elsewhere; the feature `systems` those that play; the feature `bits` networks of few
//! bits; the feature `gpu` trainings on a GPU.

#[cfg(feature = "bits")]
mod bits;
#[cfg(any(feature = "studio", feature = "systems"))]
mod colour;
#[cfg(feature = "formats")]
mod formats;
mod give;
#[cfg(feature = "gpu")]
mod gpu;
#[cfg(any(feature = "studio", feature = "systems", feature = "bits", feature = "gpu"))]
mod numbers;
#[cfg(any(feature = "studio", feature = "bits", feature = "gpu"))]
mod samples;
#[cfg(feature = "studio")]
mod studio;
#[cfg(feature = "systems")]
mod systems;
mod take;
mod throw;

#[cfg(feature = "bits")]
pub use bits::*;
#[cfg(feature = "formats")]
pub use formats::{ModelFile, architectures};
#[cfg(feature = "gpu")]
pub use gpu::GpuTraining;
#[cfg(any(feature = "studio", feature = "bits", feature = "gpu"))]
pub use samples::Samples;
#[cfg(feature = "studio")]
pub use studio::*;
#[cfg(feature = "systems")]
pub use systems::*;

use crate::Error;
use crate::systems::recognise::Recogniser;
use js_sys::Float32Array;
use std::cell::RefCell;
use wasm_bindgen::prelude::*;

/// What a call gives, or what it throws.
type Outcome<T> = Result<T, JsValue>;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.d.ts");

/// A panic is a defect of the engine; the console then says where.
#[wasm_bindgen(start, private)]
fn start() {
    console_error_panic_hook::set_once();
}

/// Which of the engine's two builds this is.
#[wasm_bindgen(unchecked_return_type = "'simd128' | 'relaxed-simd'")]
pub fn build() -> String {
    if cfg!(target_feature = "relaxed-simd") { "relaxed-simd" } else { "simd128" }.into()
}

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
