//! How far an answer is to be believed.

use crate::error::{Error, Result};
use std::collections::BTreeMap;

/// How far to believe a network: fitted on validation data, kept beside the weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    /// Logits are divided by this before the softmax, from 0.01 to 100. Guo et al. 2017.
    pub temperature: f32,
    /// An answer whose best probability reaches this, from 0 to 1, is sure.
    pub threshold: f32,
}

impl Default for Calibration {
    /// The network's own word: temperature 1, always sure.
    fn default() -> Self {
        Self { temperature: 1.0, threshold: 0.0 }
    }
}

impl Calibration {
    /// From a file's metadata; what is not said there is neutral.
    pub fn from_metadata(metadata: &BTreeMap<String, String>) -> Result<Self> {
        let number = |key: &str, neutral| match metadata.get(key) {
            None => Ok(neutral),
            // As JSON, whose parser is there for the file's header: the standard library's adds 12 kB of tables to the wasm.
            Some(text) => {
                serde_json::from_slice(text.as_bytes()).map_err(|_| Error::format(key, "a number", super::shown(text)))
            }
        };
        let neutral = Self::default();
        Self {
            temperature: number("temperature", neutral.temperature)?,
            threshold: number("threshold", neutral.threshold)?,
        }
        .checked()
    }

    /// Refuses numbers out of range.
    pub(super) fn checked(self) -> Result<Self> {
        if !(0.01..=100.0).contains(&self.temperature) {
            return Err(Error::value("temperature", "a number from 0.01 to 100", self.temperature));
        }
        if !(0.0..=1.0).contains(&self.threshold) {
            return Err(Error::value("threshold", "a number from 0 to 1", self.threshold));
        }
        Ok(self)
    }
}
