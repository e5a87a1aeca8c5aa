// The helpers of the training thread. One that breaks, or does not answer, is replaced; its work is done by the thread
// itself meanwhile, so a training never waits for it and its weights never depend on it.

import { transfer, wrap, type Remote } from 'comlink';
import type { Source } from '../../lib/fetch';
import type { Build, Classified } from '../../lib/types';
import type { Learnt, Pictures, Pupil } from './protocol';

type Engine = { wasm: Record<Build, Source>; build: Build };
type Member = { worker: Worker; pupil: Remote<Pupil>; broken: Promise<never>; leave: () => void };

/** A helper that has not answered for so long is taken for dead: a killed worker says nothing. */
const PATIENCE = 15_000;
/** A helper that broke so often is not replaced any more. */
const CHANCES = 5;

export class Crew {
  /** Those that are ready to work. */
  #ready: Member[] = [];
  #all = new Set<Member>();
  #broken = 0;

  constructor(
    private readonly engine: Engine,
    private readonly setup: string,
    private readonly pictures: Pictures,
    size: number,
    private readonly onReplaced: (worker: number) => void,
  ) {
    for (let i = 0; i < size; i++) void this.#hire();
  }

  get size(): number {
    return this.#ready.length;
  }

  /** Asks helper `i` for shards; null where it broke. */
  learn(i: number, params: Float32Array, step: number, from: number, to: number): Promise<Learnt | null> {
    const own = params.slice();
    return this.#ask<Learnt>(i, async (pupil) => pupil.learn(transfer(own, [own.buffer]), step, from, to));
  }

  /** Asks helper `i` to classify pieces of the first `count` pictures; null where it broke. */
  classify(i: number, params: Float32Array, from: number, to: number, count: number): Promise<Classified[] | null> {
    const own = params.slice();
    return this.#ask<Classified[]>(i, async (pupil) => pupil.classify(transfer(own, [own.buffer]), from, to, count));
  }

  end(): void {
    for (const { worker } of this.#all) worker.terminate();
    this.#all.clear();
    this.#ready = [];
  }

  async #ask<T>(i: number, question: (pupil: Remote<Pupil>) => Promise<T>): Promise<T | null> {
    const member = this.#ready[i];
    if (!member) return null;
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
    const member: Member = { worker, pupil: wrap<Pupil>(worker), broken, leave };
    this.#all.add(member);
    try {
      await inTime(Promise.race([member.pupil.start(this.engine.wasm, this.engine.build), broken]), 60_000);
      await inTime(Promise.race([member.pupil.open(this.setup, this.pictures), broken]), 60_000);
      if (this.#all.has(member)) this.#ready.push(member);
    } catch {
      this.#dismiss(member);
    }
  }

  #dismiss(member: Member): void {
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
