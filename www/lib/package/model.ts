// A model as the package gives it, in the thread that computes. It reads with the small module as long as that is all it is
// asked for; the first call that needs more opens the same weights in the studio. Files of other formats become one of its own.

import { Model as Reader, preprocess } from '../../public/wasm/hitofude.js';
import { ModelFile } from '../../public/wasm/formats/hitofude.js';
import { OwnModel } from '../../public/wasm/studio/hitofude.js';
import { Refused, stop } from './errors';
import { quantised } from './few';
import { picture } from './input';
import { answer, joined, scored } from './rows';
import type {
  Data, ExplainOptions, Explanation, Feature, FitOptions, Input, LayerInfo, Model, Prediction, QuantiseOptions, Report, SaveFormat, Shape,
} from './types';

const FORMATS: SaveFormat[] = ['safetensors-f16', 'safetensors-f32', 'onnx', 'npz'];
const BATCH = 32;
const EPOCHS = 10;

/** What a model is made of until the studio is needed: the file it came from. */
type Source = { weights: Uint8Array } | { description: string; seed: number };

type Modules = { studio: () => Promise<unknown>; formats: () => Promise<unknown>; bits: () => Promise<unknown> };

/** Safetensors begin with the length of a JSON object. */
const isSafetensors = (file: Uint8Array) => file[8] === '{'.charCodeAt(0);

export class DirectModel implements Model {
  #reader: Reader | null = null;
  #own: OwnModel | null = null;
  #fitting = false;
  #closed = false;

  /** `modules` loads what is beyond reading, each once. */
  constructor(
    private source: Source,
    private readonly modules: Modules,
  ) {}

  /** Opens the weights: with the module that reads if it can, else in the studio. */
  async open(): Promise<this> {
    if ('weights' in this.source) {
      if (!isSafetensors(this.source.weights)) this.source = { weights: await this.#written(this.source.weights, 'safetensors-f32') };
      try {
        this.#reader = new Reader(this.source.weights);
        return this;
      } catch (error) {
        // Another network than the catalogue's for digits; the studio says what is wrong if it cannot open it either.
        if (!(error instanceof Error && 'code' in error)) throw error;
      }
    }
    await this.#learner();
    return this;
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
    const layers = this.#open().layers();
    return layers.map(({ name, kind, shape, parameters, multiplyAdds }) => ({ name, kind, shape, parameters, multiplyAdds }));
  }

  async predict(input: Input, signal?: AbortSignal): Promise<Prediction> {
    const [one] = await this.predictAll([input], signal);
    return one!;
  }

  async predictAll(inputs: Input[], signal?: AbortSignal): Promise<Prediction[]> {
    stop(signal);
    this.#open();
    if (this.#reader) {
      const reader = this.#reader;
      return Promise.all(inputs.map(async (input) => this.#read(reader, await picture(input, [1, 28, 28], preprocess))));
    }
    const own = await this.#learner();
    const shape = this.inputShape;
    const images = await Promise.all(inputs.map((input) => picture(input, shape, preprocess)));
    stop(signal);
    const rows = own.predict(joined(images));
    const classes = rows.length / Math.max(images.length, 1);
    return images.map((_, i) => answer(rows.slice(i * classes, (i + 1) * classes), 'sure'));
  }

  async features(input: Input, layers: string[], signal?: AbortSignal): Promise<Feature[]> {
    stop(signal);
    const image = await picture(input, this.inputShape, preprocess);
    if (!this.#reader) return (await this.#learner()).features(image, layers);
    const reader = this.#reader;
    this.#read(reader, image);
    const shapes = new Map(reader.layers().map(({ name, shape }) => [name, shape]));
    return layers.map((name) => ({ name, values: reader.features(name), shape: shapes.get(name)! }));
  }

  async explain(input: Input, options: ExplainOptions = {}): Promise<Explanation> {
    const { method = 'integrated', signal } = options;
    stop(signal);
    const own = await this.#learner();
    const [channels, height, width] = this.inputShape;
    const image = await picture(input, this.inputShape, preprocess);
    const label = options.class ?? answer(own.predict(image), 'sure').class;
    const usual = { smooth_grad: 16, occlusion: Math.ceil(Math.min(height, width) / 4), integrated: 32 } as Partial<Record<typeof method, number>>;
    const { map, score } = own.explain(image, method, label, options.amount ?? usual[method] ?? 0, options.noise ?? 0.15);
    return { class: label, shape: [map.length === height * width ? 1 : channels, height, width], values: map, score };
  }

  async *fit(data: Data, options: FitOptions = {}): AsyncGenerator<Report, void, void> {
    if (this.#fitting) throw new Refused('value', 'this model is learning already; wait for that training to end');
    const { epochs = EPOCHS, batch = BATCH, seed = 1, signal, validation, ...training } = options;
    const own = await this.#learner();
    const shape = this.inputShape;
    const images = await Promise.all(data.inputs.map((input) => picture(input, shape, preprocess)));
    const labels = Uint32Array.from(data.labels);
    if (images.length === 0 || images.length !== labels.length) {
      throw new Refused('shape', `as many labels as inputs, and at least one, were expected; got ${labels.length} for ${images.length}`);
    }
    const size = Math.min(batch, images.length);
    const perEpoch = Math.ceil(images.length / size);
    own.begin(JSON.stringify(plain(training)), size, perEpoch * epochs, seed);
    this.#fitting = true;
    this.#reader?.free();
    this.#reader = null;
    try {
      for (let epoch = 1; epoch <= epochs; epoch++) {
        const order = shuffled(images.length, seed * 1000 + epoch);
        const started = performance.now();
        let [loss, correct] = [0, 0];
        for (let from = 0; from < order.length; from += size) {
          stop(signal);
          const part = order.slice(from, from + size);
          const sums = own.step(joined(part.map((i) => images[i]!)), Uint32Array.from(part, (i) => labels[i]!));
          [loss, correct] = [loss + sums.loss, correct + sums.correct];
          // The thread's other work has its turn between two steps.
          await new Promise((resolve) => setTimeout(resolve));
        }
        const seconds = (performance.now() - started) / 1000;
        const report: Report = { epoch, epochs, loss: loss / images.length, accuracy: correct / images.length, seconds };
        if (validation) report.validation = await this.evaluate(validation, signal);
        yield report;
      }
    } finally {
      if (!this.#closed) own.end();
      this.#fitting = false;
    }
  }

  async evaluate(data: Data, signal?: AbortSignal): Promise<{ accuracy: number; loss: number }> {
    return scored(await this.predictAll(data.inputs, signal), [...data.labels]);
  }

  async quantise(options: QuantiseOptions): Promise<Model> {
    const file = (await this.#learner()).save(32);
    await this.modules.bits();
    return quantised(file, this.inputShape, options);
  }

  async freeze(...layers: string[]): Promise<void> {
    (await this.#learner()).freeze(layers);
  }

  async withClasses(classes: number, seed = 1): Promise<void> {
    const own = await this.#learner();
    own.setClasses(classes, seed);
    this.#reader?.free();
    this.#reader = null;
  }

  async save(format: SaveFormat = 'safetensors-f16'): Promise<Uint8Array<ArrayBuffer>> {
    if (!FORMATS.includes(format)) throw new Refused('value', `the formats are ${FORMATS.join(', ')}; got ${format}`);
    const file = (await this.#learner()).save(format === 'safetensors-f16' ? 16 : 32);
    return format === 'onnx' || format === 'npz' ? this.#written(file, format) : file;
  }

  dispose(): void {
    this.#closed = true;
    this.#reader?.free();
    this.#own?.free();
    this.#reader = this.#own = null;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** A file in another format. */
  async #written(file: Uint8Array, format: Exclude<SaveFormat, 'safetensors-f16'>): Promise<Uint8Array<ArrayBuffer>> {
    await this.modules.formats();
    const model = new ModelFile(file, 'own', undefined);
    try {
      return model.save(format);
    } finally {
      model.free();
    }
  }

  #open(): Reader | OwnModel {
    const open = this.#own ?? this.#reader;
    if (!open) throw new Refused('missing', 'this model has been disposed of; load it again');
    return open;
  }

  async #learner(): Promise<OwnModel> {
    if (this.#closed) this.#open();
    if (!this.#own) {
      await this.modules.studio();
      this.#own ??= 'weights' in this.source ? OwnModel.load(this.source.weights) : OwnModel.define(this.source.description, this.source.seed);
    }
    return this.#own;
  }

  #read(reader: Reader, image: Float32Array): Prediction {
    const { probabilities, status } = reader.predict(image);
    return answer(probabilities, status);
  }
}

/** 0 to n − 1, shuffled by a seed (Fisher and Yates; numbers by mulberry32). */
function shuffled(n: number, seed: number): number[] {
  let state = seed >>> 0;
  const random = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** The engine's names for the options of a training (train/options.rs). */
function plain({ optimiser, schedule, labelSmoothing, clipNorm, ...rest }: Omit<FitOptions, 'epochs' | 'batch' | 'seed' | 'signal' | 'validation'>) {
  return {
    ...rest,
    ...(optimiser && { optimiser: { rule: optimiser } }),
    ...(schedule && { schedule: { curve: schedule } }),
    ...(labelSmoothing !== undefined && { label_smoothing: labelSmoothing }),
    ...(clipNorm !== undefined && { clip_norm: clipNorm }),
  };
}
