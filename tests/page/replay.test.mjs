// People's own pen strokes, drawn again on the page with real pointer events.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { draw, launch, open, readAnswer } from './browser.mjs';
import { serveSite } from './site.mjs';

const SHARED = process.env.HITOFUDE_DATA ?? fileURLToPath(new URL('../../../shared', import.meta.url));
const FILE = join(SHARED, 'data/pen-digits/pen-digits-dev.jsonl.gz');
const OF_EACH = 22;

/** As many drawings of each digit, evenly over the writers, of each of whom it takes one. */
function choose() {
  const all = gunzipSync(readFileSync(FILE)).toString().trim().split('\n').map((line) => JSON.parse(line));
  return Array.from({ length: 10 }, (_, digit) => {
    const byWriter = new Map(all.filter((drawing) => drawing.digit === digit).map((drawing) => [drawing.writer, drawing]));
    const one = [...byWriter.values()];
    return Array.from({ length: OF_EACH }, (_, i) => one[Math.floor(((i + digit / 10) * one.length) / OF_EACH)]);
  }).flat();
}

/** From a box of 0..1000 to the middle two thirds of the pad. */
function onThePad(strokes) {
  const points = strokes.flat();
  const middle = (axis) => (Math.min(...points.map((p) => p[axis])) + Math.max(...points.map((p) => p[axis]))) / 2;
  const [cx, cy] = [middle(0), middle(1)];
  return strokes.map((stroke) => stroke.map(([x, y]) => [0.5 + (0.66 * (x - cx)) / 1000, 0.5 + (0.66 * (y - cy)) / 1000]));
}

const skip = existsSync(FILE) ? false : `no ${FILE}`;
if (skip) process.stderr.write(`replay of pen strokes skipped: ${skip}\n`);

test('drawings by many hands are read right, at least 97 in 100', { skip }, async () => {
  const [browser, site] = await Promise.all([launch(), serveSite()]);
  try {
    const { page, faults } = await open(browser, site.url);
    await readAnswer(page);
    const drawings = choose();
    const wrong = [];
    for (const { digit, writer, strokes } of drawings) {
      await page.getByRole('button', { name: 'Clear' }).click();
      await draw(page, onThePad(strokes));
      const text = await readAnswer(page);
      if (!text.startsWith(String(digit))) wrong.push(`${digit} by ${writer}: ${text}`);
    }
    const share = 1 - wrong.length / drawings.length;
    const hands = new Set(drawings.map(({ writer }) => writer)).size;
    console.log(`${drawings.length} drawings by ${hands} writers: ${(100 * share).toFixed(1)} % right; ${wrong.join('; ')}`);
    assert.ok(share >= 0.97, `${wrong.length} of ${drawings.length} wrong`);
    assert.deepEqual(faults, []);
  } finally {
    await Promise.all([browser.close(), site.close()]);
  }
});
