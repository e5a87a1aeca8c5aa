//! Floor 3: images, ink and batches, from bytes to arrays.

pub mod augment;
pub mod idx;
pub mod ink;
pub mod pictures;
pub mod scenes;
pub mod scribble;
pub mod streets;
pub mod strokes;
pub mod synth;
