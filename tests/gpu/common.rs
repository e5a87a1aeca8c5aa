use hitofude::gpu::{self, Device, Run as OnGpu};
use hitofude::nn::{Feed, Graph, Init, Mode, Network, Params, Run, Want, Wire};
use hitofude::rng::Rng;
use hitofude::{Error, Result};
use std::sync::OnceLock;

/// How far the two may be apart, as a part of the largest number of a tensor.
pub const BOUND: f32 = 1e-4;

/// The device that all tests share, if there is one.
pub fn device(test: &str) -> Option<Device> {
    static DEVICE: OnceLock<std::result::Result<Device, Error>> = OnceLock::new();
    match DEVICE.get_or_init(|| gpu::wait(Device::open(None))) {
        Ok(device) => Some(device.clone()),
        Err(error) => {
            assert!(std::env::var("HITOFUDE_GPU").as_deref() != Ok("required"), "{error}");
            eprintln!("skipped: {test}: {error}");
            None
        }
    }
}

pub fn numbers(seed: u64, len: usize) -> Vec<f32> {
    let mut rng = Rng::new(seed);
    (0..len).map(|_| rng.normal()).collect()
}

/// Fails where two tensors are further apart than the bound.
pub fn assert_close(what: &str, gpu: &[f32], cpu: &[f32]) {
    assert_close_of(what, gpu, cpu, 1e-3);
}

/// As [`assert_close`], where a tensor of smaller numbers than `least` is measured by that: the gradient of a bias before a
/// normalisation is nothing but what sums of larger numbers leave.
pub fn assert_close_of(what: &str, gpu: &[f32], cpu: &[f32], least: f32) {
    assert_eq!(gpu.len(), cpu.len(), "{what}");
    let most = cpu.iter().fold(least, |most, v| most.max(v.abs()));
    for (i, (a, b)) in gpu.iter().zip(cpu).enumerate() {
        let apart = (a - b).abs();
        assert!(apart <= BOUND * most, "{what}: number {i} is {a} on the GPU, {b} on the CPU, of at most {most}");
    }
}

/// A network of one input and what `wire` appends.
pub fn network(shape: [usize; 3], wire: impl FnOnce(&mut Graph, Wire) -> Result<Wire>) -> Network {
    let mut graph = Graph::new();
    let [c, h, w] = shape;
    let x = graph.input("image", hitofude::shape::Shape::new(c, h, w)).unwrap();
    let out = wire(&mut graph, x).unwrap();
    graph.finish(out)
}

/// Parameters that are none of a layer's first ones.
pub fn params(net: &Network) -> Params {
    let mut params = net.zeros();
    Init::He.fill(&mut params, 5).unwrap();
    let mut rng = Rng::new(9);
    for view in net.views().to_vec() {
        let positive = view.name.ends_with("running_var");
        for v in &mut params.values_mut()[view.range()] {
            *v = if positive { rng.range(0.5, 2.0) } else { *v + 0.2 * rng.normal() };
        }
    }
    params
}

/// Compares inference: the answer.
pub fn compare_inference(device: &Device, name: &str, net: &Network, n: usize) {
    let params = params(net);
    let images = numbers(3, n * net.input_shape().len());
    let mut cpu = Run::new(net, n, &Want::outputs());
    cpu.forward(&params, &images, n, Mode::Infer).unwrap();
    let mut run = gpu::wait(OnGpu::new(device, net, n, n, &Want::outputs())).unwrap_or_else(|e| panic!("{name}: {e}"));
    run.receive(&params).unwrap();
    run.forward(&[Feed::new(&net.nodes()[0].name, &images)], &[]).unwrap();
    let mut expected = vec![0.0; n * net.node(net.output()).shape.len()];
    let each = expected.len() / n;
    expected.chunks_exact_mut(each).enumerate().for_each(|(i, out)| cpu.read(net.output(), i, out).unwrap());
    assert_close(&format!("{name}, inference"), &gpu::wait(run.read(net.output())).unwrap(), &expected);
}

/// Compares training: every wire, every loss, every gradient, over shards of `shard` images. The network has losses.
pub fn compare_training(device: &Device, name: &str, net: &Network, feeds: &[Feed<'_>], n: usize, shard: usize) {
    let params = params(net);
    let mut run =
        gpu::wait(OnGpu::new(device, net, n + 1, shard, &Want::training())).unwrap_or_else(|e| panic!("{name}: {e}"));
    run.receive(&params).unwrap();
    let seeds: Vec<u64> = (0..n.div_ceil(shard) as u64).map(|s| 70 + s).collect();
    run.learn(feeds, &seeds, 0.25).unwrap();
    let mut gradient = vec![0.0; net.arena_len()];
    let mut losses = vec![0.0; net.losses().len()];
    let mut wires: Vec<Vec<f32>> = vec![vec![]; net.nodes().len()];
    for (s, seed) in seeds.iter().enumerate() {
        let (from, to) = (s * shard, n.min((s + 1) * shard));
        let own: Vec<Feed<'_>> = feeds
            .iter()
            .map(|feed| {
                let each = feed.values.len() / n;
                Feed::new(feed.input, &feed.values[from * each..to * each])
            })
            .collect();
        let mut cpu = Run::new(net, shard, &Want::training());
        cpu.forward_feeds(&params, &own, Mode::Train { seed: *seed }).unwrap();
        for (i, (wire, _)) in net.losses().iter().enumerate() {
            losses[i] += cpu.loss(&net.node(*wire).name).unwrap();
        }
        for (k, wire) in net.wires().enumerate() {
            let mut row = vec![0.0; net.node(wire).shape.len()];
            for i in 0..to - from {
                cpu.read(wire, i, &mut row).unwrap();
                wires[k].extend_from_slice(&row);
            }
        }
        cpu.backward_losses(&params, &mut gradient, 0.25);
    }
    for (k, wire) in net.wires().enumerate() {
        // A loss leaves its values elsewhere.
        if !net.losses().iter().any(|(loss, _)| *loss == wire) {
            let values = gpu::wait(run.read(wire)).unwrap();
            assert_close(&format!("{name}, {}", net.node(wire).name), &values, &wires[k]);
        }
    }
    for (gpu, cpu) in gpu::wait(run.losses()).unwrap().iter().zip(&losses) {
        assert!((gpu - cpu).abs() <= f64::from(BOUND) * cpu.abs().max(1e-3), "{name}, loss: {gpu} and {cpu}");
    }
    let own = gpu::wait(run.gradient()).unwrap();
    let least = gradient.iter().fold(1e-3f32, |most, v| most.max(v.abs())) / 20.0;
    for view in net.views() {
        let what = format!("{name}, gradient of {}", view.name);
        assert_close_of(&what, &own[view.range()], &gradient[view.range()], least);
    }
    for row in run.dispatches() {
        assert!(row.forward <= 3 && row.backward <= 3, "{name}: {row:?}");
    }
}
