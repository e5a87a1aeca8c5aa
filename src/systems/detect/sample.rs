//! Scenes to learn from, as detectors know them, and what two trainings have in common.

use super::targets::Thing;
use crate::data::scenes::{Digits, Part, Scene, Setup};
use crate::error::{Error, Result};
use crate::nn::{Network, Params};
use std::collections::BTreeMap;

/// A network as it ships: its structure, its parameters, and what its file says of it.
pub type Trained = (Network, Params, BTreeMap<String, String>);

/// What of a training is the caller's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// Steps in all.
    pub steps: u64,
    /// Scenes in a step.
    pub batch: usize,
    /// The highest rate.
    pub rate: f32,
    /// Everything random follows from it.
    pub seed: u64,
}

impl Plan {
    /// As the weights that ship were trained.
    pub const fn new(steps: u64, seed: u64) -> Self {
        Self { steps, batch: 8, rate: 3e-3, seed }
    }

    /// Errors: [`Error::Value`] for no steps, and for no scenes or more than 64 in a step.
    pub fn check(&self) -> Result<()> {
        if self.steps == 0 || !(1..=64).contains(&self.batch) {
            let got = format!("{} steps of {}", self.steps, self.batch);
            return Err(Error::value("training", "at least 1 step of 1 to 64 scenes", got));
        }
        Ok(())
    }
}

/// The digits of a scene.
pub fn things(scene: &Scene) -> Vec<Thing> {
    scene.objects.iter().map(|o| Thing { region: o.bbox, class: 1 + usize::from(o.digit) }).collect()
}

/// Scene `i` of a training. Trainings of other seeds see other scenes. Errors: those of [`Setup::check`].
pub fn scene((setup, digits): (&Setup, &Digits), seed: u64, i: u64) -> Result<Scene> {
    Scene::draw(setup, digits, Part::Train.seed((seed % 100) * 10_000_000 + i))
}

/// A colour as files and cameras have it.
pub fn quantised(v: f32) -> f32 {
    (v.clamp(0.0, 1.0) * 255.0 + 0.5).floor() / 255.0
}

/// What the file of a detector says of it.
pub fn metadata(name: &str, scale: [f32; 2]) -> BTreeMap<String, String> {
    let [mean, std] = scale.map(|v| format!("[{v},{v},{v}]"));
    let all = [("name", name.to_string()), ("mean", mean), ("std", std)];
    all.into_iter().map(|(key, value)| (key.to_string(), value)).collect()
}
