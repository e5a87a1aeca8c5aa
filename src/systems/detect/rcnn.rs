//! A trained R-CNN at work: selective search, each region warped and read by a network of its own run, boxes moved, doubles
//! suppressed. Slow, and every stage can be looked at.

use super::boxes::{REGION_UNITS, shifted, within};
use super::search::Search;
use super::{Ask, CLASSES, Detection, chosen, scaled};
use crate::data::pictures::Rgb;
use crate::error::{Error, Result};
use crate::kernel::Level;
use crate::kernel::roi::{self, Align, Region};
use crate::kernel::softmax::softmax;
use crate::nn::{Mode, Network, Params, Run, Want, Wire, fold};
use crate::shape::Shape;
use crate::tensor::Map;
use crate::zoo::rcnn::SIDE;

/// Pixels of the longer side of a picture that is searched.
const SEARCHED: usize = super::SIDE;
/// The most proposals of a picture that are read.
pub const MOST: usize = 300;
/// The shortest and the longest side of a proposal, in pixels; the second in parts of the picture's longer side.
const SIDES: (f32, f32) = (5.0, 0.7);
/// The part of a region's side that is shown of what surrounds it, on each side: the paper's 16 of 227 pixels and more.
const CONTEXT: f32 = 0.12;
/// Regions in one run.
const BATCH: usize = 32;

/// A network that reads regions, and the search for them.
pub struct Rcnn {
    net: Network,
    params: Params,
    run: Run,
    refined: Wire,
    search: Search,
}

/// What was made of a picture, step by step, in pixels of the searched picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Searched {
    /// Regions that were read, as the search ranks them.
    pub proposals: Vec<Region>,
    /// Of each the probabilities of the background and the digits.
    pub probabilities: Vec<[f32; CLASSES]>,
    /// Of each, by digit, where the thing lies.
    pub refined: Vec<[Region; CLASSES - 1]>,
    /// Pixels of the searched picture for one of the picture.
    pub scale: f32,
}

impl Searched {
    /// The digits among what was read, the surest first, in the pixels of the picture.
    pub fn found(&self, ask: &Ask, picture: &Rgb) -> Vec<Detection> {
        let all = self.probabilities.iter().zip(&self.refined).flat_map(|(probabilities, regions)| {
            let digits = probabilities[1..].iter().zip(regions).enumerate();
            digits.map(|(digit, (score, region))| Detection { digit: digit as u8, score: *score, region: *region })
        });
        chosen(all, ask, self.scale, picture)
    }
}

impl Rcnn {
    /// From a network and its parameters. Errors: [`Error::Missing`] for a network without the layer `refined`,
    /// [`Error::Shape`] for one of other regions or classes.
    pub fn new(net: &Network, params: &Params) -> Result<Self> {
        let (net, params) = fold::for_inference(net, params)?;
        let refined = net.wire("refined")?;
        let (x, y) = (net.input_shape(), net.node(net.output()).shape);
        if x != Shape::new(3, SIDE, SIDE) || y != Shape::new(CLASSES, 1, 1) || net.node(refined).shape.c != 4 * CLASSES
        {
            let expected = format!("3×{SIDE}×{SIDE} in, {CLASSES} scores and as many boxes out");
            return Err(Error::shape("R-CNN", expected, format!("{x} in, {y} out")));
        }
        let run = Run::new(&net, BATCH, &Want::values(vec![refined]));
        Ok(Self { net, params, run, refined, search: Search::sheet() })
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

    /// As [`Rcnn::detect`], up to the regions' probabilities. Errors likewise.
    pub fn look(&mut self, picture: &Rgb) -> Result<Searched> {
        let (small, scale) = searched(picture)?;
        let (w, h) = (small.w as f32, small.h as f32);
        let mut proposals = proposals(&self.search, &small)?;
        proposals.truncate(MOST);
        let warp = Warp::new(&small);
        let (mut probabilities, mut refined) = (Vec::new(), Vec::new());
        for regions in proposals.chunks(BATCH) {
            let images: Vec<f32> = regions.iter().flat_map(|region| warp.region(self.run.level(), *region)).collect();
            self.run.forward(&self.params, &images, regions.len(), Mode::Infer)?;
            let mut scores = self.run.output().to_vec();
            softmax(self.run.level(), &mut scores, CLASSES);
            probabilities.extend(scores.as_chunks::<CLASSES>().0);
            let moved = self.run.values(self.refined).map_or(&[][..], |(values, _)| values);
            for (region, by) in regions.iter().zip(moved.chunks_exact(4 * CLASSES)) {
                refined.push(std::array::from_fn(|digit| {
                    let by: [f32; 4] = std::array::from_fn(|k| by[4 * (digit + 1) + k]);
                    within(shifted(*region, by, REGION_UNITS), w, h)
                }));
            }
        }
        Ok(Searched { proposals, probabilities, refined, scale })
    }
}

/// The picture with its longer side as long as is searched, in colours as files have them, and pixels of it for one of the
/// picture.
pub fn searched(picture: &Rgb) -> Result<(Rgb, f32)> {
    super::check(picture)?;
    let scale = SEARCHED as f32 / picture.h.max(picture.w) as f32;
    let side = |n: usize| ((n as f32 * scale).round() as usize).clamp(1, SEARCHED);
    let mut small = picture.resized(side(picture.h), side(picture.w));
    small.pixels.iter_mut().for_each(|v| *v = super::sample::quantised(*v));
    Ok((small, scale))
}

/// The proposals for a searched picture that a digit could fill, as the search ranks them. Errors: those of
/// [`Search::regions`].
pub fn proposals(search: &Search, picture: &Rgb) -> Result<Vec<Region>> {
    let mut all = search.regions(picture, 1)?;
    let longest = SIDES.1 * picture.h.max(picture.w) as f32;
    all.retain(|[x0, y0, x1, y1]| {
        let (w, h) = (x1 - x0, y1 - y0);
        w.max(h) >= SIDES.0 && w.max(h) <= longest && w >= 2.0 && h >= SIDES.0
    });
    Ok(all)
}

/// A picture that regions are cut from.
pub struct Warp {
    map: Map,
    pixels: Vec<f32>,
}

impl Warp {
    /// Of a picture.
    pub fn new(picture: &Rgb) -> Self {
        let map = Map::new(Shape::new(3, picture.h, picture.w), (0, 0));
        let mut pixels = vec![0.0; map.len()];
        let read: Vec<f32> = picture.pixels.iter().map(|v| scaled(*v)).collect();
        map.fill_from_chw(&read, &mut pixels);
        Self { map, pixels }
    }

    /// A region with some of its surroundings, warped to the network's square, as the network reads it: CHW. What lies outside of
    /// the picture is 0.
    pub fn region(&self, level: Level, [x0, y0, x1, y1]: Region) -> Vec<f32> {
        let (dx, dy) = (CONTEXT * (x1 - x0), CONTEXT * (y1 - y0));
        let how = Align { samples: 0, ..Align::square(SIDE, 1.0) };
        let out = Map::new(Shape::new(3, SIDE, SIDE), (0, 0));
        let (mut warped, mut image) = (vec![0.0; out.len()], vec![0.0; out.len()]);
        let region = [[x0 - dx, y0 - dy, x1 + dx, y1 + dy]];
        roi::align(level, &how, (&self.pixels, &self.map), &region, &mut warped);
        out.copy_to_chw(&warped, &mut image);
        image
    }
}
