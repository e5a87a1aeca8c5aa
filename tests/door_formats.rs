//! `ModelFile`, from JavaScript's side: its numbers are the system's, whatever is wrong is thrown with a code, and a handle
//! works on after it has thrown.
#![cfg(target_arch = "wasm32")]

use hitofude::file::array::Array;
use hitofude::file::safetensors::Precision;
use hitofude::nn::Init;
use hitofude::systems::opened::Opened;
use hitofude::systems::saved::{self, Saved};
use hitofude::web::{ModelFile, architectures};
use hitofude::zoo;
use js_sys::{Float32Array, Function, Reflect, Uint8Array};
use ndarray::ArrayD;
use std::collections::BTreeMap;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

fn file() -> Vec<u8> {
    let net = zoo::build("tiny").unwrap();
    let mut params = net.zeros();
    Init::He.fill(&mut params, 5).unwrap();
    saved::write(&Saved { net, params, metadata: BTreeMap::new() }, Precision::F32).unwrap()
}

fn image() -> Vec<f32> {
    (0..784).map(|i| (i * 7 % 31) as f32 / 31.0).collect()
}

fn open(bytes: &[u8]) -> Result<ModelFile, JsValue> {
    ModelFile::new(&Uint8Array::from(bytes), &"mine".into(), &JsValue::UNDEFINED)
}

/// Runs a JavaScript expression that knows the model `m` and a picture, `image`.
fn run(model: &JsValue, expression: &str) -> Result<JsValue, JsValue> {
    let function = Function::new_with_args("m, image", &format!("return ({expression})"));
    function.call2(&JsValue::NULL, model, &Float32Array::from(&image()[..]))
}

fn code(thrown: JsValue) -> String {
    Reflect::get(&thrown, &"code".into()).unwrap().as_string().unwrap_or_default()
}

const ASK: &str = "m.run([{ name: 'input', shape: [1, 1, 28, 28], values: image }], new Uint32Array([1]))";

#[wasm_bindgen_test]
fn a_model_answers_shows_its_maps_and_goes_out_as_onnx_and_in_again() {
    let bytes = file();
    let mut native = Opened::read(&bytes, "mine", None).unwrap();
    let input: Array = ArrayD::from_shape_vec(vec![1, 1, 28, 28], image()).unwrap().into();
    let (outputs, taps) = native.run(&[("input".into(), input)], &[1]).unwrap();
    let model: JsValue = open(&bytes).unwrap().into();
    let numbers = |of: &JsValue, part: &str| {
        run(of, &format!("{ASK}.{part}[0].values")).unwrap().unchecked_into::<Float32Array>().to_vec()
    };
    assert_eq!(numbers(&model, "outputs"), outputs[0].1.to_real().as_slice().unwrap());
    assert_eq!(numbers(&model, "taps"), taps[0].to_real().as_slice().unwrap());
    let rows = run(&model, "m.rows().map(row => row.kind)[1] + m.rows().length").unwrap().as_string().unwrap();
    assert_eq!(rows, format!("conv{}", native.rows().unwrap().len()));
    let onnx = run(&model, "m.save('onnx')").unwrap().unchecked_into::<Uint8Array>().to_vec();
    let again: JsValue = open(&onnx).unwrap().into();
    let about = run(&again, "m.about().format + m.about().inputs[0].shape.join()").unwrap().as_string().unwrap();
    assert_eq!(about, "onnx,1,28,28");
    let close = numbers(&again, "outputs").iter().zip(&numbers(&model, "outputs")).all(|(a, b)| (a - b).abs() < 1e-4);
    assert!(close);
    assert_eq!(run(&again, "m.trains().classes").unwrap().as_f64(), Some(10.0));
}

#[wasm_bindgen_test]
fn whatever_is_wrong_is_thrown_with_a_code_and_the_model_goes_on() {
    assert_eq!(code(open(b"<html>").map(drop).unwrap_err()), "format");
    assert_eq!(code(open(&file()[..1000]).map(drop).unwrap_err()), "format");
    assert_eq!(code(ModelFile::new(&"x".into(), &"x".into(), &JsValue::UNDEFINED).map(drop).unwrap_err()), "value");
    let model: JsValue = open(&file()).unwrap().into();
    for (expression, expected) in [
        ("m.run([], new Uint32Array())", "missing"),
        ("m.run([{ name: 'input', shape: [1, 1, 28, 27], values: image }], new Uint32Array())", "shape"),
        ("m.run([{ name: 'input', shape: [4294967296, 4294967296], values: image }], new Uint32Array())", "value"),
        ("m.run([{ name: 'input', shape: [1, 784], values: image }], new Uint32Array([1e6]))", "missing"),
        ("m.run([7], new Uint32Array())", "value"),
        ("m.save('h5')", "missing"),
        ("m.resize('input', new Uint32Array([1, 1, 9, 9]))", "shape"),
    ] {
        assert_eq!(code(run(&model, expression).map(drop).unwrap_err()), expected, "{expression}");
    }
    assert!(run(&model, ASK).is_ok());
    assert!(architectures().unwrap().unchecked_into::<js_sys::Array>().length() > 30);
}
