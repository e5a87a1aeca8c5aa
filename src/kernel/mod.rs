//! Floor 1: loops over slices and SIMD lanes. No tensor names, no layers.
//!
//! Every kernel takes the [`Level`] of lanes to run at as its first argument. The body is generic over
//! `fearless_simd::Simd` and is compiled once per level: AVX-512, AVX2, SSE, NEON, wasm simd128 (or relaxed-simd,
//! by compile flag), scalar.

pub mod act;
pub mod attention;
pub mod binary;
pub mod conv;
pub mod depthwise;
pub mod gemm;
pub mod gram;
pub mod int8;
mod lanes;
pub mod loss;
pub mod lrn;
pub mod norm;
pub mod pool;
pub mod prelu;
pub mod quantise;
pub mod recurrent;
pub mod reduce;
pub mod resize;
pub mod roi;
pub mod softmax;
pub mod tile;
pub mod update;
pub mod volume;
pub mod windows;
pub mod winograd;
pub mod words;

pub use fearless_simd::Level;
