//! NumPy's archives.

use hitofude::file::array::{Array, Number};
use hitofude::file::npz;
use ndarray::ArrayD;

/// `numpy.savez_compressed(f, a=numpy.asfortranarray([[1, 2, 3], [4, 5, 6]], dtype='>i2'), b=numpy.float64(0.5))`.
const DEFLATED: &[u8] = include_bytes!("../golden/deflated.npz");

#[test]
fn arrays_of_every_type_come_back_as_they_were() {
    let reals: ArrayD<f32> =
        ArrayD::from_shape_vec(vec![2, 3], vec![0.0, -1.5, f32::INFINITY, 65504.0, 0.25, 3.0]).unwrap();
    let wholes: ArrayD<i64> = ArrayD::from_shape_vec(vec![3], vec![0, 1, 200]).unwrap();
    let mut arrays = Vec::new();
    for number in [Number::F16, Number::F32, Number::F64] {
        arrays.push((format!("{number:?}"), Array::real(number, reals.clone())));
    }
    for number in [
        Number::I8,
        Number::I16,
        Number::I32,
        Number::I64,
        Number::U8,
        Number::U16,
        Number::U32,
        Number::U64,
        Number::Bool,
    ] {
        arrays.push((format!("{number:?}"), Array::whole(number, wholes.clone())));
    }
    arrays.push(("a scalar".into(), Array::real(Number::F32, ArrayD::from_elem(vec![], 7.0))));
    arrays.push(("nothing".into(), Array::real(Number::F32, ArrayD::zeros(vec![0, 4]))));
    assert_eq!(npz::read(&npz::write(&arrays).unwrap()).unwrap(), arrays);
}

#[test]
fn deflated_big_endian_and_fortran_arrays_are_read() {
    let arrays = npz::read(DEFLATED).unwrap();
    let a = ArrayD::from_shape_vec(vec![2, 3], vec![1, 2, 3, 4, 5, 6]).unwrap();
    assert_eq!(arrays[0], ("a".to_string(), Array::whole(Number::I16, a)));
    assert_eq!(arrays[1], ("b".to_string(), Array::real(Number::F64, ArrayD::from_elem(vec![], 0.5))));
}

#[test]
fn a_changed_byte_is_noticed() {
    let mut file = npz::write(&[("a".into(), Array::real(Number::F32, ArrayD::ones(vec![64])))]).unwrap();
    let at = file.windows(4).position(|w| w == 1.0_f32.to_le_bytes()).unwrap();
    file[at] = 1;
    assert_eq!(npz::read(&file).unwrap_err().to_string(), "a: expected the bytes that were packed, got others");
}

#[test]
fn an_archive_that_asks_for_more_than_it_holds_is_refused() {
    // A header may say any shape; nothing is taken before it is in keeping with the file.
    let mut file = npz::write(&[("a".into(), Array::real(Number::F32, ArrayD::ones(vec![1])))]).unwrap();
    let at = file.windows(4).position(|w| w == b"(1, ").unwrap();
    file[at..at + 4].copy_from_slice(b"(9e9");
    assert_eq!(npz::read(&file).unwrap_err().code(), "format");
    let text = file.windows(4).position(|w| w == b"(9e9").unwrap();
    let room = file[text..].iter().position(|&b| b == b'\n').unwrap();
    let mut header = b"(99999999999, ), }".to_vec();
    header.resize(room, b' ');
    file[text..text + room].copy_from_slice(&header);
    let error = npz::read(&file).unwrap_err().to_string();
    assert!(error.contains("in keeping with the file's"), "{error}");
}
