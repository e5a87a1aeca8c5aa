import init, { translate, type Given } from '../public/wasm/convert/hitofude.js';
import type { Source } from './fetch';
import { start, type LoadOptions } from './load';
import type { Build } from './types';

/** How files begin that other frameworks wrote, or that are refused with a word: at which byte, and with which ones. */
const BEGINNINGS: [at: number, bytes: number[]][] = [
  [0, [0x7b]], // {
  [0, [0xef, 0xbb, 0xbf, 0x7b]],
  [0, [0x50, 0x4b]], // PK
  [0, [0x89, 0x48, 0x44, 0x46]], // HDF
  [0, [0x80, 0x02, 0x8a]],
  [4, [0x54, 0x46, 0x4c, 0x33]], // TFL3
  [4, [0x4f, 0x52, 0x54, 0x4d]], // ORTM
  [0, [0x08]],
];

let started: Promise<unknown> | undefined;

/** Whether a file may be one that is translated, or told the way: what looks like it is looked at by the module itself. */
export function isForeign(file: Uint8Array): boolean {
  const looks = BEGINNINGS.some(([at, bytes]) => bytes.every((byte, i) => file[at + i] === byte));
  if (file[0] !== 0x08 || !looks) return looks;
  // ONNX has the name of its writer behind its version, where models of Core ML and TensorFlow have a message.
  let at = 3;
  while (file[at]! & 0x80) at++;
  return file[2] === 0x12 && file[at + 1] === 0x0a;
}

/**
 * A file that another framework wrote, with those that belong to it, as one that the module for other formats opens; the file
 * itself where it is none. The module that translates is fetched when the bytes look as if it were needed.
 */
export async function translated(files: Given[], wasm: Record<Build, Source>, options: LoadOptions = {}): Promise<Uint8Array> {
  const file = files[0]!.bytes;
  if (!isForeign(file)) return file;
  started ??= start(init, wasm, options);
  started.catch(() => (started = undefined));
  await started;
  return translate(files) ?? file;
}
