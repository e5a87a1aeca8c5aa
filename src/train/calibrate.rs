//! Calibration: a temperature that makes probabilities honest, and a threshold below which an answer is "not sure".
//! Guo et al. 2017.

use crate::kernel::{Level, act, softmax};

/// The temperature at which the labels are most likely: the minimum of the mean cross-entropy of `scores / t`, found
/// by golden-section search over 1/16 … 16.
///
/// `scores` are rows of as many classes for each label.
pub fn temperature(scores: &[f32], labels: &[u8]) -> f32 {
    let classes = scores.len() / labels.len().max(1);
    let mut scaled = vec![0.0; scores.len()];
    let mut gradient = vec![0.0; scores.len()];
    let mut loss = |log: f64| {
        scaled.copy_from_slice(scores);
        act::scale(Level::new(), &mut scaled, libm::exp2(-log) as f32);
        softmax::softmax_cross_entropy(Level::new(), &scaled, labels, classes, 1.0, &mut gradient)
    };
    // log₂ t. The loss is convex in 1 / t, so it has one minimum here, too.
    let (mut low, mut high) = (-4.0, 4.0);
    let golden = (libm::sqrt(5.0) - 1.0) / 2.0;
    while high - low > 1e-3 {
        let (a, b) = (high - golden * (high - low), low + golden * (high - low));
        if loss(a) < loss(b) {
            high = b;
        } else {
            low = a;
        }
    }
    libm::exp2((low + high) / 2.0) as f32
}

/// The largest probability of each row of `softmax(scores / temperature)`.
pub fn confidences(scores: &[f32], classes: usize, temperature: f32) -> Vec<f32> {
    let mut p = scores.to_vec();
    act::scale(Level::new(), &mut p, 1.0 / temperature);
    softmax::softmax(Level::new(), &mut p, classes);
    p.chunks_exact(classes).map(|row| row.iter().copied().fold(0.0, f32::max)).collect()
}

/// The threshold below which the part `unsure` of these confidences lies.
pub fn threshold(confidences: &[f32], unsure: f32) -> f32 {
    let mut sorted = confidences.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    sorted.get((unsure.clamp(0.0, 1.0) * sorted.len() as f32) as usize).copied().unwrap_or(0.0)
}
