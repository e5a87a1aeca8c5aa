//! Each layer alone, under a given gradient of its output.

use super::common::levels;
use super::{Case, below, cases, nchw, numbers, same, same_tensors};
use hitofude::error::Result;
use hitofude::kernel::Level;
use hitofude::kernel::lrn::Response;
use hitofude::kernel::resize::Between;
use hitofude::nn::layer::Layer;
use hitofude::nn::layers::act::Activation;
use hitofude::nn::layers::add::Add;
use hitofude::nn::layers::affine::Affine;
use hitofude::nn::layers::batch_norm::BatchNorm;
use hitofude::nn::layers::concat::Concat;
use hitofude::nn::layers::conv_transpose::ConvTranspose;
use hitofude::nn::layers::conv3d::Conv3d;
use hitofude::nn::layers::dropout::Dropout;
use hitofude::nn::layers::flatten::Flatten;
use hitofude::nn::layers::lrn::LocalResponseNorm;
use hitofude::nn::layers::norm::{Norm, Over};
use hitofude::nn::layers::pool::Pool;
use hitofude::nn::layers::prelu::Prelu;
use hitofude::nn::layers::scale::Scale;
use hitofude::nn::layers::unpool::MaxUnpool;
use hitofude::nn::layers::upsample::Upsample;
use hitofude::nn::{Conv, Graph, Mode, Network, Run, Want, Wire};
use hitofude::shape::{Shape, Window};
use hitofude::tensor::Tensor;

const FILE: &[u8] = include_bytes!("../golden/layers.safetensors");

pub type Wiring = fn(&mut Graph, Wire) -> Result<Wire>;

/// The layers of `tools/goldens.py` under the names it gives them.
const LAYERS: &[(&str, Wiring)] = &[
    ("conv 3x3, pad 1", |g, x| g.add("a", Conv::new(5, 3).pad(1), &[x])),
    ("conv 5x5", |g, x| g.add("a", Conv::new(4, 5), &[x])),
    ("conv 1x1", |g, x| g.add("a", Conv::new(3, 1), &[x])),
    ("conv 1x1, stride 2", |g, x| g.add("a", Conv::new(3, 1).stride(2), &[x])),
    ("conv 2x2, stride 3", |g, x| g.add("a", Conv::new(3, 2).stride(3), &[x])),
    ("conv 5x5, stride 4, pad 2", |g, x| g.add("a", Conv::new(4, 5).stride(4).pad(2), &[x])),
    ("conv 2x2, pad 3", |g, x| g.add("a", Conv::new(3, 2).pad(3), &[x])),
    ("conv 3x3, dilation 2", |g, x| g.add("a", Conv::new(3, 3).dilation(2).pad(2), &[x])),
    ("conv 3x3, stride 2, dilation 2", |g, x| g.add("a", Conv::new(3, 3).stride(2).dilation(2).pad(1), &[x])),
    ("conv 3x2, each axis its own", |g, x| {
        let window = Window { kernel: (3, 2), stride: (2, 1), pad: (1, 2), dilation: (1, 3) };
        g.add("a", Conv { window, ..Conv::new(4, 1) }, &[x])
    }),
    ("conv 3x3, 2 groups", |g, x| g.add("a", Conv::new(6, 3).groups(2).pad(1), &[x])),
    ("conv 3x3, depthwise, stride 2", |g, x| g.add("a", Conv::new(10, 3).groups(5).stride(2).pad(1), &[x])),
    ("conv 3x3, one filter for each channel", |g, x| g.add("a", Conv::new(19, 3).groups(19).pad(1), &[x])),
    ("conv 5x3, one filter for each channel, stride 2", |g, x| {
        let window = Window { kernel: (5, 3), stride: (2, 2), pad: (2, 1), dilation: (1, 1) };
        g.add("a", Conv { window, bias: false, ..Conv::new(18, 1).groups(18) }, &[x])
    }),
    ("conv 2x2, one filter for each channel, stride 3, dilation 2", |g, x| {
        g.add("a", Conv::new(3, 2).groups(3).stride(3).dilation(2).pad(1), &[x])
    }),
    ("conv 3x3, without bias", |g, x| g.add("a", Conv { bias: false, ..Conv::new(4, 3) }, &[x])),
    ("conv 3x3, many channels", |g, x| g.add("a", Conv::new(19, 3).pad(1), &[x])),
    ("affine", |g, x| g.add("a", Affine::new(4), &[x])),
    ("conv 3d 3x3x3, pad 1", |g, x| g.add("a", Conv3d::new(4, 5, 3).pad(1), &[x])),
    ("conv 3d, each axis its own", |g, x| {
        let window = Window { kernel: (3, 2), stride: (2, 1), pad: (1, 0), dilation: (1, 2) };
        let depth = Conv3d { depth: 2, depth_stride: 3, depth_pad: 1, depth_dilation: 2, ..Conv3d::new(18, 7, 1) };
        g.add("a", Conv3d { window, bias: false, ..depth }, &[x])
    }),
    ("affine behind an image", |g, x| flat(g, x, Affine::new(18))),
    ("affine, without bias", |g, x| flat(g, x, Affine { bias: false, ..Affine::new(5) })),
    ("transposed conv 3x3", |g, x| g.add("a", ConvTranspose::new(3, 3), &[x])),
    ("transposed conv 2x2, stride 2", |g, x| {
        g.add("a", ConvTranspose { window: Window::square(2).stride(2), ..ConvTranspose::new(4, 2) }, &[x])
    }),
    ("transposed conv 3x3, many channels", |g, x| {
        g.add("a", ConvTranspose { window: Window::square(3).pad(1), ..ConvTranspose::new(18, 3) }, &[x])
    }),
    ("transposed conv 3x4, each axis its own", |g, x| {
        let window = Window { kernel: (3, 4), stride: (2, 3), pad: (1, 0), dilation: (2, 1) };
        g.add("a", ConvTranspose { out: 5, window, output_pad: (1, 2), bias: false }, &[x])
    }),
    ("upsample, nearest", |g, x| g.add("a", Upsample { scale: 2, between: Between::Nearest }, &[x])),
    ("upsample, bilinear", |g, x| g.add("a", Upsample { scale: 3, between: Between::Bilinear }, &[x])),
    ("max pool 2x2", |g, x| g.add("a", Pool::Max(Window::square(2).stride(2)), &[x])),
    ("max pool 3x3, overlapping", |g, x| g.add("a", Pool::Max(Window::square(3).stride(2)), &[x])),
    ("max pool 3x3, overlapping, pad 1", |g, x| g.add("a", Pool::Max(Window::square(3).stride(2).pad(1)), &[x])),
    ("max pool 2x3, each axis its own", |g, x| g.add("a", Pool::Max(OBLONG), &[x])),
    ("max pool 2x2, dilation 2", |g, x| g.add("a", Pool::Max(Window::square(2).dilation(2)), &[x])),
    ("max pool 3x3, ties", |g, x| g.add("a", Pool::Max(Window::square(3).stride(2).pad(1)), &[x])),
    ("max pool 3x3, ceil", |g, x| g.add("a", Pool::MaxCeil(Window::square(3).stride(2)), &[x])),
    ("max pool 2x2, ceil", |g, x| g.add("a", Pool::MaxCeil(Window::square(2).stride(2)), &[x])),
    ("max pool 3x3, ceil, pad 1", |g, x| g.add("a", Pool::MaxCeil(Window::square(3).stride(3).pad(1)), &[x])),
    ("max unpool 2x2, ties", |g, x| segnet(g, x, Window::square(2).stride(2))),
    ("max unpool 2x3, each axis its own", |g, x| {
        segnet(g, x, Window { kernel: (2, 3), stride: (3, 3), pad: (1, 0), dilation: (1, 1) })
    }),
    ("average pool 2x2", |g, x| g.add("a", Pool::Average(Window::square(2).stride(2)), &[x])),
    ("average pool 3x3, overlapping, pad 1", |g, x| {
        g.add("a", Pool::Average(Window::square(3).stride(2).pad(1)), &[x])
    }),
    ("average pool 2x3, each axis its own", |g, x| g.add("a", Pool::Average(OBLONG), &[x])),
    ("global average pool", |g, x| g.add("a", Pool::GlobalAverage, &[x])),
    ("relu", |g, x| g.add("a", Activation::Relu, &[x])),
    ("sigmoid", |g, x| g.add("a", Activation::Sigmoid, &[x])),
    ("tanh", |g, x| g.add("a", Activation::Tanh, &[x])),
    ("identity", |g, x| g.add("a", Activation::Identity, &[x])),
    ("add", |g, x| {
        let a = g.add("a", Conv::new(4, 3).pad(1), &[x])?;
        g.add("sum", Add, &[a, x])
    }),
    ("concat", |g, x| {
        let a = g.add("a", Conv::new(4, 1), &[x])?;
        let b = g.add("b", Conv::new(2, 3).pad(1), &[x])?;
        g.add("concat", Concat, &[x, a, b])
    }),
    ("scale", |g, x| {
        let s = g.add("squeeze", Pool::GlobalAverage, &[x])?;
        let s = g.add("s.excite", Conv::new(6, 1), &[s])?;
        let s = g.add("gate", Activation::Sigmoid, &[s])?;
        g.add("scale", Scale, &[x, s])
    }),
    ("leaky relu", |g, x| g.add("a", Activation::LeakyRelu(0.2), &[x])),
    ("prelu", |g, x| g.add("a", Prelu { shared: false }, &[x])),
    ("prelu, one slope", |g, x| g.add("a", Prelu { shared: true }, &[x])),
    ("elu", |g, x| g.add("a", Activation::Elu(0.7), &[x])),
    ("selu", |g, x| g.add("a", Activation::Selu, &[x])),
    ("gelu", |g, x| g.add("a", Activation::Gelu, &[x])),
    ("silu", |g, x| g.add("a", Activation::Silu, &[x])),
    ("hard swish", |g, x| g.add("a", Activation::HardSwish, &[x])),
    ("hard sigmoid", |g, x| g.add("a", Activation::HardSigmoid, &[x])),
    ("softplus", |g, x| g.add("a", Activation::Softplus, &[x])),
    ("batch norm", |g, x| g.add("a", BatchNorm::default(), &[x])),
    (LEARNING, |g, x| g.add("a", BatchNorm { eps: 1e-3, momentum: 0.3 }, &[x])),
    ("batch norm behind a flattened image", |g, x| {
        let x = flat(g, x, BatchNorm::default())?;
        g.add("b", Affine::new(4), &[x])
    }),
    ("layer norm", |g, x| g.add("a", Norm::new(Over::Layer), &[x])),
    ("layer norm behind a flattened image", |g, x| {
        let x = flat(g, x, Norm::new(Over::Layer))?;
        g.add("b", Affine::new(4), &[x])
    }),
    ("layer norm, not affine", |g, x| g.add("a", Norm { affine: false, ..Norm::new(Over::Layer) }, &[x])),
    ("instance norm", |g, x| g.add("a", Norm::new(Over::Instance), &[x])),
    ("instance norm, affine", |g, x| g.add("a", Norm { affine: true, ..Norm::new(Over::Instance) }, &[x])),
    ("group norm", |g, x| g.add("a", Norm::new(Over::Group(3)), &[x])),
    ("local response norm", |g, x| {
        g.add("a", LocalResponseNorm(Response { size: 5, alpha: 0.5, beta: 0.75, k: 2.0 }), &[x])
    }),
    ("local response norm, even size", |g, x| {
        g.add("a", LocalResponseNorm(Response { size: 4, alpha: 0.5, beta: 0.6, k: 1.0 }), &[x])
    }),
    ("dropout in inference", |g, x| g.add("a", Dropout(0.3), &[x])),
    (TRAINING, |g, x| g.add("a", Dropout(0.3), &[x])),
];

const OBLONG: Window = Window { kernel: (2, 3), stride: (1, 2), pad: (1, 0), dilation: (1, 1) };
const TRAINING: &str = "dropout in training";

/// The one layer that is looked at while it learns.
const LEARNING: &str = "batch norm in training";

/// Pooled, convolved, and unpooled to where the maxima were.
fn segnet(g: &mut Graph, x: Wire, window: Window) -> Result<Wire> {
    let pooled = g.add("pool", Pool::Max(window), &[x])?;
    let a = g.add("a", Conv::new(g.shape(x).c, 3).pad(1), &[pooled])?;
    g.add("unpool", MaxUnpool(window), &[a, x])
}

fn flat(g: &mut Graph, x: Wire, layer: impl Layer + 'static) -> Result<Wire> {
    let x = g.add("flatten", Flatten, &[x])?;
    g.add("a", layer, &[x])
}

pub fn network(case: &Case, wiring: Wiring) -> Network {
    let mut g = Graph::new();
    let &[_, c, h, w] = case["input"].shape() else { panic!("images") };
    let x = g.input("input", Shape::new(c, h, w)).unwrap();
    let y = wiring(&mut g, x).unwrap();
    g.finish(y)
}

/// One run of a case, both ways: the output, the gradient of the input, and those of the parameters, all in NCHW.
pub struct Pass {
    pub y: Vec<f32>,
    pub dx: Vec<f32>,
    pub dparams: Vec<(String, Tensor)>,
    /// The running statistics once they have followed.
    statistics: Vec<(String, Tensor)>,
}

pub fn pass(case: &Case, net: &Network, level: Level, mode: Mode) -> Pass {
    let (input, output) = (net.wires().next().unwrap(), net.output());
    let (images, dy) = (&case["input"], &case["doutput"]);
    let n = images.shape()[0];
    let mut params = net.zeros();
    params.load(&below(case, "param/")).unwrap();
    let mut run = Run::at_level(net, n, &Want::everything(), level);
    run.forward(&params, numbers(images), n, mode).unwrap();

    let y = nchw(run.values(output).unwrap());
    let (_, _, seed, map) = run.seed_gradient(output).unwrap();
    for (from, to) in numbers(dy).chunks_exact(map.shape.len()).zip(seed.chunks_exact_mut(map.len())) {
        map.fill_from_chw(from, to);
    }
    let mut arena = vec![0.0; net.arena_len()];
    run.backward(&params, &mut arena);
    if mode != Mode::Infer {
        let mut found = vec![];
        params.take_statistics(&mut arena, &mut found);
        params.follow(&found, n);
    }
    let is_statistic = |name: &str| name.contains(".running_");
    let mut dparams = params.named_of(&arena);
    dparams.retain(|(name, _)| !is_statistic(name));
    let mut statistics = params.named();
    statistics.retain(|(name, _)| is_statistic(name));
    Pass { y, dx: nchw(run.gradient(input).unwrap()), dparams, statistics }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn every_layer() {
    let mut cases = cases(FILE);
    for (name, wiring) in LAYERS {
        let case = cases.remove(*name).unwrap_or_else(|| panic!("no case {name}"));
        if *name == TRAINING {
            continue;
        }
        let net = network(&case, *wiring);
        for level in levels() {
            let mode = if *name == LEARNING { Mode::Train { seed: 0 } } else { Mode::Infer };
            let pass = pass(&case, &net, level, mode);
            let what = format!("{name} at {level:?}");
            same(&format!("{what}: output"), &pass.y, &case["output"]);
            same(&format!("{what}: input gradient"), &pass.dx, &case["dinput"]);
            same_tensors(&what, &pass.dparams, &below(&case, "grad/"));
            same_tensors(&what, &pass.statistics, &below(&case, "after/"));
        }
    }
    assert!(cases.is_empty(), "without a layer: {:?}", cases.keys());
}

/// Random streams differ between the two, so: what is kept is PyTorch's number, its gradient PyTorch's too, the rest is
/// zero in both directions, and as many are kept as should be.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn dropout_in_training() {
    let case = cases(FILE).remove(TRAINING).unwrap();
    let (_, wiring) = LAYERS.iter().find(|(name, _)| *name == TRAINING).unwrap();
    let net = network(&case, *wiring);
    let masked = |values: &[f32], mask: &[bool]| -> Tensor {
        let kept = values.iter().zip(mask).map(|(v, &keep)| if keep { *v } else { 0.0 });
        kept.collect::<ndarray::Array1<f32>>().into_dyn()
    };
    for level in levels() {
        let (mut kept, mut all) = (0, 0);
        for seed in 0..100 {
            let pass = pass(&case, &net, level, Mode::Train { seed });
            let mask: Vec<bool> = pass.y.iter().map(|&y| y != 0.0).collect();
            same("kept", &pass.y, &masked(numbers(&case["kept"]), &mask));
            same("kept gradient", &pass.dx, &masked(numbers(&case["dkept"]), &mask));
            kept += mask.iter().filter(|keep| **keep).count();
            all += mask.len();
        }
        // 12,000 draws of 0.7: four standard deviations are 0.017.
        let share = kept as f64 / all as f64;
        assert!(all == 12_000 && (share - 0.7).abs() < 0.017, "{share} kept at {level:?}");
    }
}
