//! Occlusion: a square of bare paper slides over the picture; what the score loses, each pixel under it is credited with.
//! Zeiler and Fergus 2014, section 4.2.

use super::{Explainer, within};
use crate::error::Result;
use crate::shape::Shape;
use std::ops::Range;

/// Rows and columns of a square.
type Square = (Range<usize>, Range<usize>);

impl Explainer {
    /// `S(x) − S(x without the square)`, the mean over the squares that cover a pixel; the same for all channels.
    pub(super) fn occlusion(&mut self, class: usize, side: usize, stride: usize) -> Result<Vec<f32>> {
        let shape = self.net.input_shape();
        within("side of the square", side, 1, shape.h.max(shape.w))?;
        within("stride", stride, 1, side)?;
        let score = self.live.scores()[class];
        let squares = squares(shape, side, stride);
        // Over bare paper a square changes nothing.
        let inked: Vec<&Square> =
            squares.iter().filter(|square| pixels(shape, square).any(|i| self.picture[i] != 0.0)).collect();
        let mut losses = Vec::with_capacity(inked.len());
        for squares in inked.chunks(self.many.batch()) {
            let mut pictures = self.picture.repeat(squares.len());
            for (picture, square) in pictures.chunks_exact_mut(shape.len()).zip(squares) {
                pixels(shape, square).for_each(|i| picture[i] = 0.0);
            }
            self.many.forward(&self.params, &pictures)?;
            let scores = self.many.scores();
            losses.extend(scores.chunks_exact(scores.len() / squares.len()).map(|row| score - row[class]));
        }
        let (mut map, mut covered) = (vec![0.0; shape.len()], vec![0.0f32; shape.len()]);
        squares.iter().for_each(|square| pixels(shape, square).for_each(|i| covered[i] += 1.0));
        for (square, loss) in inked.into_iter().zip(losses) {
            pixels(shape, square).for_each(|i| map[i] += loss);
        }
        map.iter_mut().zip(covered).for_each(|(v, n)| *v /= n.max(1.0));
        Ok(map)
    }
}

/// All squares, cut at the edges; together they cover everything.
fn squares(shape: Shape, side: usize, stride: usize) -> Vec<Square> {
    let along = move |len: usize| {
        (0..len + side - 1).step_by(stride).map(move |end| (end + 1).saturating_sub(side)..(end + 1).min(len))
    };
    along(shape.h).flat_map(|rows| along(shape.w).map(move |columns| (rows.clone(), columns))).collect()
}

/// Where the numbers under a square lie in the picture (CHW).
fn pixels(shape: Shape, (rows, columns): &Square) -> impl Iterator<Item = usize> + use<> {
    let (rows, columns) = (rows.clone(), columns.clone());
    (0..shape.c).flat_map(move |c| {
        let columns = columns.clone();
        rows.clone().flat_map(move |y| columns.clone().map(move |x| (c * shape.h + y) * shape.w + x))
    })
}
