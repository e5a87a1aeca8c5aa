//! Twenty steps of every optimiser from one start, a batch of its own for each step.

use super::networks::simple;
use super::{Case, below, cases, numbers, same, same_tensors};
use hitofude::error::Result;
use hitofude::nn::layers::act::Activation::Relu;
use hitofude::nn::layers::affine::Affine;
use hitofude::nn::layers::batch_norm::BatchNorm;
use hitofude::nn::layers::flatten::Flatten;
use hitofude::nn::{Conv, Graph, Network, Wire};
use hitofude::shape::Shape;
use hitofude::tensor::Tensor;
use hitofude::train::{Options, Trainer};

const FILE: &[u8] = include_bytes!("../golden/curves.safetensors");

const STEPS: usize = 20;

/// The optimisers of `tools/goldens.py` under the names it gives them, as the page would describe them.
const OPTIMISERS: &[(&str, &str)] = &[
    ("sgd", r#"{"optimiser": {"rule": "sgd"}, "rate": 0.1}"#),
    ("sgd, decay", r#"{"optimiser": {"rule": "sgd", "decay": 0.05}, "rate": 0.1}"#),
    ("sgd, clipped by norm", r#"{"optimiser": {"rule": "sgd"}, "rate": 0.1, "clip_norm": 1.5}"#),
    ("sgd, clipped by value", r#"{"optimiser": {"rule": "sgd"}, "rate": 0.1, "clip_value": 0.1}"#),
    ("momentum", r#"{"optimiser": {"rule": "momentum"}, "rate": 0.05}"#),
    ("momentum, decay", r#"{"optimiser": {"rule": "momentum", "momentum": 0.9, "decay": 0.05}, "rate": 0.05}"#),
    ("nesterov", r#"{"optimiser": {"rule": "nesterov"}, "rate": 0.05}"#),
    ("nesterov, decay", r#"{"optimiser": {"rule": "nesterov", "decay": 0.05}, "rate": 0.05}"#),
    ("adagrad", r#"{"optimiser": {"rule": "adagrad"}, "rate": 0.05}"#),
    ("adagrad, decay", r#"{"optimiser": {"rule": "adagrad", "decay": 0.05, "eps": 1e-3}, "rate": 0.05}"#),
    ("adadelta", r#"{"optimiser": {"rule": "adadelta"}, "rate": 1}"#),
    ("adadelta, decay", r#"{"optimiser": {"rule": "adadelta", "rho": 0.8, "eps": 1e-4, "decay": 0.05}, "rate": 5}"#),
    ("rmsprop", r#"{"optimiser": {"rule": "rmsprop"}, "rate": 0.01}"#),
    ("rmsprop, decay", r#"{"optimiser": {"rule": "rmsprop", "alpha": 0.9, "eps": 1e-3, "decay": 0.05}, "rate": 0.01}"#),
    ("adam", r#"{"optimiser": {"rule": "adam"}, "rate": 0.01}"#),
    ("adam, decay", r#"{"optimiser": {"rule": "adam", "beta1": 0.9, "beta2": 0.999, "decay": 0.05}, "rate": 0.01}"#),
    (NORMALISED, r#"{"optimiser": {"rule": "sgd"}, "rate": 0.1}"#),
    ("adamw", r#"{"optimiser": {"rule": "adamw", "decay": 0.05}, "rate": 0.01}"#),
];

/// The case whose network has batch norms.
const NORMALISED: &str = "batch norm";

fn network(name: &str) -> Network {
    let mut g = Graph::new();
    let x = g.input("input", Shape::new(1, 8, 8)).unwrap();
    let y = if name == NORMALISED { normalised(&mut g, x) } else { simple(&mut g, x, 3, 3, 6) };
    g.finish(y.unwrap())
}

fn normalised(g: &mut Graph, x: Wire) -> Result<Wire> {
    let x = g.add("conv1", Conv { bias: false, ..Conv::new(3, 3) }, &[x])?;
    let x = g.add("norm1", BatchNorm { momentum: 0.3, ..BatchNorm::default() }, &[x])?;
    let x = g.add("relu1", Relu, &[x])?;
    let x = g.add("flatten", Flatten, &[x])?;
    g.add("affine1", Affine::new(5), &[x])
}

/// The mean loss of each step, and the parameters after the last.
fn train(name: &str, data: &Case, start: &[(String, Tensor)], options: &str) -> (Vec<f32>, Vec<(String, Tensor)>) {
    let (net, options) = (network(name), Options::from_json(options).unwrap());
    let labels = data["labels"].as_slice().unwrap();
    let (n, images) = (data["labels"].shape()[1], numbers(&data["input"]));
    let mut params = net.zeros();
    params.load(start).unwrap();
    let mut trainer = Trainer::new(&net, params, n, n, &options).unwrap();
    let losses = (0..STEPS).map(|step| {
        let fill = |i: usize, image: &mut [f32], target: &mut [f32]| {
            let at = step * n + i;
            image.copy_from_slice(&images[at * 64..][..64]);
            target.fill(0.0);
            target[labels[at] as usize] = 1.0;
        };
        (trainer.step(n, options.rate, 0, fill).unwrap().loss / n as f64) as f32
    });
    (losses.collect(), trainer.params().named())
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn every_optimiser() {
    let mut cases = cases(FILE);
    let data = cases.remove("data").unwrap();
    let start = below(&data, "start/");
    for (name, options) in OPTIMISERS {
        let case = cases.remove(*name).unwrap_or_else(|| panic!("no case {name}"));
        let own = below(&case, "start/");
        let (losses, end) = train(name, &data, if own.is_empty() { &start } else { &own }, options);
        same(&format!("{name}: loss"), &losses, &case["loss"]);
        same_tensors(name, &end, &below(&case, "end/"));
    }
    assert!(cases.is_empty(), "without an optimiser: {:?}", cases.keys());
}
