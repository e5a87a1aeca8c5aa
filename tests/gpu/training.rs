use crate::common::{assert_close, device};
use hitofude::data::synth;
use hitofude::gpu::{self, Device};
use hitofude::nn::{Init, Network};
use hitofude::train::optimiser::Rule;
use hitofude::train::{GpuTrainer, Optimiser, Options, Progress, Trainer};
use hitofude::zoo;

/// Ten steps on digits, on both; returns what each step came to, and the parameters.
fn both(
    device: &Device,
    net: &Network,
    options: &Options,
    sizes: [usize; 2],
    steps: u64,
) -> [(Vec<Progress>, Vec<f32>); 2] {
    let [batch, shard] = sizes;
    let digits = synth::digits(11, 64);
    let fill = |at: usize| {
        let digits = &digits;
        move |i: usize, image: &mut [f32], target: &mut [f32]| {
            let k = (at + i) % digits.labels.len();
            image.iter_mut().zip(digits.images.image(k)).for_each(|(v, p)| *v = f32::from(*p) / 255.0);
            target.fill(0.0);
            target[usize::from(digits.labels[k])] = 1.0;
        }
    };
    let mut params = net.zeros();
    Init::He.fill(&mut params, 3).unwrap();
    let mut cpu = Trainer::new(net, params, batch, shard, options).unwrap();
    let mut own = gpu::wait(GpuTrainer::new(device, net, &cpu.state(), batch, shard, options)).unwrap();
    let mut seen = Vec::new();
    for step in 0..steps {
        // The last batch of an epoch is smaller.
        let n = if step == 4 { batch - 3 } else { batch };
        let (at, rate) = (step as usize * batch, options.rate / (1.0 + step as f32));
        own.step(n, rate, step, fill(at)).unwrap();
        seen.push(cpu.step(n, rate, step, fill(at)).unwrap());
    }
    let arrived = gpu::wait(own.come()).unwrap();
    assert_eq!(arrived.refused, None);
    assert_eq!(arrived.state.memory.steps, steps);
    if let (Some(own), Some(cpu)) = (&arrived.state.average, &cpu.state().average) {
        assert_close("the average", own, cpu);
    }
    [(arrived.progress, arrived.state.params), (seen, cpu.params().values().to_vec())]
}

/// Fails where the two curves part.
fn assert_alike(name: &str, [(own, params), (cpu, expected)]: [(Vec<Progress>, Vec<f32>); 2], bound: f64) {
    assert_eq!(own.len(), cpu.len(), "{name}");
    for (step, (own, cpu)) in own.iter().zip(&cpu).enumerate() {
        let close = |what: &str, a: f64, b: f64| {
            assert!((a - b).abs() <= bound * b.abs().max(1e-3), "{name}, {what} of step {step}: {a} on the GPU, {b}");
        };
        close("loss", own.loss, cpu.loss);
        close("norm", own.gradient_norm, cpu.gradient_norm);
        assert_eq!((own.images, own.correct), (cpu.images, cpu.correct), "{name}, step {step}");
    }
    assert_close(name, &params, &expected);
}

#[test]
fn every_optimiser_takes_the_steps_of_the_cpu() {
    let Some(device) = device("optimisers") else { return };
    let net = zoo::build("three_layer_mlp").unwrap();
    for rule in Rule::ALL {
        let rate = if rule == Rule::Adadelta { 1.0 } else { 1e-3 };
        let options = Options { optimiser: Optimiser::new(rule).decay(0.01), rate, ..Options::DEFAULT };
        assert_alike(&format!("{rule:?}"), both(&device, &net, &options, [12, 12], 5), 1e-4);
    }
}

#[test]
fn penalties_bounds_averages_and_smooth_labels_are_the_cpus() {
    let Some(device) = device("regularisers") else { return };
    let net = zoo::build("three_layer_mlp").unwrap();
    let base = Options { optimiser: Optimiser::new(Rule::Momentum), rate: 0.02, ..Options::DEFAULT };
    let all = [
        ("l1, l2", Options { l1: 1e-4, l2: 1e-3, ..base }),
        ("clip by norm", Options { clip_norm: 0.5, ..base }),
        ("clip by value", Options { clip_value: 0.01, clip_norm: 0.1, ..base }),
        ("average", Options { average: 0.99, ..base }),
        ("smooth labels", Options { label_smoothing: 0.1, ..base }),
    ];
    for (name, options) in all {
        assert_alike(name, both(&device, &net, &options, [12, 5], 5), 1e-4);
    }
}

#[test]
fn ten_steps_have_the_curve_of_the_cpu() {
    let Some(device) = device("ten steps") else { return };
    let options = Options { optimiser: Optimiser::new(Rule::Sgd), rate: 0.02, ..Options::DEFAULT };
    // Shards of 5: batch normalisation and dropout go by them.
    for name in ["deep_convnet", "tiny", "lenet5", "fast"] {
        let net = zoo::build(name).unwrap();
        assert_alike(name, both(&device, &net, &options, [20, 5], 10), 1e-3);
    }
}

#[test]
fn a_frozen_layer_stays_and_lets_gradients_through() {
    let Some(device) = device("frozen layers") else { return };
    let net = zoo::build("tiny").unwrap().freeze(&["conv1*", "conv3*"]).unwrap();
    let options = Options { optimiser: Optimiser::new(Rule::Sgd), rate: 0.02, ..Options::DEFAULT };
    assert_alike("frozen", both(&device, &net, &options, [10, 10], 4), 1e-3);
}

#[test]
fn the_same_steps_give_the_same_bits() {
    let Some(device) = device("repeatable") else { return };
    let net = zoo::build("deep_convnet").unwrap();
    let once = || both(&device, &net, &Options::DEFAULT, [20, 10], 4)[0].1.clone();
    let (one, two) = (once(), once());
    assert!(one.iter().zip(&two).all(|(a, b)| a.to_bits() == b.to_bits()));
}

#[test]
fn a_step_takes_few_kernels_and_reads_nothing_back() {
    let Some(device) = device("counts") else { return };
    for (name, most) in [("deep_convnet", 72), ("tiny", 90), ("resnet_mini", 200)] {
        let net = zoo::build(name).unwrap();
        let mut params = net.zeros();
        Init::He.fill(&mut params, 3).unwrap();
        let cpu = Trainer::new(&net, params, 8, 8, &Options::DEFAULT).unwrap();
        let own = gpu::wait(GpuTrainer::new(&device, &net, &cpu.state(), 8, 8, &Options::DEFAULT)).unwrap();
        let rows = own.learner().run().dispatches();
        let all: usize =
            rows.iter().map(|row| row.forward + row.backward).sum::<usize>() + own.learner().update_dispatches();
        assert!(rows.iter().all(|row| row.forward <= 3 && row.backward <= 3), "{rows:?}");
        assert!(all <= most, "{name}: {all} kernels in a step");
        eprintln!("{name}: {all} kernels in a step of {} layers", rows.len());
    }
}
