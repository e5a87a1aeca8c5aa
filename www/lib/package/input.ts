// Whatever a caller has, as the numbers that a network reads.

import type { Ink, Step } from '../types';
import { Refused } from './errors';
import type { Input, Numbers, Shape } from './types';

type Preprocess = (ink: Ink) => Step[];

const DIGIT = 28;

/** The numbers (CHW) of one input for a network that reads `shape`. */
export async function picture(input: Input, shape: Shape, preprocess: Preprocess): Promise<Float32Array> {
  const [channels, height, width] = shape;
  if (input instanceof Float32Array) return checked(input, shape);
  if (input instanceof Uint8Array) return checked(unit(input), shape);
  if ('strokes' in input) return drawing(input, shape, preprocess);
  if ('data' in input && !isImageData(input)) return numbers(input, shape);
  const digits = channels === 1 && height === DIGIT && width === DIGIT;
  if (digits) return drawing(isImageData(input) ? input : pixels(input, input.width, input.height), shape, preprocess);
  return colours(await scaled(input, width, height), shape);
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

function isImageData(value: object): value is ImageData {
  return typeof ImageData !== 'undefined' && value instanceof ImageData;
}

type Drawable = ImageBitmap | HTMLCanvasElement | OffscreenCanvas;

function pixels(source: Drawable, width: number, height: number): ImageData {
  if (typeof OffscreenCanvas === 'undefined') {
    throw new Refused('unsupported', 'there is no canvas here: hand in numbers or strokes');
  }
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })!;
  context.drawImage(source, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

async function scaled(source: ImageData | Drawable, width: number, height: number): Promise<ImageData> {
  if (!isImageData(source)) return pixels(source, width, height);
  if (source.width === width && source.height === height) return source;
  return pixels(await createImageBitmap(source), width, height);
}

/** Red, green and blue, or their luminance (ITU-R BT.601) for one channel, from 0 to 1. */
function colours({ data }: ImageData, shape: Shape): Float32Array {
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
