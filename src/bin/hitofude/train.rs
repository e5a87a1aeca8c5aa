//! `hitofude train`: epochs with a progress bar, a CSV log, a checkpoint after each, and at the end weights and a card.

use super::ranks::{Together, World};
use super::{card, device, files};
use hitofude::data::idx::{Split, load_mnist};
use hitofude::data::strokes::Drawing;
use hitofude::file::safetensors::{self, Precision};
use hitofude::systems::digits::feed::{Drawings, Source};
use hitofude::systems::digits::training::Epoch;
use hitofude::systems::digits::{Feed, Recipe, Training};
use hitofude::{Error, Result};
use indicatif::{ProgressBar, ProgressStyle};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Arguments of `train`.
#[derive(clap::Args)]
pub struct Args {
    /// The recipe; `hitofude models` lists them.
    pub recipe: String,
    /// A folder with MNIST's files, or one that has them in `mnist` or `data/mnist`; for a recipe with ink also
    /// `pen-digits/pen-digits-dev.jsonl.gz`, there or in `data`. `synth` needs no files: digits made for the want.
    #[arg(long, value_name = "DIR|synth")]
    pub data: PathBuf,
    /// The folder whose MNIST test set the card judges by, if not that of the data.
    #[arg(long, value_name = "DIR")]
    pub test: Option<PathBuf>,
    /// Epochs; the recipe's own number if not given.
    #[arg(long, value_name = "N")]
    pub epochs: Option<u32>,
    /// Everything random follows from it.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Begin with the weights of this model, a name from the pretrained folder or a file, and not with drawn ones.
    #[arg(long, value_name = "NAME|FILE")]
    pub from: Option<String>,
    /// Where to write the weights.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Go on from FILE.checkpoint if there is one.
    #[arg(long)]
    pub resume: bool,
    /// Where to compute: cpu, gpu, gpu:N for that of this number, or auto for whichever a short trial finds faster. Weights
    /// of a GPU are repeatable on it, but not those that other devices get.
    #[arg(long, value_name = "cpu|gpu[:N]|auto", default_value = "cpu")]
    pub device: device::Choice,
    #[command(flatten)]
    pub together: Together,
}

impl Args {
    /// Whether the digits to learn from are made.
    pub fn made(&self) -> bool {
        self.data.as_os_str() == "synth"
    }

    /// The folder of the test set, if there is one to judge by.
    pub fn judged_by(&self) -> Option<&Path> {
        self.test.as_deref().or_else(|| (!self.made()).then_some(&*self.data))
    }
}

const COLUMNS: &str = "epoch,rate,loss,train_accuracy,validation_images,validation_drawings,images_per_second,seconds";

/// One line of the log.
#[derive(Clone, Copy)]
pub struct Row {
    /// Images learnt from per second of wall-clock time.
    pub speed: f64,
    /// Wall-clock seconds of the epoch, validation included.
    pub seconds: f64,
}

/// Trains.
pub fn run(args: &Args, world: &World) -> Result<()> {
    let (mut training, judged, fingerprint) = world.every(prepare(args, world))?;
    world.prepared(|| fingerprint)?;
    let (epochs, start) = (training.epochs(), training.epochs_done());
    training.join(world.shared());
    let (checkpoint, log) = (files::with_suffix(&args.out, ".checkpoint"), files::with_suffix(&args.out, ".csv"));
    let kept = || (args.resume && checkpoint.is_file()).then(|| files::read(&checkpoint)).transpose();
    if let Some(bytes) = world.first_reads(kept)? {
        training.resume(&safetensors::read(&bytes)?)?;
        if world.leads() {
            eprintln!("going on after epoch {}", training.epochs_done());
        }
    }
    if training.epochs_done() < epochs {
        device::place(&mut training, args.device)?;
    }
    let mut lines = if world.leads() { kept_lines(&log, training.epochs_done())? } else { Vec::new() };
    while training.epochs_done() < epochs {
        lines.push(epoch(&mut training, epochs, world)?);
        device::report(&mut training);
        if world.leads() {
            files::write(&log, format!("{COLUMNS}\n{}\n", lines.join("\n")).as_bytes())?;
            files::write(&checkpoint, &safetensors::write(&training.checkpoint(), Precision::F32)?)?;
        }
    }
    world.sent(u64::from(epochs - start) * training.steps());
    let calibration = training.calibrate()?;
    if !world.leads() {
        return Ok(());
    }
    files::write(&args.out, &safetensors::write(&training.weights(&calibration), Precision::F16)?)?;
    card::write(args, epochs, &calibration, &rows(&lines), &judged, world.group().size())
}

/// A training before its first step, the drawings to judge it by, and what its data are known by.
fn prepare(args: &Args, world: &World) -> Result<(Training, Vec<Drawing>, String)> {
    if world.group().size() > 1 && args.device != device::Choice::Cpu {
        return Err(Error::value(
            "--device under mpirun",
            "cpu: ranks share their steps on it",
            format!("{:?}", args.device),
        ));
    }
    let recipe = Recipe::named(&args.recipe)?;
    let strokes = recipe.ink.map(|_| strokes_in(&args.data)).transpose()?;
    let drawings = strokes.as_deref().map(files::drawings).transpose()?;
    let drawings = Drawings::split(&drawings.unwrap_or_default());
    let judged = drawings.test.clone();
    let images = if args.made() { Source::Made } else { Source::Images(load_mnist(&args.data, Split::Train)?) };
    let mut digest = Sha256::new();
    if world.group().size() > 1 {
        digest.update(format!("{} {} {:?} {}", args.recipe, args.seed, args.epochs, args.together.fast_sum));
        if let Source::Images(set) = &images {
            digest.update(&set.images.pixels);
            digest.update(&set.labels);
        }
        if let Some(path) = &strokes {
            digest.update(files::read(path)?);
        }
    }
    let feed = Feed::new(recipe, images, drawings)?;
    let from = args.from.as_ref().map(|name| files::Model::find(name, None)).transpose()?;
    if let Some(model) = &from {
        digest.update(&model.file);
    }
    let from = from.map_or_else(Vec::new, |model| model.params.named());
    let training = Training::from(recipe, feed, args.seed, args.epochs.unwrap_or(recipe.epochs), &from)?;
    Ok((training, judged, format!("{:x}", digest.finalize())))
}

/// The log's lines of the epochs that a checkpoint has seen; a kill may have come between the two.
fn kept_lines(log: &Path, epochs: u32) -> Result<Vec<String>> {
    if epochs == 0 {
        return Ok(Vec::new());
    }
    let text = String::from_utf8_lossy(&files::read(log)?).into_owned();
    Ok(text.lines().skip(1).take(epochs as usize).map(String::from).collect())
}

fn rows(lines: &[String]) -> Vec<Row> {
    let number = |line: &str, column: usize| line.split(',').nth(column).and_then(|v| v.parse().ok()).unwrap_or(0.0);
    lines.iter().map(|line| Row { speed: number(line, 6), seconds: number(line, 7) }).collect()
}

fn epoch(training: &mut Training, epochs: u32, world: &World) -> Result<String> {
    let (start, samples) = (Instant::now(), training.samples());
    let bar = world.bar(ProgressBar::new(samples as u64));
    let style = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} {per_sec} {eta} {msg}");
    bar.set_style(style.expect("a template that parses"));
    bar.set_prefix(format!("epoch {}/{epochs}", training.epochs_done() + 1));
    let mut learnt = 0.0;
    let done = training.epoch(|p| {
        learnt = start.elapsed().as_secs_f64();
        bar.set_position(p.images as u64);
        bar.set_message(format!("loss {:.4}, {:.2} % right", p.loss / p.images as f64, percent(p.correct, p.images)));
    })?;
    bar.finish_and_clear();
    let Epoch { epoch, rate, train, images, drawings } = done;
    let line = format!(
        "{epoch},{rate:.3e},{:.5},{:.5},{images:.5},{},{:.0},{:.2}",
        train.loss / train.images as f64,
        train.correct as f64 / train.images as f64,
        drawings.map(|d| format!("{d:.5}")).unwrap_or_default(),
        samples as f64 / learnt,
        start.elapsed().as_secs_f64(),
    );
    if world.leads() {
        eprintln!("{line}");
    }
    Ok(line)
}

fn percent(part: usize, all: usize) -> f64 {
    100.0 * part as f64 / all.max(1) as f64
}

fn strokes_in(data: &Path) -> Result<PathBuf> {
    let name = "pen-digits/pen-digits-dev.jsonl.gz";
    let places = [data.join(name), data.join("data").join(name), data.join("..").join(name)];
    let found = places.into_iter().find(|p| p.is_file());
    found.ok_or_else(|| Error::missing(name, format!("a file in {0} or {0}/data", data.display()), "none"))
}
