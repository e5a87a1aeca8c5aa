// The lab as the page sees it: the drawings in sight, the pair that learns, and what became of the thread.

import { proxy, wrap, type Remote } from 'comlink';
import { generators, systems } from 'virtual:engine-files';
import type { Build, GanRound } from '../../lib/types';
import { fromAddress, toAddress } from '../../ui/address';
import { keepOffline } from '../../ui/offline';
import type { Phase } from '../../ui/reader.svelte';
import type { Atelier, News, Whose } from '../../worker/generate/protocol';

const WAITING: Phase = { state: 'loading', progress: { loaded: 0, total: null } };
/** Drawings of each digit in the grid. */
export const COLUMNS = 8;
/** Real digits that are learnt from. */
const REAL = 6000;
/** A pair small enough that a page shows digits within a minute or two. */
const SMALL = { generator: [48, 32, 24], discriminator: [24, 32, 48] };
/**
 * A generator that learns a hundred times as fast as the discriminator: it finds a drawing that passes, and draws it again and
 * again. The variety of the small pair stayed at 0.14 to 0.22 for 400 steps, where it comes to 0.79 otherwise.
 */
const COLLAPSE = { rates: [5e-3, 5e-5], average: 0, smoothing: 0 };

export type Curves = { at: number[]; real: number[]; fake: number[]; variety: number[] };

export class Lab {
  engine = $state.raw<Phase>(WAITING);
  whose = $state<Whose>('shipped');
  seed = $state(1);
  latent = $state(0);
  /** The drawings in sight, ten rows of digits. */
  grid = $state.raw<Float32Array>();
  variety = $state<number>();
  round = $state.raw<GanRound>();
  rate = $state(0);
  running = $state(false);
  collapsing = $state(false);
  curves: Curves = { at: [], real: [], fake: [], variety: [] };
  version = $state(0);
  trouble = $state('');
  desk!: Remote<Atelier>;
  /** Grows with every thread. */
  life = $state(0);
  #worker: Worker | undefined;
  #build: Build;
  #turn = 0;
  /** Numbers that a drawing of the learner starts from. */
  #learners = 0;

  readonly digits = Uint8Array.from({ length: 10 * COLUMNS }, (_, i) => Math.floor(i / COLUMNS));

  constructor(build: Build) {
    this.#build = build;
    const seed = Number(new URLSearchParams(location.search).get('seed') ?? 1);
    if (Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32) this.seed = seed;
    this.start();
  }

  start(): void {
    this.end();
    this.engine = WAITING;
    const worker = new Worker(new URL('../../worker/generate/atelier.ts', import.meta.url), { type: 'module' });
    const stopped = (message: string) => {
      if (worker !== this.#worker) return;
      this.end();
      this.engine = { state: 'failed', message };
    };
    worker.addEventListener('error', (event) => stopped(event.message || 'its program could not be loaded'));
    this.#worker = worker;
    this.desk = wrap<Atelier>(worker);
    const hear = proxy((progress: { loaded: number; total: number | null }) => {
      if (worker === this.#worker && this.engine.state === 'loading') this.engine = { state: 'loading', progress };
    });
    this.desk
      .start(systems, this.#build, hear)
      .then(async (build) => {
        keepOffline(systems[build].url);
        const file = generators.dcgan;
        if (!file) throw new Error('the generator is not there');
        this.latent = await this.desk.open(file, hear);
        keepOffline(file.url);
        if (worker !== this.#worker) return;
        [this.engine, this.running, this.round, this.whose] = [{ state: 'ready' }, false, undefined, 'shipped'];
        this.life++;
        await this.draw();
      })
      .catch((error: Error) => stopped(error.message));
  }

  end(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  get begun(): boolean {
    return this.round !== undefined;
  }

  /** The numbers that the grid starts from: the same in each row, so that digits of one column are written alike. */
  async #rows(latent: number): Promise<Float32Array> {
    const own = await this.desk.latents(COLUMNS, latent, this.seed);
    const all = new Float32Array(10 * own.length);
    for (let row = 0; row < 10; row++) all.set(own, row * own.length);
    return all;
  }

  async draw(): Promise<void> {
    await this.#guarded(async () => {
      const rows = await this.#rows(this.whose === 'shipped' ? this.latent : this.#learners);
      const grid = await this.desk.draw(this.whose, rows, this.digits);
      const variety = await this.desk.variety(grid, this.digits);
      [this.grid, this.variety] = [grid, variety];
    });
  }

  async again(): Promise<void> {
    this.seed = (this.seed + 1) % 2 ** 32;
    toAddress('seed', this.seed === 1 ? null : String(this.seed));
    await this.draw();
  }

  async see(whose: Whose): Promise<void> {
    this.whose = whose;
    await this.draw();
  }

  /** Begins a pair that knows nothing. */
  async learn(collapse = false): Promise<void> {
    const turn = ++this.#turn;
    this.curves = { at: [], real: [], fake: [], variety: [] };
    [this.round, this.running, this.whose, this.collapsing] = [undefined, true, 'learner', collapse];
    this.version++;
    await this.#guarded(async () => {
      this.#learners = (JSON.parse(await this.desk.settings()) as { latent: number }).latent;
      const latents = await this.#rows(this.#learners);
      await this.desk.learn(
        { settings: JSON.stringify({ ...SMALL, ...(collapse && COLLAPSE) }), seed: this.seed, real: REAL },
        { latents, digits: this.digits },
        proxy((news: News) => {
          if (turn === this.#turn) this.#hear(news);
        }),
      );
    });
  }

  async pause(still: boolean): Promise<void> {
    this.running = !still;
    await this.#guarded(() => this.desk.pause(still));
  }

  #hear({ round, rate, grid, variety }: News): void {
    [this.round, this.rate] = [round, rate];
    if (this.whose === 'learner') [this.grid, this.variety] = [grid, variety];
    this.curves.at.push(round.steps);
    this.curves.real.push(round.dReal);
    this.curves.fake.push(round.dFake);
    this.curves.variety.push(variety);
    this.version++;
    if (round.trouble !== null) this.running = false;
  }

  async #guarded(act: () => unknown): Promise<void> {
    try {
      await act();
      this.trouble = '';
    } catch (error) {
      this.trouble = (error as Error).message;
    }
  }
}

export const buildOf = () => fromAddress<Build>('build', ['simd128', 'relaxed-simd']) ?? 'simd128';
