// A model as the package gives it, in the thread that computes. It reads with the small module as long as that is all it is
// asked for; the first call that needs more opens the same weights in the studio. Files of other formats become one of its own.

import { preprocess } from '../../public/wasm/hitofude.js';
import { best, cut, fitted, judged, prediction, probabilities, type Ending } from './calibration';
import { gone, HitofudeError as Refused, optional, stop } from './errors';
import { quantised } from './few';
import { guarded } from './guard';
import { picture, pictures } from './input';
import { named, numbered } from './labels';
import { frozenBut, joined, settings, shuffled, whole } from './learning';
import { commented, telling } from './metadata';
import { Opened, type OwnModel, type Reader } from './opened';
import { lacks } from './systems';
import { TURN, turn } from './turn';
import type {
  Caption, Data, Detection, ExplainOptions, Explanation, Feature, FitOptions, Generated, Input, Model, Prediction, QuantiseOptions, Report, SaveFormat,
  Segmentation,
} from './types';

const FORMATS: SaveFormat[] = ['safetensors-f16', 'safetensors-f32', 'onnx', 'npz'];

type Examples = { images: Float32Array[]; labels: Uint32Array<ArrayBuffer>; names: readonly string[] | null };

export class DirectModel extends Opened implements Model {
  #fitting = false;

  async predict(input: Input, signal?: AbortSignal): Promise<Prediction> {
    const [one] = await this.predictAll([input], signal);
    return one!;
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
    const open = this.now();
    if (open === this.own) return this.own.features(values, layers);
    const reader = open as Reader;
    reader.predict(values);
    const shapes = new Map(reader.layers().map(({ name, shape }) => [name, shape]));
    return layers.map((name) => ({ name, values: reader.features(name), shape: shapes.get(name)! }));
  }

  async explain(input: Input, options: ExplainOptions = {}): Promise<Explanation> {
    const { method = 'integrated', signal } = optional(options);
    stop(signal);
    await this.studio();
    const [channels, height, width] = this.inputShape;
    const { values } = await picture(input, this.inputShape, preprocess, signal);
    const own = this.learner();
    const label = options.class ?? best(own.predict(values));
    const usual = { smooth_grad: 16, occlusion: Math.ceil(Math.min(height, width) / 4), integrated: 32 } as Partial<Record<typeof method, number>>;
    const { map, score } = own.explain(values, method, label, options.amount ?? usual[method] ?? 0, options.noise ?? 0.15);
    return { class: label, shape: [map.length === height * width ? 1 : channels, height, width], values: map, score };
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

  async *fit(data: Data, options: FitOptions = {}): AsyncGenerator<Report, void, void> {
    stop(options?.signal);
    this.#idle();
    this.#fitting = true;
    try {
      yield* this.#learn(data, options);
    } finally {
      this.#fitting = false;
    }
  }

  async evaluate(data: Data, signal?: AbortSignal): Promise<{ accuracy: number; loss: number }> {
    stop(signal);
    const { images, labels } = await this.#examples(data, this.known.names, false, signal);
    return judged(await this.#probabilities(images, signal), labels);
  }

  async quantise(options: QuantiseOptions): Promise<Model> {
    stop(options?.signal);
    await this.studio();
    const { file } = this.stateOf(this.learner());
    const { inputShape, known } = this;
    await this.modules.bits();
    return guarded(await quantised(file, inputShape, known, options));
  }

  async freeze(...layers: string[]): Promise<void> {
    await this.studio();
    this.#idle();
    const own = this.learner();
    own.freeze(layers);
    this.frozen.push(...layers);
  }

  async withClasses(classes: number | string[], seed = 1): Promise<void> {
    const names = Array.isArray(classes) ? named(classes) : null;
    const count = names?.length ?? (classes as number);
    whole('classes', count, 1);
    await this.studio();
    this.#idle();
    const own = this.learner();
    const frozen = frozenBut(own.layers(), this.frozen);
    own.setClasses(count, seed);
    [this.known, this.frozen] = [{ calibration: null, names }, frozen];
    this.forget();
  }

  async save(format: SaveFormat = 'safetensors-f16'): Promise<Uint8Array<ArrayBuffer>> {
    if (!FORMATS.includes(format)) throw new Refused('value', `the formats are ${FORMATS.join(', ')}; got ${String(format)}`);
    await this.studio();
    const own = this.learner();
    const known = this.known;
    const file = telling(own.save(format === 'safetensors-f16' ? 16 : 32), known);
    if (format === 'onnx') return this.written(file, format);
    return format === 'npz' ? commented(await this.written(file, format), known) : file;
  }

  async *#learn(data: Data, options: FitOptions): AsyncGenerator<Report, void, void> {
    const { epochs, batch, seed, signal, validation, training } = settings(options);
    await this.studio();
    if (this.classes < 2) throw new Refused('unsupported', 'a network of one answer cannot learn classes: give it two by withClasses(2)');
    const { images, labels, names } = await this.#examples(data, this.known.names, true, signal);
    const test = validation && (await this.#examples(validation, names, false, signal));
    const own = this.learner();
    const before = { ...this.stateOf(own), known: this.known };
    const size = Math.min(batch, images.length);
    own.begin(training, size, Math.ceil(images.length / size) * epochs, seed);
    this.forget();
    this.known = { calibration: null, names };
    // What the weights of now make of the held-out examples.
    let scores: Float32Array | null = null;
    try {
      for (let epoch = 1; epoch <= epochs; epoch++) {
        const order = shuffled(images.length, seed * 1000 + epoch);
        const started = performance.now();
        let [loss, correct] = [0, 0];
        for (let from = 0; from < order.length; from += size) {
          this.#learning(own, signal);
          const part = order.slice(from, from + size);
          scores = null;
          const sums = own.step(joined(part.map((i) => images[i]!)), Uint32Array.from(part, (i) => labels[i]!));
          [loss, correct] = [loss + sums.loss, correct + sums.correct];
          await turn();
        }
        const seconds = (performance.now() - started) / 1000;
        const report: Report = { epoch, epochs, loss: loss / images.length, accuracy: correct / images.length, seconds };
        if (test) {
          scores = await this.#scores(own, test.images, signal);
          report.validation = judged(cut(probabilities(scores, this.classes, this.#ending(), 1), this.classes), test.labels);
        }
        yield report;
      }
    } catch (error) {
      // A refusal changes nothing; an abort keeps what was learnt.
      if (!signal?.aborted && this.own === own) this.back(before);
      throw error;
    } finally {
      if (this.own === own) {
        own.end();
        if (scores && test) this.known = { calibration: fitted(scores, test.labels, this.#ending()), names };
      }
    }
  }

  /** Throws where a training must not go on. */
  #learning(own: OwnModel, signal: AbortSignal | undefined): void {
    stop(signal);
    if (this.own !== own) throw gone();
  }

  async #examples(data: Data, names: readonly string[] | null, learn: boolean, signal: AbortSignal | undefined): Promise<Examples> {
    if (typeof data !== 'object' || data === null || !Array.isArray(data.inputs)) {
      throw new Refused('value', 'data were expected to be { inputs: […], labels: […] }');
    }
    const lesson = numbered(data.labels, data.inputs.length, this.classes, names, learn);
    const images = await pictures(data.inputs, this.inputShape, preprocess, signal);
    return { images: images.map(({ values }) => values), ...lesson };
  }

  /** Refuses what would change a model that learns. */
  #idle(): void {
    if (this.closed) throw gone();
    if (this.#fitting) throw new Refused('busy', 'this model is learning; wait for that training to end, or leave it');
  }

  /** A row of probabilities for each image. */
  async #probabilities(images: Float32Array[], signal: AbortSignal | undefined): Promise<Float32Array[]> {
    const rows: Float32Array[] = [];
    for (let from = 0; from < images.length; from += TURN) {
      if (from) await turn();
      stop(signal);
      const open = this.now();
      const some = images.slice(from, from + TURN);
      if (open === this.own) rows.push(...this.#answers(this.own, some));
      else rows.push(...some.map((image) => (open as Reader).predict(image).probabilities));
    }
    return rows;
  }

  #answers(own: OwnModel, images: Float32Array[]): Float32Array[] {
    const { calibration } = this.known;
    const all = joined(images);
    return cut(calibration ? probabilities(own.scores(all), this.classes, this.#ending(), calibration.temperature) : own.predict(all), this.classes);
  }

  async #scores(own: OwnModel, images: Float32Array[], signal: AbortSignal | undefined): Promise<Float32Array> {
    const parts: Float32Array[] = [];
    for (let from = 0; from < images.length; from += TURN) {
      if (from) await turn();
      this.#learning(own, signal);
      parts.push(own.scores(joined(images.slice(from, from + TURN))));
    }
    return joined(parts);
  }

  /** How the network's scores become probabilities, as the engine has it (systems/model.rs). */
  #ending(): Ending {
    const { kind } = this.layers().at(-1)!;
    if (kind === 'sigmoid' || kind === 'hard_sigmoid') return 'said';
    return this.classes === 1 ? 'sigmoid' : 'softmax';
  }
}
