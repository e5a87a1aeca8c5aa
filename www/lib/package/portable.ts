import type { Input } from './types';

/** An input as it can be sent to a worker: a canvas as its pixels, everything else as it is. */
export function portable(input: Input): Input {
  const canvas =
    (typeof HTMLCanvasElement !== 'undefined' && input instanceof HTMLCanvasElement) ||
    (typeof OffscreenCanvas !== 'undefined' && input instanceof OffscreenCanvas);
  if (!canvas) return input;
  const { width, height } = input as HTMLCanvasElement | OffscreenCanvas;
  const context = (input as OffscreenCanvas).getContext('2d');
  if (context) return context.getImageData(0, 0, width, height);
  // Somebody draws on it in three dimensions.
  const copy = new OffscreenCanvas(width, height).getContext('2d')!;
  copy.drawImage(input as CanvasImageSource, 0, 0);
  return copy.getImageData(0, 0, width, height);
}
