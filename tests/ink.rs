//! Ink: strokes and bitmaps come out as MNIST would have them, and nothing else comes out at all.

#[cfg(not(target_arch = "wasm32"))]
#[path = "common/mod.rs"]
mod common;

use hitofude::data::ink::{self, MNIST_PEN as PEN, Normalised, Picture, SIDE};
use hitofude::rng::Rng;
use hitofude::{Error, Result};

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
#[cfg(target_arch = "wasm32")]
wasm_bindgen_test_configure!(run_in_dedicated_worker);

type Strokes = Vec<Vec<[f32; 2]>>;

/// A four: an open hook and a bar through it.
fn four() -> Strokes {
    vec![vec![[60.0, 10.0], [15.0, 62.0], [81.0, 60.0]], vec![[63.0, 35.0], [58.0, 110.0]]]
}

fn moved(strokes: &Strokes, scale: f32, dx: f32, dy: f32) -> Strokes {
    strokes.iter().map(|s| s.iter().map(|p| [p[0] * scale + dx, p[1] * scale + dy]).collect()).collect()
}

fn input(strokes: &Strokes) -> Result<Vec<f32>> {
    let mut dst = vec![0.0; SIDE * SIDE];
    ink::render(strokes, PEN, &mut dst)?;
    Ok(dst)
}

fn difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max)
}

fn mass(picture: &Picture) -> f32 {
    picture.pixels.iter().sum()
}

/// The centre of mass, pixels counted from 0 at their middles.
fn centre_of_mass(picture: &Picture) -> [f32; 2] {
    let mut at = [0.0; 2];
    for (i, v) in picture.pixels.iter().enumerate() {
        at[0] += v * (i % picture.w) as f32;
        at[1] += v * (i / picture.w) as f32;
    }
    at.map(|m| m / mass(picture))
}

/// Width and height of the ink.
fn extent(picture: &Picture) -> (usize, usize) {
    let inked = |x: usize, y: usize| picture.pixels[y * picture.w + x] > 0.0;
    let columns: Vec<_> = (0..picture.w).filter(|&x| (0..picture.h).any(|y| inked(x, y))).collect();
    let rows: Vec<_> = (0..picture.h).filter(|&y| (0..picture.w).any(|x| inked(x, y))).collect();
    (columns[columns.len() - 1] - columns[0] + 1, rows[rows.len() - 1] - rows[0] + 1)
}

fn bytes(picture: &Picture) -> Vec<u8> {
    picture.pixels.iter().map(|v| (v * 255.0).round() as u8).collect()
}

/// FNV-1a over the bits of every number.
fn hash(numbers: &[f32]) -> u64 {
    let bytes = numbers.iter().flat_map(|v| v.to_bits().to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3))
}

fn check_steps(n: &Normalised) {
    assert_eq!((n.input.w, n.input.h), (28, 28));
    assert_eq!(n.scaled.w.max(n.scaled.h), 20);
    assert_eq!((n.crop.w, n.crop.h), (4 * n.scaled.w, 4 * n.scaled.h));
    assert!(n.drawn.w.max(n.drawn.h) <= 112);
    for picture in [&n.drawn, &n.crop, &n.scaled, &n.input] {
        assert_eq!(picture.pixels.len(), picture.w * picture.h);
        assert!(picture.pixels.iter().all(|v| (0.0..=1.0).contains(v)));
    }
    assert!((mass(&n.crop) / 16.0 - mass(&n.scaled)).abs() < 1e-2);
    assert!((mass(&n.input) - mass(&n.scaled)).abs() < 1e-3, "no ink may fall off");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn strokes_become_a_centred_picture_twenty_pixels_long() {
    let n = ink::from_strokes(&four(), PEN, None).unwrap();
    check_steps(&n);
    assert_eq!(extent(&n.input).1, 20);
    for at in centre_of_mass(&n.input) {
        assert!((at - 14.0).abs() <= 0.5, "{at}");
    }
    assert_eq!(n.input.pixels, input(&four()).unwrap());
    // Bits that every target must give. They change only with the renderer itself.
    assert_eq!(format!("{:016x}", hash(&n.input.pixels)), "d456d82b9c7aef72");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_canvas_gives_coverage_on_any_paper() {
    let rgba = [0, 0, 0, 255, 0, 0, 0, 128, 0, 0, 0, 0, 255, 255, 255, 255, 250, 248, 244, 255, 128, 128, 128, 255];
    assert_eq!(ink::coverage(&rgba), [255, 128, 0, 0, 0, 127]);
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn size_and_place_change_nothing() {
    let plain = input(&four()).unwrap();
    for scale in [1e-30, 1e-6, 1e-3, 1.7, 1e6, 1e30] {
        let other = input(&moved(&four(), scale, 0.0, 0.0)).unwrap();
        assert!(difference(&plain, &other) < 1e-4, "scale {scale}: {}", difference(&plain, &other));
    }
    for (dx, dy) in [(-37.0, 0.0), (0.0, 512.0), (-1000.0, -2000.0)] {
        assert!(difference(&plain, &input(&moved(&four(), 1.0, dx, dy)).unwrap()) < 1e-3, "shift {dx}, {dy}");
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn repeated_points_and_empty_strokes_add_nothing() {
    let mut doubled: Strokes = four().iter().map(|s| s.iter().flat_map(|&p| [p, p, p]).collect()).collect();
    doubled.push(Vec::new());
    doubled.push(vec![[63.0, 35.0]]);
    doubled.push(vec![[15.0, 62.0]; 2]);
    assert_eq!(input(&four()).unwrap(), input(&doubled).unwrap());
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_lone_point_is_a_round_dot_wherever_it_is() {
    let dot = input(&vec![vec![[0.0, 0.0]]]).unwrap();
    let area: f32 = dot.iter().sum();
    assert!((area / (std::f32::consts::PI * 100.0) - 1.0).abs() < 0.01, "{area}");
    for stroke in [vec![[1e6, -3.0]], vec![[5.0, 5.0]; 2], vec![[f32::MAX, f32::MIN]]] {
        assert_eq!(dot, input(&vec![stroke]).unwrap());
    }
    let on_pad = ink::from_strokes(&[[[280.0, 0.0]]], PEN, Some([280.0, 280.0])).unwrap();
    check_steps(&on_pad);
    assert!(mass(&on_pad.drawn) > 1.0, "a dot at the pad's corner is seen");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn the_pad_shows_the_ink_where_it_lies() {
    let n = ink::from_strokes(&four(), PEN, Some([240.0, 120.0])).unwrap();
    check_steps(&n);
    assert_eq!((n.drawn.w, n.drawn.h), (112, 56));
    let [x, y] = centre_of_mass(&n.drawn);
    assert!((x / 112.0 * 240.0 - 50.0).abs() < 6.0 && (y / 112.0 * 240.0 - 58.0).abs() < 6.0, "{x}, {y}");
    for pad in [[0.0, 1.0], [1.0, -1.0], [f32::NAN, 1.0], [1.0, f32::INFINITY]] {
        assert!(matches!(ink::from_strokes(&four(), PEN, Some(pad)), Err(Error::Value(_))));
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn empty_and_hostile_strokes_are_refused() {
    assert_eq!(input(&vec![]), Err(Error::Empty));
    assert_eq!(input(&vec![vec![], vec![]]), Err(Error::Empty));
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        assert!(matches!(input(&vec![vec![[0.0, 1.0], [bad, 2.0]]]), Err(Error::Value(_))));
        assert!(matches!(ink::from_strokes(&four(), bad, None), Err(Error::Value(_))));
    }
    let endless: Strokes = vec![(0..=ink::MAX_POINTS).map(|i| [i as f32, (i % 7) as f32]).collect()];
    assert!(matches!(input(&endless), Err(Error::Value(_))));
    assert!(matches!(ink::render(&four(), PEN, &mut [0.0; 10]), Err(Error::Shape(_))));
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn thin_and_lopsided_ink_stays_inside() {
    let shapes: [Strokes; 4] = [
        vec![vec![[0.0, 0.0], [0.0, 100.0]]],
        vec![vec![[0.0, 0.0], [100.0, 0.0]]],
        vec![vec![[0.0, 0.0], [100.0, 100.0]]],
        // All the mass at one end of a long tail: the centre of mass alone would push the tail over the edge.
        vec![
            vec![[0.0, 0.0], [100.0, 0.0]],
            (0..400).map(|i| [(i % 20) as f32 / 2.0, (i / 20) as f32 / 2.0]).collect(),
        ],
    ];
    for shape in &shapes {
        for pen in [0.5, PEN, 10.0] {
            check_steps(&ink::from_strokes(shape, pen, None).unwrap());
        }
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_bitmap_reads_like_its_strokes() {
    let n = ink::from_strokes(&four(), PEN, None).unwrap();
    let again = ink::from_bitmap(&bytes(&n.crop), n.crop.w, n.crop.h).unwrap();
    check_steps(&again);
    // An empty outermost column of the crop is no ink to a bitmap, so the two boxes may differ by a sub-pixel.
    assert!(difference(&n.input.pixels, &again.input.pixels) < 0.2);
    assert!((mass(&n.input) - mass(&again.input)).abs() < 0.02 * mass(&n.input));
}

/// The picture with every pixel `ratio × ratio` times, at `(left, top)` of a `w × h` canvas.
fn on_canvas(picture: &Picture, ratio: usize, left: usize, top: usize, w: usize, h: usize) -> Vec<u8> {
    let (src, mut canvas) = (bytes(picture), vec![0; w * h]);
    for y in 0..picture.h * ratio {
        for x in 0..picture.w * ratio {
            canvas[(top + y) * w + left + x] = src[y / ratio * picture.w + x / ratio];
        }
    }
    canvas
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn canvas_size_place_and_pixel_ratio_change_nothing() {
    let four = ink::from_strokes(&four(), PEN, None).unwrap().crop;
    let plain = ink::from_bitmap(&bytes(&four), four.w, four.h).unwrap();
    for (ratio, left, top, w, h) in
        [(1, 0, 0, 90, 200), (1, 300, 120, 380, 200), (2, 17, 0, 400, 160), (3, 5, 9, 300, 280)]
    {
        let n = ink::from_bitmap(&on_canvas(&four, ratio, left, top, w, h), w, h).unwrap();
        check_steps(&n);
        assert!(difference(&plain.input.pixels, &n.input.pixels) < 1e-5, "ratio {ratio} at {left}, {top}");
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn bitmaps_of_any_shape_are_read_or_refused() {
    assert!(matches!(ink::from_bitmap(&[0; 12], 4, 3), Err(Error::Empty)));
    for (length, w, h) in [(0, 0, 0), (12, 4, 4), (0, 0, 5), (13, 4, 3), (12, usize::MAX, 2)] {
        assert!(matches!(ink::from_bitmap(&vec![255; length], w, h), Err(Error::Shape(_))), "{w} × {h}");
    }
    for (w, h) in [(1, 1), (1, 300), (4096, 1), (7, 5), (113, 111)] {
        let full = ink::from_bitmap(&vec![255; w * h], w, h).unwrap();
        check_steps(&full);
    }
    let faint = ink::from_bitmap(&[0, 0, 1, 0], 2, 2).unwrap();
    check_steps(&faint);
    assert_eq!(extent(&faint.input), (20, 20));
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn scaling_averages_areas() {
    // 15 × 30 to 10 × 20: the naive way doubles every pixel and takes means of 3 × 3.
    let mut rng = Rng::new(5);
    let coverage: Vec<u8> = (0..15 * 30).map(|_| 1 + rng.below(255) as u8).collect();
    let scaled = ink::from_bitmap(&coverage, 15, 30).unwrap().scaled;
    assert_eq!((scaled.w, scaled.h), (10, 20));
    for (i, &pixel) in scaled.pixels.iter().enumerate() {
        let doubled = |k: usize| (i % 10 * 3 + k % 3, i / 10 * 3 + k / 3);
        let parts = (0..9).map(doubled).map(|(x, y)| f32::from(coverage[y / 2 * 15 + x / 2]));
        let naive = parts.sum::<f32>() / 9.0 / 255.0;
        assert!((pixel - naive).abs() < 1e-5, "pixel {i}: {pixel} beside {naive}");
    }
}

/// The cases that read `../shared/data`.
#[cfg(not(target_arch = "wasm32"))]
mod real {
    use super::*;
    use hitofude::data::idx::{Labelled, Split, load_mnist};
    use hitofude::data::strokes::read_drawings;

    fn mnist() -> Option<Labelled> {
        common::shared("data/mnist").map(|dir| load_mnist(&dir, Split::Test).unwrap())
    }

    #[test]
    fn mnist_normalised_again_is_mnist() {
        let Some(mnist) = mnist() else { return };
        let (mut sum, mut same) = (0.0, 0);
        for image in mnist.images.pixels.chunks_exact(784) {
            let again = ink::from_bitmap(image, 28, 28).unwrap().input;
            let off: f32 = again.pixels.iter().zip(image).map(|(v, &u)| (v - f32::from(u) / 255.0).abs()).sum();
            sum += f64::from(off);
            same += usize::from(off < 1e-2);
        }
        let mean = sum / 7_840_000.0;
        eprintln!("mean absolute difference {mean:.2e}, {same} of 10000 unchanged");
        assert!(same >= 9990 && mean < 1e-4);
    }

    /// Mean and mean grey level (ink mass, mass per inked pixel) of the pictures of each digit.
    fn look<'a>(pictures: impl Iterator<Item = (u8, &'a [f32])>) -> [[f32; 2]; 10] {
        let mut sums = [[0.0f32; 3]; 10];
        for (digit, picture) in pictures {
            let sum = &mut sums[usize::from(digit)];
            sum[0] += picture.iter().sum::<f32>();
            sum[1] += picture.iter().filter(|v| **v > 0.0).count() as f32;
            sum[2] += 1.0;
        }
        sums.map(|[mass, inked, n]| [mass / n, mass / inked])
    }

    #[test]
    fn drawings_have_the_weight_and_the_softness_of_mnist() {
        let (Some(mnist), Some(lines)) = (mnist(), common::shared("data/pen-digits/pen-digits-dev.jsonl.gz")) else {
            return;
        };
        let grey: Vec<f32> = mnist.images.pixels.iter().map(|&v| f32::from(v) / 255.0).collect();
        let mnist = look(mnist.labels.iter().copied().zip(grey.chunks_exact(784)));
        let drawings = read_drawings(&std::fs::read(lines).unwrap()).unwrap();
        let ours: Vec<_> = drawings.iter().map(|d| (d.digit, input(&d.strokes).unwrap())).collect();
        let ours = look(ours.iter().map(|(digit, picture)| (*digit, picture.as_slice())));
        for digit in 0..10 {
            let [mass, grey] = [0, 1].map(|k| ours[digit][k] / mnist[digit][k]);
            eprintln!("{digit}: ink {mass:.3} and grey level {grey:.3} of MNIST's");
            assert!((0.85..1.15).contains(&mass) && (0.93..1.07).contains(&grey), "{digit}: {mass}, {grey}");
        }
    }
}
