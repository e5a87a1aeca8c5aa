// Generate: digits that nobody wrote, a walk between two, and a pair of networks that learns in the page.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { button, launch, open, PHONE, violations } from './browser.mjs';
import { serveSite } from './site.mjs';

let browser;
let site;
before(async () => ([browser, site] = await Promise.all([launch(), serveSite()])));
after(() => Promise.all([browser?.close(), site?.close()]));

/** The pixels of a canvas, as one string. */
const pixels = (page, label) => page.getByRole('img', { name: label }).locator('canvas').evaluate((canvas) => canvas.toDataURL());

async function lab(query = '', options = {}) {
  const opened = await open(browser, site.url, { query: `?lab=generate${query}`, ...options });
  await opened.page.getByText(/^(Variety|多様さ)[:：]/).first().waitFor({ timeout: 60_000 });
  return opened;
}

test('digits are drawn from a seed, which the address keeps, and another seed draws others', async () => {
  const { page, context, faults } = await lab();
  const first = await pixels(page, /^Ten rows/);
  await button(page, 'Other numbers to start from').click();
  await page.waitForFunction((old) => document.querySelector('section canvas').toDataURL() !== old, first);
  assert.ok(page.url().includes('seed=2'));
  const second = await pixels(page, /^Ten rows/);
  await page.reload();
  await page.waitForFunction((old) => document.querySelector('section canvas')?.toDataURL() === old, second, { timeout: 60_000 });
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(faults, []);
  await context.close();
});

test('a digit is asked for, its numbers change it, and the way leads to another', async () => {
  const { page, context, faults } = await lab();
  const one = page.getByRole('img', { name: /^A drawn/ });
  await one.waitFor();
  await page.getByRole('group', { name: 'Digit', exact: true }).getByRole('button', { name: '7' }).click();
  await page.getByRole('img', { name: 'A drawn 7' }).waitFor();
  const before = await pixels(page, 'A drawn 7');
  await page.getByLabel('Number 1', { exact: true }).fill('3');
  await page.waitForFunction((old) => document.querySelector('.one canvas').toDataURL() !== old, before);
  await page.getByRole('img', { name: 'The way from a 7 to a 8' }).waitFor();
  assert.deepEqual(faults, []);
  await context.close();
});

test('a pair learns from nothing, pauses, goes on, judges a drawing, is saved, and can be made to collapse', async () => {
  const { page, context, faults } = await lab();
  await button(page, 'Start').click();
  const status = page.getByText(/^Step [1-9]\d*, /);
  await status.waitFor({ timeout: 120_000 });
  await button(page, 'Pause').click();
  await page.waitForTimeout(2500);
  const still = await status.innerText();
  await page.waitForTimeout(1500);
  assert.equal(await status.innerText(), still, 'it pauses');
  const pad = page.getByLabel('Drawing pad');
  await pad.scrollIntoViewIfNeeded();
  const { x, y, width, height } = await pad.boundingBox();
  await page.mouse.move(x + width / 2, y + 0.2 * height);
  await page.mouse.down();
  await page.mouse.move(x + width / 2, y + 0.8 * height, { steps: 8 });
  await page.mouse.up();
  await page.getByText(/^As a \d it is real with/).waitFor();
  const download = page.waitForEvent('download');
  await button(page, 'Save the generator').click();
  assert.equal((await download).suggestedFilename(), 'dcgan.safetensors');
  await button(page, 'Go on').click();
  await page.waitForFunction((old) => ![...document.querySelectorAll('p')].some((p) => p.textContent === old), still, { timeout: 60_000 });
  await button(page, 'Make it collapse').click();
  await button(page, 'Cure it').waitFor();
  await button(page, 'Cure it').click();
  await button(page, 'Make it collapse').waitFor();
  assert.deepEqual(faults, []);
  await context.close();
});

test('on a phone, in Japanese', async () => {
  const { page, context, faults } = await lab('&lang=ja', PHONE);
  await page.getByRole('heading', { name: '生成', exact: true }).waitFor();
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing is wider than the phone');
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(faults, []);
  await context.close();
});
