//! `hitofude style` and `stylize`: paint in the hand of another picture, slowly or at once.

use super::colour::{self, Size};
use super::{files, run as models};
use hitofude::Result;
use hitofude::systems::style::{Features, KeepColours, Options, Painting, Start, Stylizer, Way, need, pyramid};
use indicatif::{ProgressBar, ProgressStyle};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Arguments of `style`.
#[derive(clap::Args)]
pub struct Args {
    /// What is to be seen: a PNG file, or one of the project's pictures by name.
    #[arg(long, value_name = "PICTURE")]
    content: String,
    /// In whose hand: a PNG file, or one of the project's pictures by name.
    #[arg(long, value_name = "PICTURE")]
    style: String,
    /// Where to write the PNG file.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Through which network it is seen: `features` (shipped), `random`, or a VGG as safetensors or ONNX.
    #[arg(long, value_name = "NAME|FILE", default_value = "features")]
    network: String,
    /// Columns and rows; with one number the longer side, the shape being the content's.
    #[arg(long, value_name = "N|WxH", default_value = "256")]
    size: String,
    /// Steps at each size, from coarse to fine.
    #[arg(long, value_name = "N", default_value_t = 100)]
    steps: u64,
    /// At this size only.
    #[arg(long)]
    one_size: bool,
    #[command(flatten)]
    manner: Manner,
}

/// What a painting is measured by, and how it goes down.
#[derive(clap::Args)]
pub struct Manner {
    /// How much the content counts.
    #[arg(long, value_name = "X", default_value_t = Options::default().content_weight)]
    pub content_weight: f32,
    /// How much the style counts.
    #[arg(long, value_name = "X", default_value_t = Options::default().style_weight)]
    pub style_weight: f32,
    /// How much the total variation counts.
    #[arg(long, value_name = "X", default_value_t = Options::default().variation)]
    pub variation: f32,
    /// Weights of layers as content, if not the network's own: `conv4_2=1`.
    #[arg(long, value_name = "LAYER=X", value_delimiter = ',', value_parser = weight)]
    pub content_layers: Vec<(String, f32)>,
    /// Weights of layers as style: `conv1_1=1,conv2_1=0.5`.
    #[arg(long, value_name = "LAYER=X", value_delimiter = ',', value_parser = weight)]
    pub style_layers: Vec<(String, f32)>,
    /// Go down by Adam at this rate in grey levels, and not by L-BFGS.
    #[arg(long, value_name = "RATE")]
    adam: Option<f32>,
    /// Where the image begins: `content`, `noise` or `style`.
    #[arg(long, value_name = "WHERE", default_value = "content", value_parser = start)]
    start: Start,
    /// Keep the content's colours: `no`, `luminance` or `histogram`.
    #[arg(long, value_name = "HOW", default_value = "no", value_parser = keep)]
    keep_colours: KeepColours,
    /// The style's longer side over the painting's.
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    style_scale: f32,
    /// Everything random follows from it.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
}

fn weight(text: &str) -> std::result::Result<(String, f32), String> {
    let (name, weight) = text.split_once('=').ok_or("a layer and its weight like conv1_1=0.5")?;
    Ok((name.into(), weight.parse().map_err(|_| format!("a number, not {weight}"))?))
}

fn start(text: &str) -> std::result::Result<Start, String> {
    match text {
        "content" => Ok(Start::Content),
        "noise" => Ok(Start::Noise),
        "style" => Ok(Start::Style),
        _ => Err("content, noise or style".into()),
    }
}

fn keep(text: &str) -> std::result::Result<KeepColours, String> {
    match text {
        "no" => Ok(KeepColours::No),
        "luminance" => Ok(KeepColours::Luminance),
        "histogram" => Ok(KeepColours::Histogram),
        _ => Err("no, luminance or histogram".into()),
    }
}

impl Manner {
    /// For a painting of this size.
    pub fn options(&self, (h, w): (usize, usize)) -> Options {
        Options {
            size: (h, w),
            content_layers: self.content_layers.clone(),
            style_layers: self.style_layers.clone(),
            content_weight: self.content_weight,
            style_weight: self.style_weight,
            variation: self.variation,
            way: self.adam.map_or(Way::Lbfgs, |rate| Way::Adam { rate }),
            start: self.start,
            keep_colours: self.keep_colours,
            style_scale: self.style_scale,
            seed: self.seed,
        }
    }
}

/// Paints, and says what each size came to.
pub fn run(args: &Args) -> Result<()> {
    let features = Arc::new(features(&args.network)?);
    let drawn = Size { w: 512, h: 512 };
    let (content, style) = (colour::open(&args.content, drawn)?, colour::open(&args.style, drawn)?);
    let size = match args.size.parse::<usize>() {
        Ok(long) => {
            let side = |side: usize| (long * side).div_ceil(content.w.max(content.h));
            Size { w: side(content.w), h: side(content.h) }
        }
        Err(_) => args.size.parse()?,
    };
    let whole = args.manner.options((size.h, size.w));
    let bytes = need(&features, (style.h, style.w), &whole)?;
    eprintln!(
        "{}: {} parameters; {:.0} MB for {} × {}",
        features.name(),
        features.parameters(),
        bytes as f64 / 1e6,
        size.w,
        size.h
    );
    let sizes = if args.one_size { vec![(size.w, size.h)] } else { pyramid(size.w, size.h) };
    let (w, h) = sizes[0];
    let mut painting = Painting::new(features, content, style, Options { size: (h, w), ..whole })?;
    for (w, h) in sizes {
        painting.resize(h, w)?;
        let (from, bar) = (Instant::now(), bar(args.steps));
        let mut evaluations = 0;
        let mut last = None;
        for _ in 0..args.steps {
            let report = painting.step()?;
            evaluations += report.evaluations;
            bar.inc(1);
            bar.set_message(format!("loss {:.5}", report.losses.sum()));
            let settled = report.settled;
            last = Some(report);
            if settled {
                break;
            }
        }
        bar.finish_and_clear();
        if let Some(report) = last {
            let losses = &report.losses;
            eprintln!(
                "{w} × {h}: step {}, loss {:.5} = content {:.5} + style {:.5} + variation {:.5}; {evaluations} looks, {:.1} s",
                report.step,
                losses.sum(),
                losses.content,
                losses.style,
                losses.variation,
                from.elapsed().as_secs_f64()
            );
        }
    }
    println!("{:016x}", painting.hash());
    colour::write(&args.out, &painting.picture())
}

/// A bar for so many steps.
pub fn bar(steps: u64) -> ProgressBar {
    let bar = ProgressBar::new(steps);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {per_sec} {eta} {msg}");
    bar.set_style(style.expect("a template that parses"));
    bar
}

/// The folder of the networks for style.
fn shipped(name: &str) -> PathBuf {
    files::shipped(None).join("style").join(format!("{name}.safetensors"))
}

/// The feature network of that name, or in that file.
pub fn features(name: &str) -> Result<Features> {
    let path = Path::new(name);
    match name {
        "random" => Features::random(1),
        _ if !path.is_file() => Features::read(&files::read(&shipped(name))?),
        _ if path.extension().is_some_and(|e| e == "onnx") => {
            let (net, params) = models::open(path)?.network()?;
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            Features::new(&stem, &net, &params, &Default::default())
        }
        _ => Features::read(&files::read(path)?),
    }
}

/// Arguments of `stylize`.
#[derive(clap::Args)]
pub struct StylizeArgs {
    /// In whose hand: a shipped stylizer's name, or a file of weights.
    #[arg(long, value_name = "NAME|FILE")]
    hand: String,
    /// What is to be seen: a PNG file, or one of the project's pictures by name.
    #[arg(long, value_name = "PICTURE")]
    content: String,
    /// Columns and rows of a picture by name.
    #[arg(long, value_name = "W[xH]", default_value = "256")]
    size: Size,
    /// Where to write the PNG file.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Paints at once.
pub fn stylize(args: &StylizeArgs) -> Result<()> {
    let path = Path::new(&args.hand);
    let path = if path.is_file() { path.to_path_buf() } else { shipped(&args.hand) };
    let mut stylizer = Stylizer::read(&files::read(&path)?)?;
    let content = colour::open(&args.content, args.size)?;
    let from = Instant::now();
    let painted = stylizer.paint(&content)?;
    eprintln!("{}: {} × {} in {:.1} ms", stylizer.name(), content.w, content.h, from.elapsed().as_secs_f64() * 1e3);
    colour::write(&args.out, &painted)
}
