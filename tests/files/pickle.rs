//! Pickles that read.

use hitofude::file::pickle::read;
use hitofude::tensor::Tensor;
use std::collections::BTreeMap;

/// One dict of arrays as NumPy pickles it in every protocol (`make_pickles.py`).
pub const PROTOCOLS: [&[u8]; 6] = [
    include_bytes!("pickles/protocol0.pkl"),
    include_bytes!("pickles/protocol1.pkl"),
    include_bytes!("pickles/protocol2.pkl"),
    include_bytes!("pickles/protocol3.pkl"),
    include_bytes!("pickles/protocol4.pkl"),
    include_bytes!("pickles/protocol5.pkl"),
];

fn expect(tensors: &BTreeMap<String, Tensor>, name: &str, shape: &[usize], numbers: &[f32]) {
    let tensor = &tensors[name];
    assert_eq!(tensor.shape(), shape, "{name}");
    assert_eq!(tensor.as_slice().expect("C order"), numbers, "{name}");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn every_protocol_reads_to_the_same_numbers() {
    for file in PROTOCOLS {
        let tensors = read(file).unwrap();
        assert_eq!(tensors.len(), 7);
        expect(&tensors, "conv.weight", &[2, 1, 2, 2], &[1.0, -2.0, 0.5, 3.0, 0.1, 4.0, -8.0, 0.0]);
        expect(&tensors, "bias", &[2], &[1.5, -0.25]);
        expect(&tensors, "affine", &[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        expect(&tensors, "half", &[2], &[65504.0, -0.125]);
        expect(&tensors, "bytes", &[5], &[0.0, 92.0, 10.0, 200.0, 255.0]);
        expect(&tensors, "longs", &[2], &[-70000.0, 1_099_511_627_776.0]);
        expect(&tensors, "scalar", &[], &[0.75]);
    }
}

/// Protocol 2 as Python 2 wrote it: strings are bytes, dtype flags are numbers.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_pickle_written_by_hand() {
    let file = b"\x80\x02}U\x01Wcnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01K\x01K\x02\x86\
        cnumpy\ndtype\nU\x02f4K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89\
        U\x08\x00\x00\x80\x3f\x00\x00\x20\xc0tbs.";
    expect(&read(file).unwrap(), "W", &[1, 2], &[1.0, -2.5]);
}

/// Protocol 0 as Python 2 wrote it: quoted strings with escapes.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_quoted_pickle_written_by_hand() {
    let file = b"(dp0\nS'W'\np1\ncnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(L1L\nI3\nt\
        cnumpy\ndtype\n(S'f4'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\nS'\\x00\\x00\\x80?\\x00\\x00\\n@\\t\\r\\\\B'\ntbs.";
    let numbers = [1.0, f32::from_le_bytes(*b"\x00\x00\n@"), f32::from_le_bytes(*b"\t\r\\B")];
    expect(&read(file).unwrap(), "W", &[1, 3], &numbers);
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn one_array_under_two_names() {
    let file = b"\x80\x02}(U\x01Acnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nU\x02u1K\x00K\x01\x87RU\x01\x07\x86Rq\x00U\x01Bh\x00u.";
    let tensors = read(file).unwrap();
    expect(&tensors, "A", &[], &[7.0]);
    expect(&tensors, "B", &[], &[7.0]);
}

/// Axes in any order, as NumPy 2.3 and later write them in protocol 5, in an `OrderedDict`.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn an_array_whose_axes_were_permuted() {
    let file = b"\x80\x05\x95\xb2\x00\x00\x00\x00\x00\x00\x00\x8c\x0bcollections\x94\x8c\x0bOrderedDict\x94\x93\x94)R\x94\x8c\x01W\x94\x8c\x13numpy._core.numeric\x94\x8c\x0b_frombuffer\x94\x93\x94(\x96\x0c\x00\x00\x00\x00\x00\x00\x00\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x94\x8c\x05numpy\x94\x8c\x05dtype\x94\x93\x94\x8c\x02u1\x94\x89\x88\x87\x94R\x94(K\x03\x8c\x01|\x94NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00t\x94bK\x02K\x03K\x02\x87\x94\x8c\x01K\x94K\x01K\x00K\x02\x87\x94t\x94R\x94s.";
    let numbers = [0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11].map(|v: u8| f32::from(v));
    expect(&read(file).unwrap(), "W", &[3, 2, 2], &numbers);
}

#[cfg(not(target_arch = "wasm32"))]
#[test]
fn the_textbooks_parameters() {
    let w = |channels: &[[usize; 4]]| channels.iter().map(|side| side.to_vec()).collect::<Vec<_>>();
    let deep = [[16, 1, 3, 3], [16, 16, 3, 3], [32, 16, 3, 3], [32, 32, 3, 3], [64, 32, 3, 3], [64, 64, 3, 3]];
    let cases = [
        ("deep_convnet_params.pkl", [w(&deep), vec![vec![1024, 50], vec![50, 10]]].concat()),
        ("simple_convnet_params.pkl", vec![vec![30, 1, 5, 5], vec![4320, 100], vec![100, 10]]),
        ("three_layer_mlp_params.pkl", vec![vec![784, 50], vec![50, 100], vec![100, 10]]),
    ];
    for (file, shapes) in cases {
        let Some(path) = super::common::shared(&format!("reference/{file}")) else { continue };
        let tensors = read(&std::fs::read(path).unwrap()).unwrap();
        assert_eq!(tensors.len(), 2 * shapes.len(), "{file}");
        for (i, shape) in shapes.iter().enumerate() {
            let outputs = if shape.len() == 4 { shape[0] } else { shape[1] };
            assert_eq!(tensors[&format!("W{}", i + 1)].shape(), shape, "{file} W{}", i + 1);
            assert_eq!(tensors[&format!("b{}", i + 1)].shape(), [outputs], "{file} b{}", i + 1);
        }
    }
}
