//! Samples: labelled pictures to learn from and to choose by, from files or made up on the spot.

use crate::data::augment::Augment;
use crate::data::idx::{Images, Labelled};
use crate::data::synth;
use crate::error::{Error, Result};
use crate::rng::Rng;
use crate::shape::Shape;

/// The part of pictures without a validation file of their own that is kept to choose by, and the most of them.
const HELD_OUT: (usize, usize) = (6, 5000);
/// The split is the same in every training, whatever its seed.
const SPLIT: u64 = 20_161_005;

/// Which pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Those to learn from.
    Train,
    /// Those to choose by.
    Validation,
}

/// Pictures of one size and the class of each.
#[derive(Debug, Clone)]
pub struct Samples {
    shape: Shape,
    classes: usize,
    parts: [Labelled; 2],
    /// Numbers of the pictures of each part.
    order: [Vec<usize>; 2],
}

impl Samples {
    /// Pictures from files. Without `validation`, a fixed sixth of `train`, at most 5,000, is kept to choose by.
    ///
    /// Fails where the two have other sizes, and where there is nothing to learn from or to choose by.
    pub fn new(train: Labelled, validation: Option<Labelled>, classes: usize) -> Result<Self> {
        let size = |l: &Labelled| (l.images.h, l.images.w);
        let shape = Shape::new(1, train.images.h, train.images.w);
        let mut order: Vec<usize> = (0..train.images.n).collect();
        Rng::new(SPLIT).shuffle(&mut order);
        let (validation, held) = match validation {
            Some(own) if size(&own) != size(&train) => {
                let expected = format!("pictures of {} × {}", train.images.h, train.images.w);
                return Err(Error::shape("validation", expected, format!("{} × {}", own.images.h, own.images.w)));
            }
            Some(own) => {
                let all = (0..own.images.n).collect();
                (own, all)
            }
            None => {
                let held = order.split_off(order.len() - (order.len() / HELD_OUT.0).min(HELD_OUT.1));
                (Labelled { images: Images { n: 0, pixels: vec![], ..train.images }, labels: vec![] }, held)
            }
        };
        if order.is_empty() || held.is_empty() || shape.is_empty() {
            let got = format!("{} and {}", order.len(), held.len());
            return Err(Error::shape("pictures", "at least one to learn from and one to choose by", got));
        }
        Ok(Self { shape, classes, parts: [train, validation], order: [order, held] })
    }

    /// Digits made up from a seed, others to learn from than to choose by.
    pub fn made_up(seed: u64, train: usize, validation: usize) -> Result<Self> {
        let digits = |part, n| synth::digits(Rng::mix(seed, part), n);
        Self::new(digits(0, train), Some(digits(1, validation)), 10)
    }

    /// The shape of every picture.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// How many classes there are.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// How many pictures a part has.
    pub fn len(&self, part: Part) -> usize {
        self.order[part as usize].len()
    }

    /// The class of picture `i` of a part.
    pub fn label(&self, part: Part, i: usize) -> u8 {
        let (from, at) = self.place(part, i);
        from.labels[at]
    }

    /// Writes picture `i` of a part as CHW, 0 paper to 1 ink.
    pub fn picture(&self, part: Part, i: usize, out: &mut [f32]) {
        let (from, at) = self.place(part, i);
        for (v, p) in out.iter_mut().zip(from.images.image(at)) {
            *v = f32::from(*p) / 255.0;
        }
    }

    /// Writes picture `i` to learn from as this randomness bends it, and the distribution it should be read as.
    pub(super) fn learn_from(&self, i: usize, augment: &Augment, rng: &mut Rng, image: &mut [f32], target: &mut [f32]) {
        let mut still = vec![0.0; self.shape.len()];
        self.picture(Part::Train, i, &mut still);
        augment.apply(rng, &still, image, self.shape.w, self.shape.h);
        target.fill(0.0);
        target[usize::from(self.label(Part::Train, i))] = 1.0;
    }

    fn place(&self, part: Part, i: usize) -> (&Labelled, usize) {
        let [train, validation] = &self.parts;
        let own = part == Part::Validation && validation.images.n > 0;
        (if own { validation } else { train }, self.order[part as usize][i])
    }
}
