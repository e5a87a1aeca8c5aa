//! Regions: the operators that detectors are exported with, by the kernels that our own detectors use.

use super::super::call::{Answer, Call, array};
use crate::error::Result;
use crate::kernel::roi::{self, Align, Region};
use crate::shape::Shape;
use crate::tensor::Map;
use ndarray::ArrayD;

/// Regions of a batch of images as maps of one size, each number the mean, or the largest part, of its bin's samples.
pub(super) fn align(call: &Call) -> Answer {
    let (x, rois, images) = (call.real(0)?, call.real(1)?, call.whole(2)?);
    let &[n, c, h, w] = x.shape() else {
        return Err(call.refuse("images of four axes", format!("{:?}", x.shape())));
    };
    let regions = images.len();
    if rois.shape() != [regions, 4] {
        return Err(call.refuse(format!("four numbers for each of {regions} regions"), format!("{:?}", rois.shape())));
    }
    if let Some(bad) = images.iter().find(|i| !(0..n as i64).contains(i)) {
        return Err(call.refuse(format!("images below {n}"), bad));
    }
    let mode = call.text("mode", "avg")?;
    if !["avg", "max"].contains(&mode) {
        return Err(call.refuse("the mode avg or max", mode));
    }
    let side = |name: &str| -> Result<usize> {
        let side = call.int(name, 1)?;
        let fits = usize::try_from(side).ok().filter(|side| (1..=1 << 12).contains(side));
        fits.ok_or_else(|| call.refuse(format!("{name} of 1 to 4096"), side))
    };
    let samples = call.int("sampling_ratio", 0)?;
    let Some(samples) = usize::try_from(samples).ok().filter(|samples| *samples <= Align::MOST) else {
        return Err(call.refuse(format!("a sampling ratio of 0 to {}", Align::MOST), samples));
    };
    // Up to opset 15 there was no word for it: pixels then have their middles at whole numbers.
    let halves = call.opset >= 16 && call.text("coordinate_transformation_mode", "half_pixel")? == "half_pixel";
    let how = Align {
        out: (side("output_height")?, side("output_width")?),
        scale: call.float("spatial_scale", 1.0)?,
        samples,
        aligned: halves,
    };
    let shape = [regions, c, how.out.0, how.out.1];
    let longest = rois.rows().into_iter().map(|roi| (roi[2] - roi[0]).max(roi[3] - roi[1])).fold(1.0, f32::max);
    let bin = longest * how.scale / how.out.0.min(how.out.1) as f32;
    let each = if samples > 0 { samples } else { (bin.ceil() as usize).clamp(1, Align::MOST) };
    call.visit(&[&shape[..], &[each, each]].concat())?;
    let mut out = vec![0.0; call.sized(&shape)?];
    if !out.is_empty() && h * w > 0 {
        let (from, to) = (Map::new(Shape::new(c, h, w), (0, 0)), Map::new(Shape::new(c, how.out.0, how.out.1), (0, 0)));
        let (pixels, mut map, mut small) = (x.as_standard_layout(), vec![0.0; from.len()], vec![0.0; to.len()]);
        let pixels = pixels.as_slice().unwrap_or(&[]);
        let mut laid = None;
        for ((roi, image), out) in rois.rows().into_iter().zip(images).zip(out.chunks_exact_mut(to.len())) {
            if laid.replace(*image) != Some(*image) {
                from.fill_from_chw(&pixels[*image as usize * from.len()..][..from.len()], &mut map);
            }
            let region: Region = [roi[0], roi[1], roi[2], roi[3]];
            match mode {
                "max" => roi::align_max(&how, (&map, &from), &[region], &mut small),
                _ => roi::align(call.level, &how, (&map, &from), &[region], &mut small),
            }
            to.copy_to_chw(&small, out);
        }
    }
    Ok(vec![array(&shape, out)?.into()])
}

/// Boxes that say the same twice are left out, in each image and class by itself: rows of image, class and box.
pub(super) fn suppress(call: &Call) -> Answer {
    let (boxes, scores) = (call.real(0)?, call.real(1)?);
    let (&[n, count, 4], &[images, _, scored]) = (boxes.shape(), scores.shape()) else {
        let got = format!("{:?} and {:?}", boxes.shape(), scores.shape());
        return Err(call.refuse("boxes of images × boxes × 4 and scores of images × classes × boxes", got));
    };
    if (n, count) != (images, scored) {
        return Err(call.refuse(format!("scores of {n} images and {count} boxes"), format!("{images} and {scored}")));
    }
    let most = call.given(2).map(|_| call.whole(2)).transpose()?.and_then(|most| most.iter().next().copied());
    let most = usize::try_from(most.unwrap_or(0)).unwrap_or(0);
    let threshold = call.scalar(3)?.unwrap_or(0.0);
    if !(0.0..=1.0).contains(&threshold) {
        return Err(call.refuse("a threshold of 0 to 1", threshold));
    }
    let least = call.scalar(4)?;
    let centred = call.int("center_point_box", 0)? != 0;
    let mut chosen: Vec<i64> = Vec::new();
    for (image, (boxes, scores)) in boxes.outer_iter().zip(scores.outer_iter()).enumerate() {
        let region = |k: usize| -> Region {
            let b = [0, 1, 2, 3].map(|side| boxes[[k, side]]);
            if centred {
                return [b[0] - 0.5 * b[2], b[1] - 0.5 * b[3], b[0] + 0.5 * b[2], b[1] + 0.5 * b[3]];
            }
            // Any two opposite corners, rows first.
            [b[1].min(b[3]), b[0].min(b[2]), b[1].max(b[3]), b[0].max(b[2])]
        };
        for (class, scores) in scores.outer_iter().enumerate() {
            let kept: Vec<usize> =
                (0..count).filter(|k| least.is_none_or(|least| scores[[*k].as_slice()] > least)).collect();
            let regions: Vec<Region> = kept.iter().map(|k| region(*k)).collect();
            let own: Vec<f32> = kept.iter().map(|k| scores[[*k].as_slice()]).collect();
            let best = roi::suppress(&regions, &own, threshold).into_iter().take(most);
            best.for_each(|k| chosen.extend([image as i64, class as i64, kept[k] as i64]));
        }
    }
    let rows: ArrayD<i64> = array(&[chosen.len() / 3, 3], chosen)?;
    Ok(vec![rows.into()])
}
