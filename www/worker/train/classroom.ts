// The thread that trains. It takes one step after the other, lets helpers compute their share, tells the page what
// happens, and keeps the training in the browser's storage as it goes.

import { transfer } from 'comlink';
import type { Source } from '../../lib/fetch';
import { loadStudio } from '../../lib/studio';
import { saveRun } from '../../lib/store';
import type { Build, Stroke } from '../../lib/types';
import { claims, layerKinds, Learner, Network, outline, preprocess, presets, type Samples } from '../../public/wasm/studio/hitofude.js';
import { isRefusal, samplesOf, testOf, testsIn } from './compute';
import { Crew } from './crew';
import type { Gpu } from './gpu';
import type { About, Classroom, Happening, Order, Pictures } from './protocol';
import { Refused, Run } from './run';
import { serve } from '../serve';

/** Milliseconds between two saves, and between two reports. */
const SAVE = 3000;
const REPORT = 100;

let engine: { wasm: Record<Build, Source>; build: Build } | undefined;
let opened: { pictures: Pictures; samples: Samples; tests: number } | undefined;
/** The network by itself, to read single pictures with the weights of the moment. */
let reading: { description: string; network: Network } | undefined;
let order: Order | undefined;
let runs: Run[] = [];
let crew: Crew | null = null;
/** The GPU of this training; null once it is given up. */
let gpu: Gpu | null | undefined;
/** Participants who wait for a training, and how many there have been. */
let waiting: MessagePort[] = [];
let admitted = 0;
let tell: (happening: Happening) => void = () => {};
/** Wanted: to go on, or to stop behind the step under way. */
let going = false;
let idle: Promise<void> = Promise.resolve();
let saved = 0;
let reported: { at: number; steps: number[] } = { at: 0, steps: [] };

const classroom: Classroom = {
  async start(wasm, build) {
    engine = { wasm, build: await loadStudio(wasm, { build }) };
    return engine.build;
  },

  kinds: () => layerKinds(),

  presets: () => presets(),
  claims: () => claims(),

  render(drawings) {
    const size = 28 * 28;
    const pixels = new Uint8Array(size * drawings.length);
    drawings.forEach((strokes, i) => {
      const input = preprocess({ strokes }).at(-1)?.pixels;
      input?.forEach((value, k) => (pixels[i * size + k] = Math.round(255 * value)));
    });
    return transfer(pixels, [pixels.buffer]);
  },

  outline: (network) => outline(network),

  look: async (pictures) => aboutOf(await pictured(pictures)),

  async open(next, onHappening) {
    await classroom.pause();
    const samples = await pictured(next.pictures);
    const fresh = next.setups.map((setup) => new Run(setup, samples, next.from, next.weights));
    runs.forEach((run) => run.free());
    waiting.push(...(crew?.end() ?? []));
    gpu?.end();
    gpu = undefined;
    [runs, order, tell] = [fresh, next, onHappening];
    crew = null;
    if (waiting.length) hire();
    const about = aboutOf(samples);
    runs.forEach((run) => (run.labels = about.validation));
    reported = { at: 0, steps: runs.map((run) => run.step) };
    saved = performance.now();
    return { ...about, finished: runs.every((run) => run.finished) };
  },

  admit(port) {
    waiting.push(port);
    hire();
  },

  run() {
    if (going) return;
    going = true;
    runs.forEach((run) => (run.failed = false));
    hire();
    idle = idle.then(loop).catch(broken);
  },

  async pause() {
    going = false;
    await idle;
  },

  async step() {
    await classroom.pause();
    idle = idle.then(async () => {
      for (const [i, run] of runs.entries()) if (!run.finished) await advance(run, i, true);
      report(true);
      await examine();
      await save();
      for (const [i, run] of runs.entries()) if (run.finished) tell({ kind: 'stopped', run: i, why: 'finished' });
    });
    idle = idle.catch(broken);
    await idle;
  },

  inspect: async () => {
    if (!runs[0]) throw new Error('nothing to look at');
    return runs[0].inspect();
  },

  pictures(which, part) {
    if (!opened) return new Float32Array();
    const all = which.map((i) => opened!.samples.picture(part, i));
    const size = all[0]?.length ?? 0;
    const sheet = new Float32Array(size * all.length);
    all.forEach((picture, i) => sheet.set(picture, i * size));
    return transfer(sheet, [sheet.buffer]);
  },

  preview(setup, picture, variants) {
    if (!opened) return new Float32Array();
    const learner = new Learner(setup, opened.samples);
    try {
      return learner.preview(picture, variants);
    } finally {
      learner.free();
    }
  },

  read(what) {
    const [run, setup] = [runs[0], order?.setups[0]];
    if (!run || !setup || !opened) return null;
    const picture = typeof what === 'number' ? opened.samples.picture('validation', what) : inked(what);
    if (!picture) return null;
    const { network: description } = JSON.parse(setup) as { network: string };
    if (reading?.description !== description) {
      reading?.network.free();
      reading = undefined;
      reading = { description, network: new Network(description, 1, 'infer', 1) };
    }
    const { network } = reading;
    for (const { name, values } of run.weights()) network.setWeights(name, values);
    return { picture, probabilities: softmax(network.forward(picture)) };
  },

  weights() {
    if (!runs[0]) throw new Error('nothing has been trained');
    return runs[0].weights();
  },
};

/** Calls the helpers of this training, once there is something to do, and lets in who waits. A race has neither. */
function hire(): void {
  const [run] = runs;
  if (!engine || !order || !run || runs.length > 1) return;
  const { setup, parameters } = run.setup;
  if (!crew && (order.workers > 1 || waiting.length)) {
    const participants = () => tell({ kind: 'participants', participants: crew?.participants ?? [] });
    crew = new Crew(engine, setup, order.pictures, order.workers - 1, (worker) => tell({ kind: 'replaced', worker }), participants);
  }
  const { pictures } = order;
  const audit = (params: Float32Array, step: number, shard: number) => run.shard(params, step, shard);
  for (const port of waiting.splice(0)) crew?.admit(port, ++admitted, { setup, pictures, build: engine.build, parameters, audit });
}

async function loop(): Promise<void> {
  const open = () => runs.some((run) => !run.finished && !run.failed);
  while (going && open()) {
    for (const [i, run] of runs.entries()) if (!run.finished && !run.failed) await advance(run, i, false);
    report(false);
    if (performance.now() - saved > SAVE) await save();
    // Whatever the page has asked for meanwhile comes before the next step.
    await turn();
  }
  report(true);
  await examine();
  going = false;
  await save();
  runs.forEach((run, i) => tell({ kind: 'stopped', run: i, why: run.finished ? 'finished' : 'paused' }));
}

async function advance(run: Run, i: number, single: boolean): Promise<void> {
  try {
    if (single || !(await onGpu(run))) await run.advance(crew);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    // The curve up to here is what the page shows of the explosion.
    report(true);
    run.goBack();
    run.failed = true;
    tell({ kind: 'failed', run: i, message: error.message, backTo: run.step });
    reported.steps[i] = run.step;
    return;
  }
  if (run.step % run.every !== 0 && !run.finished) return;
  report(true);
  const { validation, found } = await run.validate(crew, single && !run.finished);
  run.keep();
  tell({ kind: 'validation', run: i, validation, classes: found.classes, confidences: found.confidences });
}

/**
 * Takes steps on the GPU, where that is asked for and works; else says why not, and the next step is this thread's. The first steps
 * are this thread's in any case: the GPU's time is compared with theirs.
 */
async function onGpu(run: Run): Promise<boolean> {
  const setup = order?.setups[0];
  if (!engine || !order?.gpu || !setup || runs.length !== 1 || gpu === null || !run.alone) return false;
  try {
    // Fetched only now: most trainings never ask for it.
    gpu ??= await (await import('./gpu')).Gpu.open(order.gpu.wasm, engine.build, setup, order.pictures, run);
    await gpu.advance(run);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // A loss that is no number is one anywhere.
    if (gpu && isRefusal(error) && error.code === 'value') throw new Refused(message);
    leaveGpu(run, message);
    return false;
  }
  if (gpu.timed && !order.gpu.always && gpu.pace <= run.alone) leaveGpu(run, '');
  else tell({ kind: 'device', device: { on: 'gpu', name: gpu.name, wasm: run.alone, gpu: gpu.pace, why: '' } });
  return true;
}

function leaveGpu(run: Run, why: string): void {
  tell({ kind: 'device', device: { on: 'wasm', name: gpu?.name ?? '', wasm: run.alone, gpu: gpu?.pace ?? 0, why } });
  gpu?.end();
  gpu = null;
}

/** Scores the test pictures behind the last step of the page's training; a race has none. */
async function examine(): Promise<void> {
  const [run] = runs;
  const setup = order?.setups[0];
  if (!run?.finished || !order?.id || !setup || run.history.test) return;
  try {
    const samples = await testOf(order.pictures);
    if (!samples) return;
    try {
      await run.test(setup, samples, async (done, count) => {
        // The page takes a thread that says nothing for dead.
        if (performance.now() - reported.at > REPORT) {
          reported.at = performance.now();
          tell({ kind: 'testing', done, count });
        }
        await turn();
      });
    } finally {
      samples.free();
    }
    if (run.history.test) tell({ kind: 'tested', test: run.history.test });
  } catch (error) {
    tell({ kind: 'untested', message: (error as Error).message });
  }
}

/** What the engine did not refuse but broke on: only a fresh thread helps. */
function broken(error: unknown): void {
  going = false;
  tell({ kind: 'broken', message: error instanceof Error ? error.message : String(error) });
}

/** Tells of the steps since the last report. */
function report(now: boolean): void {
  if (!now && performance.now() - reported.at < REPORT) return;
  reported.at = performance.now();
  for (const [i, run] of runs.entries()) {
    const first = reported.steps[i] ?? 0;
    const { loss, accuracy, norm } = run.history;
    if (loss.length === first) continue;
    tell({ kind: 'steps', run: i, first, loss: loss.slice(first), accuracy: accuracy.slice(first), norm: norm.slice(first), rate: run.rate, pace: run.pace });
    reported.steps[i] = loss.length;
  }
  if (crew?.participants.length) tell({ kind: 'participants', participants: crew.participants });
}

async function save(): Promise<void> {
  saved = performance.now();
  const [run] = runs;
  if (!run || !order?.id || !order.setups[0]) return;
  const { checkpoint, history } = run.keep();
  try {
    await saveRun({ id: order.id, setup: order.setups[0], at: Date.now(), checkpoint, history });
    tell({ kind: 'saved', step: run.step });
  } catch (error) {
    tell({ kind: 'unsaved', message: (error as Error).message, full: (error as Error).name === 'QuotaExceededError' });
  }
}

async function pictured(pictures: Pictures): Promise<Samples> {
  if (opened?.pictures.key === pictures.key) return opened.samples;
  const samples = await samplesOf(pictures);
  // Learners that still use them keep them alive.
  opened?.samples.free();
  opened = { pictures, samples, tests: await testsIn(pictures) };
  return samples;
}

function aboutOf(samples: Samples): About {
  // The engine gives a typed array, which JSON would not write as one.
  const [c, h, w] = samples.shape;
  return { shape: [c, h, w], train: samples.labels('train'), validation: samples.labels('validation'), test: opened?.tests ?? 0 };
}

/** A drawing as the network reads it; null where nothing is drawn. */
function inked(strokes: Stroke[]): Float32Array | null {
  return strokes.length ? (preprocess({ strokes }).at(-1)?.pixels ?? null) : null;
}

function softmax(scores: Float32Array): Float32Array {
  const most = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

const channel = new MessageChannel();

/** Resolves behind the messages that wait already. (A timer of zero would take four milliseconds.) */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    channel.port1.onmessage = () => resolve();
    channel.port2.postMessage(null);
  });
}

serve(classroom);
