//! The Play lab's handles, from JavaScript's side: a game is played and learnt, a player is saved and opened again, whatever is
//! wrong is thrown with a code, and a handle works on after it has thrown.
#![cfg(target_arch = "wasm32")]

use hitofude::systems::play::{Game, Learner, Settings};
use hitofude::web::{GameLearner, GamePlayer, GameSeat, games};
use js_sys::{Function, Reflect};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

/// Runs a JavaScript expression that knows `it`.
fn run(it: &JsValue, expression: &str) -> Result<JsValue, JsValue> {
    Function::new_with_args("it", &format!("return ({expression})")).call1(&JsValue::NULL, it)
}

fn number(it: &JsValue, expression: &str) -> f64 {
    run(it, expression).unwrap().as_f64().unwrap()
}

fn truth(it: &JsValue, expression: &str) -> bool {
    run(it, expression).unwrap().as_bool().unwrap()
}

fn code(outcome: Result<impl Sized, JsValue>) -> String {
    let thrown = outcome.err().expect("something thrown");
    Reflect::get(&thrown, &"code".into()).unwrap().as_string().unwrap()
}

/// A learner at a game, with some settings of its own.
fn learner(game: &str, own: &str, seed: u32) -> Result<GameLearner, JsValue> {
    let find =
        format!("JSON.stringify({{ ...JSON.parse(it.find((one) => one.name === '{game}').settings), ...{own} }})");
    GameLearner::new(&game.into(), &run(&games()?, &find)?, &seed.into())
}

#[wasm_bindgen_test]
fn a_seat_plays_and_its_episode_can_be_looked_at() {
    let seat: JsValue = GameSeat::new(&"catch".into(), &3.into()).unwrap().into();
    assert!(truth(&seat, "it.ended() === null && it.frame().board.length === 50 && it.frame().steps === 0"));
    let left = run(&seat, "Array.from({ length: 9 }, () => it.act(0)).at(-1)").unwrap();
    assert!(truth(&left, "it.done && it.steps === 9 && Math.abs(it.points) === 1 && it.reward === it.points"));
    let ended = run(&seat, "it.ended()").unwrap();
    assert!(truth(&ended, "it.boards.length === 500 && it.actions.length === 10 && Math.abs(it.points) === 1"));
    assert!(truth(&seat, "(it.reset(), it.act(1), it.ended().actions.length === 10 && it.frame().steps === 1)"));
    assert_eq!(code(run(&seat, "it.act(3)")), "value");
    assert_eq!(code(run(&seat, "it.act('left')")), "value");
    assert_eq!(code(GameSeat::new(&"chess".into(), &1.into())), "missing");
}

/// The handle takes the very steps of the engine's own learner.
#[wasm_bindgen_test]
fn catch_is_learnt_as_the_engine_learns_it() {
    let mut own = Learner::new(Game::named("catch").unwrap(), Settings::CATCH, 3).unwrap();
    let points: Vec<f32> = (0..300).filter_map(|_| own.step().unwrap().points).collect();
    let lesson: JsValue = learner("catch", "{}", 3).unwrap().into();
    let stretch = run(&lesson, "(it.run(120), it.run(180))").unwrap();
    assert_eq!(number(&stretch, "it.played * 1000 + it.learnt"), 300_000.0 + own.steps().1 as f64);
    assert!(number(&stretch, "it.points.at(-1)") as f32 == *points.last().unwrap());
    assert!(truth(&stretch, "it.trouble === null && it.loss > 0 && it.at.length === it.points.length"));
    let kept = run(&lesson, "it.checkpoint().params").unwrap();
    assert_eq!(js_sys::Float32Array::from(kept).to_vec(), own.params().values());

    let view = run(&lesson, "it.look(it.frame().board)").unwrap();
    assert!(truth(&view, "it.values.length === 3 && it.cam.length === 50 && it.maps[0].shape.join() === '8,8,3'"));
    assert!(truth(&view, "it.exact === null || it.exact.length === 3"));
    let strip = run(&lesson, "it.strip(12)").unwrap();
    assert!(truth(&strip, "it.held === 300 && it.newest.at(-1).age === 0 && it.drawn.length === 12"));
    assert_eq!(number(&lesson, "it.exact().learnt.length"), 675.0);
    let met = number(&lesson, "it.exact().met.reduce((sum, one) => sum + one, 0)");
    assert!((9.0..=45.0).contains(&met), "{met}");
    // The last good weights and no others come back from a file.
    let player: JsValue = GamePlayer::new(&"catch".into(), &run(&lesson, "it.save()").unwrap()).unwrap().into();
    let same = Function::new_with_args(
        "a, b",
        "const board = a.frame().board; return a.look(board).values.join() === b.look(board).values.join()",
    );
    assert!(same.call2(&JsValue::NULL, &lesson, &player).unwrap().as_bool().unwrap());
}

#[wasm_bindgen_test]
fn a_checkpoint_goes_on_in_another_learner() {
    let first: JsValue = learner("catch", "{}", 5).unwrap().into();
    let kept = run(&first, "(it.run(400), it.checkpoint())").unwrap();
    let second: JsValue = learner("catch", "{}", 5).unwrap().into();
    let go_on = Function::new_with_args("it, kept", "it.restore(kept); return it.run(200)");
    let stretch = go_on.call2(&JsValue::NULL, &second, &kept).unwrap();
    // The memory fills again to 64 steps before it is learnt from.
    assert_eq!(number(&stretch, "it.played"), 600.0);
    assert!(truth(&stretch, "it.learnt > 400 && it.learnt < 540"));
    let other: JsValue = learner("breakout", "{}", 5).unwrap().into();
    assert_eq!(code(go_on.call2(&JsValue::NULL, &other, &kept)), "shape");
    assert_eq!(number(&other, "it.run(1).played"), 1.0);
}

#[wasm_bindgen_test]
fn values_that_run_away_are_said_and_undone() {
    let own = "{ warmup: 40, every: 1, target: 0, steps: 1, options: { optimiser: { rule: 'adam' }, rate: 0.5 } }";
    let lesson: JsValue = learner("breakout", own, 1).unwrap().into();
    let stretch = run(&lesson, "it.run(4000)").unwrap();
    assert!(truth(&stretch, "it.played < 4000 && /values up to/.test(it.trouble)"));
    assert!(truth(&lesson, "it.look(it.frame().board).values.every(Number.isFinite) && it.run(1).trouble === null"));
}

#[wasm_bindgen_test]
fn what_is_wrong_is_thrown_with_a_code() {
    assert_eq!(code(learner("catch", "{ gamma: 2 }", 1)), "value");
    assert_eq!(code(learner("catch", "{ speed: 2 }", 1)), "format");
    let lesson: JsValue = learner("space_invaders", "{}", 1).unwrap().into();
    assert_eq!(code(run(&lesson, "it.look(new Uint8Array(3))")), "shape");
    assert_eq!(code(run(&lesson, "it.explore(2)")), "value");
    assert_eq!(code(run(&lesson, "it.exact()")), "missing");
    assert_eq!(code(run(&lesson, "it.run(-1)")), "value");
    assert_eq!(number(&lesson, "(it.explore(1), it.run(3).epsilon)"), 1.0);
    let (file, breakout) = (run(&lesson, "it.save()").unwrap(), "breakout".into());
    assert_eq!(code(GamePlayer::new(&breakout, &file)), "shape");
    assert_eq!(code(GamePlayer::new(&breakout, &js_sys::Uint8Array::new_with_length(3).into())), "format");
}
