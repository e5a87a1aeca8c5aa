//! Floor 4: how rooms work together.
