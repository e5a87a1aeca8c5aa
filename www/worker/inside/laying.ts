// UMAP in a thread of its own (McInnes et al. 2018): it takes seconds, and the drawing must not wait for it.

import { UMAP } from 'umap-js';
import type { Laying } from './protocol';
import { serve } from '../serve';

/** Epochs between two looks at the map. */
const EVERY = 10;

const laying: Laying = {
  async lay(rows, size, onPlaces) {
    const points = Array.from({ length: rows.length / size }, (_, i) => Array.from(rows.subarray(i * size, (i + 1) * size)));
    const umap = new UMAP({ nNeighbors: 15, minDist: 0.1, random: seeded(1) });
    const epochs = umap.initializeFit(points);
    const places = () => Float32Array.from(umap.getEmbedding().flat());
    for (let epoch = 1; epoch <= epochs; epoch++) {
      umap.step();
      if (epoch % EVERY === 0) onPlaces(places(), epoch / epochs);
    }
    return places();
  },
};

/** The same map for the same digits: a small generator (Marsaglia's xorshift) in place of the browser's dice. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

serve(laying);
