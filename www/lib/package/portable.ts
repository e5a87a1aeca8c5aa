import { isCanvas, isImage, known, pixels } from './input';
import type { Input } from './types';

/** An input as it can be sent to a worker: a canvas and an image of the page as their pixels, everything else as it is. */
export function portable(input: Input): Input {
  if (typeof input !== 'object' || input === null || input instanceof Blob) return input;
  return isCanvas(input) || isImage(input) ? pixels(input) : known(input);
}
