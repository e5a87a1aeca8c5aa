// The package's word: nothing hangs, nothing is answered falsely, and what is refused changes nothing and says why.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundle } from '../../tools/bundle.mjs';
import { launch } from './browser.mjs';
import { fuzz } from './fuzz-package.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const away = mkdtempSync(path.join(tmpdir(), 'hitofude-truth-'));
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm', '.png': 'image/png' };

let browser;
let here;
let hitofude;

/** A server of the folder; `hook(path)` may answer instead, with { status, headers, body }. Resolves to its origin. */
async function serve(hook = () => undefined) {
  const server = createServer((request, response) => {
    const name = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
    const own = hook(name);
    const file = path.join(away, name);
    if (own?.body !== undefined || own?.status) return response.writeHead(own.status ?? 200, { 'content-type': 'text/html', ...own.headers }).end(own.body);
    if (!existsSync(file)) return response.writeHead(404).end();
    return response.writeHead(200, { 'content-type': TYPES[path.extname(name)] ?? 'application/octet-stream', ...own?.headers }).end(readFileSync(file));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => (server.closeAllConnections(), server.close()) };
}

before(async () => {
  await bundle(path.join(away, 'package'), { dts: false });
  for (const name of ['www', 'pretrained']) symlinkSync(path.join(root, name), path.join(away, name));
  writeFileSync(path.join(away, 'package.json'), '{ "type": "module", "private": true }');
  writeFileSync(path.join(away, 'blank.html'), PAGE);
  hitofude = await import(pathToFileURL(path.join(away, 'package', 'index.js')).href);
  browser = await launch();
  here = await serve();
});

after(async () => {
  await browser?.close();
  here?.close();
  rmSync(away, { recursive: true, force: true });
});

const PAGE = `<!doctype html><html lang="en"><title>.</title><body></body><script type="module">
  import * as hitofude from './package/index.js';
  Object.assign(window, hitofude, { ready: true });
  window.told = (promise) => promise.then((value) => value, (e) => ({ name: e.name, code: e.code, ours: e instanceof hitofude.HitofudeError, message: e.message }));
</script></html>`;

async function opened(url = `${here.url}/blank.html`) {
  const page = await (await browser.newContext()).newPage();
  const faults = [];
  page.on('pageerror', (error) => faults.push(error.message));
  await page.goto(url);
  await page.waitForFunction(() => window.ready);
  return { page, faults };
}

const SEVEN = { strokes: [[[0, 0], [60, 0], [25, 100]]] };
const NET = { input: [1, 8, 8], layers: [{ type: 'flatten', name: 'f' }, { type: 'affine', name: 'out', out: 3 }] };
const NAMES = ['cat', 'dog', 'bird'];
/** A bar above, a bar to the left, a diagonal: three classes that are easy to tell apart. */
const image = (c, i) =>
  Float32Array.from({ length: 64 }, (_, k) => (c === 0 ? +(k < 32) : c === 1 ? +(k % 8 < 4) : +(k >> 3 === k % 8)) * 0.8 + ((i * 37 + k * 11) % 20) / 100);
const some = (n, from = 0) => ({ inputs: Array.from({ length: n }, (_, i) => image(i % 3, i + from)), labels: Array.from({ length: n }, (_, i) => i % 3) });
const taught = async (model, data, options = {}) => {
  let last;
  for await (const report of model.fit(data, { epochs: 8, rate: 0.02, ...options })) last = report;
  return last;
};
/** The code of a refusal, which must be one of ours. */
const code = async (work) => {
  try {
    await work();
    return 'nothing';
  } catch (error) {
    assert.ok(error instanceof hitofude.HitofudeError, `${error.name}: ${error.message}`);
    return error.code;
  }
};
const bits = async (model, input) => Buffer.from((await model.predict(input)).probabilities.buffer).toString('hex');

test('a worker that cannot start rejects with a code that says what to do, and a later load works', { timeout: 300_000 }, async () => {
  const ways = {
    404: { status: 404 },
    'a page in its place': { body: '<!doctype html>' },
    'a syntax error': { headers: { 'content-type': 'text/javascript' }, body: 'let x = ;' },
  };
  for (const [name, answer] of Object.entries(ways)) {
    let broken = true;
    const server = await serve((file) => (broken && file.endsWith('/worker.js') ? { ...answer, headers: { ...answer.headers, 'cache-control': 'no-store' } } : undefined));
    const { page } = await opened(`${server.url}/blank.html`);
    const refused = await page.evaluate(() => told(load('draw')));
    assert.deepEqual([refused.code, refused.ours], ['worker', true], name);
    assert.match(refused.message, /workerUrl.*hitofude\/direct/, name);
    broken = false;
    assert.equal(await page.evaluate(async (seven) => (await (await load('draw')).predict(seven)).class, SEVEN), 7, name);
    await page.close();
    server.close();
  }
  const server = await serve((file) => (file === '/blank.html' ? { body: PAGE, headers: { 'content-security-policy': "worker-src 'none'" } } : undefined));
  const { page } = await opened(`${server.url}/blank.html`);
  assert.equal((await page.evaluate(() => told(load('draw')))).code, 'worker');
  assert.equal((await page.evaluate(() => told(define({ input: [1, 2, 2], layers: [] })))).code, 'worker');
  await page.close();
  server.close();
});

test('from another origin, as from a CDN, the worker is imported', { timeout: 180_000 }, async () => {
  const cdn = await serve(() => ({ headers: { 'access-control-allow-origin': '*' } }));
  const own = await serve((file) => (file === '/page.html' ? { body: PAGE.replace('./package', `${cdn.url}/package`) } : { status: 404 }));
  const { page } = await opened(`${own.url}/page.html`);
  assert.equal(await page.evaluate(async (seven) => (await (await load('draw')).predict(seven)).class, SEVEN), 7);
  const elsewhere = await page.evaluate(async ([seven, workerUrl]) => (await (await load('draw', { workerUrl })).predict(seven)).class, [SEVEN, `${cdn.url}/package/worker.js`]);
  assert.equal(elsewhere, 7);
  await page.close();
  own.close();
  cdn.close();
});

test('systems in a page: a signal ends a call and the model lives on, a script in the wrong place is refused, files are known for systems', { timeout: 180_000 }, async () => {
  let broken = false;
  const server = await serve((file) => (broken && file.endsWith('/systems-worker.js') ? { status: 404 } : undefined));
  const { page, faults } = await opened(`${server.url}/blank.html`);
  const found = await page.evaluate(async (seven) => {
    const said = {};
    const [painter, detector] = [await load('dcgan'), await load('/pretrained/detect/faster_rcnn.safetensors')];
    const digits = async (model) => (await model.detect(seven)).map((one) => one.class).join();
    const drawn = async () => (await painter.generate({ digit: 3, seed: 5 }))[0].pixels.join();
    const before = await drawn();
    const controller = new AbortController();
    // Far more than can be drawn before the signal: it waits its turn behind the others.
    const long = Promise.all(Array.from({ length: 50 }, () => told(painter.generate({ count: 4096, signal: controller.signal }))));
    setTimeout(() => controller.abort(), 300);
    said.meanwhile = await digits(detector);
    said.ended = [...new Set((await long).map(({ name }) => name))];
    said.after = (await drawn()) === before;
    const both = { models: '/package/worker.js', systems: '/package/systems-worker.js' };
    said.urls = [];
    for (const workerUrl of [both, both.systems]) said.urls.push(await digits(await load('/pretrained/detect/faster_rcnn.safetensors', { workerUrl })), await digits(await load('faster_rcnn', { workerUrl })));
    said.reads = (await (await load('draw', { workerUrl: both.systems })).predict(seven)).class;
    said.astray = [];
    for (const source of ['faster_rcnn', '/pretrained/detect/faster_rcnn.safetensors']) said.astray.push((await told(load(source, { workerUrl: both.models }))).code);
    said.lacks = [(await told((await load('draw')).detect(seven))).code, (await told(painter.predict(seven))).code, (await told(detector.detect(seven, null))).code, (await told(detector.detect())).code];
    painter.dispose();
    said.gone = (await told(painter.generate())).code;
    return said;
  }, SEVEN);
  assert.deepEqual(found, {
    meanwhile: '7', ended: ['AbortError'], after: true, urls: ['7', '7', '7', '7'], reads: 7, astray: ['worker', 'worker'], lacks: ['unsupported', 'unsupported', 'value', 'value'], gone: 'missing',
  });
  broken = true;
  assert.deepEqual(await page.evaluate(async () => { const { code, ours } = await told(load('faster_rcnn')); return [code, ours]; }), ['worker', true]);
  assert.equal(await page.evaluate(async (seven) => (await (await load('draw')).predict(seven)).class, SEVEN), 7);
  assert.deepEqual(faults, []);
  await page.close();
  server.close();
});

test('labels: names and one-hot rows are understood, all else is refused before the first step', async () => {
  const { inputs, labels } = some(60);
  const { define } = hitofude;
  for (const understood of [labels, labels.map((c) => NAMES[c]), labels.map((c) => [0, 1, 2].map((k) => +(k === c))), Uint8Array.from(labels), new Set([0]).size && labels.values()]) {
    const model = await define(NET);
    assert.equal((await taught(model, { inputs, labels: understood })).accuracy, 1);
    assert.equal((await model.evaluate({ inputs, labels })).accuracy, 1);
  }
  const named = await define(NET);
  await taught(named, { inputs, labels: labels.map((c) => NAMES[c]) });
  assert.deepEqual([named.classNames, (await named.predict(image(1, 5))).name], [NAMES, 'dog']);
  assert.equal((await named.evaluate({ inputs, labels: labels.map((c) => NAMES[c]) })).accuracy, 1);
  const again = await hitofude.load(await named.save());
  assert.deepEqual([again.classNames, (await again.predict(image(2, 5))).name], [NAMES, 'bird']);
  const refused = {
    NaN: labels.map(() => NaN), undefined: labels.map(() => undefined), halves: labels.map((c) => c + 0.5), 'too large by 2^32': labels.map((c) => c + 2 ** 32),
    negative: labels.map((c) => c - 1), 'beyond the classes': labels.map((c) => c + 1), 'another number': labels.slice(1), none: [], 'no list': 3, null: null,
    'two names': labels.map((c) => NAMES[c % 2]), 'four names': labels.map((c, i) => [...NAMES, 'cow'][i % 4]), 'soft rows': labels.map(() => [0.5, 0.5, 0]),
    'rows of two': labels.map((c) => [1, 0]), 'two ones': labels.map(() => [1, 1, 0]), mixed: labels.map((c, i) => (i ? c : 'cat')), booleans: labels.map((c) => c > 0),
    'a bad last one': [...labels.slice(1), 'x'],
  };
  const model = await define(NET);
  const as = await bits(model, image(0, 1));
  for (const [name, wrong] of Object.entries(refused)) {
    assert.match(await code(() => taught(model, { inputs, labels: wrong })), /^(value|shape)$/, `fit, ${name}`);
    assert.match(await code(() => taught(model, { inputs, labels }, { validation: { inputs, labels: wrong } })), /^(value|shape)$/, `validation, ${name}`);
    assert.match(await code(() => model.evaluate({ inputs, labels: wrong })), /^(value|shape)$/, `evaluate, ${name}`);
    assert.equal(await bits(model, image(0, 1)), as, name);
  }
  assert.equal(await code(() => named.evaluate({ inputs, labels: labels.map(() => 'cow') })), 'value');
  assert.equal(await code(() => taught(named, { inputs, labels: labels.map(() => 'cow') })), 'value');
});

test('how sure a model may be is fitted on held-out examples, survives every format, and is unknown otherwise', async () => {
  const { define, load } = hitofude;
  const model = await define(NET);
  const status = async (of, input = image(0, 1)) => (await of.predict(input)).status;
  assert.equal(await status(model), 'unknown');
  await taught(model, some(60));
  assert.equal(await status(model), 'unknown', 'without held-out examples');
  await taught(model, some(60), { validation: some(49, 1000) });
  assert.equal(await status(model), 'unknown', 'with too few');
  await taught(model, some(60), { validation: some(150, 1000) });
  assert.equal(await status(model), 'sure');
  assert.equal(await status(model, new Float32Array(64)), 'unsure', 'nothing at all');
  const { probabilities } = await model.predict(image(0, 1));
  for (const format of ['safetensors-f32', 'safetensors-f16', 'onnx', 'npz']) {
    const copy = await load(await model.save(format));
    assert.deepEqual([await status(copy), await status(copy, new Float32Array(64))], ['sure', 'unsure'], format);
    (await copy.predict(image(0, 1))).probabilities.forEach((p, i) => assert.ok(Math.abs(p - probabilities[i]) < 2e-3, format));
  }
  await taught(model, some(60), { epochs: 1 });
  assert.equal(await status(model), 'unknown', 'other weights');
  await taught(model, some(60), { validation: some(150, 1000) });
  await model.withClasses(['a', 'b']);
  assert.equal(await status(model), 'unknown', 'other classes');

  const draw = await load('draw');
  const { probabilities: said } = await draw.predict(SEVEN);
  for (const format of ['safetensors-f32', 'onnx', 'npz']) {
    const copy = await load(await draw.save(format));
    const answer = await copy.predict(SEVEN);
    assert.equal(answer.status, 'sure', format);
    answer.probabilities.forEach((p, i) => assert.ok(Math.abs(p - said[i]) < 1e-3, `${format}: ${p} and ${said[i]}`));
  }
  await draw.freeze('conv*');
  await taught(draw, { inputs: [SEVEN], labels: [7] }, { epochs: 1, rate: 1e-5 });
  assert.equal(await status(draw, SEVEN), 'unknown');
  assert.equal(await status(await load(await draw.save()), SEVEN), 'unknown');
});

test('a model that nobody can be sure of is not: with labels by chance hardly anything is', async () => {
  const model = await hitofude.define(NET);
  const chance = (n, from) => ({ ...some(n, from), labels: Array.from({ length: n }, (_, i) => ((i * 7919) >> 3) % 3) });
  await taught(model, chance(60, 0), { validation: chance(90, 500) });
  const answers = await model.predictAll(some(60, 2000).inputs);
  assert.ok(answers.filter(({ status }) => status === 'sure').length <= 3);
});

test('a refusal changes nothing, and what would change a model that learns is refused as busy', async () => {
  const { define } = hitofude;
  const model = await define(NET);
  const as = await bits(model, image(0, 1));
  const bad = some(30);
  bad.inputs[29] = new Float32Array(64).fill(NaN);
  assert.equal(await code(() => taught(model, bad, { batch: 4 })), 'value');
  assert.equal(await code(() => taught(model, some(30), { validation: bad })), 'value');
  for (const options of [{ batch: 0 }, { epochs: 0 }, { seed: 0.5 }, { batch: NaN }, { epochs: Infinity }, { rate: -1 }, { rate: NaN }, { optimiser: 'magic' }, { magic: 1 }, { l2: -1 }, { clipNorm: -1 }, null, 3]) {
    assert.match(await code(async () => { for await (const _ of model.fit(some(30), options)); }), /^(value|format|missing)$/, JSON.stringify(options));
  }
  assert.match(await code(() => taught(model, some(30), { rate: 1e38, optimiser: 'sgd', epochs: 50 })), /value/, 'a loss that is not finite');
  assert.equal(await bits(model, image(0, 1)), as);

  const codes = [];
  for await (const { epoch } of model.fit(some(30), { epochs: 4 })) {
    codes.push(await code(() => model.freeze('out')), await code(() => model.withClasses(2)), await code(() => taught(model, some(30))));
    assert.equal((await model.predict(image(0, 1))).probabilities.length, 3);
    if (epoch === 2) break;
  }
  assert.deepEqual(codes, Array(6).fill('busy'));
  await taught(model, some(30));
  const both = await Promise.all([code(() => taught(model, some(30))), code(() => taught(model, some(30)))]);
  assert.deepEqual(both.sort(), ['busy', 'nothing']);
  assert.equal(await code(async () => { for await (const _ of model.fit(some(30))) model.dispose(); }), 'missing');
  for (const call of [(m) => m.predict(image(0, 1)), (m) => m.save(), (m) => m.freeze('out'), (m) => m.withClasses(2), (m) => m.explain(image(0, 1)), (m) => taught(m, some(3)), (m) => m.evaluate(some(3)), (m) => m.features(image(0, 1), ['out'])]) {
    assert.equal(await code(() => call(model)), 'missing');
  }
  const racing = await define(NET);
  const waiting = [racing.predict(image(0, 1)), racing.explain(image(0, 1)), racing.evaluate(some(3))].map((promise) => code(() => promise));
  racing.dispose();
  assert.deepEqual(await Promise.all(waiting), ['missing', 'missing', 'missing']);
});

test('inputs in Node: lists of every kind, pixels with paper of any colour; the rest says what would do', async () => {
  const { load, define } = hitofude;
  const model = await define({ input: [2, 3, 4], layers: [{ type: 'flatten', name: 'f' }, { type: 'affine', name: 'out', out: 3 }] });
  const flat = Array.from({ length: 24 }, (_, i) => i / 24);
  const as = await bits(model, Float32Array.from(flat));
  const nested = [0, 1].map((c) => [0, 1, 2].map((y) => flat.slice(12 * c + 4 * y, 12 * c + 4 * y + 4)));
  for (const same of [flat, nested, [nested], nested.map((rows) => rows.map((row) => Float32Array.from(row))), { data: flat }, { data: Float32Array.from(flat), shape: [1, 2, 3, 4] }]) {
    assert.equal(await bits(model, same), as);
  }
  const bytes = await bits(model, Uint8Array.from(flat, (v) => 255 * v));
  assert.equal(await bits(model, Uint8ClampedArray.from(Uint8Array.from(flat, (v) => 255 * v))), bytes);
  assert.equal(await bits(model, Float64Array.from(flat, Math.fround)), as);
  const wrong = [null, undefined, 3, true, () => 0, {}, { data: 3 }, { data: null }, [[1, 2], [3]], ['a'], Array(24).fill(null), new BigInt64Array(24), Array(24).fill(NaN), new Map(), new Date(), { strokes: 3 },
    [[[[[1]]]]], { width: 2, height: 2, data: new Uint8Array(3) }, { width: -1, height: 1, data: new Uint8Array(4) }, new DataView(new ArrayBuffer(24)), 'picture.png', new Blob(['x']), { data: flat, shape: 'x' }, { data: flat, shape: [4, 3, 2] }];
  for (const input of wrong) assert.match(await code(() => model.predict(input)), /^(value|shape|unsupported)$/, String(input));

  const draw = await load('draw');
  const side = 56;
  /** A seven of so much light on paper of so much, with alpha of each. */
  const seven = (ink, paper) => {
    const data = new Uint8ClampedArray(4 * side * side);
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const on = (y > 8 && y < 14 && x > 12 && x < 44) || (y >= 14 && y < 50 && Math.abs(x - (42 - (y - 14) * 0.55)) < 3);
        const [light, alpha] = on ? ink : paper;
        data.set([light, light, light, alpha], 4 * (y * side + x));
      }
    }
    return { width: side, height: side, data };
  };
  const cases = [
    [[0, 255], [255, 255], 'dark'], [[255, 255], [0, 255], 'light'], [[0, 255], [0, 0], 'dark'], [[255, 255], [0, 0], 'light'], [[238, 255], [17, 255], 'light'],
    [[40, 255], [200, 255], 'dark'], [[200, 255], [128, 255], 'light'], [[20, 255], [128, 255], 'dark'], [[255, 200], [255, 0], 'light'],
  ];
  for (const [ink, paper, found] of cases) {
    const answer = await draw.predict(seven(ink, paper));
    assert.deepEqual([answer.class, answer.ink], [7, found], `${ink} on ${paper}`);
  }
  for (const paper of [[0, 255], [255, 255], [128, 255], [0, 0], [255, 0], [17, 255], [246, 255]]) {
    assert.equal(await code(() => draw.predict(seven(paper, paper))), 'empty', `blank ${paper}`);
  }
});

test('inputs in a page: elements, files, addresses, frames, canvases of every ink and paper, for every network', { timeout: 300_000 }, async () => {
  const { page, faults } = await opened();
  const found = await page.evaluate(async () => {
    const draw = await load('draw');
    const own = await define({ input: [1, 32, 32], layers: [{ type: 'flatten', name: 'f' }, { type: 'affine', name: 'o', out: 2 }] });
    const canvas = (side, paper, ink) => {
      const made = Object.assign(document.createElement('canvas'), { width: side, height: side });
      const x = made.getContext('2d');
      if (paper) [x.fillStyle] = [paper], x.fillRect(0, 0, side, side);
      if (ink) {
        [x.strokeStyle, x.lineWidth, x.lineCap, x.lineJoin] = [ink, side / 14, 'round', 'round'];
        x.beginPath();
        [[.25, .2], [.5, .2], [.75, .19], [.65, .4], [.55, .62], [.45, .88]].forEach(([u, v], i) => (i ? x.lineTo(u * side, v * side) : x.moveTo(u * side, v * side)));
        x.stroke();
      }
      return made;
    };
    const read = async (input) => told(draw.predict(input)).then((r) => r.code ?? `${r.class} ${r.status} ${r.ink}`);
    const inks = {};
    for (const [paper, ink] of [['#fff', '#000'], [null, '#000'], ['#000', '#fff'], [null, '#fff'], ['#111', '#eee'], ['#f7f4ec', '#16181d'], ['#888', '#fff'], ['#000', null], ['#fff', null], [null, null], ['#888', null]]) {
      inks[`${ink} on ${paper}`] = [await read(canvas(280, paper, ink)), await read(canvas(28, paper, ink))];
    }
    const white = canvas(280, '#fff', '#000');
    const blob = await new Promise((resolve) => white.toBlob(resolve));
    const url = URL.createObjectURL(blob);
    const image = Object.assign(new Image(), { src: url });
    const bitmap = await createImageBitmap(white);
    const frame = new VideoFrame(bitmap, { timestamp: 0 });
    const offscreen = new OffscreenCanvas(280, 280);
    offscreen.getContext('2d').drawImage(white, 0, 0);
    const video = Object.assign(document.createElement('video'), { srcObject: white.captureStream(), muted: true });
    // A canvas sends a picture whenever somebody has drawn on it.
    const drawing = setInterval(() => white.getContext('2d').fillRect(0, 0, 1, 1), 20);
    await video.play();
    await new Promise((resolve) => video.requestVideoFrameCallback(resolve));
    clearInterval(drawing);
    const dataUrl = white.toDataURL();
    const kinds = {};
    const all = { image, blob, url, dataUrl, URL: new URL(url), bitmap, frame, offscreen, video, ImageData: white.getContext('2d').getImageData(0, 0, 280, 280) };
    for (const [name, input] of Object.entries(all)) kinds[name] = [await read(input), await told(own.predict(input)).then((r) => r.code ?? 'fine')];
    const untouched = document.createElement('canvas');
    await read(untouched);
    const wrong = {
      element: document.body, 'an image that is none': Object.assign(new Image(), { src: 'data:image/png;base64,AAAA' }), 'a file that is none': new Blob(['x']),
      nowhere: 'nothing.png', 'a function': () => 0, 'an empty canvas': Object.assign(document.createElement('canvas'), { width: 0 }), 'a video without a picture': document.createElement('video'),
    };
    for (const [name, input] of Object.entries(wrong)) wrong[name] = (await told(draw.predict(input))).code;
    const p = async (paper, ink) => (await own.predict(canvas(64, paper, ink))).probabilities[0];
    // Edges are rounded with and without paper.
    const near = async (a, b) => Math.abs((await p(...a)) - (await p(...b))) < 2e-3;
    const same = { dark: await near([null, '#000'], ['#fff', '#000']), light: await near([null, '#fff'], ['#000', '#fff']), other: !(await near([null, '#000'], ['#fff', null])) };
    return { inks, kinds, wrong, same, still: untouched.getContext('webgl2') !== null || untouched.getContext('2d') !== null };
  });
  for (const [name, answers] of Object.entries(found.inks)) {
    const ink = /^#(fff|eee)/.test(name) ? 'light' : 'dark';
    assert.deepEqual(answers.map((answer) => (name.startsWith('null') ? answer : answer.replace('unsure', 'sure'))), Array(2).fill(name.startsWith('null') ? 'empty' : `7 sure ${ink}`), name);
  }
  for (const [name, answers] of Object.entries(found.kinds)) assert.deepEqual(answers, ['7 sure dark', 'fine'], name);
  assert.deepEqual(found.wrong, {
    element: 'value', 'an image that is none': 'network', 'a file that is none': 'format', nowhere: 'network', 'a function': 'value', 'an empty canvas': 'value', 'a video without a picture': 'value',
  });
  assert.deepEqual(found.same, { dark: true, light: true, other: true });
  assert.ok(found.still, 'a canvas may still have the context that its owner chooses');
  assert.deepEqual(faults, []);
  await page.close();
});

test('a signal ends a load, a run, an explanation and a training at once; models live on, as they were', { timeout: 400_000 }, async () => {
  // What is asked here would take many minutes: without an end at once this test runs out of time.
  const { page, faults } = await opened();
  const found = await page.evaluate(async ([seven]) => {
    const said = {};
    const ended = async (name, work) => {
      const controller = new AbortController();
      const answer = told(work(controller.signal));
      await new Promise((resolve) => setTimeout(resolve, 400));
      controller.abort();
      said[name] = (await answer).name ?? 'an answer';
    };
    const draw = await load('draw');
    const bits = async (model, input) => (await model.predict(input)).probabilities.join();
    const large = { input: [3, 256, 256], layers: [{ type: 'conv', name: 'a', out: 16, kernel: 3, pad: 1 }, { type: 'conv', name: 'b', out: 16, kernel: 3, pad: 1 }, { type: 'global_average_pool', name: 'g' }, { type: 'affine', name: 'o', out: 3 }] };
    const model = await define(large);
    const picture = new Float32Array(3 * 256 * 256).fill(0.3);
    await model.withClasses(['x', 'y', 'z'], 7);
    const [drawn, before] = [await bits(draw, seven), await bits(model, picture)];
    await ended('explain', (signal) => model.explain(picture, { method: 'smooth_grad', amount: 1000, signal }));
    said.meanwhile = (await bits(draw, seven)) === drawn;
    said.after = [(await bits(model, picture)) === before, model.classNames?.join()];
    // Two calls at once: the one that nobody ends has its answer.
    const controller = new AbortController();
    const long = told(model.explain(picture, { method: 'smooth_grad', amount: 1000, signal: controller.signal }));
    const short = bits(model, picture);
    setTimeout(() => controller.abort(), 300);
    said.both = [(await long).name, (await short) === before];
    await ended('predictAll', (signal) => model.predictAll(Array.from({ length: 60 }, () => picture), signal).then(() => model.explain(picture, { method: 'smooth_grad', amount: 1000, signal })));
    await ended('features', (signal) => model.explain(picture, { method: 'occlusion', amount: 1, signal }));
    const inputs = Array.from({ length: 400 }, () => picture);
    await ended('fit', async (signal) => { for await (const _ of model.fit({ inputs, labels: inputs.map((_, i) => i % 3) }, { batch: 400, epochs: 1e6, signal })); });
    said.learns = (await told((async () => { for await (const _ of model.fit({ inputs: inputs.slice(0, 2), labels: ['x', 'y'] }, { epochs: 1 })); })())) ?? 'fine';
    said.answers = (await bits(model, picture)).split(',').length;
    await ended('load', (signal) => load('/slow.safetensors', { signal }));
    const gone = new AbortController();
    gone.abort(new Error('mine'));
    said.reason = (await told(draw.predict(seven, gone.signal))).message;
    said.again = (await bits(draw, seven)) === drawn;
    return said;
  }, [SEVEN]);
  assert.deepEqual(found, {
    explain: 'AbortError', meanwhile: true, after: [true, 'x,y,z'], both: ['AbortError', true], predictAll: 'AbortError', features: 'AbortError', fit: 'AbortError', learns: 'fine', answers: 3,
    load: found.load, reason: 'mine', again: true,
  });
  assert.deepEqual(faults, []);
  await page.close();
});

test('quantise: names and calibration stay, the file answers alike, what learns is refused, and in a page it has a thread to itself', { timeout: 180_000 }, async () => {
  const model = await hitofude.define(NET);
  const lesson = (n, from) => ({ ...some(n, from), labels: some(n).labels.map((c) => NAMES[c]) });
  await taught(model, lesson(90), { validation: lesson(60, 90) });
  const small = await model.quantise({ bits: { out: 4 }, data: some(60) });
  const answer = await small.predict(image(1, 5));
  assert.deepEqual([answer.name, answer.status, small.classNames, (await small.evaluate(lesson(30, 200))).accuracy], ['dog', (await model.predict(image(1, 5))).status, NAMES, 1]);
  const again = await hitofude.load(await small.save());
  assert.deepEqual([await again.predict(image(1, 5)), again.classNames], [answer, NAMES]);
  const lacking = { unsupported: [() => small.freeze('out'), () => small.withClasses(2), () => small.explain(image(0, 0)), () => small.save('onnx'), () => taught(small, some(9))], value: [() => model.quantise(), () => model.quantise({ bits: 9, data: some(9) }), () => model.quantise({ data: { inputs: [] } })], missing: [() => model.quantise({ bits: { x: 4 }, data: some(9) })] };
  for (const [why, calls] of Object.entries(lacking)) for (const call of calls) assert.equal(await code(call), why);
  small.dispose();
  assert.equal(await code(() => small.predict(image(1, 5))), 'missing');

  const { page, faults } = await opened();
  const found = await page.evaluate(async ([seven]) => {
    const draw = await load('draw');
    const inputs = Array.from({ length: 60 }, (_, i) => ({ strokes: [[[0, 0], [60 + i, 0], [25, 100 - i]]] }));
    const few = await draw.quantise({ data: { inputs } });
    const before = (await few.predict(seven)).probabilities.join();
    const controller = new AbortController();
    const ended = told(draw.quantise({ data: { inputs: Array.from({ length: 4000 }, (_, i) => inputs[i % 60]) }, signal: controller.signal }));
    setTimeout(() => controller.abort(), 300);
    const said = { ended: (await ended).name, lives: (await few.predict(seven)).probabilities.join() === before };
    draw.dispose();
    // Ended in the middle of a call it is opened anew from its file.
    const gone = new AbortController();
    const long = told(few.predictAll(Array.from({ length: 20_000 }, () => seven), gone.signal));
    setTimeout(() => gone.abort(), 300);
    said.left = (await long).name;
    return { ...said, again: (await few.predict(seven)).probabilities.join() === before, refused: (await told(few.quantise({ data: { inputs } }))).code };
  }, [SEVEN]);
  assert.deepEqual(found, { ended: 'AbortError', lives: true, left: 'AbortError', again: true, refused: 'unsupported' });
  assert.deepEqual(faults, []);
  await page.close();
});

test('<hitofude-pad>: what happens in the middle of a stroke throws nothing and joins nothing; disabled, nothing draws', { timeout: 300_000 }, async () => {
  writeFileSync(path.join(away, 'pad.html'), `<!doctype html><html lang="en"><title>.</title><body style="margin:0"><form id="f"><fieldset id="fs"><hitofude-pad id="p" name="digit"></hitofude-pad></fieldset></form><div id="b"></div></body>
    <script type="module">import './package/elements.js'; window.ready = true;</script></html>`);
  const points = [[64, 50], [128, 50], [190, 48], [166, 100], [140, 158], [115, 225]];
  const kinds = {
    mouse: async (page, xy, last) => {
      if (last === 'down') return page.mouse.move(...xy).then(() => page.mouse.down());
      return last === 'up' ? page.mouse.up() : page.mouse.move(...xy);
    },
    ...Object.fromEntries(['touch', 'pen'].map((type) => [type, async (page, [clientX, clientY], last = 'move') => page.evaluate(([clientX, clientY, last, pointerType]) => {
      const canvas = document.querySelector('hitofude-pad')?.shadowRoot.querySelector('canvas');
      // Scripted pointers cannot be captured.
      canvas && (canvas.setPointerCapture = () => {});
      canvas?.dispatchEvent(new PointerEvent(`pointer${last}`, { clientX, clientY, pointerType, pointerId: 7, bubbles: true, composed: true }));
    }, [clientX, clientY, last, type])])),
  };
  for (const [kind, point] of Object.entries(kinds)) {
    const { page, faults } = await opened(`${here.url}/pad.html`);
    const pad = page.getByLabel('Drawing pad');
    const at = async ([u, v]) => {
      const { x, y } = await pad.boundingBox();
      return [x + u, y + v];
    };
    const seven = async () => {
      await point(page, await at(points[0]), 'down');
      for (const xy of points) await point(page, await at(xy));
      await point(page, await at(points.at(-1)), 'up');
    };
    const half = async () => {
      await point(page, await at([40, 40]), 'down');
      await point(page, await at([90, 60]));
    };
    const strokes = () => page.evaluate(() => document.querySelector('hitofude-pad').strokes.map((s) => s.length));
    await half();
    await page.evaluate(() => { window.q = p; p.remove(); });
    if (kind === 'mouse') await page.mouse.up();
    await page.evaluate(() => { q.clear(); document.querySelector('#fs').append(q); });
    await seven();
    await page.getByText(/^7 \(/).waitFor({ timeout: 60_000 });
    assert.equal(await page.evaluate(() => new FormData(f).get('digit')), '7', kind);
    for (const cut of ['p.clear()', 'f.reset()', 'p.undo()', 'p.shadowRoot.querySelector("[part=clear]").click()']) {
      await page.evaluate(() => p.clear());
      await half();
      await page.evaluate(cut);
      for (const xy of [[120, 90], [100, 150]]) await point(page, await at(xy));
      await point(page, await at([100, 150]), 'up');
      assert.deepEqual(await strokes(), [], `${kind}, ${cut}`);
    }
    await page.evaluate(() => (p.strokes = [[[0.2, 0.2], [0.8, 0.2]]]));
    await half();
    await page.evaluate(() => p.undo());
    await point(page, await at([90, 210]));
    await point(page, await at([90, 210]), 'up');
    assert.deepEqual(await strokes(), [2], `${kind}: the first stroke keeps its points`);
    for (const off of ['p.setAttribute("disabled", "")', 'p.removeAttribute("disabled"); fs.disabled = true']) {
      await page.evaluate(() => p.clear());
      await page.evaluate(off);
      await seven();
      await page.evaluate(() => p.shadowRoot.querySelector('canvas').focus());
      for (const key of [' ', 'ArrowDown', 'ArrowDown']) await page.keyboard.press(key);
      assert.deepEqual(await strokes(), [], `${kind}, ${off}`);
    }
    assert.deepEqual(faults, [], kind);
    await page.close();
  }
  const { page, faults } = await opened(`${here.url}/pad.html`);
  await page.getByLabel('Drawing pad').focus();
  for (const key of [' ', 'ArrowDown']) await page.keyboard.press(key);
  await page.getByRole('button', { name: 'Clear' }).click();
  await page.getByLabel('Drawing pad').focus();
  for (const key of ['ArrowDown', 'Backspace', 'ArrowDown']) await page.keyboard.press(key);
  assert.deepEqual([await page.evaluate(() => p.strokes.length), faults], [0, []]);
  await page.close();
});

test('<hitofude-pad> shows and fires the error of a worker that cannot start, and has its style under a strict style-src', { timeout: 180_000 }, async () => {
  const strict = { body: readFileSync(path.join(away, 'pad.html')), headers: { 'content-security-policy': "style-src 'none'" } };
  const server = await serve((file) => (file === '/pad.html' ? strict : file.endsWith('/worker.js') ? { status: 404 } : undefined));
  const { page } = await opened(`${server.url}/pad.html`);
  assert.equal(await page.evaluate(() => getComputedStyle(p).display), 'inline-grid');
  const fired = await page.evaluate(() => new Promise((resolve) => {
    p.addEventListener('error', ({ detail }) => resolve(detail));
    p.strokes = [[[0.2, 0.2], [0.8, 0.2]]];
  }));
  assert.match(fired, /worker could not be started/);
  await page.getByText(/worker could not be started/).waitFor();
  await page.close();
  server.close();
});

/** Runs a program in the folder and resolves to what it prints. */
const printed = (file, text) => {
  writeFileSync(path.join(away, file), text);
  return execFileSync(process.execPath, [file], { cwd: away, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
};

test('on a server every way in can be imported, paths begin at the working folder, and refusals are of one kind', () => {
  const out = printed('server.mjs', `
    import { writeFileSync } from 'node:fs';
    import { pathToFileURL } from 'node:url';
    const ways = await Promise.all(['index', 'direct', 'inline', 'elements'].map((way) => import('./package/' + way + '.js')));
    const [{ load, define, HitofudeError }, direct, inline] = ways;
    const model = await define(${JSON.stringify(NET)});
    writeFileSync('own.safetensors', await model.save());
    const opened = [];
    for (const where of ['own.safetensors', './own.safetensors', process.cwd() + '/own.safetensors', pathToFileURL('own.safetensors'), pathToFileURL('own.safetensors').href]) opened.push((await load(where)).classes);
    const refused = await Promise.all([load('./none.safetensors'), load('nobody'), inline.load('nobody'), direct.define({}), load(3), load(null), load('http://127.0.0.1:1/x.onnx'), define(), load('draw', 3)].map((p) => p.catch((e) => e)));
    console.log(JSON.stringify([opened, refused.map((e) => e.code), refused.every((e) => [HitofudeError, direct.HitofudeError, inline.HitofudeError].every((kind) => e instanceof kind)), new Error() instanceof HitofudeError]));
  `);
  assert.deepEqual(JSON.parse(out), [[3, 3, 3, 3, 3], ['network', 'missing', 'missing', 'format', 'value', 'value', 'network', 'value', 'value'], true, false]);
});

test('layers need no name, every model of the catalogue of digits has one, and a crash of one model is not another one\'s', async () => {
  const { define, load } = hitofude;
  const nameless = await define({ input: [1, 8, 8], layers: [{ type: 'flatten' }, { type: 'affine', out: 4 }, { type: 'relu', name: 'affine2' }, { type: 'affine', out: 3 }] });
  assert.deepEqual(nameless.layers().map(({ name }) => name), ['input', 'flatten1', 'affine1', 'affine2', 'affine3']);
  for (const name of ['draw', 'deep_convnet', 'tiny', 'simple_convnet', 'alexnet_mini', 'vgg_mini', 'googlenet_mini', 'resnet_mini', 'efficientnet_mini']) {
    const model = await load(name);
    const { class: digit, status } = await model.predict(SEVEN);
    assert.deepEqual([model.name, digit, status], [name, 7, 'sure']);
  }
  const [broken, other] = [await define(NET), await define(NET)];
  const trap = { get strokes() { throw new WebAssembly.RuntimeError('unreachable'); } };
  assert.equal(await code(() => (broken.predict(trap))), 'crashed');
  assert.equal(await code(() => broken.predict(image(0, 1))), 'crashed');
  assert.equal((await other.predict(image(0, 1))).probabilities.length, 3);
  broken.dispose();
});

test('in jsdom, which has no workers, the engine runs in the thread', (t) => {
  try {
    execFileSync('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--no-save', 'jsdom@26'], { cwd: away, stdio: 'pipe' });
  } catch (error) {
    return t.skip(`npm brings no jsdom here: ${error.message.split('\n')[0]}`);
  }
  const out = printed('jsdom.mjs', `
    import { JSDOM } from 'jsdom';
    const { window } = new JSDOM('<!doctype html><body></body>', { url: 'http://localhost:3000/' });
    for (const name of ['HTMLElement', 'HTMLCanvasElement', 'customElements', 'CustomEvent']) globalThis[name] = window[name];
    Object.assign(globalThis, { window, document: window.document, location: window.location });
    const { load, HitofudeError } = await import('./package/index.js');
    const model = await load('draw');
    const canvas = await model.predict(document.createElement('canvas')).catch((e) => e instanceof HitofudeError && e.code);
    const [found] = await (await load('faster_rcnn')).detect(${JSON.stringify(SEVEN)});
    console.log((await model.predict(${JSON.stringify(SEVEN)})).class, canvas, found.class);
  `);
  assert.deepEqual(out.split('\n'), ['hitofude: there is no Worker here, so its engine runs in the thread of the page', '7 unsupported 7']);
});

// HITOFUDE_CALLS=100000 HITOFUDE_SEED=2 for more of them.
const [CALLS, SEED] = [Number(process.env.HITOFUDE_CALLS ?? 1000), Number(process.env.HITOFUDE_SEED ?? 1)];

test(`${CALLS} calls in any order with any arguments end in an answer or a refusal with a code, and the next answer is right`, { timeout: 60_000 + 200 * CALLS }, async () => {
  const answers = await fuzz(hitofude, CALLS, SEED);
  assert.ok(answers > CALLS / 4, `${answers} answers`);
});

test('and so do those of a page to its workers', { timeout: 400_000 }, async () => {
  writeFileSync(path.join(away, 'fuzz-package.mjs'), readFileSync(path.join(root, 'tests', 'page', 'fuzz-package.mjs')));
  const { page, faults } = await opened();
  const answers = await page.evaluate(async ([calls, seed]) => (await import('/fuzz-package.mjs')).fuzz(await import('/package/index.js'), calls, seed), [Math.ceil(CALLS / 4), SEED]);
  assert.ok(answers > CALLS / 20, `${answers} answers`);
  assert.deepEqual(faults, []);
  await page.close();
});
