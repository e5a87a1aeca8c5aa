// How the maps of a layer stand: beside each other as narrow columns on a wide page, in rows on a phone.

import type { Layer } from '../../lib/types';
import type { Arrangement } from '../../ui/paint';

export function isStrip({ shape }: Layer): boolean {
  return shape[1] === 1 && shape[2] === 1;
}

const GAP = 3;

/** The least side of a tile that shows what a map holds. */
const LEAST = 28;

/** Stands the maps of a layer in a column of this width and height: all of them where they stay legible, else the first ones. */
export function fitting(layer: Layer, width: number, height: number): Arrangement {
  const [maps] = layer.shape;
  if (maps === 1) return { columns: 1, rows: 1, tile: Math.min(112, Math.max(48, width)), gap: 0 };
  if (isStrip(layer)) return strip(maps, width, height);
  // Sixteen to a column where they stay legible: then most first layers stand whole, and the later ones are as tall.
  const sixteen = Math.floor((height + GAP) / Math.min(maps, 16)) - GAP;
  const tile = Math.max(LEAST, Math.min(width, sixteen));
  return { columns: 1, rows: Math.min(maps, Math.floor((height + GAP) / (tile + GAP))), tile, gap: GAP };
}

/** Stands all maps of a layer in as few legible columns as this height allows. */
export function whole(layer: Layer, height: number): Arrangement {
  const [maps] = layer.shape;
  const rows = Math.floor((height + GAP) / (44 + GAP));
  return { columns: Math.ceil(maps / rows), rows: Math.min(maps, rows), tile: 44, gap: GAP };
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

function strip(values: number, width: number, height: number): Arrangement {
  const columns = values > 16 ? 2 : 1;
  const rows = Math.ceil(values / columns);
  // Ten values have their digits beside them.
  const room = values === 10 ? width - 18 : width;
  const tile = Math.min(28, Math.floor((room + 2) / columns) - 2, Math.floor((height + 2) / rows) - 2);
  return { columns, rows, tile: Math.max(8, tile), gap: 2 };
}
