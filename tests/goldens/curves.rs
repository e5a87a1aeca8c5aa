//! Ten steps of every optimiser from one start, a batch of its own for each step.

use crate::common::levels;
use crate::networks::simple;
use crate::{Case, below, cases, numbers, same, same_tensors};
use hitofude::kernel::{Level, update};
use hitofude::nn::{Graph, Mode, Network, Purpose, Run};
use hitofude::shape::Shape;
use hitofude::tensor::Tensor;

const FILE: &[u8] = include_bytes!("../golden/curves.safetensors");

const STEPS: usize = 10;

/// Parameters, gradient, two states that begin at zero, and the step's number from 1.
type Step = fn(Level, &mut [f32], &[f32], [&mut [f32]; 2], u64);

const ADAM: update::Adam = update::Adam { lr: 0.01, beta1: 0.9, beta2: 0.999, eps: 1e-8, decay: 0.0, decoupled: false };

/// The optimisers of `tools/goldens.py` under the names it gives them.
const OPTIMISERS: &[(&str, Step)] = &[
    ("sgd", |level, p, g, _, _| update::sgd(level, p, g, 0.1, 0.0)),
    ("sgd, decay", |level, p, g, _, _| update::sgd(level, p, g, 0.1, 0.05)),
    ("momentum", |level, p, g, [v, _], _| update::momentum(level, p, g, v, 0.05, 0.9, 0.0)),
    ("momentum, decay", |level, p, g, [v, _], _| update::momentum(level, p, g, v, 0.05, 0.9, 0.05)),
    ("adam", |level, p, g, [m, v], t| update::adam(level, p, g, m, v, &ADAM, t)),
    ("adam, decay", |level, p, g, [m, v], t| {
        update::adam(level, p, g, m, v, &update::Adam { decay: 0.05, ..ADAM }, t);
    }),
    ("adamw", |level, p, g, [m, v], t| {
        update::adam(level, p, g, m, v, &update::Adam { decay: 0.05, decoupled: true, ..ADAM }, t);
    }),
];

fn network() -> Network {
    let mut g = Graph::new();
    let x = g.input("input", Shape::new(1, 8, 8)).unwrap();
    let y = simple(&mut g, x, 3, 3, 6).unwrap();
    g.finish(y)
}

/// The loss of each step, and the parameters after the last.
fn train(data: &Case, start: &[(String, Tensor)], step: Step, level: Level) -> (Vec<f32>, Vec<(String, Tensor)>) {
    let (net, n) = (network(), data["labels"].shape()[1]);
    let mut params = net.zeros();
    params.load(start).unwrap();
    let mut run = Run::at_level(&net, n, &Purpose::Train { input_gradient: false }, level);
    let [mut gradient, mut first, mut second] = [0; 3].map(|_| vec![0.0; net.parameters()]);
    let labels: Vec<u8> = data["labels"].iter().map(|&label| label as u8).collect();
    let batches = numbers(&data["input"]).chunks_exact(n * 64).zip(labels.chunks_exact(n));
    let losses = batches.zip(1..).map(|((images, labels), t)| {
        run.forward(&params, images, n, Mode::Train { seed: t }).unwrap();
        let loss = run.softmax_cross_entropy(net.output(), labels, 1.0 / n as f32).unwrap() / n as f64;
        gradient.fill(0.0);
        run.backward(&params, &mut gradient);
        step(level, params.values_mut(), &gradient, [&mut first, &mut second], t);
        loss as f32
    });
    (losses.collect(), params.named())
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn every_optimiser() {
    let mut cases = cases(FILE);
    let data = cases.remove("data").unwrap();
    let start = below(&data, "start/");
    for (name, step) in OPTIMISERS {
        let case = cases.remove(*name).unwrap_or_else(|| panic!("no case {name}"));
        for level in levels() {
            let (losses, end) = train(&data, &start, *step, level);
            assert_eq!(losses.len(), STEPS);
            same(&format!("{name} at {level:?}: loss"), &losses, &case["loss"]);
            same_tensors(&format!("{name} at {level:?}"), &end, &below(&case, "end/"));
        }
    }
    assert!(cases.is_empty(), "without an optimiser: {:?}", cases.keys());
}
