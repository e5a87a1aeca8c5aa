//! The wasm door, from JavaScript's side: its numbers are the engine's, whatever is wrong is thrown with a code, and a
//! handle works on after it has thrown.
#![cfg(target_arch = "wasm32")]

#[path = "common/known.rs"]
mod known;

use hitofude::web::{Model, build, preprocess};
use js_sys::{Array, Float32Array, Function, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

/// A model and what to show it, for snippets of JavaScript.
struct Page {
    model: JsValue,
    image: JsValue,
}

impl Page {
    fn new() -> Self {
        let model = Model::new(&Uint8Array::from(&known::file()[..])).unwrap();
        Self { model: model.into(), image: Float32Array::from(&known::picture()[..]).into() }
    }

    /// Runs a JavaScript expression that knows `model`, `image` and `other`.
    fn run(&self, expression: &str, other: &JsValue) -> Result<JsValue, JsValue> {
        let function = Function::new_with_args("model, image, other", &format!("return ({expression})"));
        function.call3(&JsValue::NULL, &self.model, &self.image, other)
    }

    fn eval(&self, expression: &str) -> JsValue {
        self.run(expression, &JsValue::NULL).unwrap_or_else(|thrown| panic!("{expression} threw {thrown:?}"))
    }

    fn numbers(&self, expression: &str) -> Vec<f32> {
        let value = self.eval(expression);
        assert!(value.is_instance_of::<Float32Array>(), "{expression} is a Float32Array: {value:?}");
        value.unchecked_into::<Float32Array>().to_vec()
    }

    fn json(&self, expression: &str) -> String {
        self.eval(&format!("JSON.stringify({expression})")).as_string().unwrap()
    }
}

/// The code of a thrown error, which has to be an `Error` with a message.
fn code(expression: &str, outcome: Result<JsValue, JsValue>) -> String {
    let Err(thrown) = outcome else { panic!("{expression} threw nothing") };
    let error = thrown.dyn_ref::<js_sys::Error>().unwrap_or_else(|| panic!("{expression} threw {thrown:?}"));
    let message = String::from(error.message());
    assert!(message.contains(": expected ") || message.contains("nothing drawn"), "{expression} says {message:?}");
    Reflect::get(&thrown, &"code".into()).unwrap().as_string().unwrap_or_else(|| panic!("{expression} has no code"))
}

#[wasm_bindgen_test]
fn the_build_is_the_one_that_was_compiled() {
    let relaxed = cfg!(target_feature = "relaxed-simd");
    assert_eq!(build(), if relaxed { "relaxed-simd" } else { "simd128" });
}

#[wasm_bindgen_test]
fn a_picture_gives_the_known_answer() {
    let page = Page::new();
    assert_eq!(page.json("model.name"), r#""known""#);
    let answer = page.json("(({ status, digit, second }) => ({ status, digit, second }))(model.predict(image))");
    assert_eq!(answer, r#"{"status":"sure","digit":9,"second":6}"#);
    assert_eq!(page.json("Object.keys(model.predict(image))"), r#"["status","digit","second","probabilities"]"#);
    let scores = page.numbers("model.features('affine2')");
    assert!(known::close(&scores, &known::SCORES), "{scores:?}");
    let probabilities = page.numbers("model.predict(image).probabilities");
    let sum: f32 = known::SCORES.iter().map(|s| (s / known::CALIBRATION.temperature).exp()).sum();
    let expected = known::SCORES.map(|s| (s / known::CALIBRATION.temperature).exp() / sum);
    assert!(known::close(&probabilities, &expected), "{probabilities:?}");
}

#[wasm_bindgen_test]
fn layers_are_listed_and_can_be_looked_at() {
    let page = Page::new();
    page.eval("model.predict(image)");
    let first = r#"[{"name":"input","kind":"input","activation":null,"inputs":[],"shape":[1,28,28],"formula":"","parameters":0,"multiplyAdds":0},{"name":"conv1","kind":"conv","activation":"relu","inputs":[0],"shape":[16,28,28],"formula":"(28 + 2·1 − 3) / 1 + 1 = 28","parameters":160,"multiplyAdds":112896}]"#;
    assert_eq!(page.json("model.layers().slice(0, 2)"), first);
    assert_eq!(page.json("model.layers().length"), known::MEANS.len().to_string());
    for (i, (name, mean)) in known::MEANS.into_iter().enumerate() {
        assert_eq!(page.json(&format!("model.layers()[{i}].name")), format!("{name:?}"));
        let values = page.numbers(&format!("model.features(model.layers()[{i}].name)"));
        let size = page.json(&format!("model.layers()[{i}].shape.reduce((a, b) => a * b)"));
        assert_eq!(size, values.len().to_string());
        let found = values.iter().sum::<f32>() / values.len() as f32;
        assert!((found - mean).abs() < 1e-4, "{name}: {found}");
    }
    assert_eq!(page.numbers("model.features('input')"), known::picture());
}

#[wasm_bindgen_test]
fn a_canvas_reads_as_its_coverage() {
    let page = Page::new();
    let canvas = page.eval(
        "(() => { const data = new ImageData(30, 40); for (let i = 0; i < 300; i++) data.data[4 * (7 * i % 1200) + 3] = 200; \
         return data; })()",
    );
    let pixels = page.run(
        "({ width: 30, height: 40, pixels: Uint8Array.from({ length: 1200 }, (_, i) => \
                           other.data[4 * i + 3]) })",
        &canvas,
    );
    let [a, b] = [&canvas, &pixels.unwrap()].map(|ink| page.run("model.predictInk(other).probabilities", ink).unwrap());
    let [a, b] = [a, b].map(|p| p.unchecked_into::<Float32Array>().to_vec());
    assert_eq!(a, b);
    assert_eq!(code("blank", preprocess(&page.eval("new ImageData(3, 3)"))), "empty");
}

#[wasm_bindgen_test]
fn a_drawing_gives_the_known_reading() {
    let page = Page::new();
    let ink = page.eval("({ strokes: [[[10, 10], [60, 12], [30, 90]], [[20, 50], [55, 50]]], penWidth: 2.4 })");
    let reading = page.run("model.predictInk(other)", &ink).unwrap();
    let read = |expression: &str| page.run(expression, &reading).unwrap();
    let found = read("[other.status, other.digit, other.second].join()");
    assert_eq!(found.as_string().unwrap(), "unsure,6,9");
    let probabilities = read("other.probabilities").unchecked_into::<Float32Array>().to_vec();
    assert!(known::close(&probabilities, &known::INK_PROBABILITIES), "{probabilities:?}");

    let steps: Array = read("other.steps").unchecked_into();
    let alone: Array = preprocess(&ink).unwrap().unchecked_into();
    let names = ["drawn", "cropped", "scaled", "centred"];
    assert_eq!((steps.length(), alone.length()), (4, 4));
    for (i, (name, (w, h, sum))) in names.into_iter().zip(known::STEPS).enumerate() {
        let [step, same] = [&steps, &alone].map(|list| list.get(i as u32));
        let line = page.run("[other.name, other.width, other.height].join()", &step).unwrap();
        assert_eq!(line.as_string().unwrap(), format!("{name},{w},{h}"));
        let pixels = |step| Reflect::get(step, &"pixels".into()).unwrap().unchecked_into::<Float32Array>().to_vec();
        assert_eq!(pixels(&step), pixels(&same), "{name}");
        assert_eq!(pixels(&step).len(), w * h);
        assert!((pixels(&step).iter().sum::<f32>() - sum).abs() < 1e-4 * sum, "{name}");
    }
    let again = page.run("String(model.predict(other.steps[3].pixels).probabilities)", &reading).unwrap();
    assert_eq!(again, read("String(other.probabilities)"));
}

#[wasm_bindgen_test]
fn pens_and_bitmaps() {
    let page = Page::new();
    let thin = "model.predictInk({ strokes: [[[0, 0], [0, 9]]], penWidth: 1 }).steps[3].pixels";
    let wide = "model.predictInk({ strokes: [[[0, 0], [0, 9]]], penWidth: 4 }).steps[3].pixels";
    assert!(2.0 * page.numbers(thin).iter().sum::<f32>() < page.numbers(wide).iter().sum());
    let dot = "({ width: 3, height: 2, pixels: new Uint8Array([0, 0, 0, 0, 255, 0]) })";
    assert_eq!(page.json(&format!("model.predictInk({dot}).steps.map(s => s.width)")), "[3,80,20,28]");
    let sum: f32 = page.numbers(&format!("model.predictInk({dot}).steps[3].pixels")).iter().sum();
    assert!((sum - 400.0).abs() < 0.1, "one pixel of ink fills the box: {sum}");
}

#[wasm_bindgen_test]
fn no_ink_is_an_empty_reading_and_never_a_digit() {
    let page = Page::new();
    for ink in ["{ strokes: [] }", "{ strokes: [[], []] }", "{ width: 2, height: 1, pixels: new Uint8Array(2) }"] {
        assert_eq!(page.json(&format!("model.predictInk({ink})")), r#"{"status":"empty"}"#, "{ink}");
        assert_eq!(code(ink, preprocess(&page.eval(&format!("({ink})")))), "empty");
    }
}

/// Calls that are refused, and the code they throw.
const REFUSED: &[(&str, &str)] = &[
    ("model.predict()", "value"),
    ("model.predict(null)", "value"),
    ("model.predict('7')", "value"),
    ("model.predict(Array.from(image))", "value"),
    ("model.predict(new Float64Array(784))", "value"),
    ("model.predict(new Float32Array(783))", "shape"),
    ("model.predict(new Float32Array(1e7))", "shape"),
    ("model.predict(image.map(() => NaN))", "value"),
    ("model.predict(image.map(() => 1.5))", "value"),
    ("model.predict((i => (structuredClone(i, { transfer: [i.buffer] }), i))(image.slice()))", "shape"),
    ("model.predictInk()", "value"),
    ("model.predictInk(7)", "value"),
    ("model.predictInk({})", "value"),
    ("model.predictInk([])", "value"),
    ("model.predictInk({ strokes: [], pixels: image })", "value"),
    ("model.predictInk({ strokes: 'ink' })", "value"),
    ("model.predictInk({ strokes: null })", "value"),
    ("model.predictInk({ strokes: [7] })", "value"),
    ("model.predictInk({ strokes: [[7]] })", "value"),
    ("model.predictInk({ strokes: [[[1, 2, 3]]] })", "value"),
    ("model.predictInk({ strokes: [[[1, '2']]] })", "value"),
    ("model.predictInk({ strokes: [[[1, NaN]]] })", "value"),
    ("model.predictInk({ strokes: [[[1, 1e300]]] })", "value"),
    ("model.predictInk({ strokes: [[[1, 2n]]] })", "value"),
    ("model.predictInk({ strokes: new Array(4e9) })", "value"),
    ("model.predictInk({ strokes: [new Array(1e5 + 1).fill([0, 0])] })", "value"),
    ("model.predictInk({ strokes: new Array(11).fill(new Array(1e4).fill([0, 0])) })", "value"),
    ("model.predictInk({ strokes: [[[0, 0]]], penWidth: '2' })", "value"),
    ("model.predictInk({ strokes: [[[0, 0]]], penWidth: 1e9 })", "value"),
    ("model.predictInk({ strokes: [[[0, 0]]], penWidth: NaN })", "value"),
    ("model.predictInk({ width: 2, height: 2, pixels: [0, 0, 0, 1] })", "value"),
    ("model.predictInk({ height: 2, pixels: new Uint8Array(4) })", "value"),
    ("model.predictInk({ width: 1.5, height: 2, pixels: new Uint8Array(3) })", "value"),
    ("model.predictInk({ width: 0, height: 2, pixels: new Uint8Array(0) })", "value"),
    ("model.predictInk({ width: 1e9, height: 1e9, pixels: new Uint8Array(4) })", "value"),
    ("model.predictInk({ width: 2, height: 2, pixels: new Uint8Array(5) })", "shape"),
    ("model.features()", "value"),
    ("model.features({})", "value"),
    ("model.features('conv7')", "missing"),
    ("model.features('relu1')", "missing"),
    ("model.features('\\ud800')", "missing"),
    ("model.features('conv1'.repeat(5e7))", "value"),
    ("new model.constructor()", "value"),
    ("new model.constructor('weights')", "value"),
    ("new model.constructor(new Uint8Array(0))", "format"),
    ("new model.constructor(new Uint8Array(7))", "format"),
    ("new model.constructor(new Uint8Array(1e4).fill(255))", "format"),
    ("new model.constructor(new Uint8Array(65 << 20))", "format"),
];

#[wasm_bindgen_test]
fn what_is_wrong_is_thrown_with_a_code_and_the_model_works_on() {
    let page = Page::new();
    for (expression, expected) in REFUSED {
        page.eval("model.predict(image)");
        assert_eq!(code(expression, page.run(expression, &JsValue::NULL)), *expected, "{expression}");
        assert!(known::close(&page.numbers("model.features('affine2')"), &known::SCORES), "after {expression}");
        assert_eq!(page.json("model.predict(image).digit"), "9", "after {expression}");
    }
    let unseen = Page::new();
    let early = "model.features('conv1')";
    assert_eq!(code(early, unseen.run(early, &JsValue::NULL)), "missing");
}

#[wasm_bindgen_test]
fn code_that_runs_while_an_argument_is_read_does_no_harm() {
    let page = Page::new();
    let thrown = page.run("model.predictInk({ get strokes() { throw new RangeError('mine') } })", &JsValue::NULL);
    assert!(thrown.unwrap_err().is_instance_of::<js_sys::RangeError>(), "what a getter throws comes through");
    let proxy = "model.predictInk({ strokes: new Proxy([1], { get(t, k) { if (k === '0') throw 7; return t[k] } }) })";
    assert_eq!(page.run(proxy, &JsValue::NULL).unwrap_err(), 7);
    let nested = "model.predictInk({ get strokes() { model.predict(image); return [[[0, 0], [0, 9]]] } }).status";
    page.eval(nested);
    assert_eq!(page.json("model.predict(image).digit"), "9");
    // No call has left the handle borrowed: it can be freed. A freed one throws, too.
    page.eval("model.free()");
    assert!(page.run("model.predict(image)", &JsValue::NULL).unwrap_err().is_instance_of::<js_sys::Error>());
}

#[wasm_bindgen_test]
fn a_damaged_file_of_weights_is_refused_and_a_whole_one_opens() {
    let whole = known::file();
    let open = |bytes: &[u8]| Model::new(&Uint8Array::from(bytes)).map(|_| JsValue::NULL);
    let header = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    for length in (0..header).step_by(97).chain([header, whole.len() / 2, whole.len() - 1]) {
        assert_eq!(code(&format!("{length} bytes"), open(&whole[..length])), "format");
    }
    let mut refused = 0;
    for at in (0..header).step_by(13) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x15;
        // Some damage is but another name of the file, a digit of the calibration or another shape.
        if let Err(thrown) = open(&damaged) {
            let code = code(&format!("byte {at} damaged"), Err(thrown));
            assert!(["format", "missing", "shape", "value"].contains(&&*code), "byte {at}: {code}");
            refused += 1;
        }
    }
    assert!(refused * 10 > header / 13 * 9, "{refused} of {} damaged headers were refused", header / 13);
    let nan = [&whole[..whole.len() - 4], &f32::NAN.to_le_bytes()].concat();
    assert_eq!(code("a NaN", open(&nan)), "value");
    assert!(open(&whole).is_ok());
}
