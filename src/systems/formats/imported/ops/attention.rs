//! `Attention`: scaled dot products of queries with keys, a softmax, and the values it weighs (Vaswani et al. 2017, section
//! 3.2), as PyTorch exports it from opset 23 on.

use super::super::call::{Answer, Call, array};
use super::product::multiply;
use crate::error::Result;
use crate::file::array::{Array, Data};
use crate::kernel::softmax::softmax;
use ndarray::{ArrayD, Axis, concatenate};

/// A stack of heads: `batch × heads × length × size`, in that order in memory.
struct Heads {
    batch: usize,
    heads: usize,
    length: usize,
    size: usize,
    data: ArrayD<f32>,
}

impl Heads {
    /// Input `i`: four axes, or three of which the last holds the heads that an attribute counts.
    fn new(call: &Call, i: usize, count: &str) -> Result<Self> {
        let x = call.real(i)?;
        let data = match *x.shape() {
            [_, _, _, _] => x.clone(),
            [batch, length, wide] => {
                let heads = usize::try_from(call.int(count, 0)?).ok().filter(|&n| n > 0 && wide.is_multiple_of(n));
                let heads = heads.ok_or_else(|| call.refuse(format!("{count} that divides {wide}"), "another"))?;
                let split = array(&[batch, length, heads, wide / heads], x.iter().copied().collect())?;
                split.permuted_axes(vec![0, 2, 1, 3]).as_standard_layout().into_owned()
            }
            ref other => return Err(call.refuse("three or four axes", format!("{other:?}"))),
        };
        Ok(Self::of(data))
    }

    fn of(data: ArrayD<f32>) -> Self {
        let side = |axis: usize| data.shape()[axis];
        Self { batch: side(0), heads: side(1), length: side(2), size: side(3), data }
    }

    /// This behind those of input `i`, if that is given.
    fn behind(self, call: &Call, i: usize) -> Result<Self> {
        let Some(past) = call.real_or_none(i)? else { return Ok(self) };
        let joined = concatenate(Axis(2), &[past.view(), self.data.view()]);
        let joined = joined.map_err(|_| {
            call.refuse(format!("a past that fits {:?}", self.data.shape()), format!("{:?}", past.shape()))
        })?;
        Ok(Self::of(joined.as_standard_layout().into_owned()))
    }

    fn one(&self, batch: usize, head: usize) -> &[f32] {
        let each = self.length * self.size;
        &self.data.as_slice().unwrap_or(&[])[(batch * self.heads + head) * each..][..each]
    }
}

/// What is added to each product, and where a query may look.
struct Bias<'a> {
    mask: Option<(&'a Array, Vec<usize>)>,
    causal: bool,
    /// Keys that lie before the first query, in each image.
    offsets: Vec<i64>,
    /// Keys that count, in each image.
    counted: Vec<i64>,
    /// How far a query looks back and ahead; anywhere if negative.
    window: (i64, i64),
}

impl<'a> Bias<'a> {
    fn new(call: &'a Call, q: &Heads, keys: usize) -> Result<Self> {
        let past = call.given(4).map_or(0, |past| past.shape().get(2).copied().unwrap_or(0)) as i64;
        let (mut offsets, mut counted) = (vec![past; q.batch], vec![keys as i64; q.batch]);
        if call.given(6).is_some() {
            let list: Vec<i64> = call.whole(6)?.iter().copied().collect();
            if list.len() != q.batch || call.given(4).is_some() {
                return Err(call.refuse(format!("{} counts of keys, and no past", q.batch), list.len()));
            }
            offsets = list.iter().map(|n| n.saturating_sub(q.length as i64)).collect();
            counted = list;
        }
        let mask = call.given(3).map(|mask| {
            let shape = mask.shape();
            let wanted = [q.batch, q.heads, q.length];
            let lead = &shape[..shape.len().saturating_sub(1)];
            let fits = (1..=4).contains(&shape.len())
                && shape.last().is_some_and(|&last| last <= keys)
                && lead.iter().rev().zip(wanted.iter().rev()).all(|(have, want)| have == want || *have == 1);
            if fits { Ok((mask, shape.to_vec())) } else { Err(call.refuse("a mask that fits", format!("{shape:?}"))) }
        });
        let window = (call.int("left_window_size", -1)?, call.int("right_window_size", -1)?);
        Ok(Self { mask: mask.transpose()?, causal: call.int("is_causal", 0)? != 0, offsets, counted, window })
    }

    /// What is added for query `i` and key `j`.
    fn at(&self, batch: usize, head: usize, i: usize, j: usize) -> f32 {
        let (query, key) = (self.offsets[batch].saturating_add(i as i64), j as i64);
        let (back, ahead) = self.window;
        let hidden = self.causal && key > query
            || key >= self.counted[batch]
            || back >= 0 && query - key > back
            || ahead >= 0 && key - query > ahead;
        if hidden {
            return f32::NEG_INFINITY;
        }
        let Some((mask, shape)) = &self.mask else { return 0.0 };
        let last = shape[shape.len() - 1];
        if j >= last {
            // A mask that ends early hides the rest.
            return f32::NEG_INFINITY;
        }
        let lead = shape[..shape.len() - 1].iter().rev().zip([i, head, batch]).rev();
        let at = lead.fold(0, |at, (&side, place)| at * side + if side == 1 { 0 } else { place }) * last + j;
        match mask.data() {
            Data::Real(mask) => mask.as_slice().map_or(0.0, |mask| mask[at]),
            Data::Whole(mask) if mask.as_slice().is_some_and(|mask| mask[at] != 0) => 0.0,
            Data::Whole(_) => f32::NEG_INFINITY,
        }
    }
}

/// `Attention`: its answer, the keys and values with the past before them, and the products as far as asked.
pub(super) fn attention(call: &Call) -> Answer {
    let flat = call.real(0)?.ndim() == 3;
    let q = Heads::new(call, 0, "q_num_heads")?;
    let k = Heads::new(call, 1, "kv_num_heads")?.behind(call, 4)?;
    let v = Heads::new(call, 2, "kv_num_heads")?.behind(call, 5)?;
    let fits =
        q.size == k.size && k.length == v.length && k.heads == v.heads && (q.batch, k.batch) == (k.batch, v.batch);
    if !fits || k.heads == 0 || !q.heads.is_multiple_of(k.heads) || q.size == 0 {
        let shapes = [&q, &k, &v].map(|heads| format!("{:?}", heads.data.shape()));
        return Err(call.refuse("queries, keys and values that fit", shapes.join(", ")));
    }
    let bias = Bias::new(call, &q, k.length)?;
    let scale = call.float("scale", 1.0 / (q.size as f32).sqrt())?;
    let (cap, mode) = (call.float("softcap", 0.0)?, call.int("qk_matmul_output_mode", 0)?);
    let (m, n) = (q.length, k.length);
    call.sized(&[q.batch, q.heads, m, n])?;
    call.sized(&[q.batch, q.heads, m, v.size])?;
    call.multiply(&[q.batch, q.heads, m, n, q.size + v.size])?;
    let (mut out, mut shown) = (Vec::new(), Vec::new());
    for (b, h) in (0..q.batch).flat_map(|b| (0..q.heads).map(move |h| (b, h))) {
        let own = h / (q.heads / k.heads);
        let mut products = multiply(call.level, (m, q.size, n), q.one(b, h), k.one(b, own), true);
        products.iter_mut().for_each(|p| *p *= scale);
        if mode == 0 && cap <= 0.0 {
            shown.extend_from_slice(&products);
        }
        if cap > 0.0 {
            products.iter_mut().for_each(|p| *p = (*p / cap).tanh() * cap);
        }
        if mode == 1 || mode == 0 && cap > 0.0 {
            shown.extend_from_slice(&products);
        }
        for (i, row) in products.chunks_exact_mut(n.max(1)).enumerate() {
            row.iter_mut().enumerate().for_each(|(j, p)| {
                let add = bias.at(b, h, i, j);
                *p = if add == f32::NEG_INFINITY { add } else { *p + add };
            });
        }
        if mode == 2 {
            shown.extend_from_slice(&products);
        }
        // Where everything is hidden there is nothing to weigh.
        for row in products.chunks_exact_mut(n.max(1)) {
            match row.iter().all(|p| *p == f32::NEG_INFINITY) {
                true => row.fill(0.0),
                false => softmax(call.level, row, n),
            }
        }
        if mode == 3 {
            shown.extend_from_slice(&products);
        }
        out.extend(multiply(call.level, (m, n, v.size), &products, v.one(b, own), false));
    }
    let mut y = array(&[q.batch, q.heads, m, v.size], out)?;
    if flat {
        y = y.permuted_axes(vec![0, 2, 1, 3]);
        y = array(&[q.batch, m, q.heads * v.size], y.iter().copied().collect())?;
    }
    let number = call.x(0)?.number();
    let shown = array(&[q.batch, q.heads, m, n], shown)?;
    Ok(vec![
        Array::real(number, y),
        Array::real(call.x(1)?.number(), k.data),
        Array::real(call.x(2)?.number(), v.data),
        Array::real(number, shown),
    ])
}
