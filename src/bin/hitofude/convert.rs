//! `hitofude convert`: a model that another framework wrote, as ONNX.

use super::files;
use hitofude::Result;
use hitofude::systems::opened::Format;
use std::path::PathBuf;

/// Arguments of `convert`.
#[derive(clap::Args)]
pub struct Args {
    /// The model: model.json of TensorFlow.js with its files beside it, a zip of them, .keras or .h5.
    file: PathBuf,
    /// Where to write it.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Reads, translates, writes, and says what it wrote.
pub fn run(args: &Args) -> Result<()> {
    let bytes = files::model(&args.file)?;
    files::write(&args.out, &bytes)?;
    eprintln!("{}: {}, {} bytes", args.out.display(), Format::of(&bytes)?.name(), bytes.len());
    Ok(())
}
