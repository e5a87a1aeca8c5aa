//! Proposals: the anchors that look like things, moved to where those lie (Ren et al. 2015, section 3.1).

use super::boxes::{ANCHOR_UNITS, anchor, shifted, within};
use crate::kernel::roi::{Region, suppress};
use crate::nn::{Run, Wire};
use crate::zoo::faster_rcnn::STRIDE;

/// How proposals are chosen.
#[derive(Debug, Clone, Copy)]
pub struct Choice {
    /// Anchors with the highest scores that are looked at.
    pub before: usize,
    /// Proposals that are left at most.
    pub after: usize,
    /// What shares more than this with a better one goes: intersection over union.
    pub overlap: f32,
    /// The least logit.
    pub least: f32,
}

/// A region that may hold something.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proposal {
    /// Where, in pixels of the network's picture.
    pub region: Region,
    /// How much it looks like a thing: a logit.
    pub score: f32,
}

/// The shortest side of a proposal, in pixels.
const SHORTEST: f32 = 3.0;

/// The proposals for image `i` of a run that has computed both wires, the best first.
///
/// Anchors that are no numbers, or have become smaller than a few pixels, are none.
pub fn propose(run: &Run, [objectness, shifts]: [Wire; 2], i: usize, choice: &Choice) -> Vec<Proposal> {
    let (Some((scores, map)), Some((by, by_map))) = (run.values(objectness), run.values(shifts)) else { return vec![] };
    let (kinds, (h, w)) = (map.shape.c, (map.shape.h, map.shape.w));
    let place = |k: usize| (k / kinds / w, k / kinds % w, k % kinds);
    let score = |k: usize| {
        let (row, column, kind) = place(k);
        scores[i * map.len() + map.at(row, column) + kind]
    };
    let mut best: Vec<(usize, f32)> =
        (0..h * w * kinds).map(|k| (k, score(k))).filter(|(_, score)| *score >= choice.least).collect();
    best.sort_by(|a, b| b.1.total_cmp(&a.1));
    best.truncate(choice.before);
    let (width, height) = ((w * STRIDE) as f32, (h * STRIDE) as f32);
    let found = best.into_iter().filter_map(|(k, score)| {
        let (row, column, kind) = place(k);
        let from = i * by_map.len() + by_map.at(row, column) + 4 * kind;
        let by = [by[from], by[from + 1], by[from + 2], by[from + 3]];
        let region = within(shifted(anchor(row, column, kind), by, ANCHOR_UNITS), width, height);
        let large = region[2] - region[0] >= SHORTEST && region[3] - region[1] >= SHORTEST;
        large.then_some(Proposal { region, score })
    });
    let found: Vec<Proposal> = found.collect();
    let (regions, scores): (Vec<Region>, Vec<f32>) = found.iter().map(|p| (p.region, p.score)).unzip();
    let kept = suppress(&regions, &scores, choice.overlap);
    kept.into_iter().take(choice.after).map(|k| found[k]).collect()
}
