//! Any bytes as a model file of any format: refused, or opened, described and written again. Never a panic.
#![no_main]

use hitofude::systems::opened::{Opened, Target};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(model) = Opened::read(bytes, "fuzz", None) {
        let _ = model.rows();
        for word in ["onnx", "npz", "safetensors-f16"] {
            let _ = Target::named(word).and_then(|target| model.write(target));
        }
    }
});
