//! Softmax and the losses.

use super::common::levels;
use super::{close, normal, same_bits};
use hitofude::kernel::softmax::{
    log_softmax, softmax, softmax_cross_entropy, softmax_cross_entropy_soft, squared_error,
};
use hitofude::rng::Rng;

/// The logarithms of the probabilities of one row.
fn log_probabilities(row: &[f32]) -> Vec<f64> {
    let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = row.iter().map(|&x| f64::from(x - max).exp()).sum();
    row.iter().map(|&x| f64::from(x) - f64::from(max) - sum.ln()).collect()
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn softmax_and_its_losses_match_the_twin() {
    let mut rng = Rng::new(1);
    for c in 1..=37 {
        let (rows, scale, spread) = (1 + rng.below(5), 0.5 + rng.uniform(), [1.0, 30.0][c % 2]);
        let x: Vec<f32> = normal(&mut rng, rows * c).iter().map(|v| v * spread).collect();
        let t: Vec<f32> = (0..rows * c).map(|_| rng.uniform()).collect();
        let labels: Vec<u8> = (0..rows).map(|_| rng.below(c) as u8).collect();
        let log_p: Vec<f64> = x.chunks(c).flat_map(log_probabilities).collect();
        let p: Vec<f64> = log_p.iter().map(|l| l.exp()).collect();
        let (mut hard, mut soft) = ((0.0, Vec::new()), (0.0, Vec::new()));
        for i in 0..rows * c {
            let (row, class) = (i / c, i % c);
            let hit = class == usize::from(labels[row]);
            hard.0 -= if hit { log_p[i] } else { 0.0 };
            hard.1.push((p[i] - f64::from(hit)) * f64::from(scale));
            let mass: f64 = t[row * c..][..c].iter().map(|&t| f64::from(t)).sum();
            soft.0 -= f64::from(t[i]) * log_p[i];
            soft.1.push((p[i] * mass - f64::from(t[i])) * f64::from(scale));
        }

        let mut seen = [const { Vec::new() }; 4];
        for level in levels() {
            let (mut y, mut log_y, mut d, mut ds) = (x.clone(), x.clone(), x.clone(), x.clone());
            softmax(level, &mut y, c);
            log_softmax(level, &mut log_y, c);
            let loss = softmax_cross_entropy(level, &x, &labels, c, scale, &mut d);
            let soft_loss = softmax_cross_entropy_soft(level, &x, &t, c, scale, &mut ds);
            close(&y, &p, 3e-7, "softmax");
            close(&log_y, &log_p, 3e-7, "log softmax");
            close(&d, &hard.1, 5e-7, "gradient");
            close(&ds, &soft.1, 2e-6, "gradient of soft targets");
            assert!((loss - hard.0).abs() <= 1e-6 * hard.0.abs().max(1.0), "{loss}, not {}", hard.0);
            assert!((soft_loss - soft.0).abs() <= 1e-6 * soft.0.abs().max(1.0), "{soft_loss}, not {}", soft.0);
            d.push(loss as f32);
            ds.push(soft_loss as f32);
            for (all, one) in seen.iter_mut().zip([y, log_y, d, ds]) {
                all.push(one);
            }
        }
        seen.iter().for_each(|all| same_bits(all, "softmax"));
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn softmax_stands_extreme_logits() {
    let inf = f32::INFINITY;
    for level in levels() {
        let mut y = [1e30, 0.0, -1e30, -inf, 3e38, 3e38, -inf, 0.0, 0.0];
        softmax(level, &mut y, 3);
        assert_eq!(y, [1.0, 0.0, 0.0, 0.0, 0.5, 0.5, 0.0, 0.5, 0.5]);

        // A NaN or +∞ spoils its own row and no other; so does a row of −∞ alone.
        let mut y = [f32::NAN, 1.0, 1.0, 1.0, inf, 0.0, 2.0, 2.0, -inf, -inf];
        softmax(level, &mut y, 2);
        assert!([0, 1, 4, 5, 8, 9].iter().all(|&i| y[i].is_nan()), "{y:?}");
        assert_eq!([y[2], y[3], y[6], y[7]], [0.5; 4]);

        let mut d = [0.0; 4];
        let loss = softmax_cross_entropy(level, &[-inf, 0.0, 0.0, 0.0], &[1u32, 0], 2, 1.0, &mut d);
        assert_eq!((loss as f32, d), (std::f32::consts::LN_2, [0.0, 0.0, -0.5, 0.5]));
        let impossible = softmax_cross_entropy(level, &[-inf, 0.0], &[0u16], 2, 1.0, &mut d[..2]);
        assert_eq!(impossible, f64::INFINITY);
        let asked_nothing = softmax_cross_entropy_soft(level, &[-inf, 0.0], &[0.0, 1.0], 2, 1.0, &mut d[..2]);
        assert_eq!(asked_nothing, 0.0);
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_tiny_loss_keeps_its_digits() {
    for level in levels() {
        let mut d = [0.0; 2];
        let loss = softmax_cross_entropy(level, &[30.0, 0.0], &[0u8], 2, 1.0, &mut d);
        let want = (-30.0f64).exp().ln_1p();
        assert!((loss / want - 1.0).abs() < 1e-2, "{loss:e}, not {want:e}");
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_one_hot_target_is_a_label() {
    let mut rng = Rng::new(2);
    let x = normal(&mut rng, 4 * 10);
    let labels = [3u8, 0, 9, 5];
    let mut t = vec![0.0; 4 * 10];
    labels.iter().enumerate().for_each(|(row, &l)| t[row * 10 + usize::from(l)] = 1.0);
    for level in levels() {
        let (mut hard, mut soft) = (x.clone(), x.clone());
        let loss = softmax_cross_entropy(level, &x, &labels, 10, 0.25, &mut hard);
        let same = softmax_cross_entropy_soft(level, &x, &t, 10, 0.25, &mut soft);
        assert_eq!(hard, soft);
        assert!((loss - same).abs() < 1e-12);
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn squared_error_matches_the_twin() {
    let mut rng = Rng::new(3);
    for n in 0..70 {
        let (y, t) = (normal(&mut rng, n), normal(&mut rng, n));
        let want: f64 = y.iter().zip(&t).map(|(y, t)| 0.5 * f64::from(y - t).powi(2)).sum();
        for level in levels() {
            let mut dy = vec![7.0; n];
            let got = squared_error(level, &y, &t, 2.0, &mut dy);
            assert!((got - want).abs() <= 1e-12 * want.max(1.0));
            assert!((0..n).all(|i| dy[i] == (y[i] - t[i]) * 2.0));
        }
    }
    let mut dy = [0.0];
    assert!(squared_error(levels()[0], &[f32::NAN], &[0.0], 1.0, &mut dy).is_nan() && dy[0].is_nan());
}
