//! The handle for labelled pictures.

use super::{Outcome, numbers as take};
use crate::data::idx::{self, Labelled};
use crate::shape::Shape;
use crate::systems::experiment::{self, Part};
use crate::{Error, Result};
use js_sys::{Float32Array, Uint8Array};
use std::sync::Arc;
use wasm_bindgen::prelude::*;

/// Seeds, and places among pictures: what a float holds exactly.
const MOST: u64 = 1 << 53;
const CLASSES: u64 = 256;
/// The most digits to make up.
const MADE_UP: u64 = 100_000;

/// Labelled pictures, living in the engine's memory until `free` is called and no learner uses them any more.
#[wasm_bindgen]
pub struct Samples(pub(super) Arc<experiment::Samples>);

#[wasm_bindgen]
impl Samples {
    /// Opens plain IDX files; without files to choose by (`undefined`), some of the others are kept for that.
    /// Throws with code `format`, `shape` or `value`.
    #[wasm_bindgen(js_name = fromIdx)]
    pub fn from_idx(
        #[wasm_bindgen(unchecked_param_type = "IdxFiles")] files: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] classes: &JsValue,
    ) -> Outcome<Self> {
        let classes = take::whole("classes", classes, CLASSES - 1)? as u8;
        let file = |name: &str| -> Outcome<Option<Vec<u8>>> {
            let value = take::field(files, name)?;
            if value.is_undefined() { Ok(None) } else { Ok(Some(take::file(name, &value)?)) }
        };
        let pair = |images: &str, labels: &str| -> Outcome<Option<Labelled>> {
            let (Some(i), Some(l)) = (file(images)?, file(labels)?) else { return Ok(None) };
            Ok(Some(Labelled::new(idx::read_plain_images(&i)?, idx::read_plain_labels(&l)?, classes)?))
        };
        let validation = pair("validationImages", "validationLabels")?;
        let train = pair("images", "labels")?;
        let train = train.ok_or_else(|| Error::missing("files", "images and labels", "none"))?;
        Ok(Self(Arc::new(experiment::Samples::new(train, validation, classes.into())?)))
    }

    /// Makes up digits as a hand would write them: so many to learn from and others to choose by.
    #[wasm_bindgen(js_name = fromGenerator)]
    pub fn from_generator(
        #[wasm_bindgen(unchecked_param_type = "number")] seed: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] train: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] validation: &JsValue,
    ) -> Outcome<Self> {
        let count = |name, value| take::whole(name, value, MADE_UP);
        let (train, validation) = (count("pictures", train)?, count("pictures to choose by", validation)?);
        let seed = take::whole("seed", seed, MOST)?;
        Ok(Self(Arc::new(experiment::Samples::made_up(seed, train as usize, validation as usize)?)))
    }

    /// Channels, height and width of every picture.
    #[wasm_bindgen(getter, unchecked_return_type = "[number, number, number]")]
    pub fn shape(&self) -> Vec<u32> {
        let Shape { c, h, w } = self.0.shape();
        vec![c as u32, h as u32, w as u32]
    }

    /// How many classes there are.
    #[wasm_bindgen(getter)]
    pub fn classes(&self) -> usize {
        self.0.classes()
    }

    /// The class of every picture of a part, in its order.
    pub fn labels(&self, #[wasm_bindgen(unchecked_param_type = "Part")] part: &JsValue) -> Outcome<Uint8Array> {
        let part = part_of(part)?;
        let labels: Vec<u8> = (0..self.0.len(part)).map(|i| self.0.label(part, i)).collect();
        Ok(labels.as_slice().into())
    }

    /// Picture `i` of a part, row by row, 0 paper to 1 ink.
    pub fn picture(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Part")] part: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] i: &JsValue,
    ) -> Outcome<Float32Array> {
        let part = part_of(part)?;
        let i = take::whole("picture", i, self.0.len(part).saturating_sub(1) as u64)?;
        let mut picture = vec![0.0; self.0.shape().len()];
        self.0.picture(part, i as usize, &mut picture);
        Ok(picture.as_slice().into())
    }
}

fn part_of(value: &JsValue) -> Result<Part> {
    match &*take::text("part", value)? {
        "train" => Ok(Part::Train),
        "validation" => Ok(Part::Validation),
        other => Err(Error::value("part", "train or validation", other)),
    }
}
