//! One number of a layer with weights, taken apart: which whole numbers meet, and what their sum becomes.

use super::{Buffer, Runner, levels};
use crate::error::{Error, Result};
use crate::kernel::words::unpair;
use crate::systems::quantise::{Form, Kind};

/// A sum of products of whole numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Sum {
    /// The window's numbers, in × kh × kw: levels less their zero point, or −1 and 1; 0 beyond the border.
    pub inputs: Vec<i16>,
    /// The filter's, in the same order.
    pub weights: Vec<i8>,
    /// What the products add up to.
    pub sum: i32,
    /// What 1 of the sum is worth.
    pub scale: f32,
    /// What is added then.
    pub bias: f32,
    /// Their outcome, before it becomes a level or a sign.
    pub value: f32,
}

impl Runner {
    /// What filter `filter` of step `step` sums up at row `y` and column `x` of its map, for image `image` of the last run.
    ///
    /// Errors: [`Error::Value`] for a step without weights, and for a place or an image that there is not.
    pub fn sum(&self, step: usize, image: usize, filter: usize, (y, x): (usize, usize)) -> Result<Sum> {
        let found = self.steps.get(step).and_then(|step| match &step.kind {
            Kind::Filters(filters) => Some((step, filters)),
            _ => None,
        });
        let (own, filters) = found.ok_or_else(|| Error::value("step", "one with weights", step))?;
        if filter >= own.shape.c || y >= own.shape.h || x >= own.shape.w || image >= self.images {
            return Err(Error::value("place", format!("one of {}", own.shape), format!("{filter}, {y}, {x}")));
        }
        let input = own.inputs[0];
        let (shape, window) = (self.steps[input].shape, filters.window);
        let mut inputs = Vec::with_capacity(shape.c * window.kernel.0 * window.kernel.1);
        for ch in 0..shape.c {
            for ky in 0..window.kernel.0 {
                for kx in 0..window.kernel.1 {
                    let row = (y * window.stride.0 + ky * window.dilation.0).checked_sub(window.pad.0);
                    let column = (x * window.stride.1 + kx * window.dilation.1).checked_sub(window.pad.1);
                    let inside = row.zip(column).filter(|(row, column)| *row < shape.h && *column < shape.w);
                    inputs.push(inside.map_or(0, |place| self.whole(input, image, ch, place)));
                }
            }
        }
        let weights = filters.weights[filter * inputs.len()..][..inputs.len()].to_vec();
        let sum = inputs.iter().zip(&weights).map(|(x, w)| i32::from(*x) * i32::from(*w)).sum();
        let (scale, bias) = (filters.scales[filter] * levels(&self.steps[input]).0, filters.bias[filter]);
        let value = sum as f32 * scale + bias;
        Ok(Sum { inputs, weights, sum, scale, bias, value: if filters.relu { value.max(0.0) } else { value } })
    }

    /// A number of a step that has whole ones.
    fn whole(&self, step: usize, image: usize, ch: usize, (y, x): (usize, usize)) -> i16 {
        let map = &self.maps[step];
        let at = image * map.len() + map.at(y, x);
        match (&self.buffers[step], self.steps[step].form) {
            (Buffer::Words(words), Form::Levels { .. }) => unpair(words[at + ch / 2])[ch % 2] as i16,
            (Buffer::Words(words), _) => 1 - 2 * (words[at + ch / 32] >> (ch % 32) & 1) as i16,
            (Buffer::Numbers(_), _) => unreachable!("only the last step gives numbers"),
        }
    }
}
