// TensorFlow.js with its wasm backend (SIMD build) or its cpu backend (plain JavaScript).
//
// Bias and ReLU are fused as its graph models have them. The wasm backend has no gradient of a convolution by its
// weights, so training goes back by hand, each gradient composed of the operators that are quickest there.

import { NETWORKS, RATE } from '../cases.mjs';
import { walk } from '../graph.mjs';

const FOLDER = '/benches/node_modules/@tensorflow/tfjs-backend-wasm/dist/';

export async function tensorflow(backend) {
  const { tf } = globalThis;
  if (backend === 'wasm') {
    tf.wasm.setWasmPaths(FOLDER);
    tf.wasm.setThreadsCount(1);
  }
  const take = async () => {
    await tf.setBackend(backend);
    if (tf.getBackend() !== backend) throw new Error(`TensorFlow.js did not take its ${backend} backend`);
  };
  await take();
  const loaded = performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname);
  if (backend === 'wasm' && !loaded.includes(`${FOLDER}tfjs-backend-wasm-simd.wasm`)) {
    throw new Error('TensorFlow.js did not take its SIMD build');
  }
  return {
    name: `tfjs-backend-${backend}`,
    can: ['forward', 'train', 'gradient'],
    take,
    prepare: (kase, weights, data, layers) => tf.tidy(() => prepare(tf, kase, weights, data, walk(NETWORKS[kase.network], layers))),
  };
}

function prepare(tf, { id, network, batch, task }, weights, { images, targets, dy }, nodes) {
  const [c, h, w] = NETWORKS[network].input;
  // Adam knows variables by their names, of which there is one set for the whole library.
  const own = (name) => `${tf.getBackend()} ${id} ${name}`;
  const variables = Object.fromEntries(
    Object.entries(weights).map(([name, weight]) => {
      const node = nodes.find((n) => `${n.name}.weight` === name);
      return [name, tf.variable(lay(tf, weight, node), true, own(name))];
    }),
  );
  // Its own order, beforehand: NHWC.
  const x = tf.keep(tf.transpose(tf.tensor4d(images, [batch, c, h, w]), [0, 2, 3, 1]));
  const input = { data: x.dataSync(), shape: x.shape };
  const last = nodes.at(-1);
  const forward = () => forwardPass(tf, nodes, variables, tf.tensor4d(input.data, input.shape));
  const adam = tf.train.adam(RATE, 0.9, 0.999, 1e-8);
  const run = {
    forward: () => forward()[last.name].dataSync(),
    gradient: () => {
      const values = forward();
      const seed = tf.reshape(tf.tensor1d(dy), values[last.name].shape);
      return backwardPass(tf, nodes, variables, values, seed, { input: true }).input.dataSync();
    },
    train: () => {
      const values = forward();
      const p = tf.softmax(values[last.name]);
      const rows = tf.tensor2d(targets, p.shape);
      const loss = tf.neg(tf.mean(tf.sum(tf.mul(rows, tf.log(p)), 1)));
      const gradients = backwardPass(tf, nodes, variables, values, tf.div(tf.sub(p, rows), batch), { weights: true });
      adam.applyGradients(Object.fromEntries(Object.entries(gradients.weights).map(([name, tensor]) => [own(name), tensor])));
      return loss.dataSync()[0];
    },
  };
  return {
    run: () => tf.tidy(run[task]),
    // NHWC to NCHW, outside the time.
    read: (answer) => (task === 'gradient' ? tf.tidy(() => tf.transpose(tf.tensor4d(answer, input.shape), [0, 3, 1, 2]).dataSync()) : answer),
    free: () => tf.dispose([x, ...Object.values(variables)]),
  };
}

/** A parameter in this library's order: HWIO, in × out with the columns behind a flattening as NHWC. */
function lay(tf, { shape, data }, node) {
  const tensor = tf.tensor(data, shape);
  if (shape.length === 4) return tf.transpose(tensor, [2, 3, 1, 0]);
  if (shape.length === 1) return tensor;
  const [c, h, w] = node.flat ?? [shape[1], 1, 1];
  return tf.reshape(tf.transpose(tf.reshape(tensor, [shape[0], c, h, w]), [2, 3, 1, 0]), [shape[1], shape[0]]);
}

function forwardPass(tf, nodes, variables, x) {
  const values = { input: x };
  for (const node of nodes) values[node.name] = layer(tf, node, variables, node.inputs.map((name) => values[name]));
  return values;
}

function layer(tf, { name, type, kernel, stride, pad, relu }, variables, [x, other]) {
  const [weight, bias] = [variables[`${name}.weight`], variables[`${name}.bias`]];
  const activation = relu ? 'relu' : 'linear';
  switch (type) {
    case 'conv': return tf.fused.conv2d({ x, filter: weight, strides: stride, pad, dimRoundingMode: 'floor', bias, activation });
    case 'affine': return tf.fused.matMul({ a: x, b: weight, bias, activation });
    case 'max_pool': return tf.maxPool(x, kernel, stride, pad, 'floor');
    case 'average_pool': return tf.avgPool(x, kernel, stride, pad, 'floor');
    case 'global_average_pool': return tf.mean(x, [1, 2], true);
    case 'flatten': return tf.reshape(x, [x.shape[0], -1]);
    case 'relu': return tf.relu(x);
    case 'add': return tf.add(x, other);
    default: throw new Error(`no TensorFlow.js operator for ${type}`);
  }
}

/** The list reversed, for networks without branches. Gradients of the weights by name, or of the input, as asked. */
function backwardPass(tf, nodes, variables, values, dy, wanted) {
  const weights = {};
  for (const node of nodes.toReversed()) {
    const { name, type, inputs, kernel, pad, relu } = node;
    const [x, y, weight] = [values[inputs[0]], values[name], variables[`${name}.weight`]];
    const needed = wanted.input || inputs[0] !== 'input';
    if (relu) dy = tf.mul(dy, tf.step(y));
    if (type === 'conv') {
      if (wanted.weights) Object.assign(weights, { [`${name}.weight`]: convWeight(tf, x, dy, pad), [`${name}.bias`]: tf.sum(dy, [0, 1, 2]) });
      // A convolution with the filter turned round: ten times as fast as the backend's conv2dTranspose.
      if (needed) dy = tf.conv2d(dy, tf.transpose(tf.reverse(weight, [0, 1]), [0, 1, 3, 2]), 1, kernel - 1 - pad, 'NHWC', 1, 'floor');
    } else if (type === 'affine') {
      Object.assign(weights, { [`${name}.weight`]: tf.matMul(tf.transpose(x), dy), [`${name}.bias`]: tf.sum(dy, 0) });
      dy = tf.matMul(dy, tf.transpose(weight));
    } else if (type === 'max_pool') {
      dy = maxPool(tf, x, y, dy);
    } else if (type === 'flatten') {
      dy = tf.reshape(dy, x.shape);
    } else if (type === 'global_average_pool') {
      dy = tf.tile(tf.div(dy, x.shape[1] * x.shape[2]), [1, x.shape[1], x.shape[2], 1]);
    } else {
      throw new Error(`no way back through ${type}`);
    }
  }
  return { weights, input: dy };
}

/** Σ x·dy for every tap: a convolution with transposed roles, images as channels and dy as its filter. Measured on
 * DeepConvNet's layers: 187 ms in all, 637 with the windows side by side in a matrix, 439 with a product for each tap. */
function convWeight(tf, x, dy, pad) {
  const taps = tf.conv2d(tf.transpose(x, [3, 1, 2, 0]), tf.transpose(dy, [1, 2, 0, 3]), 1, pad, 'NHWC', 1, 'floor');
  return tf.transpose(taps, [1, 2, 0, 3]);
}

/** Of 2 × 2 pooling: to where the value is the largest. Equal ones behind a ReLU are zeros, whose gradient ends there. */
function maxPool(tf, x, y, dy) {
  const [n, h, w, c] = x.shape;
  const windows = tf.reshape(x, [n, h / 2, 2, w / 2, 2 * c]);
  const twice = (t) => tf.reshape(tf.concat([t, t], 3), [n, h / 2, 1, w / 2, 2 * c]);
  return tf.reshape(tf.mul(tf.cast(tf.equal(windows, twice(y)), 'float32'), twice(dy)), x.shape);
}
