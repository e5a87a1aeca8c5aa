// The thread that computes. It holds one engine and one network, and answers one drawing at a time.

import { expose, transfer } from 'comlink';
import { loadEngine, loadModel } from '../lib/load';
import type { Engine, Layer, Model } from '../lib/types';
import type { Desk, Maps, Report } from './protocol';

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
    const opened = await loadModel(engine, weights, { onProgress });
    model?.free();
    model = opened;
    layers = new Map(model.layers().map((layer) => [layer.name, layer]));
    return [...layers.values()];
  },

  read(ink, names) {
    if (!model) throw new Error('no network is open');
    const start = performance.now();
    const reading = model.predictInk(ink);
    const milliseconds = performance.now() - start;
    const maps = reading.status === 'empty' ? [] : names.flatMap(mapsOf);
    const report: Report = { reading, maps, milliseconds };
    return transfer(report, buffersOf(report));
  },
};

function mapsOf(name: string): Maps[] {
  const layer = layers.get(name);
  if (!model || !layer) return [];
  const values = model.features(name);
  return [{ layer: name, values, stats: statistics(values, layer.shape[0]) }];
}

function statistics(values: Float32Array, maps: number): Float32Array {
  const stats = new Float32Array(3 * maps);
  const size = values.length / maps;
  for (let map = 0; map < maps; map++) {
    let min = Infinity;
    let max = -Infinity;
    let sum = 0;
    for (let i = map * size; i < (map + 1) * size; i++) {
      const value = values[i] as number;
      min = Math.min(min, value);
      max = Math.max(max, value);
      sum += value;
    }
    stats.set([min, sum / size, max], 3 * map);
  }
  return stats;
}

function buffersOf({ reading, maps }: Report): Transferable[] {
  const own = maps.flatMap(({ values, stats }) => [values.buffer, stats.buffer]);
  return reading.status === 'empty' ? own : [...own, ...reading.steps.map(({ pixels }) => pixels.buffer)];
}

expose(desk);
