// What the page asks of the thread that trains, and what comes back. Options travel down, reports travel up.

import type { Source } from '../../lib/fetch';
import type { Files } from '../../lib/store';
import type { Build, Checkpoint, Claim, Classified, LayerKind, Outline, Preset, Spread, Stroke, Sums, Tensor } from '../../lib/types';

/** The pictures to learn from, or those to choose by. */
export type Part = 'train' | 'validation';

/** Pictures, in the form in which every worker opens them for itself: gzip or plain. */
export type Pictures =
  | { key: string; files: Files; classes: number }
  | { key: string; generator: { seed: number; train: number; validation: number; test: number } };

/** What came of the pictures to choose by after a step: how many were right, their mean loss. */
export type Validation = { step: number; loss: number; accuracy: number };

/** What came of the test pictures, which nothing before the end has looked at. */
export type Score = { count: number; accuracy: number };

/** The curves of a training: a number for each step, `norm` its gradient's, what came of its validations, and of the test. */
export type History = { loss: number[]; accuracy: number[]; norm: number[]; validations: Validation[]; test?: Score };

/** A training as it is kept in the browser's storage. */
export type Saved = { id: string; setup: string; at: number; checkpoint: Checkpoint; history: History };

/** What to train: one setup, or several that race. */
export type Order = {
  setups: string[];
  pictures: Pictures;
  /** How many workers compute, this thread among them. A race has one. */
  workers: number;
  /** The module for a GPU, where steps are to be taken on it: if a trial finds it faster, or in any case. */
  gpu?: { wasm: Record<Build, Source>; always: boolean } | undefined;
  /** The name to keep the training under; null keeps nothing. */
  id: string | null;
  /** Where to go on from. */
  from: Saved | null;
  /** A safetensors file of the weights to begin with, in place of drawn ones. */
  weights?: Uint8Array | undefined;
};

/** How fast it goes. */
export type Pace = {
  /** Images in a step. */
  batch: number;
  imagesPerSecond: number;
  /** Images per second of this thread alone, measured in the first steps. */
  alone: number;
  /** Workers that computed the last step. */
  workers: number;
  /** Part of a step's time in which nobody computed a gradient. */
  communication: number;
};

/** What happens in a training. `run` numbers the setups. */
export type Happening =
  | { kind: 'steps'; run: number; first: number; loss: number[]; accuracy: number[]; norm: number[]; rate: number; pace: Pace | null }
  | { kind: 'validation'; run: number; validation: Validation; classes: Uint8Array; confidences: Float32Array }
  | { kind: 'testing'; done: number; count: number }
  | { kind: 'tested'; test: Score }
  | { kind: 'untested'; message: string }
  | { kind: 'stopped'; run: number; why: 'finished' | 'paused' }
  | { kind: 'failed'; run: number; message: string; backTo: number }
  | { kind: 'saved'; step: number }
  | { kind: 'unsaved'; message: string; full: boolean }
  | { kind: 'replaced'; worker: number }
  | { kind: 'participants'; participants: Participant[] }
  | { kind: 'device'; device: Device }
  | { kind: 'broken'; message: string };

/** Somebody who computes for this training, in another tab or on another device. */
export type Participant = {
  number: number;
  /** `opening` gets the pictures, `refused` has sent what cannot be. */
  state: 'opening' | 'ready' | 'left' | 'refused';
  /** Shards that it has computed. */
  shards: number;
  /** Bytes sent to it and received from it. */
  sent: number;
  received: number;
  why: string;
};

/** A training that this page computes for, as a participant knows it. */
export type Joined = {
  /** `waiting` for something to do. */
  state: 'waiting' | 'ready' | 'left' | 'refused';
  shards: number;
  step: number;
  sent: number;
  received: number;
  why: string;
};

/** The thread of a participant. `through` leads to the leader; null on it says that it is closed. */
export interface Guest {
  start(wasm: Record<Build, Source>, build: Build, through: MessagePort, onChange: (joined: Joined) => void): Promise<Build>;
  leave(): void;
}

/** The thread that trains with stale gradients. */
export interface Stale {
  start(wasm: Record<Build, Source>, build: Build): Promise<void>;
  /** The loss of each step of a setup with one shard, whose gradient is of the parameters so many steps before; NaN behind a refusal. */
  train(setup: string, lags: Int32Array): Float32Array;
}

/**
 * Where steps are taken, and images per second on both sides, 0 where not known. `why` says why a GPU that was asked for takes none:
 * in the engine's words, or empty where it is slower.
 */
export type Device = { on: 'wasm' | 'gpu'; name: string; wasm: number; gpu: number; why: string };

/** What the training knows about the numbers in the network right now. */
export type Inspection = {
  step: number;
  activations: Spread[];
  weights: { weight: Spread; gradient: Spread }[];
  filters: Tensor | null;
};

/** What there is to know about the pictures of a training, and whether that has come to its end before. */
export type Opened = About & { finished: boolean };

/** What there is to know about the pictures: the classes of those to learn from and to choose by, how many test pictures. */
export type About = { shape: [number, number, number]; train: Uint8Array; validation: Uint8Array; test: number };

/** What the network reads in one picture: a probability for each class. */
export type Read = { picture: Float32Array; probabilities: Float32Array };

/** The thread that trains. */
export interface Classroom {
  start(wasm: Record<Build, Source>, build: Build): Promise<Build>;
  /** The types of layers that a network can have. */
  kinds(): LayerKind[];
  /** The sources' experiments. */
  presets(): Preset[];
  /** What the sources claim, as networks that are trained alike but for one thing. */
  claims(): Claim[];
  /** Drawings as pictures of 28 × 28, 0 paper to 255 ink, one after another. */
  render(drawings: Stroke[][]): Uint8Array;
  /** What the layers of a network's description (JSON) make of one picture. */
  outline(network: string): Outline;
  /** Opens pictures without training on them. */
  look(pictures: Pictures): Promise<About>;
  /** Sets a training up. What was there before is gone, unless this throws. */
  open(order: Order, onHappening: (happening: Happening) => void): Promise<Opened>;
  /** Lets somebody who can be reached through this port compute, too, from the next step on. */
  admit(port: MessagePort): void;
  run(): void;
  /** Resolves when no step is under way any more. */
  pause(): Promise<void>;
  /** Takes a single step of every run. */
  step(): Promise<void>;
  inspect(): Promise<Inspection>;
  /** Pictures of a part, in this order, one after the other. */
  pictures(which: number[], part: Part): Float32Array;
  /** Reads a drawing, or a picture to choose by, with the weights of this moment; null for an empty drawing. */
  read(what: Stroke[] | number): Read | null;
  /** A picture to learn from, and behind it variants of it. */
  preview(setup: string, picture: number, variants: number): Float32Array;
  /** The weights by name. */
  weights(): Tensor[];
}

/** A shard that was computed. */
export type Shard = { gradient: Float32Array; sums: Sums };

/** The shards of a step that a worker computed, in their order, and how long it computed; or why it refused. */
export type Learnt = { shards: Shard[]; milliseconds: number } | { refused: string };

/** A worker that computes gradients. */
export interface Pupil {
  start(wasm: Record<Build, Source>, build: Build): Promise<Build>;
  open(setup: string, pictures: Pictures): Promise<void>;
  learn(params: Float32Array, step: number, from: number, to: number): Learnt;
  classify(params: Float32Array, from: number, to: number, count: number): Classified[];
}
