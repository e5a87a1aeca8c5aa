//! IDX, the format of MNIST: a magic number, big-endian sizes, then one byte a pixel or label.
//!
//! Format: LeCun, Cortes and Burges, "The MNIST database of handwritten digits". Files may be plain or gzip. A gzip
//! file is inflated no further than the size that its IDX header declares, and that size must be one which images
//! can be deflated to: 1 MiB and a hundred times the file (MNIST reaches 5 times, zeros a thousand).

use crate::error::{Error, Result};
use flate2::read::GzDecoder;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Grey images of one size: 0 is paper, 255 is ink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    /// How many images there are.
    pub n: usize,
    /// Rows of each image.
    pub h: usize,
    /// Columns of each image.
    pub w: usize,
    /// `n × h × w` bytes, row after row, image after image.
    pub pixels: Vec<u8>,
}

impl Images {
    /// The `h × w` bytes of image `i`. Panics when `i` is not below `n`.
    pub fn image(&self, i: usize) -> &[u8] {
        let size = self.h * self.w;
        &self.pixels[i * size..][..size]
    }
}

/// Images and the class of each, in the same order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labelled {
    /// The images.
    pub images: Images,
    /// One class an image.
    pub labels: Vec<u8>,
}

impl Labelled {
    /// Puts images and labels together; as many of one as of the other, and every label below `classes`.
    pub fn new(images: Images, labels: Vec<u8>, classes: u8) -> Result<Self> {
        if labels.len() != images.n {
            return Err(Error::shape("labels", format!("one for each of {} images", images.n), labels.len()));
        }
        match labels.iter().position(|&label| label >= classes) {
            Some(i) => Err(Error::value(format!("label {i}"), format!("a class below {classes}"), labels[i])),
            None => Ok(Self { images, labels }),
        }
    }
}

/// MNIST's two parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// The 60,000 images to learn from.
    Train,
    /// The 10,000 images to be judged by.
    Test,
}

/// Reads one part of MNIST (images and labels 0 to 9) from its two files.
///
/// They are looked for in `dir`, `dir/mnist` and `dir/data/mnist`, with `.gz` and without. Errors:
/// [`Error::Missing`] names the file that is in none of them, and every other error the file it was read from.
pub fn load_mnist(dir: &Path, split: Split) -> Result<Labelled> {
    let part = if split == Split::Train { "train" } else { "t10k" };
    let (path, bytes) = open(dir, &format!("{part}-images-idx3-ubyte"))?;
    let images = images(&path.display().to_string(), &bytes)?;
    let (path, bytes) = open(dir, &format!("{part}-labels-idx1-ubyte"))?;
    let labels = labels(&path.display().to_string(), &bytes)?;
    Labelled::new(images, labels, 10)
}

fn open(dir: &Path, name: &str) -> Result<(PathBuf, Vec<u8>)> {
    let folders = [dir.to_path_buf(), dir.join("mnist"), dir.join("data/mnist")];
    let paths = folders.iter().flat_map(|folder| [folder.join(format!("{name}.gz")), folder.join(name)]);
    let Some(path) = paths.into_iter().find(|path| path.is_file()) else {
        let expected = format!("a file (or .gz) in {0}, {0}/mnist or {0}/data/mnist", dir.display());
        return Err(Error::missing(name, expected, "none"));
    };
    match std::fs::read(&path) {
        Ok(bytes) => Ok((path, bytes)),
        Err(e) => Err(Error::io(path.display(), "a file that can be read", e)),
    }
}

/// Reads an IDX file of grey images, plain or gzip.
pub fn read_images(bytes: &[u8]) -> Result<Images> {
    images("IDX images", bytes)
}

/// Reads an IDX file of labels, plain or gzip.
pub fn read_labels(bytes: &[u8]) -> Result<Vec<u8>> {
    labels("IDX labels", bytes)
}

/// As [`read_images`] for a plain file. A page has its browser unpack gzip: the engine's own reader of it would be a
/// sixth of the wasm.
pub fn read_plain_images(bytes: &[u8]) -> Result<Images> {
    let ([n, h, w], pixels) = parse_stream("IDX images", bytes, bytes.len())?;
    Ok(Images { n, h, w, pixels })
}

/// As [`read_labels`] for a plain file.
pub fn read_plain_labels(bytes: &[u8]) -> Result<Vec<u8>> {
    let ([_], labels) = parse_stream("IDX labels", bytes, bytes.len())?;
    Ok(labels)
}

fn images(what: &str, bytes: &[u8]) -> Result<Images> {
    let ([n, h, w], pixels) = parse(what, bytes)?;
    Ok(Images { n, h, w, pixels })
}

fn labels(what: &str, bytes: &[u8]) -> Result<Vec<u8>> {
    let ([_], labels) = parse(what, bytes)?;
    Ok(labels)
}

/// The sizes along `N` axes and the bytes, which fill them exactly.
fn parse<const N: usize>(what: &str, bytes: &[u8]) -> Result<([usize; N], Vec<u8>)> {
    match bytes {
        [0x1f, 0x8b, ..] => {
            let most = bytes.len().saturating_mul(100).saturating_add(1 << 20);
            parse_stream(what, GzDecoder::new(bytes), most)
        }
        _ => parse_stream(what, bytes, bytes.len()),
    }
}

fn parse_stream<const N: usize>(what: &str, mut stream: impl Read, most: usize) -> Result<([usize; N], Vec<u8>)> {
    let broken = |e| Error::format(what, "a whole IDX file, plain or gzip", e);
    let mut word = [0; 4];
    stream.read_exact(&mut word).map_err(broken)?;
    if word != [0, 0, 0x08, N as u8] {
        let expected = format!("magic 00 00 08 {N:02x} (bytes along {N} axes)");
        return Err(Error::format(what, expected, format!("{word:02x?}")));
    }
    let mut sides = [0; N];
    for side in &mut sides {
        stream.read_exact(&mut word).map_err(broken)?;
        *side = u32::from_be_bytes(word) as usize;
    }
    let size = sides.iter().try_fold(1_usize, |size, &side| size.checked_mul(side));
    let Some(size) = size.filter(|size| (1..=most).contains(size)) else {
        let expected = format!("1 to {most} bytes in a file of this size");
        return Err(Error::format(what, expected, format!("sizes {sides:?}")));
    };
    // The buffer grows as bytes arrive, so a header that lies costs no more than there is. Reading one byte past
    // the declared size notices content that goes on, and has gzip verify its checksum.
    let mut content = Vec::new();
    stream.take(size as u64 + 1).read_to_end(&mut content).map_err(broken)?;
    if content.len() != size {
        let got = if content.len() > size { "more".to_owned() } else { content.len().to_string() };
        return Err(Error::format(what, format!("{size} bytes for sizes {sides:?}"), got));
    }
    content.shrink_to_fit();
    Ok((sides, content))
}
