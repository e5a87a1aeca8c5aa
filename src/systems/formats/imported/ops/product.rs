//! Matrix products, on the engine's kernel.

use super::super::call::{Answer, Call, array};
use super::broadcast::{broadcast, zip};
use crate::error::Result;
use crate::file::array::Array;
use crate::kernel::Level;
use crate::kernel::gemm::{Rows, Store, gemm as kernel, pack, pack_rows, packed_len};
use crate::kernel::tile::Segment;
use ndarray::ArrayD;

/// A matrix (k × n) laid out once for products with many others.
pub(super) struct Factor {
    packed: Vec<f32>,
    k: usize,
    n: usize,
}

impl Factor {
    /// Lays out `b` (k × n).
    fn new(level: Level, (k, n): (usize, usize), b: &[f32]) -> Self {
        let mut packed = vec![0.0; packed_len(level, k, n)];
        if k * n > 0 {
            pack_rows(level, n, b.chunks_exact(n), &mut packed);
        }
        Self { packed, k, n }
    }

    /// Lays out the transpose of `b` (n × k).
    pub(super) fn turned(level: Level, (k, n): (usize, usize), b: &[f32]) -> Self {
        let mut packed = vec![0.0; packed_len(level, k, n)];
        pack(level, k, n, |row, column| b[column * k + row], &mut packed);
        Self { packed, k, n }
    }

    /// `a` (m × k) times this.
    pub(super) fn times(&self, level: Level, m: usize, a: &[f32]) -> Vec<f32> {
        let (k, n) = (self.k, self.n);
        let mut c = vec![0.0; m * n];
        if m * k * n > 0 {
            let table: Vec<(u32, u32)> = (0..m).map(|i| ((i * k) as u32, (i * n) as u32)).collect();
            let rows = Rows { table: &table, images: 1, a_step: 0, c_step: 0 };
            kernel(level, a, rows, &[Segment { offset: 0, len: k }], &self.packed, n, Store::SET, &mut c);
        }
        c
    }
}

/// `a` (m × k) times `b` (k × n), or times the transpose of `b` (n × k).
pub(super) fn multiply(level: Level, (m, k, n): (usize, usize, usize), a: &[f32], b: &[f32], turned: bool) -> Vec<f32> {
    if turned && m < n {
        // Packing few rows of `a` is cheaper than gathering many columns of `b`: the same product, turned.
        let c = multiply(level, (n, k, m), b, a, true);
        return (0..m * n).map(|i| c[i % n * m + i / n]).collect();
    }
    if m * k * n == 0 {
        return vec![0.0; m * n];
    }
    let factor = if turned { Factor::turned(level, (k, n), b) } else { Factor::new(level, (k, n), b) };
    factor.times(level, m, a)
}

/// Stacks of matrices, `m × k` times `k × n` each, by NumPy's rules for `matmul`: products of the last two axes, the others
/// broadcast; a vector is a row on the left, a column on the right.
pub(super) struct Stacks {
    pub(super) sides: (usize, usize, usize),
    /// Where the two matrices of each product begin.
    pub(super) starts: Vec<(usize, usize)>,
    /// Whether all on the left have one matrix on the right.
    shared: bool,
    /// The sides of what comes out.
    pub(super) shape: Vec<usize>,
}

impl Stacks {
    pub(super) fn new(call: &Call, a: &[usize], b: &[usize]) -> Result<Self> {
        if a.is_empty() || b.is_empty() {
            return Err(call.refuse("vectors, matrices or stacks of them", "one number"));
        }
        let (row, column) = (a.len() == 1, b.len() == 1);
        let (x, y) =
            (if row { [&[1], a].concat() } else { a.to_vec() }, if column { [b, &[1]].concat() } else { b.to_vec() });
        let ((lead_x, mk), (lead_y, kn)) = (x.split_at(x.len() - 2), y.split_at(y.len() - 2));
        let (m, k, n) = (mk[0], mk[1], kn[1]);
        if kn[0] != k {
            return Err(call.refuse(format!("a second array with {k} rows"), format!("{b:?}")));
        }
        let lead = broadcast(lead_x, lead_y)?;
        let mut shape = [&lead[..], &[m, n]].concat();
        call.sized(&shape)?;
        call.multiply(&[&shape[..], &[k]].concat())?;
        let starts = starts(lead_x, &lead, m * k).into_iter().zip(starts(lead_y, &lead, k * n)).collect();
        let shared = lead_y.iter().all(|&side| side == 1) && lead == lead_x;
        if column {
            shape.pop();
        }
        if row {
            shape.remove(lead.len());
        }
        Ok(Self { sides: (m, k, n), starts, shared, shape })
    }
}

/// NumPy's `matmul`.
pub(super) fn matmul(call: &Call) -> Answer {
    let (a, b) = (call.real(0)?, call.real(1)?);
    let Stacks { sides: (m, k, n), starts, shared, shape } = Stacks::new(call, a.shape(), b.shape())?;
    let (a, b) = (a.as_slice().unwrap_or(&[]), b.as_slice().unwrap_or(&[]));
    let out = if shared {
        multiply(call.level, (m * starts.len(), k, n), a, b, false)
    } else {
        let each =
            |&(i, j): &(usize, usize)| multiply(call.level, (m, k, n), &a[i..i + m * k], &b[j..j + k * n], false);
        starts.iter().flat_map(each).collect()
    };
    Ok(vec![Array::real(call.x(0)?.number(), array(&shape, out)?)])
}

/// Where each matrix of a broadcast stack begins.
fn starts(own: &[usize], lead: &[usize], each: usize) -> Vec<usize> {
    let count: usize = own.iter().product();
    let numbers = ArrayD::from_shape_vec(own, (0..count).map(|i| i * each).collect());
    let spread = numbers.ok().and_then(|numbers| Some(numbers.broadcast(lead)?.iter().copied().collect()));
    spread.unwrap_or_default()
}

/// `α A B + β C`, each matrix turned if asked.
pub(super) fn gemm(call: &Call) -> Answer {
    let (a, b) = (call.real(0)?, call.real(1)?);
    if a.ndim() != 2 || b.ndim() != 2 {
        return Err(call.refuse("two matrices", format!("{:?} and {:?}", a.shape(), b.shape())));
    }
    let [turn_a, turn_b] = [call.int("transA", 0)? != 0, call.int("transB", 0)? != 0];
    let a = if turn_a { a.t().as_standard_layout().into_owned() } else { a.clone() };
    let (m, k) = (a.shape()[0], a.shape()[1]);
    let (rows, n) = if turn_b { (b.shape()[1], b.shape()[0]) } else { (b.shape()[0], b.shape()[1]) };
    if rows != k {
        return Err(call.refuse(format!("a second matrix with {k} rows"), rows));
    }
    call.sized(&[m, n])?;
    call.multiply(&[m, k, n])?;
    let (x, y) = (a.as_slice().unwrap_or(&[]), b.as_slice().unwrap_or(&[]));
    let mut out = array(&[m, n], multiply(call.level, (m, k, n), x, y, turn_b))?;
    let alpha = call.float("alpha", 1.0)?;
    if alpha != 1.0 {
        out *= alpha;
    }
    if let Some(c) = call.real_or_none(2)? {
        out = added(call, &out, c, call.float("beta", 1.0)?)?;
    }
    Ok(vec![Array::real(call.x(0)?.number(), out)])
}

fn added(call: &Call, out: &ArrayD<f32>, c: &ArrayD<f32>, beta: f32) -> Result<ArrayD<f32>> {
    let sum = zip(call, out, c, |x, c| x + beta * c)?;
    if sum.shape() != out.shape() {
        return Err(call.refuse(format!("a third array for {:?}", out.shape()), format!("{:?}", c.shape())));
    }
    Ok(sum)
}
