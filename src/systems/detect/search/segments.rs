//! Segmentation by a graph: pixels are joined along the edges of least difference, unless the difference is more than either
//! side has within it (Felzenszwalb and Huttenlocher 2004, section 4).

use crate::data::pictures::Rgb;

/// A picture cut into pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segments {
    /// Rows.
    pub h: usize,
    /// Columns.
    pub w: usize,
    /// How many pieces.
    pub count: usize,
    /// The piece of every pixel, row after row, numbered as they come.
    pub of: Vec<usize>,
}

/// Disjoint sets of pixels.
struct Sets {
    parent: Vec<usize>,
    size: Vec<usize>,
    /// The difference above which a set takes nobody in.
    threshold: Vec<f32>,
}

impl Sets {
    fn find(&mut self, mut i: usize) -> usize {
        while self.parent[i] != i {
            self.parent[i] = self.parent[self.parent[i]];
            i = self.parent[i];
        }
        i
    }

    fn join(&mut self, a: usize, b: usize, threshold: f32) {
        let (large, small) = if self.size[a] >= self.size[b] { (a, b) } else { (b, a) };
        self.parent[small] = large;
        self.size[large] += self.size[small];
        self.threshold[large] = threshold;
    }
}

/// Cuts a picture of three planes. `scale` is the paper's `k`: a piece of `n` pixels takes in what differs by `k / n` more than
/// what it has taken in before. Pieces of fewer than `least` pixels are joined to a neighbour that differs at all. `sigma` is
/// the deviation of the Gaussian that goes over it first.
pub fn segments(picture: &Rgb, scale: f32, least: usize, sigma: f32) -> Segments {
    let (h, w, n) = (picture.h, picture.w, picture.h * picture.w);
    let smooth = blurred(picture, sigma);
    let difference = |a: usize, b: usize| {
        let square = |plane: usize| {
            let d = smooth[plane * n + a] - smooth[plane * n + b];
            d * d
        };
        (square(0) + square(1) + square(2)).sqrt()
    };
    let mut edges: Vec<(f32, usize, usize)> = Vec::with_capacity(2 * n);
    for i in 0..n {
        if i % w + 1 < w {
            edges.push((difference(i, i + 1), i, i + 1));
        }
        if i / w + 1 < h {
            edges.push((difference(i, i + w), i, i + w));
        }
    }
    edges.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut sets = Sets { parent: (0..n).collect(), size: vec![1; n], threshold: vec![scale; n] };
    for &(weight, a, b) in &edges {
        let (a, b) = (sets.find(a), sets.find(b));
        if a != b && weight <= sets.threshold[a] && weight <= sets.threshold[b] {
            let size = sets.size[a] + sets.size[b];
            sets.join(a, b, weight + scale / size as f32);
        }
    }
    for &(weight, a, b) in &edges {
        let (a, b) = (sets.find(a), sets.find(b));
        if a != b && weight > 0.0 && (sets.size[a] < least || sets.size[b] < least) {
            sets.join(a, b, f32::INFINITY);
        }
    }
    let mut number = vec![usize::MAX; n];
    let mut count = 0;
    let of = (0..n)
        .map(|i| {
            let root = sets.find(i);
            if number[root] == usize::MAX {
                number[root] = count;
                count += 1;
            }
            number[root]
        })
        .collect();
    Segments { h, w, count, of }
}

/// A Gaussian over each plane, mirrored at the borders.
fn blurred(picture: &Rgb, sigma: f32) -> Vec<f32> {
    let reach = (4.0 * sigma).ceil() as isize;
    let weights: Vec<f32> = (-reach..=reach).map(|d| libm::expf(-0.5 * (d * d) as f32 / (sigma * sigma))).collect();
    let sum: f32 = weights.iter().sum();
    let (h, w) = (picture.h as isize, picture.w as isize);
    let mirrored = |i: isize, n: isize| {
        if n == 1 {
            0
        } else {
            let i = i.rem_euclid(2 * n - 2);
            i.min(2 * n - 2 - i)
        }
    };
    let along = |from: &[f32], at: &dyn Fn(isize, isize, isize) -> usize| -> Vec<f32> {
        let places = (0..h).flat_map(|y| (0..w).map(move |x| (y, x)));
        let mean = |(y, x)| {
            let parts = (-reach..=reach).zip(&weights).map(|(d, weight)| weight * from[at(y, x, d)]);
            parts.sum::<f32>() / sum
        };
        places.map(mean).collect()
    };
    let mut out = Vec::with_capacity(picture.pixels.len());
    for plane in picture.planes() {
        let wide = along(plane, &|y, x, d| (y * w + mirrored(x + d, w)) as usize);
        out.extend(along(&wide, &|y, x, d| (mirrored(y + d, h) * w + x) as usize));
    }
    out
}
