// Trains a small network with gradients of parameters that are no longer the newest, as a simulated training says: the
// delays are a model's, the losses are real.

import type { Source } from '../../lib/fetch';
import { loadStudio } from '../../lib/studio';
import type { Build } from '../../lib/types';
import { Coach, Learner, Samples } from '../../public/wasm/studio/hitofude.js';
import { isRefusal } from './compute';
import type { Stale } from './protocol';
import { serve } from '../serve';

const DIGITS = { seed: 1, train: 600, validation: 100 };
let samples: Samples | undefined;

const stale: Stale = {
  async start(wasm: Record<Build, Source>, build: Build) {
    await loadStudio(wasm, { build });
    samples = Samples.fromGenerator(DIGITS.seed, DIGITS.train, DIGITS.validation);
  },

  train(setup, lags) {
    const coach = new Coach(setup, samples!);
    const learner = new Learner(setup, samples!);
    const losses = new Float32Array(lags.length).fill(NaN);
    /** The newest parameters and those before, as far back as any lag reaches. */
    const kept = [coach.params()];
    const most = 1 + lags.reduce((a, b) => Math.max(a, b), 0);
    try {
      lags.forEach((lag, k) => {
        learner.receive(kept[Math.max(0, kept.length - 1 - lag)]!);
        const sums = learner.learn(k, 0);
        coach.add(learner.gradient(), sums);
        coach.step();
        losses[k] = sums.loss / sums.images;
        kept.push(coach.params());
        if (kept.length > most) kept.shift();
      });
    } catch (error) {
      // A loss beyond all bounds: the rest stays without a number.
      if (!isRefusal(error)) throw error;
    } finally {
      coach.free();
      learner.free();
    }
    return losses;
  },
};

serve(stale);
