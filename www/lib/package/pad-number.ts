// What <hitofude-pad multiple> makes of the digits that are found on it.

import { lines } from '../lines';
import type { PadTexts } from './pad-texts';
import type { Box, Detection, Stroke } from './types';

/**
 * Several digits as a number: left to right, line by line. Boxes are in the pad's unit, its width. `unsure` where there is ink that no
 * digit accounts for.
 */
export type NumberReading = { number: string; lines: string[]; digits: Detection[]; status: 'sure' | 'unsure' };

/** The number that was drawn with these strokes, of which these digits were found. */
export function numberOf(found: Detection[], strokes: Stroke[]): NumberReading {
  const rows = lines(found);
  const read = rows.map((row) => row.map((digit) => digit.class).join(''));
  const missed = strokes.some((stroke) => stroke.length > 0 && !found.some(({ box }) => holds(box, middle(stroke))));
  return { number: read.join(''), lines: read, digits: rows.flat(), status: found.length && !missed ? 'sure' : 'unsure' };
}

/** What a screen reader says of it on a pad of this height. */
export function announcement({ digits }: NumberReading, height: number, texts: PadTexts): string {
  const third = (at: number) => Math.min(2, Math.max(0, Math.floor(3 * at)));
  const place = ([x0, y0, x1, y1]: Box) => texts.places[3 * third((y0 + y1) / 2 / height) + third((x0 + x1) / 2)]!;
  return digits.length ? texts.all(digits.map((digit) => texts.one(digit.class, place(digit.box)))) : texts.none;
}

function middle(stroke: Stroke): [number, number] {
  const of = (k: 0 | 1) => {
    const all = stroke.map((point) => point[k]);
    return (Math.min(...all) + Math.max(...all)) / 2;
  };
  return [of(0), of(1)];
}

/** Whether a point lies in a box, or within a tenth of its height beside it. */
function holds([x0, y0, x1, y1]: Box, [x, y]: [number, number]): boolean {
  const edge = (y1 - y0) / 10;
  return x >= x0 - edge && x <= x1 + edge && y >= y0 - edge && y <= y1 + edge;
}
