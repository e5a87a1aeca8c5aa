//! Floor 4: how rooms work together.

pub mod recognise;
