//! `hitofude train-detect`, `detect` and `eval-scenes`: which digits a picture holds, and where.

use super::style::bar;
use super::{colour, files};
use hitofude::data::augment::Hand;
use hitofude::data::idx;
use hitofude::data::pictures::Rgb;
use hitofude::data::scenes::{Digits, Part, Setup};
use hitofude::file::safetensors::{self, Precision};
use hitofude::systems::detect::sample::{Plan, Trained};
use hitofude::systems::detect::{
    Ask, Detection, FasterRcnn, Rcnn, Training, by_windows, rcnn_training, score, window_of,
};
use hitofude::systems::digits::feed::Drawings;
use hitofude::systems::saved::{self, Saved};
use hitofude::{Error, Result};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Arguments of `train-detect`.
#[derive(clap::Args)]
pub struct TrainArgs {
    /// faster_rcnn or rcnn.
    recipe: String,
    /// Where to write the weights, a log (.csv) and a model card (.md).
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Steps, if not the recipe's own number.
    #[arg(long, value_name = "N")]
    steps: Option<u64>,
    /// Everything random follows from it.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// A folder with MNIST: its training images are a fifth of the digits then, beside those that are made.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Pen strokes as JSON lines: those of the writers to learn from are three tenths of the digits.
    #[arg(long, value_name = "FILE")]
    strokes: Option<PathBuf>,
    /// The highest learning rate.
    #[arg(long, value_name = "RATE", default_value_t = Plan::new(1, 1).rate)]
    rate: f32,
    /// Begin with these weights, of faster_rcnn.
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    from: Option<PathBuf>,
    /// Go on from FILE.checkpoint if there is one.
    #[arg(long)]
    resume: bool,
}

/// Arguments of `detect`.
#[derive(clap::Args)]
pub struct Args {
    /// PNG files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// A shipped model's name, or a file of weights.
    #[arg(long, value_name = "NAME|FILE", default_value = "faster_rcnn")]
    model: String,
    /// The least score, from 0 to 1.
    #[arg(long, value_name = "P", default_value_t = Ask::SHOW.threshold)]
    threshold: f32,
    /// The most digits of a picture.
    #[arg(long, value_name = "N", default_value_t = Ask::SHOW.most)]
    most: usize,
}

/// Arguments of `eval-scenes`.
#[derive(clap::Args)]
pub struct EvalArgs {
    /// faster_rcnn or rcnn; with --weights what it is judged as.
    #[arg(long, value_name = "NAME", default_value = "faster_rcnn")]
    model: String,
    /// Scenes, or sheets.
    #[arg(long, value_name = "N", default_value_t = SCENES)]
    scenes: usize,
    /// Judge on the seeds to choose by, not on those of the test.
    #[arg(long)]
    validation: bool,
    /// Other weights than those that ship.
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// Judge on sheets of 3 to 6 digits by writers left out of the training, whose pen strokes --strokes has.
    #[arg(long, requires = "strokes")]
    sheets: bool,
    /// Pen strokes as JSON lines, plain or gzip.
    #[arg(long, value_name = "FILE")]
    strokes: Option<PathBuf>,
}

/// Scenes that a model is judged by.
const SCENES: usize = 500;
/// Steps between two lines of the log; a checkpoint comes with each.
const EVERY: u64 = 100;

#[derive(serde::Serialize)]
struct Report {
    model: String,
    scenes: usize,
    map50: f64,
    map: f64,
    ms_per_scene: f64,
}

#[derive(serde::Serialize)]
struct Sheets {
    sheets: usize,
    all_right: f64,
}

#[derive(serde::Serialize)]
struct Answer<'a> {
    file: &'a Path,
    found: Vec<One>,
}

#[derive(serde::Serialize)]
struct One {
    class: u8,
    score: f32,
    #[serde(rename = "box")]
    region: [f32; 4],
}

/// Either detector.
enum Detector {
    Rcnn(Box<Rcnn>),
    Faster(Box<FasterRcnn>),
}

impl Detector {
    /// A shipped one by its name, or one from a file, which says what it is.
    fn open(name: &str) -> Result<Self> {
        let path = Path::new(name);
        let shipped = || files::shipped(None).join("detect").join(format!("{name}.safetensors"));
        let Saved { net, params, metadata } =
            saved::read(&files::read(&if path.is_file() { path.to_path_buf() } else { shipped() })?)?;
        if metadata.get("name").is_some_and(|name| name == "rcnn") {
            return Ok(Self::Rcnn(Box::new(Rcnn::new(&net, &params)?)));
        }
        Ok(Self::Faster(Box::new(FasterRcnn::new(&net, &params)?)))
    }

    fn detect(&mut self, picture: &Rgb, ask: &Ask) -> Result<Vec<Detection>> {
        match self {
            Self::Rcnn(detector) => detector.detect(picture, ask),
            Self::Faster(detector) => detector.detect(picture, ask),
        }
    }
}

/// A training of either.
enum Under {
    Rcnn(Box<rcnn_training::Training>),
    Faster(Box<Training>),
}

/// Calls the method of either.
macro_rules! either {
    ($training:expr, $inner:ident => $call:expr) => {
        match $training {
            Under::Rcnn($inner) => $call,
            Under::Faster($inner) => $call,
        }
    };
}

/// The detectors there are, what each is, and the steps of its training.
const RECIPES: [(&str, &str, u64); 2] = [
    ("faster_rcnn", "proposes regions and names them in one network (Ren et al. 2015)", 8000),
    ("rcnn", "names regions that selective search proposes, each by a run of its own (Girshick et al. 2014)", 3000),
];

fn recipe(name: &str) -> Result<(&'static str, &'static str, u64)> {
    let names = RECIPES.map(|(name, _, _)| name).join(", ");
    let found = RECIPES.into_iter().find(|(known, _, _)| *known == name);
    found.ok_or_else(|| Error::missing("detector", format!("one of {names}"), name))
}

/// Pictures of MNIST's training part are a fifth of the digits; strokes of the writers to learn from three tenths.
fn supply(args: &TrainArgs) -> Result<(Digits, &'static str)> {
    let mut digits = Digits::made();
    if let Some(folder) = &args.data {
        digits = digits.with_images(idx::load_mnist(folder, idx::Split::Train)?, 0.4);
    }
    if let Some(path) = &args.strokes {
        digits = digits.with_strokes(Drawings::split(&files::drawings(path)?).train, Hand::NONE, 0.6);
    }
    let names = match (&args.data, &args.strokes) {
        (None, None) => "made digits",
        (Some(_), None) => "made digits and, two for five of them, MNIST's training images",
        (None, Some(_)) => "made digits and, three for five of them, pen strokes of the writers to learn from",
        _ => {
            "made digits (half), MNIST's training images (a fifth) and pen strokes of the writers to learn from (three tenths)"
        }
    };
    Ok((digits, names))
}

/// Trains a recipe.
pub fn train(args: &TrainArgs) -> Result<()> {
    let (name, _, steps) = recipe(&args.recipe)?;
    let (digits, names) = supply(args)?;
    let plan = Plan { rate: args.rate, ..Plan::new(args.steps.unwrap_or(steps), args.seed) };
    let mut training = match name {
        "rcnn" => Under::Rcnn(Box::new(rcnn_training::Training::new(plan, Setup::full(), digits)?)),
        _ => Under::Faster(Box::new(Training::new(plan, Setup::full(), digits)?)),
    };
    if let Some(path) = &args.from {
        let before = saved::read(&files::read(path)?)?.params;
        match &mut training {
            Under::Faster(training) => training.upon(&before)?,
            Under::Rcnn(_) => return Err(Error::missing("weights to begin with", "those of faster_rcnn", "rcnn")),
        }
    }
    let (checkpoint, path) = (files::with_suffix(&args.out, ".checkpoint"), args.out.with_extension("csv"));
    let mut log = "step,loss,seconds\n".to_string();
    if args.resume && checkpoint.is_file() {
        let saved = safetensors::read(&files::read(&checkpoint)?)?;
        either!(&mut training, t => t.resume(&saved))?;
        let text = String::from_utf8_lossy(&files::read(&path)?).into_owned();
        log =
            text.lines().take(1 + (either!(&training, t => t.steps()) / EVERY) as usize).collect::<Vec<_>>().join("\n")
                + "\n";
    }
    let (from, bar, mut sum) = (Instant::now(), bar(plan.steps), 0.0);
    bar.set_position(either!(&training, t => t.steps()));
    while !either!(&training, t => t.finished()) {
        let progress = either!(&mut training, t => t.step())?;
        sum += progress.loss / progress.images as f64;
        bar.inc(1);
        let steps = either!(&training, t => t.steps());
        if steps.is_multiple_of(EVERY) || either!(&training, t => t.finished()) {
            let loss = sum / ((steps - 1) % EVERY + 1) as f64;
            let line = format!("{steps},{loss:.5},{:.0}", from.elapsed().as_secs_f64());
            bar.suspend(|| eprintln!("{line}"));
            log += &format!("{line}\n");
            sum = 0.0;
            files::write(&path, log.as_bytes())?;
            files::write(&checkpoint, &safetensors::write(&either!(&training, t => t.checkpoint()), Precision::F32)?)?;
            files::write(&args.out, &written(either!(&training, t => t.trained())?)?)?;
        }
    }
    bar.finish_and_clear();
    card(args, &plan, names, from.elapsed().as_secs_f64())
}

/// The bytes of a file with what a training has come to.
fn written((net, params, metadata): Trained) -> Result<Vec<u8>> {
    saved::write(&Saved { net, params, metadata }, Precision::F16)
}

/// Judges the written file once on the test seeds, and writes its card.
fn card(args: &TrainArgs, plan: &Plan, names: &str, seconds: f64) -> Result<()> {
    let file = files::read(&args.out)?;
    let net = saved::read(&file)?.net;
    let report = judged(&args.recipe, &mut Detector::open(&args.out.to_string_lossy())?, Part::Test, SCENES)?;
    let text = format!(
        "# {name}\n\nFinds and reads the digits of a picture: {about}.\n\n| what | value |\n|---|---|\n\
         | command | `hitofude train-detect {name} --steps {steps} --seed {seed}{rate}{from}{data}{strokes} --out {name}.safetensors` |\n\
         | parameters | {parameters} |\n\
         | mAP at 0.5, {SCENES} scenes of the test seeds, full difficulty | **{map50:.3}** |\n\
         | mAP at 0.5 to 0.95 | **{map:.3}** |\n\
         | training | {steps} steps of {batch} scenes, seed {seed}, {seconds:.0} s on {threads} threads |\n\
         | file | float16 safetensors, {size} bytes, sha256 `{sha}` |\n\n\
         ## Data\n\nScenes that the project draws while it trains (`src/data/scenes`), with {names}. The test seeds chose \
         nothing, and their scenes have made digits alone.\n",
        name = args.recipe,
        about = recipe(&args.recipe)?.1,
        steps = plan.steps,
        seed = plan.seed,
        batch = plan.batch,
        rate = if args.rate == Plan::new(1, 1).rate { String::new() } else { format!(" --rate {}", args.rate) },
        from = args.from.as_ref().map_or("", |_| " --from BEFORE"),
        data = if args.data.is_some() { " --data MNIST" } else { "" },
        strokes = if args.strokes.is_some() { " --strokes pen-digits-dev.jsonl.gz" } else { "" },
        parameters = net.parameters(),
        map50 = report.map50,
        map = report.map,
        threads = rayon::current_num_threads(),
        size = file.len(),
        sha = files::sha256(&file),
    );
    files::write(&args.out.with_extension("md"), text.as_bytes())?;
    print!("{text}");
    Ok(())
}

/// Judges a detector on scenes of a part. The time is the detector's alone.
fn judged(model: &str, detector: &mut Detector, part: Part, n: usize) -> Result<Report> {
    let scenes = score::scenes(&Setup::full(), &Digits::made(), part, n)?;
    let mut seconds = 0.0;
    let figures = score::judge(&scenes, |picture| {
        let from = Instant::now();
        let found = detector.detect(picture, &Ask::JUDGE);
        seconds += from.elapsed().as_secs_f64();
        found
    })?;
    let ms_per_scene = 1000.0 * seconds / n as f64;
    Ok(Report { model: model.into(), scenes: n, map50: figures.map50, map: figures.map, ms_per_scene })
}

/// Scores a detector.
pub fn eval(args: &EvalArgs) -> Result<()> {
    recipe(&args.model)?;
    let weights = args.weights.as_ref().map(|path| path.display().to_string());
    let mut detector = Detector::open(weights.as_deref().unwrap_or(&args.model))?;
    let part = if args.validation { Part::Validation } else { Part::Test };
    if args.sheets {
        let drawings = Drawings::split(&files::drawings(args.strokes.as_deref().unwrap_or(Path::new("")))?);
        let theirs = if args.validation { drawings.validation } else { drawings.test };
        let digits = Digits::made().with_strokes(theirs, Hand::NONE, 1.0).given_only();
        let scenes = score::scenes(&Setup::sheet(), &digits, part, args.scenes)?;
        let all_right = score::sheets(&scenes, |picture| detector.detect(picture, &Ask::SHOW))?;
        println!("{}", files::json(&Sheets { sheets: args.scenes, all_right })?);
        return Ok(());
    }
    println!("{}", files::json(&judged(&args.model, &mut detector, part, args.scenes)?)?);
    Ok(())
}

/// Finds the digits of PNG files.
pub fn run(args: &Args) -> Result<()> {
    if !(0.0..=1.0).contains(&args.threshold) {
        return Err(Error::value("threshold", "a number from 0 to 1", args.threshold));
    }
    let mut detector = Detector::open(&args.model)?;
    let ask = Ask { threshold: args.threshold, most: args.most, ..Ask::SHOW };
    for file in &args.files {
        let picture = colour::read(file)?;
        let found = by_windows(&picture, window_of(&picture), &ask, |part| detector.detect(part, &ask))?;
        let found = found.into_iter().map(|Detection { digit, score, region }| One { class: digit, score, region });
        println!("{}", files::json(&Answer { file, found: found.collect() })?);
    }
    Ok(())
}
