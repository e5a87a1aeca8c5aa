// From the numbers of every round to what is said about them: figures, tables, benches/RESULTS.md and results.json.

import { readFileSync } from 'node:fs';
import os from 'node:os';
import { inRoot } from '../tools/shell.mjs';
import { CASES } from './cases.mjs';
import { middle, quantile, ratio, summary } from './measure.mjs';
import { BATCH } from './small.mjs';

const [SIMD128, RELAXED] = ['hitofude simd128', 'hitofude relaxed-simd'];
const PACKAGES = ['onnxruntime-web', '@tensorflow/tfjs-backend-wasm', '@jax-js/jax'];

/**
 * What the last line of the output says, each from the medians of the rounds' own ratios:
 * - `b1_vs_best`, `b100_vs_best`, `resnet18_vs_best`: the time of the fastest peer over that of our simd128 build.
 * - `train100_vs_tfjs_forward`: our whole training step of 100 pictures with Adam, simd128, over the forward pass alone
 *   of TensorFlow.js wasm on such a batch.
 * - `conv64_share_of_ceiling`: multiply-adds of a direct convolution a second in the 64 → 64 layers, forward, simd128,
 *   over the simd128 ceiling.
 * - `relaxed_vs_simd128`: the time of our relaxed-simd build over that of simd128, in the worst case of all.
 */
export function figures({ entries, ceilings }) {
  const times = (id, name) => entries.find((entry) => entry.id === id && entry.name === name)?.times ?? [];
  const peers = (id) => entries.filter((entry) => entry.id === id && entry.times.length && !entry.name.startsWith('hitofude'));
  const best = (id) => Math.min(...peers(id).map((peer) => ratio(peer.times, times(id, SIMD128))));
  const relaxed = CASES.map(({ id }) => ratio(times(id, RELAXED), times(id, SIMD128)));
  const numbers = {
    b1_vs_best: best('b1'),
    b100_vs_best: best('b100'),
    train100_vs_tfjs_forward: ratio(times('train100', SIMD128), times('b100', 'tfjs-backend-wasm')),
    resnet18_vs_best: best('resnet18'),
    conv64_share_of_ceiling: conv64Share(entries, ceilings),
    relaxed_vs_simd128: Math.max(...relaxed),
  };
  return Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, Number(value.toFixed(3))]));
}

/**
 * Neural style at 256 × 256 in milliseconds, and `step_vs_best_forward`: our whole step, forward, losses and backward,
 * simd128, over the forward pass alone of the fastest peer through the same network.
 */
export function styleFigures({ entries }) {
  const peers = entries.filter(({ id, name, times }) => id === 'features' && times.length && !name.startsWith('hitofude'));
  const step = entries.find(({ id, name }) => id === 'style' && name === SIMD128).times;
  const rows = entries.map(({ id, name, times, refused }) => [`${id}, ${name}`, refused ?? brief(quantile(times, 0.5))]);
  const worst = Math.max(...peers.map((peer) => ratio(step, peer.times)));
  return { ...Object.fromEntries(rows), step_vs_best_forward: brief(worst) };
}

function conv64Share(entries, ceilings) {
  const { layers, profiles } = entries.find(({ id, name }) => id === 'conv64' && name === SIMD128);
  const inside = layers.flatMap(({ kind, shape }, i) => (kind === 'conv' && layers[i - 1].shape[0] === shape[0] ? [i] : []));
  const flops = inside.reduce((sum, i) => sum + 2 * layers[i].multiplyAdds, 0);
  const shares = profiles.map(({ forward }, round) => flops / inside.reduce((sum, i) => sum + forward[i], 0) / 1e6 / ceilings[0].figures[round]);
  return quantile(shares, 0.5);
}

/** All results as plain data. */
export function results(measured, command) {
  const { entries, ceilings, small, browser, load, cold } = measured;
  const cpus = os.cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    command,
    machine: `${cpus.length} × ${cpus[0].model.trim()}, ${os.type()}`,
    browser,
    load: Number(load.toFixed(1)),
    versions: Object.fromEntries(PACKAGES.map((name) => [name, version(name)])),
    figures: figures(measured),
    ceilings: Object.fromEntries(ceilings.filter(({ figures }) => figures.length).map(({ build, figures }) => [build, short(summary(figures))])),
    cases: CASES.map(({ id, title }) => ({ id, title, ...caseResults(entries.filter((entry) => entry.id === id)) })),
    layers: ['train100', 'resnet18', 'conv64'].map((id) => layerResults(id, measured)),
    small: small.map(smallResults),
    cold: coldResults(cold),
  };
}

function caseResults(entries) {
  const ours = entries.find(({ name }) => name === SIMD128);
  const rows = entries.map(({ name, times, refused, difference, planBytes }) =>
    refused ? { name, refused } : { name, ...short(summary(times)), ratio: brief(ratio(times, ours.times)), difference: brief(difference), rounds: times.length, planBytes },
  );
  return { print: ours.print, rows };
}

function layerResults(id, { entries, ceilings }) {
  const { layers, profiles } = entries.find((entry) => entry.id === id && entry.name === SIMD128);
  const rows = layerRows(layers, profiles, CASES.find((one) => one.id === id).batch, quantile(ceilings[0].figures, 0.5));
  const total = rows.reduce((sum, row) => sum + row.forward.ms + row.backward.ms, 0);
  return { id, rows: rows.filter((row) => row.forward.ms + row.backward.ms > total / 500) };
}

/** Milliseconds of each layer forward and backward, and of those that multiply GFLOP/s and the share of the ceiling `top`. */
function layerRows(layers, profiles, batch, top) {
  const speed = (flops, ms) => (flops && ms ? { gflops: brief(flops / ms / 1e6), share: brief(flops / ms / 1e6 / top) } : {});
  return layers.map(({ name, kind, shape, multiplyAdds }, i) => {
    const [forward, backward] = ['forward', 'backward'].map((way) => middle(profiles.map((profile) => profile[way][i])));
    const flops = 2 * batch * multiplyAdds;
    // Backward is two products of the same size, but for the first layer, whose input wants no gradient.
    const back = flops * (layers[i - 1]?.kind === 'input' ? 1 : 2);
    return { name, kind, shape, forward: { ms: brief(forward), ...speed(flops, forward) }, backward: { ms: brief(backward), ...speed(back, backward) } };
  });
}

/** One of the small networks: its times, and the layers that multiply and come to less than `LOW` of the ceiling. */
export function smallResults({ name, parameters, layers, profiles, ceilings, ...times }) {
  const [one, hundred, step] = ['one', 'hundred', 'step'].map((task) => brief(quantile(times[task], 0.5)));
  const top = quantile(ceilings, 0.5);
  const multiplyAdds = layers.reduce((sum, layer) => sum + layer.multiplyAdds, 0);
  const share = (work, ms) => brief((2 * BATCH * work) / ms / 1e6 / top);
  const rows = layerRows(layers, profiles, BATCH, top);
  const total = rows.reduce((sum, row) => sum + row.forward.ms + row.backward.ms, 0);
  const part = (ms) => brief(ms / total);
  const low = ['forward', 'backward'].flatMap((way) =>
    rows.filter((row) => row[way].share < LOW).map((row) => ({ layer: row.name, kind: row.kind, shape: row.shape, way, share: row[way].share, part: part(row[way].ms) })),
  );
  // A step multiplies three times: forward, and for the gradients of the inputs and of the weights.
  const shares = { hundred: share(multiplyAdds, hundred), step: share(3 * multiplyAdds, step) };
  return { name, parameters, multiplyAdds, one, hundred, step, gflops: brief((6 * BATCH * multiplyAdds) / step / 1e6), shares, low };
}

function coldResults(cold) {
  const names = [...new Set(cold.map(({ name }) => name))];
  return names.map((name) => {
    const runs = cold.filter((one) => one.name === name);
    const median = (key) => {
      const given = runs.flatMap((run) => run[key] ?? []);
      return given.length ? brief(quantile(given, 0.5)) : undefined;
    };
    return { name, ...Object.fromEntries(['bytes', 'compile', 'first', 'b1', 'b100', 'train100'].map((key) => [key, median(key)])) };
  });
}

/** A layer below this share of the ceiling has its reason written in benches/NOTES.md. */
const LOW = 0.3;

const brief = (value) => Number(value.toPrecision(4));
const short = (numbers) => Object.fromEntries(Object.entries(numbers).map(([key, value]) => [key, brief(value)]));
const version = (name) => JSON.parse(readFileSync(inRoot('benches', 'node_modules', name, 'package.json'), 'utf8')).version;

const table = (head, align, rows) => [head, align, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
const ms = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(3));
const megabytes = (bytes) => (bytes === undefined ? '–' : `${(bytes / 1e6).toFixed(1)} MB`);

/** The tables, as Markdown that also reads in a terminal. */
export function tables({ cases, ceilings, layers, small, cold }) {
  const row = ({ name, median, low, high, ratio, refused }) =>
    refused ? [name, '–', refused.split('\n')[0].slice(0, 90), '–'] : [name, ms(median), `${ms(low)} to ${ms(high)}`, ratio.toFixed(2)];
  const parts = cases.map(({ title, rows }) => `### ${title}\n\n${table(['contender', 'ms, median', 'quartiles', 'over ours, simd128'], ['---', '--:', '--:', '--:'], rows.map(row))}`);
  const ceiling = Object.entries(ceilings).map(([build, { median, low, high }]) => [build, median.toFixed(1), `${low.toFixed(1)} to ${high.toFixed(1)}`]);
  parts.push(`### The machine's ceiling\n\n${table(['instructions', 'GFLOP/s, median', 'quartiles'], ['---', '--:', '--:'], ceiling)}`);
  parts.push(`### A cold start with DeepConvNet\n\n${coldTable(cold)}`);
  parts.push(...layers.map(({ id, rows }) => `### Our layers, simd128: ${CASES.find((one) => one.id === id).title}\n\n${layerTable(rows)}`));
  parts.push(`### The catalogue's networks for digits, simd128\n\n${smallTable(small)}`);
  return parts.join('\n\n');
}

function smallTable(rows) {
  const percent = (share) => `${(100 * share).toFixed(0)} %`;
  const worst = ({ low }) => low.filter(({ part }) => part >= 0.03).sort((a, b) => b.part - a.part).slice(0, 4);
  const cells = (row) => [
    ...[row.name, row.parameters.toLocaleString('en'), (row.multiplyAdds / 1e6).toFixed(2)],
    ...[row.one, row.hundred, row.step].map(ms),
    ...[row.gflops.toFixed(1), percent(row.shares.step), percent(row.shares.hundred)],
    worst(row).map(({ layer, way, share, part }) => `${layer} ${way} ${percent(share)} (${percent(part)})`).join(', ') || '–',
  ];
  const head = ['network', 'parameters', 'M multiply-adds', '1 picture, ms', '100, ms', 'training step of 100, ms', 'GFLOP/s', 'of the ceiling', '100 pictures, of the ceiling', `under ${100 * LOW} % (of the step's time)`];
  return table(head, ['---', ...Array(head.length - 2).fill('--:'), '---'], rows.map(cells));
}

function coldTable(cold) {
  const rows = cold.map(({ name, bytes, compile, first, b1, b100, train100 }) => [
    name, megabytes(bytes), `${ms(compile)} ms`, `${ms(first)} ms`, megabytes(b1), megabytes(b100), megabytes(train100),
  ]);
  const head = ['contender', 'download, brotli', 'compile', 'first answer after', 'memory, 1 picture', '100 pictures', 'training step of 100'];
  return table(head, ['---', ...Array(6).fill('--:')], rows);
}

function layerTable(rows) {
  const backward = rows.some((row) => row.backward.ms > 0);
  const cells = ({ ms: time, gflops, share }) => [ms(time), gflops?.toFixed(1) ?? '–', share ? `${(100 * share).toFixed(0)} %` : '–'];
  const head = ['ms', 'GFLOP/s', 'of the ceiling'];
  return table(
    ['layer', 'shape', ...head.map((word) => `forward, ${word}`), ...(backward ? head.map((word) => `backward, ${word}`) : [])],
    ['---', '---', ...Array(backward ? 6 : 3).fill('--:')],
    rows.map((row) => [row.name, row.shape.join('×'), ...cells(row.forward), ...(backward ? cells(row.backward) : [])]),
  );
}

/** benches/RESULTS.md. */
export function report(all) {
  const { figures, machine, browser, load, date, command, versions } = all;
  const beside = Object.entries(versions).map(([name, number]) => `${name} ${number}`).join(', ');
  const said = Object.entries(figures).map(([name, value]) => `| \`${name}\` | **${value}** | ${MEANING[name]} |`);
  return `# Beside its peers

Written by \`${command}\`, ${date}, on ${machine}, ${browser}, load ${load} at the start.
Beside: ${beside}.

| figure | | what it is |
|---|--:|---|
${said.join('\n')}

${tables(all)}

## How

Every contender has one thread and the same weights and numbers, and its answers must agree with the simd128 build's to
0.2 % of the largest before its time counts (of a training step: the losses of the first three steps). All of them are in
one page and take turns in slices of at least 10 ms, another one first in each round. Ratios are medians of the rounds' own
ratios. \`Float32Array\`s go in and come out; ours turns them from NCHW to NHWC and back within its time, TensorFlow.js gets
them in its own order beforehand. DeepConvNet is without dropout. ResNet-18 has its batch normalisations folded into its
convolutions. Training is Adam on softmax and cross-entropy. TensorFlow.js has no convolution weight gradient in wasm: it is
composed of its own operators there (benches/contenders/tensorflow.mjs). ONNX Runtime Web does not train.

The ceiling is a loop of independent chains of multiplication and addition (relaxed-simd: fused) in registers. A layer's
GFLOP/s count the two operations of each multiply-add of a direct convolution, so Winograd's may exceed the ceiling.
Memory is that of WebAssembly; a cold start is a fresh page from a server on the same machine. Downloads are scripts and wasm,
without weights, with brotli at quality 11 (9 for files over 4 MB).
`;
}

const MEANING = {
  b1_vs_best: 'DeepConvNet, one picture: time of the fastest peer over ours in simd128',
  b100_vs_best: 'the same for a hundred pictures',
  train100_vs_tfjs_forward: 'our whole training step of a hundred with Adam, simd128, over the forward pass alone of TensorFlow.js wasm',
  resnet18_vs_best: 'ResNet-18: time of the fastest peer over ours in simd128',
  conv64_share_of_ceiling: 'multiply-adds of direct 64 → 64 convolutions a second, simd128, over the ceiling of simd128',
  relaxed_vs_simd128: 'time of our relaxed-simd build over simd128, in the worst case',
};
