//! A network that learns somebody's hand, for a page that collects their drawings.

use super::{Outcome, give, take};
use crate::systems::personalise::{Example, Lesson, MOST, Personaliser};
use js_sys::Uint8Array;
use serde::Serialize;
use std::cell::RefCell;
use wasm_bindgen::prelude::*;

/// A network of digits prepared for lessons, living in the engine's memory until `free` is called. Every lesson starts
/// from the weights that it was made with.
#[wasm_bindgen]
pub struct Teacher(RefCell<Personaliser>);

#[wasm_bindgen]
impl Teacher {
    /// Prepares the network in a safetensors file: it makes up the digits to rehearse and looks at them once, which takes
    /// longer than a lesson. Throws with code `format`, `missing`, `shape` or `value` where that is no network to teach.
    #[wasm_bindgen(constructor)]
    pub fn new(#[wasm_bindgen(unchecked_param_type = "Uint8Array")] weights: &JsValue) -> Outcome<Self> {
        Ok(Self(RefCell::new(Personaliser::load(&take::weights(weights)?)?)))
    }

    /// Retrains the last layers on 5 to 500 drawings; the same ones and the same seed give the same weights. Throws with
    /// code `value` for another number of them and for a digit above 9, `empty` for one without ink.
    #[wasm_bindgen(unchecked_return_type = "Lesson")]
    pub fn teach(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Example[]")] examples: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] seed: &JsValue,
    ) -> Outcome<JsValue> {
        let examples = take::items("examples", examples, MOST, |_, value| example(value))?;
        let seed = take::count("seed", seed)?;
        let personaliser = &mut *self.0.borrow_mut();
        let taught = personaliser.teach(&examples, &Lesson::default(), seed as u64)?;
        let weights = personaliser.save(&taught)?;
        give::plain(&Given { weights: weights.as_slice().into(), kept: taught.kept, others: taught.others })
    }
}

fn example(value: &JsValue) -> Outcome<Example> {
    let digit = take::whole("digit", &take::field(value, "digit")?, 9)? as u8;
    Ok(Example { digit, strokes: take::strokes(&take::field(value, "strokes")?)? })
}

#[derive(Serialize)]
struct Given {
    #[serde(with = "serde_wasm_bindgen::preserve")]
    weights: Uint8Array,
    kept: f32,
    others: [f64; 2],
}
