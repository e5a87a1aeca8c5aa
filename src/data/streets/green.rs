//! Trees and hedges.

use super::TREE;
use super::camera::{Across, Panel, Surface};
use super::town::LOT;
use crate::data::pictures::shade::{Colour, hash, lit, mix, noise, rgb};

/// A tree at a place (x, z) whose crown has this radius.
pub(super) fn tree([x, z]: [f32; 2], radius: f32, seed: u32, leaves: [Colour; 2]) -> Panel {
    let trunk = 1.5 + 0.9 * hash(0, 0, seed);
    let height = trunk + 1.75 * radius;
    // Three balls of leaves: a large one between two that lean out.
    let balls = [0.0, -0.48, 0.5].map(|out| {
        let small = if out == 0.0 { 0.82 } else { 0.58 + 0.12 * hash(1, (10.0 * out) as i32, seed) };
        [out * radius, trunk + radius * if out == 0.0 { 0.95 } else { 0.55 }, small * radius]
    });
    let paint = move |[a, y]: [f32; 2]| {
        let a = a - radius * 1.2;
        let ragged = 0.24 * (noise([5.0 * a + 40.0, 5.0 * y], seed) - 0.5);
        let inside = |[x, h, r]: [f32; 3]| {
            let (dx, dy) = ((a - x) / r, (y - h) / r);
            (dx * dx + dy * dy < (1.0 + ragged) * (1.0 + ragged)).then_some(0.5 + 0.5 * (0.8 * dy + 0.35 * dx))
        };
        let light = balls.into_iter().filter_map(inside).fold(f32::MIN, f32::max);
        if light > f32::MIN {
            let leaf = noise([9.0 * a + 20.0, 9.0 * y], seed ^ 1);
            let colour = mix(leaves[0], leaves[1], (0.75 * light + 0.5 * (leaf - 0.35)).clamp(0.0, 1.0));
            return Some(Surface::new(TREE, lit(colour, 0.72 + 0.4 * light)));
        }
        let half = 0.13 + 0.05 * (1.0 - y / trunk).max(0.0);
        let bark = lit(rgb(0x66503d), 0.8 + 0.4 * noise([12.0 * a, 3.0 * y], seed));
        (a.abs() < half && y < trunk + 0.3).then(|| Surface::new(TREE, bark))
    };
    Panel {
        across: Across::Z,
        at: z,
        low: [x - 1.2 * radius, 0.0],
        high: [x + 1.2 * radius, height + 0.3 * radius],
        facing: 0.7,
        paint: Box::new(paint),
    }
}

/// A hedge along a lot that has no house.
pub(super) fn hedge(front: f32, z: f32, left: bool, seed: u32, leaves: [Colour; 2]) -> Panel {
    let height = 0.9 + 0.5 * hash(2, 0, seed);
    let paint = move |[a, y]: [f32; 2]| {
        let top = height + 0.22 * noise([3.0 * a, 0.0], seed);
        let leaf = noise([7.0 * a, 8.0 * y], seed ^ 3);
        // Hedges keep their leaves green whatever the season.
        let green = mix(mix(rgb(0x2d5a32), leaves[0], 0.25), rgb(0x6d9a50), leaf * (0.4 + 0.6 * y / height));
        (y < top).then(|| Surface::new(TREE, lit(green, 0.7 + 0.35 * y / height)))
    };
    Panel {
        across: Across::X,
        at: front,
        low: [z, 0.0],
        high: [z + LOT, height + 0.3],
        facing: if left { 0.9 } else { 0.15 },
        paint: Box::new(paint),
    }
}
