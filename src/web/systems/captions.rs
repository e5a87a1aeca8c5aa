//! The handles of the Scenes lab, tab *Say*: a network that writes sentences, and scenes to write about.

use super::{Outcome, colour, give, take};
use crate::data::scenes::Part;
use crate::file::safetensors;
use crate::systems::caption::grammar::WORDS;
use crate::systems::caption::sample::{Kind, scene};
use crate::systems::caption::{Captioner, Language, Search, Sentence};
use crate::systems::recognise;
use js_sys::{Float32Array, Uint8ClampedArray};
use serde::Serialize;
use std::cell::RefCell;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("captions/types.d.ts");

#[derive(Serialize)]
struct Told {
    width: usize,
    height: usize,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    data: Uint8ClampedArray,
    en: String,
    ja: String,
}

/// A scene that no captioner has learnt from, and what is true of it in both languages; `held` is one with a digit at a place
/// where none was ever shown.
#[wasm_bindgen(js_name = toldScene, unchecked_return_type = "ToldScene")]
pub fn told_scene(
    #[wasm_bindgen(unchecked_param_type = "number")] number: &JsValue,
    #[wasm_bindgen(unchecked_param_type = "boolean")] held: &JsValue,
) -> Outcome<JsValue> {
    let kind = if held.is_truthy() { Kind::HeldOut } else { Kind::Known };
    let scene = scene(Part::Test, kind, take::count("scene", number)? as u64)?;
    let text = |language: Language| -> crate::Result<String> {
        let tokens: Vec<usize> = language.sentence(&scene)?.iter().map(|word| word.token).collect();
        Ok(language.text(&tokens))
    };
    let picture = &scene.picture;
    give::plain(&Told {
        width: picture.w,
        height: picture.h,
        data: picture.rgba().as_slice().into(),
        en: text(Language::English)?,
        ja: text(Language::Japanese)?,
    })
}

#[derive(Serialize)]
struct SaidWord {
    text: &'static str,
    probability: f64,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    looks: Float32Array,
}

#[derive(Serialize)]
struct Said {
    text: String,
    probability: f64,
    words: Vec<SaidWord>,
}

impl From<&Sentence> for Said {
    fn from(sentence: &Sentence) -> Self {
        let words = sentence.words.iter().map(|word| SaidWord {
            text: word.text,
            probability: word.probability,
            looks: word.looks.as_slice().into(),
        });
        Self { text: sentence.text.clone(), probability: sentence.probability, words: words.collect() }
    }
}

#[derive(Serialize)]
struct Branch {
    text: &'static str,
    before: Option<usize>,
    probability: f64,
    depth: usize,
}

#[derive(Serialize)]
struct Captioned {
    sentences: Vec<Said>,
    tree: Vec<Branch>,
    cells: usize,
}

/// A network that writes a sentence about a picture; lives until `free` is called.
#[wasm_bindgen]
pub struct SceneCaptioner(RefCell<Captioner>);

#[wasm_bindgen]
impl SceneCaptioner {
    /// Opens the network in a safetensors file. Throws with code `format`, `missing`, `value` or `shape` where it is none.
    #[wasm_bindgen(constructor)]
    pub fn new(#[wasm_bindgen(unchecked_param_type = "Uint8Array")] file: &JsValue) -> Outcome<Self> {
        Ok(Self(RefCell::new(Captioner::new(&safetensors::read(&take::weights(file)?)?)?)))
    }

    /// The layers of both networks, lean for inference: the one that sees, and the one that writes, which runs once for each word.
    #[wasm_bindgen(unchecked_return_type = "Layer[]")]
    pub fn layers(&self) -> Outcome<JsValue> {
        let captioner = self.0.borrow();
        let all: Vec<recognise::Layer> = captioner.networks().into_iter().flat_map(recognise::layers).collect();
        give::layers(&all)
    }

    /// Writes about a picture: the sentences found, the best first, and all beams as a tree. Throws with code `missing` for a
    /// language that it does not write, `value` for a search that cannot be, and `value` or `shape` for what is no picture.
    #[wasm_bindgen(unchecked_return_type = "Captioned")]
    pub fn caption(
        &self,
        #[wasm_bindgen(unchecked_param_type = "ScenePicture")] picture: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "'en' | 'ja'")] language: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] beams: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] length: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] temperature: &JsValue,
    ) -> Outcome<JsValue> {
        let picture = colour::sheet("picture", picture)?;
        let language = Language::named(&take::text("language", language)?)?;
        let search = Search {
            beams: take::count("beams", beams)?,
            length: take::number("length normalisation", length)?,
            temperature: take::number("temperature", temperature)?,
        };
        let mut captioner = self.0.borrow_mut();
        let caption = captioner.caption(&picture, language, &search)?;
        let branch = |node: &crate::systems::caption::beam::Node| Branch {
            text: WORDS[node.token],
            before: node.before,
            probability: node.probability,
            depth: node.words,
        };
        give::plain(&Captioned {
            sentences: caption.sentences.iter().map(Said::from).collect(),
            tree: caption.tree.nodes.iter().map(branch).collect(),
            cells: captioner.cells(),
        })
    }
}
