// What callers of the package hand in and get.

import type { Ink, Stroke } from '../types';

export type { Ink, Stroke };

/** Channels, height, width. */
export type Shape = [channels: number, height: number, width: number];

/** Numbers of a picture, channel by channel (CHW): grey levels or colours from 0 to 1, or whatever the network has learnt. */
export type Numbers = { data: Float32Array | Uint8Array | Uint8ClampedArray | number[]; shape?: number[] };

/**
 * Something to read. Strokes and canvases of a drawing are brought into the form of MNIST's digits for a network that reads
 * 28 × 28 grey levels; for any other network a canvas is scaled to its size. Bytes count from 0 to 255.
 */
export type Input =
  | { strokes: Stroke[]; penWidth?: number }
  | ImageData
  | ImageBitmap
  | HTMLCanvasElement
  | OffscreenCanvas
  | Float32Array
  | Uint8Array
  | Numbers;

/** What a model makes of one input. */
export type Prediction = {
  /** The most probable class; of the digit networks, the digit; of a network of one number 1 for yes and 0 for no. */
  class: number;
  /** Of the classes; where the network ends in a sigmoid each by itself, so that they need not sum to 1. */
  probabilities: Float32Array;
  /** `unsure` where a digit network's calibration says so. */
  status: 'sure' | 'unsure';
};

/** What a layer makes of one input, channel by channel (CHW). */
export type Feature = { name: string; shape: Shape; values: Float32Array };

/** How a model's answer is explained. */
export type ExplainOptions = {
  /**
   * `saliency` (the gradient), `smooth_grad` (its mean over noisy inputs), `guided` (guided backpropagation), `grad_cam`, `occlusion`,
   * or `integrated` (integrated gradients), if nothing is said.
   */
  method?: 'saliency' | 'smooth_grad' | 'guided' | 'grad_cam' | 'occlusion' | 'integrated';
  /** The class to speak for; the one that the model answers. */
  class?: number;
  /** Noisy inputs of `smooth_grad`, side of the square of `occlusion`, steps of `integrated`; 16, a quarter of the input, 32. */
  amount?: number;
  /** Deviation of the noise of `smooth_grad`; 0.15. */
  noise?: number;
  signal?: AbortSignal;
};

/** Which numbers of an input speak for a class. */
export type Explanation = {
  class: number;
  /** Of `grad_cam` one number for each place, of all others one for each number of the input; what speaks against is negative. */
  shape: Shape;
  values: Float32Array;
  /** The class's score, before any softmax. */
  score: number;
};

export type LayerInfo = { name: string; kind: string; shape: Shape; parameters: number; multiplyAdds: number };

/** Examples and the class of each. */
export type Data = { inputs: Input[]; labels: ArrayLike<number> & Iterable<number> };

export type FitOptions = {
  /** Times that all examples are seen; 10. */
  epochs?: number;
  /** Examples in a step; 32. */
  batch?: number;
  /** Everything random follows from it; 1. */
  seed?: number;
  /** Highest learning rate; 0.001. */
  rate?: number;
  /** `adam` if nothing is said. */
  optimiser?: 'sgd' | 'momentum' | 'nesterov' | 'adagrad' | 'adadelta' | 'rmsprop' | 'adam' | 'adamw';
  /** How the rate goes; `constant` if nothing is said. */
  schedule?: 'constant' | 'step' | 'exponential' | 'cosine' | 'onecycle';
  /** Penalties on the weights. */
  l1?: number;
  l2?: number;
  labelSmoothing?: number;
  /** The longest gradient. */
  clipNorm?: number;
  /** Decay of averaged weights, which are kept in the end. */
  average?: number;
  /** Examples to judge each epoch by. */
  validation?: Data;
  signal?: AbortSignal;
};

/** What an epoch came to. */
export type Report = {
  epoch: number;
  epochs: number;
  /** Mean loss of the epoch's examples, each as it was seen. */
  loss: number;
  accuracy: number;
  seconds: number;
  validation?: { accuracy: number; loss: number };
};

/** Bits of a weight: 2 to 8, three values (−1, 0, 1), or two (−1, 1). */
export type Bits = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 'ternary';

export type QuantiseOptions = {
  /** Of all layers; or of each layer with weights, in order, or by its name, where a layer left out has 8. 8 if nothing is said. */
  bits?: Bits | Bits[] | Record<string, Bits>;
  /** Inputs such as the model will read: by them the ranges of activations are chosen. A hundred or more; labels are not needed. */
  data: { inputs: Input[] };
  /** From the least to the largest value (`minmax`, if nothing is said), without 0.01 % at each end, or of the least squared error. */
  method?: 'minmax' | 'percentile' | 'mse';
  signal?: AbortSignal;
};

/** `safetensors` files are what `load` opens; `onnx` and `npz` are for other programs (and `load` opens them, too). */
export type SaveFormat = 'safetensors-f16' | 'safetensors-f32' | 'onnx' | 'npz';

/** One layer of a network of one's own: a type, its name if others refer to it, its inputs if not the layer before, options. */
export type LayerDefinition = { type: string; name?: string; inputs?: string[] } & Record<string, unknown>;

/** A network of one's own. */
export type NetworkDefinition = { input: Shape; layers: LayerDefinition[]; output?: string };

export type LoadOptions = {
  /** Where the modules are, or their bytes; beside the package's own files if nothing is said. */
  wasmUrl?: { reading?: WasmSource; studio?: WasmSource; formats?: WasmSource; bits?: WasmSource };
  onProgress?: (progress: { loaded: number; total: number | null }) => void;
  signal?: AbortSignal;
};

export type WasmSource = string | URL | BufferSource | WebAssembly.Module;

/**
 * A network that reads and learns. Whatever cannot work throws an `Error` with a `code` and changes nothing. One that is
 * forgotten is cleaned up with its memory; `dispose` (or `using`) does it at once.
 */
export interface Model {
  readonly name: string;
  readonly inputShape: Shape;
  readonly classes: number;
  layers(): LayerInfo[];
  predict(input: Input, signal?: AbortSignal): Promise<Prediction>;
  predictAll(inputs: Input[], signal?: AbortSignal): Promise<Prediction[]>;
  features(input: Input, layers: string[], signal?: AbortSignal): Promise<Feature[]>;
  /** Which numbers of the input speak for a class of a model that answers with class scores. */
  explain(input: Input, options?: ExplainOptions): Promise<Explanation>;
  /** Learns; each turn of the iteration is an epoch. Leaving it early keeps what was learnt until then, as an abort does. */
  fit(data: Data, options?: FitOptions): AsyncGenerator<Report, void, void>;
  /** The part of the data that the model gets right, and its mean loss. */
  evaluate(data: Data, signal?: AbortSignal): Promise<{ accuracy: number; loss: number }>;
  /** Freezes layers: names, or their beginnings and `*`. */
  freeze(...layers: string[]): Promise<void>;
  /** Gives the model other classes: its last layer begins anew, the others stay. */
  withClasses(classes: number, seed?: number): Promise<void>;
  /**
   * The same network in whole numbers, as a model of its own that reads, is looked into and saved; it cannot learn. Layers other than
   * convolutions, affine layers, norms, ReLU, pooling and sums are refused by their names.
   */
  quantise(options: QuantiseOptions): Promise<Model>;
  /** A file that is the whole model: `load` needs nothing else. */
  save(format?: SaveFormat): Promise<Uint8Array<ArrayBuffer>>;
  dispose(): void;
  [Symbol.dispose](): void;
}

/**
 * What `load` opens: a name (`draw`, `deep_convnet`), where a file is, or its bytes: safetensors of this package, or ONNX, npz and
 * safetensors of other programs whose network the engine has the layers for.
 */
export type ModelSource = string | URL | Uint8Array | ArrayBuffer;

/** A way into the package. */
export interface Api {
  load(source: ModelSource, options?: LoadOptions): Promise<Model>;
  /** A network of one's own, its weights drawn from a seed. */
  define(network: NetworkDefinition, options?: LoadOptions & { seed?: number }): Promise<Model>;
}
