//! One option of a layer: its type, its JSON, and what is said of one that does not fit.

use super::kinds::Opt;
use crate::error::{Error, Result};
use crate::shape::Window;
use serde_json::Value;
use std::fmt;

/// The value of an option.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Setting {
    /// A whole number.
    Size(usize),
    /// Rows and columns; written as one number where both are alike.
    Axes((usize, usize)),
    /// A number.
    Number(f32),
    /// Yes or no.
    Flag(bool),
}

use Setting::{Axes, Flag, Number, Size};

/// Largest whole number of an option: past it nothing could be held in memory.
const MOST: u64 = 1 << 16;

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Size(n) => n.fmt(f),
            Axes((h, w)) if h == w => h.fmt(f),
            Axes((h, w)) => write!(f, "[{h},{w}]"),
            Number(x) => x.fmt(f),
            Flag(yes) => yes.fmt(f),
        }
    }
}

/// The settings of a window that slides.
pub fn window_options(window: &Window) -> [(&'static str, Setting); 4] {
    let Window { kernel, stride, pad, dilation } = *window;
    [("kernel", Axes(kernel)), ("stride", Axes(stride)), ("pad", Axes(pad)), ("dilation", Axes(dilation))]
}

impl Opt {
    /// The option's value in a description, or its default.
    pub(super) fn read(&self, layer: &str, value: Option<&Value>) -> Result<Setting> {
        if value.is_none() && !self.required {
            return Ok(self.default);
        }
        let (found, expected) = match self.default {
            Size(_) => (value.and_then(whole).map(Size), "a whole number"),
            Axes(_) => (value.and_then(axes).map(Axes), "a whole number or [rows, columns]"),
            Number(_) => (value.and_then(number).map(Number), "a number"),
            Flag(_) => (value.and_then(Value::as_bool).map(Flag), "true or false"),
        };
        found.ok_or_else(|| Error::value(format!("{layer}: {}", self.name), expected, shown(value)))
    }
}

pub(super) fn whole(value: &Value) -> Option<usize> {
    value.as_u64().filter(|&n| n <= MOST).map(|n| n as usize)
}

fn axes(value: &Value) -> Option<(usize, usize)> {
    match value.as_array().map(Vec::as_slice) {
        Some([h, w]) => whole(h).zip(whole(w)),
        Some(_) => None,
        None => whole(value).map(|n| (n, n)),
    }
}

fn number(value: &Value) -> Option<f32> {
    value.as_f64().map(|x| x as f32).filter(|x| x.is_finite())
}

/// A name.
pub(super) fn text<'a>(what: &str, value: &'a Value) -> Result<&'a str> {
    let fits = |text: &&str| (1..=80).contains(&text.len()) && !text.chars().any(char::is_control);
    let found = value.as_str().filter(fits);
    found.ok_or_else(|| Error::format(what, "names of 1 to 80 bytes", shown(Some(value))))
}

/// The beginning of a value from outside.
pub(super) fn shown(value: Option<&Value>) -> String {
    // Not `Value::to_string`, which brings 10 kB of tables for numbers into the wasm.
    let text = match value {
        None => "nothing".into(),
        Some(Value::String(text)) => format!("{text:?}"),
        Some(Value::Number(number)) => number.as_f64().unwrap_or(f64::NAN).to_string(),
        Some(Value::Null) => "null".into(),
        Some(Value::Bool(yes)) => yes.to_string(),
        Some(Value::Array(items)) => format!("an array of {}", items.len()),
        Some(Value::Object(_)) => "an object".into(),
    };
    text.chars().take(60).collect()
}
