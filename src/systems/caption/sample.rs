//! What captions are learnt from: clear scenes of one to four digits, drawn anew all the time. Some pairs of a digit and a place
//! are never among them, to be asked for afterwards.

use super::grammar::{Clear, DIGITS, Language, Word};
use crate::data::pictures::Rgb;
use crate::data::scenes::graph::{Graph, Third};
use crate::data::scenes::{Digits, Paper, Part, Scene, Setup};
use crate::error::Result;
use crate::train::Ring;
use crate::zoo::nic;

/// Which scenes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Without the pairs that are held out: what is learnt from, and judged by.
    Known,
    /// With at least one of them.
    HeldOut,
}

/// The place of the digit `0..10` that is held out with it: a ninth of the sheet, row after row from the top left.
pub const HELD_OUT: [usize; 10] = [2, 6, 1, 5, 0, 4, 8, 3, 7, 2];

/// The scenes that are told of: digits of 16 to 56 pixels that share next to nothing, turned up to 15°, on paper without
/// scribbles.
pub fn setup(digits: usize) -> Setup {
    Setup {
        count: [digits, digits],
        heights: [16.0, 56.0],
        overlap: 0.05,
        rotate: 15.0,
        papers: vec![Paper::Plain, Paper::Ruled, Paper::Gradient, Paper::Noise],
        ..Setup::full()
    }
}

/// Seeds that one scene may try.
const TRIES: u64 = 256;

/// Scene `i` of a part: the first clear one of its kind among its own seeds. Scenes of one, two, three and four digits follow
/// one another.
pub fn scene(part: Part, kind: Kind, i: u64) -> Result<Scene> {
    let count = 1 + (i % DIGITS as u64) as usize;
    let (setup, digits) = (setup(count), Digits::made());
    let clear = if part == Part::Train { Clear::LEARNT } else { Clear::JUDGED };
    let mut k = 0;
    loop {
        // Seeds go on behind the last try of this scene's own only if none of them serves, which is next to never.
        let scene = Scene::draw(&setup, &digits, part.seed(i * TRIES + k))?;
        if scene.objects.len() == count && clear.holds(&scene) && held_out(&scene) == (kind == Kind::HeldOut) {
            return Ok(scene);
        }
        k += 1;
    }
}

/// Whether a scene has a pair that is held out.
pub fn held_out(scene: &Scene) -> bool {
    let third = |third| match third {
        Third::First => 0,
        Third::Middle => 1,
        Third::Last => 2,
    };
    let place = |[x, y]: [Third; 2]| 3 * third(y) + third(x);
    Graph::of(scene).nodes.iter().any(|node| HELD_OUT[usize::from(node.digit)] == place(node.place))
}

/// A digit as the eye is taught it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mark {
    /// Which digit.
    pub digit: u8,
    /// The number of its cell, row after row.
    pub cell: usize,
    /// Column and row of its middle from −1 to 1, and the logarithm of its height over a third of the sheet.
    pub place: [f32; 3],
}

/// What the eye is taught of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// No digit's box reaches into it.
    Paper,
    /// Nothing: a box reaches into it, but hardly any ink.
    Unasked,
    /// The digit of this number.
    Digit(usize),
}

/// Pixels of a cell's 64 that make it a digit's.
const INKED: usize = 6;

/// What every cell of a scene is, row after row.
fn cells(scene: &Scene, marks: &[Mark]) -> Vec<Cell> {
    let (w, cell) = (scene.picture.w, scene.picture.w / nic::CELLS);
    let mut counts = vec![[0_usize; DIGITS]; nic::CELLS * nic::CELLS];
    let of = |x: usize, y: usize| (y / cell).min(nic::CELLS - 1) * nic::CELLS + (x / cell).min(nic::CELLS - 1);
    for (i, digit) in scene.instances().into_iter().enumerate() {
        if let Some(digit) = digit {
            counts[of(i % w, i / w)][usize::from(digit)] += 1;
        }
    }
    let mut cells = vec![Cell::Paper; counts.len()];
    for object in &scene.objects {
        let [x, y, w, h] = object.frame();
        (y..y + h).for_each(|y| (x..x + w).for_each(|x| cells[of(x, y)] = Cell::Unasked));
    }
    for (cell, counts) in cells.iter_mut().zip(&counts) {
        if let Some((digit, _)) = counts.iter().enumerate().filter(|(_, n)| **n >= INKED).max_by_key(|(_, n)| **n) {
            *cell = Cell::Digit(digit);
        }
    }
    marks.iter().enumerate().for_each(|(i, mark)| cells[mark.cell] = Cell::Digit(i));
    cells
}

/// A picture in bytes, its digits, and what is said of it in each language.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Grey, row after row.
    pub picture: Vec<u8>,
    /// Its digits, in the scene's order.
    pub marks: Vec<Mark>,
    /// What its cells are, row after row.
    pub cells: Vec<Cell>,
    /// Sentences, in the order of [`Language::ALL`].
    pub sentences: [Vec<Word>; 2],
}

impl Sample {
    /// Of a scene. Errors: those of [`Language::sentence`].
    pub fn of(scene: &Scene) -> Result<Self> {
        let side = scene.picture.w as f32;
        let mark = |object: &crate::data::scenes::Object| {
            let [x0, y0, x1, y1] = object.bbox;
            let [x, y] = [0.5 * (x0 + x1) / side, 0.5 * (y0 + y1) / side];
            let [column, row] = [x, y].map(|v| ((v * nic::CELLS as f32) as usize).min(nic::CELLS - 1));
            let place = [2.0 * x - 1.0, 2.0 * y - 1.0, libm::logf(3.0 * (y1 - y0) / side)];
            Mark { digit: object.digit, cell: row * nic::CELLS + column, place }
        };
        let marks: Vec<Mark> = scene.objects.iter().map(mark).collect();
        Ok(Self {
            picture: grey(&scene.picture),
            cells: cells(scene, &marks),
            marks,
            sentences: [Language::English.sentence(scene)?, Language::Japanese.sentence(scene)?],
        })
    }

    /// The picture as the network reads it.
    pub fn image(&self) -> impl Iterator<Item = f32> {
        inked(&self.picture)
    }
}

/// The grey levels of a picture (luma of ITU-R BT.601), in bytes.
pub(super) fn grey(picture: &Rgb) -> Vec<u8> {
    let n = picture.h * picture.w;
    let luma = |i: usize| 0.299 * picture.pixels[i] + 0.587 * picture.pixels[n + i] + 0.114 * picture.pixels[2 * n + i];
    (0..n).map(|i| (luma(i).clamp(0.0, 1.0) * 255.0 + 0.5) as u8).collect()
}

/// Part of the pixels that is taken for the least ink that there may be: one small digit's.
const INK: f32 = 0.002;
/// The least difference between paper and ink, in bytes: what differs less is grain.
const FAINT: f32 = 20.0;
/// What ink is to the network; paper is 0.
const FULL: f32 = 2.0;

/// Grey levels as the network reads them: the paper, which most pixels are, is 0, and ink is positive, whether it is darker or
/// lighter. So the network need not learn that neither matters.
pub(super) fn inked(grey: &[u8]) -> impl Iterator<Item = f32> {
    let mut counts = [0_usize; 256];
    grey.iter().for_each(|&level| counts[usize::from(level)] += 1);
    let level = |part: f32| {
        let mut left = (part * grey.len() as f32) as usize;
        let below = counts.iter().position(|&count| {
            let here = left < count;
            left -= if here { 0 } else { count };
            here
        });
        below.unwrap_or(255) as f32
    };
    let (darkest, paper, lightest) = (level(INK), level(0.5), level(1.0 - INK));
    let (dark, light) = (paper - darkest, lightest - paper);
    let scale = FULL / dark.max(light).max(FAINT) * if dark > light { -1.0 } else { 1.0 };
    grey.iter().map(move |&level| scale * (f32::from(level) - paper))
}

/// Samples to learn from: a ring, in which every step puts a few new ones in the places of the oldest, since drawing one takes
/// about as long as learning from it.
pub struct Pool {
    seed: u64,
    ring: Ring<Sample>,
}

impl Pool {
    /// The newest `size` of the `drawn` samples that a training has drawn, at least so many. Which they are follows from the seed.
    pub fn new(seed: u64, size: usize, drawn: u64) -> Result<Self> {
        Ok(Self { seed, ring: Ring::new(size, drawn, |i| one(seed, i))? })
    }

    /// Draws `n` new samples.
    pub fn renew(&mut self, n: usize) -> Result<()> {
        let seed = self.seed;
        self.ring.renew(n, |i| one(seed, i))
    }

    /// The samples there are now.
    pub fn samples(&self) -> &[Sample] {
        self.ring.samples()
    }
}

/// Sample `i` of a training: those of other seeds see other samples.
fn one(seed: u64, i: u64) -> Result<Sample> {
    Sample::of(&scene(Part::Train, Kind::Known, (seed % 16) * 200_000 + i)?)
}
