// How it is measured: slices that take turns, medians and quartiles, and answers that must agree before a time counts.

/** @typedef {import('./cases.mjs').Task} Task */
/** @typedef {Float32Array | number} Answer */
/** @typedef {() => Answer | Promise<Answer>} Run */

// Chromium's clock ticks every 0.1 ms: 1 % of a slice, and the median of many is finer. Longer slices would seldom pass
// undisturbed on a machine that has other work.
const SLICE_MS = 10;
const TOLERANCE = 2e-3;

/** Milliseconds of one run, the mean of `repeats`. @param {Run} run @param {number} repeats */
export async function slice(run, repeats) {
  const started = performance.now();
  for (let i = 0; i < repeats; i++) {
    const answer = run();
    // An `await` for who needs one only: it costs the others microseconds that are not theirs.
    if (answer instanceof Promise) await answer;
  }
  return (performance.now() - started) / repeats;
}

/**
 * Runs until the compiler has done its best, at least for `ms` and three times, once if a run takes longer; returns how
 * many runs make a slice and how long the quickest took.
 * @param {Run} run @param {number} ms
 */
export async function warmUp(run, ms) {
  const started = performance.now();
  let time = await slice(run, 1);
  for (let i = 1; time < ms && (i < 3 || performance.now() - started < ms); i++) time = Math.min(time, await slice(run, 1));
  return { repeats: Math.max(1, Math.round(SLICE_MS / Math.max(time, 0.01))), time };
}

/** The number below which this share of the numbers is. @param {number[]} numbers @param {number} share */
export function quantile(numbers, share) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)] ?? NaN, sorted[Math.ceil(at)] ?? NaN];
  return low + (high - low) * (at - Math.floor(at));
}

/** @param {number[]} times */
export function summary(times) {
  return { median: quantile(times, 0.5), low: quantile(times, 0.25), high: quantile(times, 0.75) };
}

/** The mean of the middle half: steadier than a median where the clock is coarse. @param {number[]} numbers */
export function middle(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const cut = Math.floor(sorted.length / 4);
  const kept = sorted.slice(cut, sorted.length - cut);
  return kept.reduce((a, b) => a + b, 0) / kept.length;
}

/** How much longer `slow` takes than `quick`: the median of the rounds' own ratios, since the load of a moment is on both
 * sides. @param {number[]} slow @param {number[]} quick */
export function ratio(slow, quick) {
  const rounds = Math.min(slow.length, quick.length);
  return quantile(Array.from({ length: rounds }, (_, i) => /** @type {number} */ (slow[i]) / /** @type {number} */ (quick[i])), 0.5);
}

/**
 * What a contender says at first: an answer, or the losses of three training steps.
 * @param {Task} task @param {Run} run @param {(answer: Answer) => Answer} [read] brings an answer into NCHW order
 * @returns {Promise<Float32Array>}
 */
export async function firstAnswer(task, run, read = (answer) => answer) {
  if (task === 'train') return Float32Array.of(.../** @type {number[]} */ ([await run(), await run(), await run()]));
  return Float32Array.from(/** @type {Float32Array} */ (read(await run())));
}

/**
 * Throws unless two first answers agree within 0.2 %; returns the difference. Both are taken as roots of mean squares: in an
 * input gradient a rounding may put single numbers to the other side of a ReLU, and those are off by their whole size.
 * @param {string} name @param {ArrayLike<number>} got @param {ArrayLike<number>} expected
 */
export function agree(name, got, expected) {
  const numbers = Array.from(expected);
  const size = (/** @type {(value: number, i: number) => number} */ of) => Math.sqrt(numbers.reduce((sum, value, i) => sum + of(value, i) ** 2, 0));
  const difference = size((value, i) => value - /** @type {number} */ (got[i])) / size((value) => value);
  // Written so that NaN fails, too.
  if (got.length === expected.length && difference < TOLERANCE) return difference;
  const shown = (/** @type {ArrayLike<number>} */ list) => `${list.length} numbers [${Array.from(list).slice(0, 6).map((v) => v.toPrecision(5))}…]`;
  throw new Error(`${name} answers ${shown(got)} where ${shown(expected)} are right: ${(100 * difference).toPrecision(3)} % off`);
}

/** Some numbers of a first answer, to know it by elsewhere. @param {Float32Array} answer */
export function fingerprint(answer) {
  const step = Math.max(1, Math.floor(answer.length / 8));
  return Array.from(answer.filter((_, i) => i % step === 0).subarray(0, 8), (value) => Number(value.toPrecision(6)));
}
