//! The training of `fit`: step after step over the threads, with a log, and checkpoints that a kill at any moment leaves whole.

use super::{Args, files};
use hitofude::Result;
use hitofude::file::safetensors::{self, Precision};
use hitofude::systems::experiment::{Coach, Learner, Part, Samples, Setup};
use hitofude::train::Progress;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

const COLUMNS: &str = "step,rate,loss,accuracy,gradient_norm,validation_loss,validation_accuracy,images_per_second";
/// The longest time between two checkpoints, as in the page; every line of the log brings one, too.
const SAVE: Duration = Duration::from_secs(3);

/// Takes all steps, or those that are left.
pub fn run(args: &Args, setup: &Setup, samples: &Arc<Samples>, coach: &mut Coach) -> Result<()> {
    let mut record = Record::new(args, samples);
    if args.resume && record.checkpoint.is_file() {
        record.resume(coach)?;
        eprintln!("going on after step {}", coach.steps());
    }
    let hands = rayon::current_num_threads().min(setup.shards());
    let mut learners = (0..hands).map(|_| Learner::new(setup.clone(), samples.clone())).collect::<Result<Vec<_>>>()?;
    let bar = ProgressBar::new(setup.steps).with_position(coach.steps());
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {per_sec} {eta} {msg}");
    bar.set_style(style.expect("a template that parses"));
    let (mut since, mut saved, mut images) = (Instant::now(), Instant::now(), 0);
    while !coach.finished() {
        let (progress, rate) = step(setup, coach, &mut learners)?;
        bar.inc(1);
        images += progress.images;
        let logged = coach.steps().is_multiple_of(setup.every()) || coach.steps() >= setup.steps;
        if logged {
            let count = setup.glance().min(samples.len(Part::Validation));
            let (loss, accuracy) = validate(&mut learners[0], coach.latest().values(), samples, count)?;
            coach.see(loss);
            let (n, norm) = (progress.images as f64, progress.gradient_norm);
            let (own, right) = (progress.loss / n, progress.correct as f64 / n);
            let speed = images as f64 / since.elapsed().as_secs_f64();
            (since, images) = (Instant::now(), 0);
            bar.set_message(format!("loss {own:.4}, validation {:.2} % right", 100.0 * accuracy));
            record.lines.push(format!(
                "{},{rate:.3e},{own:.5},{right:.5},{norm:.5},{loss:.5},{accuracy:.5},{speed:.0}",
                coach.steps()
            ));
        }
        if logged || saved.elapsed() > SAVE {
            record.save(coach)?;
            saved = Instant::now();
        }
    }
    bar.finish_and_clear();
    Ok(())
}

/// What a training leaves on its way.
struct Record {
    log: PathBuf,
    lines: Vec<String>,
    checkpoint: PathBuf,
    /// What the pictures are known again by.
    labels: String,
}

impl Record {
    fn new(args: &Args, samples: &Samples) -> Self {
        let mut digest = Sha256::new();
        for part in [Part::Train, Part::Validation] {
            (0..samples.len(part)).for_each(|i| digest.update([samples.label(part, i)]));
        }
        let [log, checkpoint] = [".csv", ".checkpoint"].map(|suffix| files::with_suffix(&args.out, suffix));
        Self { log, lines: Vec::new(), checkpoint, labels: format!("{:x}", digest.finalize()) }
    }

    /// Writes the log and behind it the checkpoint.
    fn save(&self, coach: &Coach) -> Result<()> {
        files::write(&self.log, format!("{COLUMNS}\n{}\n", self.lines.join("\n")).as_bytes())?;
        let mut checkpoint = coach.checkpoint()?;
        checkpoint.metadata.insert("labels".into(), self.labels.clone());
        files::write(&self.checkpoint, &safetensors::write(&checkpoint, Precision::F32)?)
    }

    /// Goes on from the checkpoint; of the log stays what that has seen, for a kill may have come between the two.
    fn resume(&mut self, coach: &mut Coach) -> Result<()> {
        let checkpoint = safetensors::read(&files::read(&self.checkpoint)?)?;
        checkpoint.agree("labels", &self.labels)?;
        coach.resume(&checkpoint)?;
        let step = |line: &str| line.split(',').next().and_then(|step| step.parse::<u64>().ok());
        let text = String::from_utf8_lossy(&files::read(&self.log)?).into_owned();
        let seen = text.lines().filter(|line| step(line).is_some_and(|step| step <= coach.steps()));
        self.lines = seen.map(String::from).collect();
        Ok(())
    }
}

/// One step; the learners share its shards, whose gradients are summed in their order.
fn step(setup: &Setup, coach: &mut Coach, learners: &mut [Learner]) -> Result<(Progress, f32)> {
    let (params, step, hands, shards) = (coach.params().values(), coach.steps(), learners.len(), setup.shards());
    let share = |(hand, learner): (usize, &mut Learner)| -> Result<Vec<(Vec<f32>, Progress)>> {
        learner.receive(params)?;
        let own = shards * hand / hands..shards * (hand + 1) / hands;
        own.map(|shard| learner.learn(step, shard).map(|p| (learner.gradient().to_vec(), p))).collect()
    };
    let parts: Vec<Result<_>> = learners.par_iter_mut().enumerate().map(share).collect();
    for part in parts {
        for (gradient, progress) in part? {
            coach.add(&gradient, progress)?;
        }
    }
    coach.step()
}

/// The mean loss and the accuracy of the first pictures to choose by.
fn validate(learner: &mut Learner, params: &[f32], samples: &Samples, count: usize) -> Result<(f64, f64)> {
    learner.receive(params)?;
    let found = learner.classify(Part::Validation, 0, count)?;
    let right = (0..count).filter(|&i| found.classes[i] == samples.label(Part::Validation, i)).count();
    Ok((found.loss / count as f64, right as f64 / count as f64))
}
