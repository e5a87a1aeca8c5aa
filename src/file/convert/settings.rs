//! The settings of one layer as Keras writes them, each checked as it is read.

use super::config::Layer;
use crate::error::{Error, Result};
use crate::file::number::short;
use serde_json::Value;

/// The largest side, count or stride that a layer may ask for.
pub(super) const MOST: usize = 1 << 24;

impl Layer {
    /// The error of a setting.
    pub(super) fn refuse(&self, expected: impl std::fmt::Display, got: impl std::fmt::Display) -> Error {
        Error::format(short(&format!("{} {}", self.class, self.name)), expected, short(&got.to_string()))
    }

    /// A setting, unless it is absent or null.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.settings.get(key).filter(|value| !value.is_null())
    }

    pub(super) fn flag(&self, key: &str, missing: bool) -> bool {
        self.get(key).and_then(Value::as_bool).unwrap_or(missing)
    }

    pub(super) fn text(&self, key: &str, missing: &'static str) -> Result<&str> {
        match self.get(key) {
            None => Ok(missing),
            Some(value) => value.as_str().ok_or_else(|| self.refuse(format!("text as {key}"), value)),
        }
    }

    pub(super) fn float(&self, key: &str, missing: f32) -> Result<f32> {
        self.get(key).map_or(Ok(missing), |value| self.number(key, value))
    }

    /// A number, or what Keras 3 makes of an array: an object with its value.
    fn number(&self, key: &str, value: &Value) -> Result<f32> {
        let inner = value.get("config").and_then(|config| config.get("value")).unwrap_or(value);
        let number = inner.as_f64().map(|v| v as f32).filter(|v| v.is_finite());
        number.ok_or_else(|| self.refuse(format!("a finite number as {key}"), value))
    }

    /// A number or a list of them.
    pub(super) fn floats(&self, key: &str) -> Result<Option<Vec<f32>>> {
        let Some(mut value) = self.get(key) else { return Ok(None) };
        value = value.get("config").and_then(|config| config.get("value")).unwrap_or(value);
        let mut flat = Vec::new();
        let mut open = vec![value];
        while let Some(value) = open.pop() {
            match value {
                Value::Array(list) => open.extend(list.iter().rev()),
                other => flat.push(self.number(key, other)?),
            }
        }
        Ok(Some(flat))
    }

    fn whole(&self, key: &str, value: &Value) -> Result<usize> {
        let number = value.as_f64().filter(|v| v.fract() == 0.0 && (0.0..=MOST as f64).contains(v));
        number.map(|v| v as usize).ok_or_else(|| self.refuse(format!("a whole number as {key}, {MOST} at most"), value))
    }

    pub(super) fn int(&self, key: &str, missing: usize) -> Result<usize> {
        self.get(key).map_or(Ok(missing), |value| self.whole(key, value))
    }

    /// A whole number that may be below 0, such as an axis.
    pub(super) fn signed(&self, key: &str, missing: i64) -> Result<i64> {
        let Some(value) = self.get(key) else { return Ok(missing) };
        // Keras wrote the one axis of a norm as a list for a while.
        let one = value.as_array().filter(|list| list.len() == 1).map_or(value, |list| &list[0]);
        let number = one.as_i64().filter(|v| v.unsigned_abs() <= MOST as u64);
        number.ok_or_else(|| self.refuse(format!("a whole number as {key}"), value))
    }

    /// Whole numbers from 1, one for each of `axes`; one alone counts for all.
    pub(super) fn each(&self, key: &str, axes: usize, missing: usize) -> Result<Vec<usize>> {
        let list = match self.get(key) {
            None => vec![missing; axes],
            Some(Value::Array(list)) if list.len() == axes => {
                list.iter().map(|value| self.whole(key, value)).collect::<Result<_>>()?
            }
            Some(value) => vec![self.whole(key, value)?; axes],
        };
        match list.contains(&0) {
            true => Err(self.refuse(format!("{key} of at least 1"), 0)),
            false => Ok(list),
        }
    }

    /// A number for all sides, one for each axis, or two for each axis: before and behind.
    pub(super) fn around(&self, key: &str, axes: usize) -> Result<(Vec<usize>, Vec<usize>)> {
        let Some(value) = self.get(key) else { return Ok((vec![1; axes], vec![1; axes])) };
        if value.is_number() {
            let one = self.whole(key, value)?;
            return Ok((vec![one; axes], vec![one; axes]));
        }
        let no = || self.refuse(format!("{key} for {axes} axes"), value);
        let list = value.as_array().ok_or_else(no)?;
        // One axis has its two numbers without a list around them.
        if axes == 1 && list.len() == 2 && list[0].is_number() {
            return Ok((vec![self.whole(key, &list[0])?], vec![self.whole(key, &list[1])?]));
        }
        if list.len() != axes {
            return Err(no());
        }
        let (mut before, mut behind) = (Vec::new(), Vec::new());
        for one in list {
            let (first, last) = match one.as_array() {
                None => (one, one),
                Some(two) if two.len() == 2 => (&two[0], &two[1]),
                Some(_) => return Err(no()),
            };
            before.push(self.whole(key, first)?);
            behind.push(self.whole(key, last)?);
        }
        Ok((before, behind))
    }

    /// The sides of a setting such as `batch_input_shape`, the batch left out; what is null is open.
    pub(super) fn sides(&self, key: &str) -> Result<Option<Vec<Option<usize>>>> {
        match self.get(key) {
            None => Ok(None),
            Some(value) => self.batch(key, value).map(Some),
        }
    }

    fn batch(&self, key: &str, value: &Value) -> Result<Vec<Option<usize>>> {
        let list = value.as_array().filter(|list| (1..=5).contains(&list.len()));
        let list = list.ok_or_else(|| self.refuse(format!("a list of 1 to 5 sides as {key}"), value))?;
        let side = |side: &Value| match side {
            Value::Null => Ok(None),
            side => self.whole(key, side).map(|n| if n == 0 { None } else { Some(n) }),
        };
        list.iter().skip(1).map(side).collect()
    }

    /// The name of a function such as an activation: Keras writes it alone, or in an object.
    pub(super) fn function(&self, key: &str, missing: &'static str) -> Result<&str> {
        let Some(value) = self.get(key) else { return Ok(missing) };
        let of = |key: &str| value.get(key).and_then(Value::as_str);
        let named = value.as_str().or_else(|| match of("class_name") {
            Some("function") => of("config"),
            other => other,
        });
        named.ok_or_else(|| self.refuse(format!("a function's name as {key}"), value))
    }
}
