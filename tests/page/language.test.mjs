// The page's language: the link's, then the one chosen before, then the browser's; only that one's texts are fetched.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, open, until, violations } from './browser.mjs';
import { withSite } from './site.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const lang = (page) => page.evaluate(() => document.documentElement.lang);
const lab = (page, name) => page.getByRole('link', { name, exact: true });

test('a Japanese browser gets the page in Japanese, and no English text', () =>
  withSite(async ({ url, served }) => {
    const { page, context, faults } = await open(browser, url, { locale: 'ja-JP', query: '?lab=bench' });
    await page.getByRole('heading', { name: 'この端末の速さを測る' }).waitFor();
    await lab(page, '学習').waitFor();
    assert.equal(await lang(page), 'ja');
    assert.equal(await page.title(), '速度測定 · hitofude 一筆');
    const texts = served.map(({ path }) => path).filter((path) => /text-/.test(path));
    assert.ok(texts.length >= 2 && texts.every((path) => /text-\w+-ja-/.test(path)), texts.join());
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(faults, []);
    await context.close();
  }));

test('the switch stays, and the link wins over it', () =>
  withSite(async ({ url }) => {
    const { page, context, faults } = await open(browser, url, { query: '?lab=bench' });
    await page.getByRole('heading', { name: 'Measure this device' }).waitFor();
    await page.getByRole('button', { name: '日本語' }).click();
    await page.getByRole('heading', { name: 'この端末の速さを測る' }).waitFor();
    await page.goto(url);
    await lab(page, '学習').waitFor();
    await page.goto(`${url}?lang=en`);
    await lab(page, 'Train').click();
    await page.waitForURL(/lab=train/);
    assert.equal(new URL(page.url()).searchParams.get('lang'), 'en', 'a link that chose the language goes on choosing it');
    await lab(page, 'Draw').waitFor();
    assert.deepEqual(faults, []);
    await context.close();
  }));

for (const bad of ['C', 'en-US@posix']) {
  test(`a browser that calls its language ${bad} gets English, and every chart`, () =>
    withSite(async ({ url }) => {
      const context = await browser.newContext();
      await context.addInitScript((name) => {
        Object.defineProperty(Navigator.prototype, 'language', { get: () => name, configurable: true });
        Object.defineProperty(Navigator.prototype, 'languages', { get: () => [name], configurable: true });
      }, bad);
      const page = await context.newPage();
      const faults = [];
      page.on('pageerror', (error) => faults.push(error.message));
      for (const [id, title] of [['train', 'Train a network'], ['style', 'Neural style transfer']]) {
        await page.goto(`${url}?lab=${id}`);
        await page.getByRole('heading', { level: 1, name: title }).waitFor();
        assert.equal(await lang(page), 'en');
      }
      assert.deepEqual(faults, []);
      await context.close();
    }));
}

test('offline the page speaks the language of the last visit', () =>
  withSite(async (site) => {
    const { page, context } = await open(browser, site.url, { locale: 'ja-JP' });
    await page.getByRole('status', { name: '答え' }).filter({ hasText: /^5/ }).waitFor();
    await until(page, async () => {
      const urls = await Promise.all((await caches.keys()).map(async (name) => (await (await caches.open(name)).keys()).map(({ url }) => url)));
      return ['.html', 'text-shell-ja', '.wasm', '.safetensors'].every((end) => urls.flat().some((url) => url.includes(end)));
    });
    await site.close();
    await page.reload();
    await lab(page, '学習').waitFor();
    await context.close();
  }));
