//! Floor 2: networks.
//!
//! Build → plan → run. A model is a function from wire to wire that appends nodes to a [`Graph`]; the order of
//! wiring is a topological order, so forward is the list and backward is the list reversed, with every gradient
//! accumulated. Shapes are inferred while building, the only place where shapes can fail. A [`Plan`] then decides
//! which buffer every wire lives in, and a [`Run`] owns those buffers and cannot fail.
//!
//! One file per layer family holds its shape rule, forward and backward together; see [`layer::Layer`].

pub mod description;
mod feeding;
pub mod fold;
pub mod graph;
pub mod init;
pub mod layer;
pub mod layers;
pub mod loss;
pub mod losses;
pub mod network;
pub mod params;
pub mod plan;
pub mod port;
pub mod run;
pub mod want;

pub use graph::{Graph, Wire};
pub use init::Init;
pub use layer::Mode;
pub use layers::conv::Conv;
pub use network::Network;
pub use params::Params;
pub use plan::Plan;
pub use port::{Feed, Port, Rows};
pub use run::Run;
pub use want::{Losses, Values, Want};
