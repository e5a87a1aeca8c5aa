// The curves of a training: how they grow, and how they are cut where a run goes back.

import type { Happening, History } from '../../worker/train/protocol';

/** What a training has a number of for each step. */
const EACH = ['loss', 'accuracy', 'norm'] as const;

export const empty = (): History => ({ loss: [], accuracy: [], norm: [], validations: [] });

/** Takes over the steps that a report tells of. */
export function grow(history: History, report: Extract<Happening, { kind: 'steps' }>): void {
  for (const curve of EACH) history[curve].splice(report.first, Infinity, ...report[curve]);
}

/** Leaves so many steps. */
export function cut(history: History, step: number): void {
  for (const curve of EACH) history[curve].length = step;
  history.validations = history.validations.filter((one) => one.step <= step);
}

/** The step of the best validation, by which early stopping goes. */
export function best({ validations }: History): number | undefined {
  // The last one is of the same weights, on more pictures.
  const own = validations.slice(0, -1);
  return own.reduce((best, one) => (one.loss < best.loss ? one : best), own[0]!)?.step;
}
