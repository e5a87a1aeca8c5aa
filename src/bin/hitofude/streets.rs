//! `hitofude streets`: views from a car as PNG, with the class of every pixel.

use super::{colour, files};
use hitofude::data::streets::{CLASSES, Drive, HEIGHT, Split, View, WIDTH, Weather, view};
use hitofude::{Error, Result};
use png::{BitDepth, ColorType, Encoder};
use std::path::{Path, PathBuf};

/// Arguments of `streets`.
#[derive(clap::Args)]
pub struct Args {
    /// What varies follows from it: the number of the first view, or of the drive.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// How many.
    #[arg(long, value_name = "N", default_value_t = 6)]
    count: u64,
    /// The folder to write into: 0000.png, and 0000.classes.png with the class of every pixel, …
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Frames of one drive, not single views.
    #[arg(long)]
    drive: bool,
    /// One weather only; else single views take turns and a drive is by day.
    #[arg(long, value_name = "WEATHER")]
    weather: Option<String>,
    /// Which seeds: train, validation or test.
    #[arg(long, value_name = "PART", default_value = "train", value_parser = split)]
    split: Split,
}

fn split(text: &str) -> std::result::Result<Split, String> {
    match text {
        "train" => Ok(Split::Train),
        "validation" => Ok(Split::Validation),
        "test" => Ok(Split::Test),
        _ => Err("train, validation or test".into()),
    }
}

/// Draws views or the frames of a drive.
pub fn run(args: &Args) -> Result<()> {
    if !(1..=100_000).contains(&args.count) {
        return Err(Error::value("count", "1 to 100000", args.count));
    }
    let weather = args.weather.as_deref().map(Weather::named).transpose()?;
    let drive = Drive::new(args.split.seed(args.seed), weather.unwrap_or(Weather::Day));
    for i in 0..args.count {
        let number = args.seed.wrapping_add(i);
        let view = match weather {
            _ if args.drive => drive.frame(i as usize),
            Some(weather) => Drive::new(args.split.seed(number), weather).frame(0),
            None => view(args.split, number),
        };
        let path = |kind: &str| args.out.join(format!("{i:04}{kind}.png"));
        colour::write(&path(""), &view.picture)?;
        classes(&path(".classes"), &view)?;
    }
    println!("{} views in {}", args.count, args.out.display());
    Ok(())
}

/// Writes the classes as a PNG whose pixels are their numbers and whose palette is their colours.
fn classes(path: &Path, view: &View) -> Result<()> {
    let palette: Vec<u8> = CLASSES.iter().flat_map(|class| class.colour).collect();
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, WIDTH as u32, HEIGHT as u32);
    encoder.set_color(ColorType::Indexed);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_palette(palette);
    let wrong = |e: png::EncodingError| Error::format(path.display(), "a picture that PNG can hold", e);
    encoder.write_header().and_then(|mut writer| writer.write_image_data(&view.truth)).map_err(wrong)?;
    files::write(path, &file)
}
