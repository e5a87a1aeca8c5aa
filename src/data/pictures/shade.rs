//! What every painter mixes its paint from: colours, smooth steps, noise and distances. Points are `[x, y]`, y down, the
//! picture's shorter side 1 long.

use crate::rng::Rng;

/// Red, green and blue, 0 to 1.
pub(in crate::data) type Colour = [f32; 3];
/// A place in the picture.
pub(in crate::data) type Point = [f32; 2];

/// A colour as the web writes it.
pub(in crate::data) const fn rgb(hex: u32) -> Colour {
    [(hex >> 16 & 255) as f32 / 255.0, (hex >> 8 & 255) as f32 / 255.0, (hex & 255) as f32 / 255.0]
}

pub(in crate::data) fn lerp(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

pub(in crate::data) fn mix(a: Colour, b: Colour, t: f32) -> Colour {
    let t = t.clamp(0.0, 1.0);
    [lerp(a[0], b[0], t), lerp(a[1], b[1], t), lerp(a[2], b[2], t)]
}

/// A colour times a brightness.
pub(in crate::data) fn lit(a: Colour, light: f32) -> Colour {
    a.map(|v| (v * light).clamp(0.0, 1.0))
}

/// 0 below `from`, 1 above `to`, a smooth way between.
pub(in crate::data) fn step(from: f32, to: f32, x: f32) -> f32 {
    let t = ((x - from) / (to - from)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// How much a line of this half width covers at a distance, its edge as soft as `soft`.
pub(in crate::data) fn line(distance: f32, half: f32, soft: f32) -> f32 {
    1.0 - step(half - soft, half + soft, distance.abs())
}

/// Along a palette, 0 its first colour and 1 its last, mixed between.
pub(in crate::data) fn along(palette: &[Colour], t: f32) -> Colour {
    let at = t.clamp(0.0, 1.0) * (palette.len() - 1) as f32;
    let i = (at as usize).min(palette.len().saturating_sub(2));
    mix(palette[i], palette[(i + 1).min(palette.len() - 1)], at - i as f32)
}

/// One of a list.
pub(in crate::data) fn pick<T: Copy>(rng: &mut Rng, list: &[T]) -> T {
    list[rng.below(list.len())]
}

/// A number from 0 to 1 that belongs to a cell of the plane.
pub(in crate::data) fn hash(x: i32, y: i32, seed: u32) -> f32 {
    // Bob Jenkins's mixing in the form of Chris Wellons's lowbias32.
    let mut h = seed ^ (x as u32).wrapping_mul(0x8da6_b343) ^ (y as u32).wrapping_mul(0xd816_3841);
    h = (h ^ (h >> 16)).wrapping_mul(0x7feb_352d);
    h = (h ^ (h >> 15)).wrapping_mul(0x846c_a68b);
    ((h ^ (h >> 16)) >> 8) as f32 / 16_777_216.0
}

/// Smooth noise from 0 to 1, a hill or a hollow in each unit cell. Perlin 1985, with values for gradients.
pub(in crate::data) fn noise([x, y]: Point, seed: u32) -> f32 {
    let (i, j) = (x.floor(), y.floor());
    let (u, v) = (x - i, y - j);
    let (u, v) = (u * u * (3.0 - 2.0 * u), v * v * (3.0 - 2.0 * v));
    let (i, j) = (i as i32, j as i32);
    let row = |j| lerp(hash(i, j, seed), hash(i + 1, j, seed), u);
    lerp(row(j), row(j + 1), v)
}

/// Noise upon noise, each octave twice as fine and half as high: 0 to 1, mostly near its middle.
pub(in crate::data) fn clouds([x, y]: Point, octaves: u32, seed: u32) -> f32 {
    let (mut sum, mut all, mut height, mut scale) = (0.0, 0.0, 1.0, 1.0);
    for octave in 0..octaves {
        sum += height * noise([x * scale, y * scale], seed.wrapping_add(octave * 0x9e37));
        all += height;
        (height, scale) = (height * 0.5, scale * 2.03);
    }
    sum / all
}

pub(in crate::data) fn turned([x, y]: Point, angle: f32) -> Point {
    let (sin, cos) = (libm::sinf(angle), libm::cosf(angle));
    [cos * x - sin * y, sin * x + cos * y]
}

pub(in crate::data) fn distance(a: Point, b: Point) -> f32 {
    let (x, y) = (a[0] - b[0], a[1] - b[1]);
    (x * x + y * y).sqrt()
}

/// How far `p` is from a segment, and where along it, 0 to 1, the nearest point lies.
pub(in crate::data) fn to_segment(p: Point, a: Point, b: Point) -> (f32, f32) {
    let (d, q) = ([b[0] - a[0], b[1] - a[1]], [p[0] - a[0], p[1] - a[1]]);
    let length = (d[0] * d[0] + d[1] * d[1]).max(1e-12);
    let t = ((q[0] * d[0] + q[1] * d[1]) / length).clamp(0.0, 1.0);
    (distance(q, [d[0] * t, d[1] * t]), t)
}

/// Distance from 0 to the nearest whole number.
pub(in crate::data) fn to_whole(x: f32) -> f32 {
    (x - (x + 0.5).floor()).abs()
}

/// The two nearest of points scattered one to a unit cell: both distances, and the cell of the nearest. Worley 1996.
pub(in crate::data) fn cells(p: Point, jitter: f32, seed: u32) -> (f32, f32, (i32, i32)) {
    let (i, j) = (p[0].floor() as i32, p[1].floor() as i32);
    let mut found = (f32::MAX, f32::MAX, (i, j));
    for (x, y) in (-1..=1).flat_map(|y| (-1..=1).map(move |x| (i + x, j + y))) {
        let place = |base: i32, h: f32| base as f32 + 0.5 + jitter * (h - 0.5);
        let d = distance(p, [place(x, hash(x, y, seed)), place(y, hash(x, y, seed ^ 0x5bd1))]);
        if d < found.0 {
            found = (d, found.0, (x, y));
        } else if d < found.1 {
            found.1 = d;
        }
    }
    found
}
