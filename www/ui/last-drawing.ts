// The drawing that the person made last, for the labs that can use it. It stays in this tab.

import type { Stroke } from '../lib/types';

const KEY = 'drawing';

export function keepDrawing(strokes: Stroke[]): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(strokes));
  } catch {
    // Storage may be full or closed to us: the drawing then stays in its lab.
  }
}

export function lastDrawing(): Stroke[] {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? '[]') as Stroke[];
  } catch {
    return [];
  }
}
