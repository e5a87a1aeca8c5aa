// Whatever a caller has, as the numbers that a network reads.

import type { Ink, Step } from '../types';
import { Refused } from './errors';
import type { Input, Numbers, Pixels, Shape } from './types';

type Preprocess = (ink: Ink) => Step[];

const DIGIT = 28;
/** The longest side of a picture that is taken in. */
const MOST = 4096;

/** The numbers (CHW) of one input for a network that reads `shape`. */
export async function picture(given: Input, shape: Shape, preprocess: Preprocess): Promise<Float32Array> {
  const [channels, height, width] = shape;
  const input = await decoded(given);
  if (input instanceof Float32Array) return checked(input, shape);
  if (input instanceof Uint8Array) return checked(unit(input), shape);
  if ('strokes' in input) return drawing(input, shape, preprocess);
  if ('data' in input && !isPixels(input)) return numbers(input, shape);
  const digits = channels === 1 && height === DIGIT && width === DIGIT;
  if (digits) return drawing(isPixels(input) ? imageData(input) : pixels(input), shape, preprocess);
  return colours(await scaled(input, width, height), shape);
}

/** An input whose picture, if it is the file of one, has been unpacked. What is no input is refused. */
export async function decoded(input: Input): Promise<Exclude<Input, Blob>> {
  if (typeof input !== 'object' || input === null) {
    throw new Refused('value', `a picture, strokes or numbers were expected; got ${input === null ? 'null' : typeof input}`);
  }
  if (typeof Blob !== 'undefined' && input instanceof Blob) {
    if (typeof createImageBitmap === 'undefined') throw new Refused('unsupported', 'nothing unpacks pictures here: hand in their pixels');
    return createImageBitmap(input).catch((cause: unknown) => {
      throw new Refused('format', 'this file is no picture that can be read here', { cause });
    });
  }
  return known(input as Exclude<Input, Blob>);
}

/** Refuses an object that is no input. */
export function known<T extends object>(input: T): T {
  const kinds = input instanceof Float32Array || input instanceof Uint8Array || 'strokes' in input || 'data' in input;
  if (kinds || isDrawable(input)) return input;
  throw new Refused('value', 'a picture, strokes or numbers were expected; got another object');
}

function drawing(ink: Ink, shape: Shape, preprocess: Preprocess): Float32Array {
  const steps = preprocess(ink);
  return checked(steps.at(-1)!.pixels, shape);
}

function numbers({ data, shape: given }: Numbers, shape: Shape): Float32Array {
  const bytes = data instanceof Uint8Array || data instanceof Uint8ClampedArray;
  const values = bytes ? unit(data) : data instanceof Float32Array ? data : Float32Array.from(data);
  const sides = given?.filter((side, i) => side !== 1 || i >= given.length - shape.length);
  if (sides && (sides.length !== shape.length ? sides.reduce((a, b) => a * b, 1) !== values.length : sides.some((side, i) => side !== shape[i]))) {
    throw new Refused('shape', `this network reads ${shape.join(' × ')}; got ${given!.join(' × ')}`);
  }
  return checked(values, shape);
}

const unit = (bytes: Uint8Array | Uint8ClampedArray) => Float32Array.from(bytes, (v) => v / 255);

function checked(values: Float32Array, shape: Shape): Float32Array {
  const size = shape.reduce((a, b) => a * b);
  if (values.length === size) return values;
  throw new Refused('shape', `this network reads ${shape.join(' × ')} = ${size} numbers; got ${values.length}`);
}

/** Pixels of four bytes, with their sides: an `ImageData`, or what has the same fields. */
export const isPixels = (value: object): value is Pixels => 'data' in value && 'width' in value && 'height' in value && !('shape' in value);

export type Drawable = ImageBitmap | HTMLCanvasElement | OffscreenCanvas | HTMLImageElement;

const isA = (value: object, name: 'ImageBitmap' | 'HTMLCanvasElement' | 'OffscreenCanvas' | 'HTMLImageElement') =>
  typeof globalThis[name] !== 'undefined' && value instanceof globalThis[name];

export const isImage = (value: object): value is HTMLImageElement => isA(value, 'HTMLImageElement');

export const isCanvas = (value: object): value is HTMLCanvasElement | OffscreenCanvas => isA(value, 'HTMLCanvasElement') || isA(value, 'OffscreenCanvas');

const isDrawable = (value: object): value is Drawable => isA(value, 'ImageBitmap') || isImage(value) || isCanvas(value);

/** Pixels as a canvas knows them. */
function imageData(given: Pixels): ImageData {
  if (typeof ImageData === 'undefined') throw new Refused('unsupported', 'there is no canvas here: hand in numbers or strokes');
  if (given instanceof ImageData) return given;
  try {
    return new ImageData(new Uint8ClampedArray(given.data), given.width, given.height);
  } catch (cause) {
    throw new Refused('shape', `${given.width} × ${given.height} pixels of four bytes were expected; got ${given.data?.length} bytes`, { cause });
  }
}

/** The sides of what can be drawn. Refuses an image that has not arrived and what is larger than anybody can use. */
function sides(source: Drawable): [width: number, height: number] {
  const [width, height] = isImage(source) ? [source.naturalWidth, source.naturalHeight] : [source.width, source.height];
  if (width === 0 || height === 0) throw new Refused('value', isImage(source) ? 'this image has not been loaded' : 'a picture of at least one pixel was expected');
  if (Math.max(width, height) > MOST) {
    throw new Refused('value', `a picture of at most ${MOST} × ${MOST} pixels was expected; got ${width} × ${height}`);
  }
  return [width, height];
}

/** The pixels of what can be drawn, in its own size or another. */
export function pixels(source: Drawable, size = sides(source)): ImageData {
  sides(source);
  // A canvas that is drawn on in two dimensions has them at hand.
  const own = isCanvas(source) && size[0] === source.width && size[1] === source.height ? (source as OffscreenCanvas).getContext('2d') : null;
  if (!own && typeof OffscreenCanvas === 'undefined') {
    throw new Refused('unsupported', 'there is no canvas here: hand in numbers or strokes');
  }
  const context = own ?? new OffscreenCanvas(...size).getContext('2d', { willReadFrequently: true })!;
  if (!own) context.drawImage(source, 0, 0, ...size);
  try {
    return context.getImageData(0, 0, ...size);
  } catch (cause) {
    throw new Refused('value', 'this picture came from another origin that does not let it be read (CORS)', { cause });
  }
}

async function scaled(source: Pixels | Drawable, width: number, height: number): Promise<Pixels> {
  if (!isPixels(source)) return pixels(source, [width, height]);
  if (source.width === width && source.height === height && source.data.length === 4 * width * height) return source;
  return pixels(await createImageBitmap(imageData(source)), [width, height]);
}

/** Red, green and blue, or their luminance (ITU-R BT.601) for one channel, from 0 to 1. */
function colours({ data }: Pixels, shape: Shape): Float32Array {
  const [channels, height, width] = shape;
  const size = height * width;
  const out = new Float32Array(channels * size);
  for (let i = 0; i < size; i++) {
    const [r, g, b] = [data[4 * i]! / 255, data[4 * i + 1]! / 255, data[4 * i + 2]! / 255];
    if (channels === 1) out[i] = 0.299 * r + 0.587 * g + 0.114 * b;
    else [r, g, b].forEach((v, c) => c < channels && (out[c * size + i] = v));
  }
  return out;
}
