//! The training step, schedules, calibration and what training is fed.

use hitofude::data::ink;
use hitofude::data::scribble::scribble;
use hitofude::data::strokes::Drawing;
use hitofude::nn::Init;
use hitofude::rng::Rng;
use hitofude::systems::digits::feed::Drawings;
use hitofude::systems::digits::recipe::RECIPES;
use hitofude::train::regularise::Verdict;
use hitofude::train::{Curve, Descent, EarlyStopping, Options, Replica, Rule, Schedule, Trainer, calibrate, evaluate};
use hitofude::zoo;
use std::collections::BTreeSet;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

/// A trainer of an architecture, eight images a batch, so many in a shard.
fn trainer(name: &str, shard: usize, optimiser: &str, average: f32) -> Trainer {
    let net = zoo::build(name).unwrap();
    let mut params = net.zeros();
    Init::He.fill(&mut params, 2).unwrap();
    let options = Options { optimiser: optimiser.parse().unwrap(), average, ..Options::DEFAULT };
    Trainer::new(&net, params, 8, shard, &options).unwrap()
}

/// Noise that the label brightens in one row: learnable, and not by its mean.
fn example(i: usize, image: &mut [f32], target: &mut [f32]) {
    let mut rng = Rng::part(7, i as u64);
    image.fill_with(|| 0.3 * rng.uniform());
    image[28 * (2 * i + 4)..][..28].fill(1.0);
    target.fill(0.0);
    target[i % target.len()] = 1.0;
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn every_architecture_overfits_one_batch() {
    // In a browser only the small ones: its driver gives up on a page that stands still for half a minute.
    let most = if cfg!(target_arch = "wasm32") { 50_000 } else { usize::MAX };
    for row in zoo::CATALOGUE.iter().filter(|row| zoo::build(row.name).unwrap().parameters() <= most) {
        // Of a shard of two images, batch normalisation behind a hidden layer leaves nothing but signs: none is so small.
        let mut trainer = trainer(row.name, 4, "adam", 0.0);
        let first = trainer.step(8, 3e-3, 0, example).unwrap();
        for step in 1..100 {
            trainer.step(8, 3e-3, step, example).unwrap();
        }
        let fill = |i: usize, out: &mut [f32]| example(i, out, &mut [0.0; 10]);
        let scores = evaluate::scores(trainer.network(), trainer.params(), 8, fill).unwrap();
        let labels: Vec<u8> = (0..8).collect();
        assert!(first.loss / 8.0 > 1.0, "{}: nothing was known before", row.name);
        assert_eq!(evaluate::misclassified(&scores, &labels), [0_usize; 0], "{}", row.name);
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_restored_trainer_goes_on_with_the_same_bits() {
    for rule in Rule::ALL {
        let optimiser = &format!("{rule:?}");
        let mut one = trainer("simple_convnet", 3, optimiser, 0.9);
        let mut other = trainer("simple_convnet", 3, optimiser, 0.9);
        one.step(8, 1e-2, 1, example).unwrap();
        other.restore(one.state()).unwrap();
        for trainer in [&mut one, &mut other] {
            trainer.step(5, 1e-2, 2, example).unwrap();
        }
        assert_eq!(one.state(), other.state(), "{optimiser}");
        assert_ne!(one.params().values(), one.result().values(), "the average lags behind");
        let elsewhere = trainer("three_layer_mlp", 3, optimiser, 0.9).state();
        assert_eq!(other.restore(elsewhere).unwrap_err().code(), "shape");
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn any_number_of_workers_makes_the_same_bits() {
    let first = trainer("simple_convnet", 3, "adam", 0.9);
    let states = [1, 2, 3].map(|workers| {
        let options = Options { average: 0.9, ..Options::DEFAULT };
        let mut descent = Descent::new(first.network(), first.params().clone(), &options).unwrap();
        let mut replicas: Vec<Replica> =
            (0..workers).map(|_| Replica::new(first.network(), 3, &options).unwrap()).collect();
        for step in 0..3 {
            // Worker w takes every shard whose number leaves w over, and sends each gradient on its own.
            let shards = (0..3).map(|s: usize| {
                let replica = &mut replicas[s % workers];
                let n = 3.min(8 - 3 * s);
                let part = replica.learn(descent.params(), n, 1.0 / 8.0, Rng::mix(step, s as u64), |k, x, t| {
                    example(3 * s + k, x, t);
                });
                (replica.gradient().to_vec(), part.unwrap())
            });
            let shards: Vec<_> = shards.collect();
            descent.apply(shards.iter().map(|(g, part)| (&g[..], *part)), 1e-2).unwrap();
        }
        descent.state()
    });
    let mut threads = first;
    for step in 0..3 {
        threads.step(8, 1e-2, step, example).unwrap();
    }
    assert!(states.iter().all(|state| *state == threads.state()));
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_loss_that_is_not_finite_changes_nothing() {
    let mut trainer = trainer("simple_convnet", 3, "adam", 0.0);
    let before = trainer.state();
    let spoilt = |i: usize, image: &mut [f32], target: &mut [f32]| {
        example(i, image, target);
        image.fill(f32::NAN);
    };
    let error = trainer.step(8, 1e-3, 1, spoilt).unwrap_err();
    assert!(error.to_string().contains("step 1"), "{error}");
    assert_eq!(trainer.state(), before);
    let no_target = |i: usize, image: &mut [f32], target: &mut [f32]| {
        example(i, image, target);
        target[0] = f32::NAN;
    };
    let error = trainer.step(8, 1e-3, 1, no_target).unwrap_err();
    assert!(error.to_string().contains("target"), "{error}");
    assert_eq!(trainer.state(), before);
    assert_eq!(trainer.step(0, 1e-3, 1, example).unwrap_err().code(), "value");
    assert_eq!(trainer.step(10, 1e-3, 1, example).unwrap_err().code(), "value");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn schedules_go_where_they_say() {
    let cosine = Schedule::new(Curve::Cosine, 0.1);
    let rates: Vec<f32> = (0..1000).map(|s| cosine.rate(2.0, s, 1000)).collect();
    assert!(rates[0] < 0.02 && (rates[99] - 2.0).abs() < 0.02 && rates[999] < 1e-4);
    assert!((rates[549] - 1.0).abs() < 0.01, "half way down at the middle: {}", rates[549]);
    assert!(rates[..100].is_sorted() && rates[100..].is_sorted_by(|a, b| a >= b));
    assert_eq!(Schedule::CONSTANT.rate(0.3, 5, 10), 0.3);
    let warm = Schedule::new(Curve::Constant, 0.5);
    assert_eq!([0, 4, 5, 9].map(|s| warm.rate(1.0, s, 10)), [0.1, 0.9, 1.0, 1.0]);
    let steps = Schedule { curve: Curve::Step, factor: 0.5, every: 0.25, ..Schedule::CONSTANT };
    assert_eq!([0, 24, 25, 49, 50, 99].map(|s| steps.rate(8.0, s, 100)), [8.0, 8.0, 4.0, 4.0, 2.0, 1.0]);
    let falling = Schedule { curve: Curve::Exponential, factor: 0.01, ..Schedule::CONSTANT };
    let ratio = |s| falling.rate(1.0, s + 1, 1000) / falling.rate(1.0, s, 1000);
    assert!((falling.rate(1.0, 999, 1000) - 0.01).abs() < 1e-4 && (ratio(3) - ratio(900)).abs() < 1e-5);
    let cycle = Schedule::new(Curve::OneCycle, 0.3);
    let rates: Vec<f32> = (0..1000).map(|s| cycle.rate(1.0, s, 1000)).collect();
    assert!((rates[0] - 0.04).abs() < 1e-3 && (rates[299] - 1.0).abs() < 1e-3 && rates[999] < 1e-5);
    assert!(rates[..300].is_sorted() && rates[300..].is_sorted_by(|a, b| a >= b));
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn options_say_what_is_wrong_with_them() {
    assert_eq!(Options::from_json("{}").unwrap(), Options::DEFAULT);
    let options = Options { rate: 0.1, l2: 0.01, ..Options::new(Rule::Nesterov, 0.1) };
    assert_eq!(Options::from_json(&serde_json::to_string(&options).unwrap()).unwrap(), options);
    for (text, word) in [
        (r#"{"optimiser": {"rule": "adagard"}}"#, "adagrad"),
        (r#"{"optimiser": {"rule": "adam", "beta1": 1}}"#, "momentum"),
        (r#"{"schedule": {"curve": "cosine", "warmup": 1.5}}"#, "warm-up"),
        (r#"{"schedule": {"curve": "step", "every": 0}}"#, "steps"),
        (r#"{"rate": -1}"#, "learning rate"),
        (r#"{"rat": 1}"#, "rat"),
        (r#"{"label_smoothing": 1}"#, "label smoothing"),
    ] {
        let error = Options::from_json(text).unwrap_err().to_string();
        assert!(error.contains(word), "{text}: {error}");
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn penalties_shrink_weights_and_count_in_the_loss() {
    let size = |options: Options| {
        let net = zoo::build("three_layer_mlp").unwrap();
        let mut params = net.zeros();
        Init::Xavier.fill(&mut params, 2).unwrap();
        let mut trainer = Trainer::new(&net, params, 8, 8, &options).unwrap();
        let first = trainer.step(8, 0.1, 0, example).unwrap();
        for step in 1..30 {
            trainer.step(8, 0.1, step, example).unwrap();
        }
        (first.loss, trainer.params().get("affine1.weight").unwrap().mapv(f32::abs).sum())
    };
    let plain = Options::new(Rule::Sgd, 0.1);
    let (loss, weights) = size(plain);
    for penalty in [Options { l1: 1e-3, ..plain }, Options { l2: 0.05, ..plain }] {
        let (penalised, shrunk) = size(penalty);
        assert!(penalised > loss && shrunk < 0.95 * weights, "{penalty:?}: {shrunk} of {weights}");
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn smoothed_labels_keep_the_scores_apart_less() {
    let spread = |label_smoothing| {
        let net = zoo::build("simple_convnet").unwrap();
        let mut params = net.zeros();
        Init::He.fill(&mut params, 2).unwrap();
        let options = Options { label_smoothing, ..Options::DEFAULT };
        let mut trainer = Trainer::new(&net, params, 8, 8, &options).unwrap();
        let mut last = 0.0;
        for step in 0..60 {
            last = trainer.step(8, 3e-3, step, example).unwrap().loss / 8.0;
        }
        last
    };
    // The entropy of a target of 0.91 and nine of 0.01 is 0.500: no scores can cost less.
    assert!(spread(0.0) < 0.1 && (0.5..0.6).contains(&spread(0.1)), "{} {}", spread(0.0), spread(0.1));
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn first_weights_have_the_deviation_and_the_bounds_of_their_papers() {
    // 784 in, 50 out.
    let net = zoo::build("three_layer_mlp").unwrap();
    for (init, variance, bound) in [
        (Init::He, 2.0 / 784.0, f32::INFINITY),
        (Init::HeUniform, 2.0 / 784.0, (6.0_f32 / 784.0).sqrt()),
        (Init::Xavier, 2.0 / 834.0, f32::INFINITY),
        (Init::XavierUniform, 2.0 / 834.0, (6.0_f32 / 834.0).sqrt()),
    ] {
        let mut params = net.zeros();
        init.fill(&mut params, 7).unwrap();
        let weights = params.get("affine1.weight").unwrap();
        let most = weights.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
        let squares = weights.iter().map(|v| f64::from(v * v)).sum::<f64>() / weights.len() as f64;
        assert!((squares / variance - 1.0).abs() < 0.03, "{init:?}: {squares} for {variance}");
        // A normal one of that many numbers goes beyond four deviations; a uniform one comes close to its bound.
        assert!(most <= bound && (bound.is_infinite() || most > 0.999 * bound), "{init:?}: {most} of {bound}");
        assert!(params.get("affine1.bias").unwrap().iter().all(|&v| v == 0.0));
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_training_that_gets_no_better_stops() {
    let mut stopping = EarlyStopping::new(2);
    let verdicts = [1.0, 0.5, 0.6, 0.4, f64::NAN, 0.4].map(|loss| stopping.see(loss));
    use Verdict::{Best, GoOn, Stop};
    assert_eq!(verdicts, [Best, Best, GoOn, Best, GoOn, Stop]);
    let mut patient = EarlyStopping::new(0);
    assert!((0..100).all(|i| patient.see(f64::from(i)) != Stop));
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn the_temperature_of_overconfident_scores_is_found() {
    // Labels drawn from softmax(x); the network says 3x.
    let mut rng = Rng::new(5);
    let (mut scores, mut labels) = (Vec::new(), Vec::new());
    for _ in 0..4000 {
        let x: Vec<f32> = (0..4).map(|_| rng.normal()).collect();
        let total: f32 = x.iter().map(|v| libm::expf(*v)).sum();
        let mut left = rng.uniform() * total;
        let drawn = x.iter().position(|v| {
            left -= libm::expf(*v);
            left <= 0.0
        });
        labels.push(drawn.unwrap_or(3) as u8);
        scores.extend(x.iter().map(|v| 3.0 * v));
    }
    let temperature = calibrate::temperature(&scores, &labels);
    assert!((temperature - 3.0).abs() < 0.2, "{temperature}");
    let confidences = calibrate::confidences(&scores, 4, temperature);
    let threshold = calibrate::threshold(&confidences, 0.25);
    assert_eq!(confidences.iter().filter(|&&c| c < threshold).count(), 1000);
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn every_scribble_has_ink_and_is_its_seeds() {
    let mut picture = [0.0; 784];
    for seed in 0..500 {
        let strokes = scribble(&mut Rng::new(seed));
        assert_eq!(strokes, scribble(&mut Rng::new(seed)));
        ink::render(&strokes, ink::PEN, &mut picture).unwrap();
        assert!(picture.iter().sum::<f32>() > 1.0, "seed {seed}");
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn no_writer_is_in_two_parts() {
    let drawing = |i: usize| Drawing { writer: format!("w{}", i % 97), digit: (i % 10) as u8, strokes: vec![] };
    let all: Vec<Drawing> = (0..3000).map(drawing).collect();
    let Drawings { train, validation, test } = Drawings::split(&all);
    assert_eq!(train.len() + validation.len() + test.len(), all.len());
    let writers = |part: &[Drawing]| part.iter().map(|d| d.writer.clone()).collect::<BTreeSet<_>>();
    let parts = [writers(&train), writers(&validation), writers(&test)];
    assert!(parts.iter().all(|p| !p.is_empty()));
    assert_eq!(parts.iter().map(BTreeSet::len).sum::<usize>(), 97);
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn every_recipe_trains_its_architectures_own_parameters() {
    for recipe in RECIPES {
        let shipped = zoo::build(recipe.architecture).unwrap();
        assert_eq!(recipe.network().unwrap().views(), shipped.views(), "{}", recipe.name);
    }
}

#[cfg(not(target_arch = "wasm32"))]
#[path = "../examples/volume.rs"]
mod volume;

#[cfg(not(target_arch = "wasm32"))]
#[test]
fn a_network_learns_what_only_the_slices_together_show() {
    let (mut first, mut last) = (0.0, 0.0);
    let accuracy = volume::train(100, |step, loss| {
        first = if step == 0 { loss } else { first };
        last = loss;
    })
    .unwrap();
    // One of three classes by chance; a ball and a tube apart need more than any one slice.
    assert!(accuracy > 0.9 && last < 0.5 * first, "{accuracy}, loss {first} to {last}");
}
