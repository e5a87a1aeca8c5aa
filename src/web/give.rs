//! What JavaScript gets: plain objects, with numbers in typed arrays. Their types are in `types.d.ts`.

use super::Outcome;
use crate::data::ink::{Normalised, Picture};
use crate::systems::recognise;
use js_sys::Float32Array;
use serde::Serialize;
use wasm_bindgen::JsValue;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Layer<'a> {
    name: &'a str,
    kind: &'a str,
    activation: Option<&'a str>,
    inputs: &'a [usize],
    shape: [usize; 3],
    formula: &'a str,
    parameters: usize,
    // A float holds every count of a network that fits into a browser.
    multiply_adds: f64,
}

#[derive(Serialize)]
struct Step {
    name: &'static str,
    width: usize,
    height: usize,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    pixels: Float32Array,
}

#[derive(Serialize)]
struct Answer {
    status: &'static str,
    digit: u8,
    second: u8,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    probabilities: Float32Array,
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<[Step; 4]>,
}

#[derive(Serialize)]
struct Empty {
    status: &'static str,
}

pub(super) fn layers(layers: &[recognise::Layer]) -> Outcome<JsValue> {
    let given: Vec<Layer> = layers
        .iter()
        .map(|layer| Layer {
            name: &layer.name,
            kind: layer.kind,
            activation: layer.activation,
            inputs: &layer.inputs,
            shape: [layer.shape.c, layer.shape.h, layer.shape.w],
            formula: &layer.formula,
            parameters: layer.parameters,
            multiply_adds: layer.multiply_adds as f64,
        })
        .collect();
    plain(&given)
}

pub(super) fn answer(answer: &recognise::Answer) -> Outcome<JsValue> {
    plain(&given(answer, None))
}

pub(super) fn reading(reading: &recognise::Reading) -> Outcome<JsValue> {
    plain(&given(&reading.answer, Some(four(&reading.steps))))
}

pub(super) fn empty() -> Outcome<JsValue> {
    plain(&Empty { status: "empty" })
}

pub(super) fn steps(steps: &Normalised) -> Outcome<JsValue> {
    plain(&four(steps))
}

fn given(answer: &recognise::Answer, steps: Option<[Step; 4]>) -> Answer {
    Answer {
        status: if answer.sure { "sure" } else { "unsure" },
        digit: answer.digit,
        second: answer.second,
        probabilities: answer.probabilities.as_slice().into(),
        steps,
    }
}

fn four(steps: &Normalised) -> [Step; 4] {
    let step = |name, picture: &Picture| Step {
        name,
        width: picture.w,
        height: picture.h,
        pixels: picture.pixels.as_slice().into(),
    };
    [
        step("drawn", &steps.drawn),
        step("cropped", &steps.crop),
        step("scaled", &steps.scaled),
        step("centred", &steps.input),
    ]
}

pub(super) fn plain<T: Serialize>(value: &T) -> Outcome<JsValue> {
    // `missing_as_null`: an absent activation is null, as the types say, and not undefined.
    let serializer = serde_wasm_bindgen::Serializer::new().serialize_missing_as_null(true);
    Ok(value.serialize(&serializer)?)
}
