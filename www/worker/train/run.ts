// One training: its coach, its learner, and its curves.

import { Coach, Learner, type Samples } from '../../public/wasm/studio/hitofude.js';
import type { Checkpoint, Classified, Tensor } from '../../lib/types';
import type { GpuBurst } from '../../public/wasm/gpu/hitofude.js';
import { classify, deal, learn, PIECE } from './compute';
import type { Crew } from './crew';
import type { History, Learnt, Pace, Saved, Shard, Validation } from './protocol';

/** Steps that the thread takes alone before helpers join, to know its own pace. */
const ALONE = 6;

/** A step that the engine refused, and no weight has changed. */
export class Refused extends Error {}

export class Run {
  readonly history: History;
  readonly steps: number;
  readonly batch: number;
  rate = 0;
  pace: Pace | null = null;
  /** Whether the engine refused the last step. */
  failed = false;
  /** The classes of the pictures to choose by. */
  labels: Uint8Array = new Uint8Array();
  #setup: string;
  #coach: Coach;
  #learner: Learner;
  #shards: number;
  #patient: boolean;
  #pictures: number;
  /** Milliseconds of the steps taken alone, and of the last ones together. */
  #alone: number[] = [];
  #together: number[] = [];
  #good: { checkpoint: Checkpoint; history: History };

  constructor(setup: string, samples: Samples, from: Saved | null, weights?: Uint8Array) {
    const { steps, batch, shard, options } = JSON.parse(setup) as { steps: number; batch: number; shard: number; options?: { patience?: number } };
    [this.steps, this.batch, this.#shards] = [steps, batch, Math.ceil(batch / shard)];
    this.#patient = Boolean(options?.patience);
    this.#pictures = samples.labels('validation').length;
    this.#setup = setup;
    this.#coach = new Coach(setup, samples);
    this.#learner = new Learner(setup, samples);
    if (from) this.#coach.restore(from.checkpoint);
    else if (weights) this.#coach.beginWith(weights);
    this.history = from ? { ...structuredClone(from.history), norm: from.history.norm ?? from.history.loss.map(() => NaN) } : { loss: [], accuracy: [], norm: [], validations: [] };
    this.#good = { checkpoint: this.#coach.state(), history: structuredClone(this.history) };
  }

  get step(): number {
    return this.#coach.steps;
  }

  /** Steps between validations. */
  get every(): number {
    return this.#coach.every;
  }

  get finished(): boolean {
    return this.#coach.finished;
  }

  /** Takes one step; throws `Refused` where the engine will not. */
  async advance(crew: Crew | null): Promise<void> {
    const start = performance.now();
    const step = this.step;
    const helpers = crew && this.#alone.length >= ALONE ? Math.min(crew.size, this.#shards - 1) : 0;
    const parts = deal(this.#shards, helpers + 1);
    const params = this.#coach.params();
    const asked = parts.slice(1).map(([from, to], i) => crew!.learn(i, params, step, from, to));
    const own = learn(this.#learner, params, step, ...parts[0]!);
    const all = [own];
    // While the helpers finish theirs.
    this.#add(own);
    for (const [i, answer] of (await Promise.all(asked)).entries()) {
      // A helper that broke has left its part to be done here.
      const part = answer ?? learn(this.#learner, params, step, ...parts[i + 1]!);
      all.push(part);
      this.#add(part);
    }
    const { images, loss, correct, gradientNorm, rate } = refusing(() => this.#coach.step(), () => this.#explode(all));
    this.history.loss.push(loss / images);
    this.history.accuracy.push(correct / images);
    this.history.norm.push(gradientNorm);
    this.rate = rate;
    this.#measure(performance.now() - start, helpers, all);
  }

  /**
   * Looks at pictures to choose by: at some of them, by which early stopping goes, and behind the end at all, with the
   * weights that are kept.
   */
  async validate(crew: Crew | null, single: boolean): Promise<{ validation: Validation; found: Classified }> {
    const some = Math.min(this.#coach.glance, this.#pictures);
    if (this.finished && !this.#patient && !single) return this.#look(crew, this.#coach.result(), this.#pictures);
    const seen = await this.#look(crew, this.#coach.latest(), some);
    this.#coach.see(seen.validation.loss);
    return this.finished && !single ? this.#look(crew, this.#coach.result(), this.#pictures) : seen;
  }

  async #look(crew: Crew | null, params: Float32Array, count: number): Promise<{ validation: Validation; found: Classified }> {
    const parts = deal(Math.ceil(count / PIECE), (crew?.local ?? 0) + 1);
    const asked = parts.slice(1).map(([from, to], i) => crew!.classify(i, params, from, to, count));
    const pieces = classify(this.#learner, params, ...parts[0]!, count);
    for (const [i, answer] of (await Promise.all(asked)).entries()) {
      pieces.push(...(answer ?? classify(this.#learner, params, ...parts[i + 1]!, count)));
    }
    const classes = concat(Uint8Array, pieces.map((piece) => piece.classes));
    const confidences = concat(Float32Array, pieces.map((piece) => piece.confidences));
    const loss = pieces.reduce((sum, piece) => sum + piece.loss, 0);
    const right = classes.reduce((sum, label, i) => sum + Number(label === this.labels[i]), 0);
    const validation = { step: this.step, loss: loss / count, accuracy: right / count };
    this.history.validations.push(validation);
    return { validation, found: { classes, confidences, loss } };
  }

  /** Everything to go on from here. */
  state(): Checkpoint {
    return this.#coach.state();
  }

  /** Images per second of this thread alone; 0 until it has been timed. */
  get alone(): number {
    return this.#alone.length >= ALONE ? this.batch / (median(this.#alone.slice(1)) / 1000) : 0;
  }

  /** Takes over steps that a GPU has taken, at this pace. */
  take(burst: GpuBurst, pace: number): void {
    // What early stopping remembers is not the GPU's to know.
    this.#coach.restore({ ...this.#coach.state(), ...burst.state });
    this.history.loss.push(...burst.loss);
    this.history.accuracy.push(...burst.accuracy);
    this.history.norm.push(...burst.norm);
    this.rate = burst.rate;
    this.pace = { batch: this.batch, imagesPerSecond: pace, alone: this.alone, workers: 1, communication: 0 };
  }

  /** Scores the test pictures with the weights that are kept, a piece at a time; `between` lets others in. */
  async test(setup: string, samples: Samples, between: (done: number, count: number) => Promise<void>): Promise<void> {
    const learner = new Learner(setup, samples);
    try {
      const labels = samples.labels('validation');
      const params = this.#coach.result();
      let right = 0;
      for (let first = 0; first < labels.length; first += PIECE) {
        const [piece] = classify(learner, params, first / PIECE, first / PIECE + 1, labels.length);
        piece?.classes.forEach((label, i) => (right += Number(label === labels[first + i])));
        await between(first + (piece?.classes.length ?? 0), labels.length);
      }
      this.history.test = { count: labels.length, accuracy: right / labels.length };
    } finally {
      learner.free();
    }
  }

  /** Remembers this moment as one to go back to. */
  keep(): { checkpoint: Checkpoint; history: History } {
    this.#good = { checkpoint: this.#coach.state(), history: structuredClone(this.history) };
    return this.#good;
  }

  /** Goes back to the last good moment. */
  goBack(): void {
    this.#coach.restore(this.#good.checkpoint);
    Object.assign(this.history, structuredClone(this.#good.history));
  }

  get setup(): { setup: string; parameters: number } {
    return { setup: this.#setup, parameters: this.#coach.params().length };
  }

  /** The gradient of one shard, computed here; null where the engine refuses. */
  shard(params: Float32Array, step: number, shard: number): Float32Array | null {
    const learnt = learn(this.#learner, params, step, shard, shard + 1);
    return 'shards' in learnt ? learnt.shards[0]!.gradient : null;
  }

  inspect() {
    return {
      step: this.step,
      activations: this.#learner.activations(),
      weights: this.#coach.inspect(),
      filters: this.#coach.filters(),
    };
  }

  weights(): Tensor[] {
    return this.#coach.weights();
  }

  free(): void {
    this.#coach.free();
    this.#learner.free();
  }

  #add(part: Learnt): void {
    for (const { gradient, sums } of shardsOf(part)) this.#coach.add(gradient, sums);
  }

  /** Puts the loss that was refused at the end of the curve: what goes back cuts it off. */
  #explode(all: Learnt[]): void {
    const sums = all.flatMap(shardsOf).map((shard) => shard.sums);
    const images = sums.reduce((sum, one) => sum + one.images, 0);
    const loss = sums.reduce((sum, one) => sum + one.loss, 0) / images;
    if (!Number.isFinite(loss)) return;
    this.history.loss.push(loss);
    this.history.accuracy.push(sums.reduce((sum, one) => sum + one.correct, 0) / images);
    this.history.norm.push(NaN);
  }

  #measure(milliseconds: number, helpers: number, all: Learnt[]): void {
    const computing = Math.max(...all.map((part) => ('shards' in part ? part.milliseconds : 0)));
    // The first step of all warms up.
    if (helpers === 0) this.#alone.push(milliseconds);
    const times = helpers ? this.#together : this.#alone;
    if (helpers) this.#together.push(milliseconds);
    if (times.length > 40) times.shift();
    const alone = this.batch / (median(this.#alone.slice(1)) / 1000);
    this.pace = {
      batch: this.batch,
      imagesPerSecond: this.batch / (median(times.length > 1 ? times.slice(1) : times) / 1000),
      alone: Number.isFinite(alone) ? alone : 0,
      workers: helpers + 1,
      communication: Math.max(0, 1 - computing / milliseconds),
    };
  }
}

function shardsOf(learnt: Learnt): Shard[] {
  if ('refused' in learnt) throw new Refused(learnt.refused);
  return learnt.shards;
}

function refusing<T>(work: () => T, onRefused: () => void): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    onRefused();
    throw new Refused(error.message);
  }
}

function concat<T extends Uint8Array | Float32Array>(kind: new (length: number) => T, parts: T[]): T {
  const all = new kind(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}
