//! What the studio's handles give besides; see the door's own [`give`](crate::web::give).

use crate::nn::{self, params::View};
use crate::tensor;
use crate::web::Outcome;
pub(super) use crate::web::give::plain;
use js_sys::Float32Array;
use serde::Serialize;
use wasm_bindgen::JsValue;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Node<'a> {
    name: &'a str,
    kind: &'a str,
    shape: [usize; 3],
    parameters: usize,
    multiply_adds: f64,
}

#[derive(Serialize)]
struct Parameter<'a> {
    name: &'a str,
    shape: &'a [usize],
}

pub(super) fn nodes(net: &nn::Network) -> Outcome<JsValue> {
    let node = |node: &'_ nn::graph::Node| {
        let layer = node.layer.as_ref();
        (layer.map_or("input", |l| l.kind()), layer.map_or(0, |l| l.multiply_adds(&net.input_shapes(node))))
    };
    let given: Vec<Node> = net
        .nodes()
        .iter()
        .map(|n| Node {
            name: &n.name,
            kind: node(n).0,
            shape: [n.shape.c, n.shape.h, n.shape.w],
            parameters: net.views()[n.params.clone()].iter().map(View::len).sum(),
            multiply_adds: node(n).1 as f64,
        })
        .collect();
    plain(&given)
}

pub(super) fn parameters(net: &nn::Network) -> Outcome<JsValue> {
    let given: Vec<Parameter> = net.views().iter().map(|v| Parameter { name: &v.name, shape: &v.shape }).collect();
    plain(&given)
}

#[derive(Serialize)]
pub(in crate::web) struct Tensor {
    name: String,
    shape: Vec<usize>,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    values: Float32Array,
}

pub(in crate::web) fn tensor(name: &str, values: &tensor::Tensor) -> Tensor {
    let flat: Vec<f32> = values.iter().copied().collect();
    Tensor { name: name.into(), shape: values.shape().to_vec(), values: flat.as_slice().into() }
}
