//! A session: any network at work on batches, for a caller who has nothing but slices.
//!
//! It joins a [`Network`], its parameters, a [`Run`] and an [`Optimiser`]. The recogniser answers for one drawing and
//! the trainer shards over threads; this answers for whoever brings pictures of their own: the door to JavaScript and
//! with it the benchmark. Calls after the first allocate nothing.

use crate::error::{Error, Result};
use crate::kernel::reduce;
use crate::nn::plan::affordable;
use crate::nn::{Init, Mode, Network, Params, Run, Want, Wire};
use crate::tensor::Tensor;
use crate::train::Optimiser;
use crate::train::optimiser::{Memory, Rule};

/// A network at work.
pub struct Session {
    params: Params,
    run: Run,
    optimiser: Optimiser,
    memory: Memory,
    gradient: Vec<f32>,
}

impl Session {
    /// `net` with parameters drawn from `seed` (He et al. 2015), for batches of up to `batch` images; steps are Adam's.
    ///
    /// Errors: [`Error::Value`] for an empty batch and for buffers of more than 1 GiB.
    pub fn new(net: &Network, batch: usize, want: &Want, seed: u64) -> Result<Self> {
        affordable(net, batch, want)?;
        let mut params = net.zeros();
        Init::He.fill(&mut params, seed)?;
        let optimiser = Optimiser::new(Rule::Adam);
        let len = if want.parameters { params.values().len() } else { 0 };
        let run = Run::new(net, batch, want);
        Ok(Self { params, run, memory: optimiser.memory(len), optimiser, gradient: vec![0.0; len] })
    }

    /// The network.
    pub fn network(&self) -> &Network {
        self.run.network()
    }

    /// The parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Sets one parameter from its numbers in public order. Errors: those of [`Params::set`].
    pub fn set(&mut self, name: &str, values: Vec<f32>) -> Result<()> {
        let shape = self.params.get(name)?.shape().to_vec();
        let got = values.len();
        let tensor = Tensor::from_shape_vec(shape.clone(), values);
        self.params.set(name, &tensor.map_err(|_| Error::shape(name, format!("{shape:?}"), got))?)
    }

    /// The run, with its plan.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// Numbers in one image.
    pub fn image(&self) -> usize {
        self.network().input_shape().len()
    }

    /// Numbers in the answer to one image.
    pub fn answer(&self) -> usize {
        let net = self.network();
        net.node(net.output()).shape.len()
    }

    /// Answers `images` (NCHW, one after another) into `out` (NCHW, too).
    ///
    /// Errors: [`Error::Shape`] for sizes that do not fit, [`Error::Value`] for too many images and for numbers that
    /// are not finite.
    pub fn forward(&mut self, images: &[f32], out: &mut [f32]) -> Result<()> {
        self.load(images, Mode::Infer)?;
        for wire in self.network().clone().wires() {
            self.run.forward_layer(&self.params, wire);
        }
        self.read_answers(out)
    }

    /// The gradient of `Σ dy · answer` by the images of the last [`Session::forward`], NCHW both.
    ///
    /// Errors: [`Error::Missing`] if the session was not made for it, [`Error::Shape`] for other sizes.
    pub fn input_gradient(&mut self, dy: &[f32], dx: &mut [f32]) -> Result<()> {
        let (n, image, answer) = (self.run.images(), self.image(), self.answer());
        let input = self.network().wires().next().expect("a network has an input");
        if dy.len() != n * answer || dx.len() != n * image {
            return Err(Error::shape("gradient of the answers", format!("{n} × {answer} numbers"), dy.len()));
        }
        self.seed(|i| &dy[i * answer..][..answer])?;
        self.gradient.fill(0.0);
        self.run.backward(&self.params, &mut self.gradient);
        let missing = || Error::missing("session", "one made for the gradient of its input", "another");
        let (values, map) = self.run.gradient(input).ok_or_else(missing)?;
        for (image, out) in values.chunks_exact(map.len()).zip(dx.chunks_exact_mut(image)) {
            map.copy_to_chw(image, out);
        }
        Ok(())
    }

    /// One step of Adam on the mean cross-entropy between softmax and `targets`, rows that each sum to 1; returns the
    /// loss before it. `seed` decides dropout.
    ///
    /// Errors, after which the parameters are as they were: those of [`Session::forward`], [`Error::Missing`] if the
    /// session was not made to learn, [`Error::Value`] for a loss that is not finite.
    pub fn step(&mut self, images: &[f32], targets: &[f32], rate: f32, seed: u64) -> Result<f64> {
        if self.gradient.is_empty() {
            return Err(Error::missing("session", "one made to learn", "one that infers"));
        }
        self.load(images, Mode::Train { seed })?;
        let (net, n) = (self.network().clone(), self.run.images());
        for wire in net.wires() {
            self.run.forward_layer(&self.params, wire);
        }
        self.gradient.fill(0.0);
        let loss = self.run.classification_loss(targets, 1.0 / n as f32)? / n as f64;
        self.run.backward(&self.params, &mut self.gradient);
        let level = self.run.level();
        if !loss.is_finite() || !reduce::sum(level, &self.gradient).is_finite() {
            return Err(Error::value("loss", "a finite number (try a lower rate)", loss));
        }
        let all = 0..self.gradient.len();
        let params = self.params.values_mut();
        self.optimiser.step(level, params, &self.gradient, &mut self.memory, rate, std::slice::from_ref(&all));
        Ok(loss)
    }

    /// Takes the images in; with [`Session::forward_layer`] for every wire it is [`Session::forward`] in steps that a
    /// caller can time.
    pub fn load(&mut self, images: &[f32], mode: Mode) -> Result<()> {
        if !reduce::sum(self.run.level(), images).is_finite() {
            return Err(Error::value("images", "finite numbers", "others"));
        }
        let shape = self.network().input_shape();
        if !images.len().is_multiple_of(shape.len()) {
            return Err(Error::shape("images", format!("a multiple of {shape} numbers"), images.len()));
        }
        let n = images.len() / shape.len();
        self.run.load(&self.params, images, n, mode)
    }

    /// Computes one wire, whose inputs have been computed.
    pub fn forward_layer(&mut self, wire: Wire) {
        self.run.forward_layer(&self.params, wire);
    }

    /// The way back through one layer, whose readers have been gone through. The last layer begins with ones.
    ///
    /// Errors: [`Error::Missing`] if the session was not made to learn.
    pub fn backward_layer(&mut self, wire: Wire) -> Result<()> {
        if wire == self.network().output() {
            let ones = vec![1.0; self.answer()];
            self.seed(|_| &ones)?;
        }
        self.run.backward_layer(&self.params, &mut self.gradient, wire);
        Ok(())
    }

    fn read_answers(&self, out: &mut [f32]) -> Result<()> {
        let (answer, output) = (self.answer(), self.network().output());
        if out.len() != self.run.images() * answer {
            return Err(Error::shape("answers", self.run.images() * answer, out.len()));
        }
        out.chunks_exact_mut(answer).enumerate().try_for_each(|(i, row)| self.run.read(output, i, row))
    }

    /// Fills the gradient of the output with a CHW row for each image.
    fn seed<'a>(&mut self, row: impl Fn(usize) -> &'a [f32]) -> Result<()> {
        let output = self.network().output();
        let Some((_, _, dy, map)) = self.run.seed_gradient(output) else {
            return Err(Error::missing("session", "one made to go backward", "one that infers"));
        };
        for (i, image) in dy.chunks_exact_mut(map.len()).enumerate() {
            map.fill_from_chw(row(i), image);
        }
        Ok(())
    }
}
