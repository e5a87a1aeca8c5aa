// Every choice of a training: its name in the address, its words, its bounds and its default. The controls, the address
// and the engine's setup are all made from this one table.

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
  number('data', 'limit', 'Pictures to learn from', 0, 0, 1_000_000, 1, 'Only so many of them; 0 for all. With 300 a network learns them by heart.'),
  word('learning', 'optimiser', 'Optimiser', [
    ['adam', 'Adam'], ['adamw', 'AdamW'], ['sgd', 'SGD'], ['momentum', 'Momentum'], ['nesterov', 'Nesterov'],
    ['adagrad', 'AdaGrad'], ['rmsprop', 'RMSProp'], ['adadelta', 'Adadelta'],
  ], 'How a gradient changes the weights.'),
  number('learning', 'rate', 'Learning rate', 0.002, 0, 100, 'any', 'How far each step goes.'),
  number('learning', 'momentum', 'Momentum', 0.9, 0, 0.9999, 'any', 'The part of the velocity that is kept; Adam’s β₁.', rule('momentum', 'nesterov', 'adam', 'adamw')),
  number('learning', 'smoothing', 'Smoothing', 0.999, 0, 0.99999, 'any', 'The part of the mean of squared gradients that is kept; Adam’s β₂.', rule('adam', 'adamw', 'rmsprop', 'adadelta')),
  number('learning', 'decay', 'Weight decay', 0.01, 0, 10, 'any', 'Shrinks every weight a little at each step.', rule('adamw')),
  word('learning', 'schedule', 'Schedule', [
    ['constant', 'constant'], ['step', 'step'], ['exponential', 'exponential'], ['cosine', 'cosine'], ['onecycle', 'one-cycle'],
  ], 'How the rate goes in the course of the training.'),
  number('learning', 'warmup', 'Warm-up', 0, 0, 0.99, 'any', 'The part of the training in which the rate grows to its peak.'),
  number('learning', 'factor', 'Factor', 0.1, 0.0001, 1, 'any', 'What a step multiplies the rate by; what an exponential ends at.', curve('step', 'exponential')),
  number('learning', 'every', 'Steps fall every', 0.33, 0.001, 1, 'any', 'The part of the training between two falls.', curve('step')),
  number('learning', 'batch', 'Images in a step', 100, 1, 4096, 1, 'Their mean gradient makes the step.'),
  number('learning', 'shard', 'Images in a shard', 13, 1, 4096, 1, 'The piece that one worker computes at a time. Fixed by the setup, so that the number of workers changes no bit.'),
  number('learning', 'steps', 'Steps', 500, 1, 1_000_000, 1, 'Of the whole training.'),
  word('start', 'init', 'First weights', [
    ['he', 'He'], ['he_uniform', 'He, uniform'], ['xavier', 'Xavier'], ['xavier_uniform', 'Xavier, uniform'], ['gaussian', 'Gaussian'],
  ], 'He suits ReLU, Xavier sigmoid and tanh.'),
  number('start', 'sigma', 'σ', 0.01, 0, 10, 'any', 'Standard deviation of the Gaussian.', { when: ({ init }) => init === 'gaussian' }),
  number('start', 'seed', 'Seed', 1, 0, 4_294_967_295, 1, 'Decides the first weights, the order of the pictures, their variations and dropout.'),
  number('regularise', 'l2', 'L2 penalty', 0, 0, 10, 'any', '½ λ Σ w² on the weights: large ones cost.'),
  number('regularise', 'l1', 'L1 penalty', 0, 0, 10, 'any', 'λ Σ |w| on the weights: many become zero.'),
  number('regularise', 'labelSmoothing', 'Label smoothing', 0, 0, 0.99, 'any', 'The part of each target that is spread over all classes.'),
  number('regularise', 'clipNorm', 'Longest gradient', 0, 0, 1e6, 'any', 'A longer one is scaled down to this; 0 for any.'),
  number('regularise', 'clipValue', 'Largest number in a gradient', 0, 0, 1e6, 'any', 'Larger ones are cut off; 0 for any.'),
  number('regularise', 'patience', 'Early stopping after', 0, 0, 1000, 1, 'Validations without a better loss, after which it stops and goes back to the best weights; 0 for never.', { unit: 'validations' }),
  number('regularise', 'average', 'Averaged weights', 0, 0, 0.9999, 'any', 'Decay of a moving average of the weights, which then answers; 0 for none.'),
  number('augment', 'shift', 'Shift', 0, 0, 10, 'any', 'Along each axis, at most.', { unit: 'px' }),
  number('augment', 'rotate', 'Rotate', 0, 0, 180, 'any', 'Either way, at most.', { unit: '°' }),
  number('augment', 'scale', 'Scale', 0, 0, 1, 'any', 'e to the power of up to this.'),
  number('augment', 'shear', 'Shear', 0, 0, 1, 'any', 'Pixels to the side for each pixel of height.'),
  number('augment', 'elastic', 'Elastic', 0, 0, 5, 'any', 'Displacement along each axis, root mean square.', { unit: 'px' }),
  number('augment', 'thickness', 'Thickness', 0, 0, 1, 'any', 'Thicker or thinner lines; 1 is a whole step of dilation or erosion.'),
  number('augment', 'crop', 'Crop', 0, 0, 0.9, 'any', 'The part of each side that is cut away, at most; what is left fills the picture.'),
  number('augment', 'flip', 'Flip', 0, 0, 1, 'any', 'How probably left and right are exchanged. Digits do not stand it.'),
  number('augment', 'brightness', 'Brightness', 0, 0, 1, 'any', 'Added to every pixel, either way, at most.'),
  number('augment', 'contrast', 'Contrast', 0, 0, 2, 'any', 'Around the middle grey: e to the power of up to this.'),
  number('augment', 'noise', 'Noise', 0, 0, 1, 'any', 'Standard deviation on every pixel, at most.'),
  number('augment', 'cutout', 'Cut-out', 0, 0, 100, 'any', 'Side of a square of paper laid somewhere on the picture.', { unit: 'px' }),
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
