import type { Maps } from '../worker/protocol';
import type { Range } from './paint';

/** Whether one scale serves a whole layer, so that maps compare, or each map has its own, so that faint ones show. */
export type Scaling = 'layer' | 'map';

export type MapStats = { min: number; mean: number; max: number };

export function statsOf({ stats }: Maps, map: number): MapStats {
  return { min: stats[3 * map] ?? 0, mean: stats[3 * map + 1] ?? 0, max: stats[3 * map + 2] ?? 0 };
}

/** Least and greatest value of a whole layer. */
export function extent({ stats }: Maps): { min: number; max: number } {
  let min = Infinity;
  let max = -Infinity;
  for (let i = 0; i < stats.length; i += 3) {
    min = Math.min(min, stats[i] as number);
    max = Math.max(max, stats[i + 2] as number);
  }
  return { min, max };
}

/** From zero to the greatest value; with negative values symmetric about zero, so that zero is paper. */
export function rangeOf(maps: Maps, scaling: Scaling): Range {
  const layer = extent(maps);
  const signed = layer.min < 0;
  const ends = ({ min, max }: { min: number; max: number }): [number, number] => {
    const end = Math.max(max, -min);
    return [signed ? -end : 0, end];
  };
  return scaling === 'layer' ? () => ends(layer) : (map) => ends(statsOf(maps, map));
}
