// npm run bench: DeepConvNet, one picture at a time, in headless Chromium: both builds of the engine beside ONNX Runtime
// Web and TensorFlow.js, in one run, on one thread each. Prints a table, then one JSON object in the last line.
//   npm run bench -- --rounds 5       fewer rounds (100 without)
//   npm run bench -- --weights FILE   other weights of DeepConvNet than the page's
//   npm run bench -- --write          also writes benches/RESULTS.md
// Every engine's scores are compared with ours before its time counts. On a busy machine: nice -n -10 npm run bench

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import util from 'node:util';
import { brotliCompressSync } from 'node:zlib';
import { findBrowser } from './browser.mjs';
import { npmPackages, setup } from './setup.mjs';
import { inRoot, main, Obstacle, root } from './shell.mjs';
import { buildWasm, FLAVOURS } from './wasm.mjs';

const ORIGIN = 'http://bench.localhost';
const PEERS = ['onnxruntime-web', '@tensorflow/tfjs-backend-wasm'];

await main(async () => {
  const { rounds, weights, write } = options();
  await setup();
  await npmPackages('packages to compare with', 'benches');
  await buildWasm();
  const load = os.loadavg()[0];
  const { engines, browser } = await measure(weights, rounds);
  const results = { ...compare(engines), rounds, weights, browser, load };
  const table = asTable(results);
  console.log(`\n${table}\n\n${browser}, ${os.cpus().length} cores, load ${load.toFixed(1)} at the start\n`);
  if (write) writeFileSync(inRoot('benches', 'RESULTS.md'), report(results, table));
  const { ratio } = results;
  console.log(JSON.stringify({ b1_vs_best: round(ratio.best), relaxed_vs_simd128: round(ratio.relaxed) }));
});

function options() {
  let values;
  try {
    const text = { type: 'string' };
    ({ values } = util.parseArgs({ options: { rounds: text, weights: text, write: { type: 'boolean' } } }));
  } catch (error) {
    throw new Obstacle(error.message);
  }
  const rounds = Number(values.rounds ?? 100);
  if (!(Number.isInteger(rounds) && rounds > 0)) throw new Obstacle(`--rounds ${values.rounds} is not a number of rounds.`);
  const weights = values.weights ?? 'pretrained/draw.safetensors';
  if (!existsSync(path.resolve(root, weights))) throw new Obstacle(`there are no weights in ${weights}.`);
  return { rounds, weights, write: values.write };
}

/** Runs benches/page.html; resolves to what its `bench` returns and the browser's version. */
async function measure(weights, rounds) {
  const [{ chromium }, { toOnnx }, { readWeights }] = await Promise.all([
    import('playwright-core'),
    import('../benches/onnx.mjs'),
    import('../benches/network.mjs'),
  ]);
  const file = readFileSync(path.resolve(root, weights));
  const bodies = { '/weights': file, '/model.onnx': Buffer.from(toOnnx(readWeights(Uint8Array.from(file).buffer))) };
  const { chrome, flags } = findBrowser();
  const browser = await chromium.launch({ executablePath: chrome, args: flags });
  try {
    const page = await browser.newPage();
    page.on('pageerror', (error) => console.error(`benches/page.html: ${error.message}`));
    await page.route('**', (route) => {
      const { origin, pathname } = new URL(route.request().url());
      if (origin !== ORIGIN) return route.abort();
      const body = bodies[pathname];
      return body ? route.fulfill({ body }) : route.fulfill({ path: inRoot(pathname.slice(1)) });
    });
    await page.goto(`${ORIGIN}/benches/page.html`);
    await keepPriority(browser);
    const engines = await page.evaluate((n) => globalThis.bench(n), rounds);
    return { engines, browser: `Chromium ${browser.version()}` };
  } finally {
    await browser.close();
  }
}

/** Gives the pages the priority of this process again: Chromium takes them down to nice 5, however it was started. */
async function keepPriority(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  for (const { id } of processInfo.filter(({ type }) => type === 'renderer')) {
    try {
      os.setPriority(id, os.getPriority());
    } catch {
      // Only root may; others measure at Chromium's own priority.
    }
  }
}

/** Medians, quartiles and ratios. A ratio is the median of the rounds' own ratios: the load of a moment is on both sides. */
function compare([simd128, relaxed, ...peers]) {
  const faster = (slow, quick) => quantile(slow.times.map((time, i) => time / quick.times[i]), 0.5);
  const rows = [simd128, relaxed, ...peers].map((engine) => ({
    ...engine,
    median: quantile(engine.times, 0.5),
    quartiles: [quantile(engine.times, 0.25), quantile(engine.times, 0.75)],
    ratio: faster(engine, simd128),
  }));
  return { rows, ratio: { best: Math.min(...rows.slice(2).map((row) => row.ratio)), relaxed: faster(simd128, relaxed) } };
}

function quantile(numbers, share) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return low + (high - low) * (at - Math.floor(at));
}

function round(number) {
  return Number(number.toFixed(2));
}

function asTable({ rows }) {
  const lines = rows.map(({ name, median, quartiles: [low, high], ratio, difference }) => {
    const spread = `${low.toFixed(3)} to ${high.toFixed(3)}`;
    return `| ${name} | ${median.toFixed(3)} | ${spread} | ${ratio.toFixed(2)} | ${difference.toExponential(0)} |`;
  });
  const head = '| engine | ms a picture, median | quartiles | over ours in simd128 | scores differ by at most |';
  return [head, '|---|--:|--:|--:|--:|', ...lines].join('\n');
}

function report({ rows, ratio, rounds, weights, browser, load }, table) {
  const cpus = os.cpus();
  const version = (name) => JSON.parse(readFileSync(inRoot('benches', 'node_modules', name, 'package.json'), 'utf8')).version;
  const size = ({ name }) => {
    const file = inRoot('www', 'public', 'wasm', `${name}.wasm`);
    const brotli = brotliCompressSync(readFileSync(file)).length;
    return `- ${name}.wasm: ${(statSync(file).size / 1000).toFixed(1)} kB, ${(brotli / 1000).toFixed(1)} kB with brotli`;
  };
  const hash = createHash('sha256').update(readFileSync(path.resolve(root, weights))).digest('hex');
  const best = rows.slice(2).find((row) => row.ratio === ratio.best).name;
  return `# Beside its peers

DeepConvNet with the weights of \`${path.basename(weights)}\` (sha256 ${hash.slice(0, 16)}…), batch 1, one thread each, in one page. Written by \`npm run bench -- --write\`.

${table}

The simd128 build takes the time of ${best}, its best peer here, divided by **${ratio.best.toFixed(2)}**;
relaxed-simd is ${ratio.relaxed.toFixed(2)} times as fast as simd128.

${FLAVOURS.map(size).join('\n')}

Where: ${cpus.length} × ${cpus[0].model.trim()}, ${os.type()}, ${browser}, load ${load.toFixed(1)} at the start,
${new Date().toISOString().slice(0, 10)}. Beside: ${PEERS.map((name) => `${name} ${version(name)}`).join(', ')}.

How: a \`Float32Array\` of 784 pixels goes in, ten numbers in JavaScript come out; ours also takes the softmax and keeps
every layer for the page to show. ${rounds} rounds in which every engine has a slice of about 10 ms, another one first in each
round, after a second of warming up. The ratios are medians of the rounds' own ratios. An engine whose scores are not
within 0.001 of the simd128 build's, on 20 drawings, ends the run. Batches are not measured: the wasm door answers one
picture at a time.
`;
}
