// One drawing belongs to the page: it survives a reload, and every lab that reads digits takes it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { draw, expectAnswer, launch, open, SEVEN } from './browser.mjs';
import { withSite } from './site.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

test('what was drawn stays through a reload, and Inside and Zoo open with it', () =>
  withSite(async ({ url }) => {
    const { page, context, faults } = await open(browser, url);
    await expectAnswer(page, /^5/);
    await draw(page, SEVEN);
    await expectAnswer(page, /^7/);
    await page.reload();
    await expectAnswer(page, /^7/);
    await page.getByRole('link', { name: 'Inside', exact: true }).click();
    await page.getByText(/^Read as 7/).first().waitFor({ timeout: 20_000 });
    await page.getByRole('link', { name: 'Zoo', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: 'One digit, many networks' }).waitFor();
    await page.getByRole('link', { name: 'Draw', exact: true }).click();
    await expectAnswer(page, /^7/);
    assert.deepEqual(faults, []);
    await context.close();
  }));
