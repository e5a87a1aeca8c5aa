import type { Source } from '../../lib/fetch';
import type { Answer, Build, Ink, Layer } from '../../lib/types';
import type { Maps, OnProgress } from '../protocol';

/** What one network makes of a drawing. */
export type Said = { name: string; answer: Answer };

/** What all of them make of it: nothing where there is no ink. */
export type Report = { said: Said[]; maps: Maps[] };

/** The layers of one network whose values are wanted. */
export type Watched = { name: string; layers: string[] };

/** What the lab asks of the thread that holds one engine and many networks. */
export interface Zoo {
  /** Fetches and compiles the engine; `open` may be asked for meanwhile. */
  start(wasm: Record<Build, Source>, build: Build | null, onProgress: OnProgress): Promise<Build>;
  /** Opens a network beside the others. */
  open(name: string, weights: Source, onProgress: OnProgress): Promise<Layer[]>;
  /** Shows a drawing to every open network. */
  read(ink: Ink, watched: Watched): Report;
  /** How many milliseconds an open network takes for the drawing that was read last. */
  time(name: string): number;
}
