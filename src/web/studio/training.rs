//! Handles for training: one [`Coach`] decides, a [`Learner`] in each worker computes, [`Samples`] is what they look at.

use super::{Outcome, give, take};
use crate::systems::experiment::{self, Histogram, Inspected, Part, Setup};
use crate::systems::saved;
use crate::train::optimiser::Memory;
use crate::train::{Progress, State};
use crate::web::samples::Samples;
use js_sys::{Float32Array, Uint8Array, Uint32Array};
use serde::Serialize;
use std::cell::RefCell;
use wasm_bindgen::prelude::*;

/// Steps, and places among pictures: what a float holds exactly.
const MOST: u64 = 1 << 53;

/// The half of a training that has the pictures: it computes gradients of shards, for a [`Coach`] here or elsewhere.
#[wasm_bindgen]
pub struct Learner(RefCell<experiment::Learner>);

#[wasm_bindgen]
impl Learner {
    /// A learner of a setup (JSON). Throws with code `format`, `missing`, `shape` or `value` where it cannot work.
    #[wasm_bindgen(constructor)]
    pub fn new(#[wasm_bindgen(unchecked_param_type = "string")] setup: &JsValue, samples: &Samples) -> Outcome<Self> {
        let setup = Setup::from_json(&take::long_text("setup", setup)?)?;
        Ok(Self(RefCell::new(experiment::Learner::new(setup, samples.0.clone())?)))
    }

    /// Takes over parameters.
    pub fn receive(&self, #[wasm_bindgen(unchecked_param_type = "Float32Array")] params: &JsValue) -> Outcome<()> {
        let mut own = self.0.borrow_mut();
        let params = take::numbers("parameters", params, own.gradient().len())?;
        Ok(own.receive(&params)?)
    }

    /// Computes the gradient of a shard of step `step`, counted from 0; `gradient` then gives it.
    #[wasm_bindgen(unchecked_return_type = "Sums")]
    pub fn learn(
        &self,
        #[wasm_bindgen(unchecked_param_type = "number")] step: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] shard: &JsValue,
    ) -> Outcome<JsValue> {
        let (step, shard) = (take::whole("step", step, MOST)?, take::whole("shard", shard, MOST)?);
        let progress = self.0.borrow_mut().learn(step, shard as usize)?;
        give::plain(&Sums::from(progress))
    }

    /// The gradient that the last `learn` computed.
    pub fn gradient(&self) -> Float32Array {
        self.0.borrow().gradient().into()
    }

    /// Classifies pictures `from` to before `to` of those to choose by.
    #[wasm_bindgen(unchecked_return_type = "Classified")]
    pub fn classify(
        &self,
        #[wasm_bindgen(unchecked_param_type = "number")] from: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] to: &JsValue,
    ) -> Outcome<JsValue> {
        let (from, to) = (take::whole("from", from, MOST)?, take::whole("to", to, MOST)?);
        let found = self.0.borrow_mut().classify(Part::Validation, from as usize, to as usize)?;
        give::plain(&Classified {
            classes: found.classes.as_slice().into(),
            confidences: found.confidences.as_slice().into(),
            loss: found.loss,
        })
    }

    /// Picture `i` to learn from as it is, and behind it `variants` of it as the setup's augmentation bends it.
    pub fn preview(
        &self,
        #[wasm_bindgen(unchecked_param_type = "number")] i: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] variants: &JsValue,
    ) -> Outcome<Float32Array> {
        let (i, variants) = (take::whole("picture", i, MOST)?, take::whole("variants", variants, 100)?);
        let pictures = self.0.borrow().preview(i as usize, variants as usize)?;
        Ok(pictures.concat().as_slice().into())
    }

    /// How the numbers of every layer were spread in the last shard.
    #[wasm_bindgen(unchecked_return_type = "Spread[]")]
    pub fn activations(&self) -> Outcome<JsValue> {
        let all: Vec<Spread> = self.0.borrow().activations().iter().map(Spread::from).collect();
        give::plain(&all)
    }
}

/// The half of a training that decides: it sums the learners' gradients and takes the steps.
#[wasm_bindgen]
pub struct Coach(RefCell<experiment::Coach>);

#[wasm_bindgen]
impl Coach {
    /// A coach of a setup (JSON), for pictures like those. Throws as [`Learner::new`].
    #[wasm_bindgen(constructor)]
    pub fn new(#[wasm_bindgen(unchecked_param_type = "string")] setup: &JsValue, samples: &Samples) -> Outcome<Self> {
        let setup = Setup::from_json(&take::long_text("setup", setup)?)?;
        let (shape, classes) = (samples.0.shape(), samples.0.classes());
        Ok(Self(RefCell::new(experiment::Coach::new(setup, shape, classes)?)))
    }

    /// Begins with the weights in a file. Throws with code `shape` where its network is another than the setup's.
    #[wasm_bindgen(js_name = beginWith)]
    pub fn begin_with(&self, #[wasm_bindgen(unchecked_param_type = "Uint8Array")] file: &JsValue) -> Outcome<()> {
        let saved = saved::read(&take::file("weights", file)?)?;
        Ok(self.0.borrow_mut().begin_with(&saved.params)?)
    }

    /// Steps taken.
    #[wasm_bindgen(getter)]
    pub fn steps(&self) -> f64 {
        self.0.borrow().steps() as f64
    }

    /// Steps between validations.
    #[wasm_bindgen(getter)]
    pub fn every(&self) -> f64 {
        self.0.borrow().every() as f64
    }

    /// Pictures that a validation on the way looks at, if there are as many.
    #[wasm_bindgen(getter)]
    pub fn glance(&self) -> f64 {
        self.0.borrow().glance() as f64
    }

    /// The parameters that the next step's gradients are asked for.
    pub fn params(&self) -> Float32Array {
        self.0.borrow().params().values().into()
    }

    /// The parameters that the last step left, to validate: the moving average if one is kept.
    pub fn latest(&self) -> Float32Array {
        self.0.borrow().latest().values().into()
    }

    /// Judges a validation of the latest parameters by its loss; with patience in the setup they are kept if they are the
    /// best.
    pub fn see(&self, #[wasm_bindgen(unchecked_param_type = "number")] loss: &JsValue) -> Outcome<()> {
        self.0.borrow_mut().see(loss.as_f64().unwrap_or(f64::NAN));
        Ok(())
    }

    /// Whether all steps are taken, or validations have got no better for too long.
    #[wasm_bindgen(getter)]
    pub fn finished(&self) -> bool {
        self.0.borrow().finished()
    }

    /// The parameters to judge by: the latest; of a finished training with patience those of its best validation.
    pub fn result(&self) -> Float32Array {
        self.0.borrow().result().values().into()
    }

    /// Takes the gradient of the step's next shard and what it came to.
    pub fn add(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Float32Array")] gradient: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "Sums")] sums: &JsValue,
    ) -> Outcome<()> {
        let number = |name| -> Outcome<f64> { Ok(take::field(sums, name)?.as_f64().unwrap_or(f64::NAN)) };
        let (images, loss, correct) = (number("images")?, number("loss")?, number("correct")?);
        let progress = Progress { images: images as usize, loss, correct: correct as usize, gradient_norm: 0.0 };
        let mut own = self.0.borrow_mut();
        let gradient = take::numbers("gradient", gradient, own.params().values().len())?;
        Ok(own.add(&gradient, progress)?)
    }

    /// Takes the step. Throws, with the step and the layer, where a number is none or the loss has left all bounds; no
    /// weight has then changed.
    #[wasm_bindgen(unchecked_return_type = "Sums & { gradientNorm: number; rate: number }")]
    pub fn step(&self) -> Outcome<JsValue> {
        let (Progress { images, loss, correct, gradient_norm }, rate) = self.0.borrow_mut().step()?;
        give::plain(&Step { images, loss, correct, gradient_norm, rate })
    }

    /// Everything to go on from here with the same bits.
    #[wasm_bindgen(unchecked_return_type = "Checkpoint")]
    pub fn state(&self) -> Outcome<JsValue> {
        let own = self.0.borrow();
        let (State { params, memory, average }, (early, best)) = (own.state(), own.stopping());
        give::plain(&Checkpoint {
            steps: memory.steps as f64,
            params: params.as_slice().into(),
            first: memory.first.as_slice().into(),
            second: memory.second.as_slice().into(),
            average: average.unwrap_or_default().as_slice().into(),
            best: best.into(),
            best_loss: early.best,
            waited: early.waited,
        })
    }

    /// Goes on from a state. Refuses one of another setup and is then as it was.
    pub fn restore(&self, #[wasm_bindgen(unchecked_param_type = "Checkpoint")] state: &JsValue) -> Outcome<()> {
        let own = self.0.borrow().state();
        let row = |name: &str, own: &[f32]| -> Outcome<Vec<f32>> {
            Ok(take::numbers(&format!("checkpoint's {name}"), &take::field(state, name)?, own.len())?)
        };
        let average = own.average.as_ref().map(|own| row("average", own)).transpose()?;
        let memory = Memory {
            first: row("first", &own.memory.first)?,
            second: row("second", &own.memory.second)?,
            steps: take::whole("checkpoint's steps", &take::field(state, "steps")?, MOST)?,
        };
        let params = row("params", &own.params)?;
        // A checkpoint of an earlier version of the page has none of these.
        let best = take::field(state, "best")?;
        let best = if best.is_undefined() { Vec::new() } else { take::floats("checkpoint's best", &best)? };
        let loss = take::field(state, "bestLoss")?.as_f64().unwrap_or(f64::INFINITY);
        let waited = take::field(state, "waited")?.as_f64().unwrap_or(0.0) as u32;
        let coach = &mut *self.0.borrow_mut();
        coach.restore(State { params, memory, average })?;
        Ok(coach.restore_stopping(loss, waited, &best)?)
    }

    /// The trained weights by name, in their public order (OIHW; out × in). The same setup on the same pictures gives the
    /// same bits.
    #[wasm_bindgen(unchecked_return_type = "Tensor[]")]
    pub fn weights(&self) -> Outcome<JsValue> {
        let all: Vec<give::Tensor> =
            self.0.borrow().weights().iter().map(|(name, values)| give::tensor(name, values)).collect();
        give::plain(&all)
    }

    /// How the weights of every layer are spread, and their gradients in the last step.
    #[wasm_bindgen(unchecked_return_type = "{ weight: Spread; gradient: Spread }[]")]
    pub fn inspect(&self) -> Outcome<JsValue> {
        let all = self.0.borrow().inspect();
        let all: Vec<Pair> = all.iter().map(|[w, g]| Pair { weight: w.into(), gradient: g.into() }).collect();
        give::plain(&all)
    }

    /// The filters of the first layer that has a window; null if none has.
    #[wasm_bindgen(unchecked_return_type = "Tensor | null")]
    pub fn filters(&self) -> Outcome<JsValue> {
        match self.0.borrow().filters() {
            Some((name, filters)) => give::plain(&give::tensor(&name, &filters)),
            None => Ok(JsValue::NULL),
        }
    }
}

#[derive(Serialize)]
pub(super) struct Sums {
    images: usize,
    loss: f64,
    correct: usize,
}

impl From<Progress> for Sums {
    fn from(p: Progress) -> Self {
        Self { images: p.images, loss: p.loss, correct: p.correct }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Step {
    images: usize,
    loss: f64,
    correct: usize,
    gradient_norm: f64,
    rate: f32,
}

#[derive(Serialize)]
struct Classified {
    #[serde(with = "serde_wasm_bindgen::preserve")]
    classes: Uint8Array,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    confidences: Float32Array,
    loss: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Checkpoint {
    steps: f64,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    params: Float32Array,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    first: Float32Array,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    second: Float32Array,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    average: Float32Array,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    best: Float32Array,
    best_loss: f64,
    waited: u32,
}

#[derive(Serialize)]
struct Pair {
    weight: Spread,
    gradient: Spread,
}

#[derive(Serialize)]
struct Spread {
    name: String,
    range: [f32; 2],
    mean: f32,
    deviation: f32,
    zeros: f32,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    bars: Uint32Array,
}

impl From<&Inspected> for Spread {
    fn from(inspected: &Inspected) -> Self {
        let Histogram { range, ref bars, mean, deviation, zeros } = inspected.spread;
        Self { name: inspected.name.clone(), range, mean, deviation, zeros, bars: bars.as_slice().into() }
    }
}
