//! Training speed on one core: DeepConvNet, or the networks for digits that are named, 100 images at a time in shards of
//! 25, at every lane level.
//!
//! `cargo bench --bench train -- [NAME…]` prints, for each level, the images per second of a forward pass and of forward,
//! loss and backward together, and the GFLOP/s of the latter: two for a multiply-add, three times for the way there and
//! back. The losses of all levels are compared before anything is printed.

#[path = "../tests/common/mod.rs"]
mod common;

use fearless_simd::Level;
use hitofude::nn::{Init, Mode, Params, Run, Want};
use hitofude::rng::Rng;
use hitofude::zoo;
use std::time::Instant;

const IMAGES: usize = 100;
/// As the recipes have it.
const SHARD: usize = 25;
const ROUNDS: usize = 15;
const TOLERANCE: f64 = 1e-3;

/// One level's run over the same images and weights.
struct Contender {
    level: Level,
    run: Run,
    gradient: Vec<f32>,
    forward: Vec<f64>,
    training: Vec<f64>,
    loss: f64,
}

fn main() {
    let named: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let names = if named.is_empty() { vec!["deep_convnet".into()] } else { named };
    names.iter().for_each(|name| network(name));
}

fn network(name: &str) {
    let net = zoo::build(name).unwrap_or_else(|e| panic!("{e}"));
    let cost = |node: &hitofude::nn::graph::Node| Some(node.layer.as_ref()?.multiply_adds(&net.input_shapes(node)));
    let products: u64 = net.nodes().iter().filter_map(cost).sum();
    println!("{name}: {} parameters, {products} multiply-adds an image", net.parameters());
    let mut params = net.zeros();
    Init::He.fill(&mut params, 1).unwrap();
    let mut rng = Rng::new(2);
    let images: Vec<f32> = (0..IMAGES * net.input_shape().len()).map(|_| rng.uniform()).collect();
    let labels: Vec<u8> = (0..IMAGES).map(|i| (i % 10) as u8).collect();

    let start = |level| Contender {
        level,
        run: Run::at_level(&net, SHARD, &Want::training(), level),
        gradient: vec![0.0; net.arena_len()],
        forward: Vec::new(),
        training: Vec::new(),
        loss: f64::NAN,
    };
    let mut contenders: Vec<Contender> = common::levels().into_iter().map(start).collect();
    // Level by level within a round: the load of a moment falls on all of them. The first round warms up.
    for round in 0..=ROUNDS {
        for contender in &mut contenders {
            contender.round(&params, &images, &labels);
            if round == 0 {
                contender.forward.clear();
                contender.training.clear();
            }
        }
    }
    check(&contenders);
    println!(
        "{:<10} {:>32} {:>32} {:>8} {:>10}",
        "level", "forward, images/s (quartiles)", "forward + backward", "GFLOP/s", "loss"
    );
    for Contender { level, forward, training, loss, .. } in &mut contenders {
        let name = format!("{level:?}");
        let name = name.split('(').next().unwrap_or_default();
        let (forward, times) = (speed(forward), speed(training));
        // The median, now that they are in order.
        let gflops = 6.0 * products as f64 * IMAGES as f64 / training[training.len() / 2] / 1e9;
        println!("{name:<10} {forward:>32} {times:>32} {gflops:>8.1} {loss:>10.5}");
    }
}

impl Contender {
    fn round(&mut self, params: &Params, images: &[f32], labels: &[u8]) {
        let started = Instant::now();
        for shard in images.chunks_exact(images.len() / IMAGES * SHARD) {
            self.run.forward(params, shard, SHARD, Mode::Infer).unwrap();
        }
        self.forward.push(started.elapsed().as_secs_f64());

        let output = self.run.network().output();
        let started = Instant::now();
        self.gradient.fill(0.0);
        self.loss = 0.0;
        let shards = images.chunks_exact(images.len() / IMAGES * SHARD).zip(labels.chunks_exact(SHARD));
        for (seed, (shard, labels)) in shards.enumerate() {
            self.run.forward(params, shard, SHARD, Mode::Train { seed: seed as u64 }).unwrap();
            self.loss += self.run.softmax_cross_entropy(output, labels, 1.0 / IMAGES as f32).unwrap() / IMAGES as f64;
            self.run.backward(params, &mut self.gradient);
        }
        self.training.push(started.elapsed().as_secs_f64());
    }
}

/// A level that computes something else does not count as fast.
fn check(contenders: &[Contender]) {
    let expected = &contenders[0];
    for Contender { level, loss, gradient, .. } in contenders {
        assert!((loss - expected.loss).abs() < TOLERANCE, "{level:?}: loss {loss}, not {}", expected.loss);
        let norm = |g: &[f32]| g.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
        let apart: Vec<f32> = gradient.iter().zip(&expected.gradient).map(|(a, b)| a - b).collect();
        let share = norm(&apart) / norm(&expected.gradient);
        assert!(share < TOLERANCE, "{level:?}: the gradient is off by {share} of its length");
    }
}

/// Images per second: the median and, in brackets, the quartiles.
fn speed(seconds: &mut [f64]) -> String {
    seconds.sort_by(f64::total_cmp);
    let at = |share: usize| IMAGES as f64 / seconds[(seconds.len() - 1) * share / 4];
    format!("{:.0} ({:.0} to {:.0})", at(2), at(3), at(1))
}
