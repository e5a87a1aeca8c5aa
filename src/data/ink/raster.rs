//! Draws strokes: each pair of neighbouring points is a capsule (a line with round ends), coverage is its signed
//! distance at the pixel's middle, and the greatest coverage wins, so joins are round and crossings add nothing.

use super::{BOX, MAX_POINTS, Picture};
use crate::error::{Error, Result};

/// The box of a drawing's points, in the drawing's unit.
pub(in crate::data) struct Extent {
    /// Its upper left corner.
    pub low: [f64; 2],
    /// Its width and height.
    pub sides: [f64; 2],
}

/// Measures a drawing. Errors as [`super::from_strokes`].
pub(in crate::data) fn extent<S: AsRef<[[f32; 2]]>>(strokes: &[S]) -> Result<Extent> {
    let points: usize = strokes.iter().map(|s| s.as_ref().len()).sum();
    if points == 0 {
        return Err(Error::Empty);
    }
    if points > MAX_POINTS {
        return Err(Error::value("drawing", format!("at most {MAX_POINTS} points"), points));
    }
    let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
    for p in strokes.iter().flat_map(|s| s.as_ref()) {
        if !p[0].is_finite() || !p[1].is_finite() {
            return Err(Error::value("drawing", "finite coordinates", format!("({}, {})", p[0], p[1])));
        }
        for k in 0..2 {
            low[k] = low[k].min(f64::from(p[k]));
            high[k] = high[k].max(f64::from(p[k]));
        }
    }
    Ok(Extent { low, sides: [high[0] - low[0], high[1] - low[1]] })
}

/// Strokes with their measures: the box of the points and the thickness of the line, in the strokes' own unit.
///
/// Measures are `f64`: the difference of two `f32` is exact in it for every drawing a person can make, wherever it lies.
pub(super) struct Line<'a, S> {
    strokes: &'a [S],
    low: [f64; 2],
    extent: [f64; 2],
    thickness: f64,
}

/// Where a point of the drawing lands: `(point − low) · scale + offset`, in pixels.
struct Placing {
    low: [f64; 2],
    scale: f64,
    offset: [f64; 2],
}

impl Placing {
    fn at(&self, p: [f32; 2]) -> [f32; 2] {
        [0, 1].map(|k| ((f64::from(p[k]) - self.low[k]) * self.scale + self.offset[k]) as f32)
    }
}

impl<'a, S: AsRef<[[f32; 2]]>> Line<'a, S> {
    /// Measures strokes to be drawn with a pen of `pen` pixels of the 20-pixel box. Errors as [`super::from_strokes`].
    pub(super) fn measure(strokes: &'a [S], pen: f32) -> Result<Self> {
        if !(0.5..=10.0).contains(&pen) {
            return Err(Error::value("pen", "a thickness from 0.5 to 10 pixels of the 20-pixel box", pen));
        }
        let Extent { low, sides: extent } = extent(strokes)?;
        let longer = extent[0].max(extent[1]);
        // The box holds the line's ends too. A lone dot has no size of its own: it is one unit wide.
        let pen = f64::from(pen);
        let thickness = if longer > 0.0 { longer * pen / (BOX as f64 - pen) } else { 1.0 };
        Ok(Self { strokes, low, extent, thickness })
    }

    /// Sides of the ink, line ends included, in the strokes' unit.
    fn sides(&self) -> [f64; 2] {
        self.extent.map(|e| e + self.thickness)
    }

    fn longer(&self) -> f64 {
        let [w, h] = self.sides();
        w.max(h)
    }

    /// The ink alone, `side` pixels on its longer side, the shorter one filled up to a multiple of `cell`.
    pub(super) fn cropped(&self, side: usize, cell: usize) -> Picture {
        let scale = side as f64 / self.longer();
        // 1e-6: a side of exactly so many cells stays so when the division rounds up.
        let [w, h] = self.sides().map(|s| (((s * scale / cell as f64 - 1e-6).ceil() as usize) * cell).min(side));
        self.centred(w, h, scale)
    }

    /// The ink, `side` pixels on its longer side, in the middle of `view × view` pixels.
    pub(super) fn framed(&self, view: usize, side: usize) -> Picture {
        self.centred(view, view, side as f64 / self.longer())
    }

    fn centred(&self, w: usize, h: usize, scale: f64) -> Picture {
        let offset = [(w as f64 - self.extent[0] * scale) / 2.0, (h as f64 - self.extent[1] * scale) / 2.0];
        self.painted(w, h, &Placing { low: self.low, scale, offset }, self.thickness)
    }

    /// The ink where it lies on a pad of this width and height, `view` pixels on the pad's longer side.
    pub(super) fn on_pad(&self, pad: [f32; 2], view: usize) -> Result<Picture> {
        if !pad.iter().all(|side| side.is_finite() && *side > 0.0) {
            return Err(Error::value("pad", "a width and a height above 0", format!("{} × {}", pad[0], pad[1])));
        }
        let pad = pad.map(f64::from);
        let longer = pad[0].max(pad[1]);
        let scale = view as f64 / longer;
        let [w, h] = pad.map(|side| ((side * scale).round() as usize).max(1));
        let dot = self.extent == [0.0, 0.0];
        let thickness = if dot { longer / BOX as f64 } else { self.thickness };
        Ok(self.painted(w, h, &Placing { low: [0.0; 2], scale, offset: [0.0; 2] }, thickness))
    }

    fn painted(&self, w: usize, h: usize, placing: &Placing, thickness: f64) -> Picture {
        let mut picture = Picture::blank(w, h);
        let radius = (thickness * placing.scale / 2.0) as f32;
        for stroke in self.strokes {
            let mut points = stroke.as_ref().iter().map(|&p| placing.at(p));
            let Some(mut a) = points.next() else { continue };
            if stroke.as_ref().len() == 1 {
                capsule(&mut picture, a, a, radius);
            }
            for b in points {
                capsule(&mut picture, a, b, radius);
                a = b;
            }
        }
        picture
    }
}

/// Lays the line from `a` to `b` over the picture; a point is a disc. Pixel `(x, y)` has its middle at
/// `(x + ½, y + ½)`.
pub(in crate::data) fn capsule(picture: &mut Picture, a: [f32; 2], b: [f32; 2], radius: f32) {
    let reach = radius + 0.5;
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    let length2 = dx * dx + dy * dy;
    let inverse = if length2 > 1e-12 { 1.0 / length2 } else { 0.0 };
    // Casts to usize stop at 0 and clip at the left and the top.
    let top = (a[1].min(b[1]) - reach).floor() as usize;
    let bottom = ((a[1].max(b[1]) + reach).ceil() as usize).min(picture.h);
    for y in top..bottom {
        let py = y as f32 + 0.5 - a[1];
        // Only the part of the line within reach of this row can touch it.
        let (t0, t1) = if dy.abs() > 1e-3 {
            let (u, v) = ((py - reach) / dy, (py + reach) / dy);
            (u.min(v).clamp(0.0, 1.0), u.max(v).clamp(0.0, 1.0))
        } else {
            (0.0, 1.0)
        };
        let (x0, x1) = (a[0] + t0 * dx, a[0] + t1 * dx);
        let left = (x0.min(x1) - reach).floor() as usize;
        let right = ((x0.max(x1) + reach).ceil() as usize).min(picture.w);
        if left >= right {
            continue;
        }
        let row = &mut picture.pixels[y * picture.w..][left..right];
        for (i, pixel) in row.iter_mut().enumerate() {
            let px = (left + i) as f32 + 0.5 - a[0];
            let t = ((px * dx + py * dy) * inverse).clamp(0.0, 1.0);
            let (ex, ey) = (px - t * dx, py - t * dy);
            let coverage = (reach - (ex * ex + ey * ey).sqrt()).clamp(0.0, 1.0);
            *pixel = pixel.max(coverage);
        }
    }
}
