//! The papers' networks against torchvision's: parameters and multiply-adds to the last digit, names and shapes, the maps
//! behind every layer that strides, and what some of them answer. `tools/zoo.py` wrote what torchvision says.
#![cfg(not(target_arch = "wasm32"))]

use hitofude::file::safetensors;
use hitofude::nn::{Mode, Network, Params, Plan, Run, Want, description, fold};
use hitofude::tensor::Tensor;
use hitofude::zoo::{self, CATALOGUE, IMAGENET};
use serde_json::Value;

const TABLE: &str = include_str!("golden/zoo.json");
const ANSWERS: &[u8] = include_bytes!("golden/zoo.safetensors");

fn multiply_adds(net: &Network) -> u64 {
    let of = |node: &hitofude::nn::graph::Node| Some(node.layer.as_ref()?.multiply_adds(&net.input_shapes(node)));
    net.nodes().iter().filter_map(of).sum()
}

fn crc32(text: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(text);
    crc.sum()
}

#[test]
fn the_papers_networks_are_torchvisions() {
    let table: Value = serde_json::from_str(TABLE).unwrap();
    let table = table.as_object().unwrap();
    assert_eq!(table.len(), IMAGENET.len());
    for row in IMAGENET {
        let (net, want) = (zoo::build(row.name).unwrap(), &table[row.name]);
        assert_eq!(net.parameters() as u64, want["parameters"], "{}", row.name);
        assert_eq!(multiply_adds(&net), want["multiply_adds"], "{}", row.name);
        for (layer, shape) in want["stages"].as_object().unwrap() {
            let shape_here = net.node(net.wire(layer).unwrap()).shape;
            assert_eq!(serde_json::json!([shape_here.c, shape_here.h, shape_here.w]), *shape, "{} {layer}", row.name);
        }
        let mut names: Vec<String> = net.views().iter().map(|v| format!("{} {:?}", v.name, v.shape)).collect();
        names.sort();
        assert_eq!(crc32(names.join("\n").as_bytes()), want["names"], "{}: names and shapes", row.name);
    }
}

/// Numbers from 0 to 1 that follow from a name, as `tools/zoo.py` draws them.
fn drawn(name: &str, count: usize) -> impl Iterator<Item = f64> {
    let key = crc32(name.as_bytes());
    (0..count as u32).map(move |i| {
        let mut h = i.wrapping_mul(2_654_435_761).wrapping_add(key);
        h = (h ^ (h >> 16)).wrapping_mul(0x21f0_aaad);
        h ^= h >> 15;
        f64::from(h >> 8) / 16_777_216.0
    })
}

fn params(net: &Network) -> Params {
    let mut params = net.zeros();
    for view in net.views() {
        let fan_in: usize = view.shape[1..].iter().product();
        let scaled = |v: f64| match () {
            () if view.shape.len() > 1 => (2.0 * v - 1.0) * (6.0 / fan_in as f64).sqrt(),
            () if view.name.ends_with("bias") || view.name.ends_with("mean") => 0.2 * v - 0.1,
            () => v + 0.5,
        };
        let values = drawn(&view.name, view.len()).map(|v| scaled(v) as f32).collect();
        params.set(&view.name, &Tensor::from_shape_vec(view.shape.clone(), values).unwrap()).unwrap();
    }
    params
}

fn answer(net: &Network, params: &Params) -> Vec<f32> {
    let image: Vec<f32> = drawn("image", net.input_shape().len()).map(|v| (2.0 * v - 1.0) as f32).collect();
    let mut run = Run::new(net, 1, &Want::outputs());
    run.forward(params, &image, 1, Mode::Infer).unwrap();
    run.output().to_vec()
}

#[test]
fn they_answer_what_torchvisions_answer() {
    for (name, want) in safetensors::read(ANSWERS).unwrap().tensors {
        let net = zoo::build(&name).unwrap();
        let params = params(&net);
        let (lean, folded) = fold::for_inference(&net, &params).unwrap();
        assert!(lean.nodes().len() <= net.nodes().len() && lean.nodes().iter().all(|n| !n.name.starts_with("aux")));
        let largest = want.iter().fold(0.0, |a: f32, v| a.max(v.abs()));
        for (how, got) in [("as it is", answer(&net, &params)), ("folded", answer(&lean, &folded))] {
            let worst = got.iter().zip(&want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) / largest;
            println!("{name} {how}: off by {worst:.1e} of the largest");
            assert!(worst < 2e-5, "{name} {how}: off by {worst} of the largest, {largest}");
        }
    }
}

/// What a page must reserve before it runs one of them, and that it knows so beforehand.
#[test]
fn plans_say_what_they_take() {
    for row in IMAGENET {
        let net = zoo::build(row.name).unwrap();
        let plan = Plan::new(&net, 1, &Want::outputs());
        let megabytes = |bytes: usize| bytes as f64 / 1e6;
        let (run, weights) = (megabytes(plan.bytes()), megabytes(4 * net.arena_len()));
        println!("{}: {run:.0} MB for a run, {weights:.0} MB of weights", row.name);
        assert!(run + weights < 2_000.0, "{}: {run} MB and {weights} MB", row.name);
    }
}

/// (name, parameters) of the networks for digits.
const DIGITS: &[(&str, usize)] = &[
    ("deep_convnet", 123_552),
    ("simple_convnet", 433_890),
    ("three_layer_mlp", 45_360),
    ("lenet5", 61_706),
    ("alexnet_mini", 209_210),
    ("vgg_mini", 146_874),
    ("googlenet_mini", 108_628),
    ("resnet_mini", 225_970),
    ("efficientnet_mini", 95_462),
    ("fast", 116_170),
    ("tiny", 9_384),
];

#[test]
fn the_networks_for_digits_are_small() {
    for (row, (name, parameters)) in CATALOGUE.iter().zip(DIGITS) {
        let net = zoo::build(row.name).unwrap();
        println!("{name}: {} parameters, {} multiply-adds", net.parameters(), multiply_adds(&net));
        assert_eq!((row.name, net.parameters()), (*name, *parameters));
        let most = match *name {
            "tiny" => 10_000,
            // The book's size.
            "simple_convnet" => 433_890,
            _ => 300_000,
        };
        assert!(net.parameters() <= most);
    }
    assert_eq!(CATALOGUE.len(), DIGITS.len());
}

#[test]
fn every_architecture_survives_the_way_to_json() {
    for row in CATALOGUE.iter().chain(IMAGENET) {
        let net = zoo::build(row.name).unwrap();
        let text = description::write(&net);
        let back = description::read(&text).unwrap();
        assert_eq!(description::write(&back), text, "{}", row.name);
        assert_eq!(back.views(), net.views(), "{}", row.name);
    }
}
