// Drawings as a file: a person's hand on its way to another device.

import type { Example, Stroke } from '../../../lib/types';

/** The fewest drawings to learn from, and the most. */
export const FEWEST = 5;
export const MOST = 500;

/** The drawings as JSON: strokes in units of the pad's side, y down. */
export function write(examples: Example[]): Blob {
  return new Blob([JSON.stringify({ drawings: examples })], { type: 'application/json' });
}

/** Reads such a file; throws an `Error` that says what is wrong with it. */
export function read(text: string): Example[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new Error('this is no JSON file');
  }
  const drawings = (parsed as { drawings?: unknown } | null)?.drawings;
  if (!Array.isArray(drawings) || drawings.length === 0) throw new Error('there are no drawings in this file');
  if (drawings.length > MOST) throw new Error(`there are ${drawings.length} drawings in this file, and ${MOST} are the most`);
  return drawings.map((drawing, i) => {
    const { digit, strokes } = (drawing ?? {}) as Partial<Example>;
    if (!Number.isInteger(digit) || digit! < 0 || digit! > 9) throw new Error(`drawing ${i + 1} has no digit from 0 to 9`);
    if (!Array.isArray(strokes) || strokes.length === 0 || !strokes.every(isStroke)) throw new Error(`drawing ${i + 1} has no strokes`);
    return { digit: digit!, strokes };
  });
}

function isStroke(value: unknown): value is Stroke {
  const point = (p: unknown) => Array.isArray(p) && p.length === 2 && p.every(Number.isFinite);
  return Array.isArray(value) && value.length > 0 && value.every(point);
}
