//! Colour pictures that JavaScript hands in.

use super::{Outcome, numbers as take};
use crate::data::pictures::Rgb;
use crate::web::take::{typed, unexpected};
use crate::{Error, Result};
use js_sys::{Uint8Array, Uint8ClampedArray};
use wasm_bindgen::{JsCast, JsValue};

/// The largest side of a picture that is taken in: it is scaled down at once.
const MOST: usize = 4096;

/// A colour picture: an `ImageData`, or an object with width, height and data.
#[cfg(feature = "studio")]
pub(super) fn taken(what: &str, value: &JsValue) -> Outcome<Rgb> {
    let (h, w, bytes) = read(what, value)?;
    Ok(Rgb::from_rgba(h, w, &bytes)?)
}

/// As [`taken`], of ink on paper; what is transparent is the paper that the ink is seen on.
#[cfg(feature = "systems")]
pub(super) fn sheet(what: &str, value: &JsValue) -> Outcome<Rgb> {
    let (h, w, bytes) = read(what, value)?;
    Ok(Rgb::on_paper(h, w, &bytes)?)
}

/// Rows, columns, and four bytes for each pixel.
fn read(what: &str, value: &JsValue) -> Outcome<(usize, usize, Vec<u8>)> {
    if !value.is_object() {
        return Err(unexpected(what, "a picture with width, height and data", value).into());
    }
    let side = |name: &str| -> Outcome<usize> {
        let side = take::count(&format!("{what}.{name}"), &take::field(value, name)?)?;
        if !(1..=MOST).contains(&side) {
            return Err(Error::value(format!("{what}.{name}"), format!("1 to {MOST}"), side).into());
        }
        Ok(side)
    };
    let (w, h) = (side("width")?, side("height")?);
    let data = take::field(value, "data")?;
    Ok((h, w, bytes(&format!("{what}.data"), &data, 4 * w * h)?))
}

fn bytes(what: &str, data: &JsValue, len: usize) -> Result<Vec<u8>> {
    let check = |got: u32| match got as usize == len {
        true => Ok(()),
        false => Err(Error::shape(what, format!("{len} bytes"), got)),
    };
    if let Some(array) = data.dyn_ref::<Uint8ClampedArray>() {
        return check(array.length()).map(|()| array.to_vec());
    }
    let array: &Uint8Array = typed(what, "a Uint8ClampedArray", data)?;
    check(array.length()).map(|()| array.to_vec())
}
