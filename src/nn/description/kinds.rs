//! Every type of layer that a description may name: its options, their defaults, and how it is made.

use super::Setting::{self, Axes, Flag, Number, Size};
use crate::error::{Error, Result};
use crate::kernel::lrn::Response;
use crate::kernel::resize::Between;
use crate::nn::layer::Layer;
use crate::nn::layers::act::Activation;
use crate::nn::layers::add::Add;
use crate::nn::layers::affine::Affine;
use crate::nn::layers::batch_norm::BatchNorm;
use crate::nn::layers::concat::Concat;
use crate::nn::layers::conv::Conv;
use crate::nn::layers::conv_transpose::ConvTranspose;
use crate::nn::layers::conv3d::Conv3d;
use crate::nn::layers::dropout::{Dropout, StochasticDepth};
use crate::nn::layers::embedding::Embedding;
use crate::nn::layers::fake_quantise::FakeQuantise;
use crate::nn::layers::flatten::Flatten;
use crate::nn::layers::lrn::LocalResponseNorm;
use crate::nn::layers::lstm::Lstm;
use crate::nn::layers::norm::{Norm, Over};
use crate::nn::layers::pool::Pool;
use crate::nn::layers::prelu::Prelu;
use crate::nn::layers::quant_conv::{QuantConv, Weights};
use crate::nn::layers::roi_align::RoiAlign;
use crate::nn::layers::scale::Scale;
use crate::nn::layers::sign::Sign;
use crate::nn::layers::unpool::MaxUnpool;
use crate::nn::layers::upsample::Upsample;
use crate::nn::losses::{BinaryCrossEntropy, CrossEntropy, Huber, MaskCrossEntropy, SquaredError};
use crate::shape::Window;
use std::sync::Arc;

/// A type of layer.
pub struct Kind {
    /// Its name in a description: the layer's [`Layer::kind`].
    pub name: &'static str,
    /// Its options.
    pub options: &'static [Opt],
    pub(super) make: fn(&Options) -> Arc<dyn Layer>,
}

/// An option of a type of layer.
pub struct Opt {
    /// Its name.
    pub name: &'static str,
    /// Its type, and what it is when it is left out; where it is required, a value to begin with.
    pub default: Setting,
    /// Whether it must be given.
    pub required: bool,
}

const fn need(name: &'static str, default: Setting) -> Opt {
    Opt { name, default, required: true }
}

const fn with(name: &'static str, default: Setting) -> Opt {
    Opt { name, default, required: false }
}

const KERNEL: Opt = need("kernel", Axes((3, 3)));
const STRIDE: Opt = with("stride", Axes((1, 1)));
const PAD: Opt = with("pad", Axes((0, 0)));
const DILATION: Opt = with("dilation", Axes((1, 1)));
const BIAS: Opt = with("bias", Flag(true));
const EPS: Opt = with("eps", Number(1e-5));
const RESPONSE: &[Opt] =
    &[with("size", Size(5)), with("alpha", Number(1e-4)), with("beta", Number(0.75)), with("k", Number(1.0))];
const WINDOW: &[Opt] = &[KERNEL, STRIDE, PAD, DILATION];
const CONV3D: &[Opt] = &[
    need("out", Size(16)),
    need("slices", Size(1)),
    need("depth", Size(1)),
    with("depth_stride", Size(1)),
    with("depth_pad", Size(0)),
    with("depth_dilation", Size(1)),
    KERNEL,
    STRIDE,
    PAD,
    DILATION,
    BIAS,
];

const QUANT_CONV: &[Opt] = &[
    need("out", Size(16)),
    KERNEL,
    STRIDE,
    PAD,
    DILATION,
    BIAS,
    with("bits", Size(1)),
    with("ternary", Flag(false)),
    with("scaled", Flag(false)),
];

/// Every type of layer to choose from for pictures.
pub const KINDS: &[Kind] = &[
    kind("conv", &[need("out", Size(16)), KERNEL, STRIDE, PAD, DILATION, with("groups", Size(1)), BIAS], |o| {
        let (out, groups, bias) = (o.size("out"), o.size("groups"), o.flag("bias"));
        Arc::new(Conv { out, window: o.window(), groups, bias })
    }),
    kind("affine", &[need("out", Size(10)), BIAS], |o| Arc::new(Affine { out: o.size("out"), bias: o.flag("bias") })),
    kind("max_pool", &[KERNEL, STRIDE, PAD, DILATION, with("ceil", Flag(false))], |o| {
        Arc::new(if o.flag("ceil") { Pool::MaxCeil(o.window()) } else { Pool::Max(o.window()) })
    }),
    kind("average_pool", WINDOW, |o| Arc::new(Pool::Average(o.window()))),
    kind("global_average_pool", &[], |_| Arc::new(Pool::GlobalAverage)),
    kind(
        "conv_transpose",
        &[need("out", Size(16)), KERNEL, STRIDE, PAD, DILATION, with("output_pad", Axes((0, 0))), BIAS],
        |o| {
            let (out, output_pad, bias) = (o.size("out"), o.axes("output_pad"), o.flag("bias"));
            Arc::new(ConvTranspose { out, window: o.window(), output_pad, bias })
        },
    ),
    kind("max_unpool", &[need("kernel", Axes((2, 2))), need("stride", Axes((2, 2))), PAD, DILATION], |o| {
        Arc::new(MaxUnpool(o.window()))
    }),
    kind("conv3d", CONV3D, |o| Arc::new(o.conv3d())),
    kind("upsample_nearest", &[with("scale", Size(2))], |o| {
        Arc::new(Upsample { scale: o.size("scale"), between: Between::Nearest })
    }),
    kind("upsample_bilinear", &[with("scale", Size(2))], |o| {
        Arc::new(Upsample { scale: o.size("scale"), between: Between::Bilinear })
    }),
    kind("flatten", &[], |_| Arc::new(Flatten)),
    kind("add", &[], |_| Arc::new(Add)),
    kind("concat", &[], |_| Arc::new(Concat)),
    kind("scale", &[], |_| Arc::new(Scale)),
    kind("batch_norm", &[EPS, with("momentum", Number(0.1))], |o| {
        Arc::new(BatchNorm { eps: o.number("eps"), momentum: o.number("momentum") })
    }),
    kind("layer_norm", &[EPS, with("affine", Flag(true))], |o| o.norm(Over::Layer)),
    kind("instance_norm", &[EPS, with("affine", Flag(false))], |o| o.norm(Over::Instance)),
    kind("group_norm", &[need("groups", Size(2)), EPS, with("affine", Flag(true))], |o| {
        o.norm(Over::Group(o.size("groups")))
    }),
    kind("local_response_norm", RESPONSE, |o| {
        let (size, [alpha, beta, k]) = (o.size("size"), ["alpha", "beta", "k"].map(|name| o.number(name)));
        Arc::new(LocalResponseNorm(Response { size, alpha, beta, k }))
    }),
    kind("stochastic_depth", &[with("ratio", Number(0.2))], |o| Arc::new(StochasticDepth(o.number("ratio")))),
    kind("dropout", &[with("ratio", Number(0.5))], |o| Arc::new(Dropout(o.number("ratio")))),
    kind("relu", &[], |_| Arc::new(Activation::Relu)),
    kind("relu6", &[], |_| Arc::new(Activation::Relu6)),
    kind("sigmoid", &[], |_| Arc::new(Activation::Sigmoid)),
    kind("tanh", &[], |_| Arc::new(Activation::Tanh)),
    kind("identity", &[], |_| Arc::new(Activation::Identity)),
    kind("leaky_relu", &[with("slope", Number(0.01))], |o| Arc::new(Activation::LeakyRelu(o.number("slope")))),
    kind("prelu", &[with("shared", Flag(true))], |o| Arc::new(Prelu { shared: o.flag("shared") })),
    kind("elu", &[with("alpha", Number(1.0))], |o| Arc::new(Activation::Elu(o.number("alpha")))),
    kind("selu", &[], |_| Arc::new(Activation::Selu)),
    kind("gelu", &[], |_| Arc::new(Activation::Gelu)),
    kind("silu", &[], |_| Arc::new(Activation::Silu)),
    kind("hard_swish", &[], |_| Arc::new(Activation::HardSwish)),
    kind("hard_sigmoid", &[], |_| Arc::new(Activation::HardSigmoid)),
    kind("softplus", &[], |_| Arc::new(Activation::Softplus)),
];

/// Layers of sequences, which are nothing to choose for pictures.
pub const SEQUENCES: &[Kind] = &[
    kind("embedding", &[need("tokens", Size(10)), need("out", Size(16))], |o| {
        Arc::new(Embedding { tokens: o.size("tokens"), out: o.size("out") })
    }),
    kind("lstm", &[need("hidden", Size(16)), with("cells", Flag(false))], |o| {
        Arc::new(Lstm { hidden: o.size("hidden"), cells: o.flag("cells") })
    }),
];

/// Layers of regions, which are nothing to choose for whole pictures.
pub const REGIONS: &[Kind] = &[kind("roi_align", &[with("out", Size(7)), need("stride", Size(4))], |o| {
    Arc::new(RoiAlign { out: o.size("out"), stride: o.size("stride") })
})];

/// Layers that learn to have few bits. Nothing to choose among the others: no other program's format has them.
pub const FEW_BITS: &[Kind] = &[
    kind("quant_conv", QUANT_CONV, |o| {
        let conv = Conv { out: o.size("out"), window: o.window(), groups: 1, bias: o.flag("bias") };
        let weights = Weights::from_code(o.size("bits"), o.flag("ternary"), o.flag("scaled"));
        Arc::new(QuantConv { conv, weights })
    }),
    kind("fake_quantise", &[with("bits", Size(8)), with("signed", Flag(false)), with("step", Number(0.0625))], |o| {
        Arc::new(FakeQuantise { bits: o.size("bits"), signed: o.flag("signed"), step: o.number("step") })
    }),
    kind("sign", &[], |_| Arc::new(Sign)),
];

/// Every type of loss: layers, but not to be chosen among them.
pub const LOSSES: &[Kind] = &[
    kind("cross_entropy", &[], |_| Arc::new(CrossEntropy)),
    kind("mask_cross_entropy", &[], |_| Arc::new(MaskCrossEntropy)),
    kind("binary_cross_entropy", &[], |_| Arc::new(BinaryCrossEntropy)),
    kind("squared_error", &[], |_| Arc::new(SquaredError)),
    kind("huber", &[with("delta", Number(1.0))], |o| Arc::new(Huber(o.number("delta")))),
];

const fn kind(name: &'static str, options: &'static [Opt], make: fn(&Options) -> Arc<dyn Layer>) -> Kind {
    Kind { name, options, make }
}

fn all() -> impl Iterator<Item = &'static Kind> {
    KINDS.iter().chain(SEQUENCES).chain(REGIONS).chain(FEW_BITS).chain(LOSSES)
}

impl Kind {
    /// The type of this name, for the layer called `layer`.
    pub(super) fn named(layer: &str, name: &str) -> Result<&'static Self> {
        all().find(|kind| kind.name == name).ok_or_else(|| {
            let names: Vec<&str> = all().map(|kind| kind.name).collect();
            Error::missing(format!("{layer}: type"), format!("one of {}", names.join(", ")), name)
        })
    }

    pub(super) fn is_loss(&self) -> bool {
        LOSSES.iter().any(|kind| kind.name == self.name)
    }

    /// Whether a description may leave this setting out.
    pub(super) fn is_default(kind: &str, option: &str, setting: Setting) -> bool {
        let options = all().filter(|k| k.name == kind).flat_map(|k| k.options);
        options.into_iter().any(|o| o.name == option && !o.required && o.default == setting)
    }
}

/// The settings of a layer under construction: one for each of its type's options, by name and of the option's type.
pub(super) struct Options(pub Vec<(&'static str, Setting)>);

impl Options {
    fn get(&self, name: &str) -> Setting {
        self.0.iter().find(|(option, _)| *option == name).expect("an option of the type").1
    }

    fn size(&self, name: &str) -> usize {
        if let Size(n) = self.get(name) { n } else { 0 }
    }

    fn axes(&self, name: &str) -> (usize, usize) {
        if let Axes(axes) = self.get(name) { axes } else { (0, 0) }
    }

    fn number(&self, name: &str) -> f32 {
        if let Number(x) = self.get(name) { x } else { f32::NAN }
    }

    fn flag(&self, name: &str) -> bool {
        self.get(name) == Flag(true)
    }

    fn norm(&self, over: Over) -> Arc<dyn Layer> {
        Arc::new(Norm { over, eps: self.number("eps"), affine: self.flag("affine") })
    }

    fn conv3d(&self) -> Conv3d {
        Conv3d {
            out: self.size("out"),
            slices: self.size("slices"),
            depth: self.size("depth"),
            depth_stride: self.size("depth_stride"),
            depth_pad: self.size("depth_pad"),
            depth_dilation: self.size("depth_dilation"),
            window: self.window(),
            bias: self.flag("bias"),
        }
    }

    fn window(&self) -> Window {
        let [kernel, stride, pad, dilation] = ["kernel", "stride", "pad", "dilation"].map(|name| self.axes(name));
        Window { kernel, stride, pad, dilation }
    }
}
