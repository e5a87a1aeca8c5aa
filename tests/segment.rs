//! Segmentation: its measure against torchmetrics, a classifier made convolutional, the networks, their training, bad input.
#![cfg(all(not(target_arch = "wasm32"), feature = "cli"))]

use hitofude::Error;
use hitofude::data::pictures::Rgb;
use hitofude::data::streets::Split;
use hitofude::kernel::resize::Between;
use hitofude::nn::layers::unpool::MaxUnpool;
use hitofude::nn::layers::{pool::Pool, upsample::Upsample};
use hitofude::nn::{Conv, Graph, Init, Mode, Run, Want};
use hitofude::rng::Rng;
use hitofude::shape::{Shape, Window};
use hitofude::systems::segment::dense::convolutional;
use hitofude::systems::segment::training::Plan;
use hitofude::systems::segment::{Recipe, Segmenter, Task, Training, judge};
use hitofude::train::metrics::PixelConfusion;
use hitofude::zoo;
use std::collections::BTreeMap;

#[test]
fn intersection_over_union_is_that_of_torchmetrics() {
    let golden: serde_json::Value = serde_json::from_str(include_str!("golden/segment.json")).expect("a golden file");
    for case in golden["cases"].as_array().expect("cases") {
        let name = case["name"].as_str().expect("a name");
        let bytes = |key: &str| -> Vec<u8> {
            case[key].as_array().expect(key).iter().map(|v| v.as_u64().expect(key) as u8).collect()
        };
        let classes = case["classes"].as_u64().expect("classes") as usize;
        let mut confusion = PixelConfusion::new(classes);
        let (truth, answers) = (bytes("truth"), bytes("answers"));
        // In two pieces, as pictures come.
        let (first, second) = (truth.split_at(100), answers.split_at(100));
        confusion.add(first.0, second.0).expect("masks that fit");
        confusion.add(first.1, second.1).expect("masks that fit");
        let counts: Vec<u64> = case["confusion"].as_array().unwrap().iter().map(|v| v.as_u64().unwrap()).collect();
        assert_eq!(confusion.counts, counts, "{name}");
        for class in 0..classes {
            let (want, got) = (case["iou"][class].as_f64(), confusion.iou(class));
            assert_eq!(want.is_some(), got.is_some(), "{name}, class {class}");
            assert!((want.unwrap_or(0.0) - got.unwrap_or(0.0)).abs() < 1e-6, "{name}, class {class}: {got:?}");
        }
        let mean = confusion.mean_iou().expect("classes");
        assert!((mean - case["mean"].as_f64().unwrap()).abs() < 1e-6, "{name}: {mean}");
    }
}

#[test]
fn masks_that_do_not_fit_are_refused_and_count_for_nothing() {
    let mut confusion = PixelConfusion::new(3);
    assert!(matches!(confusion.add(&[0, 1], &[0]), Err(Error::Shape(_))));
    assert!(matches!(confusion.add(&[0, 3], &[0, 1]), Err(Error::Value(_))));
    assert!(matches!(confusion.add(&[0, 1], &[0, 255]), Err(Error::Value(_))), "void is no answer");
    assert_eq!(confusion, PixelConfusion::new(3));
    assert_eq!((confusion.mean_iou(), confusion.accuracy()), (None, None));
}

#[test]
fn a_convolutional_classifier_answers_the_same_and_slides_for_less() {
    let net = zoo::build("deep_convnet").expect("a row of the catalogue");
    let mut params = net.zeros();
    Init::He.fill(&mut params, 5).expect("a distribution");
    let mut rng = Rng::new(6);
    let image: Vec<f32> = (0..28 * 28).map(|_| rng.uniform()).collect();
    let mut run = Run::new(&net, 1, &Want::outputs());
    run.forward(&params, &image, 1, Mode::Infer).expect("an image");
    let want = run.output().to_vec();

    let dense = convolutional(&net, &params, (28, 28)).expect("layers in a row");
    assert_eq!(dense.net.node(dense.net.output()).shape, Shape::new(10, 1, 1));
    let mut run = Run::new(&dense.net, 1, &Want::outputs());
    run.forward(&dense.params, &image, 1, Mode::Infer).expect("an image");
    let mut got = vec![0.0; 10];
    run.read(dense.net.output(), 0, &mut got).expect("an answer");
    assert!(want.iter().zip(&got).all(|(a, b)| (a - b).abs() < 1e-4), "{want:?} {got:?}");

    let large = convolutional(&net, &params, (128, 96)).expect("layers in a row");
    let answer = large.net.node(large.net.output()).shape;
    assert_eq!((answer.c, answer.h > 10, answer.w > 7, large.stride), (10, true, true, (8, 8)));
    assert!(large.sliding > 4 * large.multiply_adds, "{} and {}", large.sliding, large.multiply_adds);
    assert!(matches!(convolutional(&net, &params, (27, 40)), Err(Error::Shape(_))));
}

#[test]
fn a_second_backward_pass_through_an_unpooling_gives_the_same_gradient() {
    let mut g = Graph::new();
    let x = g.input("x", Shape::new(2, 4, 4)).unwrap();
    let a = g.add("a", Conv::new(3, 3).pad(1), &[x]).unwrap();
    let pooled = g.add("pool", Pool::Max(Window::square(2).stride(2)), &[a]).unwrap();
    let b = g.add("b", Conv::new(3, 3).pad(1), &[pooled]).unwrap();
    let y = g.add("unpool", MaxUnpool(Window::square(2).stride(2)), &[b, a]).unwrap();
    let y = g.add("larger", Upsample { scale: 2, between: Between::Nearest }, &[y]).unwrap();
    let net = g.finish(y);
    let mut params = net.zeros();
    Init::He.fill(&mut params, 1).unwrap();
    let mut rng = Rng::new(2);
    let image: Vec<f32> = (0..32).map(|_| rng.normal()).collect();
    let mut run = Run::new(&net, 1, &Want::training());
    let mut gradient = || {
        run.forward(&params, &image, 1, Mode::Train { seed: 1 }).unwrap();
        run.seed_gradient(net.output()).expect("a loss").2.fill(1.0);
        let mut dparams = vec![0.0; net.arena_len()];
        run.backward(&params, &mut dparams);
        dparams
    };
    let first = gradient();
    assert!(first.iter().any(|v| *v != 0.0));
    assert_eq!(first, gradient());
}

#[test]
fn networks_stay_small_and_name_their_answers() {
    for recipe in hitofude::systems::segment::RECIPES {
        let training =
            Training::new(recipe, Plan { batch: 1, pool: 1, fresh: 0, ..Plan::new(1, 1) }).expect("a recipe");
        let (net, params, metadata) = training.trained().expect("a network");
        assert!(net.parameters() <= 150_000, "{}: {}", recipe.name, net.parameters());
        let segmenter = Segmenter::new(&net, &params, &metadata).expect("a segmenter");
        let answers: &[&str] = if recipe.name == "fcn8s" { &["32s", "16s", "8s"] } else { &["scores"] };
        assert_eq!(segmenter.answers(), answers, "{}", recipe.name);
        assert_eq!(segmenter.classes(), recipe.task.classes());
    }
    assert!(matches!(Recipe::named("unet"), Err(Error::Missing(_))));
}

#[test]
fn a_training_learns_and_goes_on_from_its_checkpoint_as_if_never_stopped() {
    let recipe = Recipe::named("segnet_street").unwrap();
    let plan = Plan { steps: 6, batch: 2, pool: 3, fresh: 1, seed: 7 };
    let mut whole = Training::new(recipe, plan).unwrap();
    let first = whole.step().unwrap().loss;
    for _ in 1..3 {
        whole.step().unwrap();
    }
    let mut resumed = Training::resume(recipe, plan, &whole.checkpoint()).unwrap();
    let mut last = first;
    while !whole.finished() {
        last = whole.step().unwrap().loss;
        assert_eq!(last, resumed.step().unwrap().loss);
    }
    assert!(last < first, "{first} to {last}");
    assert_eq!(whole.checkpoint().tensors, resumed.checkpoint().tensors);
    assert!(resumed.finished());
    let other = Plan { seed: 8, ..plan };
    assert!(matches!(Training::resume(recipe, other, &whole.checkpoint()), Err(Error::Value(_))));
    assert!(matches!(Training::new(recipe, Plan { steps: 0, ..plan }), Err(Error::Value(_))));
}

#[test]
fn pictures_of_any_size_get_a_mask_of_their_own_size_and_bad_ones_an_answer() {
    let recipe = Recipe::named("segnet_street").unwrap();
    let training = Training::new(recipe, Plan { batch: 1, pool: 1, fresh: 0, ..Plan::new(1, 1) }).unwrap();
    let (net, params, metadata) = training.trained().unwrap();
    assert!(matches!(Segmenter::new(&net, &params, &BTreeMap::new()), Err(Error::Missing(_))));
    let mut segmenter = Segmenter::new(&net, &params, &metadata).unwrap();
    for (h, w) in [(1, 1), (96, 160), (50, 201)] {
        let mask = segmenter.segment(&Rgb::new(h, w)).unwrap();
        assert_eq!((mask.h, mask.w, mask.classes.len()), (h, w, h * w));
    }
    assert!(matches!(segmenter.segment(&Rgb::new(0, 5)), Err(Error::Shape(_))));
    let broken = Rgb { pixels: vec![f32::NAN; 12], ..Rgb::new(2, 2) };
    assert!(matches!(segmenter.segment(&broken), Err(Error::Value(_))));
    assert!(matches!(judge(&mut segmenter, Task::Sheets, Split::Test, 1), Err(Error::Shape(_))));
    assert!(matches!(judge(&mut segmenter, Task::Streets, Split::Test, 0), Err(Error::Value(_))));
}
