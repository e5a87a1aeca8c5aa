//! Models from elsewhere: ONNX graphs and NumPy's archives, what runs and what is refused.
#![cfg(not(target_arch = "wasm32"))]

mod absurd;
mod backend;
mod exported;
mod npz;
mod opened;
mod regions;

use hitofude::file::array::Array;
use hitofude::file::array::Number;
use hitofude::file::onnx::{self, Attribute, Graph, Model, Node, Port};
use hitofude::systems::imported::Imported;
use ndarray::ArrayD;
use std::collections::BTreeMap;

/// A node without attributes.
fn node(op: &str, name: &str, inputs: &[&str], output: &str) -> Node {
    Node {
        name: name.into(),
        op: op.into(),
        inputs: inputs.iter().map(|i| i.to_string()).collect(),
        outputs: vec![output.into()],
        ..Node::default()
    }
}

/// A model with one input `x` and one output `y`, both f32 of any shape.
fn model(nodes: Vec<Node>, constants: Vec<(&str, Array)>) -> Model {
    let port = |name: &str| Port { name: name.into(), number: Some(Number::F32), shape: None };
    let constants = constants.into_iter().map(|(name, array)| (name.to_string(), array)).collect();
    let graph = Graph { name: "g".into(), nodes, constants, inputs: vec![port("x")], outputs: vec![port("y")] };
    Model { opset: 17, producer: "tests".into(), graph, metadata: BTreeMap::new() }
}

fn real(shape: &[usize], values: &[f32]) -> Array {
    ArrayD::from_shape_vec(shape, values.to_vec()).unwrap().into()
}

#[test]
fn a_model_is_the_same_after_writing_and_reading() {
    let mut relu = node("LeakyRelu", "bend", &["x"], "y");
    relu.attributes.insert("alpha".into(), Attribute::Float(0.25));
    let model = model(vec![relu], vec![("w", real(&[2, 1], &[1.5, f32::NEG_INFINITY]))]);
    assert_eq!(onnx::read(&onnx::write(&model)).unwrap(), model);
}

#[test]
fn unknown_operators_are_listed_all_at_once_with_their_nodes() {
    let mut odd = node("Fancy", "last", &["b"], "y");
    odd.domain = "com.example".into();
    let model = model(
        vec![node("TfIdfVectorizer", "first", &["x"], "a"), node("TfIdfVectorizer", "", &["a"], "b"), odd],
        vec![],
    );
    let error = Imported::new(model).unwrap_err();
    assert_eq!(error.code(), "missing");
    let text = error.to_string();
    assert!(text.ends_with("got TfIdfVectorizer (first, node 1); com.example.Fancy (last)"), "{text}");
}

#[test]
fn what_depends_on_constants_only_is_computed_when_the_model_is_read() {
    let nodes =
        vec![node("Add", "", &["a", "a"], "b"), node("Mul", "", &["b", "a"], "c"), node("Add", "", &["x", "c"], "y")];
    let imported = Imported::new(model(nodes, vec![("a", real(&[2], &[1.0, 3.0]))])).unwrap();
    assert_eq!(imported.nodes().len(), 1);
    let y = imported.run(&[("x".into(), real(&[2], &[0.5, 0.5]))]).unwrap();
    assert_eq!(y, [("y".to_string(), real(&[2], &[2.5, 18.5]))]);
}

#[test]
fn inputs_are_asked_for_by_name_and_converted() {
    let imported = Imported::new(model(vec![node("Neg", "", &["x"], "y")], vec![])).unwrap();
    let error = imported.run(&[("z".into(), real(&[1], &[1.0]))]).unwrap_err();
    assert_eq!(error.to_string(), "inputs: expected x, got z");
    let whole: Array = ArrayD::from_elem(vec![2], 3_i64).into();
    assert_eq!(imported.run(&[("x".into(), whole)]).unwrap()[0].1, real(&[2], &[-3.0, -3.0]));
}

#[test]
fn a_loop_without_end_and_a_circle_of_operators_are_refused() {
    let port = |name: &str, number| Port { name: name.into(), number: Some(number), shape: Some(vec![]) };
    let on = Array::from(ArrayD::from_elem(vec![], true));
    let body = Graph {
        name: "body".into(),
        nodes: vec![node("Identity", "", &["go"], "on"), node("Identity", "", &["v"], "w")],
        inputs: vec![port("i", Number::I64), port("go", Number::Bool), port("v", Number::F32)],
        outputs: vec![port("on", Number::Bool), port("w", Number::F32)],
        ..Graph::default()
    };
    let mut endless = node("Loop", "spin", &["", "c", "x"], "y");
    endless.attributes.insert("body".into(), Attribute::Graph(body));
    let imported = Imported::new(model(vec![endless], vec![("c", on)])).unwrap();
    let error = imported.run(&[("x".into(), real(&[], &[1.0]))]).unwrap_err().to_string();
    assert!(error.contains("at most 1048576 rounds"), "{error}");
    let circle = vec![node("Relu", "r", &["b"], "a"), node("Relu", "s", &["a"], "b"), node("Relu", "t", &["a"], "y")];
    let error = onnx::read(&onnx::write(&model(circle, vec![]))).unwrap_err().to_string();
    assert!(error.contains("a node before it makes"), "{error}");
}

#[test]
fn settings_of_recurrent_operators_that_mean_nothing_are_refused() {
    let refused = |change: &dyn Fn(&mut Node)| {
        let mut cell = node("RNN", "cell", &["x", "w", "r"], "y");
        change(&mut cell);
        let constants = vec![("w", real(&[1, 2, 3], &[0.5; 6])), ("r", real(&[1, 2, 2], &[0.5; 4]))];
        let imported = Imported::new(model(vec![cell], constants)).unwrap();
        imported.run(&[("x".into(), real(&[2, 1, 3], &[0.1; 6]))]).unwrap_err().to_string()
    };
    let set = |name: &'static str, to: Attribute| {
        move |cell: &mut Node| drop(cell.attributes.insert(name.into(), to.clone()))
    };
    for (change, words) in [
        (set("clip", Attribute::Float(-1.0)), "a clip of at least 0"),
        (set("direction", Attribute::Text("sideways".into())), "forward, reverse or bidirectional"),
        (set("hidden_size", Attribute::Int(3)), "weights of"),
        (set("activations", Attribute::Texts(vec!["Fancy".into()])), "activations of recurrent cells"),
    ] {
        let error = refused(&change);
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn a_size_that_is_said_counts_and_one_that_is_open_is_named() {
    let mut open = model(vec![node("Relu", "r", &["x"], "y")], vec![]);
    open.graph.inputs[0].shape = Some(vec![None, Some(3), None, None]);
    let mut open = Imported::new(open).unwrap();
    let error = open.operators().unwrap_err().to_string();
    assert_eq!(error, "x: expected a size that the file gives, or that is said, got any × 3 × any × any");
    open.resize("x", &[2, 3, 8, 6]).unwrap();
    assert_eq!(open.operators().unwrap()[0].shape, [2, 3, 8, 6]);
    // A graph that runs for four images alone is described for four.
    let to: Array = ndarray::arr1(&[4_i64, -1]).into_dyn().into();
    let nodes = vec![node("Reshape", "f", &["x", "to"], "f"), node("MatMul", "m", &["f", "w"], "y")];
    let mut fixed = model(nodes, vec![("to", to), ("w", real(&[6, 2], &[0.5; 12]))]);
    fixed.graph.inputs[0].shape = Some(vec![Some(4), Some(1), Some(2), Some(3)]);
    assert_eq!(Imported::new(fixed).unwrap().operators().unwrap()[1].shape, [4, 2]);
}

#[test]
fn what_a_branch_makes_of_the_input_depends_on_it() {
    let port = |name: &str| Port { name: name.into(), number: Some(Number::F32), shape: None };
    let branch = |op: &str| Graph {
        name: op.into(),
        nodes: vec![node(op, "", &["x"], &format!("{op}_x"))],
        outputs: vec![port(&format!("{op}_x"))],
        ..Graph::default()
    };
    let mut choose = node("If", "choose", &["c"], "y");
    choose.attributes.insert("then_branch".into(), Attribute::Graph(branch("Exp")));
    choose.attributes.insert("else_branch".into(), Attribute::Graph(branch("Neg")));
    let mut model = model(vec![choose], vec![("c", Array::from(ArrayD::from_elem(vec![], true)))]);
    model.graph.inputs[0].shape = Some(vec![Some(1), Some(2)]);
    let imported = Imported::new(model).unwrap();
    // Of a run on zeros it would be 1, whatever the input.
    assert_eq!(imported.operators().unwrap().len(), 1);
    assert_eq!(
        imported.run(&[("x".into(), real(&[1, 2], &[0.0, 1.0]))]).unwrap()[0].1,
        real(&[1, 2], &[1.0, 1.0_f32.exp()])
    );
}

#[test]
fn a_name_that_nobody_makes_or_two_make_is_refused() {
    let read = |nodes| onnx::read(&onnx::write(&model(nodes, vec![]))).unwrap_err().to_string();
    let missing = read(vec![node("Relu", "r", &["z"], "y")]);
    assert!(missing.contains("Relu r") && missing.ends_with("got z"), "{missing}");
    let twice = read(vec![node("Relu", "r", &["x"], "y"), node("Relu", "s", &["x"], "y")]);
    assert!(twice.contains("defined once"), "{twice}");
}
