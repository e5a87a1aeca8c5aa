//! safetensors: round trips, a second opinion from the `safetensors` crate, and files that are refused.

use super::damage;
use ::safetensors::tensor::TensorView;
use ::safetensors::{Dtype, SafeTensors};
use hitofude::file::safetensors::{Precision, Weights, read, write};
use hitofude::rng::Rng;
use hitofude::tensor::Tensor;
use ndarray::{ArrayD, ShapeBuilder};

fn tensor(shape: &[usize], numbers: &[f32]) -> Tensor {
    ArrayD::from_shape_vec(shape, numbers.to_vec()).unwrap()
}

fn small() -> Weights {
    let tensors = [
        ("conv1.weight", tensor(&[1, 2, 1, 2], &[1.0, -0.1, 65504.0, 0.333_333_34])),
        ("affine.bias", tensor(&[3], &[0.0, 1e-5, -2.0])),
        ("affine.weight", ArrayD::from_shape_vec(([2, 3].as_slice()).f(), vec![1.0, 4.0, 2.0, 5.0, 3.0, 6.0]).unwrap()),
        ("scalar", tensor(&[], &[0.75])),
    ];
    let metadata = [("architecture", "deep_convnet"), ("temperature", "1.25"), ("名", "一筆 \"draw\"\n")];
    Weights {
        tensors: tensors.into_iter().map(|(name, tensor)| (name.to_owned(), tensor)).collect(),
        metadata: metadata.into_iter().map(|(key, text)| (key.to_owned(), text.to_owned())).collect(),
    }
}

/// A file of this header and as many zeros.
fn file(header: &str, zeros: usize) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &vec![0; zeros]].concat()
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn f32_comes_back_bit_for_bit_and_in_order() {
    let weights = small();
    let bytes = write(&weights, Precision::F32).unwrap();
    assert_eq!(read(&bytes).unwrap(), weights);
    assert_eq!(write(&weights.clone(), Precision::F32).unwrap(), bytes, "equal weights, equal bytes");
    assert_eq!(read(&write(&Weights::default(), Precision::F32).unwrap()).unwrap(), Weights::default());
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn f16_rounds_to_nearest_even() {
    // Between 1 and 1 + 2⁻¹⁰ and between the next pair lie ties; 65519 is the last number below the overflow.
    let ulp = 1.0 / 1024.0;
    let numbers = [1.0 + ulp / 2.0, 1.0 + 1.5 * ulp, 1.0 + 0.51 * ulp, -0.1, 65519.0, 1e-9];
    let rounded = [1.0, 1.0 + 2.0 * ulp, 1.0 + ulp, -0.099_975_586, 65504.0, 0.0];
    let mut weights = small();
    weights.tensors = vec![("w".into(), tensor(&[6], &numbers))];
    let bytes = write(&weights, Precision::F16).unwrap();
    let back = read(&bytes).unwrap();
    assert_eq!(back.tensors[0].1.as_slice().unwrap(), rounded);
    assert_eq!(write(&back, Precision::F16).unwrap(), bytes, "rounding twice changes nothing");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn numbers_that_a_file_cannot_hold_name_their_tensor() {
    let cases = [
        (65520.0, Precision::F16),
        (-1e9, Precision::F16),
        (f32::NAN, Precision::F16),
        (f32::NAN, Precision::F32),
        (f32::INFINITY, Precision::F32),
    ];
    for (number, precision) in cases {
        let mut weights = small();
        weights.tensors[2].1[[1, 1]] = number;
        let error = write(&weights, precision).unwrap_err();
        assert_eq!(error.code(), "value");
        assert!(error.to_string().starts_with("affine.weight: "), "{error}");
    }
    for name in ["conv1.weight", "__metadata__"] {
        let mut weights = small();
        weights.tensors[3].0 = name.into();
        assert_eq!(write(&weights, Precision::F32).unwrap_err().code(), "value", "{name}");
    }
    let mut weights = small();
    weights.tensors[3].1 = tensor(&[0, 2], &[]);
    assert!(write(&weights, Precision::F32).unwrap_err().to_string().starts_with("scalar: "));
    weights = small();
    weights.metadata.insert("note".into(), "x".repeat(1 << 20));
    assert_eq!(write(&weights, Precision::F32).unwrap_err().code(), "value");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn the_reference_reader_agrees() {
    let weights = small();
    for (precision, dtype) in [(Precision::F32, Dtype::F32), (Precision::F16, Dtype::F16)] {
        let bytes = write(&weights, precision).unwrap();
        let (header, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
        assert_eq!(header % 8, 0, "numbers are aligned");
        assert_eq!(metadata.offset_keys(), weights.tensors.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>());
        assert_eq!(metadata.metadata().as_ref().unwrap().len(), 3);
        for (key, text) in metadata.metadata().as_ref().unwrap() {
            assert_eq!(&weights.metadata[key], text);
        }
        let theirs = SafeTensors::deserialize(&bytes).unwrap();
        for (name, ours) in &weights.tensors {
            let view = theirs.tensor(name).unwrap();
            assert_eq!((view.dtype(), view.shape()), (dtype, ours.shape()), "{name}");
            if dtype == Dtype::F32 {
                assert_eq!(view.data(), ours.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>(), "{name}");
            }
        }
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn every_float_type_of_the_reference_writer_reads() {
    let views: [(Dtype, &[u8]); 4] = [
        (Dtype::F64, &[1.5_f64.to_le_bytes(), (-0.1_f64).to_le_bytes()].concat()),
        (Dtype::F32, &[1.5_f32.to_le_bytes(), (-0.1_f32).to_le_bytes()].concat()),
        (Dtype::F16, &[0x00, 0x3e, 0x66, 0xae]),
        (Dtype::BF16, &[0xc0, 0x3f, 0xcd, 0xbd]),
    ];
    for (dtype, data) in views {
        let view = TensorView::new(dtype, vec![2, 1], data).unwrap();
        let note = [("k".to_owned(), "v".to_owned())].into_iter().collect();
        let weights = read(&::safetensors::serialize([("w", view)], Some(note)).unwrap()).unwrap();
        let [(name, tensor)] = &weights.tensors[..] else { panic!("one tensor") };
        assert_eq!((name.as_str(), tensor.shape(), weights.metadata["k"].as_str()), ("w", &[2, 1][..], "v"));
        assert_eq!(tensor[[0, 0]], 1.5, "{dtype}");
        assert!((tensor[[1, 0]] + 0.1).abs() < 5e-4, "{dtype}");
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn files_that_contradict_themselves_are_refused() {
    let huge = 1_u64 << 62;
    let cases = [
        (String::new(), 0),
        ("[]".into(), 0),
        ("{".into(), 0),
        ("{}".into(), 1),
        ("[".repeat(10_000), 0),
        (r#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#.into(), 3),
        (r#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#.into(), 5),
        (r#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#.into(), 4),
        (r#"{"w":{"dtype":"F32","shape":[0],"data_offsets":[0,4]}}"#.into(), 4),
        (r#"{"w":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#.into(), 4),
        (r#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#.into(), 4),
        (r#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#.into(), 8),
        (r#"{"w":{"dtype":"F32","data_offsets":[0,4]}}"#.into(), 4),
        (r#"{"__metadata__":{"k":1}}"#.into(), 0),
        // Two tensors over the same bytes; a name twice; sizes and offsets whose sums overflow.
        (r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#.into(), 4),
        (r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#.into(), 8),
        (format!(r#"{{"w":{{"dtype":"F32","shape":[{huge},{huge}],"data_offsets":[0,4]}}}}"#), 4),
        (format!(r#"{{"w":{{"dtype":"F64","shape":[{}],"data_offsets":[0,{huge}]}}}}"#, huge / 8), 4),
        (format!(r#"{{"w":{{"dtype":"F32","shape":[1],"data_offsets":[{0},{0}]}}}}"#, u64::MAX), 4),
    ];
    for (header, zeros) in cases {
        let error = read(&file(&header, zeros)).expect_err(&header);
        assert_eq!(error.code(), "format", "{header}");
    }
    for length in [9, (1 << 20) + 1, u64::MAX] {
        let error = read(&[&length.to_le_bytes()[..], b"{}"].concat()).unwrap_err();
        assert_eq!(error.code(), "format");
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn other_types_and_numbers_that_are_not_finite_name_their_tensor() {
    for dtype in ["F8_E4M3", "F4", "C64", "?"] {
        let header = format!(r#"{{"w":{{"dtype":"{dtype}","shape":[8],"data_offsets":[0,8]}}}}"#);
        let error = read(&file(&header, 8)).unwrap_err();
        assert_eq!(error.code(), "format");
        assert!(error.to_string().starts_with("w: ") && error.to_string().contains(dtype), "{error}");
    }
    for (dtype, number) in [("F32", vec![0, 0, 0xc0, 0x7f]), ("F16", vec![0, 0x7c]), ("BF16", vec![0x80, 0xff])] {
        let header = format!(r#"{{"w":{{"dtype":"{dtype}","shape":[1],"data_offsets":[0,{}]}}}}"#, number.len());
        let error = read(&[file(&header, 0), number].concat()).unwrap_err();
        assert_eq!(error.code(), "value");
        assert!(error.to_string().starts_with("w: "), "{error}");
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn every_prefix_is_refused() {
    let bytes = write(&small(), Precision::F16).unwrap();
    for end in 0..bytes.len() {
        assert_eq!(read(&bytes[..end]).expect_err("a prefix").code(), "format", "prefix of {end}");
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn random_damage_never_panics() {
    let mut rng = Rng::new(3);
    let bytes = write(&small(), Precision::F16).unwrap();
    let (mut read_anyway, mut refused) = (0, 0);
    for _ in 0..20_000 {
        match read(&damage(&bytes, &mut rng)) {
            Ok(weights) => read_anyway += usize::from(weights.tensors.len() == 4),
            Err(error) => {
                assert!(["format", "value"].contains(&error.code()), "{error}");
                refused += 1;
            }
        }
    }
    assert!(read_anyway > 100 && refused > 1_000, "{read_anyway} read, {refused} refused");
}
