//! `hitofude scenes`: sheets with several digits, drawn for whoever wants to train or judge a detector.

use super::{colour, files};
use hitofude::Result;
use hitofude::data::scenes::coco::Dataset;
use hitofude::data::scenes::graph::Graph;
use hitofude::data::scenes::{Digits, Scene, Setup};
use serde::Serialize;
use std::path::PathBuf;

/// Arguments of `scenes`.
#[derive(clap::Args)]
pub struct Args {
    /// The first scene's seed; the next ones follow. Below 1,000,000,000 they are scenes that models learn from, from
    /// 2,000,000,000 on those they are judged by.
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// How many.
    #[arg(long, value_name = "N", default_value_t = 16)]
    count: u64,
    /// The folder for the pictures, `annotations.json` and `graphs.json`.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// What they hold, as JSON: `{"count": [3, 6], "papers": ["plain", "ruled"], "inverted": 0}`.
    #[arg(long, value_name = "JSON", default_value = "{}")]
    setup: String,
}

#[derive(Serialize)]
struct Report {
    scenes: usize,
    digits: usize,
    annotations: PathBuf,
}

/// Draws the scenes.
pub fn run(args: &Args) -> Result<()> {
    let (setup, digits) = (Setup::from_json(&args.setup)?, Digits::made());
    let seeds = (0..args.count).map(|i| args.seed.wrapping_add(i));
    let scenes: Vec<Scene> = seeds.map(|seed| Scene::draw(&setup, &digits, seed)).collect::<Result<_>>()?;
    let names: Vec<String> = scenes.iter().map(|scene| format!("{}.png", scene.seed)).collect();
    for (scene, name) in scenes.iter().zip(&names) {
        colour::write(&args.out.join(name), &scene.picture)?;
    }
    let annotations = args.out.join("annotations.json");
    files::write(&annotations, Dataset::of(&scenes, &names).write()?.as_bytes())?;
    let graphs: Vec<Graph> = scenes.iter().map(Graph::of).collect();
    files::write(&args.out.join("graphs.json"), files::json(&graphs)?.as_bytes())?;
    let digits = scenes.iter().map(|scene| scene.objects.len()).sum();
    println!("{}", files::json(&Report { scenes: scenes.len(), digits, annotations })?);
    Ok(())
}
