//! A network that reads volumes: is the bright spot in a stack of slices a ball or a tube?
//!
//! `cargo run --release --example volume` trains one on synthetic volumes, grey and noisy as a computed tomography is, and
//! says how it does on fresh ones. In a single slice a nodule and a vessel are both a disc; only through the slices are
//! they a ball and a tube. Three-dimensional convolutions ([`hitofude::nn::layers::conv3d`]) look through the slices.

use hitofude::Result;
use hitofude::nn::layers::act::Activation::Relu;
use hitofude::nn::layers::affine::Affine;
use hitofude::nn::layers::conv3d::Conv3d;
use hitofude::nn::layers::flatten::Flatten;
use hitofude::nn::layers::pool::Pool;
use hitofude::nn::{Graph, Init, Network};
use hitofude::rng::Rng;
use hitofude::shape::{Shape, Window};
use hitofude::train::{Options, Rule, Trainer, evaluate};

/// Slices, and rows and columns of each.
const SIDES: [usize; 3] = [8, 16, 16];
const VOXELS: usize = SIDES[0] * SIDES[1] * SIDES[2];
/// Tissue alone, a ball, a tube.
const CLASSES: usize = 3;
const BATCH: usize = 20;

/// Writes a volume of this class, slice by slice.
fn draw(rng: &mut Rng, class: usize, volume: &mut [f32]) {
    let radius = rng.range(1.6, 2.6);
    let middle = [3.5, rng.range(5.0, 10.0), rng.range(5.0, 10.0)];
    // A vessel goes through all slices, a little slanted.
    let slant = [rng.range(-0.5, 0.5), rng.range(-0.5, 0.5)];
    for (i, voxel) in volume.iter_mut().enumerate() {
        let [z, y, x] = [i / 256, i / 16 % 16, i % 16].map(|at| at as f32);
        let along = if class == 2 { z - middle[0] } else { 0.0 };
        let (dy, dx) = (y - middle[1] - along * slant[0], x - middle[2] - along * slant[1]);
        let dz = if class == 1 { z - middle[0] } else { 0.0 };
        let outside = (dz * dz + dy * dy + dx * dx).sqrt() - radius;
        let bright = if class == 0 { 0.0 } else { (0.5 - outside).clamp(0.0, 1.0) };
        *voxel = 0.3 + 0.5 * bright + 0.1 * rng.normal();
    }
}

/// Three convolutions that see three slices each; pooling halves the slices' rows and columns, strides their number.
fn network() -> Result<Network> {
    let mut g = Graph::new();
    let [slices, h, w] = SIDES;
    let mut x = g.input("volume", Shape::new(slices, h, w))?;
    for (n, (filters, slices, depth_stride)) in (1..).zip([(8, 8, 1), (12, 8, 2), (16, 4, 2)]) {
        let conv = Conv3d { depth_stride, ..Conv3d::new(filters, slices, 3).pad(1) };
        x = g.add(&format!("conv{n}"), conv, &[x])?;
        x = g.add(&format!("relu{n}"), Relu, &[x])?;
        x = g.add(&format!("pool{n}"), Pool::Max(Window::square(2).stride(2)), &[x])?;
    }
    x = g.add("flatten", Flatten, &[x])?;
    let scores = g.add("scores", Affine::new(CLASSES), &[x])?;
    Ok(g.finish(scores))
}

/// Trains for this many steps; `report` hears the mean loss of each. Returns the part of 300 fresh volumes that are read
/// right.
pub fn train(steps: u64, mut report: impl FnMut(u64, f64)) -> Result<f64> {
    let net = network()?;
    let mut params = net.zeros();
    Init::He.fill(&mut params, 1)?;
    let mut trainer = Trainer::new(&net, params, BATCH, BATCH, &Options::new(Rule::Adam, 3e-3))?;
    for step in 0..steps {
        let fill = |i: usize, volume: &mut [f32], target: &mut [f32]| {
            draw(&mut Rng::part(step, i as u64), i % CLASSES, volume);
            target.fill(0.0);
            target[i % CLASSES] = 1.0;
        };
        report(step, trainer.step(BATCH, 3e-3, step, fill)?.loss / BATCH as f64);
    }
    let fresh = |i: usize, volume: &mut [f32]| draw(&mut Rng::part(u64::MAX, i as u64), i % CLASSES, volume);
    let labels: Vec<u8> = (0..300).map(|i| (i % CLASSES) as u8).collect();
    let scores = evaluate::scores(&net, trainer.result(), labels.len(), fresh)?;
    Ok(1.0 - evaluate::misclassified(&scores, &labels).len() as f64 / labels.len() as f64)
}

#[allow(dead_code, reason = "tests/training.rs calls train")]
fn main() -> Result<()> {
    println!("{} parameters for volumes of {VOXELS} voxels", network()?.parameters());
    let accuracy = train(150, |step, loss| {
        if step % 25 == 24 {
            println!("step {:3}: loss {loss:.3}", step + 1);
        }
    })?;
    println!("{:.1} % of 300 fresh volumes are read right", 100.0 * accuracy);
    Ok(())
}
