//! Selective search: regions that may hold a thing, found by joining what looks alike (Uijlings, van de Sande, Gevers and
//! Smeulders 2013). R-CNN's proposals.
//!
//! [`segments`] cuts the picture into pieces of one colour (Felzenszwalb and Huttenlocher 2004); grouping joins the two
//! most similar neighbours again and again, and every region on the way is a proposal. Several colour spaces, scales and
//! measures of similarity make the search diverse. The rules are those of OpenCV's implementation.

mod colour;
mod grouping;
mod segments;

pub use colour::Space;
pub use grouping::Measure;
pub use segments::{Segments, segments};

use super::check;
use crate::data::pictures::Rgb;
use crate::error::Result;
use crate::kernel::roi::Region;
use crate::rng::Rng;
use colour::converted;
use grouping::Groups;

/// What is searched by: every space with every scale by every measure.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// Colour spaces.
    pub spaces: Vec<Space>,
    /// Scales of the segmentation, `k`: the larger, the larger its pieces.
    pub scales: Vec<f32>,
    /// Measures of similarity.
    pub measures: Vec<Measure>,
    /// Pixels of the smallest piece.
    pub least: usize,
    /// Deviation of the Gaussian that smooths the picture, in pixels.
    pub sigma: f32,
}

impl Search {
    /// OpenCV's single strategy.
    pub fn single() -> Self {
        Self { spaces: vec![Space::Hsv], scales: vec![200.0], measures: vec![Measure::All], least: 100, sigma: 0.8 }
    }

    /// The paper's fast mode, in OpenCV's settings.
    pub fn fast() -> Self {
        Self {
            spaces: vec![Space::Hsv, Space::Lab],
            scales: vec![150.0, 300.0, 450.0],
            measures: vec![Measure::All, Measure::FillTextureSize],
            ..Self::single()
        }
    }

    /// The fast mode for sheets of 128 pixels, whose smallest digits have fewer pixels than OpenCV's smallest piece.
    pub fn sheet() -> Self {
        Self { scales: vec![80.0, 250.0], least: 16, ..Self::fast() }
    }

    /// The regions of a picture, each once, those of late joins first, by chance in between: `seed` decides it.
    ///
    /// Errors: [`crate::Error::Shape`] for a picture without pixels, [`crate::Error::Value`] for numbers that are not finite.
    pub fn regions(&self, picture: &Rgb, seed: u64) -> Result<Vec<Region>> {
        check(picture)?;
        let mut rng = Rng::new(seed);
        let mut all: Vec<(f32, [usize; 4])> = Vec::new();
        for space in &self.spaces {
            let picture = converted(picture, *space);
            for scale in &self.scales {
                let pieces = segments(&picture, *scale, self.least, self.sigma);
                for measure in &self.measures {
                    let boxes = Groups::new(&picture, &pieces).join(*measure);
                    let n = boxes.len();
                    all.extend(boxes.into_iter().enumerate().map(|(i, b)| (rng.uniform() * (n - i) as f32, b)));
                }
            }
        }
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut seen = std::collections::BTreeSet::new();
        all.retain(|(_, b)| seen.insert(*b));
        Ok(all.into_iter().map(|(_, b)| b.map(|v| v as f32)).collect())
    }
}
