// Numbers in lists: typed arrays of every kind, plain ones, and lists of lists.

import { HitofudeError } from './errors';
import type { Nested, Numbers } from './types';

/** Deeper than a batch of pictures of channels of rows nothing is. */
const DEPTH = 4;
const MOST = 1 << 26;

type Typed = Exclude<ArrayBufferView, DataView> & ArrayLike<number>;

/** Whether a value is a list of numbers, of whatever kind. */
export const isList = (value: unknown): value is Typed | Nested => Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));

/** The numbers of a list, and its sides where it has several. Bytes count from 0 to 255, all else is as it is. */
export function unlisted(list: Typed | Nested): Numbers {
  if (!Array.isArray(list)) return { data: plain(list as Typed) };
  const shape = sides(list);
  const data: number[] = [];
  gather(list, shape, 0, data);
  return shape.length > 1 ? { data, shape } : { data };
}

function plain(list: Typed): Float32Array | Uint8Array | Uint8ClampedArray {
  if (list instanceof Float32Array || list instanceof Uint8Array || list instanceof Uint8ClampedArray) return list;
  if (typeof list[0] === 'bigint') throw new HitofudeError('value', 'numbers were expected; got bigints');
  return Float32Array.from(list);
}

function sides(list: Nested): number[] {
  const shape: number[] = [];
  for (let at: unknown = list; Array.isArray(at) || ArrayBuffer.isView(at); at = (at as unknown[])[0]) {
    if (shape.length === DEPTH) throw new HitofudeError('shape', `lists of at most ${DEPTH} levels were expected`);
    shape.push((at as unknown[]).length);
  }
  if (shape.reduce((a, b) => a * b) > MOST) throw new HitofudeError('shape', `at most ${MOST} numbers were expected`);
  return shape;
}

function gather(list: unknown, shape: number[], level: number, out: number[]): void {
  if (level === shape.length) {
    if (typeof list === 'number') out.push(list);
    else throw new HitofudeError('value', `numbers were expected; got ${list === null ? 'null' : typeof list}`);
    return;
  }
  if (!isList(list) || list.length !== shape[level]) throw new HitofudeError('shape', `rows of one length were expected (${shape.join(' × ')})`);
  for (let i = 0; i < shape[level]!; i++) gather((list as unknown[])[i], shape, level + 1, out);
}
