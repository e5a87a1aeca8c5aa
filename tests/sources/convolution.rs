//! The `im2col` examples and the output-size formula.

use super::numbers;
use super::prints::{IM2COL, IM2COL_UNTRANSPOSED};
use hitofude::nn::{Conv, Graph, Mode, Run, Want};
use hitofude::rng::Rng;
use hitofude::shape::{Shape, Window, output_size};
use hitofude::zoo::build;
use ndarray::{Array2, ArrayView2, Axis};

/// The naive twin of convolution: every window of every image as a row, channel after channel.
fn im2col(images: &[f32], shape: Shape, window: Window) -> Array2<f32> {
    let (oh, ow) = window.output(shape.h, shape.w).unwrap();
    let (kh, kw) = window.kernel;
    let (n, size) = (images.len() / shape.len(), shape.c * kh * kw);
    Array2::from_shape_fn((n * oh * ow, size), |(row, column)| {
        let (i, oy, ox) = (row / (oh * ow), row / ow % oh, row % ow);
        let (ch, ky, kx) = (column / (kh * kw), column / kw % kh, column % kw);
        let (y, x) = (oy * window.stride.0 + ky, ox * window.stride.1 + kx);
        let (y, x) = (y.wrapping_sub(window.pad.0), x.wrapping_sub(window.pad.1));
        if y < shape.h && x < shape.w { images[i * shape.len() + (ch * shape.h + y) * shape.w + x] } else { 0.0 }
    })
}

/// What a convolution with these filters (out × window) makes of each window: a row of `out` numbers.
fn convolve(images: &[f32], shape: Shape, conv: Conv, filters: &Array2<f32>) -> Array2<f32> {
    let mut g = Graph::new();
    let x = g.input("input", shape).unwrap();
    let y = g.add("conv", Conv { bias: false, ..conv }, &[x]).unwrap();
    let (net, n) = (g.finish(y), images.len() / shape.len());
    let mut params = net.zeros();
    let filters = filters.clone().into_dyn().into_shape_with_order(net.views()[0].shape.clone()).unwrap();
    params.set("conv.weight", &filters).unwrap();
    let mut run = Run::new(&net, n, &Want::outputs());
    run.forward(&params, images, n, Mode::Infer).unwrap();
    Array2::from_shape_vec((run.output().len() / conv.out, conv.out), run.output().to_vec()).unwrap()
}

/// With a one in each filter, at a place of its own, the convolution's output is the unfolded image itself.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn im2col_as_printed() {
    for (print, transposed) in [(IM2COL, true), (IM2COL_UNTRANSPOSED, false)] {
        let (images, col) = print.split_once("col").unwrap();
        let (images, shape) = (numbers(images), Shape::new(1, 4, 4));
        assert_eq!(images.len(), 2 * shape.len());
        let naive = im2col(&images, shape, Window::square(3));
        let ours = convolve(&images, shape, Conv::new(9, 3), &Array2::eye(9));
        for unfolded in [naive, ours] {
            assert_eq!(unfolded.dim(), (8, 9));
            let image = |rows: ArrayView2<f32>| match transposed {
                true => rows.iter().copied().collect::<Vec<_>>(),
                false => rows.t().iter().copied().collect(),
            };
            let rows: Vec<f32> = unfolded.axis_chunks_iter(Axis(0), 4).flat_map(image).collect();
            assert_eq!(rows, numbers(col));
        }
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn convolution_is_im2col_times_filters() {
    let mut rng = Rng::new(3);
    for (k, stride, pad) in [(3, 1, 1), (2, 2, 0), (5, 3, 2), (1, 1, 0)] {
        let shape = Shape::new(3, 9, 7);
        let images: Vec<f32> = (0..2 * shape.len()).map(|_| rng.normal()).collect();
        let filters = Array2::from_shape_simple_fn((6, 3 * k * k), || rng.normal());
        let conv = Conv::new(6, k).stride(stride).pad(pad);
        let got = convolve(&images, shape, conv, &filters);
        let want = im2col(&images, shape, conv.window).dot(&filters.t());
        assert_eq!(got.dim(), want.dim());
        assert!(got.iter().zip(&want).all(|(a, b)| (a - b).abs() < 1e-5), "{conv:?}");
    }
}

/// (input + 2 · padding − kernel) / stride + 1, against windows counted one by one.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn output_size_formula() {
    for input in 1..30 {
        for (kernel, stride, pad) in (1..8).flat_map(|k| (1..5).flat_map(move |s| (0..4).map(move |p| (k, s, p)))) {
            let windows =
                (0..input + 2 * pad).step_by(stride).filter(|start| start + kernel <= input + 2 * pad).count();
            let size = output_size(input, kernel, stride, pad, 1).unwrap_or(0);
            assert_eq!(size, windows, "{input}, kernel {kernel}, stride {stride}, padding {pad}");
        }
    }
    let net = build("deep_convnet").unwrap();
    let side = |name: &str| net.node(net.wire(name).unwrap()).shape.h;
    let names = ["conv1", "conv2", "pool1", "conv3", "conv4", "pool2", "conv5", "conv6", "pool3"];
    assert_eq!(names.map(side), [28, 28, 14, 14, 16, 8, 8, 8, 4]);
    // `sources/002` feeds its first affine layer 64 · 4 · 4 numbers.
    assert_eq!(net.node(net.wire("flatten").unwrap()).shape, Shape::new(64 * 4 * 4, 1, 1));
}
