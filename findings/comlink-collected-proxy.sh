#!/bin/sh
# Comlink 4.4.2 lets a worker go when the last proxy that `wrap` made for it is collected as garbage: the worker stops listening,
# and says nothing. A second `wrap` of the same living worker then looks like the first one, and every call of it waits for ever.
# So `wrap(worker).first()` and later `wrap(worker).second()` work for as long as the collector happens not to run between them;
# with one proxy that is kept, both always answer.
#
# Seen, Node 20 with worker threads, the collector run between the two calls:
#   one proxy, kept        first answers, second answers
#   a proxy for each call  first answers, second is still waiting after 3 s
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent comlink@4.4.2
cat >worker.mjs <<'JS'
import { parentPort } from 'node:worker_threads';
import { expose } from 'comlink';
import adapter from 'comlink/dist/esm/node-adapter.mjs';
expose({ first: () => 1, second: () => 2 }, adapter(parentPort));
JS
cat >page.mjs <<'JS'
import assert from 'node:assert/strict';
import { setTimeout as after } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { wrap } from 'comlink';
import adapter from 'comlink/dist/esm/node-adapter.mjs';

/** Calls both, with a collection between them. */
async function both(keeps) {
  const worker = new Worker('./worker.mjs');
  const end = adapter(worker);
  const kept = keeps && wrap(end);
  const desk = () => kept || wrap(end);
  const said = [];
  const ask = async (name) => said.push(`${name} ${await Promise.race([desk()[name]().then(() => 'answers'), after(3000, 'is still waiting after 3 s')])}`);
  await ask('first');
  for (let i = 0; i < 5; i++) (globalThis.gc(), await after(50));
  await ask('second');
  await worker.terminate();
  return said.join(', ');
}

const [one, each] = [await both(true), await both(false)];
console.log(`one proxy, kept        ${one}`);
console.log(`a proxy for each call  ${each}`);
assert.equal(one, 'first answers, second answers');
assert.equal(each, 'first answers, second is still waiting after 3 s');
JS
node --expose-gc page.mjs
