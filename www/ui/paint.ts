// Puts a layer's values on a canvas, one tile per map.

import type { Ramp } from './palette.svelte';

/** How the maps of a layer stand together: a grid of square tiles, lengths in CSS pixels. */
export type Arrangement = { columns: number; rows: number; tile: number; gap: number };

/** The values that stand for the two ends of a ramp, for each map. */
export type Range = (map: number) => [number, number];

type Shape = [maps: number, height: number, width: number];

/** Draws maps, or nothing but their frames when there are no values. */
export function paintMaps(
  canvas: HTMLCanvasElement,
  shape: Shape,
  values: Float32Array | undefined,
  ramp: Ramp,
  range: Range,
  { columns, rows, tile, gap }: Arrangement,
): void {
  const ratio = devicePixelRatio;
  const [maps, height, width] = shape;
  const pitch = (tile + gap) * ratio;
  const side = Math.round(tile * ratio);
  resize(canvas, Math.round(columns * pitch - gap * ratio), Math.round(rows * pitch - gap * ratio));
  const context = canvas.getContext('2d');
  if (!context) return;
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (!values) return;
  const sheet = spread(values, shape, ramp, range);
  context.imageSmoothingEnabled = false;
  for (let map = 0; map < maps; map++) {
    const left = Math.round((map % columns) * pitch);
    const top = Math.round(Math.floor(map / columns) * pitch);
    context.drawImage(sheet, 0, map * height, width, height, left, top, side, side);
  }
}

function resize(canvas: HTMLCanvasElement, width: number, height: number): void {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
}

let scratch: HTMLCanvasElement | undefined;

/** Colours all values onto one sheet, the maps under each other. */
function spread(values: Float32Array, [maps, height, width]: Shape, ramp: Ramp, range: Range): HTMLCanvasElement {
  scratch ??= document.createElement('canvas');
  resize(scratch, width, maps * height);
  const image = new ImageData(width, maps * height);
  const pixels = new Uint32Array(image.data.buffer);
  const size = width * height;
  for (let map = 0; map < maps; map++) {
    const [low, high] = range(map);
    const scale = high > low ? 255 / (high - low) : 0;
    for (let i = map * size; i < (map + 1) * size; i++) {
      const level = Math.round(((values[i] as number) - low) * scale);
      pixels[i] = ramp[level < 0 ? 0 : level > 255 ? 255 : level] as number;
    }
  }
  scratch.getContext('2d')?.putImageData(image, 0, 0);
  return scratch;
}
