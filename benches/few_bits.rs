//! Convolutions of few bits beside single precision, at every lane level: `cargo bench --bench few_bits [word …]`.
//!
//! The same whole numbers in single precision by windows and by minimal filtering, in 8 bits, and as signs, each with its conversion
//! to what a next layer would read; ratios of medians of interleaved rounds. The sums are compared before anything is printed.

#[path = "../tests/common/mod.rs"]
mod common;

use fearless_simd::Level;
use hitofude::kernel::conv::Geometry;
use hitofude::kernel::gemm::Store;
use hitofude::kernel::words::{Affine, Conv, Product, Put, pair};
use hitofude::kernel::{binary, int8, windows, winograd};
use hitofude::rng::Rng;
use hitofude::shape::{Shape, Window};
use hitofude::tensor::Map;
use std::time::Instant;

/// Name, images, channels in, side, filters; 3 × 3 with padding 1.
const LAYERS: &[(&str, usize, usize, usize, usize)] = &[
    ("64 to 64 at 8, 25 images", 25, 64, 8, 64),
    ("64 to 64 at 28", 1, 64, 28, 64),
    ("64 to 64 at 56", 1, 64, 56, 64),
    ("16 to 16 at 14, 25 images", 25, 16, 14, 16),
    ("128 to 128 at 28", 1, 128, 28, 128),
    ("512 to 512 at 7", 1, 512, 7, 512),
];

const ROUNDS: usize = 9;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    println!(
        "GFLOP/s of the direct convolution, and how many times as fast as single precision by windows | by the faster way"
    );
    println!(
        "{:<28} {:<10} {:>8} {:>8} {:>8} {:>8}  {:<14} {:<14}",
        "layer", "level", "windows", "winograd", "int8", "signs", "int8", "signs"
    );
    for &(name, n, c, side, oc) in LAYERS {
        for level in common::levels().into_iter().rev() {
            let title = format!("{level:?}");
            let title = title.split('(').next().unwrap_or_default();
            if words.iter().all(|w| format!("{name} {title}").contains(w.as_str())) {
                layer(level, (name, title), n, (c, side, oc));
            }
        }
    }
}

/// Whole numbers for a layer: of −3 to 3, or signs.
struct Numbers {
    x: Vec<i32>,
    w: Vec<i32>,
}

fn layer(level: Level, (name, title): (&str, &str), n: usize, (c, side, oc): (usize, usize, usize)) {
    let window = Window::square(3).pad(1);
    let shape = Shape::new(c, side, side);
    let (x, y) = (Map::new(shape, (1, 1)), Map::new(Shape { c: oc, ..shape }, (1, 1)));
    let mut rng = Rng::new(1);
    let mut whole = |few: &[i32]| Numbers {
        x: (0..n * shape.len()).map(|_| few[rng.below(few.len())]).collect(),
        w: (0..9 * c * oc).map(|_| few[rng.below(few.len())]).collect(),
    };
    let (eight, signs) = (whole(&[-3, -2, -1, 0, 1, 2, 3]), whole(&[-1, 1]));
    let flop = 2.0 * (n * side * side * 9 * c * oc) as f64;

    // Single precision.
    let single = |numbers: &Numbers| {
        let mut out = vec![0.0; n * x.len()];
        each(n, side, |i, py, px, pixel| {
            let at = i * x.len() + x.at(py, px);
            out[at..at + c].iter_mut().zip(&numbers.x[pixel * c..]).for_each(|(o, v)| *o = *v as f32);
        });
        (out, numbers.w.iter().map(|w| *w as f32).collect::<Vec<f32>>())
    };
    let (xs, ws) = single(&eight);
    let mut direct = windows::Forward::new(Geometry { window, groups: 1, x, y });
    direct.pack(level, &ws);
    let mut minimal = winograd::Filter::new(x, window.pad, y, n);
    minimal.pack(level, |tap, ch, g| g.copy_from_slice(&ws[(tap * c + ch) * oc..][..oc]));
    let mut work = vec![0.0; minimal.workspace()];
    let store = Store::Set { bias: None, relu: true };

    // Eight bits: 16 lie in a word's half.
    let packed = |numbers: &Numbers, map: &Map, word: &dyn Fn(&[i32], usize) -> i32| {
        let mut out = vec![0; n * map.len()];
        each(n, side, |i, py, px, pixel| {
            for k in 0..map.shape.c {
                out[i * map.len() + map.at(py, px) + k] = word(&numbers.x[pixel * c..][..c], k);
            }
        });
        out
    };
    let map = |words: usize| Map::new(Shape { c: words, ..shape }, (1, 1));
    let (xm, ym) = (map(int8::words(c)), map(int8::words(oc)));
    let x8 = packed(&eight, &xm, &|p, k| pair(p[2 * k], p[2 * k + 1]));
    let mut conv8 = Conv::new(Product::Pairs, window, xm, ym, oc);
    conv8.pack(level, int8::weight_word(c, |tap, ch, o| eight.w[(tap * c + ch) * oc + o]));
    let (sm, tm) = (map(binary::words(c)), map(binary::words(oc)));
    let bits = |p: &[i32], k: usize| {
        let own = p[32 * k..].iter().take(32);
        own.enumerate().fold(0, |word, (bit, v)| word | i32::from(*v < 0) << bit)
    };
    let x1 = packed(&signs, &sm, &bits);
    let mut conv1 = Conv::new(Product::Signs((9 * c) as i32), window, sm, tm, oc);
    conv1.pack(level, binary::weight_word(c, |tap, ch, o| signs.w[(tap * c + ch) * oc + o] < 0));
    let mut space = vec![0; conv8.workspace()];

    // Do they say the same?
    let mut want = vec![0.0; n * y.len()];
    direct.run(level, n, &xs, Store::SET, &mut want);
    let mut sums = Conv::new(Product::Pairs, window, xm, y, oc);
    sums.pack(level, int8::weight_word(c, |tap, ch, o| eight.w[(tap * c + ch) * oc + o]));
    let mut got = vec![0; n * y.len()];
    sums.run(level, n, &x8, &mut Put::Sums(&mut got), &mut space);
    assert!(y.rows(n).flatten().all(|at| got[at] as f32 == want[at]), "{name}: 8 bits");
    let (xs1, ws1) = single(&signs);
    let mut direct1 = windows::Forward::new(Geometry { window, groups: 1, x, y });
    direct1.pack(level, &ws1);
    direct1.run(level, n, &xs1, Store::SET, &mut want);
    let mut sums = Conv::new(Product::Signs((9 * c) as i32), window, sm, y, oc);
    sums.pack(level, binary::weight_word(c, |tap, ch, o| signs.w[(tap * c + ch) * oc + o] < 0));
    sums.run(level, n, &x1, &mut Put::Sums(&mut got), &mut space);
    let inner =
        (0..n).flat_map(|i| (1..side - 1).flat_map(move |py| (1..side - 1).map(move |px| i * y.len() + y.at(py, px))));
    assert!(inner.flat_map(|at| at..at + oc).all(|at| got[at] as f32 == want[at]), "{name}: signs");

    let (scale, shift) = (vec![0.01; oc], vec![0.3; oc]);
    let affine = Affine { scale: &scale, shift: &shift };
    let (mut single, mut y8, mut y1) = (vec![0.0; n * y.len()], vec![0; n * ym.len()], vec![0; n * tm.len()]);
    let mut seconds = [const { Vec::new() }; 4];
    for round in 0..=ROUNDS {
        for (way, seconds) in seconds.iter_mut().enumerate() {
            let times = (5e7 / flop).ceil() as usize;
            let started = Instant::now();
            for _ in 0..times {
                match way {
                    0 => direct.run(level, n, &xs, store, &mut single),
                    1 => minimal.run(level, n, &xs, store, &mut single, &mut work),
                    2 => conv8.run(level, n, &x8, &mut Put::Levels(affine, (0.0, 255.0), &mut y8), &mut space),
                    _ => conv1.run(level, n, &x1, &mut Put::Signs(affine, &mut y1), &mut space),
                }
            }
            if round > 0 {
                seconds.push(started.elapsed().as_secs_f64() / times as f64);
            }
        }
    }
    let speed = seconds.map(|mut all| {
        all.sort_by(f64::total_cmp);
        flop / all[ROUNDS / 2] / 1e9
    });
    let best = speed[0].max(speed[1]);
    let ratios = |v: f64| format!("{:.2} | {:.2}", v / speed[0], v / best);
    println!(
        "{name:<28} {title:<10} {:>8.1} {:>8.1} {:>8.1} {:>8.1}  {:<14} {:<14}",
        speed[0],
        speed[1],
        speed[2],
        speed[3],
        ratios(speed[2]),
        ratios(speed[3])
    );
}

/// Visits every pixel: image, row, column, its number.
fn each(n: usize, side: usize, mut visit: impl FnMut(usize, usize, usize, usize)) {
    for pixel in 0..n * side * side {
        visit(pixel / (side * side), pixel / side % side, pixel % side, pixel);
    }
}
