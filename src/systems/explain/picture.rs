//! The little that the methods do to pictures: one channel, rows from the top; what a network reads for them.

use crate::error::{Error, Result};

/// Refuses what is no pair of finite numbers for each channel; a single pair stands for all of them.
pub(super) fn checked(ends: &[[f32; 2]], channels: usize) -> Result<()> {
    let finite = ends.iter().flatten().all(|v| v.is_finite());
    if finite && (ends.len() == channels || ends.len() == 1) {
        return Ok(());
    }
    Err(Error::shape("paper and ink", format!("two numbers for each of {channels} channels"), format!("{ends:?}")))
}

/// Pictures of 0 paper to 1 ink as the numbers that a network reads, which has these for paper and for ink in each channel.
pub(super) fn as_read(mut pictures: Vec<f32>, plane: usize, ends: &[[f32; 2]]) -> Vec<f32> {
    for (channel, &[paper, ink]) in pictures.chunks_exact_mut(plane).zip(ends.iter().cycle()) {
        channel.iter_mut().for_each(|v| *v = paper + *v * (ink - paper));
    }
    pictures
}

/// The way back of [`as_read`]: gradients by what the network reads become those by ink.
pub(super) fn scaled(gradients: &mut [f32], plane: usize, ends: &[[f32; 2]]) {
    for (channel, &[paper, ink]) in gradients.chunks_exact_mut(plane).zip(ends.iter().cycle()) {
        channel.iter_mut().for_each(|g| *g *= ink - paper);
    }
}

/// A picture of any number of channels in another size, bilinear; pixels are areas, as in PyTorch's `align_corners=False`.
pub(super) fn resized(picture: &[f32], (h, w): (usize, usize), to: (usize, usize)) -> Vec<f32> {
    picture.chunks_exact(h * w).flat_map(|channel| resized_channel(channel, (h, w), to)).collect()
}

fn resized_channel(picture: &[f32], (h, w): (usize, usize), (oh, ow): (usize, usize)) -> Vec<f32> {
    let taps = |o: usize, from: usize, to: usize| {
        let at = ((o as f32 + 0.5) * from as f32 / to as f32 - 0.5).clamp(0.0, (from - 1) as f32);
        let first = at as usize;
        (first, (first + 1).min(from - 1), at - first as f32)
    };
    let mut out = Vec::with_capacity(oh * ow);
    for y in 0..oh {
        let (top, bottom, down) = taps(y, h, oh);
        for x in 0..ow {
            let (left, right, across) = taps(x, w, ow);
            let row = |y: usize| picture[y * w + left] * (1.0 - across) + picture[y * w + right] * across;
            out.push(row(top) * (1.0 - down) + row(bottom) * down);
        }
    }
    out
}

/// Moves pictures of any number of channels down and right, around the edges.
pub(super) fn rolled(pictures: &[f32], (h, w): (usize, usize), (down, right): (usize, usize)) -> Vec<f32> {
    let from = |i: usize| (i / w + h - down) % h * w + (i % w + w - right) % w;
    pictures.chunks_exact(h * w).flat_map(|channel| (0..h * w).map(move |i| channel[from(i)])).collect()
}

/// Mixes each pixel with its eight neighbours, as much as `amount` from 0 to 1 says: the kernel (1 2 1)/4 both ways.
pub(super) fn blur(picture: &mut [f32], (h, w): (usize, usize), amount: f32) {
    let source = picture.to_vec();
    let near = |i: usize, n: usize| [i.saturating_sub(1), i, (i + 1).min(n - 1)];
    for y in 0..h {
        for x in 0..w {
            let row =
                |y: usize| near(x, w).iter().zip([0.25, 0.5, 0.25]).map(|(&x, k)| k * source[y * w + x]).sum::<f32>();
            let mixed: f32 = near(y, h).iter().zip([0.25, 0.5, 0.25]).map(|(&y, k)| k * row(y)).sum();
            picture[y * w + x] += amount * (mixed - source[y * w + x]);
        }
    }
}

/// Adds to `gradient`, `weight` times, that of the total variation `½ Σ (xᵢ₊₁,ⱼ − xᵢⱼ)² + (xᵢ,ⱼ₊₁ − xᵢⱼ)²`.
/// Mahendran and Vedaldi 2015, section 3, with β = 2.
pub(super) fn add_variation(picture: &[f32], (h, w): (usize, usize), weight: f32, gradient: &mut [f32]) {
    for y in 0..h {
        for x in 0..w {
            let i = y * w + x;
            for next in [(x + 1 < w).then_some(i + 1), (y + 1 < h).then_some(i + w)].into_iter().flatten() {
                let step = weight * (picture[next] - picture[i]);
                gradient[next] += step;
                gradient[i] -= step;
            }
        }
    }
}
