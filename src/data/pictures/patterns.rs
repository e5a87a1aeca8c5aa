//! Patterns to borrow a hand from. Each has a look of its own in colour, line and scale.

use super::Paint;
use super::shade::*;
use crate::rng::Rng;
use std::f32::consts::TAU;

/// Crests upon crests: the nearer a row of waves, the lower and the larger it is, and the more rows lie behind it.
pub(super) fn waves(rng: &mut Rng, [_, h]: Point) -> Paint {
    let palettes = [
        [rgb(0xf3e9d2), rgb(0x0f2a4a), rgb(0x2f6690), rgb(0x9cc5d8)],
        [rgb(0xf6e7cf), rgb(0x14343b), rgb(0x2a7f78), rgb(0xa9d6c5)],
        [rgb(0xfbe3c8), rgb(0x31214f), rgb(0x5f4b8b), rgb(0xe0a9a0)],
    ];
    let ([sky, deep, middle, light], seed) = (pick(rng, &palettes), rng.bits());
    let rows = 11;
    Box::new(move |[x, y]| {
        let mut colour = mix(sky, lit(sky, 0.9), y / h);
        for row in 0..rows {
            let near = row as f32 / (rows - 1) as f32;
            let (length, height) = (lerp(0.16, 0.5, near), lerp(0.02, 0.085, near));
            let t = x / length + hash(row, 0, seed) + 0.15 * noise([3.0 * x, row as f32], seed);
            // A cycloid's crest: narrow tops, wide hollows.
            let top = height * (1.0 - 2.4 * libm::powf(libm::sinf(0.5 * TAU * t).abs(), 0.7));
            let d = y - (h * lerp(0.16, 0.98, near) + top + 0.012 * noise([9.0 * x, 7.0 * near], seed ^ 1));
            if d < 0.0 {
                continue;
            }
            let ring = d / lerp(0.02, 0.05, near);
            let body = mix(middle, deep, step(0.0, 5.0, ring));
            let striped = mix(body, light, 0.8 * line(to_whole(ring), 0.16, 0.06) * (1.0 - step(3.5, 5.5, ring)));
            let foam = 0.45 + 0.5 * noise([40.0 * x, 40.0 * y], seed ^ 2) * lerp(0.5, 1.0, near);
            colour = mix(rgb(0xfdfaf2), striped, step(foam - 0.12, foam + 0.12, ring));
        }
        colour
    })
}

/// Bends the plane by noise, and the bent plane once more. Quilez 2002, "Domain warping".
fn warped([x, y]: Point, amount: f32, seed: u32) -> Point {
    let by = |p: Point, salt: u32| clouds(p, 3, seed ^ salt) - 0.5;
    let q = [x + amount * by([x, y], 1), y + amount * by([x, y], 2)];
    [x + amount * by([2.0 * q[0], 2.0 * q[1]], 3), y + amount * by([2.0 * q[0], 2.0 * q[1]], 4)]
}

/// Rings of ink and water about a few drops, drawn out by a comb of air.
pub(super) fn marbling(rng: &mut Rng, [w, h]: Point) -> Paint {
    let palettes = [
        [rgb(0xf7f3e8), rgb(0x16233f), rgb(0x3d5a80), rgb(0xc8553d), rgb(0x98b6c4)],
        [rgb(0xf8f1e4), rgb(0x24221f), rgb(0x6b6a63), rgb(0xb23a48), rgb(0xcfc8b8)],
        [rgb(0xf4efe6), rgb(0x1b4332), rgb(0x52796f), rgb(0xe09f3e), rgb(0xa9c5a0)],
    ];
    let (palette, seed) = (pick(rng, &palettes), rng.bits());
    let drops: Vec<Point> = (0..4).map(|_| [rng.range(0.0, w), rng.range(0.0, h)]).collect();
    Box::new(move |p| {
        let q = warped(p, 0.7, seed);
        let nearest = drops.iter().map(|&d| distance(q, d)).fold(f32::MAX, |a, b| a.min(b));
        let t = 17.0 * nearest + 1.2 * noise([3.0 * q[0], 3.0 * q[1]], seed ^ 9);
        let ring = t.floor();
        let ink = palette[1 + (4.0 * hash(ring as i32, 7, seed)) as usize % 4];
        let thick = 0.22 + 0.5 * hash(ring as i32, 8, seed);
        let drawn = line(t - ring - 0.5, 0.5 * thick, 0.07);
        mix(palette[0], ink, drawn * (0.75 + 0.25 * noise([30.0 * p[0], 30.0 * p[1]], seed ^ 5)))
    })
}

/// Short strokes along a field of whirls: noise smeared along the flow. Cabral and Leedom 1993, line integral convolution.
pub(super) fn starry(rng: &mut Rng, [w, h]: Point) -> Paint {
    let palettes = [
        [rgb(0x0d1b3e), rgb(0x1f4287), rgb(0x4f86c6), rgb(0xa9c9e8), rgb(0xf6d860)],
        [rgb(0x1a1530), rgb(0x47337a), rgb(0x8f5fa8), rgb(0xe0a4b8), rgb(0xffd98a)],
        [rgb(0x0c2b2b), rgb(0x1e5f5b), rgb(0x4fa095), rgb(0xc4e3c9), rgb(0xf3c969)],
    ];
    let (palette, seed) = (pick(rng, &palettes), rng.bits());
    let stars: Vec<(Point, f32)> =
        (0..7).map(|i| ([rng.range(0.0, w), rng.range(0.0, h)], if i < 3 { 0.22 } else { 0.1 })).collect();
    Box::new(move |p| {
        let flow = |p: Point| {
            let angle = 2.2 * TAU * (clouds([1.1 * p[0], 1.1 * p[1]], 2, seed) - 0.5);
            let mut v = [libm::cosf(angle), 0.5 * libm::sinf(angle)];
            for (centre, size) in &stars {
                let (dx, dy) = (p[0] - centre[0], p[1] - centre[1]);
                let d2 = (dx * dx + dy * dy) / (size * size);
                let pull = 4.0 / (1.0 + d2 * d2);
                v = [v[0] - pull * dy / size, v[1] + pull * dx / size];
            }
            let length = (v[0] * v[0] + v[1] * v[1]).sqrt().max(1e-4);
            v.map(|v| 0.006 * v / length)
        };
        let grain = |p: Point| noise([75.0 * p[0], 75.0 * p[1]], seed ^ 3);
        let mut smeared = grain(p);
        for sense in [-1.0, 1.0] {
            let mut q = p;
            for _ in 0..6 {
                let v = flow(q);
                q = [q[0] + sense * v[0], q[1] + sense * v[1]];
                smeared += grain(q);
            }
        }
        let stroke = step(0.3, 0.7, smeared / 13.0);
        let glow: f32 = stars.iter().map(|(c, size)| libm::expf(-4.0 * distance(p, *c) / size)).sum();
        let tone = 0.42 * clouds([1.6 * p[0], 1.6 * p[1]], 3, seed ^ 4) + 0.4 * stroke + 0.7 * glow;
        lit(along(&palette, tone), 0.82 + 0.3 * stroke)
    })
}

/// Small stones in mortar, their colours drifting over the wall.
pub(super) fn mosaic(rng: &mut Rng, _: Point) -> Paint {
    let palettes = [
        [rgb(0x1d3557), rgb(0x2a7f9e), rgb(0x86c5c9), rgb(0xf1e3c4), rgb(0xe07a3f), rgb(0xa62c2b)],
        [rgb(0x283618), rgb(0x606c38), rgb(0xa5a58d), rgb(0xfefae0), rgb(0xdda15e), rgb(0xbc6c25)],
        [rgb(0x2b2d42), rgb(0x4a5a8a), rgb(0x8d99ae), rgb(0xedf2f4), rgb(0xef8354), rgb(0xd1384a)],
    ];
    let (palette, seed, scale) = (pick(rng, &palettes), rng.bits(), rng.range(15.0, 19.0));
    Box::new(move |[x, y]| {
        let p = [x * scale, y * scale];
        let (near, next, (i, j)) = cells(p, 0.55, seed);
        let drift = clouds([0.12 * i as f32, 0.12 * j as f32], 2, seed ^ 1);
        let stone = along(&palette, step(0.2, 0.8, drift) + 0.3 * (hash(i, j, seed ^ 2) - 0.5));
        let worn = 0.9 + 0.2 * hash(i, j, seed ^ 3) - 0.18 * near + 0.06 * noise([9.0 * p[0], 9.0 * p[1]], seed);
        mix(rgb(0xd8cfbf), lit(stone, worn), step(0.06, 0.16, next - near))
    })
}

/// Scales of rings, each row laid over the one above.
pub(super) fn seigaiha(rng: &mut Rng, _: Point) -> Paint {
    let palettes = [[rgb(0x123a63), rgb(0xf4efe1)], [rgb(0x8c1c2b), rgb(0xf6e9d8)], [rgb(0x1f4d3f), rgb(0xf2ead3)]];
    let ([ink, paper], seed, scale) = (pick(rng, &palettes), rng.bits(), rng.range(4.0, 5.0));
    Box::new(move |[x, y]| {
        let (x, y) = (x * scale, y * scale);
        // Rows of discs, half as wide as apart, a quarter below each other; the lowest that covers the place is seen.
        let lowest = (4.0 * (y + 0.5)).floor() as i32;
        for row in (lowest - 4..=lowest).rev() {
            let shift = if row & 1 == 0 { 0.0 } else { 0.5 };
            let column = (x - shift + 0.5).floor();
            let d = 2.0 * distance([x, y], [column + shift, 0.25 * row as f32]);
            if d <= 1.0 {
                let tone = 0.16 * noise([7.0 * x, 7.0 * y], seed) + 0.14 * hash(column as i32, row, seed);
                let ring = line(to_whole(3.5 * d), 0.17, 0.05);
                return mix(mix(ink, paper, tone), paper, ring.max(step(0.95, 0.98, d)));
            }
        }
        paper
    })
}

/// Pen lines, and where the tone is darker others across them.
pub(super) fn hatching(rng: &mut Rng, _: Point) -> Paint {
    let inks = [[rgb(0x22201c), rgb(0xf5efe0)], [rgb(0x3b2417), rgb(0xf3e7d3)], [rgb(0x1c2b3a), rgb(0xf1f0ea)]];
    let ([ink, paper], seed, scale) = (pick(rng, &inks), rng.bits(), rng.range(30.0, 36.0));
    let first = rng.range(0.5, 0.9);
    Box::new(move |p| {
        let dark = 0.85 * step(0.25, 0.8, clouds([2.4 * p[0], 2.4 * p[1]], 3, seed));
        let mut cover = 0.0f32;
        for layer in 0..4 {
            let angle = first + layer as f32 * 0.9;
            let [u, v] = turned(p, angle);
            let u = u * scale + 0.5 * noise([6.0 * u, 3.0 * v], seed ^ layer);
            let stroke =
                hash(u.floor() as i32, (2.5 * v + hash(u.floor() as i32, 0, seed)).floor() as i32, seed ^ layer);
            let press = dark - 0.2 * layer as f32 - 0.2 * stroke;
            cover = cover.max(line(u - u.floor() - 0.5, 0.36 * press, 0.1) * step(0.0, 0.06, press));
        }
        mix(paper, ink, 0.92 * cover)
    })
}

/// Lines cut along the heights of a land, thicker where it lies in shade.
pub(super) fn woodcut(rng: &mut Rng, _: Point) -> Paint {
    let inks = [[rgb(0x1b1b1b), rgb(0xf2e8d5), rgb(0xd9532c)], [rgb(0x14213d), rgb(0xf4ead7), rgb(0xe0a030)]];
    let ([ink, paper, accent], seed, lines) = (pick(rng, &inks), rng.bits(), rng.range(17.0, 21.0));
    Box::new(move |p| {
        let height = |x: f32, y: f32| clouds([1.7 * x, 1.7 * y], 3, seed);
        let here = height(p[0], p[1]);
        let shade = step(-0.03, 0.03, height(p[0] + 0.02, p[1] + 0.02) - here);
        let t = lines * here + 0.2 * noise([14.0 * p[0], 14.0 * p[1]], seed ^ 1);
        let ground = mix(paper, accent, step(0.6, 0.62, here));
        mix(ground, ink, line(to_whole(t), lerp(0.1, 0.38, shade), 0.07))
    })
}

/// Dots of unmixed colour that mix in the eye.
pub(super) fn points(rng: &mut Rng, _: Point) -> Paint {
    let palettes = [
        [rgb(0x264f9b), rgb(0x3fa7a3), rgb(0xf2c14e), rgb(0xe8743b), rgb(0xc63d5e), rgb(0x6a3d8f)],
        [rgb(0x1f6f54), rgb(0x86b049), rgb(0xf4d35e), rgb(0xee964b), rgb(0xf95738), rgb(0x1d4e89)],
    ];
    let (palette, seed, scale) = (pick(rng, &palettes), rng.bits(), rng.range(24.0, 28.0));
    Box::new(move |p| {
        let mut colour = rgb(0xf4ecd8);
        for layer in 0..3 {
            let salt = seed ^ (layer * 0x1234_5671);
            let q = [p[0] * scale + 0.37 * layer as f32, p[1] * scale + 0.61 * layer as f32];
            let (near, _, (i, j)) = cells(q, 0.8, salt);
            let drift = clouds([0.09 * i as f32, 0.09 * j as f32], 2, seed) + 0.5 * (hash(i, j, salt ^ 2) - 0.5);
            let dot = palette[(6.0 * step(0.1, 0.9, drift) * 0.999) as usize];
            colour = mix(colour, dot, 0.95 * line(near, 0.3 + 0.12 * hash(i, j, salt ^ 3), 0.06));
        }
        colour
    })
}

/// Hemp leaves: a grid of triangles, the corners of each joined to its middle.
pub(super) fn asanoha(rng: &mut Rng, _: Point) -> Paint {
    let palettes = [
        [rgb(0x9c2733), rgb(0xb7434b), rgb(0xf7ead9)],
        [rgb(0x25466b), rgb(0x3d6490), rgb(0xf3ede0)],
        [rgb(0x3f5d3a), rgb(0x5e7f52), rgb(0xf4ecd8)],
    ];
    let ([deep, light, thread], seed, scale) = (pick(rng, &palettes), rng.bits(), rng.range(3.6, 4.6));
    Box::new(move |[x, y]| {
        // In a basis of two sides of a triangle, each unit square is two triangles.
        let v = y * scale / 0.866_025_4;
        let u = x * scale - 0.5 * v;
        let (i, j) = (u.floor(), v.floor());
        let upper = (u - i) + (v - j) > 1.0;
        let place = |a: f32, b: f32| [a + 0.5 * b, 0.866_025_4 * b];
        let corners = if upper { [(1.0, 0.0), (0.0, 1.0), (1.0, 1.0)] } else { [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)] };
        let corners = corners.map(|(a, b)| place(a, b));
        let middle = [0, 1].map(|k| (corners[0][k] + corners[1][k] + corners[2][k]) / 3.0);
        let p = place(u - i, v - j);
        let spokes = (0..3).map(|k| to_segment(p, corners[k], middle).0);
        let sides = (0..3).map(|k| to_segment(p, corners[k], corners[(k + 1) % 3]).0);
        let near = spokes.chain(sides).fold(f32::MAX, |a, b| a.min(b));
        let cloth =
            mix(deep, light, noise([3.0 * x, 3.0 * y], seed) + 0.25 * noise([90.0 * x, 90.0 * y], seed ^ 1) - 0.1);
        mix(cloth, thread, line(near, 0.026, 0.012))
    })
}
