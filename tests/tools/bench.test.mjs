// The benchmark's own arithmetic: answers that are wrong are refused, figures come out as said, machine code is right.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CASES, drawData, drawWeights, NETWORKS } from '../../benches/cases.mjs';
import { ceiling } from '../../benches/ceiling.mjs';
import { agree, firstAnswer, middle, quantile, ratio, warmUp } from '../../benches/measure.mjs';
import { figures, smallResults } from '../../benches/report.mjs';

test('answers that agree pass, and nothing else', () => {
  assert.equal(agree('same', [1, -2, 3], [1, -2, 3]), 0);
  assert.ok(agree('near', [1, -2, 3.003], [1, -2, 3]) < 0.0011);
  for (const wrong of [[1, -2, 3.01], [1, -2], [1, -2, 3, 4], [1, 2, 3], [NaN, -2, 3], [1, -2, Infinity], [3, -2, 1], []]) {
    assert.throws(() => agree('wrong', wrong, [1, -2, 3]), /wrong answers .* are right/);
  }
});

test('a training is known by its first three losses', async () => {
  let step = 0;
  assert.deepEqual(await firstAnswer('train', () => [3, 2, 1, 0][step++]), Float32Array.of(3, 2, 1));
  const turned = await firstAnswer('forward', async () => Float32Array.of(1, 2), (answer) => answer.toReversed());
  assert.deepEqual(turned, Float32Array.of(2, 1));
});

test('quantiles, ratios and the middle half', () => {
  assert.equal(quantile([4, 1, 3, 2], 0.5), 2.5);
  assert.equal(quantile([5], 0.25), 5);
  assert.equal(middle([100, 1, 2, 3, 2, 1, 2, 0]), 1.75);
  assert.equal(ratio([2, 40, 6, 7], [1, 10, 3]), 2, 'the median of the rounds’ own ratios');
});

test('a slow run is warmed up once', async () => {
  let runs = 0;
  const slow = () => { runs++; const end = performance.now() + 30; while (performance.now() < end); };
  const { repeats, time } = await warmUp(slow, 20);
  assert.deepEqual([runs, repeats], [1, 1]);
  assert.ok(time >= 30);
});

test('every case has its network, and every contender gets the same numbers', () => {
  for (const { network, batch } of CASES) {
    const { images, targets } = drawData({ network, batch }, 10);
    assert.equal(images.length, batch * NETWORKS[network].input.reduce((a, b) => a * b));
    assert.equal(targets.reduce((a, b) => a + b), batch, 'one class for each picture');
    assert.deepEqual(drawData({ network, batch }, 10).images, images);
  }
  const { w, b } = drawWeights([{ name: 'w', shape: [4, 50] }, { name: 'b', shape: [4] }]);
  assert.ok(w.data.some((value) => value < 0) && w.data.every((value) => Math.abs(value) <= Math.sqrt(6 / 50)));
  assert.ok(b.data.some((value) => value !== 0));
});

test('the ceiling’s module is valid and counts', async () => {
  const { slice } = await ceiling('simd128');
  // It throws where the loop does not end at its fixed point.
  assert.ok(slice(5) > 0);
});

test('the figures are the ratios that they say', () => {
  const [ours, relaxed, ort, tf] = ['hitofude simd128', 'hitofude relaxed-simd', 'onnxruntime-web', 'tfjs-backend-wasm'];
  const layers = [
    { kind: 'input', shape: [3, 9, 9], multiplyAdds: 0 },
    { kind: 'conv', shape: [64, 9, 9], multiplyAdds: 1e6 },
    { kind: 'conv', shape: [64, 9, 9], multiplyAdds: 3e6 },
  ];
  const profiles = [{ forward: [0, 9, 2] }, { forward: [0, 9, 3] }, { forward: [0, 9, 4] }];
  const entries = CASES.flatMap(({ id }) => [
    { id, name: ours, times: [10, 10], layers, profiles },
    { id, name: relaxed, times: id === 'train32' ? [12, 12] : [8, 8], layers, profiles },
    { id, name: ort, times: [25, 25] },
    { id, name: tf, times: [id === 'b100' ? 5 : 20, id === 'b100' ? 5 : 20] },
    { id, name: 'refused', times: [], refused: 'cannot' },
  ]);
  const ceilings = [{ build: 'simd128', figures: [4, 4, 4] }];
  assert.deepEqual(figures({ entries, ceilings }), {
    b1_vs_best: 2, b100_vs_best: 0.5, train100_vs_tfjs_forward: 2, resnet18_vs_best: 2, conv64_share_of_ceiling: 0.5, relaxed_vs_simd128: 1.2,
  });
});

test('a small network’s layers below the ceiling’s share are named', () => {
  const layers = [
    { name: 'x', kind: 'input', shape: [1, 9, 9], multiplyAdds: 0 },
    { name: 'first', kind: 'conv', shape: [4, 9, 9], multiplyAdds: 1e4 },
    { name: 'second', kind: 'conv', shape: [4, 9, 9], multiplyAdds: 3e4 },
  ];
  // Of 100 pictures: 2 and 6 Mflop forward; backward 2 (no input gradient) and 12.
  const profiles = Array(3).fill({ forward: [0, 1, 1], backward: [0, 0.5, 1.5] });
  const row = { name: 'n', parameters: 7, layers, profiles, ceilings: [8, 8, 8], one: [1], hundred: [4], step: [6] };
  const { low, shares, gflops } = smallResults(row);
  assert.deepEqual(low, [{ layer: 'first', kind: 'conv', shape: [4, 9, 9], way: 'forward', share: 0.25, part: 0.25 }]);
  assert.deepEqual({ shares, gflops }, { shares: { hundred: 0.25, step: 0.5 }, gflops: 4 });
});
