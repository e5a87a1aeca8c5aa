//! What the integration tests share.
#![allow(dead_code, reason = "each test file uses its own part")]

use fearless_simd::Level;

/// Every lane level this machine and build can run, the scalar one first.
pub fn levels() -> Vec<Level> {
    let best = Level::new();
    let mut all = vec![Level::fallback(), Level::baseline()];
    #[cfg(target_arch = "x86_64")]
    {
        all.extend(best.as_sse4_2().map(Level::Sse4_2));
        all.extend(best.as_avx2().map(Level::Avx2));
    }
    all.push(best);
    all.dedup_by_key(|level| format!("{level:?}"));
    all
}
