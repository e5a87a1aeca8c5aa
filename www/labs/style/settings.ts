// How a painting is made, as the lab sets it and as the page's address carries it.

import type { PaintingOptions } from '../../lib/types';
import { m } from '../../texts/style';
import { fromAddress, toAddress } from '../../ui/address';

export type Settings = Omit<PaintingOptions, 'width' | 'height'> & {
  /** The longer side of the painting, in pixels. */
  size: number;
  /** Steps at each size, from coarse to fine. */
  steps: number;
};

export const SIZES = [128, 192, 256, 384, 512];

/** What changes a painting that is under way; anything else begins it anew. */
export const LIVE: ReadonlySet<keyof Settings> = new Set<keyof Settings>([
  'contentLayers', 'styleLayers', 'contentWeight', 'styleWeight', 'variation', 'rate', 'keepColours', 'styleScale', 'steps',
]);

type Range = { key: string; min: number; max: number };

/** Numbers: their names in the address, and how far they go. */
export const NUMBERS = {
  size: { key: 'size', min: 32, max: 512 },
  steps: { key: 'steps', min: 10, max: 300 },
  contentWeight: { key: 'cw', min: 0.001, max: 1000 },
  styleWeight: { key: 'sw', min: 0.01, max: 1e5 },
  variation: { key: 'tv', min: 0.001, max: 1000 },
  rate: { key: 'rate', min: 0.001, max: 0.1 },
  styleScale: { key: 'scale', min: 0.25, max: 2 },
  seed: { key: 'seed', min: 0, max: 2 ** 32 },
} as const satisfies Partial<Record<keyof Settings, Range>>;

/** Choices among words. */
export const WORDS = {
  optimiser: { key: 'by', options: [{ value: 'lbfgs', title: () => 'L-BFGS' }, { value: 'adam', title: () => 'Adam' }] },
  start: { key: 'start', options: [{ value: 'content', title: m.content }, { value: 'noise', title: m.from_noise }, { value: 'style', title: m.style }] },
  keepColours: { key: 'colours', options: [{ value: 'no', title: m.colours_style }, { value: 'luminance', title: m.colours_luminance }, { value: 'histogram', title: m.colours_matched }] },
} as const satisfies Partial<Record<keyof Settings, { key: string; options: readonly { value: string; title: () => string }[] }>>;

const LAYERS = { contentLayers: 'cl', styleLayers: 'sl' } as const;

type NumberName = keyof typeof NUMBERS;
type WordName = keyof typeof WORDS;

const names = <T extends object>(table: T) => Object.keys(table) as (keyof T)[];

/** What the engine begins with. */
export function standard(defaults: PaintingOptions): Settings {
  const { width: _w, height: _h, ...rest } = defaults;
  return { ...rest, contentLayers: {}, styleLayers: {}, size: 256, steps: 60 };
}

/** The settings that the address asks for, the rest as they begin. What does not fit is left out. */
export function fromLink(begin: Settings): Settings {
  const query = new URLSearchParams(location.search);
  const settings: Settings = { ...begin };
  for (const name of names(NUMBERS)) {
    const { key, min, max }: Range = NUMBERS[name];
    const value = Number(query.get(key) ?? NaN);
    if (value === 0 && name.endsWith('Weight')) settings[name] = 0;
    if (value >= min && value <= max) settings[name] = value;
  }
  settings.size = Math.round(settings.size);
  settings.steps = Math.round(settings.steps);
  settings.seed = Math.round(settings.seed);
  for (const name of names(WORDS)) {
    const known = WORDS[name].options.map(({ value }) => value) as string[];
    const value = fromAddress(WORDS[name].key, known);
    if (value) Object.assign(settings, { [name]: value });
  }
  for (const name of names(LAYERS)) settings[name] = layersIn(query.get(LAYERS[name]) ?? '');
  return settings;
}

let waiting: ReturnType<typeof setTimeout> | undefined;

/** Writes the settings into the address, once they stay as they are; what the lab begins with stays out of it. */
export function toLink(settings: Settings, begin: Settings): void {
  clearTimeout(waiting);
  // Browsers refuse an address that changes with every move of a slider.
  waiting = setTimeout(() => {
    for (const name of [...names(NUMBERS), ...names(WORDS)]) {
      const key = name in NUMBERS ? NUMBERS[name as NumberName].key : WORDS[name as WordName].key;
      toAddress(key, settings[name] === begin[name] ? null : String(settings[name]));
    }
    for (const name of names(LAYERS)) {
      const layers = Object.entries(settings[name]).filter(([, weight]) => weight > 0);
      toAddress(LAYERS[name], layers.length ? layers.map(([layer, weight]) => `${layer}:${weight}`).join(',') : null);
    }
  }, 250);
}

/** Whether the address asks for anything that a painting depends on. */
export function linked(): boolean {
  const query = new URLSearchParams(location.search);
  const keys = ['content', 'style', 'eye', ...[NUMBERS, WORDS].flatMap((table) => Object.values(table).map(({ key }) => key)), ...Object.values(LAYERS)];
  return keys.some((key) => query.has(key));
}

function layersIn(text: string): Record<string, number> {
  const pairs = text.split(',').map((part) => part.split(':'));
  return Object.fromEntries(pairs.flatMap(([name, weight]) => (name && Number(weight) >= 0 && Number(weight) <= 100 ? [[name, Number(weight)]] : [])));
}

/** The painting's width and height: the content's shape, the longer side as set, the shorter one at least the engine's 32. */
export function sizeOf(content: { width: number; height: number }, longer: number): { width: number; height: number } {
  const scale = longer / Math.max(content.width, content.height);
  const side = (pixels: number) => Math.max(32, Math.round(pixels * scale));
  return { width: side(content.width), height: side(content.height) };
}
