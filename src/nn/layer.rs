//! What a layer is to the graph, the plan and the run.
//!
//! A [`Layer`] is a description: it infers shapes and says what it needs. The plan fixes the layout of every wire,
//! and [`Layer::op`] then makes the [`Op`] that computes, with whatever tables and packed weights it keeps.

use super::description::Setting;
use super::params::View;
use super::port::Rows;
use crate::error::Result;
use crate::kernel::Level;
use crate::kernel::gemm::Store;
use crate::shape::Shape;
use crate::tensor::Map;
use std::any::Any;
use std::fmt::Debug;
use std::ops::{Range, RangeInclusive};

/// Whether a run learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Inference: dropout passes everything.
    Infer,
    /// Training; the seed decides this step's random choices.
    Train {
        /// The step's seed.
        seed: u64,
    },
}

/// No limit to the inputs of a layer.
pub const MANY: usize = usize::MAX;

/// A layer before it is planned.
pub trait Layer: Any + Debug + Send + Sync {
    /// The field's word for it: `conv`, `affine`, `max_pool`, …
    fn kind(&self) -> &'static str;

    /// Its settings, by the names that a description gives them; see [`super::description::KINDS`].
    fn options(&self) -> Vec<(&'static str, Setting)> {
        Vec::new()
    }

    /// How many inputs it takes.
    fn arity(&self) -> RangeInclusive<usize> {
        1..=1
    }

    /// The shape it makes of its inputs' shapes, as many as it takes. The only place where a shape can fail.
    fn output(&self, inputs: &[Shape]) -> Result<Shape>;

    /// The rows of its output, given those of its inputs; `None` where they do not go together. As a rule all are the same.
    fn rows(&self, inputs: &[Rows]) -> Option<Rows> {
        inputs.iter().all(|rows| *rows == inputs[0]).then_some(inputs[0])
    }

    /// Whether it is a loss: one number a row, whose sum the forward pass leaves in [`Forward::total`].
    fn is_loss(&self) -> bool {
        false
    }

    /// Whether a gradient goes back to input `input` of `of`: not to indices, places of maxima, a loss's targets.
    fn passes(&self, _input: usize, _of: usize) -> bool {
        true
    }

    /// Its parameters for those inputs; names without the layer's own, offsets zero. `flat` is the image whose
    /// flattening the first input is, or that input's own shape.
    fn params(&self, _inputs: &[Shape], _flat: Shape) -> Vec<View> {
        Vec::new()
    }

    /// How wide a halo of zeros it reads around its inputs: rows, columns.
    fn halo(&self) -> (usize, usize) {
        (0, 0)
    }

    /// How wide a halo of zeros its backward reads around the gradient of its output.
    fn gradient_halo(&self, _inputs: &[Shape]) -> (usize, usize) {
        (0, 0)
    }

    /// Whether the gradient of its parameters, too, reads beyond the borders of its output's gradient.
    fn parameters_read_halo(&self) -> bool {
        false
    }

    /// Whether it works on its output, which the run has filled with its first input. The plan then gives both one
    /// buffer where it can. Backward likewise turns the output's gradient into that of the first input.
    fn in_place(&self) -> bool {
        false
    }

    /// Which values its backward reads.
    fn reads(&self) -> Reads {
        Reads::default()
    }

    /// The image whose flattening its output is, given that of its first input; `None` if it is no flattening.
    fn flat(&self, _input: Shape) -> Option<Shape> {
        None
    }

    /// Whether it can read the flattening of an image, though its output is none.
    fn reads_flat(&self) -> bool {
        false
    }

    /// Whether its store can apply a ReLU to what it writes.
    fn fuses_relu(&self) -> bool {
        false
    }

    /// How the output size comes about, with the numbers filled in, for people to read.
    fn formula(&self, inputs: &[Shape]) -> String;

    /// Multiply-adds for one image; as the field counts, of convolutions and affine layers only.
    fn multiply_adds(&self, _inputs: &[Shape]) -> u64 {
        0
    }

    /// The computation over these layouts.
    fn op(&self, io: &Io) -> Box<dyn Op>;
}

/// Which values a layer's backward reads.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reads {
    /// Its inputs.
    pub input: bool,
    /// Its output.
    pub output: bool,
}

/// The layouts a planned layer works on.
#[derive(Debug, Clone)]
pub struct Io {
    /// Lanes.
    pub level: Level,
    /// Most images in one run.
    pub batch: usize,
    /// Inputs.
    pub x: Vec<Map>,
    /// Output.
    pub y: Map,
    /// Gradients of the inputs and of the output; `None` in a plan that only infers.
    pub gradients: Option<(Vec<Map>, Map)>,
    /// Which inputs want a gradient.
    pub wants: Vec<bool>,
    /// Whether its parameters want one: those of a frozen layer do not, though a gradient may pass through it. Where they
    /// do not, the backward pass must leave [`Backward::dparams`] alone: it may be empty.
    pub learns: bool,
    /// Where its parameters lie in the arena.
    pub params: Vec<Range<usize>>,
    /// A ReLU follows and is done in the same store.
    pub relu: bool,
}

/// A planned layer. Neither method can fail or allocate.
pub trait Op: Send {
    /// Fills the output.
    fn forward(&mut self, cx: Forward<'_>);

    /// Adds to the gradients of the inputs and the parameters, given the gradient of the output.
    fn backward(&mut self, cx: Backward<'_>);

    /// Whether its backward can also pass its first input's gradient back through the ReLU that made that input, where the
    /// run asks for it ([`Backward::through_relu`]): one pass over memory less.
    fn passes_relu(&self) -> bool {
        false
    }

    /// Numbers of workspace that either needs. One workspace serves all layers of a run, in turn.
    fn workspace(&self) -> usize {
        0
    }
}

/// What [`Op::forward`] works on.
pub struct Forward<'a> {
    /// Lanes.
    pub level: Level,
    /// Rows of the output in this run: images, as a rule.
    pub n: usize,
    /// Inference or training.
    pub mode: Mode,
    /// A number of this layer's own, for random streams.
    pub node: u64,
    /// The parameter arena and its version.
    pub params: (&'a [f32], u64),
    /// The output, which an in-place layer finds filled with its first input.
    pub y: &'a mut [f32],
    /// At least [`Op::workspace`] numbers, of any value.
    pub work: &'a mut [f32],
    /// A loss's sum over its rows, which it sets: in double precision, as the kernels sum.
    pub total: &'a mut f64,
    pub(super) slots: &'a [Vec<f32>],
    pub(super) inputs: &'a [Slot],
    pub(super) counts: &'a [usize],
}

impl<'a> Forward<'a> {
    /// The values of input `i`.
    pub fn x(&self, i: usize) -> &'a [f32] {
        self.inputs[i].of(self.slots, self.rows(i))
    }

    /// The rows of input `i`.
    pub fn rows(&self, i: usize) -> usize {
        self.counts[self.inputs[i].rows]
    }
}

/// What [`Op::backward`] works on.
pub struct Backward<'a> {
    /// Lanes.
    pub level: Level,
    /// Rows of the output in this run: images, as a rule.
    pub n: usize,
    /// The mode of the forward run.
    pub mode: Mode,
    /// A number of this layer's own, for random streams.
    pub node: u64,
    /// The parameter arena and its version.
    pub params: (&'a [f32], u64),
    /// The gradient arena, to add to.
    pub dparams: &'a mut [f32],
    /// The gradient of the output; an in-place layer turns it into that of its first input.
    pub dy: &'a mut [f32],
    /// At least [`Op::workspace`] numbers, of any value. Taken out with `std::mem::take` where [`Backward::split`] borrows.
    pub work: &'a mut [f32],
    pub(super) slots: &'a [Vec<f32>],
    pub(super) inputs: &'a [Slot],
    pub(super) output: Slot,
    pub(super) counts: &'a [usize],
    pub(super) gradients: &'a mut [Vec<f32>],
    pub(super) dinputs: &'a [Option<Target>],
}

/// A buffer and how many of its numbers one image takes.
#[derive(Debug, Clone, Copy)]
pub struct Slot {
    pub(super) number: usize,
    pub(super) image: usize,
    /// The group of its rows.
    pub(super) rows: usize,
}

impl Slot {
    /// The numbers of the first `n` images.
    pub(super) fn of(self, slots: &[Vec<f32>], n: usize) -> &[f32] {
        &slots[self.number][..n * self.image]
    }
}

/// Where an input's gradient goes.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    pub(super) slot: Slot,
    /// Nobody has written there yet in this run: set, do not add.
    pub(super) first: bool,
    /// It goes on through the ReLU that made the input.
    pub(super) relu: bool,
}

impl Backward<'_> {
    /// The values of input `i`.
    pub fn x(&self, i: usize) -> &[f32] {
        self.inputs[i].of(self.slots, self.rows(i))
    }

    /// The rows of input `i`.
    pub fn rows(&self, i: usize) -> usize {
        self.counts[self.inputs[i].rows]
    }

    /// The values of the output.
    pub fn y(&self) -> &[f32] {
        self.output.of(self.slots, self.n)
    }

    /// Whether input `i` wants a gradient.
    pub fn wants(&self, i: usize) -> bool {
        self.dinputs[i].is_some()
    }

    /// The values of input `i`, those of the output, the output's gradient and the buffer for the gradient of input
    /// `i` with whether it must be set (`true`) or added to; `None` if nobody wants it.
    #[allow(clippy::type_complexity, reason = "one borrow that splits the context")]
    pub fn split(&mut self, i: usize) -> Option<(&[f32], &[f32], &[f32], &mut [f32], bool)> {
        let target = self.dinputs[i]?;
        let n = self.rows(i);
        let dx = &mut self.gradients[target.slot.number][..n * target.slot.image];
        Some((self.inputs[i].of(self.slots, n), self.output.of(self.slots, self.n), self.dy, dx, target.first))
    }

    /// Whether the gradient of the first input is to go on through the ReLU that made that input.
    pub fn through_relu(&self) -> bool {
        self.dinputs[0].is_some_and(|target| target.relu)
    }

    /// As [`Backward::split`] for the first input, with how its gradient is to be stored.
    #[allow(clippy::type_complexity, reason = "one borrow that splits the context")]
    pub fn split_store(&mut self) -> Option<(&[f32], &[f32], &[f32], &mut [f32], Store<'_>)> {
        let relu = self.through_relu();
        let (x, y, dy, dx, first) = self.split(0)?;
        let store = match (relu, first) {
            (true, first) => Store::Through { first, y: x },
            (false, true) => Store::SET,
            (false, false) => Store::Add,
        };
        Some((x, y, dy, dx, store))
    }

    /// As [`Backward::split`] for a layer that can only add: a buffer that must be set is zeroed first.
    #[allow(clippy::type_complexity, reason = "one borrow that splits the context")]
    pub fn split_zeroed(&mut self, i: usize) -> Option<(&[f32], &[f32], &[f32], &mut [f32])> {
        let (x, y, dy, dx, first) = self.split(i)?;
        if first {
            dx.fill(0.0);
        }
        Some((x, y, dy, dx))
    }
}
