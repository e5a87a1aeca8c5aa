//! ONNX out, and in again: the graph answers what the network answers. The models and their answers are left in
//! `target/tmp/exported` for `tools/onnx_check.py`, which asks onnx.checker and onnxruntime.

use hitofude::file::array::Array;
use hitofude::file::safetensors::Precision;
use hitofude::file::{npz, onnx};
use hitofude::nn::description::{self, KINDS};
use hitofude::nn::{Init, Mode, Network, Params, Run, Want};
use hitofude::rng::Rng;
use hitofude::systems::exported::to_onnx;
use hitofude::systems::imported::Imported;
use hitofude::systems::saved::{self, Saved};
use hitofude::zoo;
use ndarray::ArrayD;
use std::collections::BTreeMap;
use std::path::Path;

/// What goes out as operators that do not come back as layers: volumes are taken apart, places of maxima are numbers.
const NO_LAYERS: [&str; 2] = ["layer_conv3d", "layer_max_unpool"];

/// Parameters that are all their own: nothing is 0 or 1, and variances are above 0.
fn drawn(net: &Network, seed: u64) -> Params {
    let mut params = net.zeros();
    Init::He.fill(&mut params, seed).unwrap();
    let mut rng = Rng::new(seed);
    for view in net.views().iter().filter(|view| !view.name.ends_with("weight") || view.shape.len() == 1) {
        let values = ArrayD::from_shape_fn(view.shape.clone(), |_| rng.range(0.5, 1.5));
        params.set(&view.name, &values).unwrap();
    }
    params
}

/// The network's own answers to `n` images.
fn answers(net: &Network, params: &Params, images: &[f32], n: usize) -> Vec<f32> {
    let mut run = Run::new(net, n, &Want::outputs());
    run.forward(params, images, n, Mode::Infer).unwrap();
    let len = net.node(net.output()).shape.len();
    let mut out = vec![0.0; n * len];
    for (i, out) in out.chunks_exact_mut(len).enumerate() {
        run.read(net.output(), i, out).unwrap();
    }
    out
}

/// Exports a network, leaves it for other programs, runs it as they would and holds the answers against the network's own.
fn agrees(name: &str, net: &Network) {
    let (params, n, shape) = (drawn(net, 7), 2, net.input_shape());
    let mut rng = Rng::new(11);
    let images: Vec<f32> = (0..n * shape.len()).map(|_| rng.normal()).collect();
    let want = answers(net, &params, &images, n);
    let model = to_onnx(name, net, &params, BTreeMap::new()).unwrap_or_else(|e| panic!("{name}: {e}"));
    let bytes = onnx::write(&model);
    let images: Array = ArrayD::from_shape_vec(vec![n, shape.c, shape.h, shape.w], images).unwrap().into();
    let imported = Imported::read(&bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
    let have = imported.run(&[("input".into(), images.clone())]).unwrap_or_else(|e| panic!("{name}: {e}"));
    let (label, have) = &have[0];
    assert_eq!((label.as_str(), have.len()), ("output", want.len()), "{name}");
    let scale = want.iter().fold(1e-6, |most: f32, v| most.max(v.abs()));
    let close = have.to_real().iter().zip(&want).all(|(a, b)| (a - b).abs() <= 1e-4 * scale);
    assert!(close, "{name}: {:?}\n{want:?}", have.to_real());
    if !NO_LAYERS.contains(&name) {
        let (lowered, values) = imported.network().unwrap_or_else(|e| panic!("{name}: {e}"));
        // Auxiliary classifiers lead to no answer and stay here.
        assert!(lowered.parameters() == net.parameters() || !net.auxiliaries().is_empty(), "{name}");
        let images = images.to_real();
        let have = answers(&lowered, &values, images.as_slice().unwrap(), n);
        assert!(
            have.iter().zip(&want).all(|(a, b)| (a - b).abs() <= 1e-4 * scale),
            "{name} as layers: {have:?}\n{want:?}"
        );
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("exported");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(format!("{name}.onnx")), bytes).unwrap();
    let wanted = ArrayD::from_shape_vec(have.shape(), want).unwrap();
    let arrays = [("input".to_string(), images), ("output".to_string(), wanted.into())];
    std::fs::write(folder.join(format!("{name}.npz")), npz::write(&arrays).unwrap()).unwrap();
}

#[test]
fn networks_for_digits_answer_the_same_as_onnx() {
    for row in zoo::CATALOGUE {
        agrees(row.name, &zoo::build(row.name).unwrap());
    }
}

#[test]
fn every_type_of_layer_answers_the_same_as_onnx() {
    for kind in KINDS {
        let option = |o: &description::Opt| match (kind.name, o.name) {
            // ONNX centres a response over an odd number of channels only as we do; two groups show that there are groups.
            ("conv3d", "slices" | "depth") => format!(",\"{}\":2", o.name),
            ("conv_transpose", "stride") => r#","stride":[2,3]"#.into(),
            ("conv_transpose", "output_pad") => r#","output_pad":[1,0]"#.into(),
            ("conv", "groups") => r#","groups":2"#.into(),
            ("max_pool" | "average_pool" | "conv", "pad") => r#","pad":1"#.into(),
            ("max_pool" | "average_pool", "stride") => r#","stride":[2,1]"#.into(),
            ("max_pool", "ceil") => r#","ceil":true"#.into(),
            ("prelu", "shared") => r#","shared":false"#.into(),
            ("instance_norm", "affine") => r#","affine":true"#.into(),
            _ => format!(",\"{}\":{}", o.name, o.default),
        };
        let options: String = kind.options.iter().map(option).collect();
        let inputs = match kind.name {
            "scale" => r#","inputs":["a","pooled"]"#,
            "max_unpool" => r#","inputs":["pooled","a"]"#,
            "add" | "concat" => r#","inputs":["a","a"]"#,
            _ => "",
        };
        let first = if kind.name == "affine" { r#""flatten""# } else { r#""leaky_relu","slope":0.5"# };
        let pool = match kind.name {
            "max_unpool" => r#""max_pool","kernel":2,"stride":2"#,
            _ => r#""global_average_pool""#,
        };
        // A flattening is in public order for whoever reads it, not as it lies in a run.
        let last = if kind.name == "flatten" { r#",{"name":"c","type":"affine","out":3}"# } else { "" };
        let text = format!(
            r#"{{"input":[4,8,6],"layers":[{{"name":"pooled","type":{pool}}},{{"name":"a","type":{first},"inputs":["input"]}},{{"name":"b","type":"{}"{options}{inputs}}}{last}]}}"#,
            kind.name
        );
        agrees(
            &format!("layer_{}", kind.name),
            &description::read(&text).unwrap_or_else(|e| panic!("{}: {e}", kind.name)),
        );
    }
}

#[test]
fn vectors_and_images_of_one_pixel_meet() {
    let text = r#"{"input":[3,4,4],"layers":[
        {"name":"pool","type":"global_average_pool"},
        {"name":"flat","type":"flatten"}, {"name":"fc","type":"affine","out":3},
        {"name":"gate","type":"sigmoid"},
        {"name":"scaled","type":"scale","inputs":["input","gate"]},
        {"name":"again","type":"global_average_pool"},
        {"name":"sum","type":"add","inputs":["again","gate"]},
        {"name":"last","type":"affine","out":2}]}"#;
    agrees("vectors", &description::read(text).unwrap());
}

#[test]
fn an_imported_network_keeps_its_names_and_learns() {
    let net = zoo::build("resnet_mini").unwrap();
    let model = to_onnx("resnet_mini", &net, &drawn(&net, 1), BTreeMap::new()).unwrap();
    let (lowered, params) = Imported::new(model).unwrap().network().unwrap();
    let names = |net: &Network| net.views().iter().map(|view| view.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&lowered), names(&net));
    let mut run = Run::new(&lowered, 2, &Want::training());
    let images: Vec<f32> = (0..2 * 784).map(|i| (i % 11) as f32 / 11.0).collect();
    run.forward(&params, &images, 2, Mode::Train { seed: 1 }).unwrap();
    let (_, _, dy, _) = run.seed_gradient(lowered.output()).unwrap();
    dy.fill(1.0);
    let mut gradient = vec![0.0; lowered.arena_len()];
    run.backward(&params, &mut gradient);
    for view in lowered.views() {
        assert!(gradient[view.range()].iter().any(|g| *g != 0.0), "{}: no gradient", view.name);
    }
}

#[test]
fn a_graph_tells_its_shapes_parameters_and_cost() {
    let net = zoo::build("lenet5").unwrap();
    let model = Imported::new(to_onnx("lenet5", &net, &drawn(&net, 1), BTreeMap::new()).unwrap()).unwrap();
    let rows = model.operators().unwrap();
    assert_eq!((rows[0].op.as_str(), rows[0].shape.as_slice()), ("Conv", &[1, 6, 28, 28][..]));
    assert_eq!(rows.iter().map(|row| row.parameters).sum::<usize>(), net.parameters());
    let cost =
        net.nodes().iter().filter_map(|n| Some(n.layer.as_ref()?.multiply_adds(&net.input_shapes(n)))).sum::<u64>();
    assert_eq!(rows.iter().map(|row| row.multiply_adds).sum::<u64>(), cost);
}

#[test]
fn operators_that_are_no_layers_are_listed_with_the_reason() {
    let mut model =
        to_onnx("m", &zoo::build("tiny").unwrap(), &drawn(&zoo::build("tiny").unwrap(), 1), BTreeMap::new()).unwrap();
    for node in model.graph.nodes.iter_mut().filter(|node| node.op == "Relu").take(2) {
        node.op = "Sin".into();
    }
    let error = Imported::new(model).unwrap().network().unwrap_err().to_string();
    assert_eq!(error.matches("Sin ").count(), 1, "what reads from no layer has no reason of its own: {error}");
}

#[test]
fn one_file_is_a_model_in_every_precision() {
    let net = zoo::build("resnet_mini").unwrap();
    let metadata = BTreeMap::from([("name".to_string(), "mine".to_string())]);
    let model = Saved { params: drawn(&net, 3), net, metadata };
    let images: Vec<f32> = (0..784).map(|i| (i % 7) as f32 / 7.0).collect();
    let want = answers(&model.net, &model.params, &images, 1);
    let scale = want.iter().fold(0.0, |most: f32, v| most.max(v.abs()));
    for (precision, within) in
        [(Precision::F32, 0.0), (Precision::F16, 0.01), (Precision::Bf16, 0.05), (Precision::I8, 0.05)]
    {
        let file = saved::write(&model, precision).unwrap();
        let back = saved::read(&file).unwrap();
        assert_eq!(back.metadata["name"], "mine");
        let have = answers(&back.net, &back.params, &images, 1);
        let worst = have.iter().zip(&want).fold(0.0, |most: f32, (a, b)| most.max((a - b).abs()));
        assert!(worst <= within * scale, "{precision:?}: {worst} of {scale}");
    }
}

#[test]
fn what_pytorch_counts_is_passed_over() {
    let net = zoo::build("resnet_mini").unwrap();
    let params = drawn(&net, 5);
    let mut header = String::from("{");
    let mut data = Vec::new();
    let mut push = |name: &str, dtype: &str, shape: &[usize], bytes: Vec<u8>| {
        let start = data.len();
        data.extend(bytes);
        let comma = if start > 0 { "," } else { "" };
        header += &format!(
            r#"{comma}"{name}":{{"dtype":"{dtype}","shape":{shape:?},"data_offsets":[{start},{}]}}"#,
            data.len()
        );
    };
    for (name, tensor) in params.named() {
        push(&name, "F32", tensor.shape(), tensor.iter().flat_map(|v| v.to_le_bytes()).collect());
        if let Some(layer) = name.strip_suffix(".running_var") {
            push(&format!("{layer}.num_batches_tracked"), "I64", &[], 3_i64.to_le_bytes().to_vec());
        }
    }
    header.push('}');
    let file = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &data].concat();
    assert_eq!(saved::read_for(net, &file).unwrap().params.values(), params.values());
}
