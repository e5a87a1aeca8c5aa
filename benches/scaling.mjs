// What more machines would give: a model of docs/distributed.md, fitted to the ratio that benches/ranks.mjs measures.
//
//   node benches/scaling.mjs RATIO     e.g. 0.95: 2 ranks beside 2 trainings apart
//
// A step of a batch takes T = C / (N · r) + max(0, G / B − C / (N · p) / 2) + 2 (N − 1) (b / B + L): C one machine's time for the
// batch, N machines, r the measured ratio (ranks wait for the slowest), G bytes of gradient, B bytes a second of a line in each
// direction, p shards of a machine, b bytes of a bucket, L the delay. The chain hides behind the backward pass of the last shard,
// half of that shard's time; up and down run at the same time.

const ratio = Number(process.argv[2] ?? 0.95);
if (!(ratio > 0 && ratio <= 1)) throw new Error('a ratio above 0 and up to 1');
/** Images and shards of a batch, and cores of a machine. */
const [BATCH, SHARDS, CORES] = [512, 128, 8];
/** Parameters, and seconds of one core for an image: measured where it is trained here, else from its multiply-adds at 40 GFLOP/s. */
const NETWORKS = [
  ['deep_convnet', 123_552, 1 / 1577],
  ['simple_convnet', 433_890, 1 / 2217],
  ['ResNet-18 at 224', 11_689_512, (6 * 1.82e9) / 40e9],
  ['VGG-16 at 224', 138_357_544, (6 * 15.5e9) / 40e9],
];
const LINES = [['1 GbE', 117e6, 1e-4], ['10 GbE', 1.17e9, 5e-5]];
const MACHINES = [8, 16, 32, 64];

/** Seconds of a step. */
export function step(parameters, image, [, bandwidth, delay], machines) {
  const one = (BATCH * image) / CORES;
  const bucket = 4 * Math.min(1 << 16, Math.max(1 << 12, parameters / (4 * machines)));
  const hidden = one / machines / (SHARDS / machines) / 2;
  const chain = Math.max(0, (4 * parameters) / bandwidth - hidden) + 2 * (machines - 1) * (bucket / bandwidth + delay);
  return machines === 1 ? one : one / (machines * ratio) + chain;
}

console.log(`times one machine of ${CORES} cores, batches of ${BATCH} in ${SHARDS} shards, ratio ${ratio}\n`);
console.log(`| network | gradient | one machine, a step |${LINES.flatMap(([name]) => MACHINES.map((n) => ` ${n}, ${name} `)).join('|')}|`);
console.log(`|---|--:|--:|${LINES.flatMap(() => MACHINES.map(() => '--:')).join('|')}|`);
for (const [name, parameters, image] of NETWORKS) {
  const one = step(parameters, image, LINES[0], 1);
  const cells = LINES.flatMap((line) => MACHINES.map((n) => (one / step(parameters, image, line, n)).toFixed(1)));
  const time = one < 1 ? `${(1000 * one).toFixed(0)} ms` : `${one.toFixed(1)} s`;
  console.log(`| ${name} | ${((4 * parameters) / 1e6).toFixed(1)} MB | ${time} | ${cells.join(' | ')} |`);
}
