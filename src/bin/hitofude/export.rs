//! `hitofude export`: a model for other programs.

use super::files::{self, Model};
use super::quantise::Few;
use hitofude::file::onnx;
use hitofude::file::safetensors::Precision;
use hitofude::systems::{exported, saved};
use hitofude::{Error, Result};
use std::path::PathBuf;

/// What a network for digits reads, for whoever runs it elsewhere.
const DIGITS: &str = "grey levels from 0 (paper) to 1 (ink); the digit in a box of 20 x 20, its centre of mass in the middle, \
                      as MNIST has it";

/// Arguments of `export`.
#[derive(clap::Args)]
pub struct Args {
    /// A name from the pretrained folder, or a file of weights.
    #[arg(long, value_name = "NAME|FILE")]
    model: String,
    /// Where to write it: a name that ends in .onnx or .safetensors.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// How safetensors keep their numbers.
    #[arg(long, value_enum, default_value = "f32")]
    precision: Numbers,
    /// The folder of shipped weights, if not the checkout's.
    #[arg(long, value_name = "DIR")]
    pretrained: Option<PathBuf>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Numbers {
    F32,
    F16,
    Bf16,
    I8,
}

/// Reads, writes and says what.
pub fn run(args: &Args) -> Result<()> {
    if let Some(few) = Few::find(&args.model, args.pretrained.as_deref())? {
        let end = args.out.extension().and_then(|end| end.to_str());
        return match end {
            Some("onnx") => written(args, &few.onnx()?),
            _ => Err(Error::value("out", "a name that ends in .onnx, for a model of few bits", args.out.display())),
        };
    }
    let Model { name, mut metadata, net, params, .. } = Model::find(&args.model, args.pretrained.as_deref())?;
    if net.input_shape() == hitofude::shape::Shape::new(1, 28, 28) {
        metadata.entry("input".into()).or_insert_with(|| DIGITS.into());
    }
    metadata.entry("output".into()).or_insert_with(|| "scores before the softmax".into());
    let bytes = match args.out.extension().and_then(|end| end.to_str()) {
        Some("onnx") => onnx::write(&exported::to_onnx(&name, &net, &params, metadata)?),
        Some("safetensors") => {
            let precision = match args.precision {
                Numbers::F32 => Precision::F32,
                Numbers::F16 => Precision::F16,
                Numbers::Bf16 => Precision::Bf16,
                Numbers::I8 => Precision::I8,
            };
            saved::write(&saved::Saved { net, params, metadata }, precision)?
        }
        _ => return Err(Error::value("out", "a name that ends in .onnx or .safetensors", args.out.display())),
    };
    written(args, &bytes)
}

fn written(args: &Args, bytes: &[u8]) -> Result<()> {
    files::write(&args.out, bytes)?;
    eprintln!("{}: {} bytes", args.out.display(), bytes.len());
    Ok(())
}
