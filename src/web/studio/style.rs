//! The handles of the Style lab: a network that sees, a painting that descends, a stylizer that paints at once.

mod read;
mod report;

use super::{Outcome, colour, give, take};
use crate::data::pictures::{FAMILIES, Kind, family};
use crate::systems::style::{self, pyramid};
use report::{Drawn, GramPair, LayerRow};
use std::cell::RefCell;
use std::sync::Arc;
use wasm_bindgen::prelude::*;

/// The pictures that the project draws itself: scenes, then patterns.
#[wasm_bindgen(unchecked_return_type = "Drawn[]")]
pub fn pictures() -> Outcome<JsValue> {
    let shown = FAMILIES.iter().filter(|family| family.kind != Kind::Plain);
    give::plain(&shown.map(Drawn::from).collect::<Vec<_>>())
}

/// Draws one of them. Seed 1 is the picture that the stylizers know; another gives another of its family. Throws with code
/// `missing` for a name that there is not, `value` for sides below 1 or above 1024.
#[wasm_bindgen(unchecked_return_type = "ColourPicture")]
pub fn picture(
    #[wasm_bindgen(unchecked_param_type = "string")] name: &JsValue,
    #[wasm_bindgen(unchecked_param_type = "number")] width: &JsValue,
    #[wasm_bindgen(unchecked_param_type = "number")] height: &JsValue,
    #[wasm_bindgen(unchecked_param_type = "number")] seed: &JsValue,
) -> Outcome<JsValue> {
    let (name, seed) = (take::text("picture", name)?, take::count("seed", seed)?);
    let (w, h) = (take::count("width", width)?, take::count("height", height)?);
    report::picture(&family(&name)?.draw(seed as u64, h, w)?)
}

/// What a painting begins with; width and height are the caller's to choose.
#[wasm_bindgen(js_name = paintingDefaults, unchecked_return_type = "PaintingOptions")]
pub fn painting_defaults() -> Outcome<JsValue> {
    report::options(&style::Options::default())
}

/// Sizes from coarse to fine, width and height; the last is the one given.
#[wasm_bindgen(js_name = pyramid, unchecked_return_type = "[number, number][]")]
pub fn sizes(
    #[wasm_bindgen(unchecked_param_type = "number")] width: &JsValue,
    #[wasm_bindgen(unchecked_param_type = "number")] height: &JsValue,
) -> Outcome<JsValue> {
    give::plain(&pyramid(take::count("width", width)?, take::count("height", height)?))
}

/// A network that sees features, living in the engine's memory until it and all paintings made with it are freed.
#[wasm_bindgen]
pub struct FeatureNetwork(Arc<style::Features>);

#[wasm_bindgen]
impl FeatureNetwork {
    /// Opens a network: `'random'` for filters that need no file, or the bytes of a safetensors file that says what it holds
    /// or has a VGG's parameters under torchvision's names. Throws with code `format`, `missing`, `shape` or `value`.
    #[wasm_bindgen(constructor)]
    pub fn new(#[wasm_bindgen(unchecked_param_type = "'random' | Uint8Array")] source: &JsValue) -> Outcome<Self> {
        let features = match source.as_string() {
            Some(name) if name == "random" => style::Features::random(1)?,
            _ => style::Features::read(&take::file("feature network", source)?)?,
        };
        Ok(Self(Arc::new(features)))
    }

    /// What it is called.
    #[wasm_bindgen(getter)]
    pub fn name(&self) -> String {
        self.0.name().into()
    }

    /// Weights and biases.
    #[wasm_bindgen(getter)]
    pub fn parameters(&self) -> usize {
        self.0.parameters()
    }

    /// The layers that can be looked at, in order.
    #[wasm_bindgen(unchecked_return_type = "FeatureLayer[]")]
    pub fn layers(&self) -> Outcome<JsValue> {
        give::plain(&self.0.layers().iter().map(LayerRow::from).collect::<Vec<_>>())
    }

    /// Bytes that a painting with these options comes to take, with a style picture of that size. Throws as the painting
    /// itself would.
    pub fn need(
        &self,
        #[wasm_bindgen(unchecked_param_type = "PaintingOptions")] options: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "{ width: number; height: number }")] style: &JsValue,
    ) -> Outcome<f64> {
        let size = |name: &str| take::field(style, name).and_then(|v| Ok(take::count(name, &v)?.clamp(1, 1 << 16)));
        let size = (size("height")?, size("width")?);
        Ok(style::need(&self.0, size, &read::options(options, &style::Options::default())?)? as f64)
    }
}

/// A picture on its way to what another shows, in the hand of a third; lives until `free` is called.
#[wasm_bindgen]
pub struct Painting(RefCell<style::Painting>);

#[wasm_bindgen]
impl Painting {
    /// Begins. Throws with code `missing` for a layer that there is not, `value` for options out of range and where memory
    /// would not do, `shape` for pictures whose bytes do not fit their size or that are too small for the network.
    #[wasm_bindgen(constructor)]
    pub fn new(
        features: &FeatureNetwork,
        #[wasm_bindgen(unchecked_param_type = "ColourPicture")] content: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "ColourPicture")] style: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "PaintingOptions")] options: &JsValue,
    ) -> Outcome<Self> {
        let (content, style) = (colour::taken("content", content)?, colour::taken("style", style)?);
        let options = read::options(options, &style::Options::default())?;
        let painting = style::Painting::new(features.0.clone(), content, style, options)?;
        Ok(Self(RefCell::new(painting)))
    }

    /// One step.
    #[wasm_bindgen(unchecked_return_type = "PaintingReport")]
    pub fn step(&self) -> Outcome<JsValue> {
        let report = self.0.borrow_mut().step()?;
        report::step(&report)
    }

    /// The picture at its present size, in the colours that were asked for.
    #[wasm_bindgen(unchecked_return_type = "ColourPicture")]
    pub fn picture(&self) -> Outcome<JsValue> {
        report::picture(&self.0.borrow().picture())
    }

    /// Goes on at another size: the picture is carried over. Throws as the constructor does, and it is then as it was.
    pub fn resize(
        &self,
        #[wasm_bindgen(unchecked_param_type = "number")] width: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] height: &JsValue,
    ) -> Outcome<()> {
        let (w, h) = (take::count("width", width)?, take::count("height", height)?);
        Ok(self.0.borrow_mut().resize(h, w)?)
    }

    /// Goes on from a picture that was painted before, scaled to the present size. Throws with code `shape` or `value` for what
    /// is no picture.
    pub fn resume(&self, #[wasm_bindgen(unchecked_param_type = "ColourPicture")] picture: &JsValue) -> Outcome<()> {
        self.0.borrow_mut().resume(&colour::taken("picture", picture)?);
        Ok(())
    }

    /// Goes on with other weights, colours or rate; what is left out stays, and so do size, start, optimiser and seed. Throws
    /// as the constructor does, and it is then as it was.
    pub fn change(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Partial<PaintingOptions>")] options: &JsValue,
    ) -> Outcome<()> {
        let own = self.0.borrow().options().clone();
        let options = read::options(options, &own)?;
        Ok(self.0.borrow_mut().change(options)?)
    }

    /// The Gram matrix of a style layer in use, at the last look, and the style picture's.
    #[wasm_bindgen(unchecked_return_type = "{ size: number; now: Float32Array; target: Float32Array }")]
    pub fn gram(&self, #[wasm_bindgen(unchecked_param_type = "string")] layer: &JsValue) -> Outcome<JsValue> {
        let layer = take::text("layer", layer)?;
        let painting = self.0.borrow();
        let (size, now, target) = painting.gram(&layer)?;
        give::plain(&GramPair { size, now: now.into(), target: target.into() })
    }

    /// 16 hexadecimal digits that belong to the picture's numbers.
    pub fn hash(&self) -> String {
        format!("{:016x}", self.0.borrow().hash())
    }

    /// Columns.
    #[wasm_bindgen(getter)]
    pub fn width(&self) -> usize {
        self.0.borrow().options().size.1
    }

    /// Rows.
    #[wasm_bindgen(getter)]
    pub fn height(&self) -> usize {
        self.0.borrow().options().size.0
    }

    /// Bytes that it takes.
    #[wasm_bindgen(getter)]
    pub fn bytes(&self) -> f64 {
        self.0.borrow().bytes() as f64
    }
}

/// A network that paints in one hand at once; lives until `free` is called.
#[wasm_bindgen]
pub struct Stylizer(RefCell<style::Stylizer>);

#[wasm_bindgen]
impl Stylizer {
    /// Opens a file of weights. Throws with code `format`, `missing`, `shape` or `value` where it is none.
    #[wasm_bindgen(constructor)]
    pub fn new(#[wasm_bindgen(unchecked_param_type = "Uint8Array")] weights: &JsValue) -> Outcome<Self> {
        Ok(Self(RefCell::new(style::Stylizer::read(&take::weights(weights)?)?)))
    }

    /// Whose hand it is: the name of a picture.
    #[wasm_bindgen(getter)]
    pub fn name(&self) -> String {
        self.0.borrow().name().into()
    }

    /// The picture in that hand, as large as it came. Throws with code `shape` for bytes that do not fit the size, `value` for
    /// sides below 16 or above 512.
    #[wasm_bindgen(unchecked_return_type = "ColourPicture")]
    pub fn paint(&self, #[wasm_bindgen(unchecked_param_type = "ColourPicture")] picture: &JsValue) -> Outcome<JsValue> {
        let picture = colour::taken("picture", picture)?;
        let painted = self.0.borrow_mut().paint(&picture)?;
        report::picture(&painted)
    }
}
