//! What stands on poles: lamps, traffic signals, signs.

use super::SIGN;
use super::camera::{Across, Panel, Surface};
use crate::data::pictures::shade::{Colour, lit, mix, rgb};

/// Kinds of signs.
pub(super) const SIGNS: usize = 5;
const STEEL: Colour = rgb(0x8b9096);
const WHITE: Colour = rgb(0xf4f2ec);
const RED: Colour = rgb(0xc8302b);
const BLUE: Colour = rgb(0x1f5fae);

fn panel([x, z]: [f32; 2], reach: [f32; 2], height: f32, paint: super::camera::Paint) -> Panel {
    Panel { across: Across::Z, at: z, low: [x - reach[0], 0.0], high: [x + reach[1], height], facing: 0.6, paint }
}

fn steel(a: f32) -> Surface {
    Surface::new(SIGN, lit(STEEL, 0.9 + 1.5 * a))
}

/// A street lamp whose arm hangs over the road.
pub(super) fn lamp(place: [f32; 2], left: bool, strength: f32) -> Panel {
    let (high, arm) = (5.4, 1.7);
    let reach = if left { [0.14, arm] } else { [arm, 0.14] };
    let paint = move |[a, y]: [f32; 2]| {
        let a = a - reach[0];
        let out = if left { a } else { -a };
        if out > arm - 0.75 && y > high - 0.32 && y < high - 0.08 {
            return Some(Surface::shining(SIGN, mix(rgb(0xd8d8d0), rgb(0xfff0c8), strength), strength));
        }
        let pole = a.abs() < 0.12 || (out > 0.0 && y > high - 0.14);
        pole.then(|| steel(a.clamp(-0.12, 0.12)))
    };
    panel(place, reach, high, Box::new(paint))
}

/// A traffic signal, its three lights beside one another over the road.
pub(super) fn signal(place: [f32; 2], left: bool, green: bool) -> Panel {
    let (high, arm) = (4.6, 1.9);
    let reach = if left { [0.14, arm] } else { [arm, 0.14] };
    let paint = move |[a, y]: [f32; 2]| {
        let a = a - reach[0];
        let out = if left { a } else { -a };
        let (u, v) = (if left { a - (arm - 1.5) } else { a + arm }, y - (high - 0.55));
        if (0.0..1.5).contains(&u) && (0.0..0.55).contains(&v) {
            let lamp = (u / 0.5) as usize;
            let (dx, dy) = (u - 0.5 * lamp as f32 - 0.25, v - 0.275);
            let colours = [rgb(0x35d6a0), rgb(0xf0c53a), rgb(0xf0473c)];
            let on = lamp == if green { 0 } else { 2 };
            if dx * dx + dy * dy < 0.036 {
                let glow = if on { 1.0 } else { 0.0 };
                return Some(Surface::shining(SIGN, lit(colours[lamp], if on { 1.0 } else { 0.3 }), glow));
            }
            return Some(Surface::new(SIGN, rgb(0x2d3236)));
        }
        let pole = a.abs() < 0.13 || (out > 0.0 && y > high - 0.33 && y < high - 0.2);
        pole.then(|| steel(a.clamp(-0.12, 0.12)))
    };
    panel(place, reach, high, Box::new(paint))
}

/// A sign of one of [`SIGNS`] kinds on its pole.
pub(super) fn sign(place: [f32; 2], which: usize) -> Panel {
    let (middle, size) = (2.35, 0.46);
    let paint = move |[a, y]: [f32; 2]| {
        let (x, v) = ((a - 0.5) / size, (y - middle) / size);
        if let Some(colour) = plate(which, x, v) {
            // Plates are coated with what sends headlights back.
            return Some(Surface::shining(SIGN, colour, 0.12));
        }
        ((a - 0.5).abs() < 0.11 && y < middle).then(|| steel(a - 0.5))
    };
    panel(place, [0.5, 0.5], middle + size, Box::new(paint))
}

/// The colour of a plate at a place, 1 its edge.
fn plate(which: usize, x: f32, y: f32) -> Option<Colour> {
    let round = (x * x + y * y).sqrt();
    match which {
        // No entry of vehicles, a limit of speed: red rings.
        0 => (round < 1.0).then_some(if round > 0.72 { RED } else { WHITE }),
        1 => (round < 1.0).then(|| if y.abs() < 0.2 && x.abs() < 0.7 { WHITE } else { RED }),
        // Stop, as Japan has it: a triangle on its tip.
        2 => {
            let inside = y < 0.75 && x.abs() < 0.5 * (y + 1.0) * 1.15;
            inside.then(|| if y > 0.0 && y < 0.35 && x.abs() < 0.45 { WHITE } else { RED })
        }
        // A crossing: blue, with a white triangle.
        3 => {
            let edge = x.abs().max(y.abs());
            let white = y > -0.6 && y < 0.6 && x.abs() < 0.5 * (0.6 - y);
            (edge < 0.92).then_some(if white { WHITE } else { BLUE })
        }
        // A warning: yellow, on its corner.
        _ => {
            let edge = x.abs() + y.abs();
            (edge < 1.15)
                .then(|| if edge > 0.95 || (x.abs() < 0.1 && y.abs() < 0.5) { rgb(0x26221a) } else { rgb(0xf0bf2c) })
        }
    }
}
