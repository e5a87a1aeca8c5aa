//! A trained Faster R-CNN at work: a picture in, digits out, and everything between to be looked at.

use super::boxes::{REGION_UNITS, shifted, within};
use super::proposals::{Choice, Proposal, propose};
use super::{Ask, CLASSES, Detection, SIDE, chosen, scaled};
use crate::data::pictures::Rgb;
use crate::error::{Error, Result};
use crate::kernel::roi::Region;
use crate::kernel::softmax::softmax;
use crate::nn::{Feed, Mode, Network, Params, Run, Want, Wire, fold};
use crate::shape::Shape;

/// How proposals are chosen when it answers.
const CHOICE: Choice = Choice { before: 300, after: 40, overlap: 0.6, least: -3.0 };

/// How often each region is read and moved: from where its digit lies it is read better, and its box fits closer (Gidaris and
/// Komodakis 2015, iterative localisation).
const PASSES: usize = 2;

/// A network that finds digits.
pub struct FasterRcnn {
    net: Network,
    params: Params,
    run: Run,
    wires: Wires,
}

#[derive(Debug, Clone, Copy)]
struct Wires {
    objectness: Wire,
    shifts: Wire,
    boxes: Wire,
    scores: Wire,
    refined: Wire,
}

/// What the network made of a picture, step by step, in pixels of its own square.
#[derive(Debug, Clone, PartialEq)]
pub struct Looked {
    /// Regions that it looked at, the best first.
    pub proposals: Vec<Proposal>,
    /// Of each region the probabilities of the background and the digits.
    pub probabilities: Vec<[f32; CLASSES]>,
    /// Of each region where its thing lies.
    pub refined: Vec<Region>,
    /// Pixels of the square for one of the picture.
    pub scale: f32,
}

impl Looked {
    /// The digits among what was looked at, the surest first, in the pixels of the picture.
    pub fn found(&self, ask: &Ask, picture: &Rgb) -> Vec<Detection> {
        let regions = self.probabilities.iter().zip(&self.refined);
        let all = regions.flat_map(|(probabilities, region)| {
            let digits = probabilities[1..].iter().enumerate();
            digits.map(|(digit, score)| Detection { digit: digit as u8, score: *score, region: *region })
        });
        chosen(all, ask, self.scale, picture)
    }
}

impl FasterRcnn {
    /// From a network and its parameters. Errors: [`Error::Missing`] for a network without a detector's layers,
    /// [`Error::Shape`] for one of another picture or other classes.
    pub fn new(net: &Network, params: &Params) -> Result<Self> {
        let (net, params) = fold::for_inference(net, params)?;
        let wire = |name: &str| net.wire(name);
        let wires = Wires {
            objectness: wire("objectness")?,
            shifts: wire("shifts")?,
            boxes: wire("boxes")?,
            scores: wire("scores")?,
            refined: wire("refined")?,
        };
        let (x, y) = (net.input_shape(), net.node(wires.scores).shape);
        if x != Shape::new(3, SIDE, SIDE) || y != Shape::new(CLASSES, 1, 1) {
            let expected = format!("3×{SIDE}×{SIDE} in, {CLASSES} scores of a region out");
            return Err(Error::shape("detector", expected, format!("{x} in, {y} out")));
        }
        // Regions are read more than once: the map of features stays.
        let features = net.node(net.wire("roi")?).inputs[0];
        let run = Run::new(&net, 1, &Want::values(vec![wires.objectness, wires.shifts, features]));
        Ok(Self { net, params, run, wires })
    }

    /// The network, lean for inference.
    pub fn network(&self) -> &Network {
        &self.net
    }

    /// The digits of a picture, the surest first. Errors: [`Error::Shape`] for a picture without pixels, [`Error::Value`] for
    /// numbers that are not finite.
    pub fn detect(&mut self, picture: &Rgb, ask: &Ask) -> Result<Vec<Detection>> {
        Ok(self.look(picture)?.found(ask, picture))
    }

    /// As [`FasterRcnn::detect`], up to the regions' probabilities. Errors likewise.
    pub fn look(&mut self, picture: &Rgb) -> Result<Looked> {
        let (image, scale) = fitted(picture)?;
        let Wires { objectness, shifts, boxes, scores, refined } = self.wires;
        let input = self.net.node(Wire::FIRST).name.clone();
        let feeds = [Feed::new(&input, &image), Feed::new("boxes", &[])];
        self.run.load_feeds(&self.params, &feeds, Mode::Infer)?;
        self.run.forward_before(&self.params, boxes);
        let proposals = propose(&self.run, [objectness, shifts], 0, &CHOICE);
        let mut regions: Vec<Region> = proposals.iter().map(|p| p.region).collect();
        let mut probabilities = vec![[0.0; CLASSES]; regions.len()];
        for _ in 0..PASSES {
            let rows: Vec<f32> = regions.iter().flat_map(|[x0, y0, x1, y1]| [0.0, *x0, *y0, *x1, *y1]).collect();
            self.run.feed(&[Feed::new("boxes", &rows)])?;
            self.run.forward_from(&self.params, boxes);
            let mut named = self.rows(scores).to_vec();
            softmax(self.run.level(), &mut named, CLASSES);
            for (sum, row) in probabilities.iter_mut().zip(named.chunks_exact(CLASSES)) {
                sum.iter_mut().zip(row).for_each(|(sum, p)| *sum += p / PASSES as f32);
            }
            for (region, by) in regions.iter_mut().zip(self.rows(refined).chunks_exact(4)) {
                let moved = shifted(*region, [by[0], by[1], by[2], by[3]], REGION_UNITS);
                *region = within(moved, SIDE as f32, SIDE as f32);
            }
        }
        Ok(Looked { probabilities, refined: regions, proposals, scale })
    }

    /// The vectors of a wire, one after another.
    fn rows(&self, wire: Wire) -> &[f32] {
        self.run.values(wire).map_or(&[], |(values, _)| values)
    }
}

/// The picture on the network's square, from the left top, as the network reads it, and pixels of the square for one of the
/// picture's. What it leaves free has the mean colour of its borders.
fn fitted(picture: &Rgb) -> Result<(Vec<f32>, f32)> {
    super::check(picture)?;
    let Rgb { h, w, .. } = *picture;
    let scale = SIDE as f32 / h.max(w) as f32;
    let side = |n: usize| ((n as f32 * scale).round() as usize).clamp(1, SIDE);
    let small = picture.resized(side(h), side(w));
    let mut image = Vec::with_capacity(3 * SIDE * SIDE);
    for plane in small.planes() {
        let last = plane.chunks_exact(small.w).map(|row| row[0] + row[small.w - 1]).sum::<f32>();
        let first: f32 = plane[..small.w].iter().chain(&plane[plane.len() - small.w..]).sum();
        let border = scaled((first + last) / (2 * (small.w + small.h)) as f32);
        let start = image.len();
        image.resize(start + SIDE * SIDE, border);
        for (to, from) in image[start..].chunks_exact_mut(SIDE).zip(plane.chunks_exact(small.w)) {
            to.iter_mut().zip(from).for_each(|(to, from)| *to = scaled(*from));
        }
    }
    Ok((image, scale))
}
