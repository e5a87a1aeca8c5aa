//! The recogniser: ink or a picture goes in, a digit comes out, with how sure the network is and every layer to look at.
//!
//! It joins a network of the [`zoo`], weights from a [`safetensors`] file, the [`ink`] normaliser and a calibration. The
//! page, the native command and the npm package all answer through here.
//!
//! Every layer stays readable after a prediction. Measured on DeepConvNet, one picture at a time on one core with AVX2:
//! 98 µs with a plan that keeps them all (265 kB), 100 µs with one that reuses buffers (108 kB). So there is one kind of
//! recogniser.

mod calibration;
mod layers;

pub use calibration::Calibration;
pub use layers::{Layer, layers};

use crate::data::ink::{self, Normalised};
use crate::data::strokes::Stroke;
use crate::error::{Error, Result};
use crate::file::safetensors::{self, Weights};
use crate::kernel::softmax::softmax;
use crate::nn::{Mode, Network, Params, Run, Want};
use crate::shape::Shape;
use crate::zoo;
use std::collections::BTreeMap;

/// What the recogniser reads: one grey picture.
const INPUT: Shape = Shape::new(1, ink::SIDE, ink::SIDE);
/// How many classes it tells apart.
const DIGITS: usize = 10;
/// Keys of a file's metadata: the network's name in the catalogue, or its description.
const ARCHITECTURE: &str = "architecture";
const NETWORK: &str = "network";

/// What a network makes of one picture.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// The most probable digit.
    pub digit: u8,
    /// The runner-up.
    pub second: u8,
    /// One probability for each digit: the softmax of the scores over the temperature.
    pub probabilities: Vec<f32>,
    /// Whether the best probability reaches the threshold.
    pub sure: bool,
}

/// A drawing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Ink<'a> {
    /// Pen strokes, points `[x, y]` with y down, in any unit.
    Strokes {
        /// One list of points for each stroke.
        strokes: &'a [Stroke],
        /// Thickness of the line in pixels of the 20-pixel box; [`ink::PEN`] is what networks for drawings learnt.
        pen: f32,
    },
    /// A bitmap, rows from the top.
    Bitmap {
        /// 0 is paper, 255 is ink.
        coverage: &'a [u8],
        /// Columns.
        width: usize,
        /// Rows.
        height: usize,
    },
}

/// Whether a network reads what a recogniser does: one grey picture of 28 × 28, as one of ten digits.
pub fn reads_digits(net: &Network) -> bool {
    net.input_shape() == INPUT && net.node(net.output()).shape.len() == DIGITS
}

impl Ink<'_> {
    /// Turns the drawing into the network's input and keeps every step. Errors as [`ink::from_strokes`] and
    /// [`ink::from_bitmap`]: [`Error::Empty`] when there is no ink.
    pub fn normalise(&self) -> Result<Normalised> {
        match *self {
            Self::Strokes { strokes, pen } => ink::from_strokes(strokes, pen, None),
            Self::Bitmap { coverage, width, height } => ink::from_bitmap(coverage, width, height),
        }
    }
}

/// What a network makes of one drawing.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The answer.
    pub answer: Answer,
    /// How the drawing became the network's input.
    pub steps: Normalised,
}

/// A network with its weights and calibration, ready to answer one picture at a time.
pub struct Recogniser {
    name: String,
    /// What its file says of the network: its architecture, or its description.
    origin: (&'static str, String),
    params: Params,
    calibration: Calibration,
    run: Run,
    layers: Vec<Layer>,
}

impl Recogniser {
    /// A recogniser of an architecture of [`zoo::CATALOGUE`] with these parameters.
    ///
    /// Errors: [`Error::Missing`] for an unknown architecture, [`Error::Shape`] for parameters of another one or an
    /// architecture that does not read 28 × 28 digits, [`Error::Value`] for a calibration out of range.
    pub fn new(architecture: &str, params: Params, calibration: Calibration) -> Result<Self> {
        let origin = BTreeMap::from([(ARCHITECTURE.to_string(), architecture.to_string())]);
        Self::with(zoo::for_digits(architecture)?.build()?, params, calibration, &origin)
    }

    /// A recogniser of any network with these parameters, with what its file says in its metadata.
    ///
    /// Errors: [`Error::Shape`] for parameters of another network and for one that does not read 28 × 28 digits,
    /// [`Error::Value`] for a calibration out of range.
    pub fn of_network(net: Network, params: Params, metadata: &BTreeMap<String, String>) -> Result<Self> {
        Self::with(net, params, Calibration::from_metadata(metadata)?, metadata)
    }

    fn with(net: Network, params: Params, calibration: Calibration, said: &BTreeMap<String, String>) -> Result<Self> {
        let told = |key: &'static str| said.get(key).map(|text| (key, text.clone()));
        let origin = told(NETWORK).or_else(|| told(ARCHITECTURE)).unwrap_or((ARCHITECTURE, String::new()));
        let name = told("name").or_else(|| told(ARCHITECTURE)).map_or_else(|| "own".into(), |(_, name)| shown(&name));
        if !reads_digits(&net) {
            let got = format!("{} in, {} out", net.input_shape(), net.node(net.output()).shape);
            return Err(Error::shape(name, format!("{INPUT} in, {DIGITS} classes out"), got));
        }
        if params.views() != net.views() {
            let expected = format!("those of {name} ({} numbers)", net.parameters());
            return Err(Error::shape("parameters", expected, params.values().len()));
        }
        let layers = layers(&net);
        let taps = layers.iter().map(|layer| layer.wire).collect();
        Ok(Self {
            name,
            origin,
            params,
            calibration: calibration.checked()?,
            run: Run::new(&net, 1, &Want::values(taps)),
            layers,
        })
    }

    /// A recogniser from a safetensors file, whose metadata name its `architecture` and may give it a `name`, a
    /// `temperature` and a `threshold`.
    ///
    /// Errors: those of [`safetensors::read`] and [`Recogniser::new`], and [`Error::Missing`] for an absent
    /// architecture and for tensors that are not exactly the network's.
    pub fn load(bytes: &[u8]) -> Result<Self> {
        let Weights { tensors, metadata } = safetensors::read(bytes)?;
        let Some(architecture) = metadata.get(ARCHITECTURE) else {
            return Err(Error::missing("weights", "metadata with an architecture", "none"));
        };
        let net = zoo::for_digits(architecture)?.build()?;
        let mut params = net.zeros();
        params.load(&tensors)?;
        Self::of_network(net, params, &metadata)
    }

    /// The way back: the parameters by name, and in the metadata what [`Recogniser::load`] reads.
    pub fn to_weights(&self) -> Weights {
        let metadata = [
            (self.origin.0, self.origin.1.clone()),
            ("name", self.name.clone()),
            ("temperature", self.calibration.temperature.to_string()),
            ("threshold", self.calibration.threshold.to_string()),
        ];
        let metadata = metadata.into_iter().map(|(key, value)| (key.into(), value)).collect();
        Weights { tensors: self.params.named(), metadata }
    }

    /// What the weights are called; the architecture's name if they have none of their own.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The network.
    pub fn network(&self) -> &Network {
        self.run.network()
    }

    /// Its parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// The calibration.
    pub fn calibration(&self) -> Calibration {
        self.calibration
    }

    /// Everything there is to look at, from the input to the scores.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Reads a picture of 28 × 28 grey levels, rows from the top, 0 paper and 1 ink.
    ///
    /// Errors, after which the last prediction still stands: [`Error::Shape`] for another number of pixels,
    /// [`Error::Value`] for a pixel that is not from 0 to 1. Weights so absurd that a score overflows are an
    /// [`Error::Value`], too.
    pub fn predict(&mut self, image: &[f32]) -> Result<Answer> {
        let mut answer = Answer::default();
        self.predict_into(image, &mut answer)?;
        Ok(answer)
    }

    /// As [`Recogniser::predict`] into an answer that is there already. Allocates nothing from the second time on.
    pub fn predict_into(&mut self, image: &[f32], answer: &mut Answer) -> Result<()> {
        if let Some(i) = image.iter().position(|v| !(0.0..=1.0).contains(v)) {
            return Err(Error::value(format!("pixel {i}"), "a grey level from 0 to 1", image[i]));
        }
        self.run.forward(&self.params, image, 1, Mode::Infer)?;
        let Calibration { temperature, threshold } = self.calibration;
        let scores = self.run.output().iter().map(|score| score / temperature);
        if let Some(bad) = scores.clone().find(|score| !score.is_finite()) {
            return Err(Error::value("scores", "finite numbers", bad));
        }
        let probabilities = &mut answer.probabilities;
        probabilities.clear();
        probabilities.extend(scores);
        softmax(self.run.level(), probabilities, DIGITS);
        let [digit, second] = best_two(probabilities);
        answer.digit = digit as u8;
        answer.second = second as u8;
        answer.sure = probabilities[digit] >= threshold;
        Ok(())
    }

    /// Reads a drawing. Errors as [`Ink::normalise`]: [`Error::Empty`] when there is no ink, never a guess.
    pub fn read_ink(&mut self, ink: &Ink) -> Result<Reading> {
        let steps = ink.normalise()?;
        let answer = self.predict(&steps.input.pixels)?;
        Ok(Reading { answer, steps })
    }

    /// What a layer made of the last picture: `c · h · w` numbers, channel after channel (CHW).
    ///
    /// Errors: [`Error::Missing`] for a name that [`Recogniser::layers`] does not list, and before the first picture.
    pub fn features(&self, layer: &str) -> Result<Vec<f32>> {
        let Some(found) = self.layers.iter().find(|l| l.name == layer) else {
            let names: Vec<&str> = self.layers.iter().map(|l| l.name.as_str()).collect();
            return Err(Error::missing("layer", format!("one of {}", names.join(", ")), shown(layer)));
        };
        if self.run.values(found.wire).is_none_or(|(values, _)| values.is_empty()) {
            return Err(Error::missing("features", "a prediction to look at", "none yet"));
        }
        let mut features = vec![0.0; found.shape.len()];
        self.run.read(found.wire, 0, &mut features)?;
        Ok(features)
    }
}

/// The places of the largest and the second largest of at least two numbers; the first of equals wins.
fn best_two(values: &[f32]) -> [usize; 2] {
    let mut best = if values[1] > values[0] { [1, 0] } else { [0, 1] };
    for (i, &v) in values.iter().enumerate().skip(2) {
        if v > values[best[0]] {
            best = [i, best[0]];
        } else if v > values[best[1]] {
            best[1] = i;
        }
    }
    best
}

/// The beginning of a text from outside, fit for one line.
fn shown(text: &str) -> String {
    text.chars().take(80).filter(|c| !c.is_control()).collect()
}
