//! A group of MPI ranks: processes of one machine or of several, started by `mpirun`.
//!
//! The sum is a chain. The gradient is cut into buckets, the last layers' first. Rank 0 adds its pieces of a bucket up and
//! sends them to rank 1, which adds its own one after the other, and so on; the last rank has the sum and sends it back
//! down the chain. That is exactly the order of one process, and each rank sends two gradients a step at most, as in a ring
//! all-reduce, whose result depends on the number of ranks. A bucket sets off as soon as the backward pass of the rank's
//! last piece has left its layers, while the pass goes on.

use super::group::{Group, Ready, settled};
use super::replica::Progress;
use crate::error::Result;
use crate::kernel::{Level, act};
use mpi::collective::{CommunicatorCollectives, SystemOperation};
use mpi::datatype::PartitionMut;
use mpi::point_to_point::{Destination, Source};
use mpi::request::{LocalScope, Request, scope};
use mpi::topology::{Communicator, SimpleCommunicator};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Numbers in a bucket, 16 to 256 kB: large beside a message's latency, and so few that the chain of all ranks fills.
fn bucket(len: usize, ranks: usize) -> usize {
    (len / (4 * ranks)).clamp(1 << 12, 1 << 16)
}

/// The ranks of MPI's world, which must stay initialised while they are in use. Only the thread that initialised it may
/// call them.
pub struct Ranks {
    rank: usize,
    size: usize,
    fast: bool,
    sent: AtomicU64,
    /// What comes from below and what goes up, kept from step to step.
    buffers: Mutex<[Vec<f32>; 2]>,
}

type Pending<'a, 's> = Request<'a, [f32], &'s LocalScope<'a>>;

impl Ranks {
    /// The world that this process is part of. With `fast` the sum is MPI's all-reduce, whose bits depend on the number of
    /// ranks.
    pub fn world(fast: bool) -> Self {
        let world = SimpleCommunicator::world();
        Self {
            rank: world.rank() as usize,
            size: world.size() as usize,
            fast,
            sent: AtomicU64::new(0),
            buffers: Mutex::default(),
        }
    }

    /// Bytes of gradients that this rank has sent in ordered sums.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    fn all_reduce(&self, total: &mut [f32], work: &mut dyn FnMut(&mut Ready<'_>)) {
        let (level, mut own) = (Level::new(), vec![0.0; total.len()]);
        work(&mut |pieces, from| {
            if from == 0 {
                pieces.iter().for_each(|piece| act::add_assign(level, &mut own, piece));
            }
        });
        SimpleCommunicator::world().all_reduce_into(&own[..], total, SystemOperation::sum());
    }
}

impl Group for Ranks {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn sum(&self, total: &mut [f32], work: &mut dyn FnMut(&mut Ready<'_>)) {
        if self.fast {
            return self.all_reduce(total, work);
        }
        let mut buffers = self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        buffers.iter_mut().for_each(|buffer| buffer.resize(total.len(), 0.0));
        let [before, partial] = &mut *buffers;
        // Rank 0's sum begins with zeros.
        partial.fill(0.0);
        let sent = scope(|scope| {
            let mut chain = Chain::new(self, scope, before, partial, total);
            work(&mut |pieces, from| {
                chain.advance(pieces, from);
                while from == 0 && !chain.added() {
                    std::thread::yield_now();
                    chain.advance(pieces, from);
                }
            });
            // Where the pieces failed, none of them are added: every rank hears of the failure afterwards.
            while !chain.done() {
                chain.advance(&[], 0);
                std::thread::yield_now();
            }
            chain.sent
        });
        if self.rank + 1 == self.size {
            total.copy_from_slice(&buffers[1]);
        }
        self.sent.fetch_add(sent, Ordering::Relaxed);
    }

    fn settle(&self, own: Result<Vec<Progress>>) -> Result<Vec<Progress>> {
        settled(self, own)
    }

    fn gather(&self, own: &[u8]) -> Vec<Vec<u8>> {
        let world = SimpleCommunicator::world();
        let mut lengths = vec![0_i32; self.size];
        world.all_gather_into(&(own.len() as i32), &mut lengths[..]);
        let ends = lengths.iter().scan(0, |at, n| Some(std::mem::replace(at, *at + n)));
        let starts: Vec<i32> = ends.collect();
        let mut all = vec![0_u8; lengths.iter().sum::<i32>() as usize];
        world.all_gather_varcount_into(own, &mut PartitionMut::new(&mut all[..], &lengths[..], &starts[..]));
        starts.iter().zip(&lengths).map(|(at, n)| all[*at as usize..][..*n as usize].to_vec()).collect()
    }
}

/// One step's sum on its way up the chain and down again.
struct Chain<'a, 's> {
    up: Option<i32>,
    down: Option<i32>,
    scope: &'s LocalScope<'a>,
    world: SimpleCommunicator,
    level: Level,
    buckets: Vec<Bucket<'a, 's>>,
    sends: Vec<Pending<'a, 's>>,
    sent: u64,
}

/// A part of the arena, and how far its sum is.
struct Bucket<'a, 's> {
    range: Range<usize>,
    /// The sum of the pieces before this rank's.
    before: Before<'a, 's>,
    /// Where the sum goes with this rank's pieces in it, until it is there.
    partial: Option<&'a mut [f32]>,
    /// The sum of all, until it has come.
    whole: Option<Pending<'a, 's>>,
}

enum Before<'a, 's> {
    Coming(Pending<'a, 's>),
    /// None of rank 0, whose sum begins with zeros.
    There(Option<&'a [f32]>),
}

impl<'a, 's> Chain<'a, 's> {
    fn new(
        ranks: &Ranks,
        scope: &'s LocalScope<'a>,
        mut before: &'a mut [f32],
        mut partial: &'a mut [f32],
        mut whole: &'a mut [f32],
    ) -> Self {
        let world = SimpleCommunicator::world();
        let (rank, last) = (ranks.rank as i32, ranks.size as i32 - 1);
        let (up, down) = ((rank < last).then_some(rank + 1), (rank > 0).then_some(rank - 1));
        let mut buckets = Vec::new();
        let (mut end, size) = (before.len(), bucket(before.len(), ranks.size));
        while end > 0 {
            let (start, tag) = (end.saturating_sub(size), buckets.len() as i32);
            // The buckets come from the arena's end, so each is cut off there.
            let cut = |slice: &mut &'a mut [f32]| {
                let (rest, bucket) = std::mem::take(slice).split_at_mut(start);
                *slice = rest;
                bucket
            };
            let [prefix, sum, all] = [cut(&mut before), cut(&mut partial), cut(&mut whole)];
            let receive = |from: i32, into: &'a mut [f32]| {
                world.process_at_rank(from).immediate_receive_into_with_tag(scope, into, tag)
            };
            buckets.push(Bucket {
                range: start..end,
                before: down.map_or(Before::There(None), |from| Before::Coming(receive(from, prefix))),
                partial: Some(sum),
                whole: up.map(|from| receive(from, all)),
            });
            end = start;
        }
        Self { up, down, scope, world, level: Level::new(), buckets, sends: Vec::new(), sent: 0 }
    }

    /// Whether this rank's pieces are in every bucket.
    fn added(&self) -> bool {
        self.buckets.iter().all(|bucket| bucket.partial.is_none())
    }

    fn done(&self) -> bool {
        self.sends.is_empty() && self.added() && self.buckets.iter().all(|bucket| bucket.whole.is_none())
    }

    /// Moves on whatever can move, given this rank's pieces and the place from which on they are final.
    fn advance(&mut self, pieces: &[&[f32]], from: usize) {
        for tag in 0..self.buckets.len() {
            self.add(tag, pieces, from);
            self.receive(tag);
        }
        let sends = std::mem::take(&mut self.sends);
        self.sends = sends.into_iter().filter_map(|send| send.test().err()).collect();
    }

    /// Adds this rank's pieces of a bucket to what came from below, and sends the sum up, or from the last rank back down.
    fn add(&mut self, tag: usize, pieces: &[&[f32]], from: usize) {
        let bucket = &mut self.buckets[tag];
        let before = match std::mem::replace(&mut bucket.before, Before::There(None)) {
            Before::Coming(request) => match request.test_with_data() {
                Ok((_, values)) => Before::There(Some(values)),
                Err(request) => Before::Coming(request),
            },
            there => there,
        };
        bucket.before = before;
        let Before::There(before) = &bucket.before else { return };
        if from > bucket.range.start {
            return;
        }
        let Some(sum) = bucket.partial.take() else { return };
        if let Some(before) = before {
            sum.copy_from_slice(before);
        }
        let range = bucket.range.clone();
        pieces.iter().for_each(|piece| act::add_assign(self.level, sum, &piece[range.clone()]));
        self.send(self.up.or(self.down), sum, tag);
    }

    /// Takes in the whole sum of a bucket, and sends it on down.
    fn receive(&mut self, tag: usize) {
        let Some(request) = self.buckets[tag].whole.take() else { return };
        match request.test_with_data() {
            Ok((_, sum)) => self.send(self.down, sum, tag),
            Err(request) => self.buckets[tag].whole = Some(request),
        }
    }

    fn send(&mut self, to: Option<i32>, values: &'a [f32], tag: usize) {
        let Some(to) = to else { return };
        self.sent += 4 * values.len() as u64;
        let process = self.world.process_at_rank(to);
        self.sends.push(process.immediate_send_with_tag(self.scope, values, tag as i32));
    }
}
