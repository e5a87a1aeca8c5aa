//! How much memory a hostile file can take, measured: the bounds that the readers' documentation promises.
//!
//! One test in a process of its own, because the allocator counts for all threads.
#![cfg(not(target_arch = "wasm32"))]

#[path = "files/bombs.rs"]
mod bombs;

use flate2::{Compression, write::GzEncoder};
use hitofude::{data::idx, file::pickle, file::safetensors};
use peak_alloc::PeakAlloc;
use std::io::Write;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const MIB: usize = 1 << 20;

/// The most bytes that `work` held at once.
fn peak<T>(work: impl FnOnce() -> T) -> usize {
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    drop(work());
    MEMORY.peak_usage() - before
}

#[test]
fn hostile_files_stay_within_their_bounds() {
    for (what, file) in bombs::pickles() {
        let (took, bound) = (peak(|| pickle::read(&file)), 16 * MIB + 12 * file.len());
        eprintln!("pickle, {what}: {} kB for a file of {} kB", took >> 10, file.len() >> 10);
        assert!(took <= bound, "{what}: {took} bytes, the bound is {bound}");
    }
    for (what, file) in bombs::safetensors() {
        let (took, bound) = (peak(|| safetensors::read(&file)), 32 * MIB + 4 * file.len());
        eprintln!("safetensors, {what}: {} kB for a file of {} kB", took >> 10, file.len() >> 10);
        assert!(took <= bound, "{what}: {took} bytes, the bound is {bound}");
    }
    for (sides, bound) in [([1, 28, 28], MIB), ([1, 8192, 8192], MIB), ([1, 512, 512], 2 * MIB)] {
        let bomb = zeros_in_gzip(sides);
        let took = peak(|| idx::read_images(&bomb));
        eprintln!(
            "IDX, 64 MiB of zeros declared as {sides:?}: {} kB for a file of {} kB",
            took >> 10,
            bomb.len() >> 10
        );
        assert!(took <= bound, "{sides:?}: {took} bytes, the bound is {bound}");
    }
}

fn zeros_in_gzip(sides: [u32; 3]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&[0, 0, 8, 3]).unwrap();
    sides.iter().for_each(|side| encoder.write_all(&side.to_be_bytes()).unwrap());
    encoder.write_all(&vec![0; 64 * MIB]).unwrap();
    encoder.finish().unwrap()
}
