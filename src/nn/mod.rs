//! Floor 2: networks.
//!
//! Build → plan → run. A model is a function from wire to wire that appends nodes to a [`Graph`]; the order of
//! wiring is a topological order, so forward is the list and backward is the list reversed, with every gradient
//! accumulated. Shapes are inferred while building, the only place where shapes can fail. A [`Plan`] then decides
//! which buffer every wire lives in, and a [`Run`] owns those buffers and cannot fail.
//!
//! One file per layer family holds its shape rule, forward and backward together; see [`layer::Layer`].

pub mod act;
pub mod add;
pub mod affine;
pub mod batch_norm;
pub mod concat;
pub mod conv;
pub mod conv3d;
pub mod conv_transpose;
mod depthwise;
pub mod dropout;
pub mod flatten;
pub mod fold;
pub mod graph;
pub mod init;
pub mod layer;
pub mod loss;
pub mod lrn;
pub mod norm;
pub mod params;
pub mod plan;
pub mod pool;
pub mod prelu;
pub mod run;
pub mod scale;
pub mod spec;
pub mod unpool;
pub mod upsample;

pub use conv::Conv;
pub use graph::{Graph, Network, Wire};
pub use init::Init;
pub use layer::Mode;
pub use params::Params;
pub use plan::{Plan, Purpose};
pub use run::Run;
