// What was found on a sheet, as a person reads it: line by line, from left to right.

const middle = ({ box: [, y0, , y1] }: { box: readonly number[] }) => (y0! + y1!) / 2;
const height = ({ box: [, y0, , y1] }: { box: readonly number[] }) => y1! - y0!;

/**
 * Things in lines, from the highest line down and in each from left to right. One belongs to a line where its middle lies within
 * half a height of the line's mean.
 */
export function lines<T extends { box: readonly [x0: number, y0: number, x1: number, y1: number] }>(found: readonly T[]): T[][] {
  const all: T[][] = [];
  for (const next of [...found].sort((a, b) => middle(a) - middle(b))) {
    const mean = (of: T[], what: (one: T) => number) => of.reduce((sum, one) => sum + what(one), 0) / of.length;
    const line = all.find((own) => Math.abs(mean(own, middle) - middle(next)) < 0.5 * Math.max(mean(own, height), height(next)));
    if (line) line.push(next);
    else all.push([next]);
  }
  for (const line of all) line.sort((a, b) => a.box[0] - b.box[0]);
  return all;
}
