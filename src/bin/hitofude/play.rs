//! `hitofude play`: a network that learns a game, plays it in the terminal, and is judged.

use super::files::{self, Model};
use hitofude::file::safetensors::{self, Precision, Weights};
use hitofude::nn::description;
use hitofude::systems::play::{GAMES, Game, Learner, Player, Seat, Settings, network};
use hitofude::{Error, Result};
use rayon::prelude::*;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Arguments of `play`.
#[derive(clap::Args)]
pub struct Args {
    /// The game: catch, breakout or space_invaders.
    #[arg(long, value_name = "GAME")]
    game: String,
    /// Learn it from nothing.
    #[arg(long, conflicts_with_all = ["watch", "evaluate"])]
    train: bool,
    /// Watch a player in the terminal.
    #[arg(long, conflicts_with = "evaluate")]
    watch: bool,
    /// Judge: with --seeds so many players that learn from nothing, else the one that ships or --model names.
    #[arg(long)]
    evaluate: bool,
    /// Players to learn from nothing, seeds 1 to N.
    #[arg(long, value_name = "N", requires = "evaluate")]
    seeds: Option<u64>,
    /// Most episodes to learn from (250 of catch, no bound of the others).
    #[arg(long, value_name = "N")]
    episodes: Option<u64>,
    /// Most steps of play to learn from.
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    frames: u64,
    /// Everything random follows from it.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// How to learn, as JSON: `{"target": 0}` leaves the target network away.
    #[arg(long, value_name = "JSON")]
    settings: Option<String>,
    /// A name from the pretrained folder, or a file of weights; the game's own if not given.
    #[arg(long, value_name = "NAME|FILE")]
    model: Option<String>,
    /// Where to write the weights of the best player so far.
    #[arg(long, value_name = "FILE", requires = "train")]
    out: Option<PathBuf>,
    /// The folder of shipped weights, if not the checkout's.
    #[arg(long, value_name = "DIR")]
    pretrained: Option<PathBuf>,
}

#[derive(Serialize)]
struct Report<'a> {
    game: &'a str,
    seeds: u64,
    r#return: f64,
    episodes_to_goal: Option<f64>,
    return_quartiles: [f64; 2],
    episodes_to_goal_quartiles: [Option<f64>; 2],
    learning_steps_per_second: Option<f64>,
}

/// What a training came to.
struct Trained {
    weights: Weights,
    /// Mean return of 100 episodes without random actions, at its best.
    best: f64,
    /// Episodes after which the goal was reached.
    goal: Option<u64>,
    /// Steps of learning in a second.
    speed: f64,
}

/// Episodes that a player is judged by.
const JUDGED: usize = 100;

/// Trains, shows or judges a player.
pub fn run(args: &Args) -> Result<()> {
    let game = Game::named(&args.game)?;
    if args.train {
        let trained = train(args, game, args.seed, args.out.as_deref(), true)?;
        let goal = trained.goal.map(|n| n as f64);
        return report(game, &[trained.best], &[goal], Some(trained.speed));
    }
    if args.watch {
        return watch(args, game);
    }
    if !args.evaluate {
        return Err(Error::missing("play", "one of --train, --watch, --evaluate", "none"));
    }
    match args.seeds {
        Some(0) => Err(Error::value("seeds", "at least 1", 0)),
        Some(seeds) => {
            let seeds: Vec<u64> = (1..=seeds).collect();
            let all: Vec<Trained> =
                seeds.par_iter().map(|seed| train(args, game, *seed, None, false)).collect::<Result<_>>()?;
            let returns: Vec<f64> = all.iter().map(|one| one.best).collect();
            let goals: Vec<Option<f64>> = all.iter().map(|one| one.goal.map(|n| n as f64)).collect();
            let speed = all.iter().map(|one| one.speed).sum::<f64>() / all.len() as f64;
            report(game, &returns, &goals, Some(speed))
        }
        None => {
            let model = shipped(args, game)?;
            let returns = Player::new(&model.net).returns(&model.params, game, JUDGED, args.seed)?;
            report(game, &[mean(&returns)], &[None], None)
        }
    }
}

fn mean(values: &[f32]) -> f64 {
    values.iter().map(|v| f64::from(*v)).sum::<f64>() / values.len().max(1) as f64
}

/// The value that a quarter, a half, three quarters lie below; what is none lies above all.
fn quantile(values: &[Option<f64>], part: f64) -> Option<f64> {
    let mut sorted: Vec<f64> = values.iter().map(|v| v.unwrap_or(f64::INFINITY)).collect();
    sorted.sort_by(f64::total_cmp);
    let at = part * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    let value = if low == high { low } else { low + (high - low) * at.fract() };
    value.is_finite().then_some(value)
}

fn report(game: &Game, returns: &[f64], goals: &[Option<f64>], speed: Option<f64>) -> Result<()> {
    let found: Vec<Option<f64>> = returns.iter().copied().map(Some).collect();
    let of = |part: f64| quantile(&found, part).unwrap_or(f64::NAN);
    let report = Report {
        game: game.name,
        seeds: returns.len() as u64,
        r#return: of(0.5),
        episodes_to_goal: quantile(goals, 0.5),
        return_quartiles: [of(0.25), of(0.75)],
        episodes_to_goal_quartiles: [quantile(goals, 0.25), quantile(goals, 0.75)],
        learning_steps_per_second: speed.map(f64::round),
    };
    println!("{}", files::json(&report)?);
    Ok(())
}

/// Learns until the goal is reached (Catch) or the frames are played; keeps the best weights.
fn train(args: &Args, game: &'static Game, seed: u64, out: Option<&Path>, told: bool) -> Result<Trained> {
    let settings = match &args.settings {
        Some(json) => serde_json::from_str(json).map_err(|e| Error::format("settings", "an object of settings", e))?,
        None => Settings::of(game.name),
    };
    let short = game.best.is_some();
    let most = args.episodes.unwrap_or(if short { 250 } else { u64::MAX });
    let mut learner = Learner::new(game, settings, seed)?;
    let (mut episodes, mut next, mut recent) = (0, if short { 10 } else { 20_000 }, Vec::new());
    let mut best = Trained { weights: weights(game, &learner)?, best: f64::NEG_INFINITY, goal: None, speed: 0.0 };
    let (start, mut judging) = (Instant::now(), Duration::ZERO);
    while episodes < most && learner.steps().0 < args.frames {
        match learner.step() {
            Ok(step) => {
                let Some(points) = step.points else { continue };
                episodes += 1;
                recent.push(points);
            }
            Err(error) if told => {
                eprintln!("{error}; back to the last good weights");
                learner.undo()?;
                continue;
            }
            Err(error) => return Err(error),
        }
        let (played, learnt) = learner.steps();
        if (if short { episodes } else { played }) < next && episodes < most {
            continue;
        }
        let pause = Instant::now();
        next += if short { 10 } else { 20_000 };
        let greedy = mean(&learner.returns(JUDGED, seed)?);
        if told {
            eprintln!(
                "{episodes} episodes, {played} frames: {:.3} while learning, {greedy:.3} without random actions",
                mean(&recent)
            );
        }
        recent.clear();
        if greedy > best.best {
            (best.best, best.weights) = (greedy, weights(game, &learner)?);
            if let Some(path) = out {
                files::write(path, &safetensors::write(&best.weights, Precision::F16)?)?;
            }
        }
        judging += pause.elapsed();
        best.speed = learnt as f64 / (start.elapsed() - judging).as_secs_f64().max(1e-9);
        if greedy >= f64::from(game.goal) {
            best.goal = best.goal.or(Some(episodes));
            if short {
                break;
            }
        }
    }
    Ok(best)
}

/// The weights to keep, with the network that they are of.
fn weights(game: &Game, learner: &Learner) -> Result<Weights> {
    let net = network(game)?;
    let metadata = [("name", game.name.to_string()), ("game", game.name.into()), ("network", description::write(&net))];
    let metadata = metadata.into_iter().map(|(k, v)| (k.to_string(), v)).collect();
    Ok(Weights { tensors: net.params_from(learner.params())?.named(), metadata })
}

fn shipped(args: &Args, game: &Game) -> Result<Model> {
    let own = format!("play/{}", game.name);
    let model = Model::find(args.model.as_deref().unwrap_or(&own), args.pretrained.as_deref())?;
    let (want, have) = (network(game)?, &model.net);
    if (want.input_shape(), want.node(want.output()).shape) != (have.input_shape(), have.node(have.output()).shape) {
        let expected = format!("boards of {} and {} actions", want.input_shape(), game.actions.len());
        return Err(Error::shape(&model.name, expected, have.input_shape()));
    }
    Ok(model)
}

/// Plays one episode in the terminal, a board over the other.
fn watch(args: &Args, game: &'static Game) -> Result<()> {
    let model = shipped(args, game)?;
    let (mut player, mut seat) = (Player::new(&model.net), Seat::new(game, args.seed));
    let mut board = vec![0.0; game.shape().len()];
    let (rows, columns) = game.size;
    while !seat.done() {
        let values = player.values(&model.params, &seat)?.to_vec();
        let action = player.best(&model.params, &seat)?;
        seat.draw(&mut board);
        let mut text = String::from("\x1b[2J\x1b[H");
        for row in 0..rows {
            for column in 0..columns {
                let plane = (0..game.planes.len()).rev().find(|p| board[(p * rows + row) * columns + column] > 0.5);
                text.push(plane.map_or('·', |p| ['#', 'o', '.', '=', '|', '!'][p % 6]));
            }
            text.push('\n');
        }
        let told = game.actions.iter().zip(&values).map(|(name, value)| format!("{name} {value:.2}"));
        println!("{text}{}  {} points", told.collect::<Vec<_>>().join("  "), seat.points());
        seat.act(action);
        std::thread::sleep(Duration::from_millis(80));
    }
    println!("{} points in {} steps", seat.points(), seat.steps());
    Ok(())
}

/// The names of the games, for `hitofude models`.
pub fn games() -> impl Iterator<Item = &'static Game> {
    GAMES.iter()
}
