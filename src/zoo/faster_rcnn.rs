//! Faster R-CNN: one network that proposes regions and names them, from one map of features (Ren, He, Girshick and Sun 2015).
//!
//! The paper's map has a stride of 16; digits from 14 pixels on need 4, so maps of strides 16 and 8 are added to it from above
//! (feature pyramids; Lin et al. 2017). Regions are read by RoIAlign, and their heads are two small convolutions.

use super::blocks::conv_norm_act;
use crate::error::Result;
use crate::kernel::resize::Between::Nearest;
use crate::nn::layers::act::Activation::Relu;
use crate::nn::layers::add::Add;
use crate::nn::layers::affine::Affine;
use crate::nn::layers::batch_norm::BatchNorm;
use crate::nn::layers::flatten::Flatten;
use crate::nn::layers::roi_align::RoiAlign;
use crate::nn::layers::upsample::Upsample;
use crate::nn::{Conv, Graph, Port, Rows, Wire};
use crate::shape::Shape;

/// Pixels of the picture for one of the map of features.
pub const STRIDE: usize = 4;
/// Rows and columns of a region's map.
pub const BINS: usize = 7;

/// The wires that are asked for.
#[derive(Debug, Clone, Copy)]
pub struct Wires {
    /// The map of features, at [`STRIDE`].
    pub features: Wire,
    /// How much each anchor looks like a thing: a logit for each, `anchors × h × w`.
    pub objectness: Wire,
    /// Four numbers for each anchor that say where the thing lies beside it: `4 anchors × h × w`, an anchor's four together.
    pub shifts: Wire,
    /// The input of regions; their rows.
    pub boxes: Wire,
    /// Those rows.
    pub rows: Rows,
    /// Scores of the classes of a region, the background first.
    pub scores: Wire,
    /// Four numbers that say where the thing lies beside its region, whatever its class.
    pub refined: Wire,
}

/// The maps of features before a coarser one is added to each.
pub(super) struct Maps {
    /// At a stride of 2.
    pub(super) half: Wire,
    /// At strides of 4, 8 and 16.
    pub(super) fine: Wire,
    pub(super) middle: Wire,
    pub(super) coarse: Wire,
}

/// Wires the maps of features behind `x`.
pub(super) fn maps(g: &mut Graph, x: Wire) -> Result<Maps> {
    let conv =
        |g: &mut Graph, x: Wire, name: &str, conv: Conv| conv_norm_act(g, x, name, conv, BatchNorm::default(), Relu);
    let half = conv(g, x, "conv1", Conv::new(16, 5).stride(2).pad(2))?;
    let x = conv(g, half, "conv2", Conv::new(32, 3).stride(2).pad(1))?;
    let fine = conv(g, x, "conv3", Conv::new(48, 3).pad(1))?;
    let x = conv(g, fine, "conv4", Conv::new(48, 3).stride(2).pad(1))?;
    let middle = conv(g, x, "conv5", Conv::new(48, 3).pad(1))?;
    let x = conv(g, middle, "conv6", Conv::new(48, 3).stride(2).pad(1))?;
    let coarse = g.add("lateral16", Conv::new(48, 1), &[x])?;
    Ok(Maps { half, fine, middle, coarse })
}

/// Wires it behind `x`, three channels, sides multiples of 16, for so many classes, background included, anchors at a place, and
/// regions of an image. Layers that read the regions come last.
pub fn faster_rcnn(g: &mut Graph, x: Wire, classes: usize, anchors: usize, regions: usize) -> Result<Wires> {
    let Maps { fine, middle, coarse, .. } = maps(g, x)?;
    let middle = joined(g, middle, coarse, "8")?;
    let features = joined(g, fine, middle, "4")?;
    let rpn = g.add("rpn", Conv::new(32, 3).pad(1), &[features])?;
    let rpn = g.add("rpn_relu", Relu, &[rpn])?;
    let objectness = g.add("objectness", Conv::new(anchors, 1), &[rpn])?;
    let shifts = g.add("shifts", Conv::new(4 * anchors, 1), &[rpn])?;
    let rows = g.rows(regions)?;
    let boxes = g.port("boxes", Shape::new(5, 1, 1), Port::Boxes, rows)?;
    let x = g.add("roi", RoiAlign { out: BINS, stride: STRIDE }, &[features, boxes])?;
    let x = g.add("head1", Conv::new(48, 3), &[x])?;
    let x = g.add("head1_relu", Relu, &[x])?;
    let x = g.add("head2", Conv::new(64, 3), &[x])?;
    let x = g.add("head2_relu", Relu, &[x])?;
    let x = g.add("flatten", Flatten, &[x])?;
    let x = g.add("head3", Affine::new(64), &[x])?;
    let x = g.add("head3_relu", Relu, &[x])?;
    let refined = g.add("refined", Affine::new(4), &[x])?;
    let scores = g.add("scores", Affine::new(classes), &[x])?;
    Ok(Wires { features, objectness, shifts, boxes, rows, scores, refined })
}

/// A finer map, and a coarser one added to it at twice its size.
pub(super) fn joined(g: &mut Graph, fine: Wire, coarse: Wire, stride: &str) -> Result<Wire> {
    let own = g.add(&format!("lateral{stride}"), Conv::new(48, 1), &[fine])?;
    let larger = g.add(&format!("up{stride}"), Upsample { scale: 2, between: Nearest }, &[coarse])?;
    g.add(&format!("sum{stride}"), Add, &[own, larger])
}
