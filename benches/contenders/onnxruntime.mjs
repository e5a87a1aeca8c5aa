// ONNX Runtime Web with its wasm provider. It does not train and has no gradients.

import { NETWORKS } from '../cases.mjs';
import { toOnnx } from '../onnx.mjs';

export async function onnxruntime() {
  const { ort } = globalThis;
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = '/benches/node_modules/onnxruntime-web/dist/';
  return { name: 'onnxruntime-web', can: ['forward'], prepare: (...given) => prepare(ort, ...given) };
}

async function prepare(ort, { network, batch }, weights, { images }) {
  const spec = NETWORKS[network];
  const dims = [batch, ...spec.input];
  const session = await ort.InferenceSession.create(toOnnx(globalThis.protobuf, spec, batch, weights), {
    executionProviders: ['wasm'],
    graphOptimizationLevel: 'all',
  });
  return {
    run: async () => (await session.run({ input: new ort.Tensor('float32', images, dims) })).output.data,
    free: () => session.release(),
  };
}
