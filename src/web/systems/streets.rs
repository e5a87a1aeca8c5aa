//! The handles of the Scenes lab, tabs *Colour* and *Drive*: networks that read the class of every pixel, and drives through
//! towns to read.

use super::{Outcome, colour, give, take};
use crate::Error;
use crate::data::streets::{CLASSES, Drive, Weather};
use crate::systems::recognise;
use crate::systems::saved::{self, Saved};
use crate::systems::segment::Segmenter;
use js_sys::{Uint8Array, Uint8ClampedArray};
use serde::Serialize;
use std::cell::RefCell;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("streets/types.d.ts");

#[derive(Serialize)]
struct Class {
    name: &'static str,
    colour: [u8; 3],
}

/// The classes of a street's pixels, in their order; the first is the background.
#[wasm_bindgen(js_name = streetClasses, unchecked_return_type = "PixelClass[]")]
pub fn street_classes() -> Outcome<JsValue> {
    give::plain(&CLASSES.map(|class| Class { name: class.name, colour: class.colour }))
}

/// The weathers that a drive can have.
#[wasm_bindgen(unchecked_return_type = "Weather[]")]
pub fn weathers() -> Outcome<JsValue> {
    give::plain(&Weather::ALL.map(Weather::name))
}

#[derive(Serialize)]
struct View {
    width: usize,
    height: usize,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    data: Uint8ClampedArray,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    truth: Uint8Array,
}

/// A drive along one street; lives until `free` is called.
#[wasm_bindgen]
pub struct StreetDrive {
    seed: u64,
    drive: RefCell<Drive>,
}

#[wasm_bindgen]
impl StreetDrive {
    /// The drive of a seed. Throws with code `missing` for a weather that there is not.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(unchecked_param_type = "number")] seed: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "Weather")] weather: &JsValue,
    ) -> Outcome<Self> {
        let (seed, weather) = (take::count("seed", seed)? as u64, Weather::named(&take::text("weather", weather)?)?);
        Ok(Self { seed, drive: RefCell::new(Drive::new(seed, weather)) })
    }

    /// The same street in another weather. Throws with code `missing` for one that there is not.
    pub fn under(&self, #[wasm_bindgen(unchecked_param_type = "Weather")] weather: &JsValue) -> Outcome<()> {
        let weather = Weather::named(&take::text("weather", weather)?)?;
        self.drive.replace(Drive::new(self.seed, weather));
        Ok(())
    }

    /// A frame and the truth about it. Throws with code `value` behind the last one.
    #[wasm_bindgen(unchecked_return_type = "StreetView")]
    pub fn frame(&self, #[wasm_bindgen(unchecked_param_type = "number")] number: &JsValue) -> Outcome<JsValue> {
        let number = take::count("frame", number)?;
        if number >= Drive::MOST {
            return Err(Error::value("frame", format!("below {}", Drive::MOST), number).into());
        }
        let view = self.drive.borrow().frame(number);
        let (data, truth) = (view.picture.rgba().as_slice().into(), view.truth.as_slice().into());
        give::plain(&View { width: view.picture.w, height: view.picture.h, data, truth })
    }
}

#[derive(Serialize)]
struct Mask {
    name: String,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    classes: Uint8Array,
}

/// A network that reads the class of every pixel; lives until `free` is called.
#[wasm_bindgen]
pub struct PixelReader(RefCell<Segmenter>);

#[wasm_bindgen]
impl PixelReader {
    /// Opens the network in a safetensors file. Throws with code `format`, `missing` or `value` where it is none, and with code
    /// `shape` where it answers something else.
    #[wasm_bindgen(constructor)]
    pub fn new(#[wasm_bindgen(unchecked_param_type = "Uint8Array")] file: &JsValue) -> Outcome<Self> {
        let Saved { net, params, metadata } = saved::read(&take::weights(file)?)?;
        Ok(Self(RefCell::new(Segmenter::new(&net, &params, &metadata)?)))
    }

    /// The names of its classes; the first is the background.
    #[wasm_bindgen(unchecked_return_type = "string[]")]
    pub fn classes(&self) -> Outcome<JsValue> {
        give::plain(&self.0.borrow().classes())
    }

    /// The layers of the network, lean for inference.
    #[wasm_bindgen(unchecked_return_type = "Layer[]")]
    pub fn layers(&self) -> Outcome<JsValue> {
        give::layers(&recognise::layers(self.0.borrow().network()))
    }

    /// Multiply-adds for one picture.
    #[wasm_bindgen(js_name = multiplyAdds)]
    pub fn multiply_adds(&self) -> f64 {
        self.0.borrow().multiply_adds() as f64
    }

    /// The masks of a picture by each of its answers, the best one last. Throws with code `value` or `shape` for what is no
    /// picture.
    #[wasm_bindgen(unchecked_return_type = "PixelMask[]")]
    pub fn segment(
        &self,
        #[wasm_bindgen(unchecked_param_type = "ScenePicture")] picture: &JsValue,
    ) -> Outcome<JsValue> {
        let picture = colour::sheet("picture", picture)?;
        let mut segmenter = self.0.borrow_mut();
        let masks = segmenter.segment_all(&picture)?;
        let names = segmenter.answers();
        let all = names
            .iter()
            .zip(&masks)
            .map(|(name, mask)| Mask { name: (*name).to_string(), classes: mask.classes.as_slice().into() });
        give::plain(&all.collect::<Vec<_>>())
    }
}
