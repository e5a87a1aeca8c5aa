//! Hostile files: 10,000 random damages to good files of every format. None may panic, none may take more memory than its
//! reader promises, and every refusal is one of the errors that say what is wrong.
//!
//! `fuzz/` looks for more, where cargo-fuzz is there: its README has the commands and what was run.
//!
//! One test in a process of its own, because the allocator counts for all threads.
#![cfg(not(target_arch = "wasm32"))]

use hitofude::data::{idx, strokes};
use hitofude::file::array::{Array, Number};
use hitofude::file::convert::{Given, convert};
use hitofude::file::{npz, onnx, pickle, safetensors};
use hitofude::rng::Rng;
use hitofude::systems::exported::to_onnx;
use hitofude::systems::imported::Imported;
use hitofude::systems::opened::{Opened, Target};
use hitofude::systems::saved::{self, Saved};
use hitofude::{Result, nn::description};
use ndarray::ArrayD;
use peak_alloc::PeakAlloc;
use std::collections::BTreeMap;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const MUTATIONS: u64 = 10_000;
const MIB: usize = 1 << 20;

/// A copy of `file` with a few random edits: bytes set, cut out, repeated elsewhere, numbers made extreme, an end cut off.
fn damage(file: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = file.to_vec();
    for _ in 0..=rng.below(4) {
        if bytes.is_empty() {
            break;
        }
        let at = rng.below(bytes.len());
        let end = at + rng.below((bytes.len() - at).min(24)) + 1;
        match rng.below(6) {
            0 | 1 => bytes[at] = rng.bits() as u8,
            2 => bytes[at..end].fill([0, 0x7f, 0x80, 0xff][rng.below(4)]),
            3 => drop(bytes.drain(at..end)),
            4 if rng.below(4) == 0 => bytes.truncate(at),
            _ => {
                let piece = bytes[at..end].to_vec();
                let to = rng.below(bytes.len());
                bytes.splice(to..to, piece);
            }
        }
    }
    bytes
}

/// Reads damaged copies of good files. `bound` is what one of a size may take.
fn survives(what: &str, good: &[Vec<u8>], bound: impl Fn(usize) -> usize, read: impl Fn(&[u8]) -> Result<()>) {
    for file in good {
        read(file).unwrap_or_else(|e| panic!("{what}: a good file is refused: {e}"));
    }
    let (mut refused, mut most) = (0, 0);
    for seed in 0..MUTATIONS {
        let mut rng = Rng::new(seed);
        let file = damage(&good[seed as usize % good.len()], &mut rng);
        MEMORY.reset_peak_usage();
        let before = MEMORY.current_usage();
        if let Err(error) = read(&file) {
            refused += 1;
            assert!(!error.to_string().contains('\n'), "{what}, {seed}: {error}");
        }
        let took = MEMORY.peak_usage().saturating_sub(before);
        assert!(took <= bound(file.len()), "{what}, mutation {seed}: {took} bytes for a file of {}", file.len());
        most = most.max(took);
    }
    eprintln!("{what}: {refused} of {MUTATIONS} refused, at most {} kB taken", most >> 10);
    assert!(refused > 0, "{what}: nothing was refused");
}

/// A small network with most of what a graph can have.
fn models() -> Vec<Vec<u8>> {
    let text = r#"{"input":[2,6,6],"layers":[{"name":"c","type":"conv","out":2,"kernel":3,"pad":1},{"name":"n","type":"batch_norm"},{"name":"s","type":"add","inputs":["n","input"]},{"name":"r","type":"relu"},{"name":"p","type":"max_pool","kernel":2,"stride":2},{"name":"u","type":"upsample_bilinear","scale":2},{"name":"f","type":"flatten"},{"name":"a","type":"affine","out":3}]}"#;
    let net = description::read(text).unwrap();
    let params = net.zeros();
    let model = to_onnx("m", &net, &params, BTreeMap::new()).unwrap();
    let file = saved::write(&Saved { net, params, metadata: BTreeMap::new() }, safetensors::Precision::I8).unwrap();
    vec![onnx::write(&model), file]
}

/// A model that another framework wrote.
fn golden(name: &str) -> Vec<u8> {
    std::fs::read(std::path::Path::new("tests/golden/convert").join(name)).unwrap()
}

/// The first two files in a zip that is stored.
fn two(zip: &[u8]) -> [&[u8]; 2] {
    let number =
        |at: usize, bytes: usize| zip[at..at + bytes].iter().rev().fold(0, |n, &byte| n << 8 | usize::from(byte));
    let mut at = 0;
    [(); 2].map(|()| {
        let (data, size) = (at + 30 + number(at + 26, 2), number(at + 18, 4));
        at = data + size;
        &zip[data..at]
    })
}

/// The page's door for a file that is dropped: whatever the bytes are of, opened, described and written in another format.
fn through_the_door(file: &[u8]) -> Result<()> {
    let model = Opened::read(file, "dropped", None)?;
    // What cannot be described or written says so, and is open all the same.
    let described = model.rows().map(drop);
    let written = ["onnx", "npz", "safetensors-f16"].map(|word| model.write(Target::named(word)?));
    described.and(written.into_iter().try_for_each(|file| file.map(drop)))
}

#[test]
fn damaged_files_of_every_format_are_refused_or_read() {
    let [model, weights] = models().try_into().unwrap();
    let archive = Opened::read(&weights, "m", None).unwrap().write(Target::Npz).unwrap();
    let door = [model.clone(), weights.clone(), archive];
    survives("a file that is dropped", &door, |len| 256 * MIB + 256 * len, through_the_door);
    survives("safetensors", &[weights], |len| 2 * MIB + 32 * len, |file| saved::read(file).map(drop));
    let model_bound = |len: usize| 64 * MIB + 256 * len;
    survives("onnx", &[model], model_bound, |file| Imported::read(file).map(drop));
    let arrays = [
        ("a".to_string(), Array::real(Number::F16, ArrayD::ones(vec![3, 5]))),
        ("b".to_string(), Array::whole(Number::I64, ArrayD::ones(vec![4]))),
    ];
    let archives = [npz::write(&arrays).unwrap(), include_bytes!("golden/deflated.npz").to_vec()];
    survives("npz", &archives, |len| 64 * MIB + 80 * len, |file| npz::read(file).map(drop));
    let pickles = [
        include_bytes!("files/pickles/protocol0.pkl").to_vec(),
        include_bytes!("files/pickles/protocol5.pkl").to_vec(),
    ];
    survives("pickle", &pickles, |len| 16 * MIB + 16 * len, |file| pickle::read(file).map(drop));
    let elsewhere = ["tfjs_chain.zip", "sequences.h5", "nested.keras", "checkpoint.pth", "plain.tflite"].map(golden);
    let translated = |file: &[u8]| convert(&[Given { name: "dropped", bytes: file }]).map(drop);
    survives("models of other frameworks", &elsewhere, |len| 64 * MIB + 256 * len, translated);
    let [layers, numbers] = two(&elsewhere[0]);
    let beside = Given { name: "weights.bin", bytes: numbers };
    let together = |file: &[u8]| convert(&[Given { name: "model.json", bytes: file }, beside]).map(drop);
    survives("layers of TensorFlow.js", &[layers.to_vec()], |len| 64 * MIB + 256 * len, together);
    let mut images = vec![0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4];
    images.extend(0..24);
    survives("idx", &[images], |len| MIB + 4 * len, |file| idx::read_images(file).map(drop));
    let drawing = br#"{"writer":"w1","digit":3,"strokes":[[[0.1,0.2],[0.3,0.4]],[[0.5,0.6]]]}"#;
    let lines = [drawing.as_slice(), b"\n", drawing, b"\n"].concat();
    survives("strokes", &[lines], |len| MIB + 64 * len, |file| strokes::read_drawings(file).map(drop));
}
