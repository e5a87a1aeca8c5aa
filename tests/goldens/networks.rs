//! Whole networks under both losses.

use super::common::levels;
use super::{Case, below, cases, nchw, numbers, same, same_tensors};
use hitofude::error::Result;
use hitofude::kernel::Level;
use hitofude::nn::layers::act::Activation::{self, Identity, Relu, Sigmoid, Tanh};
use hitofude::nn::layers::affine::Affine;
use hitofude::nn::layers::dropout::Dropout;
use hitofude::nn::layers::flatten::Flatten;
use hitofude::nn::layers::pool::Pool;
use hitofude::nn::{Conv, Graph, Mode, Network, Run, Want, Wire};
use hitofude::shape::{Shape, Window};

const FILE: &[u8] = include_bytes!("../golden/networks.safetensors");

type Wiring = fn(&mut Graph, Wire) -> Result<Wire>;

/// The networks of `tools/goldens.py` under the names it gives them.
const NETWORKS: &[(&str, Wiring)] = &[
    ("cross-entropy", |g, x| g.add("a", Identity, &[x])),
    ("cross-entropy, large scores", |g, x| g.add("a", Identity, &[x])),
    ("squared error", |g, x| g.add("a", Identity, &[x])),
    ("simple", |g, x| simple(g, x, 4, 5, 10)),
    ("deep", deep),
    ("perceptron", |g, x| perceptron(g, x, Sigmoid)),
    ("regression", |g, x| perceptron(g, x, Tanh)),
];

/// SimpleConvNet with few channels.
pub fn simple(g: &mut Graph, x: Wire, filters: usize, kernel: usize, hidden: usize) -> Result<Wire> {
    let x = g.add("conv1", Conv::new(filters, kernel), &[x])?;
    let x = g.add("relu1", Relu, &[x])?;
    let x = g.add("pool1", Pool::Max(Window::square(2).stride(2)), &[x])?;
    let x = g.add("flatten", Flatten, &[x])?;
    let x = g.add("affine1", Affine::new(hidden), &[x])?;
    let x = g.add("relu2", Relu, &[x])?;
    g.add("affine2", Affine::new(5), &[x])
}

/// DeepConvNet with few channels: the same pairs, poolings, paddings and dropout.
fn deep(g: &mut Graph, mut x: Wire) -> Result<Wire> {
    for (pair, (filters, pad)) in [(4, 1), (6, 2), (8, 1)].into_iter().enumerate() {
        for (i, pad) in [(2 * pair + 1, 1), (2 * pair + 2, pad)] {
            x = g.add(&format!("conv{i}"), Conv::new(filters, 3).pad(pad), &[x])?;
            x = g.add(&format!("relu{i}"), Relu, &[x])?;
        }
        x = g.add(&format!("pool{}", pair + 1), Pool::Max(Window::square(2).stride(2)), &[x])?;
    }
    x = g.add("flatten", Flatten, &[x])?;
    x = g.add("affine1", Affine::new(10), &[x])?;
    x = g.add("relu7", Relu, &[x])?;
    x = g.add("dropout1", Dropout(0.5), &[x])?;
    x = g.add("affine2", Affine::new(5), &[x])?;
    g.add("dropout2", Dropout(0.5), &[x])
}

/// Three affine layers, the last one's output as it is.
fn perceptron(g: &mut Graph, x: Wire, activation: Activation) -> Result<Wire> {
    let x = g.add("flatten", Flatten, &[x])?;
    let x = g.add("affine1", Affine::new(9), &[x])?;
    let x = g.add("act1", activation, &[x])?;
    let x = g.add("affine2", Affine::new(7), &[x])?;
    let x = g.add("act2", activation, &[x])?;
    let x = g.add("affine3", Affine::new(5), &[x])?;
    g.add("act3", Identity, &[x])
}

/// The loss of a run, PyTorch's mean over images for labels; leaves its gradient on the output.
fn loss(run: &mut Run, case: &Case, n: usize) -> f64 {
    let output = run.network().output();
    match case.get("labels") {
        Some(labels) => {
            let labels: Vec<u8> = labels.iter().map(|&label| label as u8).collect();
            run.softmax_cross_entropy(output, &labels, 1.0 / n as f32).unwrap() / n as f64
        }
        None => run.squared_error(output, numbers(&case["targets"]), 1.0).unwrap(),
    }
}

fn check(name: &str, case: &Case, net: &Network, level: Level) {
    let what = |part: &str| format!("{name} at {level:?}: {part}");
    let images = &case["input"];
    let n = images.shape()[0];
    let mut params = net.zeros();
    params.load(&below(case, "param/")).unwrap();
    let mut run = Run::at_level(net, n, &Want::everything(), level);
    run.forward(&params, numbers(images), n, Mode::Infer).unwrap();
    same(&what("output"), run.output(), &case["output"]);

    let loss = loss(&mut run, case, n);
    same(&what("loss"), &[loss as f32], &case["loss"]);
    same(&what("output gradient"), &nchw(run.gradient(net.output()).unwrap()), &case["doutput"]);

    let mut arena = vec![0.0; net.arena_len()];
    run.backward(&params, &mut arena);
    same_tensors(&what("gradient"), &params.named_of(&arena), &below(case, "grad/"));
    let input = net.wires().next().unwrap();
    same(&what("input gradient"), &nchw(run.gradient(input).unwrap()), &case["dinput"]);
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn every_network() {
    let mut cases = cases(FILE);
    for (name, wiring) in NETWORKS {
        let case = cases.remove(*name).unwrap_or_else(|| panic!("no case {name}"));
        let mut g = Graph::new();
        let &[_, c, h, w] = case["input"].shape() else { panic!("images") };
        let x = g.input("input", Shape::new(c, h, w)).unwrap();
        let y = wiring(&mut g, x).unwrap();
        let net = g.finish(y);
        for level in levels() {
            check(name, &case, &net, level);
        }
    }
    assert!(cases.is_empty(), "without a network: {:?}", cases.keys());
}
