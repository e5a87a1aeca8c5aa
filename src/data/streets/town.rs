//! The town: what stands where along a street, told from a seed and a place alone, so that a drive can go on for ever and
//! every frame of it shows the same houses.

use super::camera::Panel;
use super::weather::{Light, Weather};
use super::{car, green, house, person, post};
use crate::data::pictures::shade::{Colour, hash, pick, rgb};
use crate::rng::Rng;
use std::f32::consts::TAU;

/// How long a lot is along the street, in metres.
pub(super) const LOT: f32 = 12.0;
/// How far things are drawn, people and posts less far: of a pole two thirds of a pixel wide there is little to see.
const FAR: f32 = 150.0;
const FAR_SMALL: f32 = 30.0;
/// Metres between street lamps of one side.
const LAMPS: f32 = 24.0;
/// Metres between oncoming cars, and how fast cars drive, in metres a second.
const ONCOMING: f32 = 38.0;
pub(super) const SPEED: f32 = 8.0;
/// How long and wide a crossing is, from the middle of its lot.
pub(super) const CROSSING: f32 = 3.4;

/// A street and what is particular to it.
pub(super) struct Town {
    pub seed: u32,
    /// Half the road's width, and the width of a pavement.
    pub half: f32,
    pub pavement: f32,
    /// Where the lanes end at each side; cars park beyond.
    pub lanes: f32,
    /// How far it swings, over how many metres, from where.
    bend: [f32; 3],
    /// The part of the lots that have a house.
    built: f32,
    pub leaves: [Colour; 2],
    pub tiles: Colour,
    /// How many of a hundred metres of pavement have people, and lots cars.
    crowd: f32,
    traffic: f32,
}

impl Town {
    pub fn new(rng: &mut Rng) -> Self {
        let lanes = rng.range(3.1, 3.6);
        let parking = if rng.below(2) == 0 { 2.1 } else { 0.35 };
        let seasons = [
            [rgb(0x2f6b34), rgb(0x7fae4f)],
            [rgb(0x275c3d), rgb(0x5f9a58)],
            [rgb(0xa8501f), rgb(0xe0a23a)],
            [rgb(0xd98aa2), rgb(0xfbdde4)],
        ];
        Self {
            seed: rng.bits(),
            half: lanes + parking,
            pavement: rng.range(2.4, 3.8),
            lanes,
            bend: [rng.range(0.0, 7.0), rng.range(70.0, 120.0), rng.range(0.0, TAU)],
            built: rng.range(0.45, 0.95),
            leaves: pick(rng, &seasons),
            tiles: pick(rng, &[rgb(0xb7afa3), rgb(0xa9a7a8), rgb(0xc0b09a), rgb(0xaaa08f)]),
            crowd: rng.range(0.25, 0.8),
            traffic: rng.range(0.3, 0.9),
        }
    }

    /// Where the middle of the road is at a place along it, and how it slopes there.
    pub fn centre(&self, z: f32) -> f32 {
        let [far, long, from] = self.bend;
        far * libm::sinf(z / long * TAU / 4.0 + from)
    }

    pub fn slope(&self, z: f32) -> f32 {
        let [far, long, from] = self.bend;
        far / long * TAU / 4.0 * libm::cosf(z / long * TAU / 4.0 + from)
    }

    /// A number from 0 to 1 of a lot and its side, one for each question.
    pub fn chance(&self, lot: i32, left: bool, question: u32) -> f32 {
        hash(lot, i32::from(left), self.seed.wrapping_add(question.wrapping_mul(0x9e37_79b9)))
    }

    pub fn crossing(&self, lot: i32) -> bool {
        // Never where the drive begins.
        lot.rem_euclid(5) == 3 && self.chance(lot.div_euclid(5), false, 1) < 0.6
    }

    pub fn built(&self, lot: i32, left: bool) -> bool {
        self.chance(lot, left, 2) < self.built
    }

    /// How high the house of a lot is, without its roof.
    pub fn height(&self, lot: i32, left: bool) -> f32 {
        let t = self.chance(lot, left, 3);
        if self.low(lot, left) { 3.2 + 2.6 * t } else { 6.0 + 13.0 * t * t }
    }

    /// Whether it is a low house with a tiled roof.
    pub fn low(&self, lot: i32, left: bool) -> bool {
        self.chance(lot, left, 4) < 0.4
    }

    /// Whether a place is lit by the sun, which stands to the right; only houses throw shadows.
    pub fn sunny(&self, x: f32, y: f32, z: f32) -> bool {
        let lot = (z / LOT).floor() as i32;
        if !self.built(lot, false) {
            return true;
        }
        let edge = self.half + self.pavement + 0.4 - 0.8 * (self.height(lot, false) - y);
        x - self.centre(z) < edge
    }

    /// How strongly street lamps light a place.
    pub fn lamplight(&self, [x, y, z]: [f32; 3]) -> f32 {
        let at = |left: bool| {
            let shift = if left { 0.5 * LAMPS } else { 0.0 };
            let k = ((z - shift) / LAMPS + 0.5).floor();
            let side = if left { -1.0 } else { 1.0 } * (self.half - 0.7);
            let (dx, dz) = (x - self.centre(z) - side, z - k * LAMPS - shift);
            libm::expf(-(dx * dx + 0.3 * dz * dz + 0.15 * (y - 1.0) * (y - 1.0)) / 14.0)
        };
        at(true) + at(false)
    }

    /// All that stands within sight of `z` at this time of a drive, in seconds.
    pub fn scenery(&self, z: f32, time: f32, weather: Weather, light: &Light) -> Vec<Panel> {
        let mut all = Vec::new();
        let first = (z / LOT).floor() as i32;
        for lot in first..first + (FAR / LOT) as i32 {
            for left in [true, false] {
                self.lot(&mut all, lot, left, light);
                let near = lot as f32 * LOT - z;
                if near < FAR_SMALL {
                    self.roadside(&mut all, lot, left, light);
                }
                if near < FAR_SMALL {
                    self.people(&mut all, lot, left, time, weather);
                }
            }
        }
        self.cars(&mut all, z, time, light);
        all
    }

    /// Where something stands: so far from the road's middle, to the left or right.
    fn beside(&self, z: f32, from_middle: f32, left: bool) -> f32 {
        self.centre(z) + if left { -from_middle } else { from_middle }
    }

    fn lot(&self, all: &mut Vec<Panel>, lot: i32, left: bool, light: &Light) {
        let z = lot as f32 * LOT;
        let front = self.beside(z + 0.5 * LOT, self.half + self.pavement + 0.4, left);
        let seed = self.seed ^ (lot as u32).wrapping_mul(2).wrapping_add(u32::from(left));
        if self.built(lot, left) {
            let (height, low) = (self.height(lot, left), self.low(lot, left));
            house::draw(all, house::House { front, left, z, height, low, lit: light.lit, seed });
        } else {
            all.push(green::hedge(front, z, left, seed, self.leaves));
            for k in 0..3 {
                let chance = |q: u32| self.chance(lot, left, 40 + 8 * k + q);
                let (at, out) = (z + LOT * chance(0), self.half + self.pavement + 2.2 + 5.0 * chance(1));
                all.push(green::tree([self.beside(at, out, left), at], 1.5 + chance(2), seed ^ k, self.leaves));
            }
        }
    }

    /// Trees, lamps and signs between the road and the pavement.
    fn roadside(&self, all: &mut Vec<Panel>, lot: i32, left: bool, light: &Light) {
        let (z, out) = (lot as f32 * LOT, self.half + 0.45);
        let crossing = self.crossing(lot);
        if self.chance(lot, left, 5) < 0.4 && !crossing {
            let at = z + 3.0;
            let radius = 0.95 + 0.5 * self.chance(lot, left, 6);
            all.push(green::tree([self.beside(at, out + 0.3, left), at], radius, self.seed ^ lot as u32, self.leaves));
        }
        if lot.rem_euclid(2) == i32::from(left) {
            all.push(post::lamp([self.beside(z, out, left), z], left, light.lamps));
        }
        if crossing {
            let at = z + 0.5 * LOT + if left { -0.8 } else { CROSSING + 0.8 };
            let green = self.chance(lot, false, 7) < 0.5;
            all.push(post::signal([self.beside(at, out, left), at], left, green));
        } else if self.chance(lot, left, 8) < 0.42 {
            let at = z + 8.5;
            let which = (self.chance(lot, left, 9) * post::SIGNS as f32) as usize;
            all.push(post::sign([self.beside(at, out, left), at], which));
        }
    }

    fn people(&self, all: &mut Vec<Panel>, lot: i32, left: bool, time: f32, weather: Weather) {
        let z = lot as f32 * LOT;
        let rain = weather == Weather::Rain;
        for k in 0..3 {
            let chance = |q: u32| self.chance(lot, left, 100 + 16 * k + q);
            if chance(0) >= self.crowd {
                continue;
            }
            let pace = (0.9 + 0.6 * chance(1)) * if chance(2) < 0.5 { -1.0 } else { 1.0 };
            let at = z + LOT * chance(3) + pace * time;
            let out = self.half + 0.8 + (self.pavement - 1.3) * chance(4);
            let seed = self.seed ^ ((lot * 8 + k as i32) as u32).wrapping_mul(0x85eb_ca6b) ^ u32::from(left);
            let umbrella = rain && chance(5) < 0.7;
            all.push(person::draw([self.beside(at, out, left), at], time * pace.abs() + chance(6), umbrella, seed));
        }
        if left && self.crossing(lot) {
            for k in 0..3 {
                let chance = |q: u32| self.chance(lot, true, 200 + 16 * k + q);
                if chance(0) >= self.crowd {
                    continue;
                }
                let pace = (0.9 + 0.5 * chance(1)) * if chance(2) < 0.5 { -1.0 } else { 1.0 };
                let (wide, at) = (2.0 * self.half, z + 0.5 * LOT + 0.5 + (CROSSING - 1.0) * chance(3));
                let x = (wide * chance(4) + pace * time).rem_euclid(wide) - self.half;
                let seed = self.seed ^ ((lot * 16 + k as i32) as u32).wrapping_mul(0xc2b2_ae35);
                let umbrella = rain && chance(5) < 0.7;
                let place = [self.centre(at) + x, at];
                all.push(person::draw(place, time * pace.abs() + chance(6), umbrella, seed));
            }
        }
    }

    fn cars(&self, all: &mut Vec<Panel>, z: f32, time: f32, light: &Light) {
        let lane = 0.5 * self.lanes;
        let mut put = |x: f32, at: f32, seed: u32, towards: bool| {
            if at > z + 3.0 && at < z + 100.0 {
                let place = [self.centre(at + 2.0) + x, at];
                car::draw(all, place, car::Car { seed: self.seed ^ seed, towards, lamps: light.lamps });
            }
        };
        // Ahead in the own lane: as fast as the camera, so that none comes nearer.
        if self.chance(0, true, 10) < self.traffic {
            let ahead = 9.0 + 22.0 * self.chance(0, true, 11);
            put(-lane, z + ahead, 0x51, false);
        }
        let along = z + SPEED * time;
        let first = (along / ONCOMING).floor() as i32;
        for k in first..first + 4 {
            let at = ONCOMING * (k as f32 + 0.7 * self.chance(k, false, 12)) - SPEED * time;
            if self.chance(k, false, 13) < self.traffic {
                put(lane, at, 0x1000 ^ k as u32, true);
            }
        }
        if self.half < self.lanes + 1.0 {
            return;
        }
        let first = (z / LOT).floor() as i32;
        for lot in (first..first + 6).filter(|&lot| !self.crossing(lot)) {
            for left in [true, false] {
                if self.chance(lot, left, 14) < 0.5 {
                    let out = if left { -1.0 } else { 1.0 } * (self.half - 1.1);
                    let seed = 0x2000 ^ (2 * lot + i32::from(left)) as u32;
                    put(out, lot as f32 * LOT + 1.0 + 6.0 * self.chance(lot, left, 15), seed, !left);
                }
            }
        }
    }
}
