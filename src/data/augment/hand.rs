//! Strokes as another hand, pen or mouse would have drawn them, before they are rendered.

use super::Augment;
use super::warp::{UNIFORM, Warp, spline};
use crate::data::ink::{self, Extent};
use crate::data::strokes::Stroke;
use crate::error::Result;
use crate::rng::Rng;

/// How far a drawing may be bent. Lengths are pixels of the 20-pixel box, whatever the drawing's own unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hand {
    /// Deformation of the whole drawing. Its shift and thickness have no effect: normalising takes the one away, the pen
    /// has the other.
    pub bend: Augment,
    /// Thinnest and thickest pen.
    pub pen: [f32; 2],
    /// Distance between the points of the slowest and the fastest pen; below 0.1 it is 0.1.
    pub step: [f32; 2],
    /// Trembling: deviation of a wobble along the line.
    pub tremor: f32,
    /// Drifting: the most root mean square of a smooth displacement along the pen's path, not over the plane, so that
    /// loops open and gaps close as they do from hand to hand.
    pub drift: f32,
    /// How far each stroke may stand off its place.
    pub apart: f32,
    /// The most that may be missing at a stroke's start and end; never more than an eighth of the stroke.
    pub cut: f32,
}

/// The line forgets its wobble by half in about this many pixels.
const TREMOR_LENGTH: f32 = 2.0;
/// Pixels along the line between the nodes of its drift: a curve of a nought is about two.
const DRIFT_PITCH: f32 = 6.0;
/// Root mean square of a cubic B-spline over nodes uniform in ±√3: the root of 151/315.
const SPLINE_DEVIATION: f32 = 0.692_37;
/// The shortest step of a pen: finer than this nothing is seen.
const FINEST: f32 = 0.1;
/// The most steps of one stroke, however long it is.
const MAX_STEPS: f32 = 10_000.0;

impl Hand {
    /// The drawing as it is, with the pen that it is read with.
    pub const NONE: Self =
        Self { bend: Augment::NONE, pen: [ink::PEN; 2], step: [0.0; 2], tremor: 0.0, drift: 0.0, apart: 0.0, cut: 0.0 };

    /// For people's drawings: as far as their digits still read as what they are.
    pub const INK: Self = Self {
        bend: Augment {
            rotate: 15.0,
            scale: 0.2,
            shear: 0.25,
            elastic_alpha: 0.9,
            elastic_sigma: 4.0,
            ..Augment::NONE
        },
        pen: [1.4, 2.2],
        step: [0.3, 2.0],
        tremor: 0.2,
        drift: 0.0,
        apart: 0.6,
        cut: 1.0,
    };

    /// Bends a drawing and renders it as MNIST would have it into `dst`, 28 × 28 numbers. Errors as [`ink::render`].
    pub fn render(&self, rng: &mut Rng, strokes: &[Stroke], dst: &mut [f32]) -> Result<()> {
        let pen = rng.range(self.pen[0], self.pen[1]);
        if *self == (Self { pen: self.pen, ..Self::NONE }) {
            return ink::render(strokes, pen, dst);
        }
        ink::render(&self.redraw(rng, strokes)?, pen, dst)
    }

    /// Bends a drawing; what comes back is in pixels of the 20-pixel box. Errors as [`ink::render`].
    pub fn redraw(&self, rng: &mut Rng, strokes: &[Stroke]) -> Result<Vec<Stroke>> {
        let Extent { low, sides } = ink::extent(strokes)?;
        let side = ink::BOX as f64;
        let longer = sides[0].max(sides[1]);
        let scale = if longer > 0.0 { side / longer } else { 0.0 };
        let margin = sides.map(|extent| (side - extent * scale) / 2.0);
        let boxed = |p: &[f32; 2]| [0, 1].map(|k| ((f64::from(p[k]) - low[k]) * scale + margin[k]) as f32);

        let warp = Warp::sample(&self.bend, rng, side as f32, side as f32);
        let step = rng.range(self.step[0], self.step[1]);
        let drift = if self.drift > 0.0 { rng.range(0.0, self.drift) } else { 0.0 };
        let mut line = Vec::new();
        let bent = strokes.iter().map(|stroke| {
            let stroke: Stroke = stroke.iter().map(boxed).collect();
            let mut stroke = self.traced(rng, &stroke, step);
            for p in &mut stroke {
                warp.row(p[1], &mut line);
                *p = warp.along(&line, p[0], p[1]);
            }
            self.shake(rng, &mut stroke, step);
            if drift > 0.0 {
                wander(rng, &mut stroke, drift);
            }
            stroke
        });
        Ok(bent.collect())
    }

    /// The stroke at the points a pen of this step reports, its ends cut.
    fn traced(&self, rng: &mut Rng, stroke: &[[f32; 2]], step: f32) -> Stroke {
        let length: f32 = stroke.windows(2).map(|pair| distance(pair[0], pair[1])).sum();
        let cut = self.cut.min(length / 8.0);
        let (from, to) = (rng.range(0.0, cut), length - rng.range(0.0, cut));
        if length == 0.0 {
            return stroke.to_vec();
        }
        resample(stroke, from, to, step.max(FINEST).max(length / MAX_STEPS))
    }

    /// Moves the stroke off its place and lets the hand tremble: an autoregressive wobble along the line.
    fn shake(&self, rng: &mut Rng, stroke: &mut [[f32; 2]], step: f32) {
        let place = [rng.range(-self.apart, self.apart), rng.range(-self.apart, self.apart)];
        let keep = libm::exp2f(-step.max(FINEST) / TREMOR_LENGTH);
        let fresh = self.tremor * (1.0 - keep * keep).sqrt();
        let mut wobble = [0.0; 2].map(|_: f32| self.tremor * rng.normal());
        for p in stroke {
            for k in 0..2 {
                p[k] += place[k] + wobble[k];
                wobble[k] = keep * wobble[k] + fresh * rng.normal();
            }
        }
    }
}

/// Displaces the points of a stroke by a smooth curve along it, of this root mean square on each axis.
fn wander(rng: &mut Rng, stroke: &mut [[f32; 2]], deviation: f32) {
    let length: f32 = stroke.windows(2).map(|pair| distance(pair[0], pair[1])).sum();
    let most = UNIFORM * deviation / SPLINE_DEVIATION;
    let phase = rng.uniform();
    let nodes = (length / DRIFT_PITCH) as usize + 5;
    let nodes: Vec<[f32; 2]> = (0..nodes).map(|_| [rng.range(-most, most), rng.range(-most, most)]).collect();
    let (mut walked, mut last) = (0.0, stroke.first().copied());
    for p in stroke {
        walked += distance(last.replace(*p).unwrap_or(*p), *p);
        let (first, weights) = spline(walked / DRIFT_PITCH + phase, nodes.len());
        for (node, weight) in nodes[first..].iter().zip(weights) {
            *p = [p[0] + weight * node[0], p[1] + weight * node[1]];
        }
    }
}

fn distance(a: [f32; 2], b: [f32; 2]) -> f32 {
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    (dx * dx + dy * dy).sqrt()
}

/// The points of a polyline every `step` along it, between the lengths `from` and `to`, both ends included.
fn resample(stroke: &[[f32; 2]], from: f32, to: f32, step: f32) -> Stroke {
    let mut out = Vec::new();
    let (mut next, mut walked) = (from, 0.0);
    for pair in stroke.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        let length = distance(a, b);
        while next <= walked + length && length > 0.0 {
            let t = (next - walked) / length;
            out.push([a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])]);
            if next == to {
                return out;
            }
            next = (next + step).min(to);
        }
        walked += length;
    }
    out.extend(stroke.last().filter(|_| out.last() != stroke.last()));
    out
}
