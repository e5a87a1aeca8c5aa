//! Captions: a sentence about a sheet of one to four digits, in English or Japanese, word by word.
//!
//! [`grammar`] says what is true of a scene, [`sample`] which scenes there are, [`crate::zoo::nic`] what the network is,
//! [`training`] how it learns; [`Captioner`] writes, by [`beam`] search; [`score`] judges.

pub mod beam;
pub mod bleu;
pub mod grammar;
pub mod sample;
pub mod score;
pub mod training;

pub use beam::{Search, Tree};
pub use bleu::Bleu;
pub use grammar::Language;
pub use score::{Score, judge};
pub use training::{Plan, Training};

use crate::data::pictures::Rgb;
use crate::error::{Error, Result};
use crate::file::safetensors::Weights;
use crate::kernel::{Level, softmax};
use crate::nn::params::View;
use crate::nn::{Feed, Mode, Network, Params, Run, Want, fold};
use crate::zoo::nic;
use beam::Speaker;
use grammar::{END, WORDS};

/// A word of a sentence.
#[derive(Debug, Clone, PartialEq)]
pub struct Word {
    /// Its number in [`WORDS`].
    pub token: usize,
    /// As it is written.
    pub text: &'static str,
    /// Its probability behind those before it.
    pub probability: f64,
    /// How much each cell was looked at for it, row after row; they sum to 1.
    pub looks: Vec<f32>,
}

/// A sentence, without its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Sentence {
    /// Its words.
    pub words: Vec<Word>,
    /// As people write it.
    pub text: String,
    /// The probability of all its words and its end.
    pub probability: f64,
    /// What it is ranked by: the logarithm of its probability, normalised by length.
    pub figure: f64,
}

impl Sentence {
    /// The numbers of its words.
    pub fn tokens(&self) -> Vec<usize> {
        self.words.iter().map(|word| word.token).collect()
    }
}

/// What was written about a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Caption {
    /// The sentences that were found, the best first; there is at least one.
    pub sentences: Vec<Sentence>,
    /// The beams as a tree.
    pub tree: Tree,
}

impl Caption {
    /// The best sentence.
    pub fn best(&self) -> &Sentence {
        &self.sentences[0]
    }
}

/// One half of the network at work.
struct Half {
    net: Network,
    params: Params,
    run: Run,
}

impl Half {
    fn new(net: &Network, params: &Params, batch: usize) -> Result<Self> {
        let (net, params) = fold::for_inference(net, params)?;
        let run = Run::new(&net, batch, &Want::outputs());
        Ok(Self { net, params, run })
    }

    /// The numbers of a named output of row `i`, as CHW.
    fn read(&self, name: &str, i: usize) -> Result<Vec<f32>> {
        let found = self.net.outputs().iter().find(|(other, _)| other == name);
        let wire = found.ok_or_else(|| Error::missing("output", "one of the network's", name))?.1;
        let mut values = vec![0.0; self.net.node(wire).shape.len()];
        self.run.read(wire, i, &mut values)?;
        Ok(values)
    }
}

/// A network that writes sentences about pictures.
pub struct Captioner {
    seeing: Half,
    writing: Half,
    place: Vec<f32>,
    parameters: usize,
}

impl Captioner {
    /// From a file's parameters, by the names of [`nic`], and what it says of itself.
    ///
    /// Errors: [`Error::Value`] for a file of another vocabulary, [`Error::Missing`] and [`Error::Shape`] for parameters of
    /// another network.
    pub fn new(weights: &Weights) -> Result<Self> {
        weights.agree("vocabulary", &WORDS.join(" "))?;
        let find = |view: &View| {
            let found = weights.tensors.iter().find(|(name, _)| *name == view.name);
            found.map(|(_, tensor)| tensor).ok_or_else(|| Error::missing("weights of a captioner", &view.name, "none"))
        };
        let half = |net: &Network, batch: usize| {
            let mut params = net.zeros();
            net.views().iter().try_for_each(|view| params.set(&view.name, find(view)?))?;
            Half::new(net, &params, batch)
        };
        let counted = weights.tensors.iter().filter(|(name, _)| !name.contains("running_"));
        Ok(Self {
            seeing: half(&nic::seeing(WORDS.len())?, 1)?,
            writing: half(&nic::writing(WORDS.len())?, Search::MOST)?,
            place: nic::places(),
            parameters: counted.map(|(_, tensor)| tensor.len()).sum(),
        })
    }

    /// Both networks, lean for inference: the one that sees and the one that writes.
    pub fn networks(&self) -> [&Network; 2] {
        [&self.seeing.net, &self.writing.net]
    }

    /// Parameters, running statistics not counted.
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// Columns and rows of cells that are looked at.
    pub const fn cells(&self) -> usize {
        nic::CELLS
    }

    /// Writes a sentence about a picture of any size.
    ///
    /// Errors: [`Error::Shape`] for a picture without pixels, [`Error::Value`] for numbers that are not finite and for a search
    /// that cannot be; see [`Search::check`].
    pub fn caption(&mut self, picture: &Rgb, language: Language, search: &Search) -> Result<Caption> {
        search.check()?;
        let memory = self.look(picture)?;
        let keys = self.seeing.read("keys", 0)?;
        let values = self.seeing.read("values", 0)?;
        let mut pen = Pen {
            writing: &mut self.writing,
            language,
            keys: keys.repeat(search.beams),
            values: values.repeat(search.beams),
            looks: Vec::new(),
        };
        let tree = beam::search(&mut pen, (memory, language.start()), (END, language.longest()), search)?;
        let looks = pen.looks;
        let sentences = tree.ends.iter().map(|&(end, figure)| {
            let path = tree.path(end);
            let mut words: Vec<Word> = path.iter().map(|&k| word(&tree, &looks, k)).collect();
            if words.last().is_some_and(|word| word.token == END) {
                words.pop();
            }
            let tokens: Vec<usize> = words.iter().map(|word| word.token).collect();
            Sentence { words, text: language.text(&tokens), probability: libm::exp(tree.nodes[end].logarithm), figure }
        });
        Ok(Caption { sentences: sentences.collect(), tree: tree.clone() })
    }

    /// What the picture leaves in the memory.
    fn look(&mut self, picture: &Rgb) -> Result<Memory> {
        if picture.h == 0 || picture.w == 0 || picture.pixels.len() != 3 * picture.h * picture.w {
            return Err(Error::shape("picture", "at least one pixel of three colours", picture.pixels.len()));
        }
        if !picture.pixels.iter().all(|v| v.is_finite()) {
            return Err(Error::value("picture", "finite numbers", "others"));
        }
        let image = sample::grey(&picture.resized(nic::SIDE, nic::SIDE));
        let image: Vec<f32> = sample::inked(&image).collect();
        let feeds = [Feed::new("image", &image), Feed::new("place", &self.place)];
        let Half { run, params, .. } = &mut self.seeing;
        run.forward_feeds(params, &feeds, Mode::Infer)?;
        let of = |name: &str| self.seeing.read(name, 0);
        STATE.into_iter().map(of).collect()
    }
}

/// What is remembered between two words, by name.
const STATE: [&str; 3] = ["hidden", "cell", "context"];
type Memory = Vec<Vec<f32>>;

/// The writing half, at one picture.
struct Pen<'a> {
    writing: &'a mut Half,
    language: Language,
    /// Of the picture, as often as there are beams.
    keys: Vec<f32>,
    values: Vec<f32>,
    /// Where it looked for the word behind each beginning that it was asked about.
    looks: Vec<Vec<f32>>,
}

impl Speaker for Pen<'_> {
    type Memory = Memory;

    fn next(&mut self, beginnings: &[(Memory, usize)]) -> Result<Vec<(Memory, Vec<f64>)>> {
        let n = beginnings.len();
        let words: Vec<f32> = beginnings.iter().map(|(_, token)| *token as f32).collect();
        let state: Vec<Vec<f32>> = (0..STATE.len())
            .map(|k| beginnings.iter().flat_map(|(memory, _)| memory[k].iter().copied()).collect())
            .collect();
        let cells = nic::CELLS * nic::CELLS;
        let mut feeds = vec![
            Feed::new("keys", &self.keys[..n * nic::KEY * cells]),
            Feed::new("values", &self.values[..n * nic::VALUE * cells]),
            Feed::new("word", &words),
        ];
        feeds.extend(STATE.iter().zip(&state).map(|(name, values)| Feed::new(name, values)));
        let Half { run, params, .. } = &mut *self.writing;
        run.forward_feeds(params, &feeds, Mode::Infer)?;
        let mut answers = Vec::with_capacity(n);
        for (i, scores) in run.output().to_vec().chunks_exact(WORDS.len()).enumerate() {
            let mut looks = self.writing.read("looks", i)?;
            softmax::softmax(Level::new(), &mut looks, cells);
            self.looks.push(looks);
            let own = |token| if self.language.speaks(token) { f64::from(scores[token]) } else { f64::NEG_INFINITY };
            let memory = STATE.into_iter().map(|name| self.writing.read(name, i)).collect::<Result<_>>()?;
            answers.push((memory, (0..WORDS.len()).map(own).collect()));
        }
        Ok(answers)
    }
}

/// The word at a node.
fn word(tree: &Tree, looks: &[Vec<f32>], k: usize) -> Word {
    let node = &tree.nodes[k];
    Word { token: node.token, text: WORDS[node.token], probability: node.probability, looks: looks[node.asked].clone() }
}
