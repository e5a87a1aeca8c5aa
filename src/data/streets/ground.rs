//! What lies flat or far: road and marks, pavements and grass, the sky over hills.

use super::camera::Surface;
use super::town::{CROSSING, LOT, Town};
use super::weather::Light;
use super::{MARKING, PAVEMENT, ROAD, SKY, TREE};
use crate::data::pictures::shade::{Colour, clouds, lit, mix, noise, rgb, step};

/// Half the width of a painted line, in metres.
const LINE: f32 = 0.11;
/// How far hills are.
pub(super) const HILLS: f32 = 320.0;

/// What lies on the ground at a place.
pub(super) fn ground(town: &Town, x: f32, z: f32) -> Surface {
    let s = x - town.centre(z);
    let out = s.abs();
    let lot = (z / LOT).floor() as i32;
    if out < town.half {
        let worn = noise([0.9 * s, 0.25 * z], town.seed) * 0.22 + noise([5.0 * x, 5.0 * z], town.seed ^ 1) * 0.12;
        if marked(town, s, z, lot) {
            return Surface::new(MARKING, lit(rgb(0xeceae2), 0.84 + worn));
        }
        // Tyres polish two tracks in each lane.
        let track = step(0.35, 0.75, (out - 0.5 * town.lanes).abs());
        return Surface::new(ROAD, lit(rgb(0x55585c), 0.78 + worn + 0.08 * track));
    }
    let walk = out - town.half;
    if walk < 0.22 {
        return Surface::new(PAVEMENT, lit(rgb(0xd3d0c8), 0.9 + 0.1 * noise([x, 2.0 * z], town.seed)));
    }
    if walk < town.pavement {
        let joint = |v: f32| (v - v.floor()) < 0.07;
        let tile = noise([1.7 * walk, 1.3 * z], town.seed ^ 2) * 0.14;
        let dark = if joint(walk / 0.9) || joint(z / 0.9) { 0.13 } else { 0.0 };
        return Surface::new(PAVEMENT, lit(town.tiles, 0.9 + tile - dark));
    }
    if town.built(lot, s < 0.0) {
        return Surface::new(PAVEMENT, lit(town.tiles, 0.82));
    }
    let blade = noise([3.0 * x, 2.0 * z], town.seed ^ 3);
    Surface::new(TREE, mix(rgb(0x4d7f3c), rgb(0x86a955), blade))
}

/// Whether paint is on the road here: lines along it, and the bars of a crossing with the lines to stop at.
fn marked(town: &Town, s: f32, z: f32, lot: i32) -> bool {
    let out = s.abs();
    if town.crossing(lot) {
        let along = z - (lot as f32 + 0.5) * LOT;
        if (0.0..CROSSING).contains(&along) {
            let bar = (s + 40.0) / 1.0;
            return out < town.lanes && bar - bar.floor() < 0.52;
        }
        if (-3.0..CROSSING + 3.0).contains(&along) {
            let stop = |from: f32| (from..from + 0.5).contains(&along);
            return (stop(-2.0) && s < -0.1 && s > -town.lanes) || (stop(CROSSING + 1.5) && s > 0.1 && s < town.lanes);
        }
    }
    let dash = z / 8.0;
    (out < LINE && dash - dash.floor() < 0.55) || (out - town.lanes + 0.12).abs() < LINE
}

/// What is seen in a direction that meets nothing, with its depth: hills in the haze, or the sky.
pub(super) fn beyond(town: &Town, ray: [f32; 3], light: &Light) -> (Surface, f32) {
    let [across, up] = [ray[0] / ray[2], ray[1] / ray[2]];
    let ridge = 0.012 + 0.075 * clouds([2.2 * across + 9.0, 0.5], 4, town.seed ^ 5);
    if up < ridge {
        let near = up < ridge - 0.012 - 0.02 * noise([9.0 * across, 3.0], town.seed ^ 6);
        let shade = if near { 0.72 } else { 0.95 };
        return (Surface::new(TREE, lit(mix(rgb(0x5f7f68), town.leaves[0], 0.25), shade)), HILLS);
    }
    (Surface::shining(SKY, sky(across, up, light, town.seed), 1.0), f32::MAX)
}

/// The sky's own colour, as bright as it is.
pub(super) fn sky(across: f32, up: f32, light: &Light, seed: u32) -> Colour {
    let plain = mix(light.sky[1], light.sky[0], libm::sqrtf((2.1 * up).clamp(0.0, 1.0)));
    let (part, white) = light.cloud;
    // Clouds lie on a plane overhead, so they are smaller towards the horizon.
    let high = 0.35 / (up + 0.12);
    let cover = clouds([1.9 * across * high, 2.6 * high], 4, seed ^ 8);
    let colour = mix(plain, white, step(0.78 - 0.62 * part, 1.06 - 0.55 * part, cover) * (0.45 + 0.5 * part));
    if light.lamps < 1.0 {
        return colour;
    }
    let star = noise([140.0 * across, 140.0 * up], seed ^ 9);
    mix(colour, rgb(0xe8ecff), 0.8 * step(0.955, 0.99, star))
}
