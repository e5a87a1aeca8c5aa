// Precision: one network at every number of bits, what it still reads, its layers, a search for bits, files, and one bit taken apart.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { launch, open, PHONE, violations } from './browser.mjs';
import { latin } from './latin.mjs';
import { serveSite } from './site.mjs';

let browser;
let site;
before(async () => ([browser, site] = await Promise.all([launch(), serveSite()])));
after(() => Promise.all([browser?.close(), site?.close()]));

const PATIENCE = { timeout: 120_000 };
const button = (page, name) => page.getByRole('button', { name, exact: true });
const slider = (page) => page.getByRole('slider', { name: 'Weights', exact: true });
const row = (page, name) => page.getByRole('row').filter({ has: page.getByRole('rowheader', { name, exact: true }) });
/** The numbers of a row of the table of precisions: bytes, percent of drawings, percent of made digits. */
const numbers = async (page, name) => {
  await page.waitForFunction((wanted) => {
    const found = [...document.querySelectorAll('.ladder tbody tr')].find((tr) => tr.querySelector('th').textContent.trim() === wanted);
    return found && ![...found.querySelectorAll('td')].some((td) => /[…–]/.test(td.textContent));
  }, name, PATIENCE);
  const cells = await row(page, name).getByRole('cell').allInnerTexts();
  return cells.map((text) => Number(text.replace(/[^\d.]/g, '')));
};

async function lab(query = '', options = {}) {
  const opened = await open(browser, site.url, { query: `?lab=precision${query}`, ...options });
  await opened.page.locator('.slider .bytes').waitFor(PATIENCE);
  return opened;
}

test('fewer bits: smaller files, more misread, and the answer to the drawing at each stop, by keyboard', async () => {
  const { page, context, faults } = await lab();
  await page.getByText(/^In int8 the network reads \d with .* the same digit as in float32\.$/).waitFor(PATIENCE);
  const rows = {};
  for (const name of ['float32', 'float16', 'int8', 'int4', 'ternary', '1 bit']) rows[name] = await numbers(page, name);
  const bytes = Object.values(rows).map(([size]) => size);
  assert.deepEqual(bytes, bytes.toSorted((a, b) => b - a), `each stop is smaller than the one before: ${bytes}`);
  assert.ok(bytes[0] > 38_000 && bytes[1] < 23_000 && bytes[2] < 12_000 && bytes[3] < 7_000, `${bytes}`);
  assert.deepEqual(rows.float16.slice(1, 3), rows.float32.slice(1, 3), 'float16 loses nothing');
  assert.ok(rows.float32[1] > 90 && rows.float32[2] > 90 && rows.int8[1] >= rows.float32[1] - 1, JSON.stringify(rows));
  assert.ok(rows['1 bit'][1] < rows.int8[1] - 10, 'rounded to one bit afterwards it does not read well');
  await slider(page).focus();
  await page.keyboard.press('End');
  await page.getByText(/^In 1 bit the network reads \d/).waitFor(PATIENCE);
  assert.ok((await slider(page).getAttribute('aria-valuetext')) === '1 bit');
  await page.getByText(/of 400 are read as another digit in 1 bit: \d+ become right, \d+ become wrong\./).waitFor(PATIENCE);
  assert.ok(await page.getByRole('button', { name: /^A \d: read as \d before, as \d now$/ }).count() > 3);
  await page.waitForFunction(() => location.search.includes('bits=1'));
  await page.keyboard.press('Home');
  await page.getByText('The answers in float32 are those that all others are compared with.').waitFor(PATIENCE);
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(faults, []);
  await context.close();
});

test('maps stand side by side, and a layer of fewer bits is further off', async () => {
  const { page, context, faults } = await lab();
  const maps = page.getByRole('img', { name: /maps of conv2\.0: / });
  await maps.first().waitFor(PATIENCE);
  assert.deepEqual(await maps.evaluateAll((all) => all.map((one) => one.getAttribute('aria-label').split(': ')[1])), ['float32', 'int8', 'difference']);
  const off = async () => Number(/([\d.]+)/.exec(await page.getByText(/^Rounding error of this layer for this drawing/).innerText())[1]);
  const eight = await off();
  await slider(page).focus();
  await page.keyboard.press('ArrowRight');
  await page.getByRole('img', { name: /maps of conv2\.0: int4/ }).waitFor(PATIENCE);
  await page.waitForFunction((before) => Number(/([\d.]+)\D*$/.exec([...document.querySelectorAll('p')].find((p) => p.textContent.startsWith('Rounding error of this layer')).textContent)[1]) > 2 * before, eight, PATIENCE);
  assert.deepEqual(faults, []);
  await context.close();
});

test('bits layer by layer: by hand, by a search within its bytes, saved and opened again', async () => {
  const { page, context, faults } = await lab();
  const bits = page.getByLabel(/^Bits of /);
  await bits.nth(1).selectOption('2');
  await page.locator('.slider strong', { hasText: 'by layer' }).waitFor(PATIENCE);
  assert.equal(await bits.nth(0).inputValue(), '8');
  assert.equal(await bits.nth(1).inputValue(), '2');
  await button(page, 'Search bits').click();
  const done = page.getByText(/bytes of weights; .* of the digits to choose by are read right\.$/);
  await done.waitFor(PATIENCE);
  const found = Number((await done.innerText()).split(' bytes')[0].replace(/\D/g, ''));
  assert.ok(found <= 4609, `${found} bytes, half of 9,218`);
  const chosen = await bits.evaluateAll((all) => all.map((one) => one.value));
  assert.ok(chosen.some((one) => one !== '8') && chosen.every((one) => ['8', '4', '2'].includes(one)), chosen.join());
  const [size] = await numbers(page, 'by layer');
  const download = page.waitForEvent('download');
  await button(page, 'Save the network').click();
  const file = await (await download).path();
  assert.equal((await download).suggestedFilename(), 'tiny_mixed.safetensors');
  assert.equal(readFileSync(file).length, size);
  await page.getByLabel('Open a file…').last().setInputFiles({ name: 'mine.safetensors', mimeType: 'application/octet-stream', buffer: readFileSync(file) });
  await page.locator('.slider strong', { hasText: 'this file' }).waitFor(PATIENCE);
  assert.equal((await numbers(page, 'this file'))[0], size);
  await page.getByLabel('Open a file…').last().setInputFiles({ name: 'bad.safetensors', mimeType: 'application/octet-stream', buffer: Buffer.from('nothing') });
  await page.getByRole('alert').waitFor();
  assert.ok(await page.locator('.slider strong', { hasText: 'this file' }).isVisible(), 'what was open stays');
  assert.deepEqual(faults, []);
  await context.close();
});

test('one bit: the shipped network is taken apart, and the sum is that of its own words', async () => {
  const { page, context, faults } = await lab('&net=binary');
  await page.getByText('This network was trained with few bits').waitFor(PATIENCE);
  await page.getByText('The whole window:').waitFor(PATIENCE);
  const read = async () => {
    const [, n, ones, sum] = /(\d+) − 2 · (\d+) = (−?\d+)/.exec((await page.getByText('The whole window:').innerText()).replaceAll('\u202f', ''));
    return { n: Number(n), ones: Number(ones), sum: Number(sum.replace('−', '-')), taps: await page.getByRole('group', { name: 'Differing signs at each place of the window' }).getByRole('button').allInnerTexts() };
  };
  const first = await read();
  assert.equal(first.n, 48 * 9);
  assert.equal(first.n - 2 * first.ones, first.sum);
  assert.equal(first.taps.reduce((sum, text) => sum + Number(text), 0), first.ones);
  const rows = await page.getByRole('img', { name: /^(Input: 1 stands for −1|Weights|xor: 1 where they differ): [01]{32}$/ }).evaluateAll((all) => all.map((one) => one.getAttribute('aria-label').split(': ').at(-1)));
  assert.equal([...rows[0]].map((bit, i) => Number(bit) ^ Number(rows[1][i])).join(''), rows[2]);
  await page.getByLabel('Filter', { exact: true }).focus();
  await page.keyboard.press('ArrowRight');
  await page.getByText(/^Filter 2: a kernel for each of 48 input maps/).waitFor(PATIENCE);
  const [size, drawings] = await numbers(page, 'binary');
  assert.equal(size, readFileSync(new URL('../../pretrained/bits/binary.safetensors', import.meta.url)).length);
  assert.ok(drawings > 80, `${drawings} % of the drawings`);
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(faults, []);
  await context.close();
});

test('on a phone, in Japanese: nothing is English, and nothing is wider', async () => {
  for (const query of ['&lang=ja', '&lang=ja&net=binary']) {
    const { page, context, faults } = await lab(query, PHONE);
    await page.getByRole('heading', { name: 'ビットを減らす', exact: true }).waitFor();
    await page.getByText(/(では|は) \d と読みました/).waitFor(PATIENCE);
    assert.deepEqual(await latin(page), []);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing is wider than the phone');
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(faults, []);
    await context.close();
  }
});
