//! `hitofude reproduce`: the sources' tables and ours side by side; the last line of stdout is one JSON object.

use super::files;
use hitofude::data::idx::{Labelled, Split, load_mnist};
use hitofude::systems::reproduce::{Accuracy, PRESETS, Preset};
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
    ours: Accuracy,
}

/// Trains every preset and prints the table.
pub fn run(args: &Args) -> Result<()> {
    if !(1..=1000).contains(&args.seeds) {
        return Err(Error::value("seeds", "1 to 1000", args.seeds));
    }
    let chosen: Vec<&Preset> = match &args.only[..] {
        [] => PRESETS.iter().collect(),
        names => names.iter().map(|name| Preset::named(name)).collect::<Result<_>>()?,
    };
    let (train, test) = (load_mnist(&args.data, Split::Train)?, load_mnist(&args.data, Split::Test)?);
    println!("{:28} {:>16} {:>16} {:>14} {:>8}", "", "theirs", "ours", "", "seconds");
    println!(
        "{:28} {:>8}{:>8} {:>8}{:>8} {:>14} {:>8}",
        "row", "train", "test", "train", "test", "test by seed", "a seed"
    );
    let mut rows = BTreeMap::new();
    for preset in chosen {
        rows.insert(preset.name, row(preset, &train, &test, args.seeds)?);
    }
    println!("{}", files::json(&rows)?);
    Ok(())
}

fn row(preset: &Preset, train: &Labelled, test: &Labelled, seeds: u64) -> Result<Pair> {
    let start = Instant::now();
    let bar = ProgressBar::new(preset.steps * seeds);
    let style = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} {per_sec} {eta}");
    bar.set_style(style.expect("a template that parses"));
    bar.set_prefix(preset.name);
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
    Ok(Pair { theirs: preset.theirs, ours })
}
