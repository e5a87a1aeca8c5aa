//! Layers that move numbers.

use super::super::builder::{Hold, Wire};
use super::super::translate::Translator;
use super::Job;
use crate::error::Result;

impl Translator<'_> {
    /// The axes in another order, counted from 1 behind the batch.
    pub(super) fn permute(&mut self, job: &Job, x: Wire) -> Result<Wire> {
        let rank = x.sides.len();
        let list = job.layer.get("dims").and_then(|list| list.as_array()).cloned().unwrap_or_default();
        let axes: Option<Vec<usize>> = list.iter().map(|axis| axis.as_u64()?.try_into().ok()).collect();
        let axes = axes.filter(|axes| axes.len() == rank && (1..=rank).all(|axis| axes.contains(&axis)));
        let axes = axes.ok_or_else(|| job.layer.refuse(format!("each of {rank} axes once"), "others"))?;
        let x = self.out.plain(x);
        let all: Vec<usize> = std::iter::once(0).chain(axes.iter().copied()).collect();
        let made = self.out.transpose(&job.name, &x.name, &all);
        Ok(Wire {
            positive: x.positive,
            ..Wire::new(made, axes.iter().map(|&axis| x.sides[axis - 1]).collect(), Hold::Plain)
        })
    }

    /// A row several times.
    pub(super) fn repeat(&mut self, job: &Job, x: Wire) -> Result<Wire> {
        let (x, times) = (self.out.plain(x), job.layer.int("n", 1)?);
        let [Some(features)] = x.sides[..] else {
            return Err(job.layer.refuse("a row of numbers", format!("{:?}", x.sides)));
        };
        let row = self.out.reshape(&job.name, &x.name, &[1, features as i64]);
        let repeats = self.out.list(&job.part("repeats"), &[1, times as i64, 1]);
        let made = self.out.node("Tile", &job.name, &[&row, &repeats], &[]);
        Ok(Wire { positive: x.positive, ..Wire::new(made, vec![Some(times), Some(features)], Hold::Plain) })
    }
}
