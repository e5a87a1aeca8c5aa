// How a game is learnt, as the lab sets it and as the page's address carries it.

import type { Game } from '../../lib/types';
import { fromAddress, toAddress } from '../../ui/address';

/** The engine's settings; the lab passes on what it does not set. */
export type Settings = {
  gamma: number;
  memory: number;
  warmup: number;
  batch: number;
  every: number;
  target: number;
  double: boolean;
  steps: number;
  epsilon: [number, number];
  decay: number;
  options: { optimiser: { rule: string }; rate: number; [more: string]: unknown };
};

export const RULES = ['sgd', 'momentum', 'nesterov', 'adagrad', 'adadelta', 'rmsprop', 'adam', 'adamw'];
export const SEEDS = 2 ** 31;

/** What keeps learning steady, and can be taken away. */
export type Switch = 'double' | 'replay' | 'target';

type Numeric = { key: string; min: number; max: number; get: (of: Settings) => number; set: (of: Settings, to: number) => void };

/** Numbers: their names in the address, and how far they go. */
export const NUMBERS = {
  rate: { key: 'rate', min: 1e-5, max: 1, get: (s) => s.options.rate, set: (s, to) => (s.options.rate = to) },
  gamma: { key: 'gamma', min: 0, max: 1, get: (s) => s.gamma, set: (s, to) => (s.gamma = to) },
  batch: { key: 'batch', min: 1, max: 256, get: (s) => s.batch, set: (s, to) => (s.batch = Math.round(to)) },
  steps: { key: 'n', min: 1, max: 10, get: (s) => s.steps, set: (s, to) => (s.steps = Math.round(to)) },
  least: { key: 'eps', min: 0, max: 1, get: (s) => s.epsilon[1], set: (s, to) => (s.epsilon[1] = to) },
  decay: { key: 'decay', min: 1, max: 1e6, get: (s) => s.decay, set: (s, to) => (s.decay = Math.round(to)) },
} as const satisfies Record<string, Numeric>;
export type NumberName = keyof typeof NUMBERS;

const SWITCHES: Switch[] = ['double', 'replay', 'target'];
const names = Object.keys(NUMBERS) as NumberName[];

export const standardOf = (game: Game) => JSON.parse(game.settings) as Settings;

/** Whether a part is in use. */
export function isOn(settings: Settings, part: Switch): boolean {
  if (part === 'double') return settings.double;
  return part === 'replay' ? settings.memory > 1 : settings.target > 0;
}

/** The settings with a part in use or not. */
export function switched(settings: Settings, standard: Settings, part: Switch, on: boolean): Settings {
  if (part === 'double') return { ...settings, double: on };
  return part === 'replay' ? { ...settings, memory: on ? standard.memory : 1 } : { ...settings, target: on ? standard.target : 0 };
}

export function changed(settings: Settings, name: NumberName, to: number): Settings {
  const next = structuredClone(settings);
  const { min, max, set } = NUMBERS[name];
  set(next, Math.min(max, Math.max(min, to)));
  return next;
}

/**
 * Without a target network, one step of reward at a time, with steps far too long: as found by trying, Catch then comes to
 * values beyond all bounds within 40 steps of learning (seven of the seeds 1 to 8), and Breakout after about a hundred (three of
 * three).
 */
export function unsettled(game: Game): Settings {
  const { rule, rate } = game.name === 'catch' ? { rule: 'momentum', rate: 0.5 } : { rule: 'sgd', rate: 0.05 };
  const standard = standardOf(game);
  return changed(ruled({ ...standard, target: 0, steps: 1 }, rule), 'rate', rate);
}

export const ruled = (settings: Settings, rule: string): Settings => ({ ...settings, options: { ...settings.options, optimiser: { rule } } });

/** The settings that the address asks for, the rest as they begin, and the seed. */
export function fromLink(standard: Settings): { settings: Settings; seed: number } {
  const query = new URLSearchParams(location.search);
  let settings = structuredClone(standard);
  for (const part of SWITCHES) {
    const asked = fromAddress(part, ['0', '1']);
    if (asked) settings = switched(settings, standard, part, asked === '1');
  }
  for (const name of names) {
    const { key, min, max } = NUMBERS[name];
    const value = Number(query.get(key) ?? NaN);
    if (value >= min && value <= max) settings = changed(settings, name, value);
  }
  const rule = fromAddress('by', RULES);
  if (rule) settings = ruled(settings, rule);
  const seed = Number(query.get('seed') ?? NaN);
  return { settings, seed: Number.isInteger(seed) && seed >= 0 && seed < SEEDS ? seed : 1 };
}

let waiting: ReturnType<typeof setTimeout> | undefined;

/** Writes what decides the run into the address, once it stays as it is; what a game begins with stays out of it. */
export function toLink(game: string, first: string, settings: Settings, standard: Settings, seed: number): void {
  clearTimeout(waiting);
  // Browsers refuse an address that changes with every move of a slider.
  waiting = setTimeout(() => {
    toAddress('game', game === first ? null : game);
    toAddress('seed', seed === 1 ? null : String(seed));
    for (const part of SWITCHES) {
      const on = isOn(settings, part);
      toAddress(part, on === isOn(standard, part) ? null : String(Number(on)));
    }
    for (const name of names) {
      const { key, get } = NUMBERS[name];
      toAddress(key, get(settings) === get(standard) ? null : String(get(settings)));
    }
    const { rule } = settings.options.optimiser;
    toAddress('by', rule === standard.options.optimiser.rule ? null : rule);
  }, 250);
}

/** What says whether two runs are the same one. */
export const runOf = (settings: Settings, seed: number) => JSON.stringify([seed, settings]);
