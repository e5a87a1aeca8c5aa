// The thread that measures: one build of the engine, one case at a time.

import { drawData, drawWeights, NETWORKS, RATE, type Case } from '../../../benches/cases.mjs';
import { ceiling, type Ceiling } from '../../../benches/ceiling.mjs';
import { fingerprint, firstAnswer, slice, warmUp, type Run } from '../../../benches/measure.mjs';
import { loadStudio } from '../../lib/studio';
import { Network } from '../../public/wasm/studio/hitofude.js';
import type { Bench } from './protocol';
import { serve } from '../serve';

const WARM_MS = 300;
const CEILING_MS = 20;

let top: Ceiling | null;
let bench: { network: Network; images: Float32Array; run: Run; repeats: number; trains: boolean; layers: number } | undefined;

const desk: Bench = {
  async start(wasm, build) {
    await loadStudio(wasm, { build });
    top = await ceiling(build);
    return top && top.slice(CEILING_MS);
  },

  async prepare(kase) {
    bench?.network.free();
    bench = undefined;
    const network = new Network(JSON.stringify(NETWORKS[kase.network]), kase.batch, PURPOSE[kase.task], 1);
    const layers = network.layers();
    for (const [name, { data }] of Object.entries(drawWeights(network.parameters()))) network.setWeights(name, data);
    const answer = layers.at(-1)?.shape.reduce((a, b) => a * b) ?? 0;
    const data = drawData(kase, answer);
    const run = runs(network, data)[kase.task];
    const print = fingerprint(await firstAnswer(kase.task, run));
    const { repeats, time } = await warmUp(run, WARM_MS);
    bench = { network, images: data.images, run, repeats, trains: kase.task !== 'forward', layers: layers.length };
    return { print, time, layers, planBytes: network.planBytes };
  },

  async turn() {
    if (!bench) throw new Error('no case is ready');
    const time = await slice(bench.run, bench.repeats);
    return { time, ...profile(bench) };
  },

  ceiling: () => top?.slice(CEILING_MS) ?? NaN,
};

const PURPOSE = { forward: 'infer', train: 'train', gradient: 'explain' } as const;

function runs(network: Network, { images, targets, dy }: ReturnType<typeof drawData>): Record<Case['task'], Run> {
  return {
    forward: () => network.forward(images),
    train: () => network.step(images, targets, RATE, 0),
    gradient: () => (network.forward(images), network.inputGradient(dy)),
  };
}

function profile({ network, images, trains, layers }: NonNullable<typeof bench>) {
  const timed = (work: () => void) => {
    const started = performance.now();
    work();
    return performance.now() - started;
  };
  network.load(images);
  const forward = Array.from({ length: layers }, (_, i) => timed(() => network.forwardLayer(i)));
  if (!trains) return { forward, backward: forward.map(() => 0) };
  const backward = Array.from({ length: layers }, (_, i) => timed(() => network.backwardLayer(layers - 1 - i)));
  return { forward, backward: backward.reverse() };
}

serve(desk);
