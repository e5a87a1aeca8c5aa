// npm run bench: both builds of the engine beside its peers in headless Chromium, in one run, on one thread each. Prints
// tables, then one JSON object in the last line (benches/report.mjs says what its figures are).
//   npm run bench -- --quick      fewer rounds, without TensorFlow.js' cpu backend: under three minutes
//   npm run bench -- --rounds 5   this many rounds
//   npm run bench -- --write      also writes benches/RESULTS.md, and benches/results.json for the page
//   npm run bench -- --style      a step of neural style instead, beside the peers' forward pass through its network
//   npm run bench -- --training   the Train lab instead: what a second worker gains, and one epoch of MNIST
//   npm run bench -- --native     natively instead: beside PyTorch and ONNX Runtime on one thread
// On a busy machine: nice -n -10 npm run bench

import { writeFileSync } from 'node:fs';
import os from 'node:os';
import process from 'node:process';
import util from 'node:util';
import { npmPackages, setup } from './setup.mjs';
import { inRoot, main, Obstacle } from './shell.mjs';
import { buildWasm } from './wasm.mjs';

const QUICK = { rounds: 7, warm: 300, patience: 2, cpu: false, colds: 1, seconds: 120 };
const FULL = { rounds: 40, warm: 1000, patience: 20, cpu: true, colds: 5, seconds: Infinity };

await main(async () => {
  const { native, training, write, settings, command } = options();
  await setup();
  if (native) return (await import('../benches/native.mjs')).native();
  const say = (line) => process.stderr.write(`${line}\n`);
  if (training) {
    await buildWasm();
    const { measureTraining } = await import('../benches/training.mjs');
    return console.log(JSON.stringify(await measureTraining(settings.rounds, say)));
  }
  await npmPackages('packages to compare with', 'benches');
  await buildWasm();
  const load = os.loadavg()[0];
  const [{ inBrowser }, { report, results, styleFigures, tables }] = await Promise.all([import('../benches/browser.mjs'), import('../benches/report.mjs')]);
  const { colds, ...page } = settings;
  const measured = await inBrowser(page, colds, say);
  if (settings.style) return console.log(JSON.stringify(styleFigures(measured)));
  const all = results({ ...measured, load }, command);
  console.log(`\n${tables(all)}\n\n${all.machine}, ${all.browser}, load ${all.load} at the start\n`);
  if (write) {
    writeFileSync(inRoot('benches', 'RESULTS.md'), report(all));
    writeFileSync(inRoot('benches', 'results.json'), `${JSON.stringify(all, null, 1)}\n`);
  }
  console.log(JSON.stringify(all.figures));
});

function options() {
  const flag = { type: 'boolean', default: false };
  let values;
  try {
    ({ values } = util.parseArgs({ options: { quick: flag, write: flag, native: flag, style: flag, training: flag, rounds: { type: 'string' } } }));
  } catch (error) {
    throw new Obstacle(error.message);
  }
  const settings = { ...(values.quick || values.style || values.training ? QUICK : FULL) };
  if (values.style) Object.assign(settings, { style: true, colds: 0 });
  if (values.rounds !== undefined) settings.rounds = Number(values.rounds);
  if (!(Number.isInteger(settings.rounds) && settings.rounds > 0)) throw new Obstacle(`--rounds ${values.rounds} is not a number of rounds.`);
  const command = `npm run bench --${process.argv.slice(2).map((word) => ` ${word}`).join('')}`;
  return { native: values.native, training: values.training, write: values.write, settings, command };
}
