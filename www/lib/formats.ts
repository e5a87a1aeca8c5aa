import init, { build } from '../public/wasm/formats/hitofude.js';
import type { Source } from './fetch';
import { start, type LoadOptions } from './load';
import type { Build } from './types';

/**
 * Fetches and compiles the module for models from elsewhere (ONNX, safetensors, npz, pickles); what it exports works from
 * then on. Returns the build that it is.
 */
export async function loadFormats(wasm: Record<Build, Source>, options: LoadOptions = {}): Promise<Build> {
  await start(init, wasm, options);
  return build();
}
