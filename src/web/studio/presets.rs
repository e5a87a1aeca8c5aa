//! The sources' experiments, for a page that offers them as trainings to begin with.

use super::{Outcome, give};
use crate::systems::reproduce::{Accuracy, BATCH, PRESETS, Start};
use crate::train::Options;
use serde::Serialize;
use wasm_bindgen::prelude::*;

/// Every experiment of `npm run reproduce`, in the order of the source.
#[wasm_bindgen(unchecked_return_type = "Preset[]")]
pub fn presets() -> Outcome<JsValue> {
    let all = PRESETS.iter().map(|preset| Preset {
        name: preset.name,
        about: preset.about,
        network: preset.network(),
        start: preset.start,
        options: preset.options,
        batch: BATCH,
        steps: preset.steps as f64,
        train_images: preset.train_images,
        theirs: preset.theirs,
    });
    give::plain(&all.collect::<Vec<_>>())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Preset {
    name: &'static str,
    about: &'static str,
    network: String,
    start: Start,
    options: Options,
    batch: usize,
    steps: f64,
    train_images: usize,
    theirs: Option<Accuracy>,
}
