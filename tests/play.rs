//! Play: the values that a network learns against the exact ones, the switches, and what is refused.
#![cfg(all(not(target_arch = "wasm32"), feature = "cli"))]

use hitofude::systems::play::{Catch, Game, Learner, Player, Rules, Seat, Settings, Table, network};
use hitofude::systems::saved::{self, Saved};
use sha2::{Digest, Sha256};

#[test]
fn the_exact_values_of_catch_are_what_best_play_brings() {
    let table = Table::exact(0.9);
    // Every start can be caught: nine steps, and the paddle is never more than two columns away.
    for start in 0..5 {
        let mut game = Catch::default();
        game.reset(start);
        let best = table.values(&game).into_iter().fold(f32::NEG_INFINITY, f32::max);
        assert!((best - 0.9_f32.powi(8)).abs() < 1e-6, "{best}");
    }
    // Two columns away one row above the last, whatever one does.
    let lost = Catch { ball: (8, 0), paddle: 3 };
    assert_eq!(table.values(&lost), [-1.0; 3]);
    assert_eq!(table.values(&Catch { ball: (8, 0), paddle: 1 }), [1.0, -1.0, -1.0]);
}

#[test]
fn a_table_learns_the_exact_values_of_what_it_meets() {
    let (exact, learnt) = (Table::exact(0.9), Table::learnt(40_000, 0.2, 0.9, 1.0, 3));
    for start in 0..5 {
        let mut game = Catch::default();
        game.reset(start);
        for (a, b) in exact.values(&game).into_iter().zip(learnt.values(&game)) {
            assert!((a - b).abs() < 0.02, "start {start}: {a} and {b}");
        }
    }
}

/// Whoever plays by the exact values comes from each start to nine moments of its own; whoever always goes left, too.
#[test]
fn what_a_player_meets_are_the_moments_of_its_own_play() {
    let count = |table: &Table| table.met().into_iter().filter(|met| *met).count();
    assert_eq!(count(&Table::exact(0.9)), 45);
    let left: Vec<f32> = Catch::moments().flat_map(|_| [1.0, 0.0, 0.0]).collect();
    let table = Table::of(&left);
    assert_eq!(Catch::moments().map(|moment| moment.number()).collect::<Vec<_>>(), (0..225).collect::<Vec<_>>());
    assert!(Catch::moments().all(|moment| table.values(&moment) == [1.0, 0.0, 0.0]));
    assert!(
        table.met().iter().zip(Catch::moments()).filter(|(met, m)| **met && m.ball.0 > 1).all(|(_, m)| m.paddle == 0)
    );
    assert_eq!(count(&table), 45);
}

#[test]
fn a_board_of_catch_is_read_back() {
    let mut board = vec![0.0; 50];
    for moment in Catch::moments() {
        moment.draw(&mut board);
        assert_eq!(Catch::of_board(&board), Some(moment));
    }
    let over = Catch { ball: (9, 2), paddle: 2 };
    over.draw(&mut board);
    assert_eq!(Catch::of_board(&board), None);
    assert_eq!(Catch::of_board(&board[..20]), None);
}

/// What is kept goes on in another learner, as soon as its memory has filled again.
#[test]
fn a_checkpoint_goes_on_and_another_games_is_refused() {
    let game = Game::named("catch").unwrap();
    let mut first = Learner::new(game, Settings::CATCH, 3).unwrap();
    for _ in 0..300 {
        first.step().unwrap();
    }
    let checkpoint = first.checkpoint();
    let mut second = Learner::new(game, Settings::CATCH, 3).unwrap();
    second.restore(checkpoint.clone()).unwrap();
    assert_eq!(second.params().values(), first.params().values());
    assert_eq!(second.steps(), first.steps());
    // 64 steps of play come before the next one of learning.
    assert!((0..63).all(|_| second.step().unwrap().loss.is_none()));
    let losses = (0..20).filter_map(|_| second.step().unwrap().loss).count();
    assert!((15..=20).contains(&losses), "{losses}");
    let mut other = Learner::new(Game::named("breakout").unwrap(), Settings::MINATAR, 3).unwrap();
    let before = other.params().values().to_vec();
    assert!(other.restore(checkpoint).unwrap_err().to_string().contains("target network"));
    assert_eq!(other.params().values(), before);
}

#[test]
fn chance_can_be_set_by_hand_and_the_last_episode_looked_at_again() {
    let game = Game::named("catch").unwrap();
    let mut learner = Learner::new(game, Settings::CATCH, 3).unwrap();
    assert!(learner.ended().is_none());
    learner.explore(Some(0.0)).unwrap();
    assert_eq!(learner.epsilon(), 0.0);
    assert!(learner.explore(Some(1.5)).unwrap_err().to_string().contains("epsilon"));
    let points = (0..9).find_map(|_| learner.step().unwrap().points).unwrap();
    let (episode, told) = learner.ended().unwrap();
    assert_eq!((episode.len(), told), (10, points));
    let mut board = vec![0.0; 50];
    for row in 0..10 {
        episode.board(row, &mut board);
        assert!(board[row * 5..][..5].iter().any(|cell| *cell > 0.5), "the ball falls a row each step");
    }
    learner.explore(None).unwrap();
    assert_eq!(learner.epsilon(), 1.0);
    // What was learnt from last is in the memory.
    for _ in 0..100 {
        learner.step().unwrap();
    }
    assert_eq!(learner.drawn().count(), Settings::CATCH.batch);
    assert!(learner.drawn().all(|at| at < learner.memory().len()));
}

#[test]
fn a_network_learns_catch_and_its_values_come_near_the_exact_ones() {
    let game = Game::named("catch").unwrap();
    let mut learner = Learner::new(game, Settings::CATCH, 3).unwrap();
    let mut episodes = 0;
    while episodes < 250 {
        episodes += usize::from(learner.step().unwrap().points.is_some());
    }
    let returns = learner.returns(100, 9).unwrap();
    let mean = returns.iter().sum::<f32>() / 100.0;
    assert!(mean >= 0.95, "{mean}");
    // Along its own play the best value is nearly what the table says.
    let (exact, net) = (Table::exact(Settings::CATCH.gamma), network(game).unwrap());
    let params = net.params_from(learner.params()).unwrap();
    let (mut player, mut seat, mut catch) = (Player::new(&net), Seat::new(game, 5), Catch::default());
    let mut board = vec![0.0; 50];
    let mut errors = vec![];
    for _ in 0..20 {
        seat.reset();
        seat.draw(&mut board);
        catch.reset(board[..5].iter().position(|v| *v > 0.5).unwrap());
        while !seat.done() {
            let values = player.values(&params, &seat).unwrap().to_vec();
            let best = |values: &[f32]| values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            errors.push((best(&values) - best(&exact.values(&catch))).abs());
            let action = player.best(&params, &seat).unwrap();
            seat.act(action);
            catch.act(action);
        }
    }
    let error = errors.iter().sum::<f32>() / errors.len() as f32;
    assert!(error < 0.2, "mean error of the best value {error}");
}

#[test]
fn the_same_seed_plays_and_learns_the_same() {
    let game = Game::named("breakout").unwrap();
    let settings = Settings { warmup: 40, every: 1, ..Settings::MINATAR };
    let mut twins = [1, 1, 2].map(|seed| Learner::new(game, settings, seed).unwrap());
    let runs = twins.each_mut().map(|learner| (0..120).map(|_| learner.step().unwrap()).collect::<Vec<_>>());
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
    assert_eq!(twins[0].params().values(), twins[1].params().values());
    assert_eq!(twins[0].steps(), (120, 80));
    assert!(runs[0].iter().filter_map(|step| step.loss).all(f64::is_finite));
}

/// Without a target network and at a high rate the values feed on themselves: that is said, and undone.
#[test]
fn values_that_run_away_are_said_and_undone() {
    let game = Game::named("breakout").unwrap();
    let mut settings = Settings { warmup: 40, every: 1, target: 0, steps: 1, ..Settings::MINATAR };
    settings.options.rate = 0.5;
    settings.options.clip_norm = 0.0;
    let mut learner = Learner::new(game, settings, 1).unwrap();
    let first = learner.params().values().to_vec();
    let error = (0..4000).find_map(|_| learner.step().err()).expect("values that run away").to_string();
    assert!(error.contains("step"), "{error}");
    assert_ne!(learner.params().values(), first);
    learner.undo().unwrap();
    assert_eq!(learner.params().values(), first);
    assert!(learner.step().is_ok());
}

#[test]
fn settings_that_cannot_work_are_refused_by_name() {
    let game = Game::named("catch").unwrap();
    let refused = |settings: Settings, word: &str| {
        let error = Learner::new(game, settings, 1).err().expect("settings that cannot work").to_string();
        assert!(error.contains(word), "{error}");
    };
    refused(Settings { gamma: 1.5, ..Settings::CATCH }, "gamma");
    refused(Settings { epsilon: [f32::NAN, 0.0], ..Settings::CATCH }, "epsilon");
    refused(Settings { batch: 0, ..Settings::CATCH }, "batch");
    refused(Settings { memory: 0, ..Settings::CATCH }, "memory");
    refused(Settings { steps: 1000, ..Settings::CATCH }, "steps");
    refused(Settings { every: 0, ..Settings::CATCH }, "learning");
    assert!(Game::named("chess").unwrap_err().to_string().contains("breakout"));
    // No replay: a memory of one step is still played with.
    let mut learner = Learner::new(game, Settings { memory: 1, warmup: 4, ..Settings::CATCH }, 1).unwrap();
    assert!((0..60).all(|_| learner.step().is_ok()));
}

/// What ships is the file that its card describes, and plays as it says.
#[test]
fn the_players_that_ship_reach_their_goals() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("pretrained/play");
    let card = std::fs::read_to_string(folder.join("README.md")).unwrap();
    for (name, episodes) in [("catch", 50), ("breakout", 20)] {
        let bytes = std::fs::read(folder.join(format!("{name}.safetensors"))).unwrap();
        let sha: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
        assert!(card.contains(&sha), "{name}: {sha}");
        let Saved { net, params, .. } = saved::read(&bytes).unwrap();
        let game = Game::named(name).unwrap();
        assert_eq!(net.input_shape(), game.shape());
        let spaced = format!("{},{:03}", net.parameters() / 1000, net.parameters() % 1000);
        assert!(card.contains(&spaced), "{name}: {spaced} parameters");
        let returns = Player::new(&net).returns(&params, game, episodes, 77).unwrap();
        let mean = returns.iter().sum::<f32>() / episodes as f32;
        assert!(mean >= game.goal, "{name}: {mean}");
    }
}
