//! Dropout and stochastic depth, with the very masks of the CPU: the keys of a step's rows come with it.

use super::{Back, Form, Io, elements};
use crate::error::Result;
use crate::gpu::kernel::{Dispatch, Kernel, Use};

/// The hash of `src/kernel/act.rs`, and what is left of a number.
const MASK: &str = "
fn mix(given: u32) -> u32 {
    var h = (given ^ (given >> 16u)) * 0x21f0aaadu;
    h = (h ^ (h >> 15u)) * 0xd35a2d97u;
    return h ^ (h >> 15u);
}
fn kept(row: u32, i: u32) -> bool {
    if (WHOLE) { return keys[KEYS + row] != 0u; }
    let at = KEYS + 2u * row;
    return (mix(mix(i ^ keys[at]) + keys[at + 1u]) >> 8u) < THRESHOLD;
}
fn drop(v: f32, row: u32, i: u32) -> f32 { return select(0.0, v * GAIN, kept(row, i)); }
";

/// Dropout of single numbers, or of whole images.
pub(in crate::gpu) struct DropForm {
    pub(in crate::gpu) keep: f32,
    pub(in crate::gpu) whole: bool,
}

impl DropForm {
    fn kernel<'a>(&self, io: &'a Io<'_>, what: &str) -> Kernel<'a> {
        let kernel = io.kernel(what).bind("keys", Use::Whole, &io.shared.keys);
        let kernel = kernel.size("KEYS", io.keys).size("THRESHOLD", (self.keep * 16_777_216.0) as usize);
        kernel.number("GAIN", 1.0 / self.keep).flag("WHOLE", self.whole).code(MASK)
    }

    /// The row of keys that a number's mask is drawn by, and its place there.
    fn place(&self, over: &str) -> String {
        if self.whole { "n, 0u".into() } else { format!("n * {over}_H + y, x * {over}_C + c") }
    }
}

impl Form for DropForm {
    fn forward(&self, io: &Io<'_>) -> Result<Vec<Dispatch>> {
        if io.aliased && !io.trains {
            return Ok(vec![]);
        }
        let mut kernel = self.kernel(io, "forward").map("Y", &io.y.map).bind("out", Use::Write, &io.y.buffer);
        let from = if io.aliased { "out[Y_at(n, y, x, c)]" } else { "given[X_at(n, y, x, c)]" };
        if !io.aliased {
            kernel = kernel.map("X", &io.x[0].map).bind("given", Use::Read, &io.x[0].buffer);
        }
        let value = if io.trains { format!("drop({from}, {})", self.place("Y")) } else { from.into() };
        let body = format!("out[Y_at(n, y, x, c)] = {value};");
        Ok(vec![kernel.code(&elements("Y", &body)).each(io.y.map.shape.len())])
    }

    fn backward(&self, io: &Io<'_>, back: &Back) -> Result<Vec<Dispatch>> {
        let Some(dy) = &back.dy else { return Ok(vec![]) };
        if io.aliased && !io.trains {
            return Ok(vec![]);
        }
        let mut kernel = self.kernel(io, "backward").map("DY", &dy.map);
        let (from, place) = ("dy[DY_at(n, y, x, c)]", self.place("DY"));
        let value = if io.trains { format!("drop({from}, {place})") } else { from.into() };
        let body = match (&back.dx[0], io.aliased) {
            (_, true) => {
                kernel = kernel.bind("dy", Use::Write, &dy.buffer);
                format!("{from} = {value};")
            }
            (Some(dx), false) => {
                kernel = kernel.bind("dy", Use::Read, &dy.buffer).map("DX", &dx.map);
                kernel = kernel.bind("dx", Use::Write, &dx.buffer);
                format!("dx[DX_at(n, y, x, c)] {} {value};", dx.operator())
            }
            (None, false) => return Ok(vec![]),
        };
        Ok(vec![kernel.code(&elements("DY", &body)).each(dy.map.shape.len())])
    }
}
