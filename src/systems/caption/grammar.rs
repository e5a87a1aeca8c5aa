//! How a scene is put into words: one sentence in each language, decided by the scene graph ([`crate::data::scenes::graph`]).
//!
//! A sentence goes from digit to digit, each with its size and with how it lies to the next: from left to right in English,
//! `a large 3 left of a small 7 above a 5`, and from right to left in Japanese, which names first what is looked from:
//! 「5の上に小さな7、その左に大きな3があります」. A digit of medium size has no word for it.

use crate::data::scenes::graph::{Graph, Predicate, Size};
use crate::data::scenes::{Object, Scene};
use crate::error::{Error, Result};

/// A language that sentences are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Japanese.
    Japanese,
}

/// Every word, whose number is its place: the end, what begins a sentence in each language, the digits, English, Japanese.
pub const WORDS: [&str; 32] = [
    "",
    "<en>",
    "<ja>",
    "0",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
    "8",
    "9",
    "a",
    "an",
    "large",
    "small",
    "left",
    "of",
    "above",
    "below",
    "大きな",
    "小さな",
    "の",
    "左",
    "上",
    "下",
    "に",
    "、",
    "その",
    "が",
    "あります",
];
/// The number of the end.
pub const END: usize = 0;
/// Where the digits, the English and the Japanese words begin.
const FIRST: [usize; 3] = [3, 13, 21];
/// The most words of a sentence about this many digits in each language, the end counted.
pub const LONGEST: [usize; 2] = [19, 22];
/// The most digits that a sentence tells of.
pub const DIGITS: usize = 4;

/// How clear a scene must be to be told of: no word may hang on less.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clear {
    /// A height lies at least this part of it away from where its word changes.
    pub size: f32,
    /// Middles lie at least this many pixels apart from left to right.
    pub order: f32,
    /// The distances between neighbours along and across differ by at least this many pixels.
    pub relation: f32,
}

impl Clear {
    /// Of scenes to be judged by: what any two people would say.
    pub const JUDGED: Self = Self { size: 0.08, order: 6.0, relation: 8.0 };
    /// Of scenes to learn from, which come nearer to where words change.
    pub const LEARNT: Self = Self { size: 0.05, order: 4.0, relation: 5.0 };

    /// Whether every word about a scene is decided by more.
    pub fn holds(&self, scene: &Scene) -> bool {
        let (objects, side) = (&scene.objects, scene.picture.w as f32);
        let sized = |object: &Object| {
            let height = object.bbox[3] - object.bbox[1];
            [side / 6.0, side / 3.0].iter().all(|edge| (height - edge).abs() > self.size * edge)
        };
        let Ok(order) = from_left(objects) else { return false };
        let apart = |pair: &[usize]| {
            let (a, b) = (middle(&objects[pair[0]]), middle(&objects[pair[1]]));
            let [dx, dy] = [0, 1].map(|k| (a[k] - b[k]).abs());
            dx >= self.order && (dx - dy).abs() >= self.relation
        };
        objects.iter().all(sized) && order.windows(2).all(apart)
    }
}

/// A word of a sentence and what it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// Its number in [`WORDS`].
    pub token: usize,
    /// The digit to be looked at, by its number in the scene, if any.
    pub about: Option<usize>,
}

impl Language {
    /// Both.
    pub const ALL: [Self; 2] = [Self::English, Self::Japanese];

    /// `en` or `ja`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Japanese => "ja",
        }
    }

    /// The language of that name. Errors: [`Error::Missing`] with the names there are.
    pub fn named(name: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|language| language.name() == name)
            .ok_or_else(|| Error::missing("language", "en or ja", name))
    }

    /// What begins a sentence in it.
    pub const fn start(self) -> usize {
        match self {
            Self::English => 1,
            Self::Japanese => 2,
        }
    }

    /// The most words of its sentences, the end counted.
    pub const fn longest(self) -> usize {
        LONGEST[self.start() - 1]
    }

    /// Whether a sentence in it may hold this word; all may end.
    pub const fn speaks(self, token: usize) -> bool {
        let own = match self {
            Self::English => FIRST[1] <= token && token < FIRST[2],
            Self::Japanese => FIRST[2] <= token && token < WORDS.len(),
        };
        token == END || (FIRST[0] <= token && token < FIRST[1]) || own
    }

    /// Words as people write them: with spaces between them in English, without in Japanese.
    pub fn text(self, tokens: &[usize]) -> String {
        let words: Vec<&str> = tokens.iter().map(|&token| WORDS[token]).collect();
        words.join(if self == Self::English { " " } else { "" })
    }

    /// The sentence that tells of a scene, without its end.
    ///
    /// Errors: [`Error::Value`] for a scene of no digit or of more than [`DIGITS`], or with two at one place.
    pub fn sentence(self, scene: &Scene) -> Result<Vec<Word>> {
        let graph = Graph::of(scene);
        let order = from_left(&scene.objects)?;
        let mut sentence = Sentence { words: Vec::new(), graph: &graph };
        match self {
            Self::English => {
                sentence.english(order[0]);
                for pair in order.windows(2) {
                    sentence.say(relation(&graph, pair[0], pair[1])?, pair[1]);
                    sentence.english(pair[1]);
                }
            }
            Self::Japanese => {
                let order: Vec<usize> = order.into_iter().rev().collect();
                sentence.japanese(order[0]);
                for (k, pair) in order.windows(2).enumerate() {
                    let place = match relation(&graph, pair[1], pair[0])? {
                        ["left", ..] => "左",
                        ["above"] => "上",
                        _ => "下",
                    };
                    let before: &[&str] = if k == 0 { &[] } else { &["、", "その"] };
                    let behind: &[&str] = if k == 0 { &["の", place, "に"] } else { &[place, "に"] };
                    sentence.say(before, pair[1]);
                    sentence.say(behind, pair[1]);
                    sentence.japanese(pair[1]);
                }
                sentence.words.extend(["が", "あります"].map(|word| Word { token: token(word), about: None }));
            }
        }
        Ok(sentence.words)
    }
}

struct Sentence<'a> {
    words: Vec<Word>,
    graph: &'a Graph,
}

impl Sentence<'_> {
    fn say(&mut self, words: &[&str], about: usize) {
        self.words.extend(words.iter().map(|word| Word { token: token(word), about: Some(about) }));
    }

    fn english(&mut self, i: usize) {
        let node = self.graph.nodes[i];
        let size: &[&str] = match node.size {
            Size::Small => &["a", "small"],
            Size::Large => &["a", "large"],
            Size::Medium if node.digit == 8 => &["an"],
            Size::Medium => &["a"],
        };
        self.say(size, i);
        self.digit(i);
    }

    fn japanese(&mut self, i: usize) {
        match self.graph.nodes[i].size {
            Size::Small => self.say(&["小さな"], i),
            Size::Large => self.say(&["大きな"], i),
            Size::Medium => {}
        }
        self.digit(i);
    }

    fn digit(&mut self, i: usize) {
        let token = FIRST[0] + usize::from(self.graph.nodes[i].digit);
        self.words.push(Word { token, about: Some(i) });
    }
}

/// The number of a word that there is.
fn token(word: &str) -> usize {
    WORDS.iter().position(|other| *other == word).expect("a word of the vocabulary")
}

/// How the digit on the left lies to its neighbour on the right.
fn relation(graph: &Graph, left: usize, right: usize) -> Result<&'static [&'static str]> {
    let held = graph.relations.iter().filter(|held| (held.subject, held.object) == (left, right));
    let word = |predicate| match predicate {
        Predicate::LeftOf => Some(&["left", "of"][..]),
        Predicate::Above => Some(&["above"][..]),
        Predicate::Below => Some(&["below"][..]),
        _ => None,
    };
    held.filter_map(|held| word(held.predicate))
        .next()
        .ok_or_else(|| Error::value("scene", "digits at places of their own", "two at one place"))
}

fn middle(object: &Object) -> [f32; 2] {
    let [x0, y0, x1, y1] = object.bbox;
    [0.5 * (x0 + x1), 0.5 * (y0 + y1)]
}

/// The numbers of the digits from left to right.
fn from_left(objects: &[Object]) -> Result<Vec<usize>> {
    if !(1..=DIGITS).contains(&objects.len()) {
        return Err(Error::value("digits in a scene", format!("1 to {DIGITS}"), objects.len()));
    }
    let mut order: Vec<usize> = (0..objects.len()).collect();
    order.sort_by(|&a, &b| middle(&objects[a])[0].total_cmp(&middle(&objects[b])[0]));
    Ok(order)
}
