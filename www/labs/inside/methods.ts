// The six methods that say which pixels speak for a class: how they are written, and where they come from.

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

export const METHODS: Described[] = [
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

export function asking({ method, amount }: Described, value: number | undefined, noise: number): Asking {
  return { method, amount: value ?? amount?.standard ?? 1, noise };
}
