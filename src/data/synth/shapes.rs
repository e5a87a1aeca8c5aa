//! Reads `shapes.txt`, which says what it holds.

use std::sync::OnceLock;

/// One shape of a digit.
pub(super) struct Shape {
    /// The digit it is.
    pub digit: u8,
    /// How often it comes, beside the others of its digit.
    pub weight: usize,
    /// Its strokes. Each is one smooth curve after another; where one ends, the next begins with a corner. Points
    /// `[x, y]` in hundredths of the height.
    pub strokes: Vec<Vec<Vec<[f32; 2]>>>,
}

/// Every shape there is.
pub(super) fn all() -> &'static [Shape] {
    static SHAPES: OnceLock<Vec<Shape>> = OnceLock::new();
    SHAPES.get_or_init(|| {
        let lines = include_str!("shapes.txt").lines();
        lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(shape).collect()
    })
}

/// Part of this program, so a line that is no shape is a mistake that the first test meets.
fn shape(line: &str) -> Shape {
    let (digit, rest) = line.split_once(' ').expect("a digit");
    let (weight, strokes) = rest.split_once("  ").expect("a weight");
    Shape {
        digit: digit.parse().expect("a digit"),
        weight: weight.parse().expect("a weight"),
        strokes: strokes.split(" ; ").map(stroke).collect(),
    }
}

fn stroke(text: &str) -> Vec<Vec<[f32; 2]>> {
    let mut curves = Vec::<Vec<[f32; 2]>>::new();
    for part in text.split(" / ") {
        let corner = curves.last().and_then(|curve| curve.last()).copied();
        curves.push(corner.into_iter().chain(part.split(' ').map(point)).collect());
    }
    curves
}

fn point(text: &str) -> [f32; 2] {
    let (x, y) = text.split_once(',').expect("a point");
    [x, y].map(|v| v.parse().expect("a coordinate"))
}
