//! What the Style lab hands in.

use super::{Outcome, report, take};
use crate::Error;
use crate::systems::style::{KeepColours, Options, Start, Way};
use crate::web::take::unexpected;
use js_sys::{Array, Object};
use wasm_bindgen::{JsCast, JsValue};

/// The most layers that weights are given for.
const MAX_LAYERS: u32 = 1000;
/// The largest seed: what a float holds exactly.
const SEEDS: u64 = 1 << 53;

/// Weights by layer.
fn layers(what: &str, value: &JsValue) -> Outcome<Vec<(String, f32)>> {
    if !value.is_object() || Array::is_array(value) {
        return Err(unexpected(what, "an object of weights by layer", value).into());
    }
    let names = Object::keys(value.unchecked_ref::<Object>());
    if names.length() > MAX_LAYERS {
        return Err(Error::value(what, format!("at most {MAX_LAYERS} layers"), names.length()).into());
    }
    let weight = |name: JsValue| {
        let name = take::text(what, &name)?;
        let weight = take::number(&format!("{what}.{name}"), &take::field(value, &name)?)?;
        Ok((name, weight as f32))
    };
    names.iter().map(weight).collect()
}

/// A painting's options; what is left out is as in `others`.
pub(super) fn options(value: &JsValue, others: &Options) -> Outcome<Options> {
    if !value.is_object() {
        return Err(unexpected("options", "an object", value).into());
    }
    let others = report::options(others)?;
    let field = |name: &str| {
        let given = take::field(value, name)?;
        if given.is_undefined() { take::field(&others, name) } else { Ok(given) }
    };
    let number = |name: &str| -> Outcome<f32> { Ok(take::number(name, &field(name)?)? as f32) };
    let word = |name: &str| -> Outcome<String> { Ok(take::text(name, &field(name)?)?) };
    let unknown = |what: &str, expected: &str, got: String| JsValue::from(Error::missing(what, expected, got));
    Ok(Options {
        size: (take::count("height", &field("height")?)?, take::count("width", &field("width")?)?),
        content_layers: layers("contentLayers", &field("contentLayers")?)?,
        style_layers: layers("styleLayers", &field("styleLayers")?)?,
        content_weight: number("contentWeight")?,
        style_weight: number("styleWeight")?,
        variation: number("variation")?,
        way: match &*word("optimiser")? {
            "lbfgs" => Way::Lbfgs,
            "adam" => Way::Adam { rate: number("rate")? },
            other => return Err(unknown("optimiser", "lbfgs or adam", other.into())),
        },
        start: match &*word("start")? {
            "content" => Start::Content,
            "noise" => Start::Noise,
            "style" => Start::Style,
            other => return Err(unknown("start", "content, noise or style", other.into())),
        },
        keep_colours: match &*word("keepColours")? {
            "no" => KeepColours::No,
            "luminance" => KeepColours::Luminance,
            "histogram" => KeepColours::Histogram,
            other => return Err(unknown("keepColours", "no, luminance or histogram", other.into())),
        },
        style_scale: number("styleScale")?,
        seed: take::whole("seed", &field("seed")?, SEEDS)?,
    })
}
