//! Rounding in the graph, whose gradient goes straight through, against the rules as PyTorch's autograd computes them
//! (`tools/few_bits.py`).

use super::common::levels;
use super::layers::{Wiring, network, pass};
use super::{below, cases, same, same_tensors};
use hitofude::error::Result;
use hitofude::nn::layers::fake_quantise::FakeQuantise;
use hitofude::nn::layers::quant_conv::{QuantConv, Weights};
use hitofude::nn::layers::sign::Sign;
use hitofude::nn::{Conv, Graph, Mode, Wire};
use hitofude::tensor::Tensor;

const FILE: &[u8] = include_bytes!("../golden/few_bits.safetensors");

fn fake(g: &mut Graph, x: Wire, bits: usize, signed: bool) -> Result<Wire> {
    g.add("a", FakeQuantise { bits, signed, step: 0.1 }, &[x])
}

fn conv(g: &mut Graph, x: Wire, conv: Conv, weights: Weights) -> Result<Wire> {
    g.add("a", QuantConv { conv, weights }, &[x])
}

const LAYERS: &[(&str, Wiring)] = &[
    ("fake quantise, 8 bits", |g, x| fake(g, x, 8, false)),
    ("fake quantise, 4 bits with a sign", |g, x| fake(g, x, 4, true)),
    ("fake quantise, 1 bit", |g, x| fake(g, x, 1, false)),
    ("sign", |g, x| g.add("a", Sign, &[x])),
    ("sign, whole numbers", |g, x| g.add("a", Sign, &[x])),
    ("conv of 8 bits", |g, x| conv(g, x, Conv::new(4, 3).pad(1), Weights::Steps(8))),
    ("conv of 4 bits, stride 2", |g, x| conv(g, x, Conv::new(5, 3).stride(2), Weights::Steps(4))),
    ("conv of 2 bits", |g, x| conv(g, x, Conv::new(3, 2), Weights::Steps(2))),
    ("conv of ternary weights", |g, x| conv(g, x, Conv::new(4, 3).pad(1), Weights::Ternary)),
    ("conv of signs", |g, x| conv(g, x, Conv::new(4, 3), Weights::Binary)),
    ("conv of scaled signs", |g, x| conv(g, x, Conv::new(4, 3).pad(1), Weights::Scaled)),
];

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn every_rule() {
    let mut cases = cases(FILE);
    for (name, wiring) in LAYERS {
        let case = cases.remove(*name).unwrap_or_else(|| panic!("no case {name}"));
        let net = network(&case, *wiring);
        for level in levels() {
            let pass = pass(&case, &net, level, Mode::Train { seed: 0 });
            let what = format!("{name} at {level:?}");
            same(&format!("{what}: output"), &pass.y, &case["output"]);
            same(&format!("{what}: input gradient"), &pass.dx, &case["dinput"]);
            // A step's gradient is a sum of remainders of `x / step`, whose last bits single precision has not.
            let is_step = |(name, _): &(String, Tensor)| name.ends_with("log_step");
            let (steps, others): (Vec<_>, Vec<_>) = pass.dparams.into_iter().partition(is_step);
            let (want_steps, want): (Vec<_>, Vec<_>) = below(&case, "grad/").into_iter().partition(is_step);
            same_tensors(&what, &others, &want);
            assert_eq!(steps.len(), want_steps.len(), "{what}");
            for ((_, got), (_, want)) in steps.iter().zip(&want_steps) {
                let most = want.iter().fold(0.0f32, |most, v| most.max(v.abs()));
                let near = got.iter().zip(want).all(|(g, w)| (g - w).abs() <= 2e-5 * most);
                assert!(near && got.len() == want.len(), "{what}: {got} for {want}");
            }
        }
    }
    assert!(cases.is_empty(), "without a layer: {:?}", cases.keys());
}
