//! Floor 3: the same networks on a GPU, by way of WebGPU (`wgpu`): in the page the browser's own, natively Vulkan or Metal.
//!
//! A [`Run`] takes the [`crate::nn::Plan`] that the CPU runs, buffers, layouts, shared places and fused ReLUs included, and
//! records kernels for it once: WGSL beside its binding code, one file for each layer family, with every size a
//! constant. A [`Learner`] adds the update of the parameters, so that weights, gradients, the optimiser's memory, losses and
//! counts stay on the device, and what several steps came to is read back at once. Kernels test the borders of an image instead of
//! relying on a halo of zeros, so nothing has to be cleared between the tenants of a buffer.
//!
//! Every sum has a fixed order and none is atomic: the same steps on the same device give the same bits. Other devices
//! round otherwise (WebGPU lets a product and a sum be fused, and says no more of `exp` than a bound), so a GPU's weights have
//! no hash that others get. Exponentials and logarithms are polynomials of our own, since the built-in ones differ by hundreds of
//! units in the last place between drivers.
//!
//! What has no kernels here is refused by name before anything starts: see [`lacking`].

mod conv;
mod descent;
mod device;
mod kernel;
mod layers;
mod learner;
mod recorder;
mod run;
mod step;

pub use descent::Update;
pub use device::Device;
pub use layers::lacking;
pub use learner::{Come, Learner, Memory};
pub use run::{Dispatches, Run};

/// Waits for a GPU's answer on this thread. In a page, where nothing may wait, callers are `async` themselves.
#[cfg(not(target_arch = "wasm32"))]
pub fn wait<T>(answer: impl Future<Output = T>) -> T {
    pollster::block_on(answer)
}
