/** One layer of a `Network`, in the order of computation. */
export type Node = {
  name: string;
  /** The field's word for it: `input`, `conv`, `relu`, `affine`, … */
  kind: string;
  /** Channels, height, width. */
  shape: [number, number, number];
  /** Weights and biases. */
  parameters: number;
  /** Multiply-adds for one picture. */
  multiplyAdds: number;
};

/** One parameter of a `Network`, for `weights` and `setWeights`. */
export type Parameter = { name: string; shape: number[] };

/** Plain IDX files: pictures and labels to learn from, and, where they are there, others to choose by. */
export type IdxFiles = {
  images: Uint8Array;
  labels: Uint8Array;
  validationImages?: Uint8Array;
  validationLabels?: Uint8Array;
};

/** The pictures to learn from, or those to choose by. */
export type Part = 'train' | 'validation';

/** What some pictures came to: sums over them. */
export type Sums = { images: number; loss: number; correct: number };

/** What a network makes of some pictures: the class of each, its probability, and the sum of the losses. */
export type Classified = { classes: Uint8Array; confidences: Float32Array; loss: number };

/** How the numbers of a layer, or of a parameter or its gradient, are spread; `bars` divide `range` evenly. */
export type Spread = {
  name: string;
  range: [number, number];
  bars: Uint32Array;
  mean: number;
  deviation: number;
  /** The part of them that is zero. */
  zeros: number;
};

/** Everything that a training needs to go on with the same bits; empty arrays where the optimiser needs none. */
export type Checkpoint = {
  steps: number;
  params: Float32Array;
  first: Float32Array;
  second: Float32Array;
  average: Float32Array;
};

/** Named numbers, row-major: weights are out × in, those of a convolution filters × channels × height × width. */
export type Tensor = { name: string; shape: number[]; values: Float32Array };

/** A type of layer that a network's description may name, and its options; where one is required, `default` is a start. */
export type LayerKind = { name: string; options: { name: string; default: number | boolean; required: boolean }[] };

/** What the layers of a description make of one picture, and the first thing that does not fit. */
export type Outline = {
  layers: Omit<Layer, 'activation'>[];
  fault: { layer: number | null; message: string } | null;
};
