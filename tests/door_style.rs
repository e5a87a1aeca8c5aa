//! The Style lab's handles, from JavaScript's side: a painting descends and can be hashed, whatever is wrong is thrown with a
//! code, and a handle works on after it has thrown.
#![cfg(target_arch = "wasm32")]

use hitofude::data::pictures::family;
use hitofude::web::{FeatureNetwork, Painting, painting_defaults, picture, pictures};
use js_sys::{Array, Function, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

/// Runs a JavaScript expression that knows `it`.
fn run(it: &JsValue, expression: &str) -> Result<JsValue, JsValue> {
    Function::new_with_args("it", &format!("return ({expression})")).call1(&JsValue::NULL, it)
}

fn number(it: &JsValue, expression: &str) -> f64 {
    run(it, expression).unwrap().as_f64().unwrap()
}

fn drawn(name: &str) -> JsValue {
    picture(&name.into(), &48.into(), &40.into(), &1.into()).unwrap()
}

/// The defaults with some fields of their own.
fn options(fields: &str) -> JsValue {
    run(&painting_defaults().unwrap(), &format!("({{ ...it, width: 40, height: 36, ...{fields} }})")).unwrap()
}

fn code(outcome: Result<impl Sized, JsValue>) -> String {
    let thrown = outcome.err().expect("something thrown");
    Reflect::get(&thrown, &"code".into()).unwrap().as_string().unwrap()
}

#[wasm_bindgen_test]
fn a_painting_descends_and_is_the_same_again() {
    let features = FeatureNetwork::new(&"random".into()).unwrap();
    let paint = |seed: u32| {
        let options = options(&format!("{{ start: 'noise', seed: {seed} }}"));
        let painting: JsValue = Painting::new(&features, &drawn("torii"), &drawn("waves"), &options).unwrap().into();
        let mut before = f64::INFINITY;
        for _ in 0..5 {
            let report = run(&painting, "it.step()").unwrap();
            let loss = number(&report, "it.loss");
            assert!(loss < before, "{loss} after {before}");
            assert!((number(&report, "it.content + it.style + it.variation") - loss).abs() < 1e-9 * loss);
            before = loss;
        }
        assert_eq!(number(&painting, "it.gram('scale1').now.length"), 32.0 * 32.0);
        assert_eq!(number(&painting, "it.picture().data.length"), 4.0 * 40.0 * 36.0);
        run(&painting, "it.resize(56, 48), it.change({ styleWeight: 10, keepColours: 'luminance' }), it.step()")
            .unwrap();
        assert_eq!(number(&painting, "it.width * 1000 + it.height"), 56_048.0);
        run(&painting, "it.hash()").unwrap().as_string().unwrap()
    };
    assert_eq!(paint(1), paint(1));
    assert_ne!(paint(1), paint(2));
    let size = Object::from_entries(&Array::of2(
        &Array::of2(&"width".into(), &48.into()).into(),
        &Array::of2(&"height".into(), &40.into()).into(),
    ))
    .unwrap();
    assert!(features.need(&options("{}"), &size).unwrap() > 1e6);
}

#[wasm_bindgen_test]
fn what_is_wrong_is_thrown_with_a_code() {
    assert_eq!(code(picture(&"nobody".into(), &8.into(), &8.into(), &1.into())), "missing");
    assert_eq!(code(picture(&"waves".into(), &0.into(), &8.into(), &1.into())), "value");
    assert_eq!(code(FeatureNetwork::new(&"vgg".into())), "value");
    assert_eq!(code(FeatureNetwork::new(&js_sys::Uint8Array::new_with_length(20))), "format");
    let features = FeatureNetwork::new(&"random".into()).unwrap();
    let begin =
        |content: &JsValue, fields: &str| code(Painting::new(&features, content, &drawn("waves"), &options(fields)));
    assert_eq!(begin(&JsValue::NULL, "{}"), "value");
    assert_eq!(begin(&run(&drawn("torii"), "({ ...it, height: 41 })").unwrap(), "{}"), "shape");
    assert_eq!(begin(&drawn("torii"), "{ width: 8 }"), "value");
    assert_eq!(begin(&drawn("torii"), "{ styleLayers: { conv1_1: 1 } }"), "missing");
    assert_eq!(begin(&drawn("torii"), "{ optimiser: 'hope' }"), "missing");
    assert_eq!(begin(&drawn("torii"), "{ styleWeight: NaN }"), "value");
}

#[wasm_bindgen_test]
fn the_pictures_are_the_engines_own() {
    let list = Array::from(&pictures().unwrap());
    let kinds = |kind: &str| {
        list.iter().filter(|row| run(row, &format!("it.kind === '{kind}'")).unwrap() == JsValue::TRUE).count()
    };
    assert!(kinds("content") >= 5 && kinds("style") >= 6);
    let got = run(&drawn("waves"), "new Uint8Array(it.data)").unwrap().unchecked_into::<js_sys::Uint8Array>().to_vec();
    assert_eq!(got, family("waves").unwrap().draw(1, 40, 48).unwrap().rgba());
}
