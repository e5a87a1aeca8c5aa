import { arrived, isCanvas, isImage, isVideo, known, pixels } from './input';
import type { Input } from './types';
import { addressOf } from './where';

/** An input as it can be sent to a worker: what belongs to the page as its pixels, an address whole, everything else as it is. */
export async function portable(input: Input): Promise<Input> {
  if (typeof input === 'string' || input instanceof URL) return (await addressOf(input)).href;
  if (typeof Blob !== 'undefined' && input instanceof Blob) return input;
  const given = known(input);
  // A canvas is copied as it is now: what is drawn on it later is another input.
  if (isCanvas(given) || isVideo(given)) return pixels(given);
  return isImage(given) ? pixels(await arrived(given)) : input;
}
