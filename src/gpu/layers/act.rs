//! Activations and flattening: number by number, in place where the plan lets them.

use super::{Back, Form, Io, elements};
use crate::error::Result;
use crate::gpu::kernel::{Dispatch, Use};
use crate::nn::layers::act::Activation::{self, *};

/// `f(v)` is the activation, `d(v, g)` the gradient `g` behind it, where `v` is its output, or its input if it needs that.
const FUNCTIONS: &[(&str, &str, &str)] = &[
    ("relu", "max(v, 0.0)", "select(g, 0.0, v <= 0.0)"),
    ("relu6", "min(max(v, 0.0), 6.0)", "select(g, 0.0, v <= 0.0 || v >= 6.0)"),
    ("sigmoid", "sigmoid_of(v)", "g * (v * (1.0 - v))"),
    ("tanh", "tanh_of(v)", "g * ((1.0 - v) * (1.0 + v))"),
    ("identity", "v", "g"),
    ("leaky_relu", "select(v, ALPHA * v, v <= 0.0)", "select(g, ALPHA * g, v <= 0.0)"),
    ("elu", "select(GAIN * v, BOTTOM * exp_of(v) - BOTTOM, v <= 0.0)", "select(GAIN * g, g * (v + BOTTOM), v <= 0.0)"),
    ("gelu", "v * phi_of(v)", "g * (phi_of(v) + v * 0.3989423 * exp_of(-0.5 * v * v))"),
    ("silu", "v * sigmoid_of(v)", "g * (sigmoid_of(v) * (1.0 + v * (1.0 - sigmoid_of(v))))"),
    (
        "hard_swish",
        "v * clamp((v + 3.0) * (1.0 / 6.0), 0.0, 1.0)",
        "select(g * select(1.0, v * (1.0 / 3.0) + 0.5, v <= 3.0), 0.0, v <= -3.0)",
    ),
    ("hard_sigmoid", "clamp((v + 3.0) * (1.0 / 6.0), 0.0, 1.0)", "select(g * (1.0 / 6.0), 0.0, v <= 0.0 || v >= 1.0)"),
    ("softplus", "max(v, 0.0) + ln_1p_of(exp_of(-abs(v)))", "g * (1.0 - exp_of(-v))"),
];

/// SELU's scale and α, as `src/nn/layers/act.rs` has them.
const SELU: (f32, f32) = (1.050_701, 1.673_263_2);

/// An activation.
pub(in crate::gpu) struct ActForm(pub(in crate::gpu) Activation);

impl ActForm {
    /// Its two functions with their constants, as code.
    fn code(&self) -> String {
        let kind = match self.0 {
            Relu => "relu",
            Relu6 => "relu6",
            Sigmoid => "sigmoid",
            Tanh => "tanh",
            Identity => "identity",
            LeakyRelu(_) => "leaky_relu",
            Elu(_) | Selu => "elu",
            Gelu => "gelu",
            Silu => "silu",
            HardSwish => "hard_swish",
            HardSigmoid => "hard_sigmoid",
            Softplus => "softplus",
        };
        let (_, f, d) = FUNCTIONS.iter().find(|(name, ..)| *name == kind).expect("every activation has a row");
        format!("fn f(v: f32) -> f32 {{ return {f}; }}\nfn d(v: f32, g: f32) -> f32 {{ return {d}; }}\n")
    }

    /// Slope, gain and the value far below 0.
    fn constants(&self) -> (f32, f32, f32) {
        match self.0 {
            LeakyRelu(slope) => (slope, 1.0, 0.0),
            Elu(alpha) => (alpha, 1.0, alpha),
            Selu => (SELU.1, SELU.0, SELU.0 * SELU.1),
            _ => (0.0, 1.0, 0.0),
        }
    }
}

impl Form for ActForm {
    fn forward(&self, io: &Io<'_>) -> Result<Vec<Dispatch>> {
        if io.aliased && self.0 == Identity {
            return Ok(vec![]);
        }
        let (alpha, gain, bottom) = self.constants();
        let mut kernel = io.kernel("forward").map("Y", &io.y.map).bind("out", Use::Write, &io.y.buffer);
        kernel = kernel.number("ALPHA", alpha).number("GAIN", gain).number("BOTTOM", bottom).code(&self.code());
        let from = if io.aliased { "out[Y_at(n, y, x, c)]" } else { "given[X_at(n, y, x, c)]" };
        if !io.aliased {
            kernel = kernel.map("X", &io.x[0].map).bind("given", Use::Read, &io.x[0].buffer);
        }
        let body = format!("out[Y_at(n, y, x, c)] = f({from});");
        Ok(vec![kernel.code(&elements("Y", &body)).each(io.y.map.shape.len())])
    }

    fn backward(&self, io: &Io<'_>, back: &Back) -> Result<Vec<Dispatch>> {
        let Some(dy) = &back.dy else { return Ok(vec![]) };
        if io.aliased && self.0 == Identity {
            return Ok(vec![]);
        }
        let (alpha, gain, bottom) = self.constants();
        let by_input = matches!(self.0, Gelu | Silu | HardSwish);
        let seen = if by_input { &io.x[0] } else { &io.y };
        let mut kernel = io.kernel("backward").map("V", &seen.map).bind("seen", Use::Read, &seen.buffer);
        kernel = kernel.number("ALPHA", alpha).number("GAIN", gain).number("BOTTOM", bottom).code(&self.code());
        kernel = kernel.map("DY", &dy.map);
        let value = "d(seen[V_at(n, y, x, c)], dy[DY_at(n, y, x, c)])";
        let body = match (&back.dx[0], io.aliased) {
            (_, true) => {
                kernel = kernel.bind("dy", Use::Write, &dy.buffer);
                format!("dy[DY_at(n, y, x, c)] = {value};")
            }
            (Some(dx), false) => {
                kernel = kernel.bind("dy", Use::Read, &dy.buffer).map("DX", &dx.map);
                kernel = kernel.bind("dx", Use::Write, &dx.buffer);
                format!("dx[DX_at(n, y, x, c)] {} {value};", dx.operator())
            }
            (None, false) => return Ok(vec![]),
        };
        Ok(vec![kernel.code(&elements("V", &body)).each(io.y.map.shape.len())])
    }
}

/// A flattening: nothing, or a copy where the two layouts differ.
pub(in crate::gpu) struct FlattenForm;

impl Form for FlattenForm {
    fn forward(&self, io: &Io<'_>) -> Result<Vec<Dispatch>> {
        if io.aliased {
            return Ok(vec![]);
        }
        let x = &io.x[0];
        let kernel = io.kernel("forward").map("X", &x.map).map("Y", &io.y.map);
        let kernel = kernel.bind("given", Use::Read, &x.buffer).bind("out", Use::Write, &io.y.buffer);
        let body = "out[Y_at(n, 0u, 0u, (y * X_W + x) * X_C + c)] = given[X_at(n, y, x, c)];";
        Ok(vec![kernel.code(&elements("X", body)).each(x.map.shape.len())])
    }

    fn backward(&self, io: &Io<'_>, back: &Back) -> Result<Vec<Dispatch>> {
        let (false, Some(dy), Some(dx)) = (io.aliased, &back.dy, &back.dx[0]) else { return Ok(vec![]) };
        let kernel = io.kernel("backward").map("DX", &dx.map).map("DY", &dy.map);
        let kernel = kernel.bind("dy", Use::Read, &dy.buffer).bind("dx", Use::Write, &dx.buffer);
        let place = "DY_at(n, 0u, 0u, (y * DX_W + x) * DX_C + c)";
        let body = format!("dx[DX_at(n, y, x, c)] {} dy[{place}];", dx.operator());
        Ok(vec![kernel.code(&elements("DX", &body)).each(dx.map.shape.len())])
    }
}
