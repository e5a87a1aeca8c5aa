//! A model of one's own: it learns what it is shown, and refused calls change nothing.

use hitofude::Error;
use hitofude::systems::model::Model;
use hitofude::train::{Options, optimiser::Rule};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;
#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

const SMALL: &str = r#"{"input": [1, 6, 6], "layers": [
    {"name": "conv1", "type": "conv", "out": 4, "kernel": 3, "pad": 1}, {"name": "relu1", "type": "relu"},
    {"name": "flatten", "type": "flatten"}, {"name": "affine", "type": "affine", "out": 2}]}"#;

/// Pictures of a bar, lying (0) or standing (1), a different one for each seed.
fn bars(n: usize) -> (Vec<f32>, Vec<u32>) {
    let mut images = vec![0.0; n * 36];
    let labels: Vec<u32> = (0..n as u32).map(|i| i % 2).collect();
    for (i, image) in images.chunks_exact_mut(36).enumerate() {
        let at = i / 2 % 6;
        (0..6).for_each(|k| image[if i % 2 == 0 { at * 6 + k } else { k * 6 + at }] = 1.0);
    }
    (images, labels)
}

fn taught() -> Model {
    let mut model = Model::define(SMALL, 1).unwrap();
    let (images, labels) = bars(12);
    model.begin(Options::new(Rule::Adam, 0.02), 12, 60, 3).unwrap();
    for _ in 0..60 {
        model.step(&images, &labels).unwrap();
    }
    model.end();
    model
}

#[test]
fn it_learns_and_is_looked_into() {
    let mut model = taught();
    let (images, labels) = bars(12);
    let rows = model.probabilities(&images).unwrap();
    for (row, label) in rows.chunks_exact(2).zip(&labels) {
        assert!(row[*label as usize] > 0.9 && (row[0] + row[1] - 1.0).abs() < 1e-5, "{row:?} for {label}");
    }
    let (shape, values) = &model.features(&images[..36], &["affine", "conv1"]).unwrap()[1];
    assert_eq!((shape.len(), values.len()), (4 * 36, 4 * 36));
}

/// A softmax of sigmoids is no probability, and of one number it is always 1.
#[test]
fn probabilities_are_what_the_end_of_the_network_means() {
    let end = |out: usize, sigmoid: &str| {
        let last = r#"{"name": "affine", "type": "affine", "out": OUT}"#.replace("OUT", &out.to_string());
        let net =
            format!(r#"{{"input": [1, 2, 2], "layers": [{{"name": "flatten", "type": "flatten"}}, {last}{sigmoid}]}}"#);
        let mut model = Model::define(&net, 3).unwrap();
        let image = [0.5, -1.0, 2.0, 0.25];
        (model.scores(&image).unwrap(), model.probabilities(&image).unwrap())
    };
    let (scores, own) = end(3, r#", {"name": "p", "type": "sigmoid"}"#);
    assert_eq!(scores, own);
    let (scores, one) = end(1, "");
    assert!((one[0] - 1.0 / (1.0 + (-scores[0]).exp())).abs() < 1e-6, "{one:?} of {scores:?}");
    let (_, softmax) = end(3, "");
    assert!((softmax.iter().sum::<f32>() - 1.0).abs() < 1e-6);
}

#[test]
fn the_same_seed_teaches_the_same_weights() {
    assert_eq!(taught().params().values(), taught().params().values());
}

#[test]
fn frozen_layers_stay() {
    let mut model = taught();
    model.freeze(&["conv*"]).unwrap();
    let (before, (images, labels)) = (model.params().clone(), bars(12));
    model.begin(Options::default(), 12, 5, 0).unwrap();
    model.step(&images, &labels).unwrap();
    model.end();
    let after = model.params();
    assert_eq!(before.get("conv1.weight").unwrap(), after.get("conv1.weight").unwrap());
    assert_ne!(before.get("affine.weight").unwrap(), after.get("affine.weight").unwrap());
    assert!(matches!(model.freeze(&["nobody"]), Err(Error::Missing { .. })));
}

#[test]
fn what_is_refused_changes_nothing() {
    let mut model = taught();
    let (images, labels) = bars(12);
    let before = model.params().values().to_vec();
    assert!(matches!(model.step(&images, &labels), Err(Error::Missing { .. })), "before begin");
    model.begin(Options::default(), 12, 5, 0).unwrap();
    assert!(matches!(model.step(&images, &labels[..11]), Err(Error::Shape { .. })));
    assert!(matches!(model.step(&images[..35], &labels[..1]), Err(Error::Shape { .. })));
    assert!(matches!(model.step(&images[..36], &[2]), Err(Error::Value { .. })));
    assert!(matches!(model.step(&[f32::NAN; 36], &[1]), Err(Error::Value { .. })));
    assert!(matches!(model.scores(&[]), Err(Error::Shape { .. })));
    assert!(matches!(model.features(&images[..36], &["nobody"]), Err(Error::Missing { .. })));
    assert!(matches!(model.begin(Options::default(), usize::MAX / 4096, 5, 0), Err(Error::Value { .. })));
    assert_eq!(model.params().values(), before);
}
