//! All parameters of a network in one contiguous arena with named views.
//!
//! An optimiser is a loop over the arena, an all-reduce one slice, a checkpoint one slice. Each view knows the
//! order in which the kernels want it and the public order (OIHW, out × in) that files and callers see.

use crate::error::{Error, Result};
use crate::shape::Shape;
use crate::tensor::Tensor;
use ndarray::IxDyn;

/// How a parameter lies in the arena, against its public order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As it is: a bias.
    Plain,
    /// Public `oc × c/groups × kh × kw`; stored per group as the GEMM operand `(kh, kw, c/groups) × oc/groups`.
    Conv {
        /// Groups.
        groups: usize,
    },
    /// Public `oc × c × kd × kh × kw`; stored as `(kh, kw, kd, c) × oc`.
    Volume,
    /// Public `out × in`; stored `in × out`. `flat` is the image whose NCHW flattening the public columns follow:
    /// in the arena they follow NHWC, as activations do.
    Affine {
        /// The image that was flattened into the layer's input; a vector is `in × 1 × 1`.
        flat: Shape,
    },
    /// Public `c × h × w`, or its flattening; stored `h × w × c`.
    Image {
        /// The image.
        flat: Shape,
    },
}

impl Role {
    /// Whether it begins at random.
    pub fn is_drawn(self) -> bool {
        matches!(self, Self::Weight | Self::Latent)
    }

    /// Whether it is no parameter but a running statistic.
    pub fn is_statistic(self) -> bool {
        matches!(self, Self::Statistic(_))
    }
}

impl Order {
    /// The order of one number for each channel of `x`, which may be the flattening of `flat`.
    pub fn channels(x: Shape, flat: Shape) -> Self {
        if (x.h, x.w) == (1, 1) { Self::Image { flat } } else { Self::Plain }
    }
}

/// What a parameter is to training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Role {
    /// Multiplies inputs. Drawn at random to begin with; the only one that weight decay shrinks.
    Weight,
    /// A weight that is read as its sign only: stays within −1 and 1 after every step, beyond which no gradient would reach
    /// it again. Courbariaux et al. 2015, section 2.4. Drawn at random, and never decays.
    Latent,
    /// Is added.
    Bias,
    /// Scales what is of one size already: the weight of a normalisation, the slope of a PReLU.
    Scale,
    /// A running statistic, which no optimiser touches: it follows the mean over the images of each batch with this
    /// momentum. A layer that learns leaves, in the gradient arena at this view, its statistic times the images it was
    /// taken over; [`Params::follow`] makes the step.
    Statistic(f32),
}

/// One named view into the arena.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// `layer.weight`, `layer.bias`, …
    pub name: String,
    /// The public shape.
    pub shape: Vec<usize>,
    /// Where the view begins in the arena.
    pub offset: usize,
    /// Inputs that feed one output of the layer; 0 for all but weights.
    pub fan_in: usize,
    /// Outputs that one input feeds.
    pub fan_out: usize,
    /// The order in the arena.
    pub order: Order,
    /// What it is to training.
    pub role: Role,
    /// What it begins with, if it is no [`Role::Weight`].
    pub start: f32,
}

impl View {
    /// A view of weights that are drawn at random; the offset is the graph's to set.
    pub fn weight(shape: Vec<usize>, fan_in: usize, fan_out: usize, order: Order) -> Self {
        Self { name: "weight".into(), shape, offset: 0, fan_in, fan_out, order, role: Role::Weight, start: 0.0 }
    }

    /// A view that begins with the same number everywhere, in plain order.
    pub fn constant(name: &str, shape: Vec<usize>, role: Role, start: f32) -> Self {
        Self { name: name.into(), shape, offset: 0, fan_in: 0, fan_out: 0, order: Order::Plain, role, start }
    }

    /// Numbers in the view.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether the view holds nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The view's place in the arena.
    pub fn range(&self) -> std::ops::Range<usize> {
        self.offset..self.offset + self.len()
    }

    /// Whether a tensor may be stored here.
    fn check(&self, tensor: &Tensor) -> Result<()> {
        if tensor.shape() != self.shape {
            return Err(Error::shape(&self.name, format!("{:?}", self.shape), format!("{:?}", tensor.shape())));
        }
        match tensor.iter().find(|v| !v.is_finite()) {
            Some(bad) => Err(Error::value(&self.name, "finite numbers", bad)),
            None => Ok(()),
        }
    }

    fn store(&self, tensor: &Tensor, arena: &mut [f32]) {
        let slot = &mut arena[self.range()];
        for (i, v) in tensor.iter().enumerate() {
            slot[self.stored(i)] = *v;
        }
    }

    /// Where, inside the view, the number at public flat index `i` is stored.
    fn stored(&self, i: usize) -> usize {
        match self.order {
            Order::Plain => i,
            Order::Conv { groups } => {
                let (oc, c, kh, kw) = (self.shape[0] / groups, self.shape[1], self.shape[2], self.shape[3]);
                let (x, y, ch, o) = (i % kw, i / kw % kh, i / (kw * kh) % c, i / (kw * kh * c));
                let (group, o) = (o / oc, o % oc);
                (((group * kh + y) * kw + x) * c + ch) * oc + o
            }
            Order::Volume => {
                let [oc, c, kd, kh, kw] = std::array::from_fn(|axis| self.shape[axis]);
                let (x, y, z) = (i % kw, i / kw % kh, i / (kw * kh) % kd);
                let (ch, o) = (i / (kw * kh * kd) % c, i / (kw * kh * kd * c));
                (((y * kw + x) * kd + z) * c + ch) * oc + o
            }
            Order::Affine { flat } => {
                let (out, inputs) = (self.shape[0], self.shape[1]);
                let (o, column) = (i / inputs, i % inputs);
                nhwc(flat, column) * out + o
            }
            Order::Image { flat } => nhwc(flat, i),
        }
    }
}

/// The tensor of every view, in their order. Takes no room for the numbers, so that whoever asks before an arena is made
/// wastes none on a file that only names a large network.
///
/// Errors: [`Error::Missing`] for a tensor that is not there and for one that belongs to no view, [`Error::Shape`] and
/// [`Error::Value`] for one that does not fit its view.
pub fn matched<'a>(views: &[View], tensors: &'a [(String, Tensor)]) -> Result<Vec<&'a Tensor>> {
    let find = |view: &View| {
        let found = tensors.iter().find(|(name, _)| *name == view.name).map(|(_, tensor)| tensor);
        let tensor = found.ok_or_else(|| {
            let names: Vec<&str> = tensors.iter().map(|(n, _)| n.as_str()).take(20).collect();
            Error::missing("weights", &view.name, names.join(", "))
        })?;
        view.check(tensor).map(|()| tensor)
    };
    let found = views.iter().map(find).collect::<Result<Vec<_>>>()?;
    match tensors.iter().find(|(name, _)| !views.iter().any(|view| view.name == *name)) {
        Some((name, _)) => Err(Error::missing("weights", "only tensors that the network has", name)),
        None => Ok(found),
    }
}

/// Where number `i` of an image in NCHW lies in NHWC.
fn nhwc(image: Shape, i: usize) -> usize {
    let (channel, pixel) = (i / (image.h * image.w), i % (image.h * image.w));
    pixel * image.c + channel
}

/// The arena and its views.
#[derive(Debug, Clone)]
pub struct Params {
    views: Vec<View>,
    values: Vec<f32>,
    version: u64,
}

impl Params {
    /// An arena of zeros for these views.
    pub fn zeros(views: Vec<View>) -> Self {
        let len = views.last().map_or(0, |v| v.range().end);
        Self { views, values: vec![0.0; len], version: fresh_version() }
    }

    /// The named views, in the order of wiring.
    pub fn views(&self) -> &[View] {
        &self.views
    }

    /// The whole arena, in stored order.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The whole arena, to be changed. Runs notice and pack their weights anew.
    pub fn values_mut(&mut self) -> &mut [f32] {
        self.version = fresh_version();
        &mut self.values
    }

    /// Changes whenever the values may have; no two arenas share one unless their values are equal.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// One parameter in its public order.
    pub fn get(&self, name: &str) -> Result<Tensor> {
        self.tensor_of(self.view(name)?, &self.values)
    }

    /// Every parameter by name, in its public order.
    pub fn named(&self) -> Vec<(String, Tensor)> {
        self.named_of(&self.values)
    }

    /// Any arena of this shape (a gradient, an optimiser's state) by name, in public order.
    pub fn named_of(&self, arena: &[f32]) -> Vec<(String, Tensor)> {
        let tensor = |v: &View| self.tensor_of(v, arena).expect("the view's own shape");
        self.views.iter().map(|v| (v.name.clone(), tensor(v))).collect()
    }

    /// Sets one parameter from its public order. Refuses another shape and values that are not finite.
    pub fn set(&mut self, name: &str, tensor: &Tensor) -> Result<()> {
        let view = self.view(name)?.clone();
        view.check(tensor)?;
        self.version = fresh_version();
        view.store(tensor, &mut self.values);
        Ok(())
    }

    /// Sets every parameter from a list of named tensors. Missing, unknown or misshapen ones are an error and
    /// leave the arena as it was.
    pub fn load(&mut self, tensors: &[(String, Tensor)]) -> Result<()> {
        let found = matched(&self.views, tensors)?;
        self.version = fresh_version();
        for (view, tensor) in self.views.iter().zip(found) {
            view.store(tensor, &mut self.values);
        }
        Ok(())
    }

    /// Moves what a batch left in `gradient` for the running statistics to `statistics`, whatever that held, and leaves
    /// zeros: whoever measures, clips or applies the gradient finds nothing there. See [`Role::Statistic`].
    pub fn take_statistics(&self, gradient: &mut [f32], statistics: &mut Vec<f32>) {
        statistics.clear();
        for view in self.views.iter().filter(|view| view.role.is_statistic()) {
            statistics.extend_from_slice(&gradient[view.range()]);
            gradient[view.range()].fill(0.0);
        }
    }

    /// Moves the running statistics towards those of a batch of `images`, as [`Params::take_statistics`] found them.
    pub fn follow(&mut self, statistics: &[f32], images: usize) {
        self.version = fresh_version();
        let mut sums = statistics.iter();
        for view in &self.views {
            let Role::Statistic(momentum) = view.role else { continue };
            for (running, sum) in self.values[view.range()].iter_mut().zip(&mut sums) {
                *running += momentum * (sum / images as f32 - *running);
            }
        }
    }

    fn view(&self, name: &str) -> Result<&View> {
        self.views.iter().find(|v| v.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.views.iter().map(|v| v.name.as_str()).collect();
            Error::missing("parameter", format!("one of {}", names.join(", ")), name)
        })
    }

    fn tensor_of(&self, view: &View, arena: &[f32]) -> Result<Tensor> {
        let stored = &arena[view.range()];
        let values = (0..view.len()).map(|i| stored[view.stored(i)]).collect();
        Tensor::from_shape_vec(IxDyn(&view.shape), values).map_err(|e| Error::shape(&view.name, "its own shape", e))
    }
}

/// A number that no call has returned before, so that packed weights are never taken for another arena's.
fn fresh_version() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
