// A worker that computes gradients for the training thread. It has the pictures; the parameters come with every step.

import { transfer } from 'comlink';
import { loadStudio } from '../../lib/studio';
import { Learner } from '../../public/wasm/studio/hitofude.js';
import { classify, learn, samplesOf } from './compute';
import type { Pupil } from './protocol';
import { serve } from '../serve';

let learner: Learner | undefined;

const pupil: Pupil = {
  async start(wasm, build) {
    return loadStudio(wasm, { build });
  },

  async open(setup, pictures) {
    learner = new Learner(setup, await samplesOf(pictures));
  },

  learn(params, step, from, to) {
    if (!learner) throw new Error('nothing to learn from');
    const learnt = learn(learner, params, step, from, to);
    return 'shards' in learnt ? transfer(learnt, learnt.shards.map(({ gradient }) => gradient.buffer)) : learnt;
  },

  classify(params, from, to, count) {
    if (!learner) throw new Error('nothing to learn from');
    return classify(learner, params, from, to, count);
  },
};

serve(pupil);
