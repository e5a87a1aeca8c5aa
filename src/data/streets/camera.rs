//! The camera behind the windscreen: rays through pixels, and flat panels that they meet.
//!
//! Everything that stands in a street is a panel parallel to two of the world's axes, as theatre scenery is: the front of a
//! house, a side of a car, a person cut out of card. A ray meets such a panel after one division. World: x to the right, y up,
//! z along the street, in metres.

use super::{HEIGHT, WIDTH};
use crate::data::pictures::shade::Colour;

/// Samples along each side of a pixel.
pub(super) const SAMPLES: usize = 2;
pub(super) const ROWS: usize = HEIGHT * SAMPLES;
pub(super) const COLUMNS: usize = WIDTH * SAMPLES;
/// Pixels from the eye to the picture: 73 degrees from left to right.
const FOCAL: f32 = 108.0;
/// The row, of [`HEIGHT`], at which a level road would meet the sky.
const HORIZON: f32 = 43.0;
/// Nothing nearer is seen.
const NEAR: f32 = 0.6;

/// What is seen at a place of a panel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surface {
    pub colour: Colour,
    /// 0 shows what light falls on it, 1 shines by itself.
    pub glow: f32,
    pub class: u8,
}

impl Surface {
    pub fn new(class: u8, colour: Colour) -> Self {
        Self { colour, glow: 0.0, class }
    }

    pub fn shining(class: u8, colour: Colour, glow: f32) -> Self {
        Self { colour, glow, class }
    }
}

/// Which coordinate is the same all over a panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Across {
    X,
    Y,
    Z,
}

/// What a panel shows at a place, from its low corner; `None` where it is cut away.
pub(super) type Paint = Box<dyn Fn([f32; 2]) -> Option<Surface>>;

/// A flat piece of scenery. Its own coordinates are (z, y) across X, (x, z) across Y and (x, y) across Z.
pub(super) struct Panel {
    pub across: Across,
    pub at: f32,
    pub low: [f32; 2],
    pub high: [f32; 2],
    /// How much of the sun it faces.
    pub facing: f32,
    pub paint: Paint,
}

/// What one sample sees.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub surface: Surface,
    pub depth: f32,
    /// Where in the world.
    pub place: [f32; 3],
    pub facing: f32,
}

/// Where the camera is and where it looks.
pub(super) struct Camera {
    eye: [f32; 3],
    sin: f32,
    cos: f32,
    pitch: f32,
}

impl Camera {
    /// At a place, turned to the right by `yaw` and down by `pitch`, both small, in radians.
    pub fn new(eye: [f32; 3], yaw: f32, pitch: f32) -> Self {
        Self { eye, sin: libm::sinf(yaw), cos: libm::cosf(yaw), pitch }
    }

    pub fn eye(&self) -> [f32; 3] {
        self.eye
    }

    /// The direction of the ray through a sample.
    pub fn ray(&self, row: usize, column: usize) -> [f32; 3] {
        let place = |i: usize| (i as f32 + 0.5) / SAMPLES as f32;
        let u = (place(column) - WIDTH as f32 / 2.0) / FOCAL;
        let v = (HORIZON - place(row)) / FOCAL - self.pitch;
        [u * self.cos + self.sin, v, self.cos - u * self.sin]
    }

    /// Column and row, in pixels, at which a place is seen; what is behind is brought before the eye.
    fn project(&self, place: [f32; 3]) -> [f32; 2] {
        let [x, y, z] = [0, 1, 2].map(|k| place[k] - self.eye[k]);
        let depth = (x * self.sin + z * self.cos).max(NEAR);
        let right = x * self.cos - z * self.sin;
        [WIDTH as f32 / 2.0 + FOCAL * right / depth, HORIZON - FOCAL * (y / depth + self.pitch)]
    }

    /// Draws a panel where it is nearer than what was seen.
    pub fn draw(&self, panel: &Panel, seen: &mut [Seen]) {
        let Some((rows, columns)) = self.bounds(panel) else { return };
        let [k, a, b] = match panel.across {
            Across::X => [0, 2, 1],
            Across::Y => [1, 0, 2],
            Across::Z => [2, 0, 1],
        };
        for row in rows {
            for column in columns.clone() {
                let ray = self.ray(row, column);
                let depth = (panel.at - self.eye[k]) / ray[k];
                let sample = &mut seen[row * COLUMNS + column];
                // Not so written, NaN would pass.
                if !(depth >= NEAR && depth < sample.depth) {
                    continue;
                }
                let place = [0, 1, 2].map(|i| self.eye[i] + depth * ray[i]);
                if place[a] < panel.low[0]
                    || place[a] >= panel.high[0]
                    || place[b] < panel.low[1]
                    || place[b] >= panel.high[1]
                {
                    continue;
                }
                if let Some(surface) = (panel.paint)([place[a] - panel.low[0], place[b] - panel.low[1]]) {
                    *sample = Seen { surface, depth, place, facing: panel.facing };
                }
            }
        }
    }

    /// The rows and columns of samples within which a panel is seen, if it is.
    fn bounds(&self, panel: &Panel) -> Option<(std::ops::Range<usize>, std::ops::Range<usize>)> {
        let (mut low, mut high) = ([f32::MAX; 2], [f32::MIN; 2]);
        let mut before = false;
        for (a, b) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let pick = |k: usize, which: usize| if which == 0 { panel.low[k] } else { panel.high[k] };
            let (p, q) = (pick(0, a), pick(1, b));
            let place = match panel.across {
                Across::X => [panel.at, q, p],
                Across::Y => [p, panel.at, q],
                Across::Z => [p, q, panel.at],
            };
            before |= place[2] > self.eye[2] + NEAR;
            let spot = self.project(place);
            (0..2).for_each(|k| (low[k], high[k]) = (low[k].min(spot[k]), high[k].max(spot[k])));
        }
        let side = |low: f32, high: f32, most: usize| {
            let from = (low * SAMPLES as f32 - 1.0).clamp(0.0, most as f32) as usize;
            let to = (high * SAMPLES as f32 + 2.0).clamp(0.0, most as f32) as usize;
            (from < to).then_some(from..to)
        };
        let rows = side(low[1], high[1], ROWS)?;
        let columns = side(low[0], high[0], COLUMNS)?;
        before.then_some((rows, columns))
    }
}
