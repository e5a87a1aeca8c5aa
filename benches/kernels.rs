//! Convolution kernels one by one at every lane level: `cargo bench --bench kernels [word …]`.
//!
//! For each layer and direction both ways of computing it, in GFLOP/s of the *direct* convolution, so that they compare;
//! medians of interleaved rounds. The results of the two ways are compared before anything is printed.

#[path = "../tests/common/mod.rs"]
mod common;

use fearless_simd::Level;
use hitofude::kernel::conv::Geometry;
use hitofude::kernel::gemm::Store;
use hitofude::kernel::{windows, winograd};
use hitofude::rng::Rng;
use hitofude::shape::{Shape, Window};
use hitofude::tensor::Map;
use std::time::Instant;

/// Name, images, channels in, side of the input, filters, padding.
const LAYERS: &[(&str, usize, usize, usize, usize, usize)] = &[
    ("conv2 of DeepConvNet", 1, 16, 28, 16, 1),
    ("conv4 of DeepConvNet", 1, 32, 14, 32, 2),
    ("conv6 of DeepConvNet", 1, 64, 8, 64, 1),
    ("conv2 of DeepConvNet, 25 images", 25, 16, 28, 16, 1),
    ("conv3 of DeepConvNet, 25 images", 25, 16, 14, 32, 1),
    ("conv4 of DeepConvNet, 25 images", 25, 32, 14, 32, 2),
    ("conv5 of DeepConvNet, 25 images", 25, 32, 8, 64, 1),
    ("conv6 of DeepConvNet, 25 images", 25, 64, 8, 64, 1),
    ("64 to 64 at 128", 1, 64, 128, 64, 1),
    ("ResNet-18, stage 2", 1, 64, 56, 64, 1),
    ("ResNet-18, stage 3", 1, 128, 28, 128, 1),
    ("ResNet-18, stage 4", 1, 256, 14, 256, 1),
    ("ResNet-18, stage 5", 1, 512, 7, 512, 1),
];

const ROUNDS: usize = 9;
/// Against the largest number of the result.
const TOLERANCE: f32 = 1e-4;

type Work<'a> = Box<dyn FnMut(&mut [f32]) + 'a>;

/// One way of computing one thing, with where it leaves its result.
struct Way<'a> {
    work: Work<'a>,
    result: Vec<f32>,
    seconds: Vec<f64>,
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    println!("{:<34} {:<16} {:<12} {:>10} {:>10} {:>8}", "layer", "direction", "level", "windows", "winograd", "ratio");
    for &(name, n, c, side, oc, pad) in LAYERS {
        for level in common::levels().into_iter().rev() {
            let title = format!("{level:?}");
            let title = title.split('(').next().unwrap_or_default();
            let row = format!("{name:<34} {title}");
            if words.iter().all(|w| row.contains(w.as_str())) {
                layer(level, (name, title), n, (c, side, oc, pad));
            }
        }
    }
}

fn layer(level: Level, names: (&str, &str), n: usize, (c, side, oc, pad): (usize, usize, usize, usize)) {
    let window = Window::square(3).pad(pad);
    let (h, w) = window.output(side, side).unwrap();
    let halo = Geometry::gradient_halo(&window, (side, side), (h, w));
    let (x, y) = (Map::new(Shape::new(c, side, side), (pad, pad)), Map::new(Shape::new(oc, h, w), halo));
    let geometry = Geometry { window, groups: 1, x, y };
    let mut rng = Rng::new(1);
    let mut fill = |map: &Map| {
        let mut values = vec![0.0; n * map.len()];
        for row in map.rows(n) {
            values[row].iter_mut().for_each(|v| *v = rng.normal());
        }
        values
    };
    let (xs, dys) = (fill(&x), fill(&y));
    let weights: Vec<f32> = (0..9 * c * oc).map(|_| rng.normal()).collect();
    let flop = 2.0 * (n * h * w * 9 * c * oc) as f64;

    let mut direct = windows::Forward::new(geometry.clone());
    direct.pack(level, &weights);
    let mut minimal = winograd::Filter::new(x, window.pad, y, n);
    minimal.pack(level, |tap, ch, g| g.copy_from_slice(&weights[(tap * c + ch) * oc..][..oc]));
    let mut work = vec![0.0; minimal.workspace()];
    let ways = [
        Way::new(dys.len(), |y| direct.run(level, n, &xs, Store::SET, y)),
        Way::new(dys.len(), |y| minimal.run(level, n, &xs, Store::SET, y, &mut work)),
    ];
    compare(names, "forward", flop, ways);

    let mut direct = windows::InputGradient::new(geometry.clone());
    direct.pack(level, &weights);
    let mut minimal = winograd::Filter::new(y, (2 - pad, 2 - pad), x, n);
    minimal.pack(level, |tap, o, g| {
        let turned = &weights[(8 - tap) * c * oc..][..c * oc];
        g.iter_mut().zip(turned.iter().skip(o).step_by(oc)).for_each(|(g, w)| *g = *w);
    });
    let mut work = vec![0.0; minimal.workspace()];
    let ways = [
        Way::new(xs.len(), |dx| direct.run(level, n, &dys, Store::SET, dx)),
        Way::new(xs.len(), |dx| minimal.run(level, n, &dys, Store::SET, dx, &mut work)),
    ];
    compare(names, "input gradient", flop, ways);

    let direct = windows::WeightGradient::new(geometry, n);
    let minimal = winograd::FilterGradient::new(x, window.pad, y, n);
    let (mut space, mut work) = (vec![0.0; direct.workspace(level)], vec![0.0; minimal.workspace(level)]);
    let ways = [
        Way::new(weights.len(), |dw| {
            dw.fill(0.0);
            direct.run(level, n, &xs, &dys, dw, &mut space);
        }),
        Way::new(weights.len(), |dw| {
            dw.fill(0.0);
            minimal.run(level, n, &xs, &dys, dw, &mut work);
        }),
    ];
    compare(names, "weight gradient", flop, ways);
}

impl<'a> Way<'a> {
    fn new(len: usize, work: impl FnMut(&mut [f32]) + 'a) -> Self {
        Self { work: Box::new(work), result: vec![0.0; len], seconds: Vec::new() }
    }
}

fn compare((name, level): (&str, &str), direction: &str, flop: f64, mut ways: [Way; 2]) {
    for round in 0..=ROUNDS {
        for way in &mut ways {
            // About five milliseconds at ten GFLOP/s.
            let times = (5e7 / flop).ceil() as usize;
            let started = Instant::now();
            for _ in 0..times {
                (way.work)(&mut way.result);
            }
            if round > 0 {
                way.seconds.push(started.elapsed().as_secs_f64() / times as f64);
            }
        }
    }
    let largest = ways[0].result.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    let error = ways[0].result.iter().zip(&ways[1].result).fold(0.0f32, |m, (a, b)| m.max((a - b).abs()));
    assert!(error <= TOLERANCE * largest, "{name}, {direction}: the ways differ by {error} of {largest}");
    let [direct, minimal] = ways.map(|mut way| {
        way.seconds.sort_by(f64::total_cmp);
        flop / way.seconds[ROUNDS / 2] / 1e9
    });
    println!("{name:<34} {direction:<16} {level:<12} {direct:>10.1} {minimal:>10.1} {:>8.2}", minimal / direct);
}
