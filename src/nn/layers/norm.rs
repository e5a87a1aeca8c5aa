//! Normalisation within one image, the same while training and at inference: layer (Ba et al. 2016), instance (Ulyanov
//! et al. 2016) and group (Wu and He 2018), with PyTorch's conventions.

use crate::error::{Error, Result};
use crate::kernel::norm::{self, Slopes};
use crate::kernel::{Level, act};
use crate::nn::description::Setting;
use crate::nn::layer::{Backward, Forward, Io, Layer, Op, Reads};
use crate::nn::params::{Order, Role, View};
use crate::shape::Shape;
use crate::tensor::Map;
use std::ops::Range;

/// Which numbers of an image share a mean and a variance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// All of them.
    Layer,
    /// Each channel's.
    Instance,
    /// Those of so many groups of neighbouring channels.
    Group(usize),
}

/// Numbers with mean 0 and variance 1, then scaled and shifted if asked.
///
/// Parameters, if asked: `weight` and `bias`, of the image's shape for [`Over::Layer`], else one number for each channel.
#[derive(Debug, Clone, Copy)]
pub struct Norm {
    /// What is normalised together.
    pub over: Over,
    /// Added to the variance.
    pub eps: f32,
    /// Whether the result is scaled and shifted.
    pub affine: bool,
}

impl Norm {
    /// PyTorch's: ε 10⁻⁵; scaled and shifted, an instance norm excepted.
    pub const fn new(over: Over) -> Self {
        Self { over, eps: 1e-5, affine: !matches!(over, Over::Instance) }
    }

    fn groups(&self, c: usize) -> usize {
        match self.over {
            Over::Layer => 1,
            Over::Instance => c,
            Over::Group(groups) => groups,
        }
    }
}

impl Layer for Norm {
    fn kind(&self) -> &'static str {
        match self.over {
            Over::Layer => "layer_norm",
            Over::Instance => "instance_norm",
            Over::Group(_) => "group_norm",
        }
    }

    fn options(&self) -> Vec<(&'static str, Setting)> {
        let groups = if let Over::Group(groups) = self.over { vec![("groups", Setting::Size(groups))] } else { vec![] };
        let others = [("eps", Setting::Number(self.eps)), ("affine", Setting::Flag(self.affine))];
        groups.into_iter().chain(others).collect()
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let x = inputs[0];
        let groups = self.groups(x.c);
        if groups == 0 || !x.c.is_multiple_of(groups) {
            return Err(Error::shape("group norm", format!("{} channels in groups of one size", x.c), groups));
        }
        if x.len() == groups {
            return Err(Error::shape(self.kind(), "more than one number to normalise together", x));
        }
        if self.eps <= 0.0 {
            return Err(Error::value(self.kind(), "eps above 0", self.eps));
        }
        Ok(x)
    }

    fn params(&self, inputs: &[Shape], flat: Shape) -> Vec<View> {
        let x = inputs[0];
        let (shape, order) = match self.over {
            Over::Layer if x == flat && (x.h, x.w) != (1, 1) => (vec![x.c, x.h, x.w], Order::Image { flat }),
            Over::Layer => (vec![x.c], Order::Image { flat }),
            _ => (vec![x.c], Order::Plain),
        };
        let view = |name, role, start| View { order, ..View::constant(name, shape.clone(), role, start) };
        if !self.affine {
            return vec![];
        }
        vec![view("weight", Role::Scale, 1.0), view("bias", Role::Bias, 0.0)]
    }

    fn reads(&self) -> Reads {
        Reads { input: true, output: false }
    }

    fn flat(&self, input: Shape) -> Option<Shape> {
        // The channels of a group would not be neighbours in a flattened image.
        (self.over == Over::Layer).then_some(input)
    }

    fn formula(&self, _inputs: &[Shape]) -> String {
        let scaled = if self.affine { " · γ + β" } else { "" };
        format!("(x − mean) / √(variance + ε){scaled}")
    }

    fn op(&self, io: &Io) -> Box<dyn Op> {
        let (dx, dy) = io.gradients.as_ref().map_or((io.x[0], io.y), |(dx, dy)| (dx[0], *dy));
        let (c, groups) = (io.y.shape.c, self.groups(io.y.shape.c));
        let each = matches!(self.over, Over::Layer) && self.affine;
        let dense = if each && io.gradients.is_some() { io.y.shape.len() } else { 0 };
        Box::new(NormOp {
            eps: f64::from(self.eps),
            groups,
            each,
            learns: io.learns,
            maps: [io.x[0], io.y, dx, dy],
            params: self.affine.then(|| [io.params[0].clone(), io.params[1].clone()]),
            moments: vec![(0.0, 0.0); io.batch * groups],
            sums: [vec![0.0; c], vec![0.0; c]],
            mean: vec![0.0; c],
            gain: vec![0.0; c],
            slope: vec![0.0; c],
            shift: vec![0.0; c],
            line: vec![0.0; c],
            ones: vec![1.0; c],
            zeros: vec![0.0; c],
            gradient: vec![0.0; dense],
        })
    }
}

struct NormOp {
    eps: f64,
    groups: usize,
    /// Every number has a weight of its own, not every channel.
    each: bool,
    learns: bool,
    /// Input, output, and the gradients of both.
    maps: [Map; 4],
    params: Option<[Range<usize>; 2]>,
    /// Mean and `1 / √(variance + ε)` of every group of every image.
    moments: Vec<(f32, f32)>,
    sums: [Vec<f64>; 2],
    /// A number for each channel: what an image's forward and backward do with it.
    mean: Vec<f32>,
    gain: Vec<f32>,
    slope: Vec<f32>,
    shift: Vec<f32>,
    line: Vec<f32>,
    ones: Vec<f32>,
    zeros: Vec<f32>,
    /// One image of the gradient before the weights.
    gradient: Vec<f32>,
}

impl NormOp {
    /// The mean of each group's sums, over `count` numbers.
    fn by_group<'a>(sums: &'a [f64], groups: usize, count: f64) -> impl Iterator<Item = f64> + 'a {
        sums.chunks_exact(sums.len() / groups).map(move |group| group.iter().sum::<f64>() / count)
    }

    /// The moments of image `i`.
    fn measure(&mut self, level: Level, i: usize, x: &[f32]) {
        let (groups, map) = (self.groups, &self.maps[0]);
        let (each, count) = (map.shape.c / groups, (map.shape.len() / groups) as f64);
        let moments = &mut self.moments[i * groups..][..groups];
        let [sums, _] = &mut self.sums;
        sums.fill(0.0);
        norm::sums(level, (x, map), 1, &mut self.line, sums);
        for (((m, _), of), channels) in
            moments.iter_mut().zip(Self::by_group(sums, groups, count)).zip(self.mean.chunks_mut(each))
        {
            *m = of as f32;
            channels.fill(*m);
        }
        sums.fill(0.0);
        norm::squares(level, (x, map), &self.mean, 1, &mut self.line, sums);
        for ((_, inverse), variance) in moments.iter_mut().zip(Self::by_group(sums, groups, count)) {
            *inverse = (1.0 / (variance + self.eps).sqrt()) as f32;
        }
    }

    /// The weight of each channel, or ones.
    fn weights<'a>(&'a self, values: &'a [f32]) -> &'a [f32] {
        match &self.params {
            Some([weight, _]) if !self.each => &values[weight.clone()],
            _ => &self.ones,
        }
    }
}

impl Op for NormOp {
    fn forward(&mut self, cx: Forward<'_>) {
        let [map, ymap, ..] = self.maps;
        let (values, _) = cx.params;
        let each = map.shape.c / self.groups;
        for i in 0..cx.n {
            let x = &cx.x(0)[i * map.len()..][..map.len()];
            let y = &mut cx.y[i * ymap.len()..][..ymap.len()];
            self.measure(cx.level, i, x);
            let mut gain = std::mem::take(&mut self.gain);
            for (c, (gain, weight)) in gain.iter_mut().zip(self.weights(values)).enumerate() {
                *gain = self.moments[i * self.groups + c / each].1 * weight;
            }
            self.gain = gain;
            let shift = match &self.params {
                Some([_, bias]) if !self.each => &values[bias.clone()],
                _ => &self.zeros[..],
            };
            norm::normalise(cx.level, (x, &map), &self.mean, &self.gain, shift, false, (y, &ymap), 1);
            if let (Some([weight, bias]), true) = (&self.params, self.each) {
                let (weight, bias) = (&values[weight.clone()], &values[bias.clone()]);
                let len = ymap.shape.w * ymap.shape.c;
                for ((row, w), b) in ymap.rows(1).zip(weight.chunks_exact(len)).zip(bias.chunks_exact(len)) {
                    act::mul_assign(cx.level, &mut y[row.clone()], w);
                    act::add_assign(cx.level, &mut y[row], b);
                }
            }
        }
    }

    fn backward(&mut self, mut cx: Backward<'_>) {
        for i in 0..cx.n {
            self.image_backward(&mut cx, i);
        }
    }
}

impl NormOp {
    fn image_backward(&mut self, cx: &mut Backward<'_>, i: usize) {
        let [map, _, dxmap, dymap] = self.maps;
        let (values, level) = (cx.params.0, cx.level);
        let x = &cx.inputs[0].of(cx.slots, cx.n)[i * map.len()..][..map.len()];
        let dy = &cx.dy[i * dymap.len()..][..dymap.len()];
        let mut gradient = std::mem::take(&mut self.gradient);
        let dense = Map::new(map.shape, (0, 0));
        let dy = if self.each {
            self.each_backward(level, values, cx.dparams, i, x, dy, &mut gradient);
            (&gradient[..], &dense)
        } else {
            (dy, &dymap)
        };
        self.sum(level, i, x, dy);
        self.channels_backward(values, cx.dparams, i);
        if let Some(target) = cx.dinputs[0] {
            let dx = &mut cx.gradients[target.slot.number][i * dxmap.len()..][..dxmap.len()];
            let slopes = Slopes { mean: &self.mean, gain: &self.gain, slope: &self.slope, shift: &self.shift };
            norm::normalise_backward(level, (x, &map), slopes, dy, (dx, &dxmap), !target.first, 1);
        }
        self.gradient = gradient;
    }

    /// The gradients of a weight and a bias for every number, and in `gradient` what goes on through them.
    #[allow(clippy::too_many_arguments, reason = "an image, its gradient and the arenas")]
    fn each_backward(
        &self,
        level: Level,
        values: &[f32],
        dparams: &mut [f32],
        i: usize,
        x: &[f32],
        dy: &[f32],
        gradient: &mut [f32],
    ) {
        let ([map, _, _, dymap], Some([weight, bias])) = (&self.maps, &self.params) else { return };
        let len = map.shape.w * map.shape.c;
        let rows = map.rows(1).zip(dymap.rows(1)).zip(gradient.chunks_exact_mut(len)).enumerate();
        for (y, ((row, drow), gradient)) in rows {
            let at = |range: &Range<usize>| range.start + y * len..range.start + (y + 1) * len;
            if self.learns {
                act::add_assign(level, &mut dparams[at(bias)], &dy[drow.clone()]);
                norm::add_normalised(level, &mut dparams[at(weight)], &x[row], self.moments[i], &dy[drow.clone()]);
            }
            gradient.copy_from_slice(&dy[drow]);
            act::mul_assign(level, gradient, &values[at(weight)]);
        }
    }

    /// The sums of an image's gradient, and of its products with the distance from the mean.
    fn sum(&mut self, level: Level, i: usize, x: &[f32], dy: (&[f32], &Map)) {
        let (map, per) = (&self.maps[0], self.maps[0].shape.c / self.groups);
        for (c, mean) in self.mean.iter_mut().enumerate() {
            *mean = self.moments[i * self.groups + c / per].0;
        }
        let [sums, products] = &mut self.sums;
        sums.fill(0.0);
        norm::sums(level, dy, 1, &mut self.line, sums);
        products.fill(0.0);
        norm::products(level, (x, map), &self.mean, dy, 1, &mut self.line, products);
    }

    /// From those sums: the gradients of the channels' weights and biases, and the slopes of every channel.
    fn channels_backward(&mut self, values: &[f32], dparams: &mut [f32], i: usize) {
        let (shape, per) = (self.maps[0].shape, self.maps[0].shape.c / self.groups);
        let [sums, products] = &self.sums;
        let moments = &self.moments[i * self.groups..][..self.groups];
        let weights = match &self.params {
            Some([weight, bias]) if !self.each => {
                for c in (0..shape.c).filter(|_| self.learns) {
                    dparams[bias.start + c] += sums[c] as f32;
                    dparams[weight.start + c] += (products[c] * f64::from(moments[c / per].1)) as f32;
                }
                &values[weight.clone()]
            }
            _ => &self.ones[..],
        };
        let count = (per * shape.h * shape.w) as f64;
        for (group, &(_, inverse)) in moments.iter().enumerate() {
            let channels = group * per..(group + 1) * per;
            let mean = |sums: &[f64]| channels.clone().map(|c| sums[c] * f64::from(weights[c])).sum::<f64>() / count;
            let (inverse, sum, product) = (f64::from(inverse), mean(sums), mean(products));
            for c in channels.clone() {
                self.gain[c] = (inverse * f64::from(weights[c])) as f32;
                self.slope[c] = (-inverse * inverse * inverse * product) as f32;
                self.shift[c] = (-inverse * sum) as f32;
            }
        }
    }
}
