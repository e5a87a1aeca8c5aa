// The lab for models from elsewhere: a dropped file answers what the engine answers natively, is looked into, goes out in
// another format and comes in again; what cannot be opened says why and leaves the model before it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { CAMERA, draw, launch, open, PHONE, SEVEN, violations } from './browser.mjs';
import { latin } from './latin.mjs';
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

const golden = (name) => readFileSync(new URL(`../golden/convert/${name}`, import.meta.url));

/** The files in a zip that is stored. */
function unpacked(zip) {
  const files = [];
  for (let at = 0; zip.toString('latin1', at, at + 4) === 'PK\x03\x04'; ) {
    const [size, name] = [zip.readUInt32LE(at + 18), zip.readUInt16LE(at + 26)];
    files.push({ name: zip.toString('utf8', at + 30, at + 30 + name), mimeType: 'application/octet-stream', buffer: zip.subarray(at + 30 + name, at + 30 + name + size) });
    at += 30 + name + size;
  }
  return files;
}

test('models of Teachable Machine, Keras, TensorFlow Lite open and answer; loose files belong together; others are told the way', () =>
  withSite(async ({ url }) => {
    const { page, context, faults } = await open(browser, url, { query: '?lab=model' });
    await opened(page, 'deep_convnet');
    const zip = golden('tfjs_teachable_uint8.zip');
    await drop(page, 'converted.zip', zip);
    await opened(page, 'tm-my-image-model');
    await page.getByRole('table', { name: 'The five most probable classes' }).getByText('ねこ').waitFor();
    const before = (await shares(page)).join();
    await page.getByRole('button', { name: 'Back to the example' }).click();
    await opened(page, 'deep_convnet');
    await page.getByRole('group', { name: 'Model file' }).locator('input[type=file]').setInputFiles(unpacked(zip));
    await opened(page, 'tm-my-image-model');
    await page.getByRole('table', { name: 'The five most probable classes' }).getByText('ねこ').waitFor();
    assert.equal((await shares(page)).join(), before);
    for (const [name, called] of [['digits.keras', 'digits'], ['mobile.h5', 'mobile'], ['plain.tflite', 'plain']]) {
      await drop(page, name, golden(name));
      await opened(page, called);
      await shares(page);
    }
    await drop(page, 'script.pt', golden('refused_script.pt'));
    await page.getByRole('alert').filter({ hasText: 'TorchScript: write it with torch.onnx.export' }).waitFor();
    assert.deepEqual(faults, []);
    await context.close();
  }));

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
    await scale.getByRole('alert').filter({ hasText: 'There are 2 numbers. The model reads 3' }).waitFor();
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

/** A name for each of so many classes. */
const names = (many) => Array.from({ length: many }, (_, i) => `name ${i}`);

test('only a list of names becomes the names of classes; what was said of a file before goes when another comes', () =>
  withSite(async ({ url }) => {
    const { page, context, faults } = await open(browser, url, { query: '?lab=model' });
    await says(page).filter({ hasText: /^5/ }).waitFor({ timeout: 60_000 });
    const alert = page.getByRole('group', { name: 'Model file' }).getByRole('alert');
    const strangers = {
      'package.json': JSON.stringify({ name: 'hitofude', version: '0.1.0', files: names(3) }),
      'network.json': JSON.stringify({ input: [1, 28, 28], layers: [{ name: 'flatten1', type: 'flatten' }] }),
      'numbers.json': JSON.stringify([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
      'half.json': '["nil", "one", "tw',
      'empty.txt': '  ',
      'page.txt': '<!doctype html>\n'.repeat(10),
      'bytes.txt': names(10).join('\n') + '\0',
    };
    for (const [name, text] of Object.entries(strangers)) {
      await choose(page, name, Buffer.from(text));
      await alert.filter({ hasText: `${name} is no list of class names` }).waitFor();
    }
    await choose(page, 'readme.txt', Buffer.from(names(12).join('\n')));
    await alert.filter({ hasText: 'readme.txt has 12 names, and the model that is open answers 10 classes' }).waitFor();
    await says(page).filter({ hasText: /^5/ }).waitFor();

    const lists = {
      'list.json': JSON.stringify(names(10)),
      'pairs.json': JSON.stringify(names(10).map((name, i) => [`n${i}`, name])),
      'config.json': JSON.stringify({ model_type: 'cnn', id2label: Object.fromEntries(names(10).map((name, i) => [i, name])) }),
      'indices.json': JSON.stringify(Object.fromEntries(names(10).map((name, i) => [name, i]).reverse())),
      'lines.txt': names(10).join('\r\n') + '\r\n',
    };
    for (const [name, text] of Object.entries(lists)) {
      await choose(page, name, Buffer.from(text));
      await page.getByText(`10 from ${name}`).waitFor();
      await says(page).filter({ hasText: /^name 5/ }).waitFor();
      assert.equal(await alert.count(), 0, 'what was said before is gone');
      await page.getByRole('button', { name: 'Forget' }).click();
      await says(page).filter({ hasText: /^5/ }).waitFor();
    }

    // Names are those of their model: one with other classes does not take them over.
    await choose(page, 'lines.txt', Buffer.from(lists['lines.txt']));
    await page.getByText('10 from lines.txt').waitFor();
    await drop(page, 'damaged.onnx', Buffer.from('no'));
    await alert.filter({ hasText: 'damaged.onnx was not opened' }).waitFor();
    await drop(page, 'two.onnx', brightness());
    await opened(page, 'two');
    await page.getByText('10 from lines.txt').waitFor({ state: 'detached' });
    assert.equal(await alert.count(), 0);
    assert.deepEqual(faults, []);
    await context.close();
  }));

test('a file that is opened while the lab loads is not replaced by the example', () =>
  withSite(async ({ url }) => {
    const context = await browser.newContext();
    const page = await context.newPage();
    let release;
    await context.route(/\.wasm/, async (route) => {
      if (route.request().resourceType() === 'fetch') await new Promise((go) => (release = go));
      await route.continue();
    });
    await page.goto(`${url}?lab=model`);
    await page.getByRole('group', { name: 'Model file' }).waitFor({ timeout: 60_000 });
    await page.getByRole('group', { name: 'Model file' }).locator('input[type=file]').setInputFiles([
      { name: 'names.txt', mimeType: 'text/plain', buffer: Buffer.from(names(10).join('\n')) },
      { name: 'tiny.safetensors', mimeType: '', buffer: weights('tiny') },
    ]);
    await page.getByText('Opening tiny.safetensors…').waitFor();
    for (const end = Date.now() + 20_000; !release; await page.waitForTimeout(50)) assert.ok(Date.now() < end, 'nobody asks for the engine');
    release();
    await opened(page, 'tiny');
    await says(page).filter({ hasText: /^name 5/ }).waitFor({ timeout: 30_000 });
    await page.waitForTimeout(500);
    await opened(page, 'tiny');
    assert.equal(await page.getByText('deep_convnet', { exact: true }).count(), 0);
    await context.close();
  }));

test('what Train saves says of which network it is, and opens', () =>
  withSite(async ({ url }) => {
    const net = 'conv-out4-kernel3*relu*max_pool-kernel2-stride2*flatten*affine-out10';
    const { page, context, faults } = await open(browser, url, { query: `?lab=train&net=${net}&steps=10&batch=8&limit=400&workers=1` });
    await page.getByRole('button', { name: 'Start', exact: true }).click({ timeout: 60_000 });
    await page.getByLabel('SHA-256 of the weights').waitFor({ timeout: 60_000 });
    const file = await handed(page, /^(Weights|Save)$/);
    await page.goto(`${url}?lab=model`);
    await says(page).filter({ hasText: /^5/ }).waitFor({ timeout: 60_000 });
    await choose(page, file.name, file.bytes);
    await opened(page, 'trained');
    const rows = page.getByRole('region', { name: 'Layers, shapes and cost' });
    await rows.getByRole('row', { name: /^conv1 conv \+ relu 4/ }).waitFor();
    await rows.getByRole('row', { name: /^affine1 affine 10/ }).waitFor();
    await says(page).filter({ hasText: /^\d/ }).waitFor();
    assert.equal(await page.getByRole('alert').count(), 0);
    assert.deepEqual(faults, []);
    await context.close();
  }));

test('in Japanese, wholly: the example, a file that is refused, every source of numbers', () =>
  withSite(async ({ url }) => {
    const { page, context, faults } = await open(browser, url, { query: '?lab=model', locale: 'ja-JP' });
    await page.getByRole('heading', { level: 1, name: '自分のモデル' }).waitFor();
    const answer = page.getByRole('status', { name: 'モデルの答え' });
    await answer.filter({ hasText: /^5/ }).waitFor({ timeout: 60_000 });
    // The boxes of the graph are the Zoo's.
    const speaks = async () => assert.deepEqual(await latin(page), []);
    await speaks();
    const file = page.getByRole('group', { name: 'モデルファイル' });
    const give = (name, buffer) => file.locator('input[type=file]').setInputFiles({ name, mimeType: '', buffer });
    await give('readme.txt', Buffer.from('none'));
    await file.getByRole('alert').filter({ hasText: 'readme.txt には 1 個の名前がありますが、いま開いているモデルは 10 クラスを答えます' }).waitFor();
    await give('damaged.onnx', Buffer.from('no'));
    await file.getByRole('alert').filter({ hasText: 'damaged.onnx を開けませんでした。' }).waitFor();
    await give('unknown.safetensors', alone());
    await file.getByRole('combobox', { name: 'ネットワーク' }).waitFor();
    await speaks();
    const feed = page.getByRole('region', { name: 'モデルへの入力' });
    for (const source of ['画像', 'ノイズ']) {
      await feed.getByRole('radio', { name: source }).locator('..').click();
      await page.waitForTimeout(200);
      await speaks();
    }
    await give('two.onnx', brightness());
    await page.getByRole('region', { name: 'x：1 × 1 × 8 × 8' }).getByText('モデルが読む形：8 × 8、グレー').waitFor();
    await page.getByRole('region', { name: 'z：1 × 3' }).getByText('数値', { exact: true }).click();
    await page.getByRole('textbox').fill('0 −1');
    await page.getByRole('alert').filter({ hasText: '数が 2 個あります' }).waitFor();
    await speaks();
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(faults, []);
    await context.close();
  }));

test('nothing is wider than the window, in either language', () =>
  withSite(async ({ url }) => {
    for (const lang of ['en', 'ja']) {
      const { page, context } = await open(browser, url, { query: `?lab=model&lang=${lang}` });
      await page.locator('.answer table').waitFor({ timeout: 60_000 });
      for (const [width, height] of [[1280, 800], [1024, 768], [1000, 560], [768, 1024], [390, 844], [320, 640]]) {
        await page.setViewportSize({ width, height });
        await page.waitForTimeout(100);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(wide <= 0, `${lang}, ${width}: ${wide} px wider`);
      }
      await context.close();
    }
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
