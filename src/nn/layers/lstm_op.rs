//! The computation of a long short-term memory; the layer is [`super::lstm::Lstm`].

use super::lstm::{Lstm, roles};
use crate::kernel::gemm::{Rows, Store, gemm, gemm_transposed, pack, pack_rows, packed_len};
use crate::kernel::recurrent::{GATES, Step, lstm, lstm_backward};
use crate::kernel::reduce::column_sums;
use crate::kernel::tile::{Pixels, Segment};
use crate::kernel::{Level, act};
use crate::nn::layer::{Backward, Forward, Io, Op};
use crate::shape::Shape;
use crate::tensor::Map;
use std::ops::Range;

/// A right operand in the kernels' panels.
struct Packed {
    of: Vec<f32>,
    version: u64,
}

impl Packed {
    fn new(level: Level, k: usize, n: usize) -> Self {
        Self { of: vec![0.0; packed_len(level, k, n)], version: 0 }
    }
}

pub(super) struct LstmOp {
    hidden: usize,
    cells: bool,
    io: Io,
    /// The weights of inputs and of states, forward and turned.
    forward: [Packed; 2],
    turned: [Packed; 2],
    /// Where each step begins in the sequence and among the gates; among the gates and in the sequence's gradient.
    tables: [Vec<(u32, u32)>; 2],
    /// The sum of both biases.
    bias: Vec<f32>,
    /// By image, then by step: the gates, the cells, and their hyperbolic tangents.
    gates: Vec<f32>,
    cell: Vec<f32>,
    squashed: Vec<f32>,
    /// Zeros in the place of states that are not given.
    zeros: Vec<f32>,
    /// By image, then by step: the gradients before the gates; and packed, for the weights' gradients.
    dgates: Vec<f32>,
    packed: Vec<f32>,
    /// By image: the gradients of hidden state and cell, on their way back.
    dhidden: Vec<f32>,
    dcell: Vec<f32>,
    /// By image, then by step: the hidden states before each step.
    before: Vec<f32>,
}

impl LstmOp {
    pub(super) fn new(Lstm { hidden, cells }: Lstm, io: &Io) -> Self {
        let (level, c, all, gates) = (io.level, io.x[0].shape.c, io.batch * io.x[0].shape.h, GATES * hidden);
        let back = usize::from(io.gradients.is_some());
        let map = io.gradients.as_ref().map_or(io.x[0], |(dx, _)| dx[0]);
        let steps = |map: Map| (0..map.shape.h).map(move |t| (map.at(t, 0) as u32, (t * gates) as u32));
        let operands = |on: usize, sizes: [(usize, usize); 2]| sizes.map(|(k, n)| Packed::new(level, on * k, n));
        Self {
            hidden,
            cells,
            io: io.clone(),
            forward: operands(1, [(c, gates), (hidden, gates)]),
            turned: operands(back, [(gates, c), (gates, hidden)]),
            tables: [steps(io.x[0]).collect(), steps(map).map(|(x, gates)| (gates, x)).collect()],
            bias: vec![0.0; gates],
            gates: vec![0.0; all * gates],
            cell: vec![0.0; all * hidden],
            squashed: vec![0.0; all * hidden],
            zeros: vec![0.0; hidden],
            dgates: vec![0.0; back * all * gates],
            packed: vec![0.0; back * packed_len(level, all, gates)],
            dhidden: vec![0.0; back * io.batch * hidden],
            dcell: vec![0.0; back * io.batch * hidden],
            before: vec![0.0; back * all * hidden],
        }
    }

    fn steps(&self) -> usize {
        self.io.x[0].shape.h
    }

    /// The weights of inputs (0) or states (1): stored as inputs × gates.
    fn weight<'a>(&self, which: usize, params: &'a [f32]) -> &'a [f32] {
        &params[self.io.params[which].clone()]
    }

    fn pack_forward(&mut self, (params, version): (&[f32], u64)) {
        let gates = GATES * self.hidden;
        for k in 0..2 {
            if self.forward[k].version != version {
                let rows = self.weight(k, params).chunks_exact(gates);
                pack_rows(self.io.level, gates, rows, &mut self.forward[k].of);
                self.forward[k].version = version;
            }
        }
        let [ih, hh] = [2, 3].map(|k| &params[self.io.params[k].clone()]);
        self.bias.iter_mut().zip(ih).zip(hh).for_each(|((sum, ih), hh)| *sum = ih + hh);
    }

    fn pack_turned(&mut self, (params, version): (&[f32], u64)) {
        let gates = GATES * self.hidden;
        for k in 0..2 {
            if self.turned[k].version != version {
                let (weight, n) = (self.weight(k, params), self.io.params[k].len() / gates);
                pack(self.io.level, gates, n, |row, column| weight[column * gates + row], &mut self.turned[k].of);
                self.turned[k].version = version;
            }
        }
    }

    /// How many steps of image `i` count.
    fn length(&self, lengths: Option<&[f32]>, i: usize) -> usize {
        lengths.map_or(self.steps(), |of| (of[i * self.io.x.last().map_or(1, Map::len)] as usize).min(self.steps()))
    }

    /// The numbers of the place (image, step) among as many for each.
    fn place(&self, i: usize, t: usize, each: usize) -> Range<usize> {
        let start = (i * self.steps() + t) * each;
        start..start + each
    }

    /// A first state of image `i`: input `k`, or zeros.
    fn first<'a>(&'a self, given: Option<&'a [f32]>, k: usize, i: usize) -> &'a [f32] {
        given.map_or(&self.zeros, |state| {
            let map = &self.io.x[k];
            &state[i * map.len() + map.at(0, 0)..][..self.hidden]
        })
    }

    /// Adds what the state before step `t` says to the sums before the gates of all `n` images.
    fn add_state(&mut self, n: usize, t: usize, y: &[f32], first: Option<&[f32]>) {
        let (h, gates, steps) = (self.hidden, GATES * self.hidden, self.steps());
        let (state, map, at) = match (t, first) {
            (0, None) => return,
            (0, Some(first)) => (first, &self.io.x[1], self.io.x[1].at(0, 0)),
            _ => (y, &self.io.y, self.io.y.at(t - 1, 0)),
        };
        let table = [(at as u32, (t * gates) as u32)];
        let rows = Rows { table: &table, images: n, a_step: map.len(), c_step: steps * gates };
        let segments = [Segment { offset: 0, len: h }];
        gemm(self.io.level, state, rows, &segments, &self.forward[1].of, gates, Store::Add, &mut self.gates);
    }

    /// The step of one image, or zeros behind its length.
    fn step(&mut self, i: usize, t: usize, lives: bool, y: &mut [f32], first: Option<&[f32]>) {
        let h = self.hidden;
        let at = i * self.io.y.len() + self.io.y.at(t, 0);
        let out = &mut y[at..at + self.io.y.shape.c];
        if !lives {
            return out.fill(0.0);
        }
        let (here, gates) = (self.place(i, t, h), self.place(i, t, GATES * h));
        let mut cells = std::mem::take(&mut self.cell);
        let (past, now) = cells.split_at_mut(here.start);
        let (mut squashed, mut all) = (std::mem::take(&mut self.squashed), std::mem::take(&mut self.gates));
        let before = if t == 0 { self.first(first, 2, i) } else { &past[here.start - h..] };
        lstm(self.io.level, &mut all[gates], before, &mut now[..h], &mut squashed[here], &mut out[..h]);
        if self.cells {
            out[h..].copy_from_slice(&now[..h]);
        }
        (self.cell, self.squashed, self.gates) = (cells, squashed, all);
    }

    /// The gradients of hidden state and cell that step `t` of image `i` begins with: what later steps left, and the output's.
    fn gather(&mut self, i: usize, t: usize, dy: &[f32], map: &Map) {
        let (h, level) = (self.hidden, self.io.level);
        let at = i * map.len() + map.at(t, 0);
        act::add_assign(level, &mut self.dhidden[i * h..][..h], &dy[at..at + h]);
        if self.cells {
            act::add_assign(level, &mut self.dcell[i * h..][..h], &dy[at + h..at + 2 * h]);
        }
    }

    /// The way back through all steps: leaves the gradients before the gates, and of the first states.
    fn back(&mut self, cx: &Backward<'_>, dy: &Map) {
        let (n, h, gates, steps) = (cx.n, self.hidden, GATES * self.hidden, self.steps());
        let (states, length) = roles(self.io.x.len());
        let (lengths, first) = (length.map(|k| cx.x(k)), states.then(|| cx.x(2)));
        self.dhidden.fill(0.0);
        self.dcell.fill(0.0);
        for t in (0..steps).rev() {
            for i in 0..n {
                let (here, of_gates) = (self.place(i, t, h), self.place(i, t, gates));
                if t >= self.length(lengths, i) {
                    self.dgates[of_gates].fill(0.0);
                    continue;
                }
                self.gather(i, t, cx.dy, dy);
                let (mut dcell, mut dgates) = (std::mem::take(&mut self.dcell), std::mem::take(&mut self.dgates));
                let before = if t == 0 { self.first(first, 2, i) } else { &self.cell[here.start - h..here.start] };
                let step = Step { gates: &self.gates[of_gates.clone()], before, squashed: &self.squashed[here] };
                let dhidden = &self.dhidden[i * h..][..h];
                lstm_backward(self.io.level, step, dhidden, &mut dcell[i * h..][..h], &mut dgates[of_gates]);
                (self.dcell, self.dgates) = (dcell, dgates);
            }
            // What is behind a sequence's length has gradients of 0 before its gates, and so gives its state none.
            let table = [((t * gates) as u32, 0)];
            let rows = Rows { table: &table, images: n, a_step: steps * gates, c_step: h };
            let segments = [Segment { offset: 0, len: gates }];
            let turned = &self.turned[1].of;
            gemm(self.io.level, &self.dgates, rows, &segments, turned, h, Store::SET, &mut self.dhidden);
        }
    }

    /// The hidden states before every step, beside one another.
    fn collect(&mut self, cx: &Backward<'_>) {
        let (h, given) = (self.hidden, (self.io.x.len() > 2).then(|| cx.x(1)));
        let mut states = std::mem::take(&mut self.before);
        for i in 0..cx.n {
            for t in 0..self.steps() {
                let state = match t {
                    0 => self.first(given, 1, i),
                    _ => &cx.y()[i * self.io.y.len() + self.io.y.at(t - 1, 0)..][..h],
                };
                states[self.place(i, t, h)].copy_from_slice(state);
            }
        }
        self.before = states;
    }

    /// Adds the gradients of weights and biases.
    fn learn(&mut self, cx: &mut Backward<'_>) {
        let (n, h, gates, steps, level) = (cx.n, self.hidden, GATES * self.hidden, self.steps(), self.io.level);
        self.collect(cx);
        let all = n * steps;
        let packed = &mut self.packed[..packed_len(level, all, gates)];
        pack_rows(level, gates, self.dgates[..all * gates].chunks_exact(gates), packed);
        let pixels = |c: usize, row: usize, image: usize| Pixels {
            step: c,
            count: 1,
            row_step: row,
            rows: steps,
            image_step: image,
            images: n,
        };
        let (map, c) = (self.io.x[0], self.io.x[0].shape.c);
        let x = cx.inputs[0].of(cx.slots, n);
        let px = pixels(c, map.row(), map.len());
        let of_inputs = &mut cx.dparams[self.io.params[0].clone()];
        gemm_transposed(level, x, map.at(0, 0), c, &px, packed, gates, of_inputs);
        let px = pixels(h, h, steps * h);
        let of_states = &mut cx.dparams[self.io.params[1].clone()];
        gemm_transposed(level, &self.before, 0, h, &px, packed, gates, of_states);
        let map = Map::new(Shape::new(gates, steps, 1), (0, 0));
        for k in 2..4 {
            column_sums(level, (&self.dgates[..all * gates], &map), n, &mut cx.dparams[self.io.params[k].clone()]);
        }
    }

    /// Hands on the gradient of the sequence.
    fn input_gradient(&self, cx: &mut Backward<'_>, map: &Map) {
        let (n, c, gates, steps) = (cx.n, map.shape.c, GATES * self.hidden, self.steps());
        let Some((_, _, _, dx, first)) = cx.split(0) else { return };
        let rows = Rows { table: &self.tables[1], images: n, a_step: steps * gates, c_step: map.len() };
        let segments = [Segment { offset: 0, len: gates }];
        let store = if first { Store::SET } else { Store::Add };
        gemm(self.io.level, &self.dgates, rows, &segments, &self.turned[0].of, c, store, dx);
    }

    /// Hands on the gradients of the first states.
    fn state_gradients(&self, cx: &mut Backward<'_>, maps: &[Map]) {
        let h = self.hidden;
        for (k, state) in [(1, &self.dhidden), (2, &self.dcell)].into_iter().filter(|_| roles(maps.len()).0) {
            let Some((_, _, _, dx)) = cx.split_zeroed(k) else { continue };
            for (row, state) in maps[k].rows(dx.len() / maps[k].len()).zip(state.chunks_exact(h)) {
                act::add_assign(self.io.level, &mut dx[row], state);
            }
        }
    }
}

impl Op for LstmOp {
    fn forward(&mut self, cx: Forward<'_>) {
        self.pack_forward(cx.params);
        let (n, steps, gates, x) = (cx.n, self.steps(), GATES * self.hidden, self.io.x[0]);
        let (states, length) = roles(self.io.x.len());
        let lengths = length.map(|k| cx.x(k));
        let [hidden, cell] = [1, 2].map(|k| states.then(|| cx.x(k)));
        let rows = Rows { table: &self.tables[0], images: n, a_step: x.len(), c_step: steps * gates };
        let (segments, store) =
            ([Segment { offset: 0, len: x.shape.c }], Store::Set { bias: Some(&self.bias), relu: false });
        gemm(self.io.level, cx.x(0), rows, &segments, &self.forward[0].of, gates, store, &mut self.gates);
        for t in 0..steps {
            self.add_state(n, t, cx.y, hidden);
            for i in 0..n {
                let lives = t < self.length(lengths, i);
                self.step(i, t, lives, cx.y, cell);
            }
        }
    }

    fn backward(&mut self, mut cx: Backward<'_>) {
        let Some((maps, dy)) = self.io.gradients.take() else { return };
        self.pack_turned(cx.params);
        self.back(&cx, &dy);
        if self.io.learns {
            self.learn(&mut cx);
        }
        self.input_gradient(&mut cx, &maps[0]);
        self.state_gradients(&mut cx, &maps);
        self.io.gradients = Some((maps, dy));
    }
}
