//! What the integration tests share.
#![allow(dead_code, reason = "each test file uses its own part")]

use fearless_simd::Level;
use std::path::{Path, PathBuf};

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

/// A file or folder of the data that stay outside the repository: `HITOFUDE_DATA`, else `../shared`. Where it is
/// absent, stderr says so and the caller skips the case.
pub fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("HITOFUDE_DATA").map(PathBuf::from);
    let found = root.unwrap_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared"))).join(path);
    let there = found.exists();
    if !there {
        eprintln!("skipped: {} is absent (HITOFUDE_DATA names the folder of the data)", found.display());
    }
    there.then_some(found)
}

/// A folder of the test's own, emptied.
pub fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}
