// The other side of `hitofude`: models in a worker, each known by a number.

import { expose, transfer } from 'comlink';
import { assets } from './assets';
import { api } from './engine';
import type { Data, ExplainOptions, FitOptions, Input, LoadOptions, Model, ModelSource, NetworkDefinition, QuantiseOptions, Report } from './types';

const { load, define } = api(assets);
const models = new Map<number, Model>();
const trainings = new Map<number, AsyncGenerator<Report, void, void>>();
const calls = new Map<number, AbortController>();

/** What the other side must know of a model at once. */
const about = (id: number) => {
  const { name, inputShape, classes } = model(id);
  return { name, inputShape, classes, layers: model(id).layers() };
};

export type About = ReturnType<typeof about>;

function model(id: number): Model {
  const found = models.get(id);
  if (!found) throw Object.assign(new Error('this model has been disposed of; load it again'), { code: 'missing' });
  return found;
}

/** Runs `work` with a signal that `abort` can reach; a refusal is an answer, since a copied `Error` loses its code. */
async function answered<T>(call: number, work: (signal: AbortSignal) => Promise<T>): Promise<Answer<T>> {
  const controller = new AbortController();
  calls.set(call, controller);
  try {
    return { value: await work(controller.signal) };
  } catch (error) {
    const { name, message, code } = error as Error & { code?: unknown };
    return { error: { name, message, code } };
  } finally {
    calls.delete(call);
  }
}

export type Answer<T> = { value: T } | { error: { name: string; message: string; code: unknown } };

type Opened = Omit<LoadOptions, 'signal' | 'onProgress'>;
export type OnProgress = NonNullable<LoadOptions['onProgress']>;

const desk = {
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

  evaluate: (call: number, id: number, data: Data) => answered(call, (signal) => model(id).evaluate(data, signal)),

  freeze: (call: number, id: number, layers: string[]) => answered(call, () => model(id).freeze(...layers)),

  withClasses: (call: number, id: number, classes: number, seed?: number) =>
    answered(call, async () => (await model(id).withClasses(classes, seed), about(id))),

  quantise: (call: number, id: number, next: number, options: QuantiseOptions) =>
    answered(call, async (signal) => (models.set(next, await model(id).quantise({ ...options, signal })), about(next))),

  save: (call: number, id: number, ...[format]: Parameters<Model['save']>) =>
    answered(call, async () => {
      const file = await model(id).save(format);
      return transfer(file, [file.buffer]);
    }),

  fit(training: number, id: number, data: Data, options: FitOptions): void {
    const controller = new AbortController();
    calls.set(training, controller);
    trainings.set(training, model(id).fit(data, { ...options, signal: controller.signal }));
  },

  next: (call: number, training: number) => answered(call, async () => trainings.get(training)!.next()),

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
};

export type Desk = typeof desk;

expose(desk);
