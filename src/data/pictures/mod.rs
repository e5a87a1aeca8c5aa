//! Pictures that the project draws itself: scenes to be painted anew, and patterns whose hand can be borrowed.
//!
//! A painter draws what varies (palette, scale, places) from a seed and gives a function from place to colour, which is
//! then sampled at any size. So a picture is the same everywhere, weighs nothing, and a seed away from it lies another of
//! its family: the feature network has learnt to tell the families apart, and the stylizers have learnt on the scenes.

mod blossom;
mod patterns;
mod plain;
mod rgb;
mod scenes;
pub(super) mod shade;

pub use rgb::Rgb;

use crate::error::{Error, Result};
use crate::rng::Rng;
use shade::{Colour, Point};

/// Gives the colour of every place.
type Paint = Box<dyn Fn(Point) -> Colour>;

/// What a picture is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A scene: something to recognise.
    Content,
    /// A pattern worth showing: a hand.
    Style,
    /// A plain pattern, for networks to learn from.
    Plain,
}

/// One family of pictures.
pub struct Family {
    /// The name that programs know it by.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// One line about it.
    pub about: &'static str,
    /// What it is for.
    pub kind: Kind,
    /// Draws what varies; the frame is the picture's width and height, the shorter one 1.
    painter: fn(&mut Rng, Point) -> Paint,
}

/// The largest side of a picture.
pub const MOST: usize = 1024;
/// Samples along each side of a pixel of a finished picture.
const SAMPLES: usize = 2;

macro_rules! families {
    ($($kind:ident $name:literal $title:literal $about:literal $painter:expr;)*) => {
        &[$(Family { name: $name, title: $title, about: $about, kind: Kind::$kind, painter: $painter }),*]
    };
}

/// Every family: scenes, then patterns to show, then plain ones.
pub const FAMILIES: &[Family] = families! {
    Content "mountains" "Mountains" "ridges behind ridges over a lake" scenes::mountains;
    Content "torii" "Torii" "a gate in the sea at dusk" scenes::torii;
    Content "brush" "One stroke" "a digit written with the brush" scenes::brush;
    Content "still_life" "Still life" "a vase and fruit on a table" scenes::still_life;
    Content "blossom" "Blossom" "cherry flowers on a branch" blossom::blossom;
    Style "waves" "Waves" "crests upon crests, as in a woodblock print" patterns::waves;
    Style "marbling" "Suminagashi" "ink afloat on water" patterns::marbling;
    Style "starry" "Night strokes" "short strokes along a swirling sky" patterns::starry;
    Style "mosaic" "Mosaic" "small stones in mortar" patterns::mosaic;
    Style "seigaiha" "Seigaiha" "blue ocean waves: scales of rings" patterns::seigaiha;
    Style "hatching" "Hatching" "pen lines across pen lines" patterns::hatching;
    Style "woodcut" "Woodcut" "lines cut along the heights of a land" patterns::woodcut;
    Style "points" "Points" "dots of unmixed colour" patterns::points;
    Style "asanoha" "Asanoha" "hemp leaves: stars in a grid of triangles" patterns::asanoha;
    Plain "checks" "Checks" "squares by turns" plain::checks;
    Plain "stripes" "Stripes" "bands side by side" plain::stripes;
    Plain "chevrons" "Chevrons" "bands in a zigzag" plain::chevrons;
    Plain "dots" "Dots" "discs in a grid" plain::dots;
    Plain "rings" "Rings" "circles about a point" plain::rings;
    Plain "clouds" "Clouds" "noise upon noise" plain::clouds;
    Plain "wood" "Wood" "rings of a trunk, cut along" plain::wood;
    Plain "bricks" "Bricks" "stones laid in rows" plain::bricks;
    Plain "weave" "Weave" "threads over and under" plain::weave;
    Plain "confetti" "Confetti" "scraps of paper, scattered" plain::confetti;
};

/// The family of that name.
pub fn family(name: &str) -> Result<&'static Family> {
    FAMILIES.iter().find(|family| family.name == name).ok_or_else(|| {
        let names: Vec<&str> = FAMILIES.iter().map(|family| family.name).collect();
        Error::missing("picture", format!("one of {}", names.join(", ")), name)
    })
}

impl Family {
    /// Draws the family's picture of this seed, `h` rows and `w` columns. Errors: [`Error::Value`] for sides below 1 or
    /// above [`MOST`].
    pub fn draw(&self, seed: u64, h: usize, w: usize) -> Result<Rgb> {
        self.sampled(seed, h, w, SAMPLES)
    }

    /// As [`Family::draw`] with one sample in the middle of each pixel: a quarter of the work, rough at edges.
    pub fn sketch(&self, seed: u64, h: usize, w: usize) -> Result<Rgb> {
        self.sampled(seed, h, w, 1)
    }

    fn sampled(&self, seed: u64, h: usize, w: usize, samples: usize) -> Result<Rgb> {
        if !(1..=MOST).contains(&h) || !(1..=MOST).contains(&w) {
            return Err(Error::value("picture", format!("sides from 1 to {MOST}"), format!("{w} × {h}")));
        }
        let short = h.min(w) as f32;
        let paint = (self.painter)(&mut Rng::new(seed), [w as f32 / short, h as f32 / short]);
        let mut picture = Rgb::new(h, w);
        let share = 1.0 / (samples * samples) as f32;
        let place = |pixel: usize, sample: usize| (pixel as f32 + (sample as f32 + 0.5) / samples as f32) / short;
        for i in 0..h * w {
            for s in 0..samples * samples {
                let colour = paint([place(i % w, s % samples), place(i / w, s / samples)]);
                for (plane, v) in colour.into_iter().enumerate() {
                    picture.pixels[plane * h * w + i] += share * v.clamp(0.0, 1.0);
                }
            }
        }
        Ok(picture)
    }
}
