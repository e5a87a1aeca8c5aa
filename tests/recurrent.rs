//! LSTM and embedding against PyTorch, at every lane level; a sequence step by step; shapes that are refused.
//!
//! `tools/recurrent.py` wrote the golden file.

mod common;

use hitofude::file::safetensors;
use hitofude::nn::layers::affine::Affine;
use hitofude::nn::layers::embedding::Embedding;
use hitofude::nn::layers::lstm::Lstm;
use hitofude::nn::losses::SquaredError;
use hitofude::nn::{Conv, Feed, Graph, Init, Mode, Network, Params, Port, Rows, Run, Want};
use hitofude::shape::Shape;
use hitofude::tensor::Tensor;
use std::collections::BTreeMap;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

const GOLDEN: &[u8] = include_bytes!("golden/recurrent.safetensors");
const STEPS: usize = 5;
const HIDDEN: usize = 9;

/// Tokens, their vectors, an LSTM and squared error. The first input of a network holds images: here they are the first state,
/// which the LSTM reads if it is to.
fn network(states: bool, lengths: bool) -> Network {
    let mut g = Graph::new();
    let state = Shape::new(HIDDEN, 1, 1);
    let hidden = g.input("hidden", state).unwrap();
    let cell = g.input("cell", state).unwrap();
    let tokens = g.port("tokens", Shape::new(1, STEPS, 1), Port::Indices(7), Rows::IMAGES).unwrap();
    let target = g.input("target", Shape::new(HIDDEN, STEPS, 1)).unwrap();
    let length = g.port("length", Shape::new(1, 1, 1), Port::Indices(STEPS + 1), Rows::IMAGES).unwrap();
    let x = g.add("embedding", Embedding { tokens: 7, out: 6 }, &[tokens]).unwrap();
    let mut inputs = vec![x];
    inputs.extend([hidden, cell].into_iter().filter(|_| states));
    inputs.extend(lengths.then_some(length));
    let y = g.add("lstm", Lstm::new(HIDDEN), &inputs).unwrap();
    g.loss("loss", SquaredError, &[y, target], 1.0).unwrap();
    g.finish(y)
}

fn same(what: &str, got: &[f32], want: &Tensor) {
    let largest = want.iter().fold(0.0, |largest: f32, v| largest.max(v.abs()));
    assert_eq!(got.len(), want.len(), "{what}");
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        assert!((got - want).abs() <= 2e-6 * largest, "{what}: number {i} is {got}, PyTorch {want}, among {largest}");
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn outputs_and_every_gradient_are_those_of_pytorch() {
    let golden: BTreeMap<String, Tensor> = safetensors::read(GOLDEN).unwrap().tensors.into_iter().collect();
    for (states, lengths) in [(false, false), (false, true), (true, false), (true, true)] {
        let name =
            format!("lstm{}{}", if states { ", first states" } else { "" }, if lengths { ", lengths" } else { "" });
        let at = |key: &str| &golden[&format!("{name}/{key}")];
        let numbers = |key: &str, or: f32, len: usize| {
            golden.get(&format!("{name}/{key}")).map_or(vec![or; len], |t| t.iter().copied().collect::<Vec<f32>>())
        };
        let net = network(states, lengths);
        let mut params = net.zeros();
        for view in net.views() {
            params.set(&view.name, at(&format!("param/{}", view.name))).unwrap();
        }
        for level in common::levels() {
            let mut run = Run::at_level(&net, 3, &Want::everything(), level);
            let (hidden, cell) = (numbers("hidden", 0.0, 27), numbers("cell", 0.0, 27));
            let (tokens, target) = (numbers("tokens", 0.0, 15), numbers("target", 0.0, 135));
            let length = numbers("length", 5.0, 3);
            let feeds = [
                Feed::new("hidden", &hidden),
                Feed::new("cell", &cell),
                Feed::new("tokens", &tokens),
                Feed::new("target", &target),
                Feed::new("length", &length),
            ];
            run.forward_feeds(&params, &feeds, Mode::Train { seed: 1 }).unwrap();
            let mut output = vec![0.0; 135];
            output.chunks_exact_mut(45).enumerate().for_each(|(i, row)| run.read(net.output(), i, row).unwrap());
            same(&format!("{name}: output"), &output, at("output"));
            same(&format!("{name}: loss"), &[run.total_loss() as f32], at("loss"));
            let mut gradient = vec![0.0; params.values().len()];
            run.backward_losses(&params, &mut gradient, 1.0);
            for (view, got) in params.named_of(&gradient) {
                same(&format!("{name}: {view}"), got.as_slice().unwrap(), at(&format!("grad/{view}")));
            }
            for state in ["hidden", "cell"].into_iter().filter(|_| states) {
                let (dx, _) = run.gradient(net.wire(state).unwrap()).unwrap();
                same(&format!("{name}: d{state}"), dx, at(&format!("d{state}")));
            }
        }
    }
}

/// A sequence of so many steps, from a state, with the cells behind the hidden states.
fn stepped(steps: usize) -> (Network, Params) {
    let mut g = Graph::new();
    let x = g.input("x", Shape::new(4, steps, 1)).unwrap();
    let [hidden, cell] = ["hidden", "cell"].map(|name| g.input(name, Shape::new(3, 1, 1)).unwrap());
    let y = g.add("lstm", Lstm { hidden: 3, cells: true }, &[x, hidden, cell]).unwrap();
    let net = g.finish(y);
    let mut params = net.zeros();
    Init::Xavier.fill(&mut params, 3).unwrap();
    (net, params)
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_sequence_goes_on_from_the_state_that_its_beginning_left() {
    let ((whole, params), (one, alone)) = (stepped(4), stepped(1));
    assert_eq!(params.values(), alone.values(), "the steps change no parameter");
    let x: Vec<f32> = (0..16).map(|k| (k as f32 * 0.7).sin()).collect();
    let mut run = Run::new(&whole, 1, &Want::outputs());
    let zeros = [0.0; 3];
    let feeds = [Feed::new("x", &x), Feed::new("hidden", &zeros), Feed::new("cell", &zeros)];
    run.forward_feeds(&params, &feeds, Mode::Infer).unwrap();
    let mut expected = vec![0.0; 24];
    run.read(whole.output(), 0, &mut expected).unwrap();
    let (mut run, mut state) = (Run::new(&one, 1, &Want::outputs()), vec![0.0; 6]);
    for t in 0..4 {
        let now: Vec<f32> = (0..4).map(|c| x[c * 4 + t]).collect();
        let (hidden, cell) = state.split_at(3);
        let feeds = [Feed::new("x", &now), Feed::new("hidden", hidden), Feed::new("cell", cell)];
        run.forward_feeds(&params, &feeds, Mode::Infer).unwrap();
        state = run.output().to_vec();
        let want: Vec<f32> = (0..6).map(|c| expected[c * 4 + t]).collect();
        assert_eq!(state, want, "step {t}");
    }
    assert!(state.iter().all(|v| *v != 0.0));
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn shapes_that_are_no_sequence_are_refused() {
    let mut g = Graph::new();
    let x = g.input("x", Shape::new(2, 4, 3)).unwrap();
    assert!(g.add("wide", Lstm::new(3), &[x]).unwrap_err().to_string().contains("one pixel wide"));
    assert!(g.add("vectors", Embedding { tokens: 4, out: 3 }, &[x]).is_err(), "two channels");
    let row = g
        .add(
            "row",
            Conv {
                window: hitofude::shape::Window { kernel: (1, 3), ..hitofude::shape::Window::square(1) },
                ..Conv::new(5, 1)
            },
            &[x],
        )
        .unwrap();
    assert!(g.add("none", Lstm::new(0), &[row]).is_err());
    let flat = g.add("flat", hitofude::nn::layers::flatten::Flatten, &[x]).unwrap();
    let state = g.add("state", Affine::new(4), &[flat]).unwrap();
    assert!(
        g.add("state of another size", Lstm::new(3), &[row, state, state]).unwrap_err().to_string().contains("state")
    );
    assert!(g.add("length of another size", Lstm::new(3), &[row, state]).unwrap_err().to_string().contains("length"));
    assert!(g.add("five inputs", Lstm::new(4), &[row, state, state, state, state]).is_err());
    assert!(g.add("good", Lstm::new(4), &[row, state, state]).is_ok());
}
