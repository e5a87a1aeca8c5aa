//! Files of the command: read whole, written whole or not at all.

use hitofude::data::strokes::{Drawing, read_drawings};
use hitofude::file::convert::{self, Given, Kind};
use hitofude::nn::{Network, Params};
use hitofude::systems::opened::{Format, Opened};
use hitofude::systems::saved::{self, Saved};
use hitofude::{Error, Result};
use image::{DynamicImage, ImageDecoder, ImageReader, Limits};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::{Path, PathBuf};

/// Reads a whole file.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|e| Error::io(path.display(), "a file that can be read", e))
}

/// Reads a file with a model: as it is, or as ONNX where another framework wrote it (TensorFlow.js with the files of weights in
/// its folder, Keras), or as safetensors (PyTorch).
pub fn model(path: &Path) -> Result<Vec<u8>> {
    let bytes = read(path)?;
    let Some(kind) = convert::kind(&bytes) else {
        return convert::refusal(&bytes).map_or(Ok(bytes), Err);
    };
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut beside = Vec::new();
    if kind == Kind::TensorflowJs {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let entries =
            std::fs::read_dir(folder).map_err(|e| Error::io(folder.display(), "a folder that can be read", e))?;
        let wanted =
            |path: &PathBuf| path.extension().is_some_and(|end| end == "bin") || path.ends_with("metadata.json");
        for one in entries.filter_map(|e| e.ok().map(|e| e.path())).filter(wanted) {
            beside.push((name(&one), read(&one)?));
        }
    }
    let own = name(path);
    let others = beside.iter().map(|(name, bytes)| Given { name, bytes });
    let files: Vec<Given> = std::iter::once(Given { name: &own, bytes: &bytes }).chain(others).collect();
    convert::convert(&files)?.to_bytes()
}

/// Writes a whole file beside its place and moves it there, so that a kill at any moment leaves the old or the new.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let error = |e| Error::io(path.display(), "a file that can be written", e);
    if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(error)?;
    }
    let beside = with_suffix(path, ".new");
    std::fs::write(&beside, bytes).and_then(|()| std::fs::rename(&beside, path)).map_err(error)
}

/// A report as one line of JSON.
pub fn json(report: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(report).map_err(|e| Error::format("report", "numbers that JSON can hold", e))
}

/// The SHA-256 of a file's bytes, in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// `path` with something behind its whole name.
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// A picture in a file.
pub struct Picture {
    /// Columns.
    pub w: usize,
    /// Rows.
    pub h: usize,
    /// Red, green, blue and how far it hides the paper, pixel after pixel.
    pub rgba: Vec<u8>,
}

/// Reads a PNG, JPEG, WebP, GIF or BMP file, by its content, the right way up as its camera says. Its sides are at most
/// `longest`, and it takes at most `memory` bytes to decode.
pub fn picture(path: &Path, longest: u32, memory: u64) -> Result<Picture> {
    let wrong = |e: image::ImageError| Error::format(path.display(), "a PNG, JPEG, WebP, GIF or BMP file", e);
    let mut reader = ImageReader::new(Cursor::new(read(path)?));
    let mut limits = Limits::no_limits();
    (limits.max_image_width, limits.max_image_height, limits.max_alloc) = (Some(longest), Some(longest), Some(memory));
    reader.limits(limits);
    let reader = reader.with_guessed_format().map_err(|e| Error::io(path.display(), "a file that can be read", e))?;
    let mut decoder = reader.into_decoder().map_err(wrong)?;
    let (w, h) = decoder.dimensions();
    if w.max(h) > longest {
        return Err(Error::shape(path.display(), format!("sides of at most {longest}"), format!("{w} × {h}")));
    }
    let orientation = decoder.orientation().map_err(wrong)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(wrong)?;
    picture.apply_orientation(orientation);
    let picture = picture.into_rgba8();
    Ok(Picture { w: picture.width() as usize, h: picture.height() as usize, rgba: picture.into_raw() })
}

/// Reads pen strokes.
pub fn drawings(path: &Path) -> Result<Vec<Drawing>> {
    read_drawings(&read(path)?)
}

/// The folder of shipped weights: the one asked for, else `pretrained` here or above the command itself, which cargo
/// puts into the checkout's `target`.
pub fn shipped(asked: Option<&Path>) -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    let above = program.ancestors().map(|folder| folder.join("pretrained"));
    let mut places = std::iter::once(PathBuf::from("pretrained")).chain(above);
    match asked {
        Some(folder) => folder.to_path_buf(),
        None => places.find(|folder| folder.is_dir()).unwrap_or_else(|| "pretrained".into()),
    }
}

/// The files of weights in a folder, by name.
pub fn weights_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(|e| Error::io(folder.display(), "a folder that can be read", e))?;
    let paths = entries.filter_map(|e| e.ok().map(|e| e.path()));
    let mut found: Vec<PathBuf> = paths.filter(|p| p.extension().is_some_and(|e| e == "safetensors")).collect();
    found.sort();
    Ok(found)
}

/// A network with its weights, from a file.
pub struct Model {
    /// The name in the file, else the file's.
    pub name: String,
    /// What the file says besides.
    pub metadata: BTreeMap<String, String>,
    /// The structure.
    pub net: Network,
    /// The parameters.
    pub params: Params,
    /// The file itself.
    pub file: Vec<u8>,
}

/// The file behind a name in the folder of shipped weights, or in its folder of few bits, or behind a path.
pub fn find(name_or_path: &str, pretrained: Option<&Path>) -> Result<PathBuf> {
    let (folder, file) = (shipped(pretrained), format!("{name_or_path}.safetensors"));
    let places = [folder.join(&file), folder.join("bits").join(&file), PathBuf::from(name_or_path)];
    places.into_iter().find(|path| path.is_file()).ok_or_else(|| {
        let expected = format!("a file, or a name from {}", folder.display());
        Error::missing("model", expected, name_or_path)
    })
}

impl Model {
    /// Reads a model by its name in the folder of shipped weights, or by its path.
    pub fn find(name_or_path: &str, pretrained: Option<&Path>) -> Result<Self> {
        Self::open(&find(name_or_path, pretrained)?)
    }

    /// Reads a model from a file.
    pub fn open(path: &Path) -> Result<Self> {
        let file = model(path)?;
        let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let Saved { net, params, metadata } = match Format::of(&file)? {
            Format::Safetensors => saved::read(&file)?,
            _ => Opened::read(&file, &stem, None)?.network()?,
        };
        let name = metadata.get("name").cloned().unwrap_or(stem);
        Ok(Self { name, metadata, net, params, file })
    }

    /// The name of its architecture, if it has one.
    pub fn architecture(&self) -> &str {
        self.metadata.get("architecture").map_or("a network of its own", |name| name)
    }
}
