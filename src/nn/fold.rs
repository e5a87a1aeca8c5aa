//! A network made lean for inference: batch norms worked into the convolutions before them, and nothing that does not
//! lead to the answer. The same answers, fewer layers and passes.

use super::graph::{Graph, Wire};
use super::layer::Layer;
use super::layers::affine::Affine;
use super::layers::batch_norm::BatchNorm;
use super::layers::conv::Conv;
use super::network::Network;
use super::params::Params;
use crate::error::Result;
use std::any::Any;
use std::sync::Arc;

/// Leaves out what does not lead to an output, auxiliary classifiers and losses say, and replaces every batch norm that is alone
/// behind a convolution or an affine layer: that layer has a bias then, and reads as `γ / √(running variance + ε)` times its
/// old weights say. All other layers keep their names and parameters.
///
/// Errors: those of [`Params::get`], for parameters of another network.
pub fn for_inference(net: &Network, params: &Params) -> Result<(Network, Params)> {
    let mut graph = Graph::like(net);
    let (mut moved, mut folds) = (Vec::<Wire>::new(), Vec::new());
    let needed = needed(net);
    for (wire, node) in net.wires().zip(net.nodes()) {
        if !needed[wire.0] {
            // Nobody asks where it has moved.
            moved.push(wire);
            continue;
        }
        let inputs: Vec<Wire> = node.inputs.iter().map(|w| moved[w.0]).collect();
        moved.push(match &node.layer {
            Some(_) if norm_behind(net, wire).is_some() => {
                let (norm, layer) = norm_behind(net, wire).expect("just seen");
                folds.push((&node.name, norm));
                graph.append(&node.name, layer, &inputs)?
            }
            Some(_) if node.inputs.len() == 1 && norm_behind(net, node.inputs[0]).is_some() => inputs[0],
            layer => graph.copy(node, layer.clone(), &moved)?,
        });
    }
    let folded = finished(net, graph, &moved)?;
    let mut next = folded.zeros();
    for view in folded.views().to_vec() {
        if let Ok(tensor) = params.get(&view.name) {
            next.set(&view.name, &tensor)?;
        }
    }
    for (layer, norm) in folds {
        fold(params, layer, norm, net, &mut next)?;
    }
    Ok((folded, next))
}

/// The network with nothing that does not lead to the output: GoogLeNet without its auxiliary classifiers, as those who
/// will not train it save it.
///
/// Errors: none for a network that was built.
pub fn without_auxiliaries(net: &Network) -> Result<Network> {
    let mut graph = Graph::like(net);
    let needed = needed(net);
    let mut moved: Vec<Wire> = Vec::new();
    for (wire, node) in net.wires().zip(net.nodes()) {
        moved.push(if needed[wire.0] { graph.copy(node, node.layer.clone(), &moved)? } else { wire });
    }
    finished(net, graph, &moved)
}

/// The network that answers where `net` does, with its other outputs; losses are for training only.
fn finished(net: &Network, mut graph: Graph, moved: &[Wire]) -> Result<Network> {
    net.outputs().iter().try_for_each(|(name, wire)| graph.output(name, moved[wire.0]))?;
    Ok(graph.finish(moved[net.output().0]))
}

/// Which wires lead to the answer or another output; the first input is one of them in any case.
fn needed(net: &Network) -> Vec<bool> {
    let mut needed = vec![false; net.nodes().len()];
    (needed[0], needed[net.output().0]) = (true, true);
    net.outputs().iter().for_each(|(_, wire)| needed[wire.0] = true);
    for (k, node) in net.nodes().iter().enumerate().rev() {
        for input in node.inputs.iter().chain(&node.shares) {
            needed[input.0] |= needed[k];
        }
    }
    needed
}

/// The batch norm that alone reads `wire`, a convolution or affine layer, and that layer with a bias.
fn norm_behind(net: &Network, wire: Wire) -> Option<(Wire, Arc<dyn Layer>)> {
    let layer: &dyn Any = &**net.node(wire).layer.as_ref()?;
    let layer: Arc<dyn Layer> = match (layer.downcast_ref::<Conv>(), layer.downcast_ref::<Affine>()) {
        (Some(conv), _) => Arc::new(Conv { bias: true, ..*conv }),
        (_, Some(affine)) => Arc::new(Affine { bias: true, ..*affine }),
        _ => return None,
    };
    let mut readers = net.wires().filter(|w| net.node(*w).inputs.contains(&wire));
    let (norm, others) = (readers.next()?, readers.next());
    // Whoever else has its parameters reads the unfolded ones.
    let shared = net.nodes().iter().any(|node| node.shares == Some(wire)) || net.node(wire).shares.is_some();
    let asked = wire == net.output() || net.outputs().iter().any(|(_, output)| *output == wire);
    (others.is_none() && !shared && !asked && batch_norm(net, norm).is_some()).then_some((norm, layer))
}

fn batch_norm(net: &Network, wire: Wire) -> Option<&BatchNorm> {
    let layer: &dyn Any = &**net.node(wire).layer.as_ref()?;
    layer.downcast_ref()
}

fn fold(params: &Params, layer: &str, norm: Wire, net: &Network, next: &mut Params) -> Result<()> {
    let eps = batch_norm(net, norm).map_or(0.0, |norm| f64::from(norm.eps));
    let of = |name: &str| params.get(&format!("{}.{name}", net.node(norm).name));
    let [gain, shift, mean, variance] = [of("weight")?, of("bias")?, of("running_mean")?, of("running_var")?];
    let (weight, bias) = (format!("{layer}.weight"), format!("{layer}.bias"));
    let (mut weights, mut biases) = (params.get(&weight)?, next.get(&bias)?);
    for (o, mut filter) in weights.outer_iter_mut().enumerate() {
        let factor = f64::from(gain[o]) / (f64::from(variance[o]) + eps).sqrt();
        filter.mapv_inplace(|w| (f64::from(w) * factor) as f32);
        biases[o] = (f64::from(shift[o]) + (f64::from(biases[o]) - f64::from(mean[o])) * factor) as f32;
    }
    next.set(&weight, &weights)?;
    next.set(&bias, &biases)
}
