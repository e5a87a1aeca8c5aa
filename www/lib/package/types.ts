// What callers of the package hand in and get.

import type { Stroke } from '../types';

export type { Stroke };

/** A class of the browser's, or nothing where a program is compiled without its types. */
type Dom<Name extends string> = typeof globalThis extends { readonly [K in Name]: { prototype: infer T } } ? T : never;

type Signal = Dom<'AbortSignal'>;
type Address = Dom<'URL'>;

/** Channels, height, width. */
export type Shape = [channels: number, height: number, width: number];

/** Numbers of a picture, channel by channel (CHW): grey levels or colours from 0 to 1, or whatever the network has learnt. */
export type Numbers = { data: Float32Array | Uint8Array | Uint8ClampedArray | number[]; shape?: number[] };

/** Numbers in lists of lists: rows, or channels of rows. */
export type Nested = readonly (number | Nested | Float32Array)[];

/** Red, green, blue and alpha of each pixel, row by row: what an `ImageData` has, also where there is none. */
export type Pixels = { width: number; height: number; data: Uint8ClampedArray | Uint8Array };

/**
 * Something to read. Strokes and pictures of a drawing are brought into the form of MNIST's digits for a network that reads
 * 28 × 28 grey levels: its ink may be dark or light, its paper light, dark or transparent, and `Prediction.ink` says which was
 * found. For any other network a picture is scaled to its size; what is transparent becomes white paper, or black where what is
 * drawn on it is light. Bytes count from 0 to 255, all other numbers are taken as they are. A text or `URL` is the address of a
 * picture, a `Blob` its file. No side may be longer than 4,096 pixels.
 *
 * What is seen by `detect`, `segment` and `caption` may be of any size, ink dark or light; what is transparent counts as paper
 * that the ink is seen on, and bare numbers go from 0 to 1. Strokes are drawn on a sheet of 128 × 128 pixels, or a larger one if
 * they are many, their digits as large as the networks know them.
 */
export type Input =
  | { strokes: Stroke[]; penWidth?: number }
  | Dom<'ImageData'>
  | Dom<'ImageBitmap'>
  | Dom<'HTMLCanvasElement'>
  | Dom<'OffscreenCanvas'>
  | Dom<'HTMLImageElement'>
  | Dom<'HTMLVideoElement'>
  | Dom<'VideoFrame'>
  | Dom<'Blob'>
  | Dom<'URL'>
  | string
  | Pixels
  | Float32Array
  | Float64Array
  | Uint8Array
  | Uint8ClampedArray
  | Nested
  | Numbers;

/** What a model makes of one input. */
export type Prediction = {
  /** The most probable class; of the digit networks, the digit; of a network of one number 1 for yes and 0 for no. */
  class: number;
  /** Of the classes; where the network ends in a sigmoid each by itself, so that they need not sum to 1. */
  probabilities: Float32Array;
  /** The class's name, where the model has names of classes. */
  name?: string;
  /**
   * `unsure` where the model's calibration says so, `unknown` where it has none: networks of one's own have one once they have
   * learnt with a `validation` of 50 examples or more.
   */
  status: 'sure' | 'unsure' | 'unknown';
  /** What was taken for ink, where a picture left it open. */
  ink?: 'dark' | 'light';
};

/** How digits are looked for. */
export type DetectOptions = {
  /** The least score, from 0 to 1; 0.5. */
  threshold?: number;
  /** The most digits, from 1 to 100; 100. */
  most?: number;
  signal?: Signal;
};

/** Where a thing lies: left, top, right and bottom. */
export type Box = [x0: number, y0: number, x1: number, y1: number];

/** A digit that was found: which, how sure that is (0 to 1), and where, in the picture's pixels or the strokes' unit. */
export type Detection = { class: number; score: number; box: Box };

/** The class of every pixel of a picture, row by row; the first class is the background. */
export type Segmentation = { classes: string[]; width: number; height: number; mask: Uint8Array<ArrayBuffer> };

/** How a sentence is written. */
export type CaptionOptions = {
  /** English if nothing is said. */
  language?: 'en' | 'ja';
  /** Beginnings of sentences that are followed at once, from 1 to 32; 3. */
  beams?: number;
  signal?: Signal;
};

/** A word, how probable it was behind those before it, and how much each cell of the picture was looked at for it (row by row). */
export type Word = { text: string; probability: number; looks: Float32Array<ArrayBuffer> };

/** A sentence about a picture, its words, and the other sentences that were followed to their ends, the better ones first. */
export type Caption = {
  sentence: string;
  /** Of all its words and its end. */
  probability: number;
  words: Word[];
  /** Columns and rows of cells that were looked at. */
  cells: number;
  others: { sentence: string; probability: number }[];
};

/** What is drawn. */
export type GenerateOptions = {
  /** Which digit; each in turn from 0 on if nothing is said. */
  digit?: number;
  /** Everything random follows from it; 1. The first drawings of more are those of fewer. */
  seed?: number;
  /** How many, from 1 to 4,096; 1. */
  count?: number;
  signal?: Signal;
};

/**
 * A digit that was drawn: numbers from 0 (paper) to 1 (ink) that `predict` reads, and the same as dark ink on light paper for a
 * canvas: `context.putImageData(new ImageData(data, width, height), 0, 0)`.
 */
export type Generated = { digit: number; width: number; height: number; pixels: Float32Array<ArrayBuffer>; data: Uint8ClampedArray<ArrayBuffer> };

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
  signal?: Signal;
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

/** Examples and the class of each: its number, its name, or a row of zeros with a one in its place. */
export type Data = { inputs: Input[]; labels: Iterable<number> | Iterable<string> | Iterable<ArrayLike<number>> };

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
  /**
   * Examples to judge each epoch by, which are not among those to learn from. 50 or more also tell how sure the model may be of its
   * answers; without them that is not known any more.
   */
  validation?: Data;
  signal?: Signal;
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
  signal?: Signal;
};

/** `safetensors` files are what `load` opens; `onnx` and `npz` are for other programs (and `load` opens them, too). */
export type SaveFormat = 'safetensors-f16' | 'safetensors-f32' | 'onnx' | 'npz';

/** One layer of a network of one's own: a type, its name if others refer to it, its inputs if not the layer before, options. */
export type LayerDefinition = { type: string; name?: string; inputs?: string[] } & Record<string, unknown>;

/** A network of one's own. */
export type NetworkDefinition = { input: Shape; layers: LayerDefinition[]; output?: string };

export type LoadOptions = {
  /** Where the modules are, or their bytes; beside the package's own files if nothing is said. */
  wasmUrl?: { reading?: WasmSource; studio?: WasmSource; formats?: WasmSource; convert?: WasmSource; bits?: WasmSource; systems?: WasmSource };
  /**
   * Where the worker's script is, if not where the package or its bundler has put it: one for whatever is opened (systems-worker.js
   * opens all models, worker.js all but systems), or each by itself.
   */
  workerUrl?: string | Address | { models?: string | Address; systems?: string | Address };
  onProgress?: (progress: { loaded: number; total: number | null }) => void;
  signal?: Signal;
};

export type WasmSource =
  | string
  | Address
  | ArrayBuffer
  | ArrayBufferView<ArrayBuffer>
  | (typeof globalThis extends { WebAssembly: { Module: { prototype: infer T } } } ? T : never);

/**
 * A network that reads and learns, or a system that finds, says or draws. Whatever cannot work throws a `HitofudeError` with a
 * `code` and changes nothing; so does a call that is not the model's (`unsupported`). One that is forgotten is cleaned up with its
 * memory; `dispose` (or `using`) does it at once. While it learns it answers, and refuses (`busy`) what would change it. A signal
 * ends its call at once, and everything else that the page has goes on.
 */
export interface Model {
  readonly name: string;
  readonly inputShape: Shape;
  readonly classes: number;
  /** The names of the classes, if they have some. */
  readonly classNames?: readonly string[] | undefined;
  layers(): LayerInfo[];
  predict(input: Input, signal?: Signal): Promise<Prediction>;
  predictAll(inputs: Input[], signal?: Signal): Promise<Prediction[]>;
  features(input: Input, layers: string[], signal?: Signal): Promise<Feature[]>;
  /** The digits of a picture or of strokes, the surest first: `faster_rcnn`, `rcnn`. None of an empty sheet. */
  detect(input: Input, options?: DetectOptions): Promise<Detection[]>;
  /** The class of every pixel: `fcn8s` and `segnet` of digits, `segnet_street` of streets. */
  segment(input: Input, signal?: Signal): Promise<Segmentation>;
  /** A sentence about one to four digits: `caption`. Sheets that are not square are squeezed into one. Throws with code `empty` where nothing is drawn. */
  caption(input: Input, options?: CaptionOptions): Promise<Caption>;
  /** Draws digits: `dcgan`. */
  generate(options?: GenerateOptions): Promise<Generated[]>;
  /** Which numbers of the input speak for a class of a model that answers with class scores. */
  explain(input: Input, options?: ExplainOptions): Promise<Explanation>;
  /** Learns; each turn of the iteration is an epoch. Leaving it early keeps what was learnt until then, as an abort does. */
  fit(data: Data, options?: FitOptions): AsyncGenerator<Report, void, void>;
  /** The part of the data that the model gets right, and its mean loss. */
  evaluate(data: Data, signal?: Signal): Promise<{ accuracy: number; loss: number }>;
  /** Freezes layers: names, or their beginnings and `*`. */
  freeze(...layers: string[]): Promise<void>;
  /** Gives the model other classes, so many or of these names: its last layer begins anew, the others stay. */
  withClasses(classes: number | string[], seed?: number): Promise<void>;
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
 * What `load` opens: a name (`draw`, `deep_convnet`; `faster_rcnn`, `rcnn`, `fcn8s`, `segnet`, `segnet_street`, `caption`, `dcgan`), where a file
 * is, or its bytes: safetensors of this package, or ONNX, npz and safetensors of other programs whose network the engine has the
 * layers for.
 */
export type ModelSource = string | Address | Uint8Array | ArrayBuffer;

/** A way into the package. */
export interface Api {
  load(source: ModelSource, options?: LoadOptions): Promise<Model>;
  /** A network of one's own, its weights drawn from a seed. */
  define(network: NetworkDefinition, options?: LoadOptions & { seed?: number }): Promise<Model>;
}
