// The Zoo lab: one drawing goes through every network that ships, each can be looked into, and a damaged one is retried.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { draw, launch, open, PHONE, SEVEN, violations } from './browser.mjs';
import { withSite } from './site.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const shipped = readdirSync(new URL('../../pretrained', import.meta.url))
  .filter((name) => name.endsWith('.safetensors'))
  .map((name) => name.replace(/\.\w+$/, ''));

const together = (page) => page.getByRole('status', { name: 'Ensemble' });
const row = (page, name) =>
  page.getByRole('table', { name: 'What each network answers' }).getByRole('row').filter({ has: page.getByRole('button', { name, exact: true }) });

/** Pairs of names in the chart that lie over each other. */
const covered = (page) =>
  page.locator('figure svg g text').evaluateAll((texts) => {
    const boxes = texts.map((text) => [text.textContent, text.getBoundingClientRect()]);
    const over = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
    return boxes.flatMap(([name, a], i) => boxes.slice(i + 1).flatMap(([other, b]) => (over(a, b) ? [`${name} and ${other}`] : [])));
  });

test('every network answers a drawing; every box of one opens its maps', () =>
  withSite(async ({ url }) => {
    const { page, context, faults } = await open(browser, url, { query: '?lab=zoo' });
    await together(page).filter({ hasText: 'Together: 4' }).waitFor({ timeout: 60_000 });
    await page.getByRole('button', { name: 'Clear' }).click();
    await together(page).filter({ hasText: 'Nothing drawn' }).waitFor();
    await draw(page, SEVEN);
    await together(page).filter({ hasText: `Together: 7` }).waitFor();
    for (const name of shipped) {
      assert.match(await row(page, name).innerText(), /\d+(\.\d+)? ms/, `${name} has answered`);
    }
    for (const cost of ['multiply-adds', 'parameters', 'bytes']) {
      await page.getByText(cost, { exact: true }).first().click();
      assert.equal(await page.locator('figure svg g text').count(), shipped.length);
      assert.deepEqual(await covered(page), [], cost);
    }
    await page.getByRole('combobox', { name: 'Network' }).selectOption('draw');
    assert.equal(new URL(page.url()).searchParams.get('net'), 'draw');
    const boxes = page.getByRole('group', { name: 'Layers of draw' }).getByRole('button');
    await boxes.getByText('16×28×28').first().click();
    await page.getByRole('button', { name: /^conv1, map 3 of 16, mean/ }).click();
    await page.getByRole('dialog').getByText(/^mean/).waitFor();
    await page.keyboard.press('Escape');
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(faults, []);
    await context.close();
  }));

test('on a phone, weights that arrive damaged leave the others answering and can be fetched again', () =>
  withSite(async (site) => {
    const weights = /models\/deep_convnet-/;
    site.spoil(weights, (file) => Buffer.from(file).fill(0, 1000, 1100));
    const { page, context } = await open(browser, site.url, { query: '?lab=zoo', ...PHONE });
    const retry = page.getByRole('button', { name: 'Retry loading deep_convnet' });
    await retry.waitFor({ timeout: 60_000 });
    await together(page).filter({ hasText: 'Together: 4' }).waitFor();
    site.spoil(weights);
    await retry.click();
    await row(page, 'deep_convnet').getByText(/ ms$/).waitFor();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `the page is ${wide} px wider than the phone`);
    await context.close();
  }));
