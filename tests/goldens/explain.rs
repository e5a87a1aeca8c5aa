//! Attribution maps of one picture, for every class.

use super::{Case, cases, numbers, same};
use hitofude::nn::description;
use hitofude::systems::explain::{Explainer, Method};

const FILE: &[u8] = include_bytes!("../golden/explain.safetensors");

/// The network of `tools/goldens.py`.
const NETWORK: &str = r#"{"input":[1,12,10],"layers":[
    {"name":"conv1","type":"conv","out":4,"kernel":3,"pad":1},{"name":"relu1","type":"relu"},
    {"name":"pool1","type":"max_pool","kernel":2,"stride":2},
    {"name":"conv2","type":"conv","out":6,"kernel":3,"pad":1},{"name":"relu2","type":"relu"},
    {"name":"flatten","type":"flatten"},{"name":"affine1","type":"affine","out":8},{"name":"relu3","type":"relu"},
    {"name":"affine2","type":"affine","out":5}]}"#;

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn attributions_are_pytorchs() {
    let case: &Case = &cases(FILE)["explain"];
    let net = description::read(NETWORK).unwrap();
    let mut params = net.zeros();
    params.load(&super::below(case, "param/")).unwrap();
    let mut explainer = Explainer::new(&net, &params).unwrap();
    explainer.look(numbers(&case["input"])).unwrap();
    for (name, method) in [
        ("saliency", Method::Saliency),
        ("guided", Method::Guided),
        ("grad_cam", Method::GradCam),
        ("integrated", Method::Integrated { steps: 20 }),
    ] {
        let maps: Vec<f32> = (0..5).flat_map(|class| explainer.reasons(method, class).unwrap().map).collect();
        same(name, &maps, &case[name]);
    }
}
