//! Models that other frameworks wrote: each answers here as its own framework does, within 1e-4 of the largest number, is a
//! network that trains where it should be one, and what cannot be read is refused with words that help.
//!
//! `tools/convert_tfjs.mjs` and `tools/convert_models.py` wrote the golden files with the frameworks themselves.
#![cfg(not(target_arch = "wasm32"))]

mod golden;

use golden::{cases, folder, opened};
use hitofude::file::convert::{Given, Made, convert};
use hitofude::systems::imported::Imported;

#[test]
fn models_of_tensorflow_js_answer_as_they_do_there() {
    for case in cases("tfjs.json") {
        case.check();
    }
}

#[test]
fn models_of_keras_answer_as_they_do_there() {
    for case in cases("keras.json") {
        case.check();
    }
}

#[test]
fn models_of_tensorflow_lite_answer_as_they_do_there() {
    for case in cases("tflite.json") {
        case.check();
    }
}

#[test]
fn networks_of_images_train_here() {
    for (name, layers) in
        [("digits.keras", 8), ("digits.h5", 8), ("digits.tflite", 8), ("mobile.keras", 20), ("tfjs_teachable.zip", 16)]
    {
        let net = Imported::new(opened(name).0).unwrap().network().unwrap_or_else(|error| panic!("{name}: {error}")).0;
        assert_eq!(net.nodes().len() - 1, layers, "{name}");
    }
}

#[test]
fn a_model_of_teachable_machine_trains_here_and_has_its_classes() {
    for name in ["teachable", "teachable_uint8"] {
        let (model, _) = opened(&format!("tfjs_{name}.zip"));
        assert_eq!(model.metadata["classes"], r#"["cat","dog","ねこ"]"#);
        assert_eq!(model.metadata["pixels"], "signed");
        assert_eq!(model.metadata["name"], "tm-my-image-model");
        let (net, _) = Imported::new(model).unwrap().network().unwrap();
        assert_eq!(net.input_shape().to_string(), "3×18×18");
        let kinds: Vec<&str> = net.nodes().iter().filter_map(|node| node.layer.as_ref()).map(|l| l.kind()).collect();
        assert!(!kinds.contains(&"pad"), "{kinds:?}");
        assert_eq!(net.node(net.output()).shape.len(), 3);
    }
}

#[test]
fn files_that_were_dropped_together_are_found_by_their_names() {
    let file = std::fs::read(folder().join("tfjs_teachable_uint16.zip")).unwrap();
    let parts = golden::stored(&file);
    let given: Vec<Given> = parts.iter().map(|(name, bytes)| Given { name, bytes }).collect();
    assert_eq!(convert(&given).unwrap(), Made::Graph(opened("tfjs_teachable_uint16.zip").0));
    // In any order, under folders, without the names of classes.
    let far: Vec<(String, &[u8])> =
        parts.iter().rev().map(|(name, bytes)| (format!("my model/{name}"), &bytes[..])).collect();
    let far: Vec<Given> = far.iter().map(|(name, bytes)| Given { name, bytes }).collect();
    assert_eq!(convert(&far).unwrap(), Made::Graph(opened("tfjs_teachable_uint16.zip").0));
    let without: Vec<Given> = given.iter().copied().filter(|file| !file.name.ends_with("2of2.bin")).collect();
    let error = convert(&without).unwrap_err();
    assert_eq!(error.to_string(), "model.json: expected the file group1-shard2of2.bin with it, got none");
}

#[test]
fn weights_of_pytorch_are_the_tensors_that_it_saved() {
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(folder().join("torch.json")).unwrap()).unwrap();
    let wanted = json["tensors"].as_object().unwrap();
    for name in ["views.pth", "checkpoint.pth"] {
        let bytes = std::fs::read(folder().join(name)).unwrap();
        let made = convert(&[Given { name, bytes: &bytes }]).unwrap();
        let Made::Weights(weights) = &made else { panic!("{name}: {made:?}") };
        // One of them has no numbers.
        assert_eq!(weights.tensors.len(), wanted.len() - 1, "{name}");
        for (own, tensor) in &weights.tensors {
            let want = golden::array(&wanted[own]);
            assert_eq!(tensor.shape(), want.shape(), "{name}: {own}");
            assert!(tensor.iter().zip(&want).all(|(a, b)| (a - b).abs() < 1e-6), "{name}: {own}: {tensor} {want}");
        }
        assert!(made.to_bytes().is_ok());
    }
}

#[test]
fn what_cannot_be_read_is_refused_with_the_way_to_what_can() {
    for (name, words) in [
        ("refused_module.pth", "a whole module: save model.state_dict() with torch.save"),
        ("refused_script.pt", "TorchScript: write it with torch.onnx.export"),
        ("refused_old.pth", "torch.save of before 1.6: load it there and save its state_dict() again"),
    ] {
        let bytes = std::fs::read(folder().join(name)).unwrap();
        let error = convert(&[Given { name, bytes: &bytes }]).unwrap_err().to_string();
        assert!(error.contains(words), "{name}: {error}");
    }
    let graph = br#"{"format":"graph-model","modelTopology":{"node":[]},"weightsManifest":[]}"#;
    let saved = b"\x08\x01\x12\x10\x0a\x0e\x22\x05serve\x2a\x052.1.0";
    let others: [(&[u8], &str); 4] = [
        (graph, "--output_format=tfjs_layers_model"),
        (saved, "a SavedModel of TensorFlow"),
        (b"\x08\x04\x12\x09\x0a\x07\x0a\x05image", "a model of Core ML"),
        (b"\x10\0\0\0ORTM\0\0", "onnxruntime's own format"),
    ];
    for (bytes, words) in others {
        let error = convert(&[Given { name: "a file", bytes }]).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    // ONNX is no business of this room, whoever wrote it.
    let onnx = opened("digits.keras").0;
    let bytes = hitofude::file::onnx::write(&onnx);
    assert!(hitofude::file::convert::kind(&bytes).is_none() && hitofude::file::convert::refusal(&bytes).is_none());
}

#[test]
fn layers_that_are_not_known_are_named_all_at_once() {
    let layer = |class: &str, name: &str| format!(r#"{{"class_name":"{class}","config":{{"name":"{name}"}}}}"#);
    let list = [layer("InputLayer", "i"), layer("Lambda", "own"), layer("Embedding", "words"), layer("Lambda", "more")];
    let text = format!(
        r#"{{"modelTopology":{{"class_name":"Sequential","config":{{"layers":[{}]}}}},"weightsManifest":[]}}"#,
        list.join(",")
    );
    let error = convert(&[Given { name: "model.json", bytes: text.as_bytes() }]).unwrap_err();
    let want = "model: expected layers that are known here, got Embedding (words); Lambda (own, more)";
    assert_eq!(error.to_string(), want);
}
