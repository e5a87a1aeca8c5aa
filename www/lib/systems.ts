import init, { build } from '../public/wasm/systems/hitofude.js';
import type { Source } from './fetch';
import { start, type LoadOptions } from './load';
import type { Build } from './types';

/**
 * Fetches and compiles the module for systems whose networks do more than classify; what it exports works from then on.
 * Returns the build that it is.
 */
export async function loadSystems(wasm: Record<Build, Source>, options: LoadOptions = {}): Promise<Build> {
  await start(init, wasm, options);
  return build();
}
