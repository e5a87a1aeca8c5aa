//! `hitofude eval` and `eval-ink`: one JSON object on the last line of stdout.

use super::files::{self, Model};
use hitofude::data::idx::{Labelled, Split, load_mnist};
use hitofude::data::ink::PEN;
use hitofude::data::strokes::Drawing;
use hitofude::systems::digits::feed::to_unit;
use hitofude::systems::recognise::{Ink, Recogniser};
use hitofude::train::evaluate;
use hitofude::{Error, Result};
use rayon::prelude::*;
use std::path::PathBuf;

/// Arguments of `eval`.
#[derive(clap::Args)]
pub struct EvalArgs {
    /// A name from the pretrained folder, or a file of weights.
    #[arg(long, value_name = "NAME|FILE")]
    model: String,
    /// A folder with MNIST's files, or one that has them in `mnist` or `data/mnist`.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
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

#[derive(serde::Serialize)]
struct ImageReport<'a> {
    model: &'a str,
    images: usize,
    accuracy: f64,
    misclassified: Vec<usize>,
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

/// Scores a model on the MNIST test set.
pub fn images(args: &EvalArgs) -> Result<()> {
    let model = Model::find(&args.model, args.pretrained.as_deref())?;
    let report = judge(&model, &load_mnist(&args.data, Split::Test)?)?;
    let model = &model.name;
    let accuracy = 1.0 - report.len() as f64 / 10_000.0;
    print_json(&ImageReport { model, images: 10_000, accuracy, misclassified: report })
}

/// The numbers of the images that a model misreads.
pub fn judge(model: &Model, test: &Labelled) -> Result<Vec<usize>> {
    let fill = |i: usize, out: &mut [f32]| to_unit(test.images.image(i), out);
    let scores = evaluate::scores(&model.net, &model.params, test.images.n, fill)?;
    Ok(evaluate::misclassified(&scores, &test.labels))
}

/// Scores a model on pen strokes, each read as the page reads it.
pub fn ink(args: &InkArgs) -> Result<()> {
    let model = Model::find(&args.model, args.pretrained.as_deref())?;
    print_json(&judge_ink(&model, &files::drawings(&args.strokes)?)?)
}

/// Reads every drawing. One that cannot be read counts as unsure and wrong.
pub fn judge_ink<'a>(model: &'a Model, drawings: &[Drawing]) -> Result<InkReport<'a>> {
    if drawings.is_empty() {
        return Err(Error::missing("drawings", "at least one", "none"));
    }
    // One replica for each thread; the weights were read before, so they load.
    let recogniser = || Recogniser::load(&model.file);
    let read = |recogniser: &mut Result<Recogniser>, drawing: &Drawing| -> Result<(bool, bool)> {
        let recogniser = recogniser.as_mut().map_err(|e| e.clone())?;
        let reading = recogniser.read_ink(&Ink::Strokes { strokes: &drawing.strokes, pen: PEN });
        Ok(reading.map_or((false, false), |r| (r.answer.digit == drawing.digit, r.answer.sure)))
    };
    let answers: Vec<(bool, bool)> = drawings.par_iter().map_init(recogniser, read).collect::<Result<_>>()?;
    let count = |keep: fn(&&(bool, bool)) -> bool| answers.iter().filter(keep).count();
    let (right, sure, both) = (count(|a| a.0), count(|a| a.1), count(|a| a.0 && a.1));
    Ok(InkReport {
        model: &model.name,
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
