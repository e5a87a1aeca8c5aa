//! Shapes that a digit may have besides the one drawn: slashed noughts, ones with a foot, barred sevens.
//!
//! A few hundred writers do not show every shape in every hand; these are drawn into the hands there are.

use crate::data::ink::{self, Extent};
use crate::data::strokes::Stroke;
use crate::error::Result;
use crate::rng::Rng;

/// The drawing with something added that leaves its digit what it is; as it was, where the digit has no such shape.
/// Errors as [`ink::render`].
pub fn vary(rng: &mut Rng, digit: u8, strokes: &[Stroke]) -> Result<Vec<Stroke>> {
    let Extent { low, sides } = ink::extent(strokes)?;
    // Lengths follow the longer side: a one has next to no width.
    let longer = sides[0].max(sides[1]);
    let centre = [0, 1].map(|k| low[k] + sides[k] / 2.0);
    let (lean, reach) = (f64::from(rng.range(-0.1, 1.1)), f64::from(rng.range(0.5, 1.3)));
    let mut near = |x: f64, y: f64, spread: f32| {
        let wobble = [0, 1].map(|_| f64::from(spread * rng.normal()));
        [(centre[0] + (x + wobble[0]) * longer) as f32, (centre[1] + (y + wobble[1]) * longer) as f32]
    };
    let half = [0, 1].map(|k| sides[k] / longer.max(f64::MIN_POSITIVE) / 2.0);
    let added = match digit {
        // A slash, upright or leaning; it may end inside the nought or run beyond it.
        0 => {
            let (x, y) = (lean * half[0], reach * half[1]);
            vec![near(-x, y, 0.04), near(x, -y, 0.04)]
        }
        // A foot.
        1 => vec![near(-0.22, half[1], 0.05), near(0.22, half[1], 0.05)],
        // A bar.
        7 => vec![near(-0.25, 0.0, 0.06), near(0.25, 0.0, 0.06)],
        _ => return Ok(strokes.to_vec()),
    };
    let mut all = strokes.to_vec();
    all.push(added);
    Ok(all)
}
