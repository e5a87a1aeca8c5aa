//! The replay memory (Lin 1992; Mnih et al. 2015): what was seen, done and paid, to learn from in any order.
//!
//! A board is cells of 0 and 1, so it is kept as bits: 100,000 boards of Breakout take 5.6 MB. Each is kept once, though it
//! is the end of one step and the beginning of the next.

use crate::rng::Rng;

/// Where a step stands in its episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The next board follows it.
    Within,
    /// The game ended: nothing is paid from here on.
    End,
    /// The episode was cut off: what would have come is not known.
    Cut,
}

/// One step to learn from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transition {
    /// Position of the board before it; see [`Memory::board`].
    pub from: usize,
    /// Position of the board that it led to, if the game went on.
    pub to: Option<usize>,
    /// What was done.
    pub action: usize,
    /// What was paid on the way, each later reward times γ once more.
    pub reward: f32,
    /// What the value of the board behind it counts: γ to the number of steps.
    pub discount: f32,
}

/// The last steps of play, up to a capacity.
#[derive(Debug, Clone)]
pub struct Memory {
    capacity: usize,
    cells: usize,
    words: usize,
    boards: Vec<u64>,
    steps: Vec<(u8, f32, Place)>,
    /// Where the oldest step lies once it is full.
    head: usize,
    /// Steps that were ever added.
    added: u64,
}

impl Memory {
    /// Room for `capacity` steps on boards of `cells` cells. It grows as it fills.
    pub fn new(capacity: usize, cells: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            cells,
            words: cells.div_ceil(64),
            boards: vec![],
            steps: vec![],
            head: 0,
            added: 0,
        }
    }

    /// Adds a step, in the place of the oldest if it is full: the board before it, what was done and paid, whether the game
    /// ended, and whether the episode was cut off.
    pub fn push(&mut self, board: &[f32], action: usize, reward: f32, end: bool, cut: bool) {
        let place = match (end, cut) {
            (true, _) => Place::End,
            (_, true) => Place::Cut,
            _ => Place::Within,
        };
        let bits = board
            .chunks(64)
            .map(|cells| cells.iter().enumerate().fold(0, |word, (i, cell)| word | (u64::from(*cell > 0.5) << i)));
        let step = (action as u8, reward, place);
        self.added += 1;
        if self.steps.len() < self.capacity {
            self.boards.extend(bits);
            self.steps.push(step);
        } else {
            let slot = &mut self.boards[self.head * self.words..][..self.words];
            slot.iter_mut().zip(bits).for_each(|(to, from)| *to = from);
            self.steps[self.head] = step;
            self.head = (self.head + 1) % self.capacity;
        }
    }

    /// The number of the step at position `at`, counted from the first that was ever added.
    pub fn number(&self, at: usize) -> u64 {
        self.added - self.len() as u64 + at as u64
    }

    /// Where the step of that number is; `None` where a newer one has taken its place.
    pub fn position(&self, number: u64) -> Option<usize> {
        let at = number.checked_sub(self.number(0))? as usize;
        (at < self.len()).then_some(at)
    }

    /// Steps in it.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Steps that it has room for.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        self.boards.len() * size_of::<u64>() + self.steps.len() * size_of::<(u8, f32, Place)>()
    }

    /// Writes the board at position `at`, 0 being the oldest.
    pub fn board(&self, at: usize, out: &mut [f32]) {
        let slot = &self.boards[self.slot(at) * self.words..][..self.words];
        for (cells, word) in out[..self.cells].chunks_mut(64).zip(slot) {
            cells.iter_mut().enumerate().for_each(|(i, cell)| *cell = ((word >> i) & 1) as f32);
        }
    }

    /// What was done on that board, what it paid, and whether the game ended with it.
    pub fn step(&self, at: usize) -> (usize, f32, bool) {
        let (action, reward, place) = self.steps[self.slot(at)];
        (usize::from(action), reward, place == Place::End)
    }

    /// The step from position `at`, with the rewards of up to `n` steps in one (Sutton 1988). `None` where it is not
    /// known yet, or never will be, what came then.
    pub fn transition(&self, at: usize, n: usize, gamma: f32) -> Option<Transition> {
        let (mut reward, mut discount) = (0.0, 1.0);
        for k in at..at + n {
            let (_, paid, place) = *self.steps.get(self.slot(k)).filter(|_| k < self.len())?;
            reward += discount * paid;
            discount *= gamma;
            let to = match place {
                Place::Cut => return None,
                Place::End => None,
                Place::Within if k + 1 == at + n => Some(k + 1).filter(|to| *to < self.len()).map(Some)?,
                Place::Within => continue,
            };
            return Some(Transition { from: at, to, action: self.step(at).0, reward, discount });
        }
        None
    }

    /// A step drawn from all alike; `None` if there is none yet.
    pub fn draw(&self, rng: &mut Rng, n: usize, gamma: f32) -> Option<Transition> {
        // Few steps cannot be learnt from, the last and those before a cut: where sixteen draws meet only such, wait.
        (0..16).filter(|_| !self.is_empty()).find_map(|_| self.transition(rng.below(self.len()), n, gamma))
    }

    fn slot(&self, at: usize) -> usize {
        if self.steps.len() < self.capacity { at } else { (self.head + at) % self.capacity }
    }
}
