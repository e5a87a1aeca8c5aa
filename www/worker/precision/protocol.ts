// What the Precision lab asks of its thread, and what it hears.

import type { Source } from '../../lib/fetch';
import type { BitChoice, Bits, Build, FewLayer, Ink, Stroke, WholeSum } from '../../lib/types';
import type { OnProgress } from '../protocol';

/** Single or half precision as a whole; one kind of weights for all layers, or one for each. */
export type Chosen = 32 | 16 | Bits[];

/** Where a network comes from: a shipped file, or the bytes of the person's own; `beside` is the float network of a file of few bits. */
export type Origin = { file: Source | Uint8Array; beside?: Source };

/** A layer whose weights can be rounded. */
export type Rounded = { name: string; weights: number; learnt: boolean };

/** What was opened. */
export type Opened = {
  name: string;
  /** Whether it is a file of few bits: then it stays as it is. */
  few: boolean;
  /** The layers that can be given fewer bits; none of a file of few bits. */
  rounded: Rounded[];
  /** Why no fewer bits can be given, in the engine's words. */
  unfit: string | null;
};

/** The network as it is now. */
export type Made = {
  bytes: number;
  /** The steps of a network of few bits, or the same layers of the float one. */
  layers: FewLayer[];
};

/** Pictures that score. */
export type Part = 'drawings' | 'made' | 'mnist';

/** Values of one layer: in single precision (where there is such a network), and now. */
export type Values = { layer: string; shape: [number, number, number]; before: Float32Array | null; after: Float32Array };

/** What a picture comes to. */
export type Answer = { digit: number; probabilities: Float32Array };

/** What the two networks make of a drawing. */
export type Report = {
  /** The picture that they read. */
  picture: Float32Array;
  before: Answer | null;
  now: Answer;
  values: Values | null;
  /** Of each layer, the root of the mean squared difference from single precision, as a part of the values'. */
  errors: { layer: string; error: number }[];
};

/** How a layer's weights lay before and after, in units of each filter's step. */
export type Weighed = {
  layer: string;
  /** The least and the largest of the bars, and how many weights each has; nothing before where only whole numbers are known. */
  range: [number, number];
  before: Uint32Array | null;
  after: Uint32Array;
  /** Root of the mean squared error as a part of the weights'. */
  error: number | null;
};

/** The weights of one filter of one bit, or of more, as whole numbers: in × kh × kw. */
export type Filter = { weights: Int8Array; kernel: [number, number]; filters: number };

/** The thread in which a network gives up bits. */
export interface Scales {
  start(wasm: Record<Build, Source>, build: Build | null, onProgress: OnProgress): Promise<Build>;
  /** Takes in the drawings that score, and MNIST's test pictures where the browser keeps some (plain or gzip IDX). */
  pictures(drawings: string, mnist: { images: Uint8Array; labels: Uint8Array } | null): Promise<Record<Part, number>>;
  open(origin: Origin, onProgress: OnProgress): Promise<Opened>;
  /** Gives the open network these bits, its ranges chosen so. */
  make(chosen: Chosen, method: string): Made;
  read(ink: Ink, watched: string | null): Report | null;
  /** Bytes of a file with these bits, and milliseconds for one picture; the network that `make` made stays. */
  cost(chosen: Chosen, method: string): { bytes: number; milliseconds: number };
  /** The classes that these bits make of some pictures; the network that `make` made stays. */
  judge(chosen: Chosen, method: string, part: Part, from: number, count: number): Uint8Array;
  labels(part: Part): Uint8Array;
  /** Pictures of a part, 28 × 28 each. */
  shown(part: Part, which: number[]): Float32Array;
  /** The strokes of a drawing that scores, in units of the pad's side. */
  strokes(which: number): { strokes: Stroke[]; digit: number };
  weigh(layer: string): Weighed | null;
  filter(layer: string, filter: number): Filter;
  sum(layer: string, filter: number, row: number, column: number): WholeSum;
  /** Begins a search on made digits, and takes one step after another. */
  search(method: string): BitChoice;
  further(): BitChoice | null;
  save(): Uint8Array<ArrayBuffer>;
}
