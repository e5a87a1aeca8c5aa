//! `Explainer`, from JavaScript's side: its numbers are the system's, whatever is wrong is thrown with a code, and the
//! handle works on after it has thrown.
#![cfg(target_arch = "wasm32")]

#[path = "common/known.rs"]
mod known;

use hitofude::file::safetensors::Precision;
use hitofude::nn::{Init, description};
use hitofude::systems::explain::{self, Method};
use hitofude::systems::saved::{self, Saved};
use hitofude::web::Explainer;
use js_sys::{Float32Array, Function, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

fn page() -> JsValue {
    Explainer::new(&Uint8Array::from(&known::file()[..])).unwrap().into()
}

/// Runs a JavaScript expression that knows `room`, an explainer.
fn run(room: &JsValue, expression: &str) -> Result<JsValue, JsValue> {
    Function::new_with_args("room", &format!("return ({expression})")).call1(&JsValue::NULL, room)
}

fn numbers(room: &JsValue, expression: &str) -> Vec<f32> {
    run(room, expression).unwrap().unchecked_into::<Float32Array>().to_vec()
}

fn text(room: &JsValue, expression: &str) -> String {
    run(room, &format!("String({expression})")).unwrap().as_string().unwrap()
}

const SEVEN: &str = "room.look({ strokes: [[[0, 0], [60, 0], [25, 100]]] })";

#[wasm_bindgen_test]
fn what_it_says_is_what_the_system_says() {
    let room = page();
    assert_eq!(text(&room, &format!("{SEVEN}.status")), "unsure");
    let known = known::recogniser();
    let mut explainer = explain::Explainer::new(known.network(), known.params()).unwrap();
    explainer.look(&numbers(&room, "room.values('input')")).unwrap();
    assert_eq!(numbers(&room, "room.values('conv6')"), explainer.values("conv6").unwrap());
    for (asked, method) in [
        ("'saliency', 3, 1, 0", Method::Saliency),
        ("'smooth_grad', 3, 5, 0.1", Method::SmoothGrad { samples: 5, noise: 0.1, seed: 1 }),
        ("'guided', 3, 1, 0", Method::Guided),
        ("'grad_cam', 3, 1, 0", Method::GradCam),
        ("'occlusion', 3, 8, 0", Method::Occlusion { side: 8, stride: 2 }),
        ("'integrated', 3, 5, 0", Method::Integrated { steps: 5 }),
    ] {
        assert_eq!(numbers(&room, &format!("room.reasons({asked}).map")), explainer.reasons(method, 3).unwrap().map);
    }
    let step = explainer.step("conv2", 4, 5, 6).unwrap();
    assert_eq!(numbers(&room, "room.step('conv2', 4, 5, 6).inputs"), step.inputs);
    assert_eq!(text(&room, "room.step('conv2', 4, 5, 6).field"), "3,4,8,9");
    let back = explainer.backward(2).unwrap();
    assert_eq!(
        numbers(&room, "room.backward(2, 'conv3', 0.1).maps"),
        explainer.value_gradient(&back, "conv3").unwrap()
    );
    let gradient = explainer.weight_gradient(&back, "conv3.weight").unwrap();
    assert_eq!(numbers(&room, "room.backward(2, 'conv3', 0.1).gradient.values"), gradient.as_slice().unwrap());
    assert_eq!(text(&room, "room.columns('conv1').width"), "9");
    assert_eq!(text(&room, "room.gather(30) + room.gather(10)"), "70");
    assert_eq!(text(&room, "room.gathered().places.length"), "80");
    assert_eq!(text(&room, "room.neighbours(3).which.length"), "3");
    let wish = "{ rate: 0.05, jitter: 1, blur: 0.1, variation: 0.5, seed: 1 }";
    run(&room, &format!("room.want('conv1', Uint32Array.of(1, 2), {wish})")).unwrap();
    assert_eq!(text(&room, "room.climb(2).pictures.length"), "1568");
    run(&room, "room.dream('conv1', new Float32Array(1200).fill(0.3), 40, 0.02)").unwrap();
    assert_eq!(text(&room, "(d => [d.width, d.height, d.done, d.of])(room.dreamOn())"), "40,30,1,12");
}

#[wasm_bindgen_test]
fn a_network_of_colours_sees_pictures_and_takes_no_drawings() {
    let layers = r#"{"input":[3,6,5],"layers":[{"name":"conv1","type":"conv","out":2,"kernel":3},
        {"name":"flatten","type":"flatten"},{"name":"scores","type":"affine","out":4}]}"#;
    let net = description::read(layers).unwrap();
    let mut params = net.zeros();
    Init::He.fill(&mut params, 1).unwrap();
    let saved = Saved { net, params, metadata: Default::default() };
    let file = saved::write(&saved, Precision::F32).unwrap();
    let room: JsValue = Explainer::new(&Uint8Array::from(&file[..])).unwrap().into();
    assert_eq!(text(&room, "room.layers().map(layer => layer.name)"), "input,conv1,scores");
    assert_eq!(text(&room, &format!("(() => {{ try {{ {SEVEN} }} catch (e) {{ return e.code }} }})()")), "shape");
    assert_eq!(text(&room, "(() => { try { room.see(new Float32Array(5)) } catch (e) { return e.code } })()"), "shape");
    assert_eq!(text(&room, "room.batch"), "16");
    let shares = numbers(&room, "room.see(new Float32Array(90).fill(0.5))");
    assert!(shares.len() == 4 && (shares.iter().sum::<f32>() - 1.0).abs() < 1e-5);
    assert_eq!(text(&room, "room.reasons('occlusion', 3, 2, 0).map.length"), "90");
    let wish = "{ rate: 0.05, jitter: 0, blur: 0, variation: 0, seed: 1, ends: Float32Array.of(1, -1, 1, -1, 1, -1) }";
    run(&room, &format!("room.want('scores', Uint32Array.of(2), {wish})")).unwrap();
    assert_eq!(text(&room, "room.climb(2).pictures.length"), "90");
    run(&room, "room.dream('conv1', new Float32Array(3 * 28 * 30).fill(0.3), 30, 0.02, Float32Array.of(1, -1))")
        .unwrap();
    assert_eq!(text(&room, "(d => [d.width, d.height, d.pixels.length])(room.dreamOn())"), "30,28,2520");
}

#[wasm_bindgen_test]
fn what_is_wrong_is_thrown_and_it_works_on() {
    let room = page();
    let code = |expression: &str| {
        text(&room, &format!("(() => {{ try {{ {expression}; return 'none' }} catch (e) {{ return e.code }} }})()"))
    };
    assert_eq!(code("room.values('conv1')"), "missing");
    assert_eq!(code("room.climb(1)"), "missing");
    assert_eq!(code("room.dreamOn()"), "missing");
    assert_eq!(text(&room, "room.look({ strokes: [] }).status"), "empty");
    run(&room, SEVEN).unwrap();
    assert_eq!(text(&room, "room.look({ strokes: [] }).status"), "empty");
    for (expression, expected) in [
        ("room.values('nothing')", "missing"),
        ("room.values(7)", "value"),
        ("room.reasons('guess', 0, 1, 0)", "missing"),
        ("room.reasons('saliency', 10, 1, 0)", "value"),
        ("room.reasons('smooth_grad', 1, 1e9, 0)", "value"),
        ("room.reasons('occlusion', 1, 0, 0)", "value"),
        ("room.step('conv1', 0, 28, 0)", "value"),
        ("room.step('conv1', 0, -1, 0)", "value"),
        ("room.columns('pool1')", "missing"),
        ("room.parameter('conv1')", "missing"),
        ("room.backward(10, 'conv1', 0.1)", "value"),
        ("room.numeric(1, 'conv1.weight', 0, -1)", "value"),
        ("room.gather(9000)", "value"),
        ("room.gathered()", "shape"),
        ("room.made(0)", "value"),
        ("room.want('conv1', [1], {})", "value"),
        ("room.want('conv1', Uint32Array.of(99), { rate: 0.1, jitter: 0, blur: 0, variation: 0, seed: 1 })", "value"),
        ("room.dream('conv1', new Float32Array(784), 0, 0.1)", "value"),
        ("room.dream('affine1', new Float32Array(784), 28, 0.1)", "shape"),
    ] {
        assert_eq!(code(expression), expected, "{expression}");
    }
    assert_eq!(text(&room, "room.values('conv1').length"), "12544");
}
