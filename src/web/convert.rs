//! The small module that translates: models of TensorFlow.js, Keras, PyTorch and TensorFlow Lite become files that the module for
//! models from elsewhere opens. It is fetched only when such a file is there.

use super::Outcome;
use super::take::{field, file_within, items, text};
use crate::Error;
use crate::file::convert::{self, Given};
use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str =
    "/** A file among those that belong together. */\nexport type Given = { name: string; bytes: Uint8Array };";

/// The most bytes of all files, and the most files.
const MAX_FILE: u32 = 512 << 20;
const MAX_FILES: usize = 1000;

/// The bytes of an ONNX model, or of weights as safetensors, for files that belong together; `undefined` where the first is
/// none that is translated, nor one of which is known why not. Throws with code `format` or `missing`, and says how to write one
/// that opens.
#[wasm_bindgen(unchecked_return_type = "Uint8Array<ArrayBuffer> | undefined")]
pub fn translate(#[wasm_bindgen(unchecked_param_type = "Given[]")] files: &JsValue) -> Outcome<Option<Uint8Array>> {
    let mut left = MAX_FILE;
    let files = items("files", files, MAX_FILES, |i, file| {
        if !file.is_object() {
            return Err(Error::value(format!("files[{i}]"), "an object with name and bytes", "another value").into());
        }
        let name = text(&format!("files[{i}].name"), &field(file, "name")?)?;
        let bytes = file_within(left, &format!("files[{i}].bytes"), &field(file, "bytes")?)?;
        left -= bytes.len() as u32;
        Ok((name, bytes))
    })?;
    let given: Vec<Given> = files.iter().map(|(name, bytes)| Given { name, bytes }).collect();
    if given.iter().all(|file| convert::kind(file.bytes).is_none() && convert::refusal(file.bytes).is_none()) {
        return Ok(None);
    }
    Ok(Some(convert::convert(&given)?.to_bytes()?.as_slice().into()))
}
