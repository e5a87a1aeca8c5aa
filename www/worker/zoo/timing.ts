// How long a network takes: what the first calls cost does not count, and one that is disturbed does not either.

/** Rounds of which the median counts. */
const ROUNDS = 7;
/** Milliseconds before the first of them: fresh code runs many times slower until the browser has compiled it well. */
const WARM_MS = 10;
/** A browser's clock is coarse: a round runs until this many milliseconds are over, and its mean counts. */
const ENOUGH_MS = 1;

/** Milliseconds that `run` takes once it is warm: the median of the rounds. */
export function timeOf(run: () => void, now: () => number = () => performance.now()): number {
  round(run, now, WARM_MS);
  return median(Array.from({ length: ROUNDS }, () => round(run, now, ENOUGH_MS)));
}

/** The middle one of an odd number of values. */
export function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

/** The mean milliseconds of runs, of which there are as many as `least` milliseconds take. */
function round(run: () => void, now: () => number, least: number): number {
  const start = now();
  for (let times = 1; ; times++) {
    run();
    const over = now() - start;
    if (over >= least) return over / times;
  }
}
