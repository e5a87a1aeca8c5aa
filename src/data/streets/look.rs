//! From what samples see to a picture: light and shadow, lamps, fog, wet roads, glare, rain and grain.

use super::camera::{COLUMNS, Camera, ROWS, SAMPLES, Seen};
use super::town::Town;
use super::weather::{Light, Weather};
use super::{HEIGHT, MARKING, PAVEMENT, ROAD, SKY, WIDTH};
use crate::data::pictures::Rgb;
use crate::data::pictures::shade::{Colour, clouds, hash, mix, noise, rgb, step};

/// What a picture is made with.
pub(super) struct Look<'a> {
    pub town: &'a Town,
    pub camera: &'a Camera,
    pub light: &'a Light,
    pub weather: Weather,
}

/// The light of lamps in the street.
const LAMP: Colour = [1.0, 0.78, 0.46];
/// The light of the car's own.
const HEADLIGHT: Colour = [0.98, 0.95, 0.85];

impl Look<'_> {
    /// The picture of all samples; `seed` decides its grain and the drops in the air.
    pub fn picture(&self, seen: &[Seen], seed: u32) -> Rgb {
        let mut colours: Vec<Colour> = seen.iter().map(|sample| self.lit(sample)).collect();
        if self.light.wet > 0.0 {
            self.mirror(seen, &mut colours);
        }
        if self.light.glare > 0.0 {
            self.blind(seen, &mut colours);
        }
        let mut picture = Rgb::new(HEIGHT, WIDTH);
        let (n, share) = (HEIGHT * WIDTH, 1.0 / (SAMPLES * SAMPLES) as f32);
        for i in 0..n {
            let (y, x) = (i / WIDTH, i % WIDTH);
            let mut sum = [0.0; 3];
            for s in 0..SAMPLES * SAMPLES {
                let colour = colours[(y * SAMPLES + s / SAMPLES) * COLUMNS + x * SAMPLES + s % SAMPLES];
                (0..3).for_each(|k| sum[k] += share * colour[k].clamp(0.0, 1.0));
            }
            if self.weather == Weather::Rain {
                sum = mix(sum, rgb(0xd5dce2), streak(x as f32, y as f32, seed));
            }
            let grey = 0.7 * self.light.grain * spread(x, y, seed);
            for (k, v) in sum.into_iter().enumerate() {
                let own = 0.7 * self.light.grain * spread(x, y, seed ^ (k as u32 + 1));
                picture.pixels[k * n + i] = (v + grey + own).clamp(0.0, 1.0);
            }
        }
        picture
    }

    /// The colour of one sample: its own under the light that falls on it, through the air before it.
    fn lit(&self, seen: &Seen) -> Colour {
        let (light, [x, y, z]) = (self.light, seen.place);
        let mut falls = light.ambient;
        if light.sun != [0.0; 3] {
            let sun = seen.facing * if self.town.sunny(x, y, z) { 1.0 } else { 0.12 };
            (0..3).for_each(|k| falls[k] += sun * light.sun[k]);
        }
        if light.lamps > 0.0 {
            let (street, own) =
                (0.85 * light.lamps * self.town.lamplight(seen.place), light.lamps * self.headlight(seen));
            (0..3).for_each(|k| falls[k] += street * LAMP[k] + own * HEADLIGHT[k]);
        }
        let surface = seen.surface;
        let own: Colour = std::array::from_fn(|k| {
            surface.glow * surface.colour[k] + (1.0 - surface.glow) * surface.colour[k] * falls[k]
        });
        if surface.class == SKY {
            return own;
        }
        // What shines is seen farther through the air.
        let reach = seen.depth * (1.0 - 0.35 * surface.glow * light.lamps.min(1.0));
        mix(light.air.0, own, libm::expf(-light.air.1 * reach))
    }

    /// How strongly the own headlights fall on what is seen: a cone before the car, its upper edge low.
    fn headlight(&self, seen: &Seen) -> f32 {
        let [eye, place] = [self.camera.eye(), seen.place];
        let far = (place[2] - eye[2]).max(0.5);
        let side = (place[0] - eye[0]) / (0.45 * far + 1.2);
        let above = step(0.06, 0.22, (place[1] - 0.5) / far);
        libm::expf(-side * side) * (1.0 - 0.85 * above) / (1.0 + (far / 17.0) * (far / 17.0))
    }

    /// Wet ground mirrors what stands behind it, the more the flatter one looks.
    fn mirror(&self, seen: &[Seen], colours: &mut [Colour]) {
        let flat = |class: u8| matches!(class, ROAD | MARKING | PAVEMENT);
        let horizon = (0..ROWS).find(|&row| self.camera.ray(row, COLUMNS / 2)[1] < 0.0).unwrap_or(ROWS);
        for row in horizon..ROWS {
            for column in 0..COLUMNS {
                let i = row * COLUMNS + column;
                if !flat(seen[i].surface.class) || seen[i].place[1] > 0.02 {
                    continue;
                }
                let [x, _, z] = seen[i].place;
                let down = -self.camera.ray(row, column)[1];
                let ripple = 5.0 * (noise([2.0 * x, 0.8 * z], self.town.seed ^ 20) - 0.5);
                let above = (2.0 * horizon as f32 - row as f32 + ripple).clamp(0.0, horizon as f32 - 1.0) as usize;
                let puddle = step(0.42, 0.62, clouds([0.35 * x, 0.16 * z], 3, self.town.seed ^ 21));
                let part = self.light.wet * (0.4 + 0.6 * puddle) * (1.0 - 1.9 * down).max(0.1);
                colours[i] = mix(colours[i], colours[above * COLUMNS + column], part);
            }
        }
    }

    /// The sun over the end of the road: a disc, its halo over all, and its glint on the road below.
    fn blind(&self, seen: &[Seen], colours: &mut [Colour]) {
        let at = [0.05 + 0.5 * (hash(5, 1, self.town.seed) - 0.5), 0.11 + 0.07 * hash(5, 2, self.town.seed)];
        for (i, (sample, colour)) in seen.iter().zip(colours.iter_mut()).enumerate() {
            let ray = self.camera.ray(i / COLUMNS, i % COLUMNS);
            let (dx, dy) = (ray[0] / ray[2] - at[0], ray[1] / ray[2] - at[1]);
            let r2 = dx * dx + dy * dy;
            let sky = sample.surface.class == SKY;
            let disc = if sky { 1.0 - step(0.0012, 0.003, r2) } else { 0.0 };
            let halo = 0.55 * libm::expf(-r2 / 0.012) + 0.3 * libm::expf(-r2 / 0.16);
            let ground = matches!(sample.surface.class, ROAD | MARKING | PAVEMENT);
            let [x, _, z] = sample.place;
            let rough = 0.55 + 0.9 * noise([6.0 * x, 3.0 * z], self.town.seed ^ 22);
            let glint = if ground { 0.45 * rough * libm::expf(-dx * dx / 0.02) * libm::expf(3.0 * dy) } else { 0.0 };
            let warm = self.light.glare * (halo * if sky { 1.0 } else { 0.75 } + glint);
            *colour = [colour[0] + warm, colour[1] + 0.86 * warm, colour[2] + 0.6 * warm];
            *colour = mix(*colour, rgb(0xfffbe6), disc);
        }
    }
}

/// How much of a falling drop covers a pixel.
fn streak(x: f32, y: f32, seed: u32) -> f32 {
    let slanted = x + 0.22 * y;
    let fall = noise([1.1 * slanted, 0.1 * y], seed ^ 30);
    0.34 * step(0.78, 0.97, fall)
}

/// A number of mean 0 and deviation 1 for a pixel: three evenly spread ones together.
fn spread(x: usize, y: usize, seed: u32) -> f32 {
    let one = |k: u32| hash(x as i32, y as i32, seed.wrapping_mul(0x9e37_79b1) ^ k.wrapping_mul(0x85eb_ca77)) - 0.5;
    2.0 * (one(1) + one(2) + one(3))
}
