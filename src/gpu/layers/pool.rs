//! Pooling. The way back gathers: every number of the input asks the windows over it, so that no two threads meet.

use super::{Back, Form, Io, elements};
use crate::error::Result;
use crate::gpu::kernel::{Dispatch, Kernel, Use};
use crate::nn::layers::pool::Pool;
use crate::shape::Window;

const MAX: &str = "
    var best = -3.4028235e38;
    for (var ky = 0u; ky < KH; ky++) {
        for (var kx = 0u; kx < KW; kx++) {
            let iy = i32(y * SY + ky * EY) - i32(PY);
            let ix = i32(x * SX + kx * EX) - i32(PX);
            if (iy < 0 || ix < 0 || iy >= i32(X_H) || ix >= i32(X_W)) { continue; }
            best = max(best, given[X_at(n, u32(iy), u32(ix), c)]);
        }
    }
    out[Y_at(n, y, x, c)] = best;";

const MEAN: &str = "
    var sum = 0.0;
    for (var ky = 0u; ky < KH; ky++) {
        for (var kx = 0u; kx < KW; kx++) {
            let iy = i32(y * SY + ky * EY) - i32(PY);
            let ix = i32(x * SX + kx * EX) - i32(PX);
            if (iy < 0 || ix < 0 || iy >= i32(X_H) || ix >= i32(X_W)) { continue; }
            sum += given[X_at(n, u32(iy), u32(ix), c)];
        }
    }
    out[Y_at(n, y, x, c)] = sum / f32(KH * KW);";

/// Whether the number at tap `(ky, kx)` of window `(oy, ox)` is the first of the greatest.
const FIRST: &str = "
fn first(n: u32, oy: u32, ox: u32, c: u32, ky: u32, kx: u32) -> bool {
    let best = seen[Y_at(n, oy, ox, c)];
    for (var t = 0u; t <= ky * KW + kx; t++) {
        let iy = i32(oy * SY + t / KW * EY) - i32(PY);
        let ix = i32(ox * SX + t % KW * EX) - i32(PX);
        if (iy < 0 || ix < 0 || iy >= i32(X_H) || ix >= i32(X_W)) { continue; }
        if (given[X_at(n, u32(iy), u32(ix), c)] == best) { return t == ky * KW + kx; }
    }
    return false;
}";

/// The sum over the windows that see a number of the input; `SHARE` is what each gives it.
const GATHER: &str = "
    var sum = 0.0;
    for (var ky = 0u; ky < KH; ky++) {
        for (var kx = 0u; kx < KW; kx++) {
            let ty = i32(y + PY) - i32(ky * EY);
            let tx = i32(x + PX) - i32(kx * EX);
            if (ty < 0 || tx < 0 || u32(ty) % SY != 0u || u32(tx) % SX != 0u) { continue; }
            let oy = u32(ty) / SY;
            let ox = u32(tx) / SX;
            if (oy >= DY_H || ox >= DY_W) { continue; }
            SHARE
        }
    }
    dx[DX_at(n, y, x, c)] STORE sum;";

/// A pooling layer.
pub(in crate::gpu) struct PoolForm {
    max: bool,
    window: Window,
}

impl PoolForm {
    pub(in crate::gpu) fn new(pool: &Pool, io: &Io<'_>) -> Self {
        let x = io.x[0].map.shape;
        let window = match *pool {
            Pool::Max(window) | Pool::MaxCeil(window) | Pool::Average(window) => window,
            Pool::GlobalAverage => Window { kernel: (x.h, x.w), ..Window::square(1) },
        };
        Self { max: matches!(pool, Pool::Max(_) | Pool::MaxCeil(_)), window }
    }

    fn sized<'a>(&self, kernel: Kernel<'a>) -> Kernel<'a> {
        let Window { kernel: (kh, kw), stride: (sy, sx), pad: (py, px), dilation: (ey, ex) } = self.window;
        kernel.sizes([("KH", kh), ("KW", kw), ("SY", sy), ("SX", sx), ("PY", py), ("PX", px), ("EY", ey), ("EX", ex)])
    }
}

impl Form for PoolForm {
    fn forward(&self, io: &Io<'_>) -> Result<Vec<Dispatch>> {
        let kernel = self.sized(io.kernel("forward")).map("X", &io.x[0].map).map("Y", &io.y.map);
        let kernel = kernel.bind("given", Use::Read, &io.x[0].buffer).bind("out", Use::Write, &io.y.buffer);
        let body = if self.max { MAX } else { MEAN };
        Ok(vec![kernel.code(&elements("Y", body)).each(io.y.map.shape.len())])
    }

    fn backward(&self, io: &Io<'_>, back: &Back) -> Result<Vec<Dispatch>> {
        let (Some(dy), Some(dx)) = (&back.dy, &back.dx[0]) else { return Ok(vec![]) };
        let mut kernel = self.sized(io.kernel("backward")).map("DY", &dy.map).map("DX", &dx.map);
        kernel = kernel.bind("dy", Use::Read, &dy.buffer).bind("dx", Use::Write, &dx.buffer);
        let mut share = "sum += dy[DY_at(n, oy, ox, c)] / f32(KH * KW);";
        if self.max {
            let (x, y) = (&io.x[0], &io.y);
            kernel = kernel.map("X", &x.map).bind("given", Use::Read, &x.buffer);
            kernel = kernel.map("Y", &y.map).bind("seen", Use::Read, &y.buffer).code(FIRST);
            share = "if (first(n, oy, ox, c, ky, kx)) { sum += dy[DY_at(n, oy, ox, c)]; }";
        }
        let body = GATHER.replace("SHARE", share).replace("STORE", dx.operator());
        Ok(vec![kernel.code(&elements("DX", &body)).each(dx.map.shape.len())])
    }
}
