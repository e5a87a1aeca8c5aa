// The network as the page lays it out: one column per layer that has weights or changes the shape. ReLU belongs to the
// column of the layer it follows; dropout passes everything on while reading; softmax is the answer itself.

import type { Layer } from '../../lib/types';
import type { Arrangement } from '../../ui/paint';

export type Column = {
  /** The layer that gives the column its name, shape and formula. */
  layer: Layer;
  /** The layer whose values are shown: the ReLU behind it, if there is one. */
  shown: Layer;
};

export function columnsOf(layers: Layer[]): Column[] {
  const columns: Column[] = [];
  for (const layer of layers) {
    const last = columns.at(-1);
    if (layer.kind === 'relu' && last) last.shown = layer;
    else if (layer.kind !== 'dropout' && layer.kind !== 'softmax') columns.push({ layer, shown: layer });
  }
  return columns;
}

export function isStrip({ shown }: Column): boolean {
  return shown.shape[1] === 1 && shown.shape[2] === 1;
}

const GAP = 3;

/** Stands the maps of a column in `height` CSS pixels, as narrow as legible tiles allow. */
export function standing(column: Column, height: number): Arrangement {
  const [maps, rows] = column.shown.shape;
  if (maps === 1) return { columns: 1, rows: 1, tile: 112, gap: 0 };
  if (isStrip(column)) return strip(maps, height);
  const legible = rows > 20 ? 44 : rows > 10 ? 40 : 28;
  for (let columns = 1; ; columns++) {
    const inColumn = Math.ceil(maps / columns);
    const tile = Math.floor((height - GAP * (inColumn - 1)) / inColumn);
    if (tile >= legible || inColumn === 1) return { columns, rows: inColumn, tile: Math.min(tile, 64), gap: GAP };
  }
}

/** Lays the maps of a column in rows of sixteen, to be scrolled sideways by a thumb. */
export function lying(column: Column): Arrangement {
  const [maps] = column.shown.shape;
  if (maps === 1) return { columns: 1, rows: 1, tile: 112, gap: 0 };
  if (isStrip(column)) return maps > 10 ? { columns: 25, rows: Math.ceil(maps / 25), tile: 24, gap: 2 } : { columns: maps, rows: 1, tile: 28, gap: 2 };
  const columns = Math.min(maps, 16);
  const rows = Math.ceil(maps / columns);
  return { columns, rows, tile: rows > 2 ? 44 : 56, gap: GAP };
}

function strip(values: number, height: number): Arrangement {
  const columns = values > 16 ? 2 : 1;
  const rows = Math.ceil(values / columns);
  return { columns, rows, tile: Math.min(28, Math.floor((height + 2) / rows) - 2), gap: 2 };
}
