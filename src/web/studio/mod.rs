//! The module beyond reading: any network of the engine, trainings, and what the labs look into.

mod explain;
mod give;
mod model;
mod network;
mod outline;
mod personalise;
mod presets;
mod style;
mod training;

use super::{Outcome, colour, numbers as take};
use wasm_bindgen::prelude::wasm_bindgen;

pub use explain::Explainer;
pub use model::OwnModel;
pub use network::Network;
pub use outline::{layer_kinds, outline};
pub use personalise::Teacher;
pub use presets::{claims, presets};
pub use style::{FeatureNetwork, Painting, Stylizer, painting_defaults, picture, pictures, sizes};
pub use training::{Coach, Learner};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.d.ts");
