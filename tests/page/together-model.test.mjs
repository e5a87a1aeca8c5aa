// The model of many machines keeps the rules that it states; messages of a shared training are whole or are refused.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

async function load(path) {
  const entry = fileURLToPath(new URL(`../../www/${path}`, import.meta.url));
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: 'esm', write: false });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}
const { simulate, figures } = await load('labs/train/together/model.ts');
const { pack, Unpacker, Garbled, numbers } = await load('lib/frames.ts');

const STILL = { way: 'server', asynchronous: false, machines: 4, compute: 0.1, bytes: 2e6, bandwidth: 125e6, delay: 1e-3, straggling: 0, loss: 0, leaving: 0, seed: 1 };
const STEPS = 300;
const step = (world) => figures(world, simulate(world, STEPS), STEPS).step;
const near = (a, b, by = 0.01) => assert.ok(Math.abs(a / b - 1) < by, `${a} beside ${b}`);

test('without stragglers and losses a step takes what the formula says', () => {
  for (const machines of [2, 3, 8, 16]) {
    const world = { ...STILL, machines };
    const { compute: c, bytes: g, bandwidth: b, delay: l } = world;
    near(step({ ...world, way: 'alone' }), c);
    near(step(world), c / machines + ((machines + 1) * g) / b + 2 * l);
    near(step({ ...world, way: 'ring' }), c / machines + 2 * (machines - 1) * (g / (machines * b) + l));
    near(step({ ...world, asynchronous: true }), Math.max(c / machines + (2 * g) / b + 2 * l, (machines * g) / b), 0.05);
  }
  assert.equal(step({ ...STILL, machines: 1 }), step({ ...STILL, way: 'alone' }));
});

test('a gradient is as old as there are others, and of a machine alone it is new', () => {
  for (const machines of [2, 4, 8]) {
    const { stale } = figures(STILL, simulate({ ...STILL, machines, asynchronous: true }, STEPS), STEPS);
    assert.ok(stale > 0.9 * (machines - 1) && stale < 1.1 * (machines - 1) + 0.5, `${machines}: ${stale}`);
    const { updates } = simulate({ ...STILL, machines }, STEPS);
    assert.ok(updates.length === STEPS && updates.every((update) => update.stale === 0));
  }
});

test('stragglers, lost packets and machines that go cost time; the same seed makes the same', () => {
  for (const way of [{ way: 'ring' }, { way: 'server' }, { way: 'server', asynchronous: true }]) {
    const world = { ...STILL, ...way };
    for (const worse of [{ straggling: 0.5 }, { loss: 0.02 }, { leaving: 0.05 }]) {
      assert.ok(step({ ...world, ...worse }) > 1.01 * step(world), JSON.stringify({ ...way, ...worse }));
    }
    const all = { ...world, straggling: 0.5, loss: 0.02, leaving: 0.05 };
    const one = simulate(all, 50);
    assert.deepEqual(one, simulate(all, 50));
    for (const { from, to, machine } of one.spans) assert.ok(to >= from && from >= 0 && machine >= -1 && machine < 4);
    const busy = one.spans.filter(({ machine, from, to }) => machine === 2 && to > from).sort((a, b) => a.from - b.from);
    for (const [i, span] of busy.entries()) if (i) assert.ok(span.from >= busy[i - 1].to - 1e-9, 'one thing at a time');
  }
});

const MESSAGES = [
  { kind: 'hello', build: 'simd128' },
  { kind: 'open', setup: '{"steps":5}', source: { generator: { seed: 1, train: 10, validation: 2 } } },
  { kind: 'learnt', ask: 3, sums: [{ images: 5, loss: 1.5, correct: 2 }], milliseconds: 4.5 },
  { kind: 'bye', why: '' },
];

test('a message comes out as it went in, in pieces that any channel takes', () => {
  const unpacker = new Unpacker();
  for (const message of MESSAGES) {
    const body = Float32Array.from({ length: 9000 }, (_, i) => i / 7);
    const pieces = pack(message, body);
    assert.ok(pieces.length > 2 && pieces.every((piece) => piece.length <= 16_384));
    const frames = pieces.map((piece) => unpacker.take(piece));
    assert.ok(frames.slice(0, -1).every((frame) => frame === null));
    assert.deepEqual(frames.at(-1).message, message);
    assert.deepEqual(numbers(frames.at(-1).body, 9000), body);
  }
});

test('whatever else comes is refused', () => {
  let seed = 5;
  const random = (n) => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % n;
  let whole = 0;
  for (let round = 0; round < 4000; round++) {
    const [piece] = pack(MESSAGES[round % MESSAGES.length]);
    for (let i = 0; i <= random(3); i++) piece[random(piece.length)] = random(256);
    try {
      if (new Unpacker(1e6).take(piece.slice(0, 1 + random(2) * piece.length))) whole++;
    } catch (error) {
      assert.ok(error instanceof Garbled, String(error));
    }
  }
  assert.ok(whole < 2000, 'most of them are seen');
  const wrong = [
    null, 'text', new Uint8Array(), new Uint8Array(20_000), new Float32Array(3),
    ...[{ kind: 'learn' }, { kind: 'toString' }, { kind: '__proto__' }, { kind: 'hello', build: 'x', more: 1 }, { kind: 'ready', parameters: -1 }, { kind: 'learnt', ask: 0, sums: [{ images: 1, loss: null, correct: 0 }], milliseconds: 1 }, [], 5].map((message) => pack(message)[0]),
  ];
  for (const piece of wrong) assert.throws(() => new Unpacker().take(piece), Garbled);
  assert.throws(() => new Unpacker(100).take(pack({ kind: 'bye', why: '' }, new Uint8Array(101))[0]), Garbled);
  const [first] = pack({ kind: 'bye', why: '' });
  assert.throws(() => new Unpacker().take(Uint8Array.from([...first, 1])), Garbled);
});
