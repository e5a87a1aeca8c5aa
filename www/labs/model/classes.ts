// What a model's classes are called, and which of them it answers.

import { m } from '../../texts/model';

/** The longest name of a class, in letters, and the most names. */
const MOST = { letters: 200, names: 100_000 };

/**
 * The names in a file: a line each, or JSON (a list, an object from numbers as `id2label` has them, or one to numbers as Keras
 * writes it). Null where it is anything else: another file that happens to be text.
 */
export function readClasses(text: string): string[] | null {
  const trimmed = text.replace(/^\uFEFF/, '').trim();
  const names = /^[[{]/.test(trimmed) ? fromJson(trimmed) : fromLines(trimmed);
  const sound = (name: string) => name.length > 0 && name.length <= MOST.letters && !/[\u0000-\u0008\u000e-\u001f\ufffd]/.test(name);
  return names?.length && names.length <= MOST.names && names.every(sound) ? names : null;
}

function fromLines(text: string): string[] | null {
  // A page of markup, which a failed download leaves.
  if (text.startsWith('<')) return null;
  return text.split(/\r?\n/).map((line) => line.trim()).filter(Boolean);
}

function fromJson(text: string): string[] | null {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return null;
  }
  if (found && typeof found === 'object' && 'id2label' in found) found = found.id2label;
  if (Array.isArray(found)) return named(found);
  if (!found || typeof found !== 'object') return null;
  const pairs = Object.entries(found);
  const numbered = (numbers: unknown[]) => new Set(numbers).size === pairs.length && numbers.every((n) => Number.isInteger(n) && (n as number) >= 0 && (n as number) < pairs.length);
  if (numbered(pairs.map(([key]) => (/^\d+$/.test(key) ? Number(key) : NaN)))) return named(pairs.sort(([a], [b]) => Number(a) - Number(b)).map(([, name]) => name));
  if (numbered(Object.values(found))) return pairs.sort(([, a], [, b]) => (a as number) - (b as number)).map(([name]) => name.trim());
  return null;
}

/** Names, or lists that end with one (`["n01440764", "tench"]`). */
function named(list: unknown[]): string[] | null {
  const names = list.map((one) => (Array.isArray(one) ? one.at(-1) : one));
  return names.every((name) => typeof name === 'string') ? names.map((name) => name.trim()) : null;
}

/** What a class is called: by its name, or by its number where there is none. */
export function called(place: number, many: number, names: string[]): string {
  return names[place] ?? (many === 10 ? String(place) : m.class_number({ number: String(place) }));
}

/** The probability of each number of an answer: the softmax, unless the model's last step has made probabilities already. */
export function probabilities(scores: Float32Array, last = ''): Float32Array {
  if (/sigmoid$/i.test(last)) return scores;
  const sum = scores.reduce((a, b) => a + b, 0);
  if (scores.every((v) => v >= 0 && v <= 1.0001) && Math.abs(sum - 1) < 1e-3) return scores;
  const most = scores.reduce((a, b) => Math.max(a, b), -Infinity);
  const powers = scores.map((score) => Math.exp(score - most));
  const all = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / all);
}

/** The most probable classes, the best first. */
export function best(shares: Float32Array, many: number): { place: number; share: number }[] {
  return Array.from(shares, (share, place) => ({ place, share }))
    .sort((a, b) => b.share - a.share)
    .slice(0, many);
}
