//! Max and average pooling and their gradients.

use super::common::levels;
use super::{close, framed, laid_out, normal, quarters, read_back, same_bits};
use hitofude::kernel::pool::{
    at_maxima, average_pool, average_pool_backward, average_tiles_backward, max_pool, max_pool_backward, tiles,
};
use hitofude::rng::Rng;
use hitofude::shape::{Shape, Window};
use hitofude::tensor::Map;

const GARBAGE: f32 = 1e30;

/// A window that fits and the shapes it joins.
struct Case {
    win: Window,
    n: usize,
    x: Shape,
    y: Shape,
}

impl Case {
    fn random(rng: &mut Rng) -> Self {
        loop {
            let mut pair = |low: usize, high: usize| (low + rng.below(high - low + 1), low + rng.below(high - low + 1));
            let (kernel, stride, pad, dilation) = (pair(1, 4), pair(1, 3), pair(0, 3), pair(1, 2));
            let ((h, w), (c, n)) = (pair(1, 9), (1 + pair(0, 36).0, pair(1, 3).0));
            let win = Window { kernel, stride, pad, dilation };
            if let Ok((oh, ow)) = win.output(h, w) {
                return Self { win, n, x: Shape::new(c, h, w), y: Shape::new(c, oh, ow) };
            }
        }
    }

    /// For every number of the output, in order, the positions of the inputs under its window.
    fn windows(&self) -> Vec<Vec<usize>> {
        let Window { kernel, stride, pad, dilation } = self.win;
        let under = |o: usize, t: usize, s: usize, d: usize, p: usize, size: usize| {
            (o * s + t * d).checked_sub(p).filter(|&i| i < size)
        };
        let mut all = Vec::new();
        for plane in 0..self.n * self.x.c {
            for oy in 0..self.y.h {
                for ox in 0..self.y.w {
                    let mut inputs = Vec::new();
                    for ky in 0..kernel.0 {
                        for kx in 0..kernel.1 {
                            let iy = under(oy, ky, stride.0, dilation.0, pad.0, self.x.h);
                            let ix = under(ox, kx, stride.1, dilation.1, pad.1, self.x.w);
                            if let (Some(iy), Some(ix)) = (iy, ix) {
                                inputs.push((plane * self.x.h + iy) * self.x.w + ix);
                            }
                        }
                    }
                    all.push(inputs);
                }
            }
        }
        all
    }

    fn len(&self) -> (usize, usize) {
        (self.n * self.x.len(), self.n * self.y.len())
    }
}

/// The first maximum under a window.
fn first_max(x: &[f32], inputs: &[usize]) -> Option<usize> {
    inputs.iter().copied().reduce(|best, i| if x[i] > x[best] { i } else { best })
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn max_pooling_matches_the_twin() {
    let mut rng = Rng::new(1);
    for _ in 0..200 {
        let case = Case::random(&mut rng);
        let Case { win, n, x: xs, y: ys } = case;
        let (x_len, y_len) = case.len();
        let (x, dy, dx0) = (quarters(&mut rng, x_len), quarters(&mut rng, y_len), quarters(&mut rng, x_len));
        let maps = (framed(&mut rng, xs), framed(&mut rng, ys), framed(&mut rng, ys), framed(&mut rng, xs));
        let windows = case.windows();
        let want_y: Vec<f32> =
            windows.iter().map(|inputs| first_max(&x, inputs).map_or(f32::NEG_INFINITY, |i| x[i])).collect();
        let mut want_dx = dx0.clone();
        for (inputs, dy) in windows.iter().zip(&dy) {
            if let Some(i) = first_max(&x, inputs) {
                want_dx[i] += dy;
            }
        }

        let (flat, x) = (x.clone(), laid_out(&maps.0, n, &x, GARBAGE));
        let dy = laid_out(&maps.2, n, &dy, GARBAGE);
        for level in levels() {
            let mut y = vec![GARBAGE; n * maps.1.len()];
            max_pool(level, win, (&x, &maps.0), (&mut y, &maps.1), n);
            assert_eq!(read_back(&maps.1, n, &y, GARBAGE), want_y, "{win:?} over {xs} at {level:?}");
            let mut dx = laid_out(&maps.3, n, &dx0, GARBAGE);
            max_pool_backward(level, win, (&x, &maps.0), (&y, &maps.1), (&dy, &maps.2), (&mut dx, &maps.3), n);
            assert_eq!(read_back(&maps.3, n, &dx, GARBAGE), want_dx, "{win:?} over {xs} at {level:?}");
            // What lay at the maxima before they were added to.
            let from = laid_out(&maps.3, n, &dx0, GARBAGE);
            let mut v = vec![GARBAGE; n * maps.2.len()];
            at_maxima(level, win, (&x, &maps.0), (&y, &maps.1), (&from, &maps.3), (&mut v, &maps.2), n);
            let want: Vec<f32> =
                windows.iter().map(|inputs| first_max(&flat, inputs).map_or(0.0, |i| dx0[i])).collect();
            assert_eq!(read_back(&maps.2, n, &v, GARBAGE), want, "{win:?} over {xs} at {level:?}");
        }
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn halving_matches_the_twin() {
    // 2×2 with stride 2 is the window of nearly every network: all channel counts, odd sides among them.
    let mut rng = Rng::new(2);
    let win = Window::square(2).stride(2);
    for c in 1..=37 {
        let (h, w) = (2 + rng.below(8), 2 + rng.below(8));
        let case = Case { win, n: 2, x: Shape::new(c, h, w), y: Shape::new(c, h / 2, w / 2) };
        let x = quarters(&mut rng, case.len().0);
        let want: Vec<f32> = case.windows().iter().map(|inputs| x[first_max(&x, inputs).unwrap()]).collect();
        let (xm, ym) = (framed(&mut rng, case.x), framed(&mut rng, case.y));
        let x = laid_out(&xm, 2, &x, GARBAGE);
        for level in levels() {
            let mut y = vec![GARBAGE; 2 * ym.len()];
            max_pool(level, win, (&x, &xm), (&mut y, &ym), 2);
            assert_eq!(read_back(&ym, 2, &y, GARBAGE), want, "{} at {level:?}", case.x);
        }
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn average_pooling_matches_the_twin() {
    let mut rng = Rng::new(3);
    for round in 0..200 {
        let include = round % 2 == 0;
        let mut case = Case::random(&mut rng);
        if round % 5 == 0 {
            case.win = Window { kernel: (case.x.h, case.x.w), ..Window::square(1) };
            case.y = Shape::new(case.x.c, 1, 1);
        }
        let Case { win, n, x: xs, y: ys } = case;
        let (x_len, y_len) = case.len();
        let (x, dy, dx0) = (normal(&mut rng, x_len), normal(&mut rng, y_len), normal(&mut rng, x_len));
        let (xm, ym, dym, dxm) =
            (framed(&mut rng, xs), framed(&mut rng, ys), framed(&mut rng, ys), framed(&mut rng, xs));
        let mut want_y = Vec::new();
        let mut want_dx: Vec<f64> = dx0.iter().map(|&v| f64::from(v)).collect();
        for (inputs, &dy) in case.windows().iter().zip(&dy) {
            let divisor = if include { win.kernel.0 * win.kernel.1 } else { inputs.len().max(1) } as f64;
            want_y.push(inputs.iter().map(|&i| f64::from(x[i])).sum::<f64>() / divisor);
            inputs.iter().for_each(|&i| want_dx[i] += f64::from(dy) / divisor);
        }

        let (x, dy) = (laid_out(&xm, n, &x, GARBAGE), laid_out(&dym, n, &dy, GARBAGE));
        let (mut ys_seen, mut dxs_seen) = (Vec::new(), Vec::new());
        for level in levels() {
            let mut y = vec![GARBAGE; n * ym.len()];
            average_pool(level, win, include, (&x, &xm), (&mut y, &ym), n);
            ys_seen.push(read_back(&ym, n, &y, GARBAGE));
            let mut dx = laid_out(&dxm, n, &dx0, GARBAGE);
            average_pool_backward(level, win, include, (&dy, &dym), (&mut dx, &dxm), n);
            dxs_seen.push(read_back(&dxm, n, &dx, GARBAGE));
        }
        close(&ys_seen[0], &want_y, 1e-6, "y");
        close(&dxs_seen[0], &want_dx, 2e-6, "dx");
        same_bits(&ys_seen, "average pooling");
        same_bits(&dxs_seen, "average pooling's gradient");
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn average_pooling_in_tiles_goes_back_as_in_windows_and_through_a_relu() {
    let mut rng = Rng::new(5);
    for (shape, kernel, stride) in
        [((7, 4, 6), (2, 3), (2, 3)), ((16, 8, 2), (2, 2), (2, 2)), ((3, 5, 4), (5, 4), (1, 1))]
    {
        let (xs, win) = (Shape::new(shape.0, shape.1, shape.2), Window { kernel, stride, ..Window::square(1) });
        let (h, w) = win.output(xs.h, xs.w).unwrap();
        let ys = Shape::new(xs.c, h, w);
        let (dym, dxm) = (framed(&mut rng, ys), framed(&mut rng, xs));
        let dy = laid_out(&dym, 2, &normal(&mut rng, 2 * ys.len()), GARBAGE);
        let (before, made) = (normal(&mut rng, 2 * xs.len()), normal(&mut rng, 2 * xs.len()));
        let map = framed(&mut rng, xs);
        let laid = laid_out(&map, 2, &made, GARBAGE);
        assert!(
            tiles(win, xs) && !tiles(Window { pad: (1, 0), ..win }, xs) && !tiles(win, Shape { h: xs.h + 1, ..xs })
        );
        for level in levels() {
            for (first, relu) in [(true, false), (false, false), (true, true), (false, true)] {
                let start = if first { vec![0.0; before.len()] } else { before.clone() };
                let mut dx = laid_out(&dxm, 2, &start, GARBAGE);
                average_pool_backward(level, win, true, (&dy, &dym), (&mut dx, &dxm), 2);
                let mut want = read_back(&dxm, 2, &dx, GARBAGE);
                if relu {
                    want.iter_mut().zip(&made).filter(|(_, made)| **made <= 0.0).for_each(|(want, _)| *want = 0.0);
                }
                let made = relu.then_some((&laid[..], &map));
                // What is set need not be anything before.
                let mut dx = laid_out(&dxm, 2, &before, GARBAGE);
                average_tiles_backward(level, win, (&dy, &dym), (&mut dx, &dxm), first, made, 2);
                assert_eq!(read_back(&dxm, 2, &dx, GARBAGE), want, "{xs} at {level:?}, first {first}, ReLU {relu}");
            }
        }
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn global_average_pooling_is_exact_enough() {
    // 64×64 numbers near 1: added one after the other they would lose 4 digits.
    let shape = Shape::new(5, 64, 64);
    let (xm, ym) = (Map::new(shape, (0, 0)), Map::new(Shape::new(5, 1, 1), (0, 0)));
    let mut rng = Rng::new(4);
    let x: Vec<f32> = (0..shape.len()).map(|_| 1.0 + rng.uniform()).collect();
    let want: Vec<f64> =
        (0..5).map(|c| x.iter().skip(c).step_by(5).map(|&v| f64::from(v)).sum::<f64>() / 4096.0).collect();
    for level in levels() {
        let mut y = vec![0.0; 5];
        average_pool(level, Window::square(64), true, (&x, &xm), (&mut y, &ym), 1);
        close(&y, &want, 3e-7, "mean");
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn max_pooling_keeps_nan_and_infinities() {
    let (nan, inf) = (f32::NAN, f32::INFINITY);
    // The four pixels of one window (the same in every channel), its maximum, and where a gradient of 1 goes.
    let cases = [
        ([nan, 1.0, 2.0, 3.0], nan, [0.0; 4]),
        ([1.0, 2.0, 3.0, nan], nan, [0.0; 4]),
        ([1.0, nan, inf, 3.0], nan, [0.0; 4]),
        ([1.0, inf, inf, 3.0], inf, [0.0, 1.0, 0.0, 0.0]),
        ([-inf; 4], -inf, [1.0, 0.0, 0.0, 0.0]),
        ([-0.0, 0.0, 0.0, -0.0], -0.0, [1.0, 0.0, 0.0, 0.0]),
    ];
    // The second window takes the general path.
    let windows = [Window::square(2).stride(2), Window::square(2)];
    for c in [1, 3, 4, 8, 16, 19] {
        let (xm, ym) = (Map::new(Shape::new(c, 2, 2), (0, 0)), Map::new(Shape::new(c, 1, 1), (0, 0)));
        for (pixels, want, want_dx) in cases {
            let spread = |v: &[f32]| v.iter().flat_map(|&v| vec![v; c]).collect::<Vec<f32>>();
            let x = spread(&pixels);
            for level in levels() {
                for win in windows {
                    let (mut y, mut dx) = (vec![7.0; c], vec![0.0; 4 * c]);
                    max_pool(level, win, (&x, &xm), (&mut y, &ym), 1);
                    assert!(
                        y.iter().all(|y| y.to_bits() == want.to_bits() || y.is_nan() && want.is_nan()),
                        "{pixels:?}: {y:?}"
                    );
                    let dy = vec![1.0; c];
                    max_pool_backward(level, win, (&x, &xm), (&y, &ym), (&dy, &ym), (&mut dx, &xm), 1);
                    assert_eq!(dx, spread(&want_dx), "{pixels:?}");
                }
            }
        }
    }
}
