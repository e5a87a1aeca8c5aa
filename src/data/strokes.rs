//! Recorded pen strokes: the reader of `pen-digits` files, and a split that keeps writers apart.
//!
//! A file is JSON lines, plain or gzip: `{"writer": "w001", "digit": 7, "strokes": [[[x, y], …], …]}`, x right, y down,
//! in any unit.

use crate::error::{Error, Result};
use crate::rng::Rng;
use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::Read;

/// One pen-down movement: its points `[x, y]` in the order they were drawn.
pub type Stroke = Vec<[f32; 2]>;

/// The most bytes a file may unpack to. The whole of `pen-digits-dev` is 8 MB.
pub const MAX_BYTES: u64 = 128 << 20;

/// One isolated digit as somebody drew it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Drawing {
    /// Who drew it.
    pub writer: String,
    /// What it is labelled, 0 to 9.
    pub digit: u8,
    /// The pen's path, x right, y down.
    pub strokes: Vec<Stroke>,
}

/// Reads every drawing of a JSON-lines file, plain or gzip; blank lines are skipped.
///
/// Fails with the number of the line that is no drawing, on a digit above 9, and on more than [`MAX_BYTES`].
pub fn read_drawings(bytes: &[u8]) -> Result<Vec<Drawing>> {
    let unpacked;
    let text = if bytes.starts_with(&[0x1f, 0x8b]) {
        unpacked = gunzip(bytes)?;
        &unpacked
    } else {
        bytes
    };
    let mut drawings = Vec::new();
    for (i, line) in text.split(|&b| b == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let place = || format!("line {} of the drawings", i + 1);
        let drawing: Drawing = serde_json::from_slice(line)
            .map_err(|e| Error::format(place(), "an object with writer, digit and strokes", e))?;
        if drawing.digit > 9 {
            return Err(Error::value(place(), "a digit from 0 to 9", drawing.digit));
        }
        drawings.push(drawing);
    }
    Ok(drawings)
}

fn gunzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    MultiGzDecoder::new(bytes)
        .take(MAX_BYTES + 1)
        .read_to_end(&mut out)
        .map_err(|e| Error::format("drawings", "a whole gzip stream", e))?;
    if out.len() as u64 > MAX_BYTES {
        return Err(Error::format("drawings", format!("at most {MAX_BYTES} bytes unpacked"), "more"));
    }
    Ok(out)
}

/// Splits drawings into `(train, held_out)` index lists that share no writer, each in the file's order.
///
/// Writers are shuffled by `seed` and held out one after another until the held-out drawings reach
/// `held_out_fraction` of all; a writer who would carry them past it by more than is missing stays in training. So one
/// writer of a thousand drawings cannot swallow the held-out part.
pub fn split_by_writer(drawings: &[Drawing], seed: u64, held_out_fraction: f32) -> (Vec<usize>, Vec<usize>) {
    let mut by_writer: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, drawing) in drawings.iter().enumerate() {
        by_writer.entry(&drawing.writer).or_default().push(i);
    }
    let mut writers: Vec<Vec<usize>> = by_writer.into_values().collect();
    Rng::new(seed).shuffle(&mut writers);
    let wanted = f64::from(held_out_fraction.clamp(0.0, 1.0)) * drawings.len() as f64;
    let (mut train, mut held_out) = (Vec::new(), Vec::new());
    for theirs in writers {
        let missing = wanted - held_out.len() as f64;
        let side = if theirs.len() as f64 <= 2.0 * missing { &mut held_out } else { &mut train };
        side.extend(theirs);
    }
    train.sort_unstable();
    held_out.sort_unstable();
    (train, held_out)
}
