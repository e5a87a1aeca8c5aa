//! The handles of the Generate lab: a network that draws digits, and a pair that learns to.

use super::{Outcome, give, take};
use crate::data::synth;
use crate::file::safetensors::Precision;
use crate::systems::generate::{Generator, Progress, Settings, Training, latents};
use crate::systems::recognise;
use crate::systems::saved::{self, Saved};
use crate::web::take::unexpected;
use crate::{Error, Result};
use js_sys::{Float32Array, Uint8Array};
use serde::Serialize;
use std::cell::RefCell;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("generate/types.d.ts");

/// The most drawings in one call, and real digits to learn from.
const MOST: u64 = 4096;
const MOST_REAL: u64 = 60_000;
/// The most steps in one call.
const MOST_STEPS: u64 = 1000;

fn digits(value: &JsValue) -> Result<Vec<u8>> {
    let array: &Uint8Array = value.dyn_ref().ok_or_else(|| unexpected("digits", "a Uint8Array", value))?;
    if u64::from(array.length()) > MOST {
        return Err(Error::value("digits", format!("at most {MOST}"), array.length()));
    }
    Ok(array.to_vec())
}

/// `n` rows of `latent` numbers to start drawings from, standard normal. The same seed, the same numbers; the first rows of more are
/// those of fewer.
#[wasm_bindgen(js_name = latentRows)]
pub fn latent_rows(
    #[wasm_bindgen(unchecked_param_type = "number")] n: &JsValue,
    #[wasm_bindgen(unchecked_param_type = "number")] latent: &JsValue,
    #[wasm_bindgen(unchecked_param_type = "number")] seed: &JsValue,
) -> Outcome<Float32Array> {
    let (n, latent) = (take::whole("rows", n, MOST)?, take::whole("latent numbers", latent, 1024)?);
    Ok(latents(n as usize, latent as usize, take::count("seed", seed)? as u64).as_slice().into())
}

/// A network that draws digits; lives until `free` is called.
#[wasm_bindgen]
pub struct DigitGenerator(RefCell<Generator>);

#[wasm_bindgen]
impl DigitGenerator {
    /// Opens the network in a safetensors file. Throws with code `format`, `missing` or `value` where it is none, and with code
    /// `shape` where it draws something else.
    #[wasm_bindgen(constructor)]
    pub fn new(#[wasm_bindgen(unchecked_param_type = "Uint8Array")] file: &JsValue) -> Outcome<Self> {
        let Saved { net, params, .. } = saved::read(&take::weights(file)?)?;
        Ok(Self(RefCell::new(Generator::new(&net, &params)?)))
    }

    /// The layers of the network.
    #[wasm_bindgen(unchecked_return_type = "Layer[]")]
    pub fn layers(&self) -> Outcome<JsValue> {
        give::layers(&recognise::layers(self.0.borrow().network()))
    }

    /// Numbers that a drawing starts from.
    #[wasm_bindgen(getter)]
    pub fn latent(&self) -> usize {
        self.0.borrow().latent()
    }

    /// A drawing of 28 × 28 numbers, 0 paper, 1 ink, for each row of latent numbers and each digit. Throws with code `shape` for
    /// other numbers, `value` for a digit above 9.
    pub fn draw(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Float32Array")] latents: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "Uint8Array")] asked: &JsValue,
    ) -> Outcome<Float32Array> {
        let (latents, digits) = (take::floats("latent numbers", latents)?, digits(asked)?);
        Ok(self.0.borrow_mut().generate(&latents, &digits)?.as_slice().into())
    }

    /// As `draw` for ten weights in place of each digit: half of one and half of another is something between.
    pub fn blend(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Float32Array")] latents: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "Float32Array")] weights: &JsValue,
    ) -> Outcome<Float32Array> {
        let (latents, weights) = (take::floats("latent numbers", latents)?, take::floats("weights", weights)?);
        Ok(self.0.borrow_mut().blend(&latents, &weights)?.as_slice().into())
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Round {
    steps: f64,
    d_loss: f64,
    g_loss: f64,
    d_real: f64,
    d_fake: f64,
    trouble: Option<String>,
}

/// Two networks that learn from one another, on digits that the engine makes; lives until `free` is called.
#[wasm_bindgen]
pub struct GanLearner(RefCell<Training>);

#[wasm_bindgen]
impl GanLearner {
    /// What a pair learns with, as JSON.
    pub fn settings() -> Outcome<String> {
        let text = serde_json::to_string(&Settings::DEFAULT);
        Ok(text.map_err(|e| Error::format("settings", "numbers that JSON can hold", e))?)
    }

    /// Begins on so many made digits. Settings are JSON, of which every part may be left out; the same settings, digits and seed give
    /// the same weights. Throws with code `format` or `value` where it cannot work.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(unchecked_param_type = "number")] real: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "string")] settings: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] seed: &JsValue,
    ) -> Outcome<Self> {
        let (real, seed) = (take::whole("digits", real, MOST_REAL)?, take::count("seed", seed)? as u64);
        let settings: Settings = serde_json::from_str(&take::long_text("settings", settings)?)
            .map_err(|e| Error::format("settings", "an object of settings", e))?;
        Ok(Self(RefCell::new(Training::new(synth::digits(seed, real as usize), settings, seed)?)))
    }

    /// So many steps of both networks; the means of what they came to. Where a loss is no number it stops, goes back to the last good
    /// weights, and says so in `trouble`.
    #[wasm_bindgen(unchecked_return_type = "GanRound")]
    pub fn step(&self, #[wasm_bindgen(unchecked_param_type = "number")] steps: &JsValue) -> Outcome<JsValue> {
        let steps = take::whole("steps", steps, MOST_STEPS)?;
        let mut training = self.0.borrow_mut();
        let (mut sum, mut done, mut trouble) = (Progress::default(), 0.0_f64, None);
        for _ in 0..steps {
            match training.step() {
                Ok(step) => {
                    sum.d_loss += step.d_loss;
                    sum.g_loss += step.g_loss;
                    sum.d_real += step.d_real;
                    sum.d_fake += step.d_fake;
                    done += 1.0;
                }
                Err(error) => {
                    training.undo()?;
                    trouble = Some(error.to_string());
                    break;
                }
            }
        }
        let mean = |v: f64| v / done.max(1.0);
        give::plain(&Round {
            steps: training.steps() as f64,
            d_loss: mean(sum.d_loss),
            g_loss: mean(sum.g_loss),
            d_real: mean(sum.d_real),
            d_fake: mean(sum.d_fake),
            trouble,
        })
    }

    /// Drawings by the generator as it is now; see `DigitGenerator.draw`.
    pub fn draw(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Float32Array")] latents: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "Uint8Array")] asked: &JsValue,
    ) -> Outcome<Float32Array> {
        let (latents, digits) = (take::floats("latent numbers", latents)?, digits(asked)?);
        Ok(self.0.borrow_mut().samples(&latents, &digits)?.as_slice().into())
    }

    /// How sure the discriminator is that 28 × 28 numbers, 0 paper, 1 ink, are a real digit: for each digit that it might be.
    /// Throws with code `shape` for another number of them.
    pub fn judge(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Float32Array")] image: &JsValue,
    ) -> Outcome<Float32Array> {
        let image = take::floats("image", image)?;
        Ok(self.0.borrow_mut().judge(&image)?.as_slice().into())
    }

    /// The generator as a safetensors file that `DigitGenerator` opens.
    pub fn save(&self) -> Outcome<Uint8Array> {
        let (net, params, metadata) = self.0.borrow().trained()?;
        Ok(saved::write(&Saved { net, params, metadata }, Precision::F16)?.as_slice().into())
    }
}

/// Made digits, as many as there are numbers: 28 × 28 bytes each, 0 paper, 255 ink, and their labels.
#[wasm_bindgen(js_name = madeDigits, unchecked_return_type = "MadeDigits")]
pub fn made_digits(
    #[wasm_bindgen(unchecked_param_type = "number")] n: &JsValue,
    #[wasm_bindgen(unchecked_param_type = "number")] seed: &JsValue,
) -> Outcome<JsValue> {
    #[derive(Serialize)]
    struct Made {
        #[serde(with = "serde_wasm_bindgen::preserve")]
        pixels: Uint8Array,
        #[serde(with = "serde_wasm_bindgen::preserve")]
        labels: Uint8Array,
    }
    let made = synth::digits(take::count("seed", seed)? as u64, take::whole("digits", n, MOST)? as usize);
    give::plain(&Made { pixels: made.images.pixels.as_slice().into(), labels: made.labels.as_slice().into() })
}
