// The page in another engine: Firefox, stock, by WebDriver BiDi. What a link promises must hold there too: the same
// weights, to the bit.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import puppeteer from 'puppeteer-core';
import { findFirefox } from '../../tools/browser.mjs';
import { launch, open, SEVEN } from './browser.mjs';
import { serveSite } from './site.mjs';

const executablePath = findFirefox();
const skip = executablePath ? false : 'no Firefox here: install firefox-esr or firefox, or name one in FIREFOX';

/** A small convnet with dropout and augmentation: everything random, and every kind of kernel that a digit's network has. */
const SHARED =
  '?lab=train&net=conv-out8-kernel5*relu*max_pool-kernel2-stride2*flatten*dropout-ratio0.2*affine-out10' +
  '&steps=60&batch=50&seed=11&rotate=10&schedule=onecycle&warmup=0.3';
const HASH = '[aria-label="SHA-256 of the weights"]';

let firefox;
let site;
before(async () => {
  if (skip) return;
  site = await serveSite();
  firefox = await puppeteer.launch({ browser: 'firefox', executablePath, headless: true });
});
after(() => Promise.all([firefox?.close(), site?.close()]));

/** Opens the page in Firefox, in a context of its own, which knows nothing of runs that others have kept; `faults` lists its errors. */
async function openInFirefox(url) {
  const context = await firefox.createBrowserContext();
  const page = await context.newPage();
  const faults = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  await page.setViewport({ width: 1440, height: 900 });
  await page.goto(url);
  return { page, faults };
}

test('a link trains to the same weights in Firefox as in Chromium, with one worker and with two', { skip }, async () => {
  const chromium = await launch();
  const { page } = await open(chromium, site.url, { query: SHARED });
  await page.locator('.controls button.primary:enabled').click();
  const expected = await page.locator(HASH).textContent({ timeout: 120_000 });
  // The link that the person copies is the address as the lab has written it.
  const link = page.url();
  await chromium.close();
  assert.match(expected, /^[0-9a-f]{64}$/);
  for (const workers of ['1', '2']) {
    const { page, faults } = await openInFirefox(link);
    await page.waitForSelector('.controls button.primary:enabled', { timeout: 60_000 });
    await page.select('.controls select', workers);
    await (await page.waitForSelector('.controls button.primary:enabled')).click();
    const code = await page.waitForSelector(HASH, { timeout: 120_000 });
    assert.equal(await code.evaluate((element) => element.textContent), expected, `${workers} workers`);
    assert.deepEqual(faults, []);
    await page.close();
  }
});

test('Firefox reads what is drawn', { skip }, async () => {
  const { page, faults } = await openInFirefox(site.url);
  const answered = (digit) =>
    page.waitForFunction(
      (digit) => document.querySelector('[role=status][aria-label=Answer][aria-busy=false]')?.textContent.trim().startsWith(digit),
      { timeout: 30_000 },
      digit,
    );
  await answered('5');
  const { x, y, width } = await (await page.$('[aria-label="Drawing pad"]')).boundingBox();
  const [[first, ...rest]] = SEVEN;
  const at = ([u, v]) => [x + u * width, y + v * width];
  await page.mouse.move(...at(first));
  await page.mouse.down();
  for (const point of rest) await page.mouse.move(...at(point));
  await page.mouse.up();
  await answered('7');
  assert.deepEqual(faults, []);
  await page.close();
});
