//! Looking inside: every method against an independent computation (a slope by its definition, an axiom of its paper, a
//! naive twin), every number of a step against the layer that the engine computed.

use hitofude::nn::{Init, Mode, Network, Params, Run, Want, description};
use hitofude::rng::Rng;
use hitofude::systems::explain::{Album, Ascent, Axes, Dream, Explainer, Goal, Method, nearest};
use hitofude::{Error, zoo};

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

/// Convolutions, pooling and affine layers, small enough to move every number of.
const SMALL: &str = r#"{"input":[1,9,8],"layers":[
    {"name":"conv1","type":"conv","out":3,"kernel":3,"pad":1},{"name":"relu1","type":"relu"},
    {"name":"pool1","type":"max_pool","kernel":2,"stride":2},
    {"name":"conv2","type":"conv","out":4,"kernel":3,"pad":2,"stride":2,"dilation":2},{"name":"relu2","type":"relu"},
    {"name":"flatten","type":"flatten"},
    {"name":"affine1","type":"affine","out":6},{"name":"relu3","type":"relu"},
    {"name":"affine2","type":"affine","out":5}]}"#;

/// No bends: every pixel in reach counts.
const WINDOWS: &str = r#"{"input":[1,15,15],"layers":[
    {"name":"a","type":"conv","out":2,"kernel":3,"stride":2,"pad":1},
    {"name":"b","type":"average_pool","kernel":2},
    {"name":"c","type":"conv","out":2,"kernel":[3,2],"dilation":[1,2]},
    {"name":"flatten","type":"flatten"},{"name":"d","type":"affine","out":2}]}"#;

fn drawn(net: &Network, seed: u64) -> Params {
    let (mut params, mut rng) = (net.zeros(), Rng::new(seed));
    Init::He.fill(&mut params, seed).unwrap();
    params.values_mut().iter_mut().for_each(|p| *p += 0.1 * rng.normal());
    params
}

fn picture(net: &Network) -> Vec<f32> {
    let mut rng = Rng::new(4);
    (0..net.input_shape().len()).map(|i| if i % 3 == 0 { 0.0 } else { rng.uniform() }).collect()
}

/// A network, what looks into it, and the picture it looks at.
fn looking(description: &str) -> (Network, Explainer, Vec<f32>) {
    let net = description::read(description).unwrap();
    let picture = picture(&net);
    let mut explainer = Explainer::new(&net, &drawn(&net, 5)).unwrap();
    explainer.look(&picture).unwrap();
    (net, explainer, picture)
}

/// The score of a class, by a run of its own.
fn score(explainer: &Explainer, picture: &[f32], class: usize) -> f32 {
    let mut run = Run::new(explainer.network(), 1, &Want::outputs());
    run.forward(explainer.params(), picture, 1, Mode::Infer).unwrap();
    run.output()[class]
}

/// The slope of `f` by each number of `at`.
fn slopes(at: &[f32], h: f32, mut f: impl FnMut(&[f32]) -> f32) -> Vec<f32> {
    let mut moved = at.to_vec();
    let mut slope = |i: usize| {
        moved[i] = at[i] + h;
        let above = f(&moved);
        moved[i] = at[i] - h;
        let below = f(&moved);
        moved[i] = at[i];
        (above - below) / (2.0 * h)
    };
    (0..at.len()).map(&mut slope).collect()
}

/// All but a few, which a kink may have met, agree to a share of the largest.
fn agree(got: &[f32], want: &[f32], kinks: usize) {
    let most = want.iter().fold(0.0f32, |most, v| most.max(v.abs()));
    assert!(most > 1e-3 && got.len() == want.len(), "{} and {} numbers up to {most}", got.len(), want.len());
    let wrong = got.iter().zip(want).filter(|(a, b)| (*a - *b).abs() > 5e-3 * most).count();
    assert!(wrong <= kinks, "{wrong} of {} differ:\n{got:?}\n{want:?}", got.len());
}

fn map(explainer: &mut Explainer, method: Method, class: usize) -> Vec<f32> {
    explainer.reasons(method, class).unwrap().map
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn saliency_is_the_slope_of_the_score() {
    let (_, mut explainer, picture) = looking(SMALL);
    for class in 0..5 {
        let reasons = explainer.reasons(Method::Saliency, class).unwrap();
        assert_eq!(reasons.score, score(&explainer, &picture, class));
        agree(&reasons.map, &slopes(&picture, 2e-3, |x| score(&explainer, x, class)), 2);
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn smooth_grad_is_the_mean_gradient_around_the_picture() {
    let (_, mut explainer, picture) = looking(SMALL);
    let (samples, noise, seed) = (40, 0.2, 3);
    let smooth = map(&mut explainer, Method::SmoothGrad { samples, noise, seed }, 1);
    let mut rng = Rng::new(seed);
    let mut mean = vec![0.0; picture.len()];
    for _ in 0..samples {
        let noisy: Vec<f32> = picture.iter().map(|x| x + noise * rng.normal()).collect();
        explainer.look(&noisy).unwrap();
        mean.iter_mut().zip(map(&mut explainer, Method::Saliency, 1)).for_each(|(m, g)| *m += g / samples as f32);
    }
    agree(&smooth, &mean, 0);
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn guided_backpropagation_passes_what_is_positive_both_ways() {
    let layers = r#"{"input":[1,4,3],"layers":[{"name":"flatten","type":"flatten"},
        {"name":"a","type":"affine","out":9},{"name":"relu1","type":"relu"},
        {"name":"b","type":"affine","out":7},{"name":"relu2","type":"relu"},{"name":"c","type":"affine","out":3}]}"#;
    let (_, mut explainer, picture) = looking(layers);
    let matrix = |name: &str| explainer.params().get(&format!("{name}.weight")).unwrap();
    let bias = |name: &str| explainer.params().get(&format!("{name}.bias")).unwrap();
    let forward = |name: &str, x: &[f32]| -> Vec<f32> {
        let (w, b) = (matrix(name), bias(name));
        let row = |o: usize| x.iter().enumerate().map(|(i, x)| w[[o, i]] * x).sum::<f32>() + b[[o]];
        (0..w.shape()[0]).map(row).collect()
    };
    let relu = |x: Vec<f32>| -> Vec<f32> { x.into_iter().map(|x| x.max(0.0)).collect() };
    let back = |name: &str, dy: &[f32]| -> Vec<f32> {
        let w = matrix(name);
        (0..w.shape()[1]).map(|i| dy.iter().enumerate().map(|(o, dy)| w[[o, i]] * dy).sum()).collect()
    };
    let guided = |dy: Vec<f32>, y: &[f32]| -> Vec<f32> {
        dy.iter().zip(y).map(|(&dy, &y)| if y > 0.0 && dy > 0.0 { dy } else { 0.0 }).collect()
    };
    let y1 = relu(forward("a", &picture));
    let y2 = relu(forward("b", &y1));
    let want: Vec<Vec<f32>> = (0..3)
        .map(|class| {
            let one: Vec<f32> = (0..3).map(|i| f32::from(i == class)).collect();
            back("a", &guided(back("b", &guided(back("c", &one), &y2)), &y1))
        })
        .collect();
    for (class, want) in want.iter().enumerate() {
        agree(&map(&mut explainer, Method::Guided, class), want, 0);
    }
}

/// Behind a global mean and one affine layer, Grad-CAM is class activation mapping (Selvaraju et al. 2017, section 3.1).
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn grad_cam_is_class_activation_mapping_where_that_is_defined() {
    let layers = r#"{"input":[1,6,5],"layers":[{"name":"conv","type":"conv","out":4,"kernel":3,"pad":1},
        {"name":"relu","type":"relu"},{"name":"mean","type":"global_average_pool"},{"name":"scores","type":"affine","out":3}]}"#;
    let (_, mut explainer, _) = looking(layers);
    let (maps, weights) = (explainer.values("conv").unwrap(), explainer.params().get("scores.weight").unwrap());
    let mut inked = 0;
    for class in 0..3 {
        let at = |i: usize| (0..4).map(|k| weights[[class, k]] / 30.0 * maps[k * 30 + i]).sum::<f32>().max(0.0);
        let want: Vec<f32> = (0..30).map(at).collect();
        let got = map(&mut explainer, Method::GradCam, class);
        assert!(got.iter().zip(&want).all(|(a, b)| (a - b).abs() < 1e-6), "{got:?}\n{want:?}");
        inked += want.iter().filter(|v| **v > 0.0).count();
    }
    assert!(inked > 10, "nothing speaks for any class");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn occlusion_is_what_the_score_loses() {
    let (_, mut explainer, picture) = looking(SMALL);
    for (side, stride) in [(1, 1), (3, 1), (4, 3)] {
        let got = map(&mut explainer, Method::Occlusion { side, stride }, 2);
        let whole = score(&explainer, &picture, 2);
        let (mut sum, mut covered) = ([0.0; 72], [0.0; 72]);
        for end in
            (0..9 + side - 1).step_by(stride).flat_map(|y| (0..8 + side - 1).step_by(stride).map(move |x| (y, x)))
        {
            let under = |i: usize| i / 8 <= end.0 && i / 8 + side > end.0 && i % 8 <= end.1 && i % 8 + side > end.1;
            let without: Vec<f32> = (0..72).map(|i| if under(i) { 0.0 } else { picture[i] }).collect();
            let loss = whole - score(&explainer, &without, 2);
            for i in (0..72).filter(|&i| under(i)) {
                sum[i] += loss;
                covered[i] += 1.0;
            }
        }
        let want: Vec<f32> = sum.iter().zip(covered).map(|(s, n)| s / n).collect();
        agree(&got, &want, 0);
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn integrated_gradients_are_complete() {
    let (_, mut explainer, picture) = looking(SMALL);
    for class in 0..5 {
        let reasons = explainer.reasons(Method::Integrated { steps: 300 }, class).unwrap();
        let baseline = reasons.baseline.unwrap();
        assert!((baseline - score(&explainer, &vec![0.0; picture.len()], class)).abs() < 1e-5);
        let sum: f32 = reasons.map.iter().sum();
        let (difference, size) = (reasons.score - baseline, reasons.map.iter().map(|v| v.abs()).sum::<f32>());
        assert!((sum - difference).abs() < 0.01 * size, "class {class}: {sum}, not {difference}");
        assert!(reasons.map.iter().zip(&picture).all(|(v, x)| *x != 0.0 || *v == 0.0), "paper is to blame");
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn the_way_back_has_the_slopes_of_the_loss() {
    let (_, mut explainer, picture) = looking(SMALL);
    let back = explainer.backward(3).unwrap();
    for name in ["conv1.weight", "conv1.bias", "conv2.weight", "affine1.weight", "affine2.bias"] {
        let gradient: Vec<f32> = explainer.weight_gradient(&back, name).unwrap().iter().copied().collect();
        let slope = |i| explainer.numeric(3, name, i, 4e-3).unwrap().slope as f32;
        let want: Vec<f32> = (0..gradient.len()).map(slope).collect();
        agree(&gradient, &want, gradient.len() / 20);
    }
    let loss = |x: &[f32]| {
        let scores: Vec<f32> = (0..5).map(|class| score(&explainer, x, class)).collect();
        scores.iter().map(|s| s.exp()).sum::<f32>().ln() - scores[3]
    };
    assert!((back.loss as f32 - loss(&picture)).abs() < 1e-5);
    agree(&explainer.value_gradient(&back, "input").unwrap(), &slopes(&picture, 2e-3, loss), 2);
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_maps_gradient_sums_to_its_biass_and_a_step_lowers_the_loss() {
    let (_, mut explainer, _) = looking(SMALL);
    let back = explainer.backward(1).unwrap();
    for (layer, pixels) in [("conv1", 72), ("conv2", 4), ("affine1", 1), ("affine2", 1)] {
        let (values, dy) = (explainer.values(layer).unwrap(), explainer.value_gradient(&back, layer).unwrap());
        // The gradient is that behind the ReLU; the bias gets what passes it.
        let passed: Vec<f32> =
            values.iter().zip(&dy).map(|(&y, &dy)| if y > 0.0 || layer == "affine2" { dy } else { 0.0 }).collect();
        let sums: Vec<f32> = passed.chunks_exact(pixels).map(|map| map.iter().sum()).collect();
        let bias: Vec<f32> =
            explainer.weight_gradient(&back, &format!("{layer}.bias")).unwrap().iter().copied().collect();
        agree(&sums, &bias, 0);
    }
    let names: Vec<String> = explainer.params().views().iter().map(|view| view.name.clone()).collect();
    let all = names.iter().map(|name| explainer.weight_gradient(&back, name).unwrap());
    let square: f32 = all.map(|gradient| gradient.iter().map(|g| g * g).sum::<f32>()).sum();
    let rate = 1e-3;
    let fall = (back.loss - explainer.loss_after(&back, rate).unwrap()) as f32;
    assert!((fall / rate - square).abs() < 0.05 * square, "{fall} at rate {rate}, not {square} times that");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn the_numbers_of_a_step_make_the_layer() {
    for (description, layers) in
        [(SMALL, &["conv1", "pool1", "conv2", "affine1", "affine2"][..]), (WINDOWS, &["a", "b", "c", "d"])]
    {
        let (net, explainer, _) = looking(description);
        for layer in layers {
            let (shape, values) = (net.node(net.wire(layer).unwrap()).shape, explainer.values(layer).unwrap());
            let relu = description == SMALL && *layer != "affine2";
            let behind = |sum: f32| if relu { sum.max(0.0) } else { sum };
            for (i, &value) in values.iter().enumerate() {
                let (c, y, x) = (i / (shape.h * shape.w), i / shape.w % shape.h, i % shape.w);
                let step = explainer.step(layer, c, y, x).unwrap();
                assert_eq!(step.value, value, "{layer} {c}, {y}, {x}");
                assert!((behind(step.sum) - step.value).abs() < 1e-5, "{layer} {c}, {y}, {x}: {step:?}");
                let area = step.window.kernel.0 * step.window.kernel.1;
                assert_eq!(step.inputs.len(), step.channels.len() * area);
            }
            let Ok((matrix, columns)) = explainer.columns(layer) else { continue };
            let weights = explainer.params().get(&format!("{layer}.weight")).unwrap();
            let (bias, weights) = (
                explainer.params().get(&format!("{layer}.bias")).unwrap(),
                weights.iter().copied().collect::<Vec<_>>(),
            );
            for (row, columns) in columns.chunks_exact(matrix.w).enumerate() {
                for (c, kernel) in weights.chunks_exact(matrix.w).enumerate() {
                    let sum = bias[[c]] + columns.iter().zip(kernel).map(|(a, b)| a * b).sum::<f32>();
                    assert!(
                        (behind(sum) - values[c * matrix.h + row]).abs() < 1e-5,
                        "{layer}: row {row} times filter {c}"
                    );
                }
            }
        }
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn the_receptive_field_is_what_moves_a_number() {
    let (net, mut explainer, picture) = looking(WINDOWS);
    for layer in ["input", "a", "b", "c", "d"] {
        let shape = net.node(net.wire(layer).unwrap()).shape;
        let last = shape.h * shape.w - 1;
        for i in [0, last / 2, last] {
            explainer.look(&picture).unwrap();
            let field = explainer.receptive_field(layer, i / shape.w, i % shape.w).unwrap();
            let before = explainer.values(layer).unwrap()[i];
            let mut reached = Vec::new();
            for pixel in 0..225 {
                let mut moved = picture.clone();
                moved[pixel] += 1.0;
                explainer.look(&moved).unwrap();
                reached.extend(
                    (explainer.values(layer).unwrap()[i] != before)
                        .then_some((pixel as isize / 15, pixel as isize % 15)),
                );
            }
            let rows = || reached.iter().map(|p| p.0);
            let columns = || reached.iter().map(|p| p.1);
            let bounds = [rows().min(), columns().min(), rows().max(), columns().max()].map(Option::unwrap);
            let inside = [field.top.max(0), field.left.max(0), field.bottom.min(15) - 1, field.right.min(15) - 1];
            assert_eq!(bounds, inside, "{layer} {i}: {field:?}");
        }
    }
    let draw = zoo::build("deep_convnet").unwrap();
    let explainer = Explainer::new(&draw, &draw.zeros()).unwrap();
    let sizes = ["conv1", "conv2", "pool1", "conv3", "conv4", "pool2", "conv5", "conv6", "pool3"];
    let sizes =
        sizes.map(|layer| explainer.receptive_field(layer, 1, 1).unwrap()).map(|field| field.right - field.left);
    assert_eq!(sizes, [3, 5, 6, 10, 14, 16, 24, 32, 36]);
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn principal_components_are_the_axes_that_rows_were_made_along() {
    let mut rng = Rng::new(8);
    let (u, v) = ([0.6, 0.8, 0.0, 0.0], [-0.8, 0.6, 0.0, 0.0]);
    let along: Vec<[f32; 2]> = (0..400).map(|_| [3.0 * rng.normal(), rng.normal()]).collect();
    let rows: Vec<f32> = along
        .iter()
        .flat_map(|&[a, b]| [0, 1, 2, 3].map(|i| 5.0 + a * u[i] + b * v[i] + 0.01 * rng.normal()))
        .collect();
    let axes = Axes::of(&rows, 4).unwrap();
    assert!((axes.shares[0] - 0.9).abs() < 0.02 && (axes.shares[1] - 0.1).abs() < 0.02, "{:?}", axes.shares);
    let places: Vec<[f32; 2]> = rows.chunks_exact(4).map(|row| axes.place(row)).collect();
    for axis in [0, 1] {
        let correlation: f32 = places.iter().zip(&along).map(|(p, a)| p[axis] * a[axis]).sum::<f32>()
            / (places.iter().map(|p| p[axis].powi(2)).sum::<f32>()
                * along.iter().map(|a| a[axis].powi(2)).sum::<f32>())
            .sqrt();
        assert!(correlation.abs() > 0.995, "axis {axis}: {correlation}");
    }
    let across: f32 = places.iter().map(|p| p[0] * p[1]).sum::<f32>() / 400.0;
    assert!(across.abs() < 1e-2, "the places correlate: {across}");
    assert!(Axes::of(&rows[..4], 4).is_err() && Axes::of(&rows, 3).is_err() && Axes::of(&[0.0; 8], 4).is_ok());
    let found: Vec<usize> = nearest(&rows, &rows[40..44], 3).into_iter().map(|(i, _)| i).collect();
    let distance = |i: usize| rows[4 * i..].iter().zip(&rows[40..44]).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
    assert!(found[0] == 10 && (0..400).filter(|&i| distance(i) < distance(found[2])).count() == 2, "{found:?}");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn features_are_what_the_last_affine_layer_reads() {
    let (net, mut explainer, own) = looking(SMALL);
    let pictures: Vec<f32> = (0..20).flat_map(|k| own.iter().map(move |x| x * k as f32 / 10.0)).collect();
    let rows = explainer.features_of(&pictures).unwrap();
    assert_eq!((rows.len(), explainer.feature_len()), (20 * 6, 6));
    for (picture, row) in pictures.chunks_exact(net.input_shape().len()).zip(rows.chunks_exact(6)) {
        explainer.look(picture).unwrap();
        assert_eq!(explainer.values("affine1").unwrap(), row);
        assert_eq!(explainer.features().unwrap(), row);
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn an_album_holds_the_same_digits_however_they_came() {
    let net = zoo::build("simple_convnet").unwrap();
    let mut explainer = Explainer::new(&net, &drawn(&net, 5)).unwrap();
    let [mut whole, mut parts] = [(); 2].map(|()| Album::new(&explainer, 7));
    whole.add(&mut explainer, 25).unwrap();
    [20, 0, 5].into_iter().for_each(|count| parts.add(&mut explainer, count).unwrap());
    assert!(whole.labels() == parts.labels() && whole.rows() == parts.rows());
    assert!((0..10).filter(|digit| whole.labels().contains(digit)).count() > 5);
    // A digit's picture, rounded to bytes as it is, lies where it was.
    explainer.look(&whole.picture(9).unwrap()).unwrap();
    let found = whole.nearest(&explainer, 3).unwrap();
    assert!(found[0].0 == 9 && found[0].1 < 0.1 * found[1].1, "{found:?}");
    assert_eq!(whole.axes().unwrap(), parts.axes().unwrap());
    assert!(whole.picture(25).is_err() && whole.add(&mut explainer, 8000).is_err());
    assert_eq!(whole.labels().len(), 25);
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn an_ascent_steps_along_the_slope_of_its_goal() {
    let (net, mut explainer, _) = looking(SMALL);
    let plain = Goal { jitter: 0, blur: 0.0, variation: 0.0, rate: 0.01, ..Goal::new("affine2", vec![4, 0]) };
    let mut ascent = Ascent::new(&explainer, plain.clone()).unwrap();
    let before = ascent.pictures().to_vec();
    let reached = ascent.step(&mut explainer).unwrap();
    for (i, class) in [4, 0].into_iter().enumerate() {
        let before = &before[i * 72..][..72];
        assert_eq!(reached[i], score(&explainer, before, class));
        let slope = slopes(before, 2e-3, |x| score(&explainer, x, class));
        let size = (slope.iter().map(|s| s * s).sum::<f32>() / 72.0).sqrt();
        let want: Vec<f32> =
            before.iter().zip(&slope).map(|(x, s)| (x + 0.01 * s / size).clamp(0.0, 1.0) - x).collect();
        let got: Vec<f32> = ascent.pictures()[i * 72..][..72].iter().zip(before).map(|(a, b)| a - b).collect();
        agree(&got, &want, 3);
    }
    // With everything on, it still climbs, and repeats itself to the bit.
    let climb = |explainer: &mut Explainer, goal: &Goal| {
        let mut ascent = Ascent::new(explainer, goal.clone()).unwrap();
        let heights: Vec<f32> = (0..30).map(|_| ascent.step(explainer).unwrap()[0]).collect();
        (heights, ascent.pictures().to_vec())
    };
    let goal = Goal::new("conv2", vec![1]);
    let (heights, picture) = climb(&mut explainer, &goal);
    assert!(heights[29] > heights[0], "{heights:?}");
    assert_eq!(climb(&mut explainer, &goal).1, picture);
    // A network of zeros wants nothing: what is left is the slope of the total variation.
    let mut zeros = Explainer::new(&net, &net.zeros()).unwrap();
    let mut still = Ascent::new(&zeros, Goal { variation: 2.0, ..plain }).unwrap();
    let before = still.pictures()[..72].to_vec();
    let variation = |x: &[f32]| {
        let square = |i: usize, next: usize| 0.5 * (x[next] - x[i]).powi(2);
        let right = (0..72).filter(|i| i % 8 < 7).map(|i| square(i, i + 1)).sum::<f32>();
        right + (0..64).map(|i| square(i, i + 8)).sum::<f32>()
    };
    let slope = slopes(&before, 1e-2, variation);
    still.step(&mut zeros).unwrap();
    let want: Vec<f32> = before.iter().zip(slope).map(|(x, s)| (x - 0.01 * 2.0 * s).clamp(0.0, 1.0)).collect();
    assert!(still.pictures()[..72].iter().zip(&want).all(|(a, b)| (a - b).abs() < 1e-4));
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_dream_grows_and_a_layer_sees_more_and_more() {
    let net = zoo::build("simple_convnet").unwrap();
    let params = drawn(&net, 5);
    let (h, w) = (48, 60);
    let given: Vec<f32> = (0..h * w).map(|i| ((i % w) as f32 / 9.0).sin() * 0.4 + 0.5).collect();
    let mut dream = Dream::new(&net, &params, "conv1", &given, (h, w), &[[0.0, 1.0]], 0.02).unwrap();
    let (mut seen, mut sizes) = (Vec::new(), Vec::new());
    while dream.steps().0 < dream.steps().1 {
        seen.push(dream.step().unwrap());
        sizes.push(dream.picture().0);
    }
    assert_eq!((sizes[0], sizes[23], dream.steps().1), (34, 48, 24));
    assert!(seen[11] > seen[0] && seen[23] > seen[12] && seen[12] > 0.0, "{seen:?}");
    let (rows, columns, picture) = dream.picture();
    assert!((rows, columns) == (h, w) && picture.iter().all(|p| (0.0..=1.0).contains(p)) && picture != given);
    let refused =
        |layer, size| Dream::new(&net, &params, layer, &given, size, &[[0.0, 1.0]], 0.02).err().map(|e| e.code());
    assert_eq!(refused("affine1", (h, w)), Some("shape"));
    assert_eq!(refused("conv9", (h, w)), Some("missing"));
    assert_eq!(refused("conv1", (w, w)), Some("shape"));
    assert_eq!(refused("conv1", (20, w)), Some("value"));
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn colours_climb_and_are_dreamt_in_the_numbers_that_the_network_reads() {
    let layers = r#"{"input":[3,9,8],"layers":[{"name":"conv","type":"conv","out":2,"kernel":3},
        {"name":"relu","type":"relu"},{"name":"flatten","type":"flatten"},{"name":"a","type":"affine","out":4}]}"#;
    let (net, mut explainer, _) = looking(layers);
    let ends = vec![[2.0, -1.5], [0.5, 3.0], [-1.0, 4.0]];
    let read = |x: &[f32]| -> Vec<f32> {
        x.iter().enumerate().map(|(i, v)| ends[i / 72][0] + v * (ends[i / 72][1] - ends[i / 72][0])).collect()
    };
    let mut goal = Goal { jitter: 0, blur: 0.0, variation: 0.0, rate: 0.01, ..Goal::new("a", vec![3]) };
    goal.ends = ends.clone();
    let mut ascent = Ascent::new(&explainer, goal.clone()).unwrap();
    let before = ascent.pictures().to_vec();
    assert_eq!(ascent.step(&mut explainer).unwrap(), [score(&explainer, &read(&before), 3)]);
    let slope = slopes(&before, 2e-3, |x| score(&explainer, &read(x), 3));
    let size = (slope.iter().map(|s| s * s).sum::<f32>() / 216.0).sqrt();
    let want: Vec<f32> = before.iter().zip(&slope).map(|(x, s)| (x + 0.01 * s / size).clamp(0.0, 1.0) - x).collect();
    let got: Vec<f32> = ascent.pictures().iter().zip(&before).map(|(a, b)| a - b).collect();
    agree(&got, &want, 3);
    goal.ends.pop();
    assert_eq!(Ascent::new(&explainer, goal).err().map(|e| e.code()), Some("shape"));

    let given: Vec<f32> = (0..3 * 28 * 30).map(|i| (i as f32 / 9.0).sin() * 0.4 + 0.5).collect();
    let mut dream = Dream::new(&net, explainer.params(), "conv", &given, (28, 30), &ends, 0.02).unwrap();
    let seen: Vec<f32> = (0..dream.steps().1).map(|_| dream.step().unwrap()).collect();
    assert!(seen[11] > seen[0] && dream.picture().2.len() == given.len(), "{seen:?}");
    let mut album = Album::new(&explainer, 1);
    assert_eq!(album.add(&mut explainer, 3).err().map(|e| e.code()), Some("shape"));
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn what_does_not_fit_is_refused_and_the_picture_stays() {
    let net = description::read(SMALL).unwrap();
    let mut explainer = Explainer::new(&net, &drawn(&net, 5)).unwrap();
    let code = |error: Option<Error>| error.map(|error| error.code());
    assert_eq!(code(explainer.scores().err()), Some("missing"));
    assert_eq!(code(explainer.reasons(Method::Saliency, 0).err()), Some("missing"));
    assert_eq!(code(explainer.backward(0).err()), Some("missing"));
    explainer.look(&picture(&net)).unwrap();
    let before = explainer.values("conv2").unwrap();
    assert_eq!(code(explainer.look(&[0.0; 5]).err()), Some("shape"));
    assert_eq!(code(explainer.look(&[f32::NAN; 72]).err()), Some("value"));
    for method in [
        Method::SmoothGrad { samples: 0, noise: 0.1, seed: 1 },
        Method::SmoothGrad { samples: 3, noise: f32::NAN, seed: 1 },
        Method::Occlusion { side: 0, stride: 1 },
        Method::Occlusion { side: 3, stride: 4 },
        Method::Integrated { steps: 0 },
    ] {
        assert_eq!(code(explainer.reasons(method, 0).err()), Some("value"), "{method:?}");
    }
    assert_eq!(code(explainer.reasons(Method::Guided, 5).err()), Some("value"));
    assert_eq!(code(explainer.backward(5).err()), Some("value"));
    assert_eq!(code(explainer.numeric(0, "conv1.weight", 27, 0.1).err()), Some("value"));
    assert_eq!(code(explainer.numeric(0, "conv1.weight", 0, 0.0).err()), Some("value"));
    assert_eq!(code(explainer.numeric(0, "conv3.weight", 0, 0.1).err()), Some("missing"));
    assert_eq!(code(explainer.step("relu1", 0, 0, 0).err()), Some("missing"));
    assert_eq!(code(explainer.step("conv1", 3, 0, 0).err()), Some("value"));
    assert_eq!(code(explainer.step("conv1", 0, 9, 0).err()), Some("value"));
    assert_eq!(code(explainer.receptive_field("conv2", 0, 2).err()), Some("value"));
    assert_eq!(code(Ascent::new(&explainer, Goal::new("conv1", vec![3])).err()), Some("value"));
    assert_eq!(code(Ascent::new(&explainer, Goal::new("conv1", vec![])).err()), Some("value"));
    assert_eq!(explainer.values("conv2").unwrap(), before);
    let maps =
        description::read(r#"{"input":[1,5,5],"layers":[{"name":"a","type":"conv","out":2,"kernel":3}]}"#).unwrap();
    assert_eq!(code(Explainer::new(&maps, &maps.zeros()).err()), Some("shape"));
    let plain = description::read(
        r#"{"input":[1,5,5],"layers":[{"name":"f","type":"flatten"},{"name":"a","type":"affine","out":2}]}"#,
    )
    .unwrap();
    let mut explainer = Explainer::new(&plain, &plain.zeros()).unwrap();
    explainer.look(&[0.5; 25]).unwrap();
    assert_eq!(code(explainer.reasons(Method::GradCam, 0).err()), Some("missing"));
}
