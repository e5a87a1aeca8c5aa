//! The training of `fit`: step after step over the threads, with a log, and checkpoints that a kill at any moment leaves whole.

use super::super::ranks::World;
use super::{Args, files};
use hitofude::Result;
use hitofude::file::safetensors::{self, Precision};
use hitofude::systems::experiment::{Coach, Learner, Part, Samples, Setup};
use hitofude::train::group::{Ready, agree, share};
use hitofude::train::{Group, Progress};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

const COLUMNS: &str = "step,rate,loss,accuracy,gradient_norm,validation_loss,validation_accuracy,images_per_second";
/// The longest time between two checkpoints, as in the page; every line of the log brings one, too.
const SAVE: Duration = Duration::from_secs(3);

/// Pictures that are classified together: a fixed number, so that the mean loss has the same bits for any number of hands, and
/// a small one, so that the hands have as much to do.
const PIECE: usize = 25;

/// Takes all steps, or those that are left. Returns the seconds they took.
pub fn run(args: &Args, setup: &Setup, samples: &Arc<Samples>, coach: &mut Coach, world: &World) -> Result<f64> {
    let mut record = Record::new(args, samples);
    world.prepared(|| record.fingerprint(setup, coach, samples))?;
    let kept = || (args.resume && record.checkpoint.is_file()).then(|| files::read(&record.checkpoint)).transpose();
    if let Some(bytes) = world.first_reads(kept)? {
        world.every(record.resume(coach, &bytes, world))?;
        if world.leads() {
            eprintln!("going on after step {}", coach.steps());
        }
    }
    let hands = rayon::current_num_threads().min(setup.shards());
    let mut learners = (0..hands).map(|_| Learner::new(setup.clone(), samples.clone())).collect::<Result<Vec<_>>>()?;
    let bar = world.bar(ProgressBar::new(setup.steps).with_position(coach.steps()));
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {per_sec} {eta} {msg}");
    bar.set_style(style.expect("a template that parses"));
    let (start, first) = (Instant::now(), coach.steps());
    let (mut since, mut saved, mut images) = (start, start, 0);
    while !coach.finished() {
        let (progress, rate) = step(setup, coach, &mut learners, world.group())?;
        bar.inc(1);
        images += progress.images;
        let logged = coach.steps().is_multiple_of(setup.every()) || coach.steps() >= setup.steps;
        if logged {
            let count = setup.glance().min(samples.len(Part::Validation));
            let (loss, accuracy) = validate(&mut learners, coach.latest().values(), samples, count, world.group())?;
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
        if world.leads() && (logged || saved.elapsed() > SAVE) {
            record.save(coach)?;
            saved = Instant::now();
        }
    }
    bar.finish_and_clear();
    world.sent(coach.steps() - first);
    Ok(start.elapsed().as_secs_f64())
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

    /// What must be the same for all that train together.
    fn fingerprint(&self, setup: &Setup, coach: &Coach, samples: &Samples) -> String {
        let mut digest = Sha256::new();
        digest.update(format!("{} {}", self.labels, setup.to_json().unwrap_or_default()));
        coach.params().values().iter().for_each(|v| digest.update(v.to_le_bytes()));
        let mut picture = vec![0.0; samples.shape().len()];
        for i in 0..samples.len(Part::Train) {
            samples.picture(Part::Train, i, &mut picture);
            picture.iter().for_each(|v| digest.update(v.to_le_bytes()));
        }
        format!("{:x}", digest.finalize())
    }

    /// Goes on from the checkpoint; of the log stays what that has seen, for a kill may have come between the two.
    fn resume(&mut self, coach: &mut Coach, bytes: &[u8], world: &World) -> Result<()> {
        let checkpoint = safetensors::read(bytes)?;
        checkpoint.agree("labels", &self.labels)?;
        coach.resume(&checkpoint)?;
        if !world.leads() {
            return Ok(());
        }
        let step = |line: &str| line.split(',').next().and_then(|step| step.parse::<u64>().ok());
        let text = String::from_utf8_lossy(&files::read(&self.log)?).into_owned();
        let seen = text.lines().filter(|line| step(line).is_some_and(|step| step <= coach.steps()));
        self.lines = seen.map(String::from).collect();
        Ok(())
    }
}

/// One step; the learners of all members share its shards, whose gradients are summed in their order.
fn step(setup: &Setup, coach: &mut Coach, learners: &mut [Learner], group: &dyn Group) -> Result<(Progress, f32)> {
    let (at, own) = (coach.steps(), share(setup.shards(), group.rank(), group.size()));
    coach.step_in(group, |params, ready| {
        learners.iter_mut().try_for_each(|learner| learner.receive(params.values()))?;
        match learners {
            [learner] if group.size() > 1 && !own.is_empty() => in_turn(learner, at, own, ready),
            _ => at_once(learners, at, own, ready),
        }
    })
}

/// A shard's gradient and what it came to.
type Shard = (Vec<f32>, Progress);

fn shard(learner: &mut Learner, step: u64, shard: usize) -> Result<Shard> {
    let progress = learner.learn(step, shard)?;
    learner.check(step)?;
    Ok((learner.gradient().to_vec(), progress))
}

/// Every learner computes a part of the shards.
fn at_once(learners: &mut [Learner], step: u64, own: Range<usize>, ready: &mut Ready<'_>) -> Result<Vec<Progress>> {
    let hands = learners.len();
    let part = |(hand, learner): (usize, &mut Learner)| -> Result<Vec<Shard>> {
        share(own.len(), hand, hands).map(|i| shard(learner, step, own.start + i)).collect()
    };
    let parts: Result<Vec<Vec<Shard>>> = learners.par_iter_mut().enumerate().map(part).collect();
    let shards: Vec<Shard> = parts?.into_iter().flatten().collect();
    ready(&shards.iter().map(|(gradient, _)| &gradient[..]).collect::<Vec<_>>(), 0);
    Ok(shards.into_iter().map(|(_, progress)| progress).collect())
}

/// One learner computes them all; the sum sets off while the last one goes backward.
fn in_turn(learner: &mut Learner, step: u64, own: Range<usize>, ready: &mut Ready<'_>) -> Result<Vec<Progress>> {
    let last = own.end - 1;
    let others = (own.start..last).map(|i| shard(learner, step, i)).collect::<Result<Vec<_>>>()?;
    let progress = learner.learn_telling(step, last, &mut |gradient, from| {
        let all: Vec<&[f32]> = others.iter().map(|(gradient, _)| &gradient[..]).chain([gradient]).collect();
        ready(&all, from);
    })?;
    learner.check(step)?;
    Ok(others.into_iter().map(|(_, progress)| progress).chain([progress]).collect())
}

/// The mean loss and the accuracy of the first pictures to choose by.
fn validate(
    learners: &mut [Learner],
    params: &[f32],
    samples: &Samples,
    count: usize,
    group: &dyn Group,
) -> Result<(f64, f64)> {
    let own = share(count.div_ceil(PIECE), group.rank(), group.size());
    let hands = learners.len();
    let work = |(hand, learner): (usize, &mut Learner)| -> Result<Vec<(f64, usize)>> {
        learner.receive(params)?;
        let pieces = share(own.len(), hand, hands).map(|i| (own.start + i) * PIECE);
        let look = |first: usize| {
            let found = learner.classify(Part::Validation, first, count.min(first + PIECE))?;
            let right = |(k, class): (usize, &u8)| *class == samples.label(Part::Validation, first + k);
            Ok((found.loss, found.classes.iter().enumerate().filter(|one| right(*one)).count()))
        };
        pieces.map(look).collect()
    };
    let parts: Result<Vec<Vec<(f64, usize)>>> = learners.par_iter_mut().enumerate().map(work).collect();
    let bytes = |(loss, right): &(f64, usize)| [loss.to_le_bytes(), (*right as u64).to_le_bytes()].concat();
    let all = agree(group, parts.map(|parts| parts.concat().iter().flat_map(bytes).collect()))?.concat();
    let (mut loss, mut right) = (0.0, 0);
    for piece in all.chunks_exact(16) {
        let number = |k: usize| piece[k..][..8].try_into().expect("eight bytes");
        loss += f64::from_le_bytes(number(0));
        right += u64::from_le_bytes(number(8));
    }
    Ok((loss / count as f64, right as f64 / count as f64))
}
