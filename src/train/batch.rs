//! What a shard of a batch is fed: rows for each of the network's inputs.

use crate::error::{Error, Result};
use crate::nn::{Feed, Network};

/// A growing list of rows for every input of a network, by name.
#[derive(Debug, Clone)]
pub struct Batch(Vec<(String, Vec<f32>)>);

impl Batch {
    /// No rows yet, for the inputs of `net`.
    pub fn new(net: &Network) -> Self {
        Self(net.inputs().map(|wire| (net.node(wire).name.clone(), Vec::new())).collect())
    }

    /// The rows of an input, one after another in CHW order, to be added to. Errors: [`Error::Missing`] for a name that no
    /// input has.
    pub fn rows(&mut self, input: &str) -> Result<&mut Vec<f32>> {
        let names = || self.0.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        match self.0.iter().position(|(name, _)| name == input) {
            Some(k) => Ok(&mut self.0[k].1),
            None => Err(Error::missing("input", format!("one of {}", names()), input)),
        }
    }

    /// Takes all rows out again; the room they had stays.
    pub fn clear(&mut self) {
        self.0.iter_mut().for_each(|(_, rows)| rows.clear());
    }

    /// As a run takes them.
    pub fn feeds(&self) -> Vec<Feed<'_>> {
        self.0.iter().map(|(name, rows)| Feed::new(name, rows)).collect()
    }

    /// The rows of the input at this place, in the order of the network's.
    pub fn at(&mut self, k: usize) -> &mut Vec<f32> {
        &mut self.0[k].1
    }
}
