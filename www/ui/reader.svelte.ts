// The page's end of the wall. The newest drawing goes to the engine's thread as soon as that is idle; older ones that
// did not get their turn are forgotten.

import { proxy, wrap, type Remote } from 'comlink';
import { untrack } from 'svelte';
import { models, wasm } from 'virtual:engine-files';
import type { Build, Ink, Layer, Reading } from '../lib/types';
import type { Desk, Maps, Progress } from '../worker/protocol';
import { keepOffline } from './offline';

export type Phase =
  | { state: 'loading'; progress: Progress }
  | { state: 'ready' }
  /** The engine's words; none where its thread did not come up. */
  | { state: 'failed'; message: string };

const WAITING: Phase = { state: 'loading', progress: { loaded: 0, total: null } };

export class Reader {
  engine = $state.raw<Phase>(WAITING);
  weights = $state.raw<Phase>(WAITING);
  /** The build that runs, once it runs. */
  build = $state<Build>();
  /** The network that answers, and its weights where they are the person's own. */
  model = $state('');
  own = $state.raw<Uint8Array>();
  layers = $state.raw<Layer[]>([]);
  reading = $state.raw<Reading>();
  maps = $state.raw(new Map<string, Maps>());
  milliseconds = $state(0);

  #worker: Worker | undefined;
  #desk: Remote<Desk> | undefined;
  #wanted: { model: string; own: Uint8Array | undefined; build: Build | null };
  #watched = new Map<string, number>();
  #newest: Ink | undefined;
  #unread = $state(false);
  #open = false;
  #busy = false;
  #frame = 0;

  constructor(model: string, build: Build | null) {
    this.#wanted = { model, own: undefined, build };
    this.start();
  }

  /** Whether the newest drawing still waits for a reading that will come. */
  get pending(): boolean {
    const stuck = this.engine.state === 'failed' || (this.weights.state === 'failed' && !this.layers.length);
    return this.#unread && !stuck;
  }

  /** Starts the engine in a fresh thread and opens the wanted network in it. */
  start(): void {
    this.#worker?.terminate();
    this.#busy = false;
    this.#open = false;
    this.engine = WAITING;
    const worker = new Worker(new URL('../worker/engine.ts', import.meta.url), { type: 'module' });
    worker.addEventListener('error', ({ message }) => this.#stopped(worker, message));
    this.#worker = worker;
    this.#desk = wrap<Desk>(worker);
    this.#desk
      .start(wasm, this.#wanted.build, proxy((progress) => this.#progress(worker, 'engine', progress)))
      .then((build) => {
        if (worker !== this.#worker) return;
        this.build = build;
        this.engine = { state: 'ready' };
        keepOffline(wasm[build].url);
      })
      .catch((error: Error) => this.#stopped(worker, error.message));
    this.open(this.#wanted.model, this.#wanted.own);
  }

  /** Opens another network, or one with weights of its own; the one before answers until the new one is there. */
  open(name: string, own?: Uint8Array): void {
    const worker = this.#worker;
    const source = models[name];
    this.#wanted.model = name;
    this.#wanted.own = own;
    this.weights = { state: 'loading', progress: { loaded: 0, total: source?.bytes ?? null } };
    if (!worker || !this.#desk) return;
    if (!source) {
      this.weights = { state: 'failed', message: `There is no network called ${name}` };
      return;
    }
    const current = () => worker === this.#worker && name === this.#wanted.model && own === this.#wanted.own;
    this.#desk
      .open(own ?? source, proxy((progress) => current() && this.#progress(worker, 'weights', progress)))
      .then((layers) => {
        if (!current()) return;
        this.layers = layers;
        this.model = name;
        this.own = own;
        this.#open = true;
        this.weights = { state: 'ready' };
        keepOffline(source.url);
        this.#schedule();
      })
      .catch((error: Error) => {
        if (current()) this.weights = { state: 'failed', message: error.message };
      });
  }

  /** Asks for a reading of this drawing. */
  read(ink: Ink): void {
    this.#newest = ink;
    this.#unread = true;
    this.#schedule();
  }

  /** Asks for a layer's values with every reading, until the returned function is called. */
  watch(layer: string): () => void {
    this.#watched.set(layer, (this.#watched.get(layer) ?? 0) + 1);
    if (!untrack(() => this.maps.has(layer))) this.#schedule();
    return () => {
      const left = (this.#watched.get(layer) ?? 0) - 1;
      if (left > 0) this.#watched.set(layer, left);
      else this.#watched.delete(layer);
    };
  }

  #progress(worker: Worker, part: 'engine' | 'weights', progress: Progress): void {
    if (worker === this.#worker && this[part].state === 'loading') this[part] = { state: 'loading', progress };
  }

  #stopped(worker: Worker, message: string): void {
    if (worker !== this.#worker) return;
    this.engine = { state: 'failed', message };
    this.reading = undefined;
    this.maps = new Map();
  }

  #schedule(): void {
    if (this.#frame || this.#busy || !this.#newest || !this.#open) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      void this.#ask();
    });
  }

  async #ask(): Promise<void> {
    const worker = this.#worker;
    const ink = this.#newest;
    if (!worker || !ink || !this.#desk || this.engine.state !== 'ready') return;
    const watched = [...this.#watched.keys()];
    this.#busy = true;
    try {
      const report = await this.#desk.read(ink, watched);
      if (worker !== this.#worker) return;
      this.reading = report.reading;
      this.maps = new Map(report.maps.map((maps) => [maps.layer, maps]));
      this.milliseconds = report.milliseconds;
      this.#unread = ink !== this.#newest;
    } catch (error) {
      // The engine answers every drawing; if it cannot, it is broken and a fresh one is needed.
      this.#stopped(worker, (error as Error).message);
      return;
    } finally {
      if (worker === this.#worker) this.#busy = false;
    }
    const stale = ink !== this.#newest || [...this.#watched.keys()].some((layer) => !watched.includes(layer));
    if (stale) this.#schedule();
  }
}
