//! NIC: a picture is the first word that a long short-term memory reads, and every word that it writes is the next one that it
//! reads (Vinyals et al. 2015, "Show and Tell", section 3.1). At every word it looks at the cells of the feature map (Xu et al.
//! 2015, "Show, Attend and Tell"), and what it saw goes in with the next word (Luong et al. 2015, input feeding).
//!
//! The papers' networks read photographs through GoogLeNet or VGG; this one reads grey sheets of 128 × 128 pixels through six
//! convolutions, and its cells know where they are (Liu et al. 2018, CoordConv).

use super::blocks::{conv_norm_act, max_pool};
use crate::error::Result;
use crate::nn::layer::Layer;
use crate::nn::layers::act::Activation::Relu;
use crate::nn::layers::affine::Affine;
use crate::nn::layers::attention::Attention;
use crate::nn::layers::batch_norm::BatchNorm;
use crate::nn::layers::concat::Concat;
use crate::nn::layers::embedding::Embedding;
use crate::nn::layers::lstm::Lstm;
use crate::nn::layers::pool::Pool;
use crate::nn::layers::slice::Slice;
use crate::nn::{Conv, Graph, Network, Port, Rows, Wire};
use crate::shape::Shape;

/// Columns and rows of a sheet.
pub const SIDE: usize = 128;
/// Columns and rows of cells.
pub const CELLS: usize = 16;
/// Planes that say where a cell is; see [`places`].
pub const PLANES: usize = 2 + 2 * BUMPS;
/// Numbers in the key of a cell: what a query is held against.
pub const KEY: usize = 32;
/// Numbers in the value of a cell: what it says of itself.
pub const VALUE: usize = 64;
/// Numbers in the state of the memory.
pub const HIDDEN: usize = 96;
/// Numbers in the vector of a word.
const WORD: usize = 32;
const BUMPS: usize = 8;

/// Where every cell is, as `PLANES × CELLS × CELLS` numbers: its column and row from −1 to 1, then, for both, how near it is to
/// each of eight places, as triangles from 0 to 1.
pub fn places() -> Vec<f32> {
    let at = |i: usize| (2 * i + 1) as f32 / CELLS as f32 - 1.0;
    let bump =
        |k: usize, v: f32| (1.0 - (v - (2 * k + 1) as f32 / BUMPS as f32 + 1.0).abs() * BUMPS as f32 / 2.0).max(0.0);
    let plane = |p: usize, y: usize, x: usize| match p {
        0 => at(x),
        1 => at(y),
        p if p < 2 + BUMPS => bump(p - 2, at(x)),
        p => bump(p - 2 - BUMPS, at(y)),
    };
    let cells = move |p: usize| (0..CELLS * CELLS).map(move |i| plane(p, i / CELLS, i % CELLS));
    (0..PLANES).flat_map(cells).collect()
}

/// What a sentence is written from.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// What each cell answers to, `KEY` numbers.
    pub keys: Wire,
    /// What each cell says, `VALUE` numbers.
    pub values: Wire,
}

/// The memory between two words.
#[derive(Debug, Clone, Copy)]
pub struct State {
    /// Hidden state and cell, `HIDDEN` numbers each.
    pub memory: [Wire; 2],
    /// What was seen last, `VALUE` numbers.
    pub context: Wire,
}

/// What a step comes to.
#[derive(Debug, Clone, Copy)]
pub struct Said {
    /// The score of every word to come next.
    pub scores: Wire,
    /// The score of every cell to be looked at, before the softmax.
    pub looks: Wire,
    /// The memory behind it.
    pub state: State,
}

/// Wires the eye behind `image`, `1 × SIDE × SIDE`, and `place`, the planes of [`places`].
pub fn see(g: &mut Graph, image: Wire, place: Wire) -> Result<Seen> {
    let conv =
        |g: &mut Graph, x: Wire, name: &str, conv: Conv| conv_norm_act(g, x, name, conv, BatchNorm::default(), Relu);
    let x = conv(g, image, "conv1", Conv::new(16, 5).stride(2).pad(2))?;
    let x = conv(g, x, "conv2", Conv::new(24, 3).pad(1))?;
    let x = g.add("pool2", max_pool(2, 2), &[x])?;
    let x = conv(g, x, "conv3", Conv::new(48, 3).pad(1))?;
    let x = g.add("pool3", max_pool(2, 2), &[x])?;
    let x = conv(g, x, "conv4", Conv::new(64, 3).pad(1))?;
    let x = conv(g, x, "conv5", Conv::new(64, 3).pad(1))?;
    let x = conv(g, x, "conv6", Conv::new(64, 3).pad(2).dilation(2))?;
    let x = g.add("placed", Concat, &[x, place])?;
    let x = conv(g, x, "mixed", Conv::new(64, 1))?;
    let keys = g.add("keys", Conv::new(KEY, 1), &[x])?;
    let values = g.add("values", Conv::new(VALUE, 1), &[x])?;
    Ok(Seen { keys, values })
}

/// What writes: layers that every step uses again. The first use owns the parameters.
#[derive(Debug, Clone)]
pub struct Writer {
    words: usize,
    owners: Vec<(&'static str, Wire)>,
}

impl Writer {
    /// For a vocabulary of so many words.
    pub const fn new(words: usize) -> Self {
        Self { words, owners: Vec::new() }
    }

    fn wire(
        &mut self,
        g: &mut Graph,
        (name, of): (&'static str, &str),
        layer: impl Layer + 'static,
        inputs: &[Wire],
    ) -> Result<Wire> {
        if let Some((_, owner)) = self.owners.iter().find(|(other, _)| *other == name) {
            return g.share(&format!("{name} {of}"), *owner, inputs);
        }
        let wire = g.add(name, layer, inputs)?;
        self.owners.push((name, wire));
        Ok(wire)
    }

    /// The vectors of a sequence of words, `1 × steps × 1`. `of` names the sequence, apart from others.
    pub fn embed(&mut self, g: &mut Graph, of: &str, tokens: Wire) -> Result<Wire> {
        self.wire(g, ("embedding", of), Embedding { tokens: self.words, out: WORD }, &[tokens])
    }

    /// The memory before the first word: the picture as a whole, read like a word.
    pub fn begin(&mut self, g: &mut Graph, seen: Seen) -> Result<State> {
        let context = g.add("whole", Pool::GlobalAverage, &[seen.values])?;
        let word = g.add("picture", Affine::new(WORD), &[context])?;
        let x = g.add("first", Concat, &[word, context])?;
        let y = self.wire(g, ("lstm", "first"), Lstm { hidden: HIDDEN, cells: true }, &[x])?;
        Ok(State { memory: parted(g, "first", y)?, context })
    }

    /// One step, behind a word's vector. `of` names the step, apart from others.
    pub fn step(&mut self, g: &mut Graph, of: &str, word: Wire, seen: Seen, state: State) -> Result<Said> {
        let x = g.add(&format!("read {of}"), Concat, &[word, state.context])?;
        let [hidden, cell] = state.memory;
        let y = self.wire(g, ("lstm", of), Lstm { hidden: HIDDEN, cells: true }, &[x, hidden, cell])?;
        let memory = parted(g, of, y)?;
        let query = self.wire(g, ("query", of), Affine::new(KEY), &[memory[0]])?;
        let looked = g.add(&format!("look {of}"), Attention { scores: true }, &[query, seen.keys, seen.values])?;
        let context = g.add(&format!("context {of}"), Slice::channels(0..VALUE), &[looked])?;
        let looks = g.add(&format!("looks {of}"), Slice::channels(VALUE..VALUE + CELLS * CELLS), &[looked])?;
        let x = g.add(&format!("both {of}"), Concat, &[memory[0], context])?;
        let x = self.wire(g, ("deep", of), Affine::new(HIDDEN), &[x])?;
        let x = g.add(&format!("deep relu {of}"), Relu, &[x])?;
        let scores = self.wire(g, ("scores", of), Affine::new(self.words), &[x])?;
        Ok(Said { scores, looks, state: State { memory, context } })
    }
}

/// Hidden state and cell out of the output of the memory.
fn parted(g: &mut Graph, of: &str, y: Wire) -> Result<[Wire; 2]> {
    let hidden = g.add(&format!("hidden {of}"), Slice::channels(0..HIDDEN), &[y])?;
    Ok([hidden, g.add(&format!("cell {of}"), Slice::channels(HIDDEN..2 * HIDDEN), &[y])?])
}

/// The inputs of the eye: `image` and `place`.
pub fn inputs(g: &mut Graph) -> Result<[Wire; 2]> {
    let image = g.input("image", Shape::new(1, SIDE, SIDE))?;
    Ok([image, g.port("place", Shape::new(PLANES, CELLS, CELLS), Port::Image, Rows::IMAGES)?])
}

/// The half that looks: from `image` and `place` to the outputs `keys`, `values`, `hidden`, `cell` and `context`, which
/// [`writing`] begins with.
pub fn seeing(words: usize) -> Result<Network> {
    let mut g = Graph::new();
    let [image, place] = inputs(&mut g)?;
    let seen = see(&mut g, image, place)?;
    let State { memory: [hidden, cell], context } = Writer::new(words).begin(&mut g, seen)?;
    for (name, wire) in
        [("keys", seen.keys), ("values", seen.values), ("hidden", hidden), ("cell", cell), ("context", context)]
    {
        g.output(name, wire)?;
    }
    Ok(g.finish(context))
}

/// The half that writes, one word at a time: from `keys`, `values`, `hidden`, `cell`, `context` and the last `word` to the
/// scores of the next, and the outputs `looks`, `hidden`, `cell` and `context`.
pub fn writing(words: usize) -> Result<Network> {
    let mut g = Graph::new();
    let keys = g.input("keys", Shape::new(KEY, CELLS, CELLS))?;
    let mut port = |name: &str, shape: Shape| g.port(name, shape, Port::Image, Rows::IMAGES);
    let values = port("values", Shape::new(VALUE, CELLS, CELLS))?;
    let memory = [port("hidden", Shape::new(HIDDEN, 1, 1))?, port("cell", Shape::new(HIDDEN, 1, 1))?];
    let context = port("context", Shape::new(VALUE, 1, 1))?;
    let word = g.port("word", Shape::new(1, 1, 1), Port::Indices(words), Rows::IMAGES)?;
    let mut writer = Writer::new(words);
    let word = writer.embed(&mut g, "next", word)?;
    let said = writer.step(&mut g, "next", word, Seen { keys, values }, State { memory, context })?;
    let [hidden, cell] = said.state.memory;
    for (name, wire) in [("looks", said.looks), ("hidden", hidden), ("cell", cell), ("context", said.state.context)] {
        g.output(name, wire)?;
    }
    Ok(g.finish(said.scores))
}
