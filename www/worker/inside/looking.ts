// The thread that looks into a network for the Inside lab.

import { transfer } from 'comlink';
import { bytes, twice } from '../../lib/fetch';
import { loadStudio } from '../../lib/studio';
import { Explainer, outline, preprocess } from '../../public/wasm/studio/hitofude.js';
import type { Looking } from './protocol';
import { serve } from '../serve';

let started: Promise<unknown> | undefined;
let explainer: Explainer | undefined;

function network(): Explainer {
  if (!explainer) throw new Error('no network is open');
  return explainer;
}

const looking: Looking = {
  async start(wasm, build, onProgress) {
    const loading = loadStudio(wasm, { onProgress, ...(build && { build }) });
    started = loading;
    return loading;
  },

  async open(weights, onProgress) {
    const opened = await twice(async (cache) => {
      const file = weights instanceof Uint8Array ? weights : await bytes(weights, cache, { onProgress });
      await started;
      return new Explainer(file);
    });
    explainer?.free();
    explainer = opened;
    return { layers: opened.layers(), batch: opened.batch };
  },

  centred: (strokes) => unless('empty', () => preprocess({ strokes }).at(-1)?.pixels ?? null),
  look: (ink) => network().look(ink),
  see: (picture) => network().see(picture),
  values: (layers) => layers.map((layer) => network().values(layer)),
  outline: (network) => outline(network),
  weights(layer) {
    const [weight, bias] = ['weight', 'bias'].map((name) => unless('missing', () => network().parameter(`${layer}.${name}`)));
    return { weight: weight ?? null, bias: bias ?? null };
  },
  step: (...at) => network().step(...at),
  columns(layer) {
    const columns = network().columns(layer);
    return transfer(columns, [columns.pixels.buffer]);
  },
  softmax: () => network().softmax(),
  backward: (...given) => network().backward(...given),
  numeric: (label, parameter, place, steps) => steps.map((h) => network().numeric(label, parameter, place, h)),
  reasons({ method, amount, noise }, label) {
    const start = performance.now();
    const reasons = network().reasons(method, label, amount, noise);
    return { reasons, milliseconds: performance.now() - start };
  },
  gather: (count) => network().gather(count),
  gathered: () => network().gathered(),
  neighbours: (count) => network().neighbours(count),
  made: (digit) => network().made(digit),
  want: (layer, channels, wish) => network().want(layer, Uint32Array.from(channels), wish),
  climb: (steps) => network().climb(steps),
  dream: (...given) => network().dream(...given),
  dreamOn: () => network().dreamOn(),
};

/** What `ask` gives, or null where it is refused with this code. */
function unless<T>(code: string, ask: () => T): T | null {
  try {
    return ask();
  } catch (error) {
    if ((error as { code?: string }).code === code) return null;
    throw error;
  }
}

serve(looking);
