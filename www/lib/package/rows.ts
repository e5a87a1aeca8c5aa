// Rows of numbers, one for each picture.

import type { Prediction } from './types';

export function answer(probabilities: Float32Array, status: 'sure' | 'unsure'): Prediction {
  // One number is the probability of yes: class 1, and of no class 0.
  if (probabilities.length === 1) return { class: Number(probabilities[0]! >= 0.5), probabilities, status };
  let best = 0;
  probabilities.forEach((p, i) => (best = p > probabilities[best]! ? i : best));
  return { class: best, probabilities, status };
}

export function joined(images: Float32Array[]): Float32Array {
  const size = images[0]?.length ?? 0;
  const all = new Float32Array(images.length * size);
  images.forEach((image, i) => all.set(image, i * size));
  return all;
}

/** The part of the labels that was found, and the mean loss. */
export function scored(found: Prediction[], labels: number[]): { accuracy: number; loss: number } {
  const of = ({ probabilities }: Prediction, label: number) =>
    probabilities.length === 1 ? (label ? probabilities[0]! : 1 - probabilities[0]!) : (probabilities[label] ?? 0);
  const sum = (of: (p: Prediction, label: number) => number) => found.reduce((all, p, i) => all + of(p, labels[i]!), 0);
  return {
    accuracy: sum((p, label) => Number(p.class === label)) / found.length,
    loss: sum((p, label) => -Math.log(Math.max(of(p, label), 1e-12))) / found.length,
  };
}
