//! L-BFGS: downhill along the gradient as a few remembered steps say the slope bends, the way Gatys et al. optimise a
//! picture. Liu and Nocedal 1989; Nocedal and Wright 2006, algorithms 7.4 and 7.5.
//!
//! A line search halves what does not go down enough (Armijo 1966), so the value falls with every step. Only a step's
//! value is asked for while it is tried, and its gradient once it is taken: a step taken at once costs one of each. A pair
//! whose curvature is not positive is not remembered (Li and Fukushima 2001), which is what Wolfe's second condition,
//! and a gradient for each try, would be for.

use crate::error::{Error, Result};
use crate::kernel::reduce::{dot, sum_of_squares};
use crate::kernel::update::axpy;
use crate::kernel::{Level, act};
use std::collections::VecDeque;

/// What is to become small.
pub trait Objective {
    /// The value at `x`.
    fn value(&mut self, x: &[f32]) -> Result<f64>;

    /// The gradient at the `x` of the last [`Objective::value`], into `out`.
    fn gradient(&mut self, out: &mut [f32]) -> Result<()>;
}

/// Steps that are remembered: twice two arenas of numbers for each pair would buy little more speed.
pub const REMEMBERED: usize = 8;
/// The part of the expected fall that a step must reach.
const ENOUGH: f64 = 1e-4;
/// How often a step is shortened before its direction is given up: to a thousandth at least.
const TRIES: usize = 12;

/// The state of a descent.
pub struct Lbfgs {
    /// Root mean square of the first step, which has no curvature to go by.
    first: f32,
    /// Steps and how the gradient changed with each, the oldest first, with `1 / (s · y)`.
    pairs: VecDeque<(Vec<f32>, Vec<f32>, f64)>,
    /// The value and the gradient where it stands, unless the objective has changed.
    at: Option<(f64, Vec<f32>)>,
    level: Level,
}

/// What one step came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The value before it.
    pub before: f64,
    /// The value after it: lower, or the same where the descent has settled.
    pub value: f64,
    /// Values that were asked for.
    pub evaluations: usize,
    /// No way down was found, not even along the gradient: as far as rounding lets the value be told, this is the bottom.
    pub settled: bool,
}

impl Lbfgs {
    /// A descent whose first step has this root mean square.
    pub fn new(first: f32) -> Self {
        Self { first, pairs: VecDeque::new(), at: None, level: Level::new() }
    }

    /// Bytes that a descent over `len` numbers comes to hold.
    pub const fn bytes(len: usize) -> usize {
        4 * len * (2 * REMEMBERED + 4)
    }

    /// Begins anew where it stands: for an objective that has changed.
    pub fn forget(&mut self) {
        self.pairs.clear();
        self.at = None;
    }

    /// One step of `x`. Errors are the objective's, and [`Error::Value`] where its value is not finite at the start; `x` is
    /// then as it was.
    pub fn step(&mut self, x: &mut [f32], objective: &mut impl Objective) -> Result<Step> {
        let (before, gradient, mut evaluations) = match self.at.take() {
            Some((value, gradient)) => (value, gradient, 0),
            None => {
                let value = finite(objective.value(x)?)?;
                let mut gradient = vec![0.0; x.len()];
                objective.gradient(&mut gradient)?;
                (value, gradient, 1)
            }
        };
        let mut old = x.to_vec();
        loop {
            let direction = self.direction(&gradient);
            let first = self.pairs.is_empty();
            let found = self.search(x, &old, (before, &gradient), &direction, objective, &mut evaluations);
            match found {
                Err(error) => {
                    x.copy_from_slice(&old);
                    return Err(error);
                }
                Ok(Some(value)) => {
                    let mut next = vec![0.0; x.len()];
                    objective.gradient(&mut next)?;
                    old.iter_mut().zip(&*x).for_each(|(old, x)| *old = x - *old);
                    self.remember(old, next.iter().zip(&gradient).map(|(next, g)| next - g).collect());
                    self.at = Some((value, next));
                    return Ok(Step { before, value, evaluations, settled: false });
                }
                Ok(None) if first => {
                    x.copy_from_slice(&old);
                    self.at = Some((before, gradient));
                    return Ok(Step { before, value: before, evaluations, settled: true });
                }
                // The remembered slope misleads: once more, straight down the gradient.
                Ok(None) => self.pairs.clear(),
            }
        }
    }

    /// Moves `x` along `direction` as far as it goes down enough; the value there, or `None` if nowhere.
    fn search(
        &self,
        x: &mut [f32],
        old: &[f32],
        (before, gradient): (f64, &[f32]),
        direction: &[f32],
        objective: &mut impl Objective,
        evaluations: &mut usize,
    ) -> Result<Option<f64>> {
        let slope = dot(self.level, gradient, direction);
        let size = (sum_of_squares(self.level, direction) / direction.len() as f64).sqrt();
        let mut t = if self.pairs.is_empty() { f64::from(self.first) / size } else { 1.0 };
        if !(slope < 0.0 && t.is_finite()) {
            return Ok(None);
        }
        for _ in 0..TRIES {
            x.copy_from_slice(old);
            axpy(self.level, x, t as f32, direction);
            let value = objective.value(x)?;
            *evaluations += 1;
            if value <= before + ENOUGH * t * slope && value < before {
                return Ok(Some(value));
            }
            // The lowest point of the parabola through both values and the slope, within reason.
            let lowest = -slope * t * t / (2.0 * (value - before - t * slope));
            t = if lowest.is_finite() { lowest.clamp(0.1 * t, 0.5 * t) } else { 0.1 * t };
        }
        Ok(None)
    }

    /// Downhill: minus the gradient times the inverse curvature that the pairs tell of.
    fn direction(&self, gradient: &[f32]) -> Vec<f32> {
        let level = self.level;
        let mut d: Vec<f32> = gradient.iter().map(|g| -g).collect();
        let mut shares = Vec::with_capacity(self.pairs.len());
        for (s, y, rho) in self.pairs.iter().rev() {
            let share = rho * dot(level, s, &d);
            axpy(level, &mut d, -share as f32, y);
            shares.push(share);
        }
        if let Some((_, y, rho)) = self.pairs.back() {
            act::scale(level, &mut d, (1.0 / (rho * sum_of_squares(level, y))) as f32);
        }
        for ((s, y, rho), share) in self.pairs.iter().zip(shares.into_iter().rev()) {
            let back = rho * dot(level, y, &d);
            axpy(level, &mut d, (share - back) as f32, s);
        }
        d
    }

    fn remember(&mut self, s: Vec<f32>, y: Vec<f32>) {
        let (curvature, size) = (dot(self.level, &s, &y), sum_of_squares(self.level, &y));
        if curvature <= 1e-10 * size || !size.is_finite() {
            return;
        }
        if self.pairs.len() == REMEMBERED {
            self.pairs.pop_front();
        }
        self.pairs.push_back((s, y, 1.0 / curvature));
    }
}

fn finite(value: f64) -> Result<f64> {
    if value.is_finite() { Ok(value) } else { Err(Error::value("loss", "a finite number", value)) }
}
