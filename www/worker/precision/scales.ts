// The thread of the Precision lab: one network in single precision and one of few bits beside it, the same drawing for both.

import { transfer } from 'comlink';
import { loadBits } from '../../lib/bits';
import { bytes, twice } from '../../lib/fetch';
import type { FewLayer } from '../../lib/types';
import {
  ActivationRanges, BitSearch, FewBits, FloatModel, foldedWeights, preprocess, roundedLayers,
} from '../../public/wasm/bits/hitofude.js';
import { serve } from '../serve';
import { timeOf } from '../zoo/timing';
import { Pictures } from './pictures';
import type { Answer, Chosen, Report, Scales, Values } from './protocol';
import { error, histogram, scaled, softmax } from './numbers';

/** Layers as they are without few bits: what `few` says of steps, of a float network. */
type Network = { few: FewBits } | { own: FloatModel };

let started: Promise<unknown> | undefined;
const pictures = new Pictures();
/** The network in single precision; a file of few bits may have none beside it. */
let whole: FloatModel | undefined;
let ranges: ActivationRanges | undefined;
/** The layer of `whole` whose values each step has. */
let ends = new Map<string, string>();
/** A file of few bits, and the network as it is now. */
let shipped: FewBits | undefined;
let now: Network | undefined;
let search: BitSearch | undefined;

function the<T>(thing: T | undefined, what: string): T {
  if (thing === undefined) throw new Error(`there is no ${what} yet`);
  return thing;
}

const fetched = (file: Uint8Array | Parameters<typeof bytes>[0], onProgress: Parameters<Scales['open']>[1]) =>
  file instanceof Uint8Array ? Promise.resolve(file) : twice((cache) => bytes(file, cache, { onProgress }));

/** A network of these bits. What is shipped in few bits stays itself. */
function made(chosen: Chosen, method: string): Network {
  if (chosen === 32) return { own: the(whole, 'network in single precision') };
  if (shipped) return { few: shipped };
  const own = the(whole, 'network');
  if (chosen === 16) return { own: FloatModel.load(own.save(16)) };
  return { few: FewBits.quantise(own, chosen, method as 'minmax', the(ranges, 'calibration')) };
}

/** Frees what was made of an open network, and not that network itself. */
function release(network: Network | undefined): void {
  if (!network) return;
  if ('few' in network ? network.few !== shipped : network.own !== whole) ('few' in network ? network.few : network.own).free();
}

const bytesOf = (network: Network, chosen: Chosen) => ('few' in network ? network.few.save() : network.own.save(chosen === 16 ? 16 : 32)).length;
const scores = (network: Network, images: Float32Array) => ('few' in network ? network.few : network.own).scores(images);

function answer(scores: Float32Array): Answer {
  const probabilities = softmax(scores);
  return { digit: probabilities.indexOf(Math.max(...probabilities)), probabilities };
}

/** The layers of the float network that few bits have steps for. */
function layersOf(network: Network): FewLayer[] {
  if ('few' in network) return network.few.layers();
  const nodes = new Map(network.own.layers().map((node) => [node.name, node]));
  const weighty = new Map(roundedLayers(network.own).map((one) => [one.name, one]));
  return [...ends].map(([name, end]) => {
    const weights = weighty.get(name)?.weights ?? 0;
    const kind = weights ? 'filters' : name === 'input' ? 'input' : 'max_pool';
    return { name, kind, shape: nodes.get(end)!.shape, inputs: [], form: 'numbers', step: null, levels: null, bits: null, weights, bytes: 0, relu: false, window: null };
  });
}

function valuesOf(network: Network, layer: string, picture: Float32Array): Float32Array {
  return 'few' in network ? network.few.values(layer) : network.own.values(picture, [the(ends.get(layer), 'such layer')])[0]!;
}

/** What both networks made of the picture that `now` has just read, layer by layer. */
function compared(network: Network, picture: Float32Array, watched: string | null): Pick<Report, 'values' | 'errors'> {
  let values: Values | null = null;
  const errors: Report['errors'] = [];
  const steps = layersOf(network).filter(({ kind }) => kind !== 'input');
  const known = whole ? steps.filter(({ name, form }) => ends.has(name) && form !== 'signs') : [];
  const before = new Map(known.length ? whole!.values(picture, known.map(({ name }) => ends.get(name)!)).map((values, i) => [known[i]!.name, values]) : []);
  for (const { name, shape } of steps) {
    const own = before.get(name);
    if (!own && name !== watched) continue;
    const after = valuesOf(network, name, picture);
    const fits = own?.length === after.length;
    if (own && fits) errors.push({ layer: name, error: error(own, after) });
    if (name === watched) values = { layer: name, shape, before: own && fits ? own : null, after };
  }
  return { values, errors };
}

const scales: Scales = {
  async start(wasm, build, onProgress) {
    const loading = loadBits(wasm, { onProgress, ...(build && { build }) });
    started = loading;
    return loading;
  },

  async pictures(drawings, mnist) {
    await started;
    return pictures.take(drawings, mnist);
  },

  async open({ file, beside }, onProgress) {
    const [own, float] = await Promise.all([fetched(file, onProgress), beside && fetched(beside, () => {}), started]);
    const few = FewBits.is(own) ? FewBits.load(own) : undefined;
    const next = few ? (float ? FloatModel.load(float) : undefined) : FloatModel.load(own);
    for (const { shape, what } of wanted(few ?? next!)) {
      if (shape !== what) throw new Error(`a network that reads 28 × 28 pictures and answers with ten scores was expected; got ${shape}`);
    }
    let [calibrated, unfit]: [ActivationRanges | undefined, string | null] = [undefined, null];
    try {
      if (next) calibrated = new ActivationRanges(next, ['8'], pictures.calibration());
    } catch (reason) {
      unfit = (reason as Error).message;
    }
    release(now);
    for (const old of [search, ranges, shipped, whole]) old?.free();
    [shipped, whole, ranges, search, now] = [few, next, calibrated, undefined, undefined];
    ends = new Map(calibrated?.ends());
    return { name: (few ?? next!).name, few: !!few, rounded: few || unfit || !next ? [] : roundedLayers(next), unfit };
  },

  make(chosen, method) {
    const next = made(chosen, method);
    if (now && now !== next) release(now);
    now = next;
    return { bytes: bytesOf(next, chosen), layers: layersOf(next) };
  },

  read(ink, watched) {
    const network = the(now, 'network');
    let picture: Float32Array;
    try {
      picture = preprocess(ink).at(-1)!.pixels;
    } catch (reason) {
      if ((reason as { code?: string }).code === 'empty') return null;
      throw reason;
    }
    const own = scores(network, picture);
    const before = whole ? answer(whole.scores(picture)) : null;
    const report: Report = { picture, before, now: answer(own), ...compared(network, picture, watched) };
    return transfer(report, [...new Set([report.values?.after.buffer, report.values?.before?.buffer].filter((one) => one !== undefined))]);
  },

  cost(chosen, method) {
    const [network, picture] = [made(chosen, method), pictures.of('made', 0, 1)];
    try {
      return { bytes: bytesOf(network, chosen), milliseconds: timeOf(() => scores(network, picture)) };
    } finally {
      release(network);
    }
  },

  judge(chosen, method, part, from, count) {
    const network = made(chosen, method);
    try {
      const rows = scores(network, pictures.of(part, from, count));
      return Uint8Array.from({ length: rows.length / 10 }, (_, i) => {
        const row = rows.subarray(10 * i, 10 * i + 10);
        return row.indexOf(Math.max(...row));
      });
    } finally {
      release(network);
    }
  },

  labels: (part) => pictures.labels(part),
  shown: (part, which) => pictures.shown(part, which),
  strokes: (which) => pictures.strokes(which),

  weigh(layer) {
    const network = the(now, 'network');
    if (!('few' in network)) return null;
    const { weights, scales } = network.few.weights(layer);
    const before = whole && !shipped ? foldedWeights(whole, layer) : null;
    const after = scaled(weights, scales);
    const steps = before && scaled(before, scales.map((scale) => (scale ? 1 / scale : 0)));
    const end = Math.max(2, ...weights.map(Math.abs));
    const range: [number, number] = [-1.5 * end, 1.5 * end];
    const bars = end > 20 ? 81 : 6 * end + 1;
    return {
      layer,
      range,
      before: steps && histogram(steps, range, bars),
      after: histogram(weights, range, bars),
      error: before && error(before, after),
    };
  },

  filter(layer, filter) {
    const { few } = the(now && 'few' in now ? now : undefined, 'network of few bits');
    const { shape, window } = few.layers().find(({ name }) => name === layer)!;
    const { weights } = few.weights(layer);
    const each = weights.length / shape[0];
    return { weights: weights.slice(filter * each, (filter + 1) * each), kernel: window!.kernel, filters: shape[0] };
  },

  sum: (layer, filter, row, column) => the(now && 'few' in now ? now : undefined, 'network of few bits').few.sum(layer, filter, row, column),

  search(method) {
    search?.free();
    const { images, labels } = pictures.choosing();
    search = new BitSearch(the(whole, 'network'), method as 'minmax', images, labels);
    return search.last();
  },

  further() {
    const own = the(search, 'search');
    return own.step() ? own.last() : null;
  },

  save() {
    const network = the(now, 'network');
    const file = 'few' in network ? network.few.save() : network.own.save(network.own === whole ? 32 : 16);
    return transfer(file, [file.buffer]);
  },
};

/** What a network reads and says, beside what it should. */
function wanted(network: FewBits | FloatModel): { shape: string; what: string }[] {
  const layers = network.layers();
  return [
    { shape: layers[0]!.shape.join(' × '), what: '1 × 28 × 28' },
    { shape: String(layers.at(-1)!.shape.reduce((a, b) => a * b)), what: '10' },
  ];
}

serve(scales);
