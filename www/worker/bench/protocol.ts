import type { Case } from '../../../benches/cases.mjs';
import type { Source } from '../../lib/fetch';
import type { Build, Node } from '../../lib/types';

/** A case, warm and its answer looked at. */
export type Ready = {
  /** Some numbers of the answer, to know it by. */
  print: number[];
  /** Milliseconds of one run as the warming up ended. */
  time: number;
  layers: Node[];
  /** Bytes of the buffers for values and gradients. */
  planBytes: number;
};

/** One turn: milliseconds of the whole, and of each layer in a pass of its own. */
export type Turn = { time: number; forward: number[]; backward: number[] };

/** What the lab asks of a thread that measures one build. */
export interface Bench {
  /** Fetches and compiles the build; answers with its ceiling in GFLOP/s, if this browser can run it. */
  start(wasm: Record<Build, Source>, build: Build): Promise<number | null>;
  /** Makes the case's network and numbers, in place of those before. */
  prepare(kase: Case): Promise<Ready>;
  turn(): Promise<Turn>;
  /** The ceiling again, in GFLOP/s. */
  ceiling(): number;
}
