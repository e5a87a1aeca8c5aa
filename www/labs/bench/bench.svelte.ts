// A run of the benchmark on this device: both builds take turns, case by case, and every answer is looked at before its
// time counts.

import { releaseProxy, wrap, type Remote } from 'comlink';
import { studio } from 'virtual:engine-files';
import { CASES, type Case } from '../../../benches/cases.mjs';
import { m } from '../../texts/bench';
import { agree, middle, summary } from '../../../benches/measure.mjs';
import type { Build, Node } from '../../lib/types';
import type { Bench as Desk, Turn } from '../../worker/bench/protocol';
import { committed } from './committed';

const ROUNDS = 7;
export const BUILDS: Build[] = ['simd128', 'relaxed-simd'];

export type Time = { median: number; low: number; high: number };
export type LayerTime = { layer: Node; forward: number; backward: number };
export type Row = { build: Build; time: Time; planBytes: number; layers: LayerTime[] };
export type Measured = { kase: Case; rows: Row[] };

type Worked = { build: Build; worker: Worker; desk: Remote<Desk> };

export class Bench {
  state = $state<'idle' | 'running' | 'done' | 'stopped' | 'failed'>('idle');
  /** What is under way, in words, and how much of the whole is done. */
  step = $state('');
  share = $state(0);
  message = $state('');
  /** GFLOP/s that this device reaches at best, by build; null where it cannot run it. */
  ceilings = $state<Partial<Record<Build, number | null>>>({});
  results = $state.raw<Measured[]>([]);
  #workers: Worked[] = [];

  async run(): Promise<void> {
    this.#end();
    Object.assign(this, { state: 'running', step: m.step_start(), share: 0, message: '', ceilings: {}, results: [] });
    const workers = (this.#workers = BUILDS.map(thread));
    try {
      const ready = await this.#start(workers);
      for (const [i, kase] of CASES.entries()) {
        this.results = [...this.results, await this.#measure(kase, ready, i)];
        this.share = (i + 1) / CASES.length;
      }
      this.state = 'done';
    } catch (error) {
      // Whoever was cancelled has been told.
      if (workers === this.#workers) Object.assign(this, { state: 'failed', message: (error as Error).message });
    } finally {
      if (workers === this.#workers) this.#end();
    }
  }

  /** Stops at once; what has been measured stays. */
  cancel(): void {
    this.#end();
    this.state = 'stopped';
  }

  async #start(workers: Worked[]): Promise<Worked[]> {
    const ready: Worked[] = [];
    for (const worked of workers) {
      const top = await worked.desk.start(studio, worked.build).catch((error: Error) => {
        // A browser without relaxed SIMD does not compile that build.
        if (worked.build === 'relaxed-simd') return null;
        throw error;
      });
      this.ceilings = { ...this.ceilings, [worked.build]: top };
      if (top !== null) ready.push(worked);
    }
    return ready;
  }

  async #measure(kase: Case, workers: Worked[], index: number): Promise<Measured> {
    const parts = [];
    for (const { build, desk } of workers) {
      this.step = m.step_warm({ case: titleOf(kase), build });
      const made = await desk.prepare(kase);
      agree(`${build} (${kase.title})`, made.print, committed.print(kase.id));
      parts.push({ build, desk, made, turns: [] as Turn[], tops: [] as number[] });
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (let i = 0; i < parts.length; i++) {
        const part = parts[(round + i) % parts.length];
        if (!part) continue;
        this.step = m.step_round({ case: titleOf(kase), round: round + 1, rounds: ROUNDS });
        part.turns.push(await part.desk.turn());
        part.tops.push(await part.desk.ceiling());
      }
      this.share = (index + (round + 1) / ROUNDS) / CASES.length;
    }
    for (const { build, tops } of parts) {
      this.ceilings = { ...this.ceilings, [build]: Math.max(this.ceilings[build] ?? 0, ...tops) };
    }
    return { kase, rows: parts.map(({ build, made, turns }) => row(build, made.layers, made.planBytes, turns)) };
  }

  #end(): void {
    for (const { worker, desk } of this.#workers) {
      desk[releaseProxy]();
      worker.terminate();
    }
    this.#workers = [];
  }
}

const TITLES: Record<string, () => string> = {
  b1: () => m.case_b1(),
  b100: () => m.case_b100(),
  train32: () => m.case_train32(),
  train100: () => m.case_train100(),
  resnet18: () => m.case_resnet18(),
  conv64: () => m.case_conv64(),
  conv64g: () => m.case_conv64g(),
};

/** A case's name in the page's language. */
export const titleOf = ({ id, title }: Case): string => TITLES[id]?.() ?? title;

function thread(build: Build): Worked {
  const worker = new Worker(new URL('../../worker/bench/compute.ts', import.meta.url), { type: 'module' });
  return { build, worker, desk: wrap<Desk>(worker) };
}

function row(build: Build, layers: Node[], planBytes: number, turns: Turn[]): Row {
  const times = layers.map((layer, i) => ({
    layer,
    forward: middle(turns.map(({ forward }) => forward[i] ?? NaN)),
    backward: middle(turns.map(({ backward }) => backward[i] ?? NaN)),
  }));
  return { build, planBytes, layers: times, time: summary(turns.map(({ time }) => time)) };
}

/** Floating-point operations of one run as a direct convolution does it, a multiply-add being two; going back costs two
 * such products more (one in the first layer, whose input wants no gradient). */
export function operations({ task, batch }: Case, layers: Node[]): number {
  const products = (i: number) => {
    if (task === 'forward') return 1;
    const first = layers[i - 1]?.kind === 'input';
    if (task === 'gradient') return 3;
    return first ? 2 : 3;
  };
  return layers.reduce((sum, { multiplyAdds }, i) => sum + 2 * batch * multiplyAdds * products(i), 0);
}
