//! Floor 2: networks.
//!
//! Build → plan → run. A model is a function from wire to wire that appends nodes to a [`Graph`]; the order of
//! wiring is a topological order, so forward is the list and backward is the list reversed, with every gradient
//! accumulated. Shapes are inferred while building, the only place where shapes can fail. A [`Plan`] then decides
//! which buffer every wire lives in, and a [`Run`] owns those buffers and cannot fail.
//!
//! One file per layer family holds its shape rule, forward and backward together; see [`layer::Layer`].
//!
//! Inputs, outputs and losses have names, and inputs may have rows of their own. Here regions, any number of them for an
//! image, are named by the scores that a second head gives them:
//!
//! ```
//! use hitofude::nn::layers::affine::Affine;
//! use hitofude::nn::losses::MaskCrossEntropy;
//! use hitofude::nn::{Conv, Feed, Graph, Init, Mode, Port, Run, Want};
//! use hitofude::shape::Shape;
//!
//! # fn main() -> hitofude::Result<()> {
//! let mut graph = Graph::new();
//! let image = graph.input("image", Shape::new(1, 4, 4))?;
//! let map = graph.add("map", Conv::new(2, 3).pad(1), &[image])?;
//! let regions = graph.rows(8)?; // at most 8 for an image
//! let region = graph.port("region", Shape::new(5, 1, 1), Port::Image, regions)?;
//! let class = graph.port("class", Shape::new(1, 1, 1), Port::Mask(3), regions)?; // −1 counts for nothing
//! let scores = graph.add("scores", Affine::new(3), &[region])?;
//! graph.output("scores", scores)?;
//! graph.loss("naming", MaskCrossEntropy, &[scores, class], 0.5)?;
//! let net = graph.finish(map);
//!
//! let mut params = net.zeros();
//! Init::He.fill(&mut params, 1)?;
//! let mut run = Run::new(&net, 1, &Want::training());
//! let feeds = [
//!     Feed::new("image", &[0.5; 16]),
//!     Feed::new("region", &[0.1; 15]), // three rows
//!     Feed::new("class", &[2.0, 0.0, -1.0]),
//! ];
//! run.forward_feeds(&params, &feeds, Mode::Train { seed: 1 })?;
//! assert_eq!(run.rows(scores), 3);
//! assert!(run.loss("naming")? > 0.0);
//! let mut gradient = vec![0.0; net.arena_len()];
//! run.backward_losses(&params, &mut gradient, 1.0);
//! # Ok(())
//! # }
//! ```

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
