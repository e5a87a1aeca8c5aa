// What `npm test` reports rests on reading other programs' words; these are their words.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeCounts, rustCounts } from '../../tools/counts.mjs';
import { networkTrouble } from '../../tools/shell.mjs';

test('cargo: several programs, a failure, an ignored test, a test without its data', () => {
  const output = `
running 3 tests
test a ... ok
test b ... ok
test slow ... ignored, takes an hour

successes:

---- a stdout ----
loss 0.5

---- b stdout ----
skipped: ../shared/data/mnist is absent

successes:
    a
    b

test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s

running 1 test
test c ... FAILED

failures:

---- c stdout ----
assertion failed

failures:
    c

test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
`;
  assert.deepEqual(rustCounts(output), {
    passed: 1,
    failed: 1,
    skipped: ['slow: takes an hour', 'b: ../shared/data/mnist is absent'],
  });
  assert.deepEqual(rustCounts('error: could not compile `hitofude`'), { passed: 0, failed: 0, skipped: [] });
});

test('node: passed, failed, cancelled, skipped', () => {
  const output = `
ok 1 - draws
    ok 1 - replays drawings # SKIP ../shared is absent
not ok 2 - offline
# tests 4
# pass 1
# fail 1
# cancelled 1
# skipped 1
`;
  assert.deepEqual(nodeCounts(output), { passed: 1, failed: 2, skipped: ['replays drawings: ../shared is absent'] });
});

test('network trouble is told from other trouble', () => {
  const lost = [
    '  [6] Could not resolve hostname (Could not resolve host: index)',
    'npm error code EAI_AGAIN',
    'npm error code ENOTFOUND',
    "W: Failed to fetch http  Temporary failure resolving 'mirror'",
    "error: could not download file from 'x' to 'y'",
    'warning: spurious network error (3 tries remaining): [7] Could not connect to server',
  ];
  for (const line of lost) assert.equal(networkTrouble(`Updating index\n${line}\n`), line.trim());
  assert.equal(networkTrouble(`${lost.at(-1)}\nerror[E0432]: unresolved import\nerror: could not compile \`x\``), null);
  assert.equal(networkTrouble('error: page.css not found'), null);
});
