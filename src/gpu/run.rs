//! A run on the device: the buffers and kernels of a plan, its parameters, and what it is fed.

use super::device::Device;
use super::kernel::Dispatch;
use super::layers::lacking;
use super::recorder::{Recorded, record};
use super::step::Step;
use crate::error::{Error, Result};
use crate::kernel::act::dropout_key;
use crate::nn::layers::dropout::{keeps, mask_seed};
use crate::nn::{Feed, Network, Params, Plan, Want, Wire};
use crate::tensor::Map;

/// A network on a GPU. Trains if its plan goes backward, else infers.
pub struct Run {
    device: Device,
    net: Network,
    plan: Plan,
    pub(super) recorded: Recorded,
    images: usize,
    shard: usize,
    staging: Vec<f32>,
    keys: Vec<u32>,
}

/// How many kernels a layer takes, each way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispatches {
    /// The layer's name.
    pub layer: String,
    /// Kernels of its forward pass.
    pub forward: usize,
    /// Kernels of its backward pass.
    pub backward: usize,
}

impl Run {
    /// Buffers and kernels for up to `batch` images of `net`; batch normalisation takes its statistics over shards of
    /// `shard` images, as [`crate::nn::Run`]s of so many images do.
    ///
    /// Errors: those of [`lacking`]; [`Error::Value`] for a batch or a shard of none and for a buffer that the device cannot have;
    /// [`Error::Io`] where the device is lost, has no room or takes no kernel.
    pub async fn new(device: &Device, net: &Network, batch: usize, shard: usize, want: &Want) -> Result<Self> {
        lacking(net)?;
        if batch == 0 || shard == 0 {
            let got = format!("{batch}, {shard}");
            return Err(Error::value("batch", "at least 1 image in a batch and a shard", got));
        }
        let plan = Plan::new(net, batch, want);
        let shard = shard.min(batch);
        let recorded = device.guarded(|| record(device, net, &plan, shard, want.backward())).await?;
        let (device, net) = (device.clone(), net.clone());
        Ok(Self { device, net, plan, recorded, images: 0, shard, staging: vec![], keys: vec![] })
    }

    /// The network it runs.
    pub fn network(&self) -> &Network {
        &self.net
    }

    /// The device it runs on.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Most images in a run.
    pub fn batch(&self) -> usize {
        self.plan.batch
    }

    /// Images in a shard.
    pub fn shard(&self) -> usize {
        self.shard
    }

    /// Images in the run that was loaded last.
    pub fn images(&self) -> usize {
        self.images
    }

    /// The kernels of every layer, each way.
    pub fn dispatches(&self) -> Vec<Dispatches> {
        let Recorded { forward, backward, .. } = &self.recorded;
        let back = |wire: Wire| backward.iter().find(|(other, _)| *other == wire).map_or(0, |(_, all)| all.len());
        let row = |(wire, kernels): &(Wire, Vec<Dispatch>)| Dispatches {
            layer: self.net.node(*wire).name.clone(),
            forward: kernels.len(),
            backward: back(*wire),
        };
        forward.iter().map(row).collect()
    }

    /// Takes over parameters. Errors: [`Error::Shape`] for another network's.
    pub fn receive(&mut self, params: &Params) -> Result<()> {
        let len = self.net.arena_len();
        if params.values().len() != len {
            return Err(Error::shape("parameters", len, params.values().len()));
        }
        self.lay(&self.recorded.shared.params, params.values());
        Ok(())
    }

    /// Lays numbers at the beginning of a buffer.
    pub(super) fn lay(&self, buffer: &wgpu::Buffer, values: &[f32]) {
        if !values.is_empty() {
            self.device.queue().write_buffer(buffer, 0, bytemuck::cast_slice(values));
        }
    }

    /// Computes every wire for what each input is fed, as [`crate::nn::Run::forward_feeds`] does; `seeds` decide dropout, one for each
    /// shard, and may be empty in inference. Returns at once: [`Run::read`] waits.
    ///
    /// Errors: those of [`crate::nn::Run::forward_feeds`], and a device that is lost.
    pub fn forward(&mut self, feeds: &[Feed<'_>], seeds: &[u64]) -> Result<()> {
        self.load(feeds, seeds)?;
        self.submit(&Step { n: self.images as u32, ..Step::default() }, &[&self.recorded.forward], &[]);
        self.device.check()
    }

    /// As [`Run::forward`], then the way back from every loss: [`Run::gradient`] gives the gradient of `scale` times their sum.
    pub fn learn(&mut self, feeds: &[Feed<'_>], seeds: &[u64], scale: f32) -> Result<()> {
        self.load(feeds, seeds)?;
        let step = Step { n: self.images as u32, scale, ..Step::default() };
        self.submit(&step, &[&self.recorded.forward, &self.recorded.backward], &[]);
        self.device.check()
    }

    /// Takes feeds in, and draws the keys of the layers that draw.
    pub(super) fn load(&mut self, feeds: &[Feed<'_>], seeds: &[u64]) -> Result<()> {
        let (images, fed) = self.net.fed(self.plan.batch, feeds)?;
        let shards = images.div_ceil(self.shard);
        if !self.recorded.backward.is_empty() && seeds.len() != shards {
            return Err(Error::shape("seeds", format!("one for each of {shards} shards"), seeds.len()));
        }
        self.device.check()?;
        self.images = images;
        let mut staging = std::mem::take(&mut self.staging);
        for (wire, values) in fed {
            let place = self.plan.places[wire.index()];
            self.stage(&mut staging, &place.map, values);
            self.lay(&self.recorded.slots[place.slot], &staging);
        }
        self.staging = staging;
        self.draw(seeds);
        Ok(())
    }

    /// Rows in CHW order in the layout of a wire.
    fn stage(&self, staging: &mut Vec<f32>, map: &Map, values: &[f32]) {
        staging.clear();
        staging.resize(values.len() / map.shape.len() * map.len(), 0.0);
        for (row, out) in values.chunks_exact(map.shape.len()).zip(staging.chunks_exact_mut(map.len())) {
            map.fill_from_chw(row, out);
        }
    }

    fn draw(&mut self, seeds: &[u64]) {
        if seeds.is_empty() {
            return;
        }
        for draw in &self.recorded.draws {
            self.keys.clear();
            for row in 0..self.images * draw.rows {
                let shard = row / draw.rows / self.shard;
                let own = row - shard * self.shard * draw.rows;
                match draw.whole {
                    Some(keep) => self.keys.push(u32::from(keeps(seeds[shard], draw.node, own, keep))),
                    None => {
                        let key = dropout_key(mask_seed(seeds[shard], draw.node, own));
                        self.keys.extend([key as u32, (key >> 32) as u32]);
                    }
                }
            }
            let bytes = bytemuck::cast_slice(&self.keys);
            self.device.queue().write_buffer(&self.recorded.shared.keys, 4 * draw.at as u64, bytes);
        }
    }

    /// Runs these lists and then these kernels, all in one pass and one submission.
    pub(super) fn submit(&self, step: &Step, lists: &[&Vec<(Wire, Vec<Dispatch>)>], then: &[Dispatch]) {
        step.write(&self.device, &self.recorded.shared.step);
        let mut encoder = self.device.raw().create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            let layers = lists.iter().flat_map(|list| list.iter()).flat_map(|(_, kernels)| kernels);
            layers.chain(then).for_each(|kernel| kernel.run(&mut pass, step.n));
        }
        self.device.queue().submit([encoder.finish()]);
    }

    /// The values of a wire, row after row in CHW order; of a plan that infers only those of the answer and the named outputs
    /// can be relied on. Errors: [`Error::Missing`] for a wire that the plan does not keep, [`Error::Io`] for a lost device.
    pub async fn read(&self, wire: Wire) -> Result<Vec<f32>> {
        let place = &self.plan.places[wire.index()];
        if !place.kept {
            return Err(Error::missing("layer", "one that the plan keeps", &self.net.node(wire).name));
        }
        let (map, n) = (place.map, self.images);
        let back = self.device.read(&[(&self.recorded.slots[place.slot], n * map.len())]).await?;
        let mut out = vec![0.0; n * map.shape.len()];
        for (row, out) in back[0].chunks_exact(map.len()).zip(out.chunks_exact_mut(map.shape.len())) {
            map.copy_to_chw(row, out);
        }
        Ok(out)
    }

    /// The gradient of the parameters after [`Run::learn`], in the arena's order.
    pub async fn gradient(&self) -> Result<Vec<f32>> {
        let back = self.device.read(&[(&self.recorded.shared.gradient, self.net.arena_len())]).await?;
        Ok(back.into_iter().next().unwrap_or_default())
    }

    /// What each loss came to in the last run, in the order of [`Network::losses`]: its sum over the rows.
    pub async fn losses(&self) -> Result<Vec<f64>> {
        let sizes = |(buffer, pixels, _): &(wgpu::Buffer, usize, f32)| (buffer.clone(), self.images * pixels);
        let parts: Vec<_> = self.recorded.losses.iter().map(sizes).collect();
        let parts: Vec<_> = parts.iter().map(|(buffer, numbers)| (buffer, *numbers)).collect();
        let back = self.device.read(&parts).await?;
        Ok(back.iter().map(|values| values.iter().map(|v| f64::from(*v)).sum()).collect())
    }
}
