// npm run bench -- --native: our training step and forward pass of DeepConvNet, batch 100, beside PyTorch and ONNX Runtime,
// each a process of its own with one thread, taking turns. Prints medians and ratios.
//
// The processes read `forward` or `train` and answer with a line of JSON: milliseconds and what came out.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { capture, inRoot, must, Obstacle } from '../tools/shell.mjs';
import { CASES, drawData, drawWeights, NETWORKS } from './cases.mjs';
import { agree, ratio, summary } from './measure.mjs';
import { toOnnx } from './onnx.mjs';

const ROUNDS = 25;
const WARM = 3;
const FOLDER = inRoot('target', 'native');
const VENV = inRoot('.tools', 'bench-python');
// PyTorch brings gigabytes of CUDA along and does not start without.
const PACKAGES = ['numpy', 'onnxruntime', 'torch'];
const ONE_THREAD = { OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1', RAYON_NUM_THREADS: '1' };

export async function native() {
  const python = await packages();
  await must('our program', 'cargo', ['bench', '--bench', 'native', '--no-run', '--no-default-features']);
  await writeCase();
  const ours = ['cargo', 'bench', '-q', '--bench', 'native', '--no-default-features', '--', FOLDER];
  const peer = (name) => [python, inRoot('benches', 'native.py'), FOLDER, name];
  const commands = { 'hitofude, native': ours, PyTorch: peer('torch'), 'PyTorch, channels last': peer('channels_last'), 'ONNX Runtime': peer('onnxruntime') };
  const contenders = await Promise.all(Object.entries(commands).map(([name, command]) => start(name, command)));
  try {
    for (const task of ['forward', 'train']) await compare(task, contenders.filter(({ tasks }) => tasks.includes(task)));
  } finally {
    for (const { end } of contenders) end();
  }
}

/** The Python of a virtual environment with the peers in it. */
async function packages() {
  const python = path.join(VENV, 'bin', 'python');
  if (existsSync(path.join(VENV, 'ready'))) return python;
  if (!capture('python3', ['--version'])) throw new Obstacle('--native needs Python 3 for its peers.');
  await must('a Python for the peers', 'python3', ['-m', 'venv', VENV]);
  await must('PyTorch and ONNX Runtime', python, ['-m', 'pip', 'install', '-q', ...PACKAGES]);
  writeFileSync(path.join(VENV, 'ready'), '');
  return python;
}

/** The network and the numbers, for all of them the same. */
async function writeCase() {
  const spec = NETWORKS.deepConvNet;
  const kase = CASES.find(({ id }) => id === 'train100');
  const weights = drawWeights(parameters(spec));
  const { images, targets } = drawData(kase, 10);
  const rows = { ...weights, images: { shape: [kase.batch, ...spec.input], data: images }, targets: { shape: [kase.batch, 10], data: targets } };
  const protobuf = await import(inRoot('benches', 'node_modules', 'protobufjs', 'index.js'));
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(path.join(FOLDER, 'network.json'), JSON.stringify(spec));
  writeFileSync(path.join(FOLDER, 'network.onnx'), toOnnx(protobuf.default, spec, kase.batch, weights));
  writeFileSync(path.join(FOLDER, 'numbers.safetensors'), safetensors(rows));
}

/** Names and shapes of the parameters of a chain of square layers. */
function parameters({ input, layers }) {
  let [channels, side] = input;
  return layers.flatMap(({ name, type, out, kernel, pad, stride }) => {
    const inputs = channels;
    if (type === 'conv') [channels, side] = [out, side + 2 * pad - kernel + 1];
    else if (type === 'max_pool') side = Math.floor((side - kernel) / stride) + 1;
    else if (type === 'flatten') channels *= side * side;
    else if (type === 'affine') channels = out;
    if (out === undefined) return [];
    const shape = type === 'conv' ? [out, inputs, kernel, kernel] : [out, inputs];
    return [{ name: `${name}.weight`, shape }, { name: `${name}.bias`, shape: [out] }];
  });
}

function safetensors(rows) {
  let end = 0;
  const header = Object.fromEntries(
    Object.entries(rows).map(([name, { shape, data }]) => [name, { dtype: 'F32', shape, data_offsets: [end, (end += data.byteLength)] }]),
  );
  const text = Buffer.from(JSON.stringify(header).padEnd(8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...Object.values(rows).map(({ data }) => Buffer.from(data.buffer))]);
}

async function start(name, [program, ...args]) {
  const child = spawn(program, args, { cwd: inRoot(), env: { ...process.env, ...ONE_THREAD }, stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Obstacle(`${name} has ended`);
    return JSON.parse(value);
  };
  const ask = async (task) => (child.stdin.write(`${task}\n`), next());
  return { name, tasks: await next(), ask, end: () => child.stdin.end() };
}

async function compare(task, contenders) {
  const times = contenders.map(() => []);
  let expected;
  for (const { name, ask } of contenders) {
    const answers = [];
    for (let i = 0; i < WARM; i++) answers.push(...(await ask(task)).answer);
    expected ??= answers;
    agree(name, answers, expected);
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const i = (round + turn) % contenders.length;
      times[i].push((await contenders[i].ask(task)).ms);
    }
  }
  console.log(`\n${task === 'train' ? 'Training step with Adam' : 'Forward pass'}, DeepConvNet, 100 pictures, one thread, medians of ${ROUNDS} rounds\n`);
  contenders.forEach(({ name }, i) => {
    const { median, low, high } = summary(times[i]);
    console.log(`${name.padEnd(24)} ${median.toFixed(1)} ms (${low.toFixed(1)} to ${high.toFixed(1)}), over ours ${ratio(times[i], times[0]).toFixed(2)}`);
  });
}
