//! Colour spaces in which likeness is looked for, on OpenCV's scales of eight bits.

use crate::data::pictures::Rgb;

/// A colour space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Space {
    /// Hue 0 to 180, saturation and value 0 to 255.
    Hsv,
    /// CIE 1976 L*a*b*: lightness scaled to 255, a and b with 128 added.
    Lab,
}

/// The picture in a space: three planes.
pub(super) fn converted(picture: &Rgb, space: Space) -> Rgb {
    let n = picture.h * picture.w;
    let mut out = Rgb::new(picture.h, picture.w);
    for i in 0..n {
        let rgb = [0, 1, 2].map(|plane| picture.pixels[plane * n + i].clamp(0.0, 1.0));
        let to = match space {
            Space::Hsv => hsv(rgb),
            Space::Lab => lab(rgb),
        };
        (0..3).for_each(|plane| out.pixels[plane * n + i] = to[plane].round());
    }
    out
}

fn hsv([r, g, b]: [f32; 3]) -> [f32; 3] {
    let (most, least) = (r.max(g).max(b), r.min(g).min(b));
    let range = most - least;
    let hue = if range == 0.0 {
        0.0
    } else if most == r {
        (g - b) / range
    } else if most == g {
        2.0 + (b - r) / range
    } else {
        4.0 + (r - g) / range
    };
    let saturation = if most > 0.0 { range / most } else { 0.0 };
    [(30.0 * hue + 180.0) % 180.0, 255.0 * saturation, 255.0 * most]
}

fn lab(rgb: [f32; 3]) -> [f32; 3] {
    let [r, g, b] = rgb.map(|v| if v <= 0.04045 { v / 12.92 } else { libm::powf((v + 0.055) / 1.055, 2.4) });
    // sRGB's primaries under D65, whose white is divided out.
    let [x, y, z] = [
        (0.412_453 * r + 0.357_580 * g + 0.180_423 * b) / 0.950_456,
        0.212_671 * r + 0.715_160 * g + 0.072_169 * b,
        (0.019_334 * r + 0.119_193 * g + 0.950_227 * b) / 1.088_754,
    ]
    .map(|v| if v > 0.008_856 { libm::cbrtf(v) } else { 7.787 * v + 16.0 / 116.0 });
    [2.55 * (116.0 * y - 16.0), 500.0 * (x - y) + 128.0, 200.0 * (y - z) + 128.0]
}
