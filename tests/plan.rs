//! The plan: shared buffers change no answer, taps keep what they name, and nothing is allocated twice.

use hitofude::nn::{Init, Mode, Run, Want, Wire};
use hitofude::rng::Rng;
use hitofude::zoo;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn inference_with_and_without_taps_and_training_agree_to_the_bit() {
    for row in zoo::CATALOGUE {
        let net = zoo::build(row.name).unwrap();
        let mut params = net.zeros();
        Init::He.fill(&mut params, 3).unwrap();
        let mut rng = Rng::new(4);
        let images: Vec<f32> = (0..5 * net.input_shape().len()).map(|_| rng.uniform()).collect();
        let all = net.wires().collect();
        let mut lean = Run::new(&net, 5, &Want::outputs());
        let mut tapped = Run::new(&net, 5, &Want::values(all));
        let mut train = Run::new(&net, 5, &Want::training());
        assert!(lean.plan().bytes() < tapped.plan().bytes(), "{}: a lean plan reuses buffers", row.name);
        // Twice: a second run finds the buffers dirty.
        for _ in 0..2 {
            for run in [&mut lean, &mut tapped, &mut train] {
                run.forward(&params, &images, 5, Mode::Infer).unwrap();
            }
            assert_eq!(lean.output(), tapped.output(), "{}", row.name);
            assert_eq!(lean.output(), train.output(), "{}", row.name);
        }
        for (i, image) in images.chunks_exact(net.input_shape().len()).enumerate() {
            tapped.forward(&params, image, 1, Mode::Infer).unwrap();
            assert_eq!(tapped.output(), &lean.output()[10 * i..10 * i + 10], "{}: alone or in a batch", row.name);
        }
        for wire in net.wires() {
            assert!(tapped.values(wire).is_some(), "{}: {} is tapped", row.name, net.node(wire).name);
        }
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn wrong_sizes_are_refused() {
    let net = zoo::build("three_layer_mlp").unwrap();
    let params = net.zeros();
    let mut run = Run::new(&net, 2, &Want::outputs());
    for (len, n) in [(0, 0), (784, 2), (3 * 784, 3), (783, 1)] {
        let error = run.forward(&params, &vec![0.0; len], n, Mode::Infer).unwrap_err();
        assert!(matches!(error.code(), "shape" | "value"), "{error}");
    }
    let other = zoo::build("simple_convnet").unwrap().zeros();
    assert_eq!(run.forward(&other, &[0.0; 784], 1, Mode::Infer).unwrap_err().code(), "shape");
}

/// Gradients that share buffers, with halos and several readers of a wire among them, are those that are kept apart.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn gradients_in_shared_buffers_are_the_same_to_the_bit() {
    for row in zoo::CATALOGUE.iter().filter(|row| zoo::build(row.name).unwrap().parameters() < 500_000) {
        let net = zoo::build(row.name).unwrap();
        let mut params = net.zeros();
        Init::He.fill(&mut params, 3).unwrap();
        let mut rng = Rng::new(4);
        let images: Vec<f32> = (0..3 * net.input_shape().len()).map(|_| rng.uniform()).collect();
        let targets: Vec<f32> = (0..30).map(|i| f32::from(u8::from(i % 10 == i / 10))).collect();
        let mut gradients = [vec![], vec![]];
        for (want, out) in [Want::training(), Want::everything()].into_iter().zip(&mut gradients) {
            let mut run = Run::new(&net, 3, &want);
            // Twice: the second time the buffers are dirty.
            for _ in 0..2 {
                *out = vec![0.0; params.values().len()];
                run.forward(&params, &images, 3, Mode::Train { seed: 5 }).unwrap();
                run.soft_cross_entropy(net.output(), &targets, 1.0).unwrap();
                run.backward(&params, out);
            }
        }
        assert!(gradients[0].iter().any(|g| *g != 0.0), "{}", row.name);
        assert_eq!(gradients[0], gradients[1], "{}", row.name);
    }
}

/// Losses at several wires, one of which others read, and buffers that are passed on.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_descent_comes_to_the_same_input_gradient_to_the_bit() {
    for row in zoo::CATALOGUE.iter().filter(|row| zoo::build(row.name).unwrap().parameters() < 500_000) {
        let net = zoo::build(row.name).unwrap();
        let mut params = net.zeros();
        Init::He.fill(&mut params, 3).unwrap();
        let mut rng = Rng::new(4);
        let image: Vec<f32> = (0..net.input_shape().len()).map(|_| rng.uniform()).collect();
        let relu = |w: &Wire| net.node(*w).layer.as_ref().is_some_and(|layer| layer.kind() == "relu");
        let losses: Vec<Wire> = net.wires().filter(relu).step_by(2).chain([net.output()]).collect();
        let input = net.wires().next().unwrap();
        let wants = [Want::everything(), Want::input_gradient(losses.clone())];
        let mut found = wants.iter().map(|want| {
            let mut run = Run::new(&net, 1, want);
            let mut gradient = vec![];
            for _ in 0..2 {
                run.forward(&params, &image, 1, Mode::Infer).unwrap();
                for wire in &losses {
                    let (_, _, dy, map) = run.seed_gradient(*wire).expect("a loss is taken here");
                    let slope: Vec<f32> = (0..map.shape.len()).map(|i| (i % 7) as f32 - 3.0).collect();
                    map.fill_from_chw(&slope, dy);
                }
                run.backward(&params, &mut vec![0.0; params.values().len()]);
                let (values, map) = run.gradient(input).expect("the input's gradient is kept");
                gradient = vec![0.0; map.shape.len()];
                map.copy_to_chw(values, &mut gradient);
            }
            (gradient, run.plan().bytes())
        });
        let (kept, descended) = (found.next().unwrap(), found.next().unwrap());
        assert!(kept.0.iter().any(|g| *g != 0.0), "{}", row.name);
        assert!(kept.0 == descended.0, "{}", row.name);
        assert!(descended.1 <= kept.1, "{}: buffers are passed on", row.name);
    }
}

/// Halos and workspace together take less than a fifth beside what the algorithm needs.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_training_step_takes_little_more_memory_than_it_needs() {
    let net = zoo::build("deep_convnet").unwrap();
    let run = Run::new(&net, 100, &Want::training());
    let (bytes, needed) = (run.bytes(), run.plan().needed());
    eprintln!("DeepConvNet, batch 100: {bytes} bytes for {needed} needed, {:.3} times", bytes as f64 / needed as f64);
    assert!(needed <= bytes && bytes as f64 <= 1.2 * needed as f64, "{bytes} for {needed}");
}
