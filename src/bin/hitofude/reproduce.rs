//! `hitofude reproduce`: the sources' tables and ours side by side, and what they claim put to the test; the last line of stdout is one JSON object.

use super::eval::CLASSES;
use super::files;
use hitofude::data::idx::{Labelled, Split, load_mnist};
use hitofude::systems::ensemble;
use hitofude::systems::reproduce::{Accuracy, CLAIMS, Claim, Outcome, PRESETS, Preset};
use hitofude::train::evaluate::misclassified;
use hitofude::{Error, Result};
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

/// Arguments of `reproduce`.
#[derive(clap::Args)]
pub struct Args {
    /// A folder with MNIST's files, or one that has them in `mnist` or `data/mnist`.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Seeds to average over.
    #[arg(long, value_name = "N", default_value_t = 3)]
    seeds: u64,
    /// Only the row of this name; may be given several times.
    #[arg(long, value_name = "ROW")]
    only: Vec<String>,
}

/// A row of the last line.
#[derive(serde::Serialize)]
struct Pair {
    theirs: Option<Accuracy>,
    /// Mean over the seeds.
    ours: Accuracy,
    /// Each seed's accuracy on the test images.
    seeds: Vec<f64>,
    /// Why ours differ, or need not.
    why: &'static str,
}

/// An arm of a claim in the last line.
#[derive(serde::Serialize)]
struct Measured {
    seeds: Vec<Outcome>,
    /// Accuracy of the mean of the seeds' probabilities.
    together: f64,
}

#[derive(serde::Serialize)]
#[serde(untagged)]
enum Row {
    Pair(Pair),
    Claim(BTreeMap<&'static str, Measured>),
}

/// Trains every preset and every claim's networks, and prints the tables.
pub fn run(args: &Args) -> Result<()> {
    if !(1..=1000).contains(&args.seeds) {
        return Err(Error::value("seeds", "1 to 1000", args.seeds));
    }
    let (claims, presets): (Vec<&String>, Vec<&String>) =
        args.only.iter().partition(|name| Claim::named(name).is_some());
    let everything = args.only.is_empty();
    let presets: Vec<&Preset> = match everything {
        true => PRESETS.iter().collect(),
        false => presets.into_iter().map(|name| Preset::named(name)).collect::<Result<_>>()?,
    };
    let claims = CLAIMS.iter().filter(|claim| everything || claims.iter().any(|name| *name == claim.name));
    let (train, test) = (load_mnist(&args.data, Split::Train)?, load_mnist(&args.data, Split::Test)?);
    let mut rows = BTreeMap::new();
    if !presets.is_empty() {
        println!("{:28} {:>16} {:>16} {:>14} {:>8}", "", "theirs", "ours", "", "seconds");
        println!(
            "{:28} {:>8}{:>8} {:>8}{:>8} {:>14} {:>8}",
            "row", "train", "test", "train", "test", "test by seed", "a seed"
        );
    }
    for preset in presets {
        rows.insert(preset.name, Row::Pair(row(preset, &train, &test, args.seeds)?));
    }
    for one in claims {
        rows.insert(one.name, Row::Claim(claim(one, &train, &test, args.seeds)?));
    }
    println!("{}", files::json(&rows)?);
    Ok(())
}

/// Trains a claim's networks and prints a line for each: means over the seeds.
fn claim(claim: &Claim, train: &Labelled, test: &Labelled, seeds: u64) -> Result<BTreeMap<&'static str, Measured>> {
    println!("{}: {}", claim.name, claim.says);
    println!(
        "  {:22} {:>10} {:>9} {:>9} {:>9} {:>12} {:>8}",
        "", "parameters", "loss", "test", "together", "|∇ first|", "s a seed"
    );
    let mut arms = BTreeMap::new();
    for arm in claim.arms {
        let (start, bar) = (Instant::now(), bar(claim.name, claim.steps * seeds));
        let run = |seed| claim.run(arm, train, test, seed, |_| bar.inc(1));
        let outcomes: Vec<Outcome> = (1..=seeds).map(run).collect::<Result<_>>()?;
        bar.finish_and_clear();
        let scores: Vec<&[f32]> = outcomes.iter().map(|o| &o.scores[..]).collect();
        let joined = ensemble::join(ensemble::Rule::Average, &scores, CLASSES)?;
        let together = 1.0 - misclassified(&joined, &test.labels).len() as f64 / test.images.n as f64;
        let mean = |f: fn(&Outcome) -> f64| outcomes.iter().map(f).sum::<f64>() / seeds as f64;
        let diverged = outcomes.iter().filter(|o| o.diverged).count();
        println!(
            "  {:22} {:>10} {:>9.4} {:>9.4} {together:>9.4} {:>12.3e} {:>8.1}{}",
            arm.name,
            outcomes[0].parameters,
            mean(|o| o.loss),
            mean(|o| o.test),
            mean(|o| o.stem),
            start.elapsed().as_secs_f64() / seeds as f64,
            if diverged > 0 { format!("  {diverged} diverged") } else { String::new() },
        );
        arms.insert(arm.name, Measured { seeds: outcomes, together });
    }
    Ok(arms)
}

fn bar(prefix: &'static str, steps: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} {per_sec} {eta}");
    ProgressBar::new(steps).with_style(style.expect("a template that parses")).with_prefix(prefix)
}

fn row(preset: &Preset, train: &Labelled, test: &Labelled, seeds: u64) -> Result<Pair> {
    let start = Instant::now();
    let bar = bar(preset.name, preset.steps * seeds);
    let outcomes: Vec<Accuracy> =
        (1..=seeds).map(|seed| preset.run(train, test, seed, |_, _| bar.inc(1))).collect::<Result<_>>()?;
    bar.finish_and_clear();
    let mean = |f: fn(&Accuracy) -> f64| outcomes.iter().map(f).sum::<f64>() / seeds as f64;
    let ours = Accuracy { train: mean(|a| a.train), test: mean(|a| a.test) };
    let least = outcomes.iter().map(|a| a.test).fold(1.0, f64::min);
    let most = outcomes.iter().map(|a| a.test).fold(0.0, f64::max);
    let number = |v: Option<f64>| v.map_or("–".into(), |v| format!("{v:.4}"));
    println!(
        "{:28} {:>8}{:>8} {:>8.4}{:>8.4} {least:>7.4}–{most:.4} {:>8.1}",
        preset.name,
        number(preset.theirs.map(|a| a.train)),
        number(preset.theirs.map(|a| a.test)),
        ours.train,
        ours.test,
        start.elapsed().as_secs_f64() / seeds as f64,
    );
    println!("{:28} {}; {}", "", preset.about, preset.why);
    let seeds = outcomes.iter().map(|a| a.test).collect();
    Ok(Pair { theirs: preset.theirs, ours, seeds, why: preset.why })
}
