//! Networks of few bits, from JavaScript's side: what is rounded reads, is looked into, saved and opened again, a search goes step
//! by step, and whatever is wrong is thrown with a code.
#![cfg(target_arch = "wasm32")]

use hitofude::file::safetensors::Precision;
use hitofude::nn::{Init, description};
use hitofude::systems::quantise::{self, Bits, Method, Plan, Reader};
use hitofude::systems::saved::{self, Saved};
use hitofude::web::{ActivationRanges, BitSearch, FewBits, FloatModel, folded_weights, rounded_layers};
use js_sys::{Array, Float32Array, Function, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

const NET: &str = r#"{"input":[1,8,8],"layers":[
    {"name":"conv1","type":"conv","out":6,"kernel":3,"pad":1},{"name":"norm1","type":"batch_norm"},{"name":"relu1","type":"relu"},
    {"name":"pool","type":"max_pool","kernel":2,"stride":2},{"name":"flat","type":"flatten"},{"name":"out","type":"affine","out":3}]}"#;

fn images(n: usize) -> Vec<f32> {
    (0..n * 64).map(|i| (i * 7 % 31) as f32 / 31.0).collect()
}

fn opened(text: &str) -> FloatModel {
    let net = description::read(text).unwrap();
    let mut params = net.zeros();
    Init::He.fill(&mut params, 5).unwrap();
    let file = saved::write(&Saved { net, params, metadata: Default::default() }, Precision::F32).unwrap();
    FloatModel::load(&Uint8Array::from(&file[..])).unwrap()
}

fn model() -> FloatModel {
    opened(NET)
}

fn bits(of: &[&str]) -> JsValue {
    of.iter().map(|one| JsValue::from(*one)).collect::<Array>().into()
}

fn floats(of: &[f32]) -> JsValue {
    Float32Array::from(of).into()
}

fn ranges(model: &FloatModel) -> ActivationRanges {
    ActivationRanges::new(model, &bits(&["8"]), &floats(&images(10))).unwrap()
}

fn code(outcome: Result<impl Sized, JsValue>) -> String {
    let thrown = outcome.err().expect("something thrown");
    Reflect::get(&thrown, &"code".into()).unwrap().as_string().unwrap()
}

/// Whether a JavaScript expression that knows `it` is true.
fn truth(it: &JsValue, expression: &str) -> bool {
    let found = Function::new_with_args("it", &format!("return ({expression})")).call1(&JsValue::NULL, it);
    found.unwrap().as_bool().unwrap()
}

#[wasm_bindgen_test]
fn a_rounded_model_is_the_engines_own() {
    let net = description::read(NET).unwrap();
    let mut params = net.zeros();
    Init::He.fill(&mut params, 5).unwrap();
    let plan = Plan { bits: vec![Bits::Int(4), Bits::Ternary], method: Method::Mse };
    let own = quantise::quantise(&net, &params, &plan, &images(10)).unwrap();
    let mut reader = Reader::new(own).unwrap();
    let want = reader.scores(&images(7)).unwrap();
    let (page, seen) = (model(), ranges(&model()));
    let few = FewBits::quantise(&page, &bits(&["4", "ternary"]), &"mse".into(), &seen).unwrap();
    assert_eq!(few.scores(&floats(&images(7))).unwrap().to_vec(), want);
    assert!(truth(
        &rounded_layers(&page).unwrap(),
        "it.map(({ name, weights, learnt }) => name + weights + learnt).join() === 'conv154false,out288false'"
    ));
    assert!(truth(&seen.ends().unwrap(), "it.join(';') === 'input,input;conv1,relu1;pool,pool;out,out'"));
    assert!(truth(
        &few.layers().unwrap(),
        "it.length === 4 && it[1].bits === '4' && it[1].bytes === 27 && it[1].relu && it[1].levels[0] === 0 && it[1].window.pad[0] === 1 && it[3].bits === 'ternary' && it[3].form === 'numbers' && it[3].inputs[0] === 'pool'"
    ));

    let one = few.scores(&floats(&images(1))).unwrap().to_vec();
    assert_eq!(one, want[..3]);
    assert_eq!(few.values(&"out".into()).unwrap().to_vec(), one);
    let sum = few.sum(&"conv1".into(), &2.into(), &0.into(), &3.into()).unwrap();
    assert!(truth(
        &sum,
        "it.inputs.length === 9 && it.inputs.reduce((sum, x, i) => sum + x * it.weights[i], 0) === it.sum && it.inputs.slice(0, 3).every((x) => x === 0)"
    ));
    let whole = few.weights(&"out".into()).unwrap();
    assert!(truth(
        &whole,
        "it.weights.length === 288 && it.weights.every((w) => w * w <= 1) && it.scales.length === 3"
    ));
    assert_eq!(folded_weights(&page, &"out".into()).unwrap().length(), 288);
    let float: JsValue = page.values(&floats(&images(1)), &bits(&["relu1", "out"])).unwrap().into();
    assert!(truth(&float, "it[0].length === 384 && it[0].every((v) => v >= 0) && it[1].length === 3"));
    assert!(truth(&page.layers().unwrap(), "it[0].name === 'input' && it[1].shape.join() === '6,8,8'"));
}

#[wasm_bindgen_test]
fn a_file_comes_back_and_a_search_goes_down() {
    let (page, seen) = (model(), ranges(&model()));
    let few = FewBits::quantise(&page, &bits(&["8"]), &"minmax".into(), &seen).unwrap();
    let file = JsValue::from(few.save().unwrap());
    assert!(FewBits::is(&file).unwrap());
    let back = FewBits::load(&file).unwrap();
    assert_eq!(back.save().unwrap().length(), file.unchecked_ref::<Uint8Array>().length());
    assert_eq!(back.calibration().unwrap(), [1.0, 0.0]);
    let float = JsValue::from(page.save(&16.into()).unwrap());
    assert!(!FewBits::is(&float).unwrap());
    assert_eq!(code(FewBits::load(&float)), "format");

    let labels = JsValue::from(Uint8Array::from(&[1u8; 10][..]));
    let search = BitSearch::new(&page, &"minmax".into(), &floats(&images(10)), &labels).unwrap();
    assert!(truth(&search.last().unwrap(), "it.bytes === 54 + 288 && it.bits.join() === '8,8' && it.loss > 0"));
    let mut steps = 0;
    while search.step().unwrap() {
        steps += 1;
    }
    assert_eq!(steps, 4);
    assert!(truth(&search.last().unwrap(), "it.bits.join() === '2,2' && it.bytes === 14 + 72 && it.accuracy >= 0"));
}

#[wasm_bindgen_test]
fn what_is_wrong_is_thrown() {
    let (page, seen) = (model(), ranges(&model()));
    let make = |of: &[&str], method: &str| FewBits::quantise(&page, &bits(of), &method.into(), &seen);
    assert_eq!(code(make(&["8", "8", "8"], "minmax")), "shape");
    assert_eq!(code(make(&["9"], "minmax")), "value");
    assert_eq!(code(make(&["8"], "luck")), "value");
    assert_eq!(code(FewBits::quantise(&page, &"8".into(), &"minmax".into(), &seen)), "value");
    assert_eq!(code(ActivationRanges::new(&page, &bits(&["8"]), &floats(&[]))), "shape");
    assert_eq!(code(ActivationRanges::new(&page, &bits(&["8"]), &floats(&[f32::NAN; 64]))), "value");
    let bend = r#"{"input":[1,8,8],"layers":[{"name":"conv1","type":"conv","out":6,"kernel":3},{"name":"bend","type":"tanh"},{"name":"flat","type":"flatten"},{"name":"out","type":"affine","out":3}]}"#;
    let other = opened(bend);
    assert_eq!(code(ActivationRanges::new(&other, &bits(&["8"]), &floats(&images(2)))), "missing");
    assert_eq!(code(folded_weights(&page, &"relu1".into())), "missing");
    let few = make(&["8"], "minmax").unwrap();
    assert_eq!(code(few.scores(&floats(&images(1)[1..]))), "shape");
    assert_eq!(code(few.values(&"out".into())), "shape");
    assert_eq!(code(few.weights(&"pool".into())), "missing");
    few.scores(&floats(&images(1))).unwrap();
    assert_eq!(code(few.sum(&"conv1".into(), &6.into(), &0.into(), &0.into())), "value");
    let labels = JsValue::from(Uint8Array::from(&[1u8; 9][..]));
    assert_eq!(code(BitSearch::new(&page, &"minmax".into(), &floats(&images(10)), &labels)), "shape");
}
