// The six methods that say which pixels speak for a class: how they are written, and where they come from.

import type { Layer } from '../../lib/types';
import { m } from '../../texts/inside';
import type { Asking, Method } from '../../worker/inside/protocol';

export type Described = {
  method: Method;
  title: string;
  formula: string;
  about: string;
  source: string;
  /** What of it can be set. */
  amount?: { title: string; standard: number; min: number; max: number; unit: string };
};

const METHODS: Described[] = [
  {
    method: 'saliency',
    title: m.saliency(),
    formula: 'M = ∂S / ∂x',
    about: m.saliency_about(),
    source: 'Simonyan, Vedaldi, Zisserman 2014, “Deep inside convolutional networks”, § 3',
  },
  {
    method: 'smooth_grad',
    title: 'SmoothGrad',
    formula: 'M = 1/n Σ ∂S/∂x (x + ε), ε ~ N(0, σ²)',
    about: m.smooth_grad_about(),
    source: 'Smilkov et al. 2017, “SmoothGrad: removing noise by adding noise”',
    amount: { title: m.copies(), standard: 32, min: 1, max: 128, unit: '' },
  },
  {
    method: 'guided',
    title: m.guided(),
    formula: m.guided_formula(),
    about: m.guided_about(),
    source: 'Springenberg et al. 2015, “Striving for simplicity”, § 3.4',
  },
  {
    method: 'grad_cam',
    title: 'Grad-CAM',
    formula: 'M = ReLU(Σₖ αₖ Aᵏ), αₖ = 1/Z Σᵢⱼ ∂S/∂Aᵏᵢⱼ',
    about: m.grad_cam_about(),
    source: 'Selvaraju et al. 2017, “Grad-CAM”, § 3',
  },
  {
    method: 'occlusion',
    title: m.occlusion(),
    formula: m.occlusion_formula(),
    about: m.occlusion_about(),
    source: 'Zeiler, Fergus 2014, “Visualizing and understanding convolutional networks”, § 4.2',
    amount: { title: m.square(), standard: 6, min: 1, max: 14, unit: 'px' },
  },
  {
    method: 'integrated',
    title: m.integrated(),
    formula: 'M = x · ∫₀¹ ∂S/∂x (αx) dα',
    about: m.integrated_about(),
    source: 'Sundararajan, Taly, Yan 2017, “Axiomatic attribution for deep networks”',
    amount: { title: m.intervals(), standard: 48, min: 1, max: 200, unit: '' },
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
