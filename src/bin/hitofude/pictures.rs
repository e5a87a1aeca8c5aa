//! Pictures in folders, a folder for each class.

use super::files::{self, Png};
use hitofude::data::idx::{Images, Labelled};
use hitofude::{Error, Result};
use png::ColorType;
use std::path::{Path, PathBuf};

/// The longest side of a picture.
const LONGEST: u32 = 512;
/// The most memory that one picture may take while it is decoded.
const MEMORY: usize = 16 << 20;

/// Reads the PNG files in the folders of `path`, in the order of their names; the folder is the class. Returns them and
/// the number of classes, or `None` where there is no PNG file. Where a picture is lighter than dark its ink is dark, and
/// it is inverted, as in the page.
///
/// Fails on a file that is no PNG and on one of another size than the first.
pub fn folders(path: &Path) -> Result<Option<(Labelled, usize)>> {
    let mut classes = Vec::new();
    for folder in entries(path)?.into_iter().filter(|p| p.is_dir()) {
        let files: Vec<PathBuf> = entries(&folder)?.into_iter().filter(|p| is_png(p)).collect();
        if !files.is_empty() {
            classes.push(files);
        }
    }
    if classes.is_empty() {
        return Ok(None);
    }
    if !(2..=255).contains(&classes.len()) {
        return Err(Error::value(path.display(), "2 to 255 folders of PNG files", classes.len()));
    }
    let (mut images, mut labels) = (Images { n: 0, h: 0, w: 0, pixels: Vec::new() }, Vec::new());
    for (class, file) in classes.iter().enumerate().flat_map(|(class, files)| files.iter().map(move |f| (class, f))) {
        let (w, h, grey) = grey(file)?;
        if images.n == 0 {
            (images.w, images.h) = (w, h);
        } else if (images.w, images.h) != (w, h) {
            let expected = format!("{} × {} like the first picture", images.w, images.h);
            return Err(Error::shape(file.display(), expected, format!("{w} × {h}")));
        }
        images.pixels.extend(grey);
        images.n += 1;
        labels.push(class as u8);
    }
    Ok(Some((Labelled::new(images, labels, classes.len() as u8)?, classes.len())))
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let all = std::fs::read_dir(folder).map_err(|e| Error::io(folder.display(), "a folder that can be read", e))?;
    let mut paths: Vec<PathBuf> = all.filter_map(|entry| entry.ok().map(|e| e.path())).collect();
    // Folders called 2 and 10 come in this order.
    paths.sort_by_key(|p| {
        let name = p.file_name().unwrap_or_default().to_string_lossy().into_owned();
        (name.parse::<u64>().unwrap_or(u64::MAX), name)
    });
    Ok(paths)
}

fn is_png(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("png"))
}

/// Width, height and the grey levels of a picture on paper, 255 for ink.
fn grey(path: &Path) -> Result<(usize, usize, Vec<u8>)> {
    let Png { w, h, kind, pixels } = files::png(path, LONGEST, MEMORY)?;
    let luma = |rgb: &[u8]| 0.299 * f32::from(rgb[0]) + 0.587 * f32::from(rgb[1]) + 0.114 * f32::from(rgb[2]);
    // Where nothing is drawn there is white paper.
    let over = |grey: f32, alpha: u8| (255.0 + (grey - 255.0) * f32::from(alpha) / 255.0).round() as u8;
    let mut grey: Vec<u8> = match kind {
        ColorType::GrayscaleAlpha => pixels.chunks_exact(2).map(|p| over(p[0].into(), p[1])).collect(),
        ColorType::Rgb => pixels.chunks_exact(3).map(|p| luma(p).round() as u8).collect(),
        ColorType::Rgba => pixels.chunks_exact(4).map(|p| over(luma(p), p[3])).collect(),
        _ => pixels,
    };
    let sum: u64 = grey.iter().map(|&p| u64::from(p)).sum();
    if sum > 127 * grey.len() as u64 {
        grey.iter_mut().for_each(|p| *p = 255 - *p);
    }
    Ok((w, h, grey))
}
