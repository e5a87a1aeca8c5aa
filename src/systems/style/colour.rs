//! Keeping the content's colours. Gatys et al. 2016, "Preserving color in neural artistic style transfer".

use crate::data::pictures::Rgb;

/// Luma and the two differences of NTSC's YIQ, in which the paper takes luminance apart (section 5.2).
const YIQ: [[f32; 3]; 3] = [[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]];
const RGB: [[f32; 3]; 3] = [[1.0, 0.956, 0.621], [1.0, -0.272, -0.647], [1.0, -1.106, 1.703]];

fn each(picture: &Rgb, f: impl Fn([f32; 3]) -> [f32; 3]) -> Rgb {
    let n = picture.h * picture.w;
    let mut out = Rgb::new(picture.h, picture.w);
    for i in 0..n {
        let [r, g, b] = f([0, 1, 2].map(|k| picture.pixels[k * n + i]));
        (out.pixels[i], out.pixels[n + i], out.pixels[2 * n + i]) = (r, g, b);
    }
    out
}

fn times(matrix: &[[f32; 3]; 3], v: [f32; 3]) -> [f32; 3] {
    matrix.map(|row| row[0] * v[0] + row[1] * v[1] + row[2] * v[2])
}

/// The luminance, three times.
pub(super) fn grey(picture: &Rgb) -> Rgb {
    each(picture, |colour| [times(&YIQ, colour)[0]; 3])
}

/// A grey style with the mean and the deviation of a grey content: `σc/σs (x − μs) + μc` (section 5.2).
pub(super) fn levelled(style: &Rgb, content: &Rgb) -> Rgb {
    let ([style_mean, ..], [content_mean, ..]) = (mean(style), mean(content));
    let deviation = |picture: &Rgb| covariance(picture)[0][0].sqrt();
    let gain = if deviation(style) > 1e-6 { deviation(content) / deviation(style) } else { 1.0 };
    each(style, |[y, ..]| [((f64::from(y) - style_mean) * gain + content_mean) as f32; 3])
}

/// The luminance of one picture under the colours of another of its size.
pub(super) fn recoloured(luminance: &Rgb, colours: &Rgb) -> Rgb {
    let n = luminance.h * luminance.w;
    let mut out = each(colours, |colour| times(&YIQ, colour));
    let light = grey(luminance);
    out.pixels[..n].copy_from_slice(&light.pixels[..n]);
    each(&out, |yiq| times(&RGB, yiq))
}

/// The style with the mean and the covariance of the content's colours: `Lc Ls⁻¹ (x − μs) + μc`, with the roots of
/// Cholesky (section 5.1).
pub(super) fn matched(style: &Rgb, content: &Rgb) -> Rgb {
    let (from, to) = (mean(style), mean(content));
    let (ls, lc) = (root(covariance(style)), root(covariance(content)));
    each(style, |colour| {
        // Ls z = x − μs, from the first row down.
        let d = [0, 1, 2].map(|k| f64::from(colour[k]) - from[k]);
        let mut z = [0.0; 3];
        for k in 0..3 {
            z[k] = (d[k] - (0..k).map(|j| ls[k][j] * z[j]).sum::<f64>()) / ls[k][k];
        }
        [0, 1, 2].map(|k| ((0..=k).map(|j| lc[k][j] * z[j]).sum::<f64>() + to[k]) as f32)
    })
}

fn mean(picture: &Rgb) -> [f64; 3] {
    let n = (picture.h * picture.w) as f64;
    let mut planes = picture.planes().map(|plane| plane.iter().map(|&v| f64::from(v)).sum::<f64>() / n);
    [0; 3].map(|_| planes.next().unwrap_or(0.0))
}

fn covariance(picture: &Rgb) -> [[f64; 3]; 3] {
    let (n, mean) = (picture.h * picture.w, mean(picture));
    let of = |i: usize, k: usize| f64::from(picture.pixels[k * n + i]) - mean[k];
    [0, 1, 2].map(|a| [0, 1, 2].map(|b| (0..n).map(|i| of(i, a) * of(i, b)).sum::<f64>() / n as f64))
}

/// The lower triangle `L` with `L Lᵀ` the matrix. A grey picture's is singular: a little is added to the diagonal.
fn root(matrix: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
    let mut l = [[0.0; 3]; 3];
    for i in 0..3 {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| l[i][k] * l[j][k]).sum();
            let left = matrix[i][j] - known;
            l[i][j] = if i == j { (left.max(0.0) + 1e-5).sqrt() } else { left / l[j][j] };
        }
    }
    l
}
