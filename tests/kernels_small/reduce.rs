//! Sums and argmax.

use super::common::levels;
use super::{close, framed, laid_out, normal, same_bits};
use hitofude::kernel::reduce::{argmax, column_sums, dot, squared_distance, sum, sum_of_squares};
use hitofude::rng::Rng;
use hitofude::shape::Shape;
use hitofude::tensor::Map;

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn column_sums_match_the_twin() {
    let mut rng = Rng::new(1);
    for c in (1..=37).chain([64, 100]) {
        let (n, shape) = (1 + rng.below(4), Shape::new(c, 1 + rng.below(9), 1 + rng.below(9)));
        let (values, db0) = (normal(&mut rng, n * shape.len()), normal(&mut rng, c));
        let pixels = shape.h * shape.w;
        let want: Vec<f64> = (0..c)
            .map(|ch| {
                let planes = values.chunks(pixels).skip(ch).step_by(c);
                f64::from(db0[ch]) + planes.flatten().map(|&v| f64::from(v)).sum::<f64>()
            })
            .collect();
        let map = framed(&mut rng, shape);
        let dy = laid_out(&map, n, &values, 1e30);
        let seen: Vec<Vec<f32>> = levels()
            .into_iter()
            .map(|level| {
                let mut db = db0.clone();
                column_sums(level, (&dy, &map), n, &mut db);
                db
            })
            .collect();
        close(&seen[0], &want, 5e-6, "db");
        same_bits(&seen, "column sums");
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn column_sums_of_a_large_batch_keep_their_digits() {
    let map = Map::new(Shape::new(3, 28, 28), (1, 1));
    let dy = vec![0.1; 100 * map.len()];
    for level in levels() {
        let mut db = [0.0; 3];
        column_sums(level, (&dy, &map), 100, &mut db);
        close(&db, &[f64::from(0.1f32) * 78_400.0; 3], 2e-6, "db");
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn sums_match_the_twin_and_each_other() {
    let mut rng = Rng::new(2);
    for n in (0..70).chain([1000]) {
        let x = normal(&mut rng, n);
        let want = x.iter().fold((0.0, 0.0), |(s, q), &v| (s + f64::from(v), q + f64::from(v) * f64::from(v)));
        let seen: Vec<(f64, f64)> =
            levels().into_iter().map(|level| (sum(level, &x), sum_of_squares(level, &x))).collect();
        assert!((seen[0].0 - want.0).abs() < 1e-11 && (seen[0].1 - want.1).abs() < 1e-11);
        assert!(seen.iter().all(|s| *s == seen[0]), "{seen:?}");
    }
    // The squares of large numbers do not overflow: a gradient's norm is finite if the gradient is.
    assert!(sum_of_squares(levels()[0], &[f32::MAX; 3]).is_finite());
    assert!(sum(levels()[0], &[1.0, f32::NAN]).is_nan());
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn sums_over_pairs_match_the_twin_and_each_other() {
    let mut rng = Rng::new(3);
    for n in (0..70).chain([1000, 5000]) {
        let (x, y) = (normal(&mut rng, n), normal(&mut rng, n));
        let pairs = || x.iter().zip(&y).map(|(&x, &y)| (f64::from(x), f64::from(y)));
        let want: (f64, f64) = (pairs().map(|(x, y)| x * y).sum(), pairs().map(|(x, y)| (x - y) * (x - y)).sum());
        let seen: Vec<(f64, f64)> =
            levels().into_iter().map(|level| (dot(level, &x, &y), squared_distance(level, &x, &y))).collect();
        let within = 1e-6 * (1.0 + want.1);
        assert!((seen[0].0 - want.0).abs() < within && (seen[0].1 - want.1).abs() < within, "{n}: {seen:?}, {want:?}");
        assert!(seen.iter().all(|s| *s == seen[0]), "{n}: {seen:?}");
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn argmax_takes_the_first_and_never_a_nan() {
    let (nan, inf) = (f32::NAN, f32::INFINITY);
    assert_eq!(argmax(&[1.0, 3.0, 3.0, 2.0]), Some(1));
    assert_eq!(argmax(&[nan, -2.0, nan, -1.0]), Some(3));
    assert_eq!(argmax(&[-inf, -inf]), Some(0));
    assert_eq!(argmax(&[-0.0, 0.0]), Some(0));
    assert_eq!(argmax(&[nan, nan]), None);
    assert_eq!(argmax(&[]), None);
}
