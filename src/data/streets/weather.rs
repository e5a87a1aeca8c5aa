//! Six weathers and hours: what light there is, what the air hides, what the sky shows.

use crate::data::pictures::shade::{Colour, rgb};
use crate::error::{Error, Result};

/// The hour and the weather of a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// A clear day.
    Day,
    /// After sunset: a coloured sky, the first windows lit.
    Dusk,
    /// Street lamps and the car's own headlights.
    Night,
    /// An overcast sky, a wet road that mirrors it, streaks in the air.
    Rain,
    /// Air that hides what is far.
    Fog,
    /// The sun just above the road, in the camera's eye.
    LowSun,
}

impl Weather {
    /// All of them; a sample of views takes them by turns.
    pub const ALL: [Self; 6] = [Self::Day, Self::Dusk, Self::Night, Self::Rain, Self::Fog, Self::LowSun];

    /// The name that programs know it by.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Dusk => "dusk",
            Self::Night => "night",
            Self::Rain => "rain",
            Self::Fog => "fog",
            Self::LowSun => "low_sun",
        }
    }

    /// The weather of that name. Errors: [`Error::Missing`] with the names there are.
    pub fn named(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|weather| weather.name() == name).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.into_iter().map(Self::name).collect();
            Error::missing("weather", format!("one of {}", names.join(", ")), name)
        })
    }
}

/// What a weather is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Light {
    /// The sky overhead, and at the horizon.
    pub sky: [Colour; 2],
    /// How much of the sky is cloud, and its colour.
    pub cloud: (f32, Colour),
    /// What comes from everywhere, and what the sun adds where it shines.
    pub ambient: Colour,
    pub sun: Colour,
    /// The air's colour, and how much of it a metre holds.
    pub air: (Colour, f32),
    /// The part of the windows that are lit.
    pub lit: f32,
    /// How strong lamps and headlights are.
    pub lamps: f32,
    /// How much the road mirrors.
    pub wet: f32,
    /// How much the sun on the horizon blinds.
    pub glare: f32,
    /// The camera's noise: deviation of a colour.
    pub grain: f32,
}

impl Weather {
    pub(super) fn light(self) -> Light {
        let day = Light {
            sky: [rgb(0x4f8fd0), rgb(0xcfe4f2)],
            cloud: (0.45, rgb(0xffffff)),
            ambient: [0.62, 0.66, 0.74],
            sun: [0.5, 0.46, 0.36],
            air: (rgb(0xcfdfea), 0.0016),
            lit: 0.0,
            lamps: 0.0,
            wet: 0.0,
            glare: 0.0,
            grain: 0.012,
        };
        match self {
            Self::Day => day,
            Self::Dusk => Light {
                sky: [rgb(0x34427e), rgb(0xf2a06f)],
                cloud: (0.5, rgb(0xd9728a)),
                ambient: [0.5, 0.43, 0.52],
                sun: [0.12, 0.07, 0.05],
                air: (rgb(0xb98a8f), 0.003),
                lit: 0.35,
                lamps: 0.35,
                grain: 0.016,
                ..day
            },
            Self::Night => Light {
                sky: [rgb(0x070b1a), rgb(0x1d2740)],
                cloud: (0.3, rgb(0x222a40)),
                ambient: [0.15, 0.17, 0.26],
                sun: [0.0; 3],
                air: (rgb(0x141b2e), 0.004),
                lit: 0.45,
                lamps: 1.0,
                grain: 0.022,
                ..day
            },
            Self::Rain => Light {
                sky: [rgb(0x7f8a94), rgb(0xb3bcc2)],
                cloud: (0.9, rgb(0x929ca5)),
                ambient: [0.58, 0.61, 0.65],
                sun: [0.0; 3],
                air: (rgb(0xa9b3ba), 0.008),
                lit: 0.15,
                lamps: 0.12,
                wet: 0.55,
                grain: 0.02,
                ..day
            },
            Self::Fog => Light {
                sky: [rgb(0xc3c9cc), rgb(0xd2d6d6)],
                cloud: (0.0, rgb(0xd2d6d6)),
                ambient: [0.68, 0.7, 0.72],
                sun: [0.0; 3],
                air: (rgb(0xd0d4d5), 0.032),
                lit: 0.1,
                lamps: 0.1,
                ..day
            },
            Self::LowSun => Light {
                sky: [rgb(0x6f8fc4), rgb(0xffd59a)],
                cloud: (0.4, rgb(0xffe3bd)),
                ambient: [0.47, 0.43, 0.46],
                sun: [0.5, 0.34, 0.18],
                air: (rgb(0xffd9a0), 0.006),
                glare: 1.0,
                grain: 0.016,
                ..day
            },
        }
    }
}
