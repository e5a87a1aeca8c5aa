//! What JavaScript hands in, looked at before it is copied.
//!
//! Read by `Reflect` and not by `serde-wasm-bindgen`, which copies an array of any length first and lets an exception of
//! a getter or a proxy pass through the engine's own frames, leaving the handle borrowed for ever.

use super::Outcome;
use crate::data::ink::{self, MAX_BITMAP, MAX_POINTS, PEN, SIDE};
use crate::data::strokes::Stroke;
use crate::systems::recognise::Ink;
use crate::{Error, Result};
use js_sys::{Array, Float32Array, JsString, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::ImageData;

/// The most bytes a file of weights may have: a hundred times the largest this engine is made for, and little enough for
/// its copies to fit into the memory of a page.
const MAX_WEIGHTS: u32 = 64 << 20;

/// The longest name.
const MAX_TEXT: u32 = 1000;

/// A drawing, copied.
pub(super) enum Drawing {
    Strokes { strokes: Vec<Stroke>, pen: f32 },
    Bitmap { coverage: Vec<u8>, width: usize, height: usize },
}

impl Drawing {
    pub(super) fn ink(&self) -> Ink<'_> {
        match self {
            Self::Strokes { strokes, pen } => Ink::Strokes { strokes, pen: *pen },
            Self::Bitmap { coverage, width, height } => Ink::Bitmap { coverage, width: *width, height: *height },
        }
    }
}

pub(super) fn weights(value: &JsValue) -> Result<Vec<u8>> {
    file_within(MAX_WEIGHTS, "weights", value)
}

/// The bytes of a file.
pub(super) fn file_within(most: u32, what: &str, value: &JsValue) -> Result<Vec<u8>> {
    let array: &Uint8Array = typed(what, "a Uint8Array", value)?;
    if array.length() > most {
        return Err(Error::format(what, format!("at most {most} bytes"), array.length()));
    }
    Ok(array.to_vec())
}

pub(super) fn image(value: &JsValue) -> Result<Vec<f32>> {
    let array: &Float32Array = typed("image", "a Float32Array", value)?;
    if array.length() as usize != SIDE * SIDE {
        return Err(Error::shape("image", format!("{SIDE} × {SIDE} = {} pixels", SIDE * SIDE), array.length()));
    }
    Ok(array.to_vec())
}

pub(super) fn text(what: &str, value: &JsValue) -> Result<String> {
    text_within(MAX_TEXT, what, value)
}

pub(super) fn text_within(most: u32, what: &str, value: &JsValue) -> Result<String> {
    let short = value.dyn_ref::<JsString>().is_some_and(|text| text.length() <= most);
    let text = if short { value.as_string() } else { None };
    text.ok_or_else(|| unexpected(what, &format!("a string of at most {most} characters"), value))
}

pub(super) fn drawing(ink: &JsValue) -> Outcome<Drawing> {
    let expected = "an ImageData, or an object with strokes, or with width, height and pixels";
    if let Some(image) = ink.dyn_ref::<ImageData>() {
        return Ok(canvas(image)?);
    }
    if !ink.is_object() {
        return Err(unexpected("ink", expected, ink).into());
    }
    let (list, pixels) = (field(ink, "strokes")?, field(ink, "pixels")?);
    match (list.is_undefined(), pixels.is_undefined()) {
        (false, true) => Ok(Drawing::Strokes { strokes: strokes(&list)?, pen: pen(&field(ink, "penWidth")?)? }),
        (true, false) => Ok(bitmap(&pixels, &field(ink, "width")?, &field(ink, "height")?)?),
        (both, _) => Err(Error::value("ink", expected, if both { "neither" } else { "both" }).into()),
    }
}

fn canvas(image: &ImageData) -> Result<Drawing> {
    let (width, height) = (image.width() as usize, image.height() as usize);
    if width.max(height) > MAX_BITMAP {
        return Err(Error::shape("ImageData", format!("sides of at most {MAX_BITMAP}"), format!("{width} × {height}")));
    }
    Ok(Drawing::Bitmap { coverage: ink::coverage(&image.data()), width, height })
}

fn bitmap(pixels: &JsValue, width: &JsValue, height: &JsValue) -> Result<Drawing> {
    let array: &Uint8Array = typed("ink.pixels", "a Uint8Array", pixels)?;
    let (width, height) = (side("ink.width", width)?, side("ink.height", height)?);
    if array.length() as usize != width * height {
        let expected = format!("{width} × {height} = {} bytes", width * height);
        return Err(Error::shape("ink.pixels", expected, array.length()));
    }
    Ok(Drawing::Bitmap { coverage: array.to_vec(), width, height })
}

fn side(what: &str, value: &JsValue) -> Result<usize> {
    let side = value.as_f64().filter(|v| v.fract() == 0.0 && (1.0..=MAX_BITMAP as f64).contains(v));
    side.map(|v| v as usize).ok_or_else(|| unexpected(what, &format!("a whole number from 1 to {MAX_BITMAP}"), value))
}

fn pen(value: &JsValue) -> Result<f32> {
    if value.is_undefined() {
        return Ok(PEN);
    }
    value.as_f64().map(|v| v as f32).ok_or_else(|| unexpected("ink.penWidth", "a number", value))
}

pub(super) fn strokes(list: &JsValue) -> Outcome<Vec<Stroke>> {
    let mut points = 0;
    items("ink.strokes", list, MAX_POINTS, |s, stroke| {
        let name = format!("ink.strokes[{s}]");
        let stroke = items(&name, stroke, MAX_POINTS - points, |p, value| {
            point(value)?
                .ok_or_else(|| unexpected(&format!("{name}[{p}]"), "a point [x, y] of two numbers", value).into())
        })?;
        points += stroke.len();
        Ok(stroke)
    })
}

fn point(value: &JsValue) -> Outcome<Option<[f32; 2]>> {
    if !Array::is_array(value) || value.unchecked_ref::<Array>().length() != 2 {
        return Ok(None);
    }
    let [x, y] = [Reflect::get_u32(value, 0)?.as_f64(), Reflect::get_u32(value, 1)?.as_f64()];
    Ok(x.zip(y).map(|(x, y)| [x as f32, y as f32]))
}

/// The items of an array, of which there are at most `most`.
pub(super) fn items<T>(
    what: &str,
    list: &JsValue,
    most: usize,
    mut each: impl FnMut(u32, &JsValue) -> Outcome<T>,
) -> Outcome<Vec<T>> {
    if !Array::is_array(list) {
        return Err(unexpected(what, "an array", list).into());
    }
    let length = list.unchecked_ref::<Array>().length();
    if length as usize > most {
        return Err(Error::value(what, format!("at most {most} items"), length).into());
    }
    (0..length).map(|i| each(i, &Reflect::get_u32(list, i)?)).collect()
}

pub(super) fn field(object: &JsValue, name: &str) -> Outcome<JsValue> {
    Reflect::get(object, &name.into())
}

pub(super) fn typed<'a, T: JsCast>(what: &str, expected: &str, value: &'a JsValue) -> Result<&'a T> {
    value.dyn_ref().ok_or_else(|| unexpected(what, expected, value))
}

pub(super) fn unexpected(what: &str, expected: &str, value: &JsValue) -> Error {
    let got = match (value.as_f64(), value.js_typeof().as_string()) {
        (Some(number), _) => number.to_string(),
        _ if value.is_null() => "null".into(),
        _ if Array::is_array(value) => format!("an array of {}", value.unchecked_ref::<Array>().length()),
        (_, kind) => kind.unwrap_or_default(),
    };
    Error::value(what, expected, got)
}
