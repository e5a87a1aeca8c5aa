//! Deep Q-learning: play by what the network thinks, remember it, and move each value towards what was paid and what the
//! next board is worth. Mnih et al. 2015.

use super::episode::Recorded;
use super::game::Game;
use super::memory::{Memory, Transition};
use super::player::{Player, network};
use super::seat::Seat;
use super::settings::Settings;
use crate::error::{Error, Result};
use crate::kernel::reduce;
use crate::nn::losses::Huber;
use crate::nn::{Feed, Graph, Init, Mode, Network, Params, Port, Rows, Run, Want};
use crate::rng::Rng;
use crate::train::{Descent, Progress, State};
use crate::zoo::dqn::dqn;

/// A value this much larger than the greatest return that discounted rewards of 1 can come to is no value any more.
const DIVERGED: f32 = 10.0;

/// Steps of learning between two states to go back to, where no target network marks them.
const MARK: u64 = 500;

/// A player that learns.
pub struct Learner {
    game: &'static Game,
    settings: Settings,
    seed: u64,
    seat: Recorded,
    memory: Memory,
    rng: Rng,
    player: Player,
    /// Values of the boards that follow, by the target network and by the one in training.
    values: Run,
    training: Run,
    descent: Descent,
    target: Params,
    gradient: Vec<f32>,
    rows: Batch,
    played: u64,
    learnt: u64,
    /// Part of the actions that is random, where it was set by hand.
    epsilon: Option<f32>,
    /// What the last step of learning was about, and the numbers of those steps in the memory.
    drawn: Vec<Transition>,
    numbers: Vec<u64>,
    /// The state before the values left all bounds, and a later one that is still to prove itself.
    good: State,
    young: State,
}

/// Room for a batch.
struct Batch {
    boards: Vec<f32>,
    next: Vec<f32>,
    targets: Vec<f32>,
    chosen: Vec<f32>,
}

/// What a learner has come to: all that it goes on with but the replay memory, which fills again.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// Parameters and what the optimiser remembers.
    pub state: State,
    /// The target network's parameters.
    pub target: Vec<f32>,
    /// Steps of play, and of learning.
    pub steps: (u64, u64),
}

/// What a step of play came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// What was done.
    pub action: usize,
    /// What it paid.
    pub reward: f32,
    /// The points of the episode, if it ended with this step.
    pub points: Option<f32>,
    /// The loss of the step of learning behind it, if there was one: a mean over the batch.
    pub loss: Option<f64>,
}

impl Learner {
    /// Begins at a game. Everything random follows from `seed`. Errors: those of [`Settings::check`].
    pub fn new(game: &'static Game, settings: Settings, seed: u64) -> Result<Self> {
        settings.check()?;
        let (net, learning) = (network(game)?, learning(game)?);
        let mut params = learning.zeros();
        Init::He.fill(&mut params, seed)?;
        let descent = Descent::new(&learning, params.clone(), &settings.options)?;
        let (batch, cells, actions) = (settings.batch, game.shape().len(), game.actions.len());
        let room = |each: usize| vec![0.0; batch * each];
        Ok(Self {
            game,
            seed,
            seat: Recorded::new(game, Rng::mix(seed, 1)),
            memory: Memory::new(settings.memory.max(settings.steps + 1), cells),
            rng: Rng::new(Rng::mix(seed, 2)),
            player: Player::new(&net),
            values: Run::new(&net, batch, &Want::outputs()),
            training: Run::new(&learning, batch, &Want::training()),
            gradient: vec![0.0; learning.arena_len()],
            target: params,
            rows: Batch { boards: room(cells), next: room(cells), targets: room(actions), chosen: room(actions) },
            played: 0,
            learnt: 0,
            epsilon: None,
            drawn: vec![],
            numbers: vec![],
            good: descent.state(),
            young: descent.state(),
            descent,
            settings,
        })
    }

    /// The seat, as the last step left it.
    pub fn seat(&self) -> &Seat {
        self.seat.seat()
    }

    /// The episode that ended last, board by board, and its points.
    pub fn ended(&self) -> Option<(&Memory, f32)> {
        self.seat.ended()
    }

    /// The replay memory.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Positions in the memory of the steps that were last learnt from, as far as they are still there.
    pub fn drawn(&self) -> impl Iterator<Item = usize> {
        self.numbers.iter().filter_map(|number| self.memory.position(*number))
    }

    /// All that decides how it learns.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Part of the actions that is random from now on, or `None` for what the settings say. Errors: [`Error::Value`] outside
    /// 0 to 1.
    pub fn explore(&mut self, epsilon: Option<f32>) -> Result<()> {
        if let Some(epsilon) = epsilon.filter(|epsilon| !(0.0..=1.0).contains(epsilon)) {
            return Err(Error::value("epsilon", "a number from 0 to 1", epsilon));
        }
        self.epsilon = epsilon;
        Ok(())
    }

    /// Part of the actions that is random at the next step.
    pub fn epsilon(&self) -> f32 {
        let warm = self.played < self.settings.warmup as u64;
        let planned = if warm { 1.0 } else { self.settings.epsilon_at(self.played - self.settings.warmup as u64) };
        self.epsilon.unwrap_or(planned)
    }

    /// The parameters of the value network, by the names of [`network`].
    pub fn params(&self) -> &Params {
        self.descent.params()
    }

    /// Steps of play, and of learning.
    pub fn steps(&self) -> (u64, u64) {
        (self.played, self.learnt)
    }

    /// One step of play, and of learning where it is due. An episode that is over begins anew with the next step.
    ///
    /// Errors: [`Error::Value`] where the values have left all bounds or the loss is no number; [`Learner::undo`] then goes
    /// back to weights from before.
    pub fn step(&mut self) -> Result<Step> {
        if self.seat().done() {
            self.seat.reset();
        }
        // Behind a checkpoint the memory fills anew before it is learnt from.
        let enough = self.settings.warmup.min(self.memory.capacity());
        let warm = self.played < self.settings.warmup as u64 || self.memory.len() < enough;
        let epsilon = self.epsilon();
        let action = if self.rng.uniform() < epsilon {
            self.rng.below(self.game.actions.len())
        } else {
            self.player.best(self.descent.params(), self.seat.seat())?
        };
        self.seat.seat().draw(&mut self.rows.boards[..self.game.shape().len()]);
        let outcome = self.seat.act(action);
        let (done, last) = (self.seat().done(), self.seat().last());
        let board = &self.rows.boards[..self.game.shape().len()];
        self.memory.push(board, last, outcome.reward, outcome.end, done && !outcome.end);
        self.played += 1;
        let due = !warm && self.played.is_multiple_of(self.settings.every);
        let loss = if due { self.learn()? } else { None };
        let points = done.then(|| self.seat().points());
        Ok(Step { action, reward: outcome.reward, points, loss })
    }

    /// One step of learning from the memory; `None` where it holds nothing that could be learnt from yet.
    pub fn learn(&mut self) -> Result<Option<f64>> {
        let Settings { batch, steps, gamma, options, target, .. } = self.settings;
        let mut drawn = Vec::with_capacity(batch);
        for _ in 0..batch {
            let Some(one) = self.memory.draw(&mut self.rng, steps, gamma) else { return Ok(None) };
            drawn.push(one);
        }
        self.numbers.clear();
        self.numbers.extend(drawn.iter().map(|one| self.memory.number(one.from)));
        self.drawn = drawn;
        self.fill()?;
        let feeds = [
            Feed::new("input", &self.rows.boards),
            Feed::new("target", &self.rows.targets),
            Feed::new("chosen", &self.rows.chosen),
        ];
        self.training.forward_feeds(self.descent.params(), &feeds, Mode::Train { seed: self.learnt })?;
        self.gradient.fill(0.0);
        self.training.backward_losses(self.descent.params(), &mut self.gradient, 1.0 / batch as f32);
        let progress = Progress { images: batch, loss: self.training.total_loss(), correct: 0, gradient_norm: 0.0 };
        let progress = self.descent.apply([(&self.gradient[..], progress)], options.rate)?;
        self.learnt += 1;
        if target > 0 && self.learnt.is_multiple_of(target) {
            self.target.values_mut().copy_from_slice(self.descent.params().values());
            self.good = self.descent.state();
        } else if target == 0 && self.learnt.is_multiple_of(MARK) {
            self.good = std::mem::replace(&mut self.young, self.descent.state());
        }
        Ok(Some(progress.loss / batch as f64))
    }

    /// Lays out a batch: boards, what their chosen actions are worth, and which they were.
    fn fill(&mut self) -> Result<()> {
        let (cells, actions) = (self.game.shape().len(), self.game.actions.len());
        let drawn = &self.drawn;
        let Batch { boards, next, targets, chosen } = &mut self.rows;
        for (k, one) in drawn.iter().enumerate() {
            self.memory.board(one.from, &mut boards[k * cells..][..cells]);
            self.memory.board(one.to.unwrap_or(one.from), &mut next[k * cells..][..cells]);
        }
        let frozen = if self.settings.target > 0 { &self.target } else { self.descent.params() };
        let best: Vec<usize> = if self.settings.double {
            self.values.forward(self.descent.params(), next, drawn.len(), Mode::Infer)?;
            self.values.output().chunks_exact(actions).map(|row| reduce::argmax(row).unwrap_or(0)).collect()
        } else {
            vec![]
        };
        self.values.forward(frozen, next, drawn.len(), Mode::Infer)?;
        targets.fill(0.0);
        chosen.fill(0.0);
        let bound = DIVERGED / (1.0 - self.settings.gamma).max(1e-3);
        for (k, (one, values)) in drawn.iter().zip(self.values.output().chunks_exact(actions)).enumerate() {
            let best = best.get(k).copied().unwrap_or_else(|| reduce::argmax(values).unwrap_or(0));
            let after = if one.to.is_some() { values[best] } else { 0.0 };
            if after.is_nan() || after.abs() > bound {
                let expected = format!("values up to {bound} (a target network, a replay memory or a lower rate help)");
                return Err(Error::value(format!("step {} of learning", self.learnt + 1), expected, after));
            }
            targets[k * actions + one.action] = one.reward + one.discount * after;
            chosen[k * actions + one.action] = 1.0;
        }
        Ok(())
    }

    /// Goes back to the weights of the last time that the target network took them over; without one, to those of 500 to
    /// 1000 steps of learning ago.
    pub fn undo(&mut self) -> Result<()> {
        self.descent.restore(self.good.clone())?;
        self.target.values_mut().copy_from_slice(self.descent.params().values());
        self.young = self.good.clone();
        Ok(())
    }

    /// What it has come to.
    pub fn checkpoint(&self) -> Checkpoint {
        let (state, target) = (self.descent.state(), self.target.values().to_vec());
        Checkpoint { state, target, steps: (self.played, self.learnt) }
    }

    /// Goes on from there, as soon as the memory has filled again. Errors: [`Error::Shape`] for a checkpoint of another game or
    /// optimiser, and it is then as it was.
    pub fn restore(&mut self, from: Checkpoint) -> Result<()> {
        let Checkpoint { state, target, steps } = from;
        if target.len() != self.target.values().len() {
            let expected = format!("a target network of {} numbers", self.target.values().len());
            return Err(Error::shape("checkpoint", expected, target.len()));
        }
        self.descent.restore(state)?;
        self.target.values_mut().copy_from_slice(&target);
        (self.played, self.learnt) = steps;
        (self.good, self.young) = (self.descent.state(), self.descent.state());
        // Other chance than before it, or the first episodes would be played once more.
        self.rng = Rng::part(Rng::mix(self.seed, 2), self.played);
        self.seat = Recorded::new(self.game, Rng::mix(Rng::mix(self.seed, 1), self.played));
        self.memory = Memory::new(self.memory.capacity(), self.game.shape().len());
        self.numbers.clear();
        Ok(())
    }

    /// The points of `episodes` episodes by the best actions alone; the game in play is left as it is.
    pub fn returns(&mut self, episodes: usize, seed: u64) -> Result<Vec<f32>> {
        self.player.returns(self.descent.params(), self.game, episodes, seed)
    }
}

/// The value network with its loss: Huber's, of the value of the chosen action alone.
fn learning(game: &Game) -> Result<Network> {
    let mut g = Graph::new();
    let board = g.input("input", game.shape())?;
    let values = dqn(&mut g, board, game.actions.len())?;
    let shape = g.shape(values);
    let target = g.port("target", shape, Port::Image, Rows::IMAGES)?;
    let chosen = g.port("chosen", shape, Port::Distribution, Rows::IMAGES)?;
    g.loss("error", Huber(1.0), &[values, target, chosen], 1.0)?;
    Ok(g.finish(values))
}
