// Writes tests/golden/convert/tfjs_*.zip and tfjs.json: layers models that TensorFlow.js saved, and what it answers with them.
//
//   npm install --prefix DIR @tensorflow/tfjs@4.22.0
//   node tools/convert_tfjs.mjs DIR
//
// The models: one built as Teachable Machine's (a MobileNet inside a Sequential inside a Sequential, with metadata.json), the
// same in few bits of each kind, and two that have the other layers between them. Their weights and inputs are patterns of
// whole numbers, so that both sides make the same ones. The zips are stored, written by hand below: Node has no writer of its own.

import { createRequire } from 'node:module';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { crc32 } from 'node:zlib';

const tf = createRequire(path.resolve(process.argv[2], 'package.json'))('@tensorflow/tfjs');
const OUT = path.join(import.meta.dirname, '..', 'tests', 'golden', 'convert');

const pattern = (i, k = 0) => ((i * 7919 + k * 104729) % 256) / 255;

/** Weights that no two layers share, of a size that keeps numbers near 1. */
function fill(model) {
  const weights = model.weights.map(({ name, shape }, k) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const fan = Math.max(1, size / (shape.at(-1) || 1));
    const positive = /variance|gamma/.test(name);
    const values = Float32Array.from({ length: size }, (_, i) => (positive ? 0.5 + pattern(i, k) : (pattern(i, k) - 0.5) * Math.sqrt(6 / fan)));
    return tf.tensor(values, shape);
  });
  model.setWeights(weights);
}

const l = tf.layers;

/** Pads, strides and expands as MobileNet v2 does. */
function body() {
  const input = tf.input({ shape: [18, 18, 3], name: 'input_1' });
  const at = (layer, x) => layer.apply(x);
  const normed = (x, name) => at(l.reLU({ maxValue: 6, name: `${name}_relu` }), at(l.batchNormalization({ name: `bn_${name}`, epsilon: 1e-3 }), x));
  let x = at(l.zeroPadding2d({ padding: [[0, 1], [0, 1]], name: 'Conv1_pad' }), input);
  x = normed(at(l.conv2d({ filters: 6, kernelSize: 3, strides: 2, padding: 'valid', useBias: false, name: 'Conv1' }), x), 'Conv1');
  let y = normed(at(l.depthwiseConv2d({ kernelSize: 3, padding: 'same', useBias: false, name: 'dw1' }), x), 'dw1');
  y = at(l.batchNormalization({ name: 'bn_project' }), at(l.conv2d({ filters: 6, kernelSize: 1, padding: 'same', useBias: false, name: 'project' }), y));
  x = at(l.add({ name: 'block_add' }), [x, y]);
  x = normed(at(l.depthwiseConv2d({ kernelSize: 3, strides: 2, padding: 'same', useBias: false, name: 'dw2' }), x), 'dw2');
  return tf.model({ inputs: input, outputs: x, name: 'model1' });
}

function teachable() {
  const feature = tf.sequential({ name: 'sequential_1', layers: [body(), l.globalAveragePooling2d({ name: 'gap' })] });
  const head = tf.sequential({ name: 'sequential_3', layers: [
    l.dense({ inputShape: [6], units: 10, activation: 'relu', name: 'dense_Dense1' }),
    l.dense({ units: 3, activation: 'softmax', useBias: false, name: 'dense_Dense2' }),
  ] });
  return tf.sequential({ name: 'sequential_4', layers: [feature, head] });
}

/** A chain of most layers over maps, with asymmetric padding wherever TensorFlow has it. */
function chain() {
  return tf.sequential({ layers: [
    l.conv2d({ inputShape: [15, 14, 2], filters: 4, kernelSize: [3, 2], strides: 2, padding: 'same', activation: 'elu', name: 'c1' }),
    l.leakyReLU({ alpha: 0.1, name: 'leaky' }),
    l.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same', name: 'm1' }),
    l.upSampling2d({ size: [2, 3], name: 'up' }),
    l.separableConv2d({ filters: 5, kernelSize: 3, padding: 'same', activation: 'tanh', name: 's1' }),
    l.cropping2D({ cropping: [[1, 0], [2, 1]], name: 'crop' }),
    l.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: 'same', activation: 'relu', name: 't1' }),
    l.averagePooling2d({ poolSize: 2, strides: 2, padding: 'same', name: 'a1' }),
    l.zeroPadding2d({ padding: [[1, 2], [0, 1]], name: 'zp' }),
    l.prelu({ sharedAxes: [1, 2], name: 'prelu' }),
    l.dropout({ rate: 0.5, name: 'drop' }),
    l.flatten({ name: 'flat' }),
    l.batchNormalization({ name: 'bn' }),
    l.dense({ units: 6, activation: 'selu', name: 'd1' }),
    l.reshape({ targetShape: [1, 2, 3], name: 'shape' }),
    l.permute({ dims: [2, 3, 1], name: 'turn' }),
    l.conv2d({ filters: 2, kernelSize: 2, padding: 'same', activation: 'hardSigmoid', name: 'c2' }),
    l.flatten({ name: 'flat2' }),
    l.dense({ units: 4, activation: 'softmax', name: 'd2' }),
  ] });
}

/** A graph: branches joined in every way, a sequence, two inputs, a layer used twice. */
function graph() {
  const [a, b] = [tf.input({ shape: [8, 6, 3], name: 'a' }), tf.input({ shape: [5, 4], name: 'b' })];
  const conv = l.conv2d({ filters: 3, kernelSize: 3, padding: 'same', dilationRate: 2, name: 'shared' });
  const [one, two] = [conv.apply(a), conv.apply(conv.apply(a))];
  const joined = l.concatenate({ name: 'cat' }).apply([l.add({ name: 'sum' }).apply([one, two, a]), l.multiply({ name: 'mul' }).apply([one, two]), l.maximum({ name: 'max' }).apply([one, a]), l.average({ name: 'avg' }).apply([one, two])]);
  const high = l.concatenate({ axis: 1, name: 'cat_high' }).apply([joined, joined]);
  const maps = l.globalMaxPooling2d({ name: 'gmax' }).apply(high);
  const steps = l.conv1d({ filters: 4, kernelSize: 2, padding: 'same', name: 'c1d' }).apply(b);
  const lstm = l.lstm({ units: 3, returnSequences: true, recurrentActivation: 'sigmoid', name: 'lstm' }).apply(steps);
  const gru = l.gru({ units: 2, recurrentActivation: 'sigmoid', resetAfter: false, name: 'gru' }).apply(lstm);
  const both = l.bidirectional({ layer: l.lstm({ units: 2, recurrentActivation: 'sigmoid' }), mergeMode: 'concat', name: 'both' }).apply(lstm);
  const rows = l.flatten({ name: 'rows' }).apply(l.dense({ units: 2, name: 'per_row' }).apply(steps));
  const all = l.concatenate({ name: 'all' }).apply([maps, gru, both, rows]);
  return tf.model({ inputs: [a, b], outputs: [l.dense({ units: 3, name: 'out' }).apply(all), high] });
}

const saved = (model) => new Promise((done) => void model.save(tf.io.withSaveHandler(async (artifacts) => (done(artifacts), { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } }))));

/** Weights in few bits, as the converter writes them. */
function quantised(specs, data, dtype) {
  let at = 0;
  const parts = [];
  const list = specs.map(({ name, shape }) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const values = new Float32Array(data.slice(at, at + 4 * size));
    at += 4 * size;
    if (dtype === 'float16') {
      parts.push(Buffer.from(Uint16Array.from(values, half).buffer));
      return { name, shape, dtype: 'float32', quantization: { dtype: 'float16', original_dtype: 'float32' } };
    }
    const most = dtype === 'uint8' ? 255 : 65535;
    const [min, max] = [Math.min(...values), Math.max(...values)];
    const scale = max === min ? 1 : (max - min) / most;
    const kind = dtype === 'uint8' ? Uint8Array : Uint16Array;
    parts.push(Buffer.from(kind.from(values, (v) => Math.round((v - min) / scale)).buffer));
    return { name, shape, dtype: 'float32', quantization: { dtype, min, scale, original_dtype: 'float32' } };
  });
  return { list, bytes: Buffer.concat(parts) };
}

/** The nearest number of 16 bits for a normal one. */
function half(value) {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0];
  const [sign, exponent, mantissa] = [(bits >>> 16) & 0x8000, ((bits >>> 23) & 0xff) - 112, bits & 0x7fffff];
  if (exponent <= 0) return sign;
  return sign | ((exponent << 10) + ((mantissa + 0x1000) >>> 13));
}

/** A zip of stored files. */
function zip(files) {
  const [bodies, heads] = [[], []];
  let at = 0;
  for (const [name, bytes] of files) {
    const common = Buffer.alloc(26);
    [20, 0, 0, 0, 33].forEach((v, i) => common.writeUInt16LE(v, 2 * i));
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(bytes.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(name.length, 22);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(at, 10);
    bodies.push(Buffer.from('PK\x03\x04'), common, Buffer.from(name), bytes);
    heads.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, place, Buffer.from(name));
    at += 30 + name.length + bytes.length;
  }
  const directory = Buffer.concat(heads);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  [8, 10].forEach((place) => end.writeUInt16LE(files.length, place));
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...bodies, directory, end]);
}

const metadata = { tfjsVersion: '1.3.1', tmVersion: '2.4.7', packageVersion: '0.8.4-alpha2', packageName: '@teachablemachine/image', timeStamp: '2020-01-01T00:00:00.000Z', userMetadata: {}, modelName: 'tm-my-image-model', labels: ['cat', 'dog', 'ねこ'], imageSize: 18 };

const cases = [];

async function write(name, model, { dtype, shards = 1, extra = [] } = {}) {
  const artifacts = await saved(model);
  const data = artifacts.weightData instanceof ArrayBuffer ? artifacts.weightData : Buffer.concat(artifacts.weightData.map((part) => Buffer.from(part))).buffer;
  const { list, bytes } = dtype ? quantised(artifacts.weightSpecs, data, dtype) : { list: artifacts.weightSpecs, bytes: Buffer.from(data) };
  const size = Math.ceil(bytes.length / shards);
  const paths = Array.from({ length: shards }, (_, i) => (shards === 1 ? 'weights.bin' : `group1-shard${i + 1}of${shards}.bin`));
  const json = { modelTopology: artifacts.modelTopology, weightsManifest: [{ paths: paths.map((one) => (shards === 1 ? `./${one}` : one)), weights: list }] };
  const files = [['model.json', Buffer.from(JSON.stringify(json))], ...extra, ...paths.map((one, i) => [one, bytes.subarray(i * size, (i + 1) * size)])];
  writeFileSync(path.join(OUT, `tfjs_${name}.zip`), zip(files));
  const own = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  const again = await tf.loadLayersModel(tf.io.fromMemory({ modelTopology: artifacts.modelTopology, weightSpecs: list, weightData: own }));
  const inputs = again.inputs.map(({ shape }, k) => {
    const sides = [2, ...shape.slice(1)];
    const count = sides.reduce((a, b) => a * b, 1);
    return tf.tensor(Float32Array.from({ length: count }, (_, i) => pattern(i, k)), sides);
  });
  const answers = [again.predict(inputs.length === 1 ? inputs[0] : inputs)].flat();
  const round = (v) => Number(v.toPrecision(8));
  cases.push({ file: `tfjs_${name}.zip`, inputs: inputs.map(({ shape }) => shape), outputs: answers.map((one) => ({ shape: one.shape, values: Array.from(one.dataSync(), round) })) });
}

mkdirSync(OUT, { recursive: true });
const machine = teachable();
fill(machine);
const extra = [['metadata.json', Buffer.from(JSON.stringify(metadata))]];
await write('teachable', machine, { extra });
for (const dtype of ['uint8', 'uint16', 'float16']) await write(`teachable_${dtype}`, machine, { dtype, shards: 2, extra });
for (const [name, model] of [['chain', chain()], ['graph', graph()]]) {
  fill(model);
  await write(name, model);
}
writeFileSync(path.join(OUT, 'tfjs.json'), `${JSON.stringify({ tfjs: tf.version.tfjs, cases })}\n`);
