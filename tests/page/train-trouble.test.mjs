// What can go wrong with a training, and what a person brings to it and takes away.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { button, hashOf, launch, open, openTrain } from './browser.mjs';
import { serveSite } from './site.mjs';

let browser;
let site;
before(async () => ([browser, site] = await Promise.all([launch(['--js-flags=--expose-gc']), serveSite()])));
after(() => Promise.all([browser?.close(), site?.close()]));

const QUICK = '?lab=train&net=flatten*affine-out32*relu*affine-out10&batch=50&shard=10';

const lab = (query, options) => openTrain(browser, site.url, query, options);

async function taken(page, press) {
  const [download] = await Promise.all([page.waitForEvent('download'), press()]);
  return readFileSync(await download.path());
}

test('a full storage is said, and the run goes on to its end', async () => {
  const { page, context } = await lab(`${QUICK}&steps=60`);
  await page.workers().find((worker) => worker.url().includes('classroom')).evaluate(() => {
    IDBObjectStore.prototype.put = () => {
      throw new DOMException('full', 'QuotaExceededError');
    };
  });
  await button(page, 'Step').click();
  await page.getByRole('alert').filter({ hasText: 'The run cannot be kept: the storage is full. It goes on; nothing is kept yet' }).waitFor();
  await button(page, 'Go on').click();
  assert.match(await hashOf(page), /^[0-9a-f]{64}$/);
  await context.close();
});

test('validations that get no better stop the run, and the best weights are back', async () => {
  const { page, context, faults } = await lab(`${QUICK}&steps=400&rate=0.5&optimiser=sgd&patience=1&schedule=constant&limit=50`);
  await button(page, 'Start').click();
  await page.getByRole('status').filter({ hasText: /Stopped early, at step \d+: .* The weights of step \d+ are back/ }).waitFor({ timeout: 60_000 });
  const stopped = await hashOf(page);
  await page.reload();
  await button(page, 'Resume').click();
  await page.getByText('Stopped early').waitFor();
  assert.equal(await hashOf(page), stopped);
  assert.deepEqual(faults, []);
  await context.close();
});

/** The thread that trains. */
const thread = (page) => page.workers().findLast((worker) => worker.url().includes('classroom'));
const replaced = (page) => page.getByRole('status').filter({ hasText: 'The training thread was replaced and went on from the last step kept' }).waitFor();

test('an error in the training thread that nobody waits for reaches the page; a fresh thread goes on to the same weights', async () => {
  const { page, context } = await lab(`${QUICK}&steps=300`);
  await button(page, 'Step').click();
  await page.getByText(/step 1 kept/).waitFor();
  await button(page, 'Go on').click();
  await thread(page).evaluate(() => void Promise.reject(new Error('lost')));
  await replaced(page);
  const hash = await hashOf(page);
  await button(page, 'Reset').click();
  await button(page, 'Start').click();
  assert.equal(await hashOf(page), hash);
  await context.close();
});

test('a training thread that is killed says nothing; it is missed, and a fresh one goes on', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.clock.install();
  await page.goto(`${site.url}${QUICK}&steps=300`);
  await page.locator('.controls button.primary:enabled').waitFor({ timeout: 60_000 });
  await button(page, 'Step').click();
  await page.getByText(/step 1 kept/).waitFor();
  await thread(page).evaluate(() => self.close());
  await button(page, 'Go on').click();
  await page.clock.fastForward(32_000);
  await page.clock.fastForward(2_000);
  await replaced(page);
  assert.match(await hashOf(page), /^[0-9a-f]{64}$/);
  await context.close();
});

/** The tensors of a safetensors file, as bytes in hexadecimal digits. */
function tensorsOf(file) {
  const length = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.subarray(8, 8 + length));
  delete header.__metadata__;
  return Object.fromEntries(Object.entries(header).map(([name, { data_offsets: [from, to] }]) => [name, file.subarray(8 + length + from, 8 + length + to).toString('hex')]));
}

test('a frozen layer keeps the weights that it begins with', async () => {
  const files = [];
  for (const steps of [10, 20]) {
    const { page, context, faults } = await lab(`${QUICK}&steps=${steps}`);
    await button(page, 'Freeze affine1').click();
    await page.getByText(/of them frozen/).waitFor();
    await page.waitForURL(/affine(!|%21)-out32/);
    await page.waitForTimeout(400);
    await button(page, 'Start').click();
    await hashOf(page);
    files.push(tensorsOf(await taken(page, () => button(page, 'Save').click())));
    assert.deepEqual(faults, []);
    await context.close();
  }
  const [first, second] = files;
  assert.equal(first['affine1.weight'], second['affine1.weight']);
  assert.notEqual(first['affine2.weight'], second['affine2.weight']);
});

test('curves as CSV, a comparison as CSV and PNG, a preset of the sources', async () => {
  const { page, context, faults } = await lab(`${QUICK}&steps=20`);
  await button(page, 'Start').click();
  await hashOf(page);
  const rows = String(await taken(page, () => button(page, 'Curves as CSV').click())).trim().split('\n');
  assert.equal(rows[0], 'step,loss,accuracy,gradient norm,validation loss,validation accuracy');
  assert.equal(rows.length, 21);
  for (const row of rows.slice(1)) assert.ok(Number(row.split(',')[3]) > 0, row);
  await button(page, 'Reset').click();
  await page.locator('summary', { hasText: /^Compare$/ }).click();
  await page.getByRole('combobox', { name: 'Compare' }).selectOption('batch');
  await button(page, 'Start the race').click();
  await page.getByRole('list', { name: 'Standing' }).getByText(/^20 steps, /).nth(3).waitFor({ timeout: 60_000 });
  const comparison = String(await taken(page, () => button(page, 'CSV').click())).trim().split('\n');
  assert.deepEqual([comparison[0], comparison.length], ['step,loss 10,loss 30,loss 100,loss 300', 21]);
  const png = await taken(page, () => button(page, 'PNG').click());
  assert.equal(png.subarray(1, 4).toString(), 'PNG');
  assert.ok(png.length > 2000, `${png.length} bytes`);
  await page.getByLabel('Preset').selectOption('Sigmoid, Gaussian weights');
  assert.equal(await page.getByLabel('First weights', { exact: true }).inputValue(), 'gaussian');
  assert.equal(await page.getByLabel('out of affine2').inputValue(), '20');
  assert.deepEqual(faults, []);
  await context.close();
});

/** The pixels and labels of so many pictures in IDX form; a row of ink tells the classes apart. */
function idx(n) {
  const head = (...words) => Buffer.concat(words.map((word) => (Buffer.from([word >>> 24, word >>> 16, word >>> 8, word]))));
  const labels = Uint8Array.from({ length: n }, (_, i) => i % 10);
  const pixels = Uint8Array.from({ length: n * 784 }, (_, k) => (Math.floor((k % 784) / 28 / 2.8) === labels[Math.floor(k / 784)] ? 255 : 0));
  return { images: Buffer.concat([head(0x803, n, 28, 28), pixels]), labels: Buffer.concat([head(0x801, n), labels]) };
}

test('files are dropped, or refused, and what was there before stays', async () => {
  const { page, context } = await lab(QUICK);
  const { images, labels } = idx(60);
  const drop = (files) =>
    page.getByRole('group', { name: 'Pictures', exact: true }).evaluate((target, files) => {
      const dataTransfer = new DataTransfer();
      for (const [name, bytes] of files) dataTransfer.items.add(new File([Uint8Array.from(bytes)], name));
      target.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
    }, files.map(([name, bytes]) => [name, [...bytes]]));
  await drop([['notes.txt', Buffer.from('hello')]]);
  await page.getByRole('alert').filter({ hasText: 'notes.txt is neither a picture nor called like an IDX file' }).waitFor();
  await page.getByText(/^2.000 training/).waitFor();
  await drop([['train-images-idx3-ubyte', images]]);
  await page.getByText('Still missing: the labels').waitFor();
  await drop([['train-labels-idx1-ubyte', labels]]);
  await page.getByText(/^50 training and 10 validation pictures/).waitFor();
  await context.close();
});

test('pictures come from an address that was typed: how much is here is said, and what is cancelled changes nothing', async (t) => {
  const { images, labels } = idx(500);
  let release;
  const hold = () => new Promise((resolve) => (release = resolve));
  let held = hold();
  const elsewhere = createServer(async ({ url }, response) => {
    const body = url.includes('images') ? images : labels;
    // Not stored: behind a request that was cancelled half-way Chromium's cache may hold the next one up.
    response.writeHead(200, { 'access-control-allow-origin': '*', 'cache-control': 'no-store', 'content-length': body.length });
    response.write(body.subarray(0, body.length >> 1));
    await held;
    response.end(body.subarray(body.length >> 1));
  });
  await new Promise((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  // An open connection would keep the whole file's run from ending.
  t.after(() => (elsewhere.close(), elsewhere.closeAllConnections()));
  const { page, context } = await lab(QUICK);
  await page.locator('summary', { hasText: 'From an address' }).click();
  await page.getByLabel(/^From an address/).fill(`http://127.0.0.1:${elsewhere.address().port}/mnist/`);
  await button(page, 'Fetch').click();
  const progress = page.getByRole('status').filter({ hasText: /^train-images-idx3-ubyte.gz: 196 kB of 392 kB/ });
  await progress.waitFor();
  assert.equal(await page.getByRole('progressbar', { name: 'Fetching train-images-idx3-ubyte.gz' }).getAttribute('max'), String(images.length));
  await progress.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('alert').filter({ hasText: 'Cancelled. What was there before stays.' }).waitFor();
  await page.getByText(/^2.000 training/).waitFor();
  release();
  held = hold();
  await button(page, 'Fetch').click();
  await progress.waitFor();
  // What is collected while the first file comes must not cut the worker off from the others.
  await page.evaluate(() => globalThis.gc());
  release();
  // A sixth of the training files is to choose by; MNIST's t10k files only score at the end.
  await page.getByText(/^417 training, 83 validation and 500 test pictures/).waitFor({ timeout: 30_000 });
  await context.close();
});

test('drawings of named classes become pictures to learn from, and the pad is read as one of them', async () => {
  const { page, context, faults } = await lab('?lab=train&steps=60&batch=5&shard=5');
  await button(page, 'Draw…').click();
  const sheet = page.getByRole('group', { name: 'Draw pictures' });
  await sheet.getByLabel(/^Classes/).fill('slope, post');
  await sheet.getByLabel(/^Classes/).blur();
  const stroke = async (place, [u, v]) => {
    const { x, y, width } = await place.boundingBox();
    await page.mouse.move(x + width * 0.5, y + width * 0.15);
    await page.mouse.down();
    await page.mouse.move(x + width * u, y + width * v);
    await page.mouse.up();
  };
  for (let i = 0; i < 12; i++) {
    if (i === 6) await sheet.getByRole('radio', { name: /^post/ }).click();
    await stroke(sheet.locator('canvas').first(), i < 6 ? [0.9, 0.4 + i / 50] : [0.5, 0.9]);
    await button(sheet, i < 6 ? 'Add this slope' : 'Add this post').click();
  }
  await button(sheet, 'Use 12').click();
  await page.getByText(/^10 training and 2 validation pictures, 2 classes/).waitFor();
  await page.waitForURL(/data=/);
  await button(page, 'Start').click();
  await hashOf(page);
  const own = page.getByRole('region', { name: /^Your drawing/ });
  await stroke(own.locator('canvas').first(), [0.5, 0.9]);
  await page.getByRole('status', { name: 'Reading' }).filter({ hasText: 'The network reads post.' }).waitFor({ state: 'attached' });
  assert.deepEqual(faults, []);
  await context.close();
});
