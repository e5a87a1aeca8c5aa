// The thread in which games are played and learnt: a person's, a learner's and a player's that has learnt. It works in
// slices, so that it hears the page between them, and tells it of no more than the page can take in.

import { bytes, twice } from '../../lib/fetch';
import { loadSystems } from '../../lib/systems';
import type { BoardView, Stretch } from '../../lib/types';
import { GameLearner, GamePlayer, GameSeat, games } from '../../public/wasm/systems/hitofude.js';
import type { Mode, News, Progress, Referee, Who } from './protocol';
import { serve } from '../serve';

/** Milliseconds: a slice of learning at full speed, between two reports, and between two checkpoints. */
const SLICE = 20;
const REPORT = 33;
const KEEP = 3000;
/** A player is shown at most at this pace, in steps a second: no eye follows more. */
const SHOWN = 30;

type Lesson = { game: string; learner: GameLearner; stage: GameSeat };

let started: Promise<unknown> | undefined;
let lesson: Lesson | undefined;
let guest: GamePlayer | undefined;
let seat: GameSeat | undefined;
let hear: (news: News) => Promise<void> | void = () => {};
let mode: Mode = 'rest';
let who: Who = 'guest';
let pace = 60;
/** Grows with every turn: a loop of an earlier one ends. */
let turn = 0;
let sending = false;
let reported = 0;
let keptAt = 0;
/** Whether there is something learnt that has not been kept. */
let fresh = false;
let action: number | null = null;
/** Whose game is in sight: the one that is learnt from, or the one in which a player is shown. */
let inSight: 'lesson' | 'stage' = 'stage';
let waiting: Progress | null = null;
/** Steps and seconds, to know how fast it goes. */
let speed = { steps: 0, since: 0, rate: 0 };
/** Steps of the learner that take about a millisecond. */
let chunk = 1;

function the<T>(thing: T | undefined, what: string): T {
  if (!thing) throw new Error(`there is no ${what} yet`);
  return thing;
}

const current = () => the(lesson, 'game');
const eye = (whose: Who): { look(board: Uint8Array): BoardView } => (whose === 'guest' ? the(guest, 'player') : current().learner);

/** What is to be seen now. */
function moment(): News['moment'] {
  const { learner, stage } = current();
  const frame = inSight === 'lesson' ? learner.frame() : stage.frame();
  return { frame, view: eye(who).look(frame.board), action };
}

function tell(whole: boolean, shown?: News['moment']): void {
  const now = performance.now();
  if (!whole && (sending || now - reported < REPORT)) return;
  const keep = fresh && (whole || now - keptAt > KEEP);
  if (keep) [keptAt, fresh] = [now, false];
  const news: News = { mode, who, moment: shown ?? moment(), progress: waiting, kept: keep ? current().learner.checkpoint() : null };
  waiting = null;
  reported = now;
  sending = true;
  const told = turn;
  void Promise.resolve(hear(news)).finally(() => told === turn && (sending = false));
}

function note({ played, learnt, epsilon, points, at, loss, trouble }: Stretch, steps: number): void {
  const now = performance.now();
  fresh = true;
  speed.steps += steps;
  if (now - speed.since > 500) speed = { steps: 0, since: now, rate: (1000 * speed.steps) / (now - speed.since) };
  const before: Pick<Progress, 'points' | 'at' | 'loss'> = waiting ?? { points: [], at: [], loss: null };
  waiting = {
    played, learnt, epsilon, trouble, rate: speed.rate,
    loss: loss ?? before.loss,
    points: [...before.points, ...points],
    at: [...before.at, ...at],
  };
}

/** Some steps of learning; false where the values ran away and it has to rest. */
function learn(steps: number): boolean {
  const stretch = current().learner.run(steps);
  [action, inSight] = [stretch.action, 'lesson'];
  note(stretch, steps);
  return stretch.trouble === null;
}

/** Learns for a slice of time at full speed. */
function slice(): boolean {
  const end = performance.now() + SLICE;
  for (let now = performance.now(); now < end; ) {
    if (!learn(chunk)) return false;
    const after = performance.now();
    // Games differ a hundredfold in what a step costs.
    chunk = Math.max(1, Math.min(512, Math.round(chunk * Math.min(2, 2 / Math.max(0.1, after - now)))));
    now = after;
  }
  return true;
}

/** One step of a player that learns nothing by it. */
function show(): void {
  const { stage } = current();
  const frame = stage.frame();
  inSight = 'stage';
  if (frame.done) {
    stage.reset();
    action = null;
  } else {
    action = eye(who).look(frame.board).best;
    stage.act(action);
  }
}

const sleep = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds));
const channel = new MessageChannel();
/** Lets what the page has asked for have its turn, without the four milliseconds of a timer. */
const breathe = () =>
  new Promise((done) => {
    channel.port1.onmessage = done;
    channel.port2.postMessage(null);
  });

async function loop(own: number): Promise<void> {
  let due = performance.now();
  while (own === turn && mode !== 'rest') {
    const learning = mode === 'learn';
    const steps = learning ? pace : Math.min(pace, SHOWN);
    let well = true;
    if (steps === Infinity) {
      well = slice();
      due = performance.now();
      await breathe();
    } else {
      const pause = 1000 / steps;
      const owed = Math.max(1, Math.min(Math.ceil(SLICE / pause), Math.floor((performance.now() - due) / pause) + 1));
      if (learning) well = learn(owed);
      else show();
      // A machine that cannot keep up owes nothing.
      due = Math.max(due + owed * pause, performance.now() - 100);
    }
    if (own !== turn) return;
    if (!well) {
      mode = 'rest';
      return tell(true);
    }
    tell(false);
    if (steps !== Infinity) await sleep(Math.max(0, due - performance.now()));
  }
}

const referee: Referee = {
  async start(wasm, build, onProgress) {
    const loading = loadSystems(wasm, { onProgress, ...(build && { build }) });
    started = loading;
    return loading;
  },

  games: () => games(),

  open({ game, settings, seed, from }, listener) {
    const learner = new GameLearner(game, settings, seed);
    if (from) learner.restore(from);
    turn++;
    lesson?.learner.free();
    lesson?.stage.free();
    if (lesson?.game !== game) {
      guest?.free();
      guest = undefined;
    }
    lesson = { game, learner, stage: new GameSeat(game, seed) };
    [mode, hear, action, inSight, waiting, fresh, sending, chunk] = ['rest', listener, null, 'stage', null, false, false, 1];
    speed = { steps: 0, since: performance.now(), rate: 0 };
    // Where it is, told with the first news.
    if (from) {
      note(learner.run(0), 0);
      fresh = false;
    }
  },

  async guest(player, onProgress) {
    const { game } = current();
    const open = async (file: Uint8Array) => {
      await started;
      return new GamePlayer(game, file);
    };
    const opened = player === null ? undefined : player instanceof Uint8Array ? await open(player) : await twice(async (cache) => open(await bytes(player, cache, { onProgress })));
    if (game !== lesson?.game) return opened?.free();
    guest?.free();
    guest = opened;
  },

  turn(next, whose) {
    turn++;
    sending = false;
    speed = { steps: 0, since: performance.now(), rate: speed.rate };
    if (next === 'show' && inSight === 'lesson') action = null;
    [mode, who] = [next, whose];
    if (next === 'rest') tell(true);
    else {
      keptAt = performance.now();
      void loop(turn);
    }
  },

  step(learning, whose) {
    turn++;
    sending = false;
    [mode, who] = ['rest', whose];
    if (learning) learn(1);
    else show();
    tell(true);
  },

  pace: (steps) => void (pace = steps),
  explore: (epsilon) => current().learner.explore(epsilon),
  look: (whose, board) => eye(whose).look(board),
  ended: () => (inSight === 'lesson' ? current().learner : current().stage).ended(),
  strip: (most) => current().learner.strip(most),
  exact: (whose) => (whose === 'guest' ? the(guest, 'player') : current().learner).exact(),

  judge(episodes) {
    const returns = current().learner.returns(episodes, 1);
    return returns.reduce((sum, points) => sum + points, 0) / returns.length;
  },

  save: () => current().learner.save() as Uint8Array<ArrayBuffer>,

  sit(game, seed) {
    seat?.free();
    seat = new GameSeat(game, seed);
    return seat.frame();
  },

  act(choice) {
    const own = the(seat, 'seat');
    return own.frame().done ? own.reset() : own.act(choice);
  },
};

serve(referee);
