// The lab as the page sees it: which game, who plays, how far the learner is, and what became of the thread.

import { proxy, wrap, type Remote } from 'comlink';
import { players, systems } from 'virtual:engine-files';
import type { BoardView, Build, Episode, Frame, Game, PlayCheckpoint } from '../../lib/types';
import { m } from '../../texts/play';
import { fromAddress } from '../../ui/address';
import { keepOffline } from '../../ui/offline';
import type { Phase } from '../../ui/reader.svelte';
import type { Mode, Moment, News, Referee, Who } from '../../worker/play/protocol';
import { forgetLearner, keepLearner, keptLearner, type Kept } from './kept';
import { fromLink, runOf, standardOf, toLink, unsettled, type Settings } from './settings';

const WAITING: Phase = { state: 'loading', progress: { loaded: 0, total: null } };
/** A thread that learns and says nothing for so long is taken for dead, in milliseconds; so often it is replaced. */
const PATIENCE = 15_000;
const LIVES = 3;
/** The fastest pace of the slider, as a power of ten of steps a second: from there on there is no pause at all. */
export const TOP = 4;
/** What Catch begins at, slow enough to be watched, and the large games. */
const SLOW = 2;
/** About eighteen steps a second: values that grow can be seen to. */
const WATCHED = 1.25;
/** Episodes that make a run worth comparing the next one with. */
const WORTH = 20;

export type Learnt = { played: number; learnt: number; epsilon: number; loss: number | null; rate: number };
const NOTHING: Learnt = { played: 0, learnt: 0, epsilon: 1, loss: null, rate: 0 };

export class Lab {
  engine = $state.raw<Phase>(WAITING);
  games = $state.raw<Game[]>([]);
  game = $state.raw<Game>();
  settings = $state.raw<Settings>();
  seed = $state(1);
  mode = $state<Mode>('rest');
  who = $state<Who>('guest');
  /** Whether there is a player that has learnt this game, and whose file it is. */
  guest = $state('');
  moment = $state.raw<Moment>();
  learnt = $state.raw<Learnt>(NOTHING);
  /** Episodes of the learner; `version` grows with them. */
  points: number[] = [];
  /** The episodes of the run before, of the same game. */
  before = $state.raw<number[]>([]);
  at: number[] = [];
  version = $state(0);
  /** Power of ten of steps a second, and the part of random actions where it is set by hand. */
  speed = $state(SLOW);
  hand = $state<number | null>(null);
  /** Mean points without random actions, when they were last counted. */
  judged = $state<number>();
  /** What the engine said when the values ran away, and how often they did. */
  runaway = $state.raw<{ message: string; times: number }>();
  trouble = $state('');
  resumed = $state('');
  /** Why the learner could not be kept. */
  unkept = $state('');
  /** The hash of the learner's weights, once it rests. */
  hash = $state('');
  revived = $state(0);
  /** An episode that is looked at again, and where. */
  replay = $state.raw<{ episode: Episode; at: number; view: BoardView }>();
  desk!: Remote<Referee>;
  #worker: Worker | undefined;
  #build: Build;
  #turn = 0;
  #kept: Kept | undefined;
  /** Whether settings, seed and moves alone decide the weights: no hand, and no memory that had to fill anew. */
  #pure = true;
  #heard = performance.now();
  #watch: ReturnType<typeof setInterval>;

  constructor(build: Build) {
    this.#build = build;
    this.#watch = setInterval(() => {
      if (this.mode !== 'learn' || this.engine.state !== 'ready') this.#heard = performance.now();
      else if (performance.now() - this.#heard > PATIENCE) this.#stopped(this.#worker, 'it does not answer any more');
    }, 1000);
    this.start();
  }

  get standard(): Settings | undefined {
    return this.game && standardOf(this.game);
  }

  /** The frame in sight: the one that is looked at again, or the newest. */
  get frame(): Frame | undefined {
    const { replay, moment, game } = this;
    if (!replay || !game) return moment?.frame;
    const cells = game.planes.length * game.size[0] * game.size[1];
    const { episode, at } = replay;
    const rewards = episode.rewards.slice(0, at);
    return {
      board: episode.boards.slice(at * cells, (at + 1) * cells),
      reward: rewards.at(-1) ?? 0,
      points: rewards.reduce((sum, reward) => sum + reward, 0),
      steps: at,
      done: at === episode.actions.length - 1,
    };
  }

  get view(): BoardView | undefined {
    return this.replay?.view ?? this.moment?.view;
  }

  /** The action that led to the frame in sight. */
  get action(): number | null {
    const { replay } = this;
    if (!replay) return this.moment?.action ?? null;
    return replay.at > 0 ? (replay.episode.actions[replay.at - 1] ?? null) : null;
  }

  get running(): boolean {
    return this.mode === 'learn';
  }

  get begun(): boolean {
    return this.learnt.played > 0;
  }

  get episodes(): number {
    void this.version;
    return this.points.length;
  }

  start(): void {
    this.#end();
    this.engine = WAITING;
    const worker = new Worker(new URL('../../worker/play/referee.ts', import.meta.url), { type: 'module' });
    worker.addEventListener('error', (event) => this.#stopped(worker, event.message || 'its program could not be loaded'));
    this.#worker = worker;
    this.desk = wrap<Referee>(worker);
    const hear = proxy((progress: { loaded: number; total: number | null }) => {
      if (worker === this.#worker && this.engine.state === 'loading') this.engine = { state: 'loading', progress };
    });
    this.desk
      .start(systems, this.#build, hear)
      .then(async (build) => {
        keepOffline(systems[build].url);
        const games = await this.desk.games();
        if (worker !== this.#worker) return;
        this.games = games;
        this.engine = { state: 'ready' };
        if (this.game) await this.#again();
        else await this.choose(fromAddress('game', games.map(({ name }) => name)) ?? games[0]!.name);
      })
      .catch((error: Error) => this.#stopped(worker, error.message));
  }

  end(): void {
    clearInterval(this.#watch);
    this.#end();
  }

  /** Goes over to a game: to its learner as it was kept, or to one that has learnt nothing. */
  async choose(name: string): Promise<void> {
    const game = this.games.find((one) => one.name === name);
    if (!game) return;
    const first = !this.game;
    const standard = standardOf(game);
    const { settings, seed } = first ? fromLink(standard) : { settings: standard, seed: this.seed };
    [this.game, this.settings, this.seed] = [game, settings, seed];
    this.speed = name === 'catch' ? SLOW : TOP;
    this.hand = null;
    this.guest = '';
    this.before = [];
    toLink(name, this.games[0]!.name, settings, standard, seed);
    const kept = await keptLearner(name).catch(() => undefined);
    if (this.game !== game) return;
    const same = kept?.run === runOf(settings, seed) ? kept : undefined;
    await this.#open(same);
    if (this.game !== game) return;
    await this.#invite(same !== undefined);
    if (same && this.game === game && !this.running) this.resumed = m.resumed({ episodes: String(same.points.length), when: new Date(same.saved).toLocaleString() });
  }

  /** Other settings begin a new run. */
  async set(settings: Settings, seed = this.seed): Promise<void> {
    const { game } = this;
    if (!game) return;
    [this.settings, this.seed] = [settings, seed];
    toLink(game.name, this.games[0]!.name, settings, standardOf(game), seed);
    await this.reset();
  }

  /** Back to a network that knows nothing. */
  async reset(): Promise<void> {
    if (!this.game) return;
    if (this.points.length >= WORTH) this.before = [...this.points];
    await forgetLearner(this.game.name).catch(() => {});
    await this.#open(undefined);
    await this.turn('rest', 'learner');
  }

  /** Takes away what keeps it steady, at a rate that is far too high. */
  async unsettle(): Promise<void> {
    const { game } = this;
    if (!game) return;
    await this.explore(null);
    await this.set(unsettled(game));
    await this.setSpeed(game.name === 'catch' ? WATCHED : TOP);
    await this.learn();
  }

  async turn(mode: Mode, who: Who = this.who): Promise<void> {
    this.replay = undefined;
    this.trouble = this.resumed = '';
    if (mode === 'learn') this.runaway = this.runaway && { ...this.runaway, message: '' };
    [this.mode, this.who] = [mode, who];
    this.#heard = performance.now();
    await this.#guarded(() => this.desk.turn(mode, who));
  }

  learn = () => this.turn('learn', 'learner');
  pause = () => this.turn('rest');

  /** One step: of learning where the learner plays, else of showing. */
  async step(): Promise<void> {
    this.replay = undefined;
    this.mode = 'rest';
    await this.#guarded(() => this.desk.step(this.who === 'learner', this.who));
  }

  async setSpeed(power: number): Promise<void> {
    this.speed = power;
    await this.#guarded(() => this.desk.pace(power >= TOP ? Infinity : 10 ** power));
  }

  async explore(epsilon: number | null): Promise<void> {
    this.hand = epsilon;
    if (epsilon !== null) [this.#pure, this.hash] = [false, ''];
    await this.#guarded(() => this.desk.explore(epsilon));
  }

  /** Plays without random actions, many times. */
  async judge(episodes = 100): Promise<void> {
    await this.#guarded(async () => void (this.judged = await this.desk.judge(episodes)));
  }

  /** Opens a player in a file of the person's own. */
  async invite(file: File): Promise<void> {
    await this.#guarded(async () => {
      await this.desk.guest(new Uint8Array(await file.arrayBuffer()), proxy(() => {}));
      this.guest = file.name;
      await this.turn('show', 'guest');
    });
  }

  /** Looks at frame `at` of the episode that ended last. */
  async rewind(at: number): Promise<void> {
    const { game, who } = this;
    if (!game) return;
    await this.#guarded(async () => {
      const episode = this.replay?.episode ?? (await this.desk.ended());
      if (!episode) return;
      const cells = game.planes.length * game.size[0] * game.size[1];
      const last = episode.actions.length - 1;
      const place = Math.min(last, Math.max(0, at));
      const view = await this.desk.look(who, episode.boards.slice(place * cells, (place + 1) * cells));
      this.replay = { episode, at: place, view };
    });
  }

  live(): void {
    this.replay = undefined;
  }

  async #open(from: Kept | undefined): Promise<void> {
    const { game, settings, seed } = this;
    if (!game || !settings) return;
    const turn = ++this.#turn;
    this.#kept = from;
    this.#pure = !from && this.hand === null;
    this.points = from ? [...from.points] : [];
    this.at = from ? [...from.at] : [];
    this.version++;
    this.learnt = from ? { ...NOTHING, played: from.checkpoint.played, learnt: from.checkpoint.learnt } : NOTHING;
    [this.judged, this.runaway, this.replay, this.trouble, this.resumed, this.hash, this.mode] = [undefined, undefined, undefined, '', '', '', 'rest'];
    const order = { game: game.name, settings: JSON.stringify(settings), seed, from: from?.checkpoint ?? null };
    await this.#guarded(async () => {
      await this.desk.open(order, proxy((news: News) => this.#hear(turn, news)));
      await this.desk.pace(this.speed >= TOP ? Infinity : 10 ** this.speed);
      if (this.hand !== null) await this.desk.explore(this.hand);
    });
  }

  /** Brings the player that has learnt this game, and shows it, or the learner that was kept. */
  async #invite(learner: boolean): Promise<void> {
    const { game } = this;
    const source = game && players[game.name];
    if (source) {
      await this.#guarded(async () => {
        await this.desk.guest(source, proxy(() => {}));
        if (this.game === game) this.guest = game.name;
        keepOffline(source.url);
      });
    }
    if (this.game !== game || this.mode !== 'rest') return;
    if (learner) await this.turn('rest', 'learner');
    else await this.turn('show', this.guest ? 'guest' : 'learner');
  }

  #hear(turn: number, news: News): void {
    if (turn !== this.#turn) return;
    this.#heard = performance.now();
    this.moment = news.moment;
    [this.mode, this.who] = [news.mode, news.who];
    const { progress, kept } = news;
    if (progress) {
      const { points, at, trouble, ...learnt } = progress;
      this.learnt = { ...learnt, loss: learnt.loss ?? this.learnt.loss };
      this.points.push(...points);
      this.at.push(...at);
      if (points.length) this.version++;
      if (trouble) this.runaway = { message: trouble, times: (this.runaway?.times ?? 0) + 1 };
    }
    if (kept) this.#keep(kept);
    if (progress) this.hash = '';
    if (this.mode === 'rest' && this.begun && this.#pure && !this.hash) void this.#sum();
  }

  /** Equal weights have equal hashes, whoever trained them. */
  async #sum(): Promise<void> {
    const { played } = this.learnt;
    await this.#guarded(async () => {
      const file = await this.desk.save();
      // Browsers offer hashes on secure origins only.
      if (!globalThis.crypto?.subtle) return;
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', file));
      if (played === this.learnt.played && this.mode !== 'learn') this.hash = [...digest].map((b) => b.toString(16).padStart(2, '0')).join('');
    });
  }

  #keep(checkpoint: PlayCheckpoint): void {
    const { game, settings } = this;
    if (!game || !settings) return;
    this.#kept = { game: game.name, run: runOf(settings, this.seed), checkpoint, points: [...this.points], at: [...this.at], saved: Date.now() };
    // Storage may be full or closed to us: the learner then lasts as long as the page.
    keepLearner(this.#kept).then(
      () => (this.unkept = ''),
      (error: Error) => (this.unkept = error.message),
    );
    if (game.name === 'catch') void this.judge().catch(() => {});
  }

  /** In a new thread, from what was kept last. */
  async #again(): Promise<void> {
    const [kept, { mode, who }] = [this.#kept, this];
    await this.#open(kept);
    this.guest = '';
    await this.#invite(true);
    if (mode === 'learn') await this.turn(mode, who);
  }

  #stopped(worker: Worker | undefined, message: string): void {
    if (!worker || worker !== this.#worker) return;
    this.#end();
    this.#turn++;
    if (this.game && this.revived < LIVES) {
      this.revived++;
      this.start();
      return;
    }
    this.mode = 'rest';
    this.engine = { state: 'failed', message };
  }

  #end(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  /** What the engine refuses is said, and the learner stays as it was. */
  async #guarded(work: () => Promise<unknown>): Promise<void> {
    const worker = this.#worker;
    try {
      await work();
    } catch (error) {
      if (worker === this.#worker) this.trouble = (error as Error).message;
    }
  }
}
