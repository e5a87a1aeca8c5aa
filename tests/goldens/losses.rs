//! Every loss layer: its value and its slope.

use super::common::levels;
use super::{Case, cases, nchw, numbers, same};
use hitofude::nn::losses::{BinaryCrossEntropy, CrossEntropy, Huber, MaskCrossEntropy, SquaredError};
use hitofude::nn::{Feed, Graph, Mode, Network, Port, Rows, Run, Want};
use hitofude::shape::Shape;
use hitofude::tensor::Tensor;

const FILE: &[u8] = include_bytes!("../golden/losses.safetensors");

fn shape(tensor: &Tensor) -> Shape {
    Shape::new(tensor.shape()[1], tensor.shape()[2], tensor.shape()[3])
}

/// The loss that the case's name begins with, of the network's own input.
fn network(name: &str, case: &Case) -> Network {
    let mut g = Graph::new();
    let x = g.input("image", shape(&case["input"])).unwrap();
    let kind = name.split(',').next().unwrap();
    let holds = if kind == "mask_cross_entropy" { Port::Mask(4) } else { Port::Image };
    let mut inputs = vec![x, g.port("target", shape(&case["target"]), holds, Rows::IMAGES).unwrap()];
    if let Some(weights) = case.get("weights") {
        inputs.push(g.port("weights", shape(weights), Port::Distribution, Rows::IMAGES).unwrap());
    }
    let loss = match kind {
        "cross_entropy" => g.loss("loss", CrossEntropy, &inputs, 1.0),
        "mask_cross_entropy" => g.loss("loss", MaskCrossEntropy, &inputs, 1.0),
        "binary_cross_entropy" => g.loss("loss", BinaryCrossEntropy, &inputs, 1.0),
        "squared_error" => g.loss("loss", SquaredError, &inputs, 1.0),
        "huber" => g.loss("loss", Huber(0.75), &inputs, 1.0),
        other => panic!("no loss {other}"),
    };
    loss.unwrap();
    g.finish(x)
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn every_loss_is_pytorchs() {
    let cases = cases(FILE);
    assert_eq!(cases.len(), 16);
    for (name, case) in &cases {
        let net = network(name, case);
        let params = net.zeros();
        let rows = case["input"].shape()[0];
        let inputs = [("image", "input"), ("target", "target"), ("weights", "weights")];
        let feeds = inputs.iter().filter_map(|(port, key)| Some(Feed::new(port, numbers(case.get(*key)?))));
        let feeds: Vec<Feed> = feeds.collect();
        for level in levels() {
            let mut run = Run::at_level(&net, rows, &Want::input_gradient(vec![]), level);
            run.forward_feeds(&params, &feeds, Mode::Infer).unwrap();
            run.backward_losses(&params, &mut [], 1.0);
            let what = format!("{name} at {level:?}");
            same(
                &what,
                &[run.loss("loss").unwrap() as f32],
                &case["loss"].clone().into_shape_with_order(vec![1]).unwrap(),
            );
            same(&format!("{what}: slope"), &nchw(run.gradient(net.output()).unwrap()), &case["dinput"]);
        }
    }
}
