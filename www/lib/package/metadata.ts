// What a file of weights says besides: in safetensors and ONNX as metadata, in npz as the comment of its archive.

import type { Calibration } from './calibration';

/** What is known of a model beside its weights. */
export type Known = { calibration: Calibration | null; names: readonly string[] | null };

export const NOTHING: Known = { calibration: null, names: null };

type Metadata = Record<string, string>;

/** Where the header of a safetensors file ends; nothing for another file. */
function headerEnd(file: Uint8Array): number | undefined {
  if (file.length < 10 || file[8] !== '{'.charCodeAt(0)) return;
  const length = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true);
  return length <= file.length - 8 ? 8 + Number(length) : undefined;
}

/** Safetensors begin with the length of a JSON object. */
export const isSafetensors = (file: Uint8Array) => headerEnd(file) !== undefined;

/** What a safetensors file says of how sure its network may be, and of its classes. */
export const knownOf = (file: Uint8Array, classes: number): Known => read(metadata(file), classes);

/** Whether a safetensors file says that its network has few bits. */
export const isFew = (file: Uint8Array) => metadata(file).few_bits !== undefined;

function metadata(file: Uint8Array): Metadata {
  const end = headerEnd(file);
  if (end === undefined) return {};
  try {
    return (JSON.parse(new TextDecoder().decode(file.subarray(8, end))) as { __metadata__?: Metadata }).__metadata__ ?? {};
  } catch {
    // Whoever opens it says what is wrong.
    return {};
  }
}

/** The same safetensors file, which says what is known and nothing else of it. */
export function telling(file: Uint8Array<ArrayBuffer>, known: Known): Uint8Array<ArrayBuffer> {
  const end = headerEnd(file);
  if (end === undefined) return file;
  const { __metadata__: before = {}, ...tensors } = JSON.parse(new TextDecoder().decode(file.subarray(8, end))) as Record<string, object> & { __metadata__?: Metadata };
  const { temperature: _t, threshold: _s, classes: _c, ...rest } = before;
  const text = new TextEncoder().encode(JSON.stringify({ __metadata__: { ...rest, ...written(known) }, ...tensors }));
  // Padded with blanks, so that the numbers are aligned.
  const length = Math.ceil(text.length / 8) * 8;
  const out = new Uint8Array(8 + length + file.length - end).fill(0x20, 8, 8 + length);
  new DataView(out.buffer).setBigUint64(0, BigInt(length), true);
  out.set(text, 8);
  out.set(file.subarray(end), 8 + length);
  return out;
}

function written({ calibration, names }: Known): Metadata {
  return {
    ...(calibration && { temperature: String(calibration.temperature), threshold: String(calibration.threshold) }),
    ...(names && { classes: JSON.stringify(names) }),
  };
}

function read({ temperature, threshold, classes: said }: Metadata, classes: number): Known {
  const t = Number(temperature ?? 1);
  const s = threshold === undefined ? NaN : Number(threshold);
  const calibration = t >= 0.01 && t <= 100 && s >= 0 && s <= 1 ? { temperature: t, threshold: s } : null;
  let names: unknown = null;
  try {
    names = JSON.parse(said ?? 'null');
  } catch {
    // Names in another writing are none.
  }
  const fine = Array.isArray(names) && names.length === Math.max(classes, 2) && names.every((name) => typeof name === 'string');
  return { calibration, names: fine ? (names as string[]) : null };
}

/** The end of an archive: a mark, 16 bytes, and the length of a comment. */
const END = [0x50, 0x4b, 5, 6];
const END_LENGTH = 22;

/** An archive with what is known as its comment. */
export function commented(archive: Uint8Array<ArrayBuffer>, known: Known): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(JSON.stringify(written(known)));
  const at = archive.length - END_LENGTH;
  if (text.length > 0xffff || text.length <= 2 || !END.every((byte, i) => archive[at + i] === byte)) return archive;
  const out = new Uint8Array(archive.length + text.length);
  out.set(archive);
  out.set(text, archive.length);
  new DataView(out.buffer).setUint16(archive.length - 2, text.length, true);
  return out;
}

/** What the comment of an archive says. */
export function knownOfArchive(archive: Uint8Array, classes: number): Known {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.length);
  for (let at = archive.length - END_LENGTH - 2; at >= Math.max(0, archive.length - END_LENGTH - 0xffff); at--) {
    if (!END.every((byte, i) => archive[at + i] === byte) || view.getUint16(at + 20, true) !== archive.length - at - END_LENGTH) continue;
    try {
      const said: unknown = JSON.parse(new TextDecoder().decode(archive.subarray(at + END_LENGTH)));
      return typeof said === 'object' && said !== null ? read(said as Metadata, classes) : NOTHING;
    } catch {
      return NOTHING;
    }
  }
  return NOTHING;
}
