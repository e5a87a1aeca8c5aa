//! RoiAlign and NonMaxSuppression beside ONNX Runtime, whose figures `../shared/vectors` keeps, and what is refused.

use super::{model, node, real};
use hitofude::file::array::{Array, Data};
use hitofude::file::onnx::{Attribute, Model};
use hitofude::systems::imported::Imported;
use ndarray::ArrayD;
use serde_json::Value;

#[path = "../common/mod.rs"]
mod common;

fn cases(name: &str) -> Vec<Value> {
    let Some(path) = common::shared(&format!("vectors/{name}")) else { return Vec::new() };
    let mut file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    serde_json::from_value(file["cases"].take()).unwrap()
}

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().map_or(vec![], |all| all.iter().map(|v| v.as_f64().unwrap_or(f64::NAN) as f32).collect())
}

fn whole(shape: &[usize], values: &[i64]) -> Array {
    ArrayD::from_shape_vec(shape, values.to_vec()).unwrap().into()
}

fn run(model: Model, x: Array) -> hitofude::Result<Array> {
    Ok(Imported::new(model)?.run(&[("x".into(), x)])?.remove(0).1)
}

/// RoIAlign of one region of the first image of `x`.
fn aligned(case: &Value, roi: Array, halves: Option<&str>, opset: i64, mode: &str) -> Model {
    let mut align = node("RoiAlign", "cut", &["x", "rois", "images"], "y");
    align.attributes.insert("mode".into(), Attribute::Text(mode.into()));
    let out = numbers(&case["output_hw"]);
    align.attributes.insert("output_height".into(), Attribute::Int(out[0] as i64));
    align.attributes.insert("output_width".into(), Attribute::Int(out[1] as i64));
    let samples = case["sampling_ratio"].as_i64().unwrap().max(0);
    align.attributes.insert("sampling_ratio".into(), Attribute::Int(samples));
    align.attributes.insert("spatial_scale".into(), Attribute::Float(case["spatial_scale"].as_f64().unwrap() as f32));
    if let Some(halves) = halves {
        align.attributes.insert("coordinate_transformation_mode".into(), Attribute::Text(halves.into()));
    }
    Model { opset, ..model(vec![align], vec![("rois", roi), ("images", whole(&[1], &[0]))]) }
}

#[test]
fn regions_are_cut_as_onnx_runtime_cuts_them() {
    let picture: Vec<f32> = (0..36).map(|i| (i * i) as f32 / 10.0).collect();
    for case in cases("roi_align.json") {
        let roi = real(&[1, 4], &numbers(&case["roi_x1y1x2y2"]));
        let versions = [
            ("ort_opset16_half_pixel", Some("half_pixel"), 16, "avg"),
            ("ort_opset16_output_half_pixel", Some("output_half_pixel"), 16, "avg"),
            ("ort_opset16_default", None, 16, "avg"),
            ("ort_opset10", None, 10, "avg"),
            ("ort_max_half_pixel", Some("half_pixel"), 16, "max"),
        ];
        for (key, halves, opset, mode) in versions {
            let expected = numbers(&case[key]);
            if expected.is_empty() {
                continue;
            }
            let y = run(aligned(&case, roi.clone(), halves, opset, mode), real(&[1, 1, 6, 6], &picture)).unwrap();
            let y: Vec<f32> = y.to_real().iter().copied().collect();
            assert_eq!(y.len(), expected.len());
            let near = y.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-3 * (1.0 + b.abs()));
            assert!(near, "{key}, {}: {y:?}, {expected:?}", case["roi_x1y1x2y2"]);
        }
    }
}

/// Suppression of boxes `x` with these scores, thresholds and number.
fn suppressed(boxes: Array, scores: Array, most: i64, iou: f32, least: Option<f32>) -> hitofude::Result<Vec<i64>> {
    let mut constants = vec![("scores", scores), ("most", whole(&[1], &[most])), ("iou", real(&[1], &[iou]))];
    let mut inputs = vec!["x", "scores", "most", "iou"];
    if let Some(least) = least {
        constants.push(("least", real(&[1], &[least])));
        inputs.push("least");
    }
    let y = run(model(vec![node("NonMaxSuppression", "keep", &inputs, "y")], constants), boxes)?;
    match y.data() {
        Data::Whole(rows) => Ok(rows.iter().copied().collect()),
        Data::Real(_) => panic!("whole numbers"),
    }
}

#[test]
fn doubles_are_left_out_as_onnx_runtime_leaves_them_out() {
    for case in cases("nms.json") {
        let Some(expected) = case["selected"].as_array() else { continue };
        let rows = |key: &str| case[key].as_array().unwrap().iter().map(numbers).collect::<Vec<_>>();
        let (boxes, scores) = (rows("boxes"), rows("scores"));
        let shape = [1, scores.len(), boxes.len()];
        let (boxes, scores) = (real(&[1, boxes.len(), 4], &boxes.concat()), real(&shape, &scores.concat()));
        let number = |key: &str| case[key].as_f64().unwrap() as f32;
        let mut keep = node("NonMaxSuppression", "keep", &["x", "scores", "most", "iou", "least"], "y");
        keep.attributes.insert("center_point_box".into(), Attribute::Int(case["center_point_box"].as_i64().unwrap()));
        let constants = vec![
            ("scores", scores),
            ("most", whole(&[1], &[case["max_output"].as_i64().unwrap()])),
            ("iou", real(&[1], &[number("iou_threshold")])),
            ("least", real(&[1], &[number("score_threshold")])),
        ];
        let y = run(model(vec![keep], constants), boxes).unwrap();
        let expected: Vec<f32> = expected.iter().flat_map(numbers).collect();
        assert_eq!(y.to_real().iter().copied().collect::<Vec<_>>(), expected, "{}", case["name"]);
    }
}

#[test]
fn doubles_are_left_out_by_image_and_class() {
    // Two images of three boxes, the corners of the second box turned over; two classes.
    let boxes = [0.0, 0.0, 10.0, 10.0, 10.0, 9.0, 0.0, 0.0, 20.0, 20.0, 30.0, 30.0].repeat(2);
    let scores = [0.9, 0.8, 0.3, 0.1, 0.7, 0.2, 0.2, 0.9, 0.8, 0.0, 0.0, 0.0];
    let (boxes, scores) = (real(&[2, 3, 4], &boxes), real(&[2, 2, 3], &scores));
    let all = suppressed(boxes.clone(), scores.clone(), 3, 0.5, None).unwrap();
    let rows = [[0, 0, 0], [0, 0, 2], [0, 1, 1], [0, 1, 2], [1, 0, 1], [1, 0, 2], [1, 1, 0], [1, 1, 2]];
    assert_eq!(all, rows.concat());
    let best = suppressed(boxes.clone(), scores.clone(), 1, 0.5, Some(0.25)).unwrap();
    assert_eq!(best, [[0, 0, 0], [0, 1, 1], [1, 0, 1]].concat(), "a score of 0 is not above 0.25");
    assert!(suppressed(boxes.clone(), scores.clone(), 0, 0.5, None).unwrap().is_empty(), "none are asked for");
    assert!(suppressed(boxes.clone(), scores, 1, 1.5, None).is_err());
    assert!(suppressed(boxes, real(&[2, 2, 2], &[0.5; 8]), 1, 0.5, None).is_err(), "a score for each box");
}

#[test]
fn regions_of_images_that_are_not_there_are_refused() {
    let case = serde_json::json!({ "output_hw": [2, 2], "sampling_ratio": 2, "spatial_scale": 1.0 });
    let good = aligned(&case, real(&[1, 4], &[0.0, 0.0, 4.0, 4.0]), None, 16, "avg");
    let images = |image: i64| {
        let mut model = good.clone();
        model.graph.constants[1].1 = whole(&[1], &[image]);
        run(model, real(&[1, 1, 6, 6], &[1.0; 36]))
    };
    assert_eq!(images(0).unwrap().to_real().iter().copied().collect::<Vec<_>>(), [1.0; 4]);
    assert!(images(1).is_err() && images(-1).is_err());
    let mut median = good;
    median.graph.nodes[0].attributes.insert("mode".into(), Attribute::Text("median".into()));
    assert!(run(median, real(&[1, 1, 6, 6], &[1.0; 36])).is_err(), "no such mode");
}
