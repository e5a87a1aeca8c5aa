//! Graphs that are well formed and ask for the absurd: each is answered or refused, within the memory that a run may take.

use super::{model, node, real};
use hitofude::file::array::Array;
use hitofude::file::onnx::{Attribute, Model, Node};
use hitofude::rng::Rng;
use hitofude::systems::imported::{Imported, operators};
use ndarray::ArrayD;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Graphs of one operator in a test run; `HITOFUDE_ABSURD` asks for another number.
const GRAPHS: u64 = 100_000;
/// What each may take at once.
const BYTES: usize = 16 << 20;

fn whole(values: &[i64]) -> Array {
    ArrayD::from_shape_vec(vec![values.len()], values.to_vec()).unwrap().into()
}

fn ints(values: &[i64]) -> Attribute {
    Attribute::Ints(values.to_vec())
}

fn with(mut node: Node, attributes: &[(&str, Attribute)]) -> Node {
    node.attributes.extend(attributes.iter().map(|(name, value)| (name.to_string(), value.clone())));
    node
}

fn run(model: Model, x: Array) -> hitofude::Result<Vec<(String, Array)>> {
    Imported::new(model)?.run(&[("x".into(), x)])
}

/// Whether a run is refused for what it would take.
fn is_too_much(model: Model, x: Array) {
    let error = run(model, x).unwrap_err().to_string();
    let refused = ["memory", "work", "array"].map(|what| format!("{what}: expected at most"));
    assert!(refused.iter().any(|refused| error.contains(refused)), "{error}");
}

#[test]
fn windows_as_large_as_the_padding_cost_what_lies_inside() {
    let image = real(&[1, 1, 8, 8], &[2.0; 64]);
    for op in ["MaxPool", "AveragePool"] {
        let pool =
            with(node(op, "", &["x"], "y"), &[("kernel_shape", ints(&[6001, 6001])), ("pads", ints(&[3000; 4]))]);
        assert_eq!(run(model(vec![pool], vec![]), image.clone()).unwrap()[0].1, image);
    }
}

#[test]
fn arrays_that_live_at_once_are_added_up() {
    let sides = || ("sides", whole(&[9000, 9000]));
    let makes = |name: &str| node("ConstantOfShape", "", &["sides"], name);
    let sum = node("Sum", "", &["a", "b", "c", "d", "x"], "y");
    // Each has 324 MB, and a sum needs a fifth.
    is_too_much(model(vec![makes("a"), makes("b"), makes("c"), makes("d"), sum], vec![sides()]), real(&[1], &[0.0]));
    // What nobody reads any more makes room: one after another they are no more than two.
    let small = |from: &str, to: &str| with(node("ReduceSum", "", &[from], to), &[("keepdims", Attribute::Int(0))]);
    let chain = vec![makes("a"), small("a", "b"), makes("c"), small("c", "d"), makes("e"), small("e", "f")];
    let sum = node("Sum", "", &["b", "d", "f", "x"], "y");
    let model = model([chain, vec![sum]].concat(), vec![sides()]);
    assert_eq!(run(model.clone(), real(&[1], &[2.0])).unwrap()[0].1, real(&[1], &[2.0]));
    let mut less = Imported::new(model).unwrap();
    less.allow(100 << 20);
    assert!(less.run(&[("x".into(), real(&[1], &[2.0]))]).unwrap_err().to_string().contains("at most 100 MiB"));
}

#[test]
fn growth_and_work_are_refused_before_they_are_spent() {
    let image = || real(&[1, 1, 8, 8], &[1.0; 64]);
    let one = |node: Node, constants: Vec<(&str, Array)>, x: Array| is_too_much(model(vec![node], constants), x);
    one(node("Expand", "", &["x", "to"], "y"), vec![("to", whole(&[1, 300, 1000, 1000]))], real(&[1, 1, 1, 1], &[1.0]));
    one(node("Tile", "", &["x", "to"], "y"), vec![("to", whole(&[400, 30, 20, 20]))], image());
    let times = real(&[4], &[1.0, 1.0, 2000.0, 2100.0]);
    one(node("Resize", "", &["x", "", "times"], "y"), vec![("times", times)], image());
    let values = whole(&[0, 1]);
    let depth = ArrayD::from_elem(vec![], 4_000_000_i64).into();
    one(
        node("OneHot", "", &["x", "depth", "values"], "y"),
        vec![("depth", depth), ("values", values)],
        whole(&[1; 64]),
    );
    let turned = with(node("ConvTranspose", "", &["x", "w"], "y"), &[("strides", ints(&[4000, 4000]))]);
    one(turned, vec![("w", real(&[1, 1, 3, 3], &[1.0; 9]))], image());
    // A product of what the graph makes itself is refused, one of weights that are handed in is what they are for.
    let products = |of: &str| vec![node("MatMul", "", &[of, of], "a"), node("Add", "", &["a", "x"], "y")];
    let run = |model: Model| {
        let mut tight = Imported::new(model)?;
        tight.allow(64 << 20);
        tight.run(&[("x".into(), real(&[1], &[0.0]))])
    };
    let made = [vec![node("ConstantOfShape", "", &["sides"], "m")], products("m")].concat();
    let error = run(model(made, vec![("sides", whole(&[2000, 2000]))])).unwrap_err().to_string();
    assert!(error.contains("work: expected at most"), "{error}");
    assert!(run(model(products("w"), vec![("w", ArrayD::from_elem(vec![600, 600], 0.5_f32).into())])).is_ok());
}

#[test]
fn a_long_chain_without_names_and_an_endless_input_are_described_at_once() {
    let name = |i: usize| if i == 0 { "x".to_string() } else { format!("a{i}") };
    let mut nodes: Vec<Node> = (0..4000).map(|i| node("Relu", "", &[&name(i)], &name(i + 1))).collect();
    nodes[3999].outputs = vec!["y".into()];
    let mut chain = model(nodes, vec![]);
    chain.graph.inputs[0].shape = Some(vec![Some(1), Some(1), Some(2), Some(2)]);
    let (net, _) = Imported::new(chain).unwrap().network().unwrap();
    assert_eq!((net.nodes().len(), &net.nodes()[4000].name[..]), (4001, "relu_4000"));
    let mut endless = model(vec![node("Relu", "", &["x"], "y")], vec![]);
    endless.graph.inputs[0].shape = Some(vec![Some(1 << 40), Some(1 << 40)]);
    assert!(Imported::new(endless).unwrap().operators().is_err());
}

const SIDES: [i64; 12] = [0, 1, 2, 3, 4, 7, -1, -2, 300, 65_536, 1 << 40, i64::MIN];
const TEXTS: [&str; 12] = [
    "SAME_UPPER",
    "SAME_LOWER",
    "VALID",
    "nearest",
    "linear",
    "cubic",
    "reflect",
    "edge",
    "wrap",
    "bidirectional",
    "tanh",
    "ij,jk->ik",
];
const SETTINGS: [&str; 34] = [
    "kernel_shape",
    "strides",
    "pads",
    "dilations",
    "group",
    "axis",
    "axes",
    "perm",
    "to",
    "mode",
    "auto_pad",
    "alpha",
    "beta",
    "epsilon",
    "keepdims",
    "ceil_mode",
    "count_include_pad",
    "output_shape",
    "output_padding",
    "blocksize",
    "size",
    "p",
    "hidden_size",
    "direction",
    "equation",
    "num_outputs",
    "batch_dims",
    "transA",
    "transB",
    "largest",
    "num_heads",
    "q_num_heads",
    "kv_num_heads",
    "sampling_ratio",
];

fn side(rng: &mut Rng) -> i64 {
    // Mostly what could fit, so that graphs come far.
    if rng.below(3) > 0 { SIDES[rng.below(6)] } else { SIDES[rng.below(SIDES.len())] }
}

fn array(rng: &mut Rng) -> Array {
    let shape: Vec<usize> = (0..rng.below(5)).map(|_| rng.below(4) + usize::from(rng.below(8) > 0)).collect();
    let len = shape.iter().product::<usize>();
    match rng.below(4) {
        0 => ArrayD::from_shape_vec(shape, (0..len).map(|_| side(rng)).collect()).unwrap().into(),
        1 => whole(&(0..rng.below(6)).map(|_| side(rng)).collect::<Vec<_>>()),
        2 => {
            real(&[len], &(0..len).map(|_| [0.5, f32::NAN, f32::INFINITY, 1e9, -3.0][rng.below(5)]).collect::<Vec<_>>())
        }
        _ => ArrayD::from_shape_vec(shape, (0..len).map(|_| rng.normal()).collect()).unwrap().into(),
    }
}

fn setting(rng: &mut Rng) -> (&'static str, Attribute) {
    let value = match rng.below(5) {
        0 => Attribute::Float(rng.normal() * 10.0),
        1 => Attribute::Text(TEXTS[rng.below(TEXTS.len())].into()),
        2 => Attribute::Int(side(rng)),
        _ => Attribute::Ints((0..rng.below(6)).map(|_| side(rng)).collect()),
    };
    (SETTINGS[rng.below(SETTINGS.len())], value)
}

#[test]
fn any_operator_on_anything_ends_in_an_answer_or_a_refusal() {
    let count = std::env::var("HITOFUDE_ABSURD").ok().and_then(|count| count.parse().ok()).unwrap_or(GRAPHS);
    let names = operators();
    let (mut answered, mut refused, mut panics) = (0, 0, BTreeMap::new());
    for seed in 0..count {
        let mut rng = Rng::new(seed);
        let constants: Vec<Array> = (0..3).map(|_| array(&mut rng)).collect();
        let inputs: Vec<&str> = (0..=rng.below(5)).map(|_| ["x", "x", "a", "b", "c", ""][rng.below(6)]).collect();
        let settings: Vec<_> = (0..rng.below(4)).map(|_| setting(&mut rng)).collect();
        let mut odd = with(node(names[rng.below(names.len())], "", &inputs, "y"), &settings);
        odd.outputs.extend((0..rng.below(3)).map(|k| format!("more{k}")));
        let op = odd.op.clone();
        let (x, said) = (array(&mut rng), format!("{odd:?} of {constants:?}"));
        let mut graph = model(vec![odd], ["a", "b", "c"].into_iter().zip(constants).collect());
        graph.graph.inputs[0].number = None;
        let end = catch_unwind(AssertUnwindSafe(|| {
            let mut imported = Imported::new(graph)?;
            imported.allow(BYTES);
            let _ = imported.operators();
            let _ = imported.network();
            imported.run(&[("x".into(), x.clone())])
        }));
        match end {
            Ok(Ok(_)) => answered += 1,
            Ok(Err(_)) => refused += 1,
            Err(_) => {
                panics.entry(op).or_insert(format!("seed {seed}: {said} with {x:?}"));
            }
        }
    }
    assert!(panics.is_empty(), "{panics:#?}");
    // Both are seen, else the graphs are not what they should be.
    assert!(answered > count / 20 && refused > count / 4, "{answered} answered, {refused} refused");
}
