// The lab for models from elsewhere: a dropped file answers what the engine answers natively, is looked into, goes out in
// another format and comes in again; what cannot be opened says why and leaves the model before it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { draw, launch, open, PHONE, SEVEN, violations } from './browser.mjs';
import { withSite } from './site.mjs';

let browser;
before(async () => (browser = await launch()));
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
    await page.getByRole('status', { name: 'Answer' }).filter({ hasText: 'Read as 5' }).waitFor({ timeout: 60_000 });
    assert.equal(await page.getByRole('combobox', { name: 'Network' }).inputValue(), 'own');
    await page.goto(`${url}?lab=train&model=own`);
    await page.getByText('Begins with the weights of deep_convnet').waitFor({ timeout: 30_000 });
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

/** An ONNX file (protocol buffers by hand) of two operators that there are not. */
function unknownOperators() {
  const field = (number, body) => Buffer.concat([Buffer.from([(number << 3) | 2, body.length]), Buffer.from(body)]);
  const node = (op, name, input, output) => field(1, Buffer.concat([field(1, input), field(2, output), field(3, name), field(4, op)]));
  const port = (number, name) => field(number, field(1, name));
  const graph = [node('Fancy', 'one', 'x', 'a'), node('Odd', 'two', 'a', 'y'), field(2, 'g'), port(11, 'x'), port(12, 'y')];
  const opset = field(8, Buffer.from([16, 17]));
  return Buffer.concat([Buffer.from([8, 8]), field(7, Buffer.concat(graph)), opset]);
}
