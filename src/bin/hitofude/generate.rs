//! `hitofude train-generate`, `generate` and `eval-generate`: digits that a network draws.

use super::files::{self, Model};
use super::style::bar;
use hitofude::data::idx::{Images, Labelled, Split, load_mnist};
use hitofude::file::safetensors::{self, Precision};
use hitofude::rng::Rng;
use hitofude::systems::generate::fid::distance;
use hitofude::systems::generate::{
    CLASSES, Generator, Judge, Settings, Training, latents, learnt_from, nearest, shares,
};
use hitofude::systems::saved::{self, Saved};
use hitofude::{Error, Result};
use png::{BitDepth, ColorType, Encoder};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Arguments of `train-generate`.
#[derive(clap::Args)]
pub struct TrainArgs {
    /// A folder with MNIST's files, or one that has them in `mnist` or `data/mnist`.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where to write the weights, a log (.csv) and a model card (.md).
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Steps.
    #[arg(long, value_name = "N", default_value_t = 5000)]
    steps: u64,
    /// Everything random follows from it.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// How to learn, as JSON: `{"spectral": true}`, say.
    #[arg(long, value_name = "JSON")]
    settings: Option<String>,
    /// Go on from FILE.checkpoint if there is one.
    #[arg(long)]
    resume: bool,
}

/// Arguments of `generate`.
#[derive(clap::Args)]
pub struct Args {
    /// Which digit; each in turn if not given.
    #[arg(long, value_name = "D")]
    digit: Option<u8>,
    /// How many.
    #[arg(long, value_name = "N", default_value_t = 100)]
    count: usize,
    /// Everything random follows from it.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// A shipped model's name, or a file of weights.
    #[arg(long, value_name = "NAME|FILE", default_value = "dcgan")]
    model: String,
    /// A PNG file for all of them on one sheet, or a folder for one file each.
    #[arg(long, value_name = "FILE.png|DIR")]
    out: PathBuf,
}

/// Arguments of `eval-generate`.
#[derive(clap::Args)]
pub struct EvalArgs {
    /// A shipped model's name, or a file of weights.
    #[arg(long, value_name = "NAME|FILE")]
    model: String,
    /// A folder with MNIST's files, or one that has them in `mnist` or `data/mnist`.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Judge on training images alone, to choose by.
    #[arg(long)]
    validation: bool,
    /// Everything random follows from it.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Rounds of the classifier through the digits that were drawn for it; 0 leaves it out.
    #[arg(long, value_name = "N", default_value_t = 3)]
    epochs: usize,
}

#[derive(serde::Serialize)]
struct Report {
    model: String,
    agreement: f64,
    fid: f64,
    floor: f64,
    classifier: Option<f64>,
}

/// Steps between two lines of the log; a checkpoint comes with each.
const EVERY: u64 = 250;
/// Drawings that a model is judged by, and as many real digits.
const JUDGED: usize = 10_000;
/// Drawings that a classifier learns from.
const LEARNT: usize = 60_000;
/// Drawings whose nearest real digits are looked for.
const COMPARED: usize = 200;
/// The classifier that reads what was drawn, and the layer whose numbers are compared.
const CLASSIFIER: (&str, &str) = ("deep_convnet", "relu7");

fn open(name: &str) -> Result<(Model, Generator)> {
    let own = format!("generate/{name}");
    let shipped = files::shipped(None).join(format!("{own}.safetensors")).is_file();
    let model = Model::find(if shipped { &own } else { name }, None)?;
    let generator = Generator::new(&model.net, &model.params)?;
    Ok((model, generator))
}

/// Trains a pair.
pub fn train(args: &TrainArgs) -> Result<()> {
    let given = args.settings.as_deref().unwrap_or("{}");
    let settings: Settings =
        serde_json::from_str(given).map_err(|e| Error::format("settings", "an object of settings", e))?;
    let settings = Settings { steps: args.steps, ..settings };
    let (checkpoint, path) = (files::with_suffix(&args.out, ".checkpoint"), args.out.with_extension("csv"));
    let data = load_mnist(&args.data, Split::Train)?;
    let (mut training, mut log) = if args.resume && checkpoint.is_file() {
        let checkpoint = safetensors::read(&files::read(&checkpoint)?)?;
        let training = Training::resume(data, settings, args.seed, &checkpoint)?;
        let text = String::from_utf8_lossy(&files::read(&path)?).into_owned();
        let lines: Vec<&str> = text.lines().take(1 + (training.steps() / EVERY) as usize).collect();
        (training, lines.join("\n") + "\n")
    } else {
        (Training::new(data, settings, args.seed)?, "step,d_loss,g_loss,d_real,d_fake,agreement,seconds\n".to_string())
    };
    let judge = judge()?;
    let (from, bar, mut sums) = (Instant::now(), bar(args.steps), [0.0; 4]);
    bar.set_position(training.steps());
    while !training.finished() {
        let progress = match training.step() {
            Ok(progress) => progress,
            Err(error) => {
                training.undo()?;
                files::write(&checkpoint, &safetensors::write(&training.checkpoint()?, Precision::F32)?)?;
                eprintln!("back to step {}, whose checkpoint is written", training.steps());
                return Err(error);
            }
        };
        let all = [progress.d_loss, progress.g_loss, progress.d_real, progress.d_fake];
        sums.iter_mut().zip(all).for_each(|(sum, v)| *sum += v);
        bar.inc(1);
        let steps = training.steps();
        if steps.is_multiple_of(EVERY) || training.finished() {
            let n = ((steps - 1) % EVERY + 1) as f64;
            let digits: Vec<u8> = (0..500).map(|i| (i % CLASSES) as u8).collect();
            let drawn = training.samples(&latents(digits.len(), settings.latent, args.seed), &digits)?;
            let pixels = drawn.into_iter().map(|v| (v * 255.0).round() as u8).collect();
            let read = judge.read(&Images { n: digits.len(), h: 28, w: 28, pixels })?;
            let [d_loss, g_loss, d_real, d_fake] = sums.map(|sum| sum / n);
            let agreement = share(&read, &digits);
            let line = format!(
                "{steps},{d_loss:.4},{g_loss:.4},{d_real:.4},{d_fake:.4},{agreement:.3},{:.0}",
                from.elapsed().as_secs_f64()
            );
            bar.suspend(|| eprintln!("{line}"));
            log += &format!("{line}\n");
            sums = [0.0; 4];
            files::write(&path, log.as_bytes())?;
            files::write(&checkpoint, &safetensors::write(&training.checkpoint()?, Precision::F32)?)?;
            let (net, params, metadata) = training.trained()?;
            files::write(&args.out, &saved::write(&Saved { net, params, metadata }, Precision::F16)?)?;
        }
    }
    bar.finish_and_clear();
    card(args, &settings, from.elapsed().as_secs_f64())
}

/// Judges the written file once, and writes its card.
fn card(args: &TrainArgs, settings: &Settings, seconds: f64) -> Result<()> {
    let name = args.out.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let (model, mut generator) = open(&args.out.to_string_lossy())?;
    let report = measure(&name, &mut generator, &args.data, false, 1, 3)?;
    let given = args.settings.as_ref().map_or(String::new(), |json| format!(" --settings '{json}'"));
    let text = format!(
        "# {name}\n\nA DCGAN that draws the digit that it is asked for (Radford et al. 2015).\n\n| what | value |\n|---|---|\n\
         | command | `hitofude train-generate --data DIR --steps {steps} --seed {seed}{given} --out {name}.safetensors` |\n\
         | parameters | {parameters} |\n\
         | drawings read as asked, of {JUDGED} | **{agreement:.4}** |\n\
         | FID to the test set, of {JUDGED} drawings | **{fid:.3}** |\n\
         | FID of {JUDGED} training images, the floor | {floor:.3} |\n\
         | MNIST test set, by a network that learnt from {LEARNT} drawings alone | **{classifier:.4}** |\n\
         | figures by | `hitofude eval-generate --model {name} --data DIR` |\n\
         | features | layer `{layer}` of `{by}`, sha256 `{features}` |\n\
         | training | {steps} steps of {batch} images, seed {seed}, {seconds:.0} s on {threads} threads |\n\
         | file | float16 safetensors, {size} bytes, sha256 `{sha}` |\n",
        steps = args.steps,
        seed = args.seed,
        parameters = model.net.parameters(),
        agreement = report.agreement,
        fid = report.fid,
        floor = report.floor,
        classifier = report.classifier.unwrap_or(f64::NAN),
        layer = CLASSIFIER.1,
        by = CLASSIFIER.0,
        features = files::sha256(&Model::find(CLASSIFIER.0, None)?.file),
        batch = settings.batch,
        threads = rayon::current_num_threads(),
        size = model.file.len(),
        sha = files::sha256(&model.file),
    );
    files::write(&args.out.with_extension("md"), text.as_bytes())?;
    print!("{text}");
    Ok(())
}

fn judge() -> Result<Judge> {
    let classifier = Model::find(CLASSIFIER.0, None)?;
    Judge::new(&classifier.net, &classifier.params, CLASSIFIER.1)
}

/// Scores a generator.
pub fn eval(args: &EvalArgs) -> Result<()> {
    let (_, mut generator) = open(&args.model)?;
    let name = Path::new(&args.model).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let report = measure(&name, &mut generator, &args.data, args.validation, args.seed, args.epochs)?;
    println!("{}", files::json(&report)?);
    Ok(())
}

/// The images of these numbers.
fn part(all: &Labelled, chosen: &[usize]) -> Result<Labelled> {
    let Images { h, w, .. } = all.images;
    let pixels = chosen.iter().flat_map(|&i| all.images.image(i)).copied().collect();
    let labels = chosen.iter().map(|&i| all.labels[i]).collect();
    Labelled::new(Images { n: chosen.len(), h, w, pixels }, labels, CLASSES as u8)
}

fn share(read: &[u8], asked: &[u8]) -> f64 {
    read.iter().zip(asked).filter(|(read, asked)| read == asked).count() as f64 / asked.len() as f64
}

fn measure(name: &str, g: &mut Generator, data: &Path, validation: bool, seed: u64, epochs: usize) -> Result<Report> {
    let (train, judge) = (load_mnist(data, Split::Train)?, judge()?);
    let mut order: Vec<usize> = (0..train.images.n).collect();
    let mut rng = Rng::new(Rng::mix(seed, 1));
    rng.shuffle(&mut order);
    if order.len() < 2 * JUDGED {
        return Err(Error::value("training images", format!("at least {}", 2 * JUDGED), order.len()));
    }
    let learnt = part(&train, &order[..JUDGED])?;
    let held = if validation { part(&train, &order[JUDGED..2 * JUDGED])? } else { load_mnist(data, Split::Test)? };
    // Digits are asked for as often as people wrote them.
    let mut asked = |n: usize| -> Vec<u8> { (0..n).map(|_| train.labels[rng.below(train.images.n)]).collect() };
    let (digits, others) = (asked(JUDGED), asked(LEARNT));
    let drawn = g.labelled(&digits, Rng::mix(seed, 2))?;
    let read = judge.read(&drawn.images)?;
    let moments = [&drawn, &learnt, &held].map(|part| judge.moments(&part.images));
    let [drawn_moments, learnt_moments, held_moments] = moments;
    let (drawn_moments, learnt_moments, held_moments) = (drawn_moments?, learnt_moments?, held_moments?);
    let (fid, floor) = (distance(&drawn_moments, &held_moments)?, distance(&learnt_moments, &held_moments)?);
    let near = distance(&drawn_moments, &learnt_moments)?;
    eprintln!("FID {fid:.3}, {:.2} times the floor of {floor:.3}; to training images {near:.3}", fid / floor);
    if g.conditional() {
        eprintln!("digit  asked   read  rightly");
        for digit in 0..CLASSES as u8 {
            let of = |all: &[u8]| all.iter().filter(|d| **d == digit).count();
            let right = digits.iter().zip(&read).filter(|(asked, read)| **asked == digit && asked == read).count();
            let part = right as f64 / of(&digits).max(1) as f64;
            eprintln!("{digit:>5} {:>6} {:>6} {part:>8.3}", of(&digits), of(&read));
        }
    } else {
        eprintln!("read as 0 to 9: {:.3?}", shares(&read));
    }
    let some = |part: &Labelled| {
        let chosen: Vec<usize> = (0..COMPARED.min(part.images.n)).collect();
        self::part(part, &chosen)
    };
    let distances = |part: &Labelled| -> Result<[f64; 2]> {
        let mut all: Vec<f64> = nearest(&some(part)?.images, &train.images)?.iter().map(|n| n.distance).collect();
        all.sort_by(f64::total_cmp);
        Ok([all[0], all[all.len() / 2]])
    };
    let [least, median] = distances(&drawn)?;
    eprint!("nearest training image of {COMPARED} drawings: least {least:.2}, median {median:.2}");
    if validation {
        eprintln!();
    } else {
        let [least, median] = distances(&held)?;
        eprintln!("; of as many test images {least:.2}, {median:.2}");
    }
    let classifier = if epochs > 0 && g.conditional() {
        let drawn = g.labelled(&others, Rng::mix(seed, 3))?;
        Some(learnt_from(&drawn, &held, epochs, seed)?)
    } else {
        None
    };
    Ok(Report { model: name.into(), agreement: share(&read, &digits), fid, floor, classifier })
}

/// Draws.
pub fn run(args: &Args) -> Result<()> {
    if !(1..=100_000).contains(&args.count) {
        return Err(Error::value("count", "1 to 100000", args.count));
    }
    let (_, mut generator) = open(&args.model)?;
    let digits: Vec<u8> = (0..args.count).map(|i| args.digit.unwrap_or((i % CLASSES) as u8)).collect();
    let drawn = generator.labelled(&digits, args.seed)?;
    if args.out.extension().is_some_and(|end| end.eq_ignore_ascii_case("png")) {
        return sheet(&args.out, &drawn.images);
    }
    for (i, digit) in digits.iter().enumerate() {
        let path = args.out.join(format!("{digit}/{i:05}.png"));
        png(&path, (drawn.images.w, drawn.images.h), drawn.images.image(i))?;
    }
    println!("{} files in {}", digits.len(), args.out.display());
    Ok(())
}

/// All images on one sheet, ten beside one another.
fn sheet(path: &Path, images: &Images) -> Result<()> {
    let (columns, rows) = (images.n.min(CLASSES), images.n.div_ceil(CLASSES));
    let (w, h) = (columns * images.w, rows * images.h);
    let mut pixels = vec![0; w * h];
    for i in 0..images.n {
        for (y, row) in images.image(i).chunks_exact(images.w).enumerate() {
            let at = (i / CLASSES * images.h + y) * w + i % CLASSES * images.w;
            pixels[at..at + images.w].copy_from_slice(row);
        }
    }
    png(path, (w, h), &pixels)?;
    println!("{} digits in {}", images.n, path.display());
    Ok(())
}

/// Writes grey pixels of ink as a PNG with dark ink on light paper.
fn png(path: &Path, (w, h): (usize, usize), ink: &[u8]) -> Result<()> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, w as u32, h as u32);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::Eight);
    let pixels: Vec<u8> = ink.iter().map(|ink| 255 - ink).collect();
    let wrong = |e: png::EncodingError| Error::format(path.display(), "a picture that PNG can hold", e);
    encoder.write_header().and_then(|mut writer| writer.write_image_data(&pixels)).map_err(wrong)?;
    files::write(path, &file)
}
