//! A group: who computes a step's pieces together, and how their gradients become one sum.
//!
//! How a batch is cut into pieces depends on the batch alone. Every member computes a run of neighbouring pieces, and the
//! sum goes through the pieces in their order, one addition after the other, whoever computed them: so the weights have the
//! same bits for any number of threads, page workers or MPI ranks. Sums of members' sums would not: floats do not associate.

use super::replica::Progress;
use crate::error::{Error, Result};
use crate::kernel::{Level, act};
use std::ops::Range;

/// Hears which part of a member's pieces is computed: their gradients, in order, each as long as the arena, final from this
/// place on. The last call, and no other, is for place 0; where the pieces failed there is none.
pub type Ready<'a> = dyn FnMut(&[&[f32]], usize) + 'a;

/// The members that compute one training. All of them call the same functions in the same order.
pub trait Group: Send + Sync {
    /// This member's number, from 0. Number 0 writes files and tells of what happens.
    fn rank(&self) -> usize;

    /// How many members there are.
    fn size(&self) -> usize;

    /// Sets `total` to the sum of all pieces' gradients: `((0 + p₀) + p₁) + …` in their order, the same for every member.
    /// `work` computes the pieces that are this member's by [`share`], and says how far it is.
    fn sum(&self, total: &mut [f32], work: &mut dyn FnMut(&mut Ready<'_>));

    /// What every member brings along, in the order of their numbers.
    fn gather(&self, own: &[u8]) -> Vec<Vec<u8>>;

    /// What all shards came to, from this member's: [`settled`], or of a member alone its own.
    fn settle(&self, own: Result<Vec<Progress>>) -> Result<Vec<Progress>>;
}

/// A group of one, whose threads share the work.
#[derive(Debug, Default, Clone, Copy)]
pub struct Alone;

impl Group for Alone {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        1
    }

    fn sum(&self, total: &mut [f32], work: &mut dyn FnMut(&mut Ready<'_>)) {
        total.fill(0.0);
        let level = Level::new();
        work(&mut |pieces, from| {
            if from == 0 {
                pieces.iter().for_each(|piece| act::add_assign(level, total, piece));
            }
        });
    }

    fn gather(&self, own: &[u8]) -> Vec<Vec<u8>> {
        vec![own.to_vec()]
    }

    // Not `settled`, so that a module without other groups has none of their code.
    fn settle(&self, own: Result<Vec<Progress>>) -> Result<Vec<Progress>> {
        own
    }
}

/// The pieces of `count` that member `rank` of `size` computes: neighbours, as evenly dealt as can be.
pub fn share(count: usize, rank: usize, size: usize) -> Range<usize> {
    count * rank / size..count * (rank + 1) / size
}

/// Runs `work` on the members' parts of `count` things and puts the results, rows of numbers, one after another.
pub fn spread<F>(group: &dyn Group, count: usize, work: F) -> Result<Vec<f32>>
where
    F: FnOnce(Range<usize>) -> Result<Vec<f32>>,
{
    let own = work(share(count, group.rank(), group.size()));
    if group.size() == 1 {
        return own;
    }
    let bytes = own.map(|rows| rows.iter().flat_map(|v| v.to_le_bytes()).collect());
    let all = agree(group, bytes)?.concat();
    Ok(all.chunks_exact(4).map(|v| f32::from_le_bytes([v[0], v[1], v[2], v[3]])).collect())
}

/// What every member's work came to, in the order of their numbers; for all of them the first one's error, where any failed.
pub fn agree(group: &dyn Group, own: Result<Vec<u8>>) -> Result<Vec<Vec<u8>>> {
    if group.size() == 1 {
        return own.map(|own| vec![own]);
    }
    let word = match own {
        Ok(bytes) => [&[0], &bytes[..]].concat(),
        Err(error) => [&[1], &fault(&error)[..]].concat(),
    };
    let all = group.gather(&word);
    match all.iter().enumerate().find(|(_, word)| word.first() == Some(&1)) {
        Some((rank, word)) => Err(refusal(rank, &word[1..])),
        None => Ok(all.into_iter().map(|word| word[1..].to_vec()).collect()),
    }
}

/// Refuses members that bring along something else than number 0: other data, another setup, other lanes.
pub fn same(group: &dyn Group, what: &str, own: &str) -> Result<()> {
    let all = group.gather(own.as_bytes());
    match all.iter().position(|word| *word != all[0]) {
        Some(rank) => {
            let got = format!("{} at rank {rank}", String::from_utf8_lossy(&all[rank]));
            Err(Error::value(what, format!("{} at every rank", String::from_utf8_lossy(&all[0])), got))
        }
        None => Ok(()),
    }
}

/// Every piece's sums, from those of each member's pieces; for all members the first one's error, where any failed.
pub fn settled(group: &dyn Group, own: Result<Vec<Progress>>) -> Result<Vec<Progress>> {
    let all = agree(group, own.map(|parts| parts.iter().flat_map(bytes).collect()))?;
    Ok(all.iter().flat_map(|bytes| bytes.chunks_exact(24)).map(progress).collect())
}

fn bytes(part: &Progress) -> Vec<u8> {
    let numbers = [part.images as u64, part.loss.to_bits(), part.correct as u64];
    numbers.iter().flat_map(|n| n.to_le_bytes()).collect()
}

fn progress(bytes: &[u8]) -> Progress {
    let number = |k: usize| u64::from_le_bytes(bytes[8 * k..][..8].try_into().expect("eight bytes"));
    let (images, correct) = (number(0) as usize, number(2) as usize);
    Progress { images, loss: f64::from_bits(number(1)), correct, gradient_norm: 0.0 }
}

fn fault(error: &Error) -> Vec<u8> {
    let parts = match error {
        Error::Empty => [String::new(), String::new(), String::new()],
        Error::Shape(d) | Error::Value(d) | Error::Format(d) | Error::Missing(d) | Error::Io(d) => {
            [d.what.clone(), d.expected.clone(), d.got.clone()]
        }
    };
    [error.code(), &parts[0], &parts[1], &parts[2]].join("\0").into_bytes()
}

fn refusal(rank: usize, word: &[u8]) -> Error {
    let text = String::from_utf8_lossy(word);
    let parts: Vec<&str> = text.splitn(4, '\0').collect();
    let part = |k: usize| parts.get(k).copied().unwrap_or_default();
    let what = if rank == 0 { part(1).to_string() } else { format!("rank {rank}: {}", part(1)) };
    match part(0) {
        "shape" => Error::shape(what, part(2), part(3)),
        "format" => Error::format(what, part(2), part(3)),
        "missing" => Error::missing(what, part(2), part(3)),
        "io" => Error::io(what, part(2), part(3)),
        "empty" => Error::Empty,
        _ => Error::value(what, part(2), part(3)),
    }
}
