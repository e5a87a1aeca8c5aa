//! Regions, suppression and average precision: held against torchvision, ONNX Runtime and pycocotools, whose figures
//! `../shared/vectors` keeps, and the gradients against differences.
#![cfg(not(target_arch = "wasm32"))]

#[path = "common/mod.rs"]
mod common;

use common::levels;
use hitofude::kernel::roi::{Align, Region, align, align_backward, pool, pool_backward, suppress};
use hitofude::rng::Rng;
use hitofude::shape::Shape;
use hitofude::tensor::Map;
use hitofude::train::detection::{Found, Truth, coco, voc};
use serde_json::Value;

fn cases(name: &str) -> Vec<Value> {
    let Some(path) = common::shared(&format!("vectors/{name}")) else { return Vec::new() };
    let mut file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    serde_json::from_value(file["cases"].take()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()
}

fn region(value: &Value) -> Region {
    let all = numbers(value);
    std::array::from_fn(|k| all[k] as f32)
}

#[test]
fn regions_are_sampled_as_torchvision_does() {
    let map = Map::new(Shape::new(1, 6, 6), (1, 2));
    let values: Vec<f32> = (0..36).map(|i| (i * i) as f32 / 10.0).collect();
    let mut x = vec![1e30; map.len()];
    map.fill_from_chw(&values, &mut x);
    for case in cases("roi_align.json") {
        let out = numbers(&case["output_hw"]);
        let out = (out[0] as usize, out[1] as usize);
        for aligned in [true, false] {
            let how = Align {
                out,
                scale: case["spatial_scale"].as_f64().unwrap() as f32,
                samples: case["sampling_ratio"].as_i64().unwrap().max(0) as usize,
                aligned,
            };
            let expected = numbers(&case[if aligned { "aligned_true" } else { "aligned_false" }]);
            for level in levels() {
                let mut y = vec![1e30; out.0 * out.1];
                align(level, &how, (&x, &map), &[region(&case["roi_x1y1x2y2"])], &mut y);
                let near = y.iter().zip(&expected).all(|(y, e)| (f64::from(*y) - e).abs() <= 1e-4 * e.abs().max(1.0));
                assert!(y.len() == expected.len() && near, "{how:?}: {y:?}, {expected:?}");
            }
        }
    }
}

/// `Σ dy · y` moves with every number of `x` as the gradient says; exact for a linear kernel, and for maxima that stay.
#[test]
fn the_gradients_of_regions_are_their_differences() {
    let mut rng = Rng::new(3);
    let (from, to) = (Map::new(Shape::new(5, 7, 6), (1, 1)), Map::new(Shape::new(5, 7, 6), (2, 0)));
    let how = Align::square(3, 0.5);
    let regions = [[1.0, 2.0, 9.0, 11.0], [-4.0, -4.0, 3.0, 30.0], [5.0, 5.0, 5.0, 5.0], [f32::NAN; 4]];
    let chw: Vec<f32> = (0..from.shape.len()).map(|_| rng.normal()).collect();
    let dy: Vec<f32> = (0..regions.len() * 9 * 5).map(|_| rng.normal()).collect();
    for maxima in [false, true] {
        let value = |level, chw: &[f32]| -> f64 {
            let (mut x, mut y) = (vec![0.0; from.len()], vec![0.0; dy.len()]);
            from.fill_from_chw(chw, &mut x);
            if maxima {
                pool(level, how.out, how.scale, (&x, &from), &regions[..3], &mut y[..3 * 45]);
            } else {
                align(level, &how, (&x, &from), &regions, &mut y);
                assert!(y[3 * 45..].iter().all(|v| *v == 0.0), "a box of NaN is nothing");
            }
            y.iter().zip(&dy).map(|(y, dy)| f64::from(*y) * f64::from(*dy)).sum()
        };
        for level in levels() {
            let (mut x, mut dx, mut out) = (vec![0.0; from.len()], vec![0.0; to.len()], vec![0.0; chw.len()]);
            from.fill_from_chw(&chw, &mut x);
            if maxima {
                pool_backward(level, how.out, how.scale, (&x, &from), &dy[..3 * 45], &regions[..3], (&mut dx, &to));
            } else {
                align_backward(level, &how, &dy, &regions, (&mut dx, &to));
            }
            to.copy_to_chw(&dx, &mut out);
            for i in 0..chw.len() {
                let step = 1e-3;
                let moved = |by: f32| {
                    let mut chw = chw.clone();
                    chw[i] += by;
                    value(level, &chw)
                };
                let slope = (moved(step) - moved(-step)) / f64::from(2.0 * step);
                assert!((slope - f64::from(out[i])).abs() < 2e-3, "{maxima} {i}: {slope}, {}", out[i]);
            }
        }
    }
}

#[test]
fn suppression_keeps_what_torchvision_keeps() {
    let all = cases("nms.json");
    for case in all.iter().filter(|case| case["api"].as_str().unwrap().starts_with("torchvision")) {
        let boxes: Vec<Region> = case["boxes_x1y1x2y2"].as_array().unwrap().iter().map(region).collect();
        let scores: Vec<f32> = numbers(&case["scores"]).iter().map(|v| *v as f32).collect();
        let kept = suppress(&boxes, &scores, case["iou_threshold"].as_f64().unwrap() as f32);
        let expected: Vec<usize> = numbers(&case["keep"]).iter().map(|v| *v as usize).collect();
        assert_eq!(kept, expected, "{}", case["name"]);
    }
    assert!(suppress(&[], &[], 0.5).is_empty());
}

fn corners(value: &Value) -> [f64; 4] {
    let b = numbers(value);
    [b[0], b[1], b[0] + b[2], b[1] + b[3]]
}

#[test]
fn average_precision_is_pycocotools() {
    for case in cases("coco_map.json") {
        let number = |row: &Value, k: usize| row[k].as_u64().unwrap() as usize;
        let truths = case["gt"].as_array().unwrap().iter().map(|row| Truth {
            image: number(row, 0),
            class: number(row, 1),
            bbox: corners(&row[2]),
            crowd: row[4].as_u64() == Some(1),
        });
        let found = case["dt"].as_array().unwrap().iter().map(|row| Found {
            image: number(row, 0),
            class: number(row, 1),
            bbox: corners(&row[2]),
            score: row[3].as_f64().unwrap(),
        });
        let report = coco(&truths.collect::<Vec<_>>(), &found.collect::<Vec<_>>()).unwrap();
        for (own, name) in [(report.map, "AP"), (report.map50, "AP50")] {
            let expected = case["stats"][name].as_f64().unwrap();
            assert!((own - expected).abs() < 1e-6, "{}: {name} {own}, {expected}", case["name"]);
        }
    }
}

#[test]
fn areas_under_curves_and_bad_numbers() {
    let truth = |x: f64| Truth { image: 0, class: 0, bbox: [x, 0.0, x + 10.0, 10.0], crowd: false };
    let found = |x: f64, score: f64| Found { image: 0, class: 0, bbox: [x, 0.0, x + 10.0, 10.0], score };
    // Right, wrong, right: recall 1/2 at precision 1, recall 1 at precision 2/3.
    let boxes = [found(0.0, 0.9), found(50.0, 0.8), found(20.0, 0.7)];
    let area = voc(&[truth(0.0), truth(20.0)], &boxes, 0.5).unwrap();
    assert!((area - (0.5 + 0.5 * 2.0 / 3.0)).abs() < 1e-12, "{area}");
    assert_eq!(voc(&[], &boxes, 0.5).unwrap(), -1.0);
    assert_eq!(coco(&[], &boxes).unwrap().map, -1.0);
    assert!(coco(&[truth(0.0)], &[found(0.0, f64::NAN)]).unwrap_err().to_string().contains("finite"));
    assert!(voc(&[truth(f64::INFINITY)], &[], 0.5).unwrap_err().to_string().contains("true box"));
}
