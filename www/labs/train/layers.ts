// The network as the editor has it: a list of layers, their names made from their places; and its form in the address.

import type { LayerKind } from '../../lib/types';
import { m } from '../../texts/train';

/**
 * A layer of the list. `from` names, by their ids, the layers that one with several inputs reads beside the one before. A
 * `frozen` one keeps the weights that it begins with.
 */
export type EditedLayer = { id: number; type: string; options: Record<string, number | boolean>; from: number[]; frozen?: boolean };

let last = 0;

export function layer(type: string, options: Record<string, number | boolean> = {}, from: number[] = []): EditedLayer {
  return { id: ++last, type, options, from };
}

/** The word that the sources use for a type in a layer's name. */
const SHORT: Record<string, string> = {
  max_pool: 'pool', average_pool: 'pool', global_average_pool: 'pool', batch_norm: 'norm', layer_norm: 'norm',
  instance_norm: 'norm', group_norm: 'norm',
};

/** A name for each layer: its type and how many of that type came before. */
export function namesOf(layers: EditedLayer[]): string[] {
  const seen = new Map<string, number>();
  return layers.map(({ type }) => {
    const word = SHORT[type] ?? type;
    const n = (seen.get(word) ?? 0) + 1;
    seen.set(word, n);
    return `${word}${n}`;
  });
}

/** The names of the layers whose weights stay as they are. */
export function frozenIn(layers: EditedLayer[]): string[] {
  const names = namesOf(layers);
  return layers.flatMap((one, i) => (one.frozen ? [names[i] as string] : []));
}

/** The list with nothing frozen. */
export function thawed(layers: EditedLayer[]): EditedLayer[] {
  return layers.map(({ frozen: _, ...one }) => one);
}

/** The list as the engine reads it. */
export function describe(layers: EditedLayer[], input: [number, number, number]): object {
  const names = namesOf(layers);
  return {
    input,
    layers: layers.map(({ type, options, from }, i) => {
      const before = i === 0 ? 'input' : (names[i - 1] as string);
      const others = from.map((id) => names[layers.findIndex((one) => one.id === id)]).filter((name) => name !== undefined);
      return { name: names[i], type, ...options, ...(from.length && { inputs: [before, ...others] }) };
    }),
  };
}

type Described = { name: string; type: string; inputs?: string[] } & Record<string, unknown>;

/** A list from the engine's JSON; null where a layer does not read the one before it, or has a window that is no square. */
export function edited(network: string): EditedLayer[] | null {
  const { layers, output, auxiliary } = JSON.parse(network) as { layers: Described[]; output?: string; auxiliary?: object };
  if (output || auxiliary) return null;
  const ids = new Map<string, number>();
  const list: EditedLayer[] = [];
  for (const [i, { name, type, inputs, ...options }] of layers.entries()) {
    const before = i === 0 ? 'input' : (layers[i - 1]?.name as string);
    const others = (inputs ?? [before]).filter((input) => input !== before).map((input) => ids.get(input));
    const plain = Object.values(options).every((value) => typeof value === 'number' || typeof value === 'boolean');
    if (!plain || (inputs && !inputs.includes(before)) || others.includes(undefined)) return null;
    const one = layer(type, options as EditedLayer['options'], others as number[]);
    ids.set(name, one.id);
    list.push(one);
  }
  return list;
}

/** A short form for the address: `conv!-out16-kernel3-pad1*relu*add@2`, where `!` is frozen and `@2` the second layer. */
export function encode(layers: EditedLayer[]): string {
  return layers
    .map(({ type, options, from, frozen }) => {
      const set = Object.entries(options).map(([name, value]) => `-${name}${Number(value)}`);
      const others = from.map((id) => `@${layers.findIndex((one) => one.id === id) + 1}`);
      return type + (frozen ? '!' : '') + set.join('') + others.join('');
    })
    .join('*');
}

/** Reads the short form; null where it is none, or names a type or an option that there is not. */
export function decode(text: string, kinds: LayerKind[]): EditedLayer[] | null {
  const layers: EditedLayer[] = [];
  const references: [layer: EditedLayer, place: number][] = [];
  for (const part of text.split('*').slice(0, 200)) {
    const [own = '', ...others] = part.split('@');
    const [called = '', ...settings] = own.split('-');
    const [type, frozen] = called.endsWith('!') ? [called.slice(0, -1), true] : [called, false];
    const kind = kinds.find(({ name }) => name === type);
    if (!kind) return null;
    const options: Record<string, number | boolean> = {};
    for (const setting of settings) {
      const [, name = '', value = ''] = setting.match(/^([a-z_]+)(\d[\d.]*)$/) ?? [];
      const option = kind.options.find((one) => one.name === name);
      if (!option || !Number.isFinite(Number(value))) return null;
      options[name] = typeof option.default === 'boolean' ? value === '1' : Number(value);
    }
    const made = { ...layer(type, options), ...(frozen && { frozen }) };
    layers.push(made);
    others.forEach((place) => references.push([made, Number(place) - 1]));
  }
  for (const [reader, place] of references) {
    const source = layers[place];
    if (!source) return null;
    reader.from.push(source.id);
  }
  return layers;
}

/** Types of layers that have weights of their own. */
const WEIGHTS = ['conv', 'affine', 'conv_transpose', 'conv3d'];

/** Puts a normalisation behind every layer with weights but the last, or takes all of them away with `none`. */
export function normalise(layers: EditedLayer[], type: string): EditedLayer[] {
  const plain = layers.filter((one) => !one.type.endsWith('_norm'));
  if (type === 'none') return plain;
  const weighty = plain.filter((one) => WEIGHTS.includes(one.type));
  const end = weighty.at(-1);
  return plain.flatMap((one) => (WEIGHTS.includes(one.type) && one !== end ? [one, layer(type)] : [one]));
}

/** The list with as many scores at its end as there are classes, where its last layer with a number of outputs decides that. */
export function fitted(layers: EditedLayer[], classes: number): EditedLayer[] {
  const end = layers.findLastIndex(({ type }) => WEIGHTS.includes(type));
  const own = layers[end];
  if (!own || own.options.out === classes || typeof own.options.out !== 'number') return layers;
  return layers.with(end, { ...own, options: { ...own.options, out: classes } });
}

/** The normalisation that a list has, if it has one. */
export function normalisationOf(layers: EditedLayer[]): string {
  return layers.find(({ type }) => type.endsWith('_norm'))?.type ?? 'none';
}

/** Puts this activation in the place of every other one. */
export function activate(layers: EditedLayer[], type: string): EditedLayer[] {
  return layers.map((one) => (['relu', 'sigmoid', 'tanh'].includes(one.type) ? { ...one, type, options: {} } : one));
}

const conv = (out: number, kernel: number, pad = 0) => layer('conv', { out, kernel, ...(pad && { pad }) });
const pool = () => layer('max_pool', { kernel: 2, stride: 2 });

/** Networks to begin with. */
export const NETWORKS: Record<string, { title: string; about: string; make: () => EditedLayer[] }> = {
  small: {
    title: m.n_small(),
    about: m.n_small_about(),
    make: () => [
      conv(8, 3, 1), layer('relu'), pool(), conv(16, 3, 1), layer('relu'), pool(), layer('flatten'),
      layer('affine', { out: 32 }), layer('relu'), layer('affine', { out: 10 }),
    ],
  },
  fast: {
    title: m.n_fast(),
    about: m.n_fast_about(),
    make: () => [
      layer('conv', { out: 24, kernel: 5, stride: 2 }), layer('relu'),
      // A normalisation takes away what a bias before it adds.
      layer('conv', { out: 24, kernel: 3, pad: 1, bias: false }), pool(), layer('batch_norm'), layer('relu'),
      layer('conv', { out: 48, kernel: 3, bias: false }), layer('batch_norm'), layer('relu'), layer('flatten'),
      layer('affine', { out: 128, bias: false }), layer('batch_norm'), layer('relu'),
      layer('affine', { out: 10 }),
    ],
  },
  simple: {
    title: m.n_simple(),
    about: m.n_simple_about(),
    make: () => [
      conv(30, 5), layer('relu'), pool(), layer('flatten'), layer('affine', { out: 100 }), layer('relu'),
      layer('affine', { out: 10 }),
    ],
  },
  deep: {
    title: m.n_deep(),
    about: m.n_deep_about(),
    make: () => [
      conv(16, 3, 1), layer('relu'), conv(16, 3, 1), layer('relu'), pool(),
      conv(32, 3, 1), layer('relu'), conv(32, 3, 2), layer('relu'), pool(),
      conv(64, 3, 1), layer('relu'), conv(64, 3, 1), layer('relu'), pool(),
      layer('flatten'), layer('affine', { out: 50 }), layer('relu'), layer('dropout', { ratio: 0.5 }),
      layer('affine', { out: 10 }), layer('dropout', { ratio: 0.5 }),
    ],
  },
  perceptron: {
    title: m.n_perceptron(),
    about: m.n_perceptron_about(),
    make: () => [layer('flatten'), layer('affine', { out: 50 }), layer('relu'), layer('affine', { out: 10 })],
  },
};
