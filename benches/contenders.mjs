// The engines of the benchmark, each as `{ name, run(image) → scores }` on one thread, from the same weights.
// What is timed is what a page does: a Float32Array of 784 pixels goes in, ten numbers in JavaScript come out.

import { FLATTENED, LAYERS } from './network.mjs';

/** One of our builds: its own instance of the glue, so that both can live in one page. */
export async function hitofude(build, weights) {
  const glue = await import(`/www/public/wasm/hitofude.js?${build}`);
  await glue.default({ module_or_path: `/www/public/wasm/${build}.wasm` });
  if (glue.build() !== build) throw new Error(`${build}.wasm says it is ${glue.build()}`);
  const model = new glue.Model(new Uint8Array(weights));
  return {
    name: `hitofude ${build}`,
    run: (image) => model.predict(image).probabilities,
    // `predict` gives probabilities; the peers stop at the scores.
    scores: () => model.features('affine2'),
    preprocess: glue.preprocess,
  };
}

/** ONNX Runtime Web with its wasm provider. */
export async function onnxruntime(model) {
  const { ort } = globalThis;
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = '/benches/node_modules/onnxruntime-web/dist/';
  const session = await ort.InferenceSession.create(model, { executionProviders: ['wasm'], graphOptimizationLevel: 'all' });
  return {
    name: 'onnxruntime-web',
    run: async (image) => (await session.run({ image: new ort.Tensor('float32', image, [1, 1, 28, 28]) })).scores.data,
  };
}

/** TensorFlow.js with its wasm backend (SIMD build), bias and ReLU fused as its graph models have them. */
export async function tensorflow(weights) {
  const { tf } = globalThis;
  const folder = '/benches/node_modules/@tensorflow/tfjs-backend-wasm/dist/';
  tf.wasm.setWasmPaths(folder);
  tf.wasm.setThreadsCount(1);
  await tf.setBackend('wasm');
  if (tf.getBackend() !== 'wasm') throw new Error('TensorFlow.js did not take its wasm backend');
  const loaded = performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname);
  if (!loaded.includes(`${folder}tfjs-backend-wasm-simd.wasm`)) throw new Error('TensorFlow.js did not take its SIMD build');
  const steps = LAYERS.map((layer) => step(tf, layer, weights));
  const forward = (image) => steps.reduce((x, apply) => apply(x), tf.tensor4d(image, [1, 28, 28, 1])).dataSync();
  return { name: 'tfjs-backend-wasm', run: (image) => tf.tidy(() => forward(image)) };
}

function step(tf, { kind, name, pad, relu }, weights) {
  if (kind === 'pool') return (x) => tf.maxPool(x, 2, 2, 'valid');
  if (kind === 'flatten') return (x) => tf.reshape(x, [1, -1]);
  const { shape, data } = weights[`${name}.weight`];
  const bias = tf.tensor1d(weights[`${name}.bias`].data);
  if (kind === 'conv') {
    const filter = tf.tidy(() => tf.transpose(tf.tensor4d(data, shape), [2, 3, 1, 0]));
    return (x) => tf.fused.conv2d({ x, filter, strides: 1, pad, dimRoundingMode: 'floor', bias, activation: 'relu' });
  }
  const b = tf.tidy(() => tf.transpose(name === 'affine1' ? channelsLast(tf, shape, data) : tf.tensor2d(data, shape)));
  return (a) => tf.fused.matMul({ a, b, bias, activation: relu ? 'relu' : 'linear' });
}

/** The first affine layer's columns, from the file's channel order into the one of this backend. */
function channelsLast(tf, [out], data) {
  const { c, h, w } = FLATTENED;
  return tf.reshape(tf.transpose(tf.tensor4d(data, [out, c, h, w]), [0, 2, 3, 1]), [out, -1]);
}
