//! Instant style: one hand, learnt once, painted in one pass. Johnson et al. 2016.

use super::features::OWN;
use super::{given, wired};
use crate::data::pictures::Rgb;
use crate::error::{Error, Result};
use crate::nn::{Mode, Network, Params, Purpose, Run};
use crate::shape::Shape;

/// What sides are rounded up to: the network halves a picture twice.
const MULTIPLE: usize = 4;
/// Pixels that a picture is mirrored over each edge by before it is painted: the zeros that convolutions find beyond an edge
/// would leave a pale frame.
pub(super) const MARGIN: usize = 8;
/// The smallest and the largest side.
const SIDES: (usize, usize) = (16, 512);

/// A network that paints in one hand.
pub struct Stylizer {
    name: String,
    net: Network,
    params: Params,
    /// For pictures of the last size, rounded up.
    run: Option<(Run, Params)>,
    picture: Vec<f32>,
}

impl Stylizer {
    /// Opens a file of weights. Errors: those of [`super::Features::read`]; [`Error::Shape`] for a network that does not
    /// make pictures of pictures.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let (name, net, params, _) = given::read(bytes)?;
        let (from, to) = (net.input_shape(), net.node(net.output()).shape);
        if from != to || from.c != 3 {
            return Err(Error::shape(
                "stylizer",
                "a network from pictures to pictures of their size",
                format!("{from} to {to}"),
            ));
        }
        Ok(Self { name, net, params, run: None, picture: Vec::new() })
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
                self.run.insert((Run::new(&net, 1, &Purpose::Infer { taps: Vec::new() }), params))
            }
        };
        self.picture.clear();
        let [mean, deviation] = OWN;
        for (k, plane) in picture.planes().enumerate() {
            for y in 0..whole.h {
                let row = &plane[mirrored(y, h) * w..][..w];
                self.picture.extend((0..whole.w).map(|x| (row[mirrored(x, w)] - mean[k]) / deviation[k]));
            }
        }
        run.forward(params, &self.picture, 1, Mode::Infer)?;
        let mut painted = Rgb::new(whole.h, whole.w);
        run.read(run.network().output(), 0, &mut painted.pixels)?;
        Ok(painted.cut(MARGIN, MARGIN, h, w))
    }
}

/// Which of `n` pixels place `at` shows, [`MARGIN`] of them mirrored before the first and as many and more behind the last.
fn mirrored(at: usize, n: usize) -> usize {
    let at = at.abs_diff(MARGIN);
    if at < n { at } else { 2 * (n - 1) - at }
}
