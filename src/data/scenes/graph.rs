//! The scene graph: what a person would say of the digits of a scene and of how they lie to each other. Johnson et al. 2015.
//!
//! Captions are checked against it, so every word is decided by numbers that are written here.

use super::{Box4, Object, Scene};
use serde::Serialize;

/// How large a digit is beside the sheet: up to a sixth, up to a third of it, or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Size {
    /// Height up to a sixth of the sheet.
    Small,
    /// Up to a third.
    Medium,
    /// More.
    Large,
}

/// Which third of the sheet a digit's middle lies in, along one axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Third {
    /// Left or top.
    First,
    /// The middle.
    Middle,
    /// Right or bottom.
    Last,
}

/// How one digit lies to another. Between two digits at most one of the first four holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Predicate {
    /// Its middle lies to the left, farther than up or down.
    LeftOf,
    /// To the right.
    RightOf,
    /// Higher, farther than left or right.
    Above,
    /// Lower.
    Below,
    /// Their boxes share pixels, and it lies over the other.
    Over,
    /// It is at least a quarter higher.
    LargerThan,
}

/// A digit as words have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Node {
    /// Which digit.
    pub digit: u8,
    /// How large.
    pub size: Size,
    /// Which third from the left and from the top.
    pub place: [Third; 2],
}

/// `subject` is so to `object`; both are numbers of the scene's objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Relation {
    /// Who.
    pub subject: usize,
    /// How.
    pub predicate: Predicate,
    /// To whom.
    pub object: usize,
}

/// A scene in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Graph {
    /// One for each object, in the scene's order.
    pub nodes: Vec<Node>,
    /// Every relation that holds between two of them.
    pub relations: Vec<Relation>,
}

/// What counts as larger.
const LARGER: f32 = 1.25;

impl Graph {
    /// The graph of a scene.
    pub fn of(scene: &Scene) -> Self {
        let side = scene.picture.w as f32;
        let objects = &scene.objects;
        let pairs = (0..objects.len()).flat_map(|i| (0..objects.len()).map(move |k| (i, k)));
        let relations = pairs.filter(|(i, k)| i != k).flat_map(|(subject, object)| {
            let held = held(objects, subject, object);
            held.into_iter().flatten().map(move |predicate| Relation { subject, predicate, object })
        });
        Self { relations: relations.collect(), nodes: objects.iter().map(|object| node(object, side)).collect() }
    }
}

fn node(object: &Object, side: f32) -> Node {
    let height = object.bbox[3] - object.bbox[1];
    let size = match height / side {
        part if part <= 1.0 / 6.0 => Size::Small,
        part if part <= 1.0 / 3.0 => Size::Medium,
        _ => Size::Large,
    };
    let third = |v: f32| match 3.0 * v / side {
        part if part < 1.0 => Third::First,
        part if part < 2.0 => Third::Middle,
        _ => Third::Last,
    };
    Node { digit: object.digit, size, place: middle(object.bbox).map(third) }
}

fn middle(b: Box4) -> [f32; 2] {
    [0.5 * (b[0] + b[2]), 0.5 * (b[1] + b[3])]
}

fn held(objects: &[Object], subject: usize, object: usize) -> [Option<Predicate>; 3] {
    let (a, b) = (objects[subject].bbox, objects[object].bbox);
    let [dx, dy] = [0, 1].map(|k| middle(a)[k] - middle(b)[k]);
    let place = match (dx.abs() > dy.abs(), dx < 0.0, dy < 0.0) {
        (true, true, _) => Some(Predicate::LeftOf),
        (true, false, _) => Some(Predicate::RightOf),
        (false, _, true) => Some(Predicate::Above),
        (false, _, false) => (dy > 0.0).then_some(Predicate::Below),
    };
    let over = subject > object && super::shared(a, b) > 0.0;
    let larger = a[3] - a[1] >= LARGER * (b[3] - b[1]);
    [place, over.then_some(Predicate::Over), larger.then_some(Predicate::LargerThan)]
}
