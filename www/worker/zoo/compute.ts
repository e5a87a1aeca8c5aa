// The thread of the Zoo lab: one engine, many networks, one drawing for all of them.

import { transfer } from 'comlink';
import { loadEngine, loadModel } from '../../lib/load';
import type { Engine, Layer, Model } from '../../lib/types';
import { mapsOf } from '../maps';
import type { Said, Zoo } from './protocol';
import { serve } from '../serve';
import { timeOf } from './timing';

let engine: Promise<Engine> | undefined;
const open = new Map<string, { model: Model; layers: Layer[] }>();
/** The drawing that was read last, as the networks read it. */
let newest: Float32Array | undefined;

const zoo: Zoo = {
  async start(wasm, build, onProgress) {
    engine = loadEngine(wasm, { onProgress, ...(build && { build }) });
    return (await engine).build;
  },

  async open(name, weights, onProgress) {
    if (!engine) throw new Error('the engine has not been started');
    const model = await loadModel(engine, weights, { onProgress });
    open.get(name)?.model.free();
    const layers = model.layers();
    open.set(name, { model, layers });
    return layers;
  },

  read(ink, watched) {
    const said: Said[] = [];
    let picture: Float32Array | undefined;
    for (const [name, { model }] of open) {
      if (!picture) {
        const reading = model.predictInk(ink);
        if (reading.status === 'empty') return { said, maps: [] };
        picture = reading.steps.at(-1)?.pixels ?? new Float32Array();
      }
      said.push({ name, answer: model.predict(picture) });
    }
    newest = picture;
    const shown = open.get(watched.name);
    const maps = shown
      ? watched.layers.flatMap((name) => mapsOf(shown.model, shown.layers.find((layer) => layer.name === name)))
      : [];
    return transfer({ said, maps }, maps.flatMap(({ values, stats }) => [values.buffer, stats.buffer]));
  },

  time(name) {
    const [model, picture] = [open.get(name)?.model, newest];
    if (!model || !picture) throw new Error(`${name} has read no drawing`);
    return timeOf(() => model.predict(picture));
  },
};

serve(zoo);
