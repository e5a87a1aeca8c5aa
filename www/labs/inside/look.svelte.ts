// The page's end of the thread that looks into a network. The newest drawing or picture is looked at; older ones that did not
// get their turn are forgotten.

import { proxy, wrap, type Remote } from 'comlink';
import { untrack } from 'svelte';
import { models, studio } from 'virtual:engine-files';
import type { Source } from '../../lib/fetch';
import { keptModel, type KeptModel } from '../../lib/store';
import type { Build, Ink, Layer } from '../../lib/types';
import { keepOffline } from '../../ui/offline';
import type { Phase } from '../../ui/reader.svelte';
import type { Looking } from '../../worker/inside/protocol';
import { best, called } from '../model/classes';
import { CENTRED, ends, reads, type Preparation } from '../model/prepare';
import { darkness, type Inks } from './colour';

/** The model that another lab has passed on. */
export const OWN = 'own';
/** Multiply-adds for one picture beyond which a method of hundreds of passes is to be asked for. */
const CHEAP = 1e8;

/** What the network says: its best class and the next, and whether that is to be believed. */
type Answer = { best: number; second: number; probabilities: Float32Array; sure: boolean };
/** What to look at: a drawing, where the network reads digits; else a picture as it reads it. */
type Sight = { ink: Ink } | { read: Float32Array; prepared: Preparation };
/** What came of it, with the picture as grey as the eye sees it: 0 paper to 1 ink, row by row. */
type Seen = { answer: Answer; input: Float32Array | undefined; prepared: Preparation };
const WAITING: Phase = { state: 'loading', progress: { loaded: 0, total: null } };

export class Look {
  engine = $state.raw<Phase>(WAITING);
  weights = $state.raw<Phase>(WAITING);
  model = $state('');
  layers = $state.raw<Layer[]>([]);
  /** What another lab has passed on, if that is what is open. */
  kept = $state.raw<KeptModel>();
  /** The most pictures that climb at once. */
  batch = $state(1);
  /** What became of what was looked at last; null where there was nothing to see. */
  seen = $state.raw<Seen | null>();
  /** Changes with every drawing that was looked at, and every network; 0 before the first. */
  version = $state(0);
  desk!: Remote<Looking>;
  #worker: Worker | undefined;
  #wanted: string;
  #build: Build | null;
  #newest: Sight | undefined;
  #busy = false;
  #open = false;

  constructor(model: string, build: Build | null) {
    [this.#wanted, this.#build] = [model, build];
    this.start();
  }

  /** Channels, height and width of what it reads. */
  readonly shape: Layer['shape'] = $derived(this.layers[0]?.shape ?? [1, 28, 28]);

  /** What its classes are called. */
  readonly classes: string[] = $derived.by(() => {
    const many = this.layers.at(-1)?.shape[0] ?? 10;
    return Array.from({ length: many }, (_, place) => called(place, many, this.kept?.classes ?? []));
  });

  /** Whether it reads drawings of digits, as the page's own networks do. */
  readonly digits: boolean = $derived(this.shape.join() === '1,28,28' && this.classes.length === 10);

  readonly costly: boolean = $derived(this.layers.reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0) > CHEAP);

  /** How the picture was prepared. */
  readonly prepared: Preparation = $derived(this.seen?.prepared ?? CENTRED);

  /** What it reads for paper and for ink in each channel. */
  readonly ends: Float32Array = $derived(endsOf(this.shape, this.prepared));

  /** Its channels as colours. */
  readonly inks: Inks = $derived({ channels: this.shape[0], bgr: this.prepared.bgr });

  get answer(): Answer | undefined {
    return this.seen?.answer;
  }

  get input(): Float32Array | undefined {
    return this.seen?.input;
  }

  /** Whether what is shown now is looked at at once: a camera's frame waits for that. */
  get idle(): boolean {
    return !this.#busy;
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
      .then(async ({ from, kept }) => ({ kept, ...(await this.desk.open(from, proxy((progress) => current() && this.weights.state === 'loading' && (this.weights = { state: 'loading', progress })))) }))
      .then(({ kept, layers, batch }) => {
        if (!current()) return;
        [this.kept, this.layers, this.batch, this.model] = [kept, layers, batch, name];
        [this.seen, this.#open, this.version] = [undefined, true, 0];
        this.weights = { state: 'ready' };
        if (source) keepOffline(source.url);
        void this.#ask();
      })
      .catch((error: Error) => {
        if (current()) this.weights = { state: 'failed', message: error.message };
      });
  }

  /** Where a network is; the one that the lab for models from elsewhere passed on is in the browser's storage. */
  async #source(name: string): Promise<{ from: Source | Uint8Array; kept?: KeptModel }> {
    const source = models[name];
    if (source) return { from: source };
    const kept = await keptModel();
    if (!kept) throw new Error('the model is no longer in this browser: open it again in Your model');
    return { from: kept.file, kept };
  }

  /** Looks at this drawing. */
  look(ink: Ink): void {
    this.#newest = { ink };
    void this.#ask();
  }

  /** Looks at a picture as the network reads it; where there is none, the one before stays for all but the answer. */
  see(read: Float32Array | undefined, prepared: Preparation): void {
    this.#newest = read && { read, prepared };
    if (!read) this.seen = null;
    void this.#ask();
  }

  async #ask(): Promise<void> {
    const [worker, sight] = [this.#worker, this.#newest];
    // What was shown to the network before may be of another kind.
    if (this.#busy || !this.#open || !sight || !worker || 'ink' in sight !== untrack(() => this.digits)) return;
    this.#busy = true;
    try {
      const seen = 'ink' in sight ? await this.#look(sight.ink) : await this.#see(sight.read, sight.prepared);
      if (worker !== this.#worker) return;
      this.seen = this.#newest ? seen : null;
      if (seen) this.version = untrack(() => this.version) + 1;
    } catch (error) {
      this.#stopped(worker, (error as Error).message);
    } finally {
      if (worker === this.#worker) this.#busy = false;
    }
    if (sight !== this.#newest) void this.#ask();
  }

  async #look(ink: Ink): Promise<Seen | null> {
    const reading = await this.desk.look(ink);
    if (reading.status === 'empty') return null;
    const { status, digit, second, probabilities, steps } = reading;
    const input = steps.find(({ name }) => name === 'centred')?.pixels;
    return { answer: { best: digit, second, probabilities, sure: status === 'sure' }, input, prepared: CENTRED };
  }

  async #see(read: Float32Array, prepared: Preparation): Promise<Seen> {
    const probabilities = await this.desk.see(read);
    const [first, next] = best(probabilities, 2);
    const answer = { best: first?.place ?? 0, second: next?.place ?? 0, probabilities, sure: true };
    return { answer, input: darkness(read, endsOf(untrack(() => this.shape), prepared)), prepared };
  }

  #stopped(worker: Worker, message: string): void {
    if (worker !== this.#worker) return;
    this.engine = { state: 'failed', message };
    [this.seen, this.version] = [undefined, 0];
  }
}

/** What a network of this input has for paper and ink, 0 and 1 where it reads no picture. */
function endsOf(shape: Layer['shape'], prepared: Preparation): Float32Array {
  const input = reads('input', [1, ...shape]);
  return input ? ends(input, prepared) : Float32Array.of(0, 1);
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
