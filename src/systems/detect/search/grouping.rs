//! Hierarchical grouping: the two most similar neighbours become one region, until one is left (Uijlings et al. 2013, 3.1
//! and 3.2).

use super::segments::Segments;
use crate::data::pictures::Rgb;
use std::collections::BTreeSet;

/// How similarity is measured: a mean of parts, each from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Colour, texture, size and fill.
    All,
    /// All but colour.
    FillTextureSize,
}

/// Bins of a colour's histogram and of a texture's.
const BINS: [usize; 2] = [25, 10];
/// Directions of texture: four axes, each way.
const DIRECTIONS: usize = 8;
const COLOUR: usize = 3 * BINS[0];
const TEXTURE: usize = 3 * DIRECTIONS * BINS[1];

#[derive(Debug, Clone)]
struct Group {
    size: f32,
    /// Left, top, right, bottom; half open.
    bounds: [usize; 4],
    colour: Vec<f32>,
    texture: Vec<f32>,
    neighbours: BTreeSet<usize>,
}

/// Regions and which of them touch.
pub(super) struct Groups {
    all: Vec<Group>,
    pixels: f32,
}

impl Groups {
    /// The pieces of a picture.
    pub(super) fn new(picture: &Rgb, pieces: &Segments) -> Self {
        let (h, w, n) = (pieces.h, pieces.w, pieces.h * pieces.w);
        let empty = Group {
            size: 0.0,
            bounds: [w, h, 0, 0],
            colour: vec![0.0; COLOUR],
            texture: vec![0.0; TEXTURE],
            neighbours: BTreeSet::new(),
        };
        let mut all = vec![empty; pieces.count];
        let textures = textures(picture);
        for (i, &piece) in pieces.of.iter().enumerate() {
            let (x, y, group) = (i % w, i / w, &mut all[piece]);
            group.size += 1.0;
            let [x0, y0, x1, y1] = group.bounds;
            group.bounds = [x0.min(x), y0.min(y), x1.max(x + 1), y1.max(y + 1)];
            for plane in 0..3 {
                let bin = (picture.pixels[plane * n + i] * BINS[0] as f32 / 256.0) as usize;
                group.colour[plane * BINS[0] + bin.min(BINS[0] - 1)] += 1.0;
            }
            for (direction, texture) in textures.iter().enumerate() {
                let bin = (texture[i] * BINS[1] as f32 / 256.0) as usize;
                group.texture[direction * BINS[1] + bin.min(BINS[1] - 1)] += 1.0;
            }
        }
        for group in &mut all {
            let size = group.size;
            group.colour.iter_mut().for_each(|v| *v /= 3.0 * size);
            group.texture.iter_mut().for_each(|v| *v /= (3 * DIRECTIONS) as f32 * size);
        }
        for i in (1..h).flat_map(|y| (1..w).map(move |x| y * w + x)) {
            for other in [i - 1, i - w, i - w - 1] {
                let (a, b) = (pieces.of[i], pieces.of[other]);
                if a != b {
                    all[a].neighbours.insert(b);
                    all[b].neighbours.insert(a);
                }
            }
        }
        Self { all, pixels: n as f32 }
    }

    /// Joins them, and returns the boxes of all, the first pieces first. What touches nothing stays alone.
    pub(super) fn join(mut self, measure: Measure) -> Vec<[usize; 4]> {
        let mut pairs: Vec<(f32, usize, usize)> = Vec::new();
        for a in 0..self.all.len() {
            let later = self.all[a].neighbours.range(a + 1..).copied().collect::<Vec<_>>();
            pairs.extend(later.into_iter().map(|b| (self.similarity(a, b, measure), a, b)));
        }
        while let Some(best) = most_similar(&pairs) {
            let (_, a, b) = pairs[best];
            let next = self.all.len();
            let joined = self.joined(a, b);
            pairs.retain(|(_, x, y)| ![a, b].contains(x) && ![a, b].contains(y));
            for &other in &joined.neighbours {
                let theirs = &mut self.all[other].neighbours;
                theirs.remove(&a);
                theirs.remove(&b);
                theirs.insert(next);
            }
            let neighbours: Vec<usize> = joined.neighbours.iter().copied().collect();
            self.all.push(joined);
            pairs.extend(neighbours.into_iter().map(|other| (self.similarity(other, next, measure), other, next)));
        }
        self.all.into_iter().map(|group| group.bounds).collect()
    }

    fn joined(&self, a: usize, b: usize) -> Group {
        let (first, second) = (&self.all[a], &self.all[b]);
        let size = first.size + second.size;
        let mean = |x: &[f32], y: &[f32]| -> Vec<f32> {
            x.iter().zip(y).map(|(x, y)| (x * first.size + y * second.size) / size).collect()
        };
        let mut neighbours: BTreeSet<usize> = first.neighbours.union(&second.neighbours).copied().collect();
        neighbours.remove(&a);
        neighbours.remove(&b);
        Group {
            size,
            bounds: hull(first.bounds, second.bounds),
            colour: mean(&first.colour, &second.colour),
            texture: mean(&first.texture, &second.texture),
            neighbours,
        }
    }

    fn similarity(&self, a: usize, b: usize, measure: Measure) -> f32 {
        let (a, b) = (&self.all[a], &self.all[b]);
        let shared = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(x, y)| x.min(*y)).sum::<f32>();
        let size = 1.0 - (a.size + b.size) / self.pixels;
        let [x0, y0, x1, y1] = hull(a.bounds, b.bounds);
        let fill = 1.0 - (((x1 - x0) * (y1 - y0)) as f32 - a.size - b.size) / self.pixels;
        let texture = shared(&a.texture, &b.texture);
        match measure {
            Measure::All => (shared(&a.colour, &b.colour) + texture + size + fill) / 4.0,
            Measure::FillTextureSize => (texture + size + fill) / 3.0,
        }
    }
}

fn hull(a: [usize; 4], b: [usize; 4]) -> [usize; 4] {
    [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])]
}

/// The place of the most similar pair; of several the first.
fn most_similar(pairs: &[(f32, usize, usize)]) -> Option<usize> {
    (0..pairs.len()).reduce(|best, i| if pairs[i].0 > pairs[best].0 { i } else { best })
}

/// How strongly each plane rises and falls along both axes and both diagonals, by Scharr's operator, each direction scaled to
/// 0 to 255 over the picture.
fn textures(picture: &Rgb) -> Vec<Vec<f32>> {
    let (h, w) = (picture.h as isize, picture.w as isize);
    let mut out = Vec::with_capacity(3 * DIRECTIONS);
    for plane in picture.planes() {
        let at = |y: isize, x: isize| plane[(y.clamp(0, h - 1) * w + x.clamp(0, w - 1)) as usize];
        let places = || (0..h).flat_map(|y| (0..w).map(move |x| (y, x)));
        let across = |(y, x): (isize, isize)| {
            let side = |x| 3.0 * at(y - 1, x) + 10.0 * at(y, x) + 3.0 * at(y + 1, x);
            side(x + 1) - side(x - 1)
        };
        let down = |(y, x): (isize, isize)| {
            let side = |y| 3.0 * at(y, x - 1) + 10.0 * at(y, x) + 3.0 * at(y, x + 1);
            side(y + 1) - side(y - 1)
        };
        let (dx, dy): (Vec<f32>, Vec<f32>) = places().map(|p| (across(p), down(p))).unzip();
        let diagonal = |sign: f32| dx.iter().zip(&dy).map(move |(x, y)| x + sign * y).collect::<Vec<f32>>();
        for slope in [dx.clone(), dy.clone(), diagonal(1.0), diagonal(-1.0)] {
            out.push(scaled(slope.iter().map(|v| v.max(0.0))));
            out.push(scaled(slope.iter().map(|v| (-v).max(0.0))));
        }
    }
    out
}

fn scaled(values: impl Iterator<Item = f32>) -> Vec<f32> {
    let values: Vec<f32> = values.collect();
    let (least, most) = values.iter().fold((f32::MAX, 0.0_f32), |(l, m), v| (l.min(*v), m.max(*v)));
    let range = (most - least).max(f32::MIN_POSITIVE);
    values.into_iter().map(|v| (v - least) / range * 255.0).collect()
}
