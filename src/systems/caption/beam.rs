//! Beam search (Vinyals et al. 2015, section 3.1): the best few beginnings of a sentence are kept and gone on with, word by word.

use crate::error::{Error, Result};

/// How sentences are searched.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Search {
    /// Beginnings that are kept; 1 is greedy.
    pub beams: usize,
    /// A sentence's logarithm is divided by its number of words to this power (Wu et al. 2016): 0 prefers short ones, 1 takes
    /// the mean.
    pub length: f64,
    /// What scores are divided by before the softmax: below 1 surer, above less sure.
    pub temperature: f64,
}

impl Search {
    /// The most beams.
    pub const MOST: usize = 32;

    /// So many beams, the mean over words, and probabilities as they are.
    pub const fn new(beams: usize) -> Self {
        Self { beams, length: 1.0, temperature: 1.0 }
    }

    /// Refuses what cannot be searched, by name.
    pub fn check(&self) -> Result<()> {
        if !(1..=Self::MOST).contains(&self.beams) {
            return Err(Error::value("beams", format!("1 to {}", Self::MOST), self.beams));
        }
        if !(0.0..=2.0).contains(&self.length) {
            return Err(Error::value("length normalisation", "a number from 0 to 2", self.length));
        }
        if !(0.01..=100.0).contains(&self.temperature) {
            return Err(Error::value("temperature", "a number from 0.01 to 100", self.temperature));
        }
        Ok(())
    }
}

/// What says how likely each word is next.
pub trait Speaker {
    /// What it remembers of a beginning.
    type Memory: Clone;

    /// For each beginning, behind its last word: what it remembers then, and the score of every word. −∞ is never said.
    fn next(&mut self, beginnings: &[(Self::Memory, usize)]) -> Result<Vec<(Self::Memory, Vec<f64>)>>;
}

/// A word of the tree that a search grows.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The node before it; none of a first word.
    pub before: Option<usize>,
    /// The word.
    pub token: usize,
    /// Its probability behind those before it.
    pub probability: f64,
    /// The logarithm of the probability of all words up to it.
    pub logarithm: f64,
    /// Words up to it, itself counted.
    pub words: usize,
    /// The number of the beginning that it goes on with, among all that the speaker was asked about.
    pub asked: usize,
}

/// What a search has found.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    /// Every word that was among the best of its step, in the order of the steps.
    pub nodes: Vec<Node>,
    /// The last words of the sentences, the best first, each with its figure.
    pub ends: Vec<(usize, f64)>,
}

impl Tree {
    /// The numbers of the nodes from the first word to this one.
    pub fn path(&self, end: usize) -> Vec<usize> {
        let mut path: Vec<usize> = std::iter::successors(Some(end), |&k| self.nodes[k].before).collect();
        path.reverse();
        path
    }
}

/// Searches the best sentences of at most `longest` words, the `end` counted, behind the word `start`. What has not ended by then
/// ends there.
///
/// Errors: those of [`Search::check`] and of the speaker; [`Error::Value`] for scores that are no numbers.
pub fn search<S: Speaker>(
    speaker: &mut S,
    (memory, start): (S::Memory, usize),
    (end, longest): (usize, usize),
    search: &Search,
) -> Result<Tree> {
    search.check()?;
    let mut tree = Tree { nodes: Vec::new(), ends: Vec::new() };
    let figure = |node: &Node| node.logarithm / libm::pow(node.words as f64, search.length);
    let mut open: Vec<(Option<usize>, S::Memory)> = vec![(None, memory)];
    let mut asked = 0;
    for step in 1..=longest {
        let last = |before: Option<usize>| before.map_or(start, |k| tree.nodes[k].token);
        let beginnings: Vec<_> = open.iter().map(|(before, memory)| (memory.clone(), last(*before))).collect();
        let mut ways = Vec::new();
        let mut memories = Vec::new();
        for ((before, _), (memory, scores)) in open.iter().zip(speaker.next(&beginnings)?) {
            let so_far = before.map_or(0.0, |k| tree.nodes[k].logarithm);
            for (token, logarithm) in logarithms(&scores, search.temperature)?.into_iter().enumerate() {
                if logarithm > f64::NEG_INFINITY {
                    let (probability, logarithm) = (libm::exp(logarithm), so_far + logarithm);
                    let node = Node { before: *before, token, probability, logarithm, words: step, asked };
                    ways.push((node, memories.len()));
                }
            }
            memories.push(memory);
            asked += 1;
        }
        // Equal ones keep their order, so that the answer is one.
        ways.sort_by(|a, b| b.0.logarithm.total_cmp(&a.0.logarithm));
        ways.truncate(search.beams);
        open.clear();
        for (node, memory) in ways {
            let ends = node.token == end || step == longest;
            let figure = figure(&node);
            let number = tree.nodes.len();
            tree.nodes.push(node);
            if ends {
                tree.ends.push((number, figure));
            } else {
                open.push((Some(number), memories[memory].clone()));
            }
        }
        if open.is_empty() || tree.ends.len() >= search.beams {
            break;
        }
    }
    tree.ends.sort_by(|a, b| b.1.total_cmp(&a.1));
    Ok(tree)
}

/// The logarithms of the softmax of scores over a temperature.
fn logarithms(scores: &[f64], temperature: f64) -> Result<Vec<f64>> {
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !most.is_finite() || scores.iter().any(|s| s.is_nan()) {
        return Err(Error::value("scores of words", "numbers", most));
    }
    let sum: f64 = scores.iter().map(|s| libm::exp((s - most) / temperature)).sum();
    let log = libm::log(sum);
    Ok(scores.iter().map(|s| (s - most) / temperature - log).collect())
}
