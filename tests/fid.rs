//! The Fréchet distance against the field's, and the eigenvalues behind it.
#![cfg(not(target_arch = "wasm32"))]

mod common;

use hitofude::rng::Rng;
use hitofude::systems::generate::fid::{Moments, distance, eigen};

#[test]
fn distances_are_those_of_the_field() {
    let Some(path) = common::shared("vectors/fid.json") else { return };
    let file: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let row =
        |v: &serde_json::Value| -> Vec<f64> { v.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect() };
    let rows = |v: &serde_json::Value| v.as_array().unwrap().iter().flat_map(&row).collect::<Vec<f64>>();
    let mut seen = 0;
    for case in file["cases"].as_array().unwrap() {
        let (a, b, expected) = if case.get("x").is_some() {
            let of = |key: &str| {
                let values: Vec<f32> = rows(&case[key]).into_iter().map(|v| v as f32).collect();
                Moments::of(&values, case[key][0].as_array().unwrap().len()).unwrap()
            };
            (of("x"), of("y"), case["n-1"].as_f64().unwrap())
        } else {
            let of =
                |n: u8| Moments { mean: row(&case[format!("mu{n}")]), covariance: rows(&case[format!("sigma{n}")]) };
            // torch-fidelity's are eigenvalues, as here; of a singular covariance the others' square root is off by 1e-7.
            (of(1), of(2), case["torch_fidelity"].as_f64().unwrap())
        };
        let got = distance(&a, &b).unwrap();
        assert!((got - expected).abs() < 1e-6 * expected.max(1.0), "{}: {got}, not {expected}", case["name"]);
        assert!((distance(&b, &a).unwrap() - got).abs() < 1e-6 * got.max(1.0), "{}: the other way", case["name"]);
        seen += 1;
    }
    assert!(seen >= 9);
}

#[test]
fn rotations_find_every_eigenvalue() {
    let (d, mut rng) = (17, Rng::new(4));
    let half: Vec<f64> = (0..d * d).map(|_| f64::from(rng.normal())).collect();
    let a: Vec<f64> = (0..d * d).map(|k| half[k] + half[k % d * d + k / d]).collect();
    let (values, vectors) = eigen(a.clone(), d);
    for k in 0..d {
        for i in 0..d {
            let product: f64 = (0..d).map(|j| a[i * d + j] * vectors[j * d + k]).sum();
            assert!((product - values[k] * vectors[i * d + k]).abs() < 1e-10);
        }
    }
    let one = Moments { mean: vec![0.0], covariance: vec![1.0] };
    assert!(distance(&one, &Moments { mean: vec![0.0; 2], covariance: vec![0.0; 4] }).is_err());
    assert!(Moments::of(&[1.0, 2.0], 2).is_err(), "one row has no covariance");
}
