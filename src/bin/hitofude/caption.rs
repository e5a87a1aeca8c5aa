//! `hitofude train-caption`, `caption` and `eval-caption`: sentences about sheets of digits.

use super::style::bar;
use super::{colour, files};
use hitofude::data::scenes::Part;
use hitofude::file::safetensors::{self, Precision, Weights};
use hitofude::systems::caption::sample::{HELD_OUT, Kind};
use hitofude::systems::caption::{Captioner, Language, Plan, Score, Search, Training, judge};
use hitofude::{Error, Result};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Arguments of `train-caption`.
#[derive(clap::Args)]
pub struct TrainArgs {
    /// Where to write the weights, a log (.csv) and a model card (.md).
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Steps.
    #[arg(long, value_name = "N", default_value_t = Plan::STEPS)]
    steps: u64,
    /// Everything random follows from it.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// AdamW's highest rate.
    #[arg(long, value_name = "X", default_value_t = Plan::new(1, 1).rate)]
    rate: f32,
    /// Stop behind this step, if not the last; the rate goes down as if it were not.
    #[arg(long, value_name = "N")]
    until: Option<u64>,
    /// Begin with what this checkpoint has come to.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Go on from OUT.checkpoint if there is one. If all its steps are taken, only the card is written anew.
    #[arg(long)]
    resume: bool,
}

/// Arguments of `caption`.
#[derive(clap::Args)]
pub struct Args {
    /// PNG files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// A shipped model's name, or a file of weights.
    #[arg(long, value_name = "NAME|FILE", default_value = NAME)]
    model: String,
    /// en or ja; both if not given.
    #[arg(long, value_parser = language)]
    language: Option<Language>,
    /// Sentences that are kept in the search; each is printed with its probability.
    #[arg(long, value_name = "N", default_value_t = BEAMS)]
    beams: usize,
    /// The power of the number of words that a sentence's logarithm is divided by.
    #[arg(long, value_name = "X", default_value_t = Search::new(BEAMS).length)]
    length: f64,
    /// What scores are divided by before the softmax.
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    temperature: f64,
    /// Print every word's probability, too.
    #[arg(long)]
    words: bool,
}

/// Arguments of `eval-caption`.
#[derive(clap::Args)]
pub struct EvalArgs {
    /// The shipped model's name.
    #[arg(long, value_name = "NAME", default_value = NAME)]
    model: String,
    /// en or ja.
    #[arg(long, value_parser = language)]
    language: Language,
    /// Sentences that are kept in the search.
    #[arg(long, value_name = "N", default_value_t = BEAMS)]
    beams: usize,
    /// Scenes of the test seeds, of each kind.
    #[arg(long, value_name = "N", default_value_t = IMAGES)]
    images: usize,
    /// Judge on the seeds to choose by, not on those of the test.
    #[arg(long)]
    validation: bool,
    /// Other weights than those that ship.
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
}

/// The model that ships.
const NAME: &str = "caption";
/// Sentences kept in a search, if not said.
const BEAMS: usize = 3;
/// Scenes of each kind that a model is judged by.
const IMAGES: usize = 500;
/// Steps between two lines of the log; a checkpoint comes with each.
const EVERY: u64 = 100;

#[derive(serde::Serialize)]
struct Report {
    model: String,
    language: &'static str,
    images: usize,
    exact: f64,
    compositional: f64,
    bleu4: f64,
}

fn language(text: &str) -> std::result::Result<Language, String> {
    Language::named(text).map_err(|_| "en or ja".into())
}

fn shipped(name: &str) -> PathBuf {
    files::shipped(None).join("caption").join(format!("{name}.safetensors"))
}

fn open(path: &Path) -> Result<Captioner> {
    Captioner::new(&safetensors::read(&files::read(path)?)?)
}

/// The bytes of a file with what a training has come to.
fn trained(training: &Training) -> Result<Vec<u8>> {
    let (params, metadata) = training.trained()?;
    safetensors::write(&Weights { tensors: params.named(), metadata }, Precision::F16)
}

/// Trains.
pub fn train(args: &TrainArgs) -> Result<()> {
    let plan = Plan { rate: args.rate, ..Plan::new(args.steps, args.seed) };
    let (checkpoint, path) = (files::with_suffix(&args.out, ".checkpoint"), args.out.with_extension("csv"));
    let (mut training, mut log) = if args.resume && checkpoint.is_file() {
        let training = Training::resume(plan, &safetensors::read(&files::read(&checkpoint)?)?)?;
        let text = String::from_utf8_lossy(&files::read(&path)?).into_owned();
        let lines: Vec<&str> = text.lines().take(1 + (training.steps() / EVERY) as usize).collect();
        (training, lines.join("\n") + "\n")
    } else {
        let training = match &args.from {
            Some(path) => Training::upon(plan, &safetensors::read(&files::read(path)?)?)?,
            None => Training::new(plan)?,
        };
        (training, "step,loss,seconds\n".to_string())
    };
    let last = log.lines().last().and_then(|line| line.rsplit(',').next()?.parse::<f64>().ok());
    let (from, earlier) = (Instant::now(), last.unwrap_or(0.0));
    let seconds = || earlier + from.elapsed().as_secs_f64();
    let (until, mut sum) = (args.until.unwrap_or(plan.steps).min(plan.steps), 0.0);
    let bar = bar(until);
    bar.set_position(training.steps());
    while training.steps() < until {
        let progress = training.step()?;
        sum += progress.loss / progress.images as f64;
        bar.inc(1);
        let steps = training.steps();
        if steps.is_multiple_of(EVERY) || steps == until {
            let loss = sum / ((steps - 1) % EVERY + 1) as f64;
            let line = format!("{steps},{loss:.5},{:.0}", seconds());
            bar.suspend(|| eprintln!("{line}"));
            log += &format!("{line}\n");
            sum = 0.0;
            files::write(&path, log.as_bytes())?;
            files::write(&checkpoint, &safetensors::write(&training.checkpoint(), Precision::F32)?)?;
            files::write(&args.out, &trained(&training)?)?;
        }
    }
    bar.finish_and_clear();
    card(args, &plan, &training, seconds())
}

/// Judges the written file once on the test seeds, in both languages, and writes its card.
fn card(args: &TrainArgs, plan: &Plan, training: &Training, seconds: f64) -> Result<()> {
    let file = files::read(&args.out)?;
    let mut captioner = open(&args.out)?;
    let mut rows = String::new();
    for language in Language::ALL {
        let from = Instant::now();
        let (known, held_out) = scores(&mut captioner, language, Part::Test, IMAGES, BEAMS)?;
        rows += &format!(
            "| {} | **{:.3}** | **{:.3}** | {:.4} | {} |\n",
            language.name(),
            known.share(),
            held_out.share(),
            known.bleu.score(4),
            by_digits(&known),
        );
        eprintln!("{}: judged in {:.1} s", language.name(), from.elapsed().as_secs_f64());
    }
    let pairs: Vec<String> = HELD_OUT.iter().enumerate().map(|(digit, place)| format!("{digit} at {place}")).collect();
    let text = format!(
        "# {NAME}\n\nNIC (Vinyals et al. 2015) with attention (Xu et al. 2015): sentences about sheets of one to four digits, in \
         English and Japanese.\n\n| language | exact sentences | pairs never seen together | BLEU-4 | exact, by digits 1 to 4 \
         |\n|---|---|---|---|---|\n{rows}\nOn {IMAGES} scenes of the test seeds each, beams {BEAMS}; BLEU of the corpus by the rule \
         of nltk's `corpus_bleu`.\n\n| what | value |\n|---|---|\n\
         | command | `hitofude train-caption --steps {steps} --rate {rate} --seed {seed}{until}{from} --out {NAME}.safetensors` |\n\
         {begun}\
         | parameters | {parameters} |\n\
         | training | {steps} steps of {batch} scenes, each in both languages, AdamW at {rate} in one cycle, seed {seed}, \
         {seconds:.0} s on {threads} threads |\n\
         | file | float16 safetensors, {size} bytes, sha256 `{sha}` |\n\n\
         ## Data\n\nScenes drawn by the project itself while it trained (`src/systems/caption/sample.rs`): one to four digits of 16 \
         to 56 pixels on 128 × 128, made ones, turned up to 15°, sharing at most 0.05 of the smaller box, half of the scenes \
         coloured, half light on dark; plain, ruled, gradient and noisy paper, none with scribbles. Only clear scenes are told \
         of (`grammar::Clear`). To be judged by: heights at least 8 % from where their word changes, middles at least 6 pixels \
         apart from left to right, distances along and across that differ by at least 8 pixels; to learn from, 5 %, 4 and \
         5.\n\nPairs of a digit and a ninth of the sheet (row after row from 0) that training never shows: {pairs}. A scene \
         with any of them counts for the second figure, and only such scenes do.\n\nThe network reads how far a pixel is from the paper's grey. In training \
         only, cells with ink learn whose it is and where that digit's middle is, and words to look at the digit that they are \
         about. The test seeds chose nothing.\n",
        steps = plan.steps,
        seed = plan.seed,
        until = args.until.map_or(String::new(), |until| format!(" --until {until}")),
        from = if training.before().is_some() { " --from BEFORE.checkpoint" } else { "" },
        begun = training.before().map_or(String::new(), |before| format!("| begun with | {before} |\n")),
        batch = plan.batch,
        rate = plan.rate,
        parameters = captioner.parameters(),
        threads = rayon::current_num_threads(),
        size = file.len(),
        sha = files::sha256(&file),
        pairs = pairs.join(", "),
    );
    files::write(&args.out.with_extension("md"), text.as_bytes())?;
    print!("{text}");
    Ok(())
}

fn scores(
    captioner: &mut Captioner,
    language: Language,
    part: Part,
    images: usize,
    beams: usize,
) -> Result<(Score, Score)> {
    let mut score = |kind| judge(captioner, language, (part, kind), images, &Search::new(beams));
    Ok((score(Kind::Known)?, score(Kind::HeldOut)?))
}

fn by_digits(score: &Score) -> String {
    let shares = score.by_digits.iter().map(|[all, exact]| format!("{:.3}", *exact as f64 / (*all).max(1) as f64));
    shares.collect::<Vec<_>>().join(", ")
}

/// Scores a model on scenes that it has not seen.
pub fn eval(args: &EvalArgs) -> Result<()> {
    if args.model != NAME {
        return Err(Error::missing("captioner", NAME, &args.model));
    }
    let mut captioner = open(&args.weights.clone().unwrap_or_else(|| shipped(NAME)))?;
    let part = if args.validation { Part::Validation } else { Part::Test };
    let from = Instant::now();
    let (known, held_out) = scores(&mut captioner, args.language, part, args.images, args.beams)?;
    eprintln!("{} scenes drawn and judged in {:.1} s", 2 * args.images, from.elapsed().as_secs_f64());
    for (name, score) in [("known pairs", &known), ("held-out pairs", &held_out)] {
        eprintln!("{name}: exact by digits 1 to 4: {}", by_digits(score));
        score.wrong.iter().for_each(|[said, truth]| eprintln!("  said  {said}\n  truth {truth}"));
    }
    let report = Report {
        model: args.model.clone(),
        language: args.language.name(),
        images: args.images,
        exact: known.share(),
        compositional: held_out.share(),
        bleu4: known.bleu.score(4),
    };
    println!("{}", files::json(&report)?);
    Ok(())
}

/// Writes sentences about PNG files.
pub fn run(args: &Args) -> Result<()> {
    let search = Search { beams: args.beams, length: args.length, temperature: args.temperature };
    search.check()?;
    let path = Path::new(&args.model);
    let mut captioner = open(&if path.is_file() { path.to_path_buf() } else { shipped(&args.model) })?;
    for path in &args.files {
        let picture = colour::read(path)?;
        for language in args.language.map_or(Language::ALL.to_vec(), |one| vec![one]) {
            let from = Instant::now();
            let caption = captioner.caption(&picture, language, &search)?;
            eprintln!("{}: {:.1} ms", path.display(), 1e3 * from.elapsed().as_secs_f64());
            for sentence in &caption.sentences {
                println!("{:.4} {}", sentence.probability, sentence.text);
                let word = |w: &hitofude::systems::caption::Word| format!("{} {:.3}", w.text, w.probability);
                if args.words {
                    println!("       {}", sentence.words.iter().map(word).collect::<Vec<_>>().join(", "));
                }
            }
        }
    }
    Ok(())
}
