//! One operator at work: its inputs and settings, with clear errors for those that do not fit.

use super::budget::{Budget, KERNEL};
use crate::error::{Error, Result};
use crate::file::array::{Array, Data};
use crate::file::onnx::{Attribute, Graph, Node};
use crate::kernel::Level;
use ndarray::ArrayD;
use std::sync::Arc;

/// Most numbers in one array of a run: 1 GiB of `f32`.
const MOST: usize = 1 << 28;

/// What an operator answers: one array for each of its outputs, or for the first of them.
pub(super) type Answer = Result<Vec<Array>>;

/// An operator with what it works on.
pub(super) struct Call<'a> {
    pub(super) node: &'a Node,
    pub(super) opset: i64,
    pub(super) level: Level,
    /// `None` where an optional input is left out.
    pub(super) inputs: Vec<Option<Arc<Array>>>,
    pub(super) budget: &'a Budget,
    /// Only the shape of what it makes is asked: a product may leave zeros.
    pub(super) idle: bool,
}

/// How many numbers an array of this shape holds, if memory can hold them. An array with a side of 0 must have others that could
/// be, too.
pub(super) fn sized(shape: &[usize]) -> Result<usize> {
    let all = shape.iter().try_fold(1_usize, |n, &side| n.checked_mul(side.max(1))).filter(|&n| n <= MOST);
    let len = all.map(|n| if shape.contains(&0) { 0 } else { n });
    len.ok_or_else(|| Error::shape("array", format!("at most {MOST} numbers"), format!("{shape:?}")))
}

/// An array of numbers that fill the shape: the operator has counted them.
pub(super) fn array<T>(shape: &[usize], values: Vec<T>) -> Result<ArrayD<T>> {
    ArrayD::from_shape_vec(shape, values).map_err(|e| Error::shape("array", format!("numbers for {shape:?}"), e))
}

/// An axis of a rank, counted from the end if negative.
pub(super) fn place(axis: i64, rank: usize) -> Option<usize> {
    let axis = if axis < 0 { axis.checked_add(rank as i64)? } else { axis };
    usize::try_from(axis).ok().filter(|&axis| axis < rank)
}

impl Call<'_> {
    /// What the operator is called in messages.
    pub(super) fn what(&self) -> String {
        let name = if self.node.name.is_empty() { self.node.outputs.first() } else { Some(&self.node.name) };
        format!("{} {}", self.node.op, name.map_or("", |name| name))
    }

    /// How many numbers of the first input's kind an array of this shape holds, if they may be made. Errors: [`Error::Shape`].
    pub(super) fn sized(&self, shape: &[usize]) -> Result<usize> {
        let len = sized(shape)?;
        let whole = matches!(self.given(0).map(Array::data), Some(Data::Whole(_)));
        self.budget.room(if whole { 8 * len } else { 4 * len })?;
        Ok(len)
    }

    /// Takes the work of loops that visit a product of so many numbers. Errors: [`Error::Shape`] where that is too much.
    pub(super) fn visit(&self, counts: &[usize]) -> Result<()> {
        self.budget.work(counts.iter().fold(1, |all: u64, &n| all.saturating_mul(n as u64)))
    }

    /// As [`Call::visit`], for multiply-adds of a kernel.
    pub(super) fn multiply(&self, counts: &[usize]) -> Result<()> {
        self.budget.work(counts.iter().fold(1, |all: u64, &n| all.saturating_mul(n as u64)) / KERNEL)
    }

    /// An error about an input or setting.
    pub(super) fn refuse(&self, expected: impl std::fmt::Display, got: impl std::fmt::Display) -> Error {
        Error::value(self.what(), expected, got)
    }

    /// Input `i`, if it is there.
    pub(super) fn given(&self, i: usize) -> Option<&Array> {
        self.inputs.get(i)?.as_deref()
    }

    /// Input `i`.
    pub(super) fn x(&self, i: usize) -> Result<&Array> {
        self.given(i).ok_or_else(|| self.refuse(format!("input {i}"), "none"))
    }

    /// Input `i` in floating point.
    pub(super) fn real(&self, i: usize) -> Result<&ArrayD<f32>> {
        match self.x(i)?.data() {
            Data::Real(data) => Ok(data),
            Data::Whole(_) => {
                Err(self.refuse(format!("floating-point numbers as input {i}"), format!("{:?}", self.x(i)?.number())))
            }
        }
    }

    /// Input `i` in floating point, if it is there.
    pub(super) fn real_or_none(&self, i: usize) -> Result<Option<&ArrayD<f32>>> {
        self.given(i).map(|_| self.real(i)).transpose()
    }

    /// Input `i` in whole numbers or truth values.
    pub(super) fn whole(&self, i: usize) -> Result<&ArrayD<i64>> {
        match self.x(i)?.data() {
            Data::Whole(data) => Ok(data),
            Data::Real(_) => {
                Err(self.refuse(format!("whole numbers as input {i}"), format!("{:?}", self.x(i)?.number())))
            }
        }
    }

    /// The one number of input `i`, if it is there.
    pub(super) fn scalar(&self, i: usize) -> Result<Option<f32>> {
        let Some(array) = self.given(i) else { return Ok(None) };
        match array.to_real().iter().next() {
            Some(x) if array.len() == 1 => Ok(Some(*x)),
            _ => Err(self.refuse(format!("one number as input {i}"), format!("shape {:?}", array.shape()))),
        }
    }

    /// A list of whole numbers: input `i` or, as older versions have it, an attribute.
    pub(super) fn list(&self, i: usize, name: &str) -> Result<Option<Vec<i64>>> {
        if self.given(i).is_some() {
            return Ok(Some(self.whole(i)?.iter().copied().collect()));
        }
        self.ints(name)
    }

    /// The axes of a list, each inside the rank and named once.
    pub(super) fn places(&self, axes: &[i64], rank: usize) -> Result<Vec<usize>> {
        let places: Option<Vec<usize>> = axes.iter().map(|&axis| place(axis, rank)).collect();
        let once = |places: &Vec<usize>| (1..places.len()).all(|i| !places[..i].contains(&places[i]));
        places.filter(once).ok_or_else(|| self.refuse(format!("axes of rank {rank}, each once"), format!("{axes:?}")))
    }

    /// The axis of an attribute.
    pub(super) fn axis(&self, missing: i64, rank: usize) -> Result<usize> {
        let axis = self.int("axis", missing)?;
        place(axis, rank).ok_or_else(|| self.refuse(format!("an axis of rank {rank}"), axis))
    }

    /// A whole-number attribute.
    pub(super) fn int(&self, name: &str, missing: i64) -> Result<i64> {
        match self.node.attributes.get(name) {
            None => Ok(missing),
            Some(Attribute::Int(x)) => Ok(*x),
            Some(_) => Err(self.refuse(format!("{name} as a whole number"), "another attribute")),
        }
    }

    /// A number attribute.
    pub(super) fn float(&self, name: &str, missing: f32) -> Result<f32> {
        match self.node.attributes.get(name) {
            None => Ok(missing),
            Some(Attribute::Float(x)) => Ok(*x),
            Some(_) => Err(self.refuse(format!("{name} as a number"), "another attribute")),
        }
    }

    /// A text attribute.
    pub(super) fn text(&self, name: &str, missing: &'static str) -> Result<&str> {
        match self.node.attributes.get(name) {
            None => Ok(missing),
            Some(Attribute::Text(text)) => Ok(text),
            Some(_) => Err(self.refuse(format!("{name} as text"), "another attribute")),
        }
    }

    /// An attribute of several numbers.
    pub(super) fn floats(&self, name: &str) -> Result<&[f32]> {
        match self.node.attributes.get(name) {
            None => Ok(&[]),
            Some(Attribute::Floats(list)) => Ok(list),
            Some(_) => Err(self.refuse(format!("{name} as numbers"), "another attribute")),
        }
    }

    /// An attribute of several texts.
    pub(super) fn texts(&self, name: &str) -> Result<&[String]> {
        match self.node.attributes.get(name) {
            None => Ok(&[]),
            Some(Attribute::Texts(list)) => Ok(list),
            Some(_) => Err(self.refuse(format!("{name} as texts"), "another attribute")),
        }
    }

    /// A part of the graph that the operator runs.
    pub(super) fn part(&self, name: &str) -> Result<&Graph> {
        match self.node.attributes.get(name) {
            Some(Attribute::Graph(graph)) => Ok(graph),
            _ => Err(self.refuse(format!("{name} as a graph"), "none")),
        }
    }

    /// An attribute of several whole numbers.
    pub(super) fn ints(&self, name: &str) -> Result<Option<Vec<i64>>> {
        match self.node.attributes.get(name) {
            None => Ok(None),
            Some(Attribute::Ints(list)) => Ok(Some(list.clone())),
            Some(_) => Err(self.refuse(format!("{name} as whole numbers"), "another attribute")),
        }
    }
}

/// The same expression over an array's numbers, floating-point or whole, giving an array of the same type.
macro_rules! alike {
    ($array:expr, $x:ident => $body:expr) => {{
        let array: &Array = $array;
        match array.data() {
            Data::Real($x) => Array::real(array.number(), $body),
            Data::Whole($x) => Array::whole(array.number(), $body),
        }
    }};
}
pub(super) use alike;
