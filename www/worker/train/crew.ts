// The helpers of the training thread, and participants from elsewhere. One that breaks, or does not answer, is replaced; its work is done by the thread
// itself meanwhile, so a training never waits for it and its weights never depend on it.

import { transfer, wrap, type Remote } from 'comlink';
import type { Source } from '../../lib/fetch';
import type { Build, Classified } from '../../lib/types';
import { Host, type Order } from './host';
import type { Learnt, Participant, Pictures, Pupil } from './protocol';

type Engine = { wasm: Record<Build, Source>; build: Build };
type Local = { worker: Worker; pupil: Remote<Pupil>; broken: Promise<never>; leave: () => void };
type Distant = { host: Host };
type Member = Local | Distant;

/** A helper that has not answered for so long is taken for dead: a killed worker says nothing. */
const PATIENCE = 15_000;
/** A helper that broke so often is not replaced any more. */
const CHANCES = 5;
/** A participant from elsewhere may be slow, or gone without a word; its share is then computed here. */
const FAR = 8000;

export class Crew {
  /** Those that are ready to work. */
  #ready: Member[] = [];
  #all = new Set<Local>();
  #hosts: Host[] = [];
  #broken = 0;

  constructor(
    private readonly engine: Engine,
    private readonly setup: string,
    private readonly pictures: Pictures,
    size: number,
    private readonly onReplaced: (worker: number) => void,
    private readonly onChanged: () => void,
  ) {
    for (let i = 0; i < size; i++) void this.#hire();
  }

  get size(): number {
    return this.#ready.length;
  }

  /** Workers of this page; they come before participants from elsewhere. */
  get local(): number {
    return this.#ready.filter((member) => 'worker' in member).length;
  }

  /** Those from elsewhere, gone ones included. */
  get participants(): Participant[] {
    return this.#hosts.map((host) => ({ ...host.state }));
  }

  /** Lets a participant compute, too, as soon as it has opened the training. */
  admit(port: MessagePort, number: number, order: Order): void {
    const host = new Host(port, number, order, () => {
      if (host.state.state !== 'ready') this.#ready = this.#ready.filter((one) => !('host' in one) || one.host !== host);
      this.onChanged();
    });
    this.#hosts.push(host);
    host.ready.then(
      () => host.state.state === 'ready' && this.#ready.push({ host }),
      () => {},
    );
    this.onChanged();
  }

  /** Asks helper `i` for shards; null where it broke. */
  async learn(i: number, params: Float32Array, step: number, from: number, to: number): Promise<Learnt | null> {
    const member = this.#ready[i];
    if (member && 'host' in member) {
      try {
        return await inTime(member.host.learn(params, step, from, to), FAR);
      } catch {
        member.host.dismiss('left', 'no answer in time');
        return null;
      }
    }
    const own = params.slice();
    return this.#ask<Learnt>(i, async (pupil) => pupil.learn(transfer(own, [own.buffer]), step, from, to));
  }

  /** Asks helper `i` to classify pieces of the first `count` pictures; null where it broke. */
  classify(i: number, params: Float32Array, from: number, to: number, count: number): Promise<Classified[] | null> {
    const own = params.slice();
    return this.#ask<Classified[]>(i, async (pupil) => pupil.classify(transfer(own, [own.buffer]), from, to, count));
  }

  /** Ends the workers, and gives the ways to the participants who are still there. */
  end(): MessagePort[] {
    for (const { worker } of this.#all) worker.terminate();
    this.#all.clear();
    this.#ready = [];
    return this.#hosts.filter(({ state }) => state.state === 'ready' || state.state === 'opening').map((host) => host.release('the leader sets up anew'));
  }

  async #ask<T>(i: number, question: (pupil: Remote<Pupil>) => Promise<T>): Promise<T | null> {
    const member = this.#ready[i];
    if (!member || 'host' in member) return null;
    try {
      return await inTime(Promise.race([question(member.pupil), member.broken]));
    } catch {
      this.#dismiss(member);
      return null;
    }
  }

  async #hire(): Promise<void> {
    const worker = new Worker(new URL('./pupil.ts', import.meta.url), { type: 'module' });
    let leave = () => {};
    const broken = new Promise<never>((_, reject) => {
      leave = () => reject(new Error('the worker broke'));
      worker.addEventListener('error', leave);
      worker.addEventListener('messageerror', leave);
    });
    broken.catch(() => {});
    const member: Local = { worker, pupil: wrap<Pupil>(worker), broken, leave };
    this.#all.add(member);
    try {
      await inTime(Promise.race([member.pupil.start(this.engine.wasm, this.engine.build), broken]), 60_000);
      await inTime(Promise.race([member.pupil.open(this.setup, this.pictures), broken]), 60_000);
      // Before those from elsewhere, so that `local` counts from the front.
      if (this.#all.has(member)) this.#ready.splice(this.local, 0, member);
    } catch {
      this.#dismiss(member);
    }
  }

  #dismiss(member: Local): void {
    if (!this.#all.delete(member)) return;
    this.#ready = this.#ready.filter((one) => one !== member);
    member.worker.terminate();
    this.#broken++;
    this.onReplaced(this.#broken);
    if (this.#broken < CHANCES) void this.#hire();
  }
}

async function inTime<T>(work: Promise<T>, milliseconds = PATIENCE): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer')), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
