// The stops of the slider, and the networks that there are to weigh.

import { models, rounded } from 'virtual:engine-files';
import type { Source } from '../../lib/fetch';
import { m } from '../../texts/precision';
import type { Bits } from '../../lib/types';
import type { Chosen } from '../../worker/precision/protocol';

/** From single precision to one bit; `own` stands for bits layer by layer, `file` for a network that came with few. */
export const STOPS = ['32', '16', '8', '4', 'ternary', '1'] as const;
export type Stop = (typeof STOPS)[number];
export type Row = Stop | 'own' | 'file';

export const BITS: Bits[] = ['8', '7', '6', '5', '4', '3', '2', 'ternary', '1'];

const NAMES: Record<Row, () => string> = {
  32: () => 'float32', 16: () => 'float16', 8: () => 'int8', 4: () => 'int4', ternary: m.ternary, 1: m.one_bit, own: m.by_layer, file: m.this_file,
};
export const nameOf = (row: Row): string => NAMES[row]();

/** Bits of a weight, as a column of a table has room for them. */
export const bitsName = (one: Bits): string => (one === 'ternary' ? '−1 0 1' : one === '1' ? '±1' : one);

/** What the thread is asked for. A network that learnt its bits, or came with few, has them anyway. */
export const chosenBy = (row: Row, own: Bits[]): Chosen => (row === '32' ? 32 : row === '16' ? 16 : row === 'own' ? own : [row === 'file' ? '8' : row]);

/** A shipped network: its file, and the float network that one of few bits was made from. */
export type Shipped = { name: string; file: Source; beside?: Source };

const shipped = (name: string, beside?: string): Shipped => ({
  name,
  file: (rounded[name] ?? models[name])!,
  ...(beside && { beside: models[beside]! }),
});

/** Those to round here, and those that came with few bits. */
export const FLOATS: Shipped[] = [shipped('tiny'), shipped('draw')];
export const FEW: Shipped[] = [
  shipped('tiny_int8', 'tiny'), shipped('tiny_mixed', 'tiny'), shipped('smallest', 'tiny'), shipped('binary'), shipped('draw_int8', 'draw'),
];
/** What the page's Train or Your model passed on, and a file that was opened here. */
export const KEPT = 'own';
export const OPENED = 'file';
