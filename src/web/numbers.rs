//! What the handles of the modules that train take besides; see the door's own [`take`](super::take).
#![cfg_attr(
    not(feature = "studio"),
    allow(dead_code, unused_imports, reason = "the studio takes more than the systems")
)]

use super::Outcome;
pub(super) use super::take::{field, items, strokes, text, weights};
use super::take::{file_within, text_within, typed, unexpected};
use crate::{Error, Result};
use js_sys::{Float32Array, Uint32Array};
use wasm_bindgen::JsValue;

/// The most numbers in one argument: a quarter of a gigabyte.
const MAX_NUMBERS: u32 = 1 << 26;

/// The most bytes of a file of pictures: MNIST's plain one has 47 million.
const MAX_FILE: u32 = 512 << 20;

/// The most places in one argument.
const MAX_PLACES: u32 = 1 << 16;

/// The most names in a list.
const MAX_NAMES: usize = 10_000;

/// The longest description of a network.
const MAX_LONG_TEXT: u32 = 1 << 20;

/// Numbers of a batch, a parameter or a gradient.
pub(super) fn floats(what: &str, value: &JsValue) -> Result<Vec<f32>> {
    let array: &Float32Array = typed(what, "a Float32Array", value)?;
    if array.length() > MAX_NUMBERS {
        return Err(Error::shape(what, format!("at most {MAX_NUMBERS} numbers"), array.length()));
    }
    Ok(array.to_vec())
}

pub(super) fn number(what: &str, value: &JsValue) -> Result<f64> {
    value.as_f64().filter(|v| v.is_finite()).ok_or_else(|| unexpected(what, "a finite number", value))
}

/// A number of things, or a seed.
pub(super) fn count(what: &str, value: &JsValue) -> Result<usize> {
    let count = value.as_f64().filter(|v| v.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(v));
    count.map(|v| v as usize).ok_or_else(|| unexpected(what, "a whole number from 0 to 2³² − 1", value))
}

/// A whole description, in JSON, of a network or a training.
pub(super) fn long_text(what: &str, value: &JsValue) -> Result<String> {
    text_within(MAX_LONG_TEXT, what, value)
}

/// The bytes of a file.
pub(super) fn file(what: &str, value: &JsValue) -> Result<Vec<u8>> {
    file_within(MAX_FILE, what, value)
}

/// As many numbers as that.
pub(super) fn numbers(what: &str, value: &JsValue, len: usize) -> Result<Vec<f32>> {
    let array: &Float32Array = typed(what, "a Float32Array", value)?;
    if array.length() as usize != len {
        return Err(Error::shape(what, format!("{len} numbers"), array.length()));
    }
    Ok(array.to_vec())
}

/// A whole number up to `most`, which a float must hold.
pub(super) fn whole(what: &str, value: &JsValue, most: u64) -> Result<u64> {
    let number = value.as_f64().filter(|v| v.fract() == 0.0 && (0.0..=most as f64).contains(v));
    number.map(|v| v as u64).ok_or_else(|| unexpected(what, &format!("a whole number up to {most}"), value))
}

/// A few places of things.
pub(super) fn places(what: &str, value: &JsValue) -> Result<Vec<usize>> {
    let array: &Uint32Array = typed(what, "a Uint32Array", value)?;
    if array.length() > MAX_PLACES {
        return Err(Error::shape(what, format!("at most {MAX_PLACES}"), array.length()));
    }
    Ok(array.to_vec().into_iter().map(|place| place as usize).collect())
}

/// The classes of pictures.
pub(super) fn labels(what: &str, value: &JsValue) -> Result<Vec<u32>> {
    let array: &Uint32Array = typed(what, "a Uint32Array", value)?;
    if array.length() > MAX_NUMBERS {
        return Err(Error::shape(what, format!("at most {MAX_NUMBERS} numbers"), array.length()));
    }
    Ok(array.to_vec())
}

/// A list of names.
pub(super) fn texts(what: &str, value: &JsValue) -> Outcome<Vec<String>> {
    items(what, value, MAX_NAMES, |i, name| Ok(text(&format!("{what}[{i}]"), name)?))
}
