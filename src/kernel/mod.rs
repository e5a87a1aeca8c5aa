//! Floor 1: loops over slices and SIMD lanes. No tensor names, no layers.
//!
//! Every kernel takes the [`Level`] of lanes to run at as its first argument. The body is generic over
//! `fearless_simd::Simd` and is compiled once per level: AVX-512, AVX2, SSE, NEON, wasm simd128 (or relaxed-simd,
//! by compile flag), scalar.

pub mod conv;
pub mod gemm;
pub mod tile;

pub use fearless_simd::Level;

pub mod act;
mod lanes;
pub mod pool;
pub mod reduce;
pub mod softmax;
pub mod update;
