//! HDF5, as Keras writes it, by the crate `hdf5-pure`. Whatever is asked for is looked at before it is read: how many numbers it
//! holds, and whether a file of this size can.

use crate::error::{Error, Result};
use crate::file::number::short;
use crate::tensor::Tensor;
use hdf5_pure::{AttrValue, DType, File};
use ndarray::{ArrayD, IxDyn};
use std::cell::Cell;
use std::collections::HashMap;

/// What all arrays together may take, however small the file is, and for each of its bytes: zeros deflate to a thousandth.
const BUDGET: (usize, usize) = (64 << 20, 64);

/// A file that is open.
pub(super) struct Hdf5 {
    file: File,
    budget: Cell<usize>,
}

fn refuse(expected: &str, got: impl std::fmt::Display) -> Error {
    Error::format("HDF5", expected, short(&got.to_string()))
}

impl Hdf5 {
    pub(super) fn open(bytes: &[u8]) -> Result<Self> {
        let budget = BUDGET.0.saturating_add(bytes.len().saturating_mul(BUDGET.1));
        let file = File::from_bytes(bytes.to_vec()).map_err(|e| refuse("a whole file", e))?;
        Ok(Self { file, budget: Cell::new(budget) })
    }

    /// What is said of a group; of the file itself for an empty path.
    fn attributes(&self, group: &str) -> Result<Option<HashMap<String, AttrValue>>> {
        let group = match group {
            "" => self.file.root(),
            path => match self.file.group(path) {
                Ok(group) => group,
                Err(_) => return Ok(None),
            },
        };
        group.attrs().map(Some).map_err(|e| refuse("attributes", e))
    }

    /// A text that is said of the file.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>> {
        let found = self.attributes("")?.and_then(|mut all| all.remove(name));
        Ok(found.and_then(|value| texts(&value)).and_then(|mut list| (list.len() == 1).then(|| list.remove(0))))
    }

    /// A list of texts that is said of a group. Long ones are cut into parts with numbers behind their names.
    pub(super) fn list(&self, group: &str, name: &str) -> Result<Vec<String>> {
        let Some(all) = self.attributes(group)? else { return Ok(Vec::new()) };
        if let Some(list) = all.get(name) {
            return Ok(texts(list).unwrap_or_default());
        }
        let parts = (0..).map(|n| all.get(&format!("{name}{n}"))).take_while(Option::is_some).flatten();
        Ok(parts.filter_map(texts).flatten().collect())
    }

    /// The array at a path, if there is one.
    pub(super) fn tensor(&self, path: &str) -> Result<Option<Tensor>> {
        let Ok(data) = self.file.dataset(path) else { return Ok(None) };
        let wrong = |e: hdf5_pure::Error| Error::format(short(path), "an array of HDF5", short(&e.to_string()));
        let sides: Option<Vec<usize>> = data.shape().map_err(wrong)?.iter().map(|&side| side.try_into().ok()).collect();
        let sides = sides.filter(|sides| sides.len() <= 8);
        let count = sides.as_ref().and_then(|sides| sides.iter().try_fold(1_usize, |n, &side| n.checked_mul(side)));
        // The bytes of the file's numbers and ours.
        let size = data.element_size().map_err(wrong)?.min(1 << 20) as usize + size_of::<f32>();
        let left = count.and_then(|count| self.budget.get().checked_sub(count.checked_mul(size)?));
        let (Some(sides), Some(left)) = (sides, left) else {
            return Err(Error::format(short(path), "arrays of a size in keeping with the file's", "far more"));
        };
        self.budget.set(left);
        let values = match data.dtype().map_err(wrong)? {
            DType::F32
            | DType::F64
            | DType::I8
            | DType::I16
            | DType::I32
            | DType::I64
            | DType::U8
            | DType::U32
            | DType::U64 => data.read_f32().map_err(wrong)?,
            DType::Other(_) if data.element_size().map_err(wrong)? == 2 => halves(&data.read_raw().map_err(wrong)?),
            other => return Err(Error::format(short(path), "numbers", other)),
        };
        let array = ArrayD::from_shape_vec(IxDyn(&sides), values);
        array.map(Some).map_err(|e| Error::format(short(path), "all its numbers", e))
    }
}

fn halves(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<2>().0.iter().map(|&pair| half::f16::from_le_bytes(pair).to_f32()).collect()
}

fn texts(value: &AttrValue) -> Option<Vec<String>> {
    let one = value.as_str().map(|text| vec![text.to_string()]);
    one.or_else(|| value.as_strings().map(<[String]>::to_vec))
}
