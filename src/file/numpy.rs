//! NumPy arrays as its files describe them: a dtype, a shape, an order and the bytes.

use super::number::{ByteOrder, Number, short};
use crate::error::{Error, Result};
use crate::tensor::Tensor;
use ndarray::{ArrayD, IxDyn, ShapeBuilder};
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
    pub(super) shape: Vec<usize>,
    /// Whether the first axis runs fastest (Fortran) rather than the last (C).
    pub(super) fortran: bool,
    pub(super) data: Rc<[u8]>,
}

impl Array {
    /// The most bytes that [`Array::tensor`] allocates: one `f32` a number, two while Fortran order is undone.
    pub(super) fn cost(&self) -> usize {
        let copies = if self.fortran { 2 } else { 1 };
        (self.data.len() / self.dtype.number.size()).saturating_mul(copies * size_of::<f32>())
    }

    /// The tensor, in C order. `name` is for the message when sizes disagree or a number is not finite.
    pub(super) fn tensor(&self, name: &str) -> Result<Tensor> {
        let numbers = self.dtype.number.read(name, &self.shape, &self.data, self.dtype.order)?;
        let shape = IxDyn(&self.shape).set_f(self.fortran);
        let tensor = ArrayD::from_shape_vec(shape, numbers)
            .map_err(|e| Error::format(short(name), "a shape that memory can hold", e))?;
        Ok(if self.fortran { tensor.as_standard_layout().into_owned() } else { tensor })
    }
}
