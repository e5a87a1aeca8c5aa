// The machine's ceiling: the most multiply-adds a second that WebAssembly gets out of one core with vectors in
// registers. A loop over independent chains `a = a · x + y`, written here byte by byte, since a compiler would fold it.

/** @typedef {{ slice: (ms: number) => number }} Ceiling */

/** Chains: enough to hide the latency of two operations, few enough for the 16 registers of x86-64. */
const CHAINS = [8, 10, 12];
const UNROLLED = 8;
const LANES = 4;

const V128 = 0x7b;
const splat = [0xfd, 0x13];
const mul = [0xfd, 0xe6, 0x01];
const add = [0xfd, 0xe4, 0x01];
const madd = [0xfd, 0x85, 0x02]; // relaxed
const get = (/** @type {number} */ local) => [0x20, local];
const set = (/** @type {number} */ local) => [0x21, local];
const float = (/** @type {number} */ value) => [0x43, ...new Uint8Array(Float32Array.of(value).buffer)];

/** @param {number} n @returns {number[]} */
const leb = (n) => (n < 128 ? [n] : [(n & 127) | 128, ...leb(n >> 7)]);
const sized = (/** @type {number[]} */ bytes) => [...leb(bytes.length), ...bytes];
const section = (/** @type {number} */ id, /** @type {number[]} */ bytes) => [id, ...sized(bytes)];

/** A module whose `run(n)` goes n times round the loop. @param {number} chains @param {boolean} fused */
function assemble(chains, fused) {
  const [x, y] = [chains + 1, chains + 2];
  const locals = Array.from({ length: chains }, (_, i) => i + 1);
  const link = (/** @type {number} */ a) =>
    fused ? [...get(a), ...get(x), ...get(y), ...madd, ...set(a)] : [...get(a), ...get(x), ...mul, ...get(y), ...add, ...set(a)];
  const body = [
    ...[1, chains + 2, V128],
    ...locals.flatMap((a) => [...float(a), ...splat, ...set(a)]),
    ...[...float(0.999), ...splat, ...set(x)],
    ...[...float(0.001), ...splat, ...set(y)],
    ...[0x03, 0x40], // loop
    ...Array.from({ length: UNROLLED }, () => locals.flatMap(link)).flat(),
    ...[...get(0), 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b], // n − 1, again unless zero, end
    ...[...get(1), ...locals.slice(1).flatMap((a) => [...get(a), ...add]), 0xfd, 0x1f, 0, 0x0b], // the sum's first lane
  ];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 1, 0x7f, 1, 0x7d]),
    ...section(3, [1, 0]),
    ...section(7, [1, 3, 0x72, 0x75, 0x6e, 0, 0]),
    ...section(10, [1, ...sized(body)]),
  ]);
}

/**
 * A ceiling to measure: `slice(ms)` runs for about so long and returns GFLOP/s, a multiply-add being two. It takes the
 * number of chains that does best here. Null where the browser cannot run it.
 * @param {'simd128' | 'relaxed-simd'} build @returns {Promise<Ceiling | null>}
 */
export async function ceiling(build) {
  const fused = build === 'relaxed-simd';
  if (!WebAssembly.validate(assemble(8, fused))) return null;
  const loops = await Promise.all(CHAINS.map((chains) => loop(chains, fused)));
  for (const one of loops) for (let i = 0; i < 5; i++) one(10);
  const best = loops.map((one) => Math.max(one(20), one(20), one(20)));
  return { slice: /** @type {(ms: number) => number} */ (loops[best.indexOf(Math.max(...best))]) };
}

/** @param {number} chains @param {boolean} fused */
async function loop(chains, fused) {
  const { instance } = await WebAssembly.instantiate(assemble(chains, fused));
  const run = /** @type {(n: number) => number} */ (instance.exports.run);
  let perMs = 1e4;
  return (/** @type {number} */ ms) => {
    const n = Math.ceil(ms * perMs);
    const start = performance.now();
    const end = run(n);
    const time = performance.now() - start;
    // Every lane of every chain ends at the fixed point of a = 0.999 a + 0.001.
    if (n > 1e4 && Math.abs(end / chains - 1) > 1e-3) throw new Error(`the loop's sum is ${end}`);
    perMs = Math.max(perMs, n / Math.max(time, 0.1));
    return (n * UNROLLED * chains * LANES * 2) / time / 1e6;
  };
}
