//! Colour pictures: files, or those that the project draws itself, by name.

use super::files::{self, Picture};
use hitofude::data::pictures::{FAMILIES, Rgb, family};
use hitofude::{Error, Result};
use png::{BitDepth, ColorType, Encoder};
use std::path::{Path, PathBuf};

/// The longest side of a picture in a file.
const LONGEST: u32 = 4096;
/// The most memory that one picture may take while it is decoded.
const MEMORY: u64 = 256 << 20;

/// Arguments of `picture`.
#[derive(clap::Args)]
pub struct Args {
    /// What to draw; without a name they are listed.
    name: Option<String>,
    /// Columns and rows.
    #[arg(long, value_name = "W[xH]", default_value = "256")]
    size: Size,
    /// What varies follows from it.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Where to write the PNG file; NAME.png if not given.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Columns and rows, as `320x240` or one number for both.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Columns.
    pub w: usize,
    /// Rows.
    pub h: usize,
}

impl std::str::FromStr for Size {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (w, h) = text.split_once('x').unwrap_or((text, text));
        let side = |text: &str| text.parse().ok().filter(|side| (1..=4096).contains(side));
        match (side(w), side(h)) {
            (Some(w), Some(h)) => Ok(Self { w, h }),
            _ => Err(Error::value("size", "columns and rows like 320x240, or one number for both", text)),
        }
    }
}

/// Draws one of the project's own pictures, or lists them.
pub fn run(args: &Args) -> Result<()> {
    let Some(name) = &args.name else {
        FAMILIES.iter().for_each(|family| println!("{:12} {}", family.name, family.about));
        return Ok(());
    };
    let picture = family(name)?.draw(args.seed, args.size.h, args.size.w)?;
    write(args.out.as_deref().unwrap_or(Path::new(&format!("{name}.png"))), &picture)
}

/// The picture in a file, or the one that the project draws under this name at this size.
pub fn open(name_or_path: &str, size: Size) -> Result<Rgb> {
    let path = Path::new(name_or_path);
    if path.is_file() { read(path) } else { family(name_or_path)?.draw(1, size.h, size.w) }
}

/// Reads a picture in a file of any kind that is read here.
pub fn read(path: &Path) -> Result<Rgb> {
    let Picture { w, h, rgba } = files::picture(path, LONGEST, MEMORY)?;
    Rgb::from_rgba(h, w, &rgba)
}

/// Writes a PNG file.
pub fn write(path: &Path, picture: &Rgb) -> Result<()> {
    let rgb: Vec<u8> = picture.rgba().chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, picture.w as u32, picture.h as u32);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    let wrong = |e: png::EncodingError| Error::format(path.display(), "a picture that PNG can hold", e);
    encoder.write_header().and_then(|mut writer| writer.write_image_data(&rgb)).map_err(wrong)?;
    files::write(path, &file)
}
