//! Instant style: one hand, learnt once, painted in one pass. Johnson et al. 2016.

use super::features::OWN;
use super::{given, wired};
use crate::data::pictures::Rgb;
use crate::error::{Error, Result};
use crate::nn::{Mode, Network, Params, Run, Want};
use crate::rng::Rng;
use crate::shape::Shape;

/// What sides are rounded up to: the network halves a picture twice.
const MULTIPLE: usize = 4;
/// Pixels that a picture is mirrored over each edge by before it is painted: the zeros that convolutions find beyond an edge
/// would leave a frame.
pub(super) const MARGIN: usize = 16;
/// The smallest and the largest side.
const SIDES: (usize, usize) = (16, 512);
/// Pixels along each side of a grain.
const GRAIN: usize = 4;

/// A network that paints in one hand.
pub struct Stylizer {
    name: String,
    net: Network,
    params: Params,
    grain: f32,
    /// For pictures of the last size, rounded up.
    run: Option<(Run, Params)>,
    /// What is added to each colour of such a picture.
    grains: Vec<f32>,
    picture: Vec<f32>,
}

impl Stylizer {
    /// Opens a file of weights. Errors: those of [`super::Features::read`]; [`Error::Shape`] for a network that does not
    /// make pictures of pictures.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let (name, net, params, metadata) = given::read(bytes)?;
        let (from, to) = (net.input_shape(), net.node(net.output()).shape);
        if from != to || from.c != 3 {
            return Err(Error::shape(
                "stylizer",
                "a network from pictures to pictures of their size",
                format!("{from} to {to}"),
            ));
        }
        let grain = match metadata.get("grain") {
            Some(text) => text.parse().ok().filter(|grain| (0.0..=1.0).contains(grain)),
            None => Some(0.0),
        };
        let grain = grain.ok_or_else(|| Error::value("grain", "a number from 0 to 1", metadata["grain"].clone()))?;
        Ok(Self { name, net, params, grain, run: None, grains: Vec::new(), picture: Vec::new() })
    }

    /// Whose hand it is.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The picture in that hand, as large as it came. Buffers stay for the next one of its size. Errors: [`Error::Value`]
    /// for sides out of range.
    pub fn paint(&mut self, picture: &Rgb) -> Result<Rgb> {
        let Rgb { h, w, .. } = *picture;
        if !(SIDES.0..=SIDES.1).contains(&h.min(w)) || h.max(w) > SIDES.1 {
            return Err(Error::value(
                "picture",
                format!("sides from {} to {}", SIDES.0, SIDES.1),
                format!("{w} × {h}"),
            ));
        }
        let side = |n: usize| (n + 2 * MARGIN).next_multiple_of(MULTIPLE);
        let whole = Shape::new(3, side(h), side(w));
        let (run, params) = match self.run.take().filter(|(run, _)| run.network().input_shape() == whole) {
            Some(run) => self.run.insert(run),
            None => {
                let (net, params) = wired(&self.net, &self.params, self.net.output(), (whole.h, whole.w))?;
                self.grains = grains(1, self.grain, (whole.h, whole.w));
                self.run.insert((Run::new(&net, 1, &Want::outputs()), params))
            }
        };
        self.picture.clear();
        let [mean, deviation] = OWN;
        for (k, plane) in picture.planes().enumerate() {
            for (y, grains) in self.grains.chunks_exact(whole.w).enumerate() {
                let row = &plane[mirrored(y, h) * w..][..w];
                let seen = |(x, grain): (usize, &f32)| (row[mirrored(x, w)] - mean[k]) / deviation[k] + grain;
                self.picture.extend(grains.iter().enumerate().map(seen));
            }
        }
        run.forward(params, &self.picture, 1, Mode::Infer)?;
        let mut painted = Rgb::new(whole.h, whole.w);
        run.read(run.network().output(), 0, &mut painted.pixels)?;
        Ok(painted.cut(MARGIN, MARGIN, h, w))
    }
}

/// A plane of grains from `-most` to `most`. Where a picture is flat, a network that does the same everywhere could only answer
/// with something flat; a hand that has learnt to see grains lays its strokes there, too (Ulyanov et al. 2016 feed noise for
/// the same reason).
pub(super) fn grains(seed: u64, most: f32, (h, w): (usize, usize)) -> Vec<f32> {
    let mut rng = Rng::new(seed);
    let coarse: Vec<f32> = (0..h.div_ceil(GRAIN) * w.div_ceil(GRAIN)).map(|_| rng.range(-most, most)).collect();
    let grain = |y: usize, x: usize| coarse[y / GRAIN * w.div_ceil(GRAIN) + x / GRAIN];
    (0..h).flat_map(|y| (0..w).map(move |x| (y, x))).map(|(y, x)| grain(y, x)).collect()
}

/// Which of `n` pixels place `at` shows, [`MARGIN`] of them mirrored before the first and as many and more behind the last, to
/// and fro if they are fewer.
fn mirrored(at: usize, n: usize) -> usize {
    let at = at.abs_diff(MARGIN) % (2 * (n - 1));
    if at < n { at } else { 2 * (n - 1) - at }
}
