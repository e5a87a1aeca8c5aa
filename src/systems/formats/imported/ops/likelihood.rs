//! Losses of classes, which graphs of trainings end with: `NegativeLogLikelihoodLoss` and `SoftmaxCrossEntropyLoss`.

use super::super::call::{Answer, Call, array};
use super::reduce::lines;
use crate::error::Result;
use crate::file::array::Array;
use crate::kernel::softmax::log_softmax;
use ndarray::ArrayD;

pub(super) fn negative_log(call: &Call) -> Answer {
    Ok(vec![loss(call, call.real(0)?)?])
}

pub(super) fn softmax_cross_entropy(call: &Call) -> Answer {
    let x = call.real(0)?;
    if x.ndim() < 2 || x.shape()[1] == 0 {
        return Err(call.refuse("scores of batch × classes × …", format!("{:?}", x.shape())));
    }
    let log =
        lines(x, (x.shape()[1], x.shape()[2..].iter().product()), |line| log_softmax(call.level, line, line.len()));
    let log = array(x.shape(), log)?;
    let loss = loss(call, &log)?;
    Ok(vec![loss, Array::real(call.x(0)?.number(), log)])
}

/// The loss of logarithms of probabilities, batch × classes × …, for the classes of input 1, by the weights of input 2.
fn loss(call: &Call, log: &ArrayD<f32>) -> Result<Array> {
    let labels = call.whole(1)?;
    let shape = log.shape();
    let fits = shape.len() >= 2 && labels.shape().first() == shape.first() && labels.shape()[1..] == shape[2..];
    if !fits {
        return Err(call.refuse(format!("labels for {shape:?}"), format!("{:?}", labels.shape())));
    }
    let classes = shape[1];
    let inner: usize = shape[2..].iter().product();
    call.sized(labels.shape())?;
    let ignored = call.node.attributes.contains_key("ignore_index").then(|| call.int("ignore_index", 0)).transpose()?;
    let weights = call.real_or_none(2)?;
    if let Some(bad) = weights.filter(|weights| weights.len() != classes) {
        return Err(call.refuse(format!("{classes} weights"), bad.len()));
    }
    let weights = weights.and_then(|weights| weights.as_slice());
    let numbers = log.as_slice().unwrap_or(&[]);
    let (mut losses, mut total) = (Vec::with_capacity(labels.len()), 0.0);
    for (i, &label) in labels.iter().enumerate() {
        if Some(label) == ignored {
            losses.push(0.0);
            continue;
        }
        let class = usize::try_from(label).ok().filter(|&class| class < classes);
        let class = class.ok_or_else(|| call.refuse(format!("classes below {classes}"), label))?;
        let weight = weights.map_or(1.0, |weights| weights[class]);
        total += weight;
        losses.push(-weight * numbers[(i / inner * classes + class) * inner + i % inner]);
    }
    let number = call.x(0)?.number();
    let sum: f32 = losses.iter().sum();
    let out = match call.text("reduction", "mean")? {
        "none" => array(labels.shape(), losses)?,
        "sum" => array(&[], vec![sum])?,
        "mean" => array(&[], vec![sum / total])?,
        other => return Err(call.refuse("the reduction none, sum or mean", other)),
    };
    Ok(Array::real(number, out))
}
