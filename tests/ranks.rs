//! Trainings under mpirun: the same weights for any number of ranks, also behind a kill; an error ends every rank.
//! `npm test` runs them where Open MPI is; processes share this machine's loopback.
#![cfg(all(not(target_arch = "wasm32"), feature = "mpi"))]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Longer than any of these trainings takes on a slow machine: a rank that waits for ever fails the test by it.
const PATIENCE: Duration = Duration::from_secs(120);

fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    // Two classes of pictures, whose lines lie or stand.
    for (class, lies) in [("lie", true), ("stand", false)] {
        std::fs::create_dir_all(path.join(class)).unwrap();
        for i in 0..40_usize {
            let ink = |k: usize| if lies { k / 8 == i % 8 } else { k % 8 == i % 8 };
            let pixels: Vec<u8> =
                (0..64).map(|k| if ink(k) { 200 + (i / 8) as u8 } else { (i * k % 30) as u8 }).collect();
            let file = std::fs::File::create(path.join(class).join(format!("{i:02}.png"))).unwrap();
            let mut encoder = png::Encoder::new(file, 8, 8);
            encoder.set_color(png::ColorType::Grayscale);
            encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
        }
    }
    std::fs::write(path.join("setup.json"), SETUP).unwrap();
    path
}

/// Dropout, batch normalisation and augmentation all depend on which shard a picture is in; five shards do not divide evenly.
const SETUP: &str = r#"{"network":"{\"input\":[1,8,8],\"layers\":[{\"type\":\"conv\",\"name\":\"conv1\",\"out\":6,\"kernel\":3,\"pad\":1},{\"type\":\"batch_norm\",\"name\":\"norm1\"},{\"type\":\"relu\",\"name\":\"relu1\"},{\"type\":\"flatten\",\"name\":\"flatten1\"},{\"type\":\"affine\",\"name\":\"affine1\",\"out\":300},{\"type\":\"relu\",\"name\":\"relu2\"},{\"type\":\"dropout\",\"name\":\"dropout1\",\"ratio\":0.3},{\"type\":\"affine\",\"name\":\"affine2\",\"out\":2}]}","batch":20,"shard":4,"steps":30,"augment":{"rotate":10},"options":{"average":0.9}}"#;

/// A training in so many ranks, or in one process that knows nothing of MPI.
fn fit(dir: &Path, ranks: usize, out: &str, more: &[&str]) -> Command {
    let own = env!("CARGO_BIN_EXE_hitofude");
    let mut command = if ranks == 0 { Command::new(own) } else { Command::new("mpirun") };
    if ranks > 0 {
        command.args(["--allow-run-as-root", "--oversubscribe", "-n", &ranks.to_string(), own]);
    }
    command.args(["--threads", "1", "fit"]).arg(dir.join("setup.json")).arg("--data").arg(dir).arg("--out");
    command.arg(dir.join(out)).args(more).stdin(Stdio::null());
    command
}

/// What came of a command that must come to an end.
fn end(mut command: Command) -> Output {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("mpirun");
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("{command:?} hangs");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.wait_with_output().unwrap()
}

fn weights(dir: &Path, command: Command, out: &str) -> Vec<u8> {
    let Output { status, stderr, .. } = end(command);
    assert!(status.success(), "{out}: {}", String::from_utf8_lossy(&stderr));
    std::fs::read(dir.join(out)).unwrap()
}

#[test]
fn any_number_of_ranks_makes_the_weights_of_one_process() {
    let dir = folder("ranks");
    let alone = weights(&dir, fit(&dir, 0, "alone", &[]), "alone");
    for ranks in [1, 2, 4] {
        let name = format!("ranks{ranks}");
        assert_eq!(weights(&dir, fit(&dir, ranks, &name, &[]), &name), alone, "{ranks} ranks");
        let log = |name: &str| std::fs::read_to_string(dir.join(format!("{name}.csv"))).unwrap();
        let curve =
            |name: &str| log(name).lines().map(|l| l.rsplit_once(',').unwrap().0.to_string()).collect::<Vec<_>>();
        assert_eq!(curve(&name), curve("alone"), "all but the speed");
    }
    let threads = weights(&dir, fit(&dir, 2, "threads", &["--threads", "2"]), "threads");
    assert_eq!(threads, alone, "2 ranks with 2 threads each");
    let fast = end(fit(&dir, 2, "fast", &["--fast-sum"]));
    assert!(fast.status.success(), "{}", String::from_utf8_lossy(&fast.stderr));
}

#[test]
fn a_killed_rank_ends_the_job_and_another_number_of_ranks_goes_on() {
    let dir = folder("killed_ranks");
    let steps = ["--set", "steps=120"];
    let alone = weights(&dir, fit(&dir, 0, "alone", &steps), "alone");
    let mut job = fit(&dir, 3, "killed", &steps).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (checkpoint, start) = (dir.join("killed.checkpoint"), Instant::now());
    while !checkpoint.exists() && start.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(5));
    }
    let rank = children(job.id()).pop().expect("a rank at work");
    assert!(Command::new("kill").args(["-9", &rank]).status().unwrap().success());
    let start = Instant::now();
    while job.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < PATIENCE, "the other ranks wait for the one that was killed");
        std::thread::sleep(Duration::from_millis(20));
    }
    let Output { status, stderr, .. } = job.wait_with_output().unwrap();
    assert!(!status.success() && !dir.join("killed").exists());
    assert!(String::from_utf8_lossy(&stderr).contains("signal 9"), "{}", String::from_utf8_lossy(&stderr));
    let resumed = fit(&dir, 2, "killed", &["--set", "steps=120", "--resume"]);
    assert_eq!(weights(&dir, resumed, "killed"), alone, "three ranks, a kill, two ranks");
}

/// The processes that a process has started, by number.
fn children(of: u32) -> Vec<String> {
    let all = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.file_name().into_string().unwrap());
    let parent = |id: &String| -> Option<u32> {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
    };
    all.filter(|id| id.bytes().all(|b| b.is_ascii_digit())).filter(|id| parent(id) == Some(of)).collect()
}

#[test]
fn an_error_ends_every_rank_with_one_line() {
    let dir = folder("ranks_errors");
    let words = |args: &[&str]| {
        let Output { status, stderr, .. } = end(fit(&dir, 3, "wrong", args));
        let text = String::from_utf8_lossy(&stderr).into_owned();
        assert_eq!(status.code(), Some(2), "{args:?}: {text}");
        let own = text.lines().filter(|line| line.starts_with("hitofude: ")).map(String::from);
        own.collect::<Vec<_>>()
    };
    // Refused before the ranks have joined, by each of them, by all of them in a step, and by rank 0 alone.
    assert_eq!(words(&["--threads", "0"]).len(), 1);
    assert_eq!(words(&["--set", "batch=0"]).len(), 1);
    let wild = words(&["--set", "options.rate=900", "--set", "options.optimiser.rule=sgd"]);
    assert!(wild.len() == 1 && wild[0].contains("step"), "{wild:?}");
    std::fs::create_dir_all(dir.join("wrong.csv/full")).unwrap();
    let own = words(&[]);
    assert!(own.len() == 1 && own[0].contains("wrong.csv"), "{own:?}");
    // One rank whose pictures differ.
    let other = folder("ranks_errors_other");
    std::fs::remove_file(other.join("lie/00.png")).unwrap();
    let program = env!("CARGO_BIN_EXE_hitofude");
    let mut mixed = Command::new("mpirun");
    mixed.args(["--allow-run-as-root", "--oversubscribe"]);
    for (k, data) in [&dir, &other].into_iter().enumerate() {
        mixed.args(if k > 0 { &[":", "-n", "1"][..] } else { &["-n", "1"] }).arg(program).args([
            "--threads",
            "1",
            "fit",
        ]);
        mixed.arg(dir.join("setup.json")).arg("--data").arg(data).arg("--out").arg(dir.join("mixed"));
    }
    let Output { status, stderr, .. } = end(mixed);
    let text = String::from_utf8_lossy(&stderr);
    assert_eq!(status.code(), Some(2), "{text}");
    assert!(text.contains("hitofude: SHA-256 of what is learnt from"), "{text}");
}

#[test]
fn what_runs_in_one_process_only_says_so() {
    let mut several = Command::new("mpirun");
    several.args(["--allow-run-as-root", "--oversubscribe", "-n", "2", env!("CARGO_BIN_EXE_hitofude"), "models"]);
    let Output { status, stderr, .. } = end(several);
    let text = String::from_utf8_lossy(&stderr);
    assert_eq!(status.code(), Some(2), "{text}");
    assert_eq!(text.matches("hitofude: command under mpirun: expected train, fit").count(), 1, "{text}");
    let dir = folder("ranks_alone");
    let text = end(fit(&dir, 0, "alone", &["--fast-sum"])).stderr;
    let text = String::from_utf8_lossy(&text);
    assert!(text.contains("--fast-sum: expected several ranks"), "{text}");
}
