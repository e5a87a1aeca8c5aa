import type { FetchOptions, Progress, Source } from '../lib/fetch';
import type { Build, Ink, Layer, Reading } from '../lib/types';

/** The values of one layer after a reading, with what each map's values amount to. */
export type Maps = {
  layer: string;
  /** Channel by channel (CHW). */
  values: Float32Array;
  /** Minimum, mean and maximum of each map, one after the other. */
  stats: Float32Array;
};

/** The answer to one drawing. */
export type Report = {
  reading: Reading;
  maps: Maps[];
  /** How long normalising and the network took, in milliseconds. */
  milliseconds: number;
};

export type OnProgress = NonNullable<FetchOptions['onProgress']>;

/** What the page asks of the thread that holds the engine. Options travel down, reports travel up. */
export interface Desk {
  /** Fetches and compiles the engine; `open` may be asked for meanwhile. Answers with the build that runs. */
  start(wasm: Record<Build, Source>, build: Build | null, onProgress: OnProgress): Promise<Build>;
  /** Opens a network from where it is, or from the bytes of its file; until it is open the one before stays. */
  open(weights: Source | Uint8Array, onProgress: OnProgress): Promise<Layer[]>;
  /** Reads a drawing, and takes the values of these layers along. */
  read(ink: Ink, layers: string[]): Report;
}

export type { Progress, Source };

