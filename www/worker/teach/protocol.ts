// What the page asks of the thread that teaches a network somebody's hand. It starts with the first correction.

import type { Source } from '../../lib/fetch';
import type { Build, Example, Ink, Lesson } from '../../lib/types';

/** A digit that was read, and its probability. */
export type Verdict = { digit: number; probability: number };

/** A lesson, and how each drawing was read before and after it. */
export type Taught = Lesson & { verdicts: [before: Verdict, after: Verdict][]; milliseconds: number };

export interface School {
  start(wasm: Record<Build, Source>, build: Build): Promise<Build>;
  /** Opens the network as it came. */
  open(weights: Source): Promise<void>;
  /** Gets ready for lessons, which takes longer than a lesson. */
  prepare(): void;
  /** Retrains the last layers on these drawings, from the network as it came. */
  teach(examples: Example[]): Taught;
  /** What the network as it came reads; null where nothing is drawn. */
  read(ink: Ink): Verdict | null;
}
