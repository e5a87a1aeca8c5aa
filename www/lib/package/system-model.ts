// A system as the package gives it, in the thread that computes: one network of the module for systems, and its one call.

import init, {
  DigitDetector, DigitGenerator, latentRows, PixelReader, SceneCaptioner, writtenSheet, type Layer,
} from '../../public/wasm/systems/hitofude.js';
import { gone, HitofudeError, optional, stop } from './errors';
import { shown, whole } from './learning';
import { sheet, type Sheet } from './sheet';
import { lacks, type System, type Task } from './systems';
import type {
  Caption, CaptionOptions, DetectOptions, Detection, Explanation, Feature, Generated, GenerateOptions, Input, LayerInfo, Model, Prediction, Report,
  SaveFormat, Segmentation, Shape,
} from './types';

type Handle = DigitDetector | PixelReader | SceneCaptioner | DigitGenerator;

const KINDS = { detect: DigitDetector, segment: PixelReader, caption: SceneCaptioner, generate: DigitGenerator } satisfies Record<Task, new (file: Uint8Array) => Handle>;

/** Pixels of a sheet along each side, and of a digit that is drawn. */
const SHEET = 128;
const DIGIT = 28;
/** The power of a sentence's number of words that its logarithm is divided by, and what scores are (systems/caption/beam.rs). */
const [LENGTH, TEMPERATURE] = [1, 1];

/** What opens systems: the module's glue, and a model of a file. */
export const systems = { glue: init, open: (file: Uint8Array, system: System): Model => new SystemModel(file, system) };

class SystemModel implements Model {
  readonly name: string;
  readonly inputShape: Shape;
  readonly classes: number;
  readonly classNames: readonly string[] | undefined;
  readonly #file: Uint8Array;
  readonly #layers: LayerInfo[];
  #handle: Handle | null;

  constructor(file: Uint8Array, { name, task }: System) {
    const handle = new KINDS[task](file);
    this.#layers = handle.layers().map(({ name, kind, shape, parameters, multiplyAdds }: Layer) => ({ name, kind, shape, parameters, multiplyAdds }));
    // A copy: the bytes are the caller's.
    [this.name, this.#file, this.#handle] = [name, new Uint8Array(file), handle];
    const seen: Shape = [3, SHEET, SHEET];
    this.inputShape = task === 'segment' || task === 'generate' ? this.#layers[0]!.shape : seen;
    this.classNames = handle instanceof PixelReader ? handle.classes() : undefined;
    this.classes = this.classNames ? this.classNames.length : task === 'caption' ? this.#layers.at(-1)!.shape[0] : 10;
  }

  layers(): LayerInfo[] {
    return this.#layers;
  }

  async detect(input: Input, options: DetectOptions = {}): Promise<Detection[]> {
    const { threshold = 0.5, most = 100, signal } = optional(options);
    if (typeof threshold !== 'number' || !(threshold >= 0 && threshold <= 1)) {
      throw new HitofudeError('value', `threshold: a number from 0 to 1 was expected; got ${shown(threshold)}`);
    }
    whole('most', most, 1, 100);
    const { picture, side, back } = await this.#sheet(DigitDetector, 'detect', input, signal);
    return this.#as(DigitDetector, 'detect').detect(picture, threshold, most, side).map(({ digit, score, box }) => ({ class: digit, score, box: back(box) }));
  }

  async segment(input: Input, signal?: AbortSignal): Promise<Segmentation> {
    const { picture } = await this.#sheet(PixelReader, 'segment', input, signal);
    const reader = this.#as(PixelReader, 'segment');
    // The best answer is the last one.
    const mask = reader.segment(picture).at(-1)!.classes;
    return { classes: reader.classes(), width: picture.width, height: picture.height, mask };
  }

  async caption(input: Input, options: CaptionOptions = {}): Promise<Caption> {
    const { language = 'en', beams = 3, signal } = optional(options);
    if (typeof language !== 'string') throw new HitofudeError('value', `language: en or ja was expected; got ${shown(language)}`);
    whole('beams', beams, 1, 32);
    const { picture } = await this.#sheet(SceneCaptioner, 'caption', input, signal);
    if (blank(picture.data)) throw new HitofudeError('empty', 'there is nothing on the sheet to write about');
    const { sentences, cells } = this.#as(SceneCaptioner, 'caption').caption(picture, language, beams, LENGTH, TEMPERATURE);
    const [best, ...others] = sentences.map(({ text: sentence, probability, words }) => ({ sentence, probability, words }));
    return { ...best!, cells, others: others.map(({ sentence, probability }) => ({ sentence, probability })) };
  }

  async generate(options: GenerateOptions = {}): Promise<Generated[]> {
    const { digit, seed = 1, count = 1, signal } = optional(options);
    stop(signal);
    const generator = this.#as(DigitGenerator, 'generate');
    whole('count', count, 1, 4096);
    if (digit !== undefined) whole('digit', digit, 0, 9);
    const digits = Uint8Array.from({ length: count }, (_, i) => digit ?? i % 10);
    const drawn = generator.draw(latentRows(count, generator.latent, seed), digits);
    const size = DIGIT * DIGIT;
    return Array.from(digits, (digit, i) => {
      const pixels = drawn.slice(i * size, (i + 1) * size);
      const data = new Uint8ClampedArray(4 * size).fill(255);
      pixels.forEach((ink, k) => data.fill(255 * (1 - ink), 4 * k, 4 * k + 3));
      return { digit, width: DIGIT, height: DIGIT, pixels, data };
    });
  }

  async predict(): Promise<Prediction> {
    throw this.#lacks('predict');
  }

  async predictAll(): Promise<Prediction[]> {
    throw this.#lacks('predict');
  }

  async features(): Promise<Feature[]> {
    throw this.#lacks('features');
  }

  async explain(): Promise<Explanation> {
    throw this.#lacks('explain');
  }

  // eslint-disable-next-line require-yield
  async *fit(): AsyncGenerator<Report, void, void> {
    throw this.#lacks('fit');
  }

  async evaluate(): Promise<{ accuracy: number; loss: number }> {
    throw this.#lacks('evaluate');
  }

  async freeze(): Promise<void> {
    throw this.#lacks('freeze');
  }

  async withClasses(): Promise<void> {
    throw this.#lacks('withClasses');
  }

  async quantise(): Promise<Model> {
    throw this.#lacks('quantise');
  }

  async save(format: SaveFormat = 'safetensors-f16'): Promise<Uint8Array<ArrayBuffer>> {
    if (!this.#handle) throw gone();
    if (format !== 'safetensors-f16') throw new HitofudeError('unsupported', `${this.name} is saved as safetensors-f16 alone; got ${String(format)}`);
    return new Uint8Array(this.#file);
  }

  dispose(): void {
    this.#handle?.free();
    this.#handle = null;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** The handle, if it is of the kind that a call is for. */
  #as<H extends Handle>(kind: new (file: Uint8Array) => H, call: Task): H {
    if (this.#handle instanceof kind) return this.#handle;
    throw this.#lacks(call);
  }

  async #sheet(kind: new (file: Uint8Array) => Handle, call: Task, input: Input, signal: AbortSignal | undefined): Promise<Sheet> {
    stop(signal);
    this.#as(kind, call);
    const made = await sheet(input, this.inputShape, writtenSheet, signal);
    stop(signal);
    return made;
  }

  #lacks(call: string): HitofudeError {
    return this.#handle ? lacks(this.name, call) : gone();
  }
}

/** Whether all pixels are alike. */
function blank(data: Uint8ClampedArray): boolean {
  for (let i = 4; i < data.length; i++) if (data[i] !== data[i - 4]) return false;
  return true;
}
