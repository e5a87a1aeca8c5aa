//! What the Play lab's handles give.

use crate::systems::play::{Checkpoint, Game, Learner, Memory, Seat, Settings, Step};
use crate::{Error, Result};
use js_sys::{Float32Array, Float64Array, Uint8Array};
use serde::Serialize;

/// Cells as bytes.
fn bytes(board: &[f32]) -> Vec<u8> {
    board.iter().map(|cell| u8::from(*cell > 0.5)).collect()
}

#[derive(Serialize)]
pub(super) struct GameRow {
    name: &'static str,
    planes: &'static [&'static str],
    size: (usize, usize),
    actions: &'static [&'static str],
    longest: usize,
    random: f32,
    best: Option<f32>,
    goal: f32,
    settings: String,
}

impl GameRow {
    pub(super) fn of(game: &Game) -> Result<Self> {
        let settings = serde_json::to_string(&Settings::of(game.name))
            .map_err(|e| Error::format("settings", "what JSON can hold", e))?;
        let Game { name, planes, size, actions, longest, random, best, goal, .. } = *game;
        Ok(Self { name, planes, size, actions, longest, random, best, goal, settings })
    }
}

#[derive(Serialize)]
pub(super) struct Frame {
    #[serde(with = "serde_wasm_bindgen::preserve")]
    board: Uint8Array,
    reward: f32,
    points: f32,
    steps: usize,
    done: bool,
}

impl Frame {
    pub(super) fn of(seat: &Seat, reward: f32) -> Self {
        let mut board = vec![0.0; seat.game().shape().len()];
        seat.draw(&mut board);
        let board = bytes(&board).as_slice().into();
        Self { board, reward, points: seat.points(), steps: seat.steps(), done: seat.done() }
    }
}

#[derive(Serialize)]
pub(super) struct Ended {
    #[serde(with = "serde_wasm_bindgen::preserve")]
    boards: Uint8Array,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    actions: Uint8Array,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    rewards: Float32Array,
    points: f32,
}

impl Ended {
    pub(super) fn of(game: &Game, episode: &Memory, points: f32) -> Self {
        let mut board = vec![0.0; game.shape().len()];
        let mut boards = Vec::with_capacity(episode.len() * board.len());
        let (mut actions, mut rewards) = (vec![], vec![]);
        for at in 0..episode.len() {
            episode.board(at, &mut board);
            boards.extend(bytes(&board));
            let (action, reward, _) = episode.step(at);
            actions.push(action as u8);
            rewards.push(reward);
        }
        Self {
            boards: boards.as_slice().into(),
            actions: actions.as_slice().into(),
            rewards: rewards.as_slice().into(),
            points,
        }
    }
}

#[derive(Serialize)]
pub(super) struct MapsOf {
    pub name: String,
    pub shape: [usize; 3],
    #[serde(with = "serde_wasm_bindgen::preserve")]
    pub values: Float32Array,
}

#[derive(Serialize)]
pub(super) struct View {
    #[serde(with = "serde_wasm_bindgen::preserve")]
    pub values: Float32Array,
    pub best: usize,
    pub maps: Vec<MapsOf>,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    pub cam: Float32Array,
    pub exact: Option<Vec<f32>>,
}

#[derive(Serialize)]
pub(super) struct Exact {
    #[serde(with = "serde_wasm_bindgen::preserve")]
    pub exact: Float32Array,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    pub learnt: Float32Array,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    pub met: Uint8Array,
}

/// What some steps came to.
#[derive(Serialize, Default)]
pub(super) struct Stretch {
    played: f64,
    learnt: f64,
    epsilon: f32,
    action: usize,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    points: Float32Array,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    at: Float64Array,
    loss: Option<f64>,
    pub trouble: Option<String>,
    #[serde(skip)]
    ends: Vec<(f32, u64)>,
    #[serde(skip)]
    losses: (f64, usize),
}

impl Stretch {
    pub(super) fn add(&mut self, step: &Step, played: u64) {
        self.action = step.action;
        self.ends.extend(step.points.map(|points| (points, played)));
        if let Some(loss) = step.loss {
            self.losses = (self.losses.0 + loss, self.losses.1 + 1);
        }
    }

    pub(super) fn close(&mut self, learner: &Learner) {
        let (played, learnt) = learner.steps();
        (self.played, self.learnt, self.epsilon) = (played as f64, learnt as f64, learner.epsilon());
        let (points, at): (Vec<f32>, Vec<f64>) = self.ends.iter().map(|(points, at)| (*points, *at as f64)).unzip();
        (self.points, self.at) = (points.as_slice().into(), at.as_slice().into());
        self.loss = (self.losses.1 > 0).then(|| self.losses.0 / self.losses.1 as f64);
    }
}

#[derive(Serialize)]
struct Shot {
    #[serde(with = "serde_wasm_bindgen::preserve")]
    board: Uint8Array,
    action: usize,
    reward: f32,
    end: bool,
    age: usize,
}

#[derive(Serialize)]
pub(super) struct Strip {
    held: usize,
    capacity: usize,
    bytes: usize,
    newest: Vec<Shot>,
    drawn: Vec<Shot>,
}

impl Strip {
    pub(super) fn of(game: &Game, learner: &Learner, most: usize) -> Self {
        let (memory, mut board) = (learner.memory(), vec![0.0; game.shape().len()]);
        let mut shot = |at: usize| {
            memory.board(at, &mut board);
            let (action, reward, end) = memory.step(at);
            Shot { board: bytes(&board).as_slice().into(), action, reward, end, age: memory.len() - 1 - at }
        };
        let newest = (memory.len().saturating_sub(most)..memory.len()).map(&mut shot).collect();
        let drawn = learner.drawn().take(most).map(&mut shot).collect();
        Self { held: memory.len(), capacity: memory.capacity(), bytes: memory.bytes(), newest, drawn }
    }
}

#[derive(Serialize)]
pub(super) struct Kept {
    #[serde(with = "serde_wasm_bindgen::preserve")]
    params: Float32Array,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    first: Float32Array,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    second: Float32Array,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    average: Float32Array,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    target: Float32Array,
    updates: f64,
    played: f64,
    learnt: f64,
}

impl Kept {
    pub(super) fn of(checkpoint: Checkpoint) -> Self {
        let Checkpoint { state, target, steps: (played, learnt) } = checkpoint;
        Self {
            params: state.params.as_slice().into(),
            first: state.memory.first.as_slice().into(),
            second: state.memory.second.as_slice().into(),
            average: state.average.unwrap_or_default().as_slice().into(),
            target: target.as_slice().into(),
            updates: state.memory.steps as f64,
            played: played as f64,
            learnt: learnt as f64,
        }
    }
}
