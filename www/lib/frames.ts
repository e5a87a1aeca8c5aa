// What the leader of a shared training and its participants send each other, as bytes: a header, a message as JSON, and
// numbers. They may come from anybody, so nothing is taken that is not exactly what it should be.

import type { Sums } from './types';

/** Where a participant gets its pictures from: made by the generator, or the leader's files, which follow as bytes. */
export type Source = { generator: { seed: number; train: number; validation: number } } | { files: Record<string, number>; classes: number };

export type Message =
  /** Participant: I am here, with this build of the engine. */
  | { kind: 'hello'; build: string }
  /** Leader: what is trained. The files' bytes follow, in their order. */
  | { kind: 'open'; setup: string; source: Source }
  /** Participant: I have opened it, and count so many parameters. */
  | { kind: 'ready'; parameters: number }
  /** Leader: compute these shards of this step. The parameters follow. */
  | { kind: 'learn'; ask: number; step: number; from: number; to: number }
  /** Participant: what each came to. The gradients follow, one after another. */
  | { kind: 'learnt'; ask: number; sums: Sums[]; milliseconds: number }
  /** Participant: the engine refuses. */
  | { kind: 'refused'; ask: number; message: string }
  /** Either: I go. */
  | { kind: 'bye'; why: string };

export type Frame = { message: Message; body: Uint8Array };

/** Bytes that are no frame, or not one that may come here. */
export class Garbled extends Error {}

/** Bytes in a piece of a frame: what every browser's data channel takes. */
const PIECE = 16_384;
const MAGIC = 0x48465431;
const HEAD = 12;
/** The longest message without its numbers, and the longest of all. */
const MOST_JSON = 1 << 20;
const MOST = 1 << 28;

/** A frame as pieces to be sent one after another: magic, bytes of JSON, bytes of the body, JSON, body. */
export function pack(message: Message, body: Uint8Array | Float32Array = new Uint8Array()): Uint8Array<ArrayBuffer>[] {
  const json = new TextEncoder().encode(JSON.stringify(message));
  const all = new Uint8Array(HEAD + json.length + body.byteLength);
  const head = new DataView(all.buffer);
  [MAGIC, json.length, body.byteLength].forEach((word, i) => head.setUint32(4 * i, word, true));
  all.set(json, HEAD);
  all.set(new Uint8Array(body.buffer, body.byteOffset, body.byteLength), HEAD + json.length);
  return Array.from({ length: Math.ceil(all.length / PIECE) }, (_, i) => all.slice(i * PIECE, (i + 1) * PIECE));
}

/** Puts frames together again. Throws `Garbled` on anything else, and is of no use any more then. */
export class Unpacker {
  #all: Uint8Array<ArrayBuffer> | undefined;
  #filled = 0;

  /** Bytes that a body may have at most. */
  constructor(private readonly most = MOST) {}

  /** Takes the next piece; gives the frame that it completes. */
  take(piece: unknown): Frame | null {
    const bytes = piece instanceof ArrayBuffer ? new Uint8Array(piece) : piece;
    if (!(bytes instanceof Uint8Array) || bytes.length === 0 || bytes.length > PIECE) throw new Garbled('not a piece of a message');
    if (!this.#all) {
      if (bytes.length < HEAD) throw new Garbled('a message without its beginning');
      const [magic, json, body] = words(bytes);
      if (magic !== MAGIC || json < 2 || json > MOST_JSON || body > this.most) throw new Garbled('not a message of a training');
      this.#all = new Uint8Array(HEAD + json + body);
      this.#filled = 0;
    }
    if (this.#filled + bytes.length > this.#all.length) throw new Garbled('a message longer than it says');
    this.#all.set(bytes, this.#filled);
    this.#filled += bytes.length;
    if (this.#filled < this.#all.length) return null;
    const all = this.#all;
    this.#all = undefined;
    const [, length] = words(all);
    return { message: read(all.subarray(HEAD, HEAD + length)), body: all.slice(HEAD + length) };
  }
}

/** A body as numbers, of which there must be so many. */
export function numbers(body: Uint8Array, count: number): Float32Array<ArrayBuffer> {
  if (body.byteLength !== 4 * count) throw new Garbled(`${body.byteLength} bytes in place of ${count} numbers`);
  return new Float32Array(body.slice().buffer as ArrayBuffer);
}

function words(bytes: Uint8Array): [number, number, number] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEAD);
  return [view.getUint32(0, true), view.getUint32(4, true), view.getUint32(8, true)];
}

function read(bytes: Uint8Array): Message {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new Garbled('a message that is no JSON');
  }
  if (!fits(json, 'object') || typeof json.kind !== 'string') throw new Garbled('a message of no kind');
  const shape = SHAPES[json.kind as Message['kind']] as Record<string, Check> | undefined;
  if (!shape || !Object.hasOwn(SHAPES, json.kind)) throw new Garbled('a message of a kind that there is not');
  const names = Object.keys(json).filter((name) => name !== 'kind');
  const wrong = Object.keys(shape).find((name) => !shape[name]!(json[name])) ?? names.find((name) => !Object.hasOwn(shape, name));
  if (wrong !== undefined) throw new Garbled(`${json.kind}: ${wrong.slice(0, 40)}`);
  return json as Message;
}

type Check = (value: unknown) => boolean;

function fits(value: unknown, _: 'object'): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const text =
  (most: number): Check =>
  (value) =>
    typeof value === 'string' && value.length <= most;
const whole =
  (most: number): Check =>
  (value) =>
    Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most;
const finite: Check = (value) => typeof value === 'number' && Number.isFinite(value);

const sums: Check = (value) =>
  Array.isArray(value) &&
  value.length <= 4096 &&
  value.every((one) => fits(one, 'object') && Object.keys(one).length === 3 && whole(4096)(one.images) && finite(one.loss) && whole(4096)(one.correct));

const source: Check = (value) => {
  if (!fits(value, 'object')) return false;
  const { generator, files, classes } = value;
  if (fits(generator, 'object')) return whole(2 ** 32)(generator.seed) && whole(100_000)(generator.train) && whole(100_000)(generator.validation);
  return fits(files, 'object') && Object.keys(files).length <= 8 && Object.values(files).every(whole(MOST)) && whole(255)(classes);
};

const COUNT = 2 ** 31;
const SHAPES: Record<Message['kind'], Record<string, Check>> = {
  hello: { build: text(40) },
  open: { setup: text(MOST_JSON), source },
  ready: { parameters: whole(COUNT) },
  learn: { ask: whole(COUNT), step: whole(1e9), from: whole(4096), to: whole(4096) },
  learnt: { ask: whole(COUNT), sums, milliseconds: finite },
  refused: { ask: whole(COUNT), message: text(2000) },
  bye: { why: text(200) },
};
