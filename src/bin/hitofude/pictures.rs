//! Pictures in folders, a folder for each class.

use super::files::{self, Picture};
use hitofude::data::idx::{Images, Labelled};
use hitofude::{Error, Result};
use std::path::{Path, PathBuf};

/// The longest side of a picture.
const LONGEST: u32 = 512;
/// The most memory that one picture may take while it is decoded.
const MEMORY: u64 = 16 << 20;
/// How the names of pictures end.
const ENDINGS: [&str; 6] = ["png", "jpg", "jpeg", "webp", "gif", "bmp"];
/// What folders of a set that is already split are called: what is learnt from, what is chosen by, what judges.
const PARTS: [&[&str]; 3] = [&["train", "training"], &["val", "valid", "validation"], &["test", "testing"]];

/// Pictures by class.
pub struct Folders {
    /// To learn from.
    pub train: Labelled,
    /// To choose by, if the folders say.
    pub validation: Option<Labelled>,
    /// To be judged by, if the folders say.
    pub test: Option<Labelled>,
    /// The classes' names, in the order of their numbers.
    pub classes: Vec<String>,
    /// Whether the ink was dark on light paper, and was turned over.
    pub dark_ink: bool,
}

/// What a walk through folders has left out.
#[derive(Default)]
struct LeftOut {
    hidden: Vec<String>,
    stray: Vec<String>,
}

/// Reads the pictures in the folders of `path`, in the order of their names; the folder is the class. Folders `train` and `test`
/// (and `val`) are taken for parts that have folders of classes inside. Gives `None` where there is no picture.
///
/// Hidden folders and files, and pictures in no class's folder, are left out; stderr says so. Where all pictures together are
/// lighter than dark their ink is dark, and all are turned over: each by itself would lose what is bright in one class and dark in
/// another. Fails on a file that is no picture and on one of another size than the first.
pub fn folders(path: &Path) -> Result<Option<Folders>> {
    let mut left = LeftOut::default();
    let parts = PARTS.map(|names| folder_called(path, names));
    let split = parts[0].is_some() && (parts[1].is_some() || parts[2].is_some());
    let roots = if split { parts } else { [Some(path.to_path_buf()), None, None] };
    let mut sets = Vec::new();
    for root in &roots {
        sets.push(root.as_deref().map(|root| classes(root, &mut left)).transpose()?);
    }
    let [train, validation, test] = &sets[..] else { return Ok(None) };
    let Some(train) = train.as_ref().filter(|train| !train.is_empty()) else { return Ok(None) };
    let names: Vec<String> = train.iter().map(|(name, _)| name.clone()).collect();
    if !(2..=255).contains(&names.len()) {
        return Err(Error::value(path.display(), "2 to 255 folders of pictures", names.len()));
    }
    left.say();
    let mut read = Reading::default();
    let train = read.set(train, &names)?;
    let mut other = |set: &Option<Classes>| set.as_ref().map(|set| read.set(set, &names)).transpose();
    let (mut validation, mut test) = (other(validation)?, other(test)?);
    let mut train = train;
    let dark_ink = read.sum > 127 * read.count;
    if dark_ink {
        let sets = [Some(&mut train), validation.as_mut(), test.as_mut()];
        sets.into_iter().flatten().flat_map(|set| &mut set.images.pixels).for_each(|p| *p = 255 - *p);
        eprintln!("dark ink on light paper: all pictures are turned over");
    }
    Ok(Some(Folders { train, validation, test, classes: names, dark_ink }))
}

/// Files by the name of their class.
type Classes = Vec<(String, Vec<PathBuf>)>;

fn folder_called(path: &Path, names: &[&str]) -> Option<PathBuf> {
    names.iter().map(|name| path.join(name)).find(|folder| folder.is_dir())
}

/// The folders of a root that hold pictures.
fn classes(root: &Path, left: &mut LeftOut) -> Result<Classes> {
    let mut classes = Vec::new();
    for entry in entries(root)? {
        let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if hidden(&name) {
            left.hidden.push(name);
        } else if entry.is_dir() {
            let (own, other): (Vec<PathBuf>, Vec<PathBuf>) = entries(&entry)?
                .into_iter()
                .partition(|p| !hidden(&p.file_name().unwrap_or_default().to_string_lossy()));
            left.hidden.extend(other.iter().map(|p| p.file_name().unwrap_or_default().to_string_lossy().into_owned()));
            let files: Vec<PathBuf> = own.into_iter().filter(|p| is_picture(p)).collect();
            if !files.is_empty() {
                classes.push((name, files));
            }
        } else if is_picture(&entry) {
            left.stray.push(name);
        }
    }
    Ok(classes)
}

/// What systems and tools put into folders for themselves.
fn hidden(name: &str) -> bool {
    name.starts_with('.') || name.starts_with("__MACOSX")
}

impl LeftOut {
    fn say(&self) {
        let say = |names: &[String], why: &str| {
            if let Some(first) = names.first() {
                let shown: String = first.chars().take(60).flat_map(char::escape_debug).collect();
                let more = if names.len() > 1 { format!(" and {} more", names.len() - 1) } else { String::new() };
                eprintln!("left out: {shown}{more}, {why}");
            }
        };
        say(&self.hidden, "hidden");
        say(&self.stray, "in no class's folder");
    }
}

/// What is known of the pictures read so far: their size, and how light they are.
#[derive(Default)]
struct Reading {
    size: Option<(usize, usize)>,
    sum: u64,
    count: u64,
}

impl Reading {
    fn set(&mut self, classes: &Classes, names: &[String]) -> Result<Labelled> {
        let (mut images, mut labels) = (Images { n: 0, h: 0, w: 0, pixels: Vec::new() }, Vec::new());
        for (name, files) in classes {
            let class = names.iter().position(|known| known == name);
            let class = class.ok_or_else(|| Error::missing("class", format!("one of {}", names.join(", ")), name))?;
            for file in files {
                let (w, h, grey) = grey(file)?;
                let size = *self.size.get_or_insert((w, h));
                if size != (w, h) {
                    let expected = format!("{} × {} like the first picture", size.0, size.1);
                    return Err(Error::shape(file.display(), expected, format!("{w} × {h}")));
                }
                (images.w, images.h) = size;
                self.sum += grey.iter().map(|&p| u64::from(p)).sum::<u64>();
                self.count += grey.len() as u64;
                images.pixels.extend(grey);
                images.n += 1;
                labels.push(class as u8);
            }
        }
        Labelled::new(images, labels, names.len() as u8)
    }
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

fn is_picture(path: &Path) -> bool {
    path.extension().is_some_and(|e| ENDINGS.iter().any(|known| e.eq_ignore_ascii_case(known)))
}

/// Width, height and the grey levels of a picture on white paper.
fn grey(path: &Path) -> Result<(usize, usize, Vec<u8>)> {
    let Picture { w, h, rgba } = files::picture(path, LONGEST, MEMORY)?;
    let luma = |p: &[u8]| 0.299 * f32::from(p[0]) + 0.587 * f32::from(p[1]) + 0.114 * f32::from(p[2]);
    // Where nothing is drawn there is white paper.
    let over = |p: &[u8]| (255.0 + (luma(p) - 255.0) * f32::from(p[3]) / 255.0).round() as u8;
    Ok((w, h, rgba.chunks_exact(4).map(over).collect()))
}
