//! One random deformation of the plane: an affine map and a smooth displacement field.

use super::Augment;
use crate::rng::Rng;

/// Where each point goes: `centre + matrix · (p − centre) + shift + field(p)`.
pub(super) struct Warp {
    matrix: [f32; 4],
    centre: [f32; 2],
    shift: [f32; 2],
    field: Option<Field>,
}

impl Warp {
    /// Draws one deformation of a `w × h` plane around its middle.
    pub(super) fn sample(how: &Augment, rng: &mut Rng, w: f32, h: f32) -> Self {
        let mut within = |most: f32| rng.range(-most, most);
        let shift = [within(how.shift), within(how.shift)];
        let angle = within(how.rotate).to_radians();
        let scale = [libm::expf(within(how.scale)), libm::expf(within(how.scale))];
        let slant = within(how.shear);
        let (sin, cos) = (libm::sinf(angle), libm::cosf(angle));
        // Rotation · shear along x · scale of each axis.
        let mut matrix =
            [cos * scale[0], (cos * slant - sin) * scale[1], sin * scale[0], (sin * slant + cos) * scale[1]];
        let mut shift = shift;
        // What is not asked for draws no number: a recipe's pictures stay what they were.
        if how.crop > 0.0 {
            let cut = rng.range(0.0, how.crop);
            matrix = matrix.map(|v| v * (1.0 - cut));
            shift = [shift[0] + rng.range(-0.5, 0.5) * cut * w, shift[1] + rng.range(-0.5, 0.5) * cut * h];
        }
        if how.flip > 0.0 && rng.uniform() < how.flip {
            (matrix[0], matrix[2]) = (-matrix[0], -matrix[2]);
        }
        let field = (how.elastic_alpha > 0.0).then(|| Field::sample(how, rng, w, h));
        Self { matrix, centre: [w / 2.0, h / 2.0], shift, field }
    }

    /// The field between the rows of its nodes; [`Warp::along`] reads it. `line` keeps its memory from row to row.
    pub(super) fn row(&self, y: f32, line: &mut Vec<[f32; 2]>) {
        if let Some(field) = &self.field {
            field.row(y, line);
        }
    }

    /// Where `(x, y)` goes, with the `line` of row `y`.
    pub(super) fn along(&self, line: &[[f32; 2]], x: f32, y: f32) -> [f32; 2] {
        let (u, v) = (x - self.centre[0], y - self.centre[1]);
        let [a, b, c, d] = self.matrix;
        let [ex, ey] = self.field.as_ref().map_or([0.0; 2], |field| field.along(line, x));
        [a * u + b * v + self.centre[0] + self.shift[0] + ex, c * u + d * v + self.centre[1] + self.shift[1] + ey]
    }
}

/// A displacement field: uniform noise on a coarse grid, joined by uniform cubic B-splines.
///
/// Simard, Steinkraus and Platt (2003) convolve noise at every pixel with a Gaussian of deviation σ. A cubic B-spline
/// over nodes σ·√3 apart is a Gaussian of that deviation to the eye (the same variance, four pieces), and 28 × 28
/// pixels with σ = 4 need 128 random numbers and 8 products a pixel where the convolution needs 1,568 and 100.
struct Field {
    /// Nodes per pixel, and where in its cell the first pixel lies.
    pitch: f32,
    phase: [f32; 2],
    columns: usize,
    nodes: Vec<[f32; 2]>,
}

/// Deviation of a spline surface over nodes of deviation 1. A cubic B-spline's squared weights have the mean sum 151/315
/// on one axis: the variance is its square.
const SPLINE_DEVIATION: f32 = 151.0 / 315.0;
/// Deviation of a number uniform in ±√3.
pub(super) const UNIFORM: f32 = 1.732_050_8;

impl Field {
    fn sample(how: &Augment, rng: &mut Rng, w: f32, h: f32) -> Self {
        // Below a pixel the field would be noise, not a deformation, and its grid without bound.
        let pitch = 1.0 / (how.elastic_sigma.max(1.0) * UNIFORM);
        let [columns, rows] = [w, h].map(|side| (side * pitch) as usize + 5);
        let phase = [rng.uniform(), rng.uniform()];
        let most = UNIFORM * how.elastic_alpha / SPLINE_DEVIATION;
        let nodes = (0..columns * rows).map(|_| [rng.range(-most, most), rng.range(-most, most)]).collect();
        Self { pitch, phase, columns, nodes }
    }

    fn row(&self, y: f32, line: &mut Vec<[f32; 2]>) {
        let rows = self.nodes.len() / self.columns;
        let (first, weights) = spline(y * self.pitch + self.phase[1], rows);
        line.clear();
        line.resize(self.columns, [0.0; 2]);
        for (row, weight) in self.nodes[first * self.columns..].chunks_exact(self.columns).zip(weights) {
            for (sum, node) in line.iter_mut().zip(row) {
                *sum = [sum[0] + weight * node[0], sum[1] + weight * node[1]];
            }
        }
    }

    fn along(&self, line: &[[f32; 2]], x: f32) -> [f32; 2] {
        let (first, weights) = spline(x * self.pitch + self.phase[0], line.len());
        let near = &line[first..first + 4];
        [0, 1].map(|k| (0..4).map(|i| weights[i] * near[i][k]).sum())
    }
}

/// The first of the four nodes around `at` and their weights: the uniform cubic B-spline.
pub(super) fn spline(at: f32, nodes: usize) -> (usize, [f32; 4]) {
    let first = (at as usize).min(nodes - 4);
    let t = at - first as f32;
    let (t2, s) = (t * t, 1.0 - t);
    let t3 = t2 * t;
    (first, [s * s * s, 3.0 * t3 - 6.0 * t2 + 4.0, 3.0 * (t + t2 - t3) + 1.0, t3].map(|w| w / 6.0))
}
