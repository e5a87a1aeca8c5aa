//! Neural style: Gram matrices and losses against independent computations, the descent, pictures, files that users have,
//! and what ships in `pretrained/style`.
#![cfg(all(not(target_arch = "wasm32"), feature = "cli"))]

mod common;

use hitofude::Error;
use hitofude::data::pictures::{FAMILIES, Rgb, family};
use hitofude::file::safetensors::{self, Precision, Weights as Tensors};
use hitofude::kernel::gemm::Store;
use hitofude::kernel::gram::Gram;
use hitofude::nn::{Graph, Init, description};
use hitofude::rng::Rng;
use hitofude::shape::Shape;
use hitofude::systems::saved::{self, Saved};
use hitofude::systems::style::{
    Features, Goal, KeepColours, Options, Painting, Start, Stylizer, Way, Weights, need, pyramid,
};
use hitofude::tensor::Map;
use hitofude::train::{Lbfgs, Objective};
use hitofude::zoo::{style, vgg};
use std::collections::BTreeMap;
use std::sync::Arc;

#[test]
fn gram_matrices_are_their_sums_at_every_level() {
    let mut rng = Rng::new(3);
    for (shape, halo) in [
        (Shape::new(5, 7, 9), (0, 0)),
        (Shape::new(16, 40, 33), (1, 2)),
        (Shape::new(3, 1, 4), (2, 1)),
        (Shape::new(48, 9, 5), (0, 1)),
    ] {
        let (map, gradient) = (Map::new(shape, halo), Map::new(shape, (halo.1, halo.0)));
        let chw: Vec<f32> = (0..shape.len()).map(|_| rng.normal()).collect();
        let mut x = vec![0.0; map.len()];
        map.fill_from_chw(&chw, &mut x);
        let (c, n) = (shape.c, shape.h * shape.w);
        let sum =
            |a: usize, b: usize| (0..n).map(|i| f64::from(chw[a * n + i]) * f64::from(chw[b * n + i])).sum::<f64>();
        let want: Vec<f32> = (0..c * c).map(|i| (sum(i / c, i % c) / n as f64) as f32).collect();
        let slope: Vec<f32> = (0..c * c).map(|i| ((i / c + 1) * (i % c + 1)) as f32 / 10.0).collect();
        for level in common::levels() {
            let (mut gram, mut now) = (Gram::new(map, gradient), vec![0.0; c * c]);
            gram.forward(level, &x, &mut now);
            assert!(now.iter().zip(&want).all(|(a, b)| (a - b).abs() < 1e-5), "{shape} at {level:?}");
            let (mut dx, mut got) = (vec![0.5; gradient.len()], vec![0.0; shape.len()]);
            gram.backward(level, &x, &slope, Store::Add, &mut dx);
            gradient.copy_to_chw(&dx, &mut got);
            for (i, got) in got.iter().enumerate() {
                let (channel, pixel) = (i / n, i % n);
                let sum: f32 = (0..c).map(|b| slope[channel * c + b] * chw[b * n + pixel]).sum();
                assert!((got - 0.5 - 2.0 / n as f32 * sum).abs() < 1e-4 * c as f32, "{shape} at {level:?}");
            }
        }
    }
}

/// A network small enough for differences: two stages, weights from a seed.
fn small() -> Features {
    let net = description::read(
        r#"{"input":[3,16,16],"layers":[
        {"name":"a","type":"conv","out":8,"kernel":3,"pad":1},{"name":"ra","type":"relu"},
        {"name":"p","type":"max_pool","kernel":2,"stride":2},
        {"name":"b","type":"conv","out":8,"kernel":3,"pad":1},{"name":"rb","type":"relu"}]}"#,
    )
    .unwrap();
    let mut params = net.zeros();
    Init::He.fill(&mut params, 5).unwrap();
    Features::new("small", &net, &params, &BTreeMap::new()).unwrap()
}

fn drawn(name: &str, h: usize, w: usize) -> Rgb {
    family(name).unwrap().draw(1, h, w).unwrap()
}

#[test]
fn gradients_are_the_slopes_of_the_losses() {
    let weights = |content, style, variation| Weights {
        content: vec![("conv2_1".into(), content)],
        style: vec![("conv1_1".into(), style), ("conv2_1".into(), style)],
        variation,
    };
    let mut rng = Rng::new(7);
    for weights in [weights(1.0, 0.0, 0.0), weights(0.0, 1.0, 0.0), weights(0.1, 0.1, 50.0)] {
        let mut goal = Goal::new(&small(), &drawn("torii", 18, 20), &drawn("waves", 24, 16), &weights).unwrap();
        let x: Vec<f32> = (0..3 * 18 * 20).map(|_| rng.uniform()).collect();
        let mut gradient = vec![0.0; x.len()];
        goal.value(&x).unwrap();
        goal.gradient(&mut gradient).unwrap();
        for _ in 0..5 {
            let way: Vec<f32> = x.iter().map(|_| rng.normal()).collect();
            let mut at = |h: f32| goal.value(&x.iter().zip(&way).map(|(x, d)| x + h * d).collect::<Vec<_>>()).unwrap();
            let h = 2e-4;
            let numeric = (at(h) - at(-h)) / f64::from(2.0 * h);
            let slope: f64 = gradient.iter().zip(&way).map(|(g, d)| f64::from(g * d)).sum();
            let size: f64 = gradient.iter().map(|g| f64::from(g * g)).sum::<f64>().sqrt();
            assert!(
                (numeric - slope).abs() < 0.02 * size + 1e-6,
                "{weights:?}: {numeric} and {slope}, gradient {size}"
            );
        }
    }
}

/// Rosenbrock 1960: a bent valley, lowest at (1, 1).
struct Valley([f32; 2]);

impl Objective for Valley {
    fn value(&mut self, x: &[f32]) -> hitofude::Result<f64> {
        self.0 = [x[0], x[1]];
        let (x, y) = (f64::from(x[0]), f64::from(x[1]));
        Ok((1.0 - x).powi(2) + 100.0 * (y - x * x).powi(2))
    }

    fn gradient(&mut self, out: &mut [f32]) -> hitofude::Result<()> {
        let [x, y] = self.0;
        out.copy_from_slice(&[-2.0 * (1.0 - x) - 400.0 * x * (y - x * x), 200.0 * (y - x * x)]);
        Ok(())
    }
}

#[test]
fn lbfgs_finds_the_bottom_of_a_bent_valley() {
    let (mut x, mut lbfgs, mut valley) = ([-1.2, 1.0], Lbfgs::new(0.1), Valley([0.0; 2]));
    let mut before = f64::INFINITY;
    for _ in 0..60 {
        let step = lbfgs.step(&mut x, &mut valley).unwrap();
        assert!(step.value <= step.before && step.before <= before, "{step:?} after {before}");
        assert!(step.settled || step.value < step.before, "{step:?}");
        before = step.value;
    }
    assert!(before < 1e-6, "{before} at {x:?}");
}

fn options(size: (usize, usize)) -> Options {
    Options { size, style_weight: 1000.0, variation: 100.0, ..Options::default() }
}

fn painting(options: Options) -> Painting {
    let features = Arc::new(Features::random(1).unwrap());
    Painting::new(features, drawn("torii", 64, 64), drawn("waves", 64, 64), options).unwrap()
}

#[test]
fn the_loss_falls_with_every_step_of_lbfgs() {
    for start in [Start::Content, Start::Noise, Start::Style] {
        let mut painting = painting(Options { start, ..options((40, 36)) });
        let first = painting.step().unwrap().losses.sum();
        let mut before = first;
        for _ in 0..30 {
            let report = painting.step().unwrap();
            let now = report.losses.sum();
            assert!(now < before || (report.settled && now == before), "{start:?}: {now} after {before}");
            before = now;
        }
        assert!(before < 0.7 * first, "{start:?}: {first} to {before}");
    }
}

#[test]
fn adam_descends_and_stays_within_black_and_white() {
    let mut painting = painting(Options { way: Way::Adam { rate: 0.02 }, ..options((32, 32)) });
    let first = painting.step().unwrap().losses.sum();
    let last = (0..40).map(|_| painting.step().unwrap().losses.sum()).last().unwrap();
    assert!(last < 0.7 * first, "{first} to {last}");
    assert!(painting.picture().pixels.iter().all(|v| (0.0..=1.0).contains(v)));
}

#[test]
fn the_same_seed_gives_the_same_picture() {
    let hash = |seed| {
        let mut painting = painting(Options { start: Start::Noise, seed, ..options((32, 32)) });
        (0..4).for_each(|_| drop(painting.step().unwrap()));
        painting.resize(48, 40).unwrap();
        (0..2).for_each(|_| drop(painting.step().unwrap()));
        painting.hash()
    };
    assert_eq!(hash(1), hash(1));
    assert_ne!(hash(1), hash(2));
}

#[test]
fn weights_change_on_the_way_and_bad_ones_change_nothing() {
    let mut painting = painting(options((32, 32)));
    painting.step().unwrap();
    let hash = painting.hash();
    let own = painting.options().clone();
    let layers = |name: &str, weight| vec![(name.to_string(), weight)];
    for bad in [
        Options { style_layers: layers("conv9_9", 1.0), ..own.clone() },
        Options { style_layers: layers("scale1", -1.0), ..own.clone() },
        Options { style_layers: layers("scale1", 0.0), content_layers: layers("scale1", 0.0), ..own.clone() },
        Options { style_weight: f32::NAN, ..own.clone() },
        Options { variation: -1.0, ..own.clone() },
        Options { style_scale: 9.0, ..own.clone() },
    ] {
        assert!(painting.change(bad.clone()).is_err(), "{bad:?}");
        assert_eq!((painting.hash(), painting.options()), (hash, &own));
    }
    painting.change(Options { style_weight: 5.0, ..own.clone() }).unwrap();
    assert_eq!(painting.hash(), hash, "weights move no pixel");
    painting.change(Options { style_layers: layers("scale2", 1.0), ..own.clone() }).unwrap();
    assert_eq!(painting.gram("scale2").unwrap().0, 32);
    assert!(matches!(painting.gram("scale1"), Err(Error::Missing(_))));
    painting.change(Options { keep_colours: KeepColours::Histogram, ..own }).unwrap();
    painting.step().unwrap();
    assert!(painting.resize(31, 32).is_err() && painting.resize(32, 513).is_err());
}

#[test]
fn memory_is_told_before_and_refused_where_it_would_not_do() {
    let features = Features::random(1).unwrap();
    let [small, large] = [64, 256].map(|side| need(&features, (256, 256), &options((side, side))).unwrap());
    assert!(small < large && large < 200 << 20, "{small} and {large}");
    let net = {
        let mut graph = Graph::new();
        let x = graph.input("input", Shape::new(3, 64, 64)).unwrap();
        let wide = hitofude::nn::Conv::new(1020, 3).pad(1);
        let y = graph.add("wide", wide, &[x]).unwrap();
        graph.finish(y)
    };
    let wide = Features::new("wide", &net, &net.zeros(), &BTreeMap::new()).unwrap();
    let refused = need(&wide, (512, 512), &options((512, 512)));
    assert!(matches!(&refused, Err(Error::Value(d)) if d.what == "memory"), "{refused:?}");
}

#[test]
fn the_contents_colours_are_kept_where_asked() {
    let keep = |keep_colours| painting(Options { keep_colours, ..options((32, 48)) });
    let content = drawn("torii", 64, 64).resized(32, 48);
    let kept = keep(KeepColours::Luminance).picture();
    let far = |a: &Rgb, b: &Rgb| a.pixels.iter().zip(&b.pixels).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(far(&kept, &content) < 0.01, "{}", far(&kept, &content));
    let mut painting = keep(KeepColours::Luminance);
    (0..5).for_each(|_| drop(painting.step().unwrap()));
    let painted = painting.picture();
    assert!(far(&painted, &content) > 0.05);
    // Differences of colours, in which luminance does not show, are the content's: here blue less red.
    let n = 32 * 48;
    let tint = |p: &Rgb, i: usize| {
        let [r, g, b] = [0, 1, 2].map(|k| p.pixels[k * n + i]);
        0.596 * r - 0.274 * g - 0.322 * b
    };
    assert!((0..n).all(|i| (tint(&painted, i) - tint(&content, i)).abs() < 0.01));
}

#[test]
fn every_family_draws_and_draws_the_same_again() {
    for family in FAMILIES {
        let picture = family.draw(1, 20, 33).unwrap();
        assert_eq!(picture.pixels.len(), 3 * 20 * 33);
        assert!(picture.pixels.iter().all(|v| (0.0..=1.0).contains(v)), "{}", family.name);
        assert_eq!(picture, family.draw(1, 20, 33).unwrap(), "{}", family.name);
        assert_ne!(picture, family.draw(2, 20, 33).unwrap(), "{}", family.name);
        let mean = picture.pixels.iter().sum::<f32>() / picture.pixels.len() as f32;
        let spread = picture.pixels.iter().map(|v| (v - mean).abs()).sum::<f32>() / picture.pixels.len() as f32;
        assert!(spread > 0.01, "{} shows something", family.name);
    }
    assert!(family("waves").unwrap().draw(1, 0, 5).is_err() && family("nobody").is_err());
}

#[test]
fn pictures_keep_their_means_when_they_are_resized() {
    let picture = drawn("mosaic", 60, 44);
    let mean = |p: &Rgb| p.pixels.iter().sum::<f32>() / p.pixels.len() as f32;
    for (h, w) in [(30, 22), (17, 90), (120, 88), (1, 1)] {
        assert!((mean(&picture.resized(h, w)) - mean(&picture)).abs() < 0.02, "{h} × {w}");
    }
    assert_eq!(Rgb::from_rgba(60, 44, &picture.rgba()).unwrap().rgba(), picture.rgba());
    let glass = Rgb::from_rgba(1, 1, &[0, 0, 0, 0]).unwrap();
    assert_eq!(glass.pixels, [1.0; 3], "nothing over white");
    assert!(Rgb::from_rgba(2, 2, &[0; 15]).is_err() && Rgb::from_rgba(0, 2, &[]).is_err());
}

/// torchvision's file for a VGG, with weights from a seed; a classifier's tensors stand behind, as small as may be.
fn torchvision(stages: [usize; 5], norm: bool) -> Vec<u8> {
    let mut graph = Graph::new();
    let x = graph.input("input", Shape::new(3, 224, 224)).unwrap();
    let output = vgg::convolutions(&mut graph, x, stages, norm).unwrap();
    let net = graph.finish(output);
    let mut params = net.zeros();
    Init::He.fill(&mut params, 1).unwrap();
    let mut tensors = params.named();
    tensors.push(("classifier.6.bias".into(), ndarray::ArrayD::zeros(vec![1000])));
    safetensors::write(&Tensors { tensors, metadata: BTreeMap::new() }, Precision::F16).unwrap()
}

#[test]
fn a_vgg_that_somebody_has_is_used_with_the_papers_layers() {
    let features = Features::read(&torchvision(vgg::VGG11, false)).unwrap();
    assert_eq!(features.name(), "vgg11");
    let names: Vec<&str> = features.layers().iter().map(|layer| layer.name.as_str()).collect();
    let want = ["conv1_1", "conv2_1", "conv3_1", "conv3_2", "conv4_1", "conv4_2", "conv5_1", "conv5_2"];
    assert_eq!(names, want);
    let layer = |name: &str| features.layer(name).unwrap();
    for name in ["conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"] {
        assert_eq!(layer(name).style, 0.2, "{name}");
    }
    assert_eq!((layer("conv4_2").content, layer("conv3_1").content, layer("conv5_2").style), (1.0, 0.0, 0.0));
    assert_eq!((layer("conv4_2").channels, layer("conv4_2").stride), (512, 8));
    let mut painting =
        Painting::new(Arc::new(features), drawn("torii", 32, 32), drawn("waves", 32, 32), options((32, 32))).unwrap();
    let before = painting.step().unwrap().losses.sum();
    let after = painting.step().unwrap();
    assert!(after.losses.sum() < before && after.losses.layers.len() == 6, "{after:?}");
}

#[test]
fn a_file_that_is_no_feature_network_is_refused() {
    let tensors = vec![("features.0.weight".into(), ndarray::ArrayD::zeros(vec![4, 3, 3, 3]))];
    let stranger = safetensors::write(&Tensors { tensors, metadata: BTreeMap::new() }, Precision::F32).unwrap();
    assert!(matches!(Features::read(&stranger), Err(Error::Missing(_))));
    assert!(matches!(Features::read(b"no such file"), Err(Error::Format(_))));
    let grey = hitofude::zoo::build("lenet5").unwrap();
    assert!(matches!(Features::new("grey", &grey, &grey.zeros(), &BTreeMap::new()), Err(Error::Shape(_))));
    let seen = Features::random(1).unwrap();
    assert!(matches!(seen.layer("conv1_1"), Err(Error::Missing(_))));
}

#[test]
fn a_stylizer_keeps_the_size_and_its_buffers() {
    let mut graph = Graph::new();
    let x = graph.input("input", Shape::new(3, 64, 64)).unwrap();
    let output = style::stylizer(&mut graph, x).unwrap();
    let net = graph.finish(output);
    let mut params = net.zeros();
    Init::He.fill(&mut params, 1).unwrap();
    let plain = Saved { net: net.clone(), params: params.clone(), metadata: BTreeMap::new() };
    let bytes = saved::write(&plain, Precision::F16).unwrap();
    assert!(bytes.len() <= 100_000, "{}", bytes.len());
    let mut stylizer = Stylizer::read(&bytes).unwrap();
    for (h, w) in [(30, 41), (64, 64), (30, 41)] {
        let painted = stylizer.paint(&drawn("torii", h, w)).unwrap();
        assert_eq!((painted.h, painted.w), (h, w));
        assert_eq!(painted, stylizer.paint(&drawn("torii", h, w)).unwrap());
    }
    assert!(stylizer.paint(&Rgb::new(8, 8)).is_err() && stylizer.paint(&Rgb::new(16, 600)).is_err());
    for grain in ["", "much", "-0.1", "1.5", "NaN"] {
        let metadata = BTreeMap::from([("grain".to_string(), grain.to_string())]);
        let bytes =
            saved::write(&Saved { net: net.clone(), params: params.clone(), metadata }, Precision::F16).unwrap();
        assert_eq!(Stylizer::read(&bytes).err().map(|error| error.code()), Some("value"), "{grain}");
    }
}

#[test]
fn sizes_go_from_coarse_to_fine() {
    assert_eq!(pyramid(256, 192), [(128, 96), (256, 192)]);
    assert_eq!(pyramid(512, 512), [(64, 64), (128, 128), (256, 256), (512, 512)]);
    assert_eq!(pyramid(40, 40), [(40, 40)]);
}

#[test]
fn what_ships_is_small_has_its_card_and_paints() {
    use sha2::{Digest, Sha256};
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("pretrained/style");
    let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let mut stylizers = 0;
    for path in files.filter(|path| path.extension().is_some_and(|end| end == "safetensors")) {
        let (bytes, card) =
            (std::fs::read(&path).unwrap(), std::fs::read_to_string(path.with_extension("md")).unwrap());
        let sha: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(card.contains(&sha), "{}: the card's sha256", path.display());
        let name = path.file_stem().unwrap().to_str().unwrap();
        if name == "features" {
            assert!(bytes.len() <= 260_000 && Features::read(&bytes).unwrap().layers().len() == 7);
            continue;
        }
        stylizers += 1;
        assert!(bytes.len() <= 100_000, "{name}: {} bytes", bytes.len());
        let mut stylizer = Stylizer::read(&bytes).unwrap();
        assert_eq!(stylizer.name(), family(name).unwrap().name, "named after the picture whose hand it has");
        let content = drawn("still_life", 96, 96);
        let painted = stylizer.paint(&content).unwrap();
        let far = |a: &Rgb, b: &Rgb| a.pixels.iter().zip(&b.pixels).map(|(a, b)| (a - b).abs()).sum::<f32>() / 27_648.0;
        assert!(painted.pixels.iter().all(|v| (0.0..=1.0).contains(v)) && far(&painted, &content) > 0.05, "{name}");
    }
    assert!(stylizers >= 3, "{stylizers} stylizers");
}
