// Whatever a caller has, as the picture that networks for whole sheets look at.

import type { ScenePicture, WrittenSheet } from '../../public/wasm/systems/hitofude.js';
import { HitofudeError } from './errors';
import { decoded, flat, isPixels, pixels, whole } from './input';
import { isList, unlisted } from './lists';
import type { Box, Input, Numbers, Shape, Stroke } from './types';

type Written = (strokes: Stroke[]) => WrittenSheet;

/** A picture, pixels of the windows that it is looked at in (0: what suits it), and where a box of its pixels lies in what was handed in. */
export type Sheet = { picture: ScenePicture; side: number; back: (box: Box) => Box };

/** Sheets for strokes have digits of the size that networks know, who look at so many pixels. */
const WINDOW = 128;

/** The sheet of one input; bare numbers are a picture of `shape`, or one grey plane of it. */
export async function sheet(given: Input, shape: Shape, written: Written, signal?: AbortSignal): Promise<Sheet> {
  const input = await decoded(given, signal);
  const same = (picture: ScenePicture): Sheet => ({ picture, side: 0, back: (box) => box });
  if (isList(input)) return same(planes(unlisted(input), shape));
  if ('strokes' in input) {
    const { scale, origin, ...picture } = written(input.strokes);
    return { picture, side: WINDOW, back: (box) => box.map((v, i) => v / scale + origin[i % 2]!) as Box };
  }
  if (isPixels(input)) {
    const { width, height, data } = whole(input);
    return same({ width, height, data: clamped(data) });
  }
  return same('data' in input ? planes(flat(input), shape) : pixels(input));
}

const clamped = (data: Uint8Array | Uint8ClampedArray) =>
  data instanceof Uint8ClampedArray ? data : new Uint8ClampedArray(data.buffer, data.byteOffset, data.length);

/** Planes of one grey or three colours as pixels. */
function planes({ data, shape: given }: Numbers, [, rows, columns]: Shape): ScenePicture {
  const bytes = data instanceof Uint8Array || data instanceof Uint8ClampedArray;
  const own = given?.slice(Math.max(0, given.length - 3)) ?? [data.length === rows * columns ? 1 : 3, rows, columns];
  const [channels, height, width] = (own.length === 2 ? [1, ...own] : own) as Shape;
  const size = height * width;
  const fits = [channels, height, width].every((side) => Number.isInteger(side) && side > 0) && (given ?? own).reduce((a, b) => a * b, 1) === data.length;
  if (!fits || (channels !== 1 && channels !== 3)) {
    throw new HitofudeError('shape', `1 or 3 planes of a picture were expected; got ${data.length} numbers${given ? ` of shape ${given.join(' × ')}` : ''}`);
  }
  const out = new Uint8ClampedArray(4 * size).fill(255);
  for (let i = 0; i < size; i++) {
    for (let c = 0; c < 3; c++) {
      const value = data[channels === 1 ? i : c * size + i]!;
      if (!bytes && !(value >= 0 && value <= 1)) throw new HitofudeError('value', `a picture's numbers go from 0 to 1; got ${value}`);
      out[4 * i + c] = bytes ? value : 255 * value;
    }
  }
  return { width, height, data: out };
}
