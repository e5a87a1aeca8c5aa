//! What ships in `pretrained/`: each file's size, its card's sha256 and figures, and that it scores what the card says.
#![cfg(all(not(target_arch = "wasm32"), feature = "cli"))]

mod common;

use hitofude::systems::digits::Recipe;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::process::Command;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/pretrained");

fn weights() -> Vec<PathBuf> {
    let paths = std::fs::read_dir(FOLDER).unwrap().map(|e| e.unwrap().path());
    let mut found: Vec<PathBuf> = paths.filter(|p| p.extension().is_some_and(|e| e == "safetensors")).collect();
    found.sort();
    found
}

fn card(path: &Path) -> String {
    std::fs::read_to_string(path.with_extension("md")).expect("a card beside the weights")
}

#[test]
fn every_file_is_small_and_has_its_card() {
    let names: Vec<String> = weights().iter().map(|p| p.file_stem().unwrap().to_string_lossy().into()).collect();
    for expected in ["deep_convnet", "draw"] {
        assert!(names.iter().any(|name| name == expected), "{expected} is among {names:?}");
    }
    assert!(names.iter().all(|name| Recipe::named(name).is_ok()), "each was trained by a recipe: {names:?}");
    for path in weights() {
        let bytes = std::fs::read(&path).unwrap();
        // SimpleConvNet has the book's size, in one affine layer.
        let most = if path.ends_with("simple_convnet.safetensors") { 880_000 } else { 500_000 };
        assert!(bytes.len() <= most, "{}: {} bytes", path.display(), bytes.len());
        let sha: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
        assert!(card(&path).contains(&sha), "{}: the card's sha256", path.display());
    }
}

/// What the shipped file of each name has to read at least.
fn least(name: &str) -> f64 {
    match name {
        "deep_convnet" | "draw" => 0.995,
        _ => 0.99,
    }
}

fn eval(args: &[&str]) -> serde_json::Value {
    let output =
        Command::new(env!("CARGO_BIN_EXE_hitofude")).args(args).args(["--pretrained", FOLDER]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(String::from_utf8(output.stdout).unwrap().lines().last().unwrap()).unwrap()
}

#[test]
fn every_file_scores_what_its_card_says() {
    let Some(data) = common::shared("data/mnist") else { return };
    for path in weights() {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let report = eval(&["eval", "--model", name, "--data", data.to_str().unwrap()]);
        let accuracy = report["accuracy"].as_f64().unwrap();
        assert!(accuracy >= least(name), "{name}: {accuracy}");
        // What the page says of it.
        let survey: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(Path::new(FOLDER).join("survey.json")).unwrap()).unwrap();
        let misread = survey["models"][name]["misread"].as_array().into_iter().flatten();
        let misread: Vec<&serde_json::Value> = misread.map(|one| &one[0]).collect();
        let found: Vec<&serde_json::Value> = report["misclassified"].as_array().unwrap().iter().collect();
        assert_eq!(misread, found, "{name}: `hitofude survey --ensemble A,B --data DIR` writes survey.json anew");
        let said = format!("| MNIST test set | **{:.2} %**", 100.0 * accuracy);
        assert!(card(&path).contains(&said), "{name}: {said}");
    }
}

/// The ensemble has no file of its own: its card names its members.
#[test]
fn the_ensemble_scores_what_its_card_says() {
    let path = Path::new(FOLDER).join("ensemble.md");
    let (Some(data), true) = (common::shared("data/mnist"), path.is_file()) else { return };
    let card = std::fs::read_to_string(path).unwrap();
    let members = card.split("--ensemble ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
    let report = eval(&["eval", "--ensemble", members, "--data", data.to_str().unwrap()]);
    let accuracy = report["accuracy"].as_f64().unwrap();
    assert!(card.contains(&format!("| MNIST test set | **{:.2} %**", 100.0 * accuracy)), "{accuracy}");
    for member in report["members"].as_array().unwrap() {
        assert!(member["accuracy"].as_f64().unwrap() <= accuracy, "{member} does better alone");
    }
}

/// Networks of few bits have a folder of their own: small files that score what their cards say.
#[test]
fn networks_of_few_bits_are_small_and_score_what_their_cards_say() {
    let data = common::shared("data/mnist");
    let found = std::fs::read_dir(Path::new(FOLDER).join("bits")).unwrap().map(|e| e.unwrap().path());
    let files: Vec<PathBuf> = found.filter(|p| p.extension().is_some_and(|e| e == "safetensors")).collect();
    for (name, most, least) in FEW_BITS {
        let path = files.iter().find(|p| p.file_stem().unwrap() == *name).unwrap_or_else(|| panic!("{name} is there"));
        let bytes = std::fs::read(path).unwrap();
        assert!(bytes.len() <= *most, "{name}: {} bytes", bytes.len());
        let sha: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
        assert!(card(path).contains(&sha), "{name}: the card's sha256");
        let Some(data) = &data else { continue };
        let accuracy = eval(&["eval", "--model", name, "--data", data.to_str().unwrap()])["accuracy"].as_f64().unwrap();
        assert!(accuracy >= *least, "{name}: {accuracy}");
        let said = format!("| MNIST test set | **{:.2} %**", 100.0 * accuracy);
        assert!(card(path).contains(&said), "{name}: {said}");
    }
    assert_eq!(files.len(), FEW_BITS.len(), "{files:?}");
}

/// Name, most bytes, what it has to read at least.
const FEW_BITS: &[(&str, usize, f64)] = &[
    ("tiny_int8", 11_000, 0.9945),
    ("tiny_mixed", 8_000, 0.993),
    ("smallest", 5_000, 0.99),
    ("draw_int8", 130_000, 0.994),
    ("binary", 20_480, 0.99),
];
