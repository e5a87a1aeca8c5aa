//! Errors as JavaScript knows them.

use crate::Error;
use js_sys::Reflect;
use wasm_bindgen::JsValue;

impl From<Error> for JsValue {
    /// An `Error` with the message, and the stable word in `code`.
    fn from(error: Error) -> Self {
        let thrown = js_sys::Error::new(&error.to_string());
        // A fresh object takes any property.
        let _ = Reflect::set(&thrown, &"code".into(), &error.code().into());
        thrown.into()
    }
}
