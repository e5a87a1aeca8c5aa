// What a model's classes are called, and which of them it answers.

/** The names in a file: a line each, or JSON, a list or an object from numbers (as `id2label` has them). */
export function readClasses(text: string): string[] {
  const trimmed = text.trim();
  if (trimmed.startsWith('[') || trimmed.startsWith('{')) {
    const found: unknown = JSON.parse(trimmed);
    const inner = found && typeof found === 'object' && 'id2label' in found ? found.id2label : found;
    const names = Object.values(inner as object).map((name) => (Array.isArray(name) ? String(name.at(-1)) : String(name)));
    if (names.length) return names;
  }
  const lines = trimmed.split(/\r?\n/).filter((line) => line.trim());
  if (!lines.length) throw new Error('a file of class names has a line for each');
  return lines.map((line) => line.trim());
}

/** What a class is called: by its name, or by its number where there is none. */
export function called(place: number, many: number, names: string[]): string {
  return names[place] ?? (many === 10 ? String(place) : `class ${place}`);
}

/** The probability of each number of an answer: the softmax, unless the model has taken it already. */
export function probabilities(scores: Float32Array): Float32Array {
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
