//! Digit scenes: the truth fits what is drawn, seeds repeat, and COCO's files go out and come in.

use hitofude::Error;
use hitofude::data::pictures::Rgb;
use hitofude::data::scenes::coco::{Dataset, Runs, runs};
use hitofude::data::scenes::graph::{Graph, Predicate};
use hitofude::data::scenes::{Digits, Object, Part, Scene, Setup, Written};

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

fn scenes(count: u64) -> Vec<Scene> {
    let (setup, digits) = (Setup::full(), Digits::made());
    (0..count).map(|i| Scene::draw(&setup, &digits, Part::Validation.seed(i)).unwrap()).collect()
}

/// The part of the smaller box that two boxes share, as five lines have it.
fn shared(a: [f32; 4], b: [f32; 4]) -> f32 {
    let w = (a[2].min(b[2]) - a[0].max(b[0])).max(0.0);
    let h = (a[3].min(b[3]) - a[1].max(b[1])).max(0.0);
    let area = |b: [f32; 4]| (b[2] - b[0]) * (b[3] - b[1]);
    w * h / area(a).min(area(b))
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn boxes_lie_around_the_ink_and_keep_the_setups_bounds() {
    let (mut digits, mut counts) = ([0; 10], [0; 9]);
    for scene in scenes(60) {
        assert!(scene.picture.pixels.iter().all(|v| (0.0..=1.0).contains(v)));
        counts[scene.objects.len()] += 1;
        for (i, object) in scene.objects.iter().enumerate() {
            digits[usize::from(object.digit)] += 1;
            let [x0, y0, x1, y1] = object.bbox;
            assert!(0.0 <= x0 && x0 < x1 && x1 <= 128.0 && 0.0 <= y0 && y0 < y1 && y1 <= 128.0);
            assert!((12.0..=60.0).contains(&(y1 - y0)), "{} pixels high", y1 - y0);
            assert!(scene.objects[..i].iter().all(|other| shared(object.bbox, other.bbox) <= 0.3 + 1e-6));
            let [x, y, w, h] = object.frame();
            assert_eq!(object.coverage.len(), w * h);
            // Ink touches all four sides of its box.
            let inked: Vec<(usize, usize)> = object.pixels().collect();
            assert!(!inked.is_empty());
            let faint = |k: usize| object.coverage[k] > 0;
            assert!((0..w).any(faint) && (0..w).any(|k| faint((h - 1) * w + k)));
            assert!((0..h).any(|k| faint(k * w)) && (0..h).any(|k| faint(k * w + w - 1)));
            assert!(inked.iter().all(|(px, py)| (x..x + w).contains(px) && (y..y + h).contains(py)));
        }
    }
    assert!(digits.iter().all(|n| *n > 5) && counts.iter().all(|n| *n > 0), "{digits:?} {counts:?}");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn seeds_repeat_differ_and_stay_apart() {
    let (setup, digits) = (Setup::full(), Digits::made());
    let draw = |seed: u64| Scene::draw(&setup, &digits, seed).unwrap();
    assert_eq!(draw(7), draw(7));
    assert_ne!(draw(7).picture, draw(8).picture);
    let parts = [Part::Train, Part::Validation, Part::Test];
    for (k, part) in parts.iter().enumerate() {
        assert!(part.seeds().contains(&part.seed(u64::MAX)));
        for other in &parts[k + 1..] {
            assert!(part.seeds().end <= other.seeds().start);
        }
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn labels_and_graphs_say_what_lies_where() {
    for scene in scenes(20) {
        let labels = scene.labels();
        let seen = |object: &Object| object.pixels().any(|(x, y)| labels[y * 128 + x] == object.digit + 1);
        // The topmost digit is seen whole.
        if let Some(top) = scene.objects.last() {
            assert!(top.pixels().all(|(x, y)| labels[y * 128 + x] == top.digit + 1));
        }
        assert!(scene.objects.iter().all(seen), "no digit hides another");
        let graph = Graph::of(&scene);
        assert_eq!(graph.nodes.len(), scene.objects.len());
        for relation in &graph.relations {
            let [a, b] = [relation.subject, relation.object].map(|i| scene.objects[i].bbox);
            let holds = match relation.predicate {
                Predicate::LeftOf => a[0] + a[2] < b[0] + b[2],
                Predicate::RightOf => a[0] + a[2] > b[0] + b[2],
                Predicate::Above => a[1] + a[3] < b[1] + b[3],
                Predicate::Below => a[1] + a[3] > b[1] + b[3],
                Predicate::Over => shared(a, b) > 0.0 && relation.subject > relation.object,
                Predicate::LargerThan => a[3] - a[1] > b[3] - b[1],
            };
            assert!(holds, "{relation:?}");
        }
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn settings_that_make_no_scene_are_refused_by_name() {
    for (json, word) in [
        (r#"{"side":8}"#, "side"),
        (r#"{"count":[5,3]}"#, "count"),
        (r#"{"count":[0,1000]}"#, "count"),
        (r#"{"heights":[1,20]}"#, "heights"),
        (r#"{"overlap":1.5}"#, "overlap"),
        (r#"{"rotate":-3}"#, "rotate"),
        (r#"{"papers":[]}"#, "papers"),
        (r#"{"colour":1}"#, "colour"),
        ("[", "settings"),
    ] {
        let error = Setup::from_json(json).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
    let crowded = Setup { count: [64, 64], heights: [50.0, 56.0], overlap: 0.0, ..Setup::full() };
    let scene = Scene::draw(&crowded, &Digits::made(), 1).unwrap();
    assert!(scene.objects.len() < 64, "what finds no room is left out");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn coco_files_come_back_and_others_are_refused() {
    let all = scenes(6);
    let names: Vec<String> = (0..6).map(|i| format!("{i}.png")).collect();
    let set = Dataset::of(&all, &names);
    let text = set.write().unwrap();
    assert_eq!(Dataset::read(text.as_bytes()).unwrap(), set);
    let mut annotations = set.annotations.iter();
    for object in all.iter().flat_map(|scene| &scene.objects) {
        let annotation = annotations.next().unwrap();
        assert_eq!((annotation.corners(), annotation.category_id), (object.bbox, u64::from(object.digit) + 1));
        let mask = annotation.segmentation.as_ref().unwrap().mask().unwrap();
        assert_eq!(mask.iter().filter(|inked| **inked).count(), object.pixels().count());
    }
    // The run-length code of COCO goes down the columns and begins with what is outside.
    let mask = [true, false, true, true, false, false];
    assert_eq!(runs(&mask, 3), Runs { size: [2, 3], counts: vec![0, 2, 2, 1, 1] });
    assert_eq!(runs(&mask, 3).mask().unwrap(), mask);
    assert!(Runs { size: [2, 3], counts: vec![7] }.mask().is_err());
    assert!(Runs { size: [usize::MAX, 3], counts: vec![7] }.mask().is_err());
    let file = |annotation: &str| {
        format!(
            r#"{{"images":[{{"id":1,"file_name":"a.png","width":10,"height":8}}],"categories":[{{"id":1,"name":"cat"}}],
            "annotations":[{annotation}]}}"#
        )
    };
    let note = |image: u64, category: u64, bbox: &str| {
        file(&format!(r#"{{"id":1,"image_id":{image},"category_id":{category},"bbox":{bbox}}}"#))
    };
    assert!(Dataset::read(note(1, 1, "[1,1,4,4]").as_bytes()).is_ok());
    for (text, word) in [
        (note(2, 1, "[1,1,4,4]"), "image"),
        (note(1, 2, "[1,1,4,4]"), "category"),
        (note(1, 1, "[1,1,40,4]"), "inside 10 × 8"),
        (note(1, 1, "[1,1,-4,4]"), "inside 10 × 8"),
        (note(1, 1, "[1,1,4]"), "COCO"),
        ("{".into(), "COCO"),
        (String::new(), "COCO"),
    ] {
        let error = Dataset::read(text.as_bytes()).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
        assert!(!matches!(error, Error::Io(_)));
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn strokes_of_any_unit_lie_in_the_middle_of_a_sheet() {
    // A one and, far to the right, a bar that is not as high: in metres, and in thousands of pixels.
    let drawn = |unit: f32| {
        let stroke = |points: [[f32; 2]; 2]| points.map(|p| p.map(|v| v * unit)).to_vec();
        Written::new(&[stroke([[1.0, 2.0], [1.0, 4.0]]), stroke([[2.0, 3.0], [4.0, 3.0]])]).unwrap()
    };
    let (small, large) = (drawn(0.01), drawn(1000.0));
    assert_eq!((small.picture.h, small.picture.w), (128, 128));
    for (a, b) in small.picture.pixels.iter().zip(&large.picture.pixels) {
        assert!((a - b).abs() < 1e-3);
    }
    // The one is 36 pixels high, the middle of all is the sheet's.
    assert!((small.scale * 0.02 - 36.0).abs() < 1e-3, "{}", small.scale);
    for (middle, origin) in [0.025, 0.03].into_iter().zip(small.origin) {
        assert!(((middle - origin) * small.scale - 64.0).abs() < 1e-2, "{:?}", small.origin);
    }
    let at = |x: usize, y: usize| small.picture.pixels[128 * y + x];
    assert!(at(37, 64) < 0.01 && at(64, 64) < 0.01 && at(64, 50) > 0.99, "ink is dark where the strokes are");
    // A long row has a longer sheet, up to what can be looked at.
    let row = |n: usize| {
        let row: Vec<Vec<[f32; 2]>> = (0..n).map(|i| vec![[i as f32, 0.0], [i as f32, 1.0]]).collect();
        let written = Written::new(&row).unwrap();
        (written.picture.w, written.picture.h, written.scale)
    };
    assert_eq!(row(20), (700, 128, 36.0));
    assert_eq!(row(200), (1024, 128, 1008.0 / 199.0));
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn strokes_that_are_none_or_nowhere_have_an_answer() {
    let white = |strokes: &[Vec<[f32; 2]>]| Written::new(strokes).unwrap().picture.pixels.iter().all(|v| *v == 1.0);
    assert!(white(&[]) && white(&[vec![]]));
    for dot in [0.0, -7.5, 1e30] {
        let written = Written::new(&[vec![[dot, dot]]]).unwrap();
        assert!(written.picture.pixels[128 * 64 + 64] < 0.7 && written.scale == 1.0, "{dot}");
    }
    for strokes in [
        vec![[f32::NAN, 0.0]],
        vec![[0.0, f32::INFINITY]],
        vec![[f32::MIN, 0.0], [f32::MAX, 0.0]],
        vec![[0.0; 2]; 100_001],
    ] {
        assert!(matches!(Written::new(&[strokes]), Err(Error::Value(_))));
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn ink_without_paper_is_laid_on_paper_where_it_is_seen() {
    // One pixel of ink beside a transparent one, and one that covers its half.
    let laid = |ink: u8| Rgb::on_paper(1, 3, &[ink, ink, ink, 255, 0, 0, 0, 0, ink, ink, ink, 128]).unwrap();
    let (dark, light) = (laid(20), laid(240));
    let near =
        |picture: &Rgb, ink: f32, paper: f32| (picture.pixels[0] - ink).abs() < 1e-6 && picture.pixels[1] == paper;
    assert!(near(&dark, 20.0 / 255.0, 1.0) && near(&light, 240.0 / 255.0, 0.0));
    assert!(dark.pixels[2] > 0.5 && light.pixels[2] < 0.5, "a half is between");
    // Nothing at all is white, what covers everything stays, and bytes that do not fit are refused.
    assert!(Rgb::on_paper(1, 2, &[0; 8]).unwrap().pixels.iter().all(|v| *v == 1.0));
    let opaque = [9, 250, 250, 255];
    assert_eq!(Rgb::on_paper(1, 1, &opaque).unwrap(), Rgb::from_rgba(1, 1, &opaque).unwrap());
    assert!(matches!(Rgb::on_paper(1, 2, &[0; 7]), Err(Error::Shape(_))));
}
