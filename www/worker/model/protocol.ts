// What the lab for models from elsewhere asks of its thread. Options travel down, reports travel up.

import type { Source } from '../../lib/fetch';
import type { About, Build, Format, Row, Stroke, Tensor } from '../../lib/types';
import type { Maps, OnProgress } from '../protocol';

/** A file that belongs to a model's: weights of TensorFlow.js, names of classes. */
export type Beside = { name: string; bytes: Uint8Array };

/** Why a call was refused; the model that was open still is. */
export type Refused = { refused: { code: string; message: string } };

/** A model that is open: what its file says, and its steps, or why they are not known yet. */
export type Opened = { about: About; rows: Row[]; open: string };

/** What one run came to. */
export type Ran = {
  outputs: Tensor[];
  /** What the row that is looked at made of the picture. */
  maps: Maps | null;
  milliseconds: number;
};

/** Whether a model is a network of this engine, which trains and is looked into. */
export type Trains = { input: [number, number, number]; classes: number; layers: number };

/** A row to look at: its position, the name to report it under, and how many of its numbers. */
export type Watched = { row: number; name: string; most: number };

export interface Bench {
  start(wasm: Record<Build, Source>, convert: Record<Build, Source>, build: Build | null, onProgress: OnProgress): Promise<Build>;
  /** The networks that weights alone can be opened as. */
  architectures(): string[];
  /** Opens a file in place of the one before, with those that belong to it. */
  open(file: Uint8Array, name: string, architecture: string | null, beside: Beside[]): Promise<Opened | Refused>;
  /** Fetches weights of the page's own and gives them back as an ONNX file. */
  example(weights: Source): Promise<Uint8Array>;
  resize(input: string, sides: number[]): Opened | Refused;
  /** Runs the model on all its inputs. */
  run(inputs: Tensor[], watched: Watched | null): Ran | Refused;
  trains(): Trains | Refused;
  save(format: Format): Uint8Array<ArrayBuffer> | Refused;
  /** A drawing as MNIST has its digits: 28 × 28, 0 paper to 1 ink; null where there is no ink. */
  centred(strokes: Stroke[]): Float32Array | null;
}
