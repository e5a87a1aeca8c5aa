//! Numbers rounded to few levels and back: what a network that will have few bits computes with while it learns.
//!
//! A level is `step` wide and `lo..=hi` says which there are. Rounding is to the nearest, ties to even, by adding and taking
//! away a number whose last bit is worth 1: the same bits at every lane level, without a call where a level has no rounding.
//! The rules of one bit are those of larq 0.14: sign(0) = +1, and the gradient passes where `|x| ≤ 1`, ends included.

use super::Level;
use super::lanes::{zip, zip3};

/// 1.5 · 2²³: sums with it are whole numbers.
const WHOLE: f32 = 12_582_912.0;

/// The nearest whole number, ties to even. `|x|` is below 2²².
#[inline(always)]
pub fn round(x: f32) -> f32 {
    (x + WHOLE) - WHOLE
}

/// The levels that a quantiser has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Levels {
    /// The lowest, a whole number.
    pub lo: f32,
    /// The highest, a whole number.
    pub hi: f32,
}

impl Levels {
    /// Those of `bits` bits: `−2ᵇ⁻¹ … 2ᵇ⁻¹ − 1` with a sign, else `0 … 2ᵇ − 1`.
    pub const fn of(bits: usize, signed: bool) -> Self {
        let all = (1u32 << bits) as f32;
        if signed { Self { lo: -all / 2.0, hi: all / 2.0 - 1.0 } } else { Self { lo: 0.0, hi: all - 1.0 } }
    }

    /// The level of `x`.
    #[inline(always)]
    pub fn level(self, x: f32, step: f32) -> f32 {
        round((x / step).max(self.lo).min(self.hi))
    }

    /// What an error in the step costs at `x`: the derivative of `level · step`, the rounding taken for straight. Esser et al.
    /// 2020, equation 3.
    #[inline(always)]
    fn slope(self, x: f32, step: f32) -> f32 {
        let v = x / step;
        if v < self.lo {
            self.lo
        } else if v > self.hi {
            self.hi
        } else {
            round(v) - v
        }
    }

    #[inline(always)]
    fn inside(self, x: f32, step: f32) -> bool {
        let v = x / step;
        v >= self.lo && v <= self.hi
    }
}

/// `y = level(x) · step`.
pub fn fake(level: Level, levels: Levels, step: f32, x: &[f32], y: &mut [f32]) {
    zip(level, y, x, |_, x| levels.level(x, step) * step);
}

/// Adds `dy` to `dx` where `x` is within the levels, ends included.
pub fn fake_backward(level: Level, levels: Levels, step: f32, x: &[f32], dy: &[f32], dx: &mut [f32]) {
    zip3(level, dx, x, dy, |dx, x, dy| if levels.inside(x, step) { dx + dy } else { dx });
}

/// The gradient of the step: the sum of `dy` times what an error in the step costs.
pub fn step_gradient(levels: Levels, step: f32, x: &[f32], dy: &[f32]) -> f64 {
    x.iter().zip(dy).map(|(&x, &dy)| f64::from(levels.slope(x, step) * dy)).sum()
}

/// `y = +1` where `x ≥ 0`, else `−1`.
pub fn sign(level: Level, x: &[f32], y: &mut [f32]) {
    zip(level, y, x, |_, x| if x >= 0.0 { 1.0 } else { -1.0 });
}

/// Adds `dy` to `dx` where `|x| ≤ 1`.
pub fn sign_backward(level: Level, x: &[f32], dy: &[f32], dx: &mut [f32]) {
    zip3(level, dx, x, dy, |dx, x, dy| if x.abs() <= 1.0 { dx + dy } else { dx });
}

/// How the weights of a filter are rounded. Weights come as the arena keeps them: number `i` is filter `i % filters`'s.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Filters<'a> {
    /// To these levels, each filter with a step of its own.
    Steps(Levels, &'a [f32]),
    /// To −1, 0 and 1 times a scale, 0 where `|w|` is not above the threshold: `(threshold, scale)`. Li et al. 2016.
    Ternary(&'a [(f32, f32)]),
    /// To the sign times a scale.
    Sign(&'a [f32]),
}

impl Filters<'_> {
    /// The rounded weights.
    pub fn round(self, w: &[f32], out: &mut [f32]) {
        let each = |out: &mut [f32], filters: usize, f: &dyn Fn(usize, f32) -> f32| {
            for (row, out) in w.chunks_exact(filters).zip(out.chunks_exact_mut(filters)) {
                row.iter().zip(out).enumerate().for_each(|(o, (&w, out))| *out = f(o, w));
            }
        };
        match self {
            Self::Steps(levels, steps) => each(out, steps.len(), &|o, w| levels.level(w, steps[o]) * steps[o]),
            Self::Ternary(rules) => each(out, rules.len(), &|o, w| ternary(w, rules[o].0) * rules[o].1),
            Self::Sign(scales) => each(out, scales.len(), &|o, w| if w >= 0.0 { scales[o] } else { -scales[o] }),
        }
    }

    /// Adds the gradient of the weights, given that of the rounded ones: straight through the rounding. With steps where
    /// `w` is within the levels; of ternary weights everywhere; through a sign times its scale where `|w| ≤ 1`.
    pub fn backward(self, w: &[f32], dy: &[f32], dw: &mut [f32]) {
        let filters = self.filters();
        for (i, ((&w, &dy), dw)) in w.iter().zip(dy).zip(dw).enumerate() {
            let o = i % filters;
            *dw += match self {
                Self::Steps(levels, steps) if levels.inside(w, steps[o]) => dy,
                Self::Steps(..) => 0.0,
                Self::Ternary(_) => dy,
                Self::Sign(scales) if w.abs() <= 1.0 => dy * scales[o],
                Self::Sign(_) => 0.0,
            };
        }
    }

    fn filters(self) -> usize {
        match self {
            Self::Steps(_, steps) => steps.len(),
            Self::Ternary(rules) => rules.len(),
            Self::Sign(scales) => scales.len(),
        }
    }
}

/// −1, 0 or 1.
#[inline(always)]
pub fn ternary(w: f32, threshold: f32) -> f32 {
    if w.abs() <= threshold { 0.0 } else { 1.0f32.copysign(w) }
}

/// The gradient of each filter's step: as [`step_gradient`], of weights as [`Filters`] has them.
pub fn filter_step_gradients(levels: Levels, steps: &[f32], w: &[f32], dy: &[f32], sums: &mut [f64]) {
    sums.fill(0.0);
    for (row, dy) in w.chunks_exact(steps.len()).zip(dy.chunks_exact(steps.len())) {
        for (o, (&w, &dy)) in row.iter().zip(dy).enumerate() {
            sums[o] += f64::from(levels.slope(w, steps[o]) * dy);
        }
    }
}

/// The mean of `|w|` of each filter.
pub fn mean_magnitudes(w: &[f32], out: &mut [f32]) {
    let filters = out.len();
    for (o, mean) in out.iter_mut().enumerate() {
        let sum: f64 = w.iter().skip(o).step_by(filters).map(|w| f64::from(w.abs())).sum();
        *mean = (sum / (w.len() / filters).max(1) as f64) as f32;
    }
}

/// The threshold and the scale of each filter's ternary weights: 0.7 times the mean of `|w|`, and the mean of those above
/// it. Li et al. 2016, section 2.
pub fn ternary_rules(w: &[f32], out: &mut [(f32, f32)]) {
    let filters = out.len();
    for (o, rule) in out.iter_mut().enumerate() {
        let own = || w.iter().skip(o).step_by(filters).map(|w| f64::from(w.abs()));
        let threshold = (0.7 * own().sum::<f64>() / (w.len() / filters).max(1) as f64) as f32;
        let (sum, count) = own()
            .filter(|w| *w > f64::from(threshold))
            .fold((0.0, 0), |(sum, count): (f64, u32), w| (sum + w, count + 1));
        *rule = (threshold, (sum / f64::from(count.max(1))) as f32);
    }
}

/// Steps tried by [`best_step`].
const TRIED: usize = 96;

/// Of steps from a hundredth of the largest magnitude's to a third above it, the one of the least squared error; 1 where all
/// numbers are 0.
pub fn best_step(levels: Levels, numbers: impl Iterator<Item = f32> + Clone) -> f32 {
    let most = numbers.clone().fold(0.0f32, |most, x| most.max(x.abs()));
    if most == 0.0 {
        return 1.0;
    }
    let error = |step: f32| -> f64 {
        let each = |x: f32| f64::from(levels.level(x, step) * step - x);
        numbers.clone().map(each).map(|e| e * e).sum()
    };
    let widest = 4.0 / 3.0 * most / levels.hi.max(1.0);
    let steps = (1..=TRIED).map(|i| widest * i as f32 / TRIED as f32);
    let best = steps.map(|step| (error(step), step)).min_by(|a, b| a.0.total_cmp(&b.0));
    best.map_or(1.0, |(_, step)| step)
}
