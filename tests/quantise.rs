//! Networks in few bits: whole numbers follow the float network, learnt bits are kept, files come back, bad ones are refused.
#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::levels;
use hitofude::nn::layers::quant_conv::fit_steps;
use hitofude::nn::{Init, Mode, Network, Params, Run, Want, description};
use hitofude::rng::Rng;
use hitofude::systems::quantise::{self, Bits, Form, Kind, Method, Model, Plan, Runner, layout, search};
use hitofude::tensor::Tensor;
use hitofude::train::{Optimiser, Options, Rule, Trainer};

/// A convolution, a sum of two ways with batch norms, pooling, a hidden layer.
const NET: &str = r#"{"input":[1,12,12],"layers":[
    {"name":"conv1","type":"conv","out":7,"kernel":3,"pad":1},{"name":"norm1","type":"batch_norm"},{"name":"relu1","type":"relu"},
    {"name":"conv2","type":"conv","out":7,"kernel":3,"pad":1,"bias":false},{"name":"norm2","type":"batch_norm"},
    {"name":"sum","type":"add","inputs":["norm2","relu1"]},{"name":"relu2","type":"relu"},
    {"name":"pool","type":"max_pool","kernel":2,"stride":2},
    {"name":"flatten","type":"flatten"},{"name":"drop","type":"dropout"},
    {"name":"hidden","type":"affine","out":20},{"name":"relu3","type":"relu"},{"name":"scores","type":"affine","out":4},{"name":"drop2","type":"dropout"}]}"#;

/// One bit inside, as in BinaryNet.
const SIGNS: &str = r#"{"input":[1,12,12],"layers":[
    {"name":"conv1","type":"conv","out":33,"kernel":3,"bias":false},{"name":"norm1","type":"batch_norm"},
    {"name":"pool","type":"max_pool","kernel":2,"stride":2},{"name":"sign1","type":"sign"},
    {"name":"conv2","type":"quant_conv","out":40,"kernel":3},{"name":"norm2","type":"batch_norm"},
    {"name":"sign2","type":"sign"},{"name":"conv3","type":"quant_conv","out":9,"kernel":3,"scaled":true},
    {"name":"relu","type":"relu"},{"name":"mean","type":"global_average_pool"},{"name":"flatten","type":"flatten"},
    {"name":"scores","type":"affine","out":4}]}"#;

/// What follows the first signs of [`SIGNS`].
const TAIL: &str = r#"{"input":[33,5,5],"layers":[
    {"name":"conv2","type":"quant_conv","out":40,"kernel":3},{"name":"norm2","type":"batch_norm"},
    {"name":"sign2","type":"sign"},{"name":"conv3","type":"quant_conv","out":9,"kernel":3,"scaled":true},
    {"name":"relu","type":"relu"}]}"#;

fn network(text: &str) -> (Network, Params) {
    let net = description::read(text).unwrap();
    let mut params = net.zeros();
    Init::He.fill(&mut params, 5).unwrap();
    let mut rng = Rng::new(6);
    for view in net.views().to_vec().iter().filter(|view| view.name.contains("norm") || view.name.ends_with("bias")) {
        let var = view.name.ends_with("var") || view.name.ends_with("weight");
        let numbers: Vec<f32> =
            (0..view.len()).map(|_| if var { rng.range(0.5, 2.0) } else { rng.range(-0.3, 0.3) }).collect();
        params.set(&view.name, &Tensor::from_shape_vec(view.shape.clone(), numbers).unwrap()).unwrap();
    }
    fit_steps(&net, &mut params).unwrap();
    (net, params)
}

fn images(n: usize) -> Vec<f32> {
    let mut rng = Rng::new(9);
    (0..n * 144).map(|_| rng.uniform()).collect()
}

fn floats(net: &Network, params: &Params, images: &[f32]) -> Vec<f32> {
    let n = images.len() / 144;
    let mut run = Run::new(net, n, &Want::outputs());
    run.forward(params, images, n, Mode::Infer).unwrap();
    run.output().to_vec()
}

fn model(text: &str, bits: Vec<Bits>, method: Method) -> (Model, Vec<f32>) {
    let (net, params) = network(text);
    let (plan, pictures) = (Plan { bits, method }, images(30));
    (quantise::quantise(&net, &params, &plan, &pictures).unwrap(), floats(&net, &params, &pictures))
}

/// Root of the mean squared difference over that of the numbers.
fn error(got: &[f32], want: &[f32]) -> f32 {
    let square = |numbers: &mut dyn Iterator<Item = f32>| numbers.map(|v| v * v).sum::<f32>();
    (square(&mut got.iter().zip(want).map(|(g, w)| g - w)) / square(&mut want.iter().copied())).sqrt()
}

#[test]
fn eight_bits_follow_the_float_network() {
    for method in [Method::MinMax, Method::Mse, Method::Percentile(0.01)] {
        let (model, want) = model(NET, vec![Bits::Int(8)], method);
        let got = Runner::new(&model, 30).unwrap().run(&images(30)).unwrap();
        let error = error(&got, &want);
        assert!(error < 0.03, "{method:?}: {error}");
    }
}

/// Fewer bits, more error: each rule is at work, and none breaks down.
#[test]
fn the_error_grows_as_bits_go() {
    let all = [Bits::Int(8), Bits::Int(4), Bits::Int(3), Bits::Int(2), Bits::Ternary, Bits::One];
    let errors: Vec<f32> = all
        .iter()
        .map(|bits| {
            let (model, want) = model(NET, vec![*bits], Method::MinMax);
            assert!(model.filters().all(|(_, filters)| filters.bits == *bits));
            error(&Runner::new(&model, 30).unwrap().run(&images(30)).unwrap(), &want)
        })
        .collect();
    assert!(errors[..4].is_sorted(), "{errors:?}");
    assert!(errors[1] < 0.2 && errors[4] < 1.0 && errors[5] < 1.2 && errors[5] > errors[1], "{errors:?}");
}

/// Every level gives the same bits, and every image the same alone as among others.
#[test]
fn all_levels_and_batches_agree_to_the_bit() {
    for text in [NET, SIGNS] {
        let (model, _) = model(text, vec![Bits::Int(8)], Method::MinMax);
        let pictures = images(7);
        let want = Runner::new(&model, 7).unwrap().run(&pictures).unwrap();
        for level in levels() {
            let mut runner = Runner::at_level(&model, 3, level).unwrap();
            let got: Vec<f32> = pictures.chunks(2 * 144).flat_map(|two| runner.run(two).unwrap()).collect();
            assert!(got.iter().zip(&want).all(|(g, w)| g.to_bits() == w.to_bits()), "{level:?}");
        }
    }
}

/// From the first signs on, whole numbers compute what the trained network does: only the levels at the end round.
#[test]
fn a_network_of_signs_is_the_one_that_was_trained() {
    let (model, _) = model(SIGNS, vec![Bits::Int(8)], Method::MinMax);
    let forms: Vec<bool> = model.steps.iter().map(|step| step.form == Form::Signs).collect();
    assert_eq!(forms, [false, true, true, true, false, false, false], "a sign goes into the store of the layer before");
    let mut runner = Runner::new(&model, 30).unwrap();
    runner.run(&images(30)).unwrap();
    let (tail, mut params) = network(TAIL);
    for view in tail.views() {
        params.set(&view.name, &network(SIGNS).1.get(&view.name).unwrap()).unwrap();
    }
    let (mut signs, mut maps) = (vec![0.0; 33 * 25], vec![0.0; 9]);
    let Form::Levels { step, .. } = model.steps[4].form else { panic!("levels behind the last signs") };
    let mut run = Run::new(&tail, 1, &Want::outputs());
    for image in 0..30 {
        runner.values(2, image, &mut signs).unwrap();
        assert!(signs.iter().all(|s| s.abs() == 1.0) && signs.contains(&1.0) && signs.contains(&-1.0));
        run.forward(&params, &signs, 1, Mode::Infer).unwrap();
        runner.values(4, image, &mut maps).unwrap();
        for (got, want) in maps.iter().zip(run.output()) {
            assert!((got - want).abs() <= 0.51 * step, "{got} for {want}, levels of {step}");
        }
    }
    assert!(maps.iter().any(|v| *v != 0.0));
}

#[test]
fn a_file_comes_back() {
    for (text, bits) in [(NET, vec![Bits::Int(8), Bits::Int(3), Bits::Ternary, Bits::One]), (SIGNS, vec![Bits::Int(5)])]
    {
        let (mut model, _) = model(text, bits, Method::MinMax);
        model.metadata.insert("name".into(), "a name".into());
        let file = layout::write(&model).unwrap();
        assert!(layout::is(&file));
        let back = layout::read(&file).unwrap();
        assert_eq!(layout::write(&back).unwrap().len(), file.len());
        assert_eq!(back.metadata, model.metadata);
        for ((a, fa), (b, fb)) in model.filters().zip(back.filters()) {
            assert_eq!((&a.name, &fa.weights, fa.bits, fa.relu), (&b.name, &fb.weights, fb.bits, fb.relu));
        }
        let run = |model: &Model| Runner::new(model, 30).unwrap().run(&images(30)).unwrap();
        let error = error(&run(&back), &run(&model));
        // A scale of half precision may turn a level, and a level a sign.
        assert!(error < if text == NET { 0.01 } else { 0.1 }, "{error}");
        let again = layout::read(&file).unwrap();
        assert_eq!(run(&again), run(&back));
    }
}

#[test]
fn bad_files_are_refused() {
    let (model, _) = model(NET, vec![Bits::Int(4)], Method::MinMax);
    let file = layout::write(&model).unwrap();
    for cut in 0..file.len() {
        assert!(layout::read(&file[..cut]).is_err(), "cut at {cut}");
    }
    let mut rng = Rng::new(3);
    let mut read = 0;
    for _ in 0..3000 {
        let mut hostile = file.clone();
        for _ in 0..1 + rng.below(3) {
            let at = rng.below(hostile.len());
            hostile[at] = rng.below(256) as u8;
        }
        // Whatever is read can run.
        if let Ok(model) = layout::read(&hostile) {
            read += 1;
            if model.input().len() == 144 {
                Runner::new(&model, 1).unwrap().run(&images(1)).unwrap();
            }
        }
    }
    assert!(read > 0);
    let mut wrong = model.clone();
    let Kind::Filters(filters) = &mut wrong.steps[1].kind else { panic!("a convolution") };
    filters.weights[0] = 100;
    assert!(wrong.check().unwrap_err().to_string().contains("weights of its bits"));
    wrong = model.clone();
    wrong.steps[2].inputs = vec![7];
    assert!(wrong.check().unwrap_err().to_string().contains("inputs before it"));
}

#[test]
fn what_has_no_form_is_refused_by_name() {
    let of = |layers: &str| {
        let net = description::read(&format!(r#"{{"input":[1,12,12],"layers":[{layers}]}}"#)).unwrap();
        let plan = Plan { bits: vec![Bits::Int(8)], method: Method::MinMax };
        quantise::quantise(&net, &net.zeros(), &plan, &images(2)).unwrap_err().to_string()
    };
    let conv = r#"{"name":"conv","type":"conv","out":4,"kernel":3}"#;
    assert!(of(&format!(r#"{conv},{{"name":"bend","type":"tanh"}}"#)).contains("bend"));
    assert!(of(&format!(r#"{conv},{{"name":"thin","type":"conv","out":4,"kernel":3,"groups":4}}"#)).contains("thin"));
    assert!(of(&format!(r#"{conv},{{"name":"end","type":"max_pool","kernel":2}}"#)).contains("end"));
    let padded = r#"{"name":"padded","type":"quant_conv","out":4,"kernel":3,"pad":1}"#;
    let signs = format!(
        r#"{conv},{{"name":"sign","type":"sign"}},{padded},{{"name":"last","type":"conv","out":2,"kernel":3}}"#
    );
    assert!(of(&signs).contains("padded"), "{}", of(&signs));
    let (net, params) = network(NET);
    let plan = |bits: usize| Plan { bits: vec![Bits::Int(8); bits], method: Method::MinMax };
    assert!(quantise::quantise(&net, &params, &plan(3), &images(2)).unwrap_err().to_string().contains("4 layers"));
    assert!(quantise::quantise(&net, &params, &plan(1), &[]).is_err());
    assert!(quantise::quantise(&net, &params, &plan(1), &[f32::NAN; 144]).is_err());
    let (model, _) = model(NET, vec![Bits::Int(8)], Method::MinMax);
    let mut runner = Runner::new(&model, 2).unwrap();
    assert!(
        runner.run(&images(3)).is_err() && runner.run(&[0.0; 143]).is_err() && runner.run(&[f32::NAN; 144]).is_err()
    );
    assert!(Runner::new(&model, 0).is_err() && Runner::new(&model, 5000).is_err());
    for (text, good) in [("8", true), ("ternary", true), ("1", true), ("0", false), ("9", false), ("nine", false)] {
        assert_eq!(text.parse::<Bits>().is_ok(), good, "{text}");
    }
}

/// The way down ends within the bytes, and each step takes some away.
#[test]
fn greedy_search_goes_down_to_its_bytes() {
    let (net, params) = network(NET);
    let pictures = images(30);
    let answers = floats(&net, &params, &pictures);
    let best = |row: &[f32]| (0..4).max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap() as u8;
    let labels: Vec<u8> = answers.chunks_exact(4).map(best).collect();
    let part = search::Labelled { images: &pictures, labels: &labels };
    let eight: usize = quantise::layers(&net).iter().map(|(_, weights, _)| weights).sum();
    let taken = search::greedy(&net, &params, Method::MinMax, part, eight / 2).unwrap();
    assert_eq!(taken[0].bytes, eight);
    assert!(taken.windows(2).all(|two| two[1].bytes < two[0].bytes));
    assert!(taken.last().unwrap().bytes <= eight / 2);
    assert!(taken[0].score.accuracy > 0.9, "{:?}", taken[0]);
    assert!(search::greedy(&net, &params, Method::MinMax, part, 10).is_err());
}

/// A latent weight never leaves −1 and 1, however large the steps; weights with steps do.
#[test]
fn latent_weights_are_clipped() {
    let text = |bits: usize| {
        format!(
            r#"{{"input":[1,12,12],"layers":[{{"name":"conv","type":"quant_conv","out":6,"kernel":3,"bits":{bits}}},
            {{"name":"mean","type":"global_average_pool"}},{{"name":"flatten","type":"flatten"}}]}}"#
        )
    };
    for (bits, clipped) in [(1, true), (4, false)] {
        let (net, params) = network(&text(bits));
        let options = Options { optimiser: Optimiser::new(Rule::Adam), ..Options::DEFAULT };
        let mut trainer = Trainer::new(&net, params, 6, 3, &options).unwrap();
        let pictures = images(6);
        for step in 0..40 {
            let fill = |i: usize, image: &mut [f32], target: &mut [f32]| {
                image.copy_from_slice(&pictures[i * 144..][..144]);
                target.fill(0.0);
                target[i] = 1.0;
            };
            trainer.step(6, 0.4, step, fill).unwrap();
        }
        let weights = trainer.params().get("conv.weight").unwrap();
        let most = weights.iter().fold(0.0f32, |most, w| most.max(w.abs()));
        assert_eq!(most == 1.0, clipped, "{bits} bits: {most}");
    }
}

/// One calibration serves all bits, and a search by steps ends where the whole one does.
#[test]
fn a_calibration_and_a_search_go_step_by_step() {
    let (net, params) = network(NET);
    let pictures = images(30);
    let ranges = quantise::Ranges::of(&net, &params, &[Bits::Int(8)], &pictures).unwrap();
    for bits in [vec![Bits::Int(4)], vec![Bits::Int(8), Bits::Ternary, Bits::One, Bits::Int(3)]] {
        let plan = Plan { bits, method: Method::Mse };
        let once = quantise::quantise(&net, &params, &plan, &pictures).unwrap();
        assert_eq!(quantise::quantise_within(&net, &params, &plan, &ranges).unwrap(), once);
    }
    let ends: Vec<&str> = ranges.ends().iter().map(|(_, end)| &**end).collect();
    assert_eq!(ends, ["input", "relu1", "norm2", "relu2", "pool", "relu3", "scores"]);
    let (other, own) = network(SIGNS);
    let plan = Plan { bits: vec![Bits::Int(8)], method: Method::MinMax };
    let refused = quantise::quantise_within(&other, &own, &plan, &ranges).err().map(|e| e.to_string());
    assert!(refused.is_some_and(|e| e.contains("ranges")), "ranges of another network");

    let labels = vec![1u8; 30];
    let part = search::Labelled { images: &pictures, labels: &labels };
    let mut own = search::Search::new(&net, &params, Method::MinMax, part).unwrap();
    let mut taken = vec![own.last().clone()];
    while let Some(choice) = own.step().unwrap() {
        taken.push(choice);
    }
    assert_eq!(taken.last().unwrap().bits, vec![Bits::Int(2); 4]);
    assert_eq!(own.step().unwrap(), None, "nothing is left to take");
    let least = taken.last().unwrap().bytes;
    assert_eq!(search::greedy(&net, &params, Method::MinMax, part, least).unwrap(), taken);
}

/// Layers that learnt one bit keep it while the others are searched, and the bytes say so.
#[test]
fn a_search_leaves_learnt_bits() {
    let (net, params) = network(SIGNS);
    let pictures = images(20);
    let part = search::Labelled { images: &pictures, labels: &[2; 20] };
    let mut search = search::Search::new(&net, &params, Method::MinMax, part).unwrap();
    let layers = quantise::layers(&net);
    let bytes: usize = layers.iter().map(|(_, n, learnt)| if *learnt { n.div_ceil(8) } else { *n }).sum();
    assert_eq!(search.last().bytes, bytes);
    while search.step().unwrap().is_some() {}
    let ends: Vec<Bits> = search.last().bits.clone();
    assert_eq!(ends, [Bits::Int(2), Bits::Int(8), Bits::Int(8), Bits::Int(2)], "what learnt its bits is never tried");
}

/// Weights with the batch norm worked in are what the levels round: of 8 bits, to half a step.
#[test]
fn folded_weights_are_what_is_rounded() {
    let (net, params) = network(NET);
    let (model, _) = model(NET, vec![Bits::Int(8)], Method::MinMax);
    for (step, filters) in model.filters() {
        let folded = quantise::folded(&net, &params, &step.name).unwrap();
        let each = filters.weights.len() / filters.scales.len();
        assert_eq!(folded.len(), filters.weights.len());
        for (i, (before, whole)) in folded.iter().zip(&filters.weights).enumerate() {
            let scale = filters.scales[i / each];
            // Beyond the largest level the step of the least error lets a weight be further off.
            if whole.unsigned_abs() < 127 {
                assert!((before - f32::from(*whole) * scale).abs() <= 0.501 * scale.abs(), "{}: {before}", step.name);
            }
        }
    }
    assert!(quantise::folded(&net, &params, "relu1").is_err());
}

/// A number taken apart is the number that the run came to, of levels and of signs, inside and at the border.
#[test]
fn sums_taken_apart_are_those_of_the_run() {
    for text in [NET, SIGNS] {
        let (model, _) = model(text, vec![Bits::Int(8)], Method::MinMax);
        let mut reader = quantise::Reader::new(model.clone()).unwrap();
        let many = reader.scores(&images(30)).unwrap();
        let answers = many.len() / 30;
        for image in 0..3 {
            let scores = reader.scores(&images(30)[image * 144..][..144]).unwrap();
            assert_eq!(scores, many[image * answers..][..answers]);
            for (step, _) in model.filters() {
                let values = reader.values(&step.name).unwrap();
                let hitofude::shape::Shape { c, h, w } = step.shape;
                for at in (0..values.len()).step_by(7) {
                    let (filter, y, x) = (at / (h * w), at / w % h, at % w);
                    let sum = reader.sum(&step.name, filter, (y, x)).unwrap();
                    let products = sum.inputs.iter().zip(&sum.weights).map(|(x, w)| i32::from(*x) * i32::from(*w));
                    assert_eq!(products.sum::<i32>(), sum.sum);
                    let agrees = match step.form {
                        Form::Levels { step, bounds: (lo, hi) } => {
                            let kept = sum.value.clamp(f32::from(lo) * step, f32::from(hi) * step);
                            (kept - values[at]).abs() <= 0.501 * step
                        }
                        Form::Signs => values[at] == if sum.value >= 0.0 { 1.0 } else { -1.0 },
                        Form::Numbers => (sum.value - values[at]).abs() <= 1e-4 * (1.0 + values[at].abs()),
                    };
                    assert!(agrees, "{} {filter} {y} {x}: {} and {}", step.name, sum.value, values[at]);
                }
                assert!(reader.sum(&step.name, c, (0, 0)).is_err() && reader.sum(&step.name, 0, (h, 0)).is_err());
            }
        }
        assert!(reader.sum("pool", 0, (0, 0)).is_err() && reader.values("nothing").is_err());
        let mut huge = model.clone();
        let image = huge.steps[0].clone();
        huge.steps = std::iter::once(image.clone())
            .chain((1..40).map(|i| quantise::Step {
                inputs: vec![i - 1],
                kind: Kind::MaxPool(hitofude::shape::Window::square(1)),
                ..image.clone()
            }))
            .collect();
        huge.steps.iter_mut().for_each(|step| step.shape = hitofude::shape::Shape::new(1, 1000, 1000));
        let last = huge.steps.last_mut().unwrap();
        last.form = Form::Numbers;
        last.kind = Kind::Filters(quantise::Filters {
            window: hitofude::shape::Window::square(1),
            bits: Bits::Int(8),
            weights: vec![1],
            scales: vec![1.0],
            bias: vec![0.0],
            relu: false,
        });
        huge.check().unwrap();
        assert!(
            quantise::Reader::new(huge).is_err_and(|e| e.to_string().contains("numbers of an image")),
            "memory has an end"
        );
        assert!(reader.scores(&[]).is_err() && reader.scores(&images(1)[1..]).is_err());
    }
}

/// As ONNX, in whole numbers between the operators, it gives the answers of the run: bits of every kind, sums, signs.
#[test]
fn as_onnx_it_answers_alike() {
    use hitofude::file::array::{Array, Data};
    use hitofude::file::onnx;
    use hitofude::systems::imported::Imported;
    for (text, bits) in [(NET, vec![Bits::Int(8), Bits::Int(3), Bits::Ternary, Bits::One]), (SIGNS, vec![Bits::Int(8)])]
    {
        let (model, _) = model(text, bits, Method::MinMax);
        let want = Runner::new(&model, 30).unwrap().run(&images(30)).unwrap();
        let graph = onnx::read(&onnx::write(&quantise::onnx::to_onnx("few", &model).unwrap())).unwrap();
        let levels = graph.graph.nodes.iter().filter(|node| node.op == "QuantizeLinear").count();
        assert_eq!(
            levels,
            model.steps.iter().filter(|s| matches!(s.form, Form::Levels { .. }) && s.kind != Kind::Mean).count()
        );
        let whole = graph
            .graph
            .constants
            .iter()
            .filter(|(name, a)| name.ends_with(".weight") && a.number() == hitofude::file::array::Number::I8);
        assert_eq!(whole.count(), model.filters().count());
        let input = Tensor::from_shape_vec(vec![30, 1, 12, 12], images(30)).unwrap();
        let out = Imported::new(graph).unwrap().run(&[("input".into(), Array::from(input))]).unwrap();
        let Data::Real(got) = out[0].1.data() else { panic!("scores") };
        assert_eq!(got.shape(), [30, 4]);
        let got: Vec<f32> = got.iter().copied().collect();
        // A bias is rounded to a sum's last digit, which may turn a level.
        assert!(error(&got, &want) < 0.01, "{}", error(&got, &want));
    }
}
