//! `hitofude`, the native command: trains, evaluates and imports what ships in `pretrained/`.
//!
//! Errors are one line on stderr and exit code 2.

mod caption;
mod card;
mod colour;
mod convert;
mod detect;
mod device;
mod eval;
mod export;
mod files;
mod fit;
mod generate;
mod import;
mod left_out;
mod pictures;
mod play;
mod quantise;
mod ranks;
mod reproduce;
mod run;
mod scenes;
mod segment;
mod streets;
mod style;
mod survey;
mod teach;
mod train;

use clap::{Parser, Subcommand};
use hitofude::systems::digits::recipe::RECIPES;
use hitofude::systems::imported::operators;
use hitofude::{Error, Result, zoo};
use ranks::World;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(version, about = "Trains and evaluates the networks of hitofude", max_term_width = 100)]
struct Cli {
    /// Threads to compute with; the results are the same for any number.
    #[arg(long, global = true, value_name = "N")]
    threads: Option<usize>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Train a recipe and write its weights, a log (FILE.csv) and a model card (FILE.md).
    Train(train::Args),
    /// Train any network on any pictures, as the page's Train lab does: from its setup in JSON.
    Fit(fit::Args),
    /// Score a model on the MNIST test set.
    Eval(eval::EvalArgs),
    /// Score a model on people's pen strokes.
    EvalInk(eval::InkArgs),
    /// Repeat the sources' experiments and print their figures beside ours.
    Reproduce(reproduce::Args),
    /// Write some drawings of the writers left out, for the page.
    LeftOut(left_out::Args),
    /// Convert the textbook's pickled parameters.
    Import(import::Args),
    /// Give a model few bits: whole numbers of 8 to 2 bits, ternary weights or one bit.
    Quantise(quantise::Args),
    /// Show an ONNX model's operators with their shapes, parameters and cost.
    Describe(run::DescribeArgs),
    /// Translate a model of TensorFlow.js or Keras into ONNX.
    Convert(convert::Args),
    /// Write a model as ONNX, or as one safetensors file that holds its description, too.
    Export(export::Args),
    /// Read the MNIST test set with every shipped model, alone and together, and write what the page shows of it.
    Survey(survey::Args),
    /// Run a model file (ONNX or safetensors) on named arrays.
    Run(run::Args),
    /// Paint what one picture shows in the hand of another (Gatys et al. 2016).
    Style(style::Args),
    /// Paint a picture at once in a hand that has been learnt (Johnson et al. 2016).
    Stylize(style::StylizeArgs),
    /// Train what style needs: the feature network, or a stylizer for a picture's hand.
    Teach(teach::Args),
    /// Draw one of the project's own pictures, scenes and patterns, as PNG.
    Picture(colour::Args),
    /// Draw sheets with several digits, as PNG, with their boxes and masks as COCO's JSON.
    Scenes(scenes::Args),
    /// Draw views from a car through towns, with the class of every pixel, as PNG.
    Streets(streets::Args),
    /// Learn a game from its pixels, watch a player, judge it.
    Play(play::Args),
    /// Train a network to find the digits of a scene: faster_rcnn or rcnn.
    TrainDetect(detect::TrainArgs),
    /// Find and read the digits of pictures (Girshick et al. 2014; Ren et al. 2015).
    Detect(detect::Args),
    /// Score a detector on scenes, or on sheets of digits, that it has not seen.
    EvalScenes(detect::EvalArgs),
    /// Train a network to read the class of every pixel: fcn8s, segnet or segnet_street.
    TrainSegment(segment::TrainArgs),
    /// Read the class of every pixel of pictures (Long et al. 2015; Badrinarayanan et al. 2017).
    Segment(segment::Args),
    /// Score a segmentation model on pictures it has not seen.
    EvalSegment(segment::EvalArgs),
    /// Train two networks, one that draws digits and one that tells them from real ones (Radford et al. 2015).
    TrainGenerate(generate::TrainArgs),
    /// Draw digits, as PNG.
    Generate(generate::Args),
    /// Score a network that draws digits: are they as asked, as various as people's, and good to learn from?
    EvalGenerate(generate::EvalArgs),
    /// Train the network that writes sentences about sheets of digits.
    TrainCaption(caption::TrainArgs),
    /// Write a sentence about each picture (Vinyals et al. 2015; Xu et al. 2015).
    Caption(caption::Args),
    /// Score a captioner on scenes it has not seen.
    EvalCaption(caption::EvalArgs),
    /// List the recipes, architectures and shipped weights.
    Models {
        /// The folder of shipped weights, if not the checkout's.
        #[arg(long, value_name = "DIR")]
        pretrained: Option<PathBuf>,
        /// List the ONNX operators that `run` knows instead, one a line.
        #[arg(long)]
        operators: bool,
    },
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(help) if !help.use_stderr() => {
            print!("{help}");
            return ExitCode::SUCCESS;
        }
        Err(error) => return refuse(error.to_string().split("\n\nUsage").next().unwrap_or_default()),
    };
    let world = match threads(&cli).and_then(|()| World::join(together(&cli.command))) {
        Ok(world) => world,
        Err(error) => return refuse(&error.to_string()),
    };
    match run(cli, &world) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let code = refuse(&error.to_string());
            world.end();
            code
        }
    }
}

/// How a command runs in several processes, if it does.
fn together(command: &Command) -> Option<ranks::Together> {
    match command {
        Command::Train(args) => Some(args.together),
        Command::Fit(args) => Some(args.together),
        Command::Teach(args) => args.together(),
        _ => None,
    }
}

/// Starts as many threads as were asked for.
fn threads(cli: &Cli) -> Result<()> {
    let Some(threads) = cli.threads.or_else(ranks::threads) else { return Ok(()) };
    if !(1..=1024).contains(&threads) {
        return Err(Error::value("threads", "1 to 1024", threads));
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    pool.map_err(|e| Error::value("threads", "a number this machine can start", e))
}

/// One line, whatever the message had; from one of several processes.
fn refuse(message: &str) -> ExitCode {
    if ranks::speaks() {
        let words: Vec<&str> = message.trim_start_matches("error: ").split_whitespace().collect();
        eprintln!("hitofude: {}", words.join(" "));
    }
    ExitCode::from(2)
}

fn run(cli: Cli, world: &World) -> Result<()> {
    match cli.command {
        Command::Train(args) => train::run(&args, world),
        Command::Fit(args) => fit::run(&args, world),
        Command::Eval(args) => eval::images(&args),
        Command::EvalInk(args) => eval::ink(&args),
        Command::Reproduce(args) => reproduce::run(&args),
        Command::LeftOut(args) => left_out::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Quantise(args) => quantise::run(&args),
        Command::Convert(args) => convert::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Describe(args) => run::describe(&args),
        Command::Survey(args) => survey::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Style(args) => style::run(&args),
        Command::Stylize(args) => style::stylize(&args),
        Command::Teach(args) => teach::run(&args, world),
        Command::Picture(args) => colour::run(&args),
        Command::Scenes(args) => scenes::run(&args),
        Command::Streets(args) => streets::run(&args),
        Command::Play(args) => play::run(&args),
        Command::TrainDetect(args) => detect::train(&args),
        Command::Detect(args) => detect::run(&args),
        Command::EvalScenes(args) => detect::eval(&args),
        Command::TrainSegment(args) => segment::train(&args),
        Command::Segment(args) => segment::run(&args),
        Command::EvalSegment(args) => segment::eval(&args),
        Command::TrainGenerate(args) => generate::train(&args),
        Command::Generate(args) => generate::run(&args),
        Command::EvalGenerate(args) => generate::eval(&args),
        Command::TrainCaption(args) => caption::train(&args),
        Command::Caption(args) => caption::run(&args),
        Command::EvalCaption(args) => caption::eval(&args),
        Command::Models { operators: true, .. } => {
            operators().iter().for_each(|name| println!("{name}"));
            Ok(())
        }
        Command::Models { pretrained, .. } => models(&files::shipped(pretrained.as_deref())),
    }
}

fn models(pretrained: &std::path::Path) -> Result<()> {
    println!("recipes (train RECIPE):");
    for recipe in RECIPES {
        println!("  {:16} {}", recipe.name, recipe.about);
    }
    println!("games (play --game GAME):");
    for game in play::games() {
        println!("  {:16} {}", game.name, game.about);
    }
    println!("architectures (import --as NAME):");
    for row in zoo::CATALOGUE {
        println!("  {:16} {:>7} parameters, {}", row.name, zoo::build(row.name)?.parameters(), row.about);
    }
    println!("weights in {} (eval --model NAME):", pretrained.display());
    for path in files::weights_in(pretrained)? {
        let model = files::Model::open(&path)?;
        println!("  {:16} {:>7} bytes, {}", model.name, model.file.len(), model.architecture());
    }
    Ok(())
}
