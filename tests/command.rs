//! The native command as a person runs it: the same weights for any number of threads and after a kill, reports as
//! JSON, errors as one line with exit code 2.
#![cfg(all(not(target_arch = "wasm32"), feature = "cli"))]

mod common;

use common::folder;
use hitofude::rng::Rng;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

fn hitofude(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hitofude"));
    command.args(args);
    command
}

fn succeed(mut command: Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(status.success(), "{command:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

/// Writes MNIST's four files with made-up pictures: a bright band whose height is the label's.
fn made_up_mnist(dir: &Path) {
    let mut rng = Rng::new(8);
    for (part, n) in [("train", 5300_u32), ("t10k", 100)] {
        let (mut images, mut labels) = (vec![0, 0, 8, 3], vec![0, 0, 8, 1]);
        for side in [n, 28, 28] {
            images.extend(side.to_be_bytes());
        }
        labels.extend(n.to_be_bytes());
        for _ in 0..n {
            let label = rng.below(10);
            labels.push(label as u8);
            images.extend((0..784).map(|i| if (i / 28) / 3 == label { 200 } else { rng.below(40) as u8 }));
        }
        std::fs::write(dir.join(format!("{part}-images-idx3-ubyte")), images).unwrap();
        std::fs::write(dir.join(format!("{part}-labels-idx1-ubyte")), labels).unwrap();
    }
}

fn train(dir: &Path, out: &str, threads: &str, more: &[&str]) -> Command {
    let (data, out) = (dir.to_str().unwrap(), dir.join(out));
    let args = ["--threads", threads, "train", "deep_convnet", "--data", data, "--epochs", "4", "--seed", "3", "--out"];
    let mut command = hitofude(&args);
    command.arg(out).args(more);
    command
}

/// Starts a training that writes to `out`, and ends it as a power cut would.
fn kill_behind_the_first_checkpoint(mut training: Command, out: &Path) {
    let mut killed = training.spawn().unwrap();
    let (checkpoint, start) = (PathBuf::from(format!("{}.checkpoint", out.display())), Instant::now());
    while !checkpoint.exists() && start.elapsed() < Duration::from_secs(120) {
        std::thread::sleep(Duration::from_millis(5));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(checkpoint.exists() && !out.exists(), "killed on its way");
}

#[test]
fn threads_and_a_kill_leave_the_weights_as_they_would_have_been() {
    let dir = folder("train");
    made_up_mnist(&dir);
    succeed(train(&dir, "one.safetensors", "1", &[]));
    succeed(train(&dir, "two.safetensors", "2", &[]));
    let weights = std::fs::read(dir.join("one.safetensors")).unwrap();
    assert_eq!(weights, std::fs::read(dir.join("two.safetensors")).unwrap(), "1 and 2 threads");

    kill_behind_the_first_checkpoint(train(&dir, "killed.safetensors", "2", &[]), &dir.join("killed.safetensors"));
    succeed(train(&dir, "killed.safetensors", "2", &["--resume"]));
    assert_eq!(weights, std::fs::read(dir.join("killed.safetensors")).unwrap(), "killed and resumed");

    let log = std::fs::read_to_string(dir.join("killed.safetensors.csv")).unwrap();
    assert_eq!(log.lines().count(), 5, "a heading and a line for each epoch: {log}");
    let card = std::fs::read_to_string(dir.join("killed.md")).unwrap();
    assert!(card.contains("--epochs 4 --seed 3") && card.contains("sha256"), "{card}");
    let mut other = train(&dir, "killed.safetensors", "1", &["--resume", "--seed", "4"]);
    other.args(["--epochs", "4"]);
    assert_eq!(other.output().unwrap().status.code(), Some(2), "a checkpoint of another seed is refused");
}

#[cfg(not(feature = "mpi"))]
#[test]
fn without_mpi_several_processes_say_what_to_build() {
    for (rank, lines) in [("0", 1), ("1", 0)] {
        let mut command = hitofude(&["fit", "--network", "lenet5", "--data", "synth", "--out", "nowhere"]);
        let run = command.env("OMPI_COMM_WORLD_SIZE", "2").env("OMPI_COMM_WORLD_RANK", rank).output().unwrap();
        let text = String::from_utf8_lossy(&run.stderr);
        assert_eq!((run.status.code(), text.lines().count()), (Some(2), lines), "{text}");
        assert!(lines == 0 || text.contains("--features mpi"), "{text}");
    }
}

#[test]
fn errors_are_one_line_and_exit_code_2() {
    let dir = folder("errors");
    made_up_mnist(&dir);
    let here = dir.to_str().unwrap();
    let junk = dir.join("junk.safetensors");
    std::fs::write(&junk, b"not weights").unwrap();
    let (junk, nowhere) = (junk.to_str().unwrap(), dir.join("no/such"));
    let nowhere = nowhere.to_str().unwrap();
    for args in [
        &["train", "no_such_recipe", "--data", here, "--out", junk] as &[&str],
        &["train", "deep_convnet", "--data", nowhere, "--out", junk],
        &["train", "deep_convnet", "--data", here, "--out", junk, "--epochs", "0"],
        &["train", "draw", "--data", here, "--out", junk],
        &["eval", "--model", junk, "--data", here],
        &["eval", "--model", nowhere, "--data", here],
        &["eval-ink", "--model", junk, "--strokes", nowhere],
        &["import", junk, "--as", "deep_convnet", "--out", nowhere],
        &["models", "--pretrained", nowhere],
        &["--threads", "0", "models"],
        &["eval"],
        &["frobnicate"],
    ] {
        let Output { status, stderr, .. } = hitofude(args).output().unwrap();
        let stderr = String::from_utf8(stderr).unwrap();
        assert_eq!(status.code(), Some(2), "{args:?}: {stderr}");
        assert!(stderr.starts_with("hitofude: ") && stderr.lines().count() == 1, "{args:?}: {stderr}");
    }
    assert_eq!(std::fs::read(junk).unwrap(), b"not weights", "nothing was overwritten");
}

fn last_json(stdout: &str) -> serde_json::Value {
    serde_json::from_str(stdout.lines().last().unwrap()).unwrap()
}

#[test]
fn the_textbook_parameters_go_through_import_and_eval() {
    let (Some(reference), Some(data)) = (common::shared("reference"), common::shared("data/mnist")) else { return };
    let out = folder("import").join("deep.safetensors");
    let (pickle, out) = (reference.join("deep_convnet_params.pkl"), out.to_str().unwrap());
    succeed(hitofude(&["import", pickle.to_str().unwrap(), "--as", "deep_convnet", "--out", out]));
    let report = last_json(&succeed(hitofude(&["eval", "--model", out, "--data", data.to_str().unwrap()])));
    assert_eq!((&report["model"], &report["images"]), (&"deep".into(), &10_000.into()), "{report}");
    assert_eq!(report["accuracy"], 0.9935);
    assert_eq!(report["misclassified"].as_array().unwrap().len(), 65);
}

#[test]
fn an_unreadable_drawing_counts_as_unsure_and_wrong() {
    let dir = folder("ink");
    let lines = r#"{"writer":"a","digit":1,"strokes":[[[0,0],[5,100]]]}
{"writer":"a","digit":3,"strokes":[]}"#;
    std::fs::write(dir.join("two.jsonl"), lines).unwrap();
    let (pretrained, strokes) = (concat!(env!("CARGO_MANIFEST_DIR"), "/pretrained"), dir.join("two.jsonl"));
    let args = ["eval-ink", "--model", "draw", "--pretrained", pretrained, "--strokes", strokes.to_str().unwrap()];
    let report = last_json(&succeed(hitofude(&args)));
    assert_eq!(report["model"], "draw");
    assert_eq!((&report["drawings"], &report["accuracy"]), (&2.into(), &0.5.into()), "{report}");
    assert_eq!((&report["unsure"], &report["accuracy_when_sure"]), (&1.into(), &1.0.into()), "{report}");
}

/// A folder of PNG files for each class: dark strokes on white paper, upright and level.
fn lines_as_png(dir: &Path) {
    for (class, upright) in [("level", false), ("upright", true)] {
        std::fs::create_dir_all(dir.join(class)).unwrap();
        for i in 0..100_usize {
            let dark = |x: usize, y: usize| if upright { x == 4 + i % 20 } else { y == 4 + i % 20 };
            let pixels: Vec<u8> = (0..784).map(|k| if dark(k % 28, k / 28) { 0 } else { 255 }).collect();
            let file = std::fs::File::create(dir.join(class).join(format!("{i}.png"))).unwrap();
            let mut encoder = png::Encoder::new(file, 28, 28);
            encoder.set_color(png::ColorType::Grayscale);
            encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
        }
    }
}

#[test]
fn fit_trains_on_folders_of_pictures_the_same_for_any_number_of_threads_and_stops_early() {
    let dir = folder("fit");
    lines_as_png(&dir.join("lines"));
    let network = r#"{"input":[1,28,28],"layers":[{"name":"conv1","type":"conv","out":4,"kernel":3,"stride":2},
        {"name":"relu1","type":"relu"},{"name":"flatten1","type":"flatten"},{"name":"affine1","type":"affine","out":2}]}"#;
    let setup =
        serde_json::json!({ "network": network, "batch": 16, "shard": 4, "steps": 400, "options": { "rate": 0.01 } });
    std::fs::write(dir.join("setup.json"), setup.to_string()).unwrap();
    let path = |name: &str| dir.join(name).to_str().unwrap().to_string();
    let fit = |out: &str, threads: &str, more: &[&str]| {
        let mut command = hitofude(&["--threads", threads, "fit", &path("setup.json"), "--data", &path("lines")]);
        command.args(["--set", "options.optimiser.rule=adamw", "--set", "options.patience=6", "--out", &path(out)]);
        command.args(more);
        command
    };
    let report = last_json(&succeed(fit("one", "1", &[])));
    succeed(fit("two", "2", &[]));
    assert_eq!(std::fs::read(dir.join("one")).unwrap(), std::fs::read(dir.join("two")).unwrap());
    assert!(report["validation"]["accuracy"].as_f64().unwrap() > 0.9, "{report}");
    assert_eq!(report["validation"]["recall"].as_array().unwrap().len(), 2);
    let log = std::fs::read_to_string(dir.join("one.csv")).unwrap();
    assert!(log.starts_with("step,rate,loss,accuracy,gradient_norm,"), "{log}");
    // Killed on its way, and resumed; but not as another training.
    kill_behind_the_first_checkpoint(fit("killed", "1", &[]), &dir.join("killed"));
    let other = fit("killed", "1", &["--resume", "--set", "seed=2"]).output().unwrap();
    assert_eq!(other.status.code(), Some(2), "a checkpoint of another setup is refused");
    assert!(String::from_utf8(other.stderr).unwrap().contains("checkpoint's setup"));
    succeed(fit("killed", "2", &["--resume"]));
    assert_eq!(std::fs::read(dir.join("one")).unwrap(), std::fs::read(dir.join("killed")).unwrap());
    let steps = |log: &str| log.lines().map(|line| line.split(',').next().unwrap().to_string()).collect::<Vec<_>>();
    assert_eq!(steps(&std::fs::read_to_string(dir.join("killed.csv")).unwrap()), steps(&log));
    // From where the first one ended, its convolution frozen.
    succeed(fit("three", "2", &["--from", &path("one"), "--freeze", "conv1", "--set", "steps=20"]));
    let weights = |name: &str| hitofude::file::safetensors::read(&std::fs::read(dir.join(name)).unwrap()).unwrap();
    let tensor = |name: &str, key: &str| weights(name).tensors.into_iter().find(|(k, _)| k == key).unwrap();
    assert_eq!(tensor("one", "conv1.weight"), tensor("three", "conv1.weight"));
    assert_ne!(tensor("one", "affine1.weight"), tensor("three", "affine1.weight"));
    // The file says what network it holds.
    succeed(hitofude(&["export", "--model", &path("three"), "--out", &path("three.onnx")]));
    let stopped = last_json(&succeed(fit("four", "1", &["--set", "options.rate=0", "--set", "options.patience=2"])));
    assert_eq!((&stopped["stopped_early"], &stopped["steps"]), (&true.into(), &48.into()), "{stopped}");
    std::fs::write(dir.join("lines/upright/41.png"), b"no picture").unwrap();
    for args in [&["--set", "option.rate=1"][..], &["--set", "steps"], &[]] {
        assert_eq!(fit("five", "1", args).output().unwrap().status.code(), Some(2), "{args:?}");
    }
    assert!(!dir.join("five").exists());
}

/// A shipped network in few bits, calibrated on made-up pictures: written, read, refused where it should be.
#[test]
fn quantise_writes_what_eval_reads() {
    let dir = folder("quantise");
    made_up_mnist(&dir);
    let (data, out) = (dir.to_str().unwrap(), dir.join("few.safetensors"));
    let pretrained = concat!(env!("CARGO_MANIFEST_DIR"), "/pretrained");
    let quantise = |bits: &str| {
        let args = ["quantise", "--model", "tiny", "--bits", bits, "--calibrate", data, "--images", "50"];
        let mut command = hitofude(&args);
        command.args(["--pretrained", pretrained, "--out"]).arg(&out);
        command
    };
    let card = succeed(quantise("8,4,ternary,2,4,8"));
    assert!(card.contains("conv3.0 ternary, conv4.0 2, conv5.0 4, fc 8"), "{card}");
    assert_eq!(std::fs::read_to_string(out.with_extension("md")).unwrap(), card);
    let mut eval = hitofude(&["eval", "--data", data, "--model"]);
    eval.arg(&out);
    let report: serde_json::Value = serde_json::from_str(succeed(eval).lines().last().unwrap()).unwrap();
    assert_eq!((report["model"].as_str(), report["images"].as_u64()), (Some("few"), Some(100)));
    for (bits, says) in
        [("9", "1 to 8, or ternary"), ("8,8", "6 layers"), ("mixed:10", "at least"), ("mixed:x", "bytes")]
    {
        let output = quantise(bits).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && said.lines().last().unwrap().contains(says), "{bits}: {said}");
    }
}
