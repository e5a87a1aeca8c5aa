//! Models that other frameworks wrote, translated into what the importer of this crate opens: TensorFlow.js layers models,
//! Keras' `.keras` and `.h5`, TensorFlow Lite, and the weights that PyTorch saves.
//!
//! A model with a graph becomes an ONNX model, so that one executor runs all formats. TensorFlow keeps channels last; the ONNX
//! model has them first, its weights turned accordingly, so that pictures go in and maps come out as NCHW and the graph is
//! made of the layers that train here. Weights without a graph become safetensors. Nothing is ever executed.

mod archive;
mod builder;
mod config;
mod guess;
mod hdf5;
mod keras;
mod layers;
mod settings;
mod store;
mod tfjs;
mod tflite;
mod torch;
mod translate;

pub use guess::{Kind, kind, refusal};

use super::onnx::{self, Model};
use super::safetensors::{self, Precision, Weights};
use crate::error::{Error, Result};

/// A file among those that were handed in together.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// What it is called, with the folders above it as far as they are known.
    pub name: &'a str,
    /// What it holds.
    pub bytes: &'a [u8],
}

/// What a file becomes.
#[derive(Debug, Clone, PartialEq)]
pub enum Made {
    /// A model with its graph.
    Graph(Model),
    /// Weights by name.
    Weights(Weights),
}

impl Made {
    /// The bytes of a file: ONNX, or safetensors in full precision. Errors: those of [`safetensors::write`].
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        match self {
            Self::Graph(model) => Ok(onnx::write(model)),
            Self::Weights(weights) => safetensors::write(weights, Precision::F32),
        }
    }
}

/// Translates the first of these files that is one to translate, together with the others.
///
/// Memory: about four times the files' sizes, and 64 MiB. Errors: [`Error::Format`] for a file that is none of these, or damaged;
/// [`Error::Missing`] for a file that has to come with it and did not, and for layers that are not known here, all at once.
pub fn convert(files: &[Given]) -> Result<Made> {
    let (kind, main) = guess::main(files)?;
    match kind {
        Kind::TensorflowJs => archived(main, files),
        Kind::Keras => keras::zip(main.bytes),
        Kind::Hdf5 => keras::hdf5(main.bytes),
        Kind::Tflite => tflite::read(main.bytes),
        Kind::Torch => return torch::read(main.bytes).map(Made::Weights),
    }
    .map(Made::Graph)
}

/// A model of TensorFlow.js whose files are in a zip, or beside it.
fn archived(main: Given, files: &[Given]) -> Result<Model> {
    if !main.bytes.starts_with(b"PK") {
        return tfjs::read(main, files);
    }
    let inside = archive::unpacked(main.bytes)?;
    let inside = inside.iter().map(|(name, bytes)| Given { name, bytes });
    // Names of classes may come beside the archive.
    let others = files.iter().copied().filter(|file| file.name != main.name);
    let all: Vec<Given> = inside.chain(others).collect();
    let model = all.iter().find(|file| !file.bytes.starts_with(b"PK") && kind(file.bytes) == Some(Kind::TensorflowJs));
    let model =
        model.ok_or_else(|| Error::format("zip archive", "a layers model of TensorFlow.js", "another model.json"))?;
    tfjs::read(*model, &all)
}
