//! Golden files: a model, the sides of its inputs, whose numbers are a pattern, and what its framework answered.

use hitofude::file::array::Array;
use hitofude::file::convert::{Given, Made, convert};
use hitofude::file::onnx::{self, Model};
use hitofude::systems::imported::Imported;
use ndarray::{ArrayD, IxDyn};
use serde_json::Value;
use std::path::PathBuf;

/// How far an answer may be off, relative to the largest number.
const WITHIN: f32 = 1e-4;

pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/convert")
}

/// A model that is one file, and its bytes.
pub fn opened(name: &str) -> (Model, Vec<u8>) {
    let bytes = std::fs::read(folder().join(name)).unwrap();
    match convert(&[Given { name, bytes: &bytes }]) {
        Ok(Made::Graph(model)) => (model, bytes),
        other => panic!("{name}: {other:?}"),
    }
}

pub struct Case {
    file: String,
    inputs: Vec<Vec<usize>>,
    outputs: Vec<ArrayD<f32>>,
}

fn whole(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect()
}

/// An array as the scripts write one.
pub fn array(value: &Value) -> ArrayD<f32> {
    let values = value["values"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32);
    ArrayD::from_shape_vec(whole(&value["shape"]), values.collect()).unwrap()
}

pub fn cases(name: &str) -> Vec<Case> {
    let json: Value = serde_json::from_slice(&std::fs::read(folder().join(name)).unwrap()).unwrap();
    let case = |case: &Value| Case {
        file: case["file"].as_str().unwrap().into(),
        inputs: case["inputs"].as_array().unwrap().iter().map(whole).collect(),
        outputs: case["outputs"].as_array().unwrap().iter().map(array).collect(),
    };
    let cases: Vec<Case> = json["cases"].as_array().unwrap().iter().map(case).collect();
    assert!(!cases.is_empty());
    cases
}

/// The numbers that the scripts give a model: for input `k` the same ones everywhere.
fn pattern(k: usize, sides: &[usize]) -> ArrayD<f32> {
    let count: usize = sides.iter().product();
    let values = (0..count).map(|i| ((i * 7919 + k * 104_729) % 256) as f32 / 255.0).collect();
    ArrayD::from_shape_vec(sides, values).unwrap()
}

/// Pictures with their channels first.
fn first(array: ArrayD<f32>) -> ArrayD<f32> {
    match array.ndim() {
        4 => array.permuted_axes(IxDyn(&[0, 3, 1, 2])).as_standard_layout().into_owned(),
        _ => array,
    }
}

impl Case {
    /// Translates the file, through the bytes of an ONNX file, and compares what it answers.
    pub fn check(&self) {
        let (model, _) = opened(&self.file);
        let model =
            Imported::new(onnx::read(&onnx::write(&model)).unwrap()).unwrap_or_else(|e| panic!("{}: {e}", self.file));
        let named = model.inputs().iter().zip(&self.inputs).enumerate();
        let inputs: Vec<(String, Array)> =
            named.map(|(k, (port, sides))| (port.name.clone(), first(pattern(k, sides)).into())).collect();
        let have = model.run(&inputs).unwrap_or_else(|error| panic!("{}: {error}", self.file));
        assert_eq!(have.len(), self.outputs.len(), "{}", self.file);
        for ((name, have), want) in have.iter().zip(&self.outputs) {
            let (have, want) = (have.to_real(), first(want.clone()));
            assert_eq!(have.shape(), want.shape(), "{}: {name}", self.file);
            let largest = want.iter().fold(0.0_f32, |most, v| most.max(v.abs()));
            let off = have.iter().zip(&want).fold(0.0_f32, |most, (a, b)| most.max((a - b).abs()));
            eprintln!("{}: {name}: {:.1e} of {largest:.3}", self.file, off / largest);
            assert!(largest > 1e-3 && off <= WITHIN * largest, "{}: {name}: {off} of {largest}", self.file);
        }
    }
}

/// The files in a zip that is stored.
pub fn stored(zip: &[u8]) -> Vec<(String, Vec<u8>)> {
    let (mut files, mut at) = (Vec::new(), 0);
    let number = |at: usize, bytes: usize| zip[at..at + bytes].iter().rev().fold(0, |n, &b| n << 8 | usize::from(b));
    while zip[at..].starts_with(b"PK\x03\x04") {
        let (size, name, extra) = (number(at + 18, 4), number(at + 26, 2), number(at + 28, 2));
        let data = at + 30 + name + extra;
        files
            .push((String::from_utf8(zip[at + 30..at + 30 + name].to_vec()).unwrap(), zip[data..data + size].to_vec()));
        at = data + size;
    }
    files
}
