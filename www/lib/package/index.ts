// `hitofude`: models that read and learn in a worker, so that a page stays responsive. Where there is no page (Node, Deno, Bun,
// a worker of one's own) the engine runs in the thread that asks.

import { proxy, wrap, type Remote } from 'comlink';
import { load as loadHere, define as defineHere } from './direct';
import { Refused, stop } from './errors';
import { portable } from './portable';
import type { About, Answer, Desk, OnProgress } from './worker';
import type {
  Api, Data, ExplainOptions, Explanation, Feature, FitOptions, Input, LayerInfo, LoadOptions, Model, ModelSource, Prediction, QuantiseOptions, Report, SaveFormat, Shape,
} from './types';

let desk: Remote<Desk> | undefined;
let numbers = 0;

/** Models that their pages have forgotten leave the worker. */
const forgotten = new FinalizationRegistry<number>((id) => void desk?.dispose(id));

function there(): Remote<Desk> {
  desk ??= wrap<Desk>(new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }));
  return desk;
}

// Deno and Bun have workers, too, but one would keep a program from ending.
const elsewhere = typeof document !== 'undefined';

/** Opens a model: by name (`draw`, `deep_convnet`), from an address or from bytes. */
export const load: Api['load'] = (source, options = {}) =>
  elsewhere ? opened(options, (call, id, ...given) => there().load(call, id, address(source), ...given)) : loadHere(source, options);

/** A network of one's own, its weights drawn from a seed. */
export const define: Api['define'] = (network, options = {}) =>
  elsewhere ? opened(options, (call, id, ...given) => there().define(call, id, network, ...given)) : defineHere(network, options);

/** An address as the worker, which has another base, must have it; names stay. */
const address = (source: ModelSource) => {
  if (source instanceof URL) return source.href;
  return typeof source === 'string' && /[./]/.test(source) ? new URL(source, location.href).href : source;
};

async function opened<O extends LoadOptions>(
  { signal, onProgress = () => {}, ...options }: O,
  open: (call: number, id: number, options: Omit<O, 'signal' | 'onProgress'>, onProgress: OnProgress) => Promise<Answer<About>>,
): Promise<Model> {
  const id = ++numbers;
  const about = await asked(signal, (call) => open(call, id, options, proxy(onProgress)));
  return new WorkerModel(id, about);
}

/** One call, which the signal can end. */
async function asked<T>(signal: AbortSignal | undefined, ask: (call: number) => Promise<Answer<T>>): Promise<T> {
  stop(signal);
  const call = ++numbers;
  const abort = () => void there().abort(call);
  signal?.addEventListener('abort', abort);
  try {
    return value(await ask(call));
  } catch (error) {
    stop(signal);
    throw error;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

function value<T>(answer: Answer<T>): T {
  if ('value' in answer) return answer.value;
  const { message, code, name } = answer.error;
  if (typeof code === 'string') throw new Refused(code as Refused['code'], message);
  throw Object.assign(new Error(message), { name });
}

class WorkerModel implements Model {
  readonly #id: number;
  #about: About;

  constructor(id: number, about: About) {
    [this.#id, this.#about] = [id, about];
    forgotten.register(this, id, this);
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
    return asked(signal, (call) => there().predictAll(call, this.#id, inputs.map(portable)));
  }

  async features(input: Input, layers: string[], signal?: AbortSignal): Promise<Feature[]> {
    return asked(signal, (call) => there().features(call, this.#id, portable(input), layers));
  }

  async explain(input: Input, { signal, ...options }: ExplainOptions = {}): Promise<Explanation> {
    return asked(signal, (call) => there().explain(call, this.#id, portable(input), options));
  }

  async evaluate(data: Data, signal?: AbortSignal): Promise<{ accuracy: number; loss: number }> {
    return asked(signal, (call) => there().evaluate(call, this.#id, movable(data)));
  }

  async *fit(data: Data, { signal, validation, ...options }: FitOptions = {}): AsyncGenerator<Report, void, void> {
    stop(signal);
    const training = ++numbers;
    const abort = () => void there().abort(training);
    signal?.addEventListener('abort', abort);
    try {
      await there().fit(training, this.#id, movable(data), { ...options, ...(validation && { validation: movable(validation) }) });
      for (;;) {
        const { done, value } = await asked(undefined, (call) => there().next(call, training));
        if (done) return;
        yield value;
      }
    } catch (error) {
      stop(signal);
      throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
      await there().leave(training);
    }
  }

  async freeze(...layers: string[]): Promise<void> {
    return asked(undefined, (call) => there().freeze(call, this.#id, layers));
  }

  async withClasses(classes: number, seed?: number): Promise<void> {
    this.#about = await asked(undefined, (call) => there().withClasses(call, this.#id, classes, seed));
  }

  async quantise({ signal, data, ...options }: QuantiseOptions): Promise<Model> {
    const id = ++numbers;
    const inputs = data?.inputs?.map(portable) ?? [];
    const about = await asked(signal, (call) => there().quantise(call, this.#id, id, { ...options, data: { inputs } }));
    return new WorkerModel(id, about);
  }

  async save(format?: SaveFormat): Promise<Uint8Array<ArrayBuffer>> {
    return asked(undefined, (call) => there().save(call, this.#id, format));
  }

  dispose(): void {
    forgotten.unregister(this);
    void there().dispose(this.#id);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

const movable = ({ inputs, labels }: Data): Data => ({ inputs: inputs.map(portable), labels: Uint32Array.from(labels) });

export { Refused } from './errors';
export type * from './types';
