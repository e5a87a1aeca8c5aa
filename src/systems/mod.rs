//! Floor 4: how rooms work together.

pub mod digits;
pub mod recognise;
pub mod session;
