//! The layers that have kernels, one file for each family.

pub(super) mod act;
pub(super) mod drop;
pub(super) mod join;
pub(super) mod loss;
pub(super) mod norm;
pub(super) mod pool;

use super::conv::ConvForm;
use super::device::Device;
use super::kernel::{Dispatch, Kernel};
use crate::error::{Error, Result};
use crate::nn::graph::Node;
use crate::nn::layers::act::Activation;
use crate::nn::layers::add::Add;
use crate::nn::layers::affine::Affine;
use crate::nn::layers::batch_norm::BatchNorm;
use crate::nn::layers::concat::Concat;
use crate::nn::layers::dropout::{Dropout, StochasticDepth};
use crate::nn::layers::flatten::Flatten;
use crate::nn::layers::pool::Pool;
use crate::nn::losses::{BinaryCrossEntropy, CrossEntropy, Huber, MaskCrossEntropy, SquaredError};
use crate::nn::port::Rows;
use crate::nn::{Conv, Network};
use crate::shape::Window;
use crate::tensor::Map;
use std::any::Any;
use std::ops::Range;

/// Most inputs of a sum or a concatenation: WebGPU promises eight buffers to a kernel.
const JOINED: usize = 6;

/// Numbers of a wire on the device.
#[derive(Clone)]
pub(super) struct Wired {
    pub(super) buffer: wgpu::Buffer,
    pub(super) map: Map,
}

/// Where an input's gradient goes: to be set, or added to.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) buffer: wgpu::Buffer,
    pub(super) map: Map,
    pub(super) first: bool,
}

impl Target {
    /// How a kernel stores there.
    pub(super) fn operator(&self) -> &'static str {
        if self.first { "=" } else { "+=" }
    }
}

/// Buffers that all layers share.
pub(super) struct Shared {
    pub(super) device: Device,
    /// The step's settings.
    pub(super) step: wgpu::Buffer,
    /// The parameter arena, and its gradient's.
    pub(super) params: wgpu::Buffer,
    pub(super) gradient: wgpu::Buffer,
    /// What dropout draws by, written anew for each step.
    pub(super) keys: wgpu::Buffer,
    /// Most images in a run, and in a shard of one, over which batch normalisation takes its statistics.
    pub(super) batch: usize,
    pub(super) shard: usize,
}

/// What one layer is bound to.
pub(super) struct Io<'a> {
    pub(super) shared: &'a Shared,
    pub(super) name: &'a str,
    pub(super) x: Vec<Wired>,
    pub(super) y: Wired,
    /// Input and output share a buffer.
    pub(super) aliased: bool,
    /// A ReLU follows and is done in the same store.
    pub(super) relu: bool,
    /// Whether it runs as in training.
    pub(super) trains: bool,
    pub(super) learns: bool,
    pub(super) params: Vec<Range<usize>>,
    /// Where its keys begin.
    pub(super) keys: usize,
    /// How much it counts, of a loss.
    pub(super) weight: f32,
}

/// The way back through one layer.
pub(super) struct Back {
    pub(super) dy: Option<Wired>,
    pub(super) dx: Vec<Option<Target>>,
    /// Nobody has written its parameters' gradient yet in this pass.
    pub(super) first: bool,
}

impl Io<'_> {
    /// A kernel of this layer.
    pub(super) fn kernel(&self, what: &str) -> Kernel<'_> {
        Kernel::new(&self.shared.device, format!("{} {what}", self.name), &self.shared.step)
    }

    /// A buffer of this layer's own.
    pub(super) fn room(&self, what: &str, numbers: usize) -> Result<wgpu::Buffer> {
        self.shared.device.buffer(&format!("{} {what}", self.name), numbers)
    }
}

/// A layer on the device: the kernels of both directions.
pub(super) trait Form {
    /// Those that fill its output.
    fn forward(&self, io: &Io<'_>) -> Result<Vec<Dispatch>>;

    /// Those that fill the gradients of its inputs and parameters.
    fn backward(&self, io: &Io<'_>, back: &Back) -> Result<Vec<Dispatch>>;

    /// What a loss came to for each pixel of `0.1` for an image, and whether each was right.
    fn values(&self) -> Option<(&wgpu::Buffer, usize)> {
        None
    }
}

/// The kernels of a layer. Errors: [`Error::Value`], by name, for one that has none.
pub(super) fn form(node: &Node, io: &Io<'_>) -> Result<Box<dyn Form>> {
    let Some(layer) = &node.layer else { return Err(no_form(node)) };
    let layer: &dyn Any = &**layer;
    if let Some(conv) = layer.downcast_ref::<Conv>() {
        return Ok(Box::new(ConvForm::new(conv.window, conv.groups, io)?));
    }
    if layer.is::<Affine>() {
        return Ok(Box::new(ConvForm::new(Window::square(1), 1, io)?));
    }
    if let Some(norm) = layer.downcast_ref::<BatchNorm>() {
        return Ok(Box::new(norm::NormForm::new(norm.eps, io)?));
    }
    if let Some(activation) = layer.downcast_ref::<Activation>() {
        return Ok(Box::new(act::ActForm(*activation)));
    }
    if let Some(pool) = layer.downcast_ref::<Pool>() {
        return Ok(Box::new(pool::PoolForm::new(pool, io)));
    }
    if let Some(Dropout(ratio)) = layer.downcast_ref() {
        return Ok(Box::new(drop::DropForm { keep: 1.0 - ratio, whole: false }));
    }
    if let Some(StochasticDepth(ratio)) = layer.downcast_ref() {
        return Ok(Box::new(drop::DropForm { keep: 1.0 - ratio, whole: true }));
    }
    if layer.is::<Flatten>() {
        return Ok(Box::new(act::FlattenForm));
    }
    if layer.is::<Add>() {
        return Ok(Box::new(join::AddForm));
    }
    if layer.is::<Concat>() {
        return Ok(Box::new(join::ConcatForm));
    }
    match error_of(layer) {
        Some(error) => Ok(Box::new(loss::LossForm::new(error, io)?)),
        None => Err(no_form(node)),
    }
}

fn error_of(layer: &dyn Any) -> Option<loss::Measure> {
    if layer.is::<CrossEntropy>() {
        return Some(loss::Measure::Distribution);
    }
    if layer.is::<MaskCrossEntropy>() {
        return Some(loss::Measure::Class);
    }
    if layer.is::<BinaryCrossEntropy>() {
        return Some(loss::Measure::Binary);
    }
    if layer.is::<SquaredError>() {
        return Some(loss::Measure::Squared);
    }
    layer.downcast_ref::<Huber>().map(|huber| loss::Measure::Huber(huber.0))
}

fn no_form(node: &Node) -> Error {
    let kind = node.layer.as_ref().map_or("input", |layer| layer.kind());
    Error::value(&node.name, "a layer that a GPU has kernels for", kind)
}

/// Refuses, by its name, the first layer of a network that a GPU has no kernels for, and rows that are no images.
/// Errors: [`Error::Value`].
pub fn lacking(net: &Network) -> Result<()> {
    for node in net.nodes() {
        if node.rows != Rows::IMAGES {
            return Err(Error::value(&node.name, "one row for each image on a GPU", "rows of its own"));
        }
        let Some(layer) = &node.layer else { continue };
        let any: &dyn Any = &**layer;
        let joins = any.is::<Add>() || any.is::<Concat>();
        if joins && node.inputs.len() > JOINED {
            return Err(Error::value(&node.name, format!("at most {JOINED} inputs on a GPU"), node.inputs.len()));
        }
        let known = joins
            || any.is::<Conv>()
            || any.is::<Affine>()
            || any.is::<BatchNorm>()
            || any.is::<Activation>()
            || any.is::<Pool>()
            || any.is::<Dropout>()
            || any.is::<StochasticDepth>()
            || any.is::<Flatten>()
            || error_of(any).is_some();
        if !known {
            return Err(no_form(node));
        }
    }
    Ok(())
}

/// `main` over every number of a wire whose layout the kernel knows as `over`: `n y x c` are its place.
pub(super) fn elements(over: &str, body: &str) -> String {
    format!(
        "@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {{
    let i = thread(wg, groups, local);
    if (i >= step.n * ({over}_C * {over}_H * {over}_W)) {{ return; }}
    let c = i % {over}_C;
    let x = i / {over}_C % {over}_W;
    let y = i / ({over}_C * {over}_W) % {over}_H;
    let n = i / ({over}_C * {over}_W * {over}_H);
    {body}
}}"
    )
}
