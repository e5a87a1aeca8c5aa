//! The engine against PyTorch at every lane level: outputs, losses, every gradient, ten steps of every optimiser.
//!
//! `tools/goldens.py` wrote `tests/golden`. PyTorch computed in float64 there, so what differs is this engine's rounding
//! to float32.

#[path = "../common/mod.rs"]
mod common;

mod curves;
mod explain;
mod few_bits;
mod layers;
mod losses;
mod networks;
mod style;

use hitofude::file::safetensors;
use hitofude::tensor::{Map, Tensor};
use std::collections::BTreeMap;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

/// The tensors of one case by name.
type Case = BTreeMap<String, Tensor>;

/// A golden file by the names of its cases, which stand before the first slash.
fn cases(file: &[u8]) -> BTreeMap<String, Case> {
    let mut cases = BTreeMap::<String, Case>::new();
    for (name, tensor) in safetensors::read(file).unwrap().tensors {
        let (case, name) = name.split_once('/').unwrap();
        cases.entry(case.into()).or_default().insert(name.into(), tensor);
    }
    cases
}

/// The numbers of a tensor.
fn numbers(tensor: &Tensor) -> &[f32] {
    tensor.as_slice().expect("C order")
}

/// The parameters, or their gradients, of a case: the tensors below `folder`.
fn below(case: &Case, folder: &str) -> Vec<(String, Tensor)> {
    let inside = |(name, tensor): (&String, &Tensor)| Some((name.strip_prefix(folder)?.to_owned(), tensor.clone()));
    case.iter().filter_map(inside).collect()
}

/// The images of a wire in the public order.
fn nchw((values, map): (&[f32], Map)) -> Vec<f32> {
    let mut images = vec![0.0; values.len() / map.len() * map.shape.len()];
    for (from, to) in values.chunks_exact(map.len()).zip(images.chunks_exact_mut(map.shape.len())) {
        map.copy_to_chw(from, to);
    }
    images
}

/// Compares element by element, with room for `2e-6` of the largest number. Seen natively: up to `7e-7`, in gradients
/// that passed through ten layers; `5e-7` after ten steps of Adam.
fn same(what: &str, got: &[f32], want: &Tensor) {
    let want = numbers(want);
    assert_eq!(got.len(), want.len(), "{what}");
    let largest = want.iter().fold(0.0, |largest: f32, v| largest.max(v.abs()));
    for (i, (&got, &want)) in got.iter().zip(want).enumerate() {
        assert!((got - want).abs() <= 2e-6 * largest, "{what}: number {i} is {got}, PyTorch {want}, among {largest}");
    }
}

/// Compares parameters or gradients by name.
fn same_tensors(what: &str, got: &[(String, Tensor)], want: &[(String, Tensor)]) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (name, want) in want {
        let (_, got) = got.iter().find(|(n, _)| n == name).unwrap_or_else(|| panic!("{what}: no {name}"));
        assert_eq!(got.shape(), want.shape(), "{what}: {name}");
        same(&format!("{what}: {name}"), numbers(got), want);
    }
}
