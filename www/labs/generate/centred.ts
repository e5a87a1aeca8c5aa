// A person's digit as the pair's images are: its ink 20 pixels high or wide in the middle of 28 × 28.

import type { Stroke } from '../../lib/types';

const [SIDE, BOX, FINE] = [28, 20, 4];

/** Numbers from 0 (paper) to 1 (ink); undefined without ink. */
export function centred(strokes: Stroke[]): Float32Array | undefined {
  const points = strokes.flat();
  if (!points.length) return undefined;
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const scale = (FINE * BOX) / Math.max(right - left, bottom - top, 0.05);
  const canvas = new OffscreenCanvas(FINE * SIDE, FINE * SIDE);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) return undefined;
  const at = ([x, y]: readonly [number, number]) => [(FINE * SIDE) / 2 + (x - (left + right) / 2) * scale, (FINE * SIDE) / 2 + (y - (top + bottom) / 2) * scale] as const;
  context.lineWidth = FINE * 2.4;
  context.lineCap = context.lineJoin = 'round';
  for (const [first, ...rest] of strokes) {
    if (!first) continue;
    context.beginPath();
    context.moveTo(...at(first));
    context.lineTo(...at(first));
    for (const point of rest) context.lineTo(...at(point));
    context.stroke();
  }
  const { data } = context.getImageData(0, 0, FINE * SIDE, FINE * SIDE);
  return Float32Array.from({ length: SIDE * SIDE }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < FINE * FINE; k++) {
      const [x, y] = [(i % SIDE) * FINE + (k % FINE), Math.floor(i / SIDE) * FINE + Math.floor(k / FINE)];
      sum += data[4 * (y * FINE * SIDE + x) + 3]!;
    }
    return sum / (255 * FINE * FINE);
  });
}
