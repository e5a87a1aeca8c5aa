//! `Network`, from JavaScript's side: its numbers are the session's, whatever is wrong is thrown with a code, and a handle
//! works on after it has thrown.
#![cfg(target_arch = "wasm32")]

use hitofude::nn::{Init, Mode, Run, Want};
use hitofude::shape::Shape;
use hitofude::systems::experiment::Setup;
use hitofude::systems::reproduce::Claim;
use hitofude::web::{Network, claims};
use hitofude::zoo;
use js_sys::{Float32Array, Function, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

fn network(want: &str) -> JsValue {
    Network::new(&"simple_convnet".into(), &2.into(), &want.into(), &5.into()).unwrap().into()
}

fn images() -> Vec<f32> {
    (0..1568).map(|i| (i * 7 % 31) as f32 / 31.0).collect()
}

/// Runs a JavaScript expression that knows `net` and two pictures, `images`.
fn run(net: &JsValue, expression: &str) -> Result<JsValue, JsValue> {
    let function = Function::new_with_args("net, images", &format!("return ({expression})"));
    function.call2(&JsValue::NULL, net, &Float32Array::from(&images()[..]))
}

fn numbers(net: &JsValue, expression: &str) -> Vec<f32> {
    run(net, expression).unwrap().unchecked_into::<Float32Array>().to_vec()
}

fn json(net: &JsValue, expression: &str) -> String {
    run(net, &format!("JSON.stringify({expression})")).unwrap().as_string().unwrap()
}

#[wasm_bindgen_test]
fn a_batch_gets_the_runs_answers_whole_and_layer_by_layer() {
    let net = zoo::build("simple_convnet").unwrap();
    let mut params = net.zeros();
    Init::He.fill(&mut params, 5).unwrap();
    let mut expected = Run::new(&net, 2, &Want::outputs());
    expected.forward(&params, &images(), 2, Mode::Infer).unwrap();
    let page = network("infer");
    assert_eq!(numbers(&page, "net.forward(images)"), expected.output());
    assert_eq!(numbers(&page, "net.forward(images.subarray(784))"), expected.output()[10..]);
    assert_eq!(numbers(&page, "net.weights('conv1.weight')"), params.get("conv1.weight").unwrap().as_slice().unwrap());
    run(&page, "(net.load(images), net.layers().forEach((_, i) => net.forwardLayer(i)))").unwrap();
    let first = r#"[{"name":"input","kind":"input","shape":[1,28,28],"parameters":0,"multiplyAdds":0},{"name":"conv1","kind":"conv","shape":[30,24,24],"parameters":780,"multiplyAdds":432000}]"#;
    assert_eq!(json(&page, "net.layers().slice(0, 2)"), first);
    assert_eq!(json(&page, "net.parameters()[0]"), r#"{"name":"conv1.weight","shape":[30,1,5,5]}"#);
    assert!(run(&page, "net.planBytes").unwrap().as_f64().unwrap() > 4.0 * 784.0);
}

#[wasm_bindgen_test]
fn it_learns_and_explains() {
    let page = network("explain");
    let losses = "Array.from({ length: 5 }, (_, i) => net.step(images, new Float32Array(20).fill(0.1), 3e-4, i))";
    assert_eq!(json(&page, &format!("(l => l[4] < l[0])({losses})")), "true");
    let slope =
        "(() => { const dy = new Float32Array(20).fill(1); net.forward(images); return net.inputGradient(dy) })()";
    assert_eq!(numbers(&page, slope).len(), 1568);
    run(&page, "net.setWeights('affine2.weight', new Float32Array(1000))").unwrap();
    run(&page, "net.setWeights('affine2.bias', Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9))").unwrap();
    let bias: Vec<f32> = (0..10).map(|i| i as f32).collect();
    assert_eq!(numbers(&page, "net.forward(images)"), [&bias[..], &bias[..]].concat());
    assert!(numbers(&page, slope).iter().all(|&v| v == 0.0));
}

#[wasm_bindgen_test]
fn a_description_builds_a_network() {
    let json = r#"{ "input": [2, 3, 3], "layers": [{ "name": "top", "type": "max_pool", "kernel": 3 }] }"#;
    let net: JsValue = Network::new(&json.into(), &1.into(), &"infer".into(), &0.into()).unwrap().into();
    assert_eq!(numbers(&net, "net.forward(images.subarray(13, 31))"), [29.0 / 31.0, 30.0 / 31.0]);
}

/// Calls that are refused, and the code they throw.
const REFUSED: &[(&str, &str)] = &[
    ("new net.constructor()", "value"),
    ("new net.constructor('vgg99', 1, 'infer', 0)", "missing"),
    ("new net.constructor('{}', 1, 'infer', 0)", "format"),
    ("new net.constructor('{' + ' '.repeat(2 ** 20), 1, 'infer', 0)", "value"),
    ("new net.constructor('deep_convnet', 1, 'dream', 0)", "missing"),
    ("new net.constructor('deep_convnet', 0, 'infer', 0)", "value"),
    ("new net.constructor('deep_convnet', 4e9, 'infer', 0)", "value"),
    ("new net.constructor('deep_convnet', 1.5, 'infer', 0)", "value"),
    ("new net.constructor('deep_convnet', 1, 'infer', -1)", "value"),
    ("net.forward()", "value"),
    ("net.forward(Array.from(images))", "value"),
    ("net.forward(new Float32Array(0))", "value"),
    ("net.forward(new Float32Array(785))", "shape"),
    ("net.forward(new Float32Array(3 * 784))", "value"),
    ("net.forward(images.map(() => NaN))", "value"),
    ("net.inputGradient(new Float32Array(20))", "missing"),
    ("net.step(images, new Float32Array(20), 0.1, 0)", "missing"),
    ("net.step(images, new Float32Array(20), '0.1', 0)", "value"),
    ("net.weights('conv9.weight')", "missing"),
    ("net.setWeights('conv9.weight', new Float32Array(1))", "missing"),
    ("net.setWeights('conv1.bias', new Float32Array(1))", "shape"),
    ("net.setWeights('conv1.bias', new Float32Array(30).fill(Infinity))", "value"),
    ("net.load(new Float32Array(5))", "shape"),
    ("net.forwardLayer(99)", "missing"),
    ("net.backwardLayer(7)", "missing"),
];

#[wasm_bindgen_test]
fn what_is_wrong_is_thrown_with_a_code_and_the_network_works_on() {
    let page = network("infer");
    let right = numbers(&page, "net.forward(images)");
    for (expression, expected) in REFUSED {
        let thrown = run(&page, expression).expect_err(expression);
        let code = Reflect::get(&thrown, &"code".into()).unwrap().as_string();
        assert_eq!(code.as_deref(), Some(*expected), "{expression}");
        assert_eq!(numbers(&page, "net.forward(images)"), right, "after {expression}");
    }
    let thrown = run(&network("infer"), "net.forwardLayer(0)").unwrap_err();
    assert_eq!(Reflect::get(&thrown, &"code".into()).unwrap(), "missing", "before anything is loaded");
}

#[wasm_bindgen_test]
fn a_claims_arms_are_setups_of_their_networks() {
    let all = claims().unwrap();
    let names = json(&all, "net.map(claim => claim.name)");
    assert_eq!(
        names,
        r#"["three 3x3 for one 7x7","skips","auxiliary loss","batch norm and the rate","rate decay","augmentation"]"#
    );
    for name in names.trim_matches(['[', ']', '"']).split("\",\"") {
        let claim = Claim::named(name).unwrap();
        for (i, arm) in claim.arms.iter().enumerate() {
            let found = format!("net.find(claim => claim.name === '{name}').arms[{i}]");
            assert_eq!(json(&all, &format!("{found}.name")), format!("{:?}", arm.name));
            let setup = Setup::from_json(&run(&all, &format!("{found}.setup")).unwrap().as_string().unwrap()).unwrap();
            let net = setup.network(Shape::new(1, 28, 28), 10).unwrap();
            assert_eq!(net.views(), arm.build().unwrap().views(), "{name}, {}", arm.name);
            assert_eq!((setup.options, setup.steps, setup.augment), (arm.options, claim.steps, arm.images));
        }
    }
}
