//! Training on the device: steps are handed over one after another, and what several came to is read back at once.

use super::descent::{Arena, HEAD, ROW, Update, kernels, tags};
use super::device::Device;
use super::kernel::Dispatch;
use super::run::Run;
use super::step::Step;
use crate::error::{Error, Result};
use crate::nn::{Feed, Network, Params, Want};

/// A network in training on a GPU.
pub struct Learner {
    run: Run,
    update: Update,
    arena: Arena,
    then: Vec<Dispatch>,
    /// Steps handed over since the last read-back, their images, and the most there may be.
    pending: Vec<usize>,
    most: usize,
    steps: u64,
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Come {
    /// Images.
    pub images: usize,
    /// Sum of the losses over them.
    pub loss: f64,
    /// What the penalties add to the loss of each image.
    pub penalty: f64,
    /// Images, or pixels, whose highest score was their target's highest, by the last loss.
    pub correct: usize,
    /// Norm of the gradient before it was clipped.
    pub gradient_norm: f64,
}

/// All that a training needs to go on, in the arena's order; slices that the rule or the options do not ask for are empty.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Memory {
    /// The parameters.
    pub params: Vec<f32>,
    /// Velocity, or the mean of the gradient.
    pub first: Vec<f32>,
    /// Sum or mean of its square.
    pub second: Vec<f32>,
    /// The moving average of the parameters.
    pub average: Vec<f32>,
    /// Steps taken.
    pub steps: u64,
}

impl Learner {
    /// Trains `net`, which has losses, from `params` in batches of up to `batch` images, shards of `shard`; what up to `most` steps
    /// came to fits between two read-backs. `factors` say how each loss counts in what is reported; it is trained on by its weight.
    ///
    /// Errors: those of [`Run::new`].
    pub async fn new(
        device: &Device,
        net: &Network,
        params: &Params,
        sizes: [usize; 2],
        most: usize,
        update: Update,
        factors: &[f32],
    ) -> Result<Self> {
        let [batch, shard] = sizes;
        if net.losses().is_empty() || factors.len() != net.losses().len() || most == 0 {
            let got = format!("{} losses, {} factors, {most} steps", net.losses().len(), factors.len());
            return Err(Error::value("training on a GPU", "losses, a factor for each, and steps", got));
        }
        let run = Run::new(device, net, batch, shard, &Want::training()).await?;
        let tags = tags(net.views(), &net.frozen_views());
        let (first, second) = update.rule.remembers();
        let made = || {
            let len = net.arena_len();
            let room = |what: &str, there: bool| device.buffer(what, if there { len } else { 0 });
            let arena = Arena {
                first: room("the optimiser's memory", first)?,
                second: room("the optimiser's memory", second)?,
                average: room("the moving average", update.average > 0.0)?,
                status: device.buffer("steps", HEAD + ROW * most)?,
            };
            let tagged = device.buffer("the arena's parts", len)?;
            let then = kernels(&run, &update, &tagged, &arena, factors)?;
            run.lay(&tagged, &tags);
            Ok((arena, then))
        };
        let (arena, then) = device.guarded(made).await?;
        let mut own = Self { run, update, arena, then, pending: vec![], most, steps: 0 };
        let len = |there| if there { net.arena_len() } else { 0 };
        own.restore(&Memory {
            params: params.values().to_vec(),
            first: vec![0.0; len(first)],
            second: vec![0.0; len(second)],
            average: if update.average > 0.0 { params.values().to_vec() } else { vec![] },
            steps: 0,
        })?;
        Ok(own)
    }

    /// The run behind it.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// Steps handed over since the last read-back.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Most steps between two read-backs.
    pub fn most(&self) -> usize {
        self.most
    }

    /// Kernels of a step behind those of the layers: tally, norm, update.
    pub fn update_dispatches(&self) -> usize {
        self.then.len()
    }

    /// Hands a step over, at this learning rate and with the losses scaled by one over the images, and returns at once.
    ///
    /// Errors: those of [`Run::forward`]; [`Error::Value`] where [`Learner::come`] should have been asked before.
    pub fn step(&mut self, feeds: &[Feed<'_>], seeds: &[u64], rate: f32) -> Result<()> {
        if self.pending.len() == self.most {
            return Err(Error::value("steps without a read-back", format!("at most {}", self.most), self.most + 1));
        }
        self.run.load(feeds, seeds)?;
        let (n, number) = (self.run.images(), self.steps + self.pending.len() as u64 + 1);
        let (rate, root, keep) = self.update.rates(rate, number);
        let step = Step {
            n: n as u32,
            row: self.pending.len() as u32,
            scale: 1.0 / n as f32,
            rate,
            root,
            keep,
            average: self.update.averaging(number),
        };
        let recorded = &self.run.recorded;
        self.run.submit(&step, &[&recorded.forward, &recorded.backward], &self.then);
        self.pending.push(n);
        self.run.device().check()
    }

    /// What the steps since the last time came to, and everything to go on from: one read-back.
    ///
    /// Where a step's loss or gradient was no finite number, those before it are all that is given, with the state that they
    /// left; the second number is what the loss then was. Errors: [`Error::Io`] for a lost device.
    pub async fn come(&mut self) -> Result<(Vec<Come>, Option<f64>, Memory)> {
        let len = self.run.network().arena_len();
        let (first, second) = self.update.rule.remembers();
        let averages = self.update.average > 0.0;
        let size = |there| if there { len } else { 0 };
        let parts = [
            (&self.run.recorded.shared.params, len),
            (&self.arena.first, size(first)),
            (&self.arena.second, size(second)),
            (&self.arena.average, size(averages)),
            (&self.arena.status, HEAD + ROW * self.pending.len()),
        ];
        let back = self.run.device().read(&parts).await?;
        let Ok([params, first, second, average, status]) = <[Vec<f32>; 5]>::try_from(back) else {
            return Err(Error::io("GPU", "five buffers", "others"));
        };
        let taken = status[2] as usize;
        let row = |(images, row): (&usize, &[f32])| Come {
            images: *images,
            loss: f64::from(row[0]),
            penalty: f64::from(row[3]),
            correct: row[1] as usize,
            gradient_norm: f64::from(row[2]),
        };
        let all: Vec<Come> = self.pending.iter().zip(status[HEAD..].chunks_exact(ROW)).map(row).collect();
        let failed = all.get(taken).map(|come| if come.loss.is_finite() { f64::NAN } else { come.loss });
        self.steps += taken as u64;
        self.pending.clear();
        self.begin();
        let memory = Memory { params, first, second, average, steps: self.steps };
        Ok((all.into_iter().take(taken).collect(), failed, memory))
    }

    /// Goes on from a state, before the next step. Errors: [`Error::Shape`] for one of another network or rule.
    pub fn restore(&mut self, memory: &Memory) -> Result<()> {
        let len = self.run.network().arena_len();
        let (first, second) = self.update.rule.remembers();
        let size = |there| if there { len } else { 0 };
        let own = [len, size(first), size(second), size(self.update.average > 0.0)];
        let its = [&memory.params, &memory.first, &memory.second, &memory.average].map(Vec::len);
        if own != its {
            return Err(Error::shape("state", format!("{own:?} numbers"), format!("{its:?}")));
        }
        self.run.lay(&self.run.recorded.shared.params, &memory.params);
        self.run.lay(&self.arena.first, &memory.first);
        self.run.lay(&self.arena.second, &memory.second);
        self.run.lay(&self.arena.average, &memory.average);
        self.steps = memory.steps;
        self.pending.clear();
        self.begin();
        self.run.device().check()
    }

    /// All steps so far have been taken, and none since.
    fn begin(&self) {
        self.run.lay(&self.arena.status, &[1.0, 1.0, 0.0, 0.0]);
    }
}
