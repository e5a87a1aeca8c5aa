/** Bits of a weight: whole numbers of 8 to 2, `ternary` (−1, 0, 1), or `1` (−1, 1). */
export type Bits = '8' | '7' | '6' | '5' | '4' | '3' | '2' | 'ternary' | '1';

/** How ranges of activations are chosen: from the least to the largest value, without a part of them, or of the least error. */
export type RangeMethod = 'minmax' | 'percentile' | 'mse';

/** One layer of a network in single precision: its name, and channels, height, width. */
export type FloatLayer = { name: string; shape: [number, number, number] };

/** A layer that can be given fewer bits; one that learnt its bits keeps them. */
export type RoundedLayer = { name: string; weights: number; learnt: boolean };

/** One step of a model of few bits. */
export type FewLayer = {
  name: string;
  kind: 'input' | 'filters' | 'max_pool' | 'mean' | 'add' | 'sign';
  shape: [maps: number, height: number, width: number];
  inputs: string[];
  /** What comes out: whole numbers times a step, −1 and 1, or single precision. */
  form: 'levels' | 'signs' | 'numbers';
  /** What a level is worth, and the least and the largest level. */
  step: number | null;
  levels: [least: number, most: number] | null;
  /** Of its weights; null without any. */
  bits: Bits | null;
  weights: number;
  bytes: number;
  relu: boolean;
  window: { kernel: [number, number]; stride: [number, number]; pad: [number, number] } | null;
};

/** Whole numbers, filter after filter, and what 1 is worth in each filter. */
export type WholeWeights = { weights: Int8Array<ArrayBuffer>; scales: Float32Array<ArrayBuffer> };

/** `value` is `sum` times `scale` plus `bias`, with negative results 0 where a ReLU follows; `sum` is that of the products. */
export type WholeSum = {
  inputs: Int16Array<ArrayBuffer>;
  weights: Int8Array<ArrayBuffer>;
  sum: number;
  scale: number;
  bias: number;
  value: number;
};

/** Bits of every layer, the bytes of all weights, and how well they read the pictures to choose by. */
export type BitChoice = { bits: Bits[]; bytes: number; loss: number; accuracy: number };
