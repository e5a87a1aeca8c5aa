// The Bench lab: it opens by its own address, measures with a right answer, ends with a clear word on a wrong one.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { launch, open, violations } from './browser.mjs';
import { withSite } from './site.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const FIRST = 'DeepConvNet, 1 picture';

test('/bench opens the lab; it measures, can be cancelled, and gives a CSV', () =>
  withSite(async ({ url }) => {
    const { page, context, faults } = await open(browser, url, { query: 'bench/index.html' });
    await page.getByRole('heading', { name: 'Measure this device' }).waitFor();
    assert.equal(new URL(page.url()).search, '?lab=bench');
    assert.equal(await page.getByRole('row', { name: FIRST }).getByText('not measured yet').count(), 1);
    await page.getByRole('button', { name: 'Start' }).click();
    const rows = page.getByRole('row', { name: FIRST });
    await rows.getByText('simd128', { exact: true }).waitFor({ timeout: 120_000 });
    assert.match(await rows.first().innerText(), /simd128\s+[\d.]+ ms/);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText(/^Stopped after \d of 7 cases/).waitFor();
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'CSV' }).click()]);
    const lines = readFileSync(await file.path(), 'utf8').split('\n');
    assert.match(lines[1], /^"DeepConvNet, 1 picture","simd128","",[\d.]+,/);
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(faults, []);
    await context.close();
  }));

test('a wrong answer ends the measurement and is not timed', () =>
  withSite(async (site) => {
    const { cases } = JSON.parse(readFileSync(new URL('../../benches/results.json', import.meta.url), 'utf8'));
    // As the minifier writes it: .5 for 0.5.
    const right = String(Math.abs(cases[0].print[0])).replace(/^0\./, '.');
    // The page then believes that another answer is the right one.
    site.spoil(/assets\/Bench-.*\.js$/, (file) => Buffer.from(String(file).replaceAll(right, '12345')));
    const { page, context } = await open(browser, site.url, { query: '?lab=bench' });
    await page.getByRole('button', { name: 'Start' }).click();
    const alert = page.getByRole('alert');
    await alert.waitFor({ timeout: 120_000 });
    assert.match(await alert.innerText(), /simd128 \(DeepConvNet, 1 picture\) answers .* where 8 numbers \[12345.* are right/);
    assert.equal(await page.getByRole('row', { name: FIRST }).getByText('not measured yet').count(), 1);
    await context.close();
  }));
