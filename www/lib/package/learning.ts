// The options of a training, and the order in which examples are seen.

import { HitofudeError, json, optional } from './errors';
import type { FitOptions, LayerInfo } from './types';

const BATCH = 32;
const EPOCHS = 10;
const MOST = Number.MAX_SAFE_INTEGER;

/** Options that are fine so far; those of the engine it looks at itself, before anything changes. */
export function settings(options: FitOptions) {
  const { epochs = EPOCHS, batch = BATCH, seed = 1, signal, validation, ...training } = optional(options);
  whole('epochs', epochs, 1);
  whole('batch', batch, 1);
  whole('seed', seed, 0);
  return { epochs, batch, seed, signal, validation, training: json('these options', plain(training)) };
}

export function whole(what: string, value: unknown, least: number, most = MOST): void {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return;
  const range = `from ${least} ${most === MOST ? 'on' : `to ${most}`}`;
  throw new HitofudeError('value', `${what}: a whole number ${range} was expected; got ${shown(value)}`);
}

/** What somebody handed in, in a message. */
export const shown = (value: unknown) => (typeof value === 'number' ? value : value === null ? 'null' : typeof value);

/** 0 to n − 1, shuffled by a seed (Fisher and Yates; numbers by mulberry32). */
export function shuffled(n: number, seed: number): number[] {
  let state = seed >>> 0;
  const random = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** The engine's names for the options of a training (train/options.rs). */
function plain({ optimiser, schedule, labelSmoothing, clipNorm, ...rest }: Omit<FitOptions, 'epochs' | 'batch' | 'seed' | 'signal' | 'validation'>) {
  return {
    ...rest,
    ...(optimiser && { optimiser: { rule: optimiser } }),
    ...(schedule && { schedule: { curve: schedule } }),
    ...(labelSmoothing !== undefined && { label_smoothing: labelSmoothing }),
    ...(clipNorm !== undefined && { clip_norm: clipNorm }),
  };
}

/** The names of the layers with weights that are frozen, but for the last, which begins anew. */
export function frozenBut(layers: LayerInfo[], frozen: string[]): string[] {
  const last = layers.findLast(({ kind }) => kind === 'affine' || kind === 'conv');
  const named = ({ name }: LayerInfo) => frozen.some((part) => (part.endsWith('*') ? name.startsWith(part.slice(0, -1)) : name === part));
  return layers.filter((layer) => layer !== last && layer.parameters > 0 && named(layer)).map(({ name }) => name);
}

/** Numbers behind each other. */
export function joined(images: Float32Array[]): Float32Array {
  const all = new Float32Array(images.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const image of images) {
    all.set(image, at);
    at += image.length;
  }
  return all;
}
