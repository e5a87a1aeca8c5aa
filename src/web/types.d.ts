/** Points `[x, y]` of one stroke of the brush, x right, y down, in any unit. */
export type Stroke = [number, number][];

/**
 * A drawing: strokes, or what a canvas gives (dark ink on light or no paper), or a picture of coverage (0 paper, 255
 * ink), row by row.
 *
 * `penWidth` is the line's thickness in pixels of the 20-pixel box that every drawing is scaled to, from 0.5 to 10.
 * Left out, it is 1.8, which the networks for drawings have learnt to read.
 */
export type Ink =
  | { strokes: Stroke[]; penWidth?: number }
  | ImageData
  | { width: number; height: number; pixels: Uint8Array };

/** A grey picture, row by row, 0 paper to 1 ink. */
export type Picture = { width: number; height: number; pixels: Float32Array };

/** One step on the way from ink to the network's input. */
export type Step = Picture & { name: 'drawn' | 'cropped' | 'scaled' | 'centred' };

/** A layer whose output can be looked at. */
export type Layer = {
  name: string;
  /** The field's word for it: `input`, `conv`, `max_pool`, `affine`, … */
  kind: string;
  /** The activation that has been applied to its values, if one has. */
  activation: string | null;
  /** The positions of the layers that it reads: a branch is one that several read. */
  inputs: number[];
  /** Channels, height, width. */
  shape: [number, number, number];
  /** The output-size formula with this layer's numbers filled in; empty where there is nothing to compute. */
  formula: string;
  /** Weights and biases. */
  parameters: number;
  /** Multiply-adds for one picture. */
  multiplyAdds: number;
};

/** What the network makes of a picture; `unsure` when the calibrated threshold says so. */
export type Answer = {
  status: 'sure' | 'unsure';
  digit: number;
  /** The runner-up. */
  second: number;
  /** One for each digit. */
  probabilities: Float32Array;
};

/** What the network makes of a drawing. */
export type Reading = { status: 'empty' } | (Answer & { steps: Step[] });

/** What a refused call throws: an `Error` with one of these codes. */
export type Refusal = Error & { code: 'shape' | 'value' | 'format' | 'missing' | 'empty' };
