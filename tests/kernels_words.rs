//! The kernels over words, 16-bit numbers and signs, at every lane level against naive twins: exact equality.

mod common;

use common::levels;
use hitofude::kernel::quantise::{self, Filters, Levels};
use hitofude::kernel::words::{Affine, Conv, Product, Put, pair, unpair};
use hitofude::kernel::{binary, int8};
use hitofude::rng::Rng;
use hitofude::shape::{Shape, Window};
use hitofude::tensor::Map;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

/// One random convolution of whole numbers, NCHW and OIHW.
struct Problem {
    window: Window,
    n: usize,
    x: Shape,
    y: Shape,
    values: Vec<i32>,
    weights: Vec<i32>,
}

impl Problem {
    fn new(rng: &mut Rng, padded: bool, draw: impl Fn(&mut Rng, bool) -> i32) -> Self {
        loop {
            let (n, c, oc) = (1 + rng.below(3), 1 + rng.below(70), 1 + rng.below(70));
            let (h, w) = (1 + rng.below(9), 1 + rng.below(9));
            let mut pair = |most: usize| (1 + rng.below(most), 1 + rng.below(most));
            let (kernel, stride, dilation, pad) = (pair(4), pair(3), pair(2), pair(3));
            let pad = if padded { (pad.0 - 1, pad.1 - 1) } else { (0, 0) };
            let window = Window { kernel, stride, pad, dilation };
            let Ok((oh, ow)) = window.output(h, w) else { continue };
            let values = (0..n * c * h * w).map(|_| draw(rng, true)).collect();
            let weights = (0..oc * c * kernel.0 * kernel.1).map(|_| draw(rng, false)).collect();
            return Self { window, n, x: Shape::new(c, h, w), y: Shape::new(oc, oh, ow), values, weights };
        }
    }

    fn weight(&self, tap: usize, ch: usize, o: usize) -> i32 {
        let taps = self.window.kernel.0 * self.window.kernel.1;
        self.weights[(o * self.x.c + ch) * taps + tap]
    }

    fn value(&self, i: usize, ch: usize, y: usize, x: usize) -> i32 {
        self.values[((i * self.x.c + ch) * self.x.h + y) * self.x.w + x]
    }

    /// The sums, image after image, pixel after pixel, filter after filter.
    fn naive(&self) -> Vec<i32> {
        let Window { kernel, stride, pad, dilation } = self.window;
        let mut sums = Vec::new();
        for (i, oy, ox) in each3(self.n, self.y.h, self.y.w) {
            for o in 0..self.y.c {
                let mut sum = 0i32;
                for (ky, kx, ch) in each3(kernel.0, kernel.1, self.x.c) {
                    let iy = (oy * stride.0 + ky * dilation.0).wrapping_sub(pad.0);
                    let ix = (ox * stride.1 + kx * dilation.1).wrapping_sub(pad.1);
                    if iy < self.x.h && ix < self.x.w {
                        sum += self.value(i, ch, iy, ix) * self.weight(ky * kernel.1 + kx, ch, o);
                    }
                }
                sums.push(sum);
            }
        }
        sums
    }

    /// The images as words.
    fn packed(&self, map: &Map, word: impl Fn(usize, usize, usize, usize) -> i32) -> Vec<i32> {
        let mut out = vec![0; self.n * map.len()];
        for (i, y, x) in each3(self.n, self.x.h, self.x.w) {
            for k in 0..map.shape.c {
                out[i * map.len() + map.at(y, x) + k] = word(i, y, x, k);
            }
        }
        out
    }
}

fn each3(a: usize, b: usize, c: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..a).flat_map(move |i| (0..b).flat_map(move |j| (0..c).map(move |k| (i, j, k))))
}

/// Eight bits without a sign less a zero point for values, with one for weights; the extremes often.
fn byte(rng: &mut Rng, value: bool) -> i32 {
    let (lo, hi) = if value { (-100, 155) } else { (-128, 127) };
    [lo, hi, lo + rng.below((hi - lo) as usize) as i32][rng.below(3)]
}

fn either(rng: &mut Rng, _: bool) -> i32 {
    [-1, 1][rng.below(2)]
}

/// Runs a convolution at every level and holds what it puts against what follows from the naive sums.
fn holds(p: &Problem, product: Product, x: Map, images: &[i32], word: &dyn Fn(usize, usize) -> i32, rng: &mut Rng) {
    let (sums, oc) = (p.naive(), p.y.c);
    let scale: Vec<f32> = (0..oc).map(|_| rng.range(-0.01, 0.01)).collect();
    let shift: Vec<f32> = (0..oc).map(|_| rng.range(-3.0, 3.0)).collect();
    let affine = Affine { scale: &scale, shift: &shift };
    let after: Vec<f32> = sums.iter().enumerate().map(|(i, s)| *s as f32 * scale[i % oc] + shift[i % oc]).collect();
    for level in levels() {
        let map = |words: usize| Map::new(Shape { c: words, ..p.y }, (1, 2));
        let conv = |words: usize| {
            let mut conv = Conv::new(product, p.window, x, map(words), oc);
            conv.pack(level, word);
            conv
        };
        let pixels = |map: Map| map.rows(p.n).flatten();
        let mut work = vec![0; conv(oc).workspace()];
        let what = format!("{level:?}, {:?} of {} to {}", p.window, p.x, p.y);

        let mut got = vec![0; p.n * map(oc).len()];
        conv(oc).run(level, p.n, images, &mut Put::Sums(&mut got), &mut work);
        assert!(pixels(map(oc)).map(|at| got[at]).eq(sums.iter().copied()), "{what}");

        let mut got = vec![0.0; p.n * map(oc).len()];
        conv(oc).run(level, p.n, images, &mut Put::Numbers(affine, true, &mut got), &mut work);
        assert!(pixels(map(oc)).map(|at| got[at]).eq(after.iter().map(|v| v.max(0.0))), "{what}: numbers");

        let m = map(int8::words(oc));
        let mut got = vec![0; p.n * m.len()];
        conv(m.shape.c).run(level, p.n, images, &mut Put::Levels(affine, (-4.0, 5.0), &mut got), &mut work);
        let rows = m.rows(p.n).flat_map(|row| got[row].chunks_exact(m.shape.c).collect::<Vec<_>>());
        let levels = rows.flat_map(|pixel| pixel.iter().flat_map(|w| unpair(*w)).take(oc).collect::<Vec<_>>());
        assert!(levels.eq(after.iter().map(|v| v.clamp(-4.0, 5.0).round_ties_even() as i32)), "{what}: levels");

        let m = map(binary::words(oc));
        let mut got = vec![0; p.n * m.len()];
        conv(m.shape.c).run(level, p.n, images, &mut Put::Signs(affine, &mut got), &mut work);
        let rows = m.rows(p.n).flat_map(|row| got[row].chunks_exact(m.shape.c).collect::<Vec<_>>());
        let signs = rows.flat_map(|pixel| (0..oc).map(|o| pixel[o / 32] >> (o % 32) & 1).collect::<Vec<_>>());
        assert!(signs.eq(after.iter().map(|v| i32::from(*v < 0.0))), "{what}: signs");
        let mut outside = got.clone();
        m.rows(p.n).for_each(|row| outside[row].fill(0));
        assert!(outside.iter().all(|word| *word == 0), "{what}: the halo");
    }
}

#[test]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
fn int8_convolutions_are_exact() {
    let mut rng = Rng::new(22);
    for _ in 0..40 {
        let p = Problem::new(&mut rng, true, byte);
        let (pad, words) = (p.window.pad, int8::words(p.x.c));
        let map = Map::new(Shape { c: words, ..p.x }, (pad.0 + 1, pad.1));
        let of = |i, ch, y, x| if ch < p.x.c { p.value(i, ch, y, x) } else { 0 };
        let images = p.packed(&map, |i, y, x, k| pair(of(i, 2 * k, y, x), of(i, 2 * k + 1, y, x)));
        let word = int8::weight_word(p.x.c, |tap, ch, o| p.weight(tap, ch, o));
        holds(&p, Product::Pairs, map, &images, &word, &mut rng);
    }
}

#[test]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
fn convolutions_of_signs_are_exact() {
    let mut rng = Rng::new(23);
    for _ in 0..40 {
        let p = Problem::new(&mut rng, false, either);
        let map = Map::new(Shape { c: binary::words(p.x.c), ..p.x }, (0, 0));
        let bit = |i, ch, y, x| if ch < p.x.c { i32::from(p.value(i, ch, y, x) < 0) << (ch % 32) } else { 0 };
        let images = p.packed(&map, |i, y, x, k| (32 * k..32 * (k + 1)).fold(0, |word, ch| word | bit(i, ch, y, x)));
        let word = binary::weight_word(p.x.c, |tap, ch, o| p.weight(tap, ch, o) < 0);
        let count = (p.x.c * p.window.kernel.0 * p.window.kernel.1) as i32;
        holds(&p, Product::Signs(count), map, &images, &word, &mut rng);
    }
}

/// The sum of the largest products of the deepest layer in use: 512 channels by 3 × 3.
#[test]
fn extremes_do_not_overflow() {
    let (x, y) = (Map::new(Shape::new(256, 3, 3), (0, 0)), Map::new(Shape::new(1, 1, 1), (0, 0)));
    for level in levels() {
        for (value, weight) in [(255, -128), (-255, -128), (255, 127)] {
            let mut conv = Conv::new(Product::Pairs, Window::square(3), x, y, 1);
            conv.pack(level, |_, _| pair(weight, weight));
            let mut got = vec![0];
            conv.run(level, 1, &vec![pair(value, value); x.len()], &mut Put::Sums(&mut got), &mut vec![0; 64]);
            assert_eq!(got[0], 512 * 9 * value * weight);
        }
    }
}

#[test]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
fn pooling_and_sums() {
    let mut rng = Rng::new(24);
    for _ in 0..30 {
        let p = Problem::new(&mut rng, true, byte);
        if p.window.pad.0 >= p.window.kernel.0 || p.window.pad.1 >= p.window.kernel.1 {
            continue;
        }
        let (words, halo) = (int8::words(p.x.c), (1, 1));
        let xm = Map::new(Shape { c: words, ..p.x }, halo);
        let ym = Map::new(Shape { c: words, ..p.y }, (0, 2));
        let of = |i, ch, y, x| if ch < p.x.c { p.value(i, ch, y, x) } else { 0 };
        let images = p.packed(&xm, |i, y, x, k| pair(of(i, 2 * k, y, x), of(i, 2 * k + 1, y, x)));
        let seen = |i, ch, oy: usize, ox: usize| {
            let Window { kernel, stride, pad, dilation } = p.window;
            let at = |ky: usize, kx: usize| {
                let iy = (oy * stride.0 + ky * dilation.0).wrapping_sub(pad.0);
                let ix = (ox * stride.1 + kx * dilation.1).wrapping_sub(pad.1);
                (iy < p.x.h && ix < p.x.w).then(|| of(i, ch, iy, ix))
            };
            (0..kernel.0).flat_map(|ky| (0..kernel.1).filter_map(|kx| at(ky, kx)).collect::<Vec<_>>()).max()
        };
        for level in levels() {
            let mut got = vec![0; p.n * ym.len()];
            int8::max_pool(level, &p.window, p.n, (&images, &xm), (&mut got, &ym));
            for (i, y, x) in each3(p.n, p.y.h, p.y.w) {
                for k in 0..words {
                    let word = unpair(got[i * ym.len() + ym.at(y, x) + k]);
                    for (j, v) in word.into_iter().enumerate() {
                        if let Some(want) = seen(i, 2 * k + j, y, x) {
                            assert_eq!(v, want, "{level:?} {:?}", p.window);
                        }
                    }
                }
            }
            let mut both = vec![0; p.n * xm.len()];
            int8::add(level, p.n, (&images, &xm), (&images, &xm), (0.25, 0.5), (-60.0, 90.0), (&mut both, &xm));
            for (i, y, x) in each3(p.n, p.x.h, p.x.w) {
                let v = p.value(i, 0, y, x) as f32;
                let want = (v * 0.25 + v * 0.5).clamp(-60.0, 90.0).round_ties_even() as i32;
                assert_eq!(unpair(both[i * xm.len() + xm.at(y, x)])[0], want);
            }
        }
        let one = Map::new(Shape::new(words, 1, 1), (0, 0));
        let mut sums = vec![0; p.n * words];
        int8::sum_pool(p.n, (&images, &xm), (&mut sums, &one));
        for (i, ch) in (0..p.n).flat_map(|i| (0..p.x.c).map(move |ch| (i, ch))) {
            let want: i32 = each3(1, p.x.h, p.x.w).map(|(_, y, x)| p.value(i, ch, y, x)).sum();
            assert_eq!(unpair(sums[i * words + ch / 2])[ch % 2], want);
        }
    }
}

#[test]
fn signs_pool_and_pack() {
    let mut rng = Rng::new(25);
    let shape = Shape::new(37, 6, 5);
    let xm = Map::new(Shape { c: int8::words(37), ..shape }, (0, 0));
    let sm = Map::new(Shape { c: binary::words(37), ..shape }, (0, 0));
    let values: Vec<i32> = (0..xm.len()).map(|_| pair(byte(&mut rng, true), byte(&mut rng, true))).collect();
    let mut packed = vec![0; sm.len()];
    binary::signs(1, 37, (&values, &xm), (&mut packed, &sm));
    let window = Window::square(2).stride(2);
    let ym = Map::new(Shape { h: 3, w: 2, ..sm.shape }, (0, 0));
    let whole = Map::new(Shape { h: 3, w: 2, ..xm.shape }, (0, 0));
    for level in levels() {
        let (mut signs, mut pooled, mut of_pooled) = (vec![0; ym.len()], vec![0; whole.len()], vec![0; ym.len()]);
        int8::max_pool_signs(level, &window, 1, (&packed, &sm), (&mut signs, &ym));
        int8::max_pool(level, &window, 1, (&values, &xm), (&mut pooled, &whole));
        binary::signs(1, 37, (&pooled, &whole), (&mut of_pooled, &ym));
        assert_eq!(signs, of_pooled);
        assert!(signs.iter().any(|w| *w != 0));
    }
}

#[test]
fn images_are_taken_in() {
    let (shape, map) = (Shape::new(3, 2, 2), Map::new(Shape::new(2, 2, 2), (1, 1)));
    let image = [0.0, 0.1, 0.2, 0.3, -1.0, 0.5, 2.0, 0.25, 0.05, 0.15, 9.0, -9.0];
    let mut out = vec![0; map.len()];
    int8::take_in(&image, shape, 0.1, (-5.0, 10.0), &map, &mut out);
    let pixel = |y, x| out[map.at(y, x)..][..2].iter().flat_map(|w| unpair(*w)).collect::<Vec<_>>();
    assert_eq!(pixel(0, 0), [0, -5, 0, 0]);
    assert_eq!(pixel(0, 1)[..2], [1, 5]);
    assert_eq!(pixel(1, 0), [2, 10, 10, 0]);
    assert_eq!(pixel(1, 1)[2], -5);
}

/// What `../shared/vectors/binary_sign.json` says of larq's rules.
#[test]
fn signs_follow_larq() {
    let Some(path) = common::shared("vectors/binary_sign.json") else { return };
    let vectors: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let numbers = |key: &str| -> Vec<f32> {
        vectors[key].as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect()
    };
    let x = numbers("x");
    for level in levels() {
        let (mut y, mut dx) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        quantise::sign(level, &x, &mut y);
        quantise::sign_backward(level, &x, &vec![1.0; x.len()], &mut dx);
        assert_eq!((y, dx), (numbers("sign"), numbers("ste_sign_grad")));
    }
}

#[test]
fn levels_round_to_even_within_their_bounds() {
    let levels8 = Levels::of(8, false);
    let x = [-1.0, 0.05, 0.15, 0.25, 25.4, 25.6, 0.1];
    for level in levels() {
        let mut y = [0.0; 7];
        quantise::fake(level, levels8, 0.1, &x, &mut y);
        let want = x.map(|x: f32| (x / 0.1).clamp(0.0, 255.0).round_ties_even() * 0.1);
        assert_eq!(y, want);
    }
    assert_eq!((Levels::of(4, true).lo, Levels::of(4, true).hi), (-8.0, 7.0));
    let step = quantise::best_step(Levels::of(2, true), [1.0, -1.0, 0.0, 2.0, -2.0].into_iter());
    assert!((0.9..1.2).contains(&step), "{step}");
    assert_eq!(quantise::best_step(levels8, [0.0; 3].into_iter()), 1.0);
    let (w, mut out) = ([0.1, -0.2, 0.9, 1.0, -0.8, 0.05], [0.0; 6]);
    let mut rules = [(0.0, 0.0); 2];
    quantise::ternary_rules(&w, &mut rules);
    Filters::Ternary(&rules).round(&w, &mut out);
    // The filters are 0.1, 0.9, −0.8 and −0.2, 1.0, 0.05; thresholds 0.42 and 0.2917.
    assert_eq!(out.map(|v| (v * 100.0).round()), [0.0, 0.0, 85.0, 100.0, -85.0, 0.0]);
}
