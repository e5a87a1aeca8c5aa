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

/// Whole numbers for a layer, of which the weights are tap, channel, filter.
struct Numbers {
    x: Vec<i32>,
    w: Vec<i32>,
}

/// A layer: images, channels in, filters, and the layouts of its input and output in single precision.
struct Layer {
    n: usize,
    c: usize,
    oc: usize,
    side: usize,
    x: Map,
    y: Map,
}

/// A convolution over words, with its input and the layout of what it gives.
struct Few {
    conv: Conv,
    x: Vec<i32>,
    y: Map,
}

const WINDOW: Window = Window::square(3).pad(1);

impl Layer {
    fn new(n: usize, (c, side, oc): (usize, usize, usize)) -> Self {
        let map = |c: usize| Map::new(Shape::new(c, side, side), (1, 1));
        Self { n, c, oc, side, x: map(c), y: map(oc) }
    }

    fn numbers(&self, few: &[i32]) -> Numbers {
        let mut rng = Rng::new(1);
        let mut draw = |count: usize| (0..count).map(|_| few[rng.below(few.len())]).collect();
        Numbers { x: draw(self.n * self.side * self.side * self.c), w: draw(9 * self.c * self.oc) }
    }

    fn map(&self, words: usize) -> Map {
        Map::new(Shape { c: words, ..self.x.shape }, (1, 1))
    }

    /// Images whose pixels are `word(channels, k)`.
    fn lay<T: Copy + Default>(&self, numbers: &Numbers, map: &Map, word: impl Fn(&[i32], usize) -> T) -> Vec<T> {
        let mut out = vec![T::default(); self.n * map.len()];
        let side = self.side;
        for pixel in 0..self.n * side * side {
            let at = pixel / (side * side) * map.len() + map.at(pixel / side % side, pixel % side);
            for k in 0..map.shape.c {
                out[at + k] = word(&numbers.x[pixel * self.c..][..self.c], k);
            }
        }
        out
    }

    fn eight(&self, level: Level, numbers: &Numbers, y: Map) -> Few {
        let xm = self.map(int8::words(self.c));
        let mut conv = Conv::new(Product::Pairs, WINDOW, xm, y, self.oc);
        conv.pack(level, int8::weight_word(self.c, |tap, ch, o| numbers.w[(tap * self.c + ch) * self.oc + o]));
        Few { conv, x: self.lay(numbers, &xm, |p, k| pair(p[2 * k], p[2 * k + 1])), y }
    }

    fn signs(&self, level: Level, numbers: &Numbers, y: Map) -> Few {
        let xm = self.map(binary::words(self.c));
        let mut conv = Conv::new(Product::Signs((9 * self.c) as i32), WINDOW, xm, y, self.oc);
        conv.pack(level, binary::weight_word(self.c, |tap, ch, o| numbers.w[(tap * self.c + ch) * self.oc + o] < 0));
        let bits = |p: &[i32], k: usize| {
            let own = p[32 * k..].iter().take(32).enumerate();
            own.fold(0, |word, (bit, v)| word | i32::from(*v < 0) << bit)
        };
        Few { conv, x: self.lay(numbers, &xm, bits), y }
    }

    /// Single precision by windows, with its input.
    fn single(&self, level: Level, numbers: &Numbers) -> (windows::Forward, Vec<f32>, Vec<f32>) {
        let weights: Vec<f32> = numbers.w.iter().map(|w| *w as f32).collect();
        let mut direct = windows::Forward::new(Geometry { window: WINDOW, groups: 1, x: self.x, y: self.y });
        direct.pack(level, &weights);
        (direct, self.lay(numbers, &self.x, |p, k| p[k] as f32), weights)
    }

    /// Holds sums against those of single precision, which are exact for such numbers; signs have no padding to agree on.
    fn check(&self, level: Level, numbers: &Numbers, mut few: Few, inner: bool) {
        let (direct, xs, _) = self.single(level, numbers);
        let (mut want, mut got) = (vec![0.0; self.n * self.y.len()], vec![0; self.n * self.y.len()]);
        direct.run(level, self.n, &xs, Store::SET, &mut want);
        let mut work = vec![0; few.conv.workspace()];
        few.conv.run(level, self.n, &few.x, &mut Put::Sums(&mut got), &mut work);
        few.x.clear();
        let from = usize::from(inner);
        for (i, py, px) in (0..self.n).flat_map(|i| {
            let sides = from..self.side - from;
            sides.clone().flat_map(move |py| sides.clone().map(move |px| (i, py, px)))
        }) {
            let at = i * self.y.len() + self.y.at(py, px);
            assert!((at..at + self.oc).all(|at| got[at] as f32 == want[at]), "pixel {py}, {px} of image {i}");
        }
    }
}

fn layer(level: Level, (name, title): (&str, &str), n: usize, sizes: (usize, usize, usize)) {
    let layer = Layer::new(n, sizes);
    let (c, side, oc) = sizes;
    let flop = 2.0 * (n * side * side * 9 * c * oc) as f64;
    let (whole, bits) = (layer.numbers(&[-3, -2, -1, 0, 1, 2, 3]), layer.numbers(&[-1, 1]));
    layer.check(level, &whole, layer.eight(level, &whole, layer.y), false);
    layer.check(level, &bits, layer.signs(level, &bits, layer.y), true);

    let (direct, xs, weights) = layer.single(level, &whole);
    let mut minimal = winograd::Filter::new(layer.x, WINDOW.pad, layer.y, n);
    minimal.pack(level, |tap, ch, g| g.copy_from_slice(&weights[(tap * c + ch) * oc..][..oc]));
    let few = [
        layer.eight(level, &whole, layer.map(int8::words(oc))),
        layer.signs(level, &bits, layer.map(binary::words(oc))),
    ];
    let (scale, shift) = (vec![0.01; oc], vec![0.3; oc]);
    let affine = Affine { scale: &scale, shift: &shift };
    let store = Store::Set { bias: None, relu: true };
    let (mut work, mut space) = (vec![0.0; minimal.workspace()], vec![0; few[0].conv.workspace()]);
    let mut single = vec![0.0; n * layer.y.len()];
    let mut out = few.each_ref().map(|few| vec![0; n * few.y.len()]);
    let mut seconds = [const { Vec::new() }; 4];
    for round in 0..=ROUNDS {
        for (way, seconds) in seconds.iter_mut().enumerate() {
            let times = (5e7 / flop).ceil() as usize;
            let started = Instant::now();
            for _ in 0..times {
                match way {
                    0 => direct.run(level, n, &xs, store, &mut single),
                    1 => minimal.run(level, n, &xs, store, &mut single, &mut work),
                    2 => {
                        let mut put = Put::Levels(affine, (0.0, 255.0), &mut out[0]);
                        few[0].conv.run(level, n, &few[0].x, &mut put, &mut space);
                    }
                    _ => few[1].conv.run(level, n, &few[1].x, &mut Put::Signs(affine, &mut out[1]), &mut space),
                }
            }
            if round > 0 {
                seconds.push(started.elapsed().as_secs_f64() / times as f64);
            }
        }
    }
    print(
        name,
        title,
        seconds.map(|mut all| {
            all.sort_by(f64::total_cmp);
            flop / all[ROUNDS / 2] / 1e9
        }),
    );
}

fn print(name: &str, title: &str, speed: [f64; 4]) {
    let ratios = |v: f64| format!("{:.2} | {:.2}", v / speed[0], v / speed[0].max(speed[1]));
    let speeds = speed.map(|v| format!("{v:>8.1}")).join(" ");
    println!("{name:<28} {title:<10} {speeds}  {:<14} {:<14}", ratios(speed[2]), ratios(speed[3]));
}
