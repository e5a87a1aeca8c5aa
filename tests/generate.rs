//! Generate: a step of both networks against PyTorch, each switch, and what ships.
//!
//! `tools/gan.py` wrote the golden file.
#![cfg(all(not(target_arch = "wasm32"), feature = "cli"))]

use hitofude::data::idx::{Images, Labelled};
use hitofude::file::safetensors::{self, Precision};
use hitofude::nn::{Mode, Params, Run, Want};
use hitofude::rng::Rng;
use hitofude::systems::generate::{Batch, Generator, Judge, Pair, Settings, Spectral, Training};
use hitofude::systems::generate::{latents, learnt_from, nearest, shares};
use hitofude::systems::saved::{self, Saved};
use hitofude::tensor::Tensor;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

const GOLDEN: &[u8] = include_bytes!("golden/gan.safetensors");

/// Networks small enough to learn in a test.
const SMALL: Settings =
    Settings { latent: 8, generator: [8, 8, 6], discriminator: [4, 6, 8], batch: 8, ..Settings::DEFAULT };

fn golden_case(name: &str) -> Settings {
    let own = Settings { latent: 3, generator: [3, 4, 2], discriminator: [2, 3, 4], batch: 4, ..Settings::DEFAULT };
    match name {
        "conditional" => Settings { smoothing: 0.1, auxiliary: 0.0, ..own },
        "spectral" => Settings { smoothing: 0.0, spectral: true, auxiliary: 0.5, ..own },
        _ => Settings { smoothing: 0.0, conditional: false, auxiliary: 0.0, ..own },
    }
}

fn same(what: &str, got: &[f32], want: &Tensor, tolerance: f32) {
    let largest = want.iter().fold(0.0, |largest: f32, v| largest.max(v.abs()));
    assert_eq!(got.len(), want.len(), "{what}");
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        assert!((got - want).abs() <= tolerance * largest, "{what}: number {i} is {got}, PyTorch {want} of {largest}");
    }
}

#[test]
fn a_step_of_both_networks_is_that_of_pytorch() {
    let golden: BTreeMap<String, Tensor> = safetensors::read(GOLDEN).unwrap().tensors.into_iter().collect();
    for name in ["conditional", "spectral", "plain"] {
        let at = |key: &str| &golden[&format!("{name}/{key}")];
        let numbers = |key: &str| at(key).iter().copied().collect::<Vec<f32>>();
        let classes = |key: &str| numbers(key).into_iter().map(|v| v as u8).collect::<Vec<u8>>();
        let settings = golden_case(name);
        let begun = |side: &str, mut params: Params| {
            for view in params.views().to_vec() {
                if !view.role.is_statistic() {
                    params.set(&view.name, at(&format!("param/{side}.{}", view.name))).unwrap();
                }
            }
            params
        };
        let (g, d) = (settings.generator().unwrap().zeros(), settings.discriminator(true).unwrap().zeros());
        let mut pair = Pair::with(settings, &begun("g", g), &begun("d", d), 1).unwrap();
        let (real, latents) = (numbers("real"), numbers("latents"));
        let (labels, digits) = (classes("labels"), classes("digits"));
        let batch = Batch { real: &real, labels: &labels, latents: &latents, digits: &digits };
        let progress = pair.step(&batch, [1e-4, 1e-4]).unwrap();
        same(&format!("{name}: drawn"), pair.drawn(), at("drawn"), 2e-6);
        let progress = [progress.d_loss, progress.g_loss, progress.d_real, progress.d_fake].map(|v| v as f32);
        same(&format!("{name}: losses"), &progress, at("progress"), 2e-6);
        for (side, (params, gradient)) in ["g", "d"].into_iter().zip(pair.params().into_iter().zip(pair.gradients())) {
            for (view, got) in params.named_of(gradient) {
                if !view.contains("running") {
                    let (what, want) = (format!("{name}: {side}.{view}"), at(&format!("grad/{side}.{view}")));
                    same(&what, got.as_slice().unwrap(), want, 2e-5);
                }
            }
        }
    }
}

/// Bars at a place that the class decides, with some noise.
fn bars(n: usize, seed: u64) -> Labelled {
    let mut rng = Rng::new(seed);
    let labels: Vec<u8> = (0..n).map(|i| (i % 10) as u8).collect();
    let mut pixels = Vec::with_capacity(n * 784);
    for &label in &labels {
        let from = 3 + 2 * usize::from(label) + rng.below(2);
        pixels
            .extend((0..784).map(|p| if (from..from + 3).contains(&(p % 28)) { 200 + rng.below(56) as u8 } else { 0 }));
    }
    Labelled::new(Images { n, h: 28, w: 28, pixels }, labels, 10).unwrap()
}

fn stepped(settings: Settings, seed: u64, steps: usize) -> Training {
    let mut training = Training::new(bars(64, 1), settings, seed).unwrap();
    (0..steps).for_each(|_| assert!(training.step().is_ok()));
    training
}

#[test]
fn a_pair_learns_to_draw_what_it_is_asked_for() {
    let settings = Settings { rates: [4e-3, 2e-3], average: 0.9, ..SMALL };
    let mut training = Training::new(bars(320, 1), settings, 1).unwrap();
    (0..600).for_each(|_| assert!(training.step().is_ok()));
    let digits: Vec<u8> = (0..10).collect();
    let drawn = training.samples(&latents(10, 8, 3), &digits).unwrap();
    for (digit, image) in digits.iter().zip(drawn.chunks_exact(784)) {
        let column = |x: usize| (0..28).map(|y| image[y * 28 + x]).sum::<f32>();
        let all: f32 = (0..28).map(column).sum();
        let middle = (0..28).map(|x| x as f32 * column(x)).sum::<f32>() / all;
        let expected = 4.5 + 2.0 * f32::from(*digit);
        assert!((middle - expected).abs() < 1.5, "{digit}: ink at column {middle}, not {expected}");
    }
    // The discriminator has an opinion for each digit that an image might be, and every layer of it can be looked at.
    let sure = training.judge(&drawn[..784]).unwrap();
    assert!(sure.len() == 10 && sure.iter().all(|p| (0.0..=1.0).contains(p)), "{sure:?}");
    let maps = training.judged().network().wire("conv1").unwrap();
    assert!(training.judged().values(maps).is_some());
}

#[test]
fn a_training_that_was_stopped_ends_with_the_same_bits() {
    for spectral in [false, true] {
        let settings = Settings { spectral, steps: 20, ..SMALL };
        let whole = stepped(settings, 3, 20);
        assert!(whole.finished());
        let bytes = safetensors::write(&stepped(settings, 3, 11).checkpoint().unwrap(), Precision::F32).unwrap();
        let checkpoint = safetensors::read(&bytes).unwrap();
        let mut again = Training::resume(bars(64, 1), settings, 3, &checkpoint).unwrap();
        assert_eq!(again.steps(), 11);
        (0..9).for_each(|_| assert!(again.step().is_ok()));
        for (a, b) in whole.pair().params().into_iter().zip(again.pair().params()) {
            assert_eq!(a.values(), b.values());
        }
        assert_eq!(whole.pair().generator().1.values(), again.pair().generator().1.values());
        assert_ne!(whole.pair().params()[0].values(), stepped(settings, 4, 20).pair().params()[0].values());
        // Another plan's checkpoint is refused.
        let other = Training::resume(bars(64, 1), Settings { steps: 21, ..settings }, 3, &checkpoint);
        assert!(other.err().unwrap().to_string().contains("settings"));
        assert!(Training::resume(bars(64, 1), settings, 4, &checkpoint).err().unwrap().to_string().contains("seed"));
    }
}

#[test]
fn spectral_normalisation_leaves_no_weight_that_stretches_anything() {
    let training = stepped(Settings { spectral: true, rates: [1e-3, 1e-3], ..SMALL }, 1, 30);
    let used = training.pair().used();
    let after = Spectral::new(used, 9).unwrap();
    for value in after.largest() {
        assert!((value - 1.0).abs() < 0.05, "{value}");
    }
    // A matrix whose largest singular value is known: 3 in one direction, 1 in the others.
    let mut params = SMALL.discriminator(false).unwrap().zeros();
    let mut weight = Tensor::zeros(vec![10, 72]);
    (0..10).for_each(|i| weight[[i, 7 * i]] = if i == 4 { -3.0 } else { 1.0 });
    params.set("real.weight", &weight).unwrap();
    let largest = Spectral::new(&params, 2).unwrap().largest();
    assert!((largest.last().unwrap() - 3.0).abs() < 1e-9, "{largest:?}");
    assert!(training.pair().settings().discriminator(true).unwrap().wire("norm2").is_err(), "in place of batch norms");
}

#[test]
fn the_average_of_the_generator_draws_and_the_last_one_learns() {
    let decay = 0.5;
    let mut training = stepped(Settings { average: decay, ..SMALL }, 1, 40);
    let before = training.pair().generator().1.values().to_vec();
    training.step().unwrap();
    let now = training.pair().params()[0].values();
    for ((mean, before), now) in training.pair().generator().1.values().iter().zip(&before).zip(now) {
        assert!((mean - (decay * before + (1.0 - decay) * now)).abs() < 1e-5);
    }
    let none = stepped(Settings { average: 0.0, ..SMALL }, 1, 3);
    assert_eq!(none.pair().generator().1.values(), none.pair().params()[0].values());
}

/// A target of 1 − s in place of 1 adds s times the score to what a real image costs, and nothing to what a drawn one does.
#[test]
fn labels_are_smoothed_on_one_side() {
    let data = bars(8, 5);
    let real: Vec<f32> = data.images.pixels.iter().map(|&ink| f32::from(ink) / 255.0).collect();
    let start = latents(8, SMALL.latent, 2);
    let batch = Batch { real: &real, labels: &data.labels, latents: &start, digits: &data.labels };
    let loss = |smoothing| {
        let mut pair = Pair::new(Settings { smoothing, ..SMALL }, 1).unwrap();
        let d = pair.used().clone();
        (pair.step(&batch, [1e-4, 1e-4]).unwrap().d_loss, d)
    };
    let ((hard, d), (soft, _)) = (loss(0.0), loss(0.25));
    let net = SMALL.discriminator(false).unwrap();
    let mut run = Run::new(&net, 8, &Want::outputs());
    run.forward(&d, &real, 8, Mode::Train { seed: 0 }).unwrap();
    let rows = run.output().chunks_exact(10).zip(&data.labels);
    let score = rows.map(|(row, label)| f64::from(row[usize::from(*label)])).sum::<f64>() / 8.0;
    assert!((soft - hard - 0.25 * score).abs() < 1e-5, "{soft} − {hard} is not a quarter of {score}");
}

#[test]
fn without_digits_there_is_one_score_and_one_input() {
    let settings = Settings { conditional: false, ..SMALL };
    let mut training = stepped(settings, 1, 5);
    let drawn = training.samples(&latents(3, 8, 1), &[0, 0, 7]).unwrap();
    assert_eq!(drawn.len(), 3 * 784);
    assert_eq!(training.judge(&drawn[..784]).unwrap().len(), 1);
    let (net, params, _) = training.trained().unwrap();
    let mut generator = Generator::new(&net, &params).unwrap();
    assert!(!generator.conditional());
    let start = latents(1, 8, 4);
    assert_eq!(generator.generate(&start, &[3]).unwrap(), generator.generate(&start, &[8]).unwrap());
}

/// How the classes share 100 drawings, each the class whose column its ink is nearest to.
fn drawn_classes(training: &mut Training) -> [f64; 10] {
    let drawn = training.samples(&latents(100, SMALL.latent, 3), &[0; 100]).unwrap();
    let class = |image: &[f32]| {
        let all: f32 = image.iter().sum();
        let middle = image.iter().enumerate().map(|(p, ink)| (p % 28) as f32 * ink).sum::<f32>() / all.max(1e-6);
        ((middle - 4.5) / 2.0).round().clamp(0.0, 9.0) as u8
    };
    shares(&drawn.chunks_exact(784).map(class).collect::<Vec<u8>>())
}

#[test]
fn modes_collapse_where_they_are_made_to_and_come_back() {
    let of = |Settings { latent, generator, discriminator, .. }: Settings, settings: Settings| Settings {
        latent,
        generator,
        discriminator,
        batch: 16,
        average: settings.average.min(0.9),
        ..settings
    };
    let collapse = of(SMALL, Settings::COLLAPSE);
    let mut training = Training::new(bars(320, 1), collapse, 1).unwrap();
    (0..300).for_each(|_| assert!(training.step().is_ok()));
    let few = drawn_classes(&mut training);
    let seen = |shares: [f64; 10]| shares.iter().filter(|share| **share >= 0.02).count();
    assert!(seen(few) <= 3, "{few:?}");
    // The way back changes the settings, not the networks.
    assert!(training.change(Settings { batch: 8, ..collapse }).unwrap_err().to_string().contains("16"));
    assert!(training.change(Settings { norm: true, ..collapse }).is_err(), "another network");
    training.change(Settings { rates: [4e-3, 2e-3], ..of(SMALL, Settings::CURE) }).unwrap();
    (0..500).for_each(|_| assert!(training.step().is_ok()));
    let many = drawn_classes(&mut training);
    assert!(seen(many) >= 7 && many.iter().all(|share| *share < 0.4), "{many:?}");
    // A checkpoint of changed settings is one of theirs.
    let now = *training.pair().settings();
    let mut again = Training::resume(bars(320, 1), now, 1, &training.checkpoint().unwrap()).unwrap();
    assert_eq!(again.steps(), 800);
    assert_eq!(again.step().unwrap(), training.step().unwrap());
    assert_eq!(again.pair().params()[0].values(), training.pair().params()[0].values());
}

/// Weights whose answers are no numbers: that is said, and the last good state is there to go back to.
#[test]
fn losses_that_are_no_numbers_are_said_and_undone() {
    for side in ["generator", "discriminator"] {
        let mut checkpoint = stepped(SMALL, 1, 3).checkpoint().unwrap();
        let row = checkpoint.tensors.iter_mut().find(|(name, _)| *name == format!("{side}.params")).unwrap();
        row.1.mapv_inplace(|v| v * 1e38);
        let mut training = Training::resume(bars(64, 1), SMALL, 1, &checkpoint).unwrap();
        let first = training.pair().params().map(|p| p.values().to_vec());
        let error = training.step().expect_err("losses that are no numbers").to_string();
        assert!(error.contains("finite"), "{side}: {error}");
        training.undo().unwrap();
        assert_eq!(training.steps(), 3);
        assert_eq!(training.pair().params().map(|p| p.values().to_vec()), first);
    }
    let mut training = stepped(SMALL, 1, 130);
    let now = training.pair().params()[0].values().to_vec();
    training.undo().unwrap();
    assert_eq!(training.steps(), 100, "the last state that was kept");
    (0..30).for_each(|_| assert!(training.step().is_ok()));
    assert_eq!(training.pair().params()[0].values(), now, "the same steps again");
}

#[test]
fn what_cannot_work_is_refused_by_name() {
    let refused = |settings: Settings, word: &str| {
        let error = Training::new(bars(64, 1), settings, 1).err().expect("settings that cannot work").to_string();
        assert!(error.contains(word), "{error}");
    };
    refused(Settings { latent: 0, ..SMALL }, "latent");
    refused(Settings { generator: [8, 8, 0], ..SMALL }, "channels");
    refused(Settings { smoothing: 0.7, ..SMALL }, "smoothing");
    refused(Settings { rates: [f32::NAN, 1e-3], ..SMALL }, "rate");
    refused(Settings { beta1: 1.0, ..SMALL }, "momentum");
    refused(Settings { auxiliary: 1.0, conditional: false, ..SMALL }, "conditional");
    refused(Settings { batch: 1, ..SMALL }, "images in a step");
    refused(Settings { batch: 65, ..SMALL }, "at least 65");
    let mut pair = Pair::new(SMALL, 1).unwrap();
    let before = pair.params().map(|p| p.values().to_vec());
    let (real, start) = (vec![0.0; 784], latents(1, 8, 1));
    let batch = Batch { real: &real, labels: &[1], latents: &start, digits: &[10] };
    assert!(pair.step(&batch, [1e-3; 2]).unwrap_err().to_string().contains("digit"));
    assert!(pair.step(&Batch { digits: &[1], real: &real[1..], ..batch }, [1e-3; 2]).is_err());
    assert!(pair.step(&Batch { labels: &[], ..batch }, [1e-3; 2]).is_err());
    assert_eq!(pair.params().map(|p| p.values().to_vec()), before);
    let (net, params) = pair.generator();
    let mut generator = Generator::new(net, params).unwrap();
    assert!(generator.generate(&start, &[10]).unwrap_err().to_string().contains("digit"));
    assert!(generator.generate(&start[1..], &[1]).is_err());
    assert!(generator.generate(&[f32::NAN; 8], &[1]).unwrap_err().to_string().contains("finite"));
    assert!(Generator::new(&SMALL.discriminator(false).unwrap(), pair.params()[1]).is_err());
}

#[test]
fn the_nearest_image_of_a_copy_is_its_original() {
    let all = bars(40, 7).images;
    let one = Images { n: 1, pixels: all.image(23).to_vec(), ..all.clone() };
    let found = nearest(&one, &all).unwrap()[0];
    assert_eq!((found.image, found.distance), (23, 0.0));
    assert!(nearest(&one, &Images { n: 0, pixels: vec![], ..all }).is_err());
    // What can be told apart can be learnt from.
    let right = learnt_from(&bars(1000, 1), &bars(200, 2), 2, 1).unwrap();
    assert!(right > 0.9, "{right}");
    assert!(learnt_from(&bars(99, 1), &bars(20, 2), 1, 1).is_err());
}

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/pretrained");

/// What ships is the file that its card describes, and draws what it is asked for.
#[test]
fn the_generator_that_ships_draws_what_it_is_asked_for() {
    let folder = Path::new(FOLDER);
    let bytes = std::fs::read(folder.join("generate/dcgan.safetensors")).unwrap();
    let card = std::fs::read_to_string(folder.join("generate/README.md")).unwrap();
    let sha = |bytes: &[u8]| Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect::<String>();
    assert!(bytes.len() <= 500_000 && card.contains(&sha(&bytes)), "{} bytes, {}", bytes.len(), sha(&bytes));
    let Saved { net, params, .. } = saved::read(&bytes).unwrap();
    let mut generator = Generator::new(&net, &params).unwrap();
    let classifier = std::fs::read(folder.join("deep_convnet.safetensors")).unwrap();
    assert!(card.contains(&sha(&classifier)), "the features' classifier");
    let Saved { net, params, .. } = saved::read(&classifier).unwrap();
    let judge = Judge::new(&net, &params, "relu7").unwrap();
    let digits: Vec<u8> = (0..1000).map(|i| (i % 10) as u8).collect();
    let drawn = generator.labelled(&digits, 5).unwrap();
    let right = judge.read(&drawn.images).unwrap().iter().zip(&digits).filter(|(a, b)| a == b).count();
    assert!(right >= 980, "{right} of 1000");
    // No two alike, and the same again from the same seed.
    let each: std::collections::BTreeSet<&[u8]> = drawn.images.pixels.chunks_exact(784).collect();
    assert_eq!(each.len(), 1000);
    assert_eq!(generator.labelled(&digits, 5).unwrap(), drawn);
}

#[test]
fn the_command_draws_sheets_and_folders_and_refuses_what_is_no_digit() {
    let folder = std::env::temp_dir().join(format!("hitofude-generate-{}", std::process::id()));
    let run = |args: &[&str]| {
        let program = env!("CARGO_BIN_EXE_hitofude");
        let output = Command::new(program).current_dir(env!("CARGO_MANIFEST_DIR")).arg("generate").args(args).output();
        output.unwrap()
    };
    let sheet = folder.join("sheet.png");
    assert!(run(&["--count", "23", "--out", sheet.to_str().unwrap()]).status.success());
    let reader = png::Decoder::new(std::io::BufReader::new(std::fs::File::open(&sheet).unwrap())).read_info().unwrap();
    assert_eq!(reader.info().size(), (280, 84));
    assert!(run(&["--count", "3", "--digit", "7", "--out", folder.to_str().unwrap()]).status.success());
    assert_eq!(std::fs::read_dir(folder.join("7")).unwrap().count(), 3);
    let refused = run(&["--digit", "11", "--out", sheet.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("digit"));
    std::fs::remove_dir_all(folder).unwrap();
}
