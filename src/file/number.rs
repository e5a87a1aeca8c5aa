//! Numbers as files store them: how wide each type is and how it becomes `f32`.

use crate::error::{Error, Result};
use half::{bf16, f16};

/// A stored number type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the field's own names")]
pub enum Number {
    F16,
    Bf16,
    F32,
    F64,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    Bool,
}

/// Which byte of a number comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ByteOrder {
    Little,
    Big,
}

macro_rules! decode {
    ($type:ty, $bytes:expr, $order:expr, $convert:expr) => {{
        let numbers = $bytes.as_chunks::<{ size_of::<$type>() }>().0.iter();
        match $order {
            ByteOrder::Little => numbers.map(|raw| $convert(<$type>::from_le_bytes(*raw))).collect(),
            ByteOrder::Big => numbers.map(|raw| $convert(<$type>::from_be_bytes(*raw))).collect(),
        }
    }};
}

impl Number {
    /// Bytes of one number.
    pub const fn size(self) -> usize {
        match self {
            Self::I8 | Self::U8 | Self::Bool => 1,
            Self::F16 | Self::Bf16 | Self::I16 | Self::U16 => 2,
            Self::F32 | Self::I32 | Self::U32 => 4,
            Self::F64 | Self::I64 | Self::U64 => 8,
        }
    }

    /// The numbers in `bytes`, rounded to `f32`; a remainder shorter than one number is left out.
    pub(super) fn decode(self, bytes: &[u8], order: ByteOrder) -> Vec<f32> {
        match self {
            Self::F16 => decode!(f16, bytes, order, f16::to_f32),
            Self::Bf16 => decode!(bf16, bytes, order, bf16::to_f32),
            Self::F32 => decode!(f32, bytes, order, |x| x),
            Self::F64 => decode!(f64, bytes, order, |x| x as f32),
            Self::I8 => decode!(i8, bytes, order, |x| x as f32),
            Self::I16 => decode!(i16, bytes, order, |x| x as f32),
            Self::I32 => decode!(i32, bytes, order, |x| x as f32),
            Self::I64 => decode!(i64, bytes, order, |x| x as f32),
            Self::U8 | Self::Bool => decode!(u8, bytes, order, |x| x as f32),
            Self::U16 => decode!(u16, bytes, order, |x| x as f32),
            Self::U32 => decode!(u32, bytes, order, |x| x as f32),
            Self::U64 => decode!(u64, bytes, order, |x| x as f32),
        }
    }

    /// As [`Number::decode`] for whole numbers; those of 64 bits without a sign keep their bits.
    pub(super) fn decode_whole(self, bytes: &[u8], order: ByteOrder) -> Vec<i64> {
        match self {
            Self::I8 => decode!(i8, bytes, order, i64::from),
            Self::I16 => decode!(i16, bytes, order, i64::from),
            Self::I32 => decode!(i32, bytes, order, i64::from),
            Self::I64 => decode!(i64, bytes, order, |x| x),
            Self::U8 => decode!(u8, bytes, order, i64::from),
            Self::U16 => decode!(u16, bytes, order, i64::from),
            Self::U32 => decode!(u32, bytes, order, i64::from),
            Self::U64 => decode!(u64, bytes, order, |x| x as i64),
            Self::Bool => decode!(u8, bytes, order, |x| i64::from(x != 0)),
            Self::F16 | Self::Bf16 | Self::F32 | Self::F64 => {
                self.decode(bytes, order).into_iter().map(|x: f32| x as i64).collect()
            }
        }
    }

    /// The `shape` numbers of tensor `name`, which must fill `bytes` exactly.
    ///
    /// Nothing is allocated before the sizes agree. A number that is not finite in `f32` (a NaN, an infinity, an
    /// `f64` out of range) is an [`Error::Value`]: no network answers anything useful with such a weight.
    pub(super) fn read(self, name: &str, shape: &[usize], bytes: &[u8], order: ByteOrder) -> Result<Vec<f32>> {
        let size = shape.iter().try_fold(self.size(), |n, &side| n.checked_mul(side));
        if size != Some(bytes.len()) {
            let expected = format!("{} bytes each for shape {shape:?}", self.size());
            return Err(Error::format(short(name), expected, format!("{} bytes", bytes.len())));
        }
        let numbers = self.decode(bytes, order);
        match numbers.iter().position(|x| !x.is_finite()) {
            Some(i) => Err(Error::value(short(name), "finite f32 numbers", format!("{} at {i}", numbers[i]))),
            None => Ok(numbers),
        }
    }
}

/// A name from a file that may be hostile, fit for a message of one line.
pub(super) fn short(name: &str) -> String {
    let mut shown: String = name.chars().take(80).flat_map(char::escape_debug).collect();
    if name.chars().nth(80).is_some() {
        shown.push('…');
    }
    shown
}
