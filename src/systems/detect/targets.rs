//! What a detector should have said: which anchors and regions hold a thing, which one, and where it lies beside them
//! (Ren et al. 2015, section 3.1.2; Girshick 2015, section 2.3).

use super::boxes::{ANCHOR_UNITS, REGION_UNITS, anchors, shift};
use crate::kernel::roi::{Region, iou};
use crate::rng::Rng;
use crate::shape::Shape;

/// A thing that is there: where, and its class, from 1 on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thing {
    /// In pixels of the network's picture.
    pub region: Region,
    /// 0 is the background.
    pub class: usize,
}

/// An anchor holds a thing from this intersection over union on, and none below the second.
const ANCHOR: [f32; 2] = [0.6, 0.3];
/// A region holds a thing from this on.
const REGION: f32 = 0.5;
/// Anchors of an image that count, and the most of them that hold things.
const SAMPLED: [usize; 2] = [96, 48];
/// The part of an image's regions that hold things, at most.
const HOLDING: f32 = 0.5;

/// Truths and weights of all anchors of an image, in CHW order.
#[derive(Debug, Clone, PartialEq)]
pub struct AnchorTargets {
    /// 1 for an anchor that holds a thing.
    pub holds: Vec<f32>,
    /// How much each counts.
    pub counts: Vec<f32>,
    /// Where the things lie, an anchor's four numbers in four planes.
    pub shifts: Vec<f32>,
    /// How much those count.
    pub shifts_count: Vec<f32>,
}

/// The thing that shares most with a region, and how much; 0 if there is none.
fn nearest(region: Region, things: &[Thing]) -> (usize, f32) {
    let shared = things.iter().map(|thing| iou(region, thing.region)).enumerate();
    shared.fold((0, 0.0), |best, next| if next.1 > best.1 { next } else { best })
}

/// At most `n` of these, at random.
fn some(rng: &mut Rng, mut from: Vec<usize>, n: usize) -> Vec<usize> {
    rng.shuffle(&mut from);
    from.truncate(n);
    from
}

impl AnchorTargets {
    /// For a map of scores of this shape. Of every thing at least the nearest anchor holds it. Things beyond the map, and none
    /// at all, are nothing special.
    pub fn new(rng: &mut Rng, map: Shape, things: &[Thing]) -> Self {
        let (n, pixels) = (map.len(), map.h * map.w);
        let all: Vec<Region> = anchors(map.h, map.w).collect();
        let mut holding: Vec<Option<usize>> = vec![None; n];
        let (mut empty, mut best) = (Vec::new(), vec![(0, 0.0_f32); things.len()]);
        for (k, region) in all.iter().enumerate() {
            for (best, thing) in best.iter_mut().zip(things) {
                let shared = iou(*region, thing.region);
                if shared > best.1 {
                    *best = (k, shared);
                }
            }
            match nearest(*region, things) {
                (thing, shared) if shared >= ANCHOR[0] => holding[k] = Some(thing),
                (_, shared) if shared < ANCHOR[1] => empty.push(k),
                _ => {}
            }
        }
        for (thing, (k, shared)) in best.into_iter().enumerate() {
            if shared > 0.0 {
                holding[k] = Some(thing);
            }
        }
        empty.retain(|k| holding[*k].is_none());
        let held = some(rng, (0..n).filter(|k| holding[*k].is_some()).collect(), SAMPLED[1]);
        let empty = some(rng, empty, SAMPLED[0] - held.len());
        let weight = 1.0 / (held.len() + empty.len()).max(1) as f32;
        let mut targets = Self {
            holds: vec![0.0; n],
            counts: vec![0.0; n],
            shifts: vec![0.0; 4 * n],
            shifts_count: vec![0.0; 4 * n],
        };
        // From rows, columns, heights to planes.
        let plane = |k: usize| (k % map.c, k / map.c);
        for k in held.iter().chain(&empty) {
            let (kind, pixel) = plane(*k);
            targets.counts[kind * pixels + pixel] = weight;
            let Some(thing) = holding[*k] else { continue };
            targets.holds[kind * pixels + pixel] = 1.0;
            let to = shift(all[*k], things[thing].region, ANCHOR_UNITS);
            for (side, to) in to.into_iter().enumerate() {
                targets.shifts[(4 * kind + side) * pixels + pixel] = to;
                targets.shifts_count[(4 * kind + side) * pixels + pixel] = weight;
            }
        }
        targets
    }
}

/// A region to learn from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RegionTarget {
    /// Where.
    pub region: Region,
    /// What it holds; 0 for nothing.
    pub class: usize,
    /// Where that lies beside it; zeros for nothing.
    pub shift: [f32; 4],
}

/// Chooses up to `n` of the proposals, those that hold a thing up to half of them, and says what each should be. The things
/// themselves are among the proposals, so that there is something to learn from the first step on.
pub fn regions(rng: &mut Rng, proposals: &[Region], things: &[Thing], n: usize) -> Vec<RegionTarget> {
    let all: Vec<Region> = proposals.iter().copied().chain(things.iter().map(|thing| thing.region)).collect();
    let near: Vec<(usize, f32)> = all.iter().map(|region| nearest(*region, things)).collect();
    let (held, empty): (Vec<usize>, Vec<usize>) = (0..all.len()).partition(|k| near[*k].1 >= REGION);
    let held = some(rng, held, (HOLDING * n as f32) as usize);
    let empty = some(rng, empty, n - held.len());
    let target = |k: usize, holds: bool| {
        let (region, thing) = (all[k], near[k].0);
        match holds {
            true => RegionTarget {
                region,
                class: things[thing].class,
                shift: shift(region, things[thing].region, REGION_UNITS),
            },
            false => RegionTarget { region, class: 0, shift: [0.0; 4] },
        }
    };
    held.into_iter().map(|k| target(k, true)).chain(empty.into_iter().map(|k| target(k, false))).collect()
}
