//! The part of the zip format that `.npz` needs: files stored or deflated, found by the central directory, with the 64-bit
//! sizes that NumPy writes. The `zip` crate asks for a source of random numbers, which the page's wasm has not.
//!
//! Specification: PKWARE's APPNOTE 6.3, sections 4.3 to 4.5.

use super::number::short;
use crate::error::{Error, Result};
use flate2::{Crc, CrcReader, read::DeflateDecoder};
use std::io::Read;

/// A file in an archive.
pub(super) struct Entry<'a> {
    pub(super) name: String,
    crc: u32,
    deflated: bool,
    packed: &'a [u8],
}

fn refuse(expected: &str, got: impl std::fmt::Display) -> Error {
    Error::format("zip archive", expected, short(&got.to_string()))
}

/// The files of an archive, in the order of its directory.
pub(super) fn entries(bytes: &[u8]) -> Result<Vec<Entry<'_>>> {
    let (mut at, count) = directory(bytes).ok_or_else(|| refuse("an end that says where its directory is", "none"))?;
    let mut entries = Vec::new();
    for i in 0..count {
        let (entry, next) = entry(bytes, at).ok_or_else(|| refuse("a whole directory", format!("no file {i}")))?;
        entries.push(entry?);
        at = next;
    }
    Ok(entries)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?).into())
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?) as usize)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<usize> {
    u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?).try_into().ok()
}

/// Where the directory begins and how many files it lists.
fn directory(bytes: &[u8]) -> Option<(usize, usize)> {
    // A comment of up to 65,535 bytes may follow the 22 of the end.
    let last = bytes.len().checked_sub(22)?;
    let first = last.saturating_sub(65_535);
    let end = (first..=last).rev().find(|&at| bytes[at..].starts_with(b"PK\x05\x06"))?;
    let (count, at) = (u16_at(bytes, end + 10)?, u32_at(bytes, end + 16)?);
    if count < 0xffff && at < 0xffff_ffff {
        return Some((at, count));
    }
    let locator = end.checked_sub(20).filter(|&at| bytes[at..].starts_with(b"PK\x06\x07"))?;
    let end = u64_at(bytes, locator + 8)?;
    bytes.get(end..)?.starts_with(b"PK\x06\x06").then_some(())?;
    Some((u64_at(bytes, end.checked_add(48)?)?, u64_at(bytes, end.checked_add(32)?)?))
}

/// The file whose directory entry is at `at`, and where the next entry begins.
fn entry(bytes: &[u8], at: usize) -> Option<(Result<Entry<'_>>, usize)> {
    let head = bytes.get(at..)?;
    head.starts_with(b"PK\x01\x02").then_some(())?;
    let (flags, method, crc) = (u16_at(head, 8)?, u16_at(head, 10)?, u32_at(head, 16)? as u32);
    let [name, extra, comment] = [28, 30, 32].map(|at| u16_at(head, at));
    let (name, extra, comment) = (name?, extra?, comment?);
    let text = String::from_utf8_lossy(head.get(46..46 + name)?).into_owned();
    let (packed, start) = place(head, head.get(46 + name..46 + name + extra)?)?;
    let local = bytes.get(start..)?;
    local.starts_with(b"PK\x03\x04").then_some(())?;
    let data = 30 + u16_at(local, 26)? + u16_at(local, 28)?;
    let packed = local.get(data..data.checked_add(packed)?)?;
    let next = at + 46 + name + extra + comment;
    let entry = match (flags & 1, method) {
        (0, 0 | 8) => Ok(Entry { name: text, crc, deflated: method == 8, packed }),
        _ => Err(refuse("files stored or deflated, not encrypted", format!("{text}: method {method}"))),
    };
    Some((entry, next))
}

/// The packed size of a file and the place of its local header.
fn place(head: &[u8], mut extra: &[u8]) -> Option<(usize, usize)> {
    let (full, packed, start) = (u32_at(head, 24)?, u32_at(head, 20)?, u32_at(head, 42)?);
    if packed.max(start) < 0xffff_ffff {
        return Some((packed, start));
    }
    while u16_at(extra, 0)? != 1 {
        extra = extra.get(4 + u16_at(extra, 2)?..)?;
    }
    // Only those of the three numbers that did not fit are here, in this order.
    let mut at = if full == 0xffff_ffff { 12 } else { 4 };
    let mut wide = |narrow: usize| {
        if narrow < 0xffff_ffff {
            return Some(narrow);
        }
        at += 8;
        u64_at(extra, at - 8)
    };
    Some((wide(packed)?, wide(start)?))
}

impl Entry<'_> {
    /// Its bytes, unpacked as they are read.
    pub(super) fn open(&self) -> CrcReader<Box<dyn Read + '_>> {
        CrcReader::new(if self.deflated { Box::new(DeflateDecoder::new(self.packed)) } else { Box::new(self.packed) })
    }

    /// Whether what has been read of it, to its end, is what was put in.
    pub(super) fn is_whole(&self, read: &CrcReader<Box<dyn Read + '_>>) -> bool {
        read.crc().sum() == self.crc
    }
}

/// An archive of files, stored. Equal files give equal bytes. Errors: [`Error::Value`] beyond 4 GiB or 65,534 files.
pub(super) fn write(files: &[(String, Vec<u8>)]) -> Result<Vec<u8>> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in files {
        let mut crc = Crc::new();
        crc.update(bytes);
        // Version 2.0, UTF-8 names, stored, 1 January 1980.
        let mut common = b"\x14\x00\x00\x08\x00\x00\x00\x00\x21\x00".to_vec();
        [crc.sum(), bytes.len() as u32, bytes.len() as u32].iter().for_each(|n| common.extend(n.to_le_bytes()));
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0; 2]);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend((out.len() as u32).to_le_bytes());
        directory.extend(name.as_bytes());
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(bytes);
        if u32::try_from(out.len() + directory.len()).is_err() || u16::try_from(name.len()).is_err() {
            return Err(Error::value("zip archive", "at most 4 GiB", out.len()));
        }
    }
    if files.len() >= 0xffff {
        return Err(Error::value("zip archive", "at most 65,534 files", files.len()));
    }
    let (start, size, count) = (out.len() as u32, directory.len() as u32, (files.len() as u16).to_le_bytes());
    out.append(&mut directory);
    out.extend(b"PK\x05\x06\x00\x00\x00\x00");
    out.extend([count, count].concat());
    out.extend([size.to_le_bytes(), start.to_le_bytes()].concat());
    out.extend([0; 2]);
    Ok(out)
}
