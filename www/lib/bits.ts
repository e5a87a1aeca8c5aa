import init, { build } from '../public/wasm/bits/hitofude.js';
import type { Source } from './fetch';
import { start, type LoadOptions } from './load';
import type { Build } from './types';

/**
 * Fetches and compiles the module for networks of few bits; what it exports works from then on. Returns the build that it is.
 */
export async function loadBits(wasm: Record<Build, Source>, options: LoadOptions = {}): Promise<Build> {
  await start(init, wasm, options);
  return build();
}
