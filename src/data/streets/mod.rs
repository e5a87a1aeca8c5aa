//! Streets: views from a car through a town that the project draws itself, with the class of every pixel.
//!
//! A view has perspective, six weathers and eight classes beside the sky; a drive is a sequence of views of one street. What is
//! drawn follows from a seed, is the same on every machine, and weighs nothing. Seeds of training, validation and test are
//! streams of their own ([`Split`]).

mod camera;
mod car;
mod green;
mod ground;
mod house;
mod look;
mod person;
mod post;
mod town;
mod weather;

pub use weather::Weather;

use super::pictures::Rgb;
use crate::error::{Error, Result};
use crate::rng::Rng;
use camera::{COLUMNS, Camera, ROWS, SAMPLES, Seen};
use town::{SPEED, Town};

/// Columns and rows of a view.
pub const WIDTH: usize = 160;
/// Rows of a view.
pub const HEIGHT: usize = 96;

/// What a pixel can show. The sky is the background: what is behind all things, and what fog leaves of them.
pub const CLASSES: [Class; 9] = [
    Class { name: "sky", colour: [0x9f, 0xc4, 0xe0] },
    Class { name: "road", colour: [0x6b, 0x5b, 0x8c] },
    Class { name: "marking", colour: [0xf2, 0xe3, 0x6b] },
    Class { name: "pavement", colour: [0xd9, 0x8c, 0xb3] },
    Class { name: "building", colour: [0x9a, 0x8f, 0x86] },
    Class { name: "tree", colour: [0x4f, 0x8f, 0x4a] },
    Class { name: "car", colour: [0x2f, 0x5f, 0xb0] },
    Class { name: "person", colour: [0xc7, 0x3e, 0x3a] },
    Class { name: "sign", colour: [0xe8, 0x8f, 0x2a] },
];

/// A class of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Class {
    /// The name that programs know it by.
    pub name: &'static str,
    /// The colour that masks show it in: red, green, blue.
    pub colour: [u8; 3],
}

const SKY: u8 = 0;
const ROAD: u8 = 1;
const MARKING: u8 = 2;
const PAVEMENT: u8 = 3;
const BUILDING: u8 = 4;
const TREE: u8 = 5;
const CAR: u8 = 6;
const PERSON: u8 = 7;
const SIGN: u8 = 8;

/// Which views are for what; each has seeds of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// To learn from.
    Train,
    /// To choose by.
    Validation,
    /// To be judged by, once.
    Test,
}

impl Split {
    /// The seed of view or drive `i` of this part.
    pub fn seed(self, i: u64) -> u64 {
        let part = match self {
            Self::Train => 0x7472_6169,
            Self::Validation => 0x7661_6c69,
            Self::Test => 0x7465_7374,
        };
        Rng::mix(part, i)
    }
}

/// A picture and the class of each of its pixels, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// [`HEIGHT`] rows and [`WIDTH`] columns.
    pub picture: Rgb,
    /// Numbers of [`CLASSES`].
    pub truth: Vec<u8>,
}

/// View `i` of a part: a street and a moment of its own. The weathers take turns.
pub fn view(split: Split, i: u64) -> View {
    let weather = Weather::ALL[(i % Weather::ALL.len() as u64) as usize];
    Drive::new(split.seed(i), weather).frame(0)
}

/// A drive along one street, at 8 metres a second.
pub struct Drive {
    town: Town,
    weather: Weather,
    seed: u64,
    /// Where it begins, how far the camera stands from its lane's middle, how high, and how it is turned.
    from: f32,
    off: f32,
    high: f32,
    turned: [f32; 2],
    /// Seconds between frames.
    beat: f32,
}

impl Drive {
    /// Frames in a second unless [`Drive::paced`] says otherwise.
    pub const RATE: f32 = 12.0;
    /// The most frames of a drive: ten minutes.
    pub const MOST: usize = 7200;

    /// The drive of this seed.
    pub fn new(seed: u64, weather: Weather) -> Self {
        let mut rng = Rng::new(seed);
        let town = Town::new(&mut rng);
        let from = rng.range(0.0, 600.0);
        let off = rng.range(-0.35, 0.35);
        let high = rng.range(1.25, 1.5);
        let turned = [rng.range(-0.05, 0.05), rng.range(-0.012, 0.03)];
        Self { town, weather, seed, from, off, high, turned, beat: 1.0 / Self::RATE }
    }

    /// The same drive with so many frames a second. Errors: [`Error::Value`] for none, and for more than 120.
    pub fn paced(mut self, rate: f32) -> Result<Self> {
        if !(0.1..=120.0).contains(&rate) {
            return Err(Error::value("frames a second", "0.1 to 120", rate));
        }
        self.beat = 1.0 / rate;
        Ok(self)
    }

    /// The same drive in another weather: the town stays what it is.
    pub fn under(mut self, weather: Weather) -> Self {
        self.weather = weather;
        self
    }

    /// Frame `i` of the drive.
    pub fn frame(&self, i: usize) -> View {
        let time = i as f32 * self.beat;
        let z = self.from + SPEED * time;
        let lane = -0.5 * self.town.lanes + self.off;
        // The camera nods a little over the road's unevenness.
        let nod = 0.004 * libm::sinf(0.9 * z) + 0.002 * libm::sinf(2.3 * z);
        let yaw = libm::atanf(self.town.slope(z + 6.0)) + self.turned[0];
        let camera = Camera::new([self.town.centre(z) + lane, self.high, z], yaw, self.turned[1] + nod);
        let light = self.weather.light();
        let mut seen = self.background(&camera, &light);
        for panel in self.town.scenery(z, time, self.weather, &light) {
            camera.draw(&panel, &mut seen);
        }
        let shots = look::Look { town: &self.town, camera: &camera, light: &light, weather: self.weather };
        let seed = Rng::mix(self.seed, i as u64) as u32;
        View { picture: shots.picture(&seen, seed), truth: truth(&seen, &light) }
    }

    fn background(&self, camera: &Camera, light: &weather::Light) -> Vec<Seen> {
        let eye = camera.eye();
        let sample = |i: usize| {
            let ray = camera.ray(i / COLUMNS, i % COLUMNS);
            let depth = if ray[1] < 0.0 { -eye[1] / ray[1] } else { f32::MAX };
            if depth < ground::HILLS {
                let place = [0, 1, 2].map(|k| eye[k] + depth * ray[k]);
                return Seen { surface: ground::ground(&self.town, place[0], place[2]), depth, place, facing: 0.8 };
            }
            let (surface, depth) = ground::beyond(&self.town, ray, light);
            let place = [0, 1, 2].map(|k| eye[k] + depth.min(1e4) * ray[k]);
            Seen { surface, depth, place, facing: 0.5 }
        };
        (0..ROWS * COLUMNS).map(sample).collect()
    }
}

/// What fog hides to so small a part counts as sky.
const HIDDEN: f32 = 0.1;

/// The class that most samples of each pixel show; of equals the rarer, which has the higher number.
fn truth(seen: &[Seen], light: &weather::Light) -> Vec<u8> {
    let hidden_from = -libm::logf(HIDDEN) / light.air.1;
    let class = |sample: &Seen| if sample.depth > hidden_from { SKY } else { sample.surface.class };
    let pixel = |i: usize| {
        let mut counts = [0; CLASSES.len()];
        for s in 0..SAMPLES * SAMPLES {
            let (row, column) = (i / WIDTH * SAMPLES + s / SAMPLES, i % WIDTH * SAMPLES + s % SAMPLES);
            counts[usize::from(class(&seen[row * COLUMNS + column]))] += 1;
        }
        (0..CLASSES.len()).max_by_key(|&c| counts[c]).unwrap_or(0) as u8
    };
    (0..WIDTH * HEIGHT).map(pixel).collect()
}
