// Looking inside, as a person does it: every view opens on the drawing, works by keyboard, and its numbers agree.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { cut, draw, english, launch, open, PHONE, SEVEN, violations } from './browser.mjs';
import { serveSite } from './site.mjs';

let browser;
let site;
before(async () => ([browser, site] = await Promise.all([launch(), serveSite()])));
after(() => Promise.all([browser?.close(), site?.close()]));

const VIEWS = ['Step by step', 'Maps and filters', 'Stride and padding', 'Backward pass', 'Why this answer', 'Feature visualisation', 'DeepDream', 'Depth'];
/** Names and formulas that every language has: layers, networks, methods, functions. */
const KEPT = /^(input|(conv|pool|affine|relu)\d?|draw|\w+_\w+|tiny|UMAP|PCA|PNG|DeepDream|SmoothGrad|Grad|CAM|ReLU|rms|mean|bias|weight|max)$/;
const number = (text) => Number(text.replaceAll('−', '-'));

/** Opens the lab and waits until the example has been looked at. */
async function inside(query = '', options = {}) {
  const opened = await open(browser, site.url, { query: `?lab=inside${query}`, ...options });
  await opened.page.getByRole('status', { name: /^(Answer|答え)$/ }).filter({ hasText: /5/ }).waitFor({ timeout: 60_000 });
  return opened;
}

const view = (page, name) => page.getByRole('navigation', { name: 'Views' }).getByRole('button', { name }).click();

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
  // One way to write what rounds to nothing.
  const rows = await page.getByRole('table', { name: /^Windows as rows/ }).getByRole('cell').allInnerTexts();
  const shown = await page.locator('.sum td').allInnerTexts();
  const zeros = [...rows, ...shown].filter((text) => /^−?0[.0]*$/.test(text.trim()));
  assert.ok(zeros.length > 0 && zeros.every((text) => text.trim() === '0'), zeros.join());
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
  // The clear layout comes first.
  assert.ok(await page.getByRole('radio', { name: 'UMAP' }).isChecked());
  // What a canvas is drawn with is a colour there.
  for (const name of ['--muted', '--hairline']) {
    assert.match(await page.evaluate((name) => getComputedStyle(document.documentElement).getPropertyValue(name), name), /^rgb/);
  }
  await draw(page, SEVEN);
  await page.getByText(/of the 12 nearest are 7/).waitFor({ timeout: 10_000 });

  await view(page, 'DeepDream');
  await page.getByRole('button', { name: 'Use the drawing' }).click();
  await page.getByRole('button', { name: 'Start', exact: true }).click();
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
  await page.getByText(/no Neighbours view .* reads 3 × 20 × 32 in 4 classes\.$/).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Neighbours' }).count(), 0);
  for (const name of VIEWS) {
    await view(page, name);
    await page.locator('.instrument canvas, .instrument svg').first().waitFor({ state: 'attached' });
    assert.deepEqual(await violations(page, '.instrument'), [], name);
  }
  await view(page, 'Step by step');
  await page.getByLabel('Layer').selectOption('scores');
  await page.getByRole('rowheader', { name: 'snow' }).waitFor();

  await view(page, 'Backward pass');
  await holds(page);

  await view(page, 'Feature visualisation');
  await page.getByText('Step 128 of 128').waitFor({ timeout: 60_000 });
  const wanted = page.getByRole('img', { name: 'The picture that excites class sea' }).locator('canvas');
  const [width, height, coloured] = await wanted.evaluate((canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return [canvas.width, canvas.height, data.some((value, i) => i % 4 === 0 && Math.abs(value - data[i + 2]) > 20)];
  });
  assert.deepEqual([width, height, coloured], [32, 20, true]);

  await view(page, 'DeepDream');
  await page.getByRole('button', { name: 'Start', exact: true }).click();
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

test('on a phone all nine views are in sight', async () => {
  for (const lang of ['en', 'ja']) {
    const { page, context } = await inside(`&lang=${lang}`, PHONE);
    const views = page.locator('nav.views button');
    assert.equal(await views.count(), 9);
    for (const one of await views.all()) {
      const { x, width, height } = await one.boundingBox();
      assert.ok(x >= 0 && x + width <= PHONE.viewport.width && height >= 44, `${await one.innerText()} at ${x}`);
    }
    await context.close();
  }
});

test('Grad-CAM stands apart from the drawing by its colour', async () => {
  const { page, context } = await inside('&view=why');
  const map = page.getByRole('img', { name: /^Grad-CAM/ }).locator('canvas');
  await page.locator('.now').nth(3).waitFor();
  const coloured = await map.evaluate((canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((red, i) => i % 4 === 0 && red - data[i + 2] > 60).length / (data.length / 4);
  });
  assert.ok(coloured > 0.01, `${coloured} of it`);
  await context.close();
});

test('forced colours keep the chosen view and segment', async () => {
  const { page, context } = await inside('&view=maps', { forcedColors: 'active' });
  const background = (one) => one.evaluate((element) => getComputedStyle(element).backgroundColor);
  const views = page.locator('nav.views');
  assert.notEqual(await background(views.locator('[aria-current]')), await background(views.locator('button:not([aria-current])').first()));
  const order = page.getByRole('group', { name: 'Order' });
  assert.notEqual(await background(order.locator('input:checked + span')), await background(order.locator('input:not(:checked) + span').first()));
  await context.close();
});

test('a map of Draw opens in Inside, on the same drawing', async () => {
  const { page, context, faults } = await open(browser, site.url);
  await page.getByRole('status', { name: 'Answer' }).filter({ hasText: /5/ }).waitFor({ timeout: 60_000 });
  await page.getByRole('button', { name: 'Example' }).click();
  await page.getByRole('status', { name: 'Answer' }).filter({ hasText: /6/ }).waitFor();
  await page.getByRole('button', { name: /^conv2, map 7 of 16, mean / }).click();
  await page.getByRole('link', { name: /^See in Inside/ }).click();
  await page.getByText('Read as 6').waitFor({ timeout: 60_000 });
  await page.getByText('conv2, map 7 of 16, row 15, column 15').waitFor();
  assert.deepEqual(faults, []);
  await context.close();
});

test('every view stands in Japanese, wholly, and nothing is cut', async () => {
  const { page, context, faults } = await inside('&lang=ja', { ...PHONE, viewport: { width: 320, height: 640 } });
  await page.getByRole('heading', { level: 1, name: 'ネットワークの内部' }).waitFor();
  const views = page.locator('nav.views button');
  for (let i = 0; i < 9; i++) {
    const name = await views.nth(i).innerText();
    await views.nth(i).click();
    await page.locator('.instrument canvas, .instrument svg').first().waitFor({ state: 'attached', timeout: 60_000 });
    assert.deepEqual(await english(page, 'main', KEPT), [], name);
    assert.deepEqual(await cut(page, 'main'), [], name);
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 320, name);
    assert.deepEqual(await violations(page, '.instrument'), [], name);
  }
  assert.deepEqual(faults, []);
  await context.close();
});

/** In the backward pass: the gradient stands the check, and the maps of integrated gradients add up. */
async function holds(page) {
  await page.getByRole('button', { name: 'Check gradient' }).click();
  const words = await page.getByText(/At the best step size the two differ/).innerText();
  assert.ok(number(words.match(/differ by ([\d.]+)/)[1]) < 5, words);

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
