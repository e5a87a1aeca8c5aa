// Pictures to learn from: files that a person drops, picks, or has fetched, each brought into the IDX form that the
// engine reads.

import type { IdxFiles } from '../../lib/types';
import type { Files, Kept } from '../../lib/store';
import { m } from '../../texts/train';
import { count } from '../../ui/format';

/** Sides of the pictures that PNG files are brought to. */
const SIDE = 28;

export const DIGITS = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

/** What files came to: pictures, or what is still missing or wrong. */
export type Found = { kept: Kept } | { waiting: string } | { wrong: string };

/** The parts of a data set by what the names of their files say; `t10k` are MNIST's test pictures. */
const PARTS = [
  { part: 'images', pattern: /^(?!.*(t10k|test|valid)).*images/i },
  { part: 'labels', pattern: /^(?!.*(t10k|test|valid)).*labels/i },
  { part: 'validationImages', pattern: /valid.*images/i },
  { part: 'validationLabels', pattern: /valid.*labels/i },
  { part: 'testImages', pattern: /(t10k|test).*images/i },
  { part: 'testLabels', pattern: /(t10k|test).*labels/i },
] as const;

/** A file with the path it has in a dropped folder. */
export type Named = { path: string; blob: Blob };

/** Reads files of any kind that the lab knows; `before` are IDX parts that came earlier. */
export async function readFiles(files: Named[], before: Partial<Files>): Promise<{ found: Found; parts: Partial<Files> }> {
  const png = files.filter(({ path }) => /\.(png|jpe?g|webp)$/i.test(path));
  if (png.length) return { found: await fromPng(png), parts: {} };
  const parts: Partial<Files> = { ...before };
  for (const { path, blob } of files) {
    const name = path.split('/').pop() ?? path;
    const known = PARTS.find(({ pattern }) => pattern.test(name));
    if (!known) return { found: { wrong: m.unknown_file({ file: name }) }, parts: before };
    parts[known.part] = new Uint8Array(await blob.arrayBuffer());
  }
  return { found: await fromParts(parts, files.length === 1 ? (files[0]?.path ?? '') : m.idx_files()), parts };
}

async function fromParts(parts: Partial<Files>, name: string): Promise<Found> {
  const missing = PARTS.slice(0, 2).filter(({ part }) => !parts[part]);
  if (missing.length) return { waiting: missing.length > 1 ? m.missing_both() : missing[0]?.part === 'images' ? m.missing_images() : m.missing_labels() };
  const { images, labels, validationImages, validationLabels, testImages, testLabels } = parts;
  // Pictures without their labels, and labels without pictures, are no part.
  const files = {
    images, labels,
    ...(validationImages && validationLabels && { validationImages, validationLabels }),
    ...(testImages && testLabels && { testImages, testLabels }),
  } as Files;
  return { kept: await keep(name, files, DIGITS) };
}

/** Gives pictures their name in the storage and in the address: the beginning of the hash of their bytes and classes. */
export async function keep(name: string, files: Files, classes: string[], drawn = false): Promise<Kept> {
  // The files in the order of their parts, and what each part is for.
  const used = Object.entries(files).filter(([, file]) => file !== undefined).sort(([a], [b]) => (a < b ? -1 : 1));
  const parts = [...used.map(([, file]) => file), new TextEncoder().encode([...used.map(([part]) => part), ...classes].join())];
  return { key: await hashOf(parts), name, files, classes, at: Date.now(), ...(drawn && { drawn }) };
}

/** 64 bits that tell data sets apart: of SHA-256 where there is one, which is on secure origins. */
async function hashOf(parts: Uint8Array[]): Promise<string> {
  const hex = (bytes: Uint8Array) => [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('');
  if (globalThis.crypto?.subtle) {
    const each = await Promise.all(parts.map(async (part) => new Uint8Array(await crypto.subtle.digest('SHA-256', part as BufferSource))));
    const all = new Uint8Array(await crypto.subtle.digest('SHA-256', concat(each) as BufferSource));
    return hex(all.subarray(0, 8));
  }
  // FNV-1a of every byte, twice with different beginnings.
  return [0x811c9dc5, 0x1234567]
    .map((start) => parts.reduce((hash, part) => part.reduce((h, byte) => Math.imul(h ^ byte, 0x01000193) >>> 0, hash), start))
    .map((hash) => hash.toString(16).padStart(8, '0'))
    .join('');
}

/** Pictures in folders, the folder's name their class; ink is dark or light, whichever is less of the picture. */
async function fromPng(files: Named[]): Promise<Found> {
  const folder = ({ path }: Named) => path.split('/').at(-2) ?? '';
  const classes = [...new Set(files.map(folder))].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  if (classes.length < 2 || classes.length > 255) {
    return { wrong: m.need_folders({ count: count(classes.length) }) };
  }
  const pixels = new Uint8Array(files.length * SIDE * SIDE);
  for (const [i, file] of files.entries()) {
    const grey = await greyOf(file.blob).catch(() => null);
    if (!grey) return { wrong: m.unreadable({ file: file.path }) };
    pixels.set(grey, i * SIDE * SIDE);
  }
  const labels = Uint8Array.from(files, (file) => classes.indexOf(folder(file)));
  return { kept: await keep(m.folder_pictures({ count: count(files.length), classes: count(classes.length) }), idx(pixels, labels), classes) };
}

async function greyOf(blob: Blob): Promise<Uint8Array> {
  const bitmap = await createImageBitmap(blob);
  const canvas = new OffscreenCanvas(SIDE, SIDE);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('no canvas');
  context.fillStyle = '#fff';
  context.fillRect(0, 0, SIDE, SIDE);
  const scale = Math.min(SIDE / bitmap.width, SIDE / bitmap.height);
  const [w, h] = [bitmap.width * scale, bitmap.height * scale];
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, (SIDE - w) / 2, (SIDE - h) / 2, w, h);
  bitmap.close();
  const { data } = context.getImageData(0, 0, SIDE, SIDE);
  const grey = Uint8Array.from({ length: SIDE * SIDE }, (_, i) => {
    const [r = 0, g = 0, b = 0] = data.subarray(4 * i);
    return Math.round(0.299 * r + 0.587 * g + 0.114 * b);
  });
  const mean = grey.reduce((sum, v) => sum + v, 0) / grey.length;
  return mean > 127 ? grey.map((v) => 255 - v) : grey;
}

/** Packs pictures of 28 × 28 and their classes as IDX files. */
export function idx(pixels: Uint8Array, labels: Uint8Array): IdxFiles {
  const header = (...words: number[]) => {
    const view = new DataView(new ArrayBuffer(4 * words.length));
    words.forEach((word, i) => view.setUint32(4 * i, word));
    return new Uint8Array(view.buffer);
  };
  return {
    images: concat([header(0x803, labels.length, SIDE, SIDE), pixels]),
    labels: concat([header(0x801, labels.length), labels]),
  };
}

function concat(parts: Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The files of a drop, folders opened. */
export async function dropped(transfer: DataTransfer): Promise<Named[]> {
  // What comes from another page, and not from a folder, is a file without an entry. All are asked for at once: the
  // transfer is empty as soon as this event is over.
  const items = [...transfer.items].map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  const all = items.map(({ entry, file }) => (entry ? filesIn(entry, '') : file ? [{ path: file.name, blob: file }] : []));
  return (await Promise.all(all)).flat();
}

async function filesIn(entry: FileSystemEntry, path: string): Promise<Named[]> {
  const here = `${path}${entry.name}`;
  if (entry.isFile) {
    const blob = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return [{ path: here, blob }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const all: Named[] = [];
  // A reader gives a hundred entries at a time.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return all;
    all.push(...(await Promise.all(some.map((one) => filesIn(one, `${here}/`)))).flat());
  }
}
