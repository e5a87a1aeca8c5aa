// Every choice of a training: its name in the address, its words, its bounds and its default. The controls, the address
// and the engine's setup are all made from this one table.

import { m } from '../../texts/train';
import { describe, frozenIn, type EditedLayer } from './layers';

type Common = { key: string; group: Group; title: string; help: string; when?: (choices: Choices) => boolean };
export type NumberChoice = Common & {
  kind: 'number';
  value: number;
  min: number;
  max: number;
  /** `any`, or 1 for whole numbers. */
  step: 'any' | 1;
  unit?: string;
};
export type WordChoice = Common & { kind: 'word'; value: string; options: { value: string; title: string }[] };
export type Choice = NumberChoice | WordChoice;
export type Group = 'data' | 'network' | 'learning' | 'start' | 'regularise' | 'augment';
export type Choices = Record<string, number | string>;

const number = (group: Group, key: string, title: string, value: number, min: number, max: number, step: 'any' | 1, help: string, more: Partial<NumberChoice> = {}): NumberChoice =>
  ({ kind: 'number', group, key, title, value, min, max, step, help, ...more });
const word = (group: Group, key: string, title: string, options: [value: string, title: string][], help: string): WordChoice =>
  ({ kind: 'word', group, key, title, value: options[0]?.[0] ?? '', options: options.map(([value, title]) => ({ value, title })), help });

const rule = (...rules: string[]) => ({ when: ({ optimiser }: Choices) => rules.includes(String(optimiser)) });
const curve = (...curves: string[]) => ({ when: ({ schedule }: Choices) => curves.includes(String(schedule)) });

export const CHOICES: Choice[] = [
  number('data', 'limit', m.c_limit(), 0, 0, 1_000_000, 1, m.c_limit_help()),
  word('learning', 'optimiser', m.c_optimiser(), [
    ['adam', 'Adam'], ['adamw', 'AdamW'], ['sgd', 'SGD'], ['momentum', 'Momentum'], ['nesterov', 'Nesterov'],
    ['adagrad', 'AdaGrad'], ['rmsprop', 'RMSProp'], ['adadelta', 'Adadelta'],
  ], m.c_optimiser_help()),
  number('learning', 'rate', m.c_rate(), 0.002, 0, 100, 'any', m.c_rate_help()),
  number('learning', 'momentum', m.c_momentum(), 0.9, 0, 0.9999, 'any', m.c_momentum_help(), rule('momentum', 'nesterov', 'adam', 'adamw')),
  number('learning', 'smoothing', m.c_smoothing(), 0.999, 0, 0.99999, 'any', m.c_smoothing_help(), rule('adam', 'adamw', 'rmsprop', 'adadelta')),
  number('learning', 'decay', m.c_decay(), 0.01, 0, 10, 'any', m.c_decay_help(), rule('adamw')),
  word('learning', 'schedule', m.c_schedule(), [
    ['constant', m.o_constant()], ['step', m.o_step()], ['exponential', m.o_exponential()], ['cosine', m.o_cosine()], ['onecycle', m.o_onecycle()],
  ], m.c_schedule_help()),
  number('learning', 'warmup', m.c_warmup(), 0, 0, 0.99, 'any', m.c_warmup_help()),
  number('learning', 'factor', m.c_factor(), 0.1, 0.0001, 1, 'any', m.c_factor_help(), curve('step', 'exponential')),
  number('learning', 'every', m.c_every(), 0.33, 0.001, 1, 'any', m.c_every_help(), curve('step')),
  number('learning', 'batch', m.c_batch(), 100, 1, 4096, 1, m.c_batch_help()),
  number('learning', 'shard', m.c_shard(), 13, 1, 4096, 1, m.c_shard_help()),
  number('learning', 'steps', m.c_steps(), 500, 1, 1_000_000, 1, m.c_steps_help()),
  word('start', 'init', m.c_init(), [
    ['he', 'He'], ['he_uniform', m.o_he_uniform()], ['xavier', 'Xavier'], ['xavier_uniform', m.o_xavier_uniform()], ['gaussian', m.o_gaussian()],
  ], m.c_init_help()),
  number('start', 'sigma', m.c_sigma(), 0.01, 0, 10, 'any', m.c_sigma_help(), { when: ({ init }) => init === 'gaussian' }),
  number('start', 'seed', m.c_seed(), 1, 0, 4_294_967_295, 1, m.c_seed_help()),
  number('regularise', 'l2', m.c_l2(), 0, 0, 10, 'any', m.c_l2_help()),
  number('regularise', 'l1', m.c_l1(), 0, 0, 10, 'any', m.c_l1_help()),
  number('regularise', 'labelSmoothing', m.c_label_smoothing(), 0, 0, 0.99, 'any', m.c_label_smoothing_help()),
  number('regularise', 'clipNorm', m.c_clip_norm(), 0, 0, 1e6, 'any', m.c_clip_norm_help()),
  number('regularise', 'clipValue', m.c_clip_value(), 0, 0, 1e6, 'any', m.c_clip_value_help()),
  number('regularise', 'patience', m.c_patience(), 0, 0, 1000, 1, m.c_patience_help(), { unit: m.unit_validations() }),
  number('regularise', 'average', m.c_average(), 0, 0, 0.9999, 'any', m.c_average_help()),
  number('augment', 'shift', m.c_shift(), 0, 0, 10, 'any', m.c_shift_help(), { unit: 'px' }),
  number('augment', 'rotate', m.c_rotate(), 0, 0, 180, 'any', m.c_rotate_help(), { unit: '°' }),
  number('augment', 'scale', m.c_scale(), 0, 0, 1, 'any', m.c_scale_help()),
  number('augment', 'shear', m.c_shear(), 0, 0, 1, 'any', m.c_shear_help()),
  number('augment', 'elastic', m.c_elastic(), 0, 0, 5, 'any', m.c_elastic_help(), { unit: 'px' }),
  number('augment', 'thickness', m.c_thickness(), 0, 0, 1, 'any', m.c_thickness_help()),
  number('augment', 'crop', m.c_crop(), 0, 0, 0.9, 'any', m.c_crop_help()),
  number('augment', 'flip', m.c_flip(), 0, 0, 1, 'any', m.c_flip_help()),
  number('augment', 'brightness', m.c_brightness(), 0, 0, 1, 'any', m.c_brightness_help()),
  number('augment', 'contrast', m.c_contrast(), 0, 0, 2, 'any', m.c_contrast_help()),
  number('augment', 'noise', m.c_noise(), 0, 0, 1, 'any', m.c_noise_help()),
  number('augment', 'cutout', m.c_cutout(), 0, 0, 100, 'any', m.c_cutout_help(), { unit: 'px' }),
];

export const DEFAULTS: Choices = Object.fromEntries(CHOICES.map(({ key, value }) => [key, value]));

/** Whether a value is one that this choice can take. */
export function fits(choice: Choice, value: unknown): boolean {
  if (choice.kind === 'word') return choice.options.some((option) => option.value === value);
  return typeof value === 'number' && value >= choice.min && value <= choice.max && (choice.step === 'any' || Number.isInteger(value));
}

/** PyTorch's settings of a rule, and a rate that usually works. */
export function settingsOf(optimiser: string): Choices {
  const rates: Choices = { sgd: 0.1, momentum: 0.05, nesterov: 0.05, adagrad: 0.01, rmsprop: 0.001, adadelta: 1 };
  const smoothing = { rmsprop: 0.99, adadelta: 0.9 }[optimiser] ?? 0.999;
  return { optimiser, rate: rates[optimiser] ?? 0.002, momentum: 0.9, smoothing };
}

/** The choices in the address: those that differ from their defaults and fit. */
export function choicesFrom(query: URLSearchParams): Choices {
  const choices = { ...DEFAULTS };
  for (const choice of CHOICES) {
    const text = query.get(choice.key);
    if (text === null) continue;
    const value = choice.kind === 'number' ? Number(text) : text;
    if (text !== '' && fits(choice, value)) choices[choice.key] = value;
  }
  return choices;
}

/** Writes choices into a query, defaults left out. */
export function choicesInto(query: URLSearchParams, choices: Choices): void {
  for (const { key, value } of CHOICES) {
    if (choices[key] === value || choices[key] === undefined) query.delete(key);
    else query.set(key, String(choices[key]));
  }
}

/** The setup as the engine reads it (`src/systems/experiment/setup.rs`). */
export function setupOf(choices: Choices, layers: EditedLayer[], input: [number, number, number]): string {
  const c = { ...DEFAULTS, ...choices };
  const frozen = frozenIn(layers);
  return JSON.stringify({
    network: JSON.stringify(describe(layers, input)),
    init: c.init,
    sigma: c.sigma,
    options: {
      optimiser: optimiserOf(c),
      rate: c.rate,
      schedule: { curve: c.schedule, warmup: c.warmup, factor: c.factor, every: c.every },
      average: c.average,
      l1: c.l1,
      l2: c.l2,
      clip_norm: c.clipNorm,
      clip_value: c.clipValue,
      patience: c.patience,
      label_smoothing: c.labelSmoothing,
    },
    augment: {
      shift: c.shift, rotate: c.rotate, scale: c.scale, shear: c.shear, elastic_alpha: c.elastic, thickness: c.thickness,
      crop: c.crop, flip: c.flip, brightness: c.brightness, contrast: c.contrast, noise: c.noise, cutout: c.cutout,
    },
    batch: c.batch,
    shard: Math.min(Number(c.shard), Number(c.batch)),
    steps: c.steps,
    limit: c.limit,
    seed: c.seed,
    ...(frozen.length && { freeze: frozen }),
  });
}

function optimiserOf(c: Choices): object {
  const used = (key: string) => CHOICES.find((choice) => choice.key === key)?.when?.(c);
  const settings = ['momentum', 'smoothing', 'decay'].filter(used).map((key) => [key, c[key]]);
  return { rule: c.optimiser, ...Object.fromEntries(settings) };
}
