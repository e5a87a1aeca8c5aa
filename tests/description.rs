//! Networks as data: every one there is survives the way to JSON and back, and what is impossible is said by name.

use hitofude::nn::description::{self, FEW_BITS, KINDS, REGIONS, SEQUENCES};
use hitofude::nn::{Graph, Network};
use hitofude::zoo;

/// What makes two networks the same: the layers, their wiring, shapes and parameters.
fn drawn(net: &Network) -> String {
    format!("{:?} {:?} {:?} {:?}", net.nodes(), net.views(), net.output(), net.auxiliaries())
}

#[test]
fn every_architecture_comes_back_the_same() {
    for row in zoo::CATALOGUE {
        let net = zoo::build(row.name).unwrap();
        let text = description::write(&net);
        let back = description::read(&text).unwrap_or_else(|e| panic!("{}: {e}\n{text}", row.name));
        assert_eq!(drawn(&back), drawn(&net), "{}", row.name);
        assert_eq!(description::write(&back), text);
    }
}

/// One layer of each type, with the settings that the type begins with.
#[test]
fn every_type_can_be_described() {
    for kind in KINDS.iter().chain(SEQUENCES).chain(REGIONS).chain(FEW_BITS) {
        let options: String = kind.options.iter().map(|o| format!(",\"{}\":{}", o.name, o.default)).collect();
        let inputs = match kind.name {
            "scale" => ",\"inputs\":[\"a\",\"pooled\"]",
            "max_unpool" => ",\"inputs\":[\"pooled\",\"a\"]",
            "add" | "concat" => ",\"inputs\":[\"a\",\"a\"]",
            "roi_align" => ",\"inputs\":[\"a\",\"pooled\"]",
            "lstm" | "embedding" => ",\"inputs\":[\"pooled\"]",
            _ => "",
        };
        let first = if kind.name == "affine" { "flatten" } else { "relu" };
        let pool = match kind.name {
            "max_unpool" => r#""max_pool","kernel":2,"stride":2"#,
            "embedding" => r#""conv","out":1,"kernel":1"#,
            "roi_align" => r#""input","shape":[5,1,1],"holds":"boxes","rows":3"#,
            _ => r#""global_average_pool""#,
        };
        let text = format!(
            r#"{{"input":[4,9,8],"layers":[{{"name":"pooled","type":{pool}}},{{"name":"a","type":"{first}","inputs":["input"]}},{{"name":"b","type":"{}"{options}{inputs}}}]}}"#,
            kind.name
        );
        let net = description::read(&text).unwrap_or_else(|e| panic!("{}: {e}", kind.name));
        let layer = net.nodes()[3].layer.as_ref().unwrap();
        assert_eq!(layer.kind(), kind.name);
        let names: Vec<&str> = layer.options().iter().map(|(name, _)| *name).collect();
        assert_eq!(names, kind.options.iter().map(|o| o.name).collect::<Vec<_>>(), "{}", kind.name);
        assert_eq!(drawn(&description::read(&description::write(&net)).unwrap()), drawn(&net), "{}", kind.name);
    }
}

#[test]
fn defaults_names_and_the_output_are_left_out_and_found_again() {
    let text = r#"{"input":[2,6,5],"layers":[{"name":"a","type":"conv","out":2,"kernel":[3,1],"pad":[1,0],"bias":false},{"name":"b","type":"dropout","ratio":0.1},{"name":"sum","type":"add","inputs":["b","input"]},{"name":"unread","type":"relu"}],"output":"sum"}"#;
    let net = description::read(text).unwrap();
    assert_eq!(description::write(&net), text);
    let same = description::read(
        r#"{ "input": [2, 6, 5], "output": "sum", "layers": [
             { "type": "conv", "name": "a", "out": 2, "kernel": [3, 1], "pad": [1, 0], "bias": false, "groups": 1, "stride": 1 },
             { "name": "b", "type": "dropout", "ratio": 1e-1 }, { "name": "sum", "type": "add", "inputs": ["b", "input"] },
             { "name": "unread", "type": "relu", "inputs": ["sum"] } ] }"#,
    );
    assert_eq!(drawn(&same.unwrap()), drawn(&net));
}

#[test]
fn what_is_impossible_is_said_in_place() {
    let layers = |layers: &str| format!(r#"{{"input":[1,8,8],"layers":[{{"name":"first","type":"relu"}},{layers}]}}"#);
    let cases = [
        (r#"{"name":"c","type":"conv","out":4,"kernel":11}"#, "shape", "c: window: expected"),
        (r#"{"name":"c","type":"conv","kernel":3}"#, "value", "c: out: expected a whole number, got nothing"),
        (r#"{"name":"c","type":"conv","out":-1,"kernel":3}"#, "value", "c: out: expected a whole number, got -1"),
        (r#"{"name":"c","type":"conv","out":1,"kernel":3,"strid":2}"#, "missing", "got strid"),
        (r#"{"name":"c","type":"konv"}"#, "missing", "c: type: expected one of conv, affine"),
        (r#"{"name":"c","type":"affine","out":10}"#, "shape", "flatten first"),
        (r#"{"name":"c","type":"add"}"#, "value", "c: expected 2 or more inputs, got 1"),
        (r#"{"name":"c","type":"relu","inputs":["d"]}"#, "missing", "expected one of input, first, got d"),
        (r#"{"name":"c","type":"relu","inputs":"first"}"#, "format", "c: inputs"),
        (r#"{"name":"c","type":"relu","inputs":[]}"#, "value", "c: expected 1 inputs, got 0"),
        (r#"{"name":"first","type":"relu"}"#, "value", "a name of its own"),
        (r#"{"name":"c","type":"dropout","ratio":1}"#, "value", "c: dropout ratio"),
        (r#"{"name":"c","type":"conv","out":65536,"kernel":1,"pad":9999}"#, "shape", "at most 268435456"),
        (r#"{"name":"c","type":"conv","out":1e99,"kernel":1}"#, "value", "c: out"),
        (r#"{"type":"relu"}"#, "missing", "layer 2: expected name"),
        ("7", "format", "layer 2: expected an object"),
    ];
    for (layer, code, says) in cases {
        let (graph, outcome) = description::draft(&layers(layer));
        let fault = outcome.expect_err(layer);
        assert_eq!(fault.layer, Some(1), "{layer}");
        assert_eq!(graph.nodes().len(), 2, "{layer}: what came before is wired");
        let text = fault.error.to_string();
        assert!(fault.error.code() == code && text.contains(says), "{layer}: {text}");
    }
}

#[test]
fn what_is_no_description_is_refused() {
    let long = format!("{{\"input\":[1,8,8],\"layers\":[{}]}}", " ".repeat(1 << 20));
    let deep = "[".repeat(100_000);
    for text in ["", "[]", "{}", "{\"input\":[1,8]}", "{\"input\":[0,8,8],\"layers\":[]}", "nonsense", &long, &deep] {
        let (_, outcome) = description::draft(text);
        let fault = outcome.expect_err(text);
        assert!(fault.layer.is_none() && matches!(fault.error.code(), "format" | "shape"), "{:?}", fault.error);
    }
    let (graph, outcome) = description::draft(r#"{"input":[1,8,8],"layers":[]}"#);
    assert_eq!(Graph::nodes(&graph).len(), 1);
    assert!(outcome.is_ok(), "no layer at all answers with its input");
}
