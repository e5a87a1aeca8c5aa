// `hitofude/inline`: as `hitofude/direct`, with the modules and the network `draw` inside the script. For bundlers and
// sandboxes that lose the files that belong to a script.

import draw from '../../../pretrained/draw.safetensors';
import reading from '../../public/wasm/simd128.wasm';
import studio from '../../public/wasm/studio/simd128.wasm';
import { api } from './engine';
import { systems } from './system-model';

export const { load, define } = api({ wasm: () => ({ reading, studio }), models: { draw: () => draw } }, systems);
export { lines } from '../lines';
export { HitofudeError, type Code } from './errors';
export type * from './types';
