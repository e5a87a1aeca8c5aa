//! safetensors: named tensors and a text map in one file, which is how weights ship.
//!
//! The format is 8 bytes of header length, a JSON header, then the numbers. The `safetensors` crate is the tests'
//! second opinion and not used here: it writes tensors sorted by name and metadata in the random order of a hash
//! map, while a model card gives the sha256 of its file, and its reader (0.8.0) adds offsets from the file unchecked.

use super::number::{ByteOrder, Number, short};
use crate::error::{Error, Result};
use crate::tensor::Tensor;
use half::{bf16, f16};
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

impl Weights {
    /// Of a checkpoint: refuses one whose metadata says anything but `own` of `key`.
    pub fn agree(&self, key: &str, own: &str) -> Result<()> {
        match self.metadata.get(key).map_or("nothing", String::as_str) {
            theirs if theirs == own => Ok(()),
            theirs => Err(Error::value(format!("checkpoint's {key}"), short(own), short(theirs))),
        }
    }

    /// Of a checkpoint: the number that its metadata has under `key`.
    pub fn number<T: std::str::FromStr>(&self, key: &str) -> Result<T> {
        let text = self.metadata.get(key).map_or("nothing", String::as_str);
        text.parse().map_err(|_| Error::format(format!("checkpoint's {key}"), "a number", short(text)))
    }
}

/// How [`write()`] stores numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// As they are.
    F32,
    /// Rounded to the nearest half-precision number, ties to even.
    F16,
    /// Rounded to the nearest number with the range of `f32` and 8 bits of fraction, ties to even.
    Bf16,
    /// Weights as 8-bit whole numbers, each row of a tensor times a scale of its own; what has fewer than two axes, biases
    /// and statistics, as it is. The scales are a tensor `NAME.scale` behind the weights.
    I8,
}

/// Behind the name of a tensor of 8-bit numbers: that of their scales.
const SCALE: &str = ".scale";

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

/// Reads a file of tensors of any type with a point of 16 bits or more or of whole numbers, rounded to `f32`. Whole ones
/// with scales, as [`Precision::I8`] writes them, come back as the product.
///
/// Allocates at most four times the file's size for the numbers, and to parse the header at most 32 times its size, which
/// is at most 1 MiB. Errors: [`Error::Format`] for a file that is cut short, overlong or contradicts itself, and for a
/// tensor of another type or without numbers; [`Error::Value`] for a number that is not finite. Both name the tensor.
pub fn read(bytes: &[u8]) -> Result<Weights> {
    read_some(bytes, |_| true)
}

/// As [`read`], of the tensors whose names are wanted: a few of a large file take no more than their own room.
pub fn read_some(bytes: &[u8], wanted: impl Fn(&str) -> bool) -> Result<Weights> {
    let (entries, metadata, data) = entries(bytes)?;
    let mut tensors = Vec::new();
    let mut eighths = Vec::new();
    let kept = |name: &str| wanted(name.strip_suffix(SCALE).unwrap_or(name)) || wanted(name);
    for (name, entry) in entries.into_iter().filter(|(name, _)| kept(name)) {
        let tensor = entry.tensor(&name, &data[entry.data_offsets.0..entry.data_offsets.1])?;
        if entry.dtype == "I8" {
            eighths.push(tensors.len());
        }
        tensors.push((name, tensor));
    }
    rescale(&mut tensors, &eighths)?;
    Ok(Weights { tensors, metadata })
}

/// The names and shapes of a file's tensors, and its metadata, without a look at the numbers. Errors: those of [`read`].
#[allow(clippy::type_complexity, reason = "two tables that belong together")]
pub fn list(bytes: &[u8]) -> Result<(Vec<(String, Vec<usize>)>, BTreeMap<String, String>)> {
    let (entries, metadata, _) = entries(bytes)?;
    Ok((entries.into_iter().map(|(name, entry)| (name, entry.shape)).collect(), metadata))
}

/// The header's entries in the order of their numbers, the metadata, and the numbers.
#[allow(clippy::type_complexity, reason = "the parts of a file")]
fn entries(bytes: &[u8]) -> Result<(Vec<(String, Entry)>, BTreeMap<String, String>, &[u8])> {
    let (header, data) = split(bytes)?;
    let header: Header = serde_json::from_slice(header)
        .map_err(|e| refuse("a header of dtype, shape and data_offsets", short(&e.to_string())))?;
    let mut entries: Vec<_> = header.tensors.into_iter().collect();
    entries.sort_by_key(|(_, entry)| entry.data_offsets);
    let mut at = 0;
    for (name, entry) in &entries {
        let (start, end) = entry.data_offsets;
        // One tensor begins where the last ended: no hidden bytes, and no byte is read twice.
        if data.get(start..end).filter(|_| start == at).is_none() {
            let expected = format!("some of the {} bytes of numbers, from {at} on", data.len());
            return Err(Error::format(short(name), expected, format!("{start} to {end}")));
        }
        at = end;
    }
    if at != data.len() {
        return Err(refuse(format!("{at} bytes of numbers"), data.len()));
    }
    Ok((entries, header.metadata, data))
}

/// Multiplies the rows of 8-bit tensors by their scales, which stand right behind them, and takes those away.
fn rescale(tensors: &mut Vec<(String, Tensor)>, eighths: &[usize]) -> Result<()> {
    let mut scales = vec![false; tensors.len()];
    for &i in eighths {
        let (before, behind) = tensors.split_at_mut(i + 1);
        let (name, tensor) = &mut before[i];
        let Some((_, scale)) = behind.first().filter(|(other, _)| other.strip_suffix(SCALE) == Some(name)) else {
            continue;
        };
        if scale.ndim() != 1 || tensor.ndim() == 0 || scale.len() != tensor.shape()[0] {
            let got = format!("{:?} for {:?}", scale.shape(), tensor.shape());
            return Err(Error::format(short(name), "a scale for each row", got));
        }
        tensor.outer_iter_mut().zip(scale.iter()).for_each(|(mut row, scale)| row *= *scale);
        scales[i + 1] = true;
    }
    let mut scales = scales.into_iter();
    tensors.retain(|_| scales.next() == Some(false));
    Ok(())
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

/// The types that are read.
const TYPES: [(&str, Number); 13] = [
    ("F32", Number::F32),
    ("F16", Number::F16),
    ("BF16", Number::Bf16),
    ("F64", Number::F64),
    ("I8", Number::I8),
    ("I16", Number::I16),
    ("I32", Number::I32),
    ("I64", Number::I64),
    ("U8", Number::U8),
    ("U16", Number::U16),
    ("U32", Number::U32),
    ("U64", Number::U64),
    ("BOOL", Number::Bool),
];

impl Entry {
    fn tensor(&self, name: &str, bytes: &[u8]) -> Result<Tensor> {
        let known = TYPES.iter().find(|(dtype, _)| *dtype == self.dtype);
        let refuse = || Error::format(short(name), "F32, F16, BF16, F64 or whole numbers", short(&self.dtype));
        let number = known.ok_or_else(refuse)?.1;
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
    let mut push = |name: &str, dtype: &str, shape: &[usize], numbers: Vec<u8>| {
        let start = data.len();
        data.extend(numbers);
        let entry = Entry { dtype: dtype.into(), shape: shape.to_vec(), data_offsets: (start, data.len()) };
        if name == METADATA || header.tensors.insert(name.into(), entry).is_some() {
            return Err(Error::value("tensor names", format!("each once and none {METADATA}"), name));
        }
        Ok(())
    };
    for (name, tensor) in &weights.tensors {
        let narrow = precision == Precision::I8 && tensor.ndim() > 1;
        let (dtype, numbers) = numbers(name, tensor, if narrow { Precision::I8 } else { precision.of_vectors() })?;
        push(name, dtype, tensor.shape(), numbers)?;
        if narrow {
            let scales = scales(tensor).flat_map(f32::to_le_bytes).collect();
            push(&format!("{name}{SCALE}"), "F32", &tensor.shape()[..1], scales)?;
        }
    }
    finished(&header, &data)
}

/// Writes tensors of one row whose bytes are made already: `(name, type, bytes of a number, bytes)`. What has no byte is left out.
///
/// Errors: [`Error::Value`] for bytes that are no whole numbers, and for a header that is too long.
pub fn write_raw(metadata: BTreeMap<String, String>, tensors: &[(&str, &str, usize, &[u8])]) -> Result<Vec<u8>> {
    let mut header = Header { metadata, ..Header::default() };
    let mut data = Vec::new();
    for (name, dtype, size, bytes) in tensors.iter().filter(|(_, _, _, bytes)| !bytes.is_empty()) {
        if !bytes.len().is_multiple_of(*size) {
            return Err(Error::value(*name, format!("numbers of {size} bytes"), bytes.len()));
        }
        let data_offsets = (data.len(), data.len() + bytes.len());
        let entry = Entry { dtype: (*dtype).into(), shape: vec![bytes.len() / size], data_offsets };
        header.tensors.insert((*name).into(), entry);
        data.extend_from_slice(bytes);
    }
    finished(&header, &data)
}

/// The file of a header and its numbers.
fn finished(header: &Header, data: &[u8]) -> Result<Vec<u8>> {
    let mut text = serde_json::to_vec(header).map_err(|e| refuse("text for the header", e))?;
    // The format asks for data aligned to 8 bytes and for spaces as filling.
    text.resize(text.len().next_multiple_of(8), b' ');
    if text.len() > MAX_HEADER {
        return Err(Error::value("names and metadata", format!("at most {MAX_HEADER} bytes"), text.len()));
    }
    Ok([&(text.len() as u64).to_le_bytes(), &text[..], data].concat())
}

impl Precision {
    /// That of tensors with fewer than two axes.
    fn of_vectors(self) -> Self {
        if self == Self::I8 { Self::F32 } else { self }
    }

    /// Whether a number stays finite.
    fn holds(self, x: f32) -> bool {
        match self {
            Self::F16 => f16::from_f32(x).is_finite(),
            Self::Bf16 => bf16::from_f32(x).is_finite(),
            Self::F32 | Self::I8 => x.is_finite(),
        }
    }
}

/// What each row of an 8-bit tensor is multiplied by: 127 of it are the largest number of the row.
fn scales(tensor: &Tensor) -> impl Iterator<Item = f32> {
    tensor.outer_iter().map(|row| row.iter().fold(0.0, |most: f32, x| most.max(x.abs())) / 127.0)
}

/// A tensor's type in the file and its numbers there.
fn numbers(name: &str, tensor: &Tensor, precision: Precision) -> Result<(&'static str, Vec<u8>)> {
    if tensor.is_empty() {
        return Err(Error::value(name, "at least one number", format!("shape {:?}", tensor.shape())));
    }
    if let Some(x) = tensor.iter().find(|&&x| !precision.holds(x)) {
        return Err(Error::value(name, format!("finite numbers in {precision:?}"), x));
    }
    Ok(match precision {
        Precision::F32 => ("F32", tensor.iter().flat_map(|x| x.to_le_bytes()).collect()),
        Precision::F16 => ("F16", tensor.iter().flat_map(|x| f16::from_f32(*x).to_le_bytes()).collect()),
        Precision::Bf16 => ("BF16", tensor.iter().flat_map(|x| bf16::from_f32(*x).to_le_bytes()).collect()),
        Precision::I8 => {
            let row = |(row, scale): (ndarray::ArrayViewD<f32>, f32)| {
                let step = if scale > 0.0 { 1.0 / scale } else { 0.0 };
                row.iter().map(|x| (x * step).round_ties_even() as i8 as u8).collect::<Vec<_>>()
            };
            ("I8", tensor.outer_iter().zip(scales(tensor)).flat_map(row).collect())
        }
    })
}
