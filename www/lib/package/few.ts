// A model of few bits as the package gives it: it reads, is looked into and saved; what learns keeps its numbers in single precision.

import { preprocess } from '../../public/wasm/hitofude.js';
import { ActivationRanges, FewBits, FloatModel, roundedLayers } from '../../public/wasm/bits/hitofude.js';
import { cut, judged, prediction, probabilities } from './calibration';
import { gone, HitofudeError as Refused, optional, stop } from './errors';
import { picture, pictures } from './input';
import { numbered } from './labels';
import { joined } from './learning';
import { knownOf, telling, type Known } from './metadata';
import { lacks } from './systems';
import { TURN, turn } from './turn';
import type {
  Bits, Caption, Data, Detection, Explanation, Feature, Generated, Input, LayerInfo, Model, Prediction, QuantiseOptions, Report, SaveFormat,
  Segmentation, Shape,
} from './types';

/** Rounds the model in a file; its activations' ranges are those that `data` come to. */
export async function quantised(file: Uint8Array, shape: Shape, known: Known, options: QuantiseOptions): Promise<FewModel> {
  const { bits = 8, data, method = 'minmax', signal } = optional(options);
  stop(signal);
  if (!data?.inputs?.length) throw new Refused('value', 'inputs to choose the ranges of activations by were expected: quantise({ bits, data: { inputs } })');
  const images = await pictures(data.inputs, shape, preprocess, signal);
  stop(signal);
  const own = FloatModel.load(file);
  try {
    const given = typeof bits === 'object' && bits !== null ? layered(bits, own) : [named(bits)];
    const ranges = new ActivationRanges(own, given, joined(images.map(({ values }) => values)));
    try {
      const few = FewBits.quantise(own, given, method, ranges);
      try {
        // Its file rounds the scales, too: from the beginning it answers as its file will.
        return new FewModel(FewBits.load(few.save()), known);
      } finally {
        few.free();
      }
    } finally {
      ranges.free();
    }
  } finally {
    own.free();
  }
}

const named = (bits: Bits) => String(bits) as ReturnType<FewBits['layers']>[number]['bits'] & string;

/** One entry for each layer, by its place or its name; a name left out has 8. */
function layered(bits: Bits[] | Record<string, Bits>, own: FloatModel) {
  if (Array.isArray(bits)) return bits.map(named);
  const layers = roundedLayers(own).map(({ name }) => name);
  const strange = Object.keys(bits).find((name) => !layers.includes(name));
  if (strange !== undefined) throw new Refused('missing', `there is no layer with weights called ${strange}: they are ${layers.join(', ')}`);
  return layers.map((name) => named(bits[name] ?? 8));
}

const refuse = (what: string) => new Refused('unsupported', `a model of few bits cannot ${what}: use the model that it was made from`);

export class FewModel implements Model {
  #few: FewBits | null;

  constructor(
    few: FewBits,
    private readonly known: Known,
  ) {
    this.#few = few;
  }

  static load(file: Uint8Array): FewModel {
    const few = FewBits.load(file);
    return new FewModel(few, knownOf(file, few.layers().at(-1)!.shape.reduce((a, b) => a * b)));
  }

  get name(): string {
    return this.#open().name;
  }

  get inputShape(): Shape {
    return this.layers()[0]!.shape;
  }

  get classes(): number {
    return this.layers().at(-1)!.shape.reduce((a, b) => a * b);
  }

  get classNames(): readonly string[] | undefined {
    return this.known.names ?? undefined;
  }

  layers(): LayerInfo[] {
    return this.#open().layers().map(({ name, kind, shape, weights }) => ({
      name,
      kind: kind === 'filters' ? (shape[1] * shape[2] > 1 ? 'conv' : 'affine') : kind,
      shape,
      parameters: weights ? weights + shape[0] : 0,
      multiplyAdds: weights * shape[1] * shape[2],
    }));
  }

  async predict(input: Input, signal?: AbortSignal): Promise<Prediction> {
    return (await this.predictAll([input], signal))[0]!;
  }

  async predictAll(inputs: Input[], signal?: AbortSignal): Promise<Prediction[]> {
    stop(signal);
    const images = await pictures(inputs, this.inputShape, preprocess, signal);
    const rows = await this.#probabilities(images.map(({ values }) => values), signal);
    return rows.map((row, i) => prediction(row, this.known, images[i]!.ink));
  }

  async features(input: Input, layers: string[], signal?: AbortSignal): Promise<Feature[]> {
    stop(signal);
    if (!Array.isArray(layers)) throw new Refused('value', 'a list of names of layers was expected');
    const { values } = await picture(input, this.inputShape, preprocess, signal);
    const few = this.#open();
    few.scores(values);
    const shapes = new Map(few.layers().map(({ name, shape }) => [name, shape]));
    return layers.map((name) => ({ name, values: few.values(name), shape: shapes.get(name)! }));
  }

  async evaluate(data: Data, signal?: AbortSignal): Promise<{ accuracy: number; loss: number }> {
    stop(signal);
    if (typeof data !== 'object' || data === null || !Array.isArray(data.inputs)) {
      throw new Refused('value', 'data were expected to be { inputs: […], labels: […] }');
    }
    const { labels } = numbered(data.labels, data.inputs.length, this.classes, this.known.names, false);
    const images = await pictures(data.inputs, this.inputShape, preprocess, signal);
    return judged(await this.#probabilities(images.map(({ values }) => values), signal), labels);
  }

  async save(format?: SaveFormat): Promise<Uint8Array<ArrayBuffer>> {
    if (format !== undefined && !String(format).startsWith('safetensors')) throw refuse(`be written as ${String(format)}`);
    return telling(this.#open().save(), this.known);
  }

  async detect(): Promise<Detection[]> {
    throw lacks(this.name, 'detect');
  }

  async segment(): Promise<Segmentation> {
    throw lacks(this.name, 'segment');
  }

  async caption(): Promise<Caption> {
    throw lacks(this.name, 'caption');
  }

  async generate(): Promise<Generated[]> {
    throw lacks(this.name, 'generate');
  }

  async quantise(): Promise<Model> {
    throw refuse('be rounded again');
  }

  async explain(): Promise<Explanation> {
    throw refuse('be explained by gradients');
  }

  async *fit(): AsyncGenerator<Report, void, void> {
    throw refuse('learn');
  }

  async freeze(): Promise<void> {
    throw refuse('learn');
  }

  async withClasses(): Promise<void> {
    throw refuse('get other classes');
  }

  dispose(): void {
    this.#few?.free();
    this.#few = null;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #open(): FewBits {
    if (!this.#few) throw gone();
    return this.#few;
  }

  /** A row of probabilities for each image. */
  async #probabilities(images: Float32Array[], signal: AbortSignal | undefined): Promise<Float32Array[]> {
    const rows: Float32Array[] = [];
    for (let from = 0; from < images.length; from += TURN) {
      if (from) await turn();
      stop(signal);
      const scores = this.#open().scores(joined(images.slice(from, from + TURN)));
      const ending = this.classes === 1 ? 'sigmoid' : 'softmax';
      rows.push(...cut(probabilities(scores, this.classes, ending, this.known.calibration?.temperature ?? 1), this.classes));
    }
    return rows;
  }
}
