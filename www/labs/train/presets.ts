// Trainings to begin with, and those of the sources' tables. Each is a set of choices and a network.

import { activate, layer, NETWORKS, type EditedLayer } from './layers';
import { settingsOf, type Choices } from './choices';

export type Preset = { title: string; about: string; choices: Choices; layers: () => EditedLayer[] };

/** The sources' five-layer perceptron for comparing optimisers, initialisations and overfitting (chapter 6). */
const deepPerceptron = (hidden: number, width = 100) => () => [
  layer('flatten'),
  ...Array.from({ length: hidden }, () => [layer('affine', { out: width }), layer('relu')]).flat(),
  layer('affine', { out: 10 }),
];
const sigmoids = (make: () => EditedLayer[]) => () => activate(make(), 'sigmoid');
const dropped = (make: () => EditedLayer[]) => () =>
  make().flatMap((one) => (one.type === 'relu' ? [one, layer('dropout', { ratio: 0.2 })] : [one]));
const small = NETWORKS.small!.make;
const sgd = (rate: number): Choices => ({ ...settingsOf('sgd'), rate, batch: 128, shard: 16, steps: 2000 });
const overfit: Choices = { ...settingsOf('sgd'), rate: 0.01, limit: 300, batch: 100, shard: 13, steps: 600 };

export const PRESETS: Preset[] = [
  { title: 'Quick start', about: 'a small convnet, Adam, half a minute', choices: {}, layers: small },
  {
    title: 'The deep one',
    about: 'DeepConvNet, Adam, 1,000 steps: 0.98 after “nearly an hour” on the author’s machine',
    choices: { ...settingsOf('adam'), rate: 0.001, steps: 1000 },
    layers: NETWORKS.deep!.make,
  },
  { title: 'Sigmoid, Gaussian σ = 0.01', about: 'the sources’ table: stuck near 0.11', choices: { ...sgd(0.01), init: 'gaussian', sigma: 0.01 }, layers: sigmoids(deepPerceptron(4)) },
  { title: 'ReLU, Gaussian σ = 0.01', about: 'the sources’ table: hardly moves', choices: { ...sgd(0.01), init: 'gaussian', sigma: 0.01 }, layers: deepPerceptron(4) },
  { title: 'Sigmoid, Xavier', about: 'the sources’ table: moves', choices: { ...sgd(0.01), init: 'xavier' }, layers: sigmoids(deepPerceptron(4)) },
  { title: 'ReLU, He', about: 'the sources’ table: ≈ 0.95', choices: { ...sgd(0.01), init: 'he' }, layers: deepPerceptron(4) },
  ...['sgd', 'momentum', 'adagrad', 'adam'].map((optimiser) => ({
    title: `${{ sgd: 'SGD', momentum: 'Momentum', adagrad: 'AdaGrad', adam: 'Adam' }[optimiser]}, 1,000 steps`,
    about: 'the sources compare four optimisers',
    choices: { ...settingsOf(optimiser), rate: { sgd: 0.01, momentum: 0.01, adagrad: 0.01, adam: 0.001 }[optimiser] ?? 0.01, batch: 128, shard: 16, steps: 1000 },
    layers: deepPerceptron(4),
  })),
  { title: 'Overfitting', about: '300 pictures learnt by heart', choices: overfit, layers: deepPerceptron(6) },
  { title: 'Overfitting, with L2', about: 'λ = 0.1 holds the weights back', choices: { ...overfit, l2: 0.1 }, layers: deepPerceptron(6) },
  { title: 'Overfitting, with dropout', about: 'a fifth is dropped', choices: overfit, layers: dropped(deepPerceptron(6)) },
];
