//! A model file of any format: known by its bytes, run and described alike, and the same model in every other format.

use super::{model, node, real};
use hitofude::file::array::{Array, Number};
use hitofude::file::onnx::{self, Port};
use hitofude::file::{npz, safetensors};
use hitofude::nn::{Init, Network, Params, description};
use hitofude::systems::opened::{Format, Opened, Target};
use hitofude::systems::saved::{self, Saved};
use hitofude::{Result, zoo};
use ndarray::ArrayD;
use std::collections::BTreeMap;

const SMALL: &str = r#"{"input":[2,6,6],"layers":[{"name":"c","type":"conv","out":3,"kernel":3,"pad":1},{"name":"r","type":"relu"},{"name":"p","type":"global_average_pool"},{"name":"f","type":"flatten"},{"name":"a","type":"affine","out":4}]}"#;

fn drawn(net: Network) -> Saved {
    let mut params = net.zeros();
    Init::He.fill(&mut params, 3).unwrap();
    Saved { net, params, metadata: BTreeMap::from([("name".into(), "mine".into())]) }
}

fn file() -> Vec<u8> {
    saved::write(&drawn(description::read(SMALL).unwrap()), safetensors::Precision::F32).unwrap()
}

fn images() -> (String, Array) {
    ("input".into(), ArrayD::from_shape_fn(vec![2, 2, 6, 6], |i| (i[0] + i[1] * 3 + i[2] * i[3]) as f32 / 9.0).into())
}

fn open(bytes: &[u8]) -> Opened {
    Opened::read(bytes, "file", None).unwrap()
}

fn answer(opened: &mut Opened) -> Vec<f32> {
    let (outputs, _) = opened.run(&[images()], &[]).unwrap();
    outputs[0].1.to_real().iter().copied().collect()
}

fn close(a: &[f32], b: &[f32], within: f32) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= within)
}

#[test]
fn a_model_answers_the_same_in_every_format_and_back() {
    let mut first = open(&file());
    assert_eq!((first.format, first.name.as_str()), (Format::Safetensors, "mine"));
    let want = answer(&mut first);
    assert_eq!(want.len(), 8);
    for (word, within) in [("onnx", 1e-5), ("npz", 0.0), ("safetensors-f32", 0.0), ("safetensors-f16", 1e-2)] {
        let bytes = first.write(Target::named(word).unwrap()).unwrap();
        let mut again = open(&bytes);
        assert!(word.starts_with(again.format.name()), "{word}");
        assert!(close(&answer(&mut again), &want, within), "{word}");
        // From each of them on to a file that the studio opens.
        let back = again.write(Target::named("safetensors-f32").unwrap()).unwrap();
        assert!(close(&answer(&mut open(&back)), &want, within), "{word} and back");
        assert!(saved::read(&back).unwrap().metadata.contains_key("network"));
    }
    assert_eq!(Target::named("h5").unwrap_err().code(), "missing");
}

#[test]
fn rows_say_what_reads_what_and_taps_show_what_each_made() {
    let mut own = open(&file());
    let bytes = own.write(Target::Onnx).unwrap();
    let mut graph = open(&bytes);
    let costs = |opened: &Opened| {
        let rows = opened.rows().unwrap();
        assert_eq!((rows[0].kind.as_str(), &rows[0].shape[..]), ("input", &[2, 6, 6][..]));
        assert!(rows.iter().enumerate().skip(1).all(|(i, row)| row.inputs.iter().all(|&from| from < i)));
        assert!(rows[1..].iter().all(|row| !row.inputs.is_empty()));
        rows.iter().fold((0, 0), |(p, m), row| (p + row.parameters, m + row.multiply_adds))
    };
    let parameters = 3 * 2 * 9 + 3 + 3 * 4 + 4;
    let products = 3 * 36 * 18 + 12;
    assert_eq!(costs(&own), (parameters, products));
    assert_eq!(costs(&graph), (parameters, products));
    let relu = |opened: &Opened, kind: &str| opened.rows().unwrap().iter().position(|row| row.kind == kind).unwrap();
    let (a, b) = (relu(&own, "relu"), relu(&graph, "Relu"));
    let (_, from_own) = own.run(&[images()], &[a, 0]).unwrap();
    let (_, from_graph) = graph.run(&[images()], &[b, 0]).unwrap();
    assert_eq!(from_own[0].shape(), [2, 3, 6, 6]);
    assert_eq!(from_own[1], images().1);
    let numbers = |array: &Array| array.to_real().iter().copied().collect::<Vec<_>>();
    assert!(close(&numbers(&from_own[0]), &numbers(&from_graph[0]), 1e-5));
    assert_eq!(from_graph[1], images().1);
    assert_eq!(graph.run(&[images()], &[99]).unwrap_err().code(), "missing");
    assert_eq!(own.run(&[images()], &[99]).unwrap_err().code(), "missing");
}

#[test]
fn sides_that_a_file_leaves_open_can_be_said() {
    let mut graph = model(vec![node("Relu", "r", &["x"], "y")], vec![]);
    let open_sides = vec![None, Some(3), None, None];
    graph.graph.inputs = vec![Port { shape: Some(open_sides), ..graph.graph.inputs[0].clone() }];
    let mut opened = open(&onnx::write(&graph));
    assert_eq!(opened.rows().unwrap_err().code(), "shape");
    assert_eq!(
        opened.resize("x", &[1, 4, 8, 8]).unwrap_err().to_string(),
        "x: expected any × 3 × any × any, got [1, 4, 8, 8]"
    );
    assert_eq!(opened.resize("z", &[1]).unwrap_err().code(), "missing");
    opened.resize("x", &[1, 3, 8, 6]).unwrap();
    assert_eq!(opened.rows().unwrap()[1].shape, [3, 8, 6]);
    opened.resize("x", &[1, 3, 4, 4]).unwrap();
    assert_eq!(opened.rows().unwrap()[1].shape, [3, 4, 4]);
    assert_eq!(opened.inputs()[0].shape, Some(vec![None, Some(3), None, None]));
    assert_eq!(open(&file()).resize("input", &[1, 2, 6, 7]).unwrap_err().code(), "shape");
}

#[test]
fn every_input_is_a_row_and_can_be_looked_at() {
    let mut graph = model(vec![node("Relu", "r", &["x"], "b"), node("Add", "sum", &["b", "z"], "y")], vec![]);
    let port = |name: &str, number| Port { name: name.into(), number: Some(number), shape: Some(vec![None, Some(2)]) };
    graph.graph.inputs = vec![port("x", Number::F32), port("z", Number::F32)];
    let mut opened = open(&onnx::write(&graph));
    let rows = opened.rows().unwrap();
    assert_eq!(rows.iter().map(|row| row.kind.as_str()).collect::<Vec<_>>(), ["input", "input", "Relu", "Add"]);
    assert_eq!((&rows[2].inputs[..], &rows[3].inputs[..]), (&[0][..], &[2, 1][..]));
    let given = [("x".into(), real(&[1, 2], &[-1.0, 2.0])), ("z".into(), real(&[1, 2], &[5.0, 6.0]))];
    let (outputs, taps) = opened.run(&given, &[1, 2]).unwrap();
    assert_eq!(outputs[0].1, real(&[1, 2], &[5.0, 8.0]));
    assert_eq!(taps, [real(&[1, 2], &[5.0, 6.0]), real(&[1, 2], &[0.0, 2.0])]);
    assert_eq!(opened.network().map(drop).unwrap_err().to_string(), "network: expected one input, got 2");
    // Whole numbers pick the row of a table.
    let mut picks =
        model(vec![node("Gather", "pick", &["t", "x"], "y")], vec![("t", real(&[2, 2], &[1.0, 2.0, 3.0, 4.0]))]);
    picks.graph.inputs = vec![port("x", Number::I64)];
    assert_eq!(open(&onnx::write(&picks)).rows().unwrap()[1].shape, [2, 2]);
}

/// Weights under the names and in the layout of a catalogue network, as `numpy.savez` or PyTorch would have them.
fn bare(params: &Params) -> Vec<u8> {
    let arrays: Vec<(String, Array)> = params.named().into_iter().map(|(name, t)| (name, t.into())).collect();
    npz::write(&arrays).unwrap()
}

#[test]
fn weights_alone_find_their_network_or_ask_for_it() {
    let lenet = drawn(zoo::build("lenet5").unwrap());
    let found = open(&bare(&lenet.params));
    assert_eq!((found.format, found.name.as_str()), (Format::Npz, "lenet5"));
    let own = drawn(description::read(SMALL).unwrap());
    let refused = Opened::read(&bare(&own.params), "file", None).map(drop).unwrap_err();
    assert!(refused.code() == "missing" && refused.to_string().contains("fit none"), "{refused}");
    assert!(Opened::read(&bare(&own.params), "file", Some(SMALL)).is_ok());
    assert_eq!(Opened::read(&bare(&own.params), "file", Some("lenet5")).map(drop).unwrap_err().code(), "missing");
}

/// torchvision gives GoogLeNet without them when it comes with trained weights.
#[test]
fn auxiliary_classifiers_may_be_left_out_of_weights() {
    let Saved { net, params, .. } = drawn(zoo::build("googlenet_mini").unwrap());
    let image =
        ("input".to_string(), Array::from(ArrayD::from_shape_fn(vec![1, 1, 28, 28], |i| (i[2] + i[3]) as f32 / 60.0)));
    let answer = |file: &[u8]| {
        let mut opened = open(file);
        assert_eq!(opened.metadata["architecture"], "googlenet_mini");
        let (outputs, _) = opened.run(std::slice::from_ref(&image), &[]).unwrap();
        outputs[0].1.to_real().iter().copied().collect::<Vec<f32>>()
    };
    let mut tensors = params.named();
    tensors.push(("conv1.bn.num_batches_tracked".into(), ndarray::arr0(3.0).into_dyn()));
    let save = |tensors: &[(String, hitofude::tensor::Tensor)]| {
        let weights = safetensors::Weights { tensors: tensors.to_vec(), metadata: BTreeMap::new() };
        safetensors::write(&weights, safetensors::Precision::F32).unwrap()
    };
    let whole = answer(&save(&tensors));
    tensors.retain(|(name, _)| !name.starts_with("aux1"));
    assert!(tensors.len() < net.views().len());
    assert_eq!(answer(&save(&tensors)), whole);
    // Half of a classifier is a mistake.
    tensors.push(("aux1.fc2.bias".into(), params.get("aux1.fc2.bias").unwrap()));
    assert_eq!(Opened::read(&save(&tensors), "half", None).err().unwrap().code(), "missing");
}

#[test]
fn what_is_no_layer_here_runs_and_is_written_but_says_why_it_does_not_train() {
    let graph = model(vec![node("Sin", "wave", &["x"], "y")], vec![("w", real(&[1], &[2.0]))]);
    let mut with = graph.clone();
    with.graph.inputs[0].shape = Some(vec![None, Some(3)]);
    let opened = open(&onnx::write(&with));
    let error = opened.network().map(drop).unwrap_err();
    assert!(error.code() == "missing" && error.to_string().contains("Sin wave"), "{error}");
    assert_eq!(opened.write(Target::named("safetensors-f32").unwrap()).unwrap_err().code(), "missing");
    assert_eq!(npz::read(&opened.write(Target::Npz).unwrap()).unwrap(), [("w".to_string(), real(&[1], &[2.0]))]);
    assert_eq!(open(&opened.write(Target::Onnx).unwrap()).rows().unwrap(), opened.rows().unwrap());
}

#[test]
fn what_is_no_model_is_called_by_its_name() {
    let refused = |bytes: &[u8]| Opened::read(bytes, "file", None).map(drop).unwrap_err().to_string();
    assert!(refused(b"<!doctype html>").contains("web page"));
    assert!(refused(b"\x1f\x8b\x08").contains("gzip"));
    assert!(refused(b"\x89HDF\r\n").contains("Keras"));
    assert!(refused(b"PK\x03\x04----model/data.pkl").contains("torch.save"));
    assert!(refused(b"").contains("no bytes"));
    assert!(refused(b"hello").contains("other bytes"));
    assert_eq!(Format::of(b"\x80\x04.").unwrap(), Format::Pickle);
    assert_eq!(Format::of(include_bytes!("../files/pickles/protocol0.pkl")).unwrap(), Format::Pickle);
    // Half of a good file of each format is refused, never a panic.
    let own = open(&file());
    for word in ["onnx", "npz", "safetensors-f32"] {
        let whole = own.write(Target::named(word).unwrap()).unwrap();
        let half: Result<()> = Opened::read(&whole[..whole.len() / 2], "half", None).map(drop);
        assert_eq!(half.unwrap_err().code(), "format", "{word}");
    }
}
