// Trainings to begin with: quick ones, and the sources' experiments as `npm run reproduce` has them. Each is a set of
// choices and a network.

import type { Preset as Experiment } from '../../lib/types';
import { percent } from '../../ui/format';
import { settingsOf, type Choices } from './choices';
import { edited, NETWORKS, type EditedLayer } from './layers';

export type Preset = { title: string; about: string; choices: Choices; layers: () => EditedLayer[] };

const QUICK: Preset = { title: 'Quick start', about: 'a small convnet, Adam, half a minute', choices: {}, layers: NETWORKS.small!.make };

/** The recipe `fast` of `hitofude train`, in as many steps: 55,000 images, as that keeps 5,000 of MNIST's 60,000 to choose by. */
const ONE_EPOCH: Preset = {
  title: '99 % in one epoch',
  about: '1,719 steps of 32 pictures: batch normalisation, a one-cycle rate, averaged weights; meant for MNIST',
  choices: {
    ...settingsOf('adam'), rate: 0.01, schedule: 'onecycle', warmup: 0.2, average: 0.98, labelSmoothing: 0.1, batch: 32, shard: 32,
    steps: 1719,
  },
  layers: NETWORKS.fast!.make,
};

/** The quick ones and these experiments, which are meant for MNIST. */
export function presetsOf(experiments: Experiment[]): Preset[] {
  return [QUICK, ONE_EPOCH, ...experiments.map(presetOf)];
}

function presetOf({ name, about, network, start, options, batch, steps, trainImages, theirs }: Experiment): Preset {
  const { optimiser, rate, l2 } = options;
  const { rule, momentum, smoothing, decay } = optimiser;
  // A limit that takes all of MNIST is none, so that other pictures are used whole, too.
  const limit = trainImages < 60_000 ? trainImages : 0;
  const choices = { ...settingsOf(rule), rate, momentum, smoothing, decay, l2, init: start, sigma: 0.01, batch, shard: 25, steps, limit };
  return { title: name, about: about + (theirs ? `; theirs: ${percent(theirs.test)}` : ''), choices, layers: () => edited(network) ?? [] };
}
