// A painting as the page sees it: what it is made of, how far it is, what it has come to. The page asks for one step after
// another, so whatever a person changes meanwhile counts from the next one on.

import type { ColourPicture, PaintingReport } from '../../lib/types';
import type { Given } from '../../ui/pictures/read';
import type { Gram } from '../../worker/style/protocol';
import { keepPainting, type History, type Kept } from './kept';
import type { Lab } from './lab.svelte';
import { LIVE, sizeOf, toLink, type Settings } from './settings';

/** Milliseconds between two looks at the Gram matrices, and between two times that the painting is kept. */
const LOOK = 400;
const KEEP = 3000;

const empty = (): History => ({ loss: [], content: [], style: [], variation: [] });

export class Painting {
  settings = $state<Settings>()!;
  content = $state.raw<Given>();
  style = $state.raw<Given>();
  status = $state<'ready' | 'running' | 'paused' | 'done'>('ready');
  image = $state.raw<ColourPicture>();
  report = $state.raw<PaintingReport>();
  grams = $state.raw<Gram[]>([]);
  /** Sizes from coarse to fine, which of them it has come to, and the steps that it has taken there. */
  sizes = $state.raw<[number, number][]>([]);
  level = $state(0);
  taken = $state(0);
  /** Milliseconds for a step, lately. */
  pace = $state(0);
  hash = $state('');
  /** What the engine refused, and what the person should know of a painting that was brought back. */
  trouble = $state('');
  advice = $state('');
  /** Grows whenever the curves have. */
  version = $state(0);
  history = empty();
  #lab: Lab;
  #begin: Settings;
  /** The thread's painting is this one, or is about to be. */
  #set = false;
  #setting = false;
  #going = false;
  /** Grows with every run and every new beginning: a loop of an earlier one ends. */
  #turn = 0;
  #idle: Promise<void> = Promise.resolve();
  #change: Partial<Settings> = {};
  #looked = 0;
  #kept = 0;
  #from: Kept | undefined;

  constructor(lab: Lab, begin: Settings, settings: Settings) {
    [this.#lab, this.#begin, this.settings] = [lab, begin, settings];
  }

  get standard(): Settings {
    return this.#begin;
  }

  get steps(): number {
    void this.version;
    return this.history.loss.length;
  }

  /** What the engine is asked for. */
  options(width: number, height: number) {
    const { size: _, steps: __, ...options } = $state.snapshot(this.settings);
    const known = new Set(this.#lab.eye?.layers.map(({ name }) => name));
    const those = (layers: Record<string, number>) => Object.fromEntries(Object.entries(layers).filter(([name]) => known.has(name)));
    return { ...options, contentLayers: those(options.contentLayers), styleLayers: those(options.styleLayers), width, height };
  }

  set<K extends keyof Settings>(name: K, value: Settings[K]): void {
    this.settings[name] = value;
    toLink($state.snapshot(this.settings), this.#begin);
    if (name === 'steps') return;
    if (LIVE.has(name)) this.#alter({ [name]: $state.snapshot(value) });
    else this.renew();
  }

  give(what: 'content' | 'style', given: Given): void {
    this[what] = given;
    this.renew();
  }

  /** The next start begins anew; what has been painted stays in sight until then. */
  renew(): void {
    this.#going = this.#set = false;
    this.#turn++;
    this.#from = undefined;
    this.#change = {};
    this.status = 'ready';
    this.trouble = this.advice = '';
  }

  run(): void {
    if (this.#going) return;
    this.#going = true;
    const turn = ++this.#turn;
    this.#idle = this.#idle.then(() => this.#loop(turn));
  }

  async pause(): Promise<void> {
    this.#going = false;
    await this.#idle;
  }

  async single(): Promise<void> {
    await this.pause();
    this.#idle = this.#idle.then(() => this.#guarded(async () => {
      await this.#ready();
      if (!this.#set) return;
      if (!(await this.#finer())) this.taken = 0;
      await this.#step(true);
      await this.#rest('paused');
    }));
    await this.#idle;
  }

  async reset(): Promise<void> {
    await this.pause();
    this.renew();
    this.history = empty();
    this.version++;
    [this.level, this.taken, this.hash, this.pace] = [0, 0, '', 0];
    [this.image, this.report, this.grams, this.sizes] = [undefined, undefined, [], []];
  }

  /** Puts a painting back on the easel as it was kept. */
  restore(kept: Kept): void {
    const { settings, content, style, image, history, report, level, taken, done } = kept;
    [this.settings, this.content, this.style, this.image, this.history, this.report] = [settings, content, style, image, history, report];
    [this.level, this.taken, this.status, this.#from] = [level, taken, done ? 'done' : 'paused', kept];
    this.version++;
    toLink($state.snapshot(settings), this.#begin);
  }

  /** The thread is gone: the painting that is in sight goes on in the next one. */
  stopped(): void {
    [this.#going, this.#set, this.#idle] = [false, false, Promise.resolve()];
    this.#from = this.#record();
    if (this.status === 'running') this.status = 'paused';
  }

  async keep(): Promise<void> {
    this.#kept = performance.now();
    const record = this.#record();
    // Storage may be full or closed to us: the painting then lasts as long as the page.
    if (record) await keepPainting(record).catch(() => {});
  }

  #record(): Kept | undefined {
    const { content, style, image, report } = this;
    if (!content || !style || !image || !report) return;
    const settings = $state.snapshot(this.settings);
    return {
      content, style, settings, image, report, history: this.history, eye: this.#lab.eyeName,
      level: this.level, taken: this.taken, done: this.status === 'done', at: Date.now(),
    };
  }

  #alter(change: Partial<Settings>): void {
    if (!this.#set && !this.#setting) return;
    this.#change = { ...this.#change, ...change };
    if (this.#going || this.#setting) return;
    this.#idle = this.#idle.then(() => this.#guarded(() => this.#apply()));
  }

  async #apply(): Promise<void> {
    const change = this.#change;
    this.#change = {};
    if (Object.keys(change).length) this.image = await this.#lab.desk.change(change);
  }

  async #loop(turn: number): Promise<void> {
    const further = this.status === 'done';
    const current = () => turn === this.#turn;
    if (!current()) return;
    await this.#guarded(async () => {
      await this.#ready();
      if (!current()) return;
      this.status = 'running';
      if (further) this.taken = 0;
      while (this.#going && current() && (await this.#finer())) await this.#step(false);
      if (!current()) return;
      // Unless somebody stopped it all steps of all sizes are taken.
      await this.#rest(this.#going ? 'done' : 'paused');
      await this.keep();
    });
    if (current()) this.#going = false;
  }

  /** Sets the thread's painting up where it is not. */
  async #ready(): Promise<void> {
    const { content, style } = this;
    if (this.#set || !content || !style) return;
    const { desk } = this.#lab;
    const { width, height } = sizeOf(content.picture, this.settings.size);
    this.sizes = await desk.sizes(width, height);
    const from = this.#from;
    if (!from) {
      this.history = empty();
      [this.level, this.taken, this.pace] = [0, 0, 0];
    }
    this.level = Math.min(this.level, this.sizes.length - 1);
    this.hash = '';
    const turn = this.#turn;
    this.#setting = true;
    try {
      this.image = await desk.begin(content.picture, style.picture, this.options(...this.sizes[this.level]!), from?.image ?? null);
    } finally {
      this.#setting = false;
    }
    // Something else is to be painted by now.
    if (turn === this.#turn) [this.#set, this.#from] = [true, undefined];
  }

  /** Whether there is a step to take, at the next size where those of this one are taken. */
  async #finer(): Promise<boolean> {
    const settled = this.report?.settled && this.taken > 0;
    if (this.taken < this.settings.steps && !settled) return true;
    const next = this.sizes[this.level + 1];
    if (!next) return false;
    await this.#lab.desk.resize(...next);
    [this.level, this.taken] = [this.level + 1, 0];
    return true;
  }

  async #step(alone: boolean): Promise<void> {
    await this.#apply();
    const { report, image, milliseconds } = await this.#lab.desk.step();
    // It was begun anew meanwhile.
    if (!this.#set) return;
    [this.report, this.image] = [report, image];
    this.taken++;
    this.pace = this.taken > 1 && this.pace ? 0.8 * this.pace + 0.2 * milliseconds : milliseconds;
    for (const part of ['loss', 'content', 'style', 'variation'] as const) this.history[part].push(report[part]);
    this.version++;
    const now = performance.now();
    if (alone || now - this.#looked > LOOK) await this.#look();
    if (now - this.#kept > KEEP) void this.keep();
  }

  async #look(): Promise<void> {
    const layers = this.report?.layers.filter(({ style }) => style > 0).map(({ name }) => name) ?? [];
    this.grams = await this.#lab.desk.grams(layers);
    this.#looked = performance.now();
  }

  async #rest(status: 'paused' | 'done'): Promise<void> {
    await this.#look();
    this.hash = await this.#lab.desk.hash();
    this.status = status;
  }

  /** What the engine refuses is said, and what was painted stays. */
  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      this.trouble = this.advice = '';
      await work();
    } catch (error) {
      this.trouble = (error as Error).message;
      this.#going = false;
      this.status = this.#set ? 'paused' : 'ready';
    }
  }
}
