//! Pieces that several papers share, under the names that torchvision gives their parts, so that its weights load.

use crate::error::Result;
use crate::nn::layer::Layer;
use crate::nn::layers::act::Activation::Relu;
use crate::nn::layers::add::Add;
use crate::nn::layers::affine::Affine;
use crate::nn::layers::batch_norm::BatchNorm;
use crate::nn::layers::dropout::Dropout;
use crate::nn::layers::flatten::Flatten;
use crate::nn::layers::pool::Pool;
use crate::nn::{Conv, Graph, Wire};
use crate::shape::Window;

/// A convolution without bias and the batch norm behind it, named apart.
pub(super) fn conv_norm(
    g: &mut Graph,
    x: Wire,
    [conv_name, norm_name]: [&str; 2],
    conv: Conv,
    norm: BatchNorm,
) -> Result<Wire> {
    let x = g.add(conv_name, Conv { bias: false, ..conv }, &[x])?;
    g.add(norm_name, norm, &[x])
}

/// [`conv_norm`] and an activation as torchvision's `Conv2dNormActivation` numbers them: `name.0`, `.1`, `.2`.
pub(super) fn conv_norm_act(
    g: &mut Graph,
    x: Wire,
    name: &str,
    conv: Conv,
    norm: BatchNorm,
    act: impl Layer + 'static,
) -> Result<Wire> {
    let x = conv_norm(g, x, [&format!("{name}.0"), &format!("{name}.1")], conv, norm)?;
    g.add(&format!("{name}.2"), act, &[x])
}

/// Global average pooling, dropout and the class scores.
pub(super) fn pooled_head(g: &mut Graph, x: Wire, name: &str, classes: usize, dropout: f32) -> Result<Wire> {
    let x = g.add("avgpool", Pool::GlobalAverage, &[x])?;
    let x = g.add("flatten", Flatten, &[x])?;
    let x = if dropout > 0.0 { g.add("dropout", Dropout(dropout), &[x])? } else { x };
    g.add(name, Affine::new(classes), &[x])
}

/// Max pooling of `k × k` windows at this stride.
pub(super) const fn max_pool(k: usize, stride: usize) -> Pool {
    Pool::Max(Window::square(k).stride(stride))
}

/// Residual blocks, one for each dilation: a depthwise convolution, a pointwise one, batch norm and ReLU, to which the block's input
/// is added (He et al. 2016). One of 48 channels has 2,784 parameters where a full convolution has 20,832. Numbered from 1.
pub(super) fn residuals(g: &mut Graph, mut x: Wire, name: &str, dilations: &[usize]) -> Result<Wire> {
    let c = g.shape(x).c;
    for (i, &dilation) in (1..).zip(dilations) {
        let name = format!("{name}.{i}");
        let depthwise = Conv { bias: false, ..Conv::new(c, 3).pad(dilation).dilation(dilation).groups(c) };
        let y = g.add(&format!("{name}.depthwise"), depthwise, &[x])?;
        let y = conv_norm_act(g, y, &name, Conv::new(c, 1), BatchNorm::default(), Relu)?;
        x = g.add(&format!("{name}.sum"), Add, &[x, y])?;
    }
    Ok(x)
}
