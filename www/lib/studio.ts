import init, { build } from '../public/wasm/studio/hitofude.js';
import type { Source } from './fetch';
import { start, type LoadOptions } from './load';
import type { Build } from './types';

/**
 * Fetches and compiles the module that can do everything (training, any network, the labs' own); what it exports works
 * from then on. Returns the build that it is.
 */
export async function loadStudio(wasm: Record<Build, Source>, options: LoadOptions = {}): Promise<Build> {
  await start(init, wasm, options);
  return build();
}
