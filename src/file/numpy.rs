//! NumPy arrays as its files describe them: a dtype, a shape, an order and the bytes.

use super::number::{ByteOrder, Number, short};
use crate::error::{Error, Result};
use crate::tensor::Tensor;
use ndarray::{ArrayD, IxDyn};
use std::rc::Rc;

/// NumPy's codes: kind and bytes.
const CODES: [(&str, Number); 12] = [
    ("f2", Number::F16),
    ("f4", Number::F32),
    ("f8", Number::F64),
    ("i1", Number::I8),
    ("i2", Number::I16),
    ("i4", Number::I32),
    ("i8", Number::I64),
    ("u1", Number::U8),
    ("u2", Number::U16),
    ("u4", Number::U32),
    ("u8", Number::U64),
    ("b1", Number::Bool),
];

/// The number type of an array and its byte order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dtype {
    number: Number,
    order: ByteOrder,
}

impl Dtype {
    pub(super) fn new(number: Number, order: ByteOrder) -> Self {
        Self { number, order }
    }

    /// The dtype of a description with its mark, such as `<f8`.
    pub(super) fn of(descr: &str) -> Result<Self> {
        let split = descr.char_indices().nth(1).map_or(descr.len(), |(at, _)| at);
        let (mark, code) = descr.split_at(split);
        let mut dtype = Self::from_code(code)?;
        dtype.set_order(mark)?;
        Ok(dtype)
    }

    /// The way back; bfloat16 has no description.
    pub(super) fn descr(self) -> String {
        let known = CODES.iter().find(|(_, number)| *number == self.number);
        let mark = if self.number.size() == 1 { '|' } else { '<' };
        format!("{mark}{}", known.map_or("f4", |(code, _)| code))
    }

    pub(super) fn parts(self) -> (Number, ByteOrder) {
        (self.number, self.order)
    }

    /// The dtype of a code such as `f8` (kind and bytes), little-endian until [`Dtype::set_order`] says otherwise.
    pub(super) fn from_code(code: &str) -> Result<Self> {
        let known = CODES.iter().find(|(known, _)| *known == code);
        let refuse = || Error::format("NumPy dtype", "f2, f4, f8, b1 or an integer such as i4 or u1", short(code));
        let number = known.ok_or_else(refuse)?.1;
        Ok(Self { number, order: ByteOrder::Little })
    }

    /// Sets the byte order from NumPy's mark: `<` little, `>` big, `|` for single bytes.
    pub(super) fn set_order(&mut self, mark: &str) -> Result<()> {
        self.order = match mark {
            "<" | "|" => ByteOrder::Little,
            ">" => ByteOrder::Big,
            _ => return Err(Error::format("NumPy byte order", "<, > or |", short(mark))),
        };
        Ok(())
    }
}

/// An array whose numbers are still the file's bytes.
#[derive(Debug, Clone)]
pub(super) struct Array {
    pub(super) dtype: Dtype,
    /// Its sides, in the order in which the axes lie in memory: the last runs fastest.
    pub(super) shape: Vec<usize>,
    /// Where each axis lies in that order, if not in its own place.
    pub(super) axes: Option<Vec<usize>>,
    pub(super) data: Rc<[u8]>,
}

impl Array {
    /// An array of this shape whose first axis runs fastest (Fortran), or whose last one does (C).
    pub(super) fn new(dtype: Dtype, mut shape: Vec<usize>, fortran: bool, data: Rc<[u8]>) -> Self {
        let axes = fortran.then(|| (0..shape.len()).rev().collect());
        if fortran {
            shape.reverse();
        }
        Self { dtype, shape, axes, data }
    }

    /// The most bytes that [`Array::tensor`] allocates: one `f32` a number, two while another order is undone.
    pub(super) fn cost(&self) -> usize {
        let copies = if self.axes.is_some() { 2 } else { 1 };
        (self.data.len() / self.dtype.number.size()).saturating_mul(copies * size_of::<f32>())
    }

    /// The tensor, in C order. `name` is for the message when sizes disagree or a number is not finite.
    pub(super) fn tensor(&self, name: &str) -> Result<Tensor> {
        let numbers = self.dtype.number.read(name, &self.shape, &self.data, self.dtype.order)?;
        let tensor = ArrayD::from_shape_vec(IxDyn(&self.shape), numbers)
            .map_err(|e| Error::format(short(name), "a shape that memory can hold", e))?;
        Ok(match &self.axes {
            Some(axes) => tensor.permuted_axes(IxDyn(axes)).as_standard_layout().into_owned(),
            None => tensor,
        })
    }
}
