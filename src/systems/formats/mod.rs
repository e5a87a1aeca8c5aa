//! Models in files: those of other programs come in, this crate's go out, and any of them is opened by what its bytes say.

pub mod exported;
pub mod imported;
pub mod opened;
pub mod saved;
