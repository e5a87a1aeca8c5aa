// A cold start, inside a fresh page that has one contender alone: what it downloads, compiles and holds before it answers.

import { CASES, drawData, drawWeights } from './cases.mjs';

const MODULES = '/benches/node_modules/';
const TENSORFLOW = ['@tensorflow/tfjs-core/dist/tf-core.min.js', '@tensorflow/tfjs-backend-wasm/dist/tf-backend-wasm.min.js'];

/** The contenders that are WebAssembly, and the scripts they come with. */
export const COLD = {
  simd128: { scripts: [], start: async () => (await import('./contenders/hitofude.mjs')).hitofude('simd128') },
  'relaxed-simd': { scripts: [], start: async () => (await import('./contenders/hitofude.mjs')).hitofude('relaxed-simd') },
  onnxruntime: {
    scripts: ['onnxruntime-web/dist/ort.wasm.min.js', 'protobufjs/dist/protobuf.min.js'],
    start: async () => (await import('./contenders/onnxruntime.mjs')).onnxruntime(),
  },
  tensorflow: { scripts: TENSORFLOW, start: async () => (await import('./contenders/tensorflow.mjs')).tensorflow('wasm') },
  jax: { scripts: [], start: async () => (await import('./contenders/jax.mjs')).jax() },
};

const memories = new Set();
let compiling = 0;

/** Notes every WebAssembly memory there is and how long compiling and instantiating take, streaming included. */
function watch() {
  const { Memory } = WebAssembly;
  WebAssembly.Memory = class extends Memory {
    constructor(...args) {
      super(...args);
      memories.add(this);
    }
  };
  const timed = (kind) => {
    const Original = WebAssembly[kind];
    WebAssembly[kind] = class extends Original {
      constructor(...args) {
        const started = performance.now();
        super(...args);
        compiling += performance.now() - started;
        if (kind === 'Instance') note(this.exports);
      }
    };
  };
  const note = (exports = {}) => Object.values(exports).forEach((value) => value instanceof Memory && memories.add(value));
  timed('Module');
  timed('Instance');
  let depth = 0;
  for (const name of ['compile', 'compileStreaming', 'instantiate', 'instantiateStreaming']) {
    const original = WebAssembly[name];
    WebAssembly[name] = async (...args) => {
      const started = performance.now();
      depth++;
      const made = await original.apply(WebAssembly, args).finally(() => depth--);
      if (depth === 0) compiling += performance.now() - started;
      note((made.instance ?? made).exports);
      return made;
    };
  }
}

const held = () => [...memories].reduce((sum, { buffer }) => sum + buffer.byteLength, 0);

/** `parameters` and `layers` of DeepConvNet as our engine lists them; memory is noted after each of the cases `ids`. Times
 * are milliseconds since the navigation. */
globalThis.cold = async (name, parameters, layers, ids) => {
  const { scripts, start } = COLD[name];
  watch();
  for (const script of scripts) await load(MODULES + script);
  const engine = await start();
  const weights = drawWeights(parameters);
  const figures = {};
  for (const id of ids) {
    const kase = CASES.find((one) => one.id === id);
    if (!engine.can.includes(kase.task)) continue;
    const entry = await engine.prepare(kase, weights, drawData(kase, 10), layers);
    await entry.run();
    if (id === 'b1') Object.assign(figures, { first: performance.now(), compile: compiling });
    figures[id] = held();
    await entry.free();
  }
  return { name: engine.name, ...figures };
};

function load(src) {
  return new Promise((resolve, reject) => document.head.append(Object.assign(document.createElement('script'), { src, onload: resolve, onerror: reject })));
}
