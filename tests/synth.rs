//! Made digits: every shape draws, a seed repeats, and the pictures measure like MNIST's.

#[cfg(not(target_arch = "wasm32"))]
#[path = "common/mod.rs"]
mod common;

use hitofude::data::synth::{digits, render};
use hitofude::rng::Rng;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

/// Width and height of the ink's box.
fn sides(picture: &[u8]) -> (usize, usize) {
    let rows: Vec<usize> = (0..28).filter(|y| picture[28 * y..][..28].iter().any(|&v| v > 0)).collect();
    let columns: Vec<usize> = (0..28).filter(|x| (0..28).any(|y| picture[28 * y + x] > 0)).collect();
    let length = |used: &[usize]| used.last().unwrap() + 1 - used[0];
    (length(&columns), length(&rows))
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn digits_fill_their_box_and_are_their_seeds() {
    let made = digits(3, 2000);
    assert_eq!(made, digits(3, 2000));
    assert_eq!(made.images.pixels[..784 * 10], digits(3, 10).images.pixels, "an image is its number's");
    assert_ne!(made.images.pixels[..784], digits(4, 1).images.pixels);
    for i in 0..made.images.n {
        let (w, h) = sides(made.images.image(i));
        // The last pixel of a side may be too faint for a byte.
        assert!((19..=20).contains(&w.max(h)), "image {i}: {w} × {h}");
    }
    for digit in 0..10 {
        let count = made.labels.iter().filter(|&&l| l == digit).count();
        assert!((140..=260).contains(&count), "{count} of digit {digit} in 2000");
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn every_target_makes_the_same_bits() {
    let mut picture = [0.0; 784];
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for digit in 0..10 {
        render(&mut Rng::new(u64::from(digit)), digit, &mut picture);
        for byte in picture.iter().flat_map(|v| v.to_bits().to_le_bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    assert_eq!(hash, 0x0963_c9f6_83f0_3972, "{hash:#x}");
}

/// The ink and the slimness of made digits, class by class, beside the first of MNIST's training images.
#[cfg(not(target_arch = "wasm32"))]
#[test]
fn made_digits_measure_like_mnists() {
    use hitofude::data::idx::{Labelled, Split, load_mnist};
    let Some(folder) = common::shared("data/mnist") else { return };
    let mnist = load_mnist(&folder, Split::Train).unwrap();
    let measure = |set: &Labelled, digit: u8| {
        let own: Vec<usize> = (0..10_000).filter(|&i| set.labels[i] == digit).collect();
        let mean =
            |f: &dyn Fn(&[u8]) -> f64| own.iter().map(|&i| f(set.images.image(i))).sum::<f64>() / own.len() as f64;
        let ink = mean(&|p| p.iter().map(|&v| f64::from(v) / 255.0).sum());
        let slim = mean(&|p| sides(p).0 as f64 / sides(p).1 as f64);
        (ink, slim)
    };
    let made = digits(1, 10_000);
    for digit in 0..10 {
        let ((ink, slim), (their_ink, their_slim)) = (measure(&made, digit), measure(&mnist, digit));
        assert!((0.85..1.2).contains(&(ink / their_ink)), "digit {digit}: ink {ink:.0}, MNIST {their_ink:.0}");
        assert!((0.8..1.2).contains(&(slim / their_slim)), "digit {digit}: width {slim:.2}, MNIST {their_slim:.2}");
    }
}
