// The thread that teaches: it holds the network as it came, and what a lesson rehearses.

import { transfer } from 'comlink';
import { bytes, twice } from '../../lib/fetch';
import { loadStudio } from '../../lib/studio';
import type { Ink } from '../../lib/types';
import { Model, Teacher } from '../../public/wasm/studio/hitofude.js';
import type { School, Verdict } from './protocol';
import { serve } from '../serve';

/** Decides how drawings are varied and in what order they come. */
const SEED = 1;

let weights: Uint8Array | undefined;
let original: Model | undefined;
let teacher: Teacher | undefined;

const school: School = {
  start: (wasm, build) => loadStudio(wasm, { build }),

  async open(source) {
    weights = await twice((cache) => bytes(source, cache, {}));
    original = new Model(weights);
  },

  prepare() {
    if (!weights) throw new Error('no network is open');
    teacher ??= new Teacher(weights);
  },

  teach(examples) {
    school.prepare();
    if (!teacher || !original) throw new Error('no network is open');
    const start = performance.now();
    const lesson = teacher.teach(examples, SEED);
    const milliseconds = performance.now() - start;
    const taught = new Model(lesson.weights);
    try {
      const verdicts = examples.map(({ strokes }): [Verdict, Verdict] => [verdict(original!, { strokes }), verdict(taught, { strokes })]);
      return transfer({ ...lesson, verdicts, milliseconds }, [lesson.weights.buffer]);
    } finally {
      taught.free();
    }
  },

  read(ink) {
    if (!original) throw new Error('no network is open');
    return reading(original, ink);
  },
};

function reading(model: Model, ink: Ink): Verdict | null {
  const answer = model.predictInk(ink);
  return answer.status === 'empty' ? null : { digit: answer.digit, probability: answer.probabilities[answer.digit] ?? 0 };
}

/** Of a drawing that a lesson has taken: it has ink. */
function verdict(model: Model, ink: Ink): Verdict {
  return reading(model, ink) ?? { digit: 0, probability: 0 };
}

serve(school);
