//! Pools, over windows and over whole maps.

use super::super::builder::{Hold, Wire, count};
use super::super::translate::Translator;
use super::Job;
use super::conv::{Slide, maps};
use crate::error::Result;
use crate::file::onnx::Attribute;

impl Translator<'_> {
    pub(super) fn pool(&mut self, job: &Job, x: Wire, axes: usize) -> Result<Wire> {
        let largest = job.layer.class.starts_with("Max");
        let padding = job.layer.text("padding", "valid")?.to_string();
        // Zeros around what is nowhere below 0 change no maximum.
        let x = maps(self, job, x, axes, largest && padding == "valid")?;
        let kernel = job.layer.each("pool_size", axes, 2)?;
        let narrow = x.pad.as_ref().is_none_or(|(before, behind)| {
            before.iter().chain(behind).zip(kernel.iter().chain(&kernel)).all(|(pad, k)| pad < k)
        });
        let x = if x.positive && narrow { x } else { self.out.settled(x) };
        let stride = match job.layer.get("strides") {
            Some(_) => job.layer.each("strides", axes, 2)?,
            None => kernel.clone(),
        };
        let mut slide = Slide::new(job, &x, &padding, kernel, stride, vec![1; axes])?;
        let ceil = largest && runs_over(&slide, &x);
        if ceil {
            slide.behind.clone_from(&slide.before);
        }
        let mut attributes = slide.attributes();
        if ceil {
            attributes.push(("ceil_mode", Attribute::Int(1)));
        }
        let op = if largest { "MaxPool" } else { "AveragePool" };
        let made = self.out.node(op, &job.name, &[&x.name], &attributes);
        let sides = slide.output.iter().copied().chain([x.channels()]).collect();
        Ok(Wire { positive: x.positive, ..Wire::new(made, sides, Hold::First) })
    }

    pub(super) fn global_pool(&mut self, job: &Job, x: Wire, axes: usize) -> Result<Wire> {
        let x = maps(self, job, x, axes, false)?;
        let op = if job.layer.class.starts_with("GlobalMax") { "GlobalMaxPool" } else { "GlobalAveragePool" };
        let made = self.out.node(op, &job.name, &[&x.name], &[]);
        if job.layer.flag("keepdims", false) {
            let sides = vec![Some(1); axes].into_iter().chain([x.channels()]).collect();
            return Ok(Wire { positive: x.positive, ..Wire::new(made, sides, Hold::First) });
        }
        let made = self.out.node("Flatten", &job.part("flatten"), &[&made], &[]);
        Ok(Wire { positive: x.positive, ..Wire::new(made, vec![x.channels()], Hold::Plain) })
    }

    pub(super) fn flatten(&mut self, job: &Job, x: Wire) -> Result<Wire> {
        if x.sides.len() == 1 {
            return Ok(x);
        }
        let mut x = self.out.settled(x);
        let numbers = count(&x.sides);
        let hold = match (&x.hold, &x.sides[..]) {
            (Hold::First, &[Some(h), Some(w), Some(c)]) if numbers.is_some() => {
                if c == 1 || h * w == 1 {
                    Hold::Plain
                } else {
                    Hold::Flat([h, w, c])
                }
            }
            // Maps over one axis are such of one row.
            (Hold::First, &[Some(w), Some(c)]) if numbers.is_some() && c > 1 && w > 1 => Hold::Flat([1, w, c]),
            _ => {
                x = self.out.plain(x);
                Hold::Plain
            }
        };
        let made = self.out.node("Flatten", &job.name, &[&x.name], &[]);
        Ok(Wire { positive: x.positive, ..Wire::new(made, vec![numbers], hold) })
    }

    /// Larger maps: each pixel several times, or a mixture of neighbours.
    pub(super) fn upsampling(&mut self, job: &Job, x: Wire, axes: usize) -> Result<Wire> {
        let x = maps(self, job, x, axes, false)?;
        let times = job.layer.each("size", axes, 2)?;
        let scales: Vec<f32> = [1, 1].iter().chain(&times).map(|&n| n as f32).collect();
        let scales = self.out.constant(&job.part("scales"), ndarray::arr1(&scales).into_dyn());
        let attributes = resizing(job, job.layer.text("interpolation", "nearest")?)?;
        let made = self.out.node("Resize", &job.name, &[&x.name, "", &scales], &attributes);
        let grown = x.spatial().iter().zip(&times).map(|(side, n)| side.map(|side| side.saturating_mul(*n)));
        let sides = grown.chain([x.channels()]).collect();
        Ok(Wire { positive: x.positive, ..Wire::new(made, sides, Hold::First) })
    }

    /// Maps of another size.
    pub(super) fn resizing(&mut self, job: &Job, x: Wire) -> Result<Wire> {
        let x = maps(self, job, x, 2, false)?;
        let (h, w) = (job.layer.int("height", 0)?, job.layer.int("width", 0)?);
        let known = (x.channels(), h.min(w) > 0, job.layer.flag("crop_to_aspect_ratio", false));
        let (Some(c), true, false) = known else {
            return Err(job.layer.refuse("a size, and pictures pulled to it", format!("{h} × {w}")));
        };
        let attributes = match job.layer.text("interpolation", "bilinear")? {
            "nearest" => vec![
                ("mode", Attribute::Text("nearest".into())),
                ("coordinate_transformation_mode", Attribute::Text("half_pixel".into())),
                ("nearest_mode", Attribute::Text("round_prefer_ceil".into())),
            ],
            other => resizing(job, other)?,
        };
        // The batch is as it comes: sizes are put behind what its shape says of it.
        let shape = self.out.node(
            "Shape",
            &job.part("shape"),
            &[&x.name],
            &[("start", Attribute::Int(0)), ("end", Attribute::Int(1))],
        );
        let rest = self.out.list(&job.part("sides"), &[c as i64, h as i64, w as i64]);
        let sizes = self.out.node("Concat", &job.part("sizes"), &[&shape, &rest], &[("axis", Attribute::Int(0))]);
        let made = self.out.node("Resize", &job.name, &[&x.name, "", "", &sizes], &attributes);
        Ok(Wire::new(made, vec![Some(h), Some(w), Some(c)], Hold::First))
    }

    /// Zeros around maps; a convolution behind them pads itself by as much.
    pub(super) fn zero_padding(&mut self, job: &Job, x: Wire, axes: usize) -> Result<Wire> {
        let x = maps(self, job, x, axes, false)?;
        let (before, behind) = job.layer.around("padding", axes)?;
        let mut sides: Vec<Option<usize>> = x.sides.clone();
        for axis in 0..axes {
            sides[axis] = sides[axis].map(|side| side + before[axis] + behind[axis]);
        }
        Ok(Wire { sides, pad: Some((before, behind)), ..x })
    }

    pub(super) fn cropping(&mut self, job: &Job, x: Wire, axes: usize) -> Result<Wire> {
        let x = maps(self, job, x, axes, false)?;
        let (before, behind) = job.layer.around("cropping", axes)?;
        let mut sides: Vec<Option<usize>> = x.sides.clone();
        for axis in 0..axes {
            let left = |side: usize| side.checked_sub(before[axis] + behind[axis]).filter(|left| *left > 0);
            let cut = |side| left(side).ok_or_else(|| job.layer.refuse("something that is left", side));
            sides[axis] = sides[axis].map(cut).transpose()?;
        }
        let starts: Vec<i64> = before.iter().map(|&n| n as i64).collect();
        let ends: Vec<i64> = behind.iter().map(|&n| if n == 0 { i64::MAX } else { -(n as i64) }).collect();
        let along: Vec<i64> = (2..2 + axes as i64).collect();
        let lists = [("starts", starts), ("ends", ends), ("axes", along)];
        let names: Vec<String> = lists.iter().map(|(what, list)| self.out.list(&job.part(what), list)).collect();
        let made = self.out.node("Slice", &job.name, &[&x.name, &names[0], &names[1], &names[2]], &[]);
        Ok(Wire { positive: x.positive, ..Wire::new(made, sides, Hold::First) })
    }
}

/// Whether what a maximum's windows lack behind the input is just their last part: pools have a setting for that, and then pad
/// alike on both sides.
fn runs_over(slide: &Slide, x: &Wire) -> bool {
    let mut over = false;
    for (axis, side) in x.spatial().iter().enumerate() {
        let (Some(side), Some(out)) = (*side, slide.output[axis]) else { return false };
        let (before, behind) = (slide.before[axis], slide.behind[axis]);
        let rest = (side + 2 * before).checked_sub(slide.kernel[axis]);
        if behind < before || rest.is_none_or(|rest| rest.div_ceil(slide.stride[axis]) + 1 != out) {
            return false;
        }
        over |= behind > before;
    }
    over && x.pad.is_none()
}

/// How the pixels of larger maps are found: as TensorFlow's `image.resize` of version 2 does it.
fn resizing(job: &Job, interpolation: &str) -> Result<Vec<(&'static str, Attribute)>> {
    let (mode, place) = match interpolation {
        "nearest" => ("nearest", "asymmetric"),
        "bilinear" => ("linear", "half_pixel"),
        other => return Err(job.layer.refuse("interpolation nearest or bilinear", other)),
    };
    let mut list =
        vec![("mode", Attribute::Text(mode.into())), ("coordinate_transformation_mode", Attribute::Text(place.into()))];
    if mode == "nearest" {
        list.push(("nearest_mode", Attribute::Text("floor".into())));
    }
    Ok(list)
}
