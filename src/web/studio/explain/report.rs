//! What the Inside lab gets: plain objects, with numbers in typed arrays. Their types are in `types.d.ts`.

use crate::web::studio::give::Tensor;
use js_sys::{Float32Array, Uint8Array, Uint32Array};
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Reasons {
    #[serde(with = "serde_wasm_bindgen::preserve")]
    pub map: Float32Array,
    pub score: f32,
    pub baseline: Option<f32>,
}

#[derive(Serialize)]
pub(super) struct Working {
    pub kind: &'static str,
    pub from: String,
    pub at: [isize; 2],
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub pad: [usize; 2],
    pub dilation: [usize; 2],
    pub channels: [usize; 2],
    #[serde(with = "serde_wasm_bindgen::preserve")]
    pub inputs: Float32Array,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    pub weights: Float32Array,
    pub bias: f32,
    pub sum: f32,
    pub value: f32,
    pub field: [isize; 4],
}

#[derive(Serialize)]
pub(super) struct Grey {
    pub width: usize,
    pub height: usize,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    pub pixels: Float32Array,
}

#[derive(Serialize)]
pub(super) struct Softmax {
    #[serde(with = "serde_wasm_bindgen::preserve")]
    pub scores: Float32Array,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    pub powers: Float32Array,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    pub probabilities: Float32Array,
}

#[derive(Serialize)]
pub(super) struct WayBack {
    pub loss: f64,
    pub after: f64,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    pub maps: Float32Array,
    pub gradient: Option<Tensor>,
}

#[derive(Serialize)]
pub(super) struct Numeric {
    pub below: f64,
    pub above: f64,
    pub slope: f64,
}

#[derive(Serialize)]
pub(super) struct Gathered {
    #[serde(with = "serde_wasm_bindgen::preserve")]
    pub labels: Uint8Array,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    pub rows: Float32Array,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    pub places: Float32Array,
    pub shares: [f64; 2],
}

#[derive(Serialize)]
pub(super) struct Neighbours {
    pub place: [f32; 2],
    #[serde(with = "serde_wasm_bindgen::preserve")]
    pub which: Uint32Array,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    pub distances: Float32Array,
}

#[derive(Serialize)]
pub(super) struct Climbed {
    #[serde(with = "serde_wasm_bindgen::preserve")]
    pub pictures: Float32Array,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    pub reached: Float32Array,
}

#[derive(Serialize)]
pub(super) struct Dreamt {
    pub width: usize,
    pub height: usize,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    pub pixels: Float32Array,
    pub done: usize,
    pub of: usize,
    pub seen: f32,
}
