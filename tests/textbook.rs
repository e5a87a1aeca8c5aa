//! The textbook's own parameters: read from the published pickles, imported, run on MNIST's test set, and held against
//! what a NumPy float64 forward pass gives with them (`../shared/reference/expected.json`).
#![cfg(not(target_arch = "wasm32"))]

mod common;

use hitofude::data::idx::{Labelled, Split, load_mnist};
use hitofude::file::pickle;
use hitofude::nn::{Mode, Run, Want};
use hitofude::tensor::Tensor;
use hitofude::zoo::{build, textbook};
use serde_json::Value;
use std::collections::BTreeMap;

const BATCH: usize = 100;

/// One network with the book's parameters, the images to read, and what is expected of it.
struct Case {
    name: &'static str,
    tensors: BTreeMap<String, Tensor>,
    test: Labelled,
    expected: Value,
}

impl Case {
    /// `None` where the data are absent.
    fn new(name: &'static str) -> Option<Self> {
        let (reference, mnist) = (common::shared("reference")?, common::shared("data/mnist")?);
        let expected = std::fs::read(reference.join("expected.json")).unwrap();
        let mut expected: Value = serde_json::from_slice(&expected).unwrap();
        let tensors = std::fs::read(reference.join(format!("{name}_params.pkl"))).unwrap();
        let test = load_mnist(&mnist, Split::Test).unwrap();
        Some(Self { name, tensors: pickle::read(&tensors).unwrap(), test, expected: expected[name].take() })
    }

    /// The scores of every test image, pixels passed through `round`.
    fn scores(&self, round: fn(f32) -> f32) -> Vec<[f32; 10]> {
        let net = build(self.name).unwrap();
        let mut params = net.zeros();
        params.load(&textbook::import(self.name, &self.tensors).unwrap()).unwrap();
        let pixels: Vec<f32> = self.test.images.pixels.iter().map(|&p| round(f32::from(p) / 255.0)).collect();
        let mut run = Run::new(&net, BATCH, &Want::outputs());
        let mut scores = Vec::new();
        for images in pixels.chunks(BATCH * 784) {
            run.forward(&params, images, images.len() / 784, Mode::Infer).unwrap();
            scores.extend_from_slice(run.output().as_chunks().0);
        }
        scores
    }

    /// Checks the first images' scores, the accuracy, and returns the misread images.
    fn check(&self, scores: &[[f32; 10]]) -> Vec<usize> {
        let logits = self.expected["logits_first_8_test_images_float64"].as_array().unwrap();
        assert_eq!(logits.len(), 8);
        for (i, (row, scores)) in logits.iter().zip(scores).enumerate() {
            for (class, (want, &got)) in row.as_array().unwrap().iter().zip(scores).enumerate() {
                let off = (want.as_f64().unwrap() - f64::from(got)).abs();
                assert!(off < 1e-4, "{} image {i} class {class}: {got}, want {want}", self.name);
            }
        }
        let misread = self.misread(scores);
        assert_eq!(accuracy(&misread), self.expected["test_accuracy"], "{}", self.name);
        misread
    }

    fn misread(&self, scores: &[[f32; 10]]) -> Vec<usize> {
        let answer = |scores: &[f32; 10]| (0..10).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap();
        assert_eq!((scores.len(), self.test.labels.len()), (10_000, 10_000));
        (0..10_000).filter(|&i| answer(&scores[i]) != usize::from(self.test.labels[i])).collect()
    }
}

fn accuracy(misread: &[usize]) -> f64 {
    (10_000 - misread.len()) as f64 / 1e4
}

#[test]
fn deep_convnet_misreads_the_images_it_should() {
    let Some(case) = Case::new("deep_convnet") else { return };
    let misread = case.check(&case.scores(|p| p));
    assert_eq!(accuracy(&misread), 0.9935);
    let expected: Vec<usize> = serde_json::from_value(case.expected["misclassified_test_indices"].clone()).unwrap();
    assert_eq!(misread, expected);
}

/// The sources' experiment: parameters and pixels rounded to half precision lose nothing.
#[test]
fn deep_convnet_in_half_precision() {
    let Some(mut case) = Case::new("deep_convnet") else { return };
    let half = |v: f32| half::f16::from_f32(v).to_f32();
    let (mut changed, mut all) = (0, 0);
    for tensor in case.tensors.values_mut() {
        let rounded = tensor.map(|&v| half(v));
        changed += tensor.iter().zip(&rounded).filter(|(a, b)| a != b).count();
        all += tensor.len();
        *tensor = rounded;
    }
    assert!(changed * 10 > all * 9, "only {changed} of {all} parameters were rounded");
    let misread = case.misread(&case.scores(half));
    assert_eq!(accuracy(&misread), 0.9935);
    assert_eq!(accuracy(&misread), case.expected["test_accuracy_float16_weights_and_input"]);
}

#[test]
fn simple_convnet() {
    let Some(case) = Case::new("simple_convnet") else { return };
    let misread = case.check(&case.scores(|p| p));
    assert_eq!(accuracy(&misread), 0.9890);
    assert_eq!(misread.len() as u64, case.expected["misclassified_count"]);
}

#[test]
fn three_layer_mlp() {
    let Some(case) = Case::new("three_layer_mlp") else { return };
    let misread = case.check(&case.scores(|p| p));
    assert_eq!(accuracy(&misread), 0.9352);
}

#[test]
fn what_is_no_published_file_is_named() {
    let shapes: [&[usize]; 6] = [&[784, 50], &[50], &[50, 100], &[100], &[100, 10], &[10]];
    let tensor = |(i, shape): (usize, &&[usize])| {
        let name = format!("{}{}", ["W", "b"][i % 2], i / 2 + 1);
        (name, Tensor::from_shape_fn(*shape, |at| at[0] as f32))
    };
    let whole: BTreeMap<String, Tensor> = shapes.iter().enumerate().map(tensor).collect();
    let imported = textbook::import("three_layer_mlp", &whole).unwrap();
    assert_eq!(imported[0].0, "affine1.weight");
    assert_eq!(imported[0].1.shape(), [50, 784]);
    assert_eq!(imported[0].1[[3, 700]], 700.0);
    assert!(imported[0].1.is_standard_layout());

    let refused = |name: &str, change: &dyn Fn(&mut BTreeMap<String, Tensor>)| {
        let mut tensors = whole.clone();
        change(&mut tensors);
        let error = textbook::import(name, &tensors).unwrap_err();
        (error.code(), error.to_string())
    };
    let (code, text) = refused("vgg", &|_| ());
    assert!(code == "missing" && text.contains("deep_convnet") && text.contains("vgg"), "{text}");
    let (code, text) = refused("three_layer_mlp", &|t| drop(t.remove("b2")));
    assert!(code == "missing" && text.contains("b2"), "{text}");
    let (code, text) = refused("three_layer_mlp", &|t| drop(t.insert("gamma1".into(), t["b1"].clone())));
    assert!(code == "missing" && text.contains("gamma1"), "{text}");
    let (code, text) = refused("three_layer_mlp", &|t| drop(t.insert("W1".into(), t["b1"].clone())));
    assert!(code == "shape" && text.contains("W1") && text.contains("[50]"), "{text}");
    let (code, text) = refused("deep_convnet", &|_| ());
    assert!(code == "shape" && text.contains("W1") && text.contains("[16, 1, 3, 3]"), "{text}");
}
