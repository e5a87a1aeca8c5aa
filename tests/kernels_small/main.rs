//! The kernels beside the GEMM, each at every lane level against a naive twin written with plain loops.

#[path = "../common/mod.rs"]
mod common;

mod act;
mod pool;
mod reduce;
mod softmax;
mod update;

use hitofude::rng::Rng;
use hitofude::shape::Shape;
use hitofude::tensor::Map;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

/// `n` normal numbers.
fn normal(rng: &mut Rng, n: usize) -> Vec<f32> {
    (0..n).map(|_| rng.normal()).collect()
}

/// `n` quarters between −1 and 1: many ties, and sums of them are exact.
fn quarters(rng: &mut Rng, n: usize) -> Vec<f32> {
    (0..n).map(|_| rng.below(9) as f32 / 4.0 - 1.0).collect()
}

/// A layout of `shape` with a random halo.
fn framed(rng: &mut Rng, shape: Shape) -> Map {
    Map::new(shape, (rng.below(3), rng.below(3)))
}

/// Where each number of `n` images lies in a buffer of this layout, in the order image, channel, row, column.
fn positions(map: &Map, n: usize) -> Vec<usize> {
    let Shape { c, h, w } = map.shape;
    let mut all = Vec::new();
    for i in 0..n {
        for ch in 0..c {
            for y in 0..h {
                all.extend((0..w).map(|x| i * map.len() + map.at(y, x) + ch));
            }
        }
    }
    all
}

/// A buffer of this layout that holds `values` (NCHW) in its images and `halo` around them.
fn laid_out(map: &Map, n: usize, values: &[f32], halo: f32) -> Vec<f32> {
    let mut buffer = vec![halo; n * map.len()];
    for (at, v) in positions(map, n).into_iter().zip(values) {
        buffer[at] = *v;
    }
    buffer
}

/// The images of a buffer as NCHW; every number of the halo must still be `halo`.
#[track_caller]
fn read_back(map: &Map, n: usize, buffer: &[f32], halo: f32) -> Vec<f32> {
    let inside = positions(map, n);
    let mut outside = vec![true; buffer.len()];
    inside.iter().for_each(|&at| outside[at] = false);
    for (v, _) in buffer.iter().zip(&outside).filter(|(_, outside)| **outside) {
        assert_eq!(*v, halo, "the halo was written");
    }
    inside.into_iter().map(|at| buffer[at]).collect()
}

/// Fails where `got` is further from `want` than `tolerance` times the larger of 1 and |want|.
#[track_caller]
fn close(got: &[f32], want: &[f64], tolerance: f64, what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        assert!((f64::from(*g) - w).abs() <= tolerance * w.abs().max(1.0), "{what}: [{i}] is {g}, not {w}");
    }
}

/// Fails unless the same call gave the same bits at every level.
#[track_caller]
fn same_bits(all: &[Vec<f32>], what: &str) {
    for one in &all[1..] {
        let same = all[0].iter().zip(one).all(|(a, b)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan());
        assert!(same && one.len() == all[0].len(), "{what}: the bits differ between lane levels");
    }
}

/// FNV-1a over the bits of `numbers`: one figure that native and wasm runs must share.
fn fingerprint(numbers: &[f32]) -> u64 {
    let bytes = numbers.iter().flat_map(|v| v.to_bits().to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}
