//! An array as files carry it: numbers of one type, of any rank, in C order.
//!
//! Networks compute in `f32`, so whatever is no whole number is held as that; whole numbers and truth values, which are
//! sizes, indices and quantised weights, are held as `i64`. The type that the file gave stays beside them.

pub use super::number::Number;
use super::number::{ByteOrder, short};
use crate::error::{Error, Result};
use half::{bf16, f16};
use ndarray::ArrayD;
use std::borrow::Cow;

/// Numbers of one type.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    number: Number,
    data: Data,
}

/// How they are held.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// Floating point.
    Real(ArrayD<f32>),
    /// Whole numbers; truth values are 0 and 1.
    Whole(ArrayD<i64>),
}

impl Number {
    /// Whether numbers of this type are whole.
    pub fn is_whole(self) -> bool {
        !matches!(self, Self::F16 | Self::Bf16 | Self::F32 | Self::F64)
    }

    /// What is left of a whole number in this type: its low bits, as in C.
    pub fn wrap(self, x: i64) -> i64 {
        match self {
            Self::I8 => i64::from(x as i8),
            Self::I16 => i64::from(x as i16),
            Self::I32 => i64::from(x as i32),
            Self::U8 => i64::from(x as u8),
            Self::U16 => i64::from(x as u16),
            Self::U32 => i64::from(x as u32),
            Self::Bool => i64::from(x != 0),
            _ => x,
        }
    }

    /// The smallest and largest whole number of this type, as far as `i64` reaches.
    pub fn limits(self) -> (i64, i64) {
        match self {
            Self::I8 => (i8::MIN.into(), i8::MAX.into()),
            Self::I16 => (i16::MIN.into(), i16::MAX.into()),
            Self::I32 => (i32::MIN.into(), i32::MAX.into()),
            Self::U8 => (0, u8::MAX.into()),
            Self::U16 => (0, u16::MAX.into()),
            Self::U32 => (0, u32::MAX.into()),
            Self::Bool => (0, 1),
            _ => (i64::MIN, i64::MAX),
        }
    }

    fn round(self, x: f32) -> f32 {
        match self {
            Self::F16 => f16::from_f32(x).to_f32(),
            Self::Bf16 => bf16::from_f32(x).to_f32(),
            _ => x,
        }
    }
}

impl From<ArrayD<f32>> for Array {
    fn from(data: ArrayD<f32>) -> Self {
        Self::real(Number::F32, data)
    }
}

impl From<ArrayD<i64>> for Array {
    fn from(data: ArrayD<i64>) -> Self {
        Self::whole(Number::I64, data)
    }
}

impl From<ArrayD<bool>> for Array {
    fn from(data: ArrayD<bool>) -> Self {
        Self::whole(Number::Bool, data.mapv(i64::from))
    }
}

impl Array {
    /// Floating-point numbers of a type that is not whole, rounded to it.
    pub fn real(number: Number, mut data: ArrayD<f32>) -> Self {
        if matches!(number, Number::F16 | Number::Bf16) {
            data.mapv_inplace(|x| number.round(x));
        }
        Self { number, data: Data::Real(in_order(data)) }
    }

    /// Whole numbers of a whole type, wrapped into it.
    pub fn whole(number: Number, mut data: ArrayD<i64>) -> Self {
        if !matches!(number, Number::I64 | Number::U64) {
            data.mapv_inplace(|x| number.wrap(x));
        }
        Self { number, data: Data::Whole(in_order(data)) }
    }

    /// The type of the numbers.
    pub fn number(&self) -> Number {
        self.number
    }

    /// The numbers, in C order.
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// The sides.
    pub fn shape(&self) -> &[usize] {
        match &self.data {
            Data::Real(data) => data.shape(),
            Data::Whole(data) => data.shape(),
        }
    }

    /// How many numbers there are.
    pub fn len(&self) -> usize {
        self.shape().iter().product()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers as `f32`.
    pub fn to_real(&self) -> Cow<'_, ArrayD<f32>> {
        match &self.data {
            Data::Real(data) => Cow::Borrowed(data),
            Data::Whole(data) => Cow::Owned(data.mapv(|x| x as f32)),
        }
    }

    /// The same numbers in another type: towards zero where it is whole, wrapped where it is narrow.
    pub fn cast(&self, number: Number) -> Self {
        match &self.data {
            Data::Real(data) if number == Number::Bool => Self::whole(number, data.mapv(|x| i64::from(x != 0.0))),
            Data::Real(data) if number.is_whole() => Self::whole(number, data.mapv(|x| x as i64)),
            Data::Whole(data) if number.is_whole() => Self::whole(number, data.clone()),
            _ => Self::real(number, self.to_real().into_owned()),
        }
    }

    /// These numbers at places of an array of other sides, counted in C order, which is 0 elsewhere.
    pub(super) fn scattered(&self, shape: &[usize], places: &[usize]) -> Result<Self> {
        fn at<T: Copy>(zero: T, data: &ArrayD<T>, shape: &[usize], places: &[usize]) -> Result<ArrayD<T>> {
            let mut all = vec![zero; shape.iter().product()];
            places.iter().zip(data).for_each(|(&place, v)| all[place] = *v);
            ArrayD::from_shape_vec(shape, all).map_err(|e| Error::format("array", "a shape that memory can hold", e))
        }
        let data = match &self.data {
            Data::Real(data) => Data::Real(at(0.0, data, shape, places)?),
            Data::Whole(data) => Data::Whole(at(0, data, shape, places)?),
        };
        Ok(Self { number: self.number, data })
    }

    /// The axes in reverse order.
    pub(super) fn transposed(self) -> Self {
        let data = match self.data {
            Data::Real(data) => Data::Real(in_order(data.reversed_axes())),
            Data::Whole(data) => Data::Whole(in_order(data.reversed_axes())),
        };
        Self { data, ..self }
    }

    /// The array `name` of a file: `bytes` that hold exactly the numbers of this shape. Numbers that are not finite pass.
    pub(super) fn decode(name: &str, number: Number, shape: &[usize], bytes: &[u8], order: ByteOrder) -> Result<Self> {
        let size = shape.iter().try_fold(number.size(), |n, &side| n.checked_mul(side));
        if size != Some(bytes.len()) {
            let expected = format!("{} bytes each for shape {shape:?}", number.size());
            return Err(Error::format(short(name), expected, format!("{} bytes", bytes.len())));
        }
        let refuse = |e| Error::format(short(name), "a shape that memory can hold", e);
        let data = if number.is_whole() {
            Data::Whole(ArrayD::from_shape_vec(shape, number.decode_whole(bytes, order)).map_err(refuse)?)
        } else {
            Data::Real(ArrayD::from_shape_vec(shape, number.decode(bytes, order)).map_err(refuse)?)
        };
        Ok(Self { number, data })
    }

    /// The bytes of the numbers, little-endian.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.len() * self.number.size());
        match &self.data {
            Data::Real(data) => data.iter().for_each(|&x| match self.number {
                Number::F16 => out.extend(f16::from_f32(x).to_le_bytes()),
                Number::Bf16 => out.extend(bf16::from_f32(x).to_le_bytes()),
                Number::F64 => out.extend(f64::from(x).to_le_bytes()),
                _ => out.extend(x.to_le_bytes()),
            }),
            Data::Whole(data) => {
                data.iter().for_each(|x| out.extend(&x.to_le_bytes()[..self.number.size()]));
            }
        }
        out
    }
}

/// The same array in C order; a copy only where it is not.
fn in_order<T: Clone>(data: ArrayD<T>) -> ArrayD<T> {
    if data.is_standard_layout() { data } else { data.as_standard_layout().into_owned() }
}
