//! Operators that run a part of the graph: `If`, `Loop` and `Scan`.

use super::call::{Answer, Call, alike, place};
use super::ops::shape::{joined, reshaped};
use super::{Scope, evaluate};
use crate::error::Result;
use crate::file::array::{Array, Data, Number};
use crate::file::onnx::Graph;
use ndarray::{ArrayD, Axis};
use std::sync::Arc;

/// The operators of this file.
pub(super) const OPERATORS: [&str; 3] = ["If", "Loop", "Scan"];

/// Most rounds of a loop: a graph of a few bytes may ask for any number.
const MOST_ROUNDS: usize = 1 << 20;

/// Runs `If`, `Loop` or `Scan` in a scope.
pub(super) fn run(call: &Call, scope: &Scope) -> Answer {
    match call.node.op.as_str() {
        "If" => branch(call, scope),
        "Loop" => repeat(call, scope),
        _ => scan(call, scope),
    }
}

/// Runs a part of the graph on its inputs, and gives its outputs in order.
fn part(call: &Call, graph: &Graph, scope: &Scope, inputs: Vec<Arc<Array>>) -> Answer {
    let mut inner = Scope { outer: Some(scope), budget: scope.budget.clone(), ..Scope::default() };
    inner.values.extend(graph.inputs.iter().map(|port| port.name.as_str()).zip(inputs));
    Ok(evaluate(graph, call.opset, &mut inner, &mut |_, _| ())?.into_iter().map(|(_, array)| array).collect())
}

fn truth(array: &Array) -> bool {
    array.to_real().iter().next().is_some_and(|v| *v != 0.0)
}

fn branch(call: &Call, scope: &Scope) -> Answer {
    let yes = call.whole(0)?.iter().next().is_some_and(|&v| v != 0);
    part(call, call.part(if yes { "then_branch" } else { "else_branch" })?, scope, Vec::new())
}

/// `Loop`: rounds as long as the count and the condition say; what it carries, and a stack of what each round adds.
fn repeat(call: &Call, scope: &Scope) -> Answer {
    let body = call.part("body")?;
    let count = call.given(0).map(|_| call.whole(0)).transpose()?.and_then(|count| count.iter().next().copied());
    let mut go = call.given(1).is_none_or(truth);
    let mut carried: Vec<Arc<Array>> = call.inputs.iter().skip(2).flatten().cloned().collect();
    let own = carried.len();
    if body.inputs.len() != own + 2 || body.outputs.len() < own + 1 {
        let got = format!("{} inputs and {} outputs", body.inputs.len(), body.outputs.len());
        return Err(call.refuse(format!("a body of {} inputs and at least {} outputs", own + 2, own + 1), got));
    }
    let mut stacks = vec![Vec::new(); body.outputs.len() - own - 1];
    let mut round = 0;
    while go && count.is_none_or(|count| (round as i64) < count) {
        if round == MOST_ROUNDS {
            return Err(call.refuse(format!("at most {MOST_ROUNDS} rounds"), "more"));
        }
        let now = [Array::from(ArrayD::from_elem(vec![], round as i64)), Array::from(ArrayD::from_elem(vec![], true))];
        let inputs = now.into_iter().map(Arc::new).chain(carried).collect();
        let mut out = part(call, body, scope, inputs)?.into_iter();
        go = out.next().is_some_and(|go| truth(&go));
        carried = out.by_ref().take(own).map(Arc::new).collect();
        pile(call, out, &mut stacks)?;
        round += 1;
    }
    let stacked = stacks.into_iter().zip(&body.outputs[own + 1..]).map(|(stack, port)| {
        let sides = || port.shape.iter().flatten().map(|side| side.unwrap_or(0)).collect::<Vec<_>>();
        match stack.is_empty() {
            true => Ok(Array::from(ArrayD::<f32>::zeros([&[0][..], &sides()].concat()))
                .cast(port.number.unwrap_or(Number::F32))),
            false => stack_up(call, &stack, 0),
        }
    });
    let stacked = stacked.collect::<Result<Vec<_>>>()?;
    Ok(carried.into_iter().map(Arc::unwrap_or_clone).chain(stacked).collect())
}

/// `Scan`: a round for each slice of its inputs.
fn scan(call: &Call, scope: &Scope) -> Answer {
    if call.opset < 9 {
        return Err(call.refuse("Scan of opset 9 or later", call.opset));
    }
    let body = call.part("body")?;
    let scanned = usize::try_from(call.int("num_scan_inputs", 0)?).ok().filter(|&n| n > 0 && n <= call.inputs.len());
    let scanned = scanned.ok_or_else(|| call.refuse("at least one input to scan", call.inputs.len()))?;
    let own = call.inputs.len() - scanned;
    if body.inputs.len() != call.inputs.len() || body.outputs.len() < own {
        return Err(call.refuse(format!("a body of {} inputs", call.inputs.len()), body.inputs.len()));
    }
    let out_count = body.outputs.len() - own;
    let list = |name: &str, len: usize| -> Result<Vec<i64>> {
        let list = call.ints(name)?.unwrap_or_else(|| vec![0; len]);
        if list.len() == len { Ok(list) } else { Err(call.refuse(format!("{name} of {len}"), list.len())) }
    };
    let (axes, back) = (list("scan_input_axes", scanned)?, list("scan_input_directions", scanned)?);
    let (out_axes, out_back) = (list("scan_output_axes", out_count)?, list("scan_output_directions", out_count)?);
    let inputs: Vec<&Array> = (own..call.inputs.len()).map(|i| call.x(i)).collect::<Result<_>>()?;
    let axes: Vec<usize> = axes
        .iter()
        .zip(&inputs)
        .map(|(axis, x)| {
            place(*axis, x.shape().len()).ok_or_else(|| call.refuse(format!("an axis of {:?}", x.shape()), axis))
        })
        .collect::<Result<_>>()?;
    let rounds = inputs[0].shape()[axes[0]];
    if let Some((x, _)) = inputs.iter().zip(&axes).find(|(x, axis)| x.shape()[**axis] != rounds) {
        return Err(call.refuse(format!("{rounds} slices of each input"), format!("{:?}", x.shape())));
    }
    let mut carried: Vec<Arc<Array>> = call.inputs.iter().take(own).flatten().cloned().collect();
    let mut stacks = vec![Vec::new(); out_count];
    for k in 0..rounds {
        let slices = inputs
            .iter()
            .zip(axes.iter().zip(&back))
            .map(|(x, (axis, back))| Arc::new(slice(x, *axis, if *back != 0 { rounds - 1 - k } else { k })));
        let given = carried.into_iter().chain(slices).collect();
        let mut out = part(call, body, scope, given)?.into_iter();
        carried = out.by_ref().take(own).map(Arc::new).collect();
        pile(call, out, &mut stacks)?;
    }
    let stacked = stacks.into_iter().zip(out_axes.iter().zip(&out_back)).map(|(mut stack, (axis, back))| {
        if *back != 0 {
            stack.reverse();
        }
        let rank = stack.first().map_or(0, |x| x.shape().len()) + 1;
        let axis = place(*axis, rank).ok_or_else(|| call.refuse(format!("an axis of rank {rank}"), axis))?;
        stack_up(call, &stack, axis)
    });
    let stacked = stacked.collect::<Result<Vec<_>>>()?;
    Ok(carried.into_iter().map(Arc::unwrap_or_clone).chain(stacked).collect())
}

/// Puts what a round made on its stacks. They are held until they are put together.
fn pile(call: &Call, made: impl Iterator<Item = Array>, stacks: &mut [Vec<Array>]) -> Result<()> {
    for (array, stack) in made.zip(stacks) {
        call.budget.hold(&array)?;
        stack.push(array);
    }
    Ok(())
}

/// The slice of an array at one place of an axis, without that axis.
fn slice(x: &Array, axis: usize, at: usize) -> Array {
    alike!(x, data => data.index_axis(Axis(axis), at).to_owned())
}

/// Arrays of one shape and type along a new axis.
fn stack_up(call: &Call, list: &[Array], axis: usize) -> Result<Array> {
    let layer = |x: &Array| {
        let mut shape = x.shape().to_vec();
        shape.insert(axis.min(shape.len()), 1);
        reshaped(x, &shape)
    };
    list.iter().for_each(|array| call.budget.release(array));
    let layers: Vec<Array> = list.iter().map(layer).collect::<Result<_>>()?;
    joined(call, &layers.iter().collect::<Vec<_>>(), axis)
}
