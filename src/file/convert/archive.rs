//! The files in a zip, each of which is a part of a model.

use crate::error::{Error, Result};
use crate::file::number::short;
use crate::file::zip;
use std::io::Read;

/// The files of a zip, unpacked. Together they take at most 64 MiB and 64 times the archive.
pub(super) fn unpacked(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>> {
    let mut budget = (64_usize << 20).saturating_add(bytes.len().saturating_mul(64));
    let mut files = Vec::new();
    for entry in zip::entries(bytes)?.into_iter().filter(|entry| !entry.name.ends_with('/')) {
        let (mut file, mut out) = (entry.open(), Vec::new());
        let read = file.by_ref().take(budget as u64 + 1).read_to_end(&mut out);
        read.map_err(|e| Error::format(short(&entry.name), "a whole file", e))?;
        budget = budget.checked_sub(out.len()).ok_or_else(|| {
            Error::format(short(&entry.name), "files of a size in keeping with the archive's", "more")
        })?;
        if !entry.is_whole(&file) {
            return Err(Error::format(short(&entry.name), "the bytes that were packed", "others"));
        }
        files.push((entry.name.clone(), out));
    }
    Ok(files)
}
