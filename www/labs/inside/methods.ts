// The six methods that say which pixels speak for a class: how they are written, and where they come from.

import type { Layer } from '../../lib/types';
import type { Asking, Method } from '../../worker/inside/protocol';

export type Described = {
  method: Method;
  title: string;
  formula: string;
  about: string;
  source: string;
  /** What of it can be set. */
  amount?: { title: string; standard: number; min: number; max: number; unit: string };
  /** Whether its numbers are positive and negative. */
  signed: boolean;
};

const METHODS: Described[] = [
  {
    method: 'saliency',
    title: 'Saliency',
    formula: 'M = ∂S / ∂x',
    about: 'Which pixel would change the score most, if it changed a little.',
    source: 'Simonyan, Vedaldi, Zisserman 2014, “Deep inside convolutional networks”, section 3',
    signed: true,
  },
  {
    method: 'smooth_grad',
    title: 'SmoothGrad',
    formula: 'M = 1/n Σ ∂S/∂x (x + ε), ε ~ N(0, σ²)',
    about: 'The same, averaged over noisy copies: what flickers falls away.',
    source: 'Smilkov et al. 2017, “SmoothGrad: removing noise by adding noise”',
    amount: { title: 'Copies n', standard: 32, min: 1, max: 128, unit: '' },
    signed: true,
  },
  {
    method: 'guided',
    title: 'Guided backpropagation',
    formula: 'dx = dy · [y > 0] · [dy > 0] at every ReLU',
    about: 'The gradient, where only what helps is let back. Sharp, but it says little about the class.',
    source: 'Springenberg et al. 2015, “Striving for simplicity”, section 3.4',
    signed: true,
  },
  {
    method: 'grad_cam',
    title: 'Grad-CAM',
    formula: 'M = ReLU(Σ αₖ Aᵏ), αₖ = mean of ∂S/∂Aᵏ',
    about: 'Where the last convolution’s maps speak for the class; coarse, because they are.',
    source: 'Selvaraju et al. 2017, “Grad-CAM”, section 3',
    signed: false,
  },
  {
    method: 'occlusion',
    title: 'Occlusion',
    formula: 'M = S(x) − S(x without the square)',
    about: 'What the score loses when a square of paper covers the ink.',
    source: 'Zeiler, Fergus 2014, “Visualizing and understanding convolutional networks”, section 4.2',
    amount: { title: 'Square', standard: 6, min: 1, max: 14, unit: 'px' },
    signed: true,
  },
  {
    method: 'integrated',
    title: 'Integrated gradients',
    formula: 'M = x · ∫₀¹ ∂S/∂x (αx) dα',
    about: 'The gradient along the way from bare paper. Complete: its sum is what the drawing adds to the score.',
    source: 'Sundararajan, Taly, Yan 2017, “Axiomatic attribution for deep networks”',
    amount: { title: 'Steps', standard: 48, min: 1, max: 200, unit: '' },
    signed: true,
  },
];

/** The methods for pictures of these sides: the square that covers them is as large a part of each. */
export function methodsFor([, height, width]: Layer['shape']): Described[] {
  const scale = Math.min(height, width) / 28;
  const scaled = (side: number) => Math.max(1, Math.round(side * scale));
  return METHODS.map((one) =>
    one.method === 'occlusion' && one.amount ? { ...one, amount: { ...one.amount, standard: scaled(one.amount.standard), max: scaled(one.amount.max) } } : one,
  );
}

/** For each pixel the number of the channel in which it counts most. */
export function strongest(map: Float32Array, size: number): Float32Array {
  const found = map.slice(0, size);
  map.forEach((v, i) => Math.abs(v) > Math.abs(found[i % size] ?? 0) && (found[i % size] = v));
  return found;
}

export function asking({ method, amount }: Described, value: number | undefined, noise: number): Asking {
  return { method, amount: value ?? amount?.standard ?? 1, noise };
}
