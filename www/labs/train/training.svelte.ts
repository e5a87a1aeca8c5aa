// The training as the page sees it: what it is set to, how far it is, what it has come to.

import { transfer } from 'comlink';
import type { Build, Classified, Stroke } from '../../lib/types';
import { safetensors } from '../../lib/safetensors';
import { forgetRun, savedRun } from '../../lib/store';
import { gpu, studio } from 'virtual:engine-files';
import { m } from '../../texts/train';
import { keepOffline } from '../../ui/offline';
import type { About, Device, Happening, History, Inspection, Pace, Participant, Pictures, Read, Saved, Score } from '../../worker/train/protocol';
import { best, cut, empty, grow } from './curves';
import { Room } from './room';

/** This processor, the GPU if it is faster, or the GPU. */
export type Place = 'wasm' | 'auto' | 'gpu';
export type Status = 'starting' | 'ready' | 'running' | 'paused' | 'finished' | 'broken';

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
  /** What came of the test pictures behind the end, or why nothing did. */
  test = $state.raw<Score>();
  untested = $state('');
  /** How far the scoring is. */
  testing = $state.raw<{ done: number; count: number }>();
  /** The last step that is safe in the browser's storage, and why nothing is. */
  saved = $state<number | null>(null);
  unsaved = $state('');
  /** The engine's refusal of a step, and the step that it went back to. */
  failure = $state.raw<{ message: string; backTo: number }>();
  /** The curves of the steps that were taken back then. */
  lost = $state.raw<History & { from: number }>();
  /** Whether it starts as soon as it is set up. */
  wanted = $state(false);
  /** What was wrong with the thread, or with the setup. */
  trouble = $state('');
  /** Where steps are to be taken, and where they are. */
  place = $state<Place>('wasm');
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

  /** Those who compute for it from elsewhere. */
  participants = $state.raw<Participant[]>([]);

  #room: Room | undefined;
  #order: { setup: string; pictures: Pictures; workers: number; id: string; weights?: Uint8Array | undefined } | undefined;
  #build: Build;

  constructor(build: Build) {
    this.#build = build;
    this.#start();
  }

  /** Whether there is a network to read with. */
  get ready(): boolean {
    return this.status !== 'starting' && this.status !== 'broken';
  }

  get done(): boolean {
    return this.status === 'finished';
  }

  /** The step whose weights early stopping has gone back to. */
  get stoppedEarly(): number | undefined {
    void this.version;
    return !this.done || this.step >= this.steps ? undefined : best(this.history);
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
    const usable = earlier?.setup === setup && earlier.checkpoint.steps > 0;
    // A start would write over what is kept: whoever asked for one is asked first.
    if (usable) this.wanted = false;
    await this.#open(null);
    if (usable) this.earlier = earlier;
  }

  /** Goes on with the training that was kept. */
  async resume(): Promise<void> {
    const earlier = this.earlier;
    this.earlier = undefined;
    if (earlier) await this.#open(earlier);
  }

  run(): void {
    this.wanted = this.status === 'starting';
    if (!this.#room || !['ready', 'paused'].includes(this.status)) return;
    this.earlier = undefined;
    this.failure = this.lost = undefined;
    this.status = 'running';
    void this.#room.desk.run();
  }

  async pause(): Promise<void> {
    await this.#room?.desk.pause();
  }

  async single(): Promise<void> {
    this.earlier = undefined;
    this.failure = this.lost = undefined;
    await this.#room?.desk.step();
    if (this.status === 'ready') this.status = 'paused';
  }

  /** Lets somebody from elsewhere compute, too. */
  admit(port: MessagePort): void {
    void this.#room?.desk.admit(transfer(port, [port]));
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

  /** Reads a drawing, or a picture to choose by, with the weights of this moment. */
  async read(what: Stroke[] | number): Promise<Read | null> {
    return (await this.#room?.desk.read(what)) ?? null;
  }

  /** The weights as a safetensors file, which says of what network they are. */
  async weights(): Promise<Uint8Array<ArrayBuffer>> {
    if (!this.#room || !this.#order) throw new Error('nothing has been trained');
    const { network } = JSON.parse(this.#order.setup) as { network: string };
    return safetensors(await this.#room.desk.weights(), { network });
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
    const { place } = this;
    this.sha256 = '';
    this.failure = this.lost = undefined;
    this.found = undefined;
    this.test = from?.history.test;
    this.untested = '';
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
      const about = await room.open({ setups: [setup], pictures, workers, gpu: place === 'wasm' ? undefined : { wasm: gpu, always: place === 'gpu' }, id, from, weights }, (happening) => this.#hear(room, happening));
      if (room !== this.#room || order !== this.#order) return;
      this.about = about;
      this.trouble = '';
      this.status = about.finished ? 'finished' : this.step ? 'paused' : 'ready';
      if (this.done) await this.#finish();
      // A thread that broke while it scored the test pictures has left that to be done.
      if (this.done && !this.test) void room.desk.run();
      else if (this.wanted) this.run();
    } catch (error) {
      if (room !== this.#room || order !== this.#order) return;
      this.trouble = (error as Error).message;
      this.status = 'broken';
    }
    this.wanted = false;
  }

  #hear(room: Room, happening: Happening): void {
    if (room !== this.#room) return;
    switch (happening.kind) {
      case 'steps': {
        grow(this.history, happening);
        this.step = this.history.loss.length;
        [this.rate, this.pace] = [happening.rate, happening.pace];
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
        this.testing = undefined;
        if (this.done) void this.#finish();
        return;
      case 'failed': {
        const { message, backTo } = happening;
        this.failure = { message, backTo };
        this.lost = { from: backTo, ...structuredClone(this.history) };
        cut(this.history, backTo);
        this.step = backTo;
        this.version++;
        return;
      }
      case 'testing':
        this.testing = happening;
        return;
      case 'tested':
        this.test = this.history.test = happening.test;
        return;
      case 'untested':
        this.untested = happening.message;
        return;
      case 'saved':
        this.saved = happening.step;
        this.unsaved = '';
        return;
      case 'unsaved':
        this.unsaved = happening.full ? m.storage_full() : happening.message;
        return;
      case 'device':
        this.device = happening.device;
        return;
      case 'replaced':
        this.replaced++;
        return;
      case 'participants':
        this.participants = happening.participants;
        return;
      case 'broken':
        room.end();
        void this.#broke(room, happening.message);
    }
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
