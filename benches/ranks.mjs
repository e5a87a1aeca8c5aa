// How well ranks share a training: N ranks under mpirun beside N trainings that run apart at the same time, each with one
// thread. Both do the same steps; apart they do N times as many, which is the ceiling. Rounds alternate, so that the load of
// a moment falls on both.
//
//   cargo build --release --features mpi && node benches/ranks.mjs DATA [RANKS… e.g. 2 4] [--network NAME] [--steps N]

import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { network: { type: 'string', default: 'simple_convnet' }, steps: { type: 'string', default: '300' }, rounds: { type: 'string', default: '3' }, fast: { type: 'boolean', default: false } },
});
const [data, ...counts] = positionals;
if (!data) throw new Error('a folder with MNIST');
const PROGRAM = process.env.HITOFUDE ?? fileURLToPath(new URL('../target/release/hitofude', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'ranks-'));
const run = promisify(execFile);
const fit = (out) => ['--threads', '1', 'fit', '--network', values.network, '--data', data, '--set', `steps=${values.steps}`, '--set', 'batch=96', '--set', 'shard=12', '--out', join(folder, out)];
const mpirun = (n) => ['--allow-run-as-root', '--oversubscribe', '--bind-to', 'none', '-n', String(n), PROGRAM];
const seconds = ({ stdout }) => JSON.parse(stdout.trim().split('\n').at(-1)).seconds;
const middle = (all) => all.toSorted((a, b) => a - b)[all.length >> 1];
const hash = (out) => createHash('sha256').update(readFileSync(join(folder, out))).digest('hex').slice(0, 12);

console.log(`${values.network}, ${values.steps} steps of 96 images in 8 shards; ${execFileSync('nproc', { encoding: 'utf8' }).trim()} cores`);
for (const n of (counts.length ? counts : ['2']).map(Number)) {
  const [apart, together, fast] = [[], [], []];
  let bytes = '';
  for (let round = 0; round < Number(values.rounds); round++) {
    const all = await Promise.all(Array.from({ length: n }, (_, i) => run(PROGRAM, fit(`apart${i}`))));
    apart.push(Math.max(...all.map(seconds)));
    const done = await run('mpirun', [...mpirun(n), ...fit('together')]);
    together.push(seconds(done));
    bytes = done.stderr.match(/sent (\d+) bytes/)?.[1] ?? '0';
    if (hash('apart0') !== hash('together')) throw new Error(`${n} ranks have made other weights`);
    if (values.fast) fast.push(seconds(await run('mpirun', [...mpirun(n), ...fit('fast'), '--fast-sum'])));
  }
  const ratio = (times) => middle(apart.map((a, i) => a / (n * times[i])));
  const more = values.fast ? `, with --fast-sum ${ratio(fast).toFixed(3)}` : '';
  const ms = (1000 * middle(together)) / Number(values.steps);
  console.log(`${n} ranks: ${ratio(together).toFixed(3)} of ${n} trainings apart${more}; ${ms.toFixed(2)} ms and ${bytes} bytes a step from rank 0; weights ${hash('together')}`);
}
rmSync(folder, { recursive: true });
