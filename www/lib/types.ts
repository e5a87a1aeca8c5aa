// What crosses the wall between the engine and JavaScript. The wasm door (src/web) speaks exactly these shapes.

/** Points `[x, y]` of one stroke of the brush, x right, y down, in any unit. */
export type Stroke = [number, number][];

/** A drawing: strokes, or a picture of coverage (0 paper, 255 ink). */
export type Ink =
  | { strokes: Stroke[]; penWidth?: number }
  | { width: number; height: number; pixels: Uint8Array };

/** A grey picture, row by row, 0 paper to 1 ink. */
export type Picture = { width: number; height: number; pixels: Float32Array };

/** One step on the way from ink to the network's input. */
export type Step = Picture & { name: 'drawn' | 'cropped' | 'scaled' | 'centred' };

/** A layer whose output can be looked at. */
export type Layer = {
  name: string;
  kind: string;
  /** Channels, height, width. */
  shape: [number, number, number];
  /** The output-size formula with this layer's numbers filled in; empty where there is nothing to compute. */
  formula: string;
  parameters: number;
};

/** What the network makes of a picture; `unsure` when the calibrated threshold says so. */
export type Answer = {
  status: 'sure' | 'unsure';
  digit: number;
  second: number;
  probabilities: Float32Array;
};

/** What the network makes of a drawing. */
export type Reading = { status: 'empty' } | (Answer & { steps: Step[] });

/** The two builds of the engine: the same source, with and without relaxed SIMD. */
export type Build = 'simd128' | 'relaxed-simd';

/** A network with its weights, living in the engine's memory until `free` is called. */
export interface Model {
  readonly name: string;
  layers(): Layer[];
  predict(image: Float32Array): Answer;
  predictInk(ink: Ink): Reading;
  /** Output of a layer for the last prediction, channel by channel (CHW). */
  features(layer: string): Float32Array;
  free(): void;
}

/** The engine once its wasm is compiled. */
export interface Engine {
  readonly build: Build;
  open(weights: Uint8Array): Model;
  preprocess(ink: Ink): Step[];
}
