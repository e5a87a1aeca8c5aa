//! NumPy's broadcasting: two arrays walked together, a side of 1 standing in for any.
//!
//! How they are walked depends on their sides alone and is compiled once, not for every pair of types and every function.

use super::super::call::{Call, array, sized};
use crate::error::{Error, Result};
use ndarray::ArrayD;
use std::borrow::Cow;

/// The shape that two shapes broadcast to.
pub(in super::super) fn broadcast(a: &[usize], b: &[usize]) -> Result<Vec<usize>> {
    let rank = a.len().max(b.len());
    let side = |shape: &[usize], i: usize| (i + shape.len()).checked_sub(rank).map_or(1, |i| shape[i]);
    let sides = (0..rank).map(|i| match (side(a, i), side(b, i)) {
        (x, y) if x == y || y == 1 => Ok(x),
        (1, y) => Ok(y),
        _ => Err(Error::shape("broadcast", format!("sides that are equal or 1, beside {a:?}"), format!("{b:?}"))),
    });
    let shape: Vec<usize> = sides.collect::<Result<_>>()?;
    sized(&shape)?;
    Ok(shape)
}

/// Two arrays walked together as they broadcast: runs of numbers, along which each array goes on or stands still.
struct Runs {
    /// Numbers in a run, and how far each array goes from one to the next.
    len: usize,
    step: (usize, usize),
    count: usize,
    /// What runs are counted by, the innermost first: how many, and how far each array goes.
    outer: Vec<(usize, usize, usize)>,
}

impl Runs {
    fn new(a: &[usize], b: &[usize], shape: &[usize]) -> Self {
        let steps = |own: &[usize]| {
            let (mut steps, mut step) = (vec![0; shape.len()], 1);
            for (k, &side) in own.iter().enumerate().rev() {
                steps[shape.len() - own.len() + k] = if side == 1 { 0 } else { step };
                step *= side;
            }
            steps
        };
        let mut axes: Vec<(usize, usize, usize)> = Vec::new();
        for ((&side, s), t) in shape.iter().zip(steps(a)).zip(steps(b)).rev().filter(|((side, _), _)| **side != 1) {
            match axes.last_mut() {
                // What lies behind one another in both arrays is one axis.
                Some((n, u, v)) if s == *u * *n && t == *v * *n => *n *= side,
                _ => axes.push((side, s, t)),
            }
        }
        let (len, s, t) = if axes.is_empty() { (1, 0, 0) } else { axes.remove(0) };
        Self { len, step: (s, t), count: axes.iter().map(|axis| axis.0).product(), outer: axes }
    }

    /// Where a run begins in each array.
    fn start(&self, mut run: usize) -> (usize, usize) {
        let mut at = (0, 0);
        for &(side, s, t) in &self.outer {
            at = (at.0 + run % side * s, at.1 + run % side * t);
            run /= side;
        }
        at
    }
}

/// The numbers of an array, in C order.
fn numbers<T: Copy>(x: &ArrayD<T>) -> Cow<'_, [T]> {
    x.as_slice().map_or_else(|| x.iter().copied().collect(), Cow::Borrowed)
}

/// `f` of two arrays, broadcast.
pub(in super::super) fn zip<A: Copy, B: Copy, R: Clone>(
    call: &Call,
    a: &ArrayD<A>,
    b: &ArrayD<B>,
    f: impl Fn(A, B) -> R,
) -> Result<ArrayD<R>> {
    let shape = broadcast(a.shape(), b.shape())?;
    call.sized(&shape)?;
    let (x, y, runs) = (numbers(a), numbers(b), Runs::new(a.shape(), b.shape(), &shape));
    let mut values = Vec::with_capacity(runs.count * runs.len);
    for (i, j) in (0..if runs.len == 0 { 0 } else { runs.count }).map(|run| runs.start(run)) {
        match runs.step {
            (1, 1) => values.extend(x[i..i + runs.len].iter().zip(&y[j..j + runs.len]).map(|(x, y)| f(*x, *y))),
            (s, t) => values.extend((0..runs.len).map(|k| f(x[i + k * s], y[j + k * t]))),
        }
    }
    array(&shape, values)
}
