// What the networks made of MNIST's test images, measured once by `hitofude survey`, which wrote the file.

import survey from '../../../pretrained/survey.json';

type Found = { accuracy: number; misread: number[][] };

const models = survey.models as Record<string, Found | undefined>;

/** The networks that were measured together, and what came of it. */
export const together: Found & { members: string[] } = { ...survey.ensemble, members: survey.members };
export const images = survey.images;

/** What one network made of the test images, if it has been measured. */
export const foundBy = (name: string): Found | undefined => models[name];

/** Which digits are read as which others, most often first: `[digit, read as, times]`. */
export function confusions({ misread }: Found): [number, number, number][] {
  const times = new Map<string, [number, number, number]>();
  for (const [, digit = 0, read = 0] of misread) {
    const key = `${digit} ${read}`;
    const pair = times.get(key) ?? [digit, read, 0];
    pair[2]++;
    times.set(key, pair);
  }
  return [...times.values()].sort((a, b) => b[2] - a[2]);
}

/** Test images that every one of these networks misreads. */
export function misreadByAll(names: string[]): number {
  const [first, ...rest] = names.map((name) => new Set(foundBy(name)?.misread.map(([image]) => image)));
  return first ? [...first].filter((image) => rest.every((other) => other.has(image))).length : 0;
}
