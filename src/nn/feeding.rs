//! Whether feeds fit the inputs of a network: before anything of a run has changed.

use super::graph::Wire;
use super::network::Network;
use super::port::{Feed, Rows};
use crate::error::{Error, Result};

/// The rows of every group, and each input with its values.
type Checked<'a> = (Vec<usize>, Vec<(Wire, &'a [f32])>);

/// Errors: those of [`super::Run::forward_feeds`].
pub(super) fn check<'a>(net: &Network, batch: usize, feeds: &[Feed<'a>]) -> Result<Checked<'a>> {
    let names = || net.inputs().map(|w| net.node(w).name.as_str()).collect::<Vec<_>>().join(", ");
    for (k, feed) in feeds.iter().enumerate() {
        let known = net.inputs().any(|w| net.node(w).name == feed.input);
        if !known || feeds[..k].iter().any(|other| other.input == feed.input) {
            return Err(Error::missing(
                "inputs of the network",
                format!("one feed for each of {}", names()),
                feed.input,
            ));
        }
    }
    let mut counts: Vec<Option<usize>> = vec![None; net.groups()];
    let mut fed = Vec::with_capacity(feeds.len());
    for wire in net.inputs() {
        let node = net.node(wire);
        let Some(feed) = feeds.iter().find(|feed| feed.input == node.name) else {
            let got = feeds.iter().map(|feed| feed.input).collect::<Vec<_>>().join(", ");
            return Err(Error::missing("inputs of the network", format!("a feed for each of {}", names()), got));
        };
        let (len, most) = (node.shape.len(), batch * net.rows_each(wire));
        let rows = feed.values.len() / len;
        if !feed.values.len().is_multiple_of(len) {
            let expected = format!("whole rows of {} numbers", node.shape);
            return Err(Error::shape(&node.name, expected, feed.values.len()));
        }
        let least = usize::from(node.rows == Rows::IMAGES);
        if rows > most || rows < least {
            return Err(Error::value(&node.name, format!("{least} to {most} rows"), rows));
        }
        if let Some(others) = counts[node.rows.0].replace(rows).filter(|others| *others != rows) {
            return Err(Error::shape(&node.name, format!("{others} rows, as other inputs have"), rows));
        }
        fed.push((wire, feed.values));
    }
    // A group that no input fills has rows that no layer can have made.
    let counts: Vec<usize> = counts.into_iter().map(|count| count.unwrap_or(0)).collect();
    for (wire, values) in &fed {
        net.node(*wire).port.check(&net.node(*wire).name, values, counts[0])?;
    }
    Ok((counts, fed))
}

/// The rows of every group once these inputs are fed as well, and each with its values; `counts` are the rows so far.
///
/// Errors: those of [`super::Run::feed`].
pub(super) fn check_late<'a>(net: &Network, batch: usize, counts: &[usize], feeds: &[Feed<'a>]) -> Result<Checked<'a>> {
    let mut next = counts.to_vec();
    let mut fed: Vec<(Wire, &[f32])> = Vec::with_capacity(feeds.len());
    let late = |wire: &Wire| net.node(*wire).rows != Rows::IMAGES;
    for feed in feeds {
        let found = net.inputs().filter(late).find(|w| net.node(*w).name == feed.input);
        let wire = found
            .filter(|w| !fed.iter().any(|(other, _)| other == w))
            .ok_or_else(|| Error::missing("inputs with rows of their own", "a name of one, once", feed.input))?;
        let node = net.node(wire);
        let (len, most) = (node.shape.len(), batch * net.rows_each(wire));
        if !feed.values.len().is_multiple_of(len) || feed.values.len() / len > most {
            let expected = format!("up to {most} whole rows of {} numbers", node.shape);
            return Err(Error::shape(&node.name, expected, feed.values.len()));
        }
        node.port.check(&node.name, feed.values, counts[0])?;
        next[node.rows.0] = feed.values.len() / len;
        fed.push((wire, feed.values));
    }
    // The inputs of a group change together.
    for wire in net.inputs().filter(|w| fed.iter().any(|(other, _)| net.node(*other).rows == net.node(*w).rows)) {
        let node = net.node(wire);
        let values = fed.iter().find(|(other, _)| *other == wire).map(|(_, values)| values.len() / node.shape.len());
        if values != Some(next[node.rows.0]) {
            return Err(Error::missing(
                &node.name,
                format!("{} rows, as other inputs have", next[node.rows.0]),
                "others",
            ));
        }
    }
    Ok((next, fed))
}
