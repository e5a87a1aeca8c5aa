//! The games of Play, step by step beside the originals: bsuite's Catch, MinAtar's Breakout and Space Invaders.
#![cfg(not(target_arch = "wasm32"))]

mod common;

use hitofude::systems::play::{GAMES, Game, Rules, Seat};
use serde_json::Value;

/// NumPy's `RandomState`, the originals' source of chance: MT19937 (Matsumoto and Nishimura 1998), only as far as they
/// use it.
struct RandomState(Vec<u32>, usize);

impl RandomState {
    fn new(seed: u32) -> Self {
        let mut state = vec![seed];
        for i in 1..624 {
            let last = state[i as usize - 1];
            state.push((last ^ (last >> 30)).wrapping_mul(1_812_433_253).wrapping_add(i));
        }
        Self(state, 624)
    }

    fn bits(&mut self) -> u32 {
        if self.1 == 624 {
            for i in 0..624 {
                let y = (self.0[i] & 0x8000_0000) | (self.0[(i + 1) % 624] & 0x7fff_ffff);
                self.0[i] = self.0[(i + 397) % 624] ^ (y >> 1) ^ if y & 1 == 1 { 0x9908_b0df } else { 0 };
            }
            self.1 = 0;
        }
        let mut y = self.0[self.1];
        self.1 += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    fn rand(&mut self) -> f64 {
        let (a, b) = (self.bits() >> 5, self.bits() >> 6);
        (f64::from(a) * 67_108_864.0 + f64::from(b)) / 9_007_199_254_740_992.0
    }

    fn randint(&mut self, n: u32) -> usize {
        let mask = n.next_power_of_two() - 1;
        loop {
            let value = self.bits() & mask;
            if value < n {
                return value as usize;
            }
        }
    }
}

fn vectors(file: &str) -> Option<Value> {
    let path = common::shared(&format!("vectors/{file}"))?;
    Some(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
}

fn game(name: &str) -> (&'static Game, Box<dyn Rules>) {
    let game = Game::named(name).unwrap();
    (game, (game.rules)())
}

/// The cells of a plane that are 1, as pairs.
fn ones(game: &Game, rules: &dyn Rules, plane: usize) -> Value {
    let mut board = vec![9.0; game.shape().len()];
    rules.draw(&mut board);
    let (rows, columns) = game.size;
    let cells = board[plane * rows * columns..][..rows * columns].iter().enumerate();
    cells.filter(|(_, v)| **v == 1.0).map(|(i, _)| serde_json::json!([i / columns, i % columns])).collect()
}

#[test]
fn catch_is_bsuites_step_by_step() {
    let Some(known) = vectors("bsuite_catch.json") else { return };
    let (game, mut rules) = game("catch");
    for episode in known["episodes"].as_array().unwrap() {
        rules.reset(episode["ball_column"].as_u64().unwrap() as usize);
        assert_eq!(ones(game, &*rules, 0), episode["first"]);
        for step in episode["steps"].as_array().unwrap() {
            let outcome = rules.act(step["a"].as_u64().unwrap() as usize);
            assert_eq!(ones(game, &*rules, 0), step["ones"]);
            assert_eq!((f64::from(outcome.reward), outcome.end), (step["r"].as_f64().unwrap(), step["last"] == true));
        }
    }
    let mut chance = RandomState::new(0);
    let starts: Vec<usize> = (0..20).map(|_| chance.randint(game.starts as u32)).collect();
    assert_eq!(serde_json::json!(starts), known["ball_columns_seed0_first20"]);
    assert_eq!(f64::from(game.random), f64::from(known["random_policy_mean_return_4000"].as_f64().unwrap() as f32));
}

/// MinAtar's six actions as ours: it has `up` and `down` where the game has no use for them.
fn action(game: &Game, theirs: usize) -> usize {
    let name = ["stay", "left", "up", "right", "down", "fire"][theirs];
    game.actions.iter().position(|own| *own == name).unwrap_or(0)
}

#[test]
fn breakout_is_minatars_step_by_step() {
    let Some(known) = vectors("minatar_breakout.json") else { return };
    let (game, mut rules) = game("breakout");
    for trace in ["follow", "random"].map(|name| &known[name]) {
        let mut chance = RandomState::new(trace["seed"].as_u64().unwrap() as u32);
        let check = |rules: &dyn Rules, step: &Value| {
            for plane in 0..3 {
                assert_eq!(ones(game, rules, plane), step[plane.to_string()], "plane {plane} of {step}");
            }
            assert_eq!(ones(game, rules, 3).as_array().unwrap().len() as u64, step["bricks"].as_u64().unwrap());
        };
        rules.reset(chance.randint(2));
        check(&*rules, &trace["first"]);
        let mut last = 0;
        for step in trace["steps"].as_array().unwrap() {
            let sticks = chance.rand() < trace["sticky"].as_f64().unwrap();
            last = if sticks { last } else { step["a"].as_u64().unwrap() as usize };
            let outcome = rules.act(action(game, last));
            check(&*rules, step);
            assert_eq!((f64::from(outcome.reward), outcome.end), (step["r"].as_f64().unwrap(), step["end"] == true));
            if outcome.end {
                rules.reset(chance.randint(2));
            }
        }
    }
    assert_eq!(f64::from(game.random), f64::from(known["random6_mean_return_500"].as_f64().unwrap() as f32));
}

/// Whoever follows the ball never loses: the returns of 2,000 steps are known.
#[test]
fn following_the_ball_returns_what_it_returns_in_minatar() {
    let Some(known) = vectors("minatar_breakout.json") else { return };
    let (game, mut rules) = game("breakout");
    for start in 0..game.starts {
        rules.reset(start);
        let mut sum = 0.0;
        for _ in 0..2000 {
            let column = |plane| ones(game, &*rules, plane)[0][1].as_u64().unwrap();
            let (paddle, ball) = (column(0), column(1));
            let outcome = rules.act(usize::from(ball < paddle) + 2 * usize::from(ball > paddle));
            assert!(!outcome.end);
            sum += f64::from(outcome.reward);
        }
        assert_eq!(serde_json::json!([sum as u64, 2000]), known["follow_returns"][start]);
    }
}

#[test]
fn space_invaders_is_minatars_step_by_step() {
    let known: Value = serde_json::from_str(include_str!("golden/minatar_space_invaders.json")).unwrap();
    let (game, mut rules) = game("space_invaders");
    for trace in ["hunt", "random"] {
        rules.reset(0);
        let mut now = vec![String::new(); game.planes.len()];
        let mut sum = 0;
        for (i, step) in known[trace].as_array().unwrap().iter().enumerate() {
            let outcome = rules.act(action(game, step["a"].as_u64().unwrap() as usize));
            sum += step["r"].as_u64().unwrap();
            assert_eq!(
                (f64::from(outcome.reward), outcome.end),
                (step["r"].as_f64().unwrap(), step["end"] == true),
                "{i}"
            );
            let mut board = vec![0.0; game.shape().len()];
            rules.draw(&mut board);
            for (plane, (now, cells)) in now.iter_mut().zip(board.chunks(100)).enumerate() {
                if let Some(change) = step.get(plane.to_string()) {
                    *now = change.as_str().unwrap().into();
                }
                let bits = |row: &[f32]| row.iter().enumerate().fold(0, |bits, (i, v)| bits | ((*v as u32) << i));
                let rows: Vec<String> = cells.chunks(10).map(|row| format!("{:x}", bits(row))).collect();
                assert_eq!(rows.join(" "), *now, "{trace}, step {i}, {}", game.planes[plane]);
            }
            if outcome.end {
                rules.reset(0);
            }
        }
        assert!(sum > 24 || trace == "random", "the trace comes to the second wave: {sum}");
    }
    assert_eq!(f64::from(game.random), f64::from(known["random6_mean_return_500"].as_f64().unwrap() as f32));
}

#[test]
fn a_seat_plays_the_same_from_the_same_seed_and_a_twin_goes_on_alike() {
    for game in GAMES {
        let mut one = Seat::new(game, 7);
        let mut two = Seat::new(game, 7);
        for step in 0..500 {
            let action = step * 7 % game.actions.len();
            assert_eq!(one.act(action), two.act(action), "{}, step {step}", game.name);
            if one.done() {
                one.reset();
                two = one.clone();
                two.act(0);
                two = one.clone();
            }
        }
        let boards = [&one, &two].map(|seat| {
            let mut board = vec![0.5; game.shape().len()];
            seat.draw(&mut board);
            board
        });
        assert!(boards[0] == boards[1] && boards[0].iter().all(|v| [0.0, 1.0].contains(v)), "{}", game.name);
    }
}

/// What is over stays over, and an action that there is not does what the first does.
#[test]
fn ends_and_actions_out_of_range_are_harmless() {
    for game in GAMES {
        let mut seat = Seat::new(game, 1);
        while !seat.done() {
            seat.act(usize::MAX);
        }
        let (points, steps) = (seat.points(), seat.steps());
        let outcome = seat.act(0);
        assert!(outcome.end || steps == game.longest, "{}", game.name);
        assert_eq!((seat.points(), outcome.reward), (points, 0.0), "{}", game.name);
    }
    assert_eq!(Game::named("chess").unwrap_err().code(), "missing");
}
