//! Plain patterns: what a network learns edges, corners, blobs and grain from.

use super::Paint;
use super::shade::*;
use crate::rng::Rng;
use std::f32::consts::TAU;

/// Two colours that can be told apart.
fn pair(rng: &mut Rng) -> [Colour; 2] {
    let mut any = || [rng.uniform(), rng.uniform(), rng.uniform()];
    let mut best = [any(), any()];
    let apart = |[a, b]: &[Colour; 2]| (0..3).map(|k| (a[k] - b[k]).abs()).sum::<f32>();
    while apart(&best) < 0.9 {
        best = [any(), any()];
    }
    best
}

/// Turns and scales the plane; a unit is then one repeat of the pattern.
fn framed(rng: &mut Rng, [few, many]: [f32; 2]) -> impl Fn(Point) -> Point + use<> {
    let (angle, scale, [x, y]) = (rng.range(0.0, TAU), rng.range(few, many), [rng.uniform(), rng.uniform()]);
    move |p| turned([p[0] * scale + x, p[1] * scale + y], angle)
}

pub(super) fn checks(rng: &mut Rng, _: Point) -> Paint {
    let ([a, b], frame) = (pair(rng), framed(rng, [2.0, 8.0]));
    Box::new(move |p| {
        let [x, y] = frame(p);
        if (x.floor() as i32 + y.floor() as i32) & 1 == 0 { a } else { b }
    })
}

pub(super) fn stripes(rng: &mut Rng, _: Point) -> Paint {
    let ([a, b], frame, share) = (pair(rng), framed(rng, [2.0, 12.0]), rng.range(0.25, 0.75));
    Box::new(move |p| {
        let [x, _] = frame(p);
        if x - x.floor() < share { a } else { b }
    })
}

pub(super) fn chevrons(rng: &mut Rng, _: Point) -> Paint {
    let ([a, b], frame, lean) = (pair(rng), framed(rng, [2.0, 6.0]), rng.range(0.6, 1.6));
    Box::new(move |p| {
        let [x, y] = frame(p);
        let t = y + lean * 2.0 * to_whole(0.5 * x);
        if t - t.floor() < 0.5 { a } else { b }
    })
}

pub(super) fn dots(rng: &mut Rng, _: Point) -> Paint {
    let ([a, b], frame, radius) = (pair(rng), framed(rng, [3.0, 9.0]), rng.range(0.2, 0.45));
    Box::new(move |p| {
        let [x, y] = frame(p);
        let shift = if y.floor() as i32 & 1 == 0 { 0.0 } else { 0.5 };
        let d = distance([x + shift - (x + shift).floor(), y - y.floor()], [0.5, 0.5]);
        mix(a, b, step(radius - 0.04, radius + 0.04, d))
    })
}

pub(super) fn rings(rng: &mut Rng, [w, h]: Point) -> Paint {
    let ([a, b], centre, scale) = (pair(rng), [rng.range(0.0, w), rng.range(0.0, h)], rng.range(3.0, 12.0));
    Box::new(move |p| mix(a, b, 0.5 + 0.5 * libm::sinf(TAU * scale * distance(p, centre))))
}

pub(super) fn clouds(rng: &mut Rng, _: Point) -> Paint {
    let ([a, b], seed, scale) = (pair(rng), rng.bits(), rng.range(2.0, 7.0));
    Box::new(move |[x, y]| mix(a, b, step(0.25, 0.75, super::shade::clouds([x * scale, y * scale], 4, seed))))
}

pub(super) fn wood(rng: &mut Rng, _: Point) -> Paint {
    let ([a, b], seed, frame) = (pair(rng), rng.bits(), framed(rng, [1.0, 2.0]));
    let rings = rng.range(6.0, 14.0);
    Box::new(move |p| {
        let [x, y] = frame(p);
        let t = rings * (x + 0.25 * super::shade::clouds([2.0 * x, 0.6 * y], 3, seed));
        let grain = noise([60.0 * x, 3.0 * y], seed ^ 1);
        mix(a, b, 0.75 * (t - t.floor()) + 0.25 * grain)
    })
}

pub(super) fn bricks(rng: &mut Rng, _: Point) -> Paint {
    let ([stone, mortar], seed, scale) = (pair(rng), rng.bits(), rng.range(4.0, 10.0));
    Box::new(move |[x, y]| {
        let row = (y * scale).floor();
        let x = x * scale * 0.5 + if row as i32 & 1 == 0 { 0.0 } else { 0.5 };
        let edge = (to_whole(x) * 2.0).min(to_whole(y * scale));
        let tone = 0.75 + 0.5 * hash(x.floor() as i32, row as i32, seed);
        mix(mortar, lit(stone, tone), step(0.05, 0.12, edge))
    })
}

pub(super) fn weave(rng: &mut Rng, _: Point) -> Paint {
    let ([a, b], frame) = (pair(rng), framed(rng, [5.0, 12.0]));
    Box::new(move |p| {
        let [x, y] = frame(p);
        let over = (x.floor() as i32 + y.floor() as i32) & 1 == 0;
        let (across, colour) = if over { (y - y.floor(), a) } else { (x - x.floor(), b) };
        lit(colour, 0.35 + 0.65 * libm::sinf(0.5 * TAU * across))
    })
}

pub(super) fn confetti(rng: &mut Rng, _: Point) -> Paint {
    let ([a, b], [c, d]) = (pair(rng), pair(rng));
    let (seed, scale) = (rng.bits(), rng.range(4.0, 9.0));
    Box::new(move |[x, y]| {
        let p = [x * scale, y * scale];
        let (_, _, (i, j)) = cells(p, 0.6, seed);
        let place = |base: i32, salt: u32| base as f32 + 0.5 + 0.6 * (hash(i, j, seed ^ salt) - 0.5);
        let q = turned([p[0] - place(i, 0), p[1] - place(j, 0x5bd1)], TAU * hash(i, j, seed ^ 2));
        let scrap = [b, c, d][(3.0 * hash(i, j, seed ^ 3)) as usize % 3];
        if q[0].abs() < 0.34 && q[1].abs() < 0.16 { scrap } else { a }
    })
}
