//! Floor 5: the wasm door. Converts, calls, converts; never computes.
