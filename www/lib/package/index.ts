// `hitofude`: models that read and learn in a worker, so that a page stays responsive. Where there is no page (Node, Deno, Bun,
// a worker of one's own) the engine runs in the thread that asks.

import { proxy, wrap, type Remote } from 'comlink';
import { assets } from './assets';
import type { About, Answer, Desk, OnProgress } from './desk';
import { api } from './engine';
import { Elsewhere, Refused, stop } from './errors';
import { portable } from './portable';
import { isSystem } from './systems';
import type {
  Api, Caption, CaptionOptions, Data, DetectOptions, Detection, ExplainOptions, Explanation, Feature, FitOptions, Generated, GenerateOptions, Input,
  LayerInfo, LoadOptions, Model, ModelSource, Prediction, Report, SaveFormat, Segmentation, Shape,
} from './types';

/** The threads of models: one of those that read and learn, one of systems. Each starts with the first that needs it. */
const threads = {
  models: () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }),
  systems: () => new Worker(new URL('./systems-worker.js', import.meta.url), { type: 'module' }),
};
type Thread = keyof typeof threads;

const desks: Partial<Record<Thread, Remote<Desk>>> = {};
let numbers = 0;

/** Models that their pages have forgotten leave their worker. */
const forgotten = new FinalizationRegistry<{ thread: Thread; id: number }>(({ thread, id }) => void desks[thread]?.dispose(id));

const there = (thread: Thread): Remote<Desk> => (desks[thread] ??= wrap<Desk>(threads[thread]()));

// In a worker of one's own the engine runs in the thread that asks; systems, whose glue is not here, in a worker of theirs.
const here = typeof document === 'undefined' ? api(assets) : undefined;

/** Opens a model: by name (`draw`, `deep_convnet`, `faster_rcnn`, …), from an address or from bytes. */
export const load: Api['load'] = async (source, options = {}) => {
  const from = (thread: Thread, source: ModelSource) =>
    opened(thread, options, (desk, call, id, ...given) => desk.load(call, id, address(source), ...given));
  try {
    if (isSystem(source)) return await from('systems', source);
    return await (here ? here.load(source, options) : from('models', source));
  } catch (error) {
    if (error instanceof Elsewhere) return from('systems', error.file);
    throw error;
  }
};

/** A network of one's own, its weights drawn from a seed. */
export const define: Api['define'] = (network, options = {}) =>
  here ? here.define(network, options) : opened('models', options, (desk, call, id, ...given) => desk.define(call, id, network, ...given));

/** An address as the worker, which has another base, must have it; names stay. */
const address = (source: ModelSource) => {
  if (source instanceof URL) return source.href;
  return typeof source === 'string' && /[./]/.test(source) ? new URL(source, location.href).href : source;
};

async function opened<O extends LoadOptions>(
  thread: Thread,
  { signal, onProgress = () => {}, ...options }: O,
  open: (desk: Remote<Desk>, call: number, id: number, options: Omit<O, 'signal' | 'onProgress'>, onProgress: OnProgress) => Promise<Answer<About>>,
): Promise<Model> {
  const id = ++numbers;
  const about = await asked(thread, signal, (desk, call) => open(desk, call, id, options, proxy(onProgress)));
  return new WorkerModel(thread, id, about);
}

/** One call, which the signal can end. */
async function asked<T>(thread: Thread, signal: AbortSignal | undefined, ask: (desk: Remote<Desk>, call: number) => Promise<Answer<T>>): Promise<T> {
  stop(signal);
  const call = ++numbers;
  const abort = () => void there(thread).abort(call);
  signal?.addEventListener('abort', abort);
  try {
    return value(await ask(there(thread), call));
  } catch (error) {
    stop(signal);
    throw error;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

function value<T>(answer: Answer<T>): T {
  if ('value' in answer) return answer.value;
  if ('elsewhere' in answer) throw new Elsewhere(answer.elsewhere);
  const { message, code, name } = answer.error;
  if (typeof code === 'string') throw new Refused(code as Refused['code'], message);
  throw Object.assign(new Error(message), { name });
}

class WorkerModel implements Model {
  readonly #thread: Thread;
  readonly #id: number;
  #about: About;

  constructor(thread: Thread, id: number, about: About) {
    [this.#thread, this.#id, this.#about] = [thread, id, about];
    forgotten.register(this, { thread, id }, this);
  }

  get #desk(): Remote<Desk> {
    return there(this.#thread);
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

  layers(): LayerInfo[] {
    return this.#about.layers;
  }

  async predict(input: Input, signal?: AbortSignal): Promise<Prediction> {
    return (await this.predictAll([input], signal))[0]!;
  }

  async predictAll(inputs: Input[], signal?: AbortSignal): Promise<Prediction[]> {
    return this.#ask(signal, (desk, call) => desk.predictAll(call, this.#id, inputs.map(portable)));
  }

  async features(input: Input, layers: string[], signal?: AbortSignal): Promise<Feature[]> {
    return this.#ask(signal, (desk, call) => desk.features(call, this.#id, portable(input), layers));
  }

  async explain(input: Input, { signal, ...options }: ExplainOptions = {}): Promise<Explanation> {
    return this.#ask(signal, (desk, call) => desk.explain(call, this.#id, portable(input), options));
  }

  async detect(input: Input, { signal, ...options }: DetectOptions = {}): Promise<Detection[]> {
    return this.#ask(signal, (desk, call) => desk.detect(call, this.#id, portable(input), options));
  }

  async segment(input: Input, signal?: AbortSignal): Promise<Segmentation> {
    return this.#ask(signal, (desk, call) => desk.segment(call, this.#id, portable(input)));
  }

  async caption(input: Input, { signal, ...options }: CaptionOptions = {}): Promise<Caption> {
    return this.#ask(signal, (desk, call) => desk.caption(call, this.#id, portable(input), options));
  }

  async generate({ signal, ...options }: GenerateOptions = {}): Promise<Generated[]> {
    return this.#ask(signal, (desk, call) => desk.generate(call, this.#id, options));
  }

  async evaluate(data: Data, signal?: AbortSignal): Promise<{ accuracy: number; loss: number }> {
    return this.#ask(signal, (desk, call) => desk.evaluate(call, this.#id, movable(data)));
  }

  async *fit(data: Data, { signal, validation, ...options }: FitOptions = {}): AsyncGenerator<Report, void, void> {
    stop(signal);
    const training = ++numbers;
    const abort = () => void this.#desk.abort(training);
    signal?.addEventListener('abort', abort);
    try {
      await this.#desk.fit(training, this.#id, movable(data), { ...options, ...(validation && { validation: movable(validation) }) });
      for (;;) {
        const { done, value } = await this.#ask(undefined, (desk, call) => desk.next(call, training));
        if (done) return;
        yield value;
      }
    } catch (error) {
      stop(signal);
      throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
      await this.#desk.leave(training);
    }
  }

  async freeze(...layers: string[]): Promise<void> {
    return this.#ask(undefined, (desk, call) => desk.freeze(call, this.#id, layers));
  }

  async withClasses(classes: number, seed?: number): Promise<void> {
    this.#about = await this.#ask(undefined, (desk, call) => desk.withClasses(call, this.#id, classes, seed));
  }

  async save(format?: SaveFormat): Promise<Uint8Array<ArrayBuffer>> {
    return this.#ask(undefined, (desk, call) => desk.save(call, this.#id, format));
  }

  dispose(): void {
    forgotten.unregister(this);
    void this.#desk.dispose(this.#id);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #ask<T>(signal: AbortSignal | undefined, ask: (desk: Remote<Desk>, call: number) => Promise<Answer<T>>): Promise<T> {
    return asked(this.#thread, signal, ask);
  }
}

const movable = ({ inputs, labels }: Data): Data => ({ inputs: inputs.map(portable), labels: Uint32Array.from(labels) });

export { lines } from '../lines';
export { Refused } from './errors';
export type * from './types';
