// One browser for a test file, and pages in it that note what a page must not do.

import AxeBuilder from '@axe-core/playwright';
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';
import { findBrowser } from '../../tools/browser.mjs';

export const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 3, hasTouch: true, isMobile: true };
export const WIDE = { viewport: { width: 1440, height: 900 } };

/** A camera that shows a moving picture, and a person who allows it. */
export const CAMERA = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];

export async function launch(more = []) {
  const { chrome, flags } = findBrowser();
  return chromium.launch({ executablePath: chrome, args: [...flags, ...more] });
}

/**
 * Opens the page; `expectErrors` lets failing requests pass. Resolves to `{ page, context, faults }`: `faults` lists
 * console errors, uncaught exceptions and requests to other origins.
 */
export async function open(browser, url, { query = '', ...options } = {}) {
  const context = await browser.newContext({ ...WIDE, reducedMotion: 'reduce', ...options });
  const page = await context.newPage();
  const faults = [];
  const origin = new URL(url).origin;
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  page.on('pageerror', (error) => faults.push(error.message));
  context.on('request', (request) => {
    const target = new URL(request.url());
    if (target.protocol.startsWith('http') && target.origin !== origin) faults.push(`request to ${target.origin}`);
  });
  await page.goto(url + query);
  return { page, context, faults };
}

export const button = (page, name) => page.getByRole('button', { name, exact: true });

/** Opens Train, with a setup in its address, and waits until a training can start. */
export async function openTrain(browser, url, query, options = {}) {
  const opened = await open(browser, url, { query, ...options });
  await opened.page.locator('.controls button.primary:enabled').waitFor({ timeout: 60_000 });
  return opened;
}

/** The hash of the weights that a run ends with. */
export async function hashOf(page) {
  const code = page.getByLabel('SHA-256 of the weights');
  await code.waitFor({ timeout: 120_000 });
  return code.textContent();
}

/** Waits until an asynchronous `question` in the page is answered with yes. */
export async function until(page, question) {
  for (const end = Date.now() + 20_000; !(await page.evaluate(question)); await page.waitForTimeout(50)) {
    assert.ok(Date.now() < end, `still not: ${question}`);
  }
}

export const pad = (page) => page.getByLabel('Drawing pad');
const answer = (page) => page.getByRole('status', { name: 'Answer' });

/** The text of the answer once the newest drawing has been read. */
export async function readAnswer(page) {
  await page.locator('[role=status][aria-label=Answer][aria-busy=false]').waitFor({ state: 'attached' });
  return (await answer(page).textContent()).trim();
}

/** Waits until an answer has this beginning. */
export async function expectAnswer(page, beginning) {
  await answer(page).filter({ hasText: beginning }).waitFor({ timeout: 10_000 });
  const text = await readAnswer(page);
  assert.match(text, beginning);
  return text;
}

/** Draws strokes, in units of the pad's side, with the mouse. */
export async function draw(page, strokes) {
  const { x, y, width } = await pad(page).boundingBox();
  for (const [first, ...rest] of strokes) {
    const at = ([u, v]) => [x + u * width, y + v * width];
    await page.mouse.move(...at(first));
    await page.mouse.down();
    // Not one by one: a quick hand's points arrive several to a frame.
    await Promise.all(rest.map((point) => page.mouse.move(...at(point))));
    await page.mouse.up();
  }
}

/** The 300 map buttons of these layers are made like those of conv1, and take axe minutes on a busy machine. */
const ALIKE = ':is([aria-label^=conv]:not([aria-label=conv1]), [aria-label^=pool]) > .scroll';

/** What axe finds in the page, or in a part of it: a line for each rule. */
export async function violations(page, part = 'html') {
  const { violations } = await new AxeBuilder({ page }).include(part).exclude(ALIKE).analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`);
}

/**
 * What in a part of a Japanese page has a Latin word and no Japanese beside it: texts, labels, options. Words that `known` holds
 * (names, formulas) and what is marked as English are left out.
 */
export const english = (page, part, known) =>
  page.locator(part).evaluate(
    (root, source) => {
      const known = new RegExp(source);
      const own = (element) => !element.closest('[lang=en], script, style, var, code, .formula') && element.getClientRects().length > 0;
      const found = [];
      const take = (text) => {
        if (/[\u3040-\u30ff\u4e00-\u9fff]/.test(text)) return;
        const words = text.match(/[A-Za-z_]\w{2,}/g) ?? [];
        if (words.some((word) => !known.test(word))) found.push(text.trim());
      };
      const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
      for (let node = walk.nextNode(); node; node = walk.nextNode()) if (own(node.parentElement) || node.parentElement.matches('option')) take(node.data);
      for (const element of root.querySelectorAll('[aria-label], [title], [alt], [aria-valuetext], [placeholder]')) {
        if (own(element)) for (const name of ['aria-label', 'title', 'alt', 'aria-valuetext', 'placeholder']) take(element.getAttribute(name) ?? '');
      }
      return [...new Set(found)];
    },
    known.source,
  );

/** Buttons and headings of a part whose text does not fit them. */
export const cut = (page, part) =>
  page.locator(part).evaluate((root) =>
    [...root.querySelectorAll('button, h1, h2, h3, legend, label > span, th')]
      .filter((one) => one.clientWidth > 1 && !one.closest('.unseen') && one.scrollWidth > one.clientWidth + 1)
      .map((one) => one.textContent.trim()),
  );

export const SEVEN = [[[0.25, 0.2], [0.5, 0.2], [0.75, 0.19], [0.65, 0.4], [0.55, 0.62], [0.45, 0.88]]];
export const ONE = [[[0.5, 0.12], [0.5, 0.3], [0.5, 0.5], [0.5, 0.7], [0.49, 0.88]]];
