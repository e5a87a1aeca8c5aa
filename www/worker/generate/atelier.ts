// The thread in which digits are drawn and two networks learn from one another.

import { bytes, twice } from '../../lib/fetch';
import { loadSystems } from '../../lib/systems';
import { DigitGenerator, GanLearner, latentRows, madeDigits } from '../../public/wasm/systems/hitofude.js';
import { serve } from '../serve';
import type { Atelier, News } from './protocol';

const SIZE = 28 * 28;
/** Milliseconds between two reports. */
const REPORT = 500;
/** Made digits that variety is measured against. */
const REAL = 400;

let started: Promise<unknown> | undefined;
let shipped: DigitGenerator | undefined;
let learner: GanLearner | undefined;
let still = false;
let wake = () => {};
/** Grows with every training: an earlier one ends. */
let lesson = 0;
let real = 0;

function the<T>(thing: T | undefined, what: string): T {
  if (!thing) throw new Error(`there is no ${what} yet`);
  return thing;
}

/** The mean distance between two images of one digit. */
function spread(images: ArrayLike<number>, digits: Uint8Array, scale: number): number {
  let [sum, pairs] = [0, 0];
  for (let i = 0; i < digits.length; i++) {
    for (let j = 0; j < i; j++) {
      if (digits[i] !== digits[j]) continue;
      let square = 0;
      for (let k = 0; k < SIZE; k++) square += ((images[i * SIZE + k]! - images[j * SIZE + k]!) * scale) ** 2;
      sum += Math.sqrt(square);
      pairs++;
    }
  }
  return sum / Math.max(1, pairs);
}

function variety(images: Float32Array, digits: Uint8Array): number {
  if (!real) {
    const { pixels, labels } = madeDigits(REAL, 1);
    real = spread(pixels, labels, 1 / 255);
  }
  return spread(images, digits, 1) / real;
}

async function teach(own: number, grid: Parameters<Atelier['learn']>[1], hear: (news: News) => Promise<void> | void): Promise<void> {
  let [since, steps, rate] = [performance.now(), 0, 0];
  for (;;) {
    await new Promise((done) => setTimeout(done));
    if (still) {
      await new Promise<void>((go) => (wake = go));
      since = performance.now();
    }
    if (own !== lesson || !learner) return;
    const from = performance.now();
    let round = learner.step(1);
    steps++;
    let rounds = 1;
    const sum = { ...round };
    while (performance.now() - from < REPORT && round.trouble === null) {
      round = learner.step(1);
      for (const key of ['dLoss', 'gLoss', 'dReal', 'dFake'] as const) sum[key] += round[key];
      rounds++;
      steps++;
    }
    for (const key of ['dLoss', 'gLoss', 'dReal', 'dFake'] as const) sum[key] /= rounds;
    rate = (1000 * steps) / (performance.now() - since);
    if (performance.now() - since > 5000) [since, steps] = [performance.now(), 0];
    const drawn = learner.draw(grid.latents, grid.digits);
    await hear({ round: { ...sum, steps: round.steps, trouble: round.trouble }, rate, grid: drawn, variety: variety(drawn, grid.digits) });
    if (round.trouble !== null) still = true;
  }
}

const atelier: Atelier = {
  async start(wasm, build, onProgress) {
    const loading = loadSystems(wasm, { onProgress, ...(build && { build }) });
    started = loading;
    return loading;
  },

  async open(file, onProgress) {
    shipped ??= await twice(async (cache) => {
      const own = await bytes(file, cache, { onProgress });
      await started;
      return new DigitGenerator(own);
    });
    return shipped.latent;
  },

  settings: () => GanLearner.settings(),
  latents: (n, latent, seed) => latentRows(n, latent, seed),
  draw: (whose, latents, digits) => (whose === 'shipped' ? the(shipped, 'generator') : the(learner, 'learner')).draw(latents, digits),
  blend: (latents, weights) => the(shipped, 'generator').blend(latents, weights),

  learn({ settings, seed, real: count }, grid, hear) {
    const next = new GanLearner(count, settings, seed);
    learner?.free();
    learner = next;
    still = false;
    wake();
    void teach(++lesson, grid, hear);
  },

  pause(now) {
    still = now;
    if (!now) wake();
  },

  judge: (image) => the(learner, 'learner').judge(image),
  variety: (images, digits) => variety(images, digits),
  save: () => the(learner, 'learner').save() as Uint8Array<ArrayBuffer>,
};

serve(atelier);
