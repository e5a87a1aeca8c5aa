//! Recurrent operators: LSTM, GRU and RNN, over sequences of any length, forwards, backwards or both ways.

use super::super::call::{Answer, Call, array};
use super::product::Factor;
use super::squash::{Squash, squashes};
use crate::error::Result;
use crate::kernel::Level;
use ndarray::ArrayD;

/// Which cell runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rnn,
    Gru { linear_before_reset: bool },
    Lstm { input_forget: bool },
}

impl Kind {
    const fn gates(self) -> usize {
        match self {
            Self::Rnn => 1,
            Self::Gru { .. } => 3,
            Self::Lstm { .. } => 4,
        }
    }

    const fn squashes(self) -> &'static [&'static str] {
        match self {
            Self::Rnn => &["Tanh"],
            Self::Gru { .. } => &["Sigmoid", "Tanh"],
            Self::Lstm { .. } => &["Sigmoid", "Tanh", "Tanh"],
        }
    }
}

/// Sides of a recurrent operator.
#[derive(Debug, Clone, Copy)]
struct Sides {
    steps: usize,
    batch: usize,
    hidden: usize,
}

/// How numbers of one side are multiplied with a direction's weights.
pub(super) trait Weights {
    /// `m` rows of `a` times the weights.
    fn times(&self, level: Level, m: usize, a: &[f32]) -> Vec<f32>;
}

impl Weights for Factor {
    fn times(&self, level: Level, m: usize, a: &[f32]) -> Vec<f32> {
        Factor::times(self, level, m, a)
    }
}

/// One direction: its weights, and what its cell adds and squashes.
struct Way<'a> {
    kind: Kind,
    sides: Sides,
    input: Box<dyn Weights + 'a>,
    state: Box<dyn Weights + 'a>,
    /// What is added behind the input's and behind the state's product, a number for each gate's.
    bias: (&'a [f32], &'a [f32]),
    peepholes: &'a [f32],
    squashes: Vec<Squash>,
    clip: f32,
    back: bool,
    lengths: &'a [usize],
}

/// What a direction leaves: hidden states after each step, and the last hidden state and cell.
struct Left {
    all: Vec<f32>,
    hidden: Vec<f32>,
    cell: Vec<f32>,
}

/// `LSTM`, `GRU` and `RNN`.
pub(super) fn recurrent(call: &Call) -> Answer {
    let (w, r) = (call.real(1)?, call.real(2)?);
    let kind = kind(call)?;
    run(call, kind, (w.shape(), r.shape()), false, &|level, way, [i, h, g]| {
        let (w, r) = (numbers(w), numbers(r));
        let input = Factor::turned(level, (i, g), &w[way * g * i..][..g * i]);
        let state = Factor::turned(level, (h, g), &r[way * g * h..][..g * h]);
        (Box::new(input), Box::new(state))
    })
}

fn kind(call: &Call) -> Result<Kind> {
    Ok(match call.node.op.as_str() {
        "RNN" => Kind::Rnn,
        "GRU" => Kind::Gru { linear_before_reset: call.int("linear_before_reset", 0)? != 0 },
        _ => Kind::Lstm { input_forget: call.int("input_forget", 0)? != 0 },
    })
}

/// `DynamicQuantizeLSTM`: weights of 8 bits, and what they are multiplied with brought to 8 bits before each product.
pub(super) fn quantised(call: &Call) -> Answer {
    let kind = kind(call)?;
    let (w, r) = (call.whole(1)?, call.whole(2)?);
    let sides = (w.shape(), r.shape());
    run(call, kind, sides, true, &|_, way, [i, h, g]| {
        let weights = |list: &ArrayD<i64>, rows: usize, at: usize| {
            super::integer::Dynamic::new(call, list, way, (rows, g), (at, at + 1))
        };
        (Box::new(weights(w, i, 8)), Box::new(weights(r, h, 10)))
    })
}

type Pair<'a> = (Box<dyn Weights + 'a>, Box<dyn Weights + 'a>);

/// Runs every direction. `weights` lays out those of one; `turned` says that their columns are the gates', not their rows.
fn run<'a>(
    call: &'a Call,
    kind: Kind,
    (w, r): (&[usize], &[usize]),
    turned: bool,
    weights: &dyn Fn(Level, usize, [usize; 3]) -> Pair<'a>,
) -> Answer {
    let batch_first = call.int("layout", 0)? != 0;
    let x = call.real(0)?;
    let x = if batch_first && x.ndim() == 3 { &swapped(x, 0, 1) } else { x };
    let directions: &[bool] = match call.text("direction", "forward")? {
        "forward" => &[false],
        "reverse" => &[true],
        "bidirectional" => &[false, true],
        other => return Err(call.refuse("a direction: forward, reverse or bidirectional", other)),
    };
    let (ways, gates) = (directions.len(), kind.gates());
    let hidden = r.last().map_or(0, |&last| if turned { last / gates } else { last });
    let &[steps, batch, inputs] = x.shape() else {
        return Err(call.refuse("sequences of three axes", format!("{:?}", x.shape())));
    };
    let sides = Sides { steps, batch, hidden };
    let wide = gates * hidden;
    let wanted = if turned {
        ([ways, inputs, wide], [ways, hidden, wide])
    } else {
        ([ways, wide, inputs], [ways, wide, hidden])
    };
    if hidden == 0 || call.int("hidden_size", hidden as i64)? != hidden as i64 || w != wanted.0 || r != wanted.1 {
        return Err(call.refuse(format!("weights of {wanted:?}"), format!("{w:?} and {r:?}")));
    }
    call.sized(&[steps, ways, batch, wide])?;
    call.multiply(&[steps, ways, batch, wide, inputs + hidden])?;
    let lengths = lengths(call, sides)?;
    let part = |i: usize, each: usize| -> Result<&[f32]> {
        match call.real_or_none(i)? {
            None => Ok(&[]),
            Some(list) if list.len() == ways * each => Ok(numbers(list)),
            Some(list) => Err(call.refuse(format!("{} numbers as input {i}", ways * each), list.len())),
        }
    };
    let (bias, peepholes) = (part(3, 2 * wide)?, part(7, if gates == 4 { 3 * hidden } else { 0 })?);
    let first = |i: usize| -> Result<Vec<f32>> {
        let list = part(i, batch * hidden)?;
        Ok(match call.real_or_none(i)? {
            Some(state) if batch_first && state.ndim() == 3 => numbers(&swapped(state, 0, 1)).to_vec(),
            Some(_) => list.to_vec(),
            None => vec![0.0; ways * batch * hidden],
        })
    };
    let hidden_first = first(5)?;
    let cell_first = if gates == 4 { first(6)? } else { vec![0.0; ways * batch * hidden] };
    let clip = call.float("clip", f32::INFINITY)?;
    if clip.is_nan() || clip < 0.0 {
        return Err(call.refuse("a clip of at least 0", clip));
    }
    let squashes = squashes(call, kind.squashes(), ways)?;
    let mut left = Vec::with_capacity(ways);
    for ((k, &back), squashes) in directions.iter().enumerate().zip(squashes) {
        let of = |list: &'a [f32], each: usize| if list.is_empty() { list } else { &list[k * each..][..each] };
        let (input, state) = weights(call.level, k, [inputs, hidden, wide]);
        let both = of(bias, 2 * wide);
        let bias = both.split_at(both.len() / 2);
        let way = Way {
            kind,
            sides,
            input,
            state,
            bias,
            peepholes: of(peepholes, 3 * hidden),
            squashes,
            clip,
            back,
            lengths: &lengths,
        };
        let from = k * batch * hidden..(k + 1) * batch * hidden;
        left.push(way.run(call.level, numbers(x), &hidden_first[from.clone()], &cell_first[from]));
    }
    answers(sides, &left, batch_first, kind)
}

/// The outputs: all hidden states (steps × ways × batch × hidden), the last, and an LSTM's last cells.
fn answers(sides: Sides, left: &[Left], batch_first: bool, kind: Kind) -> Answer {
    let Sides { steps, batch, hidden } = sides;
    let each = batch * hidden;
    let all = (0..steps).flat_map(|t| left.iter().flat_map(move |way| &way.all[t * each..][..each]).copied());
    let mut all = array(&[steps, left.len(), batch, hidden], all.collect())?;
    let last = |of: fn(&Left) -> &[f32]| {
        array(&[left.len(), batch, hidden], left.iter().flat_map(|way| of(way).iter().copied()).collect())
    };
    let mut out = vec![last(|way| &way.hidden)?];
    if matches!(kind, Kind::Lstm { .. }) {
        out.push(last(|way| &way.cell)?);
    }
    if batch_first {
        all = swapped(&swapped(&all, 0, 2), 1, 2);
        out = out.iter().map(|state| swapped(state, 0, 1)).collect();
    }
    Ok(std::iter::once(all).chain(out).map(Into::into).collect())
}

fn numbers(x: &ArrayD<f32>) -> &[f32] {
    x.as_slice().unwrap_or(&[])
}

fn swapped(x: &ArrayD<f32>, a: usize, b: usize) -> ArrayD<f32> {
    let mut view = x.view();
    view.swap_axes(a, b);
    view.as_standard_layout().into_owned()
}

fn lengths(call: &Call, sides: Sides) -> Result<Vec<usize>> {
    if call.given(4).is_none() {
        return Ok(vec![sides.steps; sides.batch]);
    }
    let list = call.whole(4)?;
    let fits = |&v: &i64| usize::try_from(v).ok().filter(|&v| v <= sides.steps);
    let lengths: Option<Vec<usize>> = list.iter().map(fits).collect();
    let Sides { steps, batch, .. } = sides;
    let refuse = || call.refuse(format!("{batch} lengths up to {steps}"), format!("{list:?}"));
    lengths.filter(|lengths| lengths.len() == batch).ok_or_else(refuse)
}

impl Way<'_> {
    fn run(&self, level: Level, x: &[f32], hidden: &[f32], cell: &[f32]) -> Left {
        let Sides { steps, batch, hidden: n, .. } = self.sides;
        let wide = self.kind.gates() * n;
        let mut sums = self.input.times(level, steps * batch, x);
        if !self.bias.0.is_empty() {
            // A GRU that resets behind the product adds the state's bias there.
            let late = matches!(self.kind, Kind::Gru { linear_before_reset: true });
            for row in sums.chunks_exact_mut(wide) {
                for (j, (sum, (a, b))) in row.iter_mut().zip(self.bias.0.iter().zip(self.bias.1)).enumerate() {
                    *sum += if late && j >= 2 * n { *a } else { a + b };
                }
            }
        }
        let mut left = Left { all: vec![0.0; steps * batch * n], hidden: hidden.to_vec(), cell: cell.to_vec() };
        for k in 0..steps {
            let t = if self.back { steps - 1 - k } else { k };
            let rows = &mut sums[t * batch * wide..][..batch * wide];
            let before = left.hidden.clone();
            let products = self.state.times(level, batch, &before);
            let reset = self.reset(level, rows, &products, &before);
            for b in (0..batch).filter(|b| t < self.lengths[*b]) {
                let at = b * n..(b + 1) * n;
                let row = &mut rows[b * wide..][..wide];
                let product = &products[b * wide..][..wide];
                let state = &mut left.hidden[at.clone()];
                match self.kind {
                    Kind::Rnn => self.rnn(row, product, state),
                    Kind::Gru { .. } => self.gru(row, product, &reset[at.clone()], state),
                    Kind::Lstm { input_forget } => {
                        self.lstm(row, product, input_forget, &mut left.cell[at.clone()], state);
                    }
                }
                left.all[(t * batch + b) * n..][..n].copy_from_slice(state);
            }
        }
        left
    }

    fn squash(&self, which: usize, x: f32) -> f32 {
        self.squashes[which].of(x.clamp(-self.clip, self.clip))
    }

    fn rnn(&self, row: &[f32], product: &[f32], state: &mut [f32]) {
        for (h, (a, b)) in state.iter_mut().zip(row.iter().zip(product)) {
            *h = self.squash(0, a + b);
        }
    }

    /// What a GRU's reset gate leaves of the state, behind the product with the weights of the last gate.
    fn reset(&self, level: Level, rows: &[f32], products: &[f32], before: &[f32]) -> Vec<f32> {
        let Kind::Gru { linear_before_reset } = self.kind else { return Vec::new() };
        let (n, batch) = (self.sides.hidden, self.sides.batch);
        let gate = |b: usize, j: usize| {
            let at = b * 3 * n + n + j;
            self.squash(0, rows[at] + products[at])
        };
        if linear_before_reset {
            let bias = |j: usize| self.bias.1.get(2 * n + j).copied().unwrap_or(0.0);
            let one = |b: usize, j: usize| gate(b, j) * (products[b * 3 * n + 2 * n + j] + bias(j));
            return (0..batch).flat_map(|b| (0..n).map(move |j| (b, j))).map(|(b, j)| one(b, j)).collect();
        }
        let kept: Vec<f32> = (0..batch * n).map(|i| gate(i / n, i % n) * before[i]).collect();
        let all = self.state.times(level, batch, &kept);
        (0..batch).flat_map(|b| all[b * 3 * n + 2 * n..][..n].to_vec()).collect()
    }

    fn gru(&self, row: &[f32], product: &[f32], reset: &[f32], state: &mut [f32]) {
        let n = state.len();
        for (j, h) in state.iter_mut().enumerate() {
            let update = self.squash(0, row[j] + product[j]);
            let new = self.squash(1, row[2 * n + j] + reset[j]);
            *h = (1.0 - update) * new + update * *h;
        }
    }

    /// Gates in the order input, output, forget, cell.
    fn lstm(&self, row: &[f32], product: &[f32], input_forget: bool, cell: &mut [f32], state: &mut [f32]) {
        let n = state.len();
        let sum = |gate: usize, j: usize| row[gate * n + j] + product[gate * n + j];
        let peep = |gate: usize, j: usize, cell: f32| self.peepholes.get(gate * n + j).map_or(0.0, |p| p * cell);
        for (j, (h, c)) in state.iter_mut().zip(cell).enumerate() {
            let input = self.squash(0, sum(0, j) + peep(0, j, *c));
            let forget = if input_forget { 1.0 - input } else { self.squash(0, sum(2, j) + peep(2, j, *c)) };
            *c = forget * *c + input * self.squash(1, sum(3, j));
            let output = self.squash(0, sum(1, j) + peep(1, j, *c));
            *h = output * self.squashes[2].of(*c);
        }
    }
}
