// The page's end of the thread that looks into a network. The newest drawing is looked at; older ones that did not get their
// turn are forgotten.

import { proxy, wrap, type Remote } from 'comlink';
import { untrack } from 'svelte';
import { models, studio } from 'virtual:engine-files';
import type { Source } from '../../lib/fetch';
import { keptModel } from '../../lib/store';
import type { Build, Ink, Layer, Reading } from '../../lib/types';
import { keepOffline } from '../../ui/offline';
import type { Phase } from '../../ui/reader.svelte';
import type { Looking } from '../../worker/inside/protocol';

/** The model that another lab has passed on. */
export const OWN = 'own';
const WAITING: Phase = { state: 'loading', progress: { loaded: 0, total: null } };

export class Look {
  engine = $state.raw<Phase>(WAITING);
  weights = $state.raw<Phase>(WAITING);
  model = $state('');
  layers = $state.raw<Layer[]>([]);
  reading = $state.raw<Reading>();
  /** Changes with every drawing that was looked at, and every network; 0 before the first. */
  version = $state(0);
  desk!: Remote<Looking>;
  #worker: Worker | undefined;
  #wanted: string;
  #build: Build | null;
  #newest: Ink | undefined;
  #busy = false;
  #open = false;

  constructor(model: string, build: Build | null) {
    [this.#wanted, this.#build] = [model, build];
    this.start();
  }

  /** The answer to the drawing, if there is one. */
  get answer() {
    return this.reading && this.reading.status !== 'empty' ? this.reading : undefined;
  }

  /** The network's input: 28 × 28, 0 paper to 1 ink. */
  get input(): Float32Array | undefined {
    return this.answer?.steps.find(({ name }) => name === 'centred')?.pixels;
  }

  layer(name: string): Layer | undefined {
    return this.layers.find((layer) => layer.name === name);
  }

  /** What a layer reads: the one before it in the list. */
  before(name: string): Layer | undefined {
    return this.layers[this.layers.findIndex((layer) => layer.name === name) - 1];
  }

  start(): void {
    this.end();
    [this.engine, this.#busy, this.#open, this.version] = [WAITING, false, false, 0];
    const worker = new Worker(new URL('../../worker/inside/looking.ts', import.meta.url), { type: 'module' });
    worker.addEventListener('error', ({ message }) => this.#stopped(worker, message || 'its program could not be loaded'));
    this.#worker = worker;
    this.desk = wrap<Looking>(worker);
    this.desk
      .start(studio, this.#build, proxy((progress) => worker === this.#worker && this.engine.state === 'loading' && (this.engine = { state: 'loading', progress })))
      .then((build) => {
        if (worker !== this.#worker) return;
        this.engine = { state: 'ready' };
        keepOffline(studio[build].url);
      })
      .catch((error: Error) => this.#stopped(worker, error.message));
    this.open(this.#wanted);
  }

  end(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  open(name: string): void {
    const [worker, source] = [this.#worker, models[name]];
    this.#wanted = name;
    if (!worker || (!source && name !== OWN)) return;
    this.weights = { state: 'loading', progress: { loaded: 0, total: source?.bytes ?? null } };
    const current = () => worker === this.#worker && name === this.#wanted;
    this.#source(name)
      .then((from) => this.desk.open(from, proxy((progress) => current() && this.weights.state === 'loading' && (this.weights = { state: 'loading', progress }))))
      .then((layers) => {
        if (!current()) return;
        [this.layers, this.model, this.#open, this.version] = [layers, name, true, 0];
        this.weights = { state: 'ready' };
        if (source) keepOffline(source.url);
        void this.#ask();
      })
      .catch((error: Error) => {
        if (current()) this.weights = { state: 'failed', message: error.message };
      });
  }

  /** Where a network is; the one that the lab for models from elsewhere passed on is in the browser's storage. */
  async #source(name: string): Promise<Source | Uint8Array> {
    const source = models[name];
    if (source) return source;
    const kept = await keptModel();
    if (!kept) throw new Error('the model is no longer in this browser: open it again in Your model');
    return kept.file;
  }

  /** Looks at this drawing. */
  look(ink: Ink): void {
    this.#newest = ink;
    void this.#ask();
  }

  async #ask(): Promise<void> {
    const [worker, ink] = [this.#worker, this.#newest];
    if (this.#busy || !this.#open || !ink || !worker) return;
    this.#busy = true;
    try {
      const reading = await this.desk.look(ink);
      if (worker !== this.#worker) return;
      this.reading = reading;
      if (reading.status !== 'empty') this.version = untrack(() => this.version) + 1;
    } catch (error) {
      this.#stopped(worker, (error as Error).message);
    } finally {
      if (worker === this.#worker) this.#busy = false;
    }
    if (ink !== this.#newest) void this.#ask();
  }

  #stopped(worker: Worker, message: string): void {
    if (worker !== this.#worker) return;
    this.engine = { state: 'failed', message };
    [this.reading, this.version] = [undefined, 0];
  }
}

/**
 * The answer to a question that is asked again whenever what it reads has changed. One question is under way at a time, and
 * the newest is next. To be made while a component is.
 */
export class Asked<T> {
  value = $state.raw<T>();
  failed = $state('');
  #next: (() => Promise<T>) | undefined;
  #busy = false;

  /** `question` reads what the answer depends on and returns how to ask, or nothing where there is nothing to ask. */
  constructor(question: () => (() => Promise<T>) | undefined) {
    $effect(() => {
      this.#next = question();
      if (!this.#next) this.value = undefined;
      void this.#ask();
    });
  }

  async #ask(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    while (this.#next) {
      const ask = this.#next;
      this.#next = undefined;
      try {
        this.value = await ask();
        this.failed = '';
      } catch (error) {
        this.failed = (error as Error).message;
      }
    }
    this.#busy = false;
  }
}
