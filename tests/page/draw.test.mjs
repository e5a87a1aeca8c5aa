// Drawing and reading, as a person does it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { draw, expectAnswer, launch, ONE, open, pad, PHONE, readAnswer, SEVEN } from './browser.mjs';
import { serveSite } from './site.mjs';

let browser;
let site;
before(async () => ([browser, site] = await Promise.all([launch(), serveSite()])));
after(() => Promise.all([browser?.close(), site?.close()]));

const clear = (page) => page.getByRole('button', { name: 'Clear' });
const undo = (page) => page.getByRole('button', { name: 'Undo' });

test('the page opens with a digit that writes itself, and the first touch wipes it', async () => {
  const { page, context, faults } = await open(browser, site.url, { reducedMotion: 'no-preference' });
  await expectAnswer(page, /^5/);
  await draw(page, ONE);
  await expectAnswer(page, /^1/);
  assert.deepEqual(faults, []);
  await context.close();
});

test('a touch while the example still writes itself takes the brush over', async () => {
  const { page, context } = await open(browser, site.url, { reducedMotion: 'no-preference' });
  await pad(page).waitFor();
  await draw(page, ONE);
  await page.waitForTimeout(1500);
  assert.match(await readAnswer(page), /^1/);
  await context.close();
});

test('every example is read as what it is', async () => {
  const { page, context } = await open(browser, site.url);
  const read = [(await expectAnswer(page, /^\d/))[0]];
  for (let i = 0; i < 9; i++) {
    await page.getByRole('button', { name: 'Example' }).click();
    read.push((await readAnswer(page))[0]);
  }
  assert.equal(read.join(''), '5678901234');
  await context.close();
});

test('nothing drawn, undo and clear', async () => {
  const { page, context, faults } = await open(browser, site.url);
  await clear(page).click();
  await expectAnswer(page, /^Nothing drawn/);
  await undo(page).click();
  await expectAnswer(page, /^Nothing drawn/);
  await draw(page, SEVEN);
  await expectAnswer(page, /^7/);
  await draw(page, [[[0.1, 0.9], [0.5, 0.85], [0.9, 0.9], [0.1, 0.1], [0.9, 0.2]]]);
  await undo(page).click();
  await expectAnswer(page, /^7/);
  await undo(page).click();
  await expectAnswer(page, /^Nothing drawn/);
  assert.deepEqual(faults, []);
  await context.close();
});

test('a single dot is ink, and ink at the very edge is read', async () => {
  const { page, context, faults } = await open(browser, site.url);
  await clear(page).click();
  await draw(page, [[[0.5, 0.5]]]);
  assert.doesNotMatch(await readAnswer(page), /^Nothing/);
  await clear(page).click();
  await draw(page, [[[0.99, 0.01], [0.99, 0.3], [0.99, 0.6], [1.3, 0.8], [0.99, 0.99]]]);
  await expectAnswer(page, /^1/);
  assert.deepEqual(faults, []);
  await context.close();
});

test('drawing by keyboard', async () => {
  const { page, context, faults } = await open(browser, site.url);
  const press = async (key, times = 1) => {
    for (let i = 0; i < times; i++) await page.keyboard.press(key);
  };
  await pad(page).focus();
  await press('Escape');
  await press('ArrowUp', 9);
  await press('Space');
  await press('ArrowDown', 18);
  await press('Enter');
  await expectAnswer(page, /^1/);
  await press('Control+z');
  await expectAnswer(page, /^Nothing drawn/);
  assert.deepEqual(faults, []);
  await context.close();
});

test('a finger draws on a phone without scrolling the page, and the pad follows the reader as a seal', async () => {
  const { page, context, faults } = await open(browser, site.url, PHONE);
  await expectAnswer(page, /^5/);
  const { x, y, width } = await pad(page).boundingBox();
  const cdp = await context.newCDPSession(page);
  const touch = (type, point) =>
    cdp.send('Input.dispatchTouchEvent', {
      type,
      touchPoints: point ? [{ x: x + point[0] * width, y: y + point[1] * width }] : [],
    });
  const [[first, ...rest]] = SEVEN;
  await touch('touchStart', first);
  for (const point of rest) await touch('touchMove', point);
  await touch('touchEnd');
  await expectAnswer(page, /^7/);
  assert.equal(await page.evaluate(() => scrollY), 0);

  const seal = page.getByRole('button', { name: 'Back to the drawing pad' });
  assert.equal(await seal.count(), 0);
  await page.getByRole('heading', { name: 'conv3' }).scrollIntoViewIfNeeded();
  await seal.click();
  await seal.waitFor({ state: 'detached' });
  assert.deepEqual(faults, []);
  await context.close();
});

test('a map opens, arrow keys go through the maps, Escape closes', async () => {
  const { page, context, faults } = await open(browser, site.url);
  await expectAnswer(page, /^5/);
  const tile = page.getByRole('button', { name: /^conv2, map 7 of 16, mean / });
  await tile.click();
  const dialog = page.getByRole('dialog', { name: 'conv2, map 7 of 16' });
  await dialog.getByText(/^mean \S+, min \S+, max \S+$/).waitFor();
  await page.keyboard.press('ArrowRight');
  await page.getByRole('dialog', { name: 'conv2, map 8 of 16' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.deepEqual(faults, []);
  await context.close();
});

test('the maps of every layer show the drawing, and change with it', async () => {
  const { page, context } = await open(browser, site.url);
  const layers = page.getByRole('region', { name: 'The network' }).locator('canvas');
  const pictures = async () => {
    const all = [];
    for (const layer of await layers.all()) {
      await layer.scrollIntoViewIfNeeded();
      await page.waitForTimeout(150);
      all.push(await layer.evaluate((canvas) => canvas.toDataURL()));
    }
    return all;
  };
  await expectAnswer(page, /^5/);
  const before = await pictures();
  await draw(page, ONE);
  await expectAnswer(page, /^1/);
  const later = await pictures();
  assert.equal(before.length, 12);
  assert.deepEqual(before.map((picture, layer) => picture !== later[layer]), before.map(() => true));
  await context.close();
});

test('the choice of network is in the address', async () => {
  const { page, context } = await open(browser, site.url);
  await expectAnswer(page, /^5/);
  await page.getByText('deep_convnet', { exact: true }).click();
  await page.getByText(/^deep_convnet, /).waitFor();
  assert.match(page.url(), /\?model=deep_convnet$/);
  await page.reload();
  await page.getByText(/^deep_convnet, /).waitFor();
  await expectAnswer(page, /^5/);
  await context.close();
});
