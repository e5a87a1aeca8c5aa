// Whatever a caller has, as the numbers that a network reads.

import type { Ink as Drawing, Step } from '../types';
import { HitofudeError as Refused, stop } from './errors';
import { coverage, onPaper, type Ink } from './ink';
import { isList, unlisted } from './lists';
import type { Input, Numbers, Pixels, Shape } from './types';
import { fileAt } from './where';

type Preprocess = (ink: Drawing) => Step[];

/** The numbers (CHW) of one input, and what was taken for its ink where that had to be decided. */
export type Picture = { values: Float32Array; ink?: Ink };

const DIGIT = 28;
/** The longest side of a picture that is taken in. */
const MOST = 4096;

/** The numbers of one input for a network that reads `shape`. */
export async function picture(given: Input, shape: Shape, preprocess: Preprocess, signal?: AbortSignal): Promise<Picture> {
  const [channels, height, width] = shape;
  const input = await decoded(given, signal);
  if (isList(input)) return { values: finite(numbers(unlisted(input), shape)) };
  if ('strokes' in input) return drawing(input, shape, preprocess);
  if ('data' in input && !isPixels(input)) return { values: finite(numbers(input, shape)) };
  const digits = channels === 1 && height === DIGIT && width === DIGIT;
  if (digits) {
    const { ink, ...sheet } = coverage(isPixels(input) ? whole(input) : pixels(input));
    return { ...drawing(sheet, shape, preprocess), ink };
  }
  const { ink, data } = onPaper(await scaled(input, width, height));
  return { values: colours(data, shape), ...(ink && { ink }) };
}

/** The numbers of several inputs, in their order; all of them are fine, or it throws. */
export async function pictures(inputs: Input[], shape: Shape, preprocess: Preprocess, signal?: AbortSignal): Promise<Picture[]> {
  if (!Array.isArray(inputs)) throw new Refused('value', 'a list of inputs was expected');
  const of = (input: Input, i: number) => picture(input, shape, preprocess, signal).catch((error: unknown) => {
    if (inputs.length > 1 && error instanceof Error && 'code' in error) error.message = `inputs[${i}]: ${error.message}`;
    throw error;
  });
  return Promise.all(Array.from(inputs, of));
}

type Decoded = Exclude<Input, Blob | string | URL>;

/** An input whose picture, if it is the file of one or its address, has been unpacked. What is no input is refused. */
export async function decoded(input: Input, signal?: AbortSignal): Promise<Decoded> {
  const file = typeof input === 'string' || input instanceof URL ? unpackable() && new Blob([await fileAt(input, { ...(signal && { signal }) })]) : input;
  stop(signal);
  if (typeof Blob === 'undefined' || !(file instanceof Blob)) return arrived(known(file));
  unpackable();
  return createImageBitmap(file).catch((cause: unknown) => {
    throw new Refused('format', 'this file is no picture that can be read here', { cause });
  });
}

/** The same input, once its picture is here. */
export async function arrived<T extends object>(input: T): Promise<T> {
  if (!isImage(input)) return input;
  let cause: unknown;
  if (!input.complete) await input.decode().catch((error: unknown) => (cause = error));
  if (cause === undefined && input.naturalWidth > 0) return input;
  throw new Refused('network', 'this image could not be loaded', { cause });
}

function unpackable(): true {
  if (typeof createImageBitmap !== 'undefined') return true;
  throw new Refused('unsupported', 'nothing unpacks pictures here: hand in their pixels ({ width, height, data }), numbers or strokes');
}

/** What is an input. */
export function known<T>(input: T): T & Decoded {
  if (typeof input !== 'object' || input === null) throw new Refused('value', `${EXPECTED}; got ${input === null ? 'null' : typeof input}`);
  if (isList(input) || 'strokes' in input || 'data' in input || isDrawable(input)) return input as T & Decoded;
  throw new Refused('value', `${EXPECTED}; got another object`);
}

const EXPECTED = 'numbers, strokes, a canvas, an image, a video, a Blob or an address of a picture was expected';

function drawing(ink: Drawing, shape: Shape, preprocess: Preprocess): Picture {
  const steps = preprocess(ink);
  return { values: checked(steps.at(-1)!.pixels, shape) };
}

/** Numbers and a shape, if they are what they say; without lists in the list. */
export function flat({ data, shape }: Numbers): Numbers {
  if (!isList(data)) throw new Refused('value', 'data were expected to be a list of numbers');
  if (shape !== undefined && !Array.isArray(shape)) throw new Refused('value', 'a shape is a list of whole numbers');
  return { data: unlisted(data).data, ...(shape && { shape }) };
}

function numbers(list: Numbers, shape: Shape): Float32Array {
  const { data, shape: given } = flat(list);
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

function finite(values: Float32Array): Float32Array {
  const bad = values.findIndex((v) => !Number.isFinite(v));
  if (bad < 0) return values;
  throw new Refused('value', `finite numbers were expected; number ${bad} is ${values[bad]}`);
}

/** Pixels of four bytes, with their sides: an `ImageData`, or what has the same fields. */
export const isPixels = (value: object): value is Pixels => 'data' in value && 'width' in value && 'height' in value && !('shape' in value);

export type Drawable = ImageBitmap | HTMLCanvasElement | OffscreenCanvas | HTMLImageElement | HTMLVideoElement | VideoFrame;

type Kind = 'ImageBitmap' | 'HTMLCanvasElement' | 'OffscreenCanvas' | 'HTMLImageElement' | 'HTMLVideoElement' | 'VideoFrame';

const isA = (value: object, name: Kind) => typeof globalThis[name] !== 'undefined' && value instanceof globalThis[name];

export const isImage = (value: object): value is HTMLImageElement => isA(value, 'HTMLImageElement');

export const isVideo = (value: object): value is HTMLVideoElement => isA(value, 'HTMLVideoElement');

export const isCanvas = (value: object): value is HTMLCanvasElement | OffscreenCanvas => isA(value, 'HTMLCanvasElement') || isA(value, 'OffscreenCanvas');

const isFrame = (value: object): value is VideoFrame => isA(value, 'VideoFrame');

const isDrawable = (value: object): value is Drawable => isA(value, 'ImageBitmap') || isImage(value) || isVideo(value) || isCanvas(value) || isFrame(value);

/** Pixels that are as many as they say. */
export function whole(given: Pixels): Pixels {
  const { width, height, data } = given;
  const sides = Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0 && Math.max(width, height) <= MOST;
  if (sides && (data instanceof Uint8ClampedArray || data instanceof Uint8Array) && data.length === 4 * width * height) return given;
  const got = `${width} × ${height} and ${(data as ArrayLike<number> | undefined)?.length} values`;
  throw new Refused('shape', `4 bytes for each of width × height pixels, at most ${MOST} along a side, were expected; got ${got}`);
}

/** Pixels as a canvas knows them. */
function imageData(given: Pixels): ImageData {
  if (typeof ImageData === 'undefined') throw new Refused('unsupported', 'there is no canvas here: hand in numbers or strokes');
  const { data, width, height } = whole(given);
  return given instanceof ImageData ? given : new ImageData(new Uint8ClampedArray(data), width, height);
}

/** The sides of what can be drawn. Refuses what has not arrived and what is larger than anybody can use. */
function sides(source: Drawable): [width: number, height: number] {
  const [width, height] = isImage(source)
    ? [source.naturalWidth, source.naturalHeight]
    : isVideo(source)
      ? [source.videoWidth, source.videoHeight]
      : isFrame(source)
        ? [source.displayWidth, source.displayHeight]
        : [source.width, source.height];
  if (!width || !height) {
    throw new Refused('value', isVideo(source) ? 'this video shows no picture yet' : 'a picture of at least one pixel was expected: this one is empty, closed or sent elsewhere');
  }
  if (Math.max(width, height) > MOST) {
    throw new Refused('value', `a picture of at most ${MOST} × ${MOST} pixels was expected; got ${width} × ${height}`);
  }
  return [width, height];
}

/** The pixels of what can be drawn, in its own size or another. */
export function pixels(source: Drawable, size = sides(source)): ImageData {
  sides(source);
  const context = blank(size);
  try {
    context.drawImage(source, 0, 0, ...size);
    return context.getImageData(0, 0, ...size);
  } catch (cause) {
    const foreign = (cause as Error).name === 'SecurityError';
    throw new Refused('value', foreign ? 'this picture came from another origin that does not let it be read (CORS)' : 'this picture cannot be drawn', { cause });
  }
}

/** A canvas to copy on: asking somebody's own for its context would decide for them which kind it has. */
function blank([width, height]: [number, number]): CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D {
  const settings = { willReadFrequently: true };
  let context: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D | null = null;
  if (typeof OffscreenCanvas !== 'undefined') context = new OffscreenCanvas(width, height).getContext('2d', settings);
  else if (typeof document !== 'undefined') context = Object.assign(document.createElement('canvas'), { width, height }).getContext('2d', settings) as CanvasRenderingContext2D | null;
  if (!context) throw new Refused('unsupported', 'there is no canvas here: hand in numbers or strokes');
  return context;
}

async function scaled(source: Pixels | Drawable, width: number, height: number): Promise<Pixels> {
  if (!isPixels(source)) return pixels(source, [width, height]);
  if (whole(source).width === width && source.height === height) return source;
  unpackable();
  return pixels(await createImageBitmap(imageData(source)), [width, height]);
}

/** Red, green and blue, or their luminance (ITU-R BT.601) for one channel, from 0 to 1. */
function colours(data: Pixels['data'], shape: Shape): Float32Array {
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
