// What the Generate lab asks of its thread, and what it hears.

import type { Source } from '../../lib/fetch';
import type { Build, GanRound } from '../../lib/types';
import type { OnProgress } from '../protocol';

/** Whose drawings: those of the generator that ships, or of the one that learns. */
export type Whose = 'shipped' | 'learner';

/** What is learnt: settings as JSON, a seed, how many real digits. */
export type Lesson = { settings: string; seed: number; real: number };

/** What the page hears: how the two networks stand, and the fixed drawings as they are now. */
export type News = { round: GanRound; rate: number; grid: Float32Array; variety: number };

/** The thread in which digits are drawn and two networks learn from one another. */
export interface Atelier {
  start(wasm: Record<Build, Source>, build: Build | null, onProgress: OnProgress): Promise<Build>;
  /** Opens the generator that ships; returns how many numbers a drawing starts from. */
  open(file: Source, onProgress: OnProgress): Promise<number>;
  settings(): string;
  /** Rows of numbers to start from. */
  latents(n: number, latent: number, seed: number): Float32Array;
  draw(whose: Whose, latents: Float32Array, digits: Uint8Array): Float32Array;
  /** Drawings for ten weights each in place of a digit; by the generator that ships. */
  blend(latents: Float32Array, weights: Float32Array): Float32Array;
  /** Sets a pair up; `hear` is told from now on. */
  learn(lesson: Lesson, grid: { latents: Float32Array; digits: Uint8Array }, hear: (news: News) => Promise<void> | void): void;
  pause(still: boolean): void;
  /** How sure the learner's discriminator is that an image is a real digit, for each digit. */
  judge(image: Float32Array): Float32Array;
  /** The mean distance of drawings of one digit, over that of made digits of one kind. */
  variety(images: Float32Array, digits: Uint8Array): number;
  save(): Uint8Array<ArrayBuffer>;
}
