//! Floor 3: one short file per paper.
