// The modules in the thread that asks, each loaded once, and the models they open.

import initReading from '../../public/wasm/hitofude.js';
import initBits from '../../public/wasm/bits/hitofude.js';
import initFormats from '../../public/wasm/formats/hitofude.js';
import initStudio from '../../public/wasm/studio/hitofude.js';
import { bytes as fetched } from '../fetch';
import { Refused, stop } from './errors';
import { FewModel, isFew } from './few';
import { DirectModel } from './model';
import type { Api, LoadOptions, ModelSource, NetworkDefinition, WasmSource } from './types';

/** What a way into the package brings along: where its modules are, and its models by name. */
export type Assets = {
  wasm: () => { reading: WasmSource; studio: WasmSource; formats?: WasmSource; bits?: WasmSource };
  models: Record<string, () => ModelSource>;
};

type Glue = (options: { module_or_path: BufferSource | WebAssembly.Module }) => Promise<unknown>;

/** `load` and `define` in this thread. */
export function api(assets: Assets): Api {
  const started = new Map<Glue, Promise<unknown>>();
  const once = (glue: Glue, source: WasmSource, options: LoadOptions) => {
    // A start that failed may be tried again.
    const start = started.get(glue) ?? compiled(source, options).then((module) => glue({ module_or_path: module }));
    started.set(glue, start);
    start.catch(() => started.delete(glue));
    return start;
  };
  const bits = async (at: ReturnType<Assets['wasm']>) => {
    if (at.bits) return once(initBits as Glue, at.bits, {});
    throw new Refused('unsupported', 'the module for few bits is not inside hitofude/inline: say where it is, by wasmUrl.bits');
  };
  const open = async (source: ConstructorParameters<typeof DirectModel>[0], options: LoadOptions) => {
    const at = { ...assets.wasm(), ...options.wasmUrl };
    await once(initReading as Glue, at.reading, options);
    if ('weights' in source && isFew(source.weights)) {
      await bits(at);
      return FewModel.load(source.weights);
    }
    return new DirectModel(source, {
      studio: () => once(initStudio as Glue, at.studio, {}),
      bits: () => bits(at),
      formats: async () => {
        if (at.formats) return once(initFormats as Glue, at.formats, {});
        throw new Refused('unsupported', 'the module for other formats is not inside hitofude/inline: say where it is, by wasmUrl.formats');
      },
    }).open();
  };
  return {
    load: async (source, options = {}) => open({ weights: await weights(source, assets.models, options) }, options),
    define: (network: NetworkDefinition, { seed = 1, ...options } = {}) =>
      open({ description: JSON.stringify(network), seed }, options),
  };
}

async function weights(source: ModelSource, models: Assets['models'], options: LoadOptions): Promise<Uint8Array> {
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (source instanceof Uint8Array) return source;
  const named = typeof source === 'string' && Object.hasOwn(models, source) ? models[source] : undefined;
  if (named) return weights(named(), models, options);
  if (typeof source === 'string' && /^\w+$/.test(source)) {
    throw new Refused('missing', `there is no model called ${source}: name one of ${Object.keys(models).join(', ')}, or say where its file is`);
  }
  return bytes(source, options);
}

async function compiled(source: WasmSource, options: LoadOptions): Promise<BufferSource | WebAssembly.Module> {
  if (typeof source === 'string' || source instanceof URL) return bytes(source, options);
  return source;
}

/** The bytes at an address; in Node also of a file. */
async function bytes(source: string | URL, { onProgress, signal }: LoadOptions): Promise<Uint8Array<ArrayBuffer>> {
  const base = typeof location === 'undefined' ? import.meta.url : location.href;
  let url: URL;
  try {
    url = new URL(source, base);
  } catch (cause) {
    throw new Refused('value', `${source} is no name of a model and no address`, { cause });
  }
  if (url.protocol === 'file:' && typeof process === 'object') return file(url);
  try {
    return await fetched({ url: url.href }, 'default', { ...(onProgress && { onProgress }), ...(signal && { signal }) });
  } catch (error) {
    stop(signal);
    throw error;
  }
}

async function file(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  // Put together, so that no bundler for browsers looks for it.
  const name = ['node', 'fs/promises'].join(':');
  const { readFile } = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as { readFile(url: URL): Promise<Uint8Array> };
  const data = await readFile(url).catch((cause: unknown) => {
    throw new Refused('network', `${url.href} could not be read`, { cause });
  });
  return new Uint8Array(data);
}

declare const process: unknown;
