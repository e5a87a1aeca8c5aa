//! Boxes and masks in the JSON of COCO's detection files, out and in: our scenes for others, others' pictures for us.
//!
//! Lin et al. 2014; the fields as cocodataset.org documents its format. A box is `[x, y, width, height]`, a mask a
//! run-length code down the columns, as [`runs`] has it. What we do not use is read over.

use super::{Box4, Scene};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A picture that is annotated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Image {
    /// Its number.
    pub id: u64,
    /// Where it lies, beside the JSON.
    pub file_name: String,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// A run-length code of a mask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Runs {
    /// Rows and columns.
    pub size: [usize; 2],
    /// How many pixels are out, in, out, …, column after column.
    pub counts: Vec<u32>,
}

/// One thing in a picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Annotation {
    /// Its number.
    pub id: u64,
    /// The picture's number.
    pub image_id: u64,
    /// The category's number.
    pub category_id: u64,
    /// Left, top, width, height.
    pub bbox: [f64; 4],
    /// Pixels of the thing; where a file has none, those of its box.
    #[serde(default)]
    pub area: Option<f64>,
    /// 1 for a region with many things of the kind.
    #[serde(default)]
    pub iscrowd: u8,
    /// Its mask, if it has one as a run-length code; polygons and compressed codes are read over.
    #[serde(default, deserialize_with = "only_runs", skip_serializing_if = "Option::is_none")]
    pub segmentation: Option<Runs>,
}

/// A kind of thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: String,
}

/// A whole file.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Dataset {
    /// The pictures.
    pub images: Vec<Image>,
    /// The things in them.
    pub annotations: Vec<Annotation>,
    /// Their kinds.
    pub categories: Vec<Category>,
}

/// The most bytes a file may have: COCO's own largest, `instances_train2017.json`, has 448 million.
pub const MAX_BYTES: usize = 512 << 20;
/// How far a box may hang over its picture's edge, in pixels: COCO's own do by parts of one.
const OVERHANG: f64 = 1.0;

/// Takes a run-length code whose counts are numbers; anything else is no mask to us.
fn only_runs<'de, D: serde::Deserializer<'de>>(input: D) -> std::result::Result<Option<Runs>, D::Error> {
    let any = serde_json::Value::deserialize(input)?;
    Ok(serde_json::from_value(any).ok())
}

impl Dataset {
    /// Reads a file and checks it. Errors: [`Error::Format`] for what is no such JSON, [`Error::Value`] for a box that is
    /// no box or lies outside its picture, and for a number that comes twice, [`Error::Missing`] for a picture or category
    /// that an annotation names and the file lacks.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > MAX_BYTES {
            return Err(Error::format("COCO file", format!("at most {MAX_BYTES} bytes"), bytes.len()));
        }
        let set: Self = serde_json::from_slice(bytes)
            .map_err(|e| Error::format("COCO file", "an object with images, annotations and categories", e))?;
        set.check().map(|()| set)
    }

    fn check(&self) -> Result<()> {
        once("image", self.images.iter().map(|i| i.id))?;
        once("category", self.categories.iter().map(|c| c.id))?;
        once("annotation", self.annotations.iter().map(|a| a.id))?;
        let images: BTreeMap<u64, &Image> = self.images.iter().map(|image| (image.id, image)).collect();
        let categories: BTreeSet<u64> = self.categories.iter().map(|c| c.id).collect();
        for annotation in &self.annotations {
            let what = format!("annotation {}", annotation.id);
            let Some(image) = images.get(&annotation.image_id) else {
                return Err(Error::missing(what, "the number of an image in the file", annotation.image_id));
            };
            if !categories.contains(&annotation.category_id) {
                return Err(Error::missing(what, "the number of a category in the file", annotation.category_id));
            }
            let [x, y, w, h] = annotation.bbox;
            let fits = |at: f64, side: f64, most: usize| at >= -OVERHANG && at + side <= most as f64 + OVERHANG;
            if !(w >= 0.0 && h >= 0.0 && fits(x, w, image.width) && fits(y, h, image.height)) {
                let expected = format!("a box x, y, width, height inside {} × {}", image.width, image.height);
                return Err(Error::value(what, expected, format!("{:?}", annotation.bbox)));
            }
        }
        Ok(())
    }

    /// Digit scenes as such a file: picture `i` is `names[i]`, category 1 is the digit 0, and so on.
    pub fn of(scenes: &[Scene], names: &[String]) -> Self {
        let mut set = Self { categories: (0..10).map(category).collect(), ..Self::default() };
        for (i, (scene, name)) in scenes.iter().zip(names).enumerate() {
            let id = i as u64 + 1;
            let (width, height) = (scene.picture.w, scene.picture.h);
            set.images.push(Image { id, file_name: name.clone(), width, height });
            for object in &scene.objects {
                let mut mask = vec![false; width * height];
                object.pixels().for_each(|(x, y)| mask[y * width + x] = true);
                let [x, y, w, h] = object.frame().map(|v| v as f64);
                set.annotations.push(Annotation {
                    id: set.annotations.len() as u64 + 1,
                    image_id: id,
                    category_id: u64::from(object.digit) + 1,
                    bbox: [x, y, w, h],
                    area: Some(mask.iter().filter(|inked| **inked).count() as f64),
                    iscrowd: 0,
                    segmentation: Some(runs(&mask, width)),
                });
            }
        }
        set
    }

    /// The file. Errors: [`Error::Format`] for numbers that JSON cannot hold.
    pub fn write(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|e| Error::format("COCO file", "numbers that JSON can hold", e))
    }
}

impl Annotation {
    /// Its box as `[x0, y0, x1, y1]`.
    pub fn corners(&self) -> Box4 {
        let [x, y, w, h] = self.bbox;
        [x, y, x + w, y + h].map(|v| v as f32)
    }
}

fn category(digit: u64) -> Category {
    Category { id: digit + 1, name: digit.to_string() }
}

fn once(what: &str, ids: impl Iterator<Item = u64>) -> Result<()> {
    let mut seen = BTreeSet::new();
    for id in ids {
        if !seen.insert(id) {
            return Err(Error::value(format!("{what} {id}"), "a number of its own", "the same twice"));
        }
    }
    Ok(())
}

/// A mask of rows as a run-length code.
pub fn runs(mask: &[bool], w: usize) -> Runs {
    let h = mask.len() / w.max(1);
    let (mut counts, mut inside) = (vec![0_u32], false);
    for x in 0..w {
        for y in 0..h {
            if mask[y * w + x] != inside {
                inside = !inside;
                counts.push(0);
            }
            *counts.last_mut().expect("one to begin with") += 1;
        }
    }
    Runs { size: [h, w], counts }
}

impl Runs {
    /// The mask, rows from the top. Errors: [`Error::Shape`] where the counts are not as many pixels as the size says.
    pub fn mask(&self) -> Result<Vec<bool>> {
        let [h, w] = self.size;
        let sum: u64 = self.counts.iter().map(|c| u64::from(*c)).sum();
        if h.checked_mul(w).map(|n| n as u64) != Some(sum) {
            return Err(Error::shape("mask", format!("counts of {h} × {w} pixels"), sum));
        }
        let mut mask = vec![false; h * w];
        let mut at = 0;
        for (i, count) in self.counts.iter().enumerate() {
            let end = at + *count as usize;
            if i % 2 == 1 {
                (at..end).for_each(|k| mask[k % h * w + k / h] = true);
            }
            at = end;
        }
        Ok(mask)
    }
}
