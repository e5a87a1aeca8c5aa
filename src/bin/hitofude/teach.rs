//! `hitofude teach`: train what style needs, and write its weights with a log and a model card.

use super::files;
use super::ranks::{Together, World};
use super::style::{Manner, bar, features};
use hitofude::data::pictures::family;
use hitofude::file::safetensors::Precision;
use hitofude::systems::saved::{self, Saved};
use hitofude::systems::style::teach::{FeatureLesson, StyleLesson, Taught};
use hitofude::{Error, Result};
use sha2::{Digest, Sha256};
use std::path::PathBuf;
use std::time::Instant;

/// Arguments of `teach`.
#[derive(clap::Args)]
pub struct Args {
    /// `features`, or the name of the picture whose hand is to be learnt.
    what: String,
    /// Where to write the weights, a log (.csv) and a model card (.md).
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Steps, if not the lesson's own number.
    #[arg(long, value_name = "N")]
    steps: Option<u64>,
    /// Through which network a hand is seen while it is learnt: a name as `style` takes it.
    #[arg(long, value_name = "NAME|FILE", default_value = "features")]
    network: String,
    #[command(flatten)]
    manner: Manner,
    #[command(flatten)]
    together: Together,
}

impl Args {
    /// The feature network learns in shards, which ranks can share; a stylizer learns from two pictures a step.
    pub fn together(&self) -> Option<Together> {
        (self.what == "features").then_some(self.together)
    }
}

/// Trains a feature network or a stylizer.
pub fn run(args: &Args, world: &World) -> Result<()> {
    if args.together.fast_sum && args.together().is_none() {
        return Err(Error::value("--fast-sum", "features, which several ranks can learn", &args.what));
    }
    if args.what == "features" { teach_features(args, world) } else { teach_style(args) }
}

fn teach_features(args: &Args, world: &World) -> Result<()> {
    let steps = args.steps.unwrap_or(FeatureLesson::STEPS);
    let (mut lesson, from, bar) = (FeatureLesson::new(args.manner.seed, steps)?, Instant::now(), world.bar(bar(steps)));
    world.prepared(|| format!("{} {steps} {}", args.manner.seed, args.together.fast_sum))?;
    lesson.join(world.shared());
    let mut log = String::from("step,loss,accuracy\n");
    let (mut loss, mut right, mut images) = (0.0, 0, 0);
    for step in 1..=steps {
        let progress = lesson.step()?;
        (loss, right, images) = (loss + progress.loss, right + progress.correct, images + progress.images);
        bar.inc(1);
        if step.is_multiple_of(50) || step == steps {
            let line = format!("{step},{:.4},{:.4}", loss / images as f64, right as f64 / images as f64);
            if world.leads() {
                bar.suspend(|| eprintln!("{line}"));
            }
            log += &format!("{line}\n");
            (loss, right, images) = (0.0, 0, 0);
        }
    }
    bar.finish_and_clear();
    world.sent(steps);
    if !world.leads() {
        return Ok(());
    }
    let accuracy = lesson.accuracy(480)?;
    let rows = format!(
        "| pictures of its 24 families that it has not seen | {:.1} % of 480 named rightly |\n",
        100.0 * accuracy
    );
    let about = "The feature network: a VGG a tenth as wide, which has learnt to tell families of drawn pictures apart, in any colours.";
    ship(args, (about, &rows, &log), steps, from, lesson.taught()?)
}

fn teach_style(args: &Args) -> Result<()> {
    let steps = args.steps.unwrap_or(StyleLesson::STEPS);
    let style = family(&args.what)?;
    let features = features(&args.network)?;
    let (from, bar) = (Instant::now(), bar(steps));
    let mut lesson =
        StyleLesson::new(&features, style.name, &args.manner.options((256, 256)), args.manner.seed, steps)?;
    let mut log = String::from("step,content,style,variation\n");
    let mut sums = [0.0; 3];
    let mut last = [0.0; 3];
    for step in 1..=steps {
        let losses = lesson.step()?;
        for (sum, part) in sums.iter_mut().zip([losses.content, losses.style, losses.variation]) {
            *sum += part / 50.0;
        }
        bar.inc(1);
        if step.is_multiple_of(50) {
            let line = format!("{step},{:.4},{:.4},{:.4}", sums[0], sums[1], sums[2]);
            bar.suspend(|| eprintln!("{line}"));
            log += &format!("{line}\n");
            (last, sums) = (sums, [0.0; 3]);
        }
    }
    bar.finish_and_clear();
    let rows =
        format!("| losses at the end | content {:.3}, style {:.3}, variation {:.3} |\n", last[0], last[1], last[2]);
    let about = format!("Instant style: {}, in the hand of the project's picture `{}`.", style.about, style.name);
    ship(args, (&about, &rows, &log), steps, from, lesson.taught())
}

/// The flag that gives layers these weights, if there are any.
fn layers(flag: &str, weights: &[(String, f32)]) -> String {
    let list: Vec<String> = weights.iter().map(|(name, weight)| format!("{name}={weight}")).collect();
    if list.is_empty() { String::new() } else { format!(" --{flag} {}", list.join(",")) }
}

/// Writes the weights, the log and the card.
fn ship(
    args: &Args,
    (about, rows, log): (&str, &str, &str),
    steps: u64,
    from: Instant,
    (net, params): Taught,
) -> Result<()> {
    let seconds = from.elapsed().as_secs_f64();
    let scale = |v: f32| format!("[{v},{v},{v}]");
    let mut metadata = vec![("name", args.what.clone()), ("mean", scale(0.5)), ("std", scale(0.25))];
    if args.what != "features" {
        metadata.push(("grain", StyleLesson::GRAIN.to_string()));
    }
    let metadata = metadata.into_iter().map(|(key, value)| (key.to_string(), value)).collect();
    let parameters = net.parameters();
    let file = saved::write(&Saved { net, params, metadata }, Precision::F16)?;
    let sha: String = Sha256::digest(&file).iter().map(|b| format!("{b:02x}")).collect();
    let name = &args.what;
    let mut flags = String::new();
    if name != "features" {
        let manner = &args.manner;
        flags = format!(
            " --content-weight {} --style-weight {} --variation {}{}{}",
            manner.content_weight,
            manner.style_weight,
            manner.variation,
            layers("content-layers", &manner.content_layers),
            layers("style-layers", &manner.style_layers)
        );
    }
    let card = format!(
        "# {name}\n\n{about}\n\n| what | value |\n|---|---|\n\
         | command | `hitofude teach {name} --steps {steps} --seed {}{flags} --out {name}.safetensors` |\n\
         | parameters | {parameters} |\n{rows}| training | {steps} steps, seed {}, {seconds:.0} s on {} threads |\n\
         | file | float16 safetensors, {} bytes, sha256 `{sha}` |\n",
        args.manner.seed,
        args.manner.seed,
        rayon::current_num_threads(),
        file.len(),
    );
    files::write(&args.out, &file)?;
    files::write(&args.out.with_extension("csv"), log.as_bytes())?;
    files::write(&args.out.with_extension("md"), card.as_bytes())?;
    print!("{card}");
    Ok(())
}
