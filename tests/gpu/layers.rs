use crate::common::{compare_inference, compare_training, device, network, numbers};
use hitofude::Result;
use hitofude::nn::layers::act::Activation;
use hitofude::nn::layers::add::Add;
use hitofude::nn::layers::affine::Affine;
use hitofude::nn::layers::batch_norm::BatchNorm;
use hitofude::nn::layers::concat::Concat;
use hitofude::nn::layers::dropout::{Dropout, StochasticDepth};
use hitofude::nn::layers::flatten::Flatten;
use hitofude::nn::layers::pool::Pool;
use hitofude::nn::losses::{BinaryCrossEntropy, CrossEntropy, Huber, MaskCrossEntropy, SquaredError};
use hitofude::nn::port::Rows;
use hitofude::nn::{Conv, Feed, Graph, Network, Port, Wire};
use hitofude::shape::Window;

/// Layers between two convolutions, so that gradients go through them and what they read has a halo.
fn inside(shape: [usize; 3], wire: impl FnOnce(&mut Graph, Wire) -> Result<Wire>) -> Network {
    let [c, ..] = shape;
    let mut out = None;
    let net = network(shape, |g, x| {
        let x = g.add("first", Conv::new(c, 3).pad(1), &[x])?;
        let x = wire(g, x)?;
        let y = g.add("last", Conv::new(3, 1), &[x])?;
        let target = g.input("target", g.shape(y))?;
        out = Some(g.shape(y).len());
        g.loss("error", SquaredError, &[y, target], 0.5)?;
        Ok(y)
    });
    assert!(out.is_some());
    net
}

fn check(name: &str, shape: [usize; 3], wire: impl Fn(&mut Graph, Wire) -> Result<Wire>) {
    let Some(device) = device(name) else { return };
    let (n, shard) = (5, 3);
    let net = inside(shape, &wire);
    let targets = net.node(net.inputs().nth(1).unwrap()).shape.len();
    let (images, targets) = (numbers(3, n * shape.iter().product::<usize>()), numbers(4, n * targets));
    compare_training(&device, name, &net, &[Feed::new("image", &images), Feed::new("target", &targets)], n, shard);
    compare_inference(&device, name, &network(shape, wire), 4);
}

#[test]
fn convolutions() {
    let layers = [
        ("3 x 3", Conv::new(5, 3).pad(1), [6, 9, 7]),
        ("strided", Conv::new(16, 3).pad(1).stride(2), [4, 9, 8]),
        ("wide stride", Conv::new(3, 2).stride(3), [2, 10, 11]),
        ("dilated", Conv::new(8, 3).pad(2).dilation(2), [3, 8, 8]),
        ("1 x 1", Conv::new(33, 1), [17, 5, 5]),
        ("grouped", Conv::new(12, 3).pad(1).groups(3), [6, 7, 7]),
        ("depthwise", Conv::new(10, 3).pad(1).groups(10), [10, 6, 6]),
        ("multiplied", Conv::new(12, 3).stride(2).pad(1).groups(6), [6, 7, 7]),
        ("many channels", Conv::new(70, 3).pad(1), [40, 6, 5]),
        ("many, strided", Conv::new(80, 3).pad(1).stride(2), [64, 7, 7]),
        ("without bias", Conv { bias: false, ..Conv::new(9, 5).pad(2) }, [3, 8, 8]),
    ];
    for (name, conv, shape) in layers {
        check(&format!("convolution, {name}"), shape, |g, x| g.add("conv", conv, &[x]));
        check(&format!("convolution and ReLU, {name}"), shape, |g, x| {
            let x = g.add("conv", conv, &[x])?;
            g.add("relu", Activation::Relu, &[x])
        });
    }
}

#[test]
fn affine_layers_behind_a_flattening() {
    for bias in [true, false] {
        check("affine", [5, 4, 3], |g, x| {
            let x = g.add("flat", Flatten, &[x])?;
            let x = g.add("affine", Affine { bias, ..Affine::new(40) }, &[x])?;
            let x = g.add("relu", Activation::Relu, &[x])?;
            g.add("more", Affine::new(7), &[x])
        });
    }
}

#[test]
fn batch_normalisation() {
    let norm = BatchNorm::default();
    check("batch norm", [6, 5, 4], |g, x| g.add("norm", norm, &[x]));
    check("batch norm and ReLU", [70, 5, 4], |g, x| {
        let x = g.add("norm", norm, &[x])?;
        g.add("relu", Activation::Relu, &[x])
    });
    check("batch norm of vectors", [3, 4, 4], |g, x| {
        let x = g.add("flat", Flatten, &[x])?;
        let x = g.add("affine", Affine::new(9), &[x])?;
        g.add("norm", norm, &[x])
    });
}

#[test]
fn activations() {
    use Activation::*;
    let all = [
        Relu,
        Relu6,
        Sigmoid,
        Tanh,
        Identity,
        LeakyRelu(0.1),
        Elu(0.7),
        Selu,
        Gelu,
        Silu,
        HardSwish,
        HardSigmoid,
        Softplus,
    ];
    for activation in all {
        check(&format!("{activation:?}"), [3, 5, 4], |g, x| g.add("act", activation, &[x]));
        // Not in place: somebody else reads its input.
        check(&format!("{activation:?} beside another"), [3, 5, 4], |g, x| {
            let y = g.add("act", activation, &[x])?;
            g.add("sum", Add, &[y, x])
        });
    }
}

#[test]
fn pooling() {
    let pools = [
        ("maximum", Pool::Max(Window::square(2).stride(2)), [4, 8, 6]),
        ("overlapping", Pool::Max(Window::square(3).stride(2).pad(1)), [3, 9, 9]),
        ("hanging over", Pool::MaxCeil(Window::square(3).stride(2)), [3, 8, 8]),
        ("average", Pool::Average(Window::square(2).stride(2)), [4, 8, 6]),
        ("padded average", Pool::Average(Window::square(3).pad(1)), [3, 6, 6]),
        ("global average", Pool::GlobalAverage, [5, 4, 6]),
    ];
    for (name, pool, shape) in pools {
        check(&format!("pooling, {name}"), shape, |g, x| {
            let x = g.add("relu", Activation::Relu, &[x])?;
            g.add("pool", pool, &[x])
        });
    }
}

#[test]
fn dropout_draws_the_masks_of_the_cpu() {
    check("dropout", [4, 5, 6], |g, x| g.add("drop", Dropout(0.4), &[x]));
    check("stochastic depth", [4, 5, 6], |g, x| g.add("drop", StochasticDepth(0.5), &[x]));
    check("dropout beside a skip", [4, 5, 6], |g, x| {
        let y = g.add("drop", Dropout(0.4), &[x])?;
        g.add("sum", Add, &[x, y])
    });
}

#[test]
fn branches_meet() {
    check("residual sum", [4, 5, 5], |g, x| {
        let y = g.add("conv", Conv::new(4, 3).pad(1), &[x])?;
        let y = g.add("sum", Add, &[y, x])?;
        g.add("relu", Activation::Relu, &[y])
    });
    check("a wire twice", [4, 5, 5], |g, x| g.add("sum", Add, &[x, x]));
    check("four branches", [4, 5, 5], |g, x| {
        let a = g.add("a", Conv::new(3, 1), &[x])?;
        let b = g.add("b", Conv::new(5, 3).pad(1), &[x])?;
        let c = g.add("c", Pool::Max(Window::square(3).pad(1)), &[x])?;
        g.add("concat", Concat, &[a, x, b, c])
    });
}

#[test]
fn losses() {
    let Some(device) = device("losses") else { return };
    let n = 4;
    let images = numbers(3, n * 2 * 5 * 5);
    for kind in ["distribution", "weighted", "class", "binary", "squared", "singly", "huber"] {
        let (mut graph, shape) = (Graph::new(), hitofude::shape::Shape::new);
        let x = graph.input("image", shape(2, 5, 5)).unwrap();
        let y = graph.add("conv", Conv::new(6, 3), &[x]).unwrap();
        let full = shape(6, 3, 3);
        let (port, aim) = match kind {
            "class" => (Port::Mask(6), shape(1, 3, 3)),
            "distribution" | "weighted" => (Port::Distribution, full),
            _ => (Port::Image, full),
        };
        let target = graph.port("target", aim, port, Rows::IMAGES).unwrap();
        let weighing = if kind == "singly" { full } else { shape(1, 3, 3) };
        let weights = graph.input("weights", weighing).unwrap();
        let (two, three) = ([y, target], [y, target, weights]);
        match kind {
            "distribution" => graph.loss("loss", CrossEntropy, &two, 0.3),
            "weighted" => graph.loss("loss", CrossEntropy, &three, 0.3),
            "class" => graph.loss("loss", MaskCrossEntropy, &three, 1.0),
            "binary" => graph.loss("loss", BinaryCrossEntropy, &two, 2.0),
            "squared" => graph.loss("loss", SquaredError, &three, 1.0),
            "singly" => graph.loss("loss", SquaredError, &three, 1.0),
            _ => graph.loss("loss", Huber(0.8), &two, 1.0),
        }
        .unwrap();
        let net = graph.finish(y);
        let targets: Vec<f32> = match kind {
            "class" => (0..n * 9).map(|i| (i % 7) as f32 - 1.0).collect(),
            _ => numbers(8, n * 54).iter().map(|v| (v.abs() * 0.4).min(1.0)).collect(),
        };
        let weights: Vec<f32> = (0..n * weighing.len()).map(|i| (i % 3) as f32 * 0.5).collect();
        let feeds = [Feed::new("image", &images), Feed::new("target", &targets), Feed::new("weights", &weights)];
        compare_training(&device, kind, &net, &feeds, n, n);
    }
}

#[test]
fn networks_of_the_catalogue_answer_alike() {
    let Some(device) = device("catalogue") else { return };
    for name in ["lenet5", "deep_convnet", "tiny", "fast", "resnet_mini", "simple_convnet", "three_layer_mlp"] {
        compare_inference(&device, name, &hitofude::zoo::build(name).unwrap(), 3);
    }
}

#[test]
fn a_resnet_for_photographs_answers_alike() {
    let Some(device) = device("resnet18") else { return };
    compare_inference(&device, "resnet18", &hitofude::zoo::build("resnet18").unwrap(), 1);
}
