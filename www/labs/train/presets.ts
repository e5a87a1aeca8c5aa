// Trainings to begin with: quick ones, and the sources' experiments as `npm run reproduce` has them. Each is a set of
// choices and a network.

import type { Preset as Experiment } from '../../lib/types';
import { m } from '../../texts/train';
import { percent } from '../../ui/format';
import { settingsOf, type Choices } from './choices';
import { edited, NETWORKS, type EditedLayer } from './layers';

export type Preset = { title: string; about: string; /** Whether it is meant for MNIST. */ mnist: boolean; choices: Choices; layers: () => EditedLayer[] };

const QUICK: Preset = { title: m.p_quick(), about: m.p_quick_about(), mnist: false, choices: {}, layers: NETWORKS.small!.make };

/** The recipe `fast` of `hitofude train`, in as many steps: 55,000 images, as that keeps 5,000 of MNIST's 60,000 to choose by. */
const ONE_EPOCH: Preset = {
  title: m.p_epoch(),
  about: m.p_epoch_about(),
  mnist: true,
  choices: {
    ...settingsOf('adam'), rate: 0.01, schedule: 'onecycle', warmup: 0.2, average: 0.98, labelSmoothing: 0.1, batch: 32, shard: 32,
    steps: 1719,
  },
  layers: NETWORKS.fast!.make,
};

/** The experiments in the page's language; the engine names them in English. */
const WORDS: Record<string, { title: string; about: string }> = {
  'sigmoid, Gaussian': { title: m.p_sigmoid_gaussian(), about: m.p_sigmoid_gaussian_about() },
  'relu, Gaussian': { title: m.p_relu_gaussian(), about: m.p_relu_gaussian_about() },
  'sigmoid, Xavier': { title: m.p_sigmoid_xavier(), about: m.p_sigmoid_xavier_about() },
  'relu, He': { title: m.p_relu_he(), about: m.p_relu_he_about() },
  'relu, Xavier': { title: m.p_relu_xavier(), about: m.p_relu_xavier_about() },
  momentum: { title: m.p_momentum(), about: m.p_momentum_about() },
  adagrad: { title: m.p_adagrad(), about: m.p_adagrad_about() },
  rmsprop: { title: m.p_rmsprop(), about: m.p_rmsprop_about() },
  adam: { title: m.p_adam(), about: m.p_adam_about() },
  'adam, batch norm': { title: m.p_adam_norm(), about: m.p_adam_norm_about() },
  overfitting: { title: m.p_overfit(), about: m.p_overfit_about() },
  'overfitting, L2': { title: m.p_overfit_l2(), about: m.p_overfit_l2_about() },
  'overfitting, dropout': { title: m.p_overfit_dropout(), about: m.p_overfit_dropout_about() },
  'overfitting, L2 and dropout': { title: m.p_overfit_both(), about: m.p_overfit_both_about() },
  deep: { title: m.p_deep(), about: m.p_deep_about() },
};

/** The quick ones and these experiments, which are meant for MNIST. */
export function presetsOf(experiments: Experiment[]): Preset[] {
  return [QUICK, ONE_EPOCH, ...experiments.map(presetOf)];
}

function presetOf({ name, about, network, start, options, batch, steps, trainImages, theirs }: Experiment): Preset {
  const { rule, momentum, smoothing, decay } = options.optimiser;
  // The engine's numbers have 32 bits: 0.1 comes as 0.10000000149, and is 0.1 again where it goes back.
  const plain = (value: number) => Number(value.toPrecision(7));
  const [rate, l2] = [options.rate, options.l2].map(plain) as [number, number];
  // A limit that takes all of MNIST is none, so that other pictures are used whole, too.
  const limit = trainImages < 60_000 ? trainImages : 0;
  const choices = { ...settingsOf(rule), rate, momentum: plain(momentum), smoothing: plain(smoothing), decay: plain(decay), l2, init: start, sigma: 0.01, batch, shard: 25, steps, limit };
  const said = WORDS[name] ?? { title: name, about };
  return { title: said.title, about: theirs ? m.p_theirs({ about: said.about, share: percent(theirs.test) }) : said.about, mnist: true, choices, layers: () => edited(network) ?? [] };
}
