// A model of few bits as the package gives it: it reads, is looked into and saved; what learns keeps its numbers in single precision.

import { preprocess } from '../../public/wasm/hitofude.js';
import { ActivationRanges, FewBits, FloatModel, roundedLayers } from '../../public/wasm/bits/hitofude.js';
import { Refused, stop } from './errors';
import { picture } from './input';
import { answer, joined, scored } from './rows';
import type { Bits, Data, Explanation, Feature, Input, LayerInfo, Model, Prediction, QuantiseOptions, Report, SaveFormat, Shape } from './types';

/** Whether a safetensors file's header says that it is one of few bits. */
export function isFew(file: Uint8Array): boolean {
  if (file.length < 8) return false;
  const length = Number(new DataView(file.buffer, file.byteOffset, 8).getBigUint64(0, true));
  if (length > file.length - 8) return false;
  try {
    const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length))) as { __metadata__?: { few_bits?: string } };
    return header.__metadata__?.few_bits !== undefined;
  } catch {
    return false;
  }
}

/** Rounds the model in a file; its activations' ranges are those that `data` come to. */
export async function quantised(file: Uint8Array, shape: Shape, { bits = 8, data, method = 'minmax', signal }: QuantiseOptions): Promise<FewModel> {
  stop(signal);
  if (!data?.inputs?.length) throw new Refused('missing', 'inputs to choose the ranges of activations by were expected: quantise({ bits, data: { inputs } })');
  const images = await Promise.all(data.inputs.map((input) => picture(input, shape, preprocess)));
  stop(signal);
  const own = FloatModel.load(file);
  try {
    const given = typeof bits === 'object' ? layered(bits, own) : [named(bits)];
    const ranges = new ActivationRanges(own, given, joined(images));
    try {
      return new FewModel(FewBits.quantise(own, given, method, ranges));
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

  constructor(few: FewBits) {
    this.#few = few;
  }

  static load(file: Uint8Array): FewModel {
    return new FewModel(FewBits.load(file));
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
    if (!inputs.length) return [];
    const [few, shape] = [this.#open(), this.inputShape];
    const images = await Promise.all(inputs.map((input) => picture(input, shape, preprocess)));
    stop(signal);
    const [temperature, threshold] = few.calibration();
    const scores = few.scores(joined(images));
    const classes = scores.length / images.length;
    return images.map((_, i) => {
      const probabilities = softmax(scores.slice(i * classes, (i + 1) * classes), temperature);
      return answer(probabilities, Math.max(...probabilities) >= threshold ? 'sure' : 'unsure');
    });
  }

  async features(input: Input, layers: string[], signal?: AbortSignal): Promise<Feature[]> {
    stop(signal);
    const few = this.#open();
    few.scores(await picture(input, this.inputShape, preprocess));
    const shapes = new Map(few.layers().map(({ name, shape }) => [name, shape]));
    return layers.map((name) => ({ name, values: few.values(name), shape: shapes.get(name)! }));
  }

  async evaluate(data: Data, signal?: AbortSignal): Promise<{ accuracy: number; loss: number }> {
    return scored(await this.predictAll(data.inputs, signal), [...data.labels]);
  }

  async save(format?: SaveFormat): Promise<Uint8Array<ArrayBuffer>> {
    if (format !== undefined && !format.startsWith('safetensors')) throw refuse(`be written as ${format}`);
    return this.#open().save();
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
    if (!this.#few) throw new Refused('missing', 'this model has been disposed of; load it again');
    return this.#few;
  }
}

function softmax(scores: Float32Array, temperature: number): Float32Array {
  const most = Math.max(...scores);
  const powers = scores.map((score) => Math.exp((score - most) / temperature));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}
