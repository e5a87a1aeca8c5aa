//! Folders of pictures as they are on people's disks, through `hitofude fit`.
#![cfg(all(not(target_arch = "wasm32"), feature = "cli"))]

mod common;

use common::folder;
use image::{GrayImage, Luma};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

/// Pictures of one grey level each, in a folder for each class.
fn plain(dir: &Path, classes: &[(&str, u8)], count: usize, ending: &str) {
    for (name, grey) in classes {
        std::fs::create_dir_all(dir.join(name)).unwrap();
        for i in 0..count {
            let level = grey.saturating_add((i % 5) as u8);
            GrayImage::from_pixel(8, 8, Luma([level])).save(dir.join(name).join(format!("{i}.{ending}"))).unwrap();
        }
    }
}

/// What `fit` says of a folder: its report, or nothing, and what it wrote on stderr.
fn fit(dir: &Path, data: &str) -> (Option<Value>, String) {
    let network =
        r#"{"input":[1,8,8],"layers":[{"name":"flatten","type":"flatten"},{"name":"last","type":"affine","out":2}]}"#;
    let setup =
        serde_json::json!({ "network": network, "batch": 8, "shard": 8, "steps": 150, "options": { "rate": 0.05 } });
    std::fs::write(dir.join("setup.json"), setup.to_string()).unwrap();
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_hitofude"))
        .args(["--threads", "1", "fit"])
        .args([dir.join("setup.json"), "--data".into(), dir.join(data), "--out".into(), dir.join("out.safetensors")])
        .output()
        .unwrap();
    let report = status.success().then(|| serde_json::from_slice(&stdout).unwrap());
    (report, String::from_utf8(stderr).unwrap())
}

#[test]
fn hidden_and_stray_files_are_left_out_with_a_word() {
    let dir = folder("folders_hidden");
    plain(&dir.join("set"), &[("bright", 205), ("dark", 40)], 30, "png");
    plain(&dir.join("set"), &[(".ipynb_checkpoints", 100)], 1, "png");
    std::fs::write(dir.join("set/bright/._0.png"), b"no picture").unwrap();
    GrayImage::from_pixel(8, 8, Luma([9])).save(dir.join("set/preview.png")).unwrap();
    let (report, said) = fit(&dir, "set");
    assert!(said.contains("left out: .ipynb_checkpoints and 1 more, hidden"), "{said}");
    assert!(said.contains("left out: preview.png, in no class's folder"), "{said}");
    // Light or dark ink is one decision for all: the classes differ in brightness alone.
    assert_eq!(report.unwrap()["validation"]["accuracy"], 1.0, "{said}");
    let file = std::fs::read(dir.join("out.safetensors")).unwrap();
    let weights = hitofude::file::safetensors::read(&file).unwrap();
    assert_eq!(
        (weights.metadata["classes"].as_str(), weights.metadata["ink"].as_str()),
        (r#"["bright","dark"]"#, "light")
    );
}

#[test]
fn parts_stay_apart_and_jpeg_is_read() {
    let dir = folder("folders_parts");
    plain(&dir.join("set/train"), &[("bright", 205), ("dark", 40)], 30, "jpg");
    plain(&dir.join("set/test"), &[("dark", 40)], 7, "jpg");
    let (report, said) = fit(&dir, "set");
    let report = report.unwrap_or_else(|| panic!("{said}"));
    assert_eq!((&report["test"]["images"], &report["test"]["accuracy"]), (&7.into(), &1.0.into()), "{report}");
    plain(&dir.join("set/test"), &[("odd", 90)], 1, "jpg");
    let (report, said) = fit(&dir, "set");
    assert!(report.is_none() && said.contains("class: expected one of bright, dark, got odd"), "{said}");
}

#[test]
fn a_damaged_test_set_is_an_error_and_a_folder_without_data_says_what_is_read() {
    let dir = folder("folders_damaged");
    let idx = |sides: &[u32], fill: u8| {
        let mut bytes = vec![0, 0, 8, sides.len() as u8];
        sides.iter().for_each(|side| bytes.extend(side.to_be_bytes()));
        bytes.extend(vec![fill; sides.iter().product::<u32>() as usize]);
        bytes
    };
    std::fs::create_dir_all(dir.join("set")).unwrap();
    for (name, bytes) in [
        ("train-images-idx3-ubyte", idx(&[40, 8, 8], 90)),
        ("train-labels-idx1-ubyte", idx(&[40], 1)),
        ("t10k-images-idx3-ubyte", idx(&[30, 8, 8], 90)),
        ("t10k-labels-idx1-ubyte", idx(&[29], 1)),
    ] {
        std::fs::write(dir.join("set").join(name), bytes).unwrap();
    }
    let (report, said) = fit(&dir, "set");
    assert!(report.is_none() && said.contains("one for each of 30 images, got 29"), "{said}");
    std::fs::create_dir_all(dir.join("empty")).unwrap();
    let (report, said) = fit(&dir, "empty");
    assert!(
        report.is_none() && said.contains("a folder of PNG, JPEG, WebP, GIF or BMP pictures for each class"),
        "{said}"
    );
}
