//! Groups: members that share a training's shards make the weights of one alone, and fail together.
#![cfg(not(target_arch = "wasm32"))]

use hitofude::nn::Init;
use hitofude::rng::Rng;
use hitofude::train::group::{Ready, agree, same, settled, share, spread};
use hitofude::train::{Alone, Group, Options, Progress, State, Trainer, evaluate};
use hitofude::{Error, Result, zoo};
use std::sync::{Arc, Barrier, Mutex};

/// A member whose others are threads of this process. All gradients are laid out and added in the order of their pieces.
struct Member {
    rank: usize,
    board: Arc<Board>,
}

struct Board {
    words: Mutex<Vec<Vec<u8>>>,
    barrier: Barrier,
}

impl Group for Member {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.board.words.lock().unwrap().len()
    }

    fn sum(&self, total: &mut [f32], work: &mut dyn FnMut(&mut Ready<'_>)) {
        let mut own = Vec::new();
        let mut before = usize::MAX;
        work(&mut |pieces, from| {
            assert!(
                from < before || from > 0 && from == before,
                "told of less and less that is missing, and once of all"
            );
            before = from;
            if from == 0 {
                own = pieces.iter().flat_map(|piece| piece.iter().flat_map(|v| v.to_le_bytes())).collect();
            }
        });
        total.fill(0.0);
        for (i, v) in self.gather(&own).concat().chunks_exact(4).enumerate() {
            total[i % total.len()] += f32::from_le_bytes(v.try_into().unwrap());
        }
    }

    fn settle(&self, own: Result<Vec<Progress>>) -> Result<Vec<Progress>> {
        settled(self, own)
    }

    fn gather(&self, own: &[u8]) -> Vec<Vec<u8>> {
        self.board.words.lock().unwrap()[self.rank] = own.to_vec();
        self.board.barrier.wait();
        let all = self.board.words.lock().unwrap().clone();
        self.board.barrier.wait();
        all
    }
}

/// Runs the same on so many members; what each came to.
fn members<T: Send>(size: usize, run: impl Fn(Arc<dyn Group>) -> T + Sync) -> Vec<T> {
    let board = Arc::new(Board { words: Mutex::new(vec![Vec::new(); size]), barrier: Barrier::new(size) });
    std::thread::scope(|scope| {
        let member = |rank| Arc::new(Member { rank, board: board.clone() });
        let all: Vec<_> =
            (0..size).map(|rank| (member(rank), &run)).map(|(m, run)| scope.spawn(move || run(m))).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

fn example(i: usize, image: &mut [f32], target: &mut [f32]) {
    let mut rng = Rng::part(7, i as u64);
    image.fill_with(|| rng.uniform());
    target.fill(0.0);
    target[i % target.len()] = 1.0;
}

/// Four steps, one of them of a batch that is not full, on a network with batch normalisation and dropout.
fn trained(group: Arc<dyn Group>) -> State {
    let net = zoo::build("resnet_mini").unwrap();
    let mut params = net.zeros();
    Init::He.fill(&mut params, 2).unwrap();
    let options = Options { average: 0.9, ..Options::DEFAULT };
    let mut trainer = Trainer::new(&net, params, 10, 2, &options).unwrap();
    trainer.join(group);
    for (step, n) in [10, 10, 5, 10].into_iter().enumerate() {
        trainer.step(n, 1e-2, step as u64, example).unwrap();
    }
    trainer.state()
}

#[test]
fn any_number_of_members_makes_the_bits_of_one() {
    let alone = trained(Arc::new(Alone));
    for size in [1, 2, 3, 7] {
        for (rank, state) in members(size, trained).into_iter().enumerate() {
            assert!(state == alone, "member {rank} of {size}");
        }
    }
}

#[test]
fn members_that_fail_fail_together_and_change_nothing() {
    let words = members(3, |group| {
        let own = if group.rank() == 1 { Err(Error::missing("a file", "one", "none")) } else { Ok(vec![1, 2]) };
        (agree(&*group, own), same(&*group, "data", if group.rank() < 2 { "a" } else { "b" }))
    });
    for (own, data) in words {
        let error = own.unwrap_err();
        assert_eq!((error.code(), &*error.to_string()), ("missing", "rank 1: a file: expected one, got none"));
        assert!(data.unwrap_err().to_string().contains("b at rank 2"));
    }
    let states = members(2, |group| {
        let net = zoo::build("lenet5").unwrap();
        let mut trainer = Trainer::new(&net, net.zeros(), 4, 2, &Options::DEFAULT).unwrap();
        trainer.join(group);
        let before = trainer.state();
        // Only the second member's shard has a picture that is none.
        let spoilt = |i: usize, image: &mut [f32], target: &mut [f32]| {
            example(i, image, target);
            if i == 3 {
                target[0] = f32::NAN;
            }
        };
        let error = trainer.step(4, 1e-2, 0, spoilt).unwrap_err();
        (error.to_string(), trainer.state() == before, trainer.step(4, 1e-2, 0, example).is_ok())
    });
    assert_eq!(states[0], states[1]);
    assert!(states[0].0.contains("target") && states[0].1 && states[0].2, "{:?}", states[0]);
}

#[test]
fn shares_are_even_neighbours_and_scores_are_those_of_one() {
    for (count, size) in [(8, 3), (2, 5), (0, 2), (100, 7)] {
        let all: Vec<_> = (0..size).map(|rank| share(count, rank, size)).collect();
        assert!(all.iter().flat_map(Clone::clone).eq(0..count), "{all:?}");
        let lengths = all.iter().map(ExactSizeIterator::len);
        assert!(lengths.clone().max().unwrap() - lengths.min().unwrap() <= 1, "{all:?}");
    }
    let net = zoo::build("lenet5").unwrap();
    let mut params = net.zeros();
    Init::He.fill(&mut params, 2).unwrap();
    let fill = |i: usize, image: &mut [f32]| example(i, image, &mut [0.0; 10]);
    let one = evaluate::scores(&net, &params, 60, fill).unwrap();
    for scores in members(2, |group| evaluate::scores_in(&*group, &net, &params, 60, fill).unwrap()) {
        assert_eq!(scores, one);
    }
    let none = members(2, |group| spread(&*group, 1, |own| Ok(vec![1.0; own.len()])).unwrap());
    assert_eq!(none, [[1.0], [1.0]]);
}
