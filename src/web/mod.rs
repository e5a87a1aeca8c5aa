//! Floor 5: the wasm door. Converts, calls, converts; never computes.
//!
//! Whatever JavaScript hands in is looked at before anything is copied, so that a bad argument is a thrown `Error` with a
//! `code` and never a trap, and a handle works on after it has thrown.
//!
//! The door makes seven modules. What a first visit needs is small: drawings and pictures are read by the catalogue's networks
//! for digits. The feature `studio` adds what comes when it is asked for: any network, training, the labs; the feature
//! `formats` models from elsewhere; the feature `convert`, alone, what translates those of other frameworks for it; the feature
//! `systems` those that play, find and say; the feature `bits` networks of few bits; the feature `gpu` trainings on a GPU.

#[cfg(feature = "bits")]
mod bits;
#[cfg(any(feature = "studio", feature = "systems"))]
mod colour;
// Alone: the module has nothing but this.
#[cfg(feature = "convert")]
mod convert;
#[cfg(feature = "formats")]
mod formats;
#[cfg(not(feature = "convert"))]
mod give;
#[cfg(feature = "gpu")]
mod gpu;
#[cfg(any(feature = "studio", feature = "systems", feature = "bits", feature = "gpu"))]
mod numbers;
#[cfg(not(feature = "convert"))]
mod reading;
#[cfg(any(feature = "studio", feature = "bits", feature = "gpu"))]
mod samples;
#[cfg(feature = "studio")]
mod studio;
#[cfg(feature = "systems")]
mod systems;
// The module that translates takes no drawings.
#[cfg_attr(feature = "convert", allow(dead_code))]
mod take;
mod throw;

#[cfg(feature = "bits")]
pub use bits::*;
#[cfg(feature = "convert")]
pub use convert::translate;
#[cfg(feature = "formats")]
pub use formats::{ModelFile, architectures};
#[cfg(feature = "gpu")]
pub use gpu::GpuTraining;
#[cfg(not(feature = "convert"))]
pub use reading::{Model, preprocess};
#[cfg(any(feature = "studio", feature = "bits", feature = "gpu"))]
pub use samples::Samples;
#[cfg(feature = "studio")]
pub use studio::*;
#[cfg(feature = "systems")]
pub use systems::*;

use wasm_bindgen::prelude::*;

/// What a call gives, or what it throws.
type Outcome<T> = Result<T, JsValue>;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.d.ts");

/// A panic is a defect of the engine; the console then says where.
#[wasm_bindgen(start, private)]
fn start() {
    console_error_panic_hook::set_once();
}

/// Which of the engine's two builds this is.
#[wasm_bindgen(unchecked_return_type = "'simd128' | 'relaxed-simd'")]
pub fn build() -> String {
    if cfg!(target_feature = "relaxed-simd") { "relaxed-simd" } else { "simd128" }.into()
}
