// How the maps of a layer stand: beside each other as narrow columns on a wide page, in rows on a phone.

import type { Layer } from '../../lib/types';
import type { Arrangement } from '../../ui/paint';

export function isStrip({ shape }: Layer): boolean {
  return shape[1] === 1 && shape[2] === 1;
}

const GAP = 3;

/** Stands the maps of a layer in `height` CSS pixels, as narrow as legible tiles allow. */
export function standing(layer: Layer, height: number): Arrangement {
  const [maps, rows] = layer.shape;
  if (maps === 1) return { columns: 1, rows: 1, tile: 112, gap: 0 };
  if (isStrip(layer)) return strip(maps, height);
  const legible = rows > 20 ? 44 : rows > 10 ? 40 : 28;
  for (let columns = 1; ; columns++) {
    const inColumn = Math.ceil(maps / columns);
    const tile = Math.floor((height - GAP * (inColumn - 1)) / inColumn);
    if (tile >= legible || inColumn === 1) return { columns, rows: inColumn, tile: Math.min(tile, 64), gap: GAP };
  }
}

/** Lays the maps of a layer in rows of sixteen, to be scrolled sideways by a thumb. */
export function lying(layer: Layer): Arrangement {
  const [maps] = layer.shape;
  if (maps === 1) return { columns: 1, rows: 1, tile: 112, gap: 0 };
  if (isStrip(layer)) {
    const columns = Math.min(maps, 25);
    return { columns, rows: Math.ceil(maps / columns), tile: maps > 10 ? 24 : 28, gap: 2 };
  }
  const columns = Math.min(maps, 16);
  const rows = Math.ceil(maps / columns);
  return { columns, rows, tile: rows > 2 ? 44 : 56, gap: GAP };
}

function strip(values: number, height: number): Arrangement {
  const columns = values > 16 ? 2 : 1;
  const rows = Math.ceil(values / columns);
  return { columns, rows, tile: Math.min(28, Math.floor((height + 2) / rows) - 2), gap: 2 };
}
