//! Where wires meet: sums and concatenations, each in one pass over its output.

use super::{Back, Form, Io, Target, Wired, elements};
use crate::error::Result;
use crate::gpu::kernel::{Dispatch, Use};

/// The sum of its inputs, on top of the first where the plan lets it.
pub(in crate::gpu) struct AddForm;

impl Form for AddForm {
    fn forward(&self, io: &Io<'_>) -> Result<Vec<Dispatch>> {
        let mut kernel = io.kernel("forward").map("Y", &io.y.map).bind("out", Use::Write, &io.y.buffer);
        let mut sum = if io.aliased { "out[Y_at(n, y, x, c)]".to_string() } else { String::new() };
        for (i, x) in io.x.iter().enumerate().skip(usize::from(io.aliased)) {
            kernel = kernel.map(&format!("X{i}"), &x.map).bind(&format!("x{i}"), Use::Read, &x.buffer);
            let plus = if sum.is_empty() { "" } else { " + " };
            sum += &format!("{plus}x{i}[X{i}_at(n, y, x, c)]");
        }
        let sum = if io.relu { format!("max({sum}, 0.0)") } else { sum };
        let body = format!("out[Y_at(n, y, x, c)] = {sum};");
        Ok(vec![kernel.code(&elements("Y", &body)).each(io.y.map.shape.len())])
    }

    fn backward(&self, io: &Io<'_>, back: &Back) -> Result<Vec<Dispatch>> {
        // The first input's gradient lies there already.
        let parts = targets(back, usize::from(io.aliased)).map(|(_, dx)| (0, dx.map.shape.c, dx)).collect();
        Ok(spread(io, back, parts))
    }
}

/// The channels of its inputs, one after another.
pub(in crate::gpu) struct ConcatForm;

impl Form for ConcatForm {
    fn forward(&self, io: &Io<'_>) -> Result<Vec<Dispatch>> {
        let mut kernel = io.kernel("forward").map("Y", &io.y.map).bind("out", Use::Write, &io.y.buffer);
        let (mut body, mut begin) = (String::from("var v = 0.0;\n"), 0);
        for (i, x) in io.x.iter().enumerate() {
            kernel = kernel.map(&format!("X{i}"), &x.map).bind(&format!("x{i}"), Use::Read, &x.buffer);
            let end = begin + x.map.shape.c;
            let value = format!("x{i}[X{i}_at(n, y, x, c - {begin}u)]");
            body += &format!("if (c >= {begin}u && c < {end}u) {{ v = {value}; }}\n");
            begin = end;
        }
        body += "out[Y_at(n, y, x, c)] = v;";
        Ok(vec![kernel.code(&elements("Y", &body)).each(io.y.map.shape.len())])
    }

    fn backward(&self, io: &Io<'_>, back: &Back) -> Result<Vec<Dispatch>> {
        let begins: Vec<usize> =
            io.x.iter()
                .scan(0, |end, x: &Wired| {
                    *end += x.map.shape.c;
                    Some(*end - x.map.shape.c)
                })
                .collect();
        let parts = targets(back, 0).map(|(i, dx)| (begins[i], dx.map.shape.c, dx)).collect();
        Ok(spread(io, back, parts))
    }
}

fn targets(back: &Back, from: usize) -> impl Iterator<Item = (usize, &Target)> {
    back.dx.iter().enumerate().skip(from).filter_map(|(i, dx)| dx.as_ref().map(|dx| (i, dx)))
}

/// Hands each target its channels, from the first on, of the gradient: in one pass, but a second to a buffer that is
/// written twice.
fn spread(io: &Io<'_>, back: &Back, mut parts: Vec<(usize, usize, &Target)>) -> Vec<Dispatch> {
    let Some(dy) = &back.dy else { return vec![] };
    let mut passes = Vec::new();
    while !parts.is_empty() {
        let (mut now, mut later): (Vec<(usize, usize, &Target)>, Vec<_>) = (vec![], vec![]);
        for part in parts {
            let taken = now.iter().any(|(_, _, other)| other.buffer == part.2.buffer);
            if taken { later.push(part) } else { now.push(part) }
        }
        let mut kernel = io.kernel("backward").map("DY", &dy.map).bind("dy", Use::Read, &dy.buffer);
        let mut body = String::from("let g = dy[DY_at(n, y, x, c)];\n");
        for (i, (begin, count, dx)) in now.into_iter().enumerate() {
            kernel = kernel.map(&format!("D{i}"), &dx.map).bind(&format!("d{i}"), Use::Write, &dx.buffer);
            let (end, store) = (begin + count, dx.operator());
            body +=
                &format!("if (c >= {begin}u && c < {end}u) {{ d{i}[D{i}_at(n, y, x, c - {begin}u)] {store} g; }}\n");
        }
        passes.push(kernel.code(&elements("DY", &body)).each(dy.map.shape.len()));
        parts = later;
    }
    passes
}
