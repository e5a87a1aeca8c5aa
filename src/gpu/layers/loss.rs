//! Losses: a value for each pixel, which the step's tally adds up, and the slopes that the way back begins with.

use super::{Back, Form, Io, elements};
use crate::error::Result;
use crate::gpu::kernel::{Dispatch, Use};

/// What is measured.
#[derive(Debug, Clone, Copy)]
pub(in crate::gpu) enum Measure {
    /// Cross-entropy of a softmax against a distribution.
    Distribution,
    /// The same against a class, or −1 for none.
    Class,
    /// Cross-entropy of a sigmoid.
    Binary,
    /// Half the squared error.
    Squared,
    /// Huber's, squared up to this error.
    Huber(f32),
}

/// Softmax of a pixel's channels against its target: `weight` is what it counts.
const SOFTMAX: &str = "
    var most = scores[X_at(n, y, x, 0u)];
    var top = 0u;
    for (var k = 1u; k < X_C; k++) {
        let v = scores[X_at(n, y, x, k)];
        if (v > most) { most = v; top = k; }
    }
    var sum = 0.0;
    for (var k = 0u; k < X_C; k++) { sum += exp_of(scores[X_at(n, y, x, k)] - most); }
    let ln = log_of(sum) + most;
    TARGET
    for (var k = 0u; k < X_C; k++) {
        let v = scores[X_at(n, y, x, k)];
        let t = AIM;
        if (t != 0.0) { value += t * (ln - v); }
        slopes[i * X_C + k] = weight * (exp_of(v - most) * (mass / sum) - t);
    }
    let wanted = WANTED;";

const DISTRIBUTION: &str = "
    var mass = 0.0;
    var goal = 0u;
    for (var k = 0u; k < X_C; k++) {
        let t = aims[T_at(n, y, x, k)];
        mass += t;
        if (t > aims[T_at(n, y, x, goal)]) { goal = k; }
    }";

const CLASS: &str = "
    let goal = u32(max(aims[T_at(n, y, x, 0u)], 0.0));
    let mass = select(1.0, 0.0, aims[T_at(n, y, x, 0u)] < 0.0);";

/// Number by number: `LOSS` sets `one`, what number `k` costs, and `by`, its slope.
const SINGLE: &str = "
    for (var k = 0u; k < X_C; k++) {
        let v = scores[X_at(n, y, x, k)];
        let t = aims[T_at(n, y, x, k)];
        let each = EACH;
        LOSS
        value += select(0.0, each * one, each != 0.0);
        slopes[i * X_C + k] = select(0.0, each * by, each != 0.0);
    }
    let top = 0u;
    let wanted = 1u;";

const BINARY: &str =
    "let e = exp_of(-abs(v)); let one = max(v, 0.0) - v * t + ln_1p_of(e); let by = sigmoid_of(v) - t;";
const SQUARED: &str = "let by = v - t; let one = 0.5 * by * by;";
const HUBER: &str = "
        let e = v - t;
        let one = select(DELTA * (abs(e) - 0.5 * DELTA), 0.5 * e * e, abs(e) <= DELTA);
        let by = clamp(e, -DELTA, DELTA);";

/// A loss.
pub(in crate::gpu) struct LossForm {
    measure: Measure,
    /// The slope at every score, dense.
    slopes: wgpu::Buffer,
    /// For each pixel what it costs and, in the second half, whether its highest score is its target's.
    values: wgpu::Buffer,
    pixels: usize,
}

impl LossForm {
    pub(in crate::gpu) fn new(measure: Measure, io: &Io<'_>) -> Result<Self> {
        let x = io.x[0].map.shape;
        let (batch, pixels) = (io.shared.batch, x.h * x.w);
        let slopes = io.room("slopes", batch * x.len())?;
        Ok(Self { measure, slopes, values: io.room("values", 2 * batch * pixels)?, pixels })
    }

    fn body(&self, weights: Option<bool>) -> String {
        let weight = match weights {
            Some(false) => "weights[W_at(n, y, x, 0u)]",
            _ => "1.0",
        };
        let each = if weights == Some(true) { "weights[W_at(n, y, x, k)]" } else { "weight" };
        let main = match self.measure {
            Measure::Distribution => {
                let aim = SOFTMAX.replace("TARGET", DISTRIBUTION).replace("AIM", "aims[T_at(n, y, x, k)]");
                aim.replace("WANTED", "goal")
            }
            Measure::Class => {
                let aim = SOFTMAX.replace("TARGET", CLASS).replace("AIM", "select(0.0, mass, k == goal)");
                aim.replace("WANTED", "goal")
            }
            Measure::Binary => SINGLE.replace("LOSS", BINARY).replace("EACH", each),
            Measure::Squared => SINGLE.replace("LOSS", SQUARED).replace("EACH", each),
            Measure::Huber(_) => SINGLE.replace("LOSS", HUBER).replace("EACH", each),
        };
        let hidden =
            "if (weight == 0.0) { value = 0.0; for (var k = 0u; k < X_C; k++) { slopes[i * X_C + k] = 0.0; } }";
        let softmax = matches!(self.measure, Measure::Distribution | Measure::Class);
        let scaled = if softmax { "weight * value" } else { "value" };
        format!(
            "let weight = {weight};
    var value = 0.0;
    {main}
    value = {scaled};
    {hidden}
    values[i] = value;
    values[ALL + i] = select(0.0, 1.0, top == wanted);"
        )
    }
}

impl Form for LossForm {
    fn forward(&self, io: &Io<'_>) -> Result<Vec<Dispatch>> {
        let (x, t) = (&io.x[0], &io.x[1]);
        let mut kernel = io.kernel("forward").map("X", &x.map).map("T", &t.map);
        kernel = kernel.bind("scores", Use::Read, &x.buffer);
        // A network may be asked to say what it is told.
        let itself = t.buffer == x.buffer;
        kernel = if itself { kernel } else { kernel.bind("aims", Use::Read, &t.buffer) };
        kernel = kernel.bind("slopes", Use::Write, &self.slopes).bind("values", Use::Write, &self.values);
        if let Measure::Huber(delta) = self.measure {
            kernel = kernel.number("DELTA", delta);
        }
        let mut singly = None;
        if let Some(weights) = io.x.get(2) {
            kernel = kernel.map("W", &weights.map).bind("weights", Use::Read, &weights.buffer);
            let softmax = matches!(self.measure, Measure::Distribution | Measure::Class);
            singly = Some(!softmax && weights.map.shape.c > 1);
        }
        let body = self.body(singly);
        let body = if itself { body.replace("aims[", "scores[") } else { body };
        // One thread for each pixel.
        let code = elements("P", &body);
        kernel = kernel.size("ALL", io.shared.batch * self.pixels);
        kernel = kernel.sizes([("P_C", 1), ("P_H", x.map.shape.h), ("P_W", x.map.shape.w)]);
        Ok(vec![kernel.code(&code.replace("let c = i % P_C;", "")).each(self.pixels)])
    }

    fn backward(&self, io: &Io<'_>, back: &Back) -> Result<Vec<Dispatch>> {
        let Some(dx) = &back.dx[0] else { return Ok(vec![]) };
        let kernel = io.kernel("backward").map("DX", &dx.map).number("WEIGHT", io.weight);
        let kernel = kernel.bind("slopes", Use::Read, &self.slopes).bind("dx", Use::Write, &dx.buffer);
        let body = format!("dx[DX_at(n, y, x, c)] {} slopes[i] * (WEIGHT * step.scale);", dx.operator());
        Ok(vec![kernel.code(&elements("DX", &body)).each(dx.map.shape.len())])
    }

    fn values(&self) -> Option<(&wgpu::Buffer, usize)> {
        Some((&self.values, self.pixels))
    }
}
