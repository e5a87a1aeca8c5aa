//! The update on the device: what a step came to, the norm of its gradient, and the optimiser's rule over the whole arena.
//!
//! Three kernels: a tally of the losses, sums of the gradient's squares, the update. A step whose loss or gradient is no
//! finite number changes nothing, and neither do those behind it, until somebody has read so.

use super::kernel::{Dispatch, Kernel, Use};
use super::run::Run;
use crate::error::{Error, Result};
use crate::kernel::update::Rule;
use crate::nn::params::{Role, View};

const TALLY: &str = include_str!("tally.wgsl");
const UPDATE: &str = include_str!("update.wgsl");
/// Workgroups that sum the gradient's squares, as many as a workgroup's threads can add.
const NORMS: usize = 64;
/// Most losses of a network that are added up in one kernel.
const LOSSES: usize = 6;
/// Numbers in front of the rows of what steps came to, and in a row.
pub(super) const HEAD: usize = 4;
pub(super) const ROW: usize = 4;

/// What a rule does to parameter `p` with gradient `g`: `m` and `v` are what it remembers.
fn code(rule: Rule) -> &'static str {
    match rule {
        Rule::Sgd => "p = p - step.rate * (g + DECAY * p);",
        Rule::Momentum => "m = MU * m + (g + DECAY * p); p = p - step.rate * m;",
        Rule::Nesterov => "let d = g + DECAY * p; m = MU * m + d; p = p - step.rate * (d + MU * m);",
        Rule::AdaGrad => "let d = g + DECAY * p; v = v + d * d; p = p - step.rate * (d / (sqrt(v) + EPS));",
        Rule::RmsProp => {
            "let d = g + DECAY * p; v = PART * v + REST * d * d; p = p - step.rate * (d / (sqrt(v) + EPS));"
        }
        Rule::Adadelta => {
            "let d = g + DECAY * p; v = PART * v + REST * d * d;
            let by = sqrt(m + EPS) / sqrt(v + EPS) * d;
            m = PART * m + REST * by * by; p = p - step.rate * by;"
        }
        Rule::Adam | Rule::AdamW => {
            "let d = g + DECAY * p; m = m + REST1 * (d - m); v = PART * v + REST * d * d;
            p = step.keep * p - step.rate * m / (sqrt(v) / step.root + EPS);"
        }
    }
}

/// All that decides an update but its learning rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Update {
    /// The rule.
    pub rule: Rule,
    /// Part of the velocity that is kept; Adam's β₁.
    pub momentum: f64,
    /// Part of the mean of squares that is kept; Adam's β₂.
    pub smoothing: f64,
    /// Keeps rules that divide by a root from dividing by zero.
    pub eps: f64,
    /// Weight decay of every parameter.
    pub decay: f64,
    /// Penalty on the absolute size of weights, and on their square.
    pub l1: f32,
    /// `½ l2 Σ w²`.
    pub l2: f32,
    /// The longest gradient; 0 for any length.
    pub clip_norm: f32,
    /// The largest number in a gradient; 0 for any.
    pub clip_value: f32,
    /// Decay of the moving average of the parameters; 0 for none.
    pub average: f32,
}

impl Update {
    /// The rate, root and decay that step number `step`, counted from 1, takes at a learning rate: Adam corrects for what
    /// its moments have not seen yet.
    pub(super) fn rates(&self, rate: f32, step: u64) -> (f32, f32, f32) {
        let lr = f64::from(rate);
        match self.rule {
            Rule::Adam | Rule::AdamW => {
                let keep = if self.rule == Rule::AdamW { (1.0 - lr * self.decay) as f32 } else { 1.0 };
                let corrected = (lr / (1.0 - libm::pow(self.momentum, step as f64))) as f32;
                (corrected, libm::sqrt(1.0 - libm::pow(self.smoothing, step as f64)) as f32, keep)
            }
            _ => (rate, 1.0, 1.0),
        }
    }

    /// The average's decay behind so many steps: a young one would remember the first weights too long.
    pub(super) fn averaging(&self, steps: u64) -> f32 {
        let young = steps as f32 / (steps as f32 + 10.0);
        self.average.min(young)
    }
}

/// The buffers of an update beside the run's own.
pub(super) struct Arena {
    pub(super) first: wgpu::Buffer,
    pub(super) second: wgpu::Buffer,
    pub(super) average: wgpu::Buffer,
    /// What each step came to: `HEAD` numbers, then `ROW` for each step.
    pub(super) status: wgpu::Buffer,
}

/// What every number of the arena is to the update: 0 stays, −1 learns, −2 is a weight, above 0 a running statistic with
/// that momentum.
pub(super) fn tags(views: &[View], frozen: &[bool]) -> Vec<f32> {
    let mut tags = Vec::new();
    for (view, frozen) in views.iter().zip(frozen) {
        let tag = match view.role {
            _ if *frozen => 0.0,
            Role::Statistic(momentum) => momentum,
            Role::Weight => -2.0,
            // Latent weights belong to layers that have no kernels, which a run refuses before it comes here.
            Role::Bias | Role::Scale | Role::Latent => -1.0,
        };
        tags.resize(view.range().end, tag);
    }
    tags
}

/// What both passes over the arena are set by.
fn constants<'a>(kernel: Kernel<'a>, update: &Update, numbers: usize) -> Kernel<'a> {
    let kernel = kernel.number("L1", update.l1).number("L2", update.l2).number("MOST", update.clip_value);
    kernel.number("LONGEST", update.clip_norm).sizes([("NUMBERS", numbers), ("NORMS", NORMS)])
}

/// The kernels of an update behind those of a run. `factors` say how each loss counts in what is reported.
pub(super) fn kernels(
    run: &Run,
    update: &Update,
    tags: &wgpu::Buffer,
    arena: &Arena,
    factors: &[f32],
) -> Result<Vec<Dispatch>> {
    let device = run.device();
    let shared = &run.recorded.shared;
    let norms = device.buffer("norms", 4 * NORMS)?;
    let mut tally = Kernel::new(device, "tally", &shared.step).bind("status", Use::Write, &arena.status);
    let losses = &run.recorded.losses;
    if losses.len() > LOSSES {
        return Err(Error::value("losses of a network on a GPU", format!("at most {LOSSES}"), losses.len()));
    }
    let (mut sums, mut hits) = (String::new(), String::new());
    for (i, ((values, pixels, _), factor)) in losses.iter().zip(factors).enumerate() {
        tally = tally.bind(&format!("v{i}"), Use::Read, values);
        sums +=
            &format!("for (var k = local; k < step.n * {pixels}u; k += 64u) {{ loss += {factor:e}f * v{i}[k]; }}\n");
        let all = run.batch() * pixels;
        hits = format!("for (var k = local; k < step.n * {pixels}u; k += 64u) {{ right += v{i}[{all}u + k]; }}\n");
    }
    let tally = tally.code(&TALLY.replace("SUMS", &sums).replace("HITS", &hits)).grid(Box::new(|_| 1));
    let numbers = run.network().arena_len();
    let (measure, step) = UPDATE.split_once("// ---").expect("two sections");
    let kernel = Kernel::new(device, "norms", &shared.step).bind("params", Use::Read, &shared.params);
    let kernel = kernel.bind("gradient", Use::Read, &shared.gradient).bind("tags", Use::Read, tags);
    let norm = constants(kernel.bind("norms", Use::Write, &norms), update, numbers)
        .code(measure)
        .grid(Box::new(|_| NORMS as u32));
    let kernel = Kernel::new(device, "update", &shared.step).bind("params", Use::Write, &shared.params);
    let kernel = kernel.bind("gradient", Use::Read, &shared.gradient).bind("tags", Use::Read, tags);
    let kernel = kernel.bind("norms", Use::Read, &norms).bind("status", Use::Write, &arena.status);
    let decoupled = update.rule == Rule::AdamW;
    let kernel = constants(kernel, update, numbers).number("DECAY", if decoupled { 0.0 } else { update.decay as f32 });
    let kernel = kernel.number("MU", update.momentum as f32).number("PART", update.smoothing as f32);
    let kernel = kernel
        .number("REST1", (1.0 - update.momentum) as f32)
        .number("REST", (1.0 - update.smoothing) as f32)
        .number("EPS", update.eps as f32);
    let (mut kernel, mut load, mut store) = (kernel, String::new(), String::new());
    let (first, second) = update.rule.remembers();
    let parts = [(first, "first", "m", &arena.first), (second, "second", "v", &arena.second)];
    for (_, name, letter, buffer) in parts.into_iter().filter(|(there, ..)| *there) {
        kernel = kernel.bind(name, Use::Write, buffer);
        load += &format!("var {letter} = {name}[i]; ");
        store += &format!("{name}[i] = {letter}; ");
    }
    let mut after = String::new();
    if update.average > 0.0 {
        kernel = kernel.bind("mean", Use::Write, &arena.average);
        after = "mean[i] = mean[i] + (1.0 - step.average) * (p - mean[i]);".into();
    }
    let code = step.replace("RULE", &format!("{load}{}{store}", code(update.rule))).replace("AFTER", &after);
    let step = kernel.code(&code).threads(numbers);
    Ok(vec![tally, norm, step])
}
