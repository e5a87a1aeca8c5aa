//! The reader of pen strokes, and the split that keeps writers apart.

#[cfg(not(target_arch = "wasm32"))]
#[path = "common/mod.rs"]
mod common;

use flate2::{Compression, write::GzEncoder};
use hitofude::Error;
use hitofude::data::strokes::{Drawing, read_drawings, split_by_writer};
use std::collections::HashSet;
use std::io::Write;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
#[cfg(target_arch = "wasm32")]
wasm_bindgen_test_configure!(run_in_dedicated_worker);

const TWO: &str = r#"{"writer":"a","digit":1,"strokes":[[[90,0],[90.5,11]]]}

{"writer":"b","digit":0,"strokes":[]}
"#;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn complaint(bytes: &[u8]) -> String {
    read_drawings(bytes).unwrap_err().to_string()
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn plain_and_gzip_read_alike() {
    let two = read_drawings(TWO.as_bytes()).unwrap();
    assert_eq!(two[0], Drawing { writer: "a".into(), digit: 1, strokes: vec![vec![[90.0, 0.0], [90.5, 11.0]]] });
    assert_eq!((two.len(), two[1].digit), (2, 0));
    assert_eq!(two, read_drawings(&gzip(TWO.as_bytes())).unwrap());
    assert_eq!(read_drawings(b""), Ok(vec![]));
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn bad_files_are_refused_by_line() {
    for bad in ["7", "{}", r#"{"writer":"a","digit":-1,"strokes":[]}"#, r#"{"writer":"a","digit":1,"strokes":[[[1]]]}"#]
    {
        let message = complaint(format!("{TWO}{bad}\n").as_bytes());
        assert!(message.contains("line 4"), "{bad}: {message}");
    }
    assert!(complaint(br#"{"writer":"a","digit":10,"strokes":[]}"#).contains("line 1"));
    let deep = [br#"{"writer":"a","digit":1,"strokes":"#.as_slice(), &[b'['; 100_000]].concat();
    assert!(complaint(&deep).contains("line 1"));
    assert!(complaint(&[0xff, 0xfe, b'\n']).contains("line 1"));
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn every_truncation_is_refused() {
    let whole = gzip(TWO.as_bytes());
    for end in 2..whole.len() {
        assert!(matches!(read_drawings(&whole[..end]), Err(Error::Format(_))), "{end} bytes");
    }
}

#[test]
#[cfg(not(target_arch = "wasm32"))]
fn a_gzip_bomb_is_refused() {
    // Many members of a mebibyte each: 130 kB on disk.
    let bomb = gzip(&vec![b'\n'; 1 << 20]).repeat((hitofude::data::strokes::MAX_BYTES >> 20) as usize + 1);
    assert!(complaint(&bomb).contains("at most"));
}

/// `counts[i]` drawings by writer `i`, in turns.
fn drawings(counts: &[usize]) -> Vec<Drawing> {
    let rounds = 0..counts.iter().copied().max().unwrap_or(0);
    let by = |round| move |(i, &n): (usize, &usize)| (round < n).then(|| format!("w{i}"));
    let writers = rounds.flat_map(|round| counts.iter().enumerate().filter_map(by(round)));
    writers.map(|writer| Drawing { writer, digit: 3, strokes: vec![] }).collect()
}

fn check_split(all: &[Drawing], train: &[usize], held_out: &[usize]) {
    let writers = |part: &[usize]| part.iter().map(|&i| all[i].writer.clone()).collect::<HashSet<_>>();
    assert!(writers(train).is_disjoint(&writers(held_out)));
    let mut both = [train, held_out].concat();
    both.sort_unstable();
    assert!(both.into_iter().eq(0..all.len()), "every drawing is in one part");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn writers_are_never_in_both_parts() {
    let all = drawings(&[5, 1, 8, 2, 2, 3, 40, 7, 1, 1, 9, 3]);
    for seed in 0..50 {
        for fraction in [0.0, 0.1, 0.5, 1.0] {
            let (train, held_out) = split_by_writer(&all, seed, fraction);
            check_split(&all, &train, &held_out);
            assert_eq!((train.clone(), held_out.clone()), split_by_writer(&all, seed, fraction));
            let off = held_out.len() as f32 - fraction * all.len() as f32;
            assert!(off.abs() <= 20.0, "seed {seed}: {} of {} for {fraction}", held_out.len(), all.len());
        }
        assert!(split_by_writer(&all, seed, 0.0).1.is_empty());
        assert!(split_by_writer(&all, seed, 1.0).0.is_empty());
    }
    assert_ne!(split_by_writer(&all, 1, 0.3), split_by_writer(&all, 2, 0.3));
    assert_eq!(split_by_writer(&[], 1, 0.3), (vec![], vec![]));
}

#[test]
#[cfg(not(target_arch = "wasm32"))]
fn pen_digits_reads_whole() {
    let Some(path) = common::shared("data/pen-digits/pen-digits-dev.jsonl.gz") else { return };
    let all = read_drawings(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(all.len(), 7985);
    assert_eq!(all.iter().map(|d| &d.writer).collect::<HashSet<_>>().len(), 318);
    let (train, held_out) = split_by_writer(&all, 1, 0.1);
    check_split(&all, &train, &held_out);
    assert!((750..850).contains(&held_out.len()), "{}", held_out.len());
}
