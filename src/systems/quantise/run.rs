//! A model of few bits at work.

mod sum;

pub use sum::Sum;

use super::{Bits, Filters, Form, Kind, Model, Step};
use crate::error::{Error, Result};
use crate::kernel::words::{Affine, Conv, Product, Put, unpair};
use crate::kernel::{Level, binary, int8};
use crate::shape::Shape;
use crate::tensor::Map;

/// One replica of a model, with its buffers. Allocates when made, and for the answers.
pub struct Runner {
    steps: Vec<Step>,
    ops: Vec<Option<Op>>,
    maps: Vec<Map>,
    buffers: Vec<Buffer>,
    work: Vec<i32>,
    batch: usize,
    images: usize,
    level: Level,
}

enum Buffer {
    Words(Vec<i32>),
    Numbers(Vec<f32>),
}

/// A layer with weights, planned.
struct Op {
    conv: Conv,
    scale: Vec<f32>,
    shift: Vec<f32>,
    relu: bool,
}

impl Runner {
    /// A replica for up to `batch` images at once, with the best lanes of this machine. Errors: those of [`Model::check`], and
    /// [`Error::Value`] for no images or more than 1,024.
    pub fn new(model: &Model, batch: usize) -> Result<Self> {
        Self::at_level(model, batch, Level::new())
    }

    /// As [`Runner::new`] at a given lane level.
    pub fn at_level(model: &Model, batch: usize, level: Level) -> Result<Self> {
        model.check()?;
        if !(1..=1024).contains(&batch) {
            return Err(Error::value("images in a run", "1 to 1024", batch));
        }
        let steps = model.steps.clone();
        let maps: Vec<Map> = (0..steps.len()).map(|i| map(&steps, i)).collect();
        let buffer = |(step, map): (&Step, &Map)| match step.form {
            Form::Numbers => Buffer::Numbers(vec![0.0; batch * map.len()]),
            _ => Buffer::Words(vec![0; batch * map.len()]),
        };
        let buffers = steps.iter().zip(&maps).map(buffer).collect();
        let op = |i: usize| match &steps[i].kind {
            Kind::Filters(filters) => Some(Op::new(level, filters, &steps, &maps, i)),
            _ => None,
        };
        let ops: Vec<Option<Op>> = (0..steps.len()).map(op).collect();
        let work = ops.iter().flatten().map(|op| op.conv.workspace()).max().unwrap_or(0);
        Ok(Self { steps, ops, maps, buffers, work: vec![0; work], batch, images: 0, level })
    }

    /// The steps that it runs.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The answers to images (CHW, one after another), CHW each.
    ///
    /// Errors: [`Error::Shape`] for no whole images or more than a run takes, [`Error::Value`] for numbers that are not finite.
    pub fn run(&mut self, images: &[f32]) -> Result<Vec<f32>> {
        let each = self.steps[0].shape.len();
        let n = images.len() / each;
        if n == 0 || n > self.batch || n * each != images.len() {
            let expected = format!("1 to {} images of {}", self.batch, self.steps[0].shape);
            return Err(Error::shape("images", expected, format!("{} numbers", images.len())));
        }
        if !images.iter().all(|v| v.is_finite()) {
            return Err(Error::value("images", "finite numbers", "others"));
        }
        self.images = n;
        for i in 0..self.steps.len() {
            self.step(i, images, n);
        }
        let last = self.steps.len() - 1;
        let answers = self.steps[last].shape.len();
        let mut out = vec![0.0; n * answers];
        out.chunks_exact_mut(answers).enumerate().for_each(|(image, row)| self.read(last, image, row));
        Ok(out)
    }

    /// What a step made of image `i` of the last run, as numbers, CHW. Errors: [`Error::Shape`] for an image or a step that there was
    /// not, and for room of another size.
    pub fn values(&self, step: usize, image: usize, out: &mut [f32]) -> Result<()> {
        let there = self.steps.get(step).is_some_and(|s| s.shape.len() == out.len()) && image < self.images;
        if !there {
            return Err(Error::shape("values", "room for those of a step of an image", format!("step {step}")));
        }
        self.read(step, image, out);
        Ok(())
    }

    fn read(&self, step: usize, image: usize, out: &mut [f32]) {
        let (Step { shape, form, .. }, map) = (&self.steps[step], &self.maps[step]);
        let start = image * map.len();
        match (&self.buffers[step], form) {
            (Buffer::Numbers(numbers), _) => map.copy_to_chw(&numbers[start..][..map.len()], out),
            (Buffer::Words(words), form) => {
                for (i, out) in out.iter_mut().enumerate() {
                    let (ch, y, x) = (i / (shape.h * shape.w), i / shape.w % shape.h, i % shape.w);
                    let at = start + map.at(y, x);
                    *out = match form {
                        Form::Levels { step, .. } => unpair(words[at + ch / 2])[ch % 2] as f32 * step,
                        _ => 1.0 - 2.0 * (words[at + ch / 32] >> (ch % 32) & 1) as f32,
                    };
                }
            }
        }
    }

    /// Computes one step, whose inputs have been computed.
    fn step(&mut self, i: usize, images: &[f32], n: usize) {
        let (before, rest) = self.buffers.split_at_mut(i);
        let (step, map) = (&self.steps[i], &self.maps[i]);
        let input = |k: usize| match &before[step.inputs[k]] {
            Buffer::Words(words) => (&words[..], &self.maps[step.inputs[k]]),
            Buffer::Numbers(_) => unreachable!("only the last step gives numbers"),
        };
        match (&mut rest[0], &step.kind) {
            (Buffer::Words(y), Kind::Input) => {
                let (unit, bounds) = levels(step);
                let shape = step.shape;
                for (image, y) in images.chunks_exact(shape.len()).zip(y.chunks_exact_mut(map.len())) {
                    int8::take_in(image, shape, unit, bounds, map, y);
                }
            }
            (buffer, Kind::Filters(_)) => {
                let op = self.ops[i].as_ref().expect("planned");
                let affine = Affine { scale: &op.scale, shift: &op.shift };
                let mut put = match (buffer, step.form) {
                    (Buffer::Numbers(y), _) => Put::Numbers(affine, op.relu, y),
                    (Buffer::Words(y), Form::Signs) => Put::Signs(affine, y),
                    (Buffer::Words(y), _) => {
                        let (_, (lo, hi)) = levels(step);
                        Put::Levels(affine, (if op.relu { lo.max(0.0) } else { lo }, hi), y)
                    }
                };
                op.conv.run(self.level, n, input(0).0, &mut put, &mut self.work);
            }
            (Buffer::Words(y), Kind::MaxPool(window)) if step.form == Form::Signs => {
                int8::max_pool_signs(self.level, window, n, input(0), (y, map));
            }
            (Buffer::Words(y), Kind::MaxPool(window)) => int8::max_pool(self.level, window, n, input(0), (y, map)),
            (Buffer::Words(y), Kind::Mean) => int8::sum_pool(n, input(0), (y, map)),
            (Buffer::Words(y), Kind::Add { relu }) => {
                let (unit, (lo, hi)) = levels(step);
                let of = |k: usize| levels(&self.steps[step.inputs[k]]).0 / unit;
                let bounds = (if *relu { lo.max(0.0) } else { lo }, hi);
                int8::add(self.level, n, input(0), input(1), (of(0), of(1)), bounds, (y, map));
            }
            (Buffer::Words(y), Kind::Sign) => binary::signs(n, step.shape.c, input(0), (y, map)),
            (Buffer::Numbers(_), _) => unreachable!("only a layer with weights gives numbers"),
        }
    }
}

/// The step and the bounds of levels; of signs, 1.
fn levels(step: &Step) -> (f32, (f32, f32)) {
    match step.form {
        Form::Levels { step, bounds: (lo, hi) } => (step, (f32::from(lo), f32::from(hi))),
        _ => (1.0, (-1.0, 1.0)),
    }
}

/// Where a step's values lie: as words, with the halo that its readers need.
fn map(steps: &[Step], i: usize) -> Map {
    let Step { shape, form, .. } = &steps[i];
    let c = match form {
        Form::Levels { .. } => int8::words(shape.c),
        Form::Signs => binary::words(shape.c),
        Form::Numbers => shape.c,
    };
    let pads = steps.iter().filter(|step| step.inputs.contains(&i)).filter_map(|step| match &step.kind {
        Kind::Filters(filters) => Some(filters.window.pad),
        _ => None,
    });
    let halo = pads.fold((0, 0), |halo, pad| (halo.0.max(pad.0), halo.1.max(pad.1)));
    Map::new(Shape { c, ..*shape }, halo)
}

impl Op {
    fn new(level: Level, filters: &Filters, steps: &[Step], maps: &[Map], i: usize) -> Self {
        let (step, input) = (&steps[i], steps[i].inputs[0]);
        let (c, taps) = (steps[input].shape.c, filters.window.kernel.0 * filters.window.kernel.1);
        let weight = |tap: usize, ch: usize, o: usize| i32::from(filters.weights[(o * c + ch) * taps + tap]);
        let signs = steps[input].form == Form::Signs;
        let product = if signs { Product::Signs((c * taps) as i32) } else { Product::Pairs };
        let mut conv = Conv::new(product, filters.window, maps[input], maps[i], step.shape.c);
        match signs {
            true => conv.pack(level, binary::weight_word(c, |tap, ch, o| weight(tap, ch, o) < 0)),
            false => conv.pack(level, int8::weight_word(c, weight)),
        }
        let (unit, out) = (levels(&steps[input]).0, levels(step).0);
        let per = |v: &f32| if matches!(step.form, Form::Levels { .. }) { v / out } else { *v };
        Self {
            conv,
            scale: filters.scales.iter().map(|scale| per(&(scale * unit))).collect(),
            shift: filters.bias.iter().map(per).collect(),
            relu: filters.relu,
        }
    }
}

/// Most steps, and most numbers in an image of one or in the weights of a layer.
const LIMITS: (usize, usize) = (4096, 1 << 24);

impl Model {
    /// Refuses a model that could not run: shapes, numbers of weights and forms that do not fit one another, sums that 32 bits do
    /// not hold.
    ///
    /// Errors: [`Error::Shape`] and [`Error::Value`], with the step's name.
    pub fn check(&self) -> Result<()> {
        let count = self.steps.len();
        if !(2..=LIMITS.0).contains(&count) || self.steps[0].kind != Kind::Input {
            return Err(Error::value("steps", format!("an input, and at most {} in all", LIMITS.0), count));
        }
        for (i, step) in self.steps.iter().enumerate() {
            self.fits(i).map_err(|what| Error::value(&step.name, what, "another"))?;
        }
        Ok(())
    }

    /// What a step should be, if it is not.
    fn fits(&self, i: usize) -> std::result::Result<(), &'static str> {
        let step = &self.steps[i];
        let arity = match step.kind {
            Kind::Input => 0,
            Kind::Add { .. } => 2,
            _ => 1,
        };
        let must = |fits: bool, what: &'static str| if fits { Ok(()) } else { Err(what) };
        let Shape { c, h, w } = step.shape;
        let most = LIMITS.1;
        must([c, h, w].iter().all(|n| (1..=most).contains(n)), "a shape of at least 1")?;
        must(c.saturating_mul(h).saturating_mul(w) <= most, "a shape that memory can hold")?;
        must((i == 0) == (arity == 0) && step.inputs.len() == arity, "as many inputs as it takes")?;
        must(step.inputs.iter().all(|input| *input < i), "inputs before it")?;
        let last = i + 1 == self.steps.len();
        must((step.form == Form::Numbers) == last, "numbers at the end, and there alone")?;
        if let Form::Levels { step, bounds: (lo, hi) } = step.form {
            must(step.is_normal() && step > 0.0 && lo <= 0 && hi > 0, "levels around 0 and a step above it")?;
        }
        let before: Vec<&Step> = step.inputs.iter().map(|input| &self.steps[*input]).collect();
        match &step.kind {
            Kind::Input => must(matches!(step.form, Form::Levels { .. }), "levels"),
            Kind::Filters(filters) => self.filters_fit(step, before[0], filters),
            Kind::MaxPool(window) => {
                let (kernel, pad) = (window.kernel, window.pad);
                must(pad.0 * 2 <= kernel.0 && pad.1 * 2 <= kernel.1, "padding of at most half the window")?;
                let size = window.output(before[0].shape.h, before[0].shape.w).map_err(|_| "a window that fits")?;
                must(step.form == before[0].form, "the form of its input")?;
                must(size == (h, w) && c == before[0].shape.c, "its output's shape")
            }
            Kind::Mean => {
                let Shape { c: channels, h: rows, w: columns } = before[0].shape;
                must((c, h, w) == (channels, 1, 1), "a number for each map")?;
                must(matches!(step.form, Form::Levels { .. }), "levels")?;
                let Form::Levels { bounds: (lo, hi), .. } = before[0].form else { return Err("levels before it") };
                let largest = i64::from(lo.unsigned_abs()).max(i64::from(hi));
                must((rows * columns) as i64 * largest <= i64::from(i16::MAX), "maps whose sums 16 bits hold")
            }
            Kind::Add { .. } => {
                let levels = |form: Form| matches!(form, Form::Levels { .. });
                must(before.iter().all(|b| b.shape == step.shape && levels(b.form)), "levels of one shape")?;
                must(levels(step.form), "levels")
            }
            Kind::Sign => {
                must(before[0].shape == step.shape && step.form == Form::Signs, "its input's shape, signs")?;
                must(matches!(before[0].form, Form::Levels { .. }), "levels before it")
            }
        }
    }

    fn filters_fit(&self, step: &Step, x: &Step, filters: &Filters) -> std::result::Result<(), &'static str> {
        let must = |fits: bool, what: &'static str| if fits { Ok(()) } else { Err(what) };
        let window = filters.window;
        let sides = [window.kernel, window.stride, window.dilation, window.pad];
        must(sides.iter().all(|(a, b)| *a.max(b) <= 4096), "a window that memory can hold")?;
        let size = window.output(x.shape.h, x.shape.w).map_err(|_| "a window that fits")?;
        must(size == (step.shape.h, step.shape.w), "its output's shape")?;
        let depth = x.shape.c * window.kernel.0 * window.kernel.1;
        let out = step.shape.c;
        must(depth.saturating_mul(out) <= LIMITS.1 && filters.weights.len() == depth * out, "a weight for each tap")?;
        must(filters.scales.len() == out && filters.bias.len() == out, "a scale and a bias for each filter")?;
        let finite = filters.scales.iter().chain(&filters.bias).all(|v| v.is_finite());
        must(finite, "finite scales and biases")?;
        let (lo, hi) = filters.bits.bounds();
        let within = |w: &i8| *w >= lo && *w <= hi && (filters.bits != Bits::One || *w != 0);
        must(filters.weights.iter().all(within), "weights of its bits")?;
        match x.form {
            Form::Signs => must(filters.bits == Bits::One && window.pad == (0, 0), "weights of one bit, no padding"),
            Form::Levels { bounds: (low, high), .. } => {
                let largest = i64::from(low.unsigned_abs()).max(i64::from(high)) * i64::from(lo.unsigned_abs());
                must(depth as i64 * largest < 1 << 31, "sums that 32 bits hold")
            }
            Form::Numbers => Err("whole numbers before it"),
        }
    }
}
