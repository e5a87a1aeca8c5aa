//! `hitofude fit`: a training as the page's Train lab sets it up, from the setup that it saves, by the same code.

mod training;

use super::files;
use super::pictures::{self, Folders};
use super::ranks::{Together, World};
use hitofude::data::idx::{Labelled, Split, load_mnist};
use hitofude::file::safetensors::{self, Precision, Weights};
use hitofude::nn::description;
use hitofude::systems::experiment::{Coach, Part, Samples, Setup};
use hitofude::train::metrics::Confusion;
use hitofude::train::{State, evaluate};
use hitofude::{Error, Result, zoo};
use serde::Serialize;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Arguments of `fit`.
#[derive(clap::Args)]
pub struct Args {
    /// The setup in JSON, as the Train lab saves it; what it leaves out is the default.
    #[arg(value_name = "SETUP.json")]
    setup: Option<PathBuf>,
    /// A folder with MNIST's files (or files in its form), or one with a folder of pictures (PNG, JPEG, WebP, GIF, BMP) for
    /// each class, or one with such folders in `train`, `test` and perhaps `val`, or `synth`: digits made for the want.
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
    /// Where to write the weights; the log goes to FILE.csv, and all that is needed to go on after a kill to
    /// FILE.checkpoint.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Go on from FILE.checkpoint if there is one.
    #[arg(long)]
    resume: bool,
    #[command(flatten)]
    pub together: Together,
}

/// Pictures to learn from and to choose by that `synth` makes.
const MADE: (usize, usize) = (20_000, 2000);

/// What is printed at the end, one line of JSON.
#[derive(Serialize)]
struct Report {
    steps: u64,
    stopped_early: bool,
    /// Of the training, behind a `--resume` of what was left of it.
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

/// What a training begins with.
struct Prepared {
    data: Data,
    setup: Setup,
    coach: Coach,
}

/// Trains.
pub fn run(args: &Args, world: &World) -> Result<()> {
    let Prepared { data: Data { samples, test, metadata }, setup, mut coach } = world.every(prepare(args))?;
    let seconds = training::run(args, &setup, &samples, &mut coach, world)?;
    if !world.leads() {
        return Ok(());
    }
    let own = [("network", setup.network.clone()), ("setup", setup.to_json()?)];
    let metadata = metadata.into_iter().chain(own).map(|(key, value)| (key.to_string(), value)).collect();
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

fn prepare(args: &Args) -> Result<Prepared> {
    let data = data(&args.data)?;
    let setup = setup(args, &data.samples)?;
    let mut coach = Coach::new(setup.clone(), data.samples.shape(), data.samples.classes())?;
    if let Some(path) = &args.from {
        begin(&mut coach, path)?;
    }
    Ok(Prepared { data, setup, coach })
}

/// What is learnt from and judged by.
struct Data {
    samples: Arc<Samples>,
    test: Option<Labelled>,
    /// What the file of weights says of it.
    metadata: Vec<(&'static str, String)>,
}

/// Pictures to learn from and to choose by, and others to be judged by where there are any.
fn data(path: &Path) -> Result<Data> {
    if path.as_os_str() == "synth" {
        let samples = Arc::new(Samples::made_up(1, MADE.0, MADE.1)?);
        return Ok(Data { samples, test: None, metadata: Vec::new() });
    }
    if let Some(Folders { train, validation, test, classes, dark_ink }) = pictures::folders(path)? {
        let samples = Arc::new(Samples::new(train, validation, classes.len())?);
        let ink = if dark_ink { "dark" } else { "light" };
        let metadata = vec![("classes", serde_json::Value::from(classes).to_string()), ("ink", ink.into())];
        return Ok(Data { samples, test, metadata });
    }
    let train = load_mnist(path, Split::Train).map_err(|error| match error.code() {
        "missing" => {
            let expected = "MNIST's files, or a folder of PNG, JPEG, WebP, GIF or BMP pictures for each class";
            Error::missing(path.display(), expected, "neither")
        }
        _ => error,
    })?;
    // A test set that is not there is none; one that is damaged is an error.
    let test = match load_mnist(path, Split::Test) {
        Ok(test) => Some(test),
        Err(error) if error.code() == "missing" => None,
        Err(error) => return Err(error),
    };
    Ok(Data { samples: Arc::new(Samples::new(train, None, 10)?), test, metadata: Vec::new() })
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
        set(&mut json, "network", description::write(&net).into())?;
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
