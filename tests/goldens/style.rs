//! The losses of neural style, their parts and the gradient by the painted picture's pixels.

use super::{Case, below, cases, numbers, same};
use hitofude::data::pictures::Rgb;
use hitofude::nn::description;
use hitofude::systems::style::{Features, Goal, Weights};
use hitofude::tensor::Tensor;
use hitofude::train::Objective;
use std::collections::BTreeMap;

const FILE: &[u8] = include_bytes!("../golden/style.safetensors");

/// The network of `tools/goldens.py`, but for the pooling, which becomes an average.
const NETWORK: &str = r#"{"input":[3,16,16],"layers":[
    {"name":"conv1","type":"conv","out":6,"kernel":3,"pad":1},{"name":"relu1","type":"relu"},
    {"name":"pool1","type":"max_pool","kernel":2,"stride":2},
    {"name":"conv2","type":"conv","out":8,"kernel":3,"pad":1},{"name":"relu2","type":"relu"}]}"#;

fn picture(tensor: &Tensor) -> Rgb {
    Rgb { h: tensor.shape()[2], w: tensor.shape()[3], pixels: numbers(tensor).to_vec() }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn style_losses_are_pytorchs() {
    let case: &Case = &cases(FILE)["style"];
    let net = description::read(NETWORK).unwrap();
    let mut params = net.zeros();
    params.load(&below(case, "param/")).unwrap();
    let scale = [("mean", "[0.5,0.5,0.5]"), ("std", "[0.25,0.25,0.25]")];
    let scale: BTreeMap<String, String> = scale.map(|(key, value)| (key.into(), value.into())).into();
    let features = Features::new("golden", &net, &params, &scale).unwrap();
    let weights = Weights {
        content: vec![("conv2_1".into(), 1.0)],
        style: vec![("conv1_1".into(), 0.75), ("conv2_1".into(), 2.0)],
        variation: 3.0,
    };
    let [content, hand, image] = ["content", "style", "image"].map(|name| picture(&case[name]));
    let mut goal = Goal::new(&features, &content, &hand, &weights).unwrap();
    goal.value(&image.pixels).unwrap();
    let mut gradient = vec![0.0; image.pixels.len()];
    goal.gradient(&mut gradient).unwrap();
    let losses = goal.losses();
    let [first, second] = [0, 1].map(|i| losses.layers[i].style as f32);
    same("losses", &[losses.content as f32, first, second, losses.variation as f32], &case["losses"]);
    same("gram", goal.gram("conv1_1").unwrap().1, &case["gram/relu1"]);
    same("gram", goal.gram("conv2_1").unwrap().1, &case["gram/relu2"]);
    same("gradient", &gradient, &case["gradient"]);
}
