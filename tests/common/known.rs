//! A network made from a seed, what to show it, and what it answers: `tests/recognise.rs` holds the engine to these
//! numbers on every target, `tests/door.rs` what JavaScript gets.
#![allow(dead_code, reason = "each test file uses its own part")]

use hitofude::file::safetensors::{self, Precision};
use hitofude::nn::Init;
use hitofude::rng::Rng;
use hitofude::systems::recognise::{Calibration, Recogniser};
use hitofude::zoo;

/// Temperature and threshold of [`recogniser`].
pub const CALIBRATION: Calibration = Calibration { temperature: 0.5, threshold: 0.65 };

/// Scores and digits for [`picture`]: the best probability is 0.6605, so the answer is sure.
pub const SCORES: [f32; 10] = [
    -0.29940158,
    -1.6801575,
    0.5618456,
    -0.16073461,
    -0.63738906,
    -2.2917755,
    0.77089024,
    -0.34128317,
    0.3508365,
    1.5697057,
];
pub const DIGITS: [u8; 2] = [9, 6];

/// The mean of each layer for [`picture`].
pub const MEANS: [(&str, f32); 12] = [
    ("input", 0.5197),
    ("conv1", 0.4845),
    ("conv2", 0.3970),
    ("pool1", 0.6849),
    ("conv3", 0.4613),
    ("conv4", 0.2848),
    ("pool2", 0.4460),
    ("conv5", 0.5109),
    ("conv6", 0.5543),
    ("pool3", 0.8066),
    ("affine1", 0.6108),
    ("affine2", -0.2157),
];

/// Probabilities and digits for [`strokes`] drawn with MNIST's pen: the best probability is 0.6424, so the answer is unsure.
pub const INK_PROBABILITIES: [f32; 10] = [
    0.05164136,
    0.0012490781,
    0.10595398,
    0.007209742,
    0.026514163,
    0.0024427255,
    0.642446,
    0.009097004,
    0.038839154,
    0.1146068,
];
pub const INK_DIGITS: [u8; 2] = [6, 9];
/// Width, height and sum of each step for [`strokes`].
pub const STEPS: [(usize, usize, f32); 4] =
    [(112, 112, 1460.154), (56, 80, 1460.154), (14, 20, 91.25963), (28, 28, 91.25963)];

/// DeepConvNet with He's initialisation from seed 1.
pub fn recogniser() -> Recogniser {
    let mut params = zoo::build("deep_convnet").unwrap().zeros();
    Init::He.fill(&mut params, 1).unwrap();
    Recogniser::new("deep_convnet", params, CALIBRATION).unwrap()
}

/// Its file.
pub fn file() -> Vec<u8> {
    let mut weights = recogniser().to_weights();
    weights.metadata.insert("name".into(), "known".into());
    safetensors::write(&weights, Precision::F32).unwrap()
}

/// 28 × 28 uniform grey levels.
pub fn picture() -> Vec<f32> {
    let mut rng = Rng::new(2);
    (0..784).map(|_| rng.uniform()).collect()
}

/// Something like a 7 with a bar.
pub fn strokes() -> Vec<Vec<[f32; 2]>> {
    vec![vec![[10.0, 10.0], [60.0, 12.0], [30.0, 90.0]], vec![[20.0, 50.0], [55.0, 50.0]]]
}

/// Whether two rows of numbers agree to 1e-5, or to that share of the larger ones.
pub fn close(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-5 * b.abs().max(1.0))
}
