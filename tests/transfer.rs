//! Frozen layers, new classes, several networks at once, and what there is to see of a training.

use hitofude::nn::{Init, Mode, Network, Params, Run, Want, description};
use hitofude::rng::Rng;
use hitofude::systems::ensemble::{Rule as Join, join};
use hitofude::systems::transfer::with_classes;
use hitofude::train::metrics::{Confusion, Histogram, Pace, norms};
use hitofude::train::{Options, Rule, Trainer};

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

const NETWORK: &str = r#"{"input":[1,8,8],"layers":[
    {"name":"conv1","type":"conv","out":4,"kernel":3,"pad":1},{"name":"norm1","type":"batch_norm"},
    {"name":"relu1","type":"relu"},{"name":"pool1","type":"max_pool","kernel":2,"stride":2},
    {"name":"conv2","type":"conv","out":6,"kernel":3,"pad":1},{"name":"relu2","type":"relu"},
    {"name":"flatten","type":"flatten"},{"name":"affine1","type":"affine","out":5}]}"#;

fn begun() -> (Network, Params) {
    let net = description::read(NETWORK).unwrap();
    let mut params = net.zeros();
    Init::He.fill(&mut params, 3).unwrap();
    (net, params)
}

fn example(i: usize, image: &mut [f32], target: &mut [f32]) {
    let mut rng = Rng::part(5, i as u64);
    image.fill_with(|| rng.uniform());
    target.fill(0.0);
    target[i % target.len()] = 1.0;
}

fn trained(net: &Network, params: &Params, rule: Rule) -> Params {
    let options = Options { l2: 0.01, ..Options::new(rule, 0.01) };
    let mut trainer = Trainer::new(net, params.clone(), 8, 4, &options).unwrap();
    for step in 0..5 {
        trainer.step(8, 0.01, step, example).unwrap();
    }
    trainer.params().clone()
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn frozen_layers_keep_their_bits_and_cost_no_gradient() {
    let (net, params) = begun();
    for rule in Rule::ALL {
        for frozen in [&["conv1", "norm1"][..], &["conv2"], &["conv*", "norm1"]] {
            let after = trained(&net.freeze(frozen).unwrap(), &params, rule);
            for view in params.views() {
                let layer = view.name.split('.').next().unwrap();
                let stays = frozen.iter().any(|f| *f == layer || (f.ends_with('*') && layer.starts_with("conv")));
                let same = params.values()[view.range()] == after.values()[view.range()];
                assert_eq!(same, stays, "{rule:?}, {frozen:?}: {}", view.name);
            }
        }
    }
    let plan = |net: &Network| Run::new(net, 4, &Want::training());
    let frozen = plan(&net.freeze(&["conv1", "norm1"]).unwrap());
    let kept = |run: &Run, layer: &str| run.plan().places[place(&net, layer)].gradient.is_some();
    assert!(kept(&plan(&net), "norm1") && !kept(&frozen, "norm1") && !kept(&frozen, "pool1") && kept(&frozen, "conv2"));
    let error = net.freeze(&["conv9"]).unwrap_err().to_string();
    assert!(error.contains("conv1, norm1, conv2, affine1"), "{error}");
}

fn place(net: &Network, layer: &str) -> usize {
    net.nodes().iter().position(|node| node.name == layer).unwrap()
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_trained_network_takes_new_classes() {
    let (net, params) = begun();
    let (next, fresh) = with_classes(&net.freeze(&["conv*", "norm1"]).unwrap(), &params, 3, 1).unwrap();
    assert_eq!(fresh.get("affine1.weight").unwrap().shape(), [3, 96]);
    for name in ["conv1.weight", "norm1.running_var", "conv2.bias"] {
        assert_eq!(fresh.get(name).unwrap(), params.get(name).unwrap(), "{name}");
    }
    let after = trained(&next, &fresh, Rule::Adam);
    assert_eq!(after.get("conv2.weight").unwrap(), params.get("conv2.weight").unwrap());
    assert_ne!(after.get("affine1.weight").unwrap(), fresh.get("affine1.weight").unwrap());
    assert_eq!(with_classes(&net, &params, 0, 1).unwrap_err().code(), "value");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn an_ensemble_averages_and_votes() {
    // Two are a little for the first class, one is much for the second.
    let scores: [&[f32]; 3] = [&[0.2, 0.0], &[0.2, 0.0], &[0.0, 4.0]];
    let average = join(Join::Average, &scores, 2).unwrap();
    let vote = join(Join::Vote, &scores, 2).unwrap();
    assert!(average[1] > average[0] && vote[0] > vote[1], "{average:?} {vote:?}");
    assert!((vote[0] - 2.0 / 3.0).abs() < 1e-3 && (vote[0] + vote[1] - 1.0).abs() < 1e-6);
    assert_eq!(join(Join::Vote, &[], 2).unwrap_err().code(), "missing");
    assert_eq!(join(Join::Vote, &[&[0.0, 1.0], &[0.0]], 2).unwrap_err().code(), "shape");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_confusion_matrix_counts() {
    let scores = [0.9, 0.1, 0.0, 0.2, 0.8, 0.0, 0.7, 0.2, 0.1, 0.0, 0.9, 0.1];
    let confusion = Confusion::new(&scores, &[0, 1, 1, 2], 3).unwrap();
    assert_eq!(confusion.counts, [1, 0, 0, 1, 1, 0, 0, 1, 0]);
    assert_eq!(confusion.accuracy(), Some(0.5));
    assert_eq!([0, 1, 2].map(|c| confusion.precision(c)), [Some(0.5), Some(0.5), None]);
    assert_eq!([0, 1, 2].map(|c| confusion.recall(c)), [Some(1.0), Some(0.5), Some(0.0)]);
    assert_eq!(Confusion::new(&scores, &[0, 1, 1, 3], 3).unwrap_err().code(), "value");
    assert_eq!(Confusion::new(&scores, &[0], 3).unwrap_err().code(), "shape");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn histograms_and_norms_cover_every_number() {
    let some = Histogram::new([0.0, 1.0, 0.5, f32::NAN, 0.24].into_iter(), 4);
    assert_eq!((some.range, &some.counts[..], some.lost), ([0.0, 1.0], &[2, 0, 1, 1][..], 1));
    assert_eq!(Histogram::new([3.0, 3.0].into_iter(), 3).counts, [2, 0, 0]);
    assert_eq!(Histogram::new([].into_iter(), 2).range, [0.0; 2]);
    let (net, params) = begun();
    let layers = norms(&net, params.values());
    assert_eq!(layers.iter().map(|(name, _)| &**name).collect::<Vec<_>>(), ["conv1", "norm1", "conv2", "affine1"]);
    // Scales and running variances of one.
    assert!((layers[1].1 - 8.0_f64.sqrt()).abs() < 1e-9);
    let weights = Histogram::of_layer(&net, "conv2", params.values(), 10).unwrap();
    assert_eq!(weights.counts.iter().sum::<u64>(), 6 * 4 * 9 + 6);
    let mut run = Run::new(&net, 2, &Want::training());
    run.forward(&params, &[0.5; 128], 2, Mode::Infer).unwrap();
    let seen = Histogram::of_activations(&run, net.wire("pool1").unwrap(), 8).unwrap();
    assert_eq!(seen.counts.iter().sum::<u64>(), 2 * 4 * 4 * 4, "without the halo that conv2 reads");
    assert_eq!(Pace::new(0, 10, 0.0), None);
    assert_eq!(Pace::new(50, 150, 2.0), Some(Pace { images_per_second: 25.0, seconds_left: 4.0 }));
}
