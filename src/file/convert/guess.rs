//! Which format a file is of, by its bytes: names lie.

use super::Given;
use crate::error::{Error, Result};
use crate::file::zip;

/// A format that is translated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A layers model of TensorFlow.js: `model.json`, with files of weights beside it or in one zip.
    TensorflowJs,
    /// A `.keras` file.
    Keras,
    /// HDF5, in which Keras kept its models before.
    Hdf5,
    /// Weights that `torch.save` has written since version 1.6.
    Torch,
    /// TensorFlow Lite, LiteRT by now.
    Tflite,
}

/// How a model of TensorFlow.js is known: its description has one of these near its beginning or its end.
const TFJS: [&[u8]; 2] = [b"\"modelTopology\"", b"\"weightsManifest\""];

/// The format of a file, if it is one that is translated here.
pub fn kind(bytes: &[u8]) -> Option<Kind> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    if text.starts_with(b"{") && TFJS.iter().any(|mark| holds(text, mark)) {
        return Some(Kind::TensorflowJs);
    }
    if bytes.starts_with(b"\x89HDF\r\n\x1a\n") {
        return Some(Kind::Hdf5);
    }
    if bytes.get(4..8) == Some(b"TFL3") {
        return Some(Kind::Tflite);
    }
    if bytes.starts_with(b"PK") {
        let names: Vec<String> = zip::entries(bytes).ok()?.into_iter().map(|entry| entry.name).collect();
        let has = |name: &str| names.iter().any(|own| own.rsplit('/').next() == Some(name));
        return match () {
            () if has("model.weights.h5") && has("config.json") => Some(Kind::Keras),
            () if has("data.pkl") && !has("constants.pkl") && !has("archive_format") => Some(Kind::Torch),
            () if has("model.json") && !has("archive_format") => Some(Kind::TensorflowJs),
            () => None,
        };
    }
    None
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Why a file is none that this crate opens, where that is known of it, with the sentence how to write one that it does.
pub fn refusal(bytes: &[u8]) -> Option<Error> {
    let got = known(bytes)?;
    Some(Error::format(
        "file",
        "ONNX, safetensors, or a model of TensorFlow.js, Keras, PyTorch or TensorFlow Lite",
        got,
    ))
}

fn known(bytes: &[u8]) -> Option<&'static str> {
    let begins = |at: usize, with: &[u8]| bytes.get(at..).is_some_and(|rest| rest.starts_with(with));
    if begins(0, b"PK") {
        let names: Vec<String> = zip::entries(bytes).ok()?.into_iter().map(|entry| entry.name).collect();
        let has = |name: &str| names.iter().any(|own| own.rsplit('/').next() == Some(name));
        return match () {
            () if has("archive_format") => Some("a program of torch.export: write it with torch.onnx.export"),
            () if has("constants.pkl") => {
                Some("TorchScript: write it with torch.onnx.export, or save model.state_dict() with torch.save")
            }
            () => None,
        };
    }
    // The number that torch.save began with before its files were zips.
    if begins(0, b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19") {
        return Some("torch.save of before 1.6: load it there and save its state_dict() again");
    }
    if begins(4, b"ORTM") {
        return Some("onnxruntime's own format (.ort): use the .onnx file that it was made from");
    }
    // A version, and then a message where ONNX has the name of its writer.
    let rest = bytes.strip_prefix(b"\x08")?.get(1..)?.strip_prefix(b"\x12")?;
    let length = rest.iter().position(|byte| byte & 0x80 == 0)?;
    match (rest.get(length + 1), bytes.get(1)) {
        (Some(0x0a), Some(1)) if holds(bytes, b"\x22\x05serve") => Some(
            "a SavedModel of TensorFlow: save the Keras model with model.save(\"model.keras\"), or convert it with tf2onnx",
        ),
        (Some(0x0a), Some(1..=20)) => {
            Some("a model of Core ML: export it to ONNX from the framework that it came from")
        }
        _ => None,
    }
}

/// The file that says what the others are, and its format.
pub(super) fn main<'a>(files: &[Given<'a>]) -> Result<(Kind, Given<'a>)> {
    let found = files.iter().find_map(|file| Some((kind(file.bytes)?, *file)));
    let why = || files.iter().find_map(|file| refusal(file.bytes));
    let expected = "a model of TensorFlow.js, Keras, PyTorch or TensorFlow Lite";
    found.ok_or_else(|| why().unwrap_or_else(|| Error::format("file", expected, "another")))
}
