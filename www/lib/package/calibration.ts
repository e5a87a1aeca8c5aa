// How far an answer is to be believed (Guo et al. 2017): a temperature that makes probabilities honest, and a threshold below
// which an answer is not sure. Both are fitted on examples that the network has not learnt from.

import { HitofudeError } from './errors';
import type { Known } from './metadata';
import type { Prediction } from './types';

/** Scores are divided by the temperature; an answer whose confidence reaches the threshold is sure. */
export type Calibration = { temperature: number; threshold: number };

/** How scores become probabilities: of several numbers the softmax, of one the sigmoid; some networks say them themselves. */
export type Ending = 'softmax' | 'sigmoid' | 'said';

/** Fewer held-out examples say nothing of how sure to be. */
export const ENOUGH = 50;
/** Part of the sure answers that must be right, and part of all that is unsure however good the network. */
const [RIGHT, UNSURE] = [0.95, 0.02];

/** A row of probabilities for each row of scores. */
export function probabilities(scores: Float32Array, classes: number, ending: Ending, temperature: number): Float32Array {
  if (ending === 'said') return scores;
  if (ending === 'sigmoid') return scores.map((score) => 1 / (1 + Math.exp(-score / temperature)));
  const out = new Float32Array(scores.length);
  for (let from = 0; from < scores.length; from += classes) {
    const row = scores.subarray(from, from + classes);
    const most = Math.max(...row);
    const powers = Array.from(row, (score) => Math.exp((score - most) / temperature));
    const sum = powers.reduce((a, b) => a + b);
    powers.forEach((power, i) => (out[from + i] = power / sum));
  }
  return out;
}

/** The most probable class. One number is the probability of yes: class 1, and of no class 0. */
export function best(row: Float32Array): number {
  if (row.length === 1) return Number(row[0]! >= 0.5);
  let most = 0;
  row.forEach((p, i) => (most = p > row[most]! ? i : most));
  return most;
}

/** The probability of a class. */
export const probabilityOf = (row: Float32Array, label: number) => (row.length === 1 ? (label ? row[0]! : 1 - row[0]!) : (row[label] ?? 0));

/** The part of some rows of probabilities that is right, and their mean loss. */
export function judged(rows: Float32Array[], labels: Uint32Array): { accuracy: number; loss: number } {
  const mean = (of: (row: Float32Array, label: number) => number) => rows.reduce((sum, row, i) => sum + of(row, labels[i]!), 0) / rows.length;
  return {
    accuracy: mean((row, label) => Number(best(row) === label)),
    loss: mean((row, label) => -Math.log(Math.max(probabilityOf(row, label), 1e-12))),
  };
}

/** The calibration that held-out examples give; none of too few. */
export function fitted(scores: Float32Array, labels: Uint32Array, ending: Ending): Calibration | null {
  if (labels.length < ENOUGH) return null;
  const classes = scores.length / labels.length;
  const rows = (temperature: number) => cut(probabilities(scores, classes, ending, temperature), classes);
  const temperature = ending === 'said' ? 1 : coolest((temperature) => judged(rows(temperature), labels).loss);
  return { temperature, threshold: threshold(rows(temperature), labels) };
}

/** Rows of a batch. */
export const cut = (values: Float32Array, length: number): Float32Array[] =>
  Array.from({ length: values.length / length }, (_, i) => values.slice(i * length, (i + 1) * length));

/** The temperature of the least loss, by golden-section search over 1/16 … 16. */
function coolest(loss: (temperature: number) => number): number {
  const golden = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [-4, 4];
  while (high - low > 1e-2) {
    const [a, b] = [high - golden * (high - low), low + golden * (high - low)];
    if (loss(2 ** a) < loss(2 ** b)) high = b;
    else low = a;
  }
  return 2 ** ((low + high) / 2);
}

/** The lowest confidence from which on enough answers are right; never so low that no answer is unsure. */
function threshold(rows: Float32Array[], labels: Uint32Array): number {
  const told = rows.map((row, i) => ({ confidence: probabilityOf(row, best(row)), right: best(row) === labels[i] }));
  told.sort((a, b) => b.confidence - a.confidence);
  let [right, lowest] = [0, 1];
  told.forEach((one, i) => {
    right += Number(one.right);
    const whole = told[i + 1]?.confidence !== one.confidence;
    if (whole && right >= RIGHT * (i + 1)) lowest = one.confidence;
  });
  return Math.max(lowest, told[Math.ceil(told.length * (1 - UNSURE)) - 1]!.confidence);
}

/** What a row of probabilities says, as far as is known. */
export function prediction(row: Float32Array, { calibration, names }: Known, ink: Prediction['ink']): Prediction {
  const bad = row.findIndex((p) => !(p >= 0 && p <= 1));
  if (bad >= 0) throw new HitofudeError('value', `this network's answer to this input is no number (class ${bad}: ${row[bad]})`);
  const label = best(row);
  const name = names?.[label];
  const said = { class: label, probabilities: row, ...(name !== undefined && { name }), ...(ink && { ink }) };
  if (!calibration) return { ...said, status: 'unknown' };
  // The engine compares floats.
  return { ...said, status: probabilityOf(row, label) >= Math.fround(calibration.threshold) ? 'sure' : 'unsure' };
}
