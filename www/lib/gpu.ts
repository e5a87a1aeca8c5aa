import init, { build } from '../public/wasm/gpu/hitofude.js';
import type { Source } from './fetch';
import { start, type LoadOptions } from './load';
import type { Build } from './types';

/** Fetches and compiles the module that trains on a GPU; what it exports works from then on. Returns the build that it is. */
export async function loadGpu(wasm: Record<Build, Source>, options: LoadOptions = {}): Promise<Build> {
  await start(init, wasm, options);
  return build();
}
