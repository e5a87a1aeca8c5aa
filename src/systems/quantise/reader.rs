//! A model of few bits that reads: one picture at a time, whose values can be looked at, or many.

use super::run::Sum;
use super::{Model, Runner};
use crate::error::{Error, Result};

/// Images in a run of many, and the most numbers that all steps make of them together.
const BATCH: usize = 25;
const MOST: usize = 1 << 23;

/// A model with its replicas.
pub struct Reader {
    model: Model,
    batch: usize,
    one: Runner,
    many: Runner,
}

impl Reader {
    /// Opens a model. Errors: those of [`Runner::new`], [`Error::Value`] for steps that memory cannot hold.
    pub fn new(model: Model) -> Result<Self> {
        model.check()?;
        let all = model.steps.iter().fold(0usize, |sum, step| sum.saturating_add(step.shape.len()));
        if all > MOST {
            return Err(Error::value("steps", format!("at most {MOST} numbers of an image in all"), all));
        }
        let batch = (MOST / all.max(1)).clamp(1, BATCH);
        let (one, many) = (Runner::new(&model, 1)?, Runner::new(&model, batch)?);
        Ok(Self { model, batch, one, many })
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The answers to images (CHW, one after another). Errors: those of [`Runner::run`].
    pub fn scores(&mut self, images: &[f32]) -> Result<Vec<f32>> {
        let each = self.model.input().len();
        if images.is_empty() || !images.len().is_multiple_of(each) {
            let expected = format!("some of {}", self.model.input());
            return Err(Error::shape("images", expected, format!("{} numbers", images.len())));
        }
        if images.len() == each {
            return self.one.run(images);
        }
        let parts: Result<Vec<Vec<f32>>> = images.chunks(self.batch * each).map(|part| self.many.run(part)).collect();
        Ok(parts?.concat())
    }

    /// What a step made of the last single image, CHW. Errors: [`Error::Missing`] for a name that no step has, those of
    /// [`Runner::values`].
    pub fn values(&self, name: &str) -> Result<Vec<f32>> {
        let step = self.step(name)?;
        let mut values = vec![0.0; self.model.steps[step].shape.len()];
        self.one.values(step, 0, &mut values)?;
        Ok(values)
    }

    /// How a number of a step's map came about, for the last single image; see [`Runner::sum`].
    pub fn sum(&self, name: &str, filter: usize, place: (usize, usize)) -> Result<Sum> {
        self.one.sum(self.step(name)?, 0, filter, place)
    }

    fn step(&self, name: &str) -> Result<usize> {
        let found = self.model.steps.iter().position(|step| step.name == name);
        found.ok_or_else(|| Error::missing("step", "one of the model", name.chars().take(40).collect::<String>()))
    }
}
