//! How well boxes were found: average precision, as COCO counts it and as PASCAL VOC does.
//!
//! Both put detections in order of their scores and ask of each prefix how many of the truths it has found (recall) and
//! how many of it are right (precision). COCO: Lin et al. 2014, by the rules of its own `pycocotools`, without its three
//! ranges of areas. VOC: Everingham et al. 2010, the area rule in use since 2010.

use crate::error::{Error, Result};
use std::collections::BTreeSet;

/// A box that is there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Truth {
    /// The number of its picture.
    pub image: usize,
    /// What it is.
    pub class: usize,
    /// `[x0, y0, x1, y1]`, half open.
    pub bbox: [f64; 4],
    /// A region with many things of the class: takes any number of detections, none of which counts.
    pub crowd: bool,
}

/// A box that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// The number of its picture.
    pub image: usize,
    /// What it is taken for.
    pub class: usize,
    /// `[x0, y0, x1, y1]`, half open.
    pub bbox: [f64; 4],
    /// How sure that is.
    pub score: f64,
}

/// COCO's figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Coco {
    /// Mean over classes and thresholds; −1 where no class has a truth.
    pub map: f64,
    /// The same at an intersection over union of 0.5 alone.
    pub map50: f64,
    /// For each class that has truths its number and its average precision at each of the ten thresholds.
    pub classes: Vec<(usize, [f64; 10])>,
}

/// Detections of a class that count in one picture.
const MOST: usize = 100;
/// Recalls at which precision is read.
const RECALLS: usize = 101;

/// COCO's average precision: ten thresholds from 0.50 to 0.95, 101 recalls. Errors: [`Error::Value`] for a score or a box
/// that is not finite.
pub fn coco(truths: &[Truth], found: &[Found]) -> Result<Coco> {
    check(truths, found)?;
    let with_truth: BTreeSet<usize> = truths.iter().filter(|t| !t.crowd).map(|t| t.class).collect();
    let classes: Vec<(usize, [f64; 10])> = with_truth
        .into_iter()
        .map(|class| {
            let own: Vec<&Truth> = truths.iter().filter(|t| t.class == class).collect();
            let found: Vec<&Found> = found.iter().filter(|f| f.class == class).collect();
            let threshold = |i: usize| 0.5 + i as f64 * (0.45 / 9.0);
            (class, std::array::from_fn(|i| at_recalls(&own, &found, threshold(i))))
        })
        .collect();
    let mean = |value: &dyn Fn(&[f64; 10]) -> f64| {
        let sum: f64 = classes.iter().map(|(_, by_threshold)| value(by_threshold)).sum();
        if classes.is_empty() { -1.0 } else { sum / classes.len() as f64 }
    };
    Ok(Coco { map: mean(&|all| all.iter().sum::<f64>() / 10.0), map50: mean(&|all| all[0]), classes })
}

/// VOC's mean average precision at one threshold: the area under precision made non-increasing. A detection takes the truth
/// of the greatest intersection over union, and is wrong if that is taken already. Boxes are half open, where the
/// development kit's have their last pixel inside. −1 where no class has a truth. Errors as [`coco`].
pub fn voc(truths: &[Truth], found: &[Found], threshold: f64) -> Result<f64> {
    check(truths, found)?;
    let classes: BTreeSet<usize> = truths.iter().filter(|t| !t.crowd).map(|t| t.class).collect();
    let area = |class: &usize| {
        let own: Vec<&Truth> = truths.iter().filter(|t| t.class == *class && !t.crowd).collect();
        let mut taken = vec![false; own.len()];
        let right = by_score(found.iter().filter(|f| f.class == *class)).into_iter().map(|f| {
            let overlaps = own.iter().enumerate().filter(|(_, t)| t.image == f.image);
            let overlaps = overlaps.map(|(i, t)| (i, overlap(f.bbox, t.bbox, false)));
            let best = overlaps.fold(
                None,
                |best: Option<(usize, f64)>, here| {
                    if best.is_none_or(|best| here.1 > best.1) { Some(here) } else { best }
                },
            );
            best.is_some_and(|(i, iou)| iou >= threshold && !std::mem::replace(&mut taken[i], true))
        });
        let curve = curve(right, own.len());
        let mut before = 0.0;
        curve
            .iter()
            .map(|[recall, precision]| (recall - std::mem::replace(&mut before, *recall)) * precision)
            .sum::<f64>()
    };
    if classes.is_empty() {
        return Ok(-1.0);
    }
    Ok(classes.iter().map(area).sum::<f64>() / classes.len() as f64)
}

fn check(truths: &[Truth], found: &[Found]) -> Result<()> {
    let finite = |values: &[f64]| values.iter().all(|v| v.is_finite());
    if let Some(bad) = found.iter().find(|f| !f.score.is_finite() || !finite(&f.bbox)) {
        return Err(Error::value("detection", "a finite score and box", format!("{bad:?}")));
    }
    match truths.iter().find(|t| !finite(&t.bbox)) {
        Some(bad) => Err(Error::value("true box", "finite numbers", format!("{bad:?}"))),
        None => Ok(()),
    }
}

/// The greatest score first; equal ones by picture, then in the order given.
fn by_score<'a>(found: impl Iterator<Item = &'a Found>) -> Vec<&'a Found> {
    let mut all: Vec<&Found> = found.collect();
    all.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.image.cmp(&b.image)));
    all
}

/// Intersection over union; of a crowd over the detection's own area.
fn overlap(found: [f64; 4], truth: [f64; 4], crowd: bool) -> f64 {
    let side = |k: usize| (found[k + 2].min(truth[k + 2]) - found[k].max(truth[k])).max(0.0);
    let area = |b: [f64; 4]| (b[2] - b[0]) * (b[3] - b[1]);
    let both = side(0) * side(1);
    let whole = if crowd { area(found) } else { area(found) + area(truth) - both };
    if whole > 0.0 { both / whole } else { 0.0 }
}

/// What a detection came to.
#[derive(Clone, Copy, PartialEq)]
enum Verdict {
    Right,
    Wrong,
    /// It lies in a crowd.
    Ignored,
}

/// The verdicts on the detections of one class in one picture, which come by score.
fn matched(truths: &[&Truth], found: &[&Found], threshold: f64) -> Vec<Verdict> {
    let least = threshold.min(1.0 - 1e-10);
    let mut taken = vec![false; truths.len()];
    let verdict = |f: &&Found| {
        let mut best: Option<(usize, f64)> = None;
        for (i, truth) in truths.iter().enumerate() {
            // Truths come before crowds: whoever has a truth leaves the crowds alone.
            if truth.crowd && best.is_some_and(|(i, _)| !truths[i].crowd) {
                break;
            }
            let iou = overlap(f.bbox, truth.bbox, truth.crowd);
            if (!taken[i] || truth.crowd) && iou >= best.map_or(least, |best| best.1) {
                best = Some((i, iou));
            }
        }
        let Some((i, _)) = best else { return Verdict::Wrong };
        taken[i] = true;
        if truths[i].crowd { Verdict::Ignored } else { Verdict::Right }
    };
    found.iter().map(verdict).collect()
}

/// One class at one threshold: the mean of the precisions at 101 recalls.
fn at_recalls(truths: &[&Truth], found: &[&Found], threshold: f64) -> f64 {
    let images: BTreeSet<usize> = found.iter().map(|f| f.image).collect();
    let mut judged: Vec<(f64, Verdict)> = Vec::new();
    for image in images {
        let mut here: Vec<&Truth> = truths.iter().filter(|t| t.image == image).copied().collect();
        here.sort_by_key(|t| t.crowd);
        let mut ranked = by_score(found.iter().filter(|f| f.image == image).copied());
        ranked.truncate(MOST);
        let verdicts = matched(&here, &ranked, threshold);
        judged.extend(ranked.iter().map(|f| f.score).zip(verdicts));
    }
    judged.sort_by(|a, b| b.0.total_cmp(&a.0));
    let right = judged.iter().filter(|j| j.1 != Verdict::Ignored).map(|j| j.1 == Verdict::Right);
    let curve = curve(right, truths.iter().filter(|t| !t.crowd).count());
    let precision = |i: usize| {
        let wanted = i as f64 * 0.01;
        let at = curve.partition_point(|[recall, _]| *recall < wanted);
        curve.get(at).map_or(0.0, |[_, precision]| *precision)
    };
    (0..RECALLS).map(precision).sum::<f64>() / RECALLS as f64
}

/// Recall and precision behind each detection, the precision made non-increasing from behind.
pub fn curve(right: impl Iterator<Item = bool>, truths: usize) -> Vec<[f64; 2]> {
    let mut hits = 0;
    let point = |(i, right): (usize, bool)| {
        hits += usize::from(right);
        [hits as f64 / truths.max(1) as f64, hits as f64 / (i + 1) as f64]
    };
    let mut curve: Vec<[f64; 2]> = right.enumerate().map(point).collect();
    let mut most = 0.0_f64;
    for point in curve.iter_mut().rev() {
        most = most.max(point[1]);
        point[1] = most;
    }
    curve
}
