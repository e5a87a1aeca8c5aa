//! `hitofude left-out`: some drawings of writers that nothing learnt from, as a small file for the page.

use super::files;
use hitofude::systems::digits::feed::Drawings;
use hitofude::{Error, Result};
use std::path::PathBuf;

/// Arguments of `left-out`.
#[derive(clap::Args)]
pub struct Args {
    /// Pen strokes as JSON lines.
    #[arg(long, value_name = "FILE")]
    strokes: PathBuf,
    /// How many drawings.
    #[arg(long, value_name = "N", default_value_t = 400)]
    drawings: usize,
    /// Where to write them: JSON lines again, the longer side 255.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// A line of the file.
#[derive(serde::Serialize)]
struct Line<'a> {
    writer: &'a str,
    digit: u8,
    strokes: Vec<Vec<[u8; 2]>>,
}

/// Takes drawings evenly from those that score networks at the end.
pub fn run(args: &Args) -> Result<()> {
    let test = Drawings::split(&files::drawings(&args.strokes)?).test;
    if !(1..=test.len()).contains(&args.drawings) {
        return Err(Error::value("drawings", format!("1 to {}", test.len()), args.drawings));
    }
    let mut text = String::new();
    for i in 0..args.drawings {
        let drawing = &test[i * test.len() / args.drawings];
        let all = || drawing.strokes.iter().flatten();
        let end = |axis: usize, of: fn(f32, f32) -> f32, from: f32| all().map(|p| p[axis]).fold(from, of);
        let least = [end(0, f32::min, f32::INFINITY), end(1, f32::min, f32::INFINITY)];
        let sides = [end(0, f32::max, f32::MIN) - least[0], end(1, f32::max, f32::MIN) - least[1]];
        let scale = 255.0 / sides[0].max(sides[1]).max(f32::MIN_POSITIVE);
        let small = |p: &[f32; 2]| [0, 1].map(|axis| ((p[axis] - least[axis]) * scale).round() as u8);
        let strokes = drawing.strokes.iter().map(|stroke| stroke.iter().map(small).collect()).collect();
        let line = Line { writer: &drawing.writer, digit: drawing.digit, strokes };
        let line = serde_json::to_string(&line).map_err(|e| Error::format("drawing", "JSON", e))?;
        text += &format!("{line}\n");
    }
    files::write(&args.out, text.as_bytes())
}
