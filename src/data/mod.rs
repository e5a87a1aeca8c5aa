//! Floor 3: images, ink and batches, from bytes to arrays.

pub mod ink;
pub mod strokes;
