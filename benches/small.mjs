// The catalogue's networks for digits, one by one and without peers: how fast each answers and learns, and how near each of
// its layers comes to the ceiling.

import { drawData } from './cases.mjs';
import { profile } from './contenders/hitofude.mjs';
import { slice, warmUp } from './measure.mjs';

export const SMALL = ['tiny', 'simple_convnet', 'deep_convnet', 'alexnet_mini', 'vgg_mini', 'googlenet_mini', 'resnet_mini', 'efficientnet_mini'];
export const BATCH = 100;
const CLASSES = 10;
const RATE = 1e-4;

/**
 * Times every network in `rounds` rounds: one picture, a hundred, and a training step of a hundred with Adam. `ceiling`
 * measures the machine's, once in each round.
 * @returns a row for each: `one`, `hundred`, `step` and `ceilings` are the numbers of every round, `profiles` the layers' in a step.
 */
export async function small(Network, ceiling, rounds, warm) {
  const rows = [];
  for (const name of SMALL) rows.push(await measured(Network, name, ceiling, rounds, warm));
  return rows;
}

async function measured(Network, name, ceiling, rounds, warm) {
  // Digits, as DeepConvNet's.
  const { images, targets } = drawData({ network: 'deepConvNet', batch: BATCH }, CLASSES);
  const [single, many] = [1, BATCH].map((batch) => new Network(name, batch, 'infer', 1));
  const trained = new Network(name, BATCH, 'train', 1);
  const one = images.subarray(0, images.length / BATCH);
  const runs = { one: () => single.forward(one), hundred: () => many.forward(images), step: () => trained.step(images, targets, RATE, 1) };
  const row = { name, one: [], hundred: [], step: [], ceilings: [], profiles: [] };
  row.parameters = single.parameters().reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b), 0);
  row.layers = trained.layers();
  const repeats = {};
  for (const [task, run] of Object.entries(runs)) repeats[task] = (await warmUp(run, warm)).repeats;
  for (let round = 0; round < rounds; round++) {
    for (const [task, run] of Object.entries(runs)) row[task].push(await slice(run, repeats[task]));
    row.profiles.push(profile(trained, images, 'train'));
    row.ceilings.push(ceiling());
  }
  for (const network of [single, many, trained]) network.free();
  console.log(`${name}: ${row.step.at(-1).toFixed(1)} ms a step of ${BATCH}`);
  return row;
}
