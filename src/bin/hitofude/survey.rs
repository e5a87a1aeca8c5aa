//! `hitofude survey`: every shipped model, and those named together, on the MNIST test set, as one file for the page.

use super::eval::{self, CLASSES};
use super::files::{self, Model};
use hitofude::data::idx::{Labelled, Split, load_mnist};
use hitofude::systems::ensemble::{Rule, join};
use hitofude::{Error, Result};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Arguments of `survey`.
#[derive(clap::Args)]
pub struct Args {
    /// A folder with MNIST's files, or one that has them in `mnist` or `data/mnist`.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Models that answer together, chosen before: the mean of their probabilities answers.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', required = true)]
    ensemble: Vec<String>,
    /// The folder of shipped weights, if not the checkout's; `survey.json` is written there.
    #[arg(long, value_name = "DIR")]
    pretrained: Option<PathBuf>,
}

/// What somebody made of the test images.
#[derive(serde::Serialize)]
struct Found {
    accuracy: f64,
    /// Image, digit, and what it was read as.
    misread: Vec<(usize, u8, u8)>,
}

#[derive(serde::Serialize)]
struct Survey {
    images: usize,
    models: BTreeMap<String, Found>,
    members: Vec<String>,
    ensemble: Found,
}

/// Reads the test images with everything there is, and writes what came of it.
pub fn run(args: &Args) -> Result<()> {
    let (folder, test) = (files::shipped(args.pretrained.as_deref()), load_mnist(&args.data, Split::Test)?);
    let mut scores = BTreeMap::new();
    for path in files::weights_in(&folder)? {
        let model = Model::open(&path)?;
        scores.insert(model.name.clone(), eval::calibrated(&model, &test)?);
    }
    let member = |name: &String| {
        let known: Vec<&str> = scores.keys().map(String::as_str).collect();
        let found = scores.get(name).map(Vec::as_slice);
        found.ok_or_else(|| Error::missing("member of the ensemble", format!("one of {}", known.join(", ")), name))
    };
    let members: Vec<&[f32]> = args.ensemble.iter().map(member).collect::<Result<_>>()?;
    let survey = Survey {
        images: test.images.n,
        ensemble: found(&join(Rule::Average, &members, CLASSES)?, &test),
        models: scores.iter().map(|(name, scores)| (name.clone(), found(scores, &test))).collect(),
        members: args.ensemble.clone(),
    };
    for (name, Found { accuracy, misread }) in &survey.models {
        println!("{name:20} {:.2} %, {} misread", 100.0 * accuracy, misread.len());
    }
    println!("{:20} {:.2} %, {} misread", "together", 100.0 * survey.ensemble.accuracy, survey.ensemble.misread.len());
    files::write(&folder.join("survey.json"), files::json(&survey)?.as_bytes())
}

fn found(scores: &[f32], test: &Labelled) -> Found {
    let misread: Vec<(usize, u8, u8)> = hitofude::train::evaluate::misclassified(scores, &test.labels)
        .into_iter()
        .map(|i| (i, test.labels[i], best(&scores[i * CLASSES..][..CLASSES])))
        .collect();
    Found { accuracy: 1.0 - misread.len() as f64 / test.images.n as f64, misread }
}

/// The class with the highest score.
fn best(scores: &[f32]) -> u8 {
    (0..scores.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap_or(0) as u8
}
