//! A classifier made convolutional (Long et al. 2015, section 3.1): its affine layers become convolutions with the same
//! weights, and what answered for one picture then answers at every place of a larger one, without computing shared parts
//! again and again.

use crate::error::{Error, Result};
use crate::nn::layers::affine::Affine;
use crate::nn::layers::flatten::Flatten;
use crate::nn::{Conv, Graph, Network, Params, Wire};
use crate::shape::{Shape, Window};
use crate::tensor::Tensor;
use ndarray::IxDyn;
use std::any::Any;

/// A convolutional classifier over pictures of one size.
#[derive(Debug, Clone)]
pub struct Dense {
    /// The network: scores of the classes at every place.
    pub net: Network,
    /// The classifier's parameters in their new shapes.
    pub params: Params,
    /// Multiply-adds for a picture.
    pub multiply_adds: u64,
    /// What the classifier takes on windows cut out of the picture, one for each place of the answer.
    pub sliding: u64,
    /// Pixels from one place of the answer to the next.
    pub stride: (usize, usize),
}

/// Makes a classifier convolutional over pictures of `h` rows and `w` columns. Over a picture of the classifier's own size it
/// answers once, and the same.
///
/// Errors: [`Error::Value`] for a network of another kind than layers in a row, [`Error::Shape`] for a picture smaller than the
/// classifier's.
pub fn convolutional(net: &Network, params: &Params, (h, w): (usize, usize)) -> Result<Dense> {
    let own = net.input_shape();
    if h < own.h || w < own.w {
        return Err(Error::shape("picture", format!("at least {} × {}", own.h, own.w), format!("{h} × {w}")));
    }
    let mut graph = Graph::new();
    let mut wires: Vec<Wire> = Vec::new();
    let mut windows = Vec::new();
    for (k, node) in net.nodes().iter().enumerate() {
        let Some(layer) = &node.layer else {
            wires.push(graph.input(&node.name, Shape::new(own.c, h, w))?);
            continue;
        };
        if node.inputs.len() != 1 || node.inputs[0] != net.wires().nth(k - 1).expect("a node before") {
            return Err(Error::value(&node.name, "layers in a row", format!("{} inputs", node.inputs.len())));
        }
        let x = wires[k - 1];
        let any: &dyn Any = &**layer;
        if any.downcast_ref::<Flatten>().is_some() {
            wires.push(x);
        } else if let Some(affine) = any.downcast_ref::<Affine>() {
            // What was flattened into the layer is the window that it looks through.
            let window = net.node(node.inputs[0]).flat;
            windows.push((node.name.clone(), window));
            let conv = Conv {
                window: Window { kernel: (window.h, window.w), ..Window::square(1) },
                ..Conv::new(affine.out, 1)
            };
            wires.push(graph.add(&node.name, Conv { bias: affine.bias, ..conv }, &[x])?);
        } else {
            wires.push(graph.append(&node.name, layer.clone(), &[x])?);
        }
    }
    let output = wires[net.wires().position(|wire| wire == net.output()).expect("the answer is a wire")];
    let dense = graph.finish(output);
    let params = reshaped(&dense, params, &windows)?;
    let answer = dense.node(dense.output()).shape;
    let apart = |big: usize, small: usize, n: usize| if n > 1 { (big - small) / (n - 1) } else { 0 };
    Ok(Dense {
        multiply_adds: multiply_adds(&dense),
        sliding: (answer.h * answer.w) as u64 * multiply_adds(net),
        stride: (apart(h, own.h, answer.h), apart(w, own.w, answer.w)),
        net: dense,
        params,
    })
}

/// The parameters, those of affine layers as filters: `out × (c·h·w)` becomes `out × c × h × w`.
fn reshaped(dense: &Network, params: &Params, windows: &[(String, Shape)]) -> Result<Params> {
    let mut own = dense.zeros();
    for view in dense.views() {
        let tensor = params.get(&view.name)?;
        let filter = windows.iter().any(|(name, _)| format!("{name}.weight") == view.name);
        let shape = if filter { view.shape.clone() } else { tensor.shape().to_vec() };
        let values = tensor.iter().copied().collect();
        let tensor = Tensor::from_shape_vec(IxDyn(&shape), values)
            .map_err(|e| Error::shape(&view.name, "weights of the window that was flattened", e))?;
        own.set(&view.name, &tensor)?;
    }
    Ok(own)
}

/// Multiply-adds of a network for one picture.
pub fn multiply_adds(net: &Network) -> u64 {
    let layers = net.nodes().iter().filter_map(|node| Some((node.layer.as_ref()?, net.input_shapes(node))));
    layers.map(|(layer, shapes)| layer.multiply_adds(&shapes)).sum()
}
