//! `GridSample`: an image read at places that a second array names (Jaderberg et al. 2015, "Spatial transformer networks").

use super::super::call::{Answer, Call, array};
use crate::file::array::Array;

/// What lies outside an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outside {
    Zeros,
    Border,
    Reflection,
}

/// How a number between pixels comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Between {
    Nearest,
    Linear,
    Cubic,
}

/// The sharpness of the cubic, as PyTorch and ONNX have it.
const SHARPNESS: f64 = -0.75;

/// One axis of an image that is read between its pixels.
#[derive(Debug, Clone, Copy)]
struct Read {
    side: usize,
    outside: Outside,
    between: Between,
    corners: bool,
}

impl Read {
    /// The pixel coordinate of a place from -1 to 1.
    fn pixel(self, at: f32) -> f64 {
        let (at, side) = (f64::from(at), self.side as f64);
        if self.corners { (at + 1.0) / 2.0 * (side - 1.0) } else { ((at + 1.0) * side - 1.0) / 2.0 }
    }

    /// A coordinate brought inside as far as what lies outside says so.
    fn inside(self, x: f64) -> f64 {
        let last = self.side as f64 - 1.0;
        match self.outside {
            Outside::Zeros => x,
            Outside::Border => x.clamp(0.0, last),
            Outside::Reflection => {
                let (low, high) = if self.corners { (0.0, last) } else { (-0.5, last + 0.5) };
                let span = high - low;
                if span <= 0.0 || !x.is_finite() {
                    return 0.0;
                }
                let from = (x - low).rem_euclid(2.0 * span);
                (low + if from > span { 2.0 * span - from } else { from }).clamp(0.0, last)
            }
        }
    }

    /// The pixel at a whole coordinate, if there is one.
    fn at(self, x: f64) -> Option<usize> {
        let x = self.inside(x);
        (x >= 0.0 && x < self.side as f64).then_some(x as usize)
    }

    /// The pixels that a place is made of, with their shares.
    fn taps(self, place: f32) -> Vec<(usize, f64)> {
        let x = self.pixel(place);
        if !x.is_finite() {
            return Vec::new();
        }
        let shares: Vec<(f64, f64)> = match self.between {
            Between::Nearest => vec![(self.inside(x).round_ties_even(), 1.0)],
            Between::Linear => {
                let x = self.inside(x);
                let part = x - x.floor();
                vec![(x.floor(), 1.0 - part), (x.floor() + 1.0, part)]
            }
            Between::Cubic => {
                let part = x - x.floor();
                (-1..3).map(|k| (x.floor() + f64::from(k), cubic(part - f64::from(k)))).collect()
            }
        };
        shares.into_iter().filter_map(|(at, share)| Some((self.at(at)?, share))).collect()
    }
}

/// Keys' cubic at a distance.
fn cubic(distance: f64) -> f64 {
    let (a, d) = (SHARPNESS, distance.abs());
    if d <= 1.0 {
        ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0
    } else if d < 2.0 {
        a * (((d - 5.0) * d + 8.0) * d - 4.0)
    } else {
        0.0
    }
}

pub(super) fn grid(call: &Call) -> Answer {
    let (x, grid) = (call.real(0)?, call.real(1)?);
    let axes = x.ndim().saturating_sub(2);
    let fits = (2..=3).contains(&axes)
        && grid.ndim() == x.ndim()
        && grid.shape()[0] == x.shape()[0]
        && grid.shape().last() == Some(&axes)
        && !x.shape()[2..].contains(&0);
    if !fits {
        let got = format!("{:?} and {:?}", x.shape(), grid.shape());
        return Err(call.refuse("images and a grid of places, one number for each of their axes", got));
    }
    let between = match call.text("mode", "linear")? {
        "nearest" => Between::Nearest,
        "bilinear" | "linear" => Between::Linear,
        "bicubic" | "cubic" if axes == 2 => Between::Cubic,
        other => return Err(call.refuse("the mode nearest, linear or, in two axes, cubic", other)),
    };
    let outside = match call.text("padding_mode", "zeros")? {
        "zeros" => Outside::Zeros,
        "border" => Outside::Border,
        "reflection" => Outside::Reflection,
        other => return Err(call.refuse("padding by zeros, border or reflection", other)),
    };
    let corners = call.int("align_corners", 0)? != 0;
    let reads: Vec<Read> = x.shape()[2..].iter().map(|&side| Read { side, outside, between, corners }).collect();
    let (n, channels) = (x.shape()[0], x.shape()[1]);
    let shape = [&[n, channels], &grid.shape()[1..=axes]].concat();
    let mut out = vec![0.0; call.sized(&shape)?];
    let (area, places): (usize, usize) = (x.shape()[2..].iter().product(), grid.shape()[1..=axes].iter().product());
    let (x, grid) = (x.as_slice().unwrap_or(&[]), grid.as_slice().unwrap_or(&[]));
    for (k, place) in grid.chunks_exact(axes).enumerate() {
        let (image, at) = (k / places, k % places);
        let taps = taps(&reads, place);
        for channel in 0..channels {
            let plane = &x[(image * channels + channel) * area..][..area];
            let sum: f64 = taps.iter().map(|(i, share)| share * f64::from(plane[*i])).sum();
            out[(image * channels + channel) * places + at] = sum as f32;
        }
    }
    Ok(vec![Array::real(call.x(0)?.number(), array(&shape, out)?)])
}

/// `AffineGrid`: the places that an affine map makes of those of an even grid.
pub(super) fn affine(call: &Call) -> Answer {
    let (theta, size) = (call.real(0)?, call.whole(1)?);
    let size: Option<Vec<usize>> = size.iter().map(|&side| usize::try_from(side).ok()).collect();
    let size = size.filter(|size| matches!(size.len(), 4 | 5)).unwrap_or_default();
    let axes = size.len().saturating_sub(2);
    if axes == 0 || theta.shape() != [size[0], axes, axes + 1] {
        return Err(
            call.refuse("maps of images × axes × (axes + 1), and the size of images", format!("{:?}", theta.shape()))
        );
    }
    let corners = call.int("align_corners", 0)? != 0;
    let shape = [&size[..1], &size[2..], &[axes]].concat();
    let mut out = Vec::with_capacity(call.sized(&shape)?);
    let (sides, count): (&[usize], usize) = (&size[2..], size[2..].iter().product());
    let even = |at: usize, side: usize| match (corners, side) {
        (true, 1) => 0.0,
        (true, _) => 2.0 * at as f32 / (side - 1) as f32 - 1.0,
        (false, _) => (2 * at + 1) as f32 / side as f32 - 1.0,
    };
    for map in theta.outer_iter() {
        for place in 0..count {
            // Columns first, as a grid names them.
            let (mut rest, mut point) = (place, Vec::with_capacity(axes));
            for &side in sides.iter().rev() {
                point.push(even(rest % side, side));
                rest /= side;
            }
            out.extend((0..axes).map(|row| {
                let sum: f32 = (0..axes).map(|k| map[[row, k]] * point[k]).sum();
                sum + map[[row, axes]]
            }));
        }
    }
    Ok(vec![Array::real(call.x(0)?.number(), array(&shape, out)?)])
}

/// The pixels that one place is made of. A place names its columns first.
fn taps(reads: &[Read], place: &[f32]) -> Vec<(usize, f64)> {
    let mut taps = vec![(0, 1.0)];
    for (read, at) in reads.iter().zip(place.iter().rev()) {
        let own = read.taps(*at);
        taps = taps
            .iter()
            .flat_map(|(i, share)| own.iter().map(move |(k, part)| (i * read.side + k, share * part)))
            .collect();
    }
    taps
}
