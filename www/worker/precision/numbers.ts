// Sums over numbers of the Precision lab.

export function softmax(scores: Float32Array): Float32Array {
  const most = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** Root of the mean squared difference, as a part of the numbers'; 0 where all are 0. */
export function error(before: Float32Array, after: Float32Array): number {
  let [off, size] = [0, 0];
  for (let i = 0; i < before.length; i++) {
    off += (before[i]! - after[i]!) ** 2;
    size += before[i]! ** 2;
  }
  return size ? Math.sqrt(off / size) : 0;
}

/** Numbers, filter after filter, each times its filter's factor. */
export function scaled(numbers: ArrayLike<number>, factors: Float32Array): Float32Array {
  const each = numbers.length / factors.length;
  return Float32Array.from(numbers, (number, i) => number * factors[Math.floor(i / each)]!);
}

/** How many numbers lie in each of so many parts of a range; those beyond it are in the last ones. */
export function histogram(numbers: ArrayLike<number>, [low, high]: [number, number], bars: number): Uint32Array {
  const counts = new Uint32Array(bars);
  for (let i = 0; i < numbers.length; i++) {
    const bar = Math.floor((bars * (numbers[i]! - low)) / (high - low));
    counts[Math.min(bars - 1, Math.max(0, bar))]!++;
  }
  return counts;
}
