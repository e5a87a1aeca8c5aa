//! The sources' experiments, for a page that offers them as trainings to begin with, and their claims, as races to watch.

use super::{Outcome, give};
use crate::error::{Error, Result};
use crate::nn::{Init, description};
use crate::systems::experiment::Setup;
use crate::systems::reproduce::{Accuracy, Arm, BATCH, CLAIMS, Claim, PRESETS, Start};
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

/// Every claim of `npm run reproduce` that compares networks, each network with the setup that trains it.
#[wasm_bindgen(unchecked_return_type = "Claim[]")]
pub fn claims() -> Outcome<JsValue> {
    let compared = CLAIMS.iter().filter(|claim| claim.arms.len() > 1);
    give::plain(&compared.map(claimed).collect::<Result<Vec<_>>>()?)
}

fn claimed(claim: &'static Claim) -> Result<Claimed> {
    let arms = claim.arms.iter().map(|arm| Ok(Side { name: arm.name, setup: setup(claim, arm)? }));
    Ok(Claimed { name: claim.name, says: claim.says, arms: arms.collect::<Result<_>>()? })
}

/// An arm of a claim as a training's setup, in JSON.
fn setup(claim: &Claim, arm: &Arm) -> Result<String> {
    let (init, sigma) = match arm.init {
        Init::Gaussian(sigma) => ("gaussian", sigma),
        Init::He => ("he", 0.0),
        other => return Err(Error::value("initialisation", "He's or a Gaussian", format!("{other:?}"))),
    };
    let setup = Setup {
        network: description::write(&arm.build()?),
        init: init.into(),
        sigma,
        options: arm.options,
        augment: arm.images,
        batch: BATCH,
        shard: BATCH / 4,
        steps: claim.steps,
        // All of MNIST is no limit, so that other pictures are used whole, too.
        limit: if claim.train_images < 60_000 { claim.train_images } else { 0 },
        ..Setup::default()
    };
    setup.to_json()
}

#[derive(Serialize)]
struct Claimed {
    name: &'static str,
    says: &'static str,
    arms: Vec<Side>,
}

#[derive(Serialize)]
struct Side {
    name: &'static str,
    setup: String,
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
