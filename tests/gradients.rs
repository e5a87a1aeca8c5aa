//! Every layer and loss against central differences: the derivative that the definition gives.

use hitofude::error::Result;
use hitofude::kernel::lrn::Response;
use hitofude::kernel::resize::Between;
use hitofude::nn::layer::Layer;
use hitofude::nn::layers::act::Activation;
use hitofude::nn::layers::add::Add;
use hitofude::nn::layers::affine::Affine;
use hitofude::nn::layers::attention::Attention;
use hitofude::nn::layers::batch_norm::BatchNorm;
use hitofude::nn::layers::concat::Concat;
use hitofude::nn::layers::conv_transpose::ConvTranspose;
use hitofude::nn::layers::conv3d::Conv3d;
use hitofude::nn::layers::dropout::{Dropout, StochasticDepth};
use hitofude::nn::layers::flatten::Flatten;
use hitofude::nn::layers::lrn::LocalResponseNorm;
use hitofude::nn::layers::lstm::Lstm;
use hitofude::nn::layers::norm::{Norm, Over};
use hitofude::nn::layers::pool::Pool;
use hitofude::nn::layers::prelu::Prelu;
use hitofude::nn::layers::scale::Scale;
use hitofude::nn::layers::slice::Slice;
use hitofude::nn::layers::unpool::MaxUnpool;
use hitofude::nn::layers::upsample::Upsample;
use hitofude::nn::{Conv, Graph, Init, Mode, Network, Params, Run, Want, Wire};
use hitofude::rng::Rng;
use hitofude::shape::{Shape, Window};

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

type Wiring = fn(&mut Graph, Wire) -> Result<Wire>;

const IMAGES: usize = 3;
const LABELS: [u8; IMAGES] = [2, 0, 3];

/// The wirings under test: each layer family, and what the plan does around it (aliases, fused stores, branches).
const CASES: &[(&str, Wiring)] = &[
    ("affine", |g, x| {
        let x = g.add("flatten", Flatten, &[x])?;
        g.add("affine", Affine::new(4), &[x])
    }),
    ("conv, pad", |g, x| head(g, x, |g, x| g.add("a", Conv::new(3, 3).pad(1), &[x]))),
    ("conv, stride and dilation", |g, x| {
        head(g, x, |g, x| g.add("a", Conv::new(3, 2).stride(2).dilation(2).pad(1), &[x]))
    }),
    ("conv, groups", |g, x| head(g, x, |g, x| g.add("a", Conv::new(4, 3).groups(2), &[x]))),
    ("conv 1x1, stride 2", |g, x| head(g, x, |g, x| g.add("a", Conv::new(3, 1).stride(2), &[x]))),
    ("conv, conv", |g, x| {
        head(g, x, |g, x| {
            let x = g.add("a", Conv::new(5, 3).pad(2), &[x])?;
            g.add("b", Conv::new(2, 3).pad(1), &[x])
        })
    }),
    ("conv 3d", |g, x| head(g, x, |g, x| g.add("a", Conv3d { depth: 2, ..Conv3d::new(3, 2, 3).pad(1) }, &[x]))),
    ("conv 3d, stride and dilation, relu in the store", |g, x| {
        head(g, x, |g, x| {
            let x = g.add("a", Conv::new(10, 1), &[x])?;
            let x = g.add("b", Conv3d { depth_dilation: 2, ..Conv3d::new(3, 5, 2).stride(2).pad(1) }, &[x])?;
            let x = g.add("c", Activation::Relu, &[x])?;
            g.add("d", Conv3d { depth_pad: 1, ..Conv3d::new(2, 3, 2) }, &[x])
        })
    }),
    ("relu in the store", |g, x| head(g, x, |g, x| between(g, x, Activation::Relu))),
    ("sigmoid", |g, x| head(g, x, |g, x| between(g, x, Activation::Sigmoid))),
    ("tanh", |g, x| head(g, x, |g, x| between(g, x, Activation::Tanh))),
    ("identity", |g, x| head(g, x, |g, x| between(g, x, Activation::Identity))),
    ("dropout", |g, x| head(g, x, |g, x| g.add("a", Dropout(0.4), &[x]))),
    ("max pool", |g, x| head(g, x, |g, x| g.add("a", Pool::Max(Window::square(2).stride(2)), &[x]))),
    ("max pool, overlapping, padded", |g, x| {
        head(g, x, |g, x| g.add("a", Pool::Max(Window::square(3).stride(2).pad(1)), &[x]))
    }),
    ("average pool", |g, x| head(g, x, |g, x| g.add("a", Pool::Average(Window::square(3).stride(2).pad(1)), &[x]))),
    ("global average pool", |g, x| head(g, x, |g, x| g.add("a", Pool::GlobalAverage, &[x]))),
    ("add", |g, x| head(g, x, |g, x| skip(g, x, Activation::Tanh))),
    ("add, relu in the store", |g, x| head(g, x, |g, x| skip(g, x, Activation::Relu))),
    ("add, one wire twice and a third", |g, x| {
        head(g, x, |g, x| {
            let a = g.add("a", Activation::Sigmoid, &[x])?;
            g.add("add", Add, &[x, x, a])
        })
    }),
    ("concat", |g, x| {
        head(g, x, |g, x| {
            let a = g.add("a", Conv::new(3, 3).pad(1), &[x])?;
            let b = g.add("b", Activation::Tanh, &[x])?;
            let y = g.add("concat", Concat, &[a, x, b, x])?;
            g.add("c", Conv::new(2, 3).pad(1), &[y])
        })
    }),
    ("batch norm", |g, x| head(g, x, |g, x| g.add("a", BatchNorm::default(), &[x]))),
    ("batch norm, relu in the store", |g, x| {
        head(g, x, |g, x| {
            let x = g.add("a", Conv::new(3, 3).pad(1), &[x])?;
            let x = g.add("b", BatchNorm::default(), &[x])?;
            let x = g.add("c", Activation::Relu, &[x])?;
            g.add("d", Conv::new(2, 3).pad(1), &[x])
        })
    }),
    ("layer norm", |g, x| head(g, x, |g, x| g.add("a", Norm::new(Over::Layer), &[x]))),
    ("layer norm behind a flattened image", |g, x| {
        head(g, x, |g, x| {
            let x = g.add("a", Flatten, &[x])?;
            g.add("b", Norm::new(Over::Layer), &[x])
        })
    }),
    ("layer norm, not affine", |g, x| {
        head(g, x, |g, x| g.add("a", Norm { affine: false, ..Norm::new(Over::Layer) }, &[x]))
    }),
    ("instance norm", |g, x| head(g, x, |g, x| g.add("a", Norm::new(Over::Instance), &[x]))),
    ("group norm", |g, x| {
        head(g, x, |g, x| {
            let x = g.add("a", Conv::new(6, 3).pad(1), &[x])?;
            let x = g.add("b", Norm::new(Over::Group(3)), &[x])?;
            g.add("c", Conv::new(2, 3).pad(1), &[x])
        })
    }),
    ("local response norm", |g, x| {
        head(g, x, |g, x| {
            let x = g.add("a", Conv::new(5, 1), &[x])?;
            g.add("b", LocalResponseNorm(Response { size: 4, alpha: 2.0, beta: 0.75, k: 2.0 }), &[x])
        })
    }),
    ("transposed conv", |g, x| {
        head(g, x, |g, x| {
            let window = Window::square(3).stride(2).pad(1);
            let x = g.add("a", ConvTranspose { window, output_pad: (1, 0), ..ConvTranspose::new(3, 3) }, &[x])?;
            g.add("b", Activation::Tanh, &[x])
        })
    }),
    ("upsample, nearest", |g, x| head(g, x, |g, x| g.add("a", Upsample { scale: 2, between: Between::Nearest }, &[x]))),
    ("upsample, bilinear", |g, x| {
        head(g, x, |g, x| g.add("a", Upsample { scale: 2, between: Between::Bilinear }, &[x]))
    }),
    ("max unpool", |g, x| {
        head(g, x, |g, x| {
            let window = Window::square(2).stride(2);
            let pooled = g.add("pool", Pool::Max(window), &[x])?;
            let a = g.add("a", Conv::new(2, 3).pad(1), &[pooled])?;
            g.add("unpool", MaxUnpool(window), &[a, x])
        })
    }),
    ("leaky relu", |g, x| head(g, x, |g, x| between(g, x, Activation::LeakyRelu(0.2)))),
    ("elu", |g, x| head(g, x, |g, x| between(g, x, Activation::Elu(0.7)))),
    ("selu", |g, x| head(g, x, |g, x| between(g, x, Activation::Selu))),
    ("gelu", |g, x| head(g, x, |g, x| between(g, x, Activation::Gelu))),
    ("silu", |g, x| head(g, x, |g, x| between(g, x, Activation::Silu))),
    ("relu6", |g, x| head(g, x, |g, x| between(g, x, Activation::Relu6))),
    ("hard swish", |g, x| head(g, x, |g, x| between(g, x, Activation::HardSwish))),
    ("hard sigmoid", |g, x| head(g, x, |g, x| between(g, x, Activation::HardSigmoid))),
    ("softplus", |g, x| head(g, x, |g, x| between(g, x, Activation::Softplus))),
    ("prelu", |g, x| head(g, x, |g, x| g.add("a", Prelu { shared: false }, &[x]))),
    ("prelu, one slope", |g, x| head(g, x, |g, x| between(g, x, Prelu { shared: true }))),
    ("stochastic depth", |g, x| head(g, x, |g, x| g.add("a", StochasticDepth(0.4), &[x]))),
    ("squeeze and excitation", |g, x| {
        head(g, x, |g, x| {
            let s = g.add("squeeze", Pool::GlobalAverage, &[x])?;
            let s = g.add("excite", Conv::new(2, 1), &[s])?;
            let s = g.add("gate", Activation::Sigmoid, &[s])?;
            g.add("scale", Scale, &[x, s])
        })
    }),
    ("lstm", |g, x| {
        head(g, x, |g, x| {
            let x = sequence(g, x)?;
            g.add("lstm", Lstm::new(3), &[x])
        })
    }),
    ("lstm, its cells, a first state and a convolution behind", |g, x| {
        head(g, x, |g, x| {
            let state = g.add("state flat", Flatten, &[x])?;
            let hidden = g.add("hidden", Affine::new(3), &[state])?;
            let cell = g.add("cell", Affine::new(3), &[state])?;
            let x = sequence(g, x)?;
            let x = g.add("lstm", Lstm { hidden: 3, cells: true }, &[x, hidden, cell])?;
            g.add(
                "behind",
                Conv { window: Window { kernel: (3, 1), pad: (1, 0), ..Window::square(1) }, ..Conv::new(2, 1) },
                &[x],
            )
        })
    }),
    ("attention", |g, x| head(g, x, |g, x| attention(g, x, false))),
    ("attention, its scores, looked at twice", |g, x| {
        head(g, x, |g, x| {
            let looked = attention(g, x, true)?;
            let query = g.add("part", Slice::channels(1..4), &[looked])?;
            let again = g.add("again", Attention { scores: false }, &[query, g.wire("keys")?, x])?;
            g.add("both", Concat, &[looked, again])
        })
    }),
    ("slices of channels and rows", |g, x| {
        head(g, x, |g, x| {
            let x = g.add("a", Conv::new(5, 3).pad(1), &[x])?;
            let y = g.add("rows", Slice::rows(1..4), &[x])?;
            let y = g.add("channels", Slice::channels(2..4), &[y])?;
            let z = g.add("others", Slice::rows(2..5), &[x])?;
            g.add("both", Concat, &[y, z])
        })
    }),
    ("two readers of one wire", |g, x| {
        head(g, x, |g, x| {
            let a = g.add("a", Conv::new(2, 1), &[x])?;
            let _unused = g.add("b", Activation::Relu, &[a])?;
            g.add("c", Activation::Tanh, &[a])
        })
    }),
];

/// A convolution before `x` and an affine layer behind, so that a gradient passes through in both directions.
fn head(g: &mut Graph, x: Wire, middle: Wiring) -> Result<Wire> {
    let x = g.add("first", Conv::new(2, 2), &[x])?;
    let x = middle(g, x)?;
    let x = g.add("flatten", Flatten, &[x])?;
    g.add("last", Affine::new(4), &[x])
}

/// The rows of an image as the steps of a sequence.
fn sequence(g: &mut Graph, x: Wire) -> Result<Wire> {
    let kernel = (1, g.shape(x).w);
    g.add("row", Conv { window: Window { kernel, ..Window::square(1) }, ..Conv::new(4, 1) }, &[x])
}

/// The rows of an image look at its pixels.
fn attention(g: &mut Graph, x: Wire, scores: bool) -> Result<Wire> {
    let query = g.add(
        "query",
        Conv { window: Window { kernel: (1, g.shape(x).w), ..Window::square(1) }, ..Conv::new(3, 1) },
        &[x],
    )?;
    let keys = g.add("keys", Conv::new(3, 3).pad(1), &[x])?;
    let values = g.add("values", Conv::new(4, 1), &[x])?;
    g.add("attention", Attention { scores }, &[query, keys, values])
}

fn between(g: &mut Graph, x: Wire, act: impl Layer + 'static) -> Result<Wire> {
    let x = g.add("a", Conv::new(3, 3).pad(1), &[x])?;
    let x = g.add("act", act, &[x])?;
    g.add("b", Conv::new(2, 3).pad(1), &[x])
}

/// A residual block.
fn skip(g: &mut Graph, x: Wire, act: Activation) -> Result<Wire> {
    let x = g.add("before", Conv::new(3, 1), &[x])?;
    let y = g.add("a", Conv::new(3, 3).pad(1), &[x])?;
    let y = g.add("add", Add, &[y, x])?;
    let y = g.add("act", act, &[y])?;
    g.add("b", Conv::new(2, 3).pad(1), &[y])
}

enum Loss {
    CrossEntropy,
    Squared(Vec<f32>),
}

struct Check {
    run: Run,
    params: Params,
    images: Vec<f32>,
    output: Wire,
    loss: Loss,
}

impl Check {
    fn new(net: &Network, loss: Loss) -> Self {
        let mut rng = Rng::new(11);
        let mut params = net.zeros();
        Init::He.fill(&mut params, 5).unwrap();
        for p in params.values_mut() {
            *p += 0.1 * rng.normal();
        }
        let images = (0..IMAGES * net.input_shape().len()).map(|_| rng.normal()).collect();
        let run = Run::new(net, IMAGES, &Want::everything());
        Self { run, params, images, output: net.output(), loss }
    }

    fn loss(&mut self) -> f64 {
        self.run.forward(&self.params, &self.images, IMAGES, Mode::Train { seed: 9 }).unwrap();
        match &self.loss {
            Loss::CrossEntropy => self.run.softmax_cross_entropy(self.output, &LABELS, 1.0).unwrap(),
            Loss::Squared(targets) => self.run.squared_error(self.output, targets, 1.0).unwrap(),
        }
    }

    /// `(f(x + h) − f(x − h)) / 2h`, where `nudge` moves one number of the problem.
    fn slope(&mut self, mut nudge: impl FnMut(&mut Self, f32)) -> f64 {
        let h = 4e-3;
        nudge(self, h);
        let above = self.loss();
        nudge(self, -2.0 * h);
        let below = self.loss();
        nudge(self, h);
        (above - below) / (2.0 * f64::from(h))
    }

    /// Compares every parameter's and every pixel's gradient. A kink (ReLU, maximum) inside the step makes single
    /// slopes wrong, so a few outliers are allowed: 2 %.
    fn compare(mut self, name: &str) {
        self.loss();
        let mut gradient = vec![0.0; self.params.values().len()];
        let params = self.params.clone();
        self.run.backward(&params, &mut gradient);
        let (dx, map) = self.run.gradient(self.run_input()).expect("asked for");
        let mut pixels = vec![0.0; self.images.len()];
        for (dx, out) in dx.chunks_exact(map.len()).zip(pixels.chunks_exact_mut(map.shape.len())) {
            map.copy_to_chw(dx, out);
        }
        let mut wrong = Vec::new();
        // A running statistic gets what the batch's was, no slope.
        let views = self.run.network().views().to_vec();
        let learnt = views.iter().filter(|view| !view.role.is_statistic());
        for (i, g) in learnt.flat_map(|view| view.range()).map(|i| (i, gradient[i])) {
            let slope = self.slope(|c, h| c.params.values_mut()[i] += h);
            wrong.extend(differs(f64::from(g), slope).then_some(format!("parameter {i}: {g}, slope {slope}")));
        }
        for (i, &g) in pixels.iter().enumerate() {
            let slope = self.slope(|c, h| c.images[i] += h);
            wrong.extend(differs(f64::from(g), slope).then_some(format!("pixel {i}: {g}, slope {slope}")));
        }
        let (total, size) = (gradient.len() + pixels.len(), gradient.iter().map(|g| g.abs()).sum::<f32>());
        assert!(size > 0.1, "{name}: no gradient arrived");
        assert!(
            wrong.len() * 50 <= total,
            "{name}: {} of {total} differ: {:?}",
            wrong.len(),
            &wrong[..wrong.len().min(5)]
        );
    }

    fn run_input(&self) -> Wire {
        self.run.network().wires().next().unwrap()
    }
}

fn differs(got: f64, want: f64) -> bool {
    (got - want).abs() > 4e-3 * (1.0 + got.abs().max(want.abs()))
}

fn network(wire: Wiring) -> Network {
    let mut g = Graph::new();
    let x = g.input("input", Shape::new(2, 6, 5)).unwrap();
    let y = wire(&mut g, x).unwrap();
    g.finish(y)
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn every_layer_has_the_gradient_of_its_definition() {
    for (name, wire) in CASES {
        Check::new(&network(*wire), Loss::CrossEntropy).compare(name);
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn squared_error_has_the_gradient_of_its_definition() {
    let targets = (0..IMAGES * 4).map(|i| i as f32 * 0.1).collect();
    Check::new(&network(CASES[0].1), Loss::Squared(targets)).compare("squared error");
}

/// What a run of everything makes of the input's gradient: all parameters learn.
fn pixels(run: &Run, input: Wire) -> Vec<f32> {
    let (dx, map) = run.gradient(input).expect("asked for");
    map.rows(dx.len() / map.len()).flat_map(|row| dx[row].to_vec()).collect()
}

/// A frozen layer lets gradients through and asks for no arena; so does one of a run that wants the input's gradient alone.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn layers_that_do_not_learn_leave_the_arena_alone() {
    for (name, wire) in CASES {
        let net = network(*wire);
        let input = net.wires().next().unwrap();
        let mut full = Check::new(&net, Loss::CrossEntropy);
        full.loss();
        let params = full.params.clone();
        full.run.backward(&params, &mut vec![0.0; params.values().len()]);
        let expected = pixels(&full.run, input);
        let fixed = net.fix(&["*"]).unwrap();
        let wants = [(&net, Want::input_gradient(vec![])), (&fixed, Want::everything()), (&fixed, Want::training())];
        for (net, want) in wants {
            let mut lean = Check { run: Run::new(net, IMAGES, &want), ..Check::new(net, Loss::CrossEntropy) };
            lean.run.forward(&params, &full.images, IMAGES, Mode::Train { seed: 9 }).unwrap();
            if want == Want::training() {
                // Nothing learns, so nothing goes backward.
                assert!(lean.run.softmax_cross_entropy(net.output(), &LABELS, 1.0).is_err(), "{name}");
                lean.run.backward(&params, &mut []);
                continue;
            }
            lean.run.softmax_cross_entropy(net.output(), &LABELS, 1.0).unwrap();
            lean.run.backward(&params, &mut []);
            assert_eq!(pixels(&lean.run, input), expected, "{name}: {want:?}");
        }
    }
}

/// Every layer first, behind a frozen one, before a frozen one and last: its parameters' gradient is the one that it has where
/// everything learns.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn what_learns_alone_gets_the_gradient_that_it_has_among_others() {
    for (name, wire) in CASES {
        let net = network(*wire);
        let mut full = Check::new(&net, Loss::CrossEntropy);
        full.loss();
        let (params, len) = (full.params.clone(), full.params.values().len());
        let mut expected = vec![0.0; len];
        full.run.backward(&params, &mut expected);
        let owners: Vec<&str> = net.nodes().iter().filter(|n| !n.params.is_empty()).map(|n| &*n.name).collect();
        for &alone in &owners {
            let others: Vec<&str> = owners.iter().copied().filter(|owner| *owner != alone).collect();
            let net = net.fix(&others).unwrap();
            let mut run = Run::new(&net, IMAGES, &Want::training());
            run.forward(&params, &full.images, IMAGES, Mode::Train { seed: 9 }).unwrap();
            run.softmax_cross_entropy(net.output(), &LABELS, 1.0).unwrap();
            let mut gradient = vec![0.0; len];
            run.backward(&params, &mut gradient);
            for view in net.views().iter().filter(|view| !view.role.is_statistic()) {
                let its = view.name.rsplit_once('.').unwrap().0 == alone;
                let want = if its { expected[view.range()].to_vec() } else { vec![0.0; view.len()] };
                assert_eq!(gradient[view.range()], want, "{name}: {} with {alone} alone", view.name);
            }
        }
    }
}

/// Transposed convolution reads its output's gradient beyond the borders for its weights, too.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_first_layer_of_every_kind_learns() {
    let firsts: [(&str, Wiring); 6] = [
        ("conv", |g, x| g.add("a", Conv::new(2, 3).pad(1), &[x])),
        ("depthwise", |g, x| g.add("a", Conv::new(2, 3).groups(2).pad(1), &[x])),
        ("conv 3d", |g, x| g.add("a", Conv3d::new(2, 2, 3).pad(1), &[x])),
        ("transposed", |g, x| {
            let window = Window::square(3).stride(2).pad(1);
            g.add("a", ConvTranspose { window, output_pad: (1, 0), ..ConvTranspose::new(3, 3) }, &[x])
        }),
        ("batch norm", |g, x| g.add("a", BatchNorm::default(), &[x])),
        ("prelu", |g, x| g.add("a", Prelu { shared: false }, &[x])),
    ];
    for (name, first) in firsts {
        let mut g = Graph::new();
        let x = g.input("input", Shape::new(2, 6, 5)).unwrap();
        let y = first(&mut g, x).unwrap();
        let y = g.add("flatten", Flatten, &[y]).unwrap();
        let y = g.add("last", Affine::new(4), &[y]).unwrap();
        let net = g.finish(y);
        let [mut full, mut lean] = [Want::everything(), Want::training()].map(|want| {
            let check = Check::new(&net, Loss::CrossEntropy);
            let mut run = Run::new(&net, IMAGES, &want);
            run.forward(&check.params, &check.images, IMAGES, Mode::Train { seed: 9 }).unwrap();
            run.softmax_cross_entropy(net.output(), &LABELS, 1.0).unwrap();
            let mut gradient = vec![0.0; check.params.values().len()];
            run.backward(&check.params, &mut gradient);
            gradient
        });
        assert_eq!(lean, full, "{name}");
        assert!(full.drain(..).chain(lean.drain(..)).any(|g| g != 0.0), "{name}");
    }
}
