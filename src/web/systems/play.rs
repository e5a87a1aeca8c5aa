//! The handles of the Play lab: a seat for whoever plays, a player that has learnt, and one that learns.

mod eye;
mod report;

use super::{Outcome, give, take};
use crate::file::safetensors::Precision;
use crate::systems::play::{Catch, Game, Learner, Recorded, Settings, Table, network};
use crate::systems::saved::{self, Saved};
use crate::train::State;
use crate::train::optimiser::Memory;
use crate::web::take::unexpected;
use crate::{Error, Result};
use eye::Eye;
use js_sys::{Float32Array, Uint8Array};
use report::{Ended, Exact, Frame, GameRow, Kept, Stretch, Strip};
use std::cell::RefCell;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("play/types.d.ts");

/// The most steps, episodes and boards in one call.
const MOST: u64 = 1 << 20;
const MOST_EPISODES: u64 = 1000;
const MOST_SHOTS: u64 = 64;

/// Every game, with the settings it is learnt with.
#[wasm_bindgen(unchecked_return_type = "Game[]")]
pub fn games() -> Outcome<JsValue> {
    let rows = crate::systems::play::GAMES.iter().map(GameRow::of).collect::<Result<Vec<_>>>()?;
    give::plain(&rows)
}

fn game(name: &JsValue) -> Result<&'static Game> {
    Game::named(&take::text("game", name)?)
}

fn action(of: &Game, value: &JsValue) -> Result<usize> {
    let action = take::count("action", value)?;
    if action >= of.actions.len() {
        return Err(Error::value("action", format!("below {}", of.actions.len()), action));
    }
    Ok(action)
}

/// A board: a byte for each cell of each plane, 0 or 1.
fn board(of: &Game, value: &JsValue) -> Result<Vec<f32>> {
    let cells: &Uint8Array = value.dyn_ref().ok_or_else(|| unexpected("board", "a Uint8Array", value))?;
    if cells.length() as usize != of.shape().len() {
        return Err(Error::shape("board", format!("{} cells", of.shape()), cells.length()));
    }
    Ok(cells.to_vec().into_iter().map(|cell| f32::from(u8::from(cell != 0))).collect())
}

/// A seat at a game, one episode after another; lives until `free` is called.
#[wasm_bindgen]
pub struct GameSeat(RefCell<Recorded>);

#[wasm_bindgen]
impl GameSeat {
    /// At the beginning of the first episode. The same seed and the same actions give the same episodes. Throws with code
    /// `missing` for a game that there is not.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(unchecked_param_type = "string")] name: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] seed: &JsValue,
    ) -> Outcome<Self> {
        let (game, seed) = (game(name)?, take::count("seed", seed)?);
        Ok(Self(RefCell::new(Recorded::new(game, seed as u64))))
    }

    /// One step. After an end it changes nothing. Throws with code `value` for an action that there is not.
    #[wasm_bindgen(unchecked_return_type = "Frame")]
    pub fn act(&self, #[wasm_bindgen(unchecked_param_type = "number")] index: &JsValue) -> Outcome<JsValue> {
        let action = action(self.0.borrow().seat().game(), index)?;
        let outcome = self.0.borrow_mut().act(action);
        give::plain(&Frame::of(self.0.borrow().seat(), outcome.reward))
    }

    /// Begins the next episode.
    #[wasm_bindgen(unchecked_return_type = "Frame")]
    pub fn reset(&self) -> Outcome<JsValue> {
        self.0.borrow_mut().reset();
        self.frame()
    }

    /// The moment of the game.
    #[wasm_bindgen(unchecked_return_type = "Frame")]
    pub fn frame(&self) -> Outcome<JsValue> {
        give::plain(&Frame::of(self.0.borrow().seat(), 0.0))
    }

    /// The episode that ended last, board by board; `null` before the first has.
    #[wasm_bindgen(unchecked_return_type = "Episode | null")]
    pub fn ended(&self) -> Outcome<JsValue> {
        let own = self.0.borrow();
        give::plain(&own.ended().map(|(episode, points)| Ended::of(own.seat().game(), episode, points)))
    }
}

/// A value network that has learnt a game; lives until `free` is called.
#[wasm_bindgen]
pub struct GamePlayer {
    game: &'static Game,
    eye: RefCell<Eye>,
}

#[wasm_bindgen]
impl GamePlayer {
    /// Opens the network in a safetensors file. Throws with code `format`, `missing` or `value` where it is none, and with code
    /// `shape` where it is for other boards or other actions than the game's.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(unchecked_param_type = "string")] name: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "Uint8Array")] file: &JsValue,
    ) -> Outcome<Self> {
        let (game, Saved { net, params, .. }) = (game(name)?, saved::read(&take::weights(file)?)?);
        let answer = net.node(net.output()).shape;
        if net.input_shape() != game.shape() || answer.len() != game.actions.len() {
            let expected = format!("boards of {} and {} actions", game.shape(), game.actions.len());
            return Err(Error::shape("player", expected, format!("{} and {}", net.input_shape(), answer.len())).into());
        }
        let eye = Eye::new(game, &net, &params, Settings::of(game.name).gamma)?;
        Ok(Self { game, eye: RefCell::new(eye) })
    }

    /// What it makes of a board. Throws with code `shape` for another number of cells.
    #[wasm_bindgen(unchecked_return_type = "BoardView")]
    pub fn look(&self, #[wasm_bindgen(unchecked_param_type = "Uint8Array")] cells: &JsValue) -> Outcome<JsValue> {
        let board = board(self.game, cells)?;
        let view = self.eye.borrow_mut().look(&board)?;
        give::plain(&view)
    }

    /// The value of each action in every moment of Catch, beside the exact one. Throws with code `missing` for other games.
    #[wasm_bindgen(unchecked_return_type = "ExactValues")]
    pub fn exact(&self) -> Outcome<JsValue> {
        give::plain(&exact(self.game, &mut self.eye.borrow_mut(), Settings::of(self.game.name).gamma)?)
    }
}

/// A value network that learns a game by playing it; lives until `free` is called.
#[wasm_bindgen]
pub struct GameLearner(RefCell<Room>);

struct Room {
    game: &'static Game,
    learner: Learner,
    eye: Eye,
}

#[wasm_bindgen]
impl GameLearner {
    /// Begins. Settings are JSON, as `games` gives them; the same settings and seed give the same weights. Throws with code
    /// `missing`, `format` or `value` where it cannot work.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(unchecked_param_type = "string")] name: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "string")] settings: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] seed: &JsValue,
    ) -> Outcome<Self> {
        let (game, seed) = (game(name)?, take::count("seed", seed)?);
        let settings: Settings = serde_json::from_str(&take::long_text("settings", settings)?)
            .map_err(|e| Error::format("settings", "an object of settings", e))?;
        let learner = Learner::new(game, settings, seed as u64)?;
        let net = network(game)?;
        let eye = Eye::new(game, &net, &net.params_from(learner.params())?, settings.gamma)?;
        Ok(Self(RefCell::new(Room { game, learner, eye })))
    }

    /// Up to so many steps of play, and of learning where it is due. Where the values leave all bounds it stops, goes back to the
    /// last good weights, and says so in `trouble`.
    #[wasm_bindgen(unchecked_return_type = "Stretch")]
    pub fn run(&self, #[wasm_bindgen(unchecked_param_type = "number")] steps: &JsValue) -> Outcome<JsValue> {
        let steps = take::whole("steps", steps, MOST)?;
        let learner = &mut self.0.borrow_mut().learner;
        let mut stretch = Stretch::default();
        for _ in 0..steps {
            match learner.step() {
                Ok(step) => stretch.add(&step, learner.steps().0),
                Err(error) => {
                    learner.undo()?;
                    stretch.trouble = Some(error.to_string());
                    break;
                }
            }
        }
        stretch.close(learner);
        give::plain(&stretch)
    }

    /// The moment of the game.
    #[wasm_bindgen(unchecked_return_type = "Frame")]
    pub fn frame(&self) -> Outcome<JsValue> {
        give::plain(&Frame::of(self.0.borrow().learner.seat(), 0.0))
    }

    /// The episode that ended last, board by board; `null` before the first has.
    #[wasm_bindgen(unchecked_return_type = "Episode | null")]
    pub fn ended(&self) -> Outcome<JsValue> {
        let room = self.0.borrow();
        give::plain(&room.learner.ended().map(|(episode, points)| Ended::of(room.game, episode, points)))
    }

    /// What it makes of a board now. Throws with code `shape` for another number of cells.
    #[wasm_bindgen(unchecked_return_type = "BoardView")]
    pub fn look(&self, #[wasm_bindgen(unchecked_param_type = "Uint8Array")] cells: &JsValue) -> Outcome<JsValue> {
        let room = &mut *self.0.borrow_mut();
        let board = board(room.game, cells)?;
        room.renew()?;
        give::plain(&room.eye.look(&board)?)
    }

    /// The value of each action in every moment of Catch, beside the exact one. Throws with code `missing` for other games.
    #[wasm_bindgen(unchecked_return_type = "ExactValues")]
    pub fn exact(&self) -> Outcome<JsValue> {
        let room = &mut *self.0.borrow_mut();
        room.renew()?;
        let gamma = room.learner.settings().gamma;
        give::plain(&exact(room.game, &mut room.eye, gamma)?)
    }

    /// The newest steps in the replay memory, and those that were last learnt from, up to so many of each.
    #[wasm_bindgen(unchecked_return_type = "Strip")]
    pub fn strip(&self, #[wasm_bindgen(unchecked_param_type = "number")] most: &JsValue) -> Outcome<JsValue> {
        let most = take::whole("steps", most, MOST_SHOTS)?;
        let room = self.0.borrow();
        give::plain(&Strip::of(room.game, &room.learner, most as usize))
    }

    /// Part of the actions that is random from now on; `null` for what the settings say. Throws with code `value` outside 0 to 1.
    pub fn explore(&self, #[wasm_bindgen(unchecked_param_type = "number | null")] epsilon: &JsValue) -> Outcome<()> {
        let epsilon = (!epsilon.is_null()).then(|| take::number("epsilon", epsilon)).transpose()?;
        Ok(self.0.borrow_mut().learner.explore(epsilon.map(|epsilon| epsilon as f32))?)
    }

    /// The points of so many episodes by the best actions alone; the game in play is left as it is.
    pub fn returns(
        &self,
        #[wasm_bindgen(unchecked_param_type = "number")] episodes: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] seed: &JsValue,
    ) -> Outcome<Float32Array> {
        let (episodes, seed) = (take::whole("episodes", episodes, MOST_EPISODES)?, take::count("seed", seed)?);
        Ok(self.0.borrow_mut().learner.returns(episodes as usize, seed as u64)?.as_slice().into())
    }

    /// The player as a safetensors file that `GamePlayer` opens.
    pub fn save(&self) -> Outcome<Uint8Array> {
        let room = self.0.borrow();
        let net = network(room.game)?;
        let params = net.params_from(room.learner.params())?;
        let metadata = ["name", "game"].map(|key| (key.to_string(), room.game.name.to_string())).into();
        Ok(saved::write(&Saved { net, params, metadata }, Precision::F32)?.as_slice().into())
    }

    /// All that it goes on with but the replay memory, which fills again.
    #[wasm_bindgen(unchecked_return_type = "PlayCheckpoint")]
    pub fn checkpoint(&self) -> Outcome<JsValue> {
        give::plain(&Kept::of(self.0.borrow().learner.checkpoint()))
    }

    /// Goes on from there. Throws with code `shape` for a checkpoint of another game or optimiser, and it is then as it was.
    pub fn restore(
        &self,
        #[wasm_bindgen(unchecked_param_type = "PlayCheckpoint")] checkpoint: &JsValue,
    ) -> Outcome<()> {
        let floats = |name: &str| take::field(checkpoint, name).and_then(|v| Ok(take::floats(name, &v)?));
        let whole = |name: &str| take::field(checkpoint, name).and_then(|v| Ok(take::whole(name, &v, 1 << 53)?));
        let memory = Memory { first: floats("first")?, second: floats("second")?, steps: whole("updates")? };
        let average = Some(floats("average")?).filter(|average| !average.is_empty());
        let state = State { params: floats("params")?, memory, average };
        let steps = (whole("played")?, whole("learnt")?);
        let checkpoint = crate::systems::play::Checkpoint { state, target: floats("target")?, steps };
        Ok(self.0.borrow_mut().learner.restore(checkpoint)?)
    }
}

impl Room {
    fn renew(&mut self) -> Result<()> {
        let params = network(self.game)?.params_from(self.learner.params())?;
        self.eye.renew(&params)
    }
}

/// Learnt values beside the exact ones, moment by moment.
fn exact(game: &Game, eye: &mut Eye, gamma: f32) -> Result<Exact> {
    if game.name != "catch" {
        return Err(Error::missing("exact values", "the game catch", game.name));
    }
    let (table, mut board) = (Table::exact(gamma), vec![0.0; game.shape().len()]);
    let (mut truth, mut learnt) = (vec![], vec![]);
    for moment in Catch::moments() {
        crate::systems::play::Rules::draw(&moment, &mut board);
        truth.extend(table.values(&moment));
        learnt.extend_from_slice(eye.values(&board)?);
    }
    let met: Vec<u8> = Table::of(&learnt).met().into_iter().map(u8::from).collect();
    Ok(Exact { exact: truth.as_slice().into(), learnt: learnt.as_slice().into(), met: met.as_slice().into() })
}
