//! Which format a file is of, by its bytes: names lie, and a download that failed is a page of HTML.

use crate::error::{Error, Result};
use crate::file::safetensors::Precision;

/// A format that models come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A graph of operators with its weights.
    Onnx,
    /// Named tensors, and text about them.
    Safetensors,
    /// NumPy's archive of named arrays.
    Npz,
    /// A pickled dict of NumPy arrays.
    Pickle,
}

/// A format to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A graph of operators with its weights.
    Onnx,
    /// Named tensors of this precision with the network's description.
    Safetensors(Precision),
    /// NumPy's archive of named arrays, the network's description among them.
    Npz,
}

/// How files begin that are none of these, and what to do about it.
const OTHERS: &[(usize, &[u8], &str)] = &[
    (0, b"<", "a web page: the download failed"),
    (0, b"\x1f\x8b", "a gzip file: unpack it first"),
    (0, b"\x89HDF", "an HDF5 file, as Keras saves: write it with model.export(\"model.onnx\", format=\"onnx\")"),
    // The number that torch.save began with before its files were zips.
    (0, b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19", TORCH_ADVICE),
    (4, b"TFL3", "a TensorFlow Lite file: convert it with tf2onnx"),
    (0, b"\x89PNG", "a picture"),
    (0, b"\xff\xd8\xff", "a picture"),
];

/// A file of `torch.save` is a zip with this entry.
const TORCH: &[u8] = b"data.pkl";
const TORCH_ADVICE: &str = "a file of torch.save: write it with torch.onnx.export, or its state_dict with safetensors";
/// A model that Keras 3 saved is a zip that begins with one of these.
const KERAS: [&[u8]; 3] = [b"metadata.json", b"config.json", b"model.weights.h5"];
const KERAS_ADVICE: &str = "a Keras file: write it with model.export(\"model.onnx\", format=\"onnx\")";

impl Format {
    /// The format of a file. Errors: [`Error::Format`] that says what the file is instead, where that is known.
    pub fn of(bytes: &[u8]) -> Result<Self> {
        let refuse = |got: &str| Error::format("file", "ONNX, safetensors, npz or a pickle of NumPy arrays", got);
        let begins = |at: usize, with: &[u8]| bytes.get(at..).is_some_and(|rest| rest.starts_with(with));
        if bytes.is_empty() {
            return Err(refuse("no bytes"));
        }
        // Before the brace stands the header's length; the first eight bytes of an ONNX model are no such number.
        let length = bytes.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
        if begins(8, b"{") && length.is_some_and(|length| length < 1 << 40) {
            return Ok(Self::Safetensors);
        }
        if begins(0, b"PK") {
            let head = &bytes[..bytes.len().min(256)];
            let holds = |name: &[u8]| head.windows(name.len()).any(|part| part == name);
            return match () {
                () if holds(TORCH) => Err(refuse(TORCH_ADVICE)),
                () if KERAS.iter().any(|name| holds(name)) => Err(refuse(KERAS_ADVICE)),
                () => Ok(Self::Npz),
            };
        }
        if let Some((.., what)) = OTHERS.iter().find(|(at, with, _)| begins(*at, with)) {
            return Err(refuse(what));
        }
        // Protocol 2 and later say so; the text of 0 and the bytes of 1 end with the opcode that ends all.
        let early = bytes.ends_with(b".") && [&b"("[..], b"}", b"c"].iter().any(|with| begins(0, with));
        if early || (begins(0, b"\x80") && bytes.get(1).is_some_and(|protocol| (2..=5).contains(protocol))) {
            return Ok(Self::Pickle);
        }
        // A message of numbered fields: ONNX begins with one of its own nine, and mostly with the first.
        let (field, wire) = (bytes[0] >> 3, bytes[0] & 7);
        if matches!((field, wire), (1 | 5, 0) | (2 | 3 | 4 | 6 | 7 | 8 | 14, 2)) {
            Ok(Self::Onnx)
        } else {
            Err(refuse("other bytes"))
        }
    }

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Onnx => "onnx",
            Self::Safetensors => "safetensors",
            Self::Npz => "npz",
            Self::Pickle => "pickle",
        }
    }
}

impl Target {
    /// The target of a word: `onnx`, `npz`, or `safetensors-` and `f32`, `f16`, `bf16` or `i8`. Errors: [`Error::Missing`].
    pub fn named(word: &str) -> Result<Self> {
        Ok(match word {
            "onnx" => Self::Onnx,
            "npz" => Self::Npz,
            "safetensors-f32" => Self::Safetensors(Precision::F32),
            "safetensors-f16" => Self::Safetensors(Precision::F16),
            "safetensors-bf16" => Self::Safetensors(Precision::Bf16),
            "safetensors-i8" => Self::Safetensors(Precision::I8),
            other => {
                let known = "one of onnx, npz, safetensors-f32, safetensors-f16, safetensors-bf16, safetensors-i8";
                return Err(Error::missing("format", known, other));
            }
        })
    }
}
