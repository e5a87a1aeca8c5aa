//! What a game is: rules without a clock and without chance of their own, a board of cells as the network sees it, and a
//! catalogue of the games there are.

use super::games::{Breakout, Catch, SpaceInvaders};
use crate::error::{Error, Result};
use crate::shape::Shape;

/// What an action led to.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Outcome {
    /// Points of this step.
    pub reward: f32,
    /// Whether the episode is over. A game that is over takes no more actions until [`Rules::reset`].
    pub end: bool,
}

/// The rules of a game, at one moment of an episode. Where an episode starts is drawn by the caller: the same start and
/// the same actions always give the same episode.
pub trait Rules: Send {
    /// Begins an episode from start `start`, below [`Game::starts`].
    fn reset(&mut self, start: usize);

    /// One step with action `action`, an index into [`Game::actions`]; any other index does what action 0 does.
    fn act(&mut self, action: usize) -> Outcome;

    /// Writes the board as planes of 0 and 1, CHW of [`Game::shape`].
    fn draw(&self, board: &mut [f32]);

    /// The same moment once more.
    fn twin(&self) -> Box<dyn Rules>;
}

/// A row of the catalogue.
#[derive(Debug)]
pub struct Game {
    /// What it is called.
    pub name: &'static str,
    /// In a line.
    pub about: &'static str,
    /// What each plane of the board shows.
    pub planes: &'static [&'static str],
    /// Rows and columns of the board.
    pub size: (usize, usize),
    /// What a player can do: `stay`, `left`, `right`, `fire`.
    pub actions: &'static [&'static str],
    /// Places where an episode may start, each as likely.
    pub starts: usize,
    /// With which probability the last action is repeated in place of the chosen one. (Machado et al. 2018.)
    pub sticky: f32,
    /// Steps after which an episode is cut off: a good player's may have no end.
    pub longest: usize,
    /// Mean return of random play, as measured with the original.
    pub random: f32,
    /// Return of the best play, where it is known.
    pub best: Option<f32>,
    /// Mean return at which a player has learnt the game.
    pub goal: f32,
    /// The rules.
    pub rules: fn() -> Box<dyn Rules>,
}

/// Every game.
pub const GAMES: &[Game] = &[
    Game {
        name: "catch",
        about: "a ball falls, a paddle catches it (bsuite, Osband et al. 2020)",
        planes: &["ball and paddle"],
        size: (10, 5),
        actions: &["left", "stay", "right"],
        starts: 5,
        sticky: 0.0,
        longest: 9,
        random: -0.576,
        best: Some(1.0),
        goal: 0.95,
        rules: || Box::new(Catch::default()),
    },
    Game {
        name: "breakout",
        about: "a paddle keeps a ball in play that breaks bricks (MinAtar, Young and Tian 2019)",
        planes: &["paddle", "ball", "trail", "bricks"],
        size: (10, 10),
        actions: &["stay", "left", "right"],
        starts: 2,
        sticky: 0.1,
        longest: 5000,
        random: 0.44,
        best: None,
        goal: 10.0,
        rules: || Box::new(Breakout::default()),
    },
    Game {
        name: "space_invaders",
        about: "a cannon against a block of aliens that shoot back (MinAtar, Young and Tian 2019)",
        planes: &["cannon", "aliens", "aliens going left", "aliens going right", "own bullets", "their bullets"],
        size: (10, 10),
        actions: &["stay", "left", "right", "fire"],
        starts: 1,
        sticky: 0.1,
        longest: 5000,
        random: 3.034,
        best: None,
        goal: 30.0,
        rules: || Box::new(SpaceInvaders::default()),
    },
];

impl Game {
    /// The game of that name. Errors: [`Error::Missing`] with the names there are.
    pub fn named(name: &str) -> Result<&'static Self> {
        GAMES.iter().find(|game| game.name == name).ok_or_else(|| {
            let names: Vec<&str> = GAMES.iter().map(|game| game.name).collect();
            Error::missing("game", format!("one of {}", names.join(", ")), name)
        })
    }

    /// The shape of the board as planes.
    pub fn shape(&self) -> Shape {
        Shape::new(self.planes.len(), self.size.0, self.size.1)
    }
}
