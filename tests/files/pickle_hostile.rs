//! Pickles that are refused.

use super::bombs::{array, pickles};
use super::{damage, pickle::PROTOCOLS};
use hitofude::file::pickle::read;
use hitofude::rng::Rng;

fn refused(file: &[u8]) -> String {
    let error = read(file).expect_err("this pickle is refused");
    assert_eq!(error.code(), "format", "{error}");
    error.to_string()
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn names_outside_numpys_reconstruction_are_refused_by_name() {
    let cases: [(&[u8], &str); 9] = [
        (b"cos\nsystem\n(S'true'\ntR.", "os.system"),
        (b"\x80\x02cposix\nsystem\nU\x04true\x85R.", "posix.system"),
        (b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c\x011\x85R.", "builtins.eval"),
        (b"c__builtin__\neval\n(S'1'\ntR.", "__builtin__.eval"),
        (b"(S'true'\nios\nsystem\n.", "os.system"),
        (b"\x80\x02cnumpy.core.multiarray\nfromfile\n.", "numpy.core.multiarray.fromfile"),
        (b"\x80\x02cnumpy\nload\n.", "numpy.load"),
        (b"\x80\x02c_codecs\ndecode\n.", "_codecs.decode"),
        (b"\x80\x02}U\x01Wccollections\nCounter\n)Rs.", "collections.Counter"),
    ];
    for (file, name) in cases {
        let message = refused(file);
        assert!(message.contains(name), "{message}");
    }
    let long = [b"c", &[b'x'; 5000][..], b"\n\x1b[2J\n."].concat();
    let message = refused(&long);
    assert!(message.len() < 400 && !message.contains('\x1b'), "{message}");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn opcodes_that_build_other_things_are_refused() {
    // NEWOBJ, NEWOBJ_EX, OBJ, EXT1, PERSID, BINPERSID, NEXT_BUFFER, EMPTY_LIST, BINFLOAT, EMPTY_SET, no opcode.
    for opcode in [0x81, 0x92, b'o', 0x82, b'P', b'Q', 0x97, b']', b'G', 0x8f, 0xff] {
        let message = refused(&[b"\x80\x04cnumpy\nndarray\n)", &[opcode][..], b".........\n"].concat());
        assert!(message.contains(&format!("{opcode:#04x}")), "{message}");
    }
    assert!(refused(b"inumpy\nndarray\n.").contains("Ndarray"));
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_stack_or_a_call_that_does_not_fit_is_refused() {
    let cases: [&[u8]; 24] = [
        b"",
        b".",
        b"N.",
        b"K\x01.",
        b").",
        b"(.",
        b"}(.",
        b"t.",
        b"}NN.",
        b"\x85.",
        b"N\x86.",
        b"}Ns.",
        b"}(Nu.",
        b"N(NNu.",
        b"}}.",
        b"}.}",
        b"q\x00.",
        b"(q\x00.",
        b"h\x00.",
        b"}b.",
        b"}NNR.",
        b"\x80\x06}.",
        b"\x95\xff\xff\xff\xff\xff\xff\xff\xff}.",
        b"}cnumpy\nndarray\n)R.",
    ];
    for file in cases {
        refused(file);
    }
    assert!(read(b"}.").unwrap().is_empty());
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn arrays_whose_sizes_lie_are_refused() {
    assert_eq!(read(&array(b"u1", &[b"K\x02", b"K\x01"], b"\x07\x08")).unwrap()["W"].as_slice().unwrap(), [7.0, 8.0]);
    let huge = b"\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x40";
    let sides: [&[&[u8]]; 7] =
        [&[], &[b"K\x03"], &[b"K\x00"], &[huge, huge, b"K\x00"], &[huge, b"K\x04"], &[b"J\xff\xff\xff\xff"], &[b"N"]];
    for sides in sides {
        refused(&array(b"u1", sides, b"\x07\x08"));
    }
    // Empty, but with sides whose product overflows.
    refused(&array(b"u1", &[b"K\x00", huge, huge], b""));
    refused(&array(b"f4", &[b"K\x01"], b"\x07\x08"));
    refused(&array(b"u1", &[b"K\x01".as_slice(); 65], b"\x07"));
    assert!(refused(&array(b"O8", &[b"K\x01"], b"\x00\x00\x00\x00\x00\x00\x00\x00")).contains("O8"));
    // Strings longer than the file, by every opcode that carries a length.
    for head in [&b"C\xff"[..], b"U\xff", b"\x8c\xff", b"B\xff\xff\xff\xff", b"T\xff\xff\xff\xff", b"X\xff\xff\xff\xff"]
    {
        refused(&[head, b"}."].concat());
    }
    for opcode in [0x8d, 0x8e, 0x96] {
        refused(&[&[opcode][..], &[0xff; 8], b"}."].concat());
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn numbers_that_are_not_finite_name_their_tensor() {
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e39] {
        let error = read(&array(b"f8", &[b"K\x01"], &number.to_le_bytes())).unwrap_err();
        assert_eq!(error.code(), "value");
        assert!(error.to_string().starts_with("W: "), "{error}");
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn every_prefix_is_refused() {
    for file in PROTOCOLS {
        for end in 0..file.len() {
            refused(&file[..end]);
        }
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn random_damage_never_panics() {
    let mut rng = Rng::new(7);
    for file in PROTOCOLS {
        let (mut read_anyway, mut refused) = (0, 0);
        for _ in 0..5_000 {
            match read(&damage(file, &mut rng)) {
                Ok(_) => read_anyway += 1,
                Err(error) => {
                    assert!(["format", "value"].contains(&error.code()), "{error}");
                    refused += 1;
                }
            }
        }
        // Damage to the numbers alone still reads; were nearly all refused, little of the machine would be tried.
        assert!(read_anyway > 50 && refused > 1_000, "{read_anyway} read, {refused} refused");
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn bombs_are_refused() {
    for (what, file) in pickles() {
        let message = read(&file).expect_err(what).to_string();
        assert!(message.contains("far more") || message.contains("another object"), "{what}: {message}");
    }
}
