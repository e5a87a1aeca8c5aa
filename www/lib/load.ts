import init, { build as builtAs, Model as WasmModel, preprocess } from '../public/wasm/hitofude.js';
import { bytes, fileName, LoadError, open, twice, type FetchOptions, type Source } from './fetch';
import { fastestBuild } from './probe';
import type { Build, Engine, Model } from './types';

/** Fetches and compiles the engine: the build asked for, else the fastest one that this browser can run. */
export async function loadEngine(wasm: Record<Build, Source>, options: LoadOptions = {}): Promise<Engine> {
  await start(init, wasm, options);
  return { build: builtAs(), open: (weights) => new WasmModel(weights), preprocess };
}

export type LoadOptions = FetchOptions & { build?: Build };

/** What wasm-bindgen makes of a module, as far as starting it goes. */
type Glue = (options: { module_or_path: WebAssembly.Module }) => Promise<unknown>;

/** Fetches and compiles a build of a module and hands it to the module's glue. */
export async function start(glue: Glue, wasm: Record<Build, Source>, options: LoadOptions): Promise<void> {
  if (typeof WebAssembly === 'undefined') {
    throw new LoadError('unsupported', 'This browser has no WebAssembly');
  }
  const source = wasm[options.build ?? fastestBuild()];
  await twice(async (cache) => {
    const response = await open(source, cache, options);
    // Static hosts do not always name the type that streaming compilation insists on.
    const typed = new Response(response.body, { headers: { 'content-type': 'application/wasm' } });
    await glue({ module_or_path: await compile(typed, source) });
  }, options.signal);
}

async function compile(response: Response, source: Source): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compileStreaming(response);
  } catch (cause) {
    const arrived = cause instanceof WebAssembly.CompileError;
    throw new LoadError(
      arrived ? 'corrupt' : 'network',
      arrived ? `${fileName(source)} does not compile: ${cause.message}` : `${fileName(source)} broke off on the way`,
      { cause },
    );
  }
}

/** Fetches weights, checks them and opens the network they belong to; the engine may still be on its way. */
export async function loadModel(
  engine: Engine | Promise<Engine>,
  weights: Source,
  options: FetchOptions = {},
): Promise<Model> {
  return twice(async (cache) => {
    const data = await bytes(weights, cache, options);
    return (await engine).open(data);
  }, options.signal);
}
