// What the page owes everyone: it is light, keeps to its own origin, works offline, and can be read by all.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { draw, expectAnswer, launch, ONE, open, PHONE, readAnswer, SEVEN, until, violations, WIDE } from './browser.mjs';
import { withSite } from './site.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

/** Waits until the service worker holds all that a visit without a network needs. */
const kept = (page) =>
  until(page, async () => {
    const names = await caches.keys();
    const cache = names[0] && (await caches.open(names[0]));
    const urls = cache ? (await cache.keys()).map(({ url }) => url) : [];
    return ['.html', '.js', '.css', '.wasm', '.safetensors'].every((end) => urls.some((url) => url.endsWith(end)));
  });

test('a first visit transfers at most 600 kB, what it keeps for offline included', () =>
  withSite(async ({ url, served }) => {
    const { page, context, faults } = await open(browser, url);
    await expectAnswer(page, /^5/);
    await kept(page);
    const bytes = served.reduce((sum, file) => sum + file.bytes, 0);
    assert.ok(bytes <= 600_000, `${bytes} bytes: ${JSON.stringify(served)}`);
    assert.deepEqual(faults, []);
    console.log(`cold visit: ${bytes} bytes`);
    await context.close();
  }));

test('the second visit works without a network', () =>
  withSite(async (site) => {
    const { page, context } = await open(browser, site.url);
    await expectAnswer(page, /^5/);
    await kept(page);
    await site.close();
    await page.reload();
    await expectAnswer(page, /^5/);
    await draw(page, SEVEN);
    await expectAnswer(page, /^7/);
    await context.close();
  }));

for (const [what, lose, find] of [
  ['the server is gone', ({ site }) => site.close()],
  ['there is no network', ({ context }) => context.setOffline(true), ({ context }) => context.setOffline(false)],
]) {
  test(`${what}: a lab that was never opened says so${find ? ', and opens once there is one' : ''}`, () =>
    withSite(async (site) => {
      const { page, context } = await open(browser, site.url);
      await expectAnswer(page, /^5/);
      await kept(page);
      await lose({ site, context });
      await page.getByRole('link', { name: 'Style', exact: true }).click();
      const alert = page.getByRole('alert').filter({ hasText: 'The lab “Style” did not load: the page’s server cannot be reached' });
      await alert.waitFor();
      assert.deepEqual(await violations(page), []);
      if (find) {
        await find({ site, context });
        await alert.getByRole('button', { name: 'Retry' }).click();
        await page.getByRole('heading', { level: 1, name: 'Neural style transfer' }).waitFor({ timeout: 20_000 });
      }
      await context.close();
    }));
}

/** What the page says of itself in its head, where a test can mark a version. */
const version = (page) => page.locator('meta[name=description]').getAttribute('content');

test('a new version is there at the next visit, and offline after it', () =>
  withSite(async (site) => {
    const { page, context } = await open(browser, site.url);
    await kept(page);
    site.spoil(/^index\.html$/, (file) => Buffer.from(String(file).replace(/(name="description"\s+content=")[^"]*/, '$1Second version')));
    site.spoil(/^offline\.js$/, (file) => Buffer.concat([file, Buffer.from('// second version')]));
    await page.reload();
    assert.equal(await version(page), 'Second version');
    await until(page, async () => {
      const stored = await caches.match(new URL('index.html', location.href));
      return (await stored?.text())?.includes('Second version');
    });
    await site.close();
    await page.reload();
    assert.equal(await version(page), 'Second version');
    await expectAnswer(page, /^5/);
    await context.close();
  }));

for (const colorScheme of ['light', 'dark']) {
  for (const [name, size] of Object.entries({ wide: WIDE, phone: PHONE })) {
    test(`axe finds nothing: ${colorScheme}, ${name}`, () =>
      withSite(async ({ url }) => {
        const { page, context } = await open(browser, url, { ...size, colorScheme });
        await expectAnswer(page, /^5/);
        await page.waitForTimeout(500);
        assert.deepEqual(await violations(page), []);
        await page.getByRole('button', { name: /^conv1, map 1 / }).click();
        await page.getByRole('dialog').waitFor();
        assert.deepEqual(await violations(page, 'dialog'), []);
        await page.keyboard.press('Escape');
        await page.getByRole('button', { name: 'Clear' }).click();
        await expectAnswer(page, /^Nothing drawn/);
        assert.deepEqual(await violations(page, '[aria-label="What the network reads"]'), []);
        await context.close();
      }));
  }
}

test('a chosen theme is remembered', () =>
  withSite(async ({ url }) => {
    const { page, context } = await open(browser, url, { colorScheme: 'light' });
    const paper = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const light = await paper();
    await page.getByRole('button', { name: 'Dark theme' }).click();
    const dark = await paper();
    assert.notEqual(dark, light);
    await page.reload();
    assert.equal(await paper(), dark);
    await context.close();
  }));

test('both builds answer alike', () =>
  withSite(async ({ url }) => {
    const tables = [];
    for (const build of ['simd128', 'relaxed-simd']) {
      const { page, context, faults } = await open(browser, url, { query: `?build=${build}` });
      await page.getByText(`draw, ${build}:`).waitFor();
      const rows = [];
      for (const strokes of [SEVEN, ONE]) {
        await page.getByRole('button', { name: 'Clear' }).click();
        await draw(page, strokes);
        await readAnswer(page);
        rows.push(await page.getByRole('table').innerText());
      }
      tables.push(rows);
      assert.deepEqual(faults, []);
      await context.close();
    }
    assert.deepEqual(tables[0], tables[1]);
  }));
