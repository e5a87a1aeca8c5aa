//! `hitofude import`: the textbook's pickles as safetensors.

use super::files;
use hitofude::Result;
use hitofude::file::pickle;
use hitofude::file::safetensors::{self, Precision, Weights};
use hitofude::zoo::{self, textbook};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Arguments of `import`.
#[derive(clap::Args)]
pub struct Args {
    /// The pickle; it is read, never executed.
    file: PathBuf,
    /// The architecture whose parameters it holds.
    #[arg(long = "as", value_name = "NAME")]
    name: String,
    /// Where to write the weights.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Reads, checks against the architecture, and writes in full precision.
pub fn run(args: &Args) -> Result<()> {
    let net = zoo::build(&args.name)?;
    let mut params = net.zeros();
    params.load(&textbook::import(&args.name, &pickle::read(&files::read(&args.file)?)?)?)?;
    let metadata = BTreeMap::from([("architecture".to_string(), args.name.clone())]);
    let bytes = safetensors::write(&Weights { tensors: params.named(), metadata }, Precision::F32)?;
    files::write(&args.out, &bytes)?;
    eprintln!("{}: {} parameters, {} bytes", args.out.display(), net.parameters(), bytes.len());
    Ok(())
}
