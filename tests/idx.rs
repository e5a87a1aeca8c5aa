//! IDX files: made-up ones everywhere, the real MNIST where the data are.

#[cfg(not(target_arch = "wasm32"))]
#[path = "common/mod.rs"]
mod common;

use flate2::{Compression, write::GzEncoder};
use hitofude::data::idx::{Labelled, read_images, read_labels};
#[cfg(not(target_arch = "wasm32"))]
use hitofude::data::idx::{Split, load_mnist};
use hitofude::rng::Rng;
use std::io::Write;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

fn idx(sides: &[u32], content: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, sides.len() as u8];
    file.extend(sides.iter().flat_map(|side| side.to_be_bytes()));
    file.extend(content);
    file
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Two images of 2 × 3.
fn tiny() -> Vec<u8> {
    idx(&[2, 2, 3], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255])
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn plain_and_gzip_read_alike() {
    for file in [tiny(), gzip(&tiny())] {
        let images = read_images(&file).unwrap();
        assert_eq!((images.n, images.h, images.w), (2, 2, 3));
        assert_eq!(images.image(0), [1, 2, 3, 4, 5, 6]);
        assert_eq!(images.image(1), [7, 8, 9, 10, 11, 255]);
    }
    let labels = idx(&[3], &[4, 0, 9]);
    assert_eq!(read_labels(&labels).unwrap(), [4, 0, 9]);
    assert_eq!(read_labels(&gzip(&labels)).unwrap(), [4, 0, 9]);
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn every_prefix_and_every_longer_file_is_refused() {
    for file in [tiny(), gzip(&tiny())] {
        for end in 0..file.len() {
            assert_eq!(read_images(&file[..end]).unwrap_err().code(), "format", "prefix of {end}");
        }
    }
    let longer = [&tiny()[..], &[0]].concat();
    assert_eq!(read_images(&longer).unwrap_err().code(), "format");
    assert_eq!(read_images(&gzip(&longer)).unwrap_err().code(), "format");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn another_magic_is_named() {
    let labels = idx(&[3], &[4, 0, 9]);
    let error = read_images(&labels).unwrap_err().to_string();
    assert!(error.contains("00 00 08 03") && error.contains("[00, 00, 08, 01]"), "{error}");
    let mut floats = tiny();
    floats[2] = 0x0d;
    assert!(read_images(&floats).is_err());
    assert!(read_labels(&tiny()).is_err());
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn sizes_that_lie_are_refused() {
    for sides in [[0, 2, 3], [2, 0, 3], [3, 2, 3], [1, 2, 3], [u32::MAX, u32::MAX, u32::MAX], [u32::MAX, 1, 1]] {
        let file = idx(&sides, &[7; 12]);
        assert_eq!(read_images(&file).unwrap_err().code(), "format", "{sides:?}");
        assert_eq!(read_images(&gzip(&file)).unwrap_err().code(), "format", "{sides:?} in gzip");
    }
}

/// 64 MiB of zeros in 65 kB of gzip: once more than the header declares, once declared.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn gzip_bombs_are_refused() {
    let zeros = vec![0; 64 << 20];
    for (sides, complaint) in [([1, 28, 28], "got more"), ([1, 8192, 8192], "in a file of this size")] {
        let bomb = gzip(&idx(&sides, &zeros));
        assert!(bomb.len() < 100_000);
        let error = read_images(&bomb).unwrap_err().to_string();
        assert!(error.contains(complaint), "{error}");
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn random_damage_never_panics() {
    let mut rng = Rng::new(1);
    for file in [tiny(), gzip(&tiny())] {
        let mut refused = 0;
        for _ in 0..10_000 {
            let mut damaged = file.clone();
            for _ in 0..=rng.below(4) {
                let at = rng.below(damaged.len());
                damaged[at] = rng.bits() as u8;
            }
            match read_images(&damaged) {
                Ok(images) => assert_eq!(images.pixels.len(), images.n * images.h * images.w),
                Err(error) => {
                    assert_eq!(error.code(), "format");
                    refused += 1;
                }
            }
        }
        assert!(refused > 1_000, "only {refused} refused");
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn labels_must_match_their_images() {
    let images = read_images(&tiny()).unwrap();
    assert!(Labelled::new(images.clone(), vec![9, 0], 10).is_ok());
    assert_eq!(Labelled::new(images.clone(), vec![9], 10).unwrap_err().code(), "shape");
    assert_eq!(Labelled::new(images, vec![9, 10], 10).unwrap_err().code(), "value");
}

#[cfg(not(target_arch = "wasm32"))]
#[test]
fn mnist_is_found_beside_or_below_and_its_absence_named() {
    let root = std::env::temp_dir().join(format!("hitofude-idx-{}", std::process::id()));
    std::fs::create_dir_all(root.join("data/mnist")).unwrap();
    let error = load_mnist(&root, Split::Test).unwrap_err();
    assert_eq!(error.code(), "missing");
    assert!(error.to_string().contains("t10k-images-idx3-ubyte"), "{error}");

    std::fs::write(root.join("data/mnist/t10k-images-idx3-ubyte"), tiny()).unwrap();
    let error = load_mnist(&root, Split::Test).unwrap_err().to_string();
    assert!(error.contains("t10k-labels-idx1-ubyte"), "{error}");

    let labels = root.join("data/mnist/t10k-labels-idx1-ubyte.gz");
    std::fs::write(&labels, gzip(&idx(&[2], &[3, 1]))).unwrap();
    for dir in [&root, &root.join("data"), &root.join("data/mnist")] {
        assert_eq!(load_mnist(dir, Split::Test).unwrap().labels, [3, 1]);
    }

    std::fs::write(&labels, b"not IDX").unwrap();
    let error = load_mnist(&root, Split::Test).unwrap_err().to_string();
    assert!(error.contains("t10k-labels-idx1-ubyte.gz"), "{error}");
    std::fs::remove_dir_all(&root).unwrap();
}

#[cfg(not(target_arch = "wasm32"))]
#[test]
fn mnist_itself() {
    let Some(dir) = common::shared("data/mnist") else { return };
    let histogram = |labels: &[u8]| {
        let mut counts = [0; 10];
        labels.iter().for_each(|&label| counts[usize::from(label)] += 1);
        counts
    };
    let train = load_mnist(&dir, Split::Train).unwrap();
    assert_eq!((train.images.n, train.images.h, train.images.w), (60_000, 28, 28));
    assert_eq!(train.labels[0], 5);
    assert_eq!(histogram(&train.labels), [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);

    let test = load_mnist(&dir, Split::Test).unwrap();
    assert_eq!((test.images.n, test.images.h, test.images.w), (10_000, 28, 28));
    assert_eq!(test.labels[0], 7);
    assert_eq!(histogram(&test.labels), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);

    // The mean grey that the field normalises MNIST with.
    let mean = train.images.pixels.iter().map(|&p| f64::from(p)).sum::<f64>() / (60_000.0 * 784.0 * 255.0);
    assert!((mean - 0.1307).abs() < 5e-5, "{mean}");
}
