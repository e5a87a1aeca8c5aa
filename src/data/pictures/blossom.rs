//! Cherry flowers on a branch.

use super::Paint;
use super::shade::*;
use crate::rng::Rng;
use std::f32::consts::TAU;

/// A flower: where, how large, how turned.
#[derive(Clone, Copy)]
struct Flower(Point, f32, f32);

impl Flower {
    /// The flower's colour at a place, if it is there.
    fn at(self, p: Point, tint: f32) -> Option<Colour> {
        let Self(centre, size, turn) = self;
        let q = turned([(p[0] - centre[0]) / size, (p[1] - centre[1]) / size], turn);
        let r = distance(q, [0.0, 0.0]);
        if r > 1.05 {
            return None;
        }
        let angle = libm::atan2f(q[1], q[0]) * 5.0 / TAU;
        let t = to_whole(angle);
        // A petal is wide in its middle and notched at its tip.
        let edge = 0.62 + 0.38 * (1.0 - 4.0 * t * t) - 0.14 * (1.0 - step(0.0, 0.09, t));
        if r > edge {
            return None;
        }
        let seam = step(0.38, 0.5, t) * step(0.12, 0.4, r);
        let petal = mix(rgb(0xf2a7bb), rgb(0xfdeef2), step(0.05, 0.8, r) + tint);
        let petal = mix(petal, rgb(0xd9798f), 0.7 * seam + 0.35 * step(edge - 0.1, edge, r));
        let spoke = to_whole(angle * 3.0);
        let thread = line(spoke, 0.07, 0.03) * step(0.08, 0.14, r) * (1.0 - step(0.36, 0.42, r));
        let tip = line(spoke, 0.18, 0.05) * line(r - 0.42, 0.045, 0.02);
        let heart = mix(petal, rgb(0xb3344f), (1.0 - step(0.06, 0.12, r)).max(0.8 * thread));
        Some(mix(heart, rgb(0xe8b23a), tip))
    }
}

pub(super) fn blossom(rng: &mut Rng, [w, h]: Point) -> Paint {
    let grounds = [[rgb(0xcfe3ee), rgb(0xf7efe4)], [rgb(0x22314f), rgb(0x5c6f96)], [rgb(0xe9dcc3), rgb(0xf8f3e6)]];
    let ([above, below], seed) = (pick(rng, &grounds), rng.bits());
    let (from, to) = ([-0.05, h * rng.range(0.72, 0.9)], [w * rng.range(0.85, 1.0), h * rng.range(0.1, 0.25)]);
    let bend = |t: f32| 0.05 * libm::sinf(1.3 * TAU * t) + 0.015 * libm::sinf(4.0 * TAU * t);
    let place = move |t: f32| [lerp(from[0], to[0], t), lerp(from[1], to[1], t) + bend(t)];
    let mut limbs: Vec<(Point, Point, f32)> = (0..24)
        .map(|i| (i as f32 / 24.0, place(i as f32 / 24.0), place((i + 1) as f32 / 24.0)))
        .map(|(t, a, b)| (a, b, lerp(0.034, 0.008, t)))
        .collect();
    let mut flowers = Vec::new();
    for twig in 0..5 {
        let t = 0.16 + 0.17 * twig as f32;
        let (base, up) = (place(t), if twig % 2 == 0 { -1.0 } else { 1.0 });
        let tip = [base[0] + rng.range(0.06, 0.2), base[1] + up * rng.range(0.1, 0.2)];
        limbs.push((base, tip, 0.008));
        for _ in 0..2 {
            let near = |rng: &mut Rng| [tip[0] + rng.range(-0.09, 0.09), tip[1] + rng.range(-0.07, 0.07)];
            flowers.push(Flower(near(rng), rng.range(0.075, 0.125), rng.range(0.0, TAU)));
        }
    }
    Box::new(move |p| {
        let mut colour = mix(above, below, p[1] / h + 0.25 * (clouds([2.0 * p[0], 2.0 * p[1]], 3, seed) - 0.5));
        let rough = 0.35 * noise([26.0 * p[0], 26.0 * p[1]], seed ^ 1);
        for (a, b, half) in &limbs {
            let (d, _) = to_segment(p, *a, *b);
            let bark = lit(rgb(0x5a4034), 0.55 + 0.9 * noise([14.0 * p[0], 60.0 * p[1]], seed ^ 2));
            colour = mix(colour, bark, line(d, half * (0.85 + rough), 0.003));
        }
        let seen =
            flowers.iter().enumerate().rev().find_map(|(i, flower)| flower.at(p, 0.25 * hash(i as i32, 0, seed)));
        seen.unwrap_or(colour)
    })
}
