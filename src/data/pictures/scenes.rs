//! Scenes: a few large forms that a person knows again in any hand.

use super::Paint;
use super::shade::*;
use crate::data::synth;
use crate::rng::Rng;
use std::f32::consts::TAU;

/// Ridges behind ridges, each paler than the one before it, over a lake that mirrors them.
pub(super) fn mountains(rng: &mut Rng, [w, h]: Point) -> Paint {
    let palettes = [
        [rgb(0xf8d9a8), rgb(0x8fb3cf), rgb(0x27415f), rgb(0xd9573b)],
        [rgb(0xf6c6b0), rgb(0x9a8fbf), rgb(0x33295a), rgb(0xf3e3a0)],
        [rgb(0xe8f0ea), rgb(0x8fb8ad), rgb(0x1f4a45), rgb(0xe9a23b)],
    ];
    let ([low, high, near, sun_colour], seed) = (pick(rng, &palettes), rng.bits());
    let sun = [w * rng.range(0.55, 0.8), h * rng.range(0.2, 0.3)];
    let lake = 0.74 * h;
    Box::new(move |[x, y]| {
        let mirrored = y > lake;
        let depth = (y - lake).max(0.0);
        let ripple = if mirrored { 0.012 * (noise([7.0 * x, 70.0 * y], seed) - 0.5) } else { 0.0 };
        let (x, y) = if mirrored { (x + 2.0 * ripple, lake - 0.9 * depth + ripple) } else { (x, y) };
        let mut colour = mix(high, low, step(0.0, lake, y));
        colour = mix(colour, sun_colour, line(distance([x, y], sun), 0.085, 0.003));
        for ridge in 0..5 {
            let t = ridge as f32 / 4.0;
            let rough = clouds([lerp(1.8, 3.2, t) * x + 9.0 * t, 3.0 * t], 5, seed ^ ridge);
            let top = lake - lerp(0.62, 0.16, t) * (2.0 * rough - 0.55).max(0.04);
            let side = clouds([5.0 * x + 0.8 * (y - top), 4.0 * (y - top)], 3, seed ^ ridge ^ 9);
            let slope = lit(mix(mix(high, low, 0.35), near, 0.2 + 0.8 * t), 0.86 + 0.32 * side);
            let snow = step(0.0, 0.012, 0.085 - (y - top) - 0.1 * side) * (1.0 - step(0.0, 0.5, t));
            let mist =
                mix(mix(slope, rgb(0xfbf8f2), 0.85 * snow), low, 0.55 * step(0.02, 0.28, y - top) * (1.0 - 0.6 * t));
            colour = mix(colour, mist, step(-0.002, 0.002, y - top));
        }
        if mirrored { mix(lit(colour, 0.86), high, 0.18 + 0.3 * step(0.0, h - lake, depth)) } else { colour }
    })
}

/// A gate in the sea at dusk.
pub(super) fn torii(rng: &mut Rng, [w, h]: Point) -> Paint {
    let skies = [
        [rgb(0x2b3a67), rgb(0xe07a5f), rgb(0xf9d8a0)],
        [rgb(0x5d8aa8), rgb(0xf2b880), rgb(0xfdf0d5)],
        [rgb(0x3a2f55), rgb(0xb8577a), rgb(0xf7b79b)],
    ];
    let ([top, middle, horizon], seed) = (pick(rng, &skies), rng.bits());
    let (centre, size) = (w * rng.range(0.42, 0.58), rng.range(0.9, 1.05));
    let sea = 0.66 * h;
    Box::new(move |[x, y]| {
        let depth = (y - sea).max(0.0);
        let wobble = if depth > 0.0 { (0.01 + 0.05 * depth) * (noise([5.0 * x, 60.0 * y], seed) - 0.5) } else { 0.0 };
        let (u, v) = (x + wobble, if depth > 0.0 { sea - depth } else { y });
        let cloud = step(0.5, 0.75, clouds([1.3 * u, 6.0 * v], 4, seed ^ 1));
        let sky = along(&[top, middle, horizon], v / sea);
        let mut colour = mix(sky, mix(horizon, rgb(0xffffff), 0.3), 0.55 * cloud);
        let hill = sea - 0.1 * (clouds([2.2 * u, 0.0], 4, seed ^ 2) - 0.25).max(0.0);
        colour = mix(colour, mix(top, middle, 0.25), step(-0.002, 0.002, v - hill));
        let (gx, gy) = ((u - centre) / size, (v - sea) / size);
        let curve = 0.25 * gx * gx;
        let beam = |at: f32, half: f32, wide: f32| line(gy - at + curve, half, 0.003) * line(gx, wide, 0.003);
        let posts = line(gx.abs() - 0.21 - 0.05 * (gy + 0.45), 0.026, 0.003)
            * step(-0.46, -0.45, gy)
            * (1.0 - step(0.0, 0.004, gy));
        let tie = line(gy + 0.335, 0.019, 0.003) * line(gx, 0.29, 0.003);
        let plaque = line(gx, 0.028, 0.003) * line(gy + 0.385, 0.034, 0.003);
        let red = lit(rgb(0xc8371f), 0.8 + 0.45 * step(-0.3, 0.3, gx));
        colour = mix(colour, red, posts.max(tie).max(beam(-0.452, 0.022, 0.36)));
        colour = mix(colour, lit(red, 0.75), plaque);
        colour = mix(colour, rgb(0x2a1d1c), beam(-0.487, 0.016, 0.385));
        let foot = line(gx.abs() - 0.235, 0.036, 0.003) * step(-0.05, -0.046, gy);
        colour = mix(colour, rgb(0x2a1d1c), foot * (1.0 - step(0.0, 0.004, gy)));
        if depth > 0.0 {
            let glint = step(0.66, 0.8, noise([4.0 * x, 55.0 * y], seed ^ 3));
            colour = mix(mix(lit(colour, 0.82), top, 0.25), horizon, 0.5 * glint);
        }
        colour
    })
}

/// A digit written with the brush on paper, sealed.
pub(super) fn brush(rng: &mut Rng, [w, h]: Point) -> Paint {
    let digit = pick(rng, &[5, 2, 3, 6, 8, 9]);
    let strokes = synth::digit(rng, digit);
    let points = || strokes.iter().flatten();
    let bound = |k: usize, pick: fn(f32, f32) -> f32, start: f32| points().map(|p| p[k]).fold(start, pick);
    let low = [bound(0, f32::min, f32::MAX), bound(1, f32::min, f32::MAX)];
    let high = [bound(0, f32::max, f32::MIN), bound(1, f32::max, f32::MIN)];
    let scale = (0.62 * w / (high[0] - low[0]).max(20.0)).min(0.7 * h / (high[1] - low[1]).max(20.0));
    let place = |p: &Point| [0, 1].map(|k| 0.5 * [w, h][k] + scale * (p[k] - 0.5 * (low[k] + high[k])));
    // Pieces of the strokes: both ends, and how far along its stroke each piece begins and ends, 0 to 1.
    let pieces: Vec<(Point, Point, f32, f32)> = strokes
        .iter()
        .flat_map(|stroke| {
            let n = (stroke.len() - 1) as f32;
            let along = move |i: usize| i as f32 / n;
            stroke.windows(2).enumerate().map(move |(i, p)| (place(&p[0]), place(&p[1]), along(i), along(i + 1)))
        })
        .collect();
    let seed = rng.bits();
    let seal = [w * 0.5 + 0.36, h * 0.5 + 0.36];
    Box::new(move |p| {
        let fibre = noise([90.0 * p[0], 9.0 * p[1]], seed) * noise([7.0 * p[0], 70.0 * p[1]], seed ^ 1);
        let mut colour =
            mix(rgb(0xf4ecdb), rgb(0xe3d6bd), fibre + 0.35 * clouds([3.0 * p[0], 3.0 * p[1]], 3, seed ^ 2));
        let near = pieces.iter().map(|(a, b, from, to)| {
            let (d, t) = to_segment(p, *a, *b);
            (d, lerp(*from, *to, t))
        });
        let (d, at) = near.fold((f32::MAX, 0.0), |best, here| if here.0 < best.0 { here } else { best });
        // Pressed at the start, lifted towards the end; then the hairs part and paper shows between.
        let half = 0.062 * (1.0 - 0.55 * at) + 0.02 * libm::expf(-30.0 * at * at) - 0.01 * libm::sinf(3.0 * TAU * at);
        let edge = half + 0.012 * (noise([30.0 * p[0], 30.0 * p[1]], seed ^ 3) - 0.5);
        let hair = noise([110.0 * d + 3.0, 4.0 * at], seed ^ 4);
        let dry = step(0.55, 1.0, at) * step(0.35, 0.75, hair);
        let ink = line(d, edge, 0.004) * (1.0 - 0.85 * dry);
        colour = mix(
            colour,
            mix(rgb(0x17161a), rgb(0x3a3840), 0.6 * noise([12.0 * p[0], 12.0 * p[1]], seed ^ 5)),
            0.96 * ink,
        );
        let (x, y) = ((p[0] - seal[0]) / 0.07, (p[1] - seal[1]) / 0.07);
        let inside = line(x.abs().max(y.abs()), 1.0, 0.05);
        let carved = line(x.abs().max(y.abs()) - 0.8, 0.05, 0.03).max(line(y, 0.1, 0.04) * line(x, 0.5, 0.04));
        mix(colour, rgb(0xb8322a), inside * (1.0 - carved) * (0.8 + 0.2 * noise([60.0 * p[0], 60.0 * p[1]], seed ^ 6)))
    })
}

/// A vase and fruit on a table, lit from the left.
pub(super) fn still_life(rng: &mut Rng, [w, h]: Point) -> Paint {
    let cloths = [
        [rgb(0x6d7f6b), rgb(0xd9c6a0), rgb(0x2f6f8f)],
        [rgb(0x8a4b3c), rgb(0xe7d8be), rgb(0x3f7d5a)],
        [rgb(0x4a5878), rgb(0xc9b18c), rgb(0xb5543b)],
    ];
    let ([wall, table, glaze], seed) = (pick(rng, &cloths), rng.bits());
    let (cx, edge) = (0.5 * w + rng.range(-0.12, 0.02), 0.6 * h);
    let fruits = [
        ([cx + 0.27, edge + 0.1], 0.105, rgb(0xe08a2e)),
        ([cx - 0.25, edge + 0.14], 0.09, rgb(0xb5322c)),
        ([cx + 0.13, edge + 0.2], 0.085, rgb(0xd9c23c)),
    ];
    Box::new(move |p| {
        let mut colour = if p[1] < edge {
            lit(wall, 1.15 - 0.45 * p[0] / w + 0.14 * clouds([4.0 * p[0], 4.0 * p[1]], 3, seed))
        } else {
            let grain = noise([4.0 * p[0] + 2.0 * noise([2.0 * p[0], 9.0 * p[1]], seed), 46.0 * p[1]], seed ^ 1);
            lit(table, 0.82 + 0.2 * grain + 0.25 * (p[1] - edge))
        };
        let (foot, top) = (edge + 0.12, edge - 0.44);
        let shadow = |at: Point, wide: f32| {
            let (dx, dy) = ((p[0] - at[0] - 0.6 * wide) / (1.9 * wide), (p[1] - at[1]) / (0.42 * wide));
            0.55 * (1.0 - step(0.4, 1.0, dx * dx + dy * dy))
        };
        if p[1] > edge {
            let dark = fruits
                .iter()
                .map(|(c, r, _)| shadow([c[0], c[1] + 0.85 * r], *r))
                .fold(shadow([cx, foot], 0.15), f32::max);
            colour = lit(colour, 1.0 - dark);
        }
        // The vase is a turned profile: where its edge is, and from that which way its side faces.
        let t = ((p[1] - top) / (foot - top)).clamp(0.0, 1.0);
        let half =
            0.075 + 0.085 * libm::sinf(TAU * (0.62 * t - 0.12)) * step(0.05, 0.4, t) + 0.03 * (1.0 - step(0.0, 0.1, t));
        let lip = foot + 0.03 * (1.0 - ((p[0] - cx) / half).clamp(-1.0, 1.0).abs()) - 0.02;
        if (p[0] - cx).abs() < half && p[1] > top && p[1] < lip {
            let side = (p[0] - cx) / half;
            let light = 0.35 + 0.75 * (1.0 - side * side).max(0.0).sqrt() * (0.75 - 0.45 * side);
            let band = line(t - 0.45, 0.055, 0.006).max(line(t - 0.3, 0.012, 0.004));
            let zigzag =
                step(-0.1, 0.1, to_whole(4.0 * libm::asinf(side.clamp(-1.0, 1.0))) * 2.0 - 0.5 + 9.0 * (t - 0.45));
            let body = mix(glaze, mix(rgb(0xf3ead6), lit(glaze, 0.5), zigzag), band);
            let shine =
                libm::expf(-60.0 * (side + 0.45) * (side + 0.45)) * step(0.1, 0.3, t) * (1.0 - step(0.5, 0.8, t));
            colour = mix(lit(body, light), rgb(0xffffff), 0.65 * shine);
            colour = mix(colour, lit(glaze, 0.25), 1.0 - step(0.012, 0.02, p[1] - top + 0.02 * side * side));
        }
        fruits.iter().fold(colour, |colour, fruit| beneath(p, fruit, colour, seed))
    })
}

/// A ball of fruit where there is one, else what lies beneath it.
fn beneath(p: Point, (centre, radius, skin): &(Point, f32, Colour), colour: Colour, seed: u32) -> Colour {
    let (x, y) = ((p[0] - centre[0]) / radius, (p[1] - centre[1]) / radius);
    let r2 = x * x + y * y;
    if r2 >= 1.0 {
        return colour;
    }
    let z = (1.0 - r2).sqrt();
    let light = (0.62 * z - 0.5 * x - 0.6 * y).max(0.0);
    let spots = 0.1 * (noise([80.0 * p[0], 80.0 * p[1]], seed ^ 2) - 0.5);
    let shine = libm::powf((0.55 * z - 0.5 * x - 0.67 * y).max(0.0), 24.0);
    mix(lit(*skin, 0.42 + 0.72 * light + spots), rgb(0xffffff), 0.8 * shine)
}
