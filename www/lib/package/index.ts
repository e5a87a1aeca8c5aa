// `hitofude`: models that read and learn in workers, so that a page stays responsive. Where there is no page (Node, Deno, Bun, a
// worker of one's own), and where a page has no workers (jsdom), the engine runs in the thread that asks.

import { proxy } from 'comlink';
import { assets } from './assets';
import { api } from './engine';
import { Elsewhere, HitofudeError, optional, refusal, stop } from './errors';
import { isSystem } from './systems';
import { fresh, imported, Thread } from './thread';
import type { Api, LoadOptions, Model, ModelSource } from './types';
import { addressOf, onDisk } from './where';
import { WorkerModel, type Begin, type Opening } from './worker-model';

/** How the threads of models start, and where their scripts are if no bundler has moved them. */
const threads = {
  models: () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }),
  systems: () => new Worker(new URL('./systems-worker.js', import.meta.url), { type: 'module' }),
};
/** Models that read and learn, or systems, whose module and glue come with the first of them. */
type Kind = keyof typeof threads;
const scripts: Record<Kind, string> = { models: 'worker.js', systems: 'systems-worker.js' };

/** This module's own address, apart from `new URL`, which bundlers would take for a file to bring along. */
const own = import.meta.url;

const here = api(assets);

/** The way into the package that has systems, too; by its address, so that bundlers do not make parts of a worker of one's own. */
const withSystems = (): Promise<Api> =>
  import(/* @vite-ignore */ /* webpackIgnore: true */ new URL(['direct', 'js'].join('.'), own).href).catch((cause: unknown) => {
    throw new HitofudeError('unsupported', 'systems are not in this script, and there are no workers here: load them with hitofude/direct', { cause });
  });

let said = false;

/**
 * Whether models of a kind live in workers. Deno and Bun have them, too, but one would keep a program from ending. In a worker of
 * one's own systems still have theirs, for their glue is not here.
 */
function elsewhere(kind: Kind): boolean {
  const page = typeof document !== 'undefined';
  if (typeof Worker !== 'undefined' && (page || (kind === 'systems' && !onDisk()))) return true;
  if (page && !said) console.info('hitofude: there is no Worker here, so its engine runs in the thread of the page');
  said ||= page;
  return false;
}

/** Opens a model: by name (`draw`, `deep_convnet`, `faster_rcnn`, …), from an address or from bytes. */
export const load: Api['load'] = async (source, options = {}) => {
  try {
    return await loaded(isSystem(source) ? 'systems' : 'models', source, options);
  } catch (error) {
    if (!(error instanceof Elsewhere)) throw error;
    return loaded('systems', error.source, options).catch(astray);
  }
};

async function loaded(kind: Kind, source: ModelSource, options: LoadOptions): Promise<Model> {
  if (!elsewhere(kind)) return (kind === 'models' ? here : await withSystems()).load(source, options);
  const from = await address(source);
  return opened(kind, options, (desk, call, id, ...given) => desk.load(call, id, from, ...given));
}

/** A network of one's own, its weights drawn from a seed. */
export const define: Api['define'] = async (network, options = {}) => {
  if (!elsewhere('models')) return here.define(network, options);
  const same = plain(network);
  return opened('models', options, (desk, call, id, ...given) => desk.define(call, id, same, ...given));
};

/** An address as the worker, which has another base, must have it; names stay, and bytes are what they are now. */
async function address(source: ModelSource): Promise<ModelSource> {
  if (typeof source === 'string' ? /[./]/.test(source) : source instanceof URL) return (await addressOf(source as string | URL)).href;
  return ArrayBuffer.isView(source) || source instanceof ArrayBuffer ? source.slice() : source;
}

/** What can be sent: a description has no functions. */
function plain<T>(value: T): T {
  try {
    return structuredClone(value);
  } catch (error) {
    throw refusal(error);
  }
}

/** A system that came back from the script that was to open it. */
function astray(error: unknown): never {
  if (!(error instanceof Elsewhere)) throw error;
  throw new HitofudeError('worker', 'workerUrl names the script of models that read and learn, and this is a system: say where systems-worker.js is');
}

function started(kind: Kind, url: LoadOptions['workerUrl']): Thread {
  const script = typeof url === 'object' && !('href' in url) ? url[kind] : url;
  if (script === undefined) return new Thread(threads[kind], new URL(scripts[kind], own).href);
  return new Thread(() => imported(String(script)), String(script));
}

async function opened(kind: Kind, given: LoadOptions, open: Opening): Promise<Model> {
  const { signal, onProgress = () => {}, workerUrl, ...options } = optional(given);
  stop(signal);
  const sent = plain(options);
  const begin: Begin = async (how = open, signal) => {
    const [thread, id] = [started(kind, workerUrl), fresh()];
    try {
      return [thread, id, await thread.ask(signal, (desk, call) => how(desk, call, id, sent, proxy(onProgress)))];
    } catch (error) {
      thread.end();
      throw error;
    }
  };
  return new WorkerModel(await begin(open, signal), begin);
}

export { lines } from '../lines';
export { HitofudeError, type Code } from './errors';
export type * from './types';
