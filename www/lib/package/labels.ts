// What examples are called: numbers of classes, names, or rows with a single one.

import { HitofudeError } from './errors';
import type { Data } from './types';

export type Lesson = { labels: Uint32Array<ArrayBuffer>; names: readonly string[] | null };

/**
 * The class of each of `count` examples of a model of so many classes. Names are those that the model has; where it has none
 * and may `learn` some, the labels' own, in the order in which they first come. Anything else is refused.
 */
export function numbered(given: Data['labels'], count: number, classes: number, names: readonly string[] | null, learn: boolean): Lesson {
  const labels = listed(given);
  if (count === 0 || labels.length !== count) {
    throw new HitofudeError('shape', `as many labels as inputs, and at least one, were expected; got ${labels.length} for ${count}`);
  }
  // One answer is the probability of yes.
  const most = Math.max(classes, 2);
  const known = labels.every((label) => typeof label === 'string') ? (names ?? (learn ? learnt(labels, most) : null)) : names;
  return { labels: Uint32Array.from(labels, (label, i) => one(label, i, most, known)), names: known };
}

/** Names for so many classes, each another. */
export function named(names: readonly unknown[]): string[] {
  const fine = names.every((name) => typeof name === 'string' && name !== '') && new Set(names).size === names.length && names.length > 0;
  if (fine) return [...(names as string[])];
  throw new HitofudeError('value', 'names of classes are strings, none of them empty and each another');
}

function listed(given: unknown): unknown[] {
  if (typeof given === 'object' && given !== null && Symbol.iterator in given) return [...(given as Iterable<unknown>)];
  throw new HitofudeError('value', `labels are a list of class numbers, class names or one-hot rows; got ${given === null ? 'null' : typeof given}`);
}

function learnt(labels: string[], classes: number): string[] {
  const found = [...new Set(labels)];
  if (found.length !== classes) {
    const some = found.slice(0, 5).join(', ') + (found.length > 5 ? ', …' : '');
    const how = `call withClasses(${found.length}) or withClasses([${some}]) before`;
    throw new HitofudeError('value', `this model has ${classes} classes without names and the labels have ${found.length} (${some}): ${how}`);
  }
  const counted = found.map((_, i) => String(i));
  // Digits that are written as texts stay the digits that they are.
  return found.every((name) => counted.includes(name)) ? counted : named(found);
}

function one(label: unknown, i: number, classes: number, names: readonly string[] | null): number {
  if (typeof label === 'number' && Number.isInteger(label) && label >= 0 && label < classes) return label;
  if (typeof label === 'string' && names) {
    const found = names.indexOf(label);
    if (found >= 0) return found;
    throw new HitofudeError('value', `labels[${i}]: one of ${names.slice(0, 20).join(', ')} was expected; got ${label.slice(0, 40)}`);
  }
  if (typeof label === 'string') {
    throw new HitofudeError('value', `labels[${i}] is a name (${label.slice(0, 40)}), and this model has no names of classes: withClasses([…]) gives it some, or fit with names`);
  }
  return hot(label, classes) ?? refused(label, i, classes);
}

/** The place of the single one of a row of zeros. */
function hot(label: unknown, classes: number): number | undefined {
  if (!Array.isArray(label) && !ArrayBuffer.isView(label)) return;
  const row = Array.from(label as ArrayLike<unknown>);
  const at = row.indexOf(1);
  return row.length === classes && at >= 0 && row.every((v, k) => v === (k === at ? 1 : 0)) ? at : undefined;
}

function refused(label: unknown, i: number, classes: number): never {
  const got = typeof label === 'number' ? String(label) : Array.isArray(label) ? `a row of ${label.length}` : String(typeof label);
  const expected = `a whole number from 0 to ${classes - 1}, a class name, or a row of ${classes} with a single 1`;
  throw new HitofudeError('value', `labels[${i}]: ${expected} was expected; got ${got}`);
}
