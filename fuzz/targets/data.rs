//! Any bytes as pictures, labels, strokes, or the description of a network: refused or read. Never a panic.
#![no_main]

use hitofude::data::{idx, strokes};
use hitofude::nn::description;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = idx::read_images(bytes);
    let _ = idx::read_labels(bytes);
    let _ = strokes::read_drawings(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = description::read(text);
    }
});
