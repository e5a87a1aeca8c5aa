// The modules in the thread that asks, each loaded once, and the models they open.

import initReading from '../../public/wasm/hitofude.js';
import initBits from '../../public/wasm/bits/hitofude.js';
import initConvert from '../../public/wasm/convert/hitofude.js';
import initFormats from '../../public/wasm/formats/hitofude.js';
import initStudio from '../../public/wasm/studio/hitofude.js';
import { described } from './describe';
import { Elsewhere, HitofudeError as Refused, optional, refusal, stop } from './errors';
import { FewModel } from './few';
import { guarded } from './guard';
import { isFew } from './metadata';
import { DirectModel } from './model';
import { BESIDE } from './shipped';
import { isSystem, SHIPPED, systemOf, type System } from './systems';
import type { Api, LoadOptions, Model, ModelSource, NetworkDefinition, WasmSource } from './types';
import { fileAt } from './where';

/** What a way into the package brings along: where its modules are, and its models by name. */
export type Assets = {
  wasm: () => { reading: WasmSource; studio: WasmSource; formats?: WasmSource; convert?: WasmSource; bits?: WasmSource; systems?: WasmSource };
  models: Record<string, () => ModelSource>;
};

type Glue = (options: { module_or_path: BufferSource | WebAssembly.Module }) => Promise<unknown>;

/** What opens systems where there is the module for them. */
type Systems = { glue: unknown; open: (file: Uint8Array, system: System) => Model };

/** `load` and `define` in this thread. Without `systems` their names and files are handed on, as `Elsewhere`. */
export function api(assets: Assets, systems?: Systems): Api {
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
    throw absent('the module for few bits', 'by wasmUrl.bits');
  };
  const open = async (source: ConstructorParameters<typeof DirectModel>[0], options: LoadOptions): Promise<Model> => {
    const at = { ...assets.wasm(), ...options.wasmUrl };
    await once(initReading as Glue, at.reading, options);
    stop(options.signal);
    if ('weights' in source && isFew(source.weights)) {
      await bits(at);
      stop(options.signal);
      return guarded(FewModel.load(source.weights));
    }
    const model = new DirectModel(source, {
      studio: () => once(initStudio as Glue, at.studio, {}),
      bits: () => bits(at),
      formats: async () => {
        if (at.formats) return once(initFormats as Glue, at.formats, {});
        throw absent('the module for other formats', 'by wasmUrl.formats');
      },
      convert: async () => {
        if (at.convert) return once(initConvert as Glue, at.convert, {});
        throw absent('the module for files of other frameworks', 'by wasmUrl.convert');
      },
    });
    return guarded(await model.open());
  };
  const openSystem = async (file: Uint8Array<ArrayBuffer>, system: System, options: LoadOptions): Promise<Model> => {
    if (!systems) throw new Elsewhere(file);
    const at = { ...assets.wasm(), ...options.wasmUrl };
    if (!at.systems) throw absent('the module for systems', 'by wasmUrl.systems');
    await once(systems.glue as Glue, at.systems, options);
    stop(options.signal);
    return guarded(systems.open(file, system));
  };
  return {
    load: (source, options) =>
      refusing(async () => {
        const given = begun(options);
        if (!systems && isSystem(source)) throw new Elsewhere(source);
        const file = await weights(source, assets.models, given);
        const system = systemOf(file);
        return system ? openSystem(file, system, given) : open({ weights: file }, given);
      }),
    define: (network: NetworkDefinition, options) =>
      refusing(async () => {
        const { seed = 1, ...rest } = begun(options);
        return open({ description: described(network), seed }, rest);
      }),
  };
}

const refusing = <T>(work: () => Promise<T>): Promise<T> =>
  work().catch((error: unknown) => {
    throw refusal(error);
  });

function begun<O extends LoadOptions>(options: O | undefined): O {
  const given = optional(options);
  stop(given.signal);
  return given;
}

const absent = (what: string, where: string) => new Refused('unsupported', `${what} is not inside hitofude/inline: say where it is, ${where}`);

async function weights(source: ModelSource, models: Assets['models'], options: LoadOptions): Promise<Uint8Array<ArrayBuffer>> {
  if (isBuffer(source)) return new Uint8Array(source);
  // Whatever kind of bytes, and of whichever window.
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength) as Uint8Array<ArrayBuffer>;
  if (typeof Blob !== 'undefined' && (source as unknown) instanceof Blob) return new Uint8Array(await (source as unknown as Blob).arrayBuffer());
  if (typeof source !== 'string' && !(source instanceof URL)) {
    throw new Refused('value', `a model's name, its address or its bytes were expected; got ${source === null ? 'null' : typeof source}`);
  }
  const named = typeof source === 'string' && Object.hasOwn(models, source) ? models[source] : undefined;
  if (named) {
    return weights(named(), models, options).catch((error: unknown) => {
      if (BESIDE.includes(source as string) && error instanceof Refused && error.code === 'network') throw leftOut(source as string, error);
      throw refusal(error);
    });
  }
  if (isSystem(source) && SHIPPED.includes(source)) throw absent(`the file of ${source}`, 'by its address');
  if (typeof source === 'string' && /^\w*$/.test(source)) {
    const names = [...new Set([...Object.keys(models), ...SHIPPED])];
    throw new Refused('missing', `there is no model called ${source}: name one of ${names.join(', ')}, or say where its file is`);
  }
  return fileAt(source, options);
}

const leftOut = (name: string, cause: unknown) =>
  new Refused('missing', `the file of ${name} is not beside this script; a bundler brings it along if you ask for hitofude/models/${name}.safetensors, and load opens its address`, { cause });

const isBuffer = (source: unknown): source is ArrayBuffer => Object.prototype.toString.call(source) === '[object ArrayBuffer]';

async function compiled(source: WasmSource, options: LoadOptions): Promise<BufferSource | WebAssembly.Module> {
  if (typeof source === 'string' || source instanceof URL) return fileAt(source, options);
  return source;
}
