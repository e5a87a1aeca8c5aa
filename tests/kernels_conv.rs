//! The convolution kernels at every lane level against naive twins: plain loops over NCHW, no halo, no packing.

mod common;

use hitofude::kernel::conv::{Forward, Geometry, InputGradient, WeightGradient};
use hitofude::rng::Rng;
use hitofude::shape::{Shape, Window};
use hitofude::tensor::Map;
use ndarray::{Array4, s};

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

/// One random problem in public layouts.
struct Problem {
    window: Window,
    groups: usize,
    x: Array4<f32>,
    w: Array4<f32>,
    bias: Vec<f32>,
    dy: Array4<f32>,
}

fn random(rng: &mut Rng, shape: (usize, usize, usize, usize)) -> Array4<f32> {
    Array4::from_shape_simple_fn(shape, || rng.normal())
}

impl Problem {
    /// Any kernel, stride, padding, dilation and groups over any sizes, tails included.
    fn new(rng: &mut Rng) -> Self {
        loop {
            let groups = [1, 1, 1, 2, 3][rng.below(5)];
            let (n, c, oc) = (1 + rng.below(3), groups * (1 + rng.below(9)), groups * (1 + rng.below(37)));
            let (h, w) = (1 + rng.below(9), 1 + rng.below(9));
            let mut pair = |most: usize| (1 + rng.below(most), 1 + rng.below(most));
            let (kernel, stride, dilation, pad) = (pair(4), pair(3), pair(2), pair(4));
            let window = Window { kernel, stride, pad: (pad.0 - 1, pad.1 - 1), dilation };
            let Ok((oh, ow)) = window.output(h, w) else { continue };
            return Self {
                window,
                groups,
                x: random(rng, (n, c, h, w)),
                w: random(rng, (oc, c / groups, kernel.0, kernel.1)),
                bias: (0..oc).map(|_| rng.normal()).collect(),
                dy: random(rng, (n, oc, oh, ow)),
            };
        }
    }

    /// Visits every product of the convolution: indices into x, w and y.
    fn each(&self, mut visit: impl FnMut([usize; 4], [usize; 4], [usize; 4])) {
        let (n, c, h, w) = self.x.dim();
        let (oc, cg, kh, kw) = self.w.dim();
        let (_, _, oh, ow) = self.dy.dim();
        let Window { stride, pad, dilation, .. } = self.window;
        for (i, o) in (0..n).flat_map(|i| (0..oc).map(move |o| (i, o))) {
            for (y, x) in (0..oh).flat_map(|y| (0..ow).map(move |x| (y, x))) {
                for (ch, ky, kx) in (0..cg).flat_map(|c| (0..kh).flat_map(move |y| (0..kw).map(move |x| (c, y, x)))) {
                    let iy = (y * stride.0 + ky * dilation.0).wrapping_sub(pad.0);
                    let ix = (x * stride.1 + kx * dilation.1).wrapping_sub(pad.1);
                    if iy < h && ix < w {
                        let channel = o / (oc / self.groups) * (c / self.groups) + ch;
                        visit([i, channel, iy, ix], [o, ch, ky, kx], [i, o, y, x]);
                    }
                }
            }
        }
    }

    fn shapes(&self) -> (Shape, Shape) {
        let ((_, c, h, w), (_, oc, oh, ow)) = (self.x.dim(), self.dy.dim());
        (Shape::new(c, h, w), Shape::new(oc, oh, ow))
    }

    /// The weights as the arena keeps them: per group `(kh, kw, c) × oc`.
    fn stored(&self) -> Vec<f32> {
        let per = self.w.dim().0 / self.groups;
        let group = |g: usize| self.w.slice(s![g * per..(g + 1) * per, .., .., ..]).to_owned();
        (0..self.groups)
            .flat_map(|g| group(g).permuted_axes([2, 3, 1, 0]).iter().copied().collect::<Vec<_>>())
            .collect()
    }
}

fn to_map(map: &Map, a: &Array4<f32>) -> Vec<f32> {
    let mut out = vec![0.0; a.dim().0 * map.len()];
    for (image, out) in a.outer_iter().zip(out.chunks_exact_mut(map.len())) {
        map.fill_from_chw(&image.iter().copied().collect::<Vec<_>>(), out);
    }
    out
}

fn from_map(map: &Map, values: &[f32]) -> Array4<f32> {
    let n = values.len() / map.len();
    let mut all = vec![0.0; n * map.shape.len()];
    for (image, out) in values.chunks_exact(map.len()).zip(all.chunks_exact_mut(map.shape.len())) {
        map.copy_to_chw(image, out);
    }
    Array4::from_shape_vec((n, map.shape.c, map.shape.h, map.shape.w), all).unwrap()
}

#[track_caller]
fn assert_close(what: &str, got: &Array4<f32>, want: &Array4<f64>) {
    assert_eq!(got.dim(), want.dim(), "{what}");
    for (g, w) in got.iter().zip(want) {
        assert!((f64::from(*g) - w).abs() <= 2e-5 * (1.0 + w.abs()), "{what}: {g} for {w}");
    }
}

fn problems() -> impl Iterator<Item = Problem> {
    let mut rng = Rng::new(1);
    (0..150).map(move |_| Problem::new(&mut rng))
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn forward_is_the_sum_over_windows() {
    for p in problems() {
        let mut want = Array4::from_shape_fn(p.dy.dim(), |(_, o, _, _)| f64::from(p.bias[o]));
        p.each(|x, w, y| want[y] += f64::from(p.x[x]) * f64::from(p.w[w]));
        let (xs, ys) = p.shapes();
        // A halo wider than the padding must change nothing.
        let x = Map::new(xs, (p.window.pad.0 + 1, p.window.pad.1));
        let y = Map::new(ys, (1, 2));
        for level in common::levels() {
            let mut conv = Forward::new(Geometry { window: p.window, groups: p.groups, x, y });
            conv.pack(level, &p.stored());
            for relu in [false, true] {
                let mut out = vec![7.0; p.x.dim().0 * y.len()];
                conv.run(level, p.x.dim().0, &to_map(&x, &p.x), Some(&p.bias), relu, &mut out);
                let want = want.mapv(|v| if relu { v.max(0.0) } else { v });
                assert_close("y", &from_map(&y, &out), &want);
                assert_eq!(out[0], 7.0, "the halo is left alone");
            }
        }
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn input_gradient_is_the_transposed_sum() {
    for p in problems() {
        let mut want = Array4::<f64>::zeros(p.x.dim());
        p.each(|x, w, y| want[x] += f64::from(p.dy[y]) * f64::from(p.w[w]));
        let (xs, ys) = p.shapes();
        let halo = Geometry::gradient_halo(&p.window, (xs.h, xs.w), (ys.h, ys.w));
        let (dx, dy) = (Map::new(xs, (1, 0)), Map::new(ys, halo));
        for level in common::levels() {
            let mut gradient = InputGradient::new(Geometry { window: p.window, groups: p.groups, x: dx, y: dy });
            gradient.pack(level, &p.stored());
            let mut out = vec![9.0; p.x.dim().0 * dx.len()];
            gradient.run(level, p.x.dim().0, &to_map(&dy, &p.dy), false, &mut out);
            assert_close("dx", &from_map(&dx, &out), &want);
            gradient.run(level, p.x.dim().0, &to_map(&dy, &p.dy), true, &mut out);
            assert_close("2 dx", &from_map(&dx, &out), &(want.clone() * 2.0));
        }
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn weight_gradient_is_the_sum_over_pixels() {
    for p in problems() {
        let mut want = Array4::<f64>::zeros(p.w.dim());
        p.each(|x, w, y| want[w] += f64::from(p.dy[y]) * f64::from(p.x[x]));
        let want = Problem { w: want.mapv(|v| v as f32), ..p };
        let (xs, ys) = want.shapes();
        let (x, dy) = (Map::new(xs, want.window.pad), Map::new(ys, (2, 1)));
        for level in common::levels() {
            let geometry = Geometry { window: want.window, groups: want.groups, x, y: dy };
            let mut gradient = WeightGradient::new(geometry, want.x.dim().0);
            let mut dw = vec![0.5; want.w.len()];
            gradient.run(level, want.x.dim().0, &to_map(&x, &want.x), &to_map(&dy, &want.dy), &mut dw);
            for (got, want) in dw.iter().zip(want.stored()) {
                assert!((got - 0.5 - want).abs() <= 4e-5 * (1.0 + want.abs()), "dw: {got} for {want}");
            }
        }
    }
}
