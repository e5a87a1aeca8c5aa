import type { Tensor } from './types';

/** What a safetensors file says of itself, by key. */
export function metadataOf(file: Uint8Array): Record<string, string> {
  const length = Number(new DataView(file.buffer, file.byteOffset, 8).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length))) as { __metadata__?: Record<string, string> };
  return header.__metadata__ ?? {};
}

/** A safetensors file of these tensors, in their order, in float32. The same numbers give the same bytes. */
export function safetensors(tensors: Tensor[]): Uint8Array<ArrayBuffer> {
  const header: Record<string, object> = {};
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
