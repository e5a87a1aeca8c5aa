//! Detection: selective search against OpenCV's recall, anchors and targets at their edges, training in two stages, pictures that
//! are none, and what ships.
#![cfg(all(not(target_arch = "wasm32"), feature = "cli"))]

#[path = "common/mod.rs"]
mod common;

use hitofude::Error;
use hitofude::data::pictures::Rgb;
use hitofude::data::scenes::{Digits, Part, Scene, Setup, Written};
use hitofude::data::strokes::Stroke;
use hitofude::data::synth;
use hitofude::file::safetensors::{self, Precision};
use hitofude::kernel::roi::{Region, iou};
use hitofude::nn::layers::affine::Affine;
use hitofude::nn::layers::flatten::Flatten;
use hitofude::nn::layers::roi_align::RoiAlign;
use hitofude::nn::losses::SquaredError;
use hitofude::nn::{Conv, Feed, Graph, Init, Mode, Network, Port, Rows, Run, Want, Wire};
use hitofude::rng::Rng;
use hitofude::shape::Shape;
use hitofude::systems::detect::boxes::{self, ANCHOR_UNITS, HEIGHTS};
use hitofude::systems::detect::search::{Search, Segments, segments};
use hitofude::systems::detect::targets::{self, AnchorTargets, Thing};
use hitofude::systems::detect::{
    Ask, Detection, FasterRcnn, Plan, Rcnn, Training, by_windows, rcnn_training, score, window_of,
};
use hitofude::systems::saved::{self, Saved};
use serde_json::Value;

fn vectors() -> Option<Value> {
    let path = common::shared("vectors/selective_search.json")?;
    Some(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
}

/// The picture of the vectors: rectangles, blue first in the file; with noise or without.
fn rectangles(file: &Value, noisy: bool) -> (Rgb, Vec<Region>) {
    let (w, h) = (256, 192);
    let flat = &file["picture_flat"];
    let number = |v: &Value| v.as_f64().unwrap() as f32;
    let mut bgr = vec![[0.0_f32; 3]; w * h];
    bgr.fill(std::array::from_fn(|k| number(&flat["background_bgr"][k])));
    let mut all = Vec::new();
    for rect in flat["filled_rects_x0y0x1y1_inclusive_bgr"].as_array().unwrap() {
        let [x0, y0, x1, y1, b, g, r]: [f32; 7] = std::array::from_fn(|k| number(&rect[k]));
        for y in y0 as usize..=y1 as usize {
            bgr[y * w + x0 as usize..=y * w + x1 as usize].fill([b, g, r]);
        }
        all.push([x0, y0, x1 + 1.0, y1 + 1.0]);
    }
    let mut picture = Rgb::new(h, w);
    for (i, colour) in bgr.iter().enumerate() {
        let (x, y) = ((i % w) as u64, (i / w) as u64);
        let noise = ((x * 73_856_093) ^ (y * 19_349_663)) % 32;
        let noise = if noisy { noise as f32 - 16.0 } else { 0.0 };
        (0..3).for_each(|k| picture.pixels[k * w * h + i] = (colour[2 - k] + noise).clamp(0.0, 255.0) / 255.0);
    }
    (picture, all)
}

#[test]
fn selective_search_finds_what_opencv_finds() {
    let Some(file) = vectors() else { return };
    for run in file["runs"].as_array().unwrap() {
        let search = match run["mode"].as_str().unwrap() {
            "single" => Search::single(),
            "fast" => Search::fast(),
            _ => continue,
        };
        let (picture, rects) = rectangles(&file, run["picture"] == "noisy");
        let found = search.regions(&picture, 1).unwrap();
        let theirs = run["boxes"].as_f64().unwrap();
        assert!((0.5..2.0).contains(&(found.len() as f64 / theirs)), "{} boxes, {theirs} there", found.len());
        assert!(found.contains(&[0.0, 0.0, 256.0, 192.0]));
        for (rect, best) in rects.iter().zip(run["best_iou_with_each_rect"].as_array().unwrap()) {
            let own = found.iter().map(|region| iou(*region, *rect)).fold(0.0, f32::max);
            let best = best.as_f64().unwrap() as f32;
            assert!(own > best - 0.05, "{run:.60}: {rect:?} {own}, {best} there");
        }
        assert_eq!(found, search.regions(&picture, 1).unwrap(), "the same seed, the same order");
    }
}

/// Whether two labellings cut a picture into the same pieces.
fn same_pieces(a: &[usize], b: &[usize]) -> bool {
    let map = |from: &[usize], to: &[usize]| {
        let mut seen = std::collections::BTreeMap::new();
        from.iter().zip(to).all(|(x, y)| seen.entry(*x).or_insert(*y) == y)
    };
    map(a, b) && map(b, a)
}

#[test]
fn pieces_are_those_of_opencv() {
    let Some(file) = vectors() else { return };
    let small = &file["graph_small"];
    let mut picture = Rgb::new(10, 14);
    for (i, pixel) in (0..140).map(|i| (i, &small["image_h10_w14_bgr"][i / 14][i % 14])) {
        (0..3).for_each(|k| picture.pixels[k * 140 + i] = pixel[k].as_f64().unwrap() as f32);
    }
    for case in small["labels"].as_array().unwrap() {
        let number = |key: &str| case[key].as_f64().unwrap() as f32;
        let theirs: Vec<usize> = (0..140).map(|i| case["labels"][i / 14][i % 14].as_u64().unwrap() as usize).collect();
        let Segments { of, .. } = segments(&picture, number("k"), number("min_size") as usize, number("sigma"));
        assert!(same_pieces(&of, &theirs), "sigma {}: {of:?}", case["sigma"]);
    }
}

/// The map of a convolution, and a loss on what RoIAlign cuts out of it.
fn aligned() -> Network {
    let mut g = Graph::new();
    let x = g.input("image", Shape::new(1, 8, 8)).unwrap();
    let map = g.add("map", Conv::new(3, 3).pad(1), &[x]).unwrap();
    let rows = g.rows(3).unwrap();
    let boxes = g.port("boxes", Shape::new(5, 1, 1), Port::Boxes, rows).unwrap();
    let cut = g.add("roi", RoiAlign { out: 3, stride: 2 }, &[map, boxes]).unwrap();
    let flat = g.add("flatten", Flatten, &[cut]).unwrap();
    let y = g.add("y", Affine::new(2), &[flat]).unwrap();
    let to = g.port("to", Shape::new(2, 1, 1), Port::Image, rows).unwrap();
    g.loss("loss", SquaredError, &[y, to], 0.5).unwrap();
    g.finish(y)
}

#[test]
fn a_gradient_goes_back_through_regions() {
    let net = aligned();
    let mut params = net.zeros();
    Init::He.fill(&mut params, 1).unwrap();
    let mut rng = Rng::new(2);
    let image: Vec<f32> = (0..2 * 64).map(|_| rng.normal()).collect();
    let boxes = [0.0, 1.0, 2.0, 9.5, 12.0, 1.0, -3.0, 4.0, 30.0, 9.0, 1.0, 5.0, 5.0, 5.0, 5.0];
    let feeds = [Feed::new("image", &image), Feed::new("boxes", &boxes), Feed::new("to", &[0.3; 6])];
    let mut run = Run::new(&net, 2, &Want::training());
    let mut gradient = vec![0.0; net.arena_len()];
    run.forward_feeds(&params, &feeds, Mode::Train { seed: 1 }).unwrap();
    run.backward_losses(&params, &mut gradient, 1.0);
    for (i, g) in gradient.iter().enumerate() {
        let mut at = |step: f32| {
            params.values_mut()[i] += step;
            run.forward_feeds(&params, &feeds, Mode::Train { seed: 1 }).unwrap();
            run.total_loss()
        };
        let slope = (at(1e-2) - at(-2e-2)) / 2e-2;
        at(1e-2);
        assert!((f64::from(*g) - slope).abs() < 2e-3 * (1.0 + slope.abs()), "parameter {i}: {g}, {slope}");
    }
}

#[test]
fn a_run_in_stages_is_the_run_at_once_and_refuses_what_does_not_fit() {
    let net = aligned();
    let mut params = net.zeros();
    Init::He.fill(&mut params, 1).unwrap();
    let (image, boxes, to) = ([0.5; 64], [0.0, 1.0, 2.0, 9.5, 12.0], [0.3, 0.1]);
    let feeds = [Feed::new("image", &image), Feed::new("boxes", &boxes), Feed::new("to", &to)];
    let mut run = Run::new(&net, 1, &Want::training());
    run.forward_feeds(&params, &feeds, Mode::Infer).unwrap();
    let at_once = (run.output().to_vec(), run.total_loss());
    let empty = [Feed::new("image", &image), Feed::new("boxes", &[]), Feed::new("to", &[])];
    run.load_feeds(&params, &empty, Mode::Infer).unwrap();
    let until = net.wire("boxes").unwrap();
    run.forward_before(&params, until);
    assert!(matches!(run.feed(&[Feed::new("image", &image)]), Err(Error::Missing(_))), "images come first");
    assert!(matches!(run.feed(&[Feed::new("boxes", &boxes)]), Err(Error::Missing(_))), "the group changes together");
    assert!(run.feed(&[Feed::new("boxes", &boxes[..4]), Feed::new("to", &to)]).is_err());
    let elsewhere = [1.0, 1.0, 2.0, 9.5, 12.0];
    assert!(matches!(run.feed(&[Feed::new("boxes", &elsewhere), Feed::new("to", &to)]), Err(Error::Value(_))));
    assert!(run.feed(&[Feed::new("boxes", &[boxes; 4].concat()), Feed::new("to", &[to; 4].concat())]).is_err());
    run.feed(&feeds[1..]).unwrap();
    run.forward_from(&params, until);
    assert_eq!((run.output().to_vec(), run.total_loss()), at_once);
    assert_eq!(until, net.inputs().nth(1).unwrap());
    assert_ne!(until, Wire::FIRST);
    assert_eq!(net.node(Wire::FIRST).rows, Rows::IMAGES);
}

#[test]
fn a_box_comes_back_from_its_shift() {
    let (from, to) = ([10.0, 20.0, 24.0, 44.0], [8.5, 30.0, 31.0, 70.0]);
    let back = boxes::shifted(from, boxes::shift(from, to, ANCHOR_UNITS), ANCHOR_UNITS);
    assert!(back.iter().zip(to).all(|(a, b)| (a - b).abs() < 1e-3), "{back:?}");
    // A box without an area, and a shift beyond measure: numbers all the same.
    let flat = boxes::shift([5.0, 5.0, 5.0, 5.0], to, ANCHOR_UNITS);
    assert!(flat.iter().all(|v| v.is_finite()));
    assert!(boxes::shifted(from, [1e4, -1e4, 1e30, 1e30], ANCHOR_UNITS).iter().all(|v| v.is_finite()));
}

#[test]
fn anchors_hold_things_of_every_size_and_nothing_where_there_is_nothing() {
    let map = Shape::new(HEIGHTS.len(), 32, 32);
    let none = AnchorTargets::new(&mut Rng::new(1), map, &[]);
    assert!(none.holds.iter().all(|v| *v == 0.0) && none.shifts_count.iter().all(|v| *v == 0.0));
    assert!((none.counts.iter().sum::<f32>() - 1.0).abs() < 1e-4, "what is empty counts");
    let small = Thing { region: [50.0, 50.0, 54.0, 56.0], class: 3 };
    let wide = Thing { region: [0.0, 0.0, 128.0, 128.0], class: 4 };
    for thing in [small, wide] {
        let targets = AnchorTargets::new(&mut Rng::new(1), map, &[thing]);
        assert!(targets.holds.iter().sum::<f32>() >= 1.0, "the nearest anchor holds it: {thing:?}");
        let moved = targets.shifts_count.iter().filter(|v| **v > 0.0).count();
        assert_eq!(moved as f32, 4.0 * targets.holds.iter().sum::<f32>());
    }
    let beyond = Thing { region: [500.0, 500.0, 520.0, 520.0], class: 1 };
    assert_eq!(AnchorTargets::new(&mut Rng::new(1), map, &[beyond]), none, "what lies beyond is nothing");
}

#[test]
fn regions_to_learn_from_are_as_many_as_there_are() {
    let thing = Thing { region: [10.0, 10.0, 30.0, 40.0], class: 7 };
    let proposals = [[11.0, 11.0, 30.0, 40.0], [60.0, 60.0, 80.0, 90.0], [5.0, 5.0, 5.0, 5.0]];
    let chosen = targets::regions(&mut Rng::new(1), &proposals, &[thing], 48);
    assert_eq!(chosen.len(), 4, "three proposals and the thing itself");
    assert_eq!(chosen.iter().filter(|target| target.class == 7).count(), 2);
    assert_eq!(targets::regions(&mut Rng::new(1), &proposals, &[thing], 2).len(), 2);
    assert!(targets::regions(&mut Rng::new(1), &[], &[], 48).is_empty());
}

fn small_plan(steps: u64) -> Plan {
    Plan { batch: 2, ..Plan::new(steps, 3) }
}

#[test]
fn a_training_goes_on_from_its_checkpoint_to_the_same_weights() {
    let begin = || Training::new(small_plan(3), Setup::full(), Digits::made()).unwrap();
    let mut whole = begin();
    (0..2).for_each(|_| assert!(whole.step().unwrap().loss.is_finite()));
    let bytes = safetensors::write(&whole.checkpoint(), Precision::F32).unwrap();
    let last = whole.step().unwrap();
    assert!(whole.finished() && last.loss.is_finite());
    let mut resumed = begin();
    resumed.resume(&safetensors::read(&bytes).unwrap()).unwrap();
    assert_eq!(resumed.step().unwrap().loss, last.loss);
    assert_eq!(resumed.trained().unwrap().1.values(), whole.trained().unwrap().1.values());
    let mut other = Training::new(small_plan(4), Setup::full(), Digits::made()).unwrap();
    assert!(other.resume(&safetensors::read(&bytes).unwrap()).is_err(), "another plan");
    assert!(Training::new(small_plan(0), Setup::full(), Digits::made()).is_err());
    let large = Setup { side: 256, ..Setup::full() };
    assert!(Training::new(small_plan(1), large, Digits::made()).is_err());
}

#[test]
fn the_network_of_r_cnn_learns_regions() {
    let mut training = rcnn_training::Training::new(small_plan(12), Setup::sheet(), Digits::made()).unwrap();
    let mut kept = None;
    let losses: Vec<f64> = (0..12)
        .map(|k| {
            if k == 11 {
                kept = Some(training.checkpoint());
            }
            training.step().map(|p| p.loss / p.images as f64).unwrap()
        })
        .collect();
    let mut resumed = rcnn_training::Training::new(small_plan(12), Setup::sheet(), Digits::made()).unwrap();
    resumed.resume(&kept.unwrap()).unwrap();
    resumed.step().unwrap();
    assert_eq!(resumed.trained().unwrap().1.values(), training.trained().unwrap().1.values());
    assert!(losses[8..].iter().sum::<f64>() < losses[..4].iter().sum::<f64>(), "{losses:?}");
    let (net, params, metadata) = training.trained().unwrap();
    assert_eq!(metadata["name"], "rcnn");
    assert!(FasterRcnn::new(&net, &params).is_err(), "another detector's network");
    let mut detector = Rcnn::new(&net, &params).unwrap();
    let scene = Scene::draw(&Setup::sheet(), &Digits::made(), Part::Validation.seed(0)).unwrap();
    let looked = detector.look(&scene.picture).unwrap();
    assert_eq!(looked.proposals.len(), looked.refined.len());
    assert!(looked.probabilities.iter().all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-4));
}

fn shipped(name: &str) -> Saved {
    let path = format!("{}/pretrained/detect/{name}.safetensors", env!("CARGO_MANIFEST_DIR"));
    saved::read(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn pictures_that_hold_nothing_or_are_none_have_an_answer() {
    let Saved { net, params, .. } = shipped("faster_rcnn");
    assert!(net.parameters() <= 200_000, "{}", net.parameters());
    let mut detector = FasterRcnn::new(&net, &params).unwrap();
    let mut all = |picture: &Rgb| detector.detect(picture, &Ask::SHOW);
    assert!(matches!(all(&Rgb::new(0, 0)), Err(Error::Shape(_))));
    assert!(matches!(all(&Rgb { h: 2, w: 2, pixels: vec![f32::NAN; 12] }), Err(Error::Value(_))));
    for (h, w) in [(1, 1), (128, 128), (3, 2000), (2000, 3), (1500, 1500)] {
        let white = Rgb { h, w, pixels: vec![1.0; 3 * h * w] };
        assert_eq!(all(&white).unwrap(), vec![], "{h} × {w}");
    }
}

#[test]
fn what_ships_finds_digits() {
    // The first of the 500 scenes that the cards are about: enough to see a wrong file, too few for a figure.
    let scenes = score::scenes(&Setup::full(), &Digits::made(), Part::Test, 40).unwrap();
    let Saved { net, params, .. } = shipped("faster_rcnn");
    let mut faster = FasterRcnn::new(&net, &params).unwrap();
    let figures = score::judge(&scenes, |picture| faster.detect(picture, &Ask::JUDGE)).unwrap();
    assert!(figures.map50 > FLOORS[0], "{}", figures.map50);
    let Saved { net, params, .. } = shipped("rcnn");
    let mut slow = Rcnn::new(&net, &params).unwrap();
    let figures = score::judge(&scenes[..20], |picture| slow.detect(picture, &Ask::JUDGE)).unwrap();
    assert!(figures.map50 > FLOORS[1], "{}", figures.map50);
}

/// What the shipped detectors must reach on few scenes.
const FLOORS: [f64; 2] = [0.9, 0.5];

#[test]
fn digits_come_back_in_the_pixels_of_a_larger_picture() {
    let Saved { net, params, .. } = shipped("faster_rcnn");
    let mut detector = FasterRcnn::new(&net, &params).unwrap();
    let scene = Scene::draw(&Setup::sheet(), &Digits::made(), Part::Test.seed(1)).unwrap();
    let own = detector.detect(&scene.picture, &Ask::SHOW).unwrap();
    let large = detector.detect(&scene.picture.resized(384, 384), &Ask::SHOW).unwrap();
    assert!(!own.is_empty());
    for found in &own {
        let thrice = found.region.map(|v| 3.0 * v);
        assert!(large.iter().any(|l| l.digit == found.digit && iou(l.region, thrice) > 0.8), "{found:?}, {large:?}");
    }
}

#[test]
fn digits_written_beside_one_another_are_read_as_they_stand() {
    let Saved { net, params, .. } = shipped("faster_rcnn");
    let mut detector = FasterRcnn::new(&net, &params).unwrap();
    // Two find room on one sheet; nine need a longer one, and are looked at in windows.
    for (n, least) in [(2, 17), (9, 13)] {
        let mut right = 0;
        for seed in 0..20 {
            let mut rng = Rng::new(seed);
            let digits: Vec<u8> = (0..n).map(|_| rng.below(10) as u8).collect();
            let strokes: Vec<Stroke> = (0..n)
                .flat_map(|i| synth::written(&mut rng, digits[i]).into_iter().map(move |stroke| (i, stroke)))
                .map(|(i, stroke)| stroke.into_iter().map(|[x, y]| [x + 26.0 * i as f32, y]).collect())
                .collect();
            let written = Written::new(&strokes).unwrap();
            assert_eq!(written.picture.w > 128, n == 9);
            let mut found =
                by_windows(&written.picture, 128, &Ask::SHOW, |part| detector.detect(part, &Ask::SHOW)).unwrap();
            found.sort_by(|a, b| a.region[0].total_cmp(&b.region[0]));
            // In the strokes' unit each lies in its own box of 26.
            let place = |v: f32| ((v / written.scale + written.origin[0] + 3.0) / 26.0).floor() as usize;
            let read: Vec<(u8, usize)> =
                found.iter().map(|f| (f.digit, place(0.5 * (f.region[0] + f.region[2])))).collect();
            right += usize::from(read == digits.iter().copied().zip(0..n).collect::<Vec<_>>());
        }
        assert!(right >= least, "{right} of 20 numbers of {n} digits");
    }
}

#[test]
fn what_lies_in_several_windows_is_found_once_wherever_it_is() {
    // A detector that finds every dark pixel, in a box around it.
    let mut windows = 0;
    let mut found = |picture: &Rgb| {
        by_windows(picture, 64, &Ask::SHOW, |part| {
            windows += 1;
            assert!(part.w == 64 && part.h == 40);
            let dark = (0..part.w * part.h).filter(|i| part.pixels[*i] < 0.5);
            Ok(dark
                .map(|i| [(i % part.w) as f32, (i / part.w) as f32])
                .map(|[x, y]| Detection { digit: 3, score: 0.9, region: [x - 4.0, y - 4.0, x + 5.0, y + 5.0] })
                .collect())
        })
        .unwrap()
    };
    for x in (5..195).chain([0, 199]) {
        let mut picture = Rgb { h: 40, w: 200, pixels: vec![1.0; 3 * 8000] };
        picture.pixels[200 * 20 + x] = 0.0;
        let [one] = found(&picture)[..] else { panic!("not once at {x}") };
        let x = x as f32;
        assert_eq!(one.region, [(x - 4.0).max(0.0), 16.0, (x + 5.0).min(200.0), 25.0]);
    }
    assert_eq!(windows, 192 * 6);
    assert!(matches!(by_windows(&Rgb::new(40, 200), 1, &Ask::SHOW, |_| Ok(vec![])), Err(Error::Value(_))));
    // A picture is looked at as a whole unless it is a strip; the thinnest strip has few windows.
    let side = |h, w| window_of(&Rgb::new(h, w));
    assert_eq!([side(100, 100), side(250, 100), side(100, 800), side(1, 4096)], [100, 250, 200, 256]);
}
