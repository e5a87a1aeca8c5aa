// A feature network in a file of the person's own, safetensors or any format that the lab for models opens. Of a VGG nine
// tenths are a classifier that nobody looks through here: of safetensors only what is needed is read from the disk, so that
// half a gigabyte of file does not become half a gigabyte of memory.

import type { Source } from '../../lib/fetch';
import { loadFormats } from '../../lib/formats';
import { headerOf } from '../../lib/safetensors';
import type { Build } from '../../lib/types';
import { ModelFile } from '../../public/wasm/formats/hitofude.js';
import type { OnProgress } from '../protocol';

/**
 * The file as safetensors: with the features alone where it has a classifier behind `features.*`, rewritten where it is of
 * another format. Rejects where the module in `formats` cannot open it either.
 */
export async function featuresIn(file: File, formats: Record<Build, Source>, onProgress: OnProgress): Promise<Uint8Array<ArrayBuffer>> {
  const header = await headerOf(file);
  if (!header) return rewritten(await read(file, [[0, file.size]], onProgress), file.name, formats);
  const features = [...header.entries].filter(([name]) => name.startsWith('features.'));
  if (header.metadata?.network || features.length === 0) return read(file, [[0, file.size]], onProgress);
  let length = 0;
  const entries: Record<string, unknown> = header.metadata ? { __metadata__: header.metadata } : {};
  const parts = features.map(([name, { data_offsets: [from, to], ...entry }]): [number, number] => {
    entries[name] = { ...entry, data_offsets: [length, length + to - from] };
    length += to - from;
    return [header.data + from, header.data + to];
  });
  const json = new TextEncoder().encode(padded(JSON.stringify(entries)));
  const data = await read(file, parts, onProgress);
  const all = new Uint8Array(8 + json.length + data.length);
  new DataView(all.buffer).setBigUint64(0, BigInt(json.length), true);
  all.set(json, 8);
  all.set(data, 8 + json.length);
  return all;
}

async function rewritten(bytes: Uint8Array<ArrayBuffer>, name: string, formats: Record<Build, Source>): Promise<Uint8Array<ArrayBuffer>> {
  await loadFormats(formats);
  const model = new ModelFile(bytes, name, undefined);
  try {
    return model.save('safetensors-f32');
  } finally {
    model.free();
  }
}

/** With blanks behind, so that the numbers are aligned. */
const padded = (text: string) => text.padEnd(Math.ceil(text.length / 8) * 8);

async function read(file: Blob, parts: [from: number, to: number][], onProgress: OnProgress): Promise<Uint8Array<ArrayBuffer>> {
  const total = parts.reduce((sum, [from, to]) => sum + to - from, 0);
  const all = new Uint8Array(total);
  let loaded = 0;
  for (const [from, to] of parts) {
    const reader = file.slice(from, to).stream().getReader();
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      all.set(piece.value, loaded);
      loaded += piece.value.length;
      onProgress({ loaded, total });
    }
  }
  return all;
}
