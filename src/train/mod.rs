//! Floor 3: optimisers, schedules, metrics and the training loop.
