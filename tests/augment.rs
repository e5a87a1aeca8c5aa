//! Augmentation: seeded, as strong as its options say, and never more.

use hitofude::Error;
use hitofude::data::augment::{Augment, Hand, vary};
use hitofude::data::ink::{self, MNIST_PEN, PEN};
use hitofude::rng::Rng;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
#[cfg(target_arch = "wasm32")]
wasm_bindgen_test_configure!(run_in_dedicated_worker);

const SIDE: usize = 28;

fn seven() -> Vec<Vec<[f32; 2]>> {
    vec![vec![[10.0, 12.0], [70.0, 10.0], [40.0, 60.0], [35.0, 110.0]], vec![[20.0, 60.0], [65.0, 55.0]]]
}

fn picture() -> Vec<f32> {
    ink::from_strokes(&seven(), MNIST_PEN, None).unwrap().input.pixels
}

fn apply(how: &Augment, seed: u64, src: &[f32]) -> Vec<f32> {
    let mut dst = vec![f32::NAN; src.len()];
    how.apply(&mut Rng::new(seed), src, &mut dst, SIDE, SIDE);
    dst
}

fn render(how: &Hand, seed: u64, strokes: &[Vec<[f32; 2]>]) -> hitofude::Result<Vec<f32>> {
    let mut dst = vec![f32::NAN; SIDE * SIDE];
    how.render(&mut Rng::new(seed), strokes, &mut dst)?;
    Ok(dst)
}

fn mass(picture: &[f32]) -> f32 {
    picture.iter().sum()
}

/// Centre of mass and direction of the longest extent in degrees.
fn pose(picture: &[f32]) -> ([f32; 2], f32) {
    let moment = |f: &dyn Fn(f32, f32) -> f32| {
        let each = picture.iter().enumerate().map(|(i, v)| v * f((i % SIDE) as f32, (i / SIDE) as f32));
        each.sum::<f32>() / mass(picture)
    };
    let (cx, cy) = (moment(&|x, _| x), moment(&|_, y| y));
    let (xx, yy) = (moment(&|x, _| (x - cx).powi(2)), moment(&|_, y| (y - cy).powi(2)));
    let xy = moment(&|x, y| (x - cx) * (y - cy));
    ([cx, cy], 0.5 * (2.0 * xy).atan2(xx - yy).to_degrees())
}

/// FNV-1a over the bits of every number.
fn hash(numbers: impl IntoIterator<Item = f32>) -> u64 {
    let bytes = numbers.into_iter().flat_map(|v| v.to_bits().to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3))
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_seed_gives_the_same_bits_on_every_target() {
    let images = hash((0..8).flat_map(|seed| apply(&Augment::MNIST, seed, &picture())));
    let drawings = hash((0..8).flat_map(|seed| render(&Hand::INK, seed, &seven()).unwrap()));
    // They change only with the presets or the way they are applied.
    assert_eq!(format!("{images:016x} {drawings:016x}"), "0fd002ab8042c9e4 6f52c2bcc48a4016");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn seeds_differ_and_none_changes_nothing() {
    let src = picture();
    assert_ne!(apply(&Augment::MNIST, 1, &src), apply(&Augment::MNIST, 2, &src));
    assert_ne!(render(&Hand::INK, 1, &seven()), render(&Hand::INK, 2, &seven()));
    assert_eq!(apply(&Augment::NONE, 1, &src), src);
    let plain = ink::from_strokes(&seven(), PEN, None).unwrap().input.pixels;
    assert_eq!(render(&Hand::NONE, 1, &seven()).unwrap(), plain);
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn shift_and_rotation_reach_their_amount_and_stop_there() {
    let bar: Vec<f32> =
        (0..SIDE * SIDE).map(|i| f32::from((13..16).contains(&(i / SIDE)) && (6..23).contains(&(i % SIDE)))).collect();
    let shift = Augment { shift: 2.0, ..Augment::NONE };
    let rotate = Augment { rotate: 20.0, ..Augment::NONE };
    let (mut furthest, mut steepest) = (0.0f32, 0.0f32);
    for seed in 0..200 {
        let ([x, y], angle) = pose(&apply(&shift, seed, &bar));
        furthest = furthest.max((x - 14.0).abs()).max((y - 14.0).abs());
        assert!(angle.abs() < 0.1);
        let (_, angle) = pose(&apply(&rotate, seed, &bar));
        steepest = steepest.max(angle.abs());
    }
    assert!((1.9..2.01).contains(&furthest), "{furthest}");
    assert!((19.0..20.5).contains(&steepest), "{steepest}");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn scale_and_shear_reach_their_amount_and_stop_there() {
    // A vertical bar: shear leans it, scaling along y changes its length.
    let bar: Vec<f32> =
        (0..SIDE * SIDE).map(|i| f32::from((13..16).contains(&(i % SIDE)) && (8..21).contains(&(i / SIDE)))).collect();
    let scale = Augment { scale: 0.3, ..Augment::NONE };
    let shear = Augment { shear: 0.25, ..Augment::NONE };
    let (mut least, mut most, mut lean) = (f32::MAX, 0.0f32, 0.0f32);
    for seed in 0..300 {
        let area = mass(&apply(&scale, seed, &bar)) / mass(&bar);
        (least, most) = (least.min(area), most.max(area));
        let sheared = apply(&shear, seed, &bar);
        assert!((mass(&sheared) / mass(&bar) - 1.0).abs() < 0.02, "shear keeps areas");
        lean = lean.max(90.0 - pose(&sheared).1.abs());
    }
    // Both axes together: e to the power of ±0.6, sampling included.
    assert!((0.52..0.65).contains(&least) && (1.6..1.9).contains(&most), "{least} {most}");
    assert!((13.7..15.2).contains(&lean), "{lean}: the long axis of this bar leans by 14.7°");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn elastic_displacement_has_its_size_and_its_smoothness() {
    // On a ramp the change of a pixel is the displacement along x.
    let ramp: Vec<f32> = (0..SIDE * SIDE).map(|i| (i % SIDE) as f32 / SIDE as f32).collect();
    for sigma in [2.0, 4.0, 6.0] {
        let how = Augment { elastic_alpha: 0.8, elastic_sigma: sigma, ..Augment::NONE };
        let (mut square, mut product) = (0.0, 0.0);
        for seed in 0..400 {
            let bent = apply(&how, seed, &ramp);
            let at = |x: usize| (bent[14 * SIDE + x] - ramp[14 * SIDE + x]) * SIDE as f32;
            square += at(10) * at(10);
            product += at(10) * at(10 + sigma as usize);
        }
        let deviation = (square / 400.0).sqrt();
        assert!((0.72..0.88).contains(&deviation), "σ = {sigma}: {deviation}");
        // White noise through a Gaussian of σ: e^(−d² / 4σ²) at distance d.
        let correlation = product / square;
        assert!((correlation - (-0.25f32).exp()).abs() < 0.1, "σ = {sigma}: {correlation}");
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn thickness_stays_between_erosion_and_dilation() {
    let src = picture();
    let how = Augment { thickness: 1.0, ..Augment::NONE };
    let (mut thinnest, mut thickest) = (f32::MAX, 0.0f32);
    for seed in 0..100 {
        let bent = apply(&how, seed, &src);
        for y in 1..SIDE - 1 {
            for i in y * SIDE + 1..(y + 1) * SIDE - 1 {
                let near = [src[i], src[i - 1], src[i + 1], src[i - SIDE], src[i + SIDE]];
                let (low, high) = near.iter().fold((f32::MAX, f32::MIN), |(l, h), &v| (l.min(v), h.max(v)));
                assert!((low..=high).contains(&bent[i]));
            }
        }
        let ratio = mass(&bent) / mass(&src);
        (thinnest, thickest) = (thinnest.min(ratio), thickest.max(ratio));
    }
    assert!(thinnest < 0.5 && thickest > 1.6, "{thinnest} {thickest}");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn the_mnist_preset_keeps_ink_on_the_paper() {
    let src = picture();
    let mut ratios = 0.0;
    for seed in 0..500 {
        let bent = apply(&Augment::MNIST, seed, &src);
        assert!(bent.iter().all(|v| (0.0..=1.0).contains(v)));
        let ratio = mass(&bent) / mass(&src);
        assert!((0.5..1.7).contains(&ratio), "seed {seed}: {ratio}");
        ratios += ratio / 500.0;
    }
    assert!((0.93..1.07).contains(&ratios), "{ratios}");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn pictures_of_any_size_are_bent() {
    let wild = Augment { shift: 50.0, rotate: 180.0, elastic_alpha: 9.0, elastic_sigma: 0.0, ..Augment::MNIST };
    for (w, h) in [(1, 1), (5, 3), (3, 40), (64, 64)] {
        for seed in 0..20 {
            let mut dst = vec![f32::NAN; w * h];
            wild.apply(&mut Rng::new(seed), &vec![1.0; w * h], &mut dst, w, h);
            assert!(dst.iter().all(|v| (0.0..=1.0).contains(v)));
        }
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_hand_draws_alike_at_every_size() {
    let plain = render(&Hand::INK, 3, &seven()).unwrap();
    for scale in [1e-6, 1e6] {
        let other: Vec<Vec<_>> =
            seven().iter().map(|s| s.iter().map(|p| [p[0] * scale, p[1] * scale]).collect()).collect();
        let other = render(&Hand::INK, 3, &other).unwrap();
        let off = plain.iter().zip(&other).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(off < 1e-3, "{off}");
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_hand_stays_near_the_drawing() {
    let straight = vec![vec![[0.0, 0.0], [0.0, 5.0], [0.0, 100.0]]];
    let how = Hand { step: [0.5, 0.5], cut: 2.0, apart: 0.5, tremor: 0.2, ..Hand::NONE };
    let (mut square, mut n) = (0.0, 0.0);
    for seed in 0..100 {
        let drawn = how.redraw(&mut Rng::new(seed), &straight).unwrap();
        let [first, .., last] = drawn[0].as_slice() else { panic!("a stroke keeps its two ends") };
        // In the box the stroke is 20 pixels long at x = 10.
        assert!(first[1] > -1.5 && first[1] < 3.5 && last[1] > 16.5 && last[1] < 21.5, "{first:?} {last:?}");
        for p in &drawn[0] {
            square += (p[0] - 10.0) * (p[0] - 10.0);
            n += 1.0;
        }
    }
    // Uniform within ±½ and a wobble of 0.2.
    let expected = (1.0f32 / 12.0 + 0.04).sqrt();
    let deviation = (square / n as f32).sqrt();
    assert!((deviation / expected - 1.0).abs() < 0.15, "{deviation} beside {expected}");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_hand_refuses_what_ink_refuses() {
    assert_eq!(render(&Hand::INK, 1, &[]), Err(Error::Empty));
    assert_eq!(render(&Hand::INK, 1, &[vec![]]), Err(Error::Empty));
    for bad in [f32::NAN, f32::INFINITY] {
        assert!(matches!(render(&Hand::INK, 1, &[vec![[0.0, bad]]]), Err(Error::Value(_))));
    }
    // Endless to and fro, longer than f32 can count tenths of a pixel: it ends, whatever the answer.
    let zigzag: Vec<_> = (0..ink::MAX_POINTS).map(|i| [(i % 2) as f32, (i % 3) as f32]).collect();
    assert!(render(&Hand::INK, 1, &[zigzag]).is_ok());
    for odd in [vec![vec![[3.0, 4.0]]], vec![vec![[3.0, 4.0]; 5], vec![]], vec![vec![[f32::MIN; 2], [f32::MAX; 2]]]] {
        for seed in 0..20 {
            let drawn = render(&Hand::INK, seed, &odd).unwrap();
            assert!(mass(&drawn) > 10.0 && drawn.iter().all(|v| (0.0..=1.0).contains(v)));
        }
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn another_shape_of_a_digit_adds_one_stroke_across_it() {
    let drawn: Vec<Vec<[f32; 2]>> = vec![vec![[10.0, 0.0], [30.0, 50.0], [10.0, 100.0]]];
    for (digit, added) in [(0, 1), (1, 1), (7, 1), (2, 0), (8, 0)] {
        for seed in 0..50 {
            let varied = vary(&mut Rng::new(seed), digit, &drawn).unwrap();
            assert_eq!(varied.len(), 1 + added, "{digit}");
            assert_eq!(varied[0], drawn[0], "what was drawn stays");
            for p in varied[1..].iter().flatten() {
                assert!((-60.0..100.0).contains(&p[0]) && (-60.0..160.0).contains(&p[1]), "{digit}: {p:?}");
            }
            assert_eq!(varied, vary(&mut Rng::new(seed), digit, &drawn).unwrap());
        }
    }
    assert_eq!(vary(&mut Rng::new(1), 0, &[]).unwrap_err(), hitofude::Error::Empty);
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_crop_enlarges_and_a_flip_mirrors() {
    let picture = picture();
    let flipped = apply(&Augment { flip: 1.0, ..Augment::NONE }, 1, &picture);
    let [x, y] = pose(&picture).0;
    let ([fx, fy], _) = pose(&flipped);
    assert!((fx - (28.0 - x)).abs() < 1e-3 && (fy - y).abs() < 1e-3, "mirrored around the middle: {x} {fx}");
    let crop = Augment { crop: 0.4, ..Augment::NONE };
    // A whole square, so that no part of it is cut away with the ink.
    let mut square = vec![0.0; 784];
    for y in 10..18 {
        square[28 * y + 10..28 * y + 18].fill(1.0);
    }
    let growth: Vec<f32> = (0..100).map(|seed| mass(&apply(&crop, seed, &square)) / 64.0).collect();
    let largest = growth.iter().copied().fold(0.0, f32::max);
    assert!(growth.iter().all(|&g| g > 0.99) && largest > 2.0 && largest < 1.05 / 0.36, "{largest}");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn tones_stay_within_black_and_white() {
    let grey = vec![0.4; 784];
    let spread = |how: Augment| {
        let means: Vec<f32> = (0..200).map(|seed| mass(&apply(&how, seed, &grey)) / 784.0).collect();
        let least = means.iter().copied().fold(1.0, f32::min);
        (least, means.iter().copied().fold(0.0, f32::max))
    };
    let (least, most) = spread(Augment { brightness: 0.2, ..Augment::NONE });
    assert!((0.2..0.22).contains(&least) && (0.58..0.6001).contains(&most), "{least} {most}");
    let (least, most) = spread(Augment { contrast: 0.5, ..Augment::NONE });
    let far = 0.5 - 0.1 * 0.5_f32.exp();
    assert!((far..far + 0.01).contains(&least) && most < 0.5 - 0.1 * (-0.5_f32).exp() + 1e-6, "{least} {most}");
    let noisy = apply(&Augment { noise: 1.0, ..Augment::NONE }, 3, &grey);
    assert!(noisy.iter().all(|v| (0.0..=1.0).contains(v)) && noisy.iter().any(|&v| (v - 0.4).abs() > 0.1));
    let cut = Augment { cutout: 10.0, ..Augment::NONE };
    for seed in 0..100 {
        let blank = apply(&cut, seed, &grey).iter().filter(|&&v| v == 0.0).count();
        assert!(blank <= 100, "at most ten by ten: {blank}");
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn amounts_are_read_checked_and_shown() {
    let how = Augment::from_json(r#"{"rotate": 10, "cutout": 6, "flip": 0.5}"#).unwrap();
    assert_eq!(how, Augment { rotate: 10.0, cutout: 6.0, flip: 0.5, ..Augment::NONE });
    let shown = how.preview(4, &picture(), 28, 28, 3);
    assert_eq!(shown[784..1568], apply_part(&how, 4, 1), "a variant is its seed's and its number's");
    for (text, word) in [(r#"{"rotate": -1}"#, "rotate"), (r#"{"flop": 1}"#, "flop"), (r#"{"crop": 1}"#, "crop")] {
        let error = Augment::from_json(text).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
}

fn apply_part(how: &Augment, seed: u64, i: u64) -> Vec<f32> {
    let mut out = vec![0.0; 784];
    how.apply(&mut Rng::part(seed, i), &picture(), &mut out, 28, 28);
    out
}
