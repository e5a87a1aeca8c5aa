// The training as the page sees it: what it is set to, how far it is, what it has come to.

import type { Build, Classified } from '../../lib/types';
import { safetensors } from '../../lib/safetensors';
import { forgetRun, savedRun } from '../../lib/store';
import { gpu, studio } from 'virtual:engine-files';
import { keepOffline } from '../../ui/offline';
import type { About, Device, Happening, History, Inspection, Pace, Pictures, Saved } from '../../worker/train/protocol';
import { Room } from './room';

/** This processor, the GPU if it is faster, or the GPU. */
export type Wanted = 'wasm' | 'auto' | 'gpu';
export type Status = 'starting' | 'ready' | 'running' | 'paused' | 'finished' | 'broken';

const empty = (): History => ({ loss: [], accuracy: [], norm: [], validations: [] });

export class Training {
  status = $state<Status>('starting');
  build = $state<Build>();
  /** Steps taken, of so many. */
  step = $state(0);
  steps = $state(0);
  rate = $state(0);
  pace = $state.raw<Pace | null>(null);
  about = $state.raw<About>();
  /** What came of the pictures to choose by, last time. */
  found = $state.raw<Omit<Classified, 'loss'>>();
  inspection = $state.raw<Inspection>();
  /** The last step that is safe in the browser's storage, and why nothing is. */
  saved = $state<number | null>(null);
  unsaved = $state('');
  /** The engine's refusal of a step, and the step that it went back to. */
  failure = $state.raw<{ message: string; backTo: number }>();
  /** What was wrong with the thread, or with the setup. */
  trouble = $state('');
  /** Where steps are to be taken, and where they are. */
  wanted = $state<Wanted>('wasm');
  device = $state.raw<Device>();
  /** Helpers that broke and were replaced, and threads. */
  replaced = $state(0);
  revived = $state(0);
  sha256 = $state('');
  /** Grows whenever the curves have. */
  version = $state(0);
  history = empty();
  /** A training of the same setup, kept from an earlier visit. */
  earlier = $state.raw<Saved>();

  #room: Room | undefined;
  #order: { setup: string; pictures: Pictures; workers: number; id: string; weights?: Uint8Array | undefined } | undefined;
  #build: Build;

  constructor(build: Build) {
    this.#build = build;
    this.#start();
  }

  get done(): boolean {
    return this.status === 'finished';
  }

  /** The step whose weights early stopping has gone back to. */
  get stoppedEarly(): number | undefined {
    void this.version;
    if (!this.done || this.step >= this.steps) return undefined;
    // The last validation is of those weights, on more pictures.
    const own = this.history.validations.slice(0, -1);
    return own.reduce((best, one) => (one.loss < best.loss ? one : best), own[0]!)?.step;
  }

  /** Resolves once the thread has its engine, or has failed to get it. */
  async started(): Promise<void> {
    await this.#room?.started.catch(() => {});
  }

  /** Sets a training up, or goes on with one that was kept under the same name. */
  async open(setup: string, pictures: Pictures, workers: number, id: string, weights?: Uint8Array): Promise<void> {
    this.#order = { setup, pictures, workers, id, weights };
    this.earlier = undefined;
    const earlier = await savedRun(id).catch(() => undefined);
    if (this.#order.id !== id) return;
    await this.#open(null);
    if (earlier?.setup === setup && earlier.checkpoint.steps > 0) this.earlier = earlier;
  }

  /** Goes on with the training that was kept. */
  async resume(): Promise<void> {
    const earlier = this.earlier;
    this.earlier = undefined;
    if (earlier) await this.#open(earlier);
  }

  run(): void {
    if (!this.#room || !['ready', 'paused'].includes(this.status)) return;
    this.earlier = undefined;
    this.failure = undefined;
    this.status = 'running';
    void this.#room.desk.run();
  }

  async pause(): Promise<void> {
    await this.#room?.desk.pause();
  }

  async single(): Promise<void> {
    this.earlier = undefined;
    await this.#room?.desk.step();
    if (this.status === 'ready') this.status = 'paused';
  }

  /** Back to the first weights. */
  async reset(): Promise<void> {
    await this.pause();
    if (this.#order) await forgetRun(this.#order.id).catch(() => {});
    await this.#open(null);
  }

  /** The room, for questions about pictures and networks. */
  get desk() {
    return this.#room?.desk;
  }

  async look(): Promise<void> {
    const inspection = await this.#room?.desk.inspect();
    if (inspection) this.inspection = inspection;
  }

  /** The weights as a safetensors file. */
  async weights(): Promise<Uint8Array<ArrayBuffer>> {
    if (!this.#room) throw new Error('nothing has been trained');
    return safetensors(await this.#room.desk.weights());
  }

  end(): void {
    this.#room?.end();
  }

  /** Starts a thread anew after it broke. */
  async retry(): Promise<void> {
    this.#room?.end();
    this.#start();
    await this.#room?.started.catch(() => {});
    await this.#open(await this.#kept());
  }

  #start(): void {
    this.status = 'starting';
    this.trouble = '';
    const room = new Room(this.#build, () => this.status === 'running', (message) => void this.#broke(room, message));
    this.#room = room;
    room.started.then(
      (build) => {
        this.build = build;
        keepOffline(studio[build].url);
      },
      (error: Error) => {
        if (room === this.#room) this.#giveUp(error.message);
      },
    );
  }

  async #kept(): Promise<Saved | null> {
    const order = this.#order;
    const kept = order && (await savedRun(order.id).catch(() => undefined));
    return kept && kept.setup === order?.setup ? kept : null;
  }

  async #open(from: Saved | null): Promise<void> {
    const room = this.#room;
    const order = this.#order;
    if (!room || !order) return;
    const { setup, pictures, workers, id, weights } = order;
    const wanted = this.wanted;
    this.sha256 = '';
    this.failure = undefined;
    this.found = undefined;
    this.inspection = undefined;
    this.pace = null;
    this.device = undefined;
    this.history = from ? { ...empty(), ...structuredClone(from.history) } : empty();
    this.step = from?.checkpoint.steps ?? 0;
    this.saved = from ? this.step : null;
    this.steps = (JSON.parse(setup) as { steps: number }).steps;
    this.version++;
    try {
      await room.started;
      const about = await room.open({ setups: [setup], pictures, workers, gpu: wanted === 'wasm' ? undefined : { wasm: gpu, always: wanted === 'gpu' }, id, from, weights }, (happening) => this.#hear(room, happening));
      if (room !== this.#room || order !== this.#order) return;
      this.about = about;
      this.trouble = '';
      this.status = about.finished ? 'finished' : this.step ? 'paused' : 'ready';
      if (this.status === 'finished') await this.#finish();
    } catch (error) {
      if (room !== this.#room || order !== this.#order) return;
      this.trouble = (error as Error).message;
      this.status = 'broken';
    }
  }

  #hear(room: Room, happening: Happening): void {
    if (room !== this.#room) return;
    switch (happening.kind) {
      case 'steps': {
        const { first, loss, accuracy, norm, rate, pace } = happening;
        this.history.loss.splice(first, Infinity, ...loss);
        this.history.accuracy.splice(first, Infinity, ...accuracy);
        this.history.norm.splice(first, Infinity, ...norm);
        this.step = this.history.loss.length;
        [this.rate, this.pace] = [rate, pace];
        this.version++;
        return;
      }
      case 'validation':
        this.history.validations.push(happening.validation);
        this.found = { classes: happening.classes, confidences: happening.confidences };
        this.version++;
        return;
      case 'stopped':
        this.status = happening.why;
        if (this.done) void this.#finish();
        return;
      case 'failed': {
        const { message, backTo } = happening;
        this.failure = { message, backTo };
        this.#cut(backTo);
        return;
      }
      case 'saved':
        this.saved = happening.step;
        this.unsaved = '';
        return;
      case 'unsaved':
        this.unsaved = happening.message;
        return;
      case 'device':
        this.device = happening.device;
        return;
      case 'replaced':
        this.replaced++;
        return;
      case 'broken':
        room.end();
        void this.#broke(room, happening.message);
    }
  }

  #cut(step: number): void {
    this.history.loss.length = step;
    this.history.accuracy.length = step;
    this.history.norm.length = step;
    this.history.validations = this.history.validations.filter((one) => one.step <= step);
    this.step = step;
    this.version++;
  }

  async #finish(): Promise<void> {
    const file = await this.weights();
    // Browsers offer hashes on secure origins only.
    if (!globalThis.crypto?.subtle) return;
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', file));
    this.sha256 = [...digest].map((b) => b.toString(16).padStart(2, '0')).join('');
  }

  /** A thread that broke at work is replaced, and goes on from the last save. */
  async #broke(room: Room, message: string): Promise<void> {
    if (room !== this.#room) return;
    const wasRunning = this.status === 'running';
    if (this.revived >= 3 || !this.#order) return this.#giveUp(message);
    this.revived++;
    this.#start();
    const kept = await this.#kept();
    await this.#open(kept);
    if (wasRunning) this.run();
  }

  #giveUp(message: string): void {
    this.status = 'broken';
    this.trouble = message;
  }
}
