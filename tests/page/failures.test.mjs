// When files do not arrive, or arrive damaged: the page says so, keeps what works, and a retry helps.

import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, test } from 'node:test';
import { draw, expectAnswer, launch, ONE, open, SEVEN, violations } from './browser.mjs';
import { serveSite } from './site.mjs';

let browser;
let site;
before(async () => (browser = await launch()));
after(() => browser?.close());
beforeEach(async () => (site = await serveSite()));
afterEach(() => site.close());

const flipped = (file) => {
  const copy = Buffer.from(file);
  copy[copy.length - 9] ^= 0x40;
  return copy;
};
const DAMAGES = {
  'one bit flipped': flipped,
  'cut off': (file) => file.subarray(0, file.length >> 1),
  'a web page instead': () => Buffer.from('<!doctype html><title>Not found</title>'),
  missing: null,
};

for (const [damage, change] of Object.entries(DAMAGES)) {
  test(`weights ${damage}: said, and retry works once they are good`, async () => {
    const draw = /^models\/draw-/;
    site.spoil(draw, change);
    const { page, context } = await open(browser, site.url);
    const alert = page.getByRole('alert').filter({ hasText: 'The weights of draw did not load' });
    await alert.waitFor();
    await expectAnswer(page, /^No answer/);
    assert.deepEqual(await violations(page), []);
    site.spoil(draw);
    await alert.getByRole('button', { name: /Retry/ }).click();
    await expectAnswer(page, /^5/);
    assert.equal(await page.getByRole('alert').count(), 0);
    await context.close();
  });
}

for (const [damage, change] of Object.entries({ 'cut off': DAMAGES['cut off'], missing: null })) {
  test(`engine ${damage}: said, and retry works once it is good`, async () => {
    const wasm = /\.wasm$/;
    site.spoil(wasm, change);
    const { page, context } = await open(browser, site.url);
    const alert = page.getByRole('alert').filter({ hasText: 'The engine does not run' });
    await alert.waitFor();
    await draw(page, SEVEN);
    site.spoil(wasm);
    await alert.getByRole('button', { name: /Retry/ }).click();
    await expectAnswer(page, /^7/);
    await context.close();
  });
}

test('another network that does not load leaves the one before at work', async () => {
  site.spoil(/^models\/deep_convnet-/, flipped);
  const { page, context } = await open(browser, site.url);
  await expectAnswer(page, /^5/);
  await page.getByText('deep_convnet', { exact: true }).click();
  await page.getByRole('alert').filter({ hasText: 'The weights of deep_convnet did not load' }).waitFor();
  await draw(page, ONE);
  await expectAnswer(page, /^1/);
  await page.getByText(/^draw, /).waitFor();
  await context.close();
});
