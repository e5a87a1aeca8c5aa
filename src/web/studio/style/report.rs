//! What the Style lab gets: plain objects, with numbers in typed arrays. Their types are in `types.d.ts`.

use super::{Outcome, give};
use crate::data::pictures::{Family, Kind, Rgb};
use crate::systems::style::{self, KeepColours, Start, Way};
use js_sys::{Float32Array, Uint8ClampedArray};
use serde::Serialize;
use std::collections::BTreeMap;
use wasm_bindgen::JsValue;

#[derive(Serialize)]
pub(super) struct Drawn {
    name: &'static str,
    title: &'static str,
    about: &'static str,
    kind: &'static str,
}

impl From<&Family> for Drawn {
    fn from(family: &Family) -> Self {
        let kind = if family.kind == Kind::Content { "content" } else { "style" };
        Self { name: family.name, title: family.title, about: family.about, kind }
    }
}

#[derive(Serialize)]
struct ColourPicture {
    width: usize,
    height: usize,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    data: Uint8ClampedArray,
}

pub(super) fn picture(picture: &Rgb) -> Outcome<JsValue> {
    give::plain(&ColourPicture { width: picture.w, height: picture.h, data: picture.rgba().as_slice().into() })
}

#[derive(Serialize)]
pub(super) struct LayerRow<'a> {
    name: &'a str,
    channels: usize,
    stride: usize,
    content: f32,
    style: f32,
}

impl<'a> From<&'a style::Layer> for LayerRow<'a> {
    fn from(layer: &'a style::Layer) -> Self {
        let style::Layer { name, channels, stride, content, style, .. } = layer;
        Self { name, channels: *channels, stride: *stride, content: *content, style: *style }
    }
}

#[derive(Serialize)]
pub(super) struct GramPair {
    pub size: usize,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    pub now: Float32Array,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    pub target: Float32Array,
}

#[derive(Serialize)]
struct LayerLoss<'a> {
    name: &'a str,
    content: f64,
    style: f64,
}

#[derive(Serialize)]
struct Report<'a> {
    step: f64,
    loss: f64,
    content: f64,
    style: f64,
    variation: f64,
    layers: Vec<LayerLoss<'a>>,
    evaluations: usize,
    settled: bool,
}

pub(super) fn step(report: &style::Report) -> Outcome<JsValue> {
    let losses = &report.losses;
    let layer = |layer: &'_ style::LayerLoss| (layer.content, layer.style);
    let layers = losses.layers.iter().map(|row| {
        let (content, style) = layer(row);
        LayerLoss { name: &row.name, content, style }
    });
    give::plain(&Report {
        step: report.step as f64,
        loss: losses.sum(),
        content: losses.content,
        style: losses.style,
        variation: losses.variation,
        layers: layers.collect(),
        evaluations: report.evaluations,
        settled: report.settled,
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Options<'a> {
    width: usize,
    height: usize,
    content_layers: BTreeMap<&'a str, f32>,
    style_layers: BTreeMap<&'a str, f32>,
    content_weight: f32,
    style_weight: f32,
    variation: f32,
    optimiser: &'static str,
    rate: f32,
    start: &'static str,
    keep_colours: &'static str,
    style_scale: f32,
    seed: f64,
}

/// Adam's rate where L-BFGS is asked for.
const RATE: f32 = 0.02;

pub(super) fn options(options: &style::Options) -> Outcome<JsValue> {
    let layers =
        |list: &'_ [(String, f32)]| list.iter().map(|(name, weight)| (name.clone(), *weight)).collect::<Vec<_>>();
    let (content, style) = (layers(&options.content_layers), layers(&options.style_layers));
    let (optimiser, rate) = match options.way {
        Way::Lbfgs => ("lbfgs", RATE),
        Way::Adam { rate } => ("adam", rate),
    };
    let given = Options {
        width: options.size.1,
        height: options.size.0,
        content_layers: content.iter().map(|(name, weight)| (name.as_str(), *weight)).collect(),
        style_layers: style.iter().map(|(name, weight)| (name.as_str(), *weight)).collect(),
        content_weight: options.content_weight,
        style_weight: options.style_weight,
        variation: options.variation,
        optimiser,
        rate,
        start: match options.start {
            Start::Content => "content",
            Start::Noise => "noise",
            Start::Style => "style",
        },
        keep_colours: match options.keep_colours {
            KeepColours::No => "no",
            KeepColours::Luminance => "luminance",
            KeepColours::Histogram => "histogram",
        },
        style_scale: options.style_scale,
        seed: options.seed as f64,
    };
    // Weights by layer are plain objects, not maps.
    let serializer = serde_wasm_bindgen::Serializer::new().serialize_maps_as_objects(true);
    Ok(given.serialize(&serializer)?)
}
