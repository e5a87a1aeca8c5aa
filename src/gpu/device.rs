//! The device: an adapter of this machine or browser, opened, with what has gone wrong on it since.

use crate::error::{Error, Result};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The backends that are built in: the browser's own, or Vulkan and Metal.
const BACKENDS: wgpu::Backends = if cfg!(target_arch = "wasm32") {
    wgpu::Backends::BROWSER_WEBGPU
} else {
    wgpu::Backends::VULKAN.union(wgpu::Backends::METAL)
};

/// An open GPU. Cheap to clone; all clones are one device.
#[derive(Clone)]
pub struct Device(Arc<Open>);

struct Open {
    device: wgpu::Device,
    queue: wgpu::Queue,
    name: String,
    limits: wgpu::Limits,
    /// What the driver reported that no call could return: the first word is the one that explains the rest.
    trouble: Arc<Mutex<Option<String>>>,
    /// Compiled kernels by their source: layers of one shape share them.
    pipelines: Mutex<HashMap<String, (wgpu::ComputePipeline, wgpu::BindGroupLayout)>>,
}

fn instance() -> wgpu::Instance {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = BACKENDS;
    // Neither debug labels nor validation layers of the driver: wgpu checks by itself.
    descriptor.flags = wgpu::InstanceFlags::empty();
    wgpu::Instance::new(descriptor)
}

impl Device {
    /// Opens an adapter: that of this number in [`Device::names`], or the one that the system thinks fastest. In a page there
    /// is only the latter.
    ///
    /// Errors: [`Error::Missing`] where there is none, or none of that number; [`Error::Io`] where the system refuses it.
    pub async fn open(number: Option<usize>) -> Result<Self> {
        let adapter = match number {
            Some(number) => {
                let all = instance().enumerate_adapters(BACKENDS).await;
                let there = all.len();
                let missing = || Error::missing("GPU", format!("a number below {there}"), number);
                all.into_iter().nth(number).ok_or_else(missing)?
            }
            None => {
                let options = wgpu::RequestAdapterOptions {
                    power_preference: wgpu::PowerPreference::HighPerformance,
                    ..Default::default()
                };
                let found = instance().request_adapter(&options).await;
                let wanted =
                    if cfg!(target_arch = "wasm32") { "a browser with WebGPU" } else { "a driver for Vulkan or Metal" };
                found.map_err(|error| Error::missing("GPU", wanted, one_line(&error)))?
            }
        };
        Self::opened(&adapter).await
    }

    async fn opened(adapter: &wgpu::Adapter) -> Result<Self> {
        let (info, limits) = (adapter.get_info(), adapter.limits());
        let descriptor = wgpu::DeviceDescriptor { required_limits: limits.clone(), ..Default::default() };
        let opened = adapter.request_device(&descriptor).await;
        let (device, queue) = opened.map_err(|error| Error::io("GPU", "a device that opens", one_line(&error)))?;
        let trouble = Arc::new(Mutex::new(None));
        let (lost, uncaught) = (trouble.clone(), trouble.clone());
        device.set_device_lost_callback(move |_, message| note(&lost, format!("the device was lost ({message})")));
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| note(&uncaught, one_line(&error))));
        let name = match info.name.is_empty() {
            true => "GPU".to_string(),
            false => info.name,
        };
        let pipelines = Mutex::new(HashMap::new());
        #[allow(clippy::arc_with_non_send_sync, reason = "natively it is both; a page has one thread")]
        Ok(Self(Arc::new(Open { device, queue, name, limits, trouble, pipelines })))
    }

    /// The adapters of this machine by name, in the order of their numbers. Empty in a page, which is told of one only.
    pub async fn names() -> Vec<String> {
        instance().enumerate_adapters(BACKENDS).await.iter().map(|adapter| adapter.get_info().name).collect()
    }

    /// What the driver calls it; browsers often say no more than `GPU`.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Most bytes that one buffer can have and a kernel can read.
    pub fn largest_buffer(&self) -> u64 {
        self.0.limits.max_storage_buffer_binding_size.min(self.0.limits.max_buffer_size)
    }

    /// Gives the device up, as a driver does that crashes: whatever runs on it fails from now on.
    pub fn destroy(&self) {
        note(&self.0.trouble, "the device was lost (destroyed)".into());
        self.0.device.destroy();
    }

    /// Fails, in the driver's words, once the device is lost or has refused something. Errors: [`Error::Io`].
    pub fn check(&self) -> Result<()> {
        let trouble = self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.as_ref().map_or(Ok(()), |message| Err(Error::io("GPU", "a device that works", message)))
    }

    pub(super) fn raw(&self) -> &wgpu::Device {
        &self.0.device
    }

    pub(super) fn queue(&self) -> &wgpu::Queue {
        &self.0.queue
    }

    /// The kernel of this source for such bindings, compiled once.
    pub(super) fn pipeline(
        &self,
        label: &str,
        source: &str,
        bindings: &[wgpu::BufferBindingType],
    ) -> (wgpu::ComputePipeline, wgpu::BindGroupLayout) {
        let mut known = self.0.pipelines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(source) {
            return found.clone();
        }
        let entry = |(i, ty): (usize, &wgpu::BufferBindingType)| wgpu::BindGroupLayoutEntry {
            binding: i as u32,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer { ty: *ty, has_dynamic_offset: false, min_binding_size: None },
            count: None,
        };
        let entries: Vec<_> = bindings.iter().enumerate().map(entry).collect();
        let device = &self.0.device;
        let label = Some(label);
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label, entries: &entries });
        let whole = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label,
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let source_of = wgpu::ShaderSource::Wgsl(source.into());
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor { label, source: source_of });
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label,
            layout: Some(&whole),
            module: &module,
            entry_point: Some("main"),
            // Every buffer begins as zeros, and no kernel reads shared memory that it has not written.
            compilation_options: wgpu::PipelineCompilationOptions {
                zero_initialize_workgroup_memory: false,
                ..Default::default()
            },
            cache: None,
        });
        known.insert(source.to_string(), (pipeline.clone(), layout.clone()));
        (pipeline, layout)
    }

    /// A buffer of so many numbers, all zero, for kernels; what is too large is refused by name before it is asked for.
    pub(super) fn buffer(&self, label: &str, numbers: usize) -> Result<wgpu::Buffer> {
        let (bytes, most) = (4 * numbers.max(1) as u64, self.largest_buffer());
        if bytes > most {
            return Err(Error::value(format!("memory of the GPU for {label}"), format!("at most {most} bytes"), bytes));
        }
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC;
        Ok(self.plain_buffer(label, bytes, usage))
    }

    pub(super) fn plain_buffer(&self, label: &str, size: u64, usage: wgpu::BufferUsages) -> wgpu::Buffer {
        let label = Some(label);
        self.0.device.create_buffer(&wgpu::BufferDescriptor { label, size, usage, mapped_at_creation: false })
    }

    /// Runs what makes buffers and kernels, and fails where the device had no room for them or refused one.
    /// Errors: [`Error::Io`] in the driver's words.
    pub(super) async fn guarded<T>(&self, make: impl FnOnce() -> Result<T>) -> Result<T> {
        self.check()?;
        let memory = self.0.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let rules = self.0.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let made = make();
        let (rules, memory) = (rules.pop(), memory.pop());
        let (rules, memory) = (rules.await, memory.await);
        let made = made?;
        match (memory, rules) {
            (Some(error), _) => Err(Error::io("GPU", "room for the network", one_line(&error))),
            (_, Some(error)) => Err(Error::io("GPU", "kernels that the driver takes", one_line(&error))),
            _ => self.check().map(|()| made),
        }
    }

    /// The first `numbers` of each of these buffers, one after another: one read-back for all.
    /// Errors: [`Error::Io`] where the device is lost on the way.
    pub(super) async fn read(&self, parts: &[(&wgpu::Buffer, usize)]) -> Result<Vec<Vec<f32>>> {
        self.check()?;
        let bytes: u64 = parts.iter().map(|(_, numbers)| 4 * *numbers as u64).sum();
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        let back = self.plain_buffer("read-back", bytes.max(4), usage);
        let mut encoder = self.0.device.create_command_encoder(&Default::default());
        let mut at = 0;
        for (buffer, numbers) in parts.iter().filter(|(_, numbers)| *numbers > 0) {
            let size = 4 * *numbers as u64;
            encoder.copy_buffer_to_buffer(buffer, 0, &back, at, size);
            at += size;
        }
        self.0.queue.submit([encoder.finish()]);
        self.check()?;
        let (send, receive) = futures_channel::oneshot::channel();
        back.slice(..).map_async(wgpu::MapMode::Read, move |mapped| drop(send.send(mapped)));
        #[cfg(not(target_arch = "wasm32"))]
        if let Err(error) = self.0.device.poll(wgpu::PollType::wait_indefinitely()) {
            return Err(Error::io("GPU", "an answer", one_line(&error)));
        }
        let mapped = receive.await.is_ok_and(|mapped| mapped.is_ok());
        self.check()?;
        let view = back.slice(..).get_mapped_range().ok().filter(|_| mapped);
        let view = view.ok_or_else(|| Error::io("GPU", "numbers that can be read back", "a refusal"))?;
        let mut rest = &view[..];
        let mut out = Vec::with_capacity(parts.len());
        for (_, numbers) in parts {
            let (own, others) = rest.split_at(4 * numbers);
            // Mapped memory may begin anywhere.
            out.push(bytemuck::pod_collect_to_vec(own));
            rest = others;
        }
        Ok(out)
    }
}

fn note(trouble: &Mutex<Option<String>>, message: String) {
    trouble.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(message);
}

/// A driver's message in one line.
fn one_line(error: &impl std::fmt::Display) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}
