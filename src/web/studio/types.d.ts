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
  /** What early stopping remembers: the parameters of the best validation, its loss, and validations since. */
  best: Float32Array;
  bestLoss: number;
  waited: number;
};

/** Named numbers, row-major: weights are out × in, those of a convolution filters × channels × height × width. */
export type Tensor = { name: string; shape: number[]; values: Float32Array };

/** A drawing and the digit that it is. */
export type Example = { digit: number; strokes: Stroke[] };

/** What came of a lesson. */
export type Lesson = {
  /** The taught network, as a file like the one that it came from. */
  weights: Uint8Array;
  /** How much of what was learnt is kept, from 0 to 1: as much as costs others no more than 0.2 points. */
  kept: number;
  /** The part of 1,000 digits by no hand of the lesson that is read right before and after it. */
  others: [number, number];
};

/** A claim of the sources: networks that are trained alike but for one thing, each with the setup of its training. */
export type Claim = { name: string; says: string; arms: { name: string; setup: string }[] };

/** An experiment of the sources, as a training can be set up: its network in JSON, its options, what they measured. */
export type Preset = {
  name: string;
  about: string;
  network: string;
  start: 'gaussian' | 'xavier' | 'he';
  options: {
    optimiser: { rule: string; momentum: number; smoothing: number; decay: number };
    rate: number;
    l2: number;
  };
  batch: number;
  steps: number;
  trainImages: number;
  /** Accuracies, from 0 to 1, where they are printed. */
  theirs: { train: number; test: number } | null;
};

/** A type of layer that a network's description may name, and its options; where one is required, `default` is a start. */
export type LayerKind = { name: string; options: { name: string; default: number | boolean; required: boolean }[] };

/** What the layers of a description make of one picture, and the first thing that does not fit. */
export type Outline = {
  layers: Omit<Layer, 'activation' | 'inputs'>[];
  fault: { layer: number | null; message: string } | null;
};

/** Why a network answers as it does: see `Explainer.reasons`. */
export type Method = 'saliency' | 'smooth_grad' | 'guided' | 'grad_cam' | 'occlusion' | 'integrated';

/** What a method says: a number for each pixel, the class's score, and the score of bare paper if it compares with that. */
export type Reasons = { map: Float32Array; score: number; baseline: number | null };

/** How one number of a layer comes about; pairs are rows and columns. */
export type Working = {
  kind: string;
  /** The layer that it reads. */
  from: string;
  /** Where the window begins on the layer's input; negative in the padding. */
  at: [number, number];
  kernel: [number, number];
  stride: [number, number];
  pad: [number, number];
  dilation: [number, number];
  /** Channels under the window: the first, and the one behind the last. */
  channels: [number, number];
  /** What lies under the window: channels × height × width; NaN where a maximum's window hangs over the edge. */
  inputs: Float32Array;
  /** The kernel in the same order; empty for pooling. */
  weights: Float32Array;
  bias: number;
  /** Products and bias added up, the maximum or the mean. */
  sum: number;
  /** What stands in the engine's buffer, behind the activation. */
  value: number;
  /** The receptive field on the picture: top, left, bottom, right; the last two are one behind. */
  field: [number, number, number, number];
};

/** Scores, their powers `e^(s − max)`, and their share of the sum. */
export type Softmax = { scores: Float32Array; powers: Float32Array; probabilities: Float32Array };

/** The loss of a picture with a label, and after a step; the gradients of a layer's maps and weights. */
export type WayBack = { loss: number; after: number; maps: Float32Array; gradient: Tensor | null };

/** Two losses beside a weight, and the slope between them. */
export type Numeric = { below: number; above: number; slope: number };

/** Made digits: what each is, what the network makes of it, and its place by the two principal components. */
export type Gathered = { labels: Uint8Array; rows: Float32Array; places: Float32Array; shares: [number, number] };

/** A drawing's place among the made digits, and those nearest to it. */
export type Neighbours = { place: [number, number]; which: Uint32Array; distances: Float32Array };

/** How a picture climbs to what a unit wants. */
export type Wish = {
  rate: number;
  jitter: number;
  blur: number;
  variation: number;
  seed: number;
  /** What the network reads for paper and for ink, two numbers for each channel; 0 and 1 if left out. */
  ends?: Float32Array;
};

/** What a layer makes of one picture, channel by channel (CHW). */
export type Features = { name: string; shape: [number, number, number]; values: Float32Array };

/** A colour picture, row by row, red, green, blue and alpha: an `ImageData` is one. It is laid over white. */
export type ColourPicture = { width: number; height: number; data: Uint8ClampedArray };

/** A picture that the engine draws itself: something to see, or a hand to see it in. */
export type Drawn = { name: string; title: string; about: string; kind: 'content' | 'style' };

/** A layer of a `FeatureNetwork`: pixels of the picture to one of its maps, and its weights if no others are given. */
export type FeatureLayer = { name: string; channels: number; stride: number; content: number; style: number };

/** How a painting is made; `paintingDefaults` says what to begin with. */
export type PaintingOptions = {
  /** From 32 to 512. */
  width: number;
  height: number;
  /** Weights by layer; none at all for the network's own choice. */
  contentLayers: Record<string, number>;
  styleLayers: Record<string, number>;
  contentWeight: number;
  styleWeight: number;
  /** The weight of the total variation. */
  variation: number;
  optimiser: 'lbfgs' | 'adam';
  /** Adam's, in grey levels from 0 to 1. */
  rate: number;
  start: 'content' | 'noise' | 'style';
  /** The content's luminance alone is painted, or the style is given its colours before. */
  keepColours: 'no' | 'luminance' | 'histogram';
  /** The style's longer side over the painting's, 0.25 to 2. */
  styleScale: number;
  seed: number;
};

/** What a step of a painting came to: the weighted parts of the loss, after the step (before it where Adam took it). */
export type PaintingReport = {
  /** Steps taken, over all sizes. */
  step: number;
  loss: number;
  content: number;
  style: number;
  variation: number;
  layers: { name: string; content: number; style: number }[];
  /** How often the picture was looked at. */
  evaluations: number;
  /** L-BFGS found no way further down. */
  settled: boolean;
};
