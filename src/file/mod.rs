//! Floor 3: weights in files.
