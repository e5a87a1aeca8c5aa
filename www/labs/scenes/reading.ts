// What was found, as a person reads it: line by line, from left to right.

import type { FoundDigit } from '../../lib/types';

const middle = ({ box: [, y0, , y1] }: FoundDigit) => (y0 + y1) / 2;
const height = ({ box: [, y0, , y1] }: FoundDigit) => y1 - y0;

/** Digits in lines: one belongs to a line where its middle lies within half a height of the line's mean. */
export function lines(found: FoundDigit[]): FoundDigit[][] {
  const all: FoundDigit[][] = [];
  for (const next of [...found].sort((a, b) => middle(a) - middle(b))) {
    const mean = (of: FoundDigit[], what: (one: FoundDigit) => number) => of.reduce((sum, one) => sum + what(one), 0) / of.length;
    const line = all.find((own) => Math.abs(mean(own, middle) - middle(next)) < 0.5 * Math.max(mean(own, height), height(next)));
    if (line) line.push(next);
    else all.push([next]);
  }
  for (const line of all) line.sort((a, b) => a.box[0] - b.box[0]);
  return all;
}

/** The numbers that the lines are. */
export const numbers = (found: FoundDigit[]): string[] => lines(found).map((line) => line.map(({ digit }) => digit).join(''));
