//! `hitofude train-segment`, `segment` and `eval-segment`: the class of every pixel.

use super::style::bar;
use super::{colour, files};
use hitofude::data::streets::{CLASSES, Split};
use hitofude::file::safetensors::{self, Precision};
use hitofude::systems::saved::{self, Saved};
use hitofude::systems::segment::training::Plan;
use hitofude::systems::segment::{Mask, Recipe, Score, Segmenter, Training, judge};
use hitofude::{Error, Result};
use png::{BitDepth, ColorType, Encoder};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Arguments of `train-segment`.
#[derive(clap::Args)]
pub struct TrainArgs {
    /// fcn8s, segnet or segnet_street.
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
    /// Begin with these weights: of the same recipe, or of a network with the same first layers (faster_rcnn for
    /// fcn8s, that for segnet).
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    from: Option<PathBuf>,
    /// Go on from FILE.checkpoint if there is one.
    #[arg(long)]
    resume: bool,
}

/// Arguments of `segment`.
#[derive(clap::Args)]
pub struct Args {
    /// PNG files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// A shipped model's name, or a file of weights.
    #[arg(long, value_name = "NAME|FILE", default_value = "segnet_street")]
    model: String,
    /// The folder for the masks: PNG files whose pixels are the classes' numbers; beside the pictures if not given.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Arguments of `eval-segment`.
#[derive(clap::Args)]
pub struct EvalArgs {
    /// fcn8s, segnet or segnet_street; with --weights only what it is judged on.
    #[arg(long, value_name = "NAME")]
    model: String,
    /// Pictures of the test seeds.
    #[arg(long, value_name = "N", default_value_t = IMAGES)]
    images: usize,
    /// Judge on the seeds to choose by, not on those of the test.
    #[arg(long)]
    validation: bool,
    /// Other weights than those that ship.
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
}

/// Pictures that a model is judged by.
const IMAGES: usize = 300;
/// Steps between two lines of the log; a checkpoint comes with each.
const EVERY: u64 = 100;

#[derive(serde::Serialize)]
struct Report {
    model: String,
    images: usize,
    miou: f64,
    per_class: BTreeMap<String, f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    worst_weather: Option<f64>,
}

/// The shipped weights of a recipe.
fn shipped(name: &str) -> PathBuf {
    files::shipped(None).join("segment").join(format!("{name}.safetensors"))
}

/// A network from the bytes of a file.
fn read(bytes: &[u8]) -> Result<Segmenter> {
    let Saved { net, params, metadata } = saved::read(bytes)?;
    Segmenter::new(&net, &params, &metadata)
}

/// The bytes of a file with what a training has come to.
fn trained(training: &Training) -> Result<Vec<u8>> {
    let (net, params, metadata) = training.trained()?;
    saved::write(&Saved { net, params, metadata }, Precision::F16)
}

fn open(name: &str) -> Result<Segmenter> {
    let path = Path::new(name);
    read(&files::read(&if path.is_file() { path.to_path_buf() } else { shipped(name) })?)
}

/// Trains a recipe.
pub fn train(args: &TrainArgs) -> Result<()> {
    let recipe = Recipe::named(&args.recipe)?;
    let plan = Plan::new(args.steps.unwrap_or(recipe.steps), args.seed);
    let (checkpoint, path) = (files::with_suffix(&args.out, ".checkpoint"), args.out.with_extension("csv"));
    let (mut training, mut log) = if args.resume && checkpoint.is_file() {
        let training = Training::resume(recipe, plan, &safetensors::read(&files::read(&checkpoint)?)?)?;
        let text = String::from_utf8_lossy(&files::read(&path)?).into_owned();
        let lines: Vec<&str> = text.lines().take(1 + (training.steps() / EVERY) as usize).collect();
        (training, lines.join("\n") + "\n")
    } else {
        let training = match &args.from {
            Some(path) => Training::upon(recipe, plan, &saved::read(&files::read(path)?)?.params)?,
            None => Training::new(recipe, plan)?,
        };
        (training, "step,loss,seconds\n".to_string())
    };
    let (from, bar, mut sum) = (Instant::now(), bar(plan.steps), 0.0);
    bar.set_position(training.steps());
    while !training.finished() {
        let progress = training.step()?;
        sum += progress.loss / progress.images as f64;
        bar.inc(1);
        let steps = training.steps();
        if steps.is_multiple_of(EVERY) || training.finished() {
            let loss = sum / ((steps - 1) % EVERY + 1) as f64;
            let line = format!("{steps},{loss:.5},{:.0}", from.elapsed().as_secs_f64());
            bar.suspend(|| eprintln!("{line}"));
            log += &format!("{line}\n");
            sum = 0.0;
            files::write(&path, log.as_bytes())?;
            files::write(&checkpoint, &safetensors::write(&training.checkpoint(), Precision::F32)?)?;
            files::write(&args.out, &trained(&training)?)?;
        }
    }
    bar.finish_and_clear();
    card(args, &recipe, &plan, from.elapsed().as_secs_f64())
}

/// Judges the written file once on the test seeds, and writes its card.
fn card(args: &TrainArgs, recipe: &Recipe, plan: &Plan, seconds: f64) -> Result<()> {
    let file = files::read(&args.out)?;
    let mut segmenter = read(&file)?;
    let score = judge(&mut segmenter, recipe.task, Split::Test, IMAGES)?;
    let report = report(recipe.name, &segmenter, &score)?;
    let sha = files::sha256(&file);
    let classes: Vec<String> = report.per_class.iter().map(|(name, iou)| format!("{name} {iou:.3}")).collect();
    let worst = score
        .worst_weather()
        .map_or(String::new(), |(weather, miou)| format!("| worst weather | {miou:.3} ({}) |\n", weather.name()));
    let text = format!(
        "# {name}\n\n{about}.\n\n| what | value |\n|---|---|\n\
         | command | `hitofude train-segment {name}{from} --steps {steps} --seed {seed} --out {name}.safetensors` |\n\
         | parameters | {parameters} |\n| multiply-adds for a picture | {work:.0} M |\n\
         | mean IoU without background, {IMAGES} pictures of the test seeds | **{miou:.3}** |\n\
         | IoU by class | {classes} |\n{worst}\
         | training | {steps} steps of {batch} pictures, seed {seed}, {seconds:.0} s on {threads} threads |\n\
         | file | float16 safetensors, {size} bytes, sha256 `{sha}` |\n\n\
         ## Data\n\nDrawn by the project itself while it trained ({data}). The test seeds chose nothing.\n",
        name = recipe.name,
        from = args.from.as_ref().map_or(String::new(), |path| format!(" --from {}", path.display())),
        about = recipe.about,
        steps = plan.steps,
        seed = plan.seed,
        batch = plan.batch,
        parameters = saved::read(&file)?.net.parameters(),
        work = segmenter.multiply_adds() as f64 / 1e6,
        miou = report.miou,
        classes = classes.join(", "),
        threads = rayon::current_num_threads(),
        size = file.len(),
        data = if recipe.name == "segnet_street" { "`src/data/streets`" } else { "`src/data/scenes`" },
    );
    files::write(&args.out.with_extension("md"), text.as_bytes())?;
    print!("{text}");
    Ok(())
}

/// Scores a model on the test seeds.
pub fn eval(args: &EvalArgs) -> Result<()> {
    let recipe = Recipe::named(&args.model)?;
    let path = args.weights.clone().unwrap_or_else(|| shipped(recipe.name));
    let mut segmenter = read(&files::read(&path)?)?;
    let split = if args.validation { Split::Validation } else { Split::Test };
    let from = Instant::now();
    let score = judge(&mut segmenter, recipe.task, split, args.images)?;
    eprintln!("{} pictures drawn and judged in {:.1} s", score.images, from.elapsed().as_secs_f64());
    confusion(&segmenter, &score);
    println!("{}", files::json(&report(recipe.name, &segmenter, &score)?)?);
    Ok(())
}

fn report(name: &str, segmenter: &Segmenter, score: &Score) -> Result<Report> {
    let miou =
        score.confusion.mean_iou().ok_or_else(|| Error::missing("classes", "at least one to be seen", "none"))?;
    let classes = segmenter.classes().iter().enumerate().skip(1);
    let per_class = classes.filter_map(|(i, name)| Some((name.clone(), score.confusion.iou(i)?))).collect();
    let worst_weather = score.worst_weather().map(|(_, miou)| miou);
    Ok(Report { model: name.into(), images: score.images, miou, per_class, worst_weather })
}

/// Prints which classes were read as which, a row for each true class, in per mille of it.
fn confusion(segmenter: &Segmenter, score: &Score) {
    let (names, n) = (segmenter.classes(), score.confusion.classes);
    let short: Vec<&str> = names.iter().map(|name| &name[..name.len().min(5)]).collect();
    eprintln!("{:>9} {}", "‰", short.iter().map(|name| format!("{name:>6}")).collect::<String>());
    for (truth, name) in names.iter().enumerate() {
        let all: u64 = (0..n).map(|answer| score.confusion.count(truth, answer)).sum();
        let part = |answer| 1000.0 * score.confusion.count(truth, answer) as f64 / all.max(1) as f64;
        eprintln!("{name:>9} {}", (0..n).map(|answer| format!("{:>6.1}", part(answer))).collect::<String>());
    }
    for (weather, part) in &score.weathers {
        eprintln!("{:>9} mean IoU {:.3}", weather.name(), part.mean_iou().unwrap_or(0.0));
    }
}

/// Segments PNG files.
pub fn run(args: &Args) -> Result<()> {
    let mut segmenter = open(&args.model)?;
    for path in &args.files {
        let picture = colour::read(path)?;
        let mask = segmenter.segment(&picture)?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let folder = args.out.clone().unwrap_or_else(|| path.parent().unwrap_or(Path::new("")).to_path_buf());
        let out = folder.join(format!("{stem}.mask.png"));
        write(&out, &mask)?;
        let mut counts = vec![0_usize; segmenter.classes().len()];
        mask.classes.iter().for_each(|&class| counts[usize::from(class)] += 1);
        let part = |n: usize| 100.0 * n as f64 / mask.classes.len() as f64;
        let seen = segmenter.classes().iter().zip(counts).filter(|(_, n)| *n > 0);
        let seen: Vec<String> = seen.map(|(name, n)| format!("{name} {:.1} %", part(n))).collect();
        println!("{}: {}", out.display(), seen.join(", "));
    }
    Ok(())
}

/// Writes a mask as a PNG whose pixels are the classes' numbers, with a palette to look at.
fn write(path: &Path, mask: &Mask) -> Result<()> {
    const DIGITS: [[u8; 3]; 2] = [[0xf2, 0x8e, 0x2b], [0x4e, 0x79, 0xa7]];
    let palette = CLASSES.iter().map(|class| class.colour).chain(DIGITS).flatten().collect::<Vec<u8>>();
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, mask.w as u32, mask.h as u32);
    encoder.set_color(ColorType::Indexed);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_palette(palette);
    let wrong = |e: png::EncodingError| Error::format(path.display(), "a picture that PNG can hold", e);
    encoder.write_header().and_then(|mut writer| writer.write_image_data(&mask.classes)).map_err(wrong)?;
    files::write(path, &file)
}
