//! Segmentation: the class of every pixel. FCN and SegNet, trained on sheets of digits and on streets that the engine draws.
//!
//! A picture of any size is brought to the size that the network was trained on, and its mask back to the picture's own.

pub mod dense;
mod sample;
pub mod score;
pub mod training;

pub use sample::{Pool, Sample, Task};
pub use score::{Score, judge};
pub use training::Training;

use crate::data::pictures::Rgb;
use crate::error::{Error, Result};
use crate::kernel::reduce::argmax;
use crate::nn::{Mode, Network, Params, Run, Want, Wire, fold};
use crate::shape::Shape;
use crate::zoo;
use std::collections::BTreeMap;

/// What a colour's mean and deviation are taken for, so that a network reads numbers about 0.
pub(crate) const SCALE: [f32; 2] = [0.5, 0.25];

/// How a network is trained.
#[derive(Debug, Clone, Copy)]
pub struct Recipe {
    /// The name that files, the command and the page know it by.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// What it is trained on.
    pub task: Task,
    plan: Wiring,
    /// Steps if none are asked for.
    pub steps: u64,
    /// Adam's highest rate.
    rate: f32,
}

/// What network a recipe has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wiring {
    /// FCN, with its three answers.
    Fcn,
    /// SegNet with the encoder that FCN has.
    SegnetOnMaps,
    /// SegNet.
    Segnet,
}

/// Every recipe.
pub const RECIPES: [Recipe; 3] = [
    Recipe {
        name: "fcn8s",
        about: "FCN-32s, 16s and 8s on sheets of digits (Long et al. 2015)",
        task: Task::Sheets,
        plan: Wiring::Fcn,
        steps: 8000,
        rate: 3e-3,
    },
    Recipe {
        name: "segnet",
        about: "SegNet on sheets of digits (Badrinarayanan et al. 2017)",
        task: Task::Sheets,
        plan: Wiring::SegnetOnMaps,
        steps: 6000,
        rate: 3e-3,
    },
    Recipe {
        name: "segnet_street",
        about: "SegNet on streets in all weathers (Badrinarayanan et al. 2017)",
        task: Task::Streets,
        plan: Wiring::Segnet,
        steps: 3600,
        rate: 5e-3,
    },
];

impl Recipe {
    /// The recipe of that name. Errors: [`Error::Missing`] with the names there are.
    pub fn named(name: &str) -> Result<Self> {
        RECIPES.into_iter().find(|recipe| recipe.name == name).ok_or_else(|| {
            let names = RECIPES.map(|recipe| recipe.name).join(", ");
            Error::missing("segmentation recipe", format!("one of {names}"), name)
        })
    }

    /// The layers that learn to score beside the answer, and their strides. A layer that has no scores is given some to learn.
    fn coarse(&self) -> &'static [(&'static str, usize)] {
        match self.plan {
            Wiring::Fcn => &zoo::fcn::COARSE,
            Wiring::SegnetOnMaps => &[zoo::segnet::DEEP],
            Wiring::Segnet => &[],
        }
    }

    /// Wires its network; gives the answers, the best one last.
    fn wire(&self, g: &mut crate::nn::Graph, x: Wire) -> Result<Vec<Wire>> {
        let classes = self.task.classes().len();
        match self.plan {
            Wiring::Fcn => Ok(zoo::fcn::fcn(g, x, classes)?.to_vec()),
            Wiring::SegnetOnMaps => Ok(vec![zoo::segnet::segnet_on_maps(g, x, classes)?]),
            Wiring::Segnet => Ok(vec![zoo::segnet::segnet(g, x, classes)?]),
        }
    }
}

/// The class of every pixel of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    /// Rows.
    pub h: usize,
    /// Columns.
    pub w: usize,
    /// Numbers of the classes, row after row.
    pub classes: Vec<u8>,
}

/// A network that reads the class of every pixel.
pub struct Segmenter {
    name: String,
    classes: Vec<String>,
    net: Network,
    params: Params,
    run: Run,
}

impl Segmenter {
    /// From a network, its parameters and what its file says of it. Errors: [`Error::Shape`] for a network that does not read
    /// three colours or answers no pixels; [`Error::Missing`] for one whose file does not name its classes.
    pub fn new(net: &Network, params: &Params, metadata: &BTreeMap<String, String>) -> Result<Self> {
        let names =
            metadata.get("classes").ok_or_else(|| Error::missing("segmentation", "names of classes", "none"))?;
        let classes: Vec<String> = names.split(',').map(String::from).collect();
        let (x, y) = (net.input_shape(), net.node(net.output()).shape);
        if x.c != 3 || y != Shape::new(classes.len(), x.h, x.w) {
            let expected = format!("3 colours in, {} scores out for every pixel", classes.len());
            return Err(Error::shape("segmentation", expected, format!("{x} in, {y} out")));
        }
        let name = metadata.get("name").cloned().unwrap_or_default();
        let (net, params) = fold::for_inference(net, params)?;
        let run = Run::new(&net, 1, &Want::outputs());
        Ok(Self { name, classes, net, params, run })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The names of its classes; the first is the background.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The network, lean for inference.
    pub fn network(&self) -> &Network {
        &self.net
    }

    /// Multiply-adds for one picture.
    pub fn multiply_adds(&self) -> u64 {
        dense::multiply_adds(&self.net)
    }

    /// The names of its answers, the best one last: `32s`, `16s`, `8s` of an FCN; `scores` of a network with one.
    pub fn answers(&self) -> Vec<&str> {
        let others = self.net.outputs().iter().map(|(name, _)| name.as_str());
        let best = if self.net.outputs().is_empty() { "scores" } else { "8s" };
        others.chain([best]).collect()
    }

    /// The class of every pixel. Errors: [`Error::Shape`] for a picture without pixels, [`Error::Value`] for numbers that are
    /// not finite.
    pub fn segment(&mut self, picture: &Rgb) -> Result<Mask> {
        self.look(picture)?;
        self.mask(self.net.output(), picture)
    }

    /// As [`Segmenter::segment`] by each of [`Segmenter::answers`].
    pub fn segment_all(&mut self, picture: &Rgb) -> Result<Vec<Mask>> {
        self.look(picture)?;
        let wires: Vec<Wire> = self.net.outputs().iter().map(|(_, wire)| *wire).chain([self.net.output()]).collect();
        wires.into_iter().map(|wire| self.mask(wire, picture)).collect()
    }

    fn look(&mut self, picture: &Rgb) -> Result<()> {
        if picture.h == 0 || picture.w == 0 || picture.pixels.len() != 3 * picture.h * picture.w {
            return Err(Error::shape("picture", "at least one pixel of three colours", picture.pixels.len()));
        }
        if !picture.pixels.iter().all(|v| v.is_finite()) {
            return Err(Error::value("picture", "finite numbers", "others"));
        }
        let Shape { h, w, .. } = self.net.input_shape();
        let image: Vec<f32> = picture.resized(h, w).pixels.into_iter().map(scaled).collect();
        self.run.forward(&self.params, &image, 1, Mode::Infer)
    }

    /// The mask of an answer, as large as the picture.
    fn mask(&self, wire: Wire, picture: &Rgb) -> Result<Mask> {
        let (values, map) =
            self.run.values(wire).ok_or_else(|| Error::missing("answer", "one that is kept", "none"))?;
        let own = best_classes(values, map);
        let Shape { h, w, .. } = map.shape;
        let place = |i: usize| (i / picture.w * h / picture.h) * w + i % picture.w * w / picture.w;
        let classes = (0..picture.h * picture.w).map(|i| own[place(i)]).collect();
        Ok(Mask { h: picture.h, w: picture.w, classes })
    }
}

/// A colour as networks read it.
pub(crate) fn scaled(v: f32) -> f32 {
    (v - SCALE[0]) / SCALE[1]
}

/// The class with the highest score at every pixel of one image.
fn best_classes(values: &[f32], map: crate::tensor::Map) -> Vec<u8> {
    let best = |pixel: &[f32]| argmax(pixel).unwrap_or(0) as u8;
    map.rows(1).flat_map(|row| values[row].chunks_exact(map.shape.c).map(best).collect::<Vec<u8>>()).collect()
}
