//! Digits from no data: strokes of many shapes, bent by a random hand and drawn with a random pen, so that a network can
//! be trained at once, anywhere.
//!
//! Made to look like MNIST: the same normalisation, and slants, widths, pens and grey levels as its training images
//! have. A digit is a shape of `shapes.txt` with every point moved, joined by splines, slanted, and then bent like any
//! drawing.

mod shapes;

use super::augment::{Augment, Hand};
use super::idx::{Images, Labelled};
use super::ink::SIDE;
use super::strokes::Stroke;
use crate::rng::Rng;
use shapes::Shape;

/// How far hands differ. Lengths are hundredths of the digit's height.
mod spread {
    /// Mean and deviation of the slant: pixels to the right for each up.
    pub const SLANT: [f32; 2] = [0.12, 0.22];
    /// Deviation of the rotation, in radians.
    pub const TURN: f32 = 0.07;
    /// Mean and deviation of the logarithm of the width.
    pub const WIDTH: [f32; 2] = [0.1, 0.2];
    /// Deviation of the logarithm of the power that moves the middle up or down: large heads and small feet, and the
    /// reverse.
    pub const BALANCE: f32 = 0.2;
    /// Deviation of a point's place, and of that deviation's logarithm from digit to digit.
    pub const POINT: [f32; 2] = [3.6, 0.5];
    /// Mean and deviation of the logarithm of the pen, in pixels of the 20-pixel box.
    pub const PEN: [f32; 2] = [0.91, 0.3];
    /// One pen in so many is blunt.
    pub const BLUNT: usize = 12;
    /// Most passes of a smoothing that rounds corners.
    pub const ROUND: usize = 24;
}

/// Points that a curve is drawn with between two of the shape's.
const STEPS: usize = 10;

/// What the hand does besides: a smooth bend, a little trembling, ends that fall short.
const HAND: Hand = Hand {
    bend: Augment { elastic_alpha: 0.7, elastic_sigma: 4.0, ..Augment::NONE },
    pen: [0.0; 2],
    step: [0.5, 0.5],
    tremor: 0.1,
    drift: 0.0,
    apart: 0.8,
    cut: 0.8,
};

/// Draws a digit; `[x, y]` in hundredths of its height or thereabouts. Panics on a digit above 9.
pub fn digit(rng: &mut Rng, digit: u8) -> Vec<Stroke> {
    let shape = pick(rng, digit);
    let [mean, deviation] = spread::SLANT;
    let (slant, turn) = (mean + deviation * rng.normal(), spread::TURN * rng.normal());
    let [mean, deviation] = spread::WIDTH;
    let width = libm::expf(mean + deviation * rng.normal());
    let power = libm::expf(spread::BALANCE * rng.normal());
    let [wobble, varies] = spread::POINT;
    let wobble = wobble * libm::expf(varies * rng.normal());
    let passes = rng.below(spread::ROUND + 1);
    let (sin, cos) = (libm::sinf(turn), libm::cosf(turn));
    let place = |[x, y]: [f32; 2]| {
        let y = 100.0 * libm::powf((y / 100.0).max(0.0), power);
        let x = x * width - slant * y;
        [cos * x - sin * y, sin * x + cos * y]
    };
    let draw = |curves: &Vec<Vec<[f32; 2]>>| {
        let mut stroke = trace(rng, curves, wobble);
        (0..passes).for_each(|_| smooth(&mut stroke));
        stroke.into_iter().map(place).collect()
    };
    shape.strokes.iter().map(draw).collect()
}

/// Draws a digit as one of many hands would write it; `[x, y]` in pixels of a 20-pixel box. Panics on a digit above 9.
pub fn written(rng: &mut Rng, which: u8) -> Vec<Stroke> {
    let strokes = digit(rng, which);
    HAND.redraw(rng, &strokes).expect("every shape has ink and a finite place")
}

/// Draws a digit as MNIST would have it into `dst`, 28 × 28 numbers.
pub fn render(rng: &mut Rng, which: u8, dst: &mut [f32]) {
    let strokes = digit(rng, which);
    let blunt = if rng.below(spread::BLUNT) == 0 { 1.6 } else { 1.0 };
    let pen = (blunt * libm::expf(spread::PEN[0] + spread::PEN[1] * rng.normal())).clamp(1.2, 7.0);
    let hand = Hand { pen: [pen; 2], ..HAND };
    hand.render(rng, &strokes, dst).expect("every shape has ink and a finite place");
}

/// `n` digits of random classes. Image `i` depends on the seed and on `i` alone.
pub fn digits(seed: u64, n: usize) -> Labelled {
    let mut images = Images { n, h: SIDE, w: SIDE, pixels: Vec::with_capacity(n * SIDE * SIDE) };
    let mut picture = [0.0; SIDE * SIDE];
    let labels = (0..n).map(|i| {
        let mut rng = Rng::part(seed, i as u64);
        let label = rng.below(10) as u8;
        render(&mut rng, label, &mut picture);
        images.pixels.extend(picture.iter().map(|v| (v * 255.0 + 0.5) as u8));
        label
    });
    let labels = labels.collect();
    Labelled { images, labels }
}

fn pick(rng: &mut Rng, digit: u8) -> &'static Shape {
    let own = || shapes::all().iter().filter(|shape| shape.digit == digit);
    let mut left = rng.below(own().map(|shape| shape.weight).sum());
    let chosen = own().find(|shape| {
        let here = left < shape.weight;
        left = left.saturating_sub(shape.weight);
        here
    });
    chosen.expect("a weight below their sum")
}

/// The curves of a stroke as one line of points, each of the shape's points moved at random.
fn trace(rng: &mut Rng, curves: &[Vec<[f32; 2]>], wobble: f32) -> Stroke {
    let mut line = Stroke::new();
    for curve in curves {
        let mut points: Stroke = curve.iter().map(|p| p.map(|v| v + wobble * rng.normal())).collect();
        // A corner is where the last curve ended.
        if let Some(&corner) = line.last() {
            points[0] = corner;
        }
        for i in 0..points.len() - 1 {
            let at = |k: usize| points[(i + k).saturating_sub(1).min(points.len() - 1)];
            let step = |t: usize| spline([at(0), at(1), at(2), at(3)], t as f32 / STEPS as f32);
            line.extend((usize::from(!line.is_empty())..=STEPS).map(step));
        }
    }
    line
}

/// Catmull and Rom's spline between the second and the third of four points. Catmull and Rom 1974.
fn spline(p: [[f32; 2]; 4], t: f32) -> [f32; 2] {
    [0, 1].map(|k| {
        let [a, b, c, d] = p.map(|p| p[k]);
        let (t2, t3) = (t * t, t * t * t);
        0.5 * (2.0 * b + (c - a) * t + (2.0 * a - 5.0 * b + 4.0 * c - d) * t2 + (3.0 * (b - c) + d - a) * t3)
    })
}

/// Moves each point half way to the middle of its neighbours, but for the ends.
fn smooth(line: &mut [[f32; 2]]) {
    let mut before = line[0];
    for i in 1..line.len() - 1 {
        let here = line[i];
        line[i] = [0, 1].map(|k| 0.25 * before[k] + 0.5 * here[k] + 0.25 * line[i + 1][k]);
        before = here;
    }
}
