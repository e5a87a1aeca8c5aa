//! Our part of `npm run bench -- --native`, which says how it is spoken to: a session on one thread.
//!
//!     cargo bench --bench native --no-default-features -- FOLDER

use hitofude::file::safetensors;
use hitofude::nn::{Network, Want, description};
use hitofude::systems::session::Session;
use hitofude::tensor::Tensor;
use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Instant;

/// Adam's, as in benches/cases.mjs.
const RATE: f32 = 3e-4;

fn main() {
    // Cargo passes a `--bench` of its own.
    let Some(folder) = std::env::args().skip(1).find(|arg| !arg.starts_with("--")) else {
        return eprintln!("this bench is run by `npm run bench -- --native`");
    };
    let folder = Path::new(&folder);
    let net = description::read(&std::fs::read_to_string(folder.join("network.json")).unwrap()).unwrap();
    let numbers = safetensors::read(&std::fs::read(folder.join("numbers.safetensors")).unwrap()).unwrap().tensors;
    let named =
        |name: &str| -> Vec<f32> { numbers.iter().find(|(n, _)| n == name).unwrap().1.iter().copied().collect() };
    let (images, targets) = (named("images"), named("targets"));
    let mut infer = session(&net, targets.len() / 10, &Want::outputs(), &numbers);
    let mut train = session(&net, targets.len() / 10, &Want::training(), &numbers);
    let mut answers = vec![0.0; targets.len()];
    println!("[\"forward\", \"train\"]");
    for line in std::io::stdin().lock().lines() {
        let started = Instant::now();
        let answer: Vec<f64> = match line.unwrap().trim() {
            "forward" => {
                infer.forward(&images, &mut answers).unwrap();
                answers.iter().map(|&v| f64::from(v)).collect()
            }
            _ => vec![train.step(&images, &targets, RATE, 0).unwrap()],
        };
        let ms = started.elapsed().as_secs_f64() * 1e3;
        println!("{}", serde_json::json!({ "ms": ms, "answer": answer }));
        std::io::stdout().flush().unwrap();
    }
}

fn session(net: &Network, batch: usize, want: &Want, numbers: &[(String, Tensor)]) -> Session {
    let mut session = Session::new(net, batch, want, 0).unwrap();
    for view in net.views() {
        let (_, tensor) = numbers.iter().find(|(name, _)| *name == view.name).unwrap();
        session.set(&view.name, tensor.iter().copied().collect()).unwrap();
    }
    session
}
