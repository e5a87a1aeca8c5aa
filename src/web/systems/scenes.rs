//! The handles of the Scenes lab, tab *Find*: scenes to draw, detectors, and one that learns.

use super::{Outcome, colour, give, take};
use crate::data::pictures::Rgb;
use crate::data::scenes::{Digits, Scene, Setup, Written};
use crate::file::safetensors::Precision;
use crate::kernel::roi::Region;
use crate::systems::detect::rcnn::Searched;
use crate::systems::detect::sample::Plan;
use crate::systems::detect::{Ask, Detection, FasterRcnn, Looked, Rcnn, Training, by_windows, window_of};
use crate::systems::recognise;
use crate::systems::saved::{self, Saved};
use crate::{Error, Result};
use js_sys::{Float32Array, Uint8Array, Uint8ClampedArray};
use serde::Serialize;
use std::cell::RefCell;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("scenes/types.d.ts");

#[derive(Serialize)]
struct Thing {
    digit: u8,
    #[serde(rename = "box")]
    region: Region,
}

#[derive(Serialize)]
struct Found {
    digit: u8,
    score: f32,
    #[serde(rename = "box")]
    region: Region,
}

impl From<&Detection> for Found {
    fn from(found: &Detection) -> Self {
        Self { digit: found.digit, score: found.score, region: found.region }
    }
}

#[derive(Serialize)]
struct Drawn {
    width: usize,
    height: usize,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    data: Uint8ClampedArray,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    labels: Uint8Array,
    things: Vec<Thing>,
}

/// Draws the scene of a seed; the setup is JSON, of which every part may be left out. Throws with code `format` or `value`
/// for settings that make no scene.
#[wasm_bindgen(js_name = drawScene, unchecked_return_type = "DrawnScene")]
pub fn draw_scene(
    #[wasm_bindgen(unchecked_param_type = "string")] setup: &JsValue,
    #[wasm_bindgen(unchecked_param_type = "number")] seed: &JsValue,
) -> Outcome<JsValue> {
    let setup = Setup::from_json(&take::long_text("setup", setup)?)?;
    let scene = Scene::draw(&setup, &Digits::made(), take::count("seed", seed)? as u64)?;
    let things = scene.objects.iter().map(|object| Thing { digit: object.digit, region: object.bbox }).collect();
    let Rgb { h, w, .. } = scene.picture;
    let (data, labels) = (scene.picture.rgba().as_slice().into(), scene.labels().as_slice().into());
    give::plain(&Drawn { width: w, height: h, data, labels, things })
}

#[derive(Serialize)]
struct Sheet {
    width: usize,
    height: usize,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    data: Uint8ClampedArray,
    scale: f32,
    origin: [f32; 2],
}

/// Dark pen strokes in the middle of a white sheet, their digits as large as networks for sheets know them. Throws with code
/// `value` for what are no strokes.
#[wasm_bindgen(js_name = writtenSheet, unchecked_return_type = "WrittenSheet")]
pub fn written_sheet(#[wasm_bindgen(unchecked_param_type = "Stroke[]")] strokes: &JsValue) -> Outcome<JsValue> {
    let Written { picture, scale, origin } = Written::new(&take::strokes(strokes)?)?;
    let data = picture.rgba().as_slice().into();
    give::plain(&Sheet { width: picture.w, height: picture.h, data, scale, origin })
}

enum Detector {
    Faster(FasterRcnn),
    Rcnn(Rcnn),
}

/// What was made of the picture that was looked at last.
enum Sight {
    Faster(Looked),
    Rcnn(Searched),
}

impl Sight {
    fn found(&self, ask: &Ask, picture: &Rgb) -> Vec<Detection> {
        match self {
            Self::Faster(looked) => looked.found(ask, picture),
            Self::Rcnn(searched) => searched.found(ask, picture),
        }
    }
}

#[derive(Serialize)]
struct Seen {
    #[serde(with = "serde_wasm_bindgen::preserve")]
    regions: Float32Array,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    scores: Float32Array,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    refined: Float32Array,
    digits: Vec<u8>,
}

impl Seen {
    /// Regions in the picture's pixels, how likely each holds a digit, its likeliest digit and where that lies.
    fn of<const N: usize>(
        scale: f32,
        regions: impl Iterator<Item = Region>,
        probabilities: &[[f32; N]],
        refined: impl Fn(usize, usize) -> Region,
    ) -> Self {
        let best: Vec<usize> = probabilities
            .iter()
            .map(|row| (1..N).reduce(|a, b| if row[b] > row[a] { b } else { a }).unwrap_or(1) - 1)
            .collect();
        let own = |region: Region| region.map(|v| v / scale);
        let flat = |all: Vec<Region>| Float32Array::from(all.as_flattened());
        Self {
            regions: flat(regions.map(own).collect()),
            scores: probabilities.iter().map(|row| 1.0 - row[0]).collect::<Vec<f32>>().as_slice().into(),
            refined: flat(best.iter().enumerate().map(|(i, digit)| own(refined(i, *digit))).collect()),
            digits: best.into_iter().map(|digit| digit as u8).collect(),
        }
    }
}

/// A network that finds digits in pictures: R-CNN or Faster R-CNN, as its file says. Lives until `free` is called.
#[wasm_bindgen]
pub struct DigitDetector(RefCell<(Detector, Option<(Sight, Rgb)>)>);

#[wasm_bindgen]
impl DigitDetector {
    /// Opens the network in a safetensors file. Throws with code `format`, `missing` or `value` where it is none, and with code
    /// `shape` where it is for other pictures or classes.
    #[wasm_bindgen(constructor)]
    pub fn new(#[wasm_bindgen(unchecked_param_type = "Uint8Array")] file: &JsValue) -> Outcome<Self> {
        let Saved { net, params, metadata } = saved::read(&take::weights(file)?)?;
        let detector = match metadata.get("name").map(String::as_str) {
            Some("rcnn") => Detector::Rcnn(Rcnn::new(&net, &params)?),
            _ => Detector::Faster(FasterRcnn::new(&net, &params)?),
        };
        Ok(Self(RefCell::new((detector, None))))
    }

    /// The layers of the network, lean for inference; R-CNN's runs once for each region.
    #[wasm_bindgen(unchecked_return_type = "Layer[]")]
    pub fn layers(&self) -> Outcome<JsValue> {
        let net = match &self.0.borrow().0 {
            Detector::Faster(detector) => recognise::layers(detector.network()),
            Detector::Rcnn(detector) => recognise::layers(detector.network()),
        };
        give::layers(&net)
    }

    /// Looks at a picture: the regions on the way to the answer. Throws with code `value` or `shape` for what is no picture.
    #[wasm_bindgen(unchecked_return_type = "SeenRegions")]
    pub fn look(&self, #[wasm_bindgen(unchecked_param_type = "ScenePicture")] picture: &JsValue) -> Outcome<JsValue> {
        let picture = colour::sheet("picture", picture)?;
        let (detector, last) = &mut *self.0.borrow_mut();
        let (sight, seen) = match detector {
            Detector::Faster(detector) => {
                let looked = detector.look(&picture)?;
                let regions = looked.proposals.iter().map(|p| p.region);
                let seen = Seen::of(looked.scale, regions, &looked.probabilities, |i, _| looked.refined[i]);
                (Sight::Faster(looked), seen)
            }
            Detector::Rcnn(detector) => {
                let looked = detector.look(&picture)?;
                let regions = looked.proposals.iter().copied();
                let refined = |i: usize, digit: usize| looked.refined[i][digit];
                let seen = Seen::of(looked.scale, regions, &looked.probabilities, refined);
                (Sight::Rcnn(looked), seen)
            }
        };
        *last = Some((sight, picture));
        give::plain(&seen)
    }

    /// The digits of a picture, the surest first: of score `threshold` and more, and at most so many. A picture is looked at in
    /// windows of `side` pixels; of 0, in what suits it. Throws with code `value` or `shape` for what is no picture, and `value`
    /// for other numbers than 0 to 1.
    #[wasm_bindgen(unchecked_return_type = "FoundDigit[]")]
    pub fn detect(
        &self,
        #[wasm_bindgen(unchecked_param_type = "ScenePicture")] picture: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] threshold: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] most: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] side: &JsValue,
    ) -> Outcome<JsValue> {
        let ask = Ask { threshold: part("threshold", threshold)?, most: take::count("most", most)?, ..Ask::SHOW };
        let side = take::count("window", side)?;
        let picture = colour::sheet("picture", picture)?;
        let side = if side == 0 { window_of(&picture) } else { side };
        let (detector, _) = &mut *self.0.borrow_mut();
        let found = by_windows(&picture, side, &ask, |part| match detector {
            Detector::Faster(detector) => detector.detect(part, &ask),
            Detector::Rcnn(detector) => detector.detect(part, &ask),
        })?;
        give::plain(&found.iter().map(Found::from).collect::<Vec<_>>())
    }

    /// The digits in the picture that was looked at last: of score `threshold` and more, of which two of a digit share at most
    /// `overlap` (intersection over union). None before the first look. Throws with code `value` outside 0 to 1.
    #[wasm_bindgen(unchecked_return_type = "FoundDigit[]")]
    pub fn found(
        &self,
        #[wasm_bindgen(unchecked_param_type = "number")] threshold: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] overlap: &JsValue,
    ) -> Outcome<JsValue> {
        let ask = Ask { threshold: part("threshold", threshold)?, overlap: part("overlap", overlap)?, ..Ask::SHOW };
        let own = self.0.borrow();
        let found = own.1.as_ref().map_or(vec![], |(sight, picture)| sight.found(&ask, picture));
        give::plain(&found.iter().map(Found::from).collect::<Vec<_>>())
    }
}

fn part(what: &str, value: &JsValue) -> Result<f32> {
    let part = take::number(what, value)?;
    if !(0.0..=1.0).contains(&part) {
        return Err(Error::value(what, "0 to 1", part));
    }
    Ok(part as f32)
}

#[derive(Serialize)]
struct Learnt {
    steps: f64,
    loss: f64,
}

/// A Faster R-CNN that learns from scenes it draws; lives until `free` is called.
#[wasm_bindgen]
pub struct DetectorLearner(RefCell<Training>);

#[wasm_bindgen]
impl DetectorLearner {
    /// Begins. The same steps, scenes in a step and seed give the same weights. Throws with code `value` where it cannot work.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(unchecked_param_type = "number")] steps: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] batch: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] seed: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "string")] setup: &JsValue,
    ) -> Outcome<Self> {
        let (steps, batch) = (take::count("steps", steps)? as u64, take::count("batch", batch)?);
        let plan = Plan { batch, ..Plan::new(steps, take::count("seed", seed)? as u64) };
        let setup = Setup::from_json(&take::long_text("setup", setup)?)?;
        Ok(Self(RefCell::new(Training::new(plan, setup, Digits::made())?)))
    }

    /// One step: its number, and the loss of a scene. Throws with code `value` where the loss is no number; the weights are then
    /// as they were.
    #[wasm_bindgen(unchecked_return_type = "DetectorStep")]
    pub fn step(&self) -> Outcome<JsValue> {
        let mut training = self.0.borrow_mut();
        let progress = training.step()?;
        give::plain(&Learnt { steps: training.steps() as f64, loss: progress.loss / progress.images.max(1) as f64 })
    }

    /// The network as a safetensors file that `DigitDetector` opens.
    pub fn save(&self) -> Outcome<Uint8Array> {
        let (net, params, metadata) = self.0.borrow().trained()?;
        Ok(saved::write(&Saved { net, params, metadata }, Precision::F16)?.as_slice().into())
    }
}
