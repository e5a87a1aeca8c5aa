// Where the package's files are. Each address stands whole in `new URL(…, import.meta.url)`: so bundlers find the files and
// bring them along. The folders are those of the package, seen from where this code is built to.

import { fastestBuild } from '../probe';
import type { Assets } from './engine';
import { BESIDE } from './shipped';

/** Apart from `new URL`, so that bundlers do not bring along every model of the package. */
const own = import.meta.url;

export const assets: Assets = {
  wasm: () =>
    fastestBuild() === 'relaxed-simd'
      ? {
          reading: new URL('../www/public/wasm/relaxed-simd.wasm', import.meta.url),
          studio: new URL('../www/public/wasm/studio/relaxed-simd.wasm', import.meta.url),
          formats: new URL('../www/public/wasm/formats/relaxed-simd.wasm', import.meta.url),
          convert: new URL('../www/public/wasm/convert/relaxed-simd.wasm', import.meta.url),
          bits: new URL('../www/public/wasm/bits/relaxed-simd.wasm', import.meta.url),
        }
      : {
          reading: new URL('../www/public/wasm/simd128.wasm', import.meta.url),
          studio: new URL('../www/public/wasm/studio/simd128.wasm', import.meta.url),
          formats: new URL('../www/public/wasm/formats/simd128.wasm', import.meta.url),
          convert: new URL('../www/public/wasm/convert/simd128.wasm', import.meta.url),
          bits: new URL('../www/public/wasm/bits/simd128.wasm', import.meta.url),
        },
  models: {
    ...Object.fromEntries(BESIDE.map((name) => [name, () => new URL(`../pretrained/${name}.safetensors`, own)])),
    draw: () => new URL('../pretrained/draw.safetensors', import.meta.url),
    deep_convnet: () => new URL('../pretrained/deep_convnet.safetensors', import.meta.url),
  },
};
