//! The convolution kernels at every lane level against naive twins: plain loops over NCHW, no halo, no packing.

mod common;

use hitofude::kernel::conv::{Forward, Geometry, InputGradient, WeightGradient};
use hitofude::kernel::depthwise::Depthwise;
use hitofude::kernel::gemm::Store;
use hitofude::kernel::volume::{self, Depth, Volume};
use hitofude::kernel::winograd::{Filter, FilterGradient};
use hitofude::rng::Rng;
use hitofude::shape::{Shape, Window, output_size};
use hitofude::tensor::Map;
use ndarray::{Array4, s};

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

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
        let groups = [1, 1, 1, 2, 3][rng.below(5)];
        let (c, oc) = (groups * (1 + rng.below(9)), groups * (1 + rng.below(37)));
        Self::over(rng, groups, c, oc)
    }

    /// As [`Problem::new`] over these channels.
    fn over(rng: &mut Rng, groups: usize, c: usize, oc: usize) -> Self {
        loop {
            let n = 1 + rng.below(3);
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

    /// A convolution to three colours or from them, at a size that has a way of its own.
    fn picture(rng: &mut Rng) -> Self {
        let (n, kernel, maps) = (1 + rng.below(2), [1, 3, 5][rng.below(3)], 16 * (1 + rng.below(2)));
        let (h, w) = (8 + rng.below(5), 8 + rng.below(5));
        let (c, oc) = if rng.below(2) == 0 { (maps, 3) } else { (3, maps) };
        Self {
            window: Window::square(kernel).pad(kernel / 2),
            groups: 1,
            x: random(rng, (n, c, h, w)),
            w: random(rng, (oc, c, kernel, kernel)),
            bias: (0..oc).map(|_| rng.normal()).collect(),
            dy: random(rng, (n, oc, h, w)),
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

/// As [`Problem::stored`], for one group of any numbers.
fn stored(w: &Array4<f64>) -> Vec<f64> {
    w.view().permuted_axes([2, 3, 1, 0]).iter().copied().collect()
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
    (0..165).map(move |i| if i < 150 { Problem::new(&mut rng) } else { Problem::picture(&mut rng) })
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
            let mut conv = Forward::new(level, Geometry { window: p.window, groups: p.groups, x, y }, 2);
            conv.pack(level, &p.stored());
            let mut work = vec![f32::NAN; conv.workspace()];
            for relu in [false, true] {
                let mut out = vec![7.0; p.x.dim().0 * y.len()];
                let store = Store::Set { bias: Some(&p.bias), relu };
                conv.run(level, p.x.dim().0, &to_map(&x, &p.x), store, &mut out, &mut work);
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
            let mut gradient =
                InputGradient::new(level, Geometry { window: p.window, groups: p.groups, x: dx, y: dy }, 2);
            let mut work = vec![f32::NAN; gradient.workspace()];
            gradient.pack(level, &p.stored());
            let mut out = vec![9.0; p.x.dim().0 * dx.len()];
            gradient.run(level, p.x.dim().0, &to_map(&dy, &p.dy), Store::SET, &mut out, &mut work);
            assert_close("dx", &from_map(&dx, &out), &want);
            gradient.run(level, p.x.dim().0, &to_map(&dy, &p.dy), Store::Add, &mut out, &mut work);
            assert_close("2 dx", &from_map(&dx, &out), &(want.clone() * 2.0));
            let y = to_map(&dx, &p.x);
            for (first, times) in [(false, 3.0), (true, 1.0)] {
                let store = Store::Through { first, y: &y };
                gradient.run(level, p.x.dim().0, &to_map(&dy, &p.dy), store, &mut out, &mut work);
                let want =
                    ndarray::Zip::from(&want).and(&p.x).map_collect(|v, x| if *x > 0.0 { times * v } else { 0.0 });
                assert_close("dx through a ReLU", &from_map(&dx, &out), &want);
            }
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
            let gradient = WeightGradient::new(level, geometry, want.x.dim().0);
            let mut work = vec![f32::NAN; gradient.workspace(level)];
            let mut dw = vec![0.5; want.w.len()];
            let (x, dy) = (to_map(&x, &want.x), to_map(&dy, &want.dy));
            gradient.run(level, want.x.dim().0, &x, &dy, &mut dw, &mut work);
            for (got, want) in dw.iter().zip(want.stored()) {
                assert!((got - 0.5 - want).abs() <= 4e-5 * (1.0 + want.abs()), "dw: {got} for {want}");
            }
        }
    }
}

/// Problems that minimal filtering takes: tails of lanes and of tiles, every padding, several blocks.
fn minimal_problems() -> impl Iterator<Item = Problem> {
    let mut rng = Rng::new(2);
    (0..16).map(move |_| {
        let (n, c, oc) = (1 + rng.below(3), 8 + rng.below(24), 8 + rng.below(24));
        let (pad, h, w) = (rng.below(3), 4 + rng.below(14), 4 + rng.below(14));
        let window = Window::square(3).pad(pad);
        let (oh, ow) = window.output(h, w).unwrap();
        Problem {
            window,
            groups: 1,
            x: random(&mut rng, (n, c, h, w)),
            w: random(&mut rng, (oc, c, 3, 3)),
            bias: (0..oc).map(|_| rng.normal()).collect(),
            dy: random(&mut rng, (n, oc, oh, ow)),
        }
    })
}

/// The largest error of `got`, against the sum of the absolute values of the products behind each number.
fn error(got: impl Iterator<Item = f32>, want: impl Iterator<Item = f64>, scale: impl Iterator<Item = f64>) -> f64 {
    got.zip(want).zip(scale).map(|((g, w), s)| (f64::from(g) - w).abs() / s.max(1e-30)).fold(0.0, f64::max)
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn minimal_filtering_keeps_its_bound() {
    let mut worst = [0.0f64; 3];
    for p in minimal_problems() {
        let (n, (xs, ys)) = (p.x.dim().0, p.shapes());
        let halo = Geometry::gradient_halo(&p.window, (xs.h, xs.w), (ys.h, ys.w));
        let (x, y) = (Map::new(xs, (p.window.pad.0, p.window.pad.1 + 1)), Map::new(ys, halo));
        let (mut wy, mut sy) = (Array4::<f64>::zeros(p.dy.dim()), Array4::<f64>::zeros(p.dy.dim()));
        let (mut wx, mut sx) = (Array4::<f64>::zeros(p.x.dim()), Array4::<f64>::zeros(p.x.dim()));
        let (mut ww, mut sw) = (Array4::<f64>::zeros(p.w.dim()), Array4::<f64>::zeros(p.w.dim()));
        p.each(|xi, wi, yi| {
            let [x, w, dy] = [p.x[xi], p.w[wi], p.dy[yi]].map(f64::from);
            for (sum, scale, v) in [
                (&mut wy[yi], &mut sy[yi], x * w),
                (&mut wx[xi], &mut sx[xi], dy * w),
                (&mut ww[wi], &mut sw[wi], dy * x),
            ] {
                *sum += v;
                *scale += v.abs();
            }
        });
        let (xv, dyv, weights) = (to_map(&x, &p.x), to_map(&y, &p.dy), p.stored());
        let pad = p.window.pad;
        let (c, oc) = (xs.c, ys.c);
        for level in common::levels() {
            let mut forward = Filter::new(x, pad, y, n);
            let mut back = Filter::new(y, (2 - pad.0, 2 - pad.1), x, n);
            let gradient = FilterGradient::new(x, pad, y, n);
            let most = forward.workspace().max(back.workspace()).max(gradient.workspace(level));
            let mut work = vec![f32::NAN; most];
            forward.pack(level, |tap, ch, g| g.copy_from_slice(&weights[(tap * c + ch) * oc..][..oc]));
            back.pack(level, |tap, o, g| (0..c).for_each(|ch| g[ch] = weights[((8 - tap) * c + ch) * oc + o]));
            let (mut out, mut dx, mut dw) = (vec![0.0; dyv.len()], vec![0.0; xv.len()], vec![0.0; weights.len()]);
            forward.run(level, n, &xv, Store::SET, &mut out, &mut work);
            back.run(level, n, &dyv, Store::SET, &mut dx, &mut work);
            gradient.run(level, n, &xv, &dyv, &mut dw, &mut work);
            let (out, dx) = (from_map(&y, &out), from_map(&x, &dx));
            let errors = [
                error(out.iter().copied(), wy.iter().copied(), sy.iter().copied()),
                error(dx.iter().copied(), wx.iter().copied(), sx.iter().copied()),
                error(dw.iter().copied(), stored(&ww).into_iter(), stored(&sw).into_iter()),
            ];
            for (worst, error) in worst.iter_mut().zip(errors) {
                *worst = worst.max(error);
            }
        }
    }
    eprintln!("largest errors of y, dx, dw against the sums of absolute products: {worst:?}");
    assert!(worst.iter().all(|&e| e <= 1e-5), "{worst:?}");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn depthwise_is_a_convolution_with_as_many_groups_as_channels() {
    let mut rng = Rng::new(2);
    for _ in 0..100 {
        let c = 1 + rng.below(40);
        let p = Problem::over(&mut rng, c, c, c);
        let (xs, ys) = p.shapes();
        let halo = Geometry::gradient_halo(&p.window, (xs.h, xs.w), (ys.h, ys.w));
        let (x, y, dx, dy) =
            (Map::new(xs, p.window.pad), Map::new(ys, (1, 2)), Map::new(xs, (1, 0)), Map::new(ys, halo));
        let mut want = [Array4::<f64>::zeros(p.dy.dim()), Array4::zeros(p.x.dim()), Array4::zeros(p.w.dim())];
        p.each(|x, w, y| {
            want[0][y] += f64::from(p.x[x]) * f64::from(p.w[w]);
            want[1][x] += f64::from(p.dy[y]) * f64::from(p.w[w]);
            want[2][w] += f64::from(p.dy[y]) * f64::from(p.x[x]);
        });
        let [wy, wx, ww] = want;
        let (n, biased) =
            (p.x.dim().0, wy.clone() + &Array4::from_shape_fn(wy.dim(), |(_, o, ..)| f64::from(p.bias[o])));
        let (images, slopes) = (to_map(&x, &p.x), to_map(&dy, &p.dy));
        for level in common::levels() {
            let mut conv = Depthwise::new(p.window, x, y, Some(dx), Some(dy));
            conv.pack(&p.stored());
            let mut out = vec![7.0; n * y.len()];
            conv.run(level, n, &images, Some(&p.bias), true, &mut out);
            assert_close("relu(y + b)", &from_map(&y, &out), &biased.mapv(|v| v.max(0.0)));
            conv.run(level, n, &images, None, false, &mut out);
            assert_close("y", &from_map(&y, &out), &wy);
            assert_eq!(out[0], 7.0, "the halo is left alone");
            let mut back = vec![9.0; n * dx.len()];
            conv.input_gradient(level, n, &slopes, false, &mut back);
            conv.input_gradient(level, n, &slopes, true, &mut back);
            assert_close("2 dx", &from_map(&dx, &back), &(wx.clone() * 2.0));
            // One filter after another is the public order, too.
            let mut dw = vec![0.5; p.w.len()];
            conv.weight_gradient(level, n, &images, &slopes, &mut dw);
            let dw = Array4::from_shape_vec(p.w.dim(), dw).unwrap();
            assert_close("dw", &dw, &ww.mapv(|v| v + 0.5));
        }
    }
}

/// A random convolution over volumes: its geometry over these images, and how many channels a slice has in and out.
fn volume(rng: &mut Rng) -> (Window, Depth, [usize; 2], Problem) {
    loop {
        let mut pick = |most: usize| 1 + rng.below(most);
        let (kernel, stride, pad, dilation) = (pick(3), pick(2), pick(3) - 1, pick(2));
        let (slices, c, oc) = (pick(6), pick(3), pick(19));
        let Ok(out) = output_size(slices, kernel, stride, pad, dilation) else { continue };
        let depth = Depth { kernel, stride, pad, dilation, slices: (slices, out) };
        let p = Problem::over(rng, 1, slices * c, out * oc);
        let (kh, kw) = p.window.kernel;
        // The arena's order, which for the twin is an array of (tap, tap through the slices) × c × oc.
        let w = random(rng, (kh * kw, kernel, c, oc));
        return (p.window, depth, [c, oc], Problem { w, bias: p.bias[..oc].to_vec(), ..p });
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn volumes_are_sums_over_three_axes() {
    let mut rng = Rng::new(3);
    for _ in 0..40 {
        let (window, depth, [c, oc], p) = volume(&mut rng);
        let (n, (xs, ys)) = (p.x.dim().0, p.shapes());
        let mut wy = Array4::from_shape_fn(p.dy.dim(), |(_, o, _, _)| f64::from(p.bias[o % oc]));
        let (mut wx, mut ww) = (Array4::<f64>::zeros(p.x.dim()), Array4::<f64>::zeros(p.w.dim()));
        let (weights, bias) = (p.w, p.bias);
        let inner = Problem {
            groups: 1,
            w: random(&mut rng, (ys.c, xs.c, window.kernel.0, window.kernel.1)),
            x: p.x,
            dy: p.dy,
            bias: vec![],
            window,
        };
        inner.each(|x, [o, ch, ky, kx], y| {
            // Of all pairs of slices, those that a tap through the slices joins.
            let (from, to) = (ch / c + depth.pad, o / oc * depth.stride);
            let Some(k) = (0..depth.kernel).find(|k| to + k * depth.dilation == from) else { return };
            let at = [ky * window.kernel.1 + kx, k, ch % c, o % oc];
            let [xv, dy, w] = [inner.x[x], inner.dy[y], weights[at]].map(f64::from);
            wy[y] += xv * w;
            wx[x] += dy * w;
            ww[at] += dy * xv;
        });
        let halo = Geometry::gradient_halo(&window, (xs.h, xs.w), (ys.h, ys.w));
        let (x, y) = (Map::new(xs, (window.pad.0 + 1, window.pad.1)), Map::new(ys, halo));
        let (xv, dyv, weights) = (to_map(&x, &inner.x), to_map(&y, &inner.dy), weights.as_slice().unwrap());
        let geometry = || Volume { window, depth, x, y };
        for level in common::levels() {
            let (mut forward, mut back) = (volume::Forward::new(geometry()), volume::InputGradient::new(geometry()));
            forward.pack(level, weights);
            back.pack(level, weights);
            let (mut out, mut dx, mut dw) = (vec![0.0; dyv.len()], vec![0.0; xv.len()], vec![0.5; weights.len()]);
            forward.run(level, n, &xv, Store::Set { bias: Some(&bias), relu: false }, &mut out);
            assert_close("volume: y", &from_map(&y, &out), &wy);
            back.run(level, n, &dyv, Store::SET, &mut dx);
            assert_close("volume: dx", &from_map(&x, &dx), &wx);
            let gradient = volume::WeightGradient::new(geometry());
            gradient.run(level, n, &xv, &dyv, &mut dw, &mut vec![f32::NAN; gradient.workspace(level)]);
            for (got, want) in dw.iter().zip(&ww) {
                assert!((f64::from(*got) - 0.5 - want).abs() <= 4e-5 * (1.0 + want.abs()), "volume: {got} for {want}");
            }
        }
    }
}
