// Train as a beginner finds it: the pictures, three choices, Start; one drawing that is read while the network learns; and
// what was trained, put to use.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { button, launch, open, openTrain, PHONE, violations } from './browser.mjs';
import { serveSite } from './site.mjs';

let browser;
let site;
before(async () => ([browser, site] = await Promise.all([launch(), serveSite()])));
after(() => Promise.all([browser?.close(), site?.close()]));

const QUICK = '?lab=train&net=flatten*affine-out32*relu*affine-out10&batch=50&shard=10';
const rate = (page) => page.getByLabel('Learning rate', { exact: true });
const reading = (page) => page.getByRole('region', { name: /^Your digit/ });
const step = (page, text) => page.locator('.controls .line', { hasText: text }).first();

const lab = (query, options) => openTrain(browser, site.url, query, options);

test('it opens with pictures, three choices and Start; the drawing is read before, while and after the network learns', async () => {
  const { page, context, faults } = await lab('?lab=train');
  await page.getByRole('img', { name: /^20 of the training pictures/ }).waitFor();
  assert.equal(await page.getByLabel('Preset').inputValue(), 'Quick start');
  await page.getByText('A small convnet learns to read digits in about half a minute.').waitFor();
  assert.equal(await page.getByLabel('Network', { exact: true }).inputValue(), 'small');
  assert.equal(await page.locator('details.setup').evaluate((all) => all.open), false);
  assert.equal(await page.getByRole('figure').count(), 0, 'no empty chart');
  await reading(page).getByText('Read with the first weights').waitFor();
  const seen = new Set();
  await button(page, 'Start').click();
  for (let i = 0; i < 600 && !(await page.getByText('Your network is trained.').isVisible()); i++) {
    const text = await reading(page).getByText(/^Read with the weights of step/).textContent({ timeout: 1000 }).catch(() => '');
    if (text) seen.add(text);
    await page.waitForTimeout(100);
  }
  assert.ok(seen.size >= 3, [...seen].join());
  await page.getByText(/^test accuracy, on 500 pictures/).waitFor();
  await page.getByRole('status', { name: 'Reading' }).filter({ hasText: 'The network reads 5.' }).waitFor({ state: 'attached' });
  await page.getByRole('figure', { name: /^Misread/ }).waitFor();
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(faults, []);
  await context.close();
});

test('what is typed and is no rate stops Start at the field; what is typed and is one runs', async () => {
  const { page, context, faults } = await lab(`${QUICK}&steps=400`);
  await rate(page).fill('1e6');
  await button(page, 'Start').click();
  await page.getByRole('alert').filter({ hasText: 'A number from 0 to 100.' }).waitFor();
  assert.equal(await rate(page).getAttribute('aria-invalid'), 'true');
  assert.ok(await rate(page).evaluate((field) => field === document.activeElement));
  assert.equal(await rate(page).inputValue(), '1e6');
  await button(page, 'Step').click();
  await page.waitForTimeout(500);
  await step(page, 'step 0 of 400').waitFor();
  await rate(page).fill('0.03');
  await button(page, 'Start').click();
  await page.getByText(/^η = 0\.0300 at step/).waitFor({ timeout: 30_000 });
  assert.deepEqual(faults, []);
  await context.close();
});

test('behind an explosion its curve stays, Reset can be pressed, and a gentler rate is a press away', async () => {
  const { page, context } = await lab(`${QUICK}&optimiser=sgd&rate=99&steps=200`);
  await button(page, 'Start').click();
  await page.getByRole('alert').filter({ hasText: 'The run stopped' }).waitFor({ timeout: 30_000 });
  await page.getByRole('figure').filter({ hasText: /^Loss/ }).getByText('taken back', { exact: true }).first().waitFor();
  assert.ok(await button(page, 'Reset').isEnabled());
  await button(page, 'Try a learning rate of 9.9').click();
  await page.waitForURL(/rate=9\.9/);
  assert.equal(await rate(page).inputValue(), '9.9');
  await button(page, 'Reset').click();
  await rate(page).fill('0.1');
  await button(page, 'Start').click();
  await page.getByLabel('SHA-256 of the weights').waitFor({ timeout: 60_000 });
  await context.close();
});

test('at the end nothing is dead: draw with it, save it, look inside', async () => {
  const { page, context, faults } = await lab(`${QUICK}&steps=300`);
  await button(page, 'Start').click();
  await page.getByText('Your network is trained.').waitFor({ timeout: 60_000 });
  assert.equal(await button(page, 'Go on').count(), 0);
  const [download] = await Promise.all([page.waitForEvent('download'), button(page, 'Save').click()]);
  const file = readFileSync(await download.path());
  const { __metadata__: said } = JSON.parse(file.subarray(8, 8 + Number(file.readBigUInt64LE(0))));
  assert.deepEqual(JSON.parse(said.network).layers.map(({ name }) => name), ['flatten1', 'affine1', 'relu1', 'affine2']);
  await button(page, 'Draw with it').click();
  assert.equal(await page.evaluate(() => document.activeElement.closest('section').querySelector('h2').id), 'reading');
  const { x, y, width } = await page.getByLabel('Drawing pad').boundingBox();
  await page.mouse.move(x + width * 0.5, y + width * 0.12);
  await page.mouse.down();
  for (const v of [0.3, 0.5, 0.7, 0.88]) await page.mouse.move(x + width * 0.5, y + width * v);
  await page.mouse.up();
  await page.getByRole('status', { name: 'Reading' }).filter({ hasText: 'The network reads 1.' }).waitFor({ state: 'attached' });
  await button(page, 'Look inside').click();
  await page.waitForURL(/lab=inside&model=own/);
  await page.getByText(/^(Read as|Not sure)/).first().waitFor({ timeout: 60_000 });
  assert.deepEqual(faults, []);
  await context.close();
});

test('the file that Train saves opens in Your model', async () => {
  const { page, context } = await lab(`${QUICK}&steps=20`);
  await button(page, 'Start').click();
  const [download] = await Promise.all([page.waitForEvent('download'), button(page, 'Save').click({ timeout: 60_000 })]);
  const file = readFileSync(await download.path());
  await page.goto(`${site.url}?lab=model&lang=en`);
  await page.locator('input[type=file]').first().setInputFiles({ name: 'trained.safetensors', mimeType: 'application/octet-stream', buffer: file });
  await page.getByText('trained', { exact: true }).waitFor({ timeout: 60_000 });
  assert.equal(await page.getByRole('alert').count(), 0);
  await context.close();
});

test('classes of one’s own are trained as they come, and a network with other outputs is put right by a press', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'classes-'));
  const { page, context, faults } = await lab('?lab=train&steps=30&batch=6&shard=6');
  // Bars that stand high, in the middle or low.
  const names = ['high', 'middle', 'low'];
  const pictures = await page.evaluate(async () => {
    const all = [];
    for (let i = 0; i < 24; i++) {
      const canvas = new OffscreenCanvas(28, 28);
      const context = canvas.getContext('2d');
      context.fillStyle = '#fff';
      context.fillRect(0, 0, 28, 28);
      context.fillStyle = '#000';
      context.fillRect(4 + (i % 5), 3 + 9 * (i % 3), 18, 4);
      all.push([...new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer())]);
    }
    return all;
  });
  names.forEach((name) => mkdirSync(join(folder, name)));
  pictures.forEach((bytes, i) => writeFileSync(join(folder, names[i % 3], `${i}.png`), Uint8Array.from(bytes)));
  await page.locator('input[webkitdirectory]').setInputFiles(folder);
  await page.getByText(/^20 training and 4 validation pictures, 3 classes/).waitFor();
  await page.waitForURL(/data=/);
  assert.equal(await page.getByLabel('out of affine2').inputValue(), '3');
  await page.getByLabel('out of affine2').fill('7');
  await page.getByLabel('out of affine2').blur();
  await page.getByRole('alert').filter({ hasText: 'The network gives an output of 7; there are 3 classes.' }).waitFor();
  await page.locator('.controls button.primary:disabled').waitFor();
  await button(page, 'Give the last layer 3 outputs').click();
  await button(page, 'Start').click();
  await page.getByText('Your network is trained.').waitFor({ timeout: 60_000 });
  await page.getByRole('img', { name: /^The picture is of class (high|low|middle)\.$/ }).waitFor();
  assert.deepEqual(faults, []);
  await context.close();
  rmSync(folder, { recursive: true });
});

/** Pictures and labels of so many in IDX form; a row of ink tells the classes apart. */
function idx(n) {
  const head = (...words) => Buffer.concat(words.map((word) => Buffer.from([word >>> 24, word >>> 16, word >>> 8, word])));
  const labels = Uint8Array.from({ length: n }, (_, i) => i % 10);
  const pixels = Uint8Array.from({ length: n * 784 }, (_, k) => (Math.floor((k % 784) / 28 / 2.8) === labels[Math.floor(k / 784)] ? 255 : 0));
  return [Buffer.concat([head(0x803, n, 28, 28), pixels]), Buffer.concat([head(0x801, n), labels])];
}

test('the test files score at the end and nowhere before', async () => {
  const { page, context, faults } = await lab(`${QUICK}&steps=60`);
  const [images, labels] = idx(120);
  const [ownImages, ownLabels] = idx(40);
  const files = { 'train-images-idx3-ubyte': images, 'train-labels-idx1-ubyte': labels, 't10k-images-idx3-ubyte': ownImages, 't10k-labels-idx1-ubyte': ownLabels };
  await page.locator('input[type=file]').first().setInputFiles(Object.entries(files).map(([name, buffer]) => ({ name, mimeType: 'application/octet-stream', buffer })));
  await page.getByText(/^100 training, 20 validation and 40 test pictures/).waitFor();
  await page.waitForURL(/data=/);
  await button(page, 'Start').click();
  await page.getByText('test accuracy, on 40 pictures never seen before').waitFor({ timeout: 60_000 });
  await page.getByRole('figure', { name: /^Misread: \d+ of 20$/ }).waitFor();
  // Whoever comes back finds the score with the run.
  await page.reload();
  await button(page, 'Resume').click();
  await page.getByText('test accuracy, on 40 pictures never seen before').waitFor({ timeout: 60_000 });
  assert.deepEqual(faults, []);
  await context.close();
});

test('a preset says what it shows, stays chosen, and names the pictures that it is meant for', async () => {
  const { page, context } = await lab('?lab=train');
  await page.getByLabel('Preset').selectOption('Sigmoid, Gaussian weights');
  await page.getByText(/^The gradient vanishes on its way.* The course report of the sources measured 11\.3.%/).waitFor();
  assert.match(await page.getByRole('link', { name: 'its four files' }).getAttribute('href'), /mnist/);
  await page.reload();
  await page.getByText(/^The gradient vanishes on its way/).waitFor({ timeout: 30_000 });
  assert.equal(await page.getByLabel('Preset').inputValue(), 'Sigmoid, Gaussian weights');
  await rate(page).fill('0.2');
  await rate(page).blur();
  await page.getByText('Choices of your own.').waitFor();
  await page.goto(`${site.url}?lab=train&lang=en&data=0123456789abcdef&from=my%20letters`);
  await page.getByRole('alert').filter({ hasText: 'pictures that are not in this browser: my letters.' }).waitFor({ timeout: 30_000 });
  await context.close();
});

test('on a phone a tap explains a choice, and nothing is wider than 320 px', async () => {
  const { page, context, faults } = await lab('?lab=train', { ...PHONE, viewport: { width: 320, height: 640 } });
  await button(page, 'What is “Learning rate”?').tap();
  await page.getByText(/^The size of each step\./).waitFor();
  await page.locator('details.setup > summary').tap();
  await button(page, 'What is “Momentum”?').tap();
  await page.getByText(/^The part of the velocity that is kept/).waitFor();
  assert.equal(await page.locator('main [title]').count(), 0, 'nothing is explained by hovering alone');
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(content <= window, `${content} > ${window}`);
  assert.deepEqual(faults, []);
  await context.close();
});
