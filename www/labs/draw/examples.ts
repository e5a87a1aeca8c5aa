// One digit of each kind, written for this page: strokes as curves on a 100 × 100 sheet.

import type { Stroke } from '../../lib/types';
import type { Drawing } from '../../ui/drawing.svelte';

const PATHS: Record<number, string[]> = {
  0: ['M53 13 C33 12 23 34 23 55 C23 77 36 89 52 88 C70 87 79 70 78 47 C77 26 67 13 51 14'],
  1: ['M37 29 C44 25 50 18 54 11 C54 36 53 62 52 89'],
  2: ['M27 31 C30 16 44 9 56 12 C73 17 73 38 60 54 C49 68 36 78 25 87 C43 84 61 85 79 86'],
  3: ['M29 19 C40 8 67 8 68 27 C69 41 55 47 43 48 C58 47 74 54 73 70 C72 89 44 94 25 81'],
  4: ['M47 11 C41 28 31 45 21 61 C40 62 60 61 83 58', 'M63 37 C62 55 61 73 60 91'],
  5: ['M35 15 C33 26 31 36 29 46 C45 37 71 40 72 63 C73 84 47 94 26 83', 'M35 15 C48 16 61 15 75 13'],
  6: ['M63 11 C44 22 28 44 27 66 C27 84 41 91 53 89 C70 86 75 67 65 58 C55 51 36 56 28 71'],
  7: ['M24 17 C41 18 60 17 76 14 C66 37 55 61 46 90'],
  8: ['M69 23 C61 8 33 8 32 27 C31 45 70 50 70 71 C70 91 30 92 30 71 C30 51 67 43 69 23'],
  9: ['M70 29 C62 10 34 12 32 32 C31 51 60 55 70 30 C72 50 69 72 61 90'],
};

/** The strokes of an example digit, in units of the pad's side, a point about every hundredth of it. */
export function example(digit: number): Stroke[] {
  return (PATHS[digit] ?? []).map((curve) => {
    const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    path.setAttribute('d', curve);
    const length = path.getTotalLength();
    const steps = Math.ceil(length);
    return Array.from({ length: steps + 1 }, (_, i) => {
      const { x, y } = path.getPointAtLength((length * i) / steps);
      return [x / 100, y / 100];
    });
  });
}

/** Of the pad's side per millisecond: a digit takes about a second. */
const PACE = 0.0022;
/** Milliseconds between two strokes. */
const LIFT = 140;

/** Writes strokes onto a drawing at a brush's pace, or at once if it is to be `still`, until `signal` aborts. */
export async function write(
  strokes: Stroke[],
  drawing: Drawing,
  { still, signal }: { still: boolean; signal: AbortSignal },
): Promise<void> {
  for (const [first, ...rest] of strokes) {
    if (!first) continue;
    drawing.begin(first);
    const start = performance.now();
    let written = 0;
    while (written < rest.length) {
      // A frame's own time may lie before the start.
      const due = still ? rest.length : Math.max(written, Math.ceil(((await frame()) - start) * PACE * 100));
      if (signal.aborted) return;
      drawing.extend(rest.slice(written, due));
      written = due;
    }
    drawing.end();
    if (!still) await new Promise((resolve) => setTimeout(resolve, LIFT));
    if (signal.aborted) return;
  }
}

const frame = () => new Promise<number>((resolve) => requestAnimationFrame(resolve));
