//! Convolutions and affine layers as matrix products, without an unfolded input anywhere: one row for each pixel, one column
//! for each filter, the taps of the window as depth.
//!
//! Two kernels of each product. Where a group's filters are few, each thread takes 4 pixels and up to 8 channels straight from memory:
//! the filters stay in the cache. Above, tiles of 64 × 16 to 64 go through shared memory. Gradients of weights sum
//! over all pixels of the batch, in pieces that are then added in their order. On a real GPU both are bound by loads, 8 to 12 for
//! 16 to 32 products; see `benches/NOTES.md`.

use super::kernel::{Dispatch, Kernel, Use};
use super::layers::{Back, Form, Io, Target, Wired};
use crate::error::Result;
use crate::shape::Window;

const TAPS: &str = include_str!("conv_taps.wgsl");
const DIRECT: &str = include_str!("conv_direct.wgsl");
const TILE_OF_SUMS: &str = include_str!("conv_tile.wgsl");
const TILED: &str = include_str!("conv_tiled.wgsl");
const WEIGHTS: &str = include_str!("conv_weights.wgsl");
const SUM: &str = include_str!("conv_sum.wgsl");

/// Most numbers in a group's filters for the direct kernel: 64 kB.
const FEW: usize = 16 * 1024;
/// Pixels of a thread of the direct kernel, and rows of a tile.
const PIXELS: usize = 4;
const TILE: usize = 64;
/// Workgroups that the gradient of the weights is to have at least, and the most numbers of its pieces.
const BUSY: usize = 512;
const ROOM: usize = 8 << 20;

/// A convolution, or an affine layer as one of 1 × 1.
pub(super) struct ConvForm {
    window: Window,
    groups: usize,
    /// Input and output channels of a group, and taps of the window.
    c: usize,
    out: usize,
    taps: usize,
    /// Pieces of the sum over pixels, and their room.
    pieces: usize,
    parts: wgpu::Buffer,
}

impl ConvForm {
    pub(super) fn new(window: Window, groups: usize, io: &Io<'_>) -> Result<Self> {
        let (x, y) = (io.x[0].map.shape, io.y.map.shape);
        let (c, out, taps) = (x.c / groups, y.c / groups, window.kernel.0 * window.kernel.1);
        let numbers = taps * c * y.c + io.params.get(1).map_or(0, |bias| bias.len());
        let workgroups = if groups > 1 { numbers.div_ceil(64) } else { numbers.div_ceil(TILE * out.min(TILE)) };
        let pixels = io.shared.batch * y.h * y.w;
        let most = (ROOM / numbers).clamp(1, pixels.div_ceil(64));
        let pieces = if io.learns { BUSY.div_ceil(workgroups).min(most) } else { 0 };
        let parts = io.room("pieces", if pieces > 1 { pieces * numbers } else { 0 })?;
        Ok(Self { window, groups, c, out, taps, pieces, parts })
    }

    fn sized<'a>(&self, io: &'a Io<'_>, what: &str) -> Kernel<'a> {
        let Window { kernel: (kh, kw), stride: (sy, sx), pad: (py, px), dilation: (ey, ex) } = self.window;
        let bias = io.params.get(1).map_or(0, |bias| bias.start);
        let kernel = io.kernel(what).sizes([("G", self.groups), ("C", self.c), ("O", self.out), ("T", self.taps)]);
        let kernel = kernel.sizes([("KH", kh), ("KW", kw), ("SY", sy), ("SX", sx), ("PY", py), ("PX", px)]);
        let kernel = kernel.sizes([("EY", ey), ("EX", ex), ("WEIGHT", io.params[0].start), ("BIASES", bias)]);
        kernel.flag("BIASED", io.params.len() > 1)
    }

    /// The product of `from`, gathered by taps, with the filters: into the output, or the input's gradient.
    fn product(&self, io: &Io<'_>, way: Way<'_>) -> Dispatch {
        let (what, from, to) = match &way {
            Way::Forward => ("forward", &io.x[0], io.y.clone()),
            Way::Back(dy, dx) => ("backward", *dy, Wired { buffer: dx.buffer.clone(), map: dx.map }),
        };
        let back = matches!(way, Way::Back(..));
        let (deep, wide) = if back { (self.out, self.c) } else { (self.c, self.out) };
        let kernel = self.sized(io, what).map("FROM", &from.map).map("TO", &to.map);
        let kernel = kernel.bind("from_", Use::Read, &from.buffer).bind("params", Use::Read, &io.shared.params);
        let kernel = kernel.bind("to_", Use::Write, &to.buffer).sizes([("DEEP", deep), ("WIDE", wide)]);
        let (first, relu) = (matches!(&way, Way::Back(_, dx) if dx.first), !back && io.relu);
        let kernel = kernel.flag("BACK", back).flag("RELU", relu).flag("ADD", back && !first).code(TAPS);
        let pixels = to.map.shape.h * to.map.shape.w;
        if self.taps * self.c * self.out <= FEW || self.groups > 1 {
            let columns = if wide == 1 { 1 } else { 4 * wide.div_ceil(4).min(2) };
            let (blocks, groups) = (wide.div_ceil(columns), self.groups);
            let kernel = kernel.sizes([("COLUMNS", columns), ("BLOCKS", blocks)]).code(&direct(columns));
            return kernel.grid(Box::new(move |n| {
                let quads = (n as usize * pixels).div_ceil(PIXELS);
                (quads * blocks * groups).div_ceil(64) as u32
            }));
        }
        let columns = width(wide);
        let kernel = kernel.sizes([("BN", columns), ("THREADS", 4 * columns)]).code(TILE_OF_SUMS).code(TILED);
        let across = wide.div_ceil(columns);
        kernel.grid(Box::new(move |n| ((n as usize * pixels).div_ceil(TILE) * across) as u32))
    }

    /// The gradients of weights and bias, the latter as one more tap whose input is 1.
    fn weights(&self, io: &Io<'_>, dy: &Wired, first: bool) -> Vec<Dispatch> {
        let y = dy.map.shape;
        let numbers: usize = io.params.iter().map(|range| range.len()).sum();
        let each = (io.shared.batch * y.h * y.w).div_ceil(self.pieces).next_multiple_of(16);
        let one = self.pieces == 1;
        let kernel = self.sized(io, "weights").map("X", &io.x[0].map).map("DY", &dy.map);
        let kernel = kernel.bind("given", Use::Read, &io.x[0].buffer).bind("dy", Use::Read, &dy.buffer);
        let kernel = kernel.bind("sums", Use::Write, if one { &io.shared.gradient } else { &self.parts });
        let kernel =
            kernel.sizes([("EACH", each), ("NUMBERS", numbers), ("AT", if one { io.params[0].start } else { 0 })]);
        let kernel = kernel.flag("ADD", one && !first);
        let pieces = self.pieces;
        let (_, single, tiled) = sections(WEIGHTS);
        let mut all = vec![if self.groups > 1 {
            let groups = numbers.div_ceil(64) * pieces;
            kernel.size("ACROSS", numbers.div_ceil(64)).code(single).grid(Box::new(move |_| groups as u32))
        } else {
            let columns = width(self.out);
            let rows = self.taps * self.c + usize::from(io.params.len() > 1);
            let (down, across) = (rows.div_ceil(TILE), self.out.div_ceil(columns));
            let kernel = kernel.sizes([("BN", columns), ("THREADS", 4 * columns), ("ROWS", rows)]);
            kernel
                .sizes([("DOWN", down), ("ACROSS", across)])
                .code(TILE_OF_SUMS)
                .code(tiled)
                .grid(Box::new(move |_| (down * across * pieces) as u32))
        }];
        if !one {
            let kernel = io.kernel("sum").bind("parts", Use::Read, &self.parts);
            let kernel = kernel.bind("gradient", Use::Write, &io.shared.gradient).flag("ADD", !first);
            let kernel = kernel.sizes([("PIECES", pieces), ("NUMBERS", numbers), ("AT", io.params[0].start)]);
            all.push(kernel.code(SUM).threads(numbers));
        }
        all
    }
}

/// Which product.
enum Way<'a> {
    Forward,
    Back(&'a Wired, &'a Target),
}

impl Form for ConvForm {
    fn forward(&self, io: &Io<'_>) -> Result<Vec<Dispatch>> {
        Ok(vec![self.product(io, Way::Forward)])
    }

    fn backward(&self, io: &Io<'_>, back: &Back) -> Result<Vec<Dispatch>> {
        let Some(dy) = &back.dy else { return Ok(vec![]) };
        let mut all = if io.learns { self.weights(io, dy, back.first) } else { vec![] };
        all.extend(back.dx[0].as_ref().map(|dx| self.product(io, Way::Back(dy, dx))));
        Ok(all)
    }
}

/// Columns of a tile.
fn width(columns: usize) -> usize {
    match columns {
        0..=16 => 16,
        17..=32 => 32,
        _ => 64,
    }
}

/// The parts of a file of kernels, which `// ---` separates.
fn sections(file: &'static str) -> (&'static str, &'static str, &'static str) {
    let mut parts = file.split("// ---");
    let mut next = || parts.next().unwrap_or_default();
    (next(), next(), next())
}

/// The direct kernel for threads of so many columns, its loops over pixels and columns unrolled: drivers keep what is
/// indexed in memory.
fn direct(columns: usize) -> String {
    let vectors = columns.div_ceil(4);
    let kind = if columns == 1 { "f32" } else { "vec4<f32>" };
    let mut lines = [const { String::new() }; 4];
    for p in 0..PIXELS {
        lines[0] += &format!("let m{p} = row + {p}u; ");
        lines[1] += &format!("let b{p} = base(m{p}, t, g); ");
        lines[2] += &format!("let a{p} = select(0.0, from_[u32(max(b{p}, 0)) + k], b{p} >= 0); ");
        for v in 0..vectors {
            lines[0] += &format!("var s{p}{v} = {kind}(0.0); ");
            lines[2] += &if p == 0 {
                format!(
                    "let w{v} = filter{kind_}(g, t, k, first + {}u); ",
                    4 * v,
                    kind_ = if columns == 1 { "1" } else { "4" }
                )
            } else {
                String::new()
            };
            let parts: Vec<String> = match columns {
                1 => vec![format!("put(m{p}, g, first, s{p}{v});")],
                _ => "xyzw"
                    .chars()
                    .enumerate()
                    .map(|(k, part)| format!("put(m{p}, g, first + {}u, s{p}{v}.{part});", 4 * v + k))
                    .collect(),
            };
            lines[3] += &parts.join(" ");
        }
    }
    for p in 0..PIXELS {
        for v in 0..vectors {
            lines[2] += &format!("s{p}{v} += a{p} * w{v}; ");
        }
    }
    let [begin, bases, products, store] = lines;
    let all = DIRECT.replace("BEGIN", &begin).replace("BASES", &bases);
    all.replace("PRODUCTS", &products).replace("STORE", &store)
}
