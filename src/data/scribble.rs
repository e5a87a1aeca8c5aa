//! Scribbles: pen strokes that are no digit, for a network to learn that some ink is nothing it knows.
//!
//! Hendrycks et al. 2019 ("outlier exposure"): trained towards the uniform distribution on such ink, a network is
//! unsure about unseen kinds of it, too.

use super::strokes::Stroke;
use crate::rng::Rng;
use std::f32::consts::TAU;

/// One random scribble in a unit square or thereabouts.
pub fn scribble(rng: &mut Rng) -> Vec<Stroke> {
    match rng.below(9) {
        0 => vec![wander(rng)],
        1 => vec![zigzag(rng)],
        2 => vec![spiral(rng)],
        3 => (0..3 + rng.below(6)).map(|_| dash(rng)).collect(),
        4 => vec![polygon(rng)],
        5 => hatching(rng),
        6 => vec![wave(rng)],
        7 => letter(rng),
        _ => blot(rng),
    }
}

/// A walk whose direction drifts: the scribble of a hand trying a pen.
fn wander(rng: &mut Rng) -> Stroke {
    let (mut at, mut angle, mut turn) = ([0.5, 0.5], rng.range(0.0, TAU), 0.0);
    let points = 60 + rng.below(200);
    let jitter = rng.range(0.05, 0.3);
    (0..points)
        .map(|_| {
            turn = 0.9 * turn + jitter * rng.normal();
            angle += turn;
            at = [at[0] + 0.05 * libm::cosf(angle), at[1] + 0.05 * libm::sinf(angle)];
            // Turned back at the edge of the square.
            if !(0.0..1.0).contains(&at[0]) || !(0.0..1.0).contains(&at[1]) {
                angle += TAU / 3.0;
                at = at.map(|v| v.clamp(0.0, 1.0));
            }
            at
        })
        .collect()
}

/// To and fro, at least five times.
fn zigzag(rng: &mut Rng) -> Stroke {
    let turns = 5 + rng.below(10);
    let (lean, flip) = (rng.range(-0.3, 0.3), rng.below(2) == 0);
    let point = |i: usize, rng: &mut Rng| {
        let along = i as f32 / turns as f32;
        let across = (i % 2) as f32 + 0.2 * rng.normal();
        let p = [along + lean * across, across];
        if flip { [p[1], p[0]] } else { p }
    };
    (0..=turns).map(|i| point(i, rng)).collect()
}

/// At least two turns around a centre.
fn spiral(rng: &mut Rng) -> Stroke {
    let (turns, start, squeeze) = (rng.range(2.2, 5.0), rng.range(0.0, TAU), rng.range(0.6, 1.0));
    let sense = if rng.below(2) == 0 { 1.0 } else { -1.0 };
    (0..=80)
        .map(|i| {
            let part = i as f32 / 80.0;
            let angle = start + sense * turns * TAU * part;
            let radius = 0.05 + 0.45 * part + 0.01 * rng.normal();
            [0.5 + radius * libm::cosf(angle), 0.5 + squeeze * radius * libm::sinf(angle)]
        })
        .collect()
}

/// A short straight line anywhere.
fn dash(rng: &mut Rng) -> Stroke {
    let (from, angle, length) = ([rng.uniform(), rng.uniform()], rng.range(0.0, TAU), rng.range(0.1, 0.9));
    vec![from, [from[0] + length * libm::cosf(angle), from[1] + length * libm::sinf(angle)]]
}

/// A closed polygon or a star, of corners that a nought does not have.
fn polygon(rng: &mut Rng) -> Stroke {
    let (corners, start) = (3 + rng.below(4), rng.range(0.0, TAU));
    let skip = if corners > 4 { 1 + rng.below(2) } else { 1 };
    (0..=corners)
        .map(|i| {
            let angle = start + TAU * (i * skip % corners) as f32 / corners as f32;
            [0.5 + 0.5 * libm::cosf(angle) + 0.03 * rng.normal(), 0.5 + 0.5 * libm::sinf(angle) + 0.03 * rng.normal()]
        })
        .collect()
}

/// Parallel lines, perhaps crossed by others.
fn hatching(rng: &mut Rng) -> Vec<Stroke> {
    let (lines, lean, crossed) = (3 + rng.below(4), rng.range(-0.4, 0.4), rng.below(2) == 0);
    let line = |i: usize, rng: &mut Rng| {
        let x = i as f32 / (lines - 1) as f32 + 0.04 * rng.normal();
        vec![[x, 0.1 * rng.normal()], [x + lean, 1.0 + 0.1 * rng.normal()]]
    };
    let mut strokes: Vec<Stroke> = (0..lines).map(|i| line(i, rng)).collect();
    if crossed {
        let across = |i| line(i, rng).into_iter().map(|[x, y]| [y, x]).collect();
        strokes.extend((0..lines).map(across).collect::<Vec<Stroke>>());
    }
    strokes
}

/// At least two and a half periods of a wave.
fn wave(rng: &mut Rng) -> Stroke {
    let (periods, height, upright) = (rng.range(2.5, 6.0), rng.range(0.1, 0.5), rng.below(2) == 0);
    (0..=80)
        .map(|i| {
            let along = i as f32 / 80.0;
            let across = 0.5 + height * libm::sinf(TAU * periods * along) + 0.01 * rng.normal();
            if upright { [across, along] } else { [along, across] }
        })
        .collect()
}

/// Letters and signs that no digit resembles, on a grid of ninths.
const LETTERS: &[&[&[[u8; 2]]]] = &[
    &[&[[0, 9], [4, 0], [9, 9]], &[[2, 6], [7, 6]]],            // A
    &[&[[8, 0], [0, 0], [0, 9], [8, 9]], &[[0, 4], [6, 4]]],    // E
    &[&[[8, 0], [0, 0], [0, 9]], &[[0, 4], [6, 4]]],            // F
    &[&[[0, 0], [0, 9]], &[[8, 0], [8, 9]], &[[0, 4], [8, 4]]], // H
    &[&[[0, 0], [0, 9]], &[[8, 0], [0, 5], [8, 9]]],            // K
    &[&[[0, 9], [0, 0], [4, 6], [9, 0], [9, 9]]],               // M
    &[&[[0, 9], [0, 0], [8, 9], [8, 0]]],                       // N
    &[&[[0, 9], [0, 0], [7, 1], [7, 4], [0, 5], [8, 9]]],       // R
    &[&[[0, 0], [2, 9], [4, 3], [7, 9], [9, 0]]],               // W
    &[&[[0, 0], [9, 9]], &[[9, 0], [0, 9]]],                    // X
    &[&[[4, 0], [4, 9]], &[[0, 4], [9, 4]], &[[1, 1], [8, 8]]], // *
    &[&[[0, 4], [9, 4]], &[[6, 1], [9, 4], [6, 7]]],            // →
    &[&[[0, 3], [9, 3]], &[[0, 6], [9, 6]]],                    // =
    &[&[[2, 0], [1, 9]], &[[6, 0], [5, 9]], &[[0, 3], [8, 3]], &[[0, 6], [8, 6]]], // #
];

fn letter(rng: &mut Rng) -> Vec<Stroke> {
    let strokes = LETTERS[rng.below(LETTERS.len())];
    let mut point = |p: &[u8; 2]| p.map(|v| f32::from(v) / 9.0 + 0.03 * rng.normal());
    strokes.iter().map(|s| s.iter().map(&mut point).collect()).collect()
}

/// A dot, a few dots, or a patch rubbed full.
fn blot(rng: &mut Rng) -> Vec<Stroke> {
    match rng.below(3) {
        0 => vec![vec![[0.5, 0.5]]],
        1 => (0..2 + rng.below(5)).map(|_| vec![[rng.uniform(), rng.uniform()]]).collect(),
        _ => vec![(0..60 + rng.below(60)).map(|_| [rng.uniform(), rng.uniform()]).collect()],
    }
}
