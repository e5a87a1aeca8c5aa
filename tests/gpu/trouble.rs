use crate::common::{device, network, numbers};
use hitofude::gpu::{self, Device, Run};
use hitofude::nn::layers::affine::Affine;
use hitofude::nn::layers::flatten::Flatten;
use hitofude::nn::layers::lrn::LocalResponseNorm;
use hitofude::nn::{Feed, Init, Want};
use hitofude::train::{GpuTrainer, Options, Trainer};

#[test]
fn a_layer_without_kernels_is_named_before_anything_starts() {
    let net = network([8, 4, 4], |g, x| g.add("compete", LocalResponseNorm::ALEXNET, &[x]));
    let error = gpu::lacking(&net).unwrap_err().to_string();
    assert!(error.contains("compete") && error.contains("local_response_norm"), "{error}");
}

#[test]
fn wrong_feeds_and_sizes_change_nothing() {
    let Some(device) = device("wrong feeds") else { return };
    let net = network([1, 3, 3], |g, x| {
        let x = g.add("flat", Flatten, &[x])?;
        g.add("scores", Affine::new(2), &[x])
    });
    let make = |batch, shard| gpu::wait(Run::new(&device, &net, batch, shard, &Want::outputs()));
    assert!(make(0, 1).is_err() && make(1, 0).is_err());
    let mut run = make(2, 2).unwrap();
    let mut params = net.zeros();
    Init::He.fill(&mut params, 1).unwrap();
    run.receive(&params).unwrap();
    run.forward(&[Feed::new("image", &numbers(1, 9))], &[]).unwrap();
    let before = gpu::wait(run.read(net.output())).unwrap();
    for feeds in [vec![], vec![Feed::new("image", &[0.0; 10])], vec![Feed::new("other", &[0.0; 9])]] {
        assert!(run.forward(&feeds, &[]).is_err());
    }
    assert!(run.forward(&[Feed::new("image", &[0.0; 27])], &[]).is_err());
    assert!(run.receive(&network([1, 2, 2], |g, x| g.add("flat", Flatten, &[x])).zeros()).is_err());
    assert_eq!(gpu::wait(run.read(net.output())).unwrap(), before);
}

#[test]
fn what_is_too_large_is_refused_in_bytes() {
    let Some(device) = device("too large") else { return };
    let net = network([64, 512, 512], |g, x| g.add("flat", Flatten, &[x]));
    let batch = usize::try_from(device.largest_buffer() / 4 / (64 * 512 * 512) + 1).unwrap();
    let error = gpu::wait(Run::new(&device, &net, batch, batch, &Want::outputs())).err().unwrap().to_string();
    assert!(error.contains("memory of the GPU") && error.contains("bytes"), "{error}");
    // The device works on.
    device.check().unwrap();
}

/// A trainer of two classes on the CPU and one on `device`.
fn pair(device: &Device) -> (Trainer, GpuTrainer) {
    let net = network([1, 4, 4], |g, x| {
        let x = g.add("flat", Flatten, &[x])?;
        g.add("scores", Affine::new(2), &[x])
    });
    let mut params = net.zeros();
    Init::He.fill(&mut params, 1).unwrap();
    let cpu = Trainer::new(&net, params, 4, 4, &Options::DEFAULT).unwrap();
    let own = gpu::wait(GpuTrainer::new(device, &net, &cpu.state(), 4, 4, &Options::DEFAULT)).unwrap();
    (cpu, own)
}

fn fill(bright: f32) -> impl Fn(usize, &mut [f32], &mut [f32]) {
    move |i, image, target| {
        image.iter_mut().enumerate().for_each(|(k, v)| *v = if (k < 8) == (i % 2 == 0) { bright } else { 0.0 });
        target.fill(0.0);
        target[i % 2] = 1.0;
    }
}

#[test]
fn a_loss_that_is_no_number_changes_no_weight() {
    let Some(device) = device("no number") else { return };
    let (_, mut own) = pair(&device);
    (0..3).for_each(|step| own.step(4, 1e-2, step, fill(1.0)).unwrap());
    let good = gpu::wait(own.come()).unwrap();
    for bright in [1.0, f32::NAN, 1.0] {
        own.step(4, 1e-2, 9, fill(bright)).unwrap();
    }
    let bad = gpu::wait(own.come()).unwrap();
    assert_eq!((good.progress.len(), bad.progress.len()), (3, 1));
    let error = bad.refused.unwrap().to_string();
    assert!(error.contains("step 5"), "{error}");
    assert_eq!(bad.state.memory.steps, 4);
    assert!(bad.state.params.iter().all(|v| v.is_finite()));
    // It goes on from there.
    own.step(4, 1e-2, 5, fill(1.0)).unwrap();
    let next = gpu::wait(own.come()).unwrap();
    assert_eq!((next.progress.len(), next.refused), (1, None));
    assert_eq!(next.state.memory.steps, 5);
}

#[test]
fn a_lost_device_is_an_error_and_the_cpu_goes_on_from_the_state_that_came_last() {
    if device("lost device").is_none() {
        return;
    }
    let device = gpu::wait(Device::open(None)).unwrap();
    let (mut cpu, mut own) = pair(&device);
    (0..3).for_each(|step| own.step(4, 1e-2, step, fill(1.0)).unwrap());
    let state = gpu::wait(own.come()).unwrap().state;
    own.step(4, 1e-2, 3, fill(1.0)).unwrap();
    device.destroy();
    let error = gpu::wait(own.come()).unwrap_err().to_string();
    assert!(error.contains("lost"), "{error}");
    assert!(own.step(4, 1e-2, 3, fill(1.0)).is_err());
    cpu.restore(state).unwrap();
    cpu.step(4, 1e-2, 3, fill(1.0)).unwrap();
    assert_eq!(cpu.state().memory.steps, 4);
}
