import type { Layer, Model } from '../lib/types';
import type { Maps } from './protocol';

/** What a layer made of the last picture, with what each map's values amount to; nothing for no layer. */
export function mapsOf(model: Model, layer: Layer | undefined): Maps[] {
  if (!layer) return [];
  const values = model.features(layer.name);
  return [{ layer: layer.name, values, stats: statistics(values, layer.shape[0]) }];
}

/** Minimum, mean and maximum of each of so many maps. */
export function statistics(values: Float32Array, maps: number): Float32Array {
  const stats = new Float32Array(3 * maps);
  const size = values.length / maps;
  for (let map = 0; map < maps; map++) {
    let min = Infinity;
    let max = -Infinity;
    let sum = 0;
    for (let i = map * size; i < (map + 1) * size; i++) {
      const value = values[i] as number;
      min = Math.min(min, value);
      max = Math.max(max, value);
      sum += value;
    }
    stats.set([min, sum / size, max], 3 * map);
  }
  return stats;
}
