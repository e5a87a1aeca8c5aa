// Looking inside, as a person does it: every view opens on the drawing, works by keyboard, and its numbers agree.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { draw, launch, open, PHONE, SEVEN, violations } from './browser.mjs';
import { serveSite } from './site.mjs';

let browser;
let site;
before(async () => ([browser, site] = await Promise.all([launch(), serveSite()])));
after(() => Promise.all([browser?.close(), site?.close()]));

const VIEWS = ['Step by step', 'Maps and filters', 'The window', 'Backward', 'Why this answer', 'What a unit wants', 'Dream', 'Depth'];
const number = (text) => Number(text.replaceAll('−', '-'));

/** Opens the lab and waits until the example has been looked at. */
async function inside(query = '', options = {}) {
  const opened = await open(browser, site.url, { query: `?lab=inside${query}`, ...options });
  await opened.page.getByRole('status', { name: 'Answer' }).filter({ hasText: /5/ }).waitFor({ timeout: 60_000 });
  return opened;
}

const view = (page, name) => page.getByRole('navigation', { name: 'What to look at' }).getByRole('button', { name }).click();

test('a number of a layer is the sum of its products; the keyboard moves over the map', async () => {
  const { page, context, faults } = await inside();
  const sum = page.locator('.sum');
  const map = page.getByRole('application', { name: /conv1, map 1:/ });
  await map.focus();
  for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowRight');
  await page.getByText(/conv1, map 1 of 16, row 13, column 16/).waitFor();
  const cells = async (name) => (await page.getByRole('table', { name, exact: true }).getByRole('cell').allInnerTexts()).map(number);
  const [inputs, kernel, products] = [await cells('window'), await cells('kernel'), await cells('products')];
  assert.equal(products.length, 9);
  products.forEach((product, k) => assert.ok(Math.abs(product - inputs[k] * kernel[k]) < 0.02, `${inputs[k]} · ${kernel[k]} = ${product}`));
  const text = number((await sum.locator('.formula').first().innerText()).split('=').at(-1).trim());
  assert.ok(Number.isFinite(text));
  await page.getByRole('heading', { name: /im2col/ }).waitFor();
  await page.getByLabel('Layer').selectOption('affine2');
  await page.getByRole('heading', { name: /Softmax/ }).waitFor();
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(faults, []);
  await context.close();
});

test('every view opens on the drawing, in the dark and on a phone too, and axe finds nothing', async () => {
  const { page, context, faults } = await inside('', { ...PHONE, colorScheme: 'dark' });
  for (const name of VIEWS) {
    await view(page, name);
    await page.locator('.instrument canvas, .instrument svg').first().waitFor({ state: 'attached' });
    assert.deepEqual(await violations(page, '.instrument'), [], name);
    // A page that is too wide widens the phone's own window.
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= PHONE.viewport.width, `${name} is ${wide} px wide`);
  }
  assert.deepEqual(faults, []);
  await context.close();
});

test('the gradient is checked, the maps say why, the drawing has neighbours, a dream ends', async () => {
  const { page, context, faults } = await inside('&view=backward');
  await holds(page);

  await view(page, 'Neighbours');
  await page.getByText(/of the 12 nearest are 5/).waitFor({ timeout: 60_000 });
  await draw(page, SEVEN);
  await page.getByText(/of the 12 nearest are 7/).waitFor({ timeout: 10_000 });

  await view(page, 'Dream');
  await page.getByRole('button', { name: 'The drawing' }).click();
  await page.getByRole('button', { name: 'Dream', exact: true }).nth(1).click();
  await page.getByText('Done.').waitFor({ timeout: 60_000 });
  assert.deepEqual(faults, []);
  await context.close();
});

test('a network of another size, in colours, with classes of its own is looked into with the same views', async () => {
  const { page, context, faults } = await open(browser, site.url, { query: '?lab=model' });
  await page.getByRole('status', { name: 'What it says' }).filter({ hasText: /^5/ }).waitFor({ timeout: 60_000 });
  const file = page.getByRole('group', { name: 'Model file' }).locator('input[type=file]');
  await file.setInputFiles({ name: 'colours.safetensors', mimeType: '', buffer: colours() });
  await file.setInputFiles({ name: 'names.txt', mimeType: '', buffer: Buffer.from('sky\nsea\nsand\nsnow\n') });
  await page.getByRole('status', { name: 'What it says' }).filter({ hasText: /^s/ }).waitFor();
  // How its pictures are prepared goes along.
  await page.getByText('As the model reads it: 32 × 20, RGB').click();
  await page.getByRole('checkbox', { name: 'blue first' }).check();
  await page.getByRole('button', { name: 'Look inside' }).click();
  const answer = page.getByRole('status', { name: 'Answer' });
  await answer.filter({ hasText: /^Read as (sky|sea|sand|snow), / }).waitFor({ timeout: 60_000 });
  await page.getByText('As the model reads it: 32 × 20, BGR').waitFor();
  await page.getByText(/^Neighbours are left out: .* 3 × 20 × 32 in 4\.$/).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Neighbours' }).count(), 0);
  for (const name of VIEWS) {
    await view(page, name);
    await page.locator('.instrument canvas, .instrument svg').first().waitFor({ state: 'attached' });
    assert.deepEqual(await violations(page, '.instrument'), [], name);
  }
  await view(page, 'Step by step');
  await page.getByLabel('Layer').selectOption('scores');
  await page.getByRole('rowheader', { name: 'snow' }).waitFor();

  await view(page, 'Backward');
  await holds(page);

  await view(page, 'What a unit wants');
  await page.getByText('Step 128 of 128').waitFor({ timeout: 60_000 });
  const wanted = page.getByRole('img', { name: 'What the network wants of a sea' }).locator('canvas');
  const [width, height, coloured] = await wanted.evaluate((canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return [canvas.width, canvas.height, data.some((value, i) => i % 4 === 0 && Math.abs(value - data[i + 2]) > 20)];
  });
  assert.deepEqual([width, height, coloured], [32, 20, true]);

  await view(page, 'Dream');
  await page.getByRole('button', { name: 'Dream', exact: true }).nth(1).click();
  await page.getByText('Done.').waitFor({ timeout: 120_000 });

  await page.getByRole('button', { name: 'Clear' }).click();
  await answer.filter({ hasText: 'Nothing to look at' }).waitFor();
  await page.getByText('Noise', { exact: true }).click();
  await answer.filter({ hasText: /^Read as s/ }).waitFor();
  assert.deepEqual(faults, []);

  // Back to a network for digits, and its pad.
  await page.getByRole('combobox', { name: 'Network' }).selectOption('deep_convnet');
  await answer.filter({ hasText: 'Read as 5' }).waitFor({ timeout: 30_000 });
  await context.close();
});

test('a network that takes long is asked for the methods of hundreds of passes one by one', async () => {
  const { page, context, faults } = await open(browser, site.url, { query: '?lab=model', ...PHONE });
  await page.getByRole('status', { name: 'What it says' }).filter({ hasText: /^5/ }).waitFor({ timeout: 60_000 });
  await page.getByRole('group', { name: 'Model file' }).locator('input[type=file]').setInputFiles({ name: 'large.safetensors', mimeType: '', buffer: colours([144, 144], [16, 160]) });
  await page.getByRole('status', { name: 'What it says' }).filter({ hasText: /^class \d/ }).waitFor();
  await page.getByRole('button', { name: 'Look inside' }).click();
  await page.getByRole('status', { name: 'Answer' }).filter({ hasText: /^Read as class/ }).waitFor({ timeout: 60_000 });
  await view(page, 'Why this answer');
  await page.locator('.now').first().waitFor({ timeout: 30_000 });
  const ask = page.getByRole('button', { name: 'Compute it' });
  assert.equal(await ask.count(), 3);
  await ask.last().click();
  await page.getByText(/Σ M =/).waitFor({ timeout: 60_000 });
  assert.equal(await ask.count(), 2);
  await view(page, 'Maps and filters');
  await page.getByLabel('Layer').selectOption('conv2');
  await page.getByText('The first 128 of 160').waitFor();
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= PHONE.viewport.width);
  assert.deepEqual(faults, []);
  await context.close();
});

/** In the view Backward: the gradient stands the check, and the maps of integrated gradients add up. */
async function holds(page) {
  await page.getByRole('button', { name: 'Check gradient' }).click();
  const words = await page.getByText(/At the best step the two are/).innerText();
  assert.ok(number(words.match(/are ([\d.]+)/)[1]) < 5, words);

  await view(page, 'Why this answer');
  const complete = await page.getByText(/Σ M =/).innerText();
  const [, sum, difference] = complete.match(/Σ M = (\S+), S\(x\) − S\(0\) = (\S+);/).map(number);
  assert.ok(Math.abs(sum - difference) < 0.05 * Math.abs(difference) + 0.05, complete);
}

/** A safetensors file of a network that reads colours, its weights from a fixed sequence. */
function colours([height, width] = [20, 32], [first, second] = [4, 6]) {
  const network = {
    input: [3, height, width],
    layers: [
      { name: 'conv1', type: 'conv', out: first, kernel: 3, pad: 1 }, { name: 'relu1', type: 'relu' }, { name: 'pool1', type: 'max_pool', kernel: 2, stride: 2 },
      { name: 'conv2', type: 'conv', out: second, kernel: 3, pad: 1 }, { name: 'relu2', type: 'relu' },
      { name: 'mean', type: 'global_average_pool' }, { name: 'flatten', type: 'flatten' }, { name: 'scores', type: 'affine', out: 4 },
    ],
  };
  const shapes = {
    'conv1.weight': [first, 3, 3, 3], 'conv1.bias': [first], 'conv2.weight': [second, first, 3, 3], 'conv2.bias': [second],
    'scores.weight': [4, second], 'scores.bias': [4],
  };
  const header = { __metadata__: { network: JSON.stringify(network), name: 'colours' } };
  let end = 0;
  for (const [name, shape] of Object.entries(shapes)) header[name] = { dtype: 'F32', shape, data_offsets: [end, (end += 4 * shape.reduce((a, b) => a * b))] };
  const values = Float32Array.from({ length: end / 4 }, (_, i) => Math.sin(12.9898 * (i + 1)) * 0.6);
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, Buffer.from(values.buffer)]);
}
