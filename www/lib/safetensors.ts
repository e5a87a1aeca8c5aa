import type { Tensor } from './types';

/** Length of the header of the largest files there are, with room to spare. */
const MOST_HEADER = 64e6;

type Entry = { dtype: string; shape: number[]; data_offsets: [from: number, to: number] };
type Header = { metadata: Record<string, string> | undefined; entries: Map<string, Entry>; data: number };

/** The header of a safetensors file, and where its data begins; nothing where the file is another one or damaged. */
export async function headerOf(file: Blob): Promise<Header | undefined> {
  if (file.size < 8) return;
  const length = Number(new DataView(await file.slice(0, 8).arrayBuffer()).getBigUint64(0, true));
  if (length > Math.min(MOST_HEADER, file.size - 8)) return;
  try {
    const { __metadata__: metadata, ...tensors } = JSON.parse(await file.slice(8, 8 + length).text()) as Record<string, Entry> & { __metadata__?: never };
    const entries = new Map(Object.entries<Entry>(tensors));
    const data = 8 + length;
    const sound = ({ data_offsets }: Entry) =>
      Array.isArray(data_offsets) && data_offsets[0] >= 0 && data_offsets[0] <= data_offsets[1] && data + data_offsets[1] <= file.size;
    return [...entries.values()].every(sound) ? { metadata, entries, data } : undefined;
  } catch {
    return;
  }
}

/** A safetensors file of these tensors, in their order, in float32, with what else it says. The same numbers give the same bytes. */
export function safetensors(tensors: Tensor[], metadata: Record<string, string>): Uint8Array<ArrayBuffer> {
  const header: Record<string, object> = { __metadata__: metadata };
  let end = 0;
  for (const { name, shape, values } of tensors) {
    header[name] = { dtype: 'F32', shape, data_offsets: [end, (end += values.byteLength)] };
  }
  // Padded with blanks, so that the numbers are aligned.
  const text = JSON.stringify(header);
  const encoded = new TextEncoder().encode(text.padEnd(Math.ceil(text.length / 8) * 8));
  const file = new Uint8Array(8 + encoded.length + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(encoded.length), true);
  file.set(encoded, 8);
  let at = 8 + encoded.length;
  for (const { values } of tensors) {
    file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return file;
}
