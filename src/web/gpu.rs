//! The handle for trainings on a GPU. What a browser does there is done later: every call that waits is a promise, and while
//! one is open the handle refuses others by name.

use super::samples::Samples;
use super::{Outcome, give, numbers as take};
use crate::Error;
use crate::gpu::Device;
use crate::systems::experiment::{self, GpuCoach, Setup};
use crate::train::State;
use crate::train::on_gpu::Arrived;
use crate::train::optimiser::Memory;
use js_sys::Float32Array;
use serde::Serialize;
use std::cell::RefCell;
use std::sync::Arc;
use wasm_bindgen::prelude::*;

/// Steps: what a float holds exactly.
const MOST: u64 = 1 << 53;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** Plain IDX files; without those to choose by, some of the others are kept for that. */
export type IdxFiles = { images: Uint8Array; labels: Uint8Array; validationImages?: Uint8Array; validationLabels?: Uint8Array };
/** The pictures to learn from, or those to choose by. */
export type Part = 'train' | 'validation';
/** A training's numbers between two steps. */
export type GpuState = { steps: number; params: Float32Array; first: Float32Array; second: Float32Array; average: Float32Array };
/** What steps on a GPU came to, and the numbers behind them. */
export type GpuBurst = { loss: number[]; accuracy: number[]; norm: number[]; rate: number; state: GpuState };
"#;

/// A training that takes its steps on this browser's GPU.
#[wasm_bindgen]
pub struct GpuTraining {
    setup: Setup,
    samples: Arc<experiment::Samples>,
    /// Away while a promise is open.
    coach: RefCell<Option<GpuCoach>>,
    device: RefCell<Option<Device>>,
}

#[wasm_bindgen]
impl GpuTraining {
    /// A training of a setup (JSON) on these pictures; `open` comes next. Throws with code `format`, `missing`, `shape` or `value`.
    #[wasm_bindgen(constructor)]
    pub fn new(#[wasm_bindgen(unchecked_param_type = "string")] setup: &JsValue, samples: &Samples) -> Outcome<Self> {
        let setup = Setup::from_json(&take::long_text("setup", setup)?)?;
        let (coach, device) = Default::default();
        Ok(Self { setup, samples: samples.0.clone(), coach, device })
    }

    /// Opens the GPU and lays the training there, from this state or from the beginning; gives the adapter's name.
    ///
    /// Rejects with code `missing` where the browser has no WebGPU or no adapter, `value` for a layer without kernels, `io` where the
    /// device refuses.
    #[wasm_bindgen(unchecked_return_type = "Promise<string>")]
    pub async fn open(
        &self,
        #[wasm_bindgen(unchecked_param_type = "GpuState | undefined")] state: JsValue,
    ) -> Outcome<JsValue> {
        let state = if state.is_undefined() { None } else { Some(self.taken(&state)?) };
        let device = Device::open(None).await?;
        let coach = GpuCoach::new(&device, self.setup.clone(), self.samples.clone(), state).await?;
        let name = device.name().into();
        *self.device.borrow_mut() = Some(device);
        *self.coach.borrow_mut() = Some(coach);
        Ok(name)
    }

    /// Takes up to so many steps and reads back once. Rejects with code `io` where the device is lost, `value` where a step's loss was no
    /// number: the last state is then still the one to go on from.
    #[wasm_bindgen(unchecked_return_type = "Promise<GpuBurst>")]
    pub async fn burst(&self, #[wasm_bindgen(unchecked_param_type = "number")] most: JsValue) -> Outcome<JsValue> {
        let most = take::whole("steps", &most, MOST)?;
        let mut coach = self.coach.borrow_mut().take().ok_or_else(away)?;
        let came = come(&mut coach, most).await;
        let rate = coach.rate();
        *self.coach.borrow_mut() = Some(coach);
        let Arrived { progress, state, .. } = came?;
        let each = |f: fn(&crate::train::Progress) -> f64| progress.iter().map(f).collect();
        give::plain(&Burst {
            loss: each(|p| p.loss / p.images.max(1) as f64),
            accuracy: each(|p| p.correct as f64 / p.images.max(1) as f64),
            norm: each(|p| p.gradient_norm),
            rate,
            state: Given::from(&state),
        })
    }

    /// Goes on from another state.
    pub fn restore(&self, #[wasm_bindgen(unchecked_param_type = "GpuState")] state: &JsValue) -> Outcome<()> {
        let state = self.taken(state)?;
        let mut coach = self.coach.borrow_mut();
        Ok(coach.as_mut().ok_or_else(away)?.restore(&state)?)
    }

    /// Gives the device up: whatever runs on it is over, and further calls reject.
    pub fn close(&self) {
        if let Some(device) = self.device.borrow_mut().take() {
            device.destroy();
        }
    }
}

impl GpuTraining {
    /// A state that JavaScript hands in.
    fn taken(&self, state: &JsValue) -> Outcome<State> {
        let row = |name: &str| -> Outcome<Vec<f32>> {
            Ok(take::floats(&format!("state's {name}"), &take::field(state, name)?)?)
        };
        let steps = take::whole("state's steps", &take::field(state, "steps")?, MOST)?;
        let average = row("average")?;
        Ok(State {
            params: row("params")?,
            memory: Memory { first: row("first")?, second: row("second")?, steps },
            average: (!average.is_empty()).then_some(average),
        })
    }
}

async fn come(coach: &mut GpuCoach, most: u64) -> crate::Result<Arrived> {
    for _ in 0..most {
        if coach.is_full() {
            break;
        }
        coach.step()?;
    }
    coach.come().await
}

fn away() -> Error {
    Error::missing("training on a GPU", "one that is open and not at work", "none")
}

#[derive(Serialize)]
struct Burst {
    loss: Vec<f64>,
    accuracy: Vec<f64>,
    norm: Vec<f64>,
    rate: f32,
    state: Given,
}

#[derive(Serialize)]
struct Given {
    steps: f64,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    params: Float32Array,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    first: Float32Array,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    second: Float32Array,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    average: Float32Array,
}

impl From<&State> for Given {
    fn from(state: &State) -> Self {
        Self {
            steps: state.memory.steps as f64,
            params: state.params.as_slice().into(),
            first: state.memory.first.as_slice().into(),
            second: state.memory.second.as_slice().into(),
            average: state.average.as_deref().unwrap_or_default().into(),
        }
    }
}
