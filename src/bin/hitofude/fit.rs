//! `hitofude fit`: a training as the page's Train lab sets it up, from the setup that it saves, by the same code.

use super::{files, pictures};
use hitofude::data::idx::{Labelled, Split, load_mnist};
use hitofude::file::safetensors::{self, Precision, Weights};
use hitofude::nn::spec;
use hitofude::systems::experiment::{Coach, Learner, Part, Samples, Setup};
use hitofude::train::metrics::Confusion;
use hitofude::train::{Progress, State, evaluate};
use hitofude::{Error, Result, zoo};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use serde::Serialize;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Arguments of `fit`.
#[derive(clap::Args)]
pub struct Args {
    /// The setup in JSON, as the Train lab saves it; what it leaves out is the default.
    #[arg(value_name = "SETUP.json")]
    setup: Option<PathBuf>,
    /// A folder with MNIST's files (or files in its form), or one with a folder of PNG files for each class, or `synth`:
    /// digits made for the purpose.
    #[arg(long, value_name = "DIR|synth")]
    data: PathBuf,
    /// An architecture of the catalogue in place of the setup's network.
    #[arg(long, value_name = "NAME")]
    network: Option<String>,
    /// Sets a part of the setup, such as `steps=2000`, `options.optimiser.rule=sgd`, `options.schedule.curve=cosine`,
    /// `options.l2=0.001`, `options.patience=5` or `augment.rotate=10`; may be given several times.
    #[arg(long, value_name = "PART=VALUE")]
    set: Vec<String>,
    /// Begins with the weights in this file.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// A layer that stays as it begins; may be given several times.
    #[arg(long, value_name = "LAYER")]
    freeze: Vec<String>,
    /// Where to write the weights; the log goes to FILE.csv.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

const COLUMNS: &str = "step,rate,loss,accuracy,gradient_norm,validation_loss,validation_accuracy,images_per_second\n";
/// Pictures to learn from and to choose by that `synth` makes.
const MADE: (usize, usize) = (20_000, 2000);
/// Pictures that a validation on the way looks at; the last one looks at all.
const GLANCE: usize = 1000;

/// What is printed at the end, one line of JSON.
#[derive(Serialize)]
struct Report {
    steps: u64,
    stopped_early: bool,
    seconds: f64,
    validation: Judged,
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<Judged>,
}

/// How pictures were read.
#[derive(Serialize)]
struct Judged {
    images: usize,
    accuracy: Option<f64>,
    precision: Vec<Option<f64>>,
    recall: Vec<Option<f64>>,
    confusion: Confusion,
}

/// Trains.
pub fn run(args: &Args) -> Result<()> {
    let (samples, test) = data(&args.data)?;
    let setup = setup(args, &samples)?;
    let mut coach = Coach::new(setup.clone(), samples.shape(), samples.classes())?;
    if let Some(path) = &args.from {
        begin(&mut coach, path)?;
    }
    let start = Instant::now();
    train(args, &setup, &samples, &mut coach)?;
    let seconds = start.elapsed().as_secs_f64();
    let metadata = [("setup".to_string(), files::json(&setup)?)].into();
    let weights = Weights { tensors: coach.weights(), metadata };
    files::write(&args.out, &safetensors::write(&weights, Precision::F32)?)?;
    let picture = |i: usize, out: &mut [f32]| samples.picture(Part::Validation, i, out);
    let labels: Vec<u8> = (0..samples.len(Part::Validation)).map(|i| samples.label(Part::Validation, i)).collect();
    let report = Report {
        steps: coach.steps(),
        stopped_early: coach.steps() < setup.steps,
        seconds,
        validation: judge(&coach, &labels, picture)?,
        test: test.map(|set| judge(&coach, &set.labels, |i, out| to_unit(set.images.image(i), out))).transpose()?,
    };
    println!("{}", files::json(&report)?);
    Ok(())
}

/// Pictures to learn from and to choose by, and others to be judged by where there are any.
fn data(path: &Path) -> Result<(Arc<Samples>, Option<Labelled>)> {
    if path.as_os_str() == "synth" {
        return Ok((Arc::new(Samples::made_up(1, MADE.0, MADE.1)?), None));
    }
    if let Some((set, classes)) = pictures::folders(path)? {
        return Ok((Arc::new(Samples::new(set, None, classes)?), None));
    }
    let samples = Samples::new(load_mnist(path, Split::Train)?, None, 10)?;
    Ok((Arc::new(samples), load_mnist(path, Split::Test).ok()))
}

/// The setup in the file, with what the arguments change.
fn setup(args: &Args, samples: &Samples) -> Result<Setup> {
    let text = args.setup.as_deref().map_or(Ok(b"{}".to_vec()), files::read)?;
    let wrong = |e| Error::format("setup", "a training's setup in JSON", e);
    let mut json: Value = serde_json::from_slice(&text).map_err(wrong)?;
    let shape = samples.shape();
    if let Some(name) = &args.network {
        let net = zoo::build(name)?;
        if net.input_shape() != shape {
            return Err(Error::shape(name, format!("pictures of {shape}"), net.input_shape()));
        }
        set(&mut json, "network", spec::write(&net).into())?;
    }
    for change in &args.set {
        let Some((part, value)) = change.split_once('=') else {
            return Err(Error::format("--set", "PART=VALUE", change));
        };
        set(&mut json, part, serde_json::from_str(value).unwrap_or_else(|_| value.into()))?;
    }
    if !args.freeze.is_empty() {
        set(&mut json, "freeze", args.freeze.clone().into())?;
    }
    Setup::from_json(&json.to_string())
}

/// Sets a part of an object, whose name has a dot before each part of a part.
fn set(json: &mut Value, part: &str, value: Value) -> Result<()> {
    let mut at = json;
    for name in part.split('.') {
        let Some(object) = at.as_object_mut() else {
            return Err(Error::value(format!("--set {part}"), "parts of an object", name));
        };
        at = object.entry(name).or_insert_with(|| Value::Object(Default::default()));
    }
    *at = value;
    Ok(())
}

/// Lets a coach begin with the weights in a file.
fn begin(coach: &mut Coach, path: &Path) -> Result<()> {
    let mut params = coach.params().clone();
    params.load(&safetensors::read(&files::read(path)?)?.tensors)?;
    let State { memory, average, .. } = coach.state();
    let params = params.values().to_vec();
    coach.restore(State { average: average.map(|_| params.clone()), params, memory })
}

fn train(args: &Args, setup: &Setup, samples: &Arc<Samples>, coach: &mut Coach) -> Result<()> {
    let hands = rayon::current_num_threads().min(setup.shards());
    let mut learners = (0..hands).map(|_| Learner::new(setup.clone(), samples.clone())).collect::<Result<Vec<_>>>()?;
    let every = (setup.steps / 40).max(10);
    let bar = ProgressBar::new(setup.steps);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {per_sec} {eta} {msg}");
    bar.set_style(style.expect("a template that parses"));
    let mut log = String::from(COLUMNS);
    let mut since = Instant::now();
    while !coach.finished() {
        let (progress, rate) = step(setup, coach, &mut learners)?;
        bar.inc(1);
        if !coach.steps().is_multiple_of(every) && coach.steps() < setup.steps {
            continue;
        }
        let count = GLANCE.min(samples.len(Part::Validation));
        let (loss, accuracy) = validate(&mut learners[0], coach.latest().values(), samples, count)?;
        coach.see(loss);
        let images = progress.images as f64;
        let (own, right) = (progress.loss / images, progress.correct as f64 / images);
        let speed = every as f64 * images / since.elapsed().as_secs_f64();
        since = Instant::now();
        bar.set_message(format!("loss {own:.4}, validation {:.2} % right", 100.0 * accuracy));
        let norm = progress.gradient_norm;
        log +=
            &format!("{},{rate:.3e},{own:.5},{right:.5},{norm:.5},{loss:.5},{accuracy:.5},{speed:.0}\n", coach.steps());
        files::write(&files::with_suffix(&args.out, ".csv"), log.as_bytes())?;
    }
    bar.finish_and_clear();
    Ok(())
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

fn judge(coach: &Coach, labels: &[u8], fill: impl Fn(usize, &mut [f32]) + Sync) -> Result<Judged> {
    let net = coach.network();
    let classes = net.node(net.output()).shape.len();
    let scores = evaluate::scores(net, coach.result(), labels.len(), fill)?;
    let confusion = Confusion::new(&scores, labels, classes)?;
    Ok(Judged {
        images: labels.len(),
        accuracy: confusion.accuracy(),
        precision: (0..classes).map(|class| confusion.precision(class)).collect(),
        recall: (0..classes).map(|class| confusion.recall(class)).collect(),
        confusion,
    })
}

fn to_unit(pixels: &[u8], out: &mut [f32]) {
    out.iter_mut().zip(pixels).for_each(|(v, p)| *v = f32::from(*p) / 255.0);
}
