//! What changes from one step to the next, as the kernels read it.

use super::device::Device;

/// The settings of a step: `struct Step` in `common.wgsl`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Step {
    /// Images.
    pub n: u32,
    /// Where to leave what the step came to.
    pub row: u32,
    /// What the losses are scaled by.
    pub scale: f32,
    /// The learning rate, Adam's corrected.
    pub rate: f32,
    /// The root of Adam's correction of the second moment.
    pub root: f32,
    /// What a decoupled decay leaves of the weights.
    pub keep: f32,
    /// The moving average's decay.
    pub average: f32,
}

impl Step {
    const BYTES: u64 = 32;

    /// Where the kernels find it.
    pub(super) fn buffer(device: &Device) -> wgpu::Buffer {
        device.plain_buffer("step", Self::BYTES, wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST)
    }

    /// Lays it there, for what is submitted next.
    pub(super) fn write(&self, device: &Device, buffer: &wgpu::Buffer) {
        let bits = |x: f32| x.to_bits();
        let words = [
            self.n,
            self.row,
            bits(self.scale),
            bits(self.rate),
            bits(self.root),
            bits(self.keep),
            bits(self.average),
            0,
        ];
        device.queue().write_buffer(buffer, 0, bytemuck::cast_slice(&words));
    }
}
