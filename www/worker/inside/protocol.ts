// What the Inside lab asks of its threads. Options travel down, reports travel up.

import type { Source } from '../../lib/fetch';
import type { OnProgress } from '../protocol';
import type {
  Build, Explainer, Gathered, Ink, Layer, Neighbours, Numeric, Outline, Picture, Reading, Reasons, Softmax, Stroke, Tensor, WayBack, Wish, Working,
} from '../../lib/types';

export type Method = Parameters<Explainer['reasons']>[0];

/** How a method looks: what it is asked with. */
export type Asking = { method: Method; amount: number; noise: number };

/** A network that is open: its layers, and the most pictures it climbs with at once. */
export type Open = { layers: Layer[]; batch: number };

/** The thread that looks into a network. Everything but the first five is about what it looked at last. */
export interface Looking {
  start(wasm: Record<Build, Source>, build: Build | null, onProgress: OnProgress): Promise<Build>;
  /** Opens a network from where it is, or from the bytes of its file. */
  open(weights: Source | Uint8Array, onProgress: OnProgress): Promise<Open>;
  /** A drawing as MNIST has its digits: 28 × 28, 0 paper to 1 ink; null where there is no ink. */
  centred(strokes: Stroke[]): Float32Array | null;
  /** Looks at a drawing, where the network reads digits. */
  look(ink: Ink): Reading;
  /** Looks at a picture, as the network reads it; gives the probability of each class. */
  see(picture: Float32Array): Float32Array;
  values(layers: string[]): Float32Array[];
  /** What one layer of a network's description makes of its input. */
  outline(network: string): Outline;
  /** A layer's weight and bias; null where it has none. */
  weights(layer: string): { weight: Tensor | null; bias: Tensor | null };
  step(layer: string, channel: number, y: number, x: number): Working;
  columns(layer: string): Picture;
  softmax(): Softmax;
  backward(label: number, layer: string, rate: number): WayBack;
  numeric(label: number, parameter: string, place: number, steps: number[]): Numeric[];
  reasons(asking: Asking, label: number): { reasons: Reasons; milliseconds: number };
  /** Makes so many more digits; says how many there are. */
  gather(count: number): number;
  gathered(): Gathered;
  neighbours(count: number): Neighbours;
  made(digit: number): Float32Array;
  want(layer: string, channels: number[], wish: Wish): void;
  climb(steps: number): { pictures: Float32Array; reached: Float32Array };
  dream(layer: string, picture: Float32Array, width: number, rate: number, ends?: Float32Array): void;
  dreamOn(): Picture & { done: number; of: number; seen: number };
}

/** The thread that lays rows out in the plane so that neighbours stay neighbours. */
export interface Laying {
  /** Lays out rows of `size` numbers; hears of every so many epochs. Resolves with the last places, x and y of each row. */
  lay(rows: Float32Array, size: number, onPlaces: (places: Float32Array, share: number) => void): Promise<Float32Array>;
}
