// A model whose thread is another one, opened anew should that thread have to be ended.

import type { Remote } from 'comlink';
import type { About, Answer, Desk, OnProgress } from './desk';
import { gone, HitofudeError, optional, refusal, stop } from './errors';
import type { State } from './opened';
import { portable } from './portable';
import { Ended, fresh, type Ask, type Thread } from './thread';
import type {
  Caption, CaptionOptions, Data, DetectOptions, Detection, ExplainOptions, Explanation, Feature, FitOptions, Generated, GenerateOptions, Input,
  LayerInfo, LoadOptions, Model, Prediction, QuantiseOptions, Report, SaveFormat, Segmentation, Shape,
} from './types';

/** Models that their pages have forgotten end their threads. */
const forgotten = new FinalizationRegistry<{ thread: Thread }>(({ thread }) => thread.end());

/** A thread with a model in it, opened as at first or in another way. */
export type Begin = (how?: Opening, signal?: AbortSignal) => Promise<[Thread, number, About]>;

/** How a model is opened at a desk. */
export type Opening = (desk: Remote<Desk>, call: number, id: number, options: Omit<LoadOptions, 'signal' | 'onProgress'>, onProgress: OnProgress) => Promise<Answer<About>>;

export class WorkerModel implements Model {
  /** Its thread; another one after the thread had to be ended. Held apart, for the registry must not hold the model. */
  readonly #at: { thread: Thread };
  #id: number;
  #about: About;
  readonly #begin: Begin;
  /** What it has come to, if that is not what was opened. */
  #state: State | undefined;
  #reviving: Promise<void> | undefined;
  #disposed = false;

  constructor([thread, id, about]: [Thread, number, About], begin: Begin) {
    [this.#at, this.#id, this.#about, this.#begin] = [{ thread }, id, about, begin];
    forgotten.register(this, this.#at, this);
  }

  get name(): string {
    return this.#about.name;
  }

  get inputShape(): Shape {
    return this.#about.inputShape;
  }

  get classes(): number {
    return this.#about.classes;
  }

  get classNames(): readonly string[] | undefined {
    return this.#about.classNames;
  }

  layers(): LayerInfo[] {
    return this.#about.layers;
  }

  async predict(input: Input, signal?: AbortSignal): Promise<Prediction> {
    return (await this.predictAll([input], signal))[0]!;
  }

  async predictAll(inputs: Input[], signal?: AbortSignal): Promise<Prediction[]> {
    stop(signal);
    const sent = await movable(inputs);
    return this.#ask(signal, (desk, call) => desk.predictAll(call, this.#id, sent));
  }

  async features(input: Input, layers: string[], signal?: AbortSignal): Promise<Feature[]> {
    stop(signal);
    const sent = await portable(input);
    return this.#ask(signal, (desk, call) => desk.features(call, this.#id, sent, layers));
  }

  async explain(input: Input, given: ExplainOptions = {}): Promise<Explanation> {
    const { signal, ...options } = optional(given);
    stop(signal);
    const sent = await portable(input);
    return this.#ask(signal, (desk, call) => desk.explain(call, this.#id, sent, options));
  }

  async detect(input: Input, given: DetectOptions = {}): Promise<Detection[]> {
    const { signal, ...options } = optional(given);
    stop(signal);
    const sent = await portable(input);
    return this.#ask(signal, (desk, call) => desk.detect(call, this.#id, sent, options));
  }

  async segment(input: Input, signal?: AbortSignal): Promise<Segmentation> {
    stop(signal);
    const sent = await portable(input);
    return this.#ask(signal, (desk, call) => desk.segment(call, this.#id, sent));
  }

  async caption(input: Input, given: CaptionOptions = {}): Promise<Caption> {
    const { signal, ...options } = optional(given);
    stop(signal);
    const sent = await portable(input);
    return this.#ask(signal, (desk, call) => desk.caption(call, this.#id, sent, options));
  }

  async generate(given: GenerateOptions = {}): Promise<Generated[]> {
    const { signal, ...options } = optional(given);
    return this.#ask(signal, (desk, call) => desk.generate(call, this.#id, options));
  }

  async evaluate(data: Data, signal?: AbortSignal): Promise<{ accuracy: number; loss: number }> {
    stop(signal);
    const sent = await examples(data);
    return this.#ask(signal, (desk, call) => desk.evaluate(call, this.#id, sent));
  }

  async *fit(data: Data, options: FitOptions = {}): AsyncGenerator<Report, void, void> {
    const { signal, validation, ...rest } = optional(options);
    stop(signal);
    const [lesson, test] = [await examples(data), validation && (await examples(validation))];
    const training = fresh();
    const steps = Math.ceil(lesson.inputs.length / (rest.batch ?? 32));
    await this.#ask(signal, (desk, call) => desk.fit(call, training, this.#id, lesson, { ...rest, ...(test && { validation: test }) }));
    const { thread } = this.#at;
    // A call that is ended beside it must not end the training.
    const release = thread.hold();
    try {
      for (;;) {
        const { done, value, about } = await thread.ask(signal, (desk, call) => desk.next(call, training, this.#id));
        this.#about = about;
        if (done || !value) return;
        // Should a step take too long to be waited for, what was learnt before it is kept.
        if (value.seconds > SLOW * steps) await this.#keep();
        yield value;
      }
    } catch (error) {
      throw error instanceof Ended ? (this.#disposed ? gone() : new HitofudeError('crashed', 'the worker ended in the middle of this training')) : error;
    } finally {
      release();
      const left = thread.tell((desk) => desk.leave(training));
      await thread.leaving(left, STEP);
      if (!this.#disposed && !thread.ended) await this.#keep();
    }
  }

  async freeze(...layers: string[]): Promise<void> {
    await this.#ask(undefined, (desk, call) => desk.freeze(call, this.#id, layers));
    await this.#keep();
  }

  async withClasses(classes: number | string[], seed?: number): Promise<void> {
    this.#about = await this.#ask(undefined, (desk, call) => desk.withClasses(call, this.#id, classes, seed));
    await this.#keep();
  }

  async quantise(given: QuantiseOptions): Promise<Model> {
    const { signal, data, ...options } = optional(given);
    stop(signal);
    const sent = { ...options, data: { inputs: await movable(data?.inputs ?? []) } };
    const file = await this.#ask(signal, (desk, call) => desk.quantise(call, this.#id, sent));
    // Not by way of `this`: the one must not hold the other.
    const anew = this.#begin;
    const begin: Begin = (how = (desk, call, id, ...rest) => desk.load(call, id, file, ...rest), signal) => anew(how, signal);
    return new WorkerModel(await begin(undefined, signal), begin);
  }

  async save(format?: SaveFormat): Promise<Uint8Array<ArrayBuffer>> {
    return this.#ask(undefined, (desk, call) => desk.save(call, this.#id, format));
  }

  dispose(): void {
    this.#disposed = true;
    forgotten.unregister(this);
    this.#at.thread.end(gone());
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** One call, asked again where its thread had to be ended for the sake of another one. */
  async #ask<T>(signal: AbortSignal | undefined, ask: Ask<T>): Promise<T> {
    for (;;) {
      await this.#alive();
      stop(signal);
      try {
        return await this.#at.thread.ask(signal, ask);
      } catch (error) {
        if (!(error instanceof Ended)) throw refusal(error);
      }
    }
  }

  /** Opens the model anew, as it was last, if its thread had to be ended. */
  async #alive(): Promise<void> {
    if (this.#disposed) throw gone();
    if (!this.#at.thread.ended) return;
    this.#reviving ??= this.#revived().finally(() => (this.#reviving = undefined));
    await this.#reviving;
  }

  async #revived(): Promise<void> {
    const state = this.#state;
    const [thread, id, about] = await this.#begin(state && ((desk, call, id, options, progress) => desk.load(call, id, state.file, options, progress)));
    if (state?.frozen.length) await thread.ask(undefined, (desk, call) => desk.freeze(call, id, state.frozen));
    if (this.#disposed) thread.end();
    [this.#at.thread, this.#id, this.#about] = [thread, id, about];
  }

  async #keep(): Promise<void> {
    this.#state = (await this.#ask(undefined, (desk, call) => desk.state(call, this.#id))) ?? this.#state;
  }
}

/** Seconds for a step, from which on one counts as slow; and milliseconds that one may take after a training was left. */
const [SLOW, STEP] = [0.2, 1000];

const movable = (inputs: Input[]): Promise<Input[]> => {
  if (!Array.isArray(inputs)) throw new HitofudeError('value', 'a list of inputs was expected');
  return Promise.all(Array.from(inputs, portable));
};

async function examples(data: Data): Promise<Data> {
  if (typeof data !== 'object' || data === null || !Array.isArray(data.inputs)) {
    throw new HitofudeError('value', 'data were expected to be { inputs: […], labels: […] }');
  }
  const { labels } = data as { labels: unknown };
  // A list of any kind as one that can be sent.
  const listed = typeof labels === 'object' && labels !== null && Symbol.iterator in labels ? [...(labels as Iterable<number>)] : labels;
  return { inputs: await movable(data.inputs), labels: listed as Data['labels'] };
}
