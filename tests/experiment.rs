//! An experiment in parts: any number of learners makes the same weights, state goes to and fro, and what breaks says
//! where.

use hitofude::data::idx::{Images, Labelled};
use hitofude::rng::Rng;
use hitofude::systems::experiment::{Coach, Histogram, Learner, Outline, Part, Samples, Setup};
use std::sync::Arc;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

const NETWORK: &str = r#"{"input":[1,8,8],"layers":[{"name":"conv1","type":"conv","out":4,"kernel":3,"pad":1},
    {"name":"relu1","type":"relu"},{"name":"pool1","type":"max_pool","kernel":2,"stride":2},
    {"name":"flatten1","type":"flatten"},{"name":"affine1","type":"affine","out":4},
    {"name":"dropout1","type":"dropout","ratio":0.1}]}"#;

/// Noise with one bright row, by which the four classes are told apart.
fn samples() -> Arc<Samples> {
    let part = |n: usize, seed: u64| {
        let mut rng = Rng::new(seed);
        let labels: Vec<u8> = (0..n).map(|i| (i % 4) as u8).collect();
        let mut pixels: Vec<u8> = (0..64 * n).map(|_| rng.below(80) as u8).collect();
        for (picture, label) in pixels.chunks_exact_mut(64).zip(&labels) {
            picture[16 * usize::from(*label)..][..8].fill(255);
        }
        Labelled::new(Images { n, h: 8, w: 8, pixels }, labels, 4).unwrap()
    };
    Arc::new(Samples::new(part(60, 1), Some(part(40, 2)), 4).unwrap())
}

fn setup(more: &str) -> Setup {
    let network = serde_json::Value::from(NETWORK);
    let json =
        format!(r#"{{"network":{network},"batch":20,"shard":6,"steps":60,"seed":3,"augment":{{"shift":0.5}}{more}}}"#);
    Setup::from_json(&json).unwrap()
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_training_is_validated_25_times_but_not_within_ten_steps() {
    for (steps, every) in [(1, 10), (250, 10), (251, 11), (1000, 40)] {
        assert_eq!(Setup { steps, ..Setup::default() }.every(), every);
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_validation_on_the_way_costs_a_tenth_of_the_steps_before_it() {
    // The last is more than 32 bits hold.
    for (steps, batch, glance) in [(1719, 32, 663), (100, 32, 200), (10_000, 100, 1000), (35_791_400, 1000, 1000)] {
        assert_eq!(Setup { steps, batch, ..Setup::default() }.glance(), glance);
    }
    let patient = setup(r#","options":{"patience":3}"#);
    assert_eq!(patient.glance(), 1000, "early stopping goes by the most");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_network_that_memory_cannot_hold_is_refused_before_anything_is_allocated() {
    let wide = setup("").network.replace("\"out\":4,\"kernel\"", "\"out\":65535,\"kernel\"");
    let wide = Setup { network: wide, batch: 4000, shard: 4000, ..setup("") };
    let error = Learner::new(wide, samples()).err().unwrap().to_string();
    assert!(error.contains("memory of a run: expected at most"), "{error}");
}

/// Takes steps with so many learners, each with every so-manieth shard.
fn train(setup: &Setup, samples: &Arc<Samples>, coach: &mut Coach, learners: usize, steps: u64) {
    let mut all: Vec<Learner> = (0..learners).map(|_| Learner::new(setup.clone(), samples.clone()).unwrap()).collect();
    for _ in 0..steps {
        for shard in 0..setup.shards() {
            let learner = &mut all[shard % learners];
            learner.receive(coach.params().values()).unwrap();
            let progress = learner.learn(coach.steps(), shard).unwrap();
            coach.add(learner.gradient(), progress).unwrap();
        }
        coach.step().unwrap();
    }
}

fn coach(setup: &Setup, samples: &Samples) -> Coach {
    Coach::new(setup.clone(), samples.shape(), samples.classes()).unwrap()
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn it_learns_and_any_number_of_learners_makes_the_same_weights() {
    let (samples, setup) = (samples(), setup(r#","options":{"rate":0.01}"#));
    let states = [1, 2, 3].map(|learners| {
        let mut coach = coach(&setup, &samples);
        train(&setup, &samples, &mut coach, learners, 60);
        coach
    });
    assert!(states.iter().all(|coach| coach.state() == states[0].state()));
    let mut judge = Learner::new(setup.clone(), samples.clone()).unwrap();
    let right = |judge: &mut Learner| {
        let found = judge.classify(Part::Validation, 0, 40).unwrap();
        (0..40).filter(|&i| found.classes[i] == samples.label(Part::Validation, i)).count()
    };
    assert!(right(&mut judge) < 30, "nothing was known before");
    judge.receive(states[0].result().values()).unwrap();
    assert_eq!(right(&mut judge), 40);
    let (one, other) = (judge.classify(Part::Validation, 0, 13), judge.classify(Part::Validation, 13, 40));
    let whole = judge.classify(Part::Validation, 0, 40).unwrap();
    assert_eq!([one.unwrap().classes, other.unwrap().classes].concat(), whole.classes);
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_batch_norm_learns_and_its_statistics_follow_the_pictures() {
    let (samples, mut setup) = (samples(), setup(r#","options":{"rate":0.01,"patience":2}"#));
    setup.network = NETWORK.replace(r#"{"name":"relu1""#, r#"{"name":"norm1","type":"batch_norm"},{"name":"relu1""#);
    let [one, mut two] = [1, 2].map(|learners| {
        let mut coach = coach(&setup, &samples);
        train(&setup, &samples, &mut coach, learners, 60);
        coach.see(0.5);
        coach
    });
    assert_eq!(one.state(), two.state());
    let (early, best) = one.stopping();
    two.restore_stopping(early.best, early.waited, best).unwrap();
    let mean = one.result().get("norm1.running_mean").unwrap();
    assert!(mean.iter().all(|v| v.is_finite()) && mean.iter().any(|v| *v != 0.0), "{mean}");
    let mut judge = Learner::new(setup.clone(), samples.clone()).unwrap();
    judge.receive(one.result().values()).unwrap();
    let found = judge.classify(Part::Validation, 0, 40).unwrap();
    let right = (0..40).filter(|&i| found.classes[i] == samples.label(Part::Validation, i)).count();
    assert!(right > 36, "{right} of 40");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_state_goes_on_elsewhere_with_the_same_bits() {
    let (samples, setup) = (samples(), setup(r#","options":{"average":0.9}"#));
    let (mut one, mut other) = (coach(&setup, &samples), coach(&setup, &samples));
    train(&setup, &samples, &mut one, 1, 7);
    other.restore(one.state()).unwrap();
    for coach in [&mut one, &mut other] {
        train(&setup, &samples, coach, 2, 5);
    }
    assert_eq!(one.state(), other.state());
    assert_eq!((one.steps(), one.weights()), (12, other.weights()));
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn validations_that_get_no_better_stop_it_and_the_best_weights_are_back() {
    let (samples, setup) = (samples(), setup(r#","options":{"patience":2}"#));
    let mut coach = coach(&setup, &samples);
    let mut kept = Vec::new();
    for loss in [0.5, 0.4, 0.6] {
        train(&setup, &samples, &mut coach, 1, 2);
        coach.see(loss);
        kept.push(coach.latest().values().to_vec());
    }
    assert!(!coach.finished() && coach.result().values() == coach.latest().values());
    // It goes on elsewhere with what it remembers.
    let mut other = Coach::new(setup.clone(), samples.shape(), samples.classes()).unwrap();
    let (early, best) = coach.stopping();
    other.restore(coach.state()).unwrap();
    other.restore_stopping(early.best, early.waited, best).unwrap();
    assert!(other.restore_stopping(early.best, early.waited, &best[1..]).is_err());
    for coach in [&mut coach, &mut other] {
        train(&setup, &samples, coach, 1, 2);
        coach.see(f64::NAN);
        assert!(coach.finished() && coach.steps() == 8);
        assert_eq!(coach.result().values(), kept[1]);
        assert_ne!(coach.latest().values(), kept[1]);
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn frozen_layers_stay_as_they_begin() {
    let (samples, setup) = (samples(), setup(r#","freeze":["conv1"]"#));
    let mut coach = coach(&setup, &samples);
    let first = coach.params().clone();
    train(&setup, &samples, &mut coach, 1, 3);
    let same = |name: &str| coach.params().get(name).unwrap() == first.get(name).unwrap();
    assert!(same("conv1.weight") && same("conv1.bias") && !same("affine1.weight"));
    let json = |freeze: &str| format!(r#"{{"network":{},"freeze":["{freeze}"]}}"#, serde_json::Value::from(NETWORK));
    let unknown = Setup::from_json(&json("conv7")).unwrap();
    assert!(Coach::new(unknown, samples.shape(), samples.classes()).is_err());
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn what_leaves_all_bounds_names_step_and_layer_and_changes_nothing() {
    let (samples, setup) = (samples(), setup(r#","options":{"rate":900,"optimiser":{"rule":"sgd"}}"#));
    let mut coach = coach(&setup, &samples);
    let mut learner = Learner::new(setup.clone(), samples.clone()).unwrap();
    let mut before = coach.state();
    let error = loop {
        before = if coach.steps() < 50 { coach.state() } else { panic!("no rate is that high: {}", before.params[0]) };
        let taken = (0..setup.shards()).try_for_each(|shard| {
            learner.receive(coach.params().values())?;
            let progress = learner.learn(coach.steps(), shard)?;
            coach.add(learner.gradient(), progress)
        });
        if let Err(error) = taken.and_then(|()| coach.step().map(|_| ())) {
            break error;
        }
    };
    assert!(error.to_string().starts_with(&format!("step {}: expected", before.memory.steps + 1)), "{error}");
    assert_eq!(coach.state(), before);
    // A parameter that is no number is found where it first shows.
    let mut broken = before.params.clone();
    *broken.last_mut().unwrap() = f32::NAN;
    learner.receive(&broken).unwrap();
    let error = learner.learn(0, 0).unwrap_err().to_string();
    assert!(error.ends_with("NaN in affine1"), "{error}");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn what_does_not_fit_is_refused_by_name() {
    let refused = |json: &str, word: &str| {
        let error = Setup::from_json(json).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    };
    refused("", "setup");
    refused(r#"{"batch":0}"#, "batch");
    refused(r#"{"shard":101}"#, "shard");
    refused(r#"{"rate":1}"#, "rate");
    refused(r#"{"init":"zero"}"#, "zero");
    refused(r#"{"options":{"rate":-1}}"#, "learning rate");
    let samples = samples();
    let mut five = setup("");
    five.network = NETWORK.replace(r#""affine","out":4"#, r#""affine","out":5"#);
    assert!(Learner::new(five, samples.clone()).err().unwrap().to_string().contains("4 classes"));
    let mut coach = coach(&setup(""), &samples);
    assert_eq!(coach.step().unwrap_err().code(), "value");
    assert_eq!(coach.add(&[0.0], Default::default()).unwrap_err().code(), "shape");
    let mut learner = Learner::new(setup(""), samples.clone()).unwrap();
    assert_eq!(learner.learn(0, 4).unwrap_err().code(), "value");
    assert_eq!(learner.classify(Part::Validation, 0, 41).unwrap_err().code(), "value");
    assert_eq!(learner.receive(&[0.0]).unwrap_err().code(), "shape");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn an_outline_goes_as_far_as_the_layers_fit() {
    let whole = Outline::new(NETWORK);
    assert_eq!((whole.rows.len(), whole.fault), (6, None));
    assert_eq!(whole.rows[2].shape.to_string(), "4×4×4");
    assert_eq!(whole.rows[4].parameters, 64 * 4 + 4);
    let broken = Outline::new(&NETWORK.replace(r#""max_pool","kernel":2"#, r#""max_pool","kernel":20"#));
    assert_eq!(broken.rows.len(), 2);
    let fault = broken.fault.unwrap();
    assert_eq!(fault.layer, Some(2));
    assert!(fault.error.to_string().contains("pool1"), "{}", fault.error);
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_histogram_counts_every_finite_number_once() {
    let numbers = [0.0, 0.0, 1.0, -1.0, f32::NAN, f32::INFINITY, 0.5, 0.1];
    let spread = Histogram::new(numbers.iter());
    assert_eq!(spread.range, [-1.0, 1.0]);
    assert_eq!(spread.bars.iter().sum::<u32>(), 6);
    assert_eq!((spread.bars[0], spread.bars[20], *spread.bars.last().unwrap()), (1, 2, 1));
    assert!((spread.mean - 0.1).abs() < 1e-6 && (spread.zeros - 1.0 / 3.0).abs() < 1e-6);
    assert_eq!(Histogram::new([].iter()).range, [0.0, 0.0]);
    let inspected = coach(&setup(""), &samples()).inspect();
    let names: Vec<&str> = inspected.iter().map(|[weight, _]| &*weight.name).collect();
    assert_eq!(names, ["conv1.weight", "affine1.weight"]);
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn it_begins_with_weights_that_are_there_already() {
    let (samples, setup) = (samples(), setup(""));
    let mut taught = coach(&setup, &samples);
    train(&setup, &samples, &mut taught, 1, 3);
    let mut fresh = coach(&setup, &samples);
    fresh.begin_with(taught.params()).unwrap();
    assert_eq!((fresh.steps(), fresh.params().values()), (0, taught.params().values()));
    train(&setup, &samples, &mut fresh, 1, 1);
    assert_eq!(fresh.begin_with(taught.params()).unwrap_err().code(), "value");
    let other = hitofude::zoo::build("lenet5").unwrap().zeros();
    assert_eq!(coach(&setup, &samples).begin_with(&other).unwrap_err().code(), "shape");
}
