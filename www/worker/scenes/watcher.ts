// The thread in which scenes are drawn and looked at: detectors, networks that read every pixel, and a detector that learns.

import { bytes, twice, type Source } from '../../lib/fetch';
import { loadSystems } from '../../lib/systems';
import type { FoundDigit } from '../../lib/types';
import { DetectorLearner, DigitDetector, drawScene, PixelReader, SceneCaptioner, StreetDrive, toldScene } from '../../public/wasm/systems/hitofude.js';
import { serve } from '../serve';
import type { OnProgress } from '../protocol';
import type { Detector, Judged, Watcher } from './protocol';

/** Steps of a training between two looks through its eyes. */
const RENEW = 20;
/** The least score of an answer that is judged. */
const LEAST = 0.05;

let started: Promise<unknown> | undefined;
const detectors = new Map<Detector, DigitDetector>();
const readers = new Map<string, PixelReader>();
let learner: DetectorLearner | undefined;
let street: StreetDrive | undefined;
let writer: SceneCaptioner | undefined;
let still = false;
let wake = () => {};
/** Grows with every training and every judging: an earlier one ends. */
let lesson = 0;
let judging = 0;

function the<T>(thing: T | undefined, what: string): T {
  if (!thing) throw new Error(`there is no ${what} yet`);
  return thing;
}

const detector = (name: Detector) => the(detectors.get(name), `detector ${name}`);
const breathe = () => new Promise((done) => setTimeout(done));

async function fetched<T>(file: Source, onProgress: OnProgress, open: (file: Uint8Array) => T): Promise<T> {
  return twice(async (cache) => {
    const own = await bytes(file, cache, { onProgress });
    await started;
    return open(own);
  });
}

function take(name: Detector, file: Uint8Array): void {
  const next = new DigitDetector(file);
  detectors.get(name)?.free();
  detectors.set(name, next);
}

/** Intersection over union. */
function shared(a: FoundDigit['box'], b: FoundDigit['box']): number {
  const side = (k: 0 | 1) => Math.max(0, Math.min(a[k + 2]!, b[k + 2]!) - Math.max(a[k]!, b[k]!));
  const area = ([x0, y0, x1, y1]: FoundDigit['box']) => (x1 - x0) * (y1 - y0);
  const both = side(0) * side(1);
  return both / (area(a) + area(b) - both);
}

async function teach(own: number, steps: number, hear: Parameters<Watcher['learn']>[1]): Promise<void> {
  const since = performance.now();
  let paused = 0;
  for (let done = 0; done < steps; ) {
    await breathe();
    if (still) {
      const from = performance.now();
      await new Promise<void>((go) => (wake = go));
      paused += performance.now() - from;
    }
    if (own !== lesson || !learner) return;
    let trouble: string | null = null;
    let loss = NaN;
    try {
      ({ steps: done, loss } = learner.step());
    } catch (error) {
      trouble = (error as Error).message;
    }
    const last = done === steps || trouble !== null;
    if (done % RENEW === 0 || last) take('learner', learner.save());
    const rate = done / ((performance.now() - since - paused) / 1000);
    await hear({ steps: done, loss, rate, done: last, trouble });
    if (trouble !== null) return;
  }
}

const watcher: Watcher = {
  async start(wasm, build, onProgress) {
    const loading = loadSystems(wasm, { onProgress, ...(build && { build }) });
    started = loading;
    return loading;
  },

  async open(name, file, onProgress) {
    if (!detectors.has(name)) await fetched(file, onProgress, (own) => take(name, own));
  },

  async read(name, file, onProgress) {
    if (!readers.has(name)) readers.set(name, await fetched(file, onProgress, (own) => new PixelReader(own)));
    return the(readers.get(name), name).classes();
  },

  scene: (setup, seed) => drawScene(setup, seed),

  look(name, picture, threshold, overlap) {
    const own = detector(name);
    const from = performance.now();
    const seen = own.look(picture);
    const found = own.found(threshold, overlap);
    return { seen, found, took: performance.now() - from };
  },

  found: (name, threshold, overlap) => detector(name).found(threshold, overlap),

  async judge(name, setup, from, scenes, hear) {
    const own = ++judging;
    for (let i = 0; i < scenes && own === judging; i++) {
      const { things, ...picture } = drawScene(setup, from + i);
      detector(name).look(picture);
      const free = [...things];
      const judged: Judged = { scenes: 1, digits: things.length, answers: [] };
      for (const { digit, box, score } of detector(name).found(LEAST, 0.5)) {
        const place = free.findIndex((thing) => thing.digit === digit && shared(thing.box, box) >= 0.5);
        if (place >= 0) free.splice(place, 1);
        judged.answers.push({ score, right: place >= 0 });
      }
      await hear(judged);
      await breathe();
    }
  },

  segment(name, picture) {
    const from = performance.now();
    const masks = the(readers.get(name), name).segment(picture);
    return { masks, took: performance.now() - from };
  },

  learn({ steps, batch, seed, setup }, hear) {
    const next = new DetectorLearner(steps, batch, seed, setup);
    learner?.free();
    learner = next;
    still = false;
    wake();
    take('learner', learner.save());
    void teach(++lesson, steps, hear);
  },

  pause(now) {
    still = now;
    if (!now) wake();
  },

  save: () => the(learner, 'training').save() as Uint8Array<ArrayBuffer>,

  told: (number, held) => toldScene(number, held),

  async captioner(file, onProgress) {
    writer ??= await fetched(file, onProgress, (own) => new SceneCaptioner(own));
  },

  caption(picture, language, { beams, length, temperature }) {
    const from = performance.now();
    const caption = the(writer, 'captioner').caption(picture, language, beams, length, temperature);
    return { caption, took: performance.now() - from };
  },

  drive(seed, weather) {
    street?.free();
    street = new StreetDrive(seed, weather);
  },

  frame(name, number) {
    const start = performance.now();
    const view = the(street, 'drive').frame(number);
    const drawn = performance.now();
    const masks = the(readers.get(name), name).segment(view);
    return { view, mask: the(masks.at(-1), 'mask').classes, drawn: drawn - start, took: performance.now() - drawn };
  },
};

serve(watcher);
