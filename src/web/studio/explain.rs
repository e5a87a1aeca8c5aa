//! The handle of the Inside lab: one network, one drawing, and everything there is to ask about the two.

mod report;

use super::{Outcome, give, take};
use crate::systems::explain::{self, Album, Ascent, Dream, Goal, Method};
use crate::systems::recognise::{self, Recogniser};
use crate::systems::saved::{self, Saved};
use crate::web::{give as door, take as ink};
use crate::{Error, Result};
use js_sys::Float32Array;
use report::{Climbed, Dreamt, Gathered, Grey, Neighbours, Numeric, Reasons, Softmax, WayBack, Working};
use std::cell::RefCell;
use wasm_bindgen::prelude::*;

/// The first digit of every album, and the most neighbours to ask for.
const SEED: u64 = 40_000;
const NEIGHBOURS: u64 = 50;
/// Steps in one call, and places: what a float holds exactly.
const MOST: u64 = 1 << 53;

/// A network that lets itself be looked into, living in the engine's memory until `free` is called. What it is asked is about
/// the drawing or the picture that it looked at last.
#[wasm_bindgen]
pub struct Explainer(RefCell<Room>);

struct Room {
    /// Where it reads digits.
    recogniser: Option<Recogniser>,
    layers: Vec<recognise::Layer>,
    explainer: explain::Explainer,
    album: Album,
    ascent: Option<Ascent>,
    dream: Option<Dream>,
}

impl Room {
    fn ascent(&mut self) -> Result<(&mut Ascent, &mut explain::Explainer)> {
        let missing = || Error::missing("ascent", "a goal before", "none");
        Ok((self.ascent.as_mut().ok_or_else(missing)?, &mut self.explainer))
    }
}

/// A method by its name, with what it is asked with.
pub(super) fn method(method: &JsValue, amount: &JsValue, noise: &JsValue) -> Result<Method> {
    let (amount, noise) = (take::count("amount", amount)?, take::number("noise", noise)? as f32);
    Ok(match &*take::text("method", method)? {
        "saliency" => Method::Saliency,
        "smooth_grad" => Method::SmoothGrad { samples: amount, noise, seed: 1 },
        "guided" => Method::Guided,
        "grad_cam" => Method::GradCam,
        "occlusion" => Method::Occlusion { side: amount, stride: amount.div_ceil(4).max(1) },
        "integrated" => Method::Integrated { steps: amount },
        other => return Err(Error::missing("method", "one of those listed", other)),
    })
}

/// What a network reads for paper and for ink in each channel: 0 and 1 if it is not said.
fn ends(value: &JsValue) -> Result<Vec<[f32; 2]>> {
    if value.is_undefined() {
        return Ok(vec![[0.0, 1.0]]);
    }
    Ok(take::floats("ends", value)?.chunks(2).map(|pair| [pair[0], pair.get(1).copied().unwrap_or(f32::NAN)]).collect())
}

/// What a method says, for JavaScript.
pub(super) fn given(reasons: &explain::Reasons) -> Outcome<JsValue> {
    give::plain(&Reasons { map: reasons.map.as_slice().into(), score: reasons.score, baseline: reasons.baseline })
}

#[wasm_bindgen]
impl Explainer {
    /// Opens the network in a safetensors file. Throws with code `format`, `missing`, `shape` or `value` where it is none.
    #[wasm_bindgen(constructor)]
    pub fn new(#[wasm_bindgen(unchecked_param_type = "Uint8Array")] weights: &JsValue) -> Outcome<Self> {
        let Saved { net, params, metadata } = saved::read(&ink::weights(weights)?)?;
        let (layers, digits) = (recognise::layers(&net), recognise::reads_digits(&net));
        let explainer = explain::Explainer::new(&net, &params)?;
        let recogniser = digits.then(|| Recogniser::of_network(net, params, &metadata)).transpose()?;
        let album = Album::new(&explainer, SEED);
        Ok(Self(RefCell::new(Room { recogniser, layers, explainer, album, ascent: None, dream: None })))
    }

    /// Every layer there is to look at, from the input to the scores.
    #[wasm_bindgen(unchecked_return_type = "Layer[]")]
    pub fn layers(&self) -> Outcome<JsValue> {
        door::layers(&self.0.borrow().layers)
    }

    /// The most channels that `want` takes at once.
    #[wasm_bindgen(getter)]
    pub fn batch(&self) -> usize {
        self.0.borrow().explainer.batch()
    }

    /// Takes a drawing in and reads it. Where there is no ink, the one before stays. Throws with code `shape` where the network
    /// does not read digits of 28 × 28.
    #[wasm_bindgen(unchecked_return_type = "Reading")]
    pub fn look(&self, #[wasm_bindgen(unchecked_param_type = "Ink")] drawing: &JsValue) -> Outcome<JsValue> {
        let drawing = ink::drawing(drawing)?;
        let room = &mut *self.0.borrow_mut();
        let Some(recogniser) = &mut room.recogniser else {
            return Err(Error::shape(
                "network for drawings",
                "28 × 28 in, 10 out",
                room.explainer.network().input_shape(),
            )
            .into());
        };
        let reading = match recogniser.read_ink(&drawing.ink()) {
            Err(Error::Empty) => return door::empty(),
            reading => reading?,
        };
        room.explainer.look(&reading.steps.input.pixels)?;
        door::reading(&reading)
    }

    /// Takes a picture in: the numbers that the network reads, channel after channel (CHW). Returns each class's probability.
    /// Throws with code `shape` or `value`, and the one before stays.
    pub fn see(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Float32Array")] picture: &JsValue,
    ) -> Outcome<Float32Array> {
        let picture = take::floats("picture", picture)?;
        let explainer = &mut self.0.borrow_mut().explainer;
        explainer.look(&picture)?;
        Ok(explainer.softmax()?.probabilities.as_slice().into())
    }

    /// The values of a layer, map after map (CHW), behind the activation that works in its buffer.
    pub fn values(&self, #[wasm_bindgen(unchecked_param_type = "string")] layer: &JsValue) -> Outcome<Float32Array> {
        let layer = take::text("layer", layer)?;
        Ok(self.0.borrow().explainer.values(&layer)?.as_slice().into())
    }

    /// A parameter, in its public order (OIHW; out × in). Throws with code `missing` for a name that there is not.
    #[wasm_bindgen(unchecked_return_type = "Tensor")]
    pub fn parameter(&self, #[wasm_bindgen(unchecked_param_type = "string")] name: &JsValue) -> Outcome<JsValue> {
        let name = take::text("parameter", name)?;
        let tensor = self.0.borrow().explainer.params().get(&name)?;
        give::plain(&give::tensor(&name, &tensor))
    }

    /// Which pixels speak for a class: by `saliency`, `smooth_grad`, `guided`, `grad_cam`, `occlusion` or `integrated`.
    /// `amount` is how many noisy pictures are taken, how wide the square is, how many steps; `noise` its deviation.
    #[wasm_bindgen(unchecked_return_type = "Reasons")]
    pub fn reasons(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Method")] method: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] class: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] amount: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] noise: &JsValue,
    ) -> Outcome<JsValue> {
        let (class, method) = (take::count("class", class)?, self::method(method, amount, noise)?);
        given(&self.0.borrow_mut().explainer.reasons(method, class)?)
    }

    /// The numbers behind one number of a layer, and what of the picture can reach it.
    #[wasm_bindgen(unchecked_return_type = "Working")]
    pub fn step(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] layer: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] channel: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] y: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] x: &JsValue,
    ) -> Outcome<JsValue> {
        let layer = take::text("layer", layer)?;
        let (channel, y, x) = (take::count("channel", channel)?, take::count("row", y)?, take::count("column", x)?);
        let room = self.0.borrow();
        let step = room.explainer.step(&layer, channel, y, x)?;
        let field = room.explainer.receptive_field(&layer, y, x)?;
        give::plain(&Working {
            kind: step.kind,
            from: step.from,
            at: step.at,
            kernel: step.window.kernel.into(),
            stride: step.window.stride.into(),
            pad: step.window.pad.into(),
            dilation: step.window.dilation.into(),
            channels: [step.channels.start, step.channels.end],
            inputs: step.inputs.as_slice().into(),
            weights: step.weights.as_slice().into(),
            bias: step.bias,
            sum: step.sum,
            value: step.value,
            field: [field.top, field.left, field.bottom, field.right],
        })
    }

    /// `im2col`: every window of a layer with weights as a row of a matrix.
    #[wasm_bindgen(unchecked_return_type = "Picture")]
    pub fn columns(&self, #[wasm_bindgen(unchecked_param_type = "string")] layer: &JsValue) -> Outcome<JsValue> {
        let layer = take::text("layer", layer)?;
        let (shape, matrix) = self.0.borrow().explainer.columns(&layer)?;
        give::plain(&Grey { width: shape.w, height: shape.h, pixels: matrix.as_slice().into() })
    }

    /// How the scores become probabilities.
    #[wasm_bindgen(unchecked_return_type = "Softmax")]
    pub fn softmax(&self) -> Outcome<JsValue> {
        let softmax = self.0.borrow().explainer.softmax()?;
        give::plain(&Softmax {
            scores: softmax.scores.as_slice().into(),
            powers: softmax.powers.as_slice().into(),
            probabilities: softmax.probabilities.as_slice().into(),
        })
    }

    /// The way back from the loss of the drawing as a `label`: the gradient of a layer's maps and of its weights, and the loss
    /// after a step of gradient descent. The network stays as it is.
    #[wasm_bindgen(unchecked_return_type = "WayBack")]
    pub fn backward(
        &self,
        #[wasm_bindgen(unchecked_param_type = "number")] label: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "string")] layer: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] rate: &JsValue,
    ) -> Outcome<JsValue> {
        let (label, layer) = (take::count("label", label)?, take::text("layer", layer)?);
        let rate = take::number("rate", rate)? as f32;
        let explainer = &mut self.0.borrow_mut().explainer;
        let back = explainer.backward(label)?;
        let maps = explainer.value_gradient(&back, &layer)?;
        let name = format!("{layer}.weight");
        let gradient = explainer.weight_gradient(&back, &name).ok();
        give::plain(&WayBack {
            loss: back.loss,
            after: explainer.loss_after(&back, rate)?,
            maps: maps.as_slice().into(),
            gradient: gradient.map(|gradient| give::tensor(&name, &gradient)),
        })
    }

    /// The slope of the loss by one weight, from the losses with that weight moved by `h` down and up.
    #[wasm_bindgen(unchecked_return_type = "Numeric")]
    pub fn numeric(
        &self,
        #[wasm_bindgen(unchecked_param_type = "number")] label: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "string")] parameter: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] place: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] h: &JsValue,
    ) -> Outcome<JsValue> {
        let (label, place) = (take::count("label", label)?, take::count("place", place)?);
        let (parameter, h) = (take::text("parameter", parameter)?, take::number("h", h)? as f32);
        let explain::Numeric { below, above, slope } =
            self.0.borrow_mut().explainer.numeric(label, &parameter, place, h)?;
        give::plain(&Numeric { below, above, slope })
    }

    /// Makes so many more digits and looks at them; returns how many there are.
    pub fn gather(&self, #[wasm_bindgen(unchecked_param_type = "number")] count: &JsValue) -> Outcome<usize> {
        let count = take::count("made digits", count)?;
        let Room { album, explainer, .. } = &mut *self.0.borrow_mut();
        album.add(explainer, count)?;
        Ok(album.labels().len())
    }

    /// The made digits: their labels, the rows of their features, and their places along the two principal components.
    #[wasm_bindgen(unchecked_return_type = "Gathered")]
    pub fn gathered(&self) -> Outcome<JsValue> {
        let room = &mut *self.0.borrow_mut();
        let axes = room.album.axes()?.clone();
        let rows = room.album.rows();
        let places: Vec<f32> =
            rows.chunks_exact(room.explainer.feature_len()).flat_map(|row| axes.place(row)).collect();
        give::plain(&Gathered {
            labels: room.album.labels().into(),
            rows: rows.into(),
            places: places.as_slice().into(),
            shares: axes.shares,
        })
    }

    /// Where the drawing lies among the made digits, and which are nearest to it.
    #[wasm_bindgen(unchecked_return_type = "Neighbours")]
    pub fn neighbours(&self, #[wasm_bindgen(unchecked_param_type = "number")] count: &JsValue) -> Outcome<JsValue> {
        let count = take::whole("neighbours", count, NEIGHBOURS)? as usize;
        let Room { album, explainer, .. } = &mut *self.0.borrow_mut();
        let place = album.axes()?.place(&explainer.features()?);
        let (which, distances): (Vec<u32>, Vec<f32>) =
            album.nearest(explainer, count)?.into_iter().map(|(i, distance)| (i as u32, distance)).unzip();
        give::plain(&Neighbours { place, which: which.as_slice().into(), distances: distances.as_slice().into() })
    }

    /// The picture of a made digit, 0 paper to 1 ink.
    pub fn made(&self, #[wasm_bindgen(unchecked_param_type = "number")] digit: &JsValue) -> Outcome<Float32Array> {
        let digit = take::count("made digit", digit)?;
        Ok(self.0.borrow().album.picture(digit)?.as_slice().into())
    }

    /// Begins to climb to what channels of a layer want, a picture for each.
    pub fn want(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] layer: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "Uint32Array")] channels: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "Wish")] wish: &JsValue,
    ) -> Outcome<()> {
        let (layer, channels) = (take::text("layer", layer)?, take::places("channels", channels)?);
        let amount = |name: &str| -> Outcome<f32> { Ok(take::number(name, &take::field(wish, name)?)? as f32) };
        let goal = Goal {
            rate: amount("rate")?,
            blur: amount("blur")?,
            variation: amount("variation")?,
            jitter: take::count("jitter", &take::field(wish, "jitter")?)?,
            seed: take::whole("seed", &take::field(wish, "seed")?, MOST)?,
            ends: ends(&take::field(wish, "ends")?)?,
            ..Goal::new(&layer, channels)
        };
        let room = &mut *self.0.borrow_mut();
        room.ascent = Some(Ascent::new(&room.explainer, goal)?);
        Ok(())
    }

    /// So many steps up; gives the pictures, one after another, and what each had reached before the last step.
    #[wasm_bindgen(unchecked_return_type = "{ pictures: Float32Array; reached: Float32Array }")]
    pub fn climb(&self, #[wasm_bindgen(unchecked_param_type = "number")] steps: &JsValue) -> Outcome<JsValue> {
        let steps = take::count("steps", steps)?;
        let room = &mut *self.0.borrow_mut();
        let (ascent, explainer) = room.ascent()?;
        let mut reached = Vec::new();
        for _ in 0..steps {
            reached = ascent.step(explainer)?;
        }
        give::plain(&Climbed { pictures: ascent.pictures().into(), reached: reached.as_slice().into() })
    }

    /// Begins to dream what a layer sees in a picture, channel after channel (CHW), 0 paper to 1 ink. `ends` are what the network
    /// reads for paper and ink in each channel, two numbers for each; left out they are 0 and 1.
    pub fn dream(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] layer: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "Float32Array")] picture: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] width: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] rate: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "Float32Array | undefined")] ends: &JsValue,
    ) -> Outcome<()> {
        let (layer, picture) = (take::text("layer", layer)?, take::floats("picture", picture)?);
        let (width, rate) = (take::count("width", width)?, take::number("rate", rate)? as f32);
        let ends = self::ends(ends)?;
        let room = &mut *self.0.borrow_mut();
        let row = width.saturating_mul(room.explainer.network().input_shape().c);
        let size = (picture.len().checked_div(row).unwrap_or(0), width);
        let (net, params) = (room.explainer.network(), room.explainer.params());
        room.dream = Some(Dream::new(net, params, &layer, &picture, size, &ends, rate)?);
        Ok(())
    }

    /// A step of the dream: the picture at its present size (CHW), and how many of all steps have been taken.
    #[wasm_bindgen(js_name = dreamOn, unchecked_return_type = "Picture & { done: number; of: number; seen: number }")]
    pub fn dream_on(&self) -> Outcome<JsValue> {
        let room = &mut *self.0.borrow_mut();
        let dream = room.dream.as_mut().ok_or_else(|| Error::missing("dream", "a picture before", "none"))?;
        let seen = dream.step()?;
        let ((height, width, pixels), (done, of)) = (dream.picture(), dream.steps());
        give::plain(&Dreamt { width, height, pixels: pixels.into(), done, of, seen })
    }
}
