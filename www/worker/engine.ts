// The thread that computes. It holds one engine and one network, and answers one drawing at a time.

import { transfer } from 'comlink';
import { loadEngine, loadModel } from '../lib/load';
import type { Engine, Layer, Model } from '../lib/types';
import { mapsOf } from './maps';
import type { Desk, Report } from './protocol';
import { serve } from './serve';

let engine: Promise<Engine> | undefined;
let model: Model | undefined;
let layers = new Map<string, Layer>();

const desk: Desk = {
  async start(wasm, build, onProgress) {
    engine = loadEngine(wasm, { onProgress, ...(build && { build }) });
    return (await engine).build;
  },

  async open(weights, onProgress) {
    if (!engine) throw new Error('the engine has not been started');
    const opened = weights instanceof Uint8Array ? (await engine).open(weights) : await loadModel(engine, weights, { onProgress });
    model?.free();
    model = opened;
    layers = new Map(model.layers().map((layer) => [layer.name, layer]));
    return [...layers.values()];
  },

  read(ink, names) {
    if (!model) throw new Error('no network is open');
    const opened = model;
    const start = performance.now();
    const reading = model.predictInk(ink);
    const milliseconds = performance.now() - start;
    const maps = reading.status === 'empty' ? [] : names.flatMap((name) => mapsOf(opened, layers.get(name)));
    const report: Report = { reading, maps, milliseconds };
    return transfer(report, buffersOf(report));
  },
};

function buffersOf({ reading, maps }: Report): Transferable[] {
  const own = maps.flatMap(({ values, stats }) => [values.buffer, stats.buffer]);
  return reading.status === 'empty' ? own : [...own, ...reading.steps.map(({ pixels }) => pixels.buffer)];
}

serve(desk);
