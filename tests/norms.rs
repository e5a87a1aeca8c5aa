//! What normalisation means for a whole network: shards, running statistics, and batch norms folded away.

use hitofude::error::Result;
use hitofude::nn::layers::act::Activation::Relu;
use hitofude::nn::layers::add::Add;
use hitofude::nn::layers::affine::Affine;
use hitofude::nn::layers::batch_norm::BatchNorm;
use hitofude::nn::layers::flatten::Flatten;
use hitofude::nn::params::Role;
use hitofude::nn::{Conv, Graph, Init, Mode, Network, Params, Run, Want, Wire, fold};
use hitofude::rng::Rng;
use hitofude::shape::Shape;
use hitofude::train::{Options, Trainer};

/// A residual block with batch norms: one behind a convolution that something else reads, too, and one behind a sum.
fn network() -> Network {
    let mut g = Graph::new();
    let x = g.input("input", Shape::new(2, 7, 6)).unwrap();
    let y = wire(&mut g, x).unwrap();
    g.finish(y)
}

fn wire(g: &mut Graph, x: Wire) -> Result<Wire> {
    let x = g.add("conv1", Conv { bias: false, ..Conv::new(4, 3).pad(1) }, &[x])?;
    let x = g.add("norm1", BatchNorm::default(), &[x])?;
    let x = g.add("relu1", Relu, &[x])?;
    let shared = g.add("conv2", Conv::new(4, 3).groups(2).pad(1), &[x])?;
    let y = g.add("norm2", BatchNorm::default(), &[shared])?;
    let y = g.add("sum", Add, &[y, shared])?;
    let y = g.add("norm3", BatchNorm::default(), &[y])?;
    let y = g.add("flatten", Flatten, &[y])?;
    let y = g.add("affine1", Affine::new(5), &[y])?;
    g.add("norm4", BatchNorm::default(), &[y])
}

fn random(net: &Network) -> Params {
    let (mut params, mut rng) = (net.zeros(), Rng::new(6));
    Init::He.fill(&mut params, 5).unwrap();
    params.values_mut().iter_mut().for_each(|v| *v += 0.2 * rng.uniform());
    params
}

fn images(net: &Network, n: usize) -> Vec<f32> {
    let mut rng = Rng::new(8);
    (0..n * net.input_shape().len()).map(|_| rng.normal()).collect()
}

fn answers(net: &Network, params: &Params, images: &[f32]) -> Vec<f32> {
    let n = images.len() / net.input_shape().len();
    let mut run = Run::new(net, n, &Want::outputs());
    run.forward(params, images, n, Mode::Infer).unwrap();
    run.output().to_vec()
}

#[test]
fn parameters_begin_and_count_as_the_field_does() {
    let net = network();
    let mut params = net.zeros();
    Init::He.fill(&mut params, 5).unwrap();
    for (name, start) in [("weight", 1.0), ("bias", 0.0), ("running_mean", 0.0), ("running_var", 1.0)] {
        assert!(params.get(&format!("norm1.{name}")).unwrap().iter().all(|v| *v == start), "{name}");
    }
    let statistics: usize = net.views().iter().filter(|v| v.role.is_statistic()).map(|v| v.len()).sum();
    assert_eq!(statistics, 2 * (4 + 4 + 4 + 5));
    assert_eq!(net.parameters() + statistics, params.values().len());
    let decayed: Vec<&str> = net.views().iter().filter(|v| v.role == Role::Weight).map(|v| v.name.as_str()).collect();
    assert_eq!(decayed, ["conv1.weight", "conv2.weight", "affine1.weight"]);
}

#[test]
fn folded_norms_give_the_same_answers() {
    let net = network();
    let (params, images) = (random(&net), images(&net, 3));
    let (folded, moved) = fold::for_inference(&net, &params).unwrap();
    let names: Vec<&str> = folded.nodes().iter().map(|n| n.name.as_str()).collect();
    assert_eq!(names, ["input", "conv1", "relu1", "conv2", "norm2", "sum", "norm3", "flatten", "affine1"]);
    let (before, after) = (answers(&net, &params, &images), answers(&folded, &moved, &images));
    let largest = before.iter().fold(0.0, |a: f32, v| a.max(v.abs()));
    for (a, b) in before.iter().zip(&after) {
        assert!((a - b).abs() < 3e-6 * largest, "{a} {b}");
    }
}

/// Each shard normalises by its own images; the running statistics follow the mean over all images.
#[test]
fn statistics_of_shards_add_up() {
    let net = network();
    let images = images(&net, 6);
    let trained = |shard: usize| {
        let mut trainer = Trainer::new(&net, random(&net), 6, shard, &Options::default()).unwrap();
        let len = net.input_shape().len();
        let fill = |i: usize, image: &mut [f32], target: &mut [f32]| {
            image.copy_from_slice(&images[i * len..][..len]);
            target.fill(0.2);
        };
        trainer.step(6, 1e-3, 1, fill).unwrap();
        trainer.params().clone()
    };
    let (whole, shards) = (trained(6), trained(4));
    // The first layer has seen the same numbers either way, so its batch mean is the same.
    let mean = |params: &Params| params.get("norm1.running_mean").unwrap();
    for (a, b) in mean(&whole).iter().zip(&mean(&shards)) {
        assert!((a - b).abs() < 1e-6 && *a != 0.0, "{a} {b}");
    }
}
