//! `Einsum`: sums of products by the letters of their axes.

use super::super::call::{Answer, Call, array};
use super::product::multiply;
use crate::error::Result;
use crate::file::array::Array;
use ndarray::{ArrayD, Axis};
use std::collections::BTreeMap;

/// An axis: a letter, or one that dots stand for, counted from the last.
type Label = char;

/// Where the labels begin that dots stand for.
const DOTS: u32 = 0xE000;

/// An array with the labels of its axes, each once.
struct Term {
    labels: Vec<Label>,
    data: ArrayD<f32>,
}

pub(super) fn einsum(call: &Call) -> Answer {
    let equation: String = call.text("equation", "")?.chars().filter(|c| !c.is_whitespace()).collect();
    let (left, right) = equation.split_once("->").map_or((&*equation, None), |(left, right)| (left, Some(right)));
    let names: Vec<&str> = left.split(',').collect();
    if names.len() != call.inputs.len() {
        return Err(call.refuse(format!("{} inputs", names.len()), call.inputs.len()));
    }
    let mut sides = BTreeMap::new();
    let mut terms = Vec::with_capacity(names.len());
    let mut seen = Vec::new();
    for (i, name) in names.iter().enumerate() {
        let x = call.real(i)?;
        let labels = labels(call, name, Some(x.ndim()), 0)?;
        seen.extend(&labels);
        for (&label, &side) in labels.iter().zip(x.shape()) {
            let known = sides.entry(label).or_insert(side);
            if *known == 1 {
                *known = side;
            }
            if side != 1 && side != *known {
                return Err(call.refuse(format!("{} along {label:?}", *known), side));
            }
        }
        terms.push(diagonal(labels, x.clone()));
    }
    let dots = seen.iter().filter(|label| **label as u32 >= DOTS).map(|label| *label as u32 - DOTS + 1).max();
    let wanted = match right {
        Some(right) => labels(call, right, None, dots.unwrap_or(0) as usize)?,
        None => {
            // Axes that dots stand for first, then the letters that stand once, in their order.
            let once = |label: &&Label| seen.iter().filter(|other| other == label).count() == 1;
            let mut letters: Vec<Label> = seen.iter().filter(once).filter(|l| (**l as u32) < DOTS).copied().collect();
            letters.sort_unstable();
            (0..dots.unwrap_or(0)).rev().filter_map(|k| char::from_u32(DOTS + k)).chain(letters).collect()
        }
    };
    let twice = (1..wanted.len()).any(|i| wanted[..i].contains(&wanted[i]));
    if twice || wanted.iter().any(|label| !sides.contains_key(label)) {
        return Err(call.refuse("an output of letters that inputs have, each once", &equation));
    }
    call.sized(&wanted.iter().map(|label| sides[label]).collect::<Vec<_>>())?;
    let mut rest = terms.into_iter();
    let mut total = rest.next().ok_or_else(|| call.refuse("at least one input", 0))?;
    let mut rest: Vec<Term> = rest.collect();
    while !rest.is_empty() {
        let next = rest.remove(0);
        let needed = |label: &Label| wanted.contains(label) || rest.iter().any(|term| term.labels.contains(label));
        total = product(call, total, next, &sides, &needed)?;
    }
    let total = summed(total, &|label| wanted.contains(label));
    // What an output asks of a side that only a side of 1 has been seen for.
    let place = |label: &Label| total.labels.iter().position(|own| own == label);
    let order: Vec<usize> = wanted.iter().filter_map(place).collect();
    let out = total.data.permuted_axes(order).as_standard_layout().into_owned();
    Ok(vec![Array::real(call.x(0)?.number(), out)])
}

/// The labels of a term. Dots stand for as many axes as are left of `rank`, or for `dots` of them.
fn labels(call: &Call, name: &str, rank: Option<usize>, dots: usize) -> Result<Vec<Label>> {
    let (before, after) = name.split_once("...").unwrap_or((name, ""));
    let letters = before.chars().chain(after.chars());
    if letters.clone().any(|c| !c.is_ascii_alphabetic()) {
        return Err(call.refuse("letters and at most one group of three dots", name));
    }
    let count = letters.count();
    let dots = match (name.contains("..."), rank) {
        (false, _) => 0,
        (true, Some(rank)) => rank.saturating_sub(count),
        (true, None) => dots,
    };
    if let Some(rank) = rank.filter(|rank| *rank != count + dots) {
        return Err(call.refuse(format!("{rank} letters for an array of rank {rank}"), name));
    }
    let stood = (0..dots as u32).rev().filter_map(|k| char::from_u32(DOTS + k));
    Ok(before.chars().chain(stood).chain(after.chars()).collect())
}

/// An array of which labels that stand twice run along the diagonal.
fn diagonal(mut labels: Vec<Label>, mut data: ArrayD<f32>) -> Term {
    while let Some((i, j)) =
        (0..labels.len()).find_map(|j| Some((labels[..j].iter().position(|l| *l == labels[j])?, j)))
    {
        let side = data.shape()[i].min(data.shape()[j]);
        let views: Vec<_> = (0..side).map(|k| data.index_axis(Axis(j), k).index_axis(Axis(i), k).to_owned()).collect();
        let views: Vec<_> = views.iter().map(|view| view.view().insert_axis(Axis(i))).collect();
        data = ndarray::concatenate(Axis(i), &views).unwrap_or(data);
        labels.remove(j);
    }
    Term { labels, data }
}

/// A term summed over the labels that nobody needs.
fn summed(mut term: Term, needed: &dyn Fn(&Label) -> bool) -> Term {
    while let Some(i) = term.labels.iter().position(|label| !needed(label)) {
        term.data = term.data.sum_axis(Axis(i));
        term.labels.remove(i);
    }
    term
}

/// The product of two terms, summed over what nobody needs behind it: stacks of matrices.
fn product(
    call: &Call,
    a: Term,
    b: Term,
    sides: &BTreeMap<Label, usize>,
    needed: &dyn Fn(&Label) -> bool,
) -> Result<Term> {
    let (a, b) = (wide(call, a, sides)?, wide(call, b, sides)?);
    let a = summed(a, &|label| needed(label) || b.labels.contains(label));
    let b = summed(b, &|label| needed(label) || a.labels.contains(label));
    let shared: Vec<Label> = a.labels.iter().filter(|label| b.labels.contains(label)).copied().collect();
    let (stack, inner): (Vec<Label>, Vec<Label>) = shared.into_iter().partition(needed);
    let own = |term: &Term| -> Vec<Label> {
        term.labels.iter().filter(|l| !stack.contains(l) && !inner.contains(l)).copied().collect()
    };
    let (rows, columns) = (own(&a), own(&b));
    let count = |labels: &[Label]| labels.iter().map(|label| sides[label]).product::<usize>();
    let (s, m, k, n) = (count(&stack), count(&rows), count(&inner), count(&columns));
    call.sized(&[s, m, n])?;
    call.multiply(&[s, m, k, n])?;
    let (x, y) = (ordered(a, &[&stack, &rows, &inner]), ordered(b, &[&stack, &inner, &columns]));
    let mut out = Vec::with_capacity(s * m * n);
    for i in 0..s {
        out.extend(multiply(call.level, (m, k, n), &x[i * m * k..][..m * k], &y[i * k * n..][..k * n], false));
    }
    let labels = [stack, rows, columns].concat();
    let shape: Vec<usize> = labels.iter().map(|label| sides[label]).collect();
    Ok(Term { labels, data: array(&shape, out)? })
}

/// A term in which sides of 1 are as long as the other terms have them.
fn wide(call: &Call, term: Term, sides: &BTreeMap<Label, usize>) -> Result<Term> {
    let shape: Vec<usize> = term.labels.iter().map(|label| sides[label]).collect();
    if term.data.shape() == shape {
        return Ok(term);
    }
    call.sized(&shape)?;
    let data = term.data.broadcast(shape).map(|view| view.to_owned());
    Ok(Term { data: data.unwrap_or(term.data), labels: term.labels })
}

/// A term's numbers with its axes in this order.
fn ordered(term: Term, order: &[&[Label]]) -> Vec<f32> {
    let place = |label: &Label| term.labels.iter().position(|own| own == label);
    let order: Vec<usize> = order.concat().iter().filter_map(place).collect();
    term.data.permuted_axes(order).iter().copied().collect()
}
