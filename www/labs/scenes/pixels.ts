// Masks: their colours, and how well they agree with the truth.

/** A colour for each class of a digit scene: none for paper, then ten that differ in hue and lightness. */
export const DIGIT_COLOURS: readonly (readonly number[])[] = [
  [], [199, 62, 58], [38, 74, 117], [232, 143, 42], [79, 143, 74], [140, 88, 160], [46, 134, 139], [201, 99, 138], [154, 124, 52], [98, 112, 200], [110, 75, 60],
];

/** Intersection over union of each class; undefined for one that is in neither mask. */
export function overlaps(truth: Uint8Array, mask: Uint8Array, classes: number): (number | undefined)[] {
  const [both, either] = [new Array<number>(classes).fill(0), new Array<number>(classes).fill(0)];
  for (let i = 0; i < truth.length; i++) {
    const [a, b] = [truth[i]!, mask[i]!];
    either[a]!++;
    if (a === b) both[a]!++;
    else either[b]!++;
  }
  return both.map((n, k) => (either[k] ? n / either[k]! : undefined));
}

/** The mean over the classes that are there, the background left out. */
export function mean(all: (number | undefined)[]): number | undefined {
  const own = all.slice(1).filter((one) => one !== undefined);
  return own.length ? own.reduce((sum, one) => sum + one, 0) / own.length : undefined;
}
