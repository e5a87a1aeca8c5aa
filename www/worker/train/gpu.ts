// A training's steps on the GPU: some at a time, from the coach's state and back to it. Whatever happens to the device, the
// coach has the numbers of the last lot, and the thread goes on from them.

import { loadGpu } from '../../lib/gpu';
import type { Source } from '../../lib/fetch';
import type { Build } from '../../lib/types';
import { GpuTraining, Samples } from '../../public/wasm/gpu/hitofude.js';
import { samplesOf } from './compute';
import type { Pictures } from './protocol';
import type { Run } from './run';

/** Most steps in a lot. A read-back costs 5 to 15 ms in Chromium, 100 in Firefox. */
const LOT = 50;
/** Seconds of a lot: a pause waits for its end, and the page takes a thread that says nothing for half a minute for dead. */
const LONG = 1;
/** Steps in the first lots: the kernels are compiled, and it is seen how long a lot may be. */
const FIRST = [1, 5];

export class Gpu {
  /** Images per second of the last lot; 0 until the kernels are compiled. */
  pace = 0;
  #lots = 0;
  #steps: number;

  private constructor(
    private readonly training: GpuTraining,
    readonly name: string,
    steps: number,
  ) {
    this.#steps = steps;
  }

  /** Fetches the module and lays the training on the device. Throws where there is no WebGPU, and for a layer without kernels. */
  static async open(wasm: Record<Build, Source>, build: Build, setup: string, pictures: Pictures, run: Run): Promise<Gpu> {
    await loadGpu(wasm, { build });
    const samples = await samplesOf(pictures, Samples);
    const training = new GpuTraining(setup, samples);
    samples.free();
    try {
      const state = run.state();
      return new Gpu(training, await training.open(state), state.steps);
    } catch (error) {
      training.free();
      throw error;
    }
  }

  /** Whether its pace is known: that of lots as long as may be, where a read-back counts least. */
  get timed(): boolean {
    return this.#lots > FIRST.length;
  }

  /** Takes the next steps, none beyond the next validation. */
  async advance(run: Run): Promise<void> {
    if (this.#steps !== run.step) this.training.restore(run.state());
    const start = performance.now();
    const lot = FIRST[this.#lots] ?? Math.max(1, Math.min(LOT, Math.floor((LONG * this.pace) / run.batch)));
    const most = Math.min(lot, run.every - (run.step % run.every));
    const burst = await this.training.burst(most);
    this.#steps = burst.state.steps;
    if (this.#lots > 0) this.pace = (burst.loss.length * run.batch) / ((performance.now() - start) / 1000);
    this.#lots++;
    run.take(burst, this.pace || run.alone);
  }

  end(): void {
    this.training.close();
    this.training.free();
  }
}
