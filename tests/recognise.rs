//! The recogniser: files in and out, calibrated answers, layers that are what they say, refusals that change nothing.

#[path = "common/known.rs"]
mod known;

use hitofude::data::ink::{MNIST_PEN, PEN};
use hitofude::file::safetensors::{self, Precision, Weights};
use hitofude::nn::{Init, Mode, Params, Run, Want};
use hitofude::rng::Rng;
use hitofude::systems::recognise::{Answer, Calibration, Ink, Reading, Recogniser};
use hitofude::tensor::Tensor;
use hitofude::zoo;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

fn params(architecture: &str, seed: u64) -> Params {
    let mut params = zoo::build(architecture).unwrap().zeros();
    Init::He.fill(&mut params, seed).unwrap();
    params
}

fn recogniser(calibration: Calibration) -> Recogniser {
    Recogniser::new("deep_convnet", params("deep_convnet", 1), calibration).unwrap()
}

fn picture(seed: u64) -> Vec<f32> {
    let mut rng = Rng::new(seed);
    (0..784).map(|_| rng.uniform()).collect()
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn the_known_network_answers_as_known() {
    let mut model = known::recogniser();
    let answer = model.predict(&known::picture()).unwrap();
    assert_eq!(([answer.digit, answer.second], answer.sure), (known::DIGITS, true));
    let scores = model.features("affine2").unwrap();
    assert!(known::close(&scores, &known::SCORES), "{scores:?}");
    for (layer, (name, mean)) in model.layers().iter().zip(known::MEANS) {
        let values = model.features(&layer.name).unwrap();
        let found = values.iter().sum::<f32>() / values.len() as f32;
        assert!(layer.name == name && (found - mean).abs() < 1e-4, "{}: {found}", layer.name);
    }
    let ink = Ink::Strokes { strokes: &known::strokes(), pen: MNIST_PEN };
    let Reading { answer, steps } = model.read_ink(&ink).unwrap();
    assert_eq!(([answer.digit, answer.second], answer.sure), (known::INK_DIGITS, false));
    assert!(known::close(&answer.probabilities, &known::INK_PROBABILITIES), "{answer:?}");
    for (step, (w, h, sum)) in [steps.drawn, steps.crop, steps.scaled, steps.input].iter().zip(known::STEPS) {
        assert_eq!((step.w, step.h), (w, h));
        assert!((step.pixels.iter().sum::<f32>() - sum).abs() < 1e-4 * sum);
    }
}

/// What `load` makes of this network's file after `change`, as an error's code.
fn load_changed(change: impl FnOnce(&mut Weights)) -> String {
    let mut weights = recogniser(Calibration::default()).to_weights();
    change(&mut weights);
    let bytes = safetensors::write(&weights, Precision::F32).unwrap();
    match Recogniser::load(&bytes) {
        Ok(loaded) => format!("loaded {}", loaded.name()),
        Err(error) => error.code().into(),
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_file_gives_the_same_answers_back() {
    for row in zoo::CATALOGUE {
        let calibration = Calibration { temperature: 1.37, threshold: 0.815 };
        let mut first = Recogniser::new(row.name, params(row.name, 2), calibration).unwrap();
        let bytes = safetensors::write(&first.to_weights(), Precision::F32).unwrap();
        let mut second = Recogniser::load(&bytes).unwrap();
        assert_eq!(second.calibration(), calibration);
        assert_eq!(second.name(), row.name);
        assert_eq!(first.predict(&picture(3)).unwrap(), second.predict(&picture(3)).unwrap(), "{}", row.name);
        assert_eq!(first.to_weights(), second.to_weights());
    }
    assert_eq!(load_changed(|w| drop(w.metadata.insert("name".into(), "draw".into()))), "loaded draw");
    assert_eq!(load_changed(|w| w.metadata.retain(|key, _| key == "architecture")), "loaded deep_convnet");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn files_that_make_no_recogniser_are_refused() {
    let say = |key: &str, text: &str| load_changed(|w| drop(w.metadata.insert(key.into(), text.into())));
    assert_eq!(say("architecture", "resnet"), "missing");
    assert_eq!(say("architecture", "simple_convnet"), "shape");
    assert_eq!(load_changed(|w| w.metadata.clear()), "missing");
    for (text, code) in [("0", "value"), ("-1", "value"), ("1e30", "value"), ("NaN", "format"), ("warm", "format")] {
        assert_eq!(say("temperature", text), code, "temperature {text}");
    }
    for (text, code) in [("1.01", "value"), ("-0.1", "value"), ("inf", "format"), ("", "format")] {
        assert_eq!(say("threshold", text), code, "threshold {text}");
    }
    assert_eq!(load_changed(|w| drop(w.tensors.pop())), "missing");
    let (extra, misshapen) = (Tensor::zeros(vec![1]), Tensor::zeros(vec![1, 16, 3, 3]));
    assert_eq!(load_changed(|w| w.tensors.push(("conv7.bias".into(), extra))), "missing");
    assert_eq!(load_changed(|w| w.tensors[0].1 = misshapen), "shape");
    let other = Recogniser::new("deep_convnet", params("simple_convnet", 1), Calibration::default());
    assert_eq!(other.err().unwrap().code(), "shape");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn answers_are_the_softmax_of_the_scores_over_the_temperature() {
    let mut sharp = recogniser(Calibration { temperature: 0.5, threshold: 0.0 });
    let answer = sharp.predict(&picture(4)).unwrap();
    let scores: Vec<f64> = sharp.features("affine2").unwrap().iter().map(|&v| f64::from(v)).collect();
    let sum: f64 = scores.iter().map(|s| (s / 0.5).exp()).sum();
    for (p, s) in answer.probabilities.iter().zip(&scores) {
        let expected = (s / 0.5).exp() / sum;
        assert!((f64::from(*p) - expected).abs() < 1e-6, "{p} for {expected}");
    }
    let mut order: Vec<usize> = (0..10).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    assert_eq!([usize::from(answer.digit), usize::from(answer.second)], order[..2]);
    let best = answer.probabilities[order[0]];
    for (threshold, sure) in [(best, true), (best + 1e-6, false)] {
        let answer = recogniser(Calibration { temperature: 0.5, threshold }).predict(&picture(4)).unwrap();
        assert_eq!(answer.sure, sure, "threshold {threshold} for {best}");
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn layers_are_what_the_network_holds_behind_each_activation() {
    for row in zoo::CATALOGUE {
        let params = params(row.name, 5);
        let net = zoo::build(row.name).unwrap();
        let mut all = Run::new(&net, 1, &Want::values(net.wires().collect()));
        all.forward(&params, &picture(6), 1, Mode::Infer).unwrap();
        let mut model = Recogniser::new(row.name, params, Calibration::default()).unwrap();
        model.predict(&picture(6)).unwrap();
        for layer in model.layers().to_vec() {
            // In these networks an activation is wired right behind its layer.
            let mut from = net.wires().skip_while(|&w| net.node(w).name != layer.name);
            let wire = from.nth(usize::from(layer.activation.is_some())).unwrap();
            assert_eq!(
                net.node(wire).layer.as_ref().map_or("input", |l| l.kind()),
                layer.activation.unwrap_or(layer.kind)
            );
            let mut expected = vec![0.0; layer.shape.len()];
            all.read(wire, 0, &mut expected).unwrap();
            assert_eq!(model.features(&layer.name).unwrap(), expected, "{}: {}", row.name, layer.name);
        }
        assert_eq!(model.layers().iter().map(|l| l.parameters).sum::<usize>(), net.parameters());
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn the_list_of_deep_convnet_s_layers() {
    let model = recogniser(Calibration::default());
    let line = |l: &hitofude::systems::recognise::Layer| {
        let (activation, shape) = (l.activation.unwrap_or("-"), l.shape);
        format!("{} {} {activation} {shape} [{}] {} {}", l.name, l.kind, l.formula, l.parameters, l.multiply_adds)
    };
    let lines: Vec<String> = model.layers().iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "input input - 1×28×28 [] 0 0",
            "conv1 conv relu 16×28×28 [(28 + 2·1 − 3) / 1 + 1 = 28] 160 112896",
            "conv2 conv relu 16×28×28 [(28 + 2·1 − 3) / 1 + 1 = 28] 2320 1806336",
            "pool1 max_pool - 16×14×14 [(28 + 2·0 − 2) / 2 + 1 = 14] 0 0",
            "conv3 conv relu 32×14×14 [(14 + 2·1 − 3) / 1 + 1 = 14] 4640 903168",
            "conv4 conv relu 32×16×16 [(14 + 2·2 − 3) / 1 + 1 = 16] 9248 2359296",
            "pool2 max_pool - 32×8×8 [(16 + 2·0 − 2) / 2 + 1 = 8] 0 0",
            "conv5 conv relu 64×8×8 [(8 + 2·1 − 3) / 1 + 1 = 8] 18496 1179648",
            "conv6 conv relu 64×8×8 [(8 + 2·1 − 3) / 1 + 1 = 8] 36928 2359296",
            "pool3 max_pool - 64×4×4 [(8 + 2·0 − 2) / 2 + 1 = 4] 0 0",
            "affine1 affine relu 50×1×1 [50 × 1024 + 50] 51250 51200",
            "affine2 affine - 10×1×1 [10 × 50 + 10] 510 500",
        ]
    );
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_drawing_is_normalised_and_read() {
    let mut model = recogniser(Calibration::default());
    let strokes = vec![vec![[0.0, 0.0], [40.0, 90.0]], vec![[50.0, 50.0]]];
    let reading = model.read_ink(&Ink::Strokes { strokes: &strokes, pen: PEN }).unwrap();
    assert_eq!(model.features("input").unwrap(), reading.steps.input.pixels);
    assert_eq!(model.predict(&reading.steps.input.pixels).unwrap(), reading.answer);
    let coverage: Vec<u8> = (0..64).map(|i| if i % 9 == 0 { 255 } else { 0 }).collect();
    let bitmap = Ink::Bitmap { coverage: &coverage, width: 8, height: 8 };
    let reading = model.read_ink(&bitmap).unwrap();
    assert_eq!(reading.steps, bitmap.normalise().unwrap());
    assert_eq!((reading.steps.input.w, reading.steps.input.h), (28, 28));
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_refusal_leaves_the_last_prediction_as_it_was() {
    let mut model = recogniser(Calibration::default());
    assert_eq!(model.features("conv1").unwrap_err().code(), "missing");
    let mut answer = Answer::default();
    model.predict_into(&picture(7), &mut answer).unwrap();
    let (before, maps) = (answer.clone(), model.features("conv1").unwrap());
    for (value, at) in [(f32::NAN, 783), (1.001, 0), (-0.001, 400), (f32::INFINITY, 1)] {
        let mut image = picture(8);
        image[at] = value;
        let error = model.predict_into(&image, &mut answer).unwrap_err();
        assert_eq!(error.code(), "value");
        assert!(error.to_string().contains(&format!("pixel {at}")), "{error}");
    }
    for length in [0, 783, 785] {
        assert_eq!(model.predict_into(&vec![0.5; length], &mut answer).unwrap_err().code(), "shape");
    }
    for ink in [Ink::Strokes { strokes: &[], pen: PEN }, Ink::Bitmap { coverage: &[0; 4], width: 2, height: 2 }] {
        assert_eq!(model.read_ink(&ink).unwrap_err().code(), "empty");
    }
    let bad = [vec![[f32::NAN, 0.0]]];
    assert_eq!(model.read_ink(&Ink::Strokes { strokes: &bad, pen: PEN }).unwrap_err().code(), "value");
    assert_eq!(model.features("relu1").unwrap_err().code(), "missing");
    assert_eq!(answer, before);
    assert_eq!(model.features("conv1").unwrap(), maps);
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn weights_that_overflow_give_an_error_and_no_digit() {
    let mut params = params("deep_convnet", 9);
    params.values_mut().fill(1e38);
    let mut model = Recogniser::new("deep_convnet", params, Calibration::default()).unwrap();
    assert_eq!(model.predict(&picture(10)).unwrap_err().code(), "value");
}

/// Branches and skips as a page draws them: who reads whom.
#[test]
fn entries_say_what_they_read() {
    let model = Recogniser::new("resnet_mini", params("resnet_mini", 1), Calibration::default()).unwrap();
    let layers = model.layers();
    let reads = |name: &str| -> Vec<&str> {
        let entry = layers.iter().find(|l| l.name == name).unwrap();
        entry.inputs.iter().map(|&i| layers[i].name.as_str()).collect()
    };
    assert_eq!(reads("conv1"), ["input"]);
    assert_eq!(reads("layer1.0.add"), ["layer1.0.bn2", "maxpool"]);
    assert_eq!(reads("layer2.0.add"), ["layer2.0.bn2", "layer2.0.downsample.1"]);
    // The flattening before it has no entry.
    assert_eq!(reads("fc"), ["avgpool"]);
}
