// Pictures that a person brings, whatever they are, as pixels on white paper.

import type { Stroke } from '../../lib/types';
import { m } from '../../texts/shell';
import { count } from '../format';
import { strokeInk } from '../ink';

/** A picture and what it is called; `name` is one of the page's own, which is called otherwise in each language. */
export type Given = { title: string; picture: ImageData; name?: string };

/** Files beyond this are not opened: a browser holds the bytes and all pixels at once. */
const MOST_BYTES = 256e6;
/** The ink of a picture made from strokes. */
const INK = '#16181d';

/**
 * Opens a picture file, upright as its EXIF data says, its longer side at most `most` pixels. Rejects with a sentence for
 * the person where it is none.
 */
export async function readPicture(file: Blob, name: string, most: number): Promise<Given> {
  if (file.size === 0) throw new Error(m.picture_no_bytes({ name }));
  if (file.size > MOST_BYTES) throw new Error(m.picture_too_large({ name, size: count(Math.round(file.size / 1e6)), most: count(MOST_BYTES / 1e6) }));
  const bitmap = await decode(file, most).catch(() => {
    throw new Error(m.picture_unknown({ name }));
  });
  try {
    return { title: name, picture: onPaper(bitmap, bitmap.width, bitmap.height, most) };
  } finally {
    bitmap.close();
  }
}

async function decode(file: Blob, most: number): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(file, { imageOrientation: 'from-image' });
  } catch {
    // It may be a picture too large to be held whole: asked for a small one, some browsers never do.
    return createImageBitmap(file, { imageOrientation: 'from-image', resizeWidth: most, resizeQuality: 'high' });
  }
}

/** Whatever can be drawn, on white, its longer side at most `most` pixels; smaller pictures stay as they are. */
export function onPaper(source: CanvasImageSource, width: number, height: number, most: number): ImageData {
  const scale = Math.min(1, most / Math.max(width, height));
  const [w, h] = [width, height].map((side) => Math.max(1, Math.round(side * scale))) as [number, number];
  const context = paper(w, h);
  context.drawImage(source, 0, 0, w, h);
  return context.getImageData(0, 0, w, h);
}

/** Strokes in units of the pad's side as a square picture. */
export function fromStrokes(strokes: Stroke[], side = 512, brush?: number): ImageData {
  const context = paper(side, side);
  strokeInk(context, strokes, side, INK, brush);
  return context.getImageData(0, 0, side, side);
}

function paper(width: number, height: number): CanvasRenderingContext2D {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error(m.picture_no_canvas());
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = 'high';
  return context;
}

/** Puts a picture on a canvas of its size. */
export function show(canvas: HTMLCanvasElement, { width, height, data }: { width: number; height: number; data: Uint8ClampedArray }): void {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const image = new ImageData(width, height);
  image.data.set(data);
  canvas.getContext('2d')?.putImageData(image, 0, 0);
}
