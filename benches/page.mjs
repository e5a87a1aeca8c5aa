// The measurement, inside the browser: every contender does the same cases from the same numbers; who answers right is
// timed, in slices that take turns.

import { CASES, STYLE_CASES, drawData, drawWeights } from './cases.mjs';
import { ceiling } from './ceiling.mjs';
import { hitofude, network } from './contenders/hitofude.mjs';
import { jax } from './contenders/jax.mjs';
import { onnxruntime } from './contenders/onnxruntime.mjs';
import { tensorflow } from './contenders/tensorflow.mjs';
import { agree, fingerprint, firstAnswer, slice, warmUp } from './measure.mjs';
import { small } from './small.mjs';

const BUILDS = ['simd128', 'relaxed-simd'];
const CEILING_MS = 10;
/** Rounds that there are in any case. */
const FEWEST = 3;
/** Rounds for the catalogue's small networks, at most. */
const SMALL_ROUNDS = 10;

/** Products of a convolution's size in each task. */
const PASSES = { forward: 1, gradient: 2, style: 2, train: 3 };

/**
 * Runs it all. `warm` is in milliseconds; `patience` is how many seconds a contender may take for a case: the slow ones
 * have fewer rounds, and none where a single run would take longer. After `seconds` no further round begins. Resolves to `{ ceilings, entries }`, with the numbers of every round.
 */
globalThis.bench = async ({ rounds, warm, patience, cpu, seconds, style }) => {
  const cases = style ? STYLE_CASES : CASES;
  const started = performance.now();
  const engines = [await hitofude('simd128'), await hitofude('relaxed-simd'), await onnxruntime(), await tensorflow('wasm')];
  if (!style) engines.push(await jax());
  if (cpu) engines.push(await tensorflow('cpu'));
  const ceilings = [];
  for (const build of BUILDS) ceilings.push({ build, figures: [], ...(await ceiling(build)) });
  const entries = [];
  for (const kase of cases) entries.push(...(await start(kase, engines, { warm, patience })));
  for (const entry of entries) entry.rounds = Math.max(1, Math.min(rounds, Math.ceil((1000 * patience) / entry.time)));
  for (let round = 0; round < rounds; round++) {
    if (round >= FEWEST && performance.now() - started > 1000 * seconds) break;
    for (const { slice, figures } of ceilings) if (slice) figures.push(slice(CEILING_MS));
    await turn(cases, entries, round);
    console.log(`round ${round + 1} of ${rounds}`);
  }
  const digits = await small(engines[0].glue.Network, () => ceilings[0].slice?.(CEILING_MS) ?? NaN, Math.min(rounds, SMALL_ROUNDS), warm / 2);
  const { layers } = entries[0];
  return {
    layers,
    parameters: Object.entries(entries[0].weights).map(([name, { shape }]) => ({ name, shape })),
    small: digits,
    ceilings: ceilings.map(({ build, figures }) => ({ build, figures })),
    entries: entries.map(({ kase, engine, refused, difference, print, times, planBytes, layers, profiles }) => {
      return { id: kase.id, name: engine.name, refused, difference, print, times, planBytes, layers, profiles };
    }),
  };
};

/** One entry for each contender that can do the case, warm and checked; `refused` says why one is not timed. */
async function start(kase, engines, { warm, patience }) {
  const entries = [];
  const listed = network(engines[0].glue.Network, kase);
  const layers = listed.layers();
  const weights = drawWeights(listed.parameters());
  const data = drawData(kase, layers.at(-1).shape.reduce((a, b) => a * b));
  listed.free();
  for (const engine of engines.filter(({ can }) => can.includes(kase.task))) {
    const entry = { kase, engine, times: [], profiles: [], time: Infinity };
    entries.push(entry);
    try {
      const work = layers.reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0) * kase.batch * PASSES[kase.task];
      const expected = work / engine.speed / 1000;
      if (entries.length > BUILDS.length && expected > patience) throw new Error(`by its time for one picture it would take about ${expected.toPrecision(2)} s`);
      await engine.take?.();
      Object.assign(entry, await engine.prepare(kase, weights, data, layers));
      const answer = await firstAnswer(kase.task, entry.run, entry.read);
      entry.difference = agree(engine.name, answer, entries[0].answer ?? answer);
      Object.assign(entry, { answer, weights, print: fingerprint(answer), layers }, await warmUp(entry.run, warm));
      engine.speed ??= work / entry.time;
      console.log(`${kase.id}: ${engine.name}, ${entry.time.toFixed(2)} ms`);
    } catch (error) {
      // Our own builds have to be right; of another one the table says what is wrong.
      if (entries.length <= BUILDS.length) throw error;
      entry.refused = error.message;
      console.log(`${kase.id}: ${engine.name} is not timed: ${error.message}`);
    }
  }
  return entries;
}

/** A round: every case, every contender, another one first each time so that none always runs in the same one's wake. */
async function turn(cases, entries, round) {
  for (const kase of cases) {
    const ready = entries.filter((entry) => entry.kase === kase && !entry.refused && round < entry.rounds);
    for (let t = 0; t < kase.turns; t++) {
      for (let i = 0; i < ready.length; i++) {
        const entry = ready[(i + t + round) % ready.length];
        await entry.engine.take?.();
        entry.times.push(await slice(entry.run, entry.repeats));
      }
    }
    for (const entry of ready) if (entry.profile) entry.profiles.push(entry.profile());
  }
}
