// The lab for models from elsewhere: a dropped file answers what the engine answers natively, is looked into, goes out in
// another format and comes in again; what cannot be opened says why and leaves the model before it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { CAMERA, draw, launch, open, PHONE, SEVEN, violations } from './browser.mjs';
import { withSite } from './site.mjs';

let browser;
before(async () => (browser = await launch(CAMERA)));
after(() => browser?.close());

const weights = (name) => readFileSync(new URL(`../../pretrained/${name}.safetensors`, import.meta.url));
const says = (page) => page.getByRole('status', { name: 'What it says' });
const opened = (page, name) => page.getByText(name, { exact: true }).first().waitFor({ timeout: 30_000 });
const choose = (page, name, buffer) =>
  page.getByRole('group', { name: 'Model file' }).locator('input[type=file]').setInputFiles({ name, mimeType: 'application/octet-stream', buffer });

/** Presses a button and returns the file that the page hands over. */
async function handed(page, button) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: button, exact: true }).click()]);
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}

async function drop(page, name, bytes) {
  const data = await page.evaluateHandle(([name, numbers]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([Uint8Array.from(atob(numbers), (c) => c.charCodeAt(0))], name));
    return transfer;
  }, [name, bytes.toString('base64')]);
  await page.getByRole('group', { name: 'Model file' }).dispatchEvent('drop', { dataTransfer: data });
}

const shares = (page) =>
  page.getByRole('table', { name: 'The five most probable classes' }).getByRole('row').allInnerTexts();

test('a model goes out as ONNX, npz and safetensors and answers the same when it is dropped again; damaged files say why', () =>
  withSite(async ({ url }) => {
    const { page, context, faults } = await open(browser, url, { query: '?lab=model' });
    await says(page).filter({ hasText: /^5/ }).waitFor({ timeout: 60_000 });
    await page.getByRole('button', { name: 'Clear' }).click();
    await says(page).filter({ hasText: 'Nothing to read' }).waitFor();
    await draw(page, SEVEN);
    await says(page).filter({ hasText: /^7/ }).waitFor();

    await choose(page, 'tiny.safetensors', weights('tiny'));
    await opened(page, 'tiny');
    await says(page).filter({ hasText: /^7/ }).waitFor();
    const before = (await shares(page)).join();
    for (const [button, ending] of [['ONNX', '.onnx'], ['NumPy’s npz', '.npz'], ['safetensors, 32 bits', '.safetensors']]) {
      const file = await handed(page, button);
      assert.equal(file.name, `tiny${ending}`);
      await page.getByRole('button', { name: 'Back to the example' }).click();
      await opened(page, 'deep_convnet');
      await drop(page, file.name, file.bytes);
      await opened(page, 'tiny');
      await says(page).filter({ hasText: /^7/ }).waitFor();
      assert.equal((await shares(page)).join(), before, file.name);

      // Half a file, a page in place of a model: the one before stays and goes on answering.
      await drop(page, 'half' + ending, file.bytes.subarray(0, file.bytes.length / 2));
      await page.getByRole('alert').filter({ hasText: `half${ending} was not opened` }).waitFor();
    }
    await drop(page, 'page.onnx', Buffer.from('<!doctype html><p>404'));
    await page.getByRole('alert').filter({ hasText: 'a web page: the download failed' }).waitFor();
    await drop(page, 'odd.onnx', unknownOperators());
    await page.getByRole('alert').filter({ hasText: 'Fancy (one); Odd (two)' }).waitFor();
    await opened(page, 'tiny');
    await page.getByRole('button', { name: 'Undo' }).click();
    await draw(page, SEVEN);
    await says(page).filter({ hasText: /^7/ }).waitFor();

    // Its maps, by box and by row of the table.
    await page.getByRole('group', { name: 'Layers of the model' }).getByRole('button').nth(2).click();
    const rows = page.getByRole('region', { name: 'Layers, shapes and cost' });
    const first = rows.getByRole('button').nth(1);
    await first.click();
    await page.getByRole('button', { name: new RegExp(`^${await first.innerText()}, map 3 of \\d+, mean`) }).click();
    await page.getByRole('dialog').getByText(/^mean/).waitFor();
    await page.keyboard.press('Escape');
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(faults, []);
    await context.close();
  }));

test('on a phone, weights find their network, classes their names, and the model goes on to the other labs', () =>
  withSite(async ({ url }) => {
    const { page, context, faults } = await open(browser, url, { query: '?lab=model', ...PHONE });
    await says(page).filter({ hasText: /^5/ }).waitFor({ timeout: 60_000 });
    await choose(page, 'names.txt', Buffer.from('nil\none\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\n'));
    await says(page).filter({ hasText: /^five/ }).waitFor();
    await choose(page, 'unknown.safetensors', alone());
    await page.getByRole('alert').filter({ hasText: 'does not say of which network' }).waitFor();
    await page.getByRole('combobox', { name: 'Network' }).selectOption('lenet5');
    await page.getByRole('alert').filter({ hasText: 'was not opened' }).waitFor();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `the page is ${wide} px wider than the phone`);
    assert.deepEqual(await violations(page), []);
    await page.getByRole('button', { name: 'Look inside' }).click();
    await page.getByRole('status', { name: 'Answer' }).filter({ hasText: 'Read as five' }).waitFor({ timeout: 60_000 });
    assert.equal(await page.getByRole('combobox', { name: 'Network' }).inputValue(), 'own');
    await page.goto(`${url}?lab=train&model=own`);
    await page.getByText('Begins with the weights of deep_convnet').waitFor({ timeout: 30_000 });
    assert.deepEqual(faults, []);
    await context.close();
  }));

test('the camera is read live until it is stopped, left or hidden; a refusal is a sentence', () =>
  withSite(async ({ url }) => {
    const { page, context, faults } = await open(browser, url, { query: '?lab=model', ...PHONE, colorScheme: 'dark' });
    await says(page).filter({ hasText: /^5/ }).waitFor({ timeout: 60_000 });
    const feed = page.getByRole('region', { name: 'What it reads' });
    const choose = (source) => feed.getByText(source, { exact: true }).click();
    const streams = await page.evaluateHandle(() => {
      const [own, ask] = [[], navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices)];
      navigator.mediaDevices.getUserMedia = async (wish) => (own.push(await ask(wish)), own.at(-1));
      return own;
    });
    const live = () => streams.evaluate((own) => own.map((stream) => stream.getTracks()[0].readyState).join());
    const read = () => feed.getByText(/frames a second/).waitFor({ timeout: 20_000 });

    await choose('Camera');
    await read();
    const picture = () => feed.locator('canvas').last().evaluate((canvas) => [canvas.width, ...canvas.getContext('2d').getImageData(0, 0, 28, 28).data].join());
    const first = await picture();
    assert.ok(first.startsWith('28,'));
    for (const end = Date.now() + 20_000; (await picture()) === first; await page.waitForTimeout(50)) assert.ok(Date.now() < end, 'the same frame');
    // Whoever listens hears the answer when it stands still, not thirty times a second.
    assert.equal(await says(page).getAttribute('aria-busy'), 'true');
    assert.deepEqual(await violations(page), []);
    await feed.getByRole('button', { name: 'Stop the camera' }).click();
    await says(page).filter({ hasText: /^5/ }).waitFor();
    assert.equal(await live(), 'ended');

    await choose('Camera');
    await read();
    await choose('Noise');
    await feed.getByRole('button', { name: 'Other noise' }).waitFor();
    assert.equal(await live(), 'ended,ended');

    await choose('Camera');
    await read();
    await page.evaluate(() => {
      Object.defineProperty(document, 'hidden', { value: true, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
      delete document.hidden;
    });
    await feed.getByRole('button', { name: 'Other noise' }).waitFor();
    assert.equal(await live(), 'ended,ended,ended');

    await page.evaluate(() => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('none', 'NotFoundError'));
    });
    await choose('Camera');
    await feed.getByRole('alert').filter({ hasText: 'There is no camera here.' }).waitFor();
    await feed.getByRole('button', { name: 'Other noise' }).waitFor();
    assert.deepEqual(faults, []);
    await context.close();
  }));

test('a model of several inputs is given each of them and runs when it has all', () =>
  withSite(async ({ url }) => {
    const { page, context, faults } = await open(browser, url, { query: '?lab=model' });
    await says(page).filter({ hasText: /^5/ }).waitFor({ timeout: 60_000 });
    await drop(page, 'two.onnx', brightness());
    await opened(page, 'two');
    const [picture, scale] = ['x: 1 × 1 × 8 × 8', 'z: 1 × 3'].map((name) => page.getByRole('region', { name }));
    await picture.getByText('As the model reads it: 8 × 8, grey').waitFor();
    await scale.getByText('Numbers', { exact: true }).click();
    await scale.getByRole('textbox').fill('0, 0, 500');
    await says(page).filter({ hasText: /^class 2/ }).waitFor();
    await scale.getByRole('textbox').fill('0 −1');
    await scale.getByRole('alert').filter({ hasText: 'There are 2 numbers; it reads 3' }).waitFor();
    await says(page).filter({ hasText: 'Nothing to read' }).waitFor();
    await scale.getByText('Zeros', { exact: true }).click();
    await says(page).filter({ hasText: '33.3' }).waitFor();
    await scale.getByText('Numbers', { exact: true }).click();
    await scale.getByRole('textbox').fill('0 500 0');
    await says(page).filter({ hasText: /^class 1/ }).waitFor();
    await picture.getByRole('button', { name: 'Clear' }).click();
    await says(page).filter({ hasText: 'Nothing to read' }).waitFor();
    await picture.getByText('Noise', { exact: true }).click();
    await says(page).filter({ hasText: /^class/ }).waitFor();
    // Both inputs stand in the graph, and what each makes can be looked at.
    await page.getByRole('group', { name: 'Layers of the model' }).getByRole('button', { name: /input/ }).nth(1).click();
    await page.locator('tr.chosen').getByRole('button', { name: 'z', exact: true }).waitFor();
    await page.getByRole('region', { name: 'Layers, shapes and cost' }).getByRole('button', { name: 'times' }).waitFor();
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(faults, []);
    await context.close();
  }));

/** A safetensors file of one tensor that fits no network. */
function alone() {
  const header = JSON.stringify({ 'some.weight': { dtype: 'F32', shape: [2], data_offsets: [0, 8] } });
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, Buffer.from(header), Buffer.alloc(8)]);
}

/** A number of up to 14 bits. */
const varint = (n) => (n < 128 ? [n] : [(n & 127) | 128, n >> 7]);
/** A field of protocol buffers: bytes with their length, or a number. */
const field = (number, body) =>
  typeof body === 'number' ? Buffer.from([number << 3, ...varint(body)]) : Buffer.concat([Buffer.from([(number << 3) | 2, ...varint(body.length)]), Buffer.from(body)]);
const node = (op, name, inputs, output) =>
  field(1, Buffer.concat([...inputs.map((input) => field(1, input)), field(2, output), field(3, name), field(4, op)]));

/** An input (11) or output (12) of 32-bit numbers, of these sides if they are said. */
function port(number, name, sides) {
  const shape = sides && field(2, Buffer.concat(sides.map((side) => field(1, field(1, side)))));
  return field(number, Buffer.concat([field(1, name), ...(shape ? [field(2, field(1, Buffer.concat([field(1, 1), shape])))] : [])]));
}

/** An ONNX file of opset 17. */
const onnx = (...graph) => Buffer.concat([field(1, 8), field(7, Buffer.concat([...graph, field(2, 'g')])), field(8, field(2, 17))]);

/** Two operators that there are not. */
const unknownOperators = () => onnx(node('Fancy', 'one', ['x'], 'a'), node('Odd', 'two', ['a'], 'y'), port(11, 'x'), port(12, 'y'));

/** Three scores: those of z, times the brightness of the picture x. */
const brightness = () =>
  onnx(
    node('GlobalAveragePool', 'mean', ['x'], 'a'), node('Flatten', 'row', ['a'], 'b'), node('Mul', 'times', ['b', 'z'], 'y'),
    port(11, 'x', [1, 1, 8, 8]), port(11, 'z', [1, 3]), port(12, 'y', [1, 3]),
  );
