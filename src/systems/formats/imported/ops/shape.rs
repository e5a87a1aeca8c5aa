//! Operators that move numbers to other places, or make them from a shape.

use super::super::call::{Answer, Call, alike, array, sized};
use super::broadcast::broadcast;
use super::elementwise::number;
use crate::error::{Error, Result};
use crate::file::array::{Array, Data, Number};
use crate::file::onnx::Attribute;
use ndarray::{ArrayD, Axis, IxDyn, Slice};

/// The same numbers in another shape.
pub(in super::super) fn reshaped(x: &Array, shape: &[usize]) -> Result<Array> {
    if sized(shape)? != x.len() {
        return Err(Error::shape("reshape", format!("{} numbers", x.len()), format!("{shape:?}")));
    }
    let fits = |e| Error::shape("reshape", format!("{:?}", x.shape()), e);
    Ok(alike!(x, data => data.clone().into_shape_with_order(IxDyn(shape)).map_err(fits)?))
}

/// A list of sides that came as whole numbers.
fn sides(call: &Call, list: impl IntoIterator<Item = i64>) -> Result<Vec<usize>> {
    let sides: Option<Vec<usize>> = list.into_iter().map(|side| usize::try_from(side).ok()).collect();
    let sides = sides.ok_or_else(|| call.refuse("sides of at least 0", "a negative one"))?;
    call.sized(&sides)?;
    Ok(sides)
}

fn list<T>(values: Vec<T>) -> Result<ArrayD<T>> {
    array(&[values.len()], values)
}

/// The sides of its input, all or some of them.
pub(super) fn shape(call: &Call) -> Answer {
    let shape: Vec<i64> = call.x(0)?.shape().iter().map(|&side| side as i64).collect();
    if call.node.op == "Size" {
        return Ok(vec![array(&[], vec![shape.iter().product::<i64>()])?.into()]);
    }
    let rank = shape.len() as i64;
    let at = |end: i64| if end < 0 { end.saturating_add(rank).max(0) } else { end.min(rank) } as usize;
    let (start, end) = (at(call.int("start", 0)?), at(call.int("end", rank)?));
    Ok(vec![list(shape[start.min(end)..end].to_vec())?.into()])
}

pub(super) fn reshape(call: &Call) -> Answer {
    let x = call.x(0)?;
    let wanted = call.list(1, "shape")?.ok_or_else(|| call.refuse("a shape", "none"))?;
    let keep = call.int("allowzero", 0)? == 0;
    let side = |(i, &side): (usize, &i64)| match side {
        0 if keep => x.shape().get(i).map(|&side| side as i64),
        _ => Some(side),
    };
    let mut shape: Option<Vec<i64>> = wanted.iter().enumerate().map(side).collect();
    if let Some(shape) = &mut shape
        && let Some(free) = shape.iter().position(|&side| side == -1)
    {
        shape[free] = 1;
        let others = call.sized(&sides(call, shape.iter().copied())?)?;
        shape[free] = x.len().checked_div(others).unwrap_or(0) as i64;
    }
    let shape = shape.ok_or_else(|| call.refuse(format!("sides for {:?}", x.shape()), format!("{wanted:?}")))?;
    Ok(vec![reshaped(x, &sides(call, shape)?)?])
}

pub(super) fn flatten(call: &Call) -> Answer {
    let x = call.x(0)?;
    let (axis, rank) = (call.int("axis", 1)?, x.shape().len());
    let at = if axis < 0 { axis.saturating_add(rank as i64) } else { axis };
    let at = usize::try_from(at).ok().filter(|&at| at <= rank);
    let at = at.ok_or_else(|| call.refuse(format!("an axis of rank {rank}"), axis))?;
    let (rows, columns) = x.shape().split_at(at);
    Ok(vec![reshaped(x, &[rows.iter().product(), columns.iter().product()])?])
}

pub(super) fn squeeze(call: &Call) -> Answer {
    let x = call.x(0)?;
    let gone = match call.list(1, "axes")? {
        Some(axes) => call.places(&axes, x.shape().len())?,
        None => (0..x.shape().len()).filter(|&axis| x.shape()[axis] == 1).collect(),
    };
    let left = x.shape().iter().enumerate().filter(|(axis, _)| !gone.contains(axis));
    Ok(vec![reshaped(x, &left.map(|(_, &side)| side).collect::<Vec<_>>())?])
}

pub(super) fn unsqueeze(call: &Call) -> Answer {
    let x = call.x(0)?;
    let axes = call.list(1, "axes")?.ok_or_else(|| call.refuse("axes", "none"))?;
    let rank = x.shape().len() + axes.len();
    let new = call.places(&axes, rank)?;
    let mut old = x.shape().iter();
    let shape: Vec<usize> =
        (0..rank).map(|axis| if new.contains(&axis) { 1 } else { old.next().copied().unwrap_or(1) }).collect();
    Ok(vec![reshaped(x, &shape)?])
}

pub(super) fn transpose(call: &Call) -> Answer {
    let x = call.x(0)?;
    let rank = x.shape().len();
    let axes = match call.ints("perm")? {
        Some(axes) => call.places(&axes, rank)?,
        None => (0..rank).rev().collect(),
    };
    if axes.len() != rank {
        return Err(call.refuse(format!("an order of {rank} axes"), format!("{axes:?}")));
    }
    Ok(vec![alike!(x, data => data.view().permuted_axes(axes).as_standard_layout().into_owned())])
}

pub(super) fn expand(call: &Call) -> Answer {
    let x = call.x(0)?;
    let to = broadcast(x.shape(), &sides(call, call.whole(1)?.iter().copied())?)?;
    call.sized(&to)?;
    let fits = || call.refuse(format!("a shape for {:?}", x.shape()), format!("{to:?}"));
    Ok(vec![alike!(x, data => data.broadcast(to.as_slice()).ok_or_else(fits)?.to_owned())])
}

pub(super) fn tile(call: &Call) -> Answer {
    let x = call.x(0)?;
    let times = sides(call, call.whole(1)?.iter().copied())?;
    let shape: Vec<usize> = x.shape().iter().zip(&times).map(|(side, times)| side.saturating_mul(*times)).collect();
    call.sized(&shape)?;
    if times.len() != x.shape().len() {
        return Err(call.refuse(format!("repeats for {:?}", x.shape()), format!("{times:?}")));
    }
    let mut out = x.clone();
    for (axis, &times) in times.iter().enumerate() {
        let side = out.shape()[axis];
        let places: Vec<usize> = (0..side * times).map(|i| i % side).collect();
        out = alike!(&out, data => data.select(Axis(axis), &places));
    }
    Ok(vec![out])
}

/// Its input as it is; at inference dropout is that, too, with a mask of what was kept.
pub(super) fn identity(call: &Call) -> Answer {
    let x = call.x(0)?;
    let training = call.given(2).is_some() && call.whole(2)?.iter().any(|&t| t != 0);
    if call.node.op == "Dropout" && training && call.scalar(1)?.unwrap_or(0.5) != 0.0 {
        return Err(call.refuse("dropout at inference: nobody else could draw the same mask", "training mode"));
    }
    let mask = ArrayD::from_elem(x.shape(), true);
    Ok(vec![x.clone(), if call.opset < 10 { Array::real(x.number(), ArrayD::ones(x.shape())) } else { mask.into() }])
}

pub(super) fn constant(call: &Call) -> Answer {
    let Some((name, value)) = call.node.attributes.iter().next() else {
        return Err(call.refuse("a value", "none"));
    };
    Ok(vec![match value {
        Attribute::Tensor(array) => array.clone(),
        Attribute::Float(x) => array(&[], vec![*x])?.into(),
        Attribute::Int(x) => array(&[], vec![*x])?.into(),
        Attribute::Floats(numbers) => list(numbers.clone())?.into(),
        Attribute::Ints(numbers) => list(numbers.clone())?.into(),
        _ => return Err(call.refuse("a value of numbers", name)),
    }])
}

pub(super) fn constant_of_shape(call: &Call) -> Answer {
    let shape = sides(call, call.whole(0)?.iter().copied())?;
    Ok(vec![match call.node.attributes.get("value") {
        Some(Attribute::Tensor(value)) if value.len() == 1 => {
            alike!(value, data => ArrayD::from_elem(shape.as_slice(), data.iter().next().copied().unwrap_or_default()))
        }
        None => ArrayD::<f32>::zeros(shape).into(),
        _ => return Err(call.refuse("one number as value", "another")),
    }])
}

pub(super) fn concat(call: &Call) -> Answer {
    let axis = call.axis(1, call.x(0)?.shape().len())?;
    let arrays: Vec<&Array> = (0..call.inputs.len()).map(|i| call.x(i)).collect::<Result<_>>()?;
    Ok(vec![joined(call, &arrays, axis)?])
}

/// Arrays of one type behind one another along an axis.
pub(in super::super) fn joined(call: &Call, arrays: &[&Array], axis: usize) -> Result<Array> {
    let Some(first) = arrays.first() else { return Err(call.refuse("at least one array", 0)) };
    let wrong = || call.refuse(format!("arrays of one type beside {:?}", first.shape()), "others");
    let refuse = |e| call.refuse(format!("arrays beside {:?}", first.shape()), e);
    if let Some(other) = arrays.iter().find(|x| x.shape().len() != first.shape().len()) {
        return Err(call.refuse(format!("arrays of {} axes", first.shape().len()), format!("{:?}", other.shape())));
    }
    call.sized(&[arrays.iter().map(|x| x.len()).sum()])?;
    Ok(match first.data() {
        Data::Real(_) => {
            let views = arrays.iter().map(|x| if let Data::Real(data) = x.data() { Some(data.view()) } else { None });
            let views: Vec<_> = views.collect::<Option<_>>().ok_or_else(wrong)?;
            Array::real(first.number(), ndarray::concatenate(Axis(axis), &views).map_err(refuse)?)
        }
        Data::Whole(_) => {
            let views = arrays.iter().map(|x| if let Data::Whole(data) = x.data() { Some(data.view()) } else { None });
            let views: Vec<_> = views.collect::<Option<_>>().ok_or_else(wrong)?;
            Array::whole(first.number(), ndarray::concatenate(Axis(axis), &views).map_err(refuse)?)
        }
    })
}

pub(super) fn split(call: &Call) -> Answer {
    let x = call.x(0)?;
    let axis = call.axis(0, x.shape().len())?;
    let side = x.shape()[axis];
    let parts = match call.list(1, "split")? {
        Some(list) => sides(call, list)?,
        None => {
            let count = call.int("num_outputs", call.node.outputs.len() as i64)?;
            let count = usize::try_from(count).ok().filter(|n| (1..=1 << 16).contains(n));
            let count = count.ok_or_else(|| call.refuse("at least one part", "none"))?;
            let each = side.div_ceil(count);
            (0..count).map(|i| side.saturating_sub(i * each).min(each)).collect()
        }
    };
    if parts.iter().sum::<usize>() != side {
        return Err(call.refuse(format!("parts of {side} together"), format!("{parts:?}")));
    }
    let mut at = 0;
    let part = |len: usize| {
        at += len;
        alike!(x, data => data.slice_axis(Axis(axis), Slice::from(at - len..at)).to_owned())
    };
    Ok(parts.into_iter().map(part).collect())
}

/// Channels to blocks of pixels, or the other way.
pub(super) fn blocks(call: &Call) -> Answer {
    let x = call.x(0)?;
    let block = call.int("blocksize", 0)?;
    let (&[n, c, h, w], Ok(b @ 1..=4096)) = (x.shape(), usize::try_from(block)) else {
        return Err(call.refuse("images and a block size", format!("{:?} and {block}", x.shape())));
    };
    let spread = call.node.op == "DepthToSpace";
    let fits = if spread { c % (b * b) == 0 } else { h % b == 0 && w % b == 0 };
    if !fits {
        return Err(call.refuse(format!("sides that blocks of {b} fit"), format!("{:?}", x.shape())));
    }
    let rows_first = call.text("mode", "DCR")? == "DCR";
    let (inner, order, shape) = match (spread, rows_first) {
        (true, true) => ([n, b, b, c / (b * b), h, w], [0, 3, 4, 1, 5, 2], [n, c / (b * b), h * b, w * b]),
        (true, false) => ([n, c / (b * b), b, b, h, w], [0, 1, 4, 2, 5, 3], [n, c / (b * b), h * b, w * b]),
        (false, true) => ([n, c, h / b, b, w / b, b], [0, 3, 5, 1, 2, 4], [n, c * b * b, h / b, w / b]),
        (false, false) => ([n, c, h / b, b, w / b, b], [0, 1, 3, 5, 2, 4], [n, c * b * b, h / b, w / b]),
    };
    let x = reshaped(x, &inner)?;
    let moved = alike!(&x, data => data.view().permuted_axes(order.to_vec()).as_standard_layout().into_owned());
    Ok(vec![reshaped(&moved, &shape)?])
}

/// Numbers from a start to a limit by a step.
pub(super) fn range(call: &Call) -> Answer {
    let first = call.x(0)?;
    if first.number().is_whole() {
        let at = |i: usize| call.whole(i)?.iter().next().copied().ok_or_else(|| call.refuse("one number", "none"));
        let (start, limit, step) = (at(0)?, at(1)?, at(2)?);
        let count = if step == 0 { 0 } else { ((limit as f64 - start as f64) / step as f64).ceil().max(0.0) as usize };
        call.sized(&[count])?;
        let values = (0..count as i64).map(|i| start.wrapping_add(i.wrapping_mul(step))).collect();
        return Ok(vec![Array::whole(first.number(), list(values)?)]);
    }
    let at = |i: usize| Ok::<_, Error>(f64::from(call.scalar(i)?.unwrap_or(0.0)));
    let (start, limit, step) = (at(0)?, at(1)?, at(2)?);
    let count = ((limit - start) / step).ceil().max(0.0) as usize;
    call.sized(&[count])?;
    Ok(vec![Array::real(first.number(), list((0..count).map(|i| (start + i as f64 * step) as f32).collect())?)])
}

/// Ones on a diagonal.
pub(super) fn eye_like(call: &Call) -> Answer {
    let x = call.x(0)?;
    let &[rows, columns] = x.shape() else {
        return Err(call.refuse("a matrix", format!("{:?}", x.shape())));
    };
    let k = call.int("k", 0)?;
    let to = if call.node.attributes.contains_key("dtype") { number(call, "dtype", 1)? } else { x.number() };
    let ones = (0..rows * columns).map(|i| i64::from((i % columns) as i64 - (i / columns) as i64 == k));
    Ok(vec![Array::whole(Number::I64, array(x.shape(), ones.collect())?).cast(to)])
}
