//! safetensors: named tensors and a text map in one file, which is how weights ship.
//!
//! The format is 8 bytes of header length, a JSON header, then the numbers. The `safetensors` crate is the tests'
//! second opinion and not used here: it writes tensors sorted by name and metadata in the random order of a hash
//! map, while a model card gives the sha256 of its file, and its reader (0.8.0) adds offsets from the file unchecked.

use super::number::{ByteOrder, Number, short};
use crate::error::{Error, Result};
use crate::tensor::Tensor;
use half::f16;
use ndarray::ArrayD;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Room for some ten thousand tensors. Parsing takes up to 24 times as much (`tests/files_memory.rs`).
const MAX_HEADER: usize = 1 << 20;
/// The header's key for what is no tensor.
const METADATA: &str = "__metadata__";

/// What a file of weights holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Weights {
    /// Tensors by name, in the order in which their numbers lie in the file.
    pub tensors: Vec<(String, Tensor)>,
    /// The rest of a model: its architecture's name, its calibration, whatever its card says.
    pub metadata: BTreeMap<String, String>,
}

/// How [`write()`] stores numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// As they are.
    F32,
    /// Rounded to the nearest half-precision number, ties to even.
    F16,
}

/// The JSON header. Maps are sorted, so equal weights give equal text.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Header {
    #[serde(rename = "__metadata__", default, skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<String, String>,
    #[serde(flatten)]
    tensors: BTreeMap<String, Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<usize>,
    /// From the end of the header.
    data_offsets: (usize, usize),
}

/// Reads a file of F32, F16, BF16 or F64 tensors, rounded to `f32`.
///
/// Allocates at most twice the file's size for the numbers, and to parse the header at most 32 times its size, which
/// is at most 1 MiB. Errors: [`Error::Format`] for a file that is cut short, overlong or contradicts itself, and for a
/// tensor of another type or without numbers; [`Error::Value`] for a number that is not finite. Both name the tensor.
pub fn read(bytes: &[u8]) -> Result<Weights> {
    let (header, data) = split(bytes)?;
    let header: Header = serde_json::from_slice(header)
        .map_err(|e| refuse("a header of dtype, shape and data_offsets", short(&e.to_string())))?;
    let mut entries: Vec<_> = header.tensors.into_iter().collect();
    entries.sort_by_key(|(_, entry)| entry.data_offsets);
    let mut tensors = Vec::with_capacity(entries.len());
    let mut at = 0;
    for (name, entry) in entries {
        let (start, end) = entry.data_offsets;
        // One tensor begins where the last ended: no hidden bytes, and no byte is read twice.
        let Some(bytes) = data.get(start..end).filter(|bytes| start == at && !bytes.is_empty()) else {
            let expected = format!("some of the {} bytes of numbers, from {at} on", data.len());
            return Err(Error::format(short(&name), expected, format!("{start} to {end}")));
        };
        let tensor = entry.tensor(&name, bytes)?;
        tensors.push((name, tensor));
        at = end;
    }
    if at != data.len() {
        return Err(refuse(format!("{at} bytes of numbers"), data.len()));
    }
    Ok(Weights { tensors, metadata: header.metadata })
}

/// The header's text and what follows it.
fn split(bytes: &[u8]) -> Result<(&[u8], &[u8])> {
    let Some((length, rest)) = bytes.split_first_chunk() else {
        return Err(refuse("at least 8 bytes", bytes.len()));
    };
    let length = u64::from_le_bytes(*length);
    match usize::try_from(length) {
        Ok(length @ ..=MAX_HEADER) => {
            rest.split_at_checked(length).ok_or_else(|| refuse(format!("a header of {length} bytes"), rest.len()))
        }
        _ => Err(refuse(format!("a header of at most {MAX_HEADER} bytes"), length)),
    }
}

fn refuse(expected: impl std::fmt::Display, got: impl std::fmt::Display) -> Error {
    Error::format("safetensors", expected, got)
}

impl Entry {
    fn tensor(&self, name: &str, bytes: &[u8]) -> Result<Tensor> {
        let number = match self.dtype.as_str() {
            "F16" => Number::F16,
            "BF16" => Number::Bf16,
            "F32" => Number::F32,
            "F64" => Number::F64,
            other => return Err(Error::format(short(name), "F32, F16, BF16 or F64", short(other))),
        };
        let numbers = number.read(name, &self.shape, bytes, ByteOrder::Little)?;
        ArrayD::from_shape_vec(self.shape.as_slice(), numbers)
            .map_err(|e| Error::format(short(name), "a shape that memory can hold", e))
    }
}

/// Writes a file that [`read`] and every other reader of safetensors takes. Equal weights give equal bytes.
///
/// Errors: [`Error::Value`] naming the tensor for a number that is not finite, or not in half precision (beyond
/// 65,504), for one without numbers, and for a name that is given twice or reserved.
pub fn write(weights: &Weights, precision: Precision) -> Result<Vec<u8>> {
    let mut header = Header { metadata: weights.metadata.clone(), ..Header::default() };
    let mut data = Vec::new();
    for (name, tensor) in &weights.tensors {
        let start = data.len();
        let dtype = push_numbers(name, tensor, precision, &mut data)?.to_owned();
        let entry = Entry { dtype, shape: tensor.shape().to_vec(), data_offsets: (start, data.len()) };
        if name == METADATA || header.tensors.insert(name.clone(), entry).is_some() {
            return Err(Error::value("tensor names", format!("each once and none {METADATA}"), name));
        }
    }
    let mut text = serde_json::to_vec(&header).map_err(|e| refuse("text for the header", e))?;
    // The format asks for data aligned to 8 bytes and for spaces as filling.
    text.resize(text.len().next_multiple_of(8), b' ');
    if text.len() > MAX_HEADER {
        return Err(Error::value("names and metadata", format!("at most {MAX_HEADER} bytes"), text.len()));
    }
    Ok([&(text.len() as u64).to_le_bytes(), &text[..], &data].concat())
}

fn push_numbers(name: &str, tensor: &Tensor, precision: Precision, data: &mut Vec<u8>) -> Result<&'static str> {
    if tensor.is_empty() {
        return Err(Error::value(name, "at least one number", format!("shape {:?}", tensor.shape())));
    }
    for &x in tensor {
        let finite = match precision {
            Precision::F32 => {
                data.extend(x.to_le_bytes());
                x.is_finite()
            }
            Precision::F16 => {
                let half = f16::from_f32(x);
                data.extend(half.to_le_bytes());
                half.is_finite()
            }
        };
        if !finite {
            return Err(Error::value(name, format!("finite numbers in {precision:?}"), x));
        }
    }
    Ok(match precision {
        Precision::F32 => "F32",
        Precision::F16 => "F16",
    })
}
