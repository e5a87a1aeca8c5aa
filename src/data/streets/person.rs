//! People on foot, cut out of card: head, coat, two legs that walk, an umbrella when it rains.

use super::PERSON;
use super::camera::{Across, Panel, Surface};
use crate::data::pictures::shade::{Colour, hash, lit, rgb};
use std::f32::consts::TAU;

const COATS: [Colour; 8] = [
    rgb(0xc23b34),
    rgb(0x2b4f86),
    rgb(0xe0b23c),
    rgb(0x3f7f5f),
    rgb(0xe9e4da),
    rgb(0x6a4a86),
    rgb(0x2a2d33),
    rgb(0xd57a3a),
];
const TROUSERS: [Colour; 4] = [rgb(0x23293a), rgb(0x4a4238), rgb(0x5a6472), rgb(0x1c1c20)];
const SKIN: [Colour; 3] = [rgb(0xeac3a2), rgb(0xc99873), rgb(0x8d5f42)];

fn of(list: &[Colour], question: i32, seed: u32) -> Colour {
    list[(hash(question, 3, seed) * list.len() as f32) as usize]
}

/// Somebody at a place (x, z), `walked` metres into their way.
pub(super) fn draw([x, z]: [f32; 2], walked: f32, umbrella: bool, seed: u32) -> Panel {
    let tall = 1.5 + 0.35 * hash(0, 3, seed);
    let half = 0.36 * tall;
    let [coat, legs, skin, cloth] =
        [of(&COATS, 1, seed), of(&TROUSERS, 2, seed), of(&SKIN, 3, seed), of(&COATS, 4, seed)];
    let stride = 0.1 * libm::sinf(TAU * walked / 1.4);
    let paint = move |[a, y]: [f32; 2]| {
        let (a, y) = ((a - half) / tall, y / tall);
        let colour = if umbrella && y > 1.02 {
            let dome = 1.02 + 0.2 * (1.0 - (a / 0.34) * (a / 0.34));
            (y < dome).then(|| lit(cloth, 0.8 + 0.5 * (a + 0.3)))
        } else {
            body(a, y, stride, [coat, legs, skin])
                .or_else(|| (umbrella && (a - 0.11).abs() < 0.014 && y > 0.6 && y < 1.1).then(|| rgb(0x30343a)))
        };
        colour.map(|colour| Surface::new(PERSON, colour))
    };
    Panel {
        across: Across::Z,
        at: z,
        low: [x - half, 0.0],
        high: [x + half, 1.25 * tall],
        facing: 0.7,
        paint: Box::new(paint),
    }
}

/// The colour of a body at a place in units of its height, `a` from its middle.
fn body(a: f32, y: f32, stride: f32, [coat, legs, skin]: [Colour; 3]) -> Option<Colour> {
    let head = (a * a + (y - 0.915) * (y - 0.915)).sqrt();
    if head < 0.085 {
        return Some(if y > 0.93 { lit(rgb(0x2a211d), 1.0 + a) } else { skin });
    }
    if y > 0.84 {
        return None;
    }
    if y > 0.46 {
        let arm = 0.165 - 0.03 * (y - 0.46) / 0.38;
        let trunk = if y > 0.78 { 0.135 } else { 0.115 };
        if a.abs() < trunk {
            return Some(lit(coat, 0.92 + 0.9 * a));
        }
        return (a.abs() < arm + 0.02).then(|| lit(coat, 0.75 + 0.5 * a));
    }
    let spread = stride * (1.0 - y / 0.46);
    let leg = |side: f32| (a - side * 0.055 - side * spread).abs() < 0.056;
    let shade = if leg(1.0) { 1.0 } else { 0.75 };
    (leg(1.0) || leg(-1.0)).then(|| if y < 0.04 { rgb(0x17171a) } else { lit(legs, shade) })
}
