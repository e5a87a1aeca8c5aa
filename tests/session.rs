//! A session: its answers are the run's, its steps the trainer's, and what does not fit is refused.

use hitofude::nn::{Init, Mode, Network, Run, Want};
use hitofude::rng::Rng;
use hitofude::systems::session::Session;
use hitofude::train::{Options, Trainer};
use hitofude::zoo;

const LEARN: Want = Want::training();
const EXPLAIN: Want = Want::everything();
const INFER: Want = Want::outputs();

fn net() -> Network {
    zoo::build("simple_convnet").unwrap()
}

fn images(n: usize) -> Vec<f32> {
    let mut rng = Rng::new(3);
    (0..n * 784).map(|_| rng.uniform()).collect()
}

fn targets(n: usize) -> Vec<f32> {
    (0..10 * n).map(|i| if i % 10 == i / 10 % 10 { 1.0 } else { 0.0 }).collect()
}

#[test]
fn answers_are_the_runs() {
    let (net, images) = (net(), images(3));
    let mut params = net.zeros();
    Init::He.fill(&mut params, 5).unwrap();
    let mut run = Run::new(&net, 3, &INFER);
    run.forward(&params, &images, 3, Mode::Infer).unwrap();
    for want in [INFER, LEARN, EXPLAIN] {
        let (mut session, mut out) = (Session::new(&net, 3, &want, 5).unwrap(), vec![0.0; 30]);
        session.forward(&images, &mut out).unwrap();
        assert_eq!(out, run.output());
        session.forward(&images[784..1568], &mut out[..10]).unwrap();
        assert_eq!(out[..10], run.output()[10..20], "one picture out of the batch");
    }
}

#[test]
fn steps_are_the_trainers() {
    let (net, images, targets) = (net(), images(7), targets(7));
    let mut params = net.zeros();
    Init::He.fill(&mut params, 5).unwrap();
    let mut trainer = Trainer::new(&net, params, 7, 7, &Options::DEFAULT).unwrap();
    let mut session = Session::new(&net, 7, &LEARN, 5).unwrap();
    let mut losses = Vec::new();
    for _ in 0..5 {
        let fill = |i: usize, x: &mut [f32], t: &mut [f32]| {
            x.copy_from_slice(&images[i * 784..][..784]);
            t.copy_from_slice(&targets[i * 10..][..10]);
        };
        let progress = trainer.step(7, 0.0003, 1, fill).unwrap();
        losses.push(session.step(&images, &targets, 0.0003, 1).unwrap());
        assert!((losses.last().unwrap() - progress.loss / 7.0).abs() < 1e-9);
        assert_eq!(session.params().values(), trainer.params().values());
    }
    assert!(losses[4] < losses[0], "{losses:?}");
}

#[test]
fn the_input_gradient_is_the_slope() {
    let (images, mut out) = (images(2), vec![0.0; 20]);
    // Sigmoids: a slope has no kinks to step over.
    let mut session = Session::new(&zoo::build("three_layer_mlp").unwrap(), 2, &EXPLAIN, 5).unwrap();
    let dy: Vec<f32> = (0..20).map(|i| (i as f32 * 0.7).sin()).collect();
    let mut dx = vec![0.0; 2 * 784];
    session.forward(&images, &mut out).unwrap();
    session.input_gradient(&dy, &mut dx).unwrap();
    let mut cost = |at: usize, by: f32| {
        let mut moved = images.clone();
        moved[at] += by;
        session.forward(&moved, &mut out).unwrap();
        out.iter().zip(&dy).map(|(y, d)| f64::from(y * d)).sum::<f64>()
    };
    let scale = dx.iter().fold(0.0, |m: f32, v| m.max(v.abs()));
    for at in (0..2 * 784).step_by(97) {
        let slope = (cost(at, 1e-2) - cost(at, -1e-2)) / 2e-2;
        assert!((slope as f32 - dx[at]).abs() < 0.02 * scale, "pixel {at}: {slope} where {} was computed", dx[at]);
    }
}

#[test]
fn layer_by_layer_is_the_same() {
    let (images, mut out, mut again) = (images(2), vec![0.0; 20], vec![0.0; 1568]);
    let mut session = Session::new(&net(), 2, &EXPLAIN, 5).unwrap();
    session.forward(&images, &mut out).unwrap();
    session.input_gradient(&[1.0; 20], &mut again).unwrap();
    let wires: Vec<_> = session.network().wires().collect();
    session.load(&images, Mode::Infer).unwrap();
    wires.iter().for_each(|&w| session.forward_layer(w));
    wires.iter().rev().for_each(|&w| session.backward_layer(w).unwrap());
    assert_eq!(session.run().output(), out);
    let (dx, map) = session.run().gradient(wires[0]).unwrap();
    let mut chw = vec![0.0; 784];
    map.copy_to_chw(&dx[..map.len()], &mut chw);
    assert_eq!(chw, again[..784]);
}

#[test]
fn what_does_not_fit_is_refused_and_the_session_works_on() {
    let code = |outcome: hitofude::Result<()>| outcome.unwrap_err().code();
    for (batch, want) in [(0, INFER), (1 << 24, INFER), (1 << 20, LEARN)] {
        assert_eq!(code(Session::new(&net(), batch, &want, 1).map(|_| ())), "value");
    }
    let mut session = Session::new(&net(), 2, &INFER, 1).unwrap();
    let (images, mut out, mut first) = (images(3), vec![0.0; 10], vec![0.0; 10]);
    session.forward(&images[..784], &mut first).unwrap();
    assert_eq!(code(session.forward(&images, &mut [0.0; 30])), "value");
    assert_eq!(code(session.forward(&images[..800], &mut out)), "shape");
    assert_eq!(code(session.forward(&[], &mut [])), "value");
    assert_eq!(code(session.forward(&[f32::NAN; 784], &mut out)), "value");
    assert_eq!(code(session.input_gradient(&[0.0; 10], &mut [0.0; 784])), "missing");
    assert_eq!(code(session.step(&images[..784], &targets(1), 0.1, 0).map(|_| ())), "missing");
    assert_eq!(code(session.set("conv9.weight", vec![])), "missing");
    assert_eq!(code(session.set("conv1.bias", vec![0.0; 29])), "shape");
    assert_eq!(code(session.set("conv1.bias", vec![f32::NAN; 30])), "value");
    session.forward(&images[..784], &mut out).unwrap();
    assert_eq!(out, first);
    let mut learner = Session::new(&net(), 2, &LEARN, 1).unwrap();
    let before = learner.params().values().to_vec();
    assert_eq!(code(learner.input_gradient(&[0.0; 20], &mut [0.0; 1568])), "shape");
    assert_eq!(code(learner.step(&images[..784], &[0.1; 9], 0.1, 0).map(|_| ())), "shape");
    assert_eq!(code(learner.step(&images[..784], &[f32::INFINITY; 10], 0.1, 0).map(|_| ())), "value");
    assert_eq!(learner.params().values(), before);
}
