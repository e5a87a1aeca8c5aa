//! NumPy's `.npz`: a zip of `.npy` files, one for each named array.
//!
//! Specification of `.npy`: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.

use super::array::{Array, Number};
use super::number::{ByteOrder, short};
use super::numpy::Dtype;
use super::zip;
use crate::error::{Error, Result};
use std::io::Read;

const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// Longest header of an array: NumPy itself reads no longer one.
const MAX_HEADER: usize = 10_000;
/// What a file may unpack to, however small it is, and for each of its bytes: zeros deflate to a thousandth.
const BUDGET: (usize, usize) = (64 << 20, 64);

/// Reads every array by name, in the order of the archive.
///
/// Unpacks at most 64 MiB and 64 times the file's size, and holds each array twice while it is read (whole numbers take 8
/// bytes then). Errors: [`Error::Format`] for what is no such archive, an array that is cut short, of text or objects, or
/// one too many.
pub fn read(bytes: &[u8]) -> Result<Vec<(String, Array)>> {
    let mut budget = BUDGET.0.saturating_add(bytes.len().saturating_mul(BUDGET.1));
    let mut arrays = Vec::new();
    for entry in zip::entries(bytes)? {
        let name = entry.name.strip_suffix(".npy").unwrap_or(&entry.name);
        let mut file = entry.open();
        let array = npy(name, &mut file, &mut budget)?;
        if !entry.is_whole(&file) {
            return Err(Error::format(short(name), "the bytes that were packed", "others"));
        }
        arrays.push((name.to_string(), array));
    }
    Ok(arrays)
}

/// One array. Nothing is allocated for its numbers before the header has said how many there are.
fn npy(name: &str, file: &mut impl Read, budget: &mut usize) -> Result<Array> {
    let refuse = |expected: &str, got: &str| Error::format(short(name), expected, short(got));
    let io = |e: std::io::Error| refuse("a whole .npy file", &e.to_string());
    let mut head = [0; 8];
    file.read_exact(&mut head).map_err(io)?;
    if head[..6] != *MAGIC || !(1..=3).contains(&head[6]) {
        return Err(refuse("\\x93NUMPY and version 1 to 3", &String::from_utf8_lossy(&head)));
    }
    let mut size = [0; 4];
    file.read_exact(&mut size[..if head[6] == 1 { 2 } else { 4 }]).map_err(io)?;
    let size = u32::from_le_bytes(size) as usize;
    if size > MAX_HEADER {
        return Err(refuse("a header of at most 10,000 bytes", &size.to_string()));
    }
    let mut header = vec![0; size];
    file.read_exact(&mut header).map_err(io)?;
    let text = String::from_utf8_lossy(&header);
    let (dtype, fortran, shape) = describe(&text).ok_or_else(|| refuse("descr, fortran_order and shape", &text))?;
    let number_type = Dtype::of(dtype).map_err(|_| {
        let text = dtype.trim_start_matches(['<', '>', '|', '=']).starts_with(['U', 'S', 'T', 'O']);
        let got = if text { format!("{dtype}, which is text or objects: leave this array out") } else { dtype.into() };
        refuse("numbers: f2, f4, f8, b1 or an integer such as i4 or u1", &got)
    })?;
    let (number, order) = number_type.parts();
    let held = if number.is_whole() { 8 } else { 4 };
    let count = shape.iter().try_fold(1_usize, |n, &side| n.checked_mul(side));
    let cost = count.and_then(|n| n.checked_mul(number.size() + held));
    match cost.and_then(|cost| budget.checked_sub(cost)) {
        Some(left) => *budget = left,
        None => return Err(refuse("arrays of a size in keeping with the file's", &format!("shape {shape:?}"))),
    }
    let mut data = vec![0; count.unwrap_or(0) * number.size()];
    file.read_exact(&mut data).map_err(io)?;
    if file.read(&mut [0]).map_err(io)? != 0 {
        return Err(refuse("an end behind its numbers", "more"));
    }
    if fortran {
        let reversed: Vec<usize> = shape.iter().rev().copied().collect();
        return Ok(Array::decode(name, number, &reversed, &data, order)?.transposed());
    }
    Array::decode(name, number, &shape, &data, order)
}

/// The entries of a header such as `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
fn describe(header: &str) -> Option<(&str, bool, Vec<usize>)> {
    let after = |key: &str| Some(header.split_once(&format!("'{key}':"))?.1.trim_start());
    let descr = after("descr")?.strip_prefix('\'')?.split_once('\'')?.0;
    let fortran = after("fortran_order")?;
    let fortran = if fortran.starts_with("True") { true } else { fortran.starts_with("False").then_some(false)? };
    let sides = after("shape")?.strip_prefix('(')?.split_once(')')?.0;
    let sides = sides.split(',').map(str::trim).filter(|side| !side.is_empty());
    let shape: Vec<usize> = sides.map(|side| side.parse().ok()).collect::<Option<_>>()?;
    // As many as ndarray and NumPy take.
    (shape.len() <= 32).then_some((descr, fortran, shape))
}

/// Writes arrays under their names, uncompressed as `numpy.savez` does. Equal arrays give equal bytes.
///
/// bfloat16, which NumPy lacks, is written as f32. Errors: [`Error::Value`] beyond 4 GiB.
pub fn write(arrays: &[(String, Array)]) -> Result<Vec<u8>> {
    let files: Vec<_> = arrays.iter().map(|(name, array)| (format!("{name}.npy"), to_npy(array))).collect();
    zip::write(&files)
}

fn to_npy(array: &Array) -> Vec<u8> {
    let wide;
    let array = if array.number() == Number::Bf16 {
        wide = array.cast(Number::F32);
        &wide
    } else {
        array
    };
    let sides: String = array.shape().iter().map(|side| format!("{side}, ")).collect();
    let descr = Dtype::new(array.number(), ByteOrder::Little).descr();
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({sides}), }}");
    // The numbers begin at a multiple of 64 bytes; a line break ends the header.
    let padding = 63 - (10 + header.len()) % 64;
    header.push_str(&" ".repeat(padding));
    header.push('\n');
    let size = (header.len() as u16).to_le_bytes();
    [MAGIC.as_slice(), &[1, 0], &size, header.as_bytes(), &array.encode()].concat()
}
