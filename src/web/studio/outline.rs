//! Networks under construction: the types of layers there are, and how far a description's layers fit.

use super::{Outcome, give, take};
use crate::nn::description::{KINDS, Kind, Opt, Setting};
use crate::systems::experiment;
use serde::Serialize;
use wasm_bindgen::prelude::*;

/// Every type of layer that a network's description may name, with its options.
#[wasm_bindgen(js_name = layerKinds, unchecked_return_type = "LayerKind[]")]
pub fn layer_kinds() -> Outcome<JsValue> {
    let option = |o: &Opt| KindOption { name: o.name, default: value(o.default), required: o.required };
    let kind = |k: &Kind| LayerKind { name: k.name, options: k.options.iter().map(option).collect() };
    give::plain(&KINDS.iter().map(kind).collect::<Vec<_>>())
}

/// What each layer of a network's description (JSON) makes of the one before, and the first thing that does not fit.
#[wasm_bindgen(unchecked_return_type = "Outline")]
pub fn outline(#[wasm_bindgen(unchecked_param_type = "string")] network: &JsValue) -> Outcome<JsValue> {
    let experiment::Outline { rows, fault } = experiment::Outline::new(&take::long_text("network", network)?);
    let row = |row: &experiment::Row| Row {
        name: row.name.clone(),
        kind: row.kind,
        shape: [row.shape.c, row.shape.h, row.shape.w],
        formula: row.formula.clone(),
        parameters: row.parameters,
        multiply_adds: row.multiply_adds as f64,
    };
    let fault = fault.map(|fault| Fault { layer: fault.layer, message: fault.error.to_string() });
    give::plain(&Outline { layers: rows.iter().map(row).collect(), fault })
}

/// A setting as JavaScript has it: a window that is no square by its rows.
fn value(setting: Setting) -> JsValue {
    match setting {
        Setting::Size(n) | Setting::Axes((n, _)) => n.into(),
        Setting::Number(x) => f64::from(x).into(),
        Setting::Flag(yes) => yes.into(),
    }
}

#[derive(Serialize)]
struct LayerKind {
    name: &'static str,
    options: Vec<KindOption>,
}

#[derive(Serialize)]
struct KindOption {
    name: &'static str,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    default: JsValue,
    required: bool,
}

#[derive(Serialize)]
struct Outline {
    layers: Vec<Row>,
    fault: Option<Fault>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    name: String,
    kind: &'static str,
    shape: [usize; 3],
    formula: String,
    parameters: usize,
    multiply_adds: f64,
}

#[derive(Serialize)]
struct Fault {
    layer: Option<usize>,
    message: String,
}
