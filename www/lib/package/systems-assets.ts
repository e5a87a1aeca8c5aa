// As assets.ts, with the module for systems and its models: apart, so that a page that never asks for one has nothing of them.

import { fastestBuild } from '../probe';
import { assets } from './assets';
import type { Assets } from './engine';

export const all: Assets = {
  wasm: () => ({
    ...assets.wasm(),
    systems:
      fastestBuild() === 'relaxed-simd'
        ? new URL('../www/public/wasm/systems/relaxed-simd.wasm', import.meta.url)
        : new URL('../www/public/wasm/systems/simd128.wasm', import.meta.url),
  }),
  models: {
    ...assets.models,
    faster_rcnn: () => new URL('../pretrained/detect/faster_rcnn.safetensors', import.meta.url),
    rcnn: () => new URL('../pretrained/detect/rcnn.safetensors', import.meta.url),
    fcn8s: () => new URL('../pretrained/segment/fcn8s.safetensors', import.meta.url),
    segnet: () => new URL('../pretrained/segment/segnet.safetensors', import.meta.url),
    segnet_street: () => new URL('../pretrained/segment/segnet_street.safetensors', import.meta.url),
    caption: () => new URL('../pretrained/caption/caption.safetensors', import.meta.url),
    dcgan: () => new URL('../pretrained/generate/dcgan.safetensors', import.meta.url),
  },
};
