//! Cars, vans and lorries: boxes with wheels, windows and lights.

use super::camera::{Across, Panel, Surface};
use super::{CAR, ROAD};
use crate::data::pictures::shade::{Colour, hash, lit, mix, rgb};

/// One vehicle.
#[derive(Debug, Clone, Copy)]
pub(super) struct Car {
    pub seed: u32,
    /// It comes towards the camera: its front is seen.
    pub towards: bool,
    /// How strongly its headlights shine.
    pub lamps: f32,
}

const PAINTS: [Colour; 9] = [
    rgb(0xf1f1ee),
    rgb(0x24272c),
    rgb(0xb8bec4),
    rgb(0xb3262a),
    rgb(0x24508f),
    rgb(0x4c7f78),
    rgb(0xd8b14a),
    rgb(0x7a3f52),
    rgb(0x8a9aa6),
];
const TYRE: Colour = rgb(0x18191b);
const GLASS: Colour = rgb(0x26313b);

/// Length, width, the height of the body, of the cabin above it, and how far the cabin stands back at the near end.
const KINDS: [[f32; 5]; 4] = [
    [4.3, 1.72, 0.9, 0.58, 0.55],
    [3.5, 1.56, 1.0, 0.85, 0.12],
    [4.6, 1.78, 0.98, 0.62, 0.2],
    [6.0, 2.1, 2.55, 0.0, 0.0],
];

/// Puts a vehicle on the road, its near end at a place (x, z).
pub(super) fn draw(all: &mut Vec<Panel>, [x, z]: [f32; 2], car: Car) {
    let kind = KINDS[[0, 0, 0, 1, 1, 2, 2, 3][(hash(0, 5, car.seed) * 8.0) as usize]];
    let [long, wide, body, cabin, back] = kind;
    let paint = PAINTS[(hash(1, 5, car.seed) * PAINTS.len() as f32) as usize];
    let half = 0.5 * wide;
    let plane = |across, at, low, high, facing, paint| Panel { across, at, low, high, facing, paint };
    let end = Box::new(move |p| near_end(car, kind, paint, p));
    all.push(plane(Across::Z, z, [x - half, 0.0], [x + half, body], 0.5, end));
    for (at, facing) in [(x - half, 0.1), (x + half, 0.95)] {
        let side = Box::new(move |p| side(kind, paint, p));
        all.push(plane(Across::X, at, [z, 0.0], [z + long, body], facing, side));
    }
    let top = Box::new(move |_| Some(Surface::new(CAR, lit(paint, 1.12))));
    all.push(plane(Across::Y, body, [x - half, z], [x + half, z + long], 0.9, top));
    if cabin > 0.0 {
        let (from, to) = (z + back, z + long - if car.towards { back.max(0.3) } else { 1.15 });
        let narrow = half - 0.08;
        let screen = Box::new(move |p| screen(narrow, cabin, paint, p));
        all.push(plane(Across::Z, from, [x - narrow, body], [x + narrow, body + cabin], 0.5, screen));
        for (at, facing) in [(x - narrow, 0.1), (x + narrow, 0.95)] {
            let windows = Box::new(move |p| windows(to - from, cabin, paint, p));
            all.push(plane(Across::X, at, [from, body], [to, body + cabin], facing, windows));
        }
    }
    let shade = Box::new(move |[a, b]: [f32; 2]| {
        let edge = (a.min(wide + 0.3 - a)).min(b.min(long + 0.3 - b));
        (edge > 0.12).then(|| Surface::new(ROAD, rgb(0x1d1f22)))
    });
    all.push(plane(Across::Y, 0.015, [x - half - 0.15, z - 0.15], [x + half + 0.15, z + long + 0.15], 0.2, shade));
}

fn near_end(car: Car, [_, wide, body, cabin, _]: [f32; 5], paint: Colour, [a, y]: [f32; 2]) -> Option<Surface> {
    let out = (a - 0.5 * wide).abs() / (0.5 * wide);
    if y < 0.3 {
        return (out > 0.66 && out < 0.97).then(|| Surface::new(CAR, TYRE));
    }
    if y < 0.42 {
        return Some(Surface::new(CAR, lit(paint, 0.45)));
    }
    if out < 0.26 && y > 0.46 && y < 0.6 {
        return Some(Surface::new(CAR, rgb(0xe9e7da)));
    }
    if cabin == 0.0 && y > 0.8 {
        // A lorry's doors, or its windscreen.
        let glass = car.towards && y > 1.35 && y < 2.2 && out < 0.86;
        let seam = !car.towards && out < 0.03;
        let shade = if seam { 0.6 } else { 0.95 };
        return Some(Surface::new(
            CAR,
            if glass { mix(GLASS, rgb(0x7d93a5), 0.4 * (y - 1.35)) } else { lit(paint, shade) },
        ));
    }
    if out > 0.62 && out < 0.95 && y > 0.6 && y < 0.6 + 0.26 * body.min(1.0) {
        if car.towards {
            let colour = mix(rgb(0xdfe6ea), rgb(0xfffbe8), car.lamps);
            return Some(Surface::shining(CAR, colour, car.lamps.min(1.0)));
        }
        return Some(Surface::shining(CAR, mix(rgb(0xa01f1d), rgb(0xff4a3c), car.lamps), 0.35 + 0.65 * car.lamps));
    }
    if car.towards && out < 0.55 && y > 0.62 && y < 0.76 {
        return Some(Surface::new(CAR, rgb(0x2a2d30)));
    }
    Some(Surface::new(CAR, lit(paint, 0.8 + 0.25 * y)))
}

fn side([long, _, body, cabin, _]: [f32; 5], paint: Colour, [a, y]: [f32; 2]) -> Option<Surface> {
    for wheel in [0.75, long - 0.8] {
        let (dx, dy) = (a - wheel, y - 0.33);
        let r2 = dx * dx + dy * dy;
        if r2 < 0.33 * 0.33 {
            return Some(Surface::new(CAR, if r2 < 0.17 * 0.17 { rgb(0xa9adb2) } else { TYRE }));
        }
    }
    if y < 0.28 {
        return None;
    }
    let seam = cabin > 0.0 && (a - 0.52 * long).abs() < 0.02;
    let shade = if y < 0.42 { 0.6 } else { 0.86 + 0.2 * y / body };
    Some(Surface::new(CAR, lit(paint, if seam { 0.6 } else { shade })))
}

/// The rear window or the windscreen, narrower above.
fn screen(half: f32, cabin: f32, paint: Colour, [a, y]: [f32; 2]) -> Option<Surface> {
    let (out, up) = ((a - half).abs(), y / cabin);
    let edge = half - 0.16 * up;
    if out > edge {
        return None;
    }
    let glass = out < edge - 0.1 && up > 0.08 && up < 0.86;
    let sky = mix(GLASS, rgb(0x8fa6b8), 0.15 + 0.45 * up * up);
    Some(Surface::new(CAR, if glass { sky } else { lit(paint, 0.95) }))
}

fn windows(long: f32, cabin: f32, paint: Colour, [a, y]: [f32; 2]) -> Option<Surface> {
    let up = y / cabin;
    let lean = 0.3 * up;
    if a < lean || a > long - 1.3 * lean {
        return None;
    }
    let pillar = (a - 0.5 * long).abs() < 0.06 || a < lean + 0.1 || a > long - 1.3 * lean - 0.1;
    let glass = !pillar && up > 0.06 && up < 0.85;
    Some(Surface::new(CAR, if glass { mix(GLASS, rgb(0x7c92a3), 0.4 * up) } else { lit(paint, 0.95) }))
}
