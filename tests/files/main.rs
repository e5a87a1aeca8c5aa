//! Weights in files: what reads, what is refused, and how much memory a hostile file can take.

#[cfg(not(target_arch = "wasm32"))]
#[path = "../common/mod.rs"]
mod common;

mod bombs;
mod pickle;
mod pickle_hostile;
mod safetensors;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

use hitofude::rng::Rng;

/// A copy of `file` with a few random edits: bytes set, cut out, repeated elsewhere, and lengths made extreme.
fn damage(file: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = file.to_vec();
    for _ in 0..=rng.below(4) {
        let at = rng.below(bytes.len());
        let end = at + rng.below((bytes.len() - at).min(24)) + 1;
        match rng.below(5) {
            0 | 1 => bytes[at] = rng.bits() as u8,
            2 => bytes[at] = [0, 0x7f, 0x80, 0xff][rng.below(4)],
            3 if bytes.len() > end - at => drop(bytes.drain(at..end)),
            _ => {
                let piece = bytes[at..end].to_vec();
                let to = rng.below(bytes.len());
                bytes.splice(to..to, piece);
            }
        }
    }
    bytes
}
