//! `hitofude eval` and `eval-ink`: one JSON object on the last line of stdout.

use super::device;
use super::files::{self, Model};
use super::quantise::{self, Few};
use hitofude::data::idx::{Labelled, Split, load_mnist};
use hitofude::data::ink::PEN;
use hitofude::data::strokes::Drawing;
use hitofude::systems::digits::feed;
use hitofude::systems::ensemble;
use hitofude::systems::recognise::{Calibration, Ink, Recogniser};
use hitofude::train::evaluate::{self, misclassified};
use hitofude::{Error, Result};
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// Arguments of `eval`.
#[derive(clap::Args)]
pub struct EvalArgs {
    /// A name from the pretrained folder, or a file of weights.
    #[arg(long, value_name = "NAME|FILE", required_unless_present = "ensemble", conflicts_with = "ensemble")]
    model: Option<String>,
    /// Several of them, with commas between: the mean of their probabilities answers.
    #[arg(long, value_name = "NAME|FILE,…", value_delimiter = ',')]
    ensemble: Vec<String>,
    /// A folder with MNIST's files, or one that has them in `mnist` or `data/mnist`.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Score on the training images that were kept to choose by, not on the test set.
    #[arg(long)]
    validation: bool,
    /// Where to compute: cpu, gpu, gpu:N for that of this number, or auto for whichever a short trial finds faster.
    #[arg(long, value_name = "cpu|gpu[:N]|auto", default_value = "cpu")]
    device: device::Choice,
    /// Write a card of the ensemble, as trained models have them.
    #[arg(long, value_name = "FILE", requires = "ensemble")]
    card: Option<PathBuf>,
    /// The folder of shipped weights, if not the checkout's.
    #[arg(long, value_name = "DIR")]
    pretrained: Option<PathBuf>,
}

/// Arguments of `eval-ink`.
#[derive(clap::Args)]
pub struct InkArgs {
    /// A name from the pretrained folder, or a file of weights.
    #[arg(long, value_name = "NAME|FILE")]
    model: String,
    /// Pen strokes as JSON lines, plain or gzip.
    #[arg(long, value_name = "FILE")]
    strokes: PathBuf,
    /// The folder of shipped weights, if not the checkout's.
    #[arg(long, value_name = "DIR")]
    pretrained: Option<PathBuf>,
}

/// Classes of digits.
pub const CLASSES: usize = 10;

/// What the answers to some images came to.
#[derive(serde::Serialize)]
pub struct ImageReport {
    /// Who answered.
    pub model: String,
    /// How many there were.
    pub images: usize,
    /// Right ones.
    pub accuracy: f64,
    /// The numbers of the others.
    pub misclassified: Vec<usize>,
}

impl ImageReport {
    /// Of these misread images.
    pub fn new(model: &str, part: &Labelled, misclassified: Vec<usize>) -> Self {
        let images = part.images.n;
        let accuracy = 1.0 - misclassified.len() as f64 / images as f64;
        Self { model: model.into(), images, accuracy, misclassified }
    }
}

#[derive(serde::Serialize)]
struct EnsembleReport {
    #[serde(flatten)]
    whole: ImageReport,
    members: Vec<ImageReport>,
}

/// What the answers to some drawings came to.
#[derive(serde::Serialize)]
pub struct InkReport<'a> {
    model: &'a str,
    /// How many there were.
    pub drawings: usize,
    /// First guesses that were right, sure or not.
    pub accuracy: f64,
    /// Answers that the page would call "Not sure".
    pub unsure: usize,
    /// Right ones among the sure; `null` if none was.
    pub accuracy_when_sure: Option<f64>,
}

/// Scores a model or an ensemble on the MNIST test set, or on what was kept to choose by.
pub fn images(args: &EvalArgs) -> Result<()> {
    let part =
        if args.validation { feed::validation(&load_mnist(&args.data, Split::Train)?) } else { test(&args.data)? };
    let find = |name: &String| Model::find(name, args.pretrained.as_deref());
    if let Some(name) = &args.model {
        if let Some(few) = Few::find(name, args.pretrained.as_deref())? {
            return print_json(&quantise::report(&few, &part)?);
        }
        let model = find(name)?;
        let fill = |i: usize, out: &mut [f32]| feed::to_unit(part.images.image(i), out);
        let scores = device::scores(args.device, &model.net, &model.params, part.images.n, fill)?;
        return print_json(&ImageReport::new(&model.name, &part, misclassified(&scores, &part.labels)));
    }
    let models: Vec<Model> = args.ensemble.iter().map(find).collect::<Result<_>>()?;
    let scores: Vec<Vec<f32>> = models.iter().map(|model| calibrated(model, &part)).collect::<Result<_>>()?;
    let each: Vec<&[f32]> = scores.iter().map(Vec::as_slice).collect();
    let joined = ensemble::join(ensemble::Rule::Average, &each, CLASSES)?;
    let report = |name: &str, scores: &[f32]| ImageReport::new(name, &part, misclassified(scores, &part.labels));
    let members: Vec<ImageReport> = models.iter().zip(&each).map(|(m, scores)| report(&m.name, scores)).collect();
    let whole = report("ensemble", &joined);
    if let Some(path) = &args.card {
        super::card::ensemble(path, &models, &members, &whole, args.validation)?;
    }
    print_json(&EnsembleReport { whole, members })
}

/// The numbers of the images that a model misreads.
pub fn judge(model: &Model, part: &Labelled) -> Result<Vec<usize>> {
    Ok(misclassified(&scores(model, part)?, &part.labels))
}

fn scores(model: &Model, part: &Labelled) -> Result<Vec<f32>> {
    let fill = |i: usize, out: &mut [f32]| feed::to_unit(part.images.image(i), out);
    evaluate::scores(&model.net, &model.params, part.images.n, fill)
}

/// Scores over the temperature that makes their softmax honest, so that no member shouts the others down.
pub fn calibrated(model: &Model, part: &Labelled) -> Result<Vec<f32>> {
    let Calibration { temperature, .. } = Calibration::from_metadata(&model.metadata)?;
    Ok(scores(model, part)?.iter().map(|score| score / temperature).collect())
}

fn test(data: &Path) -> Result<Labelled> {
    load_mnist(data, Split::Test)
}

/// Scores a model on pen strokes, each read as the page reads it.
pub fn ink(args: &InkArgs) -> Result<()> {
    if let Some(few) = Few::find(&args.model, args.pretrained.as_deref())? {
        return print_json(&ink_report(&few.name, &few.read_ink(&files::drawings(&args.strokes)?)?)?);
    }
    let model = Model::find(&args.model, args.pretrained.as_deref())?;
    print_json(&judge_ink(&model, &files::drawings(&args.strokes)?)?)
}

/// Reads every drawing. One that cannot be read counts as unsure and wrong.
pub fn judge_ink<'a>(model: &'a Model, drawings: &[Drawing]) -> Result<InkReport<'a>> {
    // One replica for each thread; the weights were read before, so they load.
    let recogniser = || Recogniser::load(&model.file);
    let read = |recogniser: &mut Result<Recogniser>, drawing: &Drawing| -> Result<(bool, bool)> {
        let recogniser = recogniser.as_mut().map_err(|e| e.clone())?;
        let reading = recogniser.read_ink(&Ink::Strokes { strokes: &drawing.strokes, pen: PEN });
        Ok(reading.map_or((false, false), |r| (r.answer.digit == drawing.digit, r.answer.sure)))
    };
    let answers: Vec<(bool, bool)> = drawings.par_iter().map_init(recogniser, read).collect::<Result<_>>()?;
    ink_report(&model.name, &answers)
}

/// Whether each drawing was read right and for sure, in numbers.
fn ink_report<'a>(model: &'a str, answers: &[(bool, bool)]) -> Result<InkReport<'a>> {
    if answers.is_empty() {
        return Err(Error::missing("drawings", "at least one", "none"));
    }
    let count = |keep: fn(&&(bool, bool)) -> bool| answers.iter().filter(keep).count();
    let (right, sure, both) = (count(|a| a.0), count(|a| a.1), count(|a| a.0 && a.1));
    Ok(InkReport {
        model,
        drawings: answers.len(),
        accuracy: right as f64 / answers.len() as f64,
        unsure: answers.len() - sure,
        accuracy_when_sure: (sure > 0).then(|| both as f64 / sure as f64),
    })
}

fn print_json(report: &impl serde::Serialize) -> Result<()> {
    println!("{}", files::json(report)?);
    Ok(())
}
