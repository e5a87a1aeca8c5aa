//! A kernel and what it is bound to: WGSL with the sizes of its layer as constants, compiled once, and a grid that follows
//! the number of images.

use super::device::Device;
use crate::tensor::Map;
use std::fmt::Write as _;

/// Threads of a workgroup where a kernel says nothing else.
pub(super) const THREADS: u32 = 64;
/// Most workgroups along one axis of a grid; WebGPU lets 65,535.
const ROW: u32 = 32_768;

/// Helpers that every kernel can call.
const COMMON: &str = include_str!("common.wgsl");

/// How a kernel uses a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Numbers to read.
    Read,
    /// Whole numbers to read.
    Whole,
    /// Numbers to read and write.
    Write,
    /// The step's own settings.
    Step,
}

/// How many workgroups a kernel needs for so many images.
pub(super) type Grid = Box<dyn Fn(u32) -> u32 + Send>;

/// A kernel being put together.
pub(super) struct Kernel<'a> {
    device: &'a Device,
    label: String,
    source: String,
    uses: Vec<Use>,
    buffers: Vec<wgpu::Buffer>,
}

/// A kernel, ready to run.
pub(super) struct Dispatch {
    pipeline: wgpu::ComputePipeline,
    group: wgpu::BindGroup,
    grid: Grid,
}

impl Dispatch {
    /// Runs it for `n` images in this pass.
    pub(super) fn run(&self, pass: &mut wgpu::ComputePass<'_>, n: u32) {
        let groups = (self.grid)(n).max(1);
        let x = groups.min(ROW);
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.group, &[]);
        pass.dispatch_workgroups(x, groups.div_ceil(x), 1);
    }
}

impl<'a> Kernel<'a> {
    /// Of this name, for error messages and counts; the step's settings are its first binding, `step`.
    pub(super) fn new(device: &'a Device, label: impl Into<String>, step: &wgpu::Buffer) -> Self {
        let kernel = Self { device, label: label.into(), source: String::new(), uses: vec![], buffers: vec![] };
        kernel.bind("step", Use::Step, step)
    }

    /// A buffer by its name in the kernel. One that is written must not be bound twice.
    pub(super) fn bind(mut self, name: &str, how: Use, buffer: &wgpu::Buffer) -> Self {
        let other = |(own, bound): (&Use, &wgpu::Buffer)| bound != buffer || (*own != Use::Write && how != Use::Write);
        assert!(self.uses.iter().zip(&self.buffers).all(other), "{}: {name} is bound twice", self.label);
        let declared = match how {
            Use::Read => "var<storage, read>",
            Use::Whole => "var<storage, read>",
            Use::Write => "var<storage, read_write>",
            Use::Step => "var<uniform>",
        };
        let kind = match how {
            Use::Step => "Step",
            Use::Whole => "array<u32>",
            _ => "array<f32>",
        };
        let at = self.uses.len();
        let _ = writeln!(self.source, "@group(0) @binding({at}) {declared} {name}: {kind};");
        self.uses.push(how);
        self.buffers.push(buffer.clone());
        self
    }

    /// A whole number by its name.
    pub(super) fn size(mut self, name: &str, value: usize) -> Self {
        let _ = writeln!(self.source, "const {name} = {value}u;");
        self
    }

    /// Several of them.
    pub(super) fn sizes<const N: usize>(self, all: [(&str, usize); N]) -> Self {
        all.into_iter().fold(self, |kernel, (name, value)| kernel.size(name, value))
    }

    /// A number by its name: the shortest decimal that reads back as it. (naga cannot evaluate a constant `bitcast`.)
    pub(super) fn number(mut self, name: &str, value: f32) -> Self {
        let _ = writeln!(self.source, "const {name}: f32 = {value:e}f;");
        self
    }

    /// A truth by its name.
    pub(super) fn flag(mut self, name: &str, value: bool) -> Self {
        let _ = writeln!(self.source, "const {name} = {value};");
        self
    }

    /// The layout of a wire: `X_C X_H X_W`, and `X_at(n, y, x, c)` for the place of a number.
    pub(super) fn map(mut self, name: &str, map: &Map) -> Self {
        let (c, row, start, len) = (map.shape.c, map.row(), map.at(0, 0), map.len());
        self = self.size(&format!("{name}_C"), c).size(&format!("{name}_H"), map.shape.h);
        self = self.size(&format!("{name}_W"), map.shape.w);
        let _ = writeln!(
            self.source,
            "fn {name}_at(n: u32, y: u32, x: u32, c: u32) -> u32 {{ return n * {len}u + {start}u + y * {row}u + x * {c}u + c; }}"
        );
        self
    }

    /// Its code: `main`, and whatever that calls.
    pub(super) fn code(mut self, code: &str) -> Self {
        self.source.push_str(code);
        self.source.push('\n');
        self
    }

    /// Ready to run in a grid of its own.
    pub(super) fn grid(self, grid: Grid) -> Dispatch {
        let source = format!("{COMMON}\n{}", self.source);
        let binding = |how: &Use| match how {
            Use::Step => wgpu::BufferBindingType::Uniform,
            Use::Read | Use::Whole => wgpu::BufferBindingType::Storage { read_only: true },
            Use::Write => wgpu::BufferBindingType::Storage { read_only: false },
        };
        let bindings: Vec<_> = self.uses.iter().map(binding).collect();
        let (pipeline, layout) = self.device.pipeline(&self.label, &source, &bindings);
        let resources = self.buffers.iter().map(wgpu::Buffer::as_entire_binding).enumerate();
        let entry = |(i, resource)| wgpu::BindGroupEntry { binding: i as u32, resource };
        let entries: Vec<_> = resources.map(entry).collect();
        let label = Some(&*self.label);
        let group = self.device.raw().create_bind_group(&wgpu::BindGroupDescriptor {
            label,
            layout: &layout,
            entries: &entries,
        });
        Dispatch { pipeline, group, grid }
    }

    /// Ready to run with one thread for each of `each` things of every image.
    pub(super) fn each(self, each: usize) -> Dispatch {
        let each = each as u32;
        self.grid(Box::new(move |n| (n * each).div_ceil(THREADS)))
    }

    /// Ready to run with so many threads, whatever the number of images.
    pub(super) fn threads(self, count: usize) -> Dispatch {
        let groups = count.div_ceil(THREADS as usize) as u32;
        self.grid(Box::new(move |_| groups))
    }
}
