//! Houses: blocks with shops and rows of windows, and low ones under tiled roofs.

use super::BUILDING;
use super::camera::{Across, Panel, Surface};
use super::town::LOT;
use crate::data::pictures::shade::{Colour, hash, lit, mix, noise, rgb};

/// One house on its lot.
#[derive(Debug, Clone, Copy)]
pub(super) struct House {
    /// The x of its front.
    pub front: f32,
    /// Of the road; its front then faces right.
    pub left: bool,
    /// Where its lot begins.
    pub z: f32,
    pub height: f32,
    /// Low, with a tiled roof.
    pub low: bool,
    /// The part of its windows that are lit.
    pub lit: f32,
    pub seed: u32,
}

const WALLS: [Colour; 9] = [
    rgb(0xd9c8a9),
    rgb(0xa85f45),
    rgb(0x9aa3a8),
    rgb(0xb9c6cf),
    rgb(0xe6dfd0),
    rgb(0x8a7663),
    rgb(0xc79a6b),
    rgb(0xcfa8a0),
    rgb(0x7f8c92),
];
const ROOFS: [Colour; 4] = [rgb(0x3f4a57), rgb(0x5a4a44), rgb(0x4d5d5a), rgb(0x7a4038)];
const AWNINGS: [Colour; 5] = [rgb(0xb63a33), rgb(0x2f5f7f), rgb(0x3e7a56), rgb(0xd09a35), rgb(0x5a4a78)];
/// How far a house reaches back from the street, and between its wall and its neighbour's.
const DEEP: f32 = 9.0;
const GAP: f32 = 0.5;
/// The height of the ground floor and of those above it.
const GROUND: f32 = 3.2;
const FLOOR: f32 = 3.0;

/// Puts up a house: its front along the street and the side that the camera comes upon.
pub(super) fn draw(all: &mut Vec<Panel>, house: House) {
    let (from, to) = (house.z + GAP * hash(1, 0, house.seed), house.z + LOT - GAP);
    let long = to - from;
    let roof = if house.low { 1.5 + 0.5 * hash(2, 0, house.seed) } else { 0.0 };
    all.push(Panel {
        across: Across::X,
        at: house.front,
        low: [from, 0.0],
        high: [to, house.height + roof],
        facing: if house.left { 0.95 } else { 0.1 },
        paint: Box::new(move |p| front(house, long, roof, p)),
    });
    let (low, high) = if house.left { (house.front - DEEP, house.front) } else { (house.front, house.front + DEEP) };
    all.push(Panel {
        across: Across::Z,
        at: from,
        low: [low, 0.0],
        high: [high, house.height + roof],
        facing: 0.4,
        paint: Box::new(move |p| side(house, roof, p)),
    });
}

fn wall(house: House, [a, y]: [f32; 2]) -> Colour {
    let base = WALLS[(hash(3, 0, house.seed) * WALLS.len() as f32) as usize];
    let rough = 0.93 + 0.1 * noise([1.3 * a, 1.7 * y], house.seed) + 0.05 * noise([0.4 * a, 9.0 * y], house.seed ^ 7);
    lit(base, rough - 0.16 * (1.0 - (y / 1.2).min(1.0)))
}

fn tiles([a, y]: [f32; 2], seed: u32) -> Surface {
    let colour = ROOFS[(hash(4, 0, seed) * ROOFS.len() as f32) as usize];
    let row = (3.0 * y).fract();
    Surface::new(BUILDING, lit(colour, 0.82 + 0.25 * row + 0.12 * noise([4.0 * a, 3.0 * y], seed)))
}

fn front(house: House, long: f32, roof: f32, [a, y]: [f32; 2]) -> Option<Surface> {
    if y > house.height {
        // A hipped roof: its ends lean in.
        let lean = 1.4 * (y - house.height) / roof;
        return (a > lean && a < long - lean).then(|| tiles([a, y], house.seed));
    }
    let colour = wall(house, [a, y]);
    if y > house.height - 0.35 {
        return Some(Surface::new(BUILDING, lit(colour, if house.low { 0.6 } else { 1.12 })));
    }
    if y < GROUND {
        return Some(ground_floor(house, long, [a, y], colour));
    }
    Some(window(house, [a, y - GROUND], colour, 2.0 + 1.2 * hash(5, 0, house.seed)))
}

/// A window in each cell of a wall, with its frame.
fn window(house: House, [a, y]: [f32; 2], wall: Colour, wide: f32) -> Surface {
    let (i, j) = ((a / wide).floor(), (y / FLOOR).floor());
    let (u, v) = (a / wide - i, y / FLOOR - j);
    let (across, up) = ((u - 0.5).abs(), (v - 0.52).abs());
    if across > 0.33 || up > 0.31 {
        return Surface::new(BUILDING, wall);
    }
    if across > 0.29 || up > 0.27 || across < 0.015 {
        return Surface::new(BUILDING, mix(wall, rgb(0xf2efe8), 0.6));
    }
    glass(house, hash(i as i32, j as i32, house.seed ^ 11), v)
}

/// Glass mirrors the sky by day; a lit room shines through it.
fn glass(house: House, chance: f32, v: f32) -> Surface {
    if chance < house.lit {
        let warm = mix(rgb(0xffd68a), rgb(0xfff1cf), chance / house.lit.max(1e-3));
        return Surface::shining(BUILDING, lit(warm, 0.8 + 0.2 * v), 0.85);
    }
    Surface::new(BUILDING, mix(rgb(0x3a4754), rgb(0x8ea4b5), 0.35 * chance + 0.5 * v * v))
}

fn ground_floor(house: House, long: f32, [a, y]: [f32; 2], wall: Colour) -> Surface {
    let chance = hash(6, 0, house.seed);
    if chance < 0.35 || house.low {
        // A door in the wall, windows beside it.
        let door = 1.5 + (long - 3.0) * hash(7, 0, house.seed);
        if (a - door).abs() < 0.55 && y < 2.2 {
            let wood = mix(rgb(0x6b4630), rgb(0x35506b), chance);
            return Surface::new(BUILDING, lit(wood, if (a - door).abs() > 0.45 { 1.3 } else { 0.9 }));
        }
        return window(house, [a, y], wall, 2.4);
    }
    let awning = AWNINGS[(hash(8, 0, house.seed) * AWNINGS.len() as f32) as usize];
    if y > 2.35 && y < 3.0 {
        let stripe = (a / 0.6).fract() < 0.5;
        let cloth = if stripe { awning } else { mix(awning, rgb(0xf6f0e4), 0.85) };
        return Surface::new(BUILDING, lit(cloth, 0.75 + 0.4 * (y - 2.35)));
    }
    let (u, inside) = ((a / 1.7).fract(), a > 0.5 && a < long - 0.5 && y > 0.45 && y < 2.35);
    if !inside || !(0.06..0.94).contains(&u) {
        return Surface::new(BUILDING, lit(wall, 0.8));
    }
    // Shops are lit when the first windows are.
    glass(House { lit: (3.0 * house.lit).min(0.9), ..house }, hash((a / 1.7) as i32, 9, house.seed), 0.3 * y)
}

fn side(house: House, roof: f32, [a, y]: [f32; 2]) -> Option<Surface> {
    if y > house.height {
        let lean = 0.5 * DEEP * (y - house.height) / roof;
        return (a > lean && a < DEEP - lean).then(|| tiles([a, y], house.seed));
    }
    let colour = lit(wall(house, [a + 31.0, y]), 0.88);
    if y < GROUND || y > house.height - 0.9 {
        return Some(Surface::new(BUILDING, colour));
    }
    Some(window(house, [a, y - GROUND], colour, 3.0))
}
