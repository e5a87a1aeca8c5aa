//! The examples with affine layers: one unit, the 2-3-4 network forward, the 2-3-2 network both ways.

use super::prints::{BACKWARD, BEFORE, FORWARD, RANDOM_UNIT, SIGMOID_UNIT, UNIT};
use super::{agree, numbers, parts};
use hitofude::kernel::{Level, softmax, update};
use hitofude::nn::layers::act::Activation::{self, Relu, Sigmoid};
use hitofude::nn::layers::affine::Affine;
use hitofude::nn::{Graph, Mode, Network, Params, Run, Want};
use hitofude::shape::Shape;
use hitofude::tensor::Tensor;

/// Affine layers of these sizes, `act` behind the first.
fn network(sizes: &[usize], act: Activation) -> Network {
    let mut g = Graph::new();
    let x = g.input("input", Shape::new(sizes[0], 1, 1)).unwrap();
    let x = g.add("affine1", Affine::new(sizes[1]), &[x]).unwrap();
    let mut x = g.add("act1", act, &[x]).unwrap();
    if let Some(&scores) = sizes.get(2) {
        x = g.add("affine2", Affine::new(scores), &[x]).unwrap();
    }
    g.finish(x)
}

/// Parameters from the sources' order: weights in × out, then the bias, layer after layer.
fn params(net: &Network, texts: &[&str]) -> Params {
    let mut params = net.zeros();
    for (view, text) in net.views().iter().zip(texts) {
        let mut shape = view.shape.clone();
        shape.reverse();
        let tensor = Tensor::from_shape_vec(shape, numbers(text)).unwrap();
        params.set(&view.name, &tensor.t().into_owned()).unwrap();
    }
    params
}

/// An arena in the sources' order.
fn in_their_order(params: &Params, arena: &[f32]) -> Vec<Vec<f32>> {
    params.named_of(arena).iter().map(|(_, tensor)| tensor.t().iter().copied().collect()).collect()
}

/// Every wire's values in an inference of one input.
fn wires(net: &Network, params: &Params, x: &[f32]) -> Vec<Vec<f32>> {
    let mut run = Run::new(net, 1, &Want::values(net.wires().collect()));
    run.forward(params, x, 1, Mode::Infer).unwrap();
    net.wires().map(|wire| run.values(wire).unwrap().0.to_vec()).collect()
}

/// Compares a forward run with the prints of both layers, the probabilities and their sum.
fn forward(net: &Network, params: &Params, x: &[f32], [u1, z1, u2, y, sum]: [&str; 5]) {
    let wires = wires(net, params, x);
    agree("first total input", &wires[1], u1);
    agree("hidden layer", &wires[2], z1);
    agree("second total input", &wires[3], u2);
    let mut p = wires[3].clone();
    softmax::softmax(Level::new(), &mut p, wires[3].len());
    agree("output", &p, y);
    agree("sum of the output", &[p.iter().sum()], sum);
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn one_unit_forward() {
    for (print, act) in [(UNIT, Relu), (RANDOM_UNIT, Relu), (SIGMOID_UNIT, Sigmoid)] {
        let [w, b, x, u, z] = parts(print);
        let net = network(&[2, 1], act);
        let wires = wires(&net, &params(&net, &[&w, &b]), &numbers(&x));
        agree("total input", &wires[1], &u);
        agree("output", &wires[2], &z);
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn two_three_four_forward() {
    let [w1, w2, b1, b2, u1, z1, u2, y, sum, shape1, shape2, y_again, d, loss] = parts(FORWARD);
    let net = network(&[2, 3, 4], Relu);
    let params = params(&net, &[&w1, &b1, &w2, &b2]);
    for (view, shape) in [(&net.views()[0], shape1), (&net.views()[2], shape2)] {
        agree(&view.name, &[view.shape[1] as f32, view.shape[0] as f32], &shape);
    }
    let x = [1.0, 2.0];
    forward(&net, &params, &x, [&u1, &z1, &u2, &y, &sum]);
    assert_eq!(y, y_again);

    let label = numbers(&d).iter().position(|&d| d == 1.0).unwrap() as u8;
    let mut run = Run::new(&net, 1, &Want::training());
    run.forward(&params, &x, 1, Mode::Infer).unwrap();
    let ours = run.softmax_cross_entropy(net.output(), &[label], 1.0).unwrap();
    // The report's loss is −ln(p + 10⁻⁷), which keeps it from −ln 0; the engine never takes a logarithm of p.
    agree("loss", &[-libm::log(libm::exp(-ours) + 1e-7) as f32], &loss);
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn two_three_two_backward() {
    let [u1, z1, u2, y, sum, du2, du1, dw1, dw2, db1, db2, new_w1, new_w2, new_b1, new_b2] = parts(BACKWARD);
    let net = network(&[2, 3, 2], Relu);
    let mut params = params(&net, &BEFORE);
    let x = [1.0, 5.0];
    forward(&net, &params, &x, [&u1, &z1, &u2, &y, &sum]);

    let mut run = Run::new(&net, 1, &Want::everything());
    run.forward(&params, &x, 1, Mode::Infer).unwrap();
    run.softmax_cross_entropy(net.output(), &[1], 1.0).unwrap();
    let mut gradient = vec![0.0; net.arena_len()];
    run.backward(&params, &mut gradient);
    agree("dE/du2", run.gradient(net.output()).unwrap().0, &du2);
    agree("dE/du1", run.gradient(net.wire("affine1").unwrap()).unwrap().0, &du1);
    for (got, print) in in_their_order(&params, &gradient).iter().zip([dw1, db1, dw2, db2]) {
        agree("gradient", got, &print);
    }

    update::sgd(run.level(), params.values_mut(), &gradient, 0.01, 0.0);
    for (got, print) in in_their_order(&params, params.values()).iter().zip([new_w1, new_b1, new_w2, new_b2]) {
        agree("parameters after the update", got, &print);
    }
}
