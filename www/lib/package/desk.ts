// The other side of `hitofude`: models in a worker, each known by a number.

import { transfer } from 'comlink';
import { Elsewhere, gone, refusal } from './errors';
import type { State } from './opened';
import type {
  Api, CaptionOptions, Data, DetectOptions, ExplainOptions, FitOptions, GenerateOptions, Input, LoadOptions, Model, ModelSource, NetworkDefinition, QuantiseOptions,
  Report,
} from './types';

const models = new Map<number, Model>();
const trainings = new Map<number, AsyncGenerator<Report, void, void>>();
const calls = new Map<number, AbortController>();

/** What the other side must know of a model at once. */
const about = (id: number) => {
  const { name, inputShape, classes, classNames } = model(id);
  return { name, inputShape, classes, classNames, layers: model(id).layers() };
};

export type About = ReturnType<typeof about>;

function model(id: number): Model {
  const found = models.get(id);
  if (!found) throw gone();
  return found;
}

/** Runs `work` with a signal that `abort` can reach; a refusal is an answer, since a copied `Error` loses its code. */
async function answered<T>(call: number, work: (signal: AbortSignal) => Promise<T>): Promise<Answer<T>> {
  const controller = new AbortController();
  calls.set(call, controller);
  try {
    return { value: await work(controller.signal) };
  } catch (error) {
    if (error instanceof Elsewhere) return handed(error.source);
    const { name, message, code } = refusal(error) as Error & { code?: unknown };
    return { error: { name, message, code } };
  } finally {
    calls.delete(call);
  }
}

const handed = (source: Elsewhere['source']) => transfer({ elsewhere: source }, typeof source === 'string' ? [] : [source.buffer]);

export type Answer<T> = { value: T } | { elsewhere: Elsewhere['source'] } | { error: { name: string; message: string; code: unknown } };

type Opened = Omit<LoadOptions, 'signal' | 'onProgress'>;
export type OnProgress = NonNullable<LoadOptions['onProgress']>;

/** What a page asks of the models that a way into the package opens. */
export const desk = ({ load, define }: Api) => ({
  /** Answered as soon as this thread runs. */
  hello: () => true,

  load: (call: number, id: number, source: ModelSource, options: Opened, onProgress: OnProgress) =>
    answered(call, async (signal) => (models.set(id, await load(source, { ...options, onProgress, signal })), about(id))),

  define: (call: number, id: number, network: NetworkDefinition, options: Opened & { seed?: number }, onProgress: OnProgress) =>
    answered(call, async (signal) => (models.set(id, await define(network, { ...options, onProgress, signal })), about(id))),

  predictAll: (call: number, id: number, ...[inputs]: Parameters<Model['predictAll']>) =>
    answered(call, (signal) => model(id).predictAll(inputs, signal)),

  features: (call: number, id: number, ...[input, layers]: Parameters<Model['features']>) =>
    answered(call, (signal) => model(id).features(input, layers, signal)),

  explain: (call: number, id: number, input: Input, options: ExplainOptions) =>
    answered(call, (signal) => model(id).explain(input, { ...options, signal })),

  detect: (call: number, id: number, input: Input, options: DetectOptions) =>
    answered(call, (signal) => model(id).detect(input, { ...options, signal })),

  segment: (call: number, id: number, input: Input) => answered(call, (signal) => model(id).segment(input, signal)),

  caption: (call: number, id: number, input: Input, options: CaptionOptions) =>
    answered(call, (signal) => model(id).caption(input, { ...options, signal })),

  generate: (call: number, id: number, options: GenerateOptions) => answered(call, (signal) => model(id).generate({ ...options, signal })),

  evaluate: (call: number, id: number, data: Data) => answered(call, (signal) => model(id).evaluate(data, signal)),

  freeze: (call: number, id: number, layers: string[]) => answered(call, () => model(id).freeze(...layers)),

  withClasses: (call: number, id: number, classes: number | string[], seed?: number) =>
    answered(call, async () => (await model(id).withClasses(classes, seed), about(id))),

  /** The file of the model of few bits, which gets a thread to itself. */
  quantise: (call: number, id: number, options: QuantiseOptions) =>
    answered(call, async (signal) => {
      const few = await model(id).quantise({ ...options, signal });
      try {
        const file = await few.save();
        return transfer(file, [file.buffer]);
      } finally {
        few.dispose();
      }
    }),

  save: (call: number, id: number, ...[format]: Parameters<Model['save']>) =>
    answered(call, async () => {
      const file = await model(id).save(format);
      return transfer(file, [file.buffer]);
    }),

  /** What a model has come to, should this thread have to be ended; nothing of one that cannot change. */
  state: (call: number, id: number) =>
    answered(call, async () => {
      const state = await (model(id) as Model & { state?: () => Promise<State> }).state?.();
      return state && transfer(state, [state.file.buffer]);
    }),

  fit: (call: number, training: number, id: number, data: Data, options: FitOptions) =>
    answered(call, async () => {
      const controller = new AbortController();
      calls.set(training, controller);
      trainings.set(training, model(id).fit(data, { ...options, signal: controller.signal }));
    }),

  next: (call: number, training: number, id: number) =>
    answered(call, async (signal) => {
      signal.addEventListener('abort', () => calls.get(training)?.abort());
      const { done, value } = await trainings.get(training)!.next();
      return { done: done ?? false, value, about: about(id) };
    }),

  async leave(training: number): Promise<void> {
    await trainings.get(training)?.return();
    trainings.delete(training);
    calls.delete(training);
  },

  abort: (call: number): void => calls.get(call)?.abort(),

  dispose(id: number): void {
    models.get(id)?.dispose();
    models.delete(id);
  },
});

export type Desk = ReturnType<typeof desk>;
