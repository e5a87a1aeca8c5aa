// The measurement, inside the browser: every engine answers the same pictures; who answers right is timed.

import { hitofude, onnxruntime, tensorflow } from './contenders.mjs';
import { readWeights } from './network.mjs';

const TOLERANCE = 1e-3;
const PICTURES = 20;
// Chromium's clock ticks every 0.1 ms: 1 % of a slice, and the median of many is finer. Longer slices would seldom pass
// undisturbed on a machine that has other work.
const SLICE_MS = 10;
const WARM_UP_MS = 1000;

/** Runs it all: `{ name, difference, times }` for each engine, `times` with the milliseconds a picture in each round. */
globalThis.bench = async (rounds) => {
  const engines = await start();
  const pictures = drawings(engines[0].preprocess);
  const differences = await check(engines, pictures);
  const repeats = [];
  for (const engine of engines) repeats.push(Math.max(1, Math.round(SLICE_MS / (await warmUp(engine, pictures)))));
  const times = engines.map(() => []);
  for (let round = 0; round < rounds; round++) {
    // Another engine goes first in each round, so that none always runs in the same one's wake.
    for (let turn = 0; turn < engines.length; turn++) {
      const i = (round + turn) % engines.length;
      times[i].push(await slice(engines[i], pictures, repeats[i]));
    }
  }
  return engines.map(({ name }, i) => ({ name, difference: differences[i], times: times[i] }));
};

async function start() {
  const [weights, model] = await Promise.all(['/weights', '/model.onnx'].map(fetched));
  return [
    await hitofude('simd128', weights),
    await hitofude('relaxed-simd', weights),
    await onnxruntime(model),
    await tensorflow(readWeights(weights)),
  ];
}

const fetched = async (url) => (await fetch(url)).arrayBuffer();

/** Pictures such as a drawing hand makes: strokes through five random points, brought into MNIST's form. */
function drawings(preprocess) {
  let state = 1;
  const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
  const drawing = () => [Array.from({ length: 5 }, () => [100 * random(), 100 * random()])];
  return Array.from({ length: PICTURES }, () => preprocess({ strokes: drawing() })[3].pixels);
}

/** The largest difference of each engine's scores from the first engine's; too large a one ends the run. */
async function check(engines, pictures) {
  const differences = engines.map(() => 0);
  for (const picture of pictures) {
    const [ours, ...others] = await all(engines, async ({ run, scores }) => {
      const given = await run(picture);
      return Float32Array.from(scores ? scores() : given);
    });
    others.forEach((scores, i) => {
      const difference = Math.max(...ours.map((score, k) => Math.abs(score - scores[k])));
      // Written so that NaN fails, too.
      if (scores.length !== 10 || !(difference < TOLERANCE)) {
        throw new Error(`${engines[i + 1].name} answers [${[...scores]}] where ${engines[0].name} answers [${[...ours]}]`);
      }
      differences[i + 1] = Math.max(differences[i + 1], difference);
    });
  }
  return differences;
}

/** Like `Promise.all`, but one after the other. */
async function all(items, apply) {
  const results = [];
  for (const item of items) results.push(await apply(item));
  return results;
}

/** Runs the engine until V8 has compiled it at its best; returns the milliseconds of a picture. */
async function warmUp(engine, pictures) {
  const started = performance.now();
  let time = 0;
  while (performance.now() - started < WARM_UP_MS) time = await slice(engine, pictures, PICTURES);
  return time;
}

async function slice({ run }, pictures, repeats) {
  const started = performance.now();
  for (let i = 0; i < repeats; i++) {
    const answer = run(pictures[i % pictures.length]);
    // An `await` for the engine that needs one only: it costs the others microseconds that are not theirs.
    if (answer instanceof Promise) await answer;
  }
  return (performance.now() - started) / repeats;
}
