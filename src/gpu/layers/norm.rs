//! Batch normalisation: moments in parts, their combination, and the numbers themselves, three passes each way. Statistics
//! are those of a shard, as on the CPU, so that both learn alike.

use super::{Back, Form, Io, elements};
use crate::error::Result;
use crate::gpu::kernel::{Dispatch, Kernel, Use};

const MOMENTS: &str = include_str!("norm.wgsl");

/// Parts that the pixels of a shard are dealt to, for each channel: each is one thread's.
const PARTS: usize = 64;

/// A batch normalisation.
pub(in crate::gpu) struct NormForm {
    eps: f32,
    /// For each shard, part and channel two sums.
    parts: wgpu::Buffer,
    /// For each shard and channel mean, `1 / √(variance + ε)`, slope and shift.
    stats: wgpu::Buffer,
    shards: usize,
}

impl NormForm {
    pub(in crate::gpu) fn new(eps: f32, io: &Io<'_>) -> Result<Self> {
        let (c, shards) = (io.y.map.shape.c, io.shared.batch.div_ceil(io.shared.shard));
        let parts = if io.trains || io.learns { 2 * shards * PARTS * c } else { 0 };
        Ok(Self { eps, parts: io.room("parts", parts)?, stats: io.room("statistics", 4 * shards * c)?, shards })
    }

    fn sized<'a>(&self, io: &'a Io<'_>, what: &str) -> Kernel<'a> {
        let [gain, bias, mean, variance] = [0, 1, 2, 3].map(|i| io.params[i].start);
        let kernel = io.kernel(what).map("X", &io.x[0].map).number("EPS", self.eps).size("PARTS", PARTS);
        let kernel = kernel.sizes([("SHARD", io.shared.shard), ("SHARDS", self.shards)]);
        let kernel = kernel.sizes([("GAIN", gain), ("BIAS", bias), ("MEAN", mean), ("VARIANCE", variance)]);
        kernel.flag("TRAINS", io.trains).flag("LEARNS", io.learns)
    }

    /// A pass over parts or channels.
    fn pass<'a>(&self, kernel: Kernel<'a>, entry: &str) -> Kernel<'a> {
        let (_, code) = MOMENTS.split_once(&format!("// {entry}\n")).expect("a section of norm.wgsl");
        kernel.code(code.split("\n// end").next().unwrap_or(code))
    }
}

impl Form for NormForm {
    fn forward(&self, io: &Io<'_>) -> Result<Vec<Dispatch>> {
        let (x, c) = (&io.x[0], io.y.map.shape.c);
        let mut all = Vec::new();
        if io.trains {
            let kernel = self.sized(io, "moments").bind("given", Use::Read, &x.buffer);
            let kernel = self.pass(kernel.bind("parts", Use::Write, &self.parts), "moments");
            all.push(kernel.threads(self.shards * PARTS * c));
            let kernel = self.sized(io, "statistics").bind("parts", Use::Read, &self.parts);
            let kernel = kernel.bind("stats", Use::Write, &self.stats);
            let kernel = kernel.bind("gradient", Use::Write, &io.shared.gradient);
            all.push(self.pass(kernel, "statistics").threads(c));
        }
        let kernel = self.sized(io, "forward").map("Y", &io.y.map).bind("given", Use::Read, &x.buffer);
        let kernel = kernel.bind("params", Use::Read, &io.shared.params).bind("out", Use::Write, &io.y.buffer);
        let kernel = if io.trains { kernel.bind("stats", Use::Read, &self.stats) } else { kernel };
        let line = "(given[X_at(n, y, x, c)] - mean) * (inverse * params[GAIN + c]) + params[BIAS + c]";
        let line = if io.relu { format!("max({line}, 0.0)") } else { line.into() };
        let body = format!("{} out[Y_at(n, y, x, c)] = {line};", known(io.trains));
        all.push(kernel.code(&elements("Y", &body)).each(io.y.map.shape.len()));
        Ok(all)
    }

    fn backward(&self, io: &Io<'_>, back: &Back) -> Result<Vec<Dispatch>> {
        let Some(dy) = &back.dy else { return Ok(vec![]) };
        let (x, c) = (&io.x[0], io.y.map.shape.c);
        let mut all = Vec::new();
        if io.learns || io.trains {
            let kernel = self.sized(io, "sums").map("DY", &dy.map).bind("given", Use::Read, &x.buffer);
            let kernel = kernel.bind("dy", Use::Read, &dy.buffer).bind("parts", Use::Write, &self.parts);
            let kernel = if io.trains { kernel.bind("stats", Use::Read, &self.stats) } else { kernel };
            let kernel = kernel.bind("params", Use::Read, &io.shared.params);
            let kernel =
                kernel.code(&format!("fn mean_of(n: u32, c: u32) -> f32 {{ {} return mean; }}", known(io.trains)));
            all.push(self.pass(kernel, "sums").threads(self.shards * PARTS * c));
            let kernel = self.sized(io, "slopes").flag("FIRST", back.first).bind("parts", Use::Read, &self.parts);
            let kernel = kernel.bind("params", Use::Read, &io.shared.params).bind("stats", Use::Write, &self.stats);
            let kernel = kernel.bind("gradient", Use::Write, &io.shared.gradient);
            all.push(self.pass(kernel, "slopes").threads(c));
        }
        if let Some(dx) = &back.dx[0] {
            let kernel = self.sized(io, "backward").map("DY", &dy.map).map("DX", &dx.map);
            let kernel = kernel.bind("given", Use::Read, &x.buffer).bind("dy", Use::Read, &dy.buffer);
            let kernel = kernel.bind("params", Use::Read, &io.shared.params).bind("dx", Use::Write, &dx.buffer);
            let kernel = if io.trains { kernel.bind("stats", Use::Read, &self.stats) } else { kernel };
            let through = "+ stats[at + 2u] * (given[X_at(n, y, x, c)] - mean) + stats[at + 3u]";
            let through = if io.trains { through } else { "" };
            let line = format!("(inverse * params[GAIN + c]) * dy[DY_at(n, y, x, c)] {through}");
            let body = format!("{} dx[DX_at(n, y, x, c)] {} {line};", known(io.trains), dx.operator());
            all.push(kernel.code(&elements("DX", &body)).each(dx.map.shape.len()));
        }
        Ok(all)
    }
}

/// The code that knows mean and inverse deviation of channel `c` in the shard of image `n`.
fn known(trains: bool) -> &'static str {
    if trains {
        "let at = 4u * (n / SHARD * X_C + c); let mean = stats[at]; let inverse = stats[at + 1u];"
    } else {
        "let mean = params[MEAN + c]; let inverse = 1.0 / sqrt(params[VARIANCE + c] + EPS);"
    }
}
