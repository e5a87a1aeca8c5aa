// The package as npm packs it from this repository, installed elsewhere: the README's lines, the examples, the bundlers.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import AxeBuilder from '@axe-core/playwright';
import { launch } from './browser.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const away = mkdtempSync(path.join(tmpdir(), 'hitofude-package-'));
const npm = (...args) => execFileSync('npm', [...args, '--loglevel=error'], { cwd: away, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const node = (file) => execFileSync(process.execPath, [file], { cwd: away, encoding: 'utf8' });
/** Another runtime, as its npm package brings it. */
const other = (name, ...args) => execFileSync(path.join(away, 'node_modules', '.bin', name), args, { cwd: away, encoding: 'utf8', timeout: 60_000, stdio: ['ignore', 'pipe', 'pipe'] });
/** Brings it and says nothing, or why npm cannot. */
const lacks = (name) => {
  try {
    npm('install', '--prefer-offline', '--no-audit', '--no-fund', '--no-save', name);
    other(name, '--version');
  } catch (error) {
    return `npm brings no ${name} here: ${error.stderr?.trim().split('\n')[0] || error.message}`;
  }
};
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm' };

let browser;
let server;
let packed;

before(async () => {
  packed = path.join(away, npm('pack', root, '--pack-destination', away).trim().split('\n').at(-1));
  writeFileSync(path.join(away, 'package.json'), '{ "type": "module", "private": true }');
  npm('install', '--prefer-offline', '--no-audit', '--no-fund', packed, 'react@19', 'react-dom@19', '@types/react@19', 'svelte@5', 'vue@3');
  server = createServer((request, response) => {
    const file = path.join(away, decodeURIComponent(new URL(request.url, 'http://localhost').pathname));
    if (!existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream' }).end(readFileSync(file));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  browser = await launch();
});

after(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
  rmSync(away, { recursive: true, force: true });
});

/** Opens a page of the folder and resolves to it; a console error or an exception fails the test that asks `faults`. */
async function opened(file) {
  const page = await (await browser.newContext()).newPage();
  const faults = [];
  page.on('console', (message) => message.type() === 'error' && !/favicon/.test(message.location().url) && faults.push(message.text()));
  page.on('pageerror', (error) => faults.push(error.message));
  await page.goto(`http://127.0.0.1:${server.address().port}/${file}`);
  return { page, faults };
}

const example = (name) => cpSync(path.join(root, 'examples', name), path.join(away, name), { recursive: true });

async function drawSeven(page) {
  const { x, y, width } = await page.getByLabel('Drawing pad').boundingBox();
  const points = [[0.25, 0.2], [0.5, 0.2], [0.75, 0.19], [0.65, 0.4], [0.55, 0.62], [0.45, 0.88]];
  await page.mouse.move(x + points[0][0] * width, y + points[0][1] * width);
  await page.mouse.down();
  for (const [u, v] of points) await page.mouse.move(x + u * width, y + v * width);
  await page.mouse.up();
}

/** A module of `hitofude/package` in a page of its own; the test reads what the body says in the end. */
const script = (name, code, body = '') =>
  writeFileSync(path.join(away, name), `<!doctype html><html lang="en"><title>.</title><body>${body}</body><script type="module">${code}</script></html>`);

test('the lines of the README say what it says', () => {
  const [code] = /```js\n([\s\S]*?)```/.exec(readFileSync(path.join(root, 'README.md'), 'utf8')).slice(1);
  writeFileSync(path.join(away, 'readme.mjs'), code);
  const [, said] = /\/\/ (7 sure .*)/.exec(code);
  assert.equal(node('readme.mjs'), `${said}\n`);
});

test('the recipes run as they are printed', () => {
  const blocks = [...readFileSync(path.join(root, 'docs', 'recipes.md'), 'utf8').matchAll(/```js\n(\/\/ node\n[\s\S]*?)```/g)];
  assert.ok(blocks.length >= 3, `${blocks.length} recipes for Node`);
  blocks.forEach(([, code], i) => {
    writeFileSync(path.join(away, `recipe${i}.mjs`), code);
    const expected = [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, line]) => line);
    assert.deepEqual(node(`recipe${i}.mjs`).trim().split('\n'), expected);
  });
});

for (const [name, run] of [['Node', node], ['Deno', (file) => other('deno', 'run', '--allow-read', file)], ['Bun', (file) => other('bun', file)]]) {
  test(`${name}: reads, learns two gestures, saves and opens what it learnt`, (t) => {
    const why = run !== node && lacks(name.toLowerCase());
    if (why) return t.skip(why);
    example('node');
    const [seven, , , learnt, gesture] = run('node/index.mjs').trim().split('\n');
    assert.equal(seven, '7 sure');
    assert.ok(Number(/learnt: (\d+) %/.exec(learnt)[1]) >= 90, learnt);
    assert.equal(gesture, 'cross');
  });
}

test('plain HTML: the pad reads a drawing into its form', async () => {
  example('html');
  cpSync(path.join(away, 'node_modules', 'hitofude'), path.join(away, 'html', 'node_modules', 'hitofude'), { recursive: true });
  const { page, faults } = await opened('html/index.html');
  await drawSeven(page);
  await page.locator('#read', { hasText: '7' }).waitFor({ timeout: 20_000 });
  assert.equal(await page.evaluate(() => new FormData(document.querySelector('form')).get('digit')), '7');
  await page.getByRole('button', { name: 'Clear' }).click();
  await page.getByText('Nothing drawn').waitFor();
  await page.getByLabel('Drawing pad').focus();
  for (const key of [' ', ...Array(6).fill('ArrowDown'), ' ']) await page.keyboard.press(key);
  await page.locator('#read', { hasText: '1' }).waitFor();
  assert.deepEqual(faults, []);
});

for (const name of ['vite', 'react', 'vue', 'svelte']) {
  test(`${name}: built without configuration, it reads in a worker`, async () => {
    example(name);
    const { build } = await import('vite');
    // Svelte's files need its own plugin, which the example's configuration has; here it comes from this repository.
    const plugins = name === 'svelte' ? [(await import('@sveltejs/vite-plugin-svelte')).svelte()] : [];
    await build({ root: path.join(away, name), base: './', logLevel: 'error', configFile: false, plugins });
    const { page, faults } = await opened(`${name}/dist/index.html`);
    if (name !== 'vite') await drawSeven(page);
    await page.locator('#out', { hasText: name === 'vite' ? '7 sure' : 'You drew 7' }).waitFor({ timeout: 20_000 });
    assert.deepEqual(faults, []);
  });
}

test('vite, while one develops: the worker, its modules and the weights are found where the package lies', async () => {
  example('vite');
  // Where a project has it: the server gives nothing from outside of its folder.
  cpSync(path.join(away, 'node_modules', 'hitofude'), path.join(away, 'vite', 'node_modules', 'hitofude'), { recursive: true });
  const { createServer: serve } = await import('vite');
  const dev = await serve({ root: path.join(away, 'vite'), logLevel: 'error', configFile: false, server: { port: 0, host: '127.0.0.1' } });
  try {
    await dev.listen();
    const page = await browser.newPage();
    await page.goto(dev.resolvedUrls.local[0]);
    await page.locator('#out', { hasText: '7 sure' }).waitFor({ timeout: 30_000 });
    await page.close();
  } finally {
    await dev.close();
  }
});

test('<hitofude-train>: it learns, shows its curve, stops when asked, and says what is wrong', async () => {
  writeFileSync(path.join(away, 'train.html'), `<!doctype html><html lang="en"><title>.</title><body><hitofude-train epochs="30"></hitofude-train><p></p></body>
    <script type="module">
    import './node_modules/hitofude/package/elements.js';
    import { define } from './node_modules/hitofude/package/index.js';
    const element = document.querySelector('hitofude-train');
    const said = [];
    for (const name of ['done', 'error']) element.addEventListener(name, () => (document.querySelector('p').textContent = said.push(name) && said.join()));
    await element.start();
    const bar = (i) => Float32Array.from({ length: 36 }, (_, k) => Number(i % 2 ? k % 6 === i % 6 : Math.floor(k / 6) === i % 6));
    const inputs = Array.from({ length: 12 }, (_, i) => bar(i));
    element.model = await define({ input: [1, 6, 6], layers: [{ type: 'conv', name: 'conv1', out: 4, kernel: 3, pad: 1 },
      { type: 'relu', name: 'relu1' }, { type: 'flatten', name: 'flat' }, { type: 'affine', name: 'out', out: 2 }] });
    [element.data, element.options] = [{ inputs, labels: inputs.map((_, i) => i % 2) }, { batch: 12, rate: 0.02 }];
    document.body.dataset.ready = '';
  </script></html>`);
  const { page, faults } = await opened('train.html');
  await page.getByText('There is no model or no data yet').waitFor();
  await page.locator('[data-ready]').waitFor({ timeout: 20_000 });
  await page.getByRole('button', { name: 'Start' }).click();
  await page.getByText('Epoch 30 of 30: 100.0 % right').waitFor({ timeout: 20_000 });
  await page.getByText('error,done').waitFor();
  await page.getByRole('img', { name: /^Loss after 30 epochs: 0\.\d+/ }).waitFor();
  await page.evaluate(() => document.querySelector('hitofude-train').setAttribute('epochs', '1000000'));
  await page.getByRole('button', { name: 'Start' }).click();
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByRole('button', { name: 'Start' }).waitFor();
  assert.ok((await page.evaluate(() => document.querySelector('hitofude-train').reports.length)) < 1000);
  const { violations } = await new AxeBuilder({ page }).analyze();
  assert.deepEqual(violations.map(({ id }) => id).filter((id) => !['landmark-one-main', 'page-has-heading-one', 'region'].includes(id)), []);
  assert.deepEqual(faults, []);
});

const READ = `import { load } from 'hitofude/WAY';
const model = await load('draw');
const { class: digit, status } = await model.predict({ strokes: [[[0, 0], [60, 0], [25, 100]]] });
document.body.textContent = digit + ' ' + status;`;

/** The same, and a system beside it. */
const BOTH = READ.replace('document.body', `const detector = await load('faster_rcnn');
const [found] = await detector.detect({ strokes: [[[0, 0], [60, 0], [25, 100]]] });
document.body`).replace("' ' + status", "' ' + status + ', found ' + found.class");

const BUNDLERS = {
  webpack: async (entry, out) => {
    const { default: webpack } = await import('webpack');
    const settings = { mode: 'production', context: away, entry, experiments: { topLevelAwait: true }, output: { path: out, filename: 'main.js', publicPath: 'auto' } };
    const stats = await new Promise((resolve, reject) => webpack(settings, (error, stats) => (error ? reject(error) : resolve(stats))));
    assert.deepEqual(stats.toJson().errors, []);
  },
  vite: async (entry, out) => {
    const { build } = await import('vite');
    writeFileSync(path.join(out, 'index.html'), '<!doctype html><title>.</title><body></body><script type="module" src="entry.mjs"></script>');
    await build({ root: out, base: './', logLevel: 'error', configFile: false });
  },
  esbuild: async (entry, out) => {
    const { build } = await import('esbuild');
    await build({ entryPoints: [entry], bundle: true, format: 'esm', outfile: path.join(out, 'main.js'), logLevel: 'silent' });
  },
  rollup: async (entry, out) => {
    const [{ rollup }, { default: nodeResolve }] = await Promise.all([import('rollup'), import('@rollup/plugin-node-resolve')]);
    const bundle = await rollup({ input: entry, plugins: [nodeResolve()], logLevel: 'silent' });
    await bundle.write({ dir: out, entryFileNames: 'main.js' });
  },
};

for (const [name, way] of [['webpack', ''], ['vite', ''], ['webpack', 'inline'], ['esbuild', 'inline'], ['rollup', 'inline']]) {
  test(`${name} bundles hitofude${way && `/${way}`} without configuration`, async () => {
    const folder = path.join(away, `${name}-${way || 'worker'}`);
    mkdirSync(folder);
    const entry = path.join(folder, 'entry.mjs');
    writeFileSync(entry, (way ? READ : BOTH).replace('/WAY', way && `/${way}`));
    await BUNDLERS[name](entry, folder);
    if (name !== 'vite') writeFileSync(path.join(folder, 'index.html'), '<!doctype html><title>.</title><body></body><script type="module" src="main.js"></script>');
    const { page, faults } = await opened(`${path.basename(folder)}/${name === 'vite' ? 'dist/' : ''}index.html`);
    await page.getByText(way ? '7 sure' : '7 sure, found 7').waitFor({ timeout: 20_000 }).catch((error) => assert.fail(`${faults.join('; ')} ${error.message}`));
    assert.deepEqual(faults, []);
  });
}

test('the worker client: it learns with reports, an abort ends a call, errors carry a code, what is disposed of is gone', async () => {
  writeFileSync(path.join(away, 'client.html'), `<!doctype html><title>.</title><body></body><script type="module">
    import { load, define } from './node_modules/hitofude/package/index.js';
    const codes = [];
    const caught = (promise) => promise.then(() => codes.push('nothing'), (e) => codes.push(typeof e.code === 'string' ? e.code : e.name));
    const bar = (i) => Float32Array.from({ length: 36 }, (_, k) => Number(i % 2 ? k % 6 === i % 6 : Math.floor(k / 6) === i % 6));
    const inputs = Array.from({ length: 12 }, (_, i) => bar(i)), labels = inputs.map((_, i) => i % 2);
    const own = await define({ input: [1, 6, 6], layers: [{ type: 'conv', name: 'conv1', out: 4, kernel: 3, pad: 1 },
      { type: 'relu', name: 'relu1' }, { type: 'flatten', name: 'flat' }, { type: 'affine', name: 'out', out: 2 }] });
    let last;
    for await (const report of own.fit({ inputs, labels }, { epochs: 40, batch: 12, rate: 0.02, validation: { inputs, labels } })) last = report;
    const answer = await own.predict(bar(3));
    const copy = await load(await own.save('safetensors-f32'));
    const same = (await copy.predict(bar(3))).probabilities.every((p, i) => p === answer.probabilities[i]);
    const [feature] = await own.features(bar(0), ['conv1']);
    const why = await own.explain(bar(3), { method: 'saliency' });
    const elsewhere = await load(await own.save('onnx'));
    const close = (await elsewhere.predict(bar(3))).probabilities.every((p, i) => Math.abs(p - answer.probabilities[i]) < 1e-4);
    await caught(own.save('h5'));
    await caught(own.explain(bar(3), { method: 'magic' }));
    const controller = new AbortController();
    await caught((async () => { for await (const _ of own.fit({ inputs, labels }, { epochs: 1e6, signal: controller.signal })) controller.abort(); })());
    await caught(load('nobody'));
    await caught(load('toString'));
    await caught(own.predict(new Float32Array(5)));
    await caught(own.freeze('nothing'));
    await own.withClasses(3);
    const classes = own.classes;
    own.dispose();
    await caught(own.predict(bar(0)));
    document.body.textContent = JSON.stringify({ epoch: last.epoch, right: last.validation.accuracy, class: answer.class, same, close, shape: feature.shape, why: [why.class, ...why.shape, why.values.some((v) => v !== 0)], codes, classes });
  </script>`);
  const { page, faults } = await opened('client.html');
  await page.getByText('"codes"').waitFor({ timeout: 30_000 });
  assert.deepEqual(JSON.parse(await page.locator('body').innerText()), {
    epoch: 40, right: 1, class: 1, same: true, close: true, shape: [4, 6, 6], why: [1, 1, 6, 6, true],
    codes: ['value', 'missing', 'AbortError', 'missing', 'missing', 'shape', 'missing', 'missing'], classes: 3,
  });
  assert.deepEqual(faults, []);
});

test('types: markup of React, Vue and Svelte knows the elements, and a program without a browser needs none of its types', () => {
  const folder = path.join(away, 'types');
  mkdirSync(path.join(folder, 'plain'), { recursive: true });
  const files = {
    'react.tsx': `import 'hitofude/react';
      export const pad = <hitofude-pad model="draw" name="digit" multiple threshold={0.4} onchange={(event) => event.type} onreading={({ detail }) => detail.number} />;
      // @ts-expect-error: a model is named
      export const wrong = <hitofude-pad model={3} />;`,
    'vue.ts': `import 'hitofude/vue';
      import type { GlobalComponents } from 'vue';
      export type Pad = InstanceType<GlobalComponents['hitofude-pad']>['$props'];
      export const pad: Pad = { model: 'draw', multiple: true };
      // @ts-expect-error: a model is named
      export const wrong: Pad = { model: 3 };`,
    'svelte.ts': `import 'hitofude/svelte';
      import type { SvelteHTMLElements } from 'svelte/elements';
      export const pad: SvelteHTMLElements['hitofude-pad'] = { model: 'draw', disabled: true };
      // @ts-expect-error: a model is named
      export const wrong: SvelteHTMLElements['hitofude-pad'] = { model: 3 };`,
    'plain/index.ts': `import { HitofudeError, load, type Code, type Prediction } from 'hitofude';
      const model = await load('draw');
      const answer: Prediction = await model.predict([[0]]);
      const unknown: boolean = answer.status === 'unknown';
      await model.withClasses(['a', 'b']);
      for await (const { loss } of model.fit({ inputs: ['a.png', [[0]]], labels: ['a', 'b'] })) loss.toFixed();
      const code = (error: unknown): Code | undefined => (error instanceof HitofudeError ? error.code : undefined);
      export { code, unknown };`,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  const compilerOptions = { noEmit: true, strict: true, target: 'es2022', lib: ['es2023', 'dom', 'dom.iterable', 'esnext.disposable'], module: 'nodenext', jsx: 'react-jsx', types: [] };
  writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*'] }));
  const without = { ...compilerOptions, lib: ['es2023', 'esnext.disposable'] };
  writeFileSync(path.join(folder, 'plain', 'tsconfig.json'), JSON.stringify({ compilerOptions: without, include: ['*'] }));
  const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  try {
    for (const project of [folder, path.join(folder, 'plain')]) execFileSync(process.execPath, [tsc, '-p', project], { encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    assert.fail(error.stdout);
  }
});

test('Node: systems find, write, name pixels and draw, from names, addresses and bytes', () => {
  writeFileSync(path.join(away, 'systems.mjs'), `
    import { readFile } from 'node:fs/promises';
    import { lines, load } from 'hitofude';
    const said = {};
    const code = async (promise) => promise.then(() => 'nothing', (e) => (typeof e.code === 'string' ? e.code : e.name));
    const painter = await load('dcgan');
    const drawn = (await Promise.all([3, 7].map((digit) => painter.generate({ digit, seed: 5, count: 2 })))).map(([first]) => first);
    said.again = (await painter.generate({ digit: 3, seed: 5 }))[0].pixels.every((ink, i) => ink === drawn[0].pixels[i]);
    said.turns = (await painter.generate({ count: 12 })).map(({ digit }) => digit).join('');
    said.range = drawn.every(({ pixels, data }) => pixels.length === 784 && pixels.every((v) => v >= 0 && v <= 1) && data.length === 3136);
    const reader = await load('draw');
    said.read = (await reader.predictAll(drawn.map(({ pixels }) => pixels))).map((answer) => answer.class);
    // A sheet of both: light on dark as numbers, dark on light as pixels.
    const [width, height] = [128, 128];
    const data = new Float32Array(width * height), pixels = new Uint8ClampedArray(4 * width * height).fill(255);
    drawn.forEach(({ pixels: ink }, d) => ink.forEach((v, i) => {
      const at = (50 + Math.floor(i / 28)) * width + 22 + 56 * d + (i % 28);
      data[at] = v;
      pixels.fill(255 * (1 - v), 4 * at, 4 * at + 3);
    }));
    const sheets = [{ data, shape: [height, width] }, { width, height, data: pixels }];
    const file = new URL(import.meta.resolve('hitofude/models/detect/faster_rcnn.safetensors'));
    const detectors = [await load('faster_rcnn'), await load(file), await load(await readFile(file)), await load('rcnn')];
    said.found = [];
    for (const detector of detectors) for (const sheet of sheets) said.found.push(lines(await detector.detect(sheet)).map((line) => line.map((one) => one.class).join('')).join(' '));
    const [{ box }] = await detectors[0].detect(sheets[0], { most: 1 });
    said.box = box[0] >= 15 && box[2] <= 115 && box[1] >= 44 && box[3] <= 84;
    said.most = [(await detectors[0].detect(sheets[0], { most: 1 })).length, (await detectors[0].detect(sheets[0], { threshold: 1 })).length];
    const { classes, mask, ...sides } = await (await load('fcn8s')).segment(sheets[0]);
    said.mask = [mask.length === width * height, sides.width, sides.height, classes.length];
    said.pixels = ['3', '7'].map((name) => mask.filter((k) => classes[k] === name).length > 30);
    said.street = (await (await load('segnet_street')).segment(sheets[1])).classes.slice(0, 3);
    const writer = await load('caption');
    const caption = await writer.caption(sheets[1], { beams: 4 });
    said.caption = [/3|7/.test(caption.sentence), caption.words.length > 2, caption.others.length > 0, caption.words[0].looks.length === caption.cells ** 2];
    said.japanese = /[あり]/.test((await writer.caption(sheets[1], { language: 'ja' })).sentence);
    const [detector] = detectors;
    said.about = [detector.name, detector.classes, ...detector.inputShape, detector.layers().length > 20, writer.layers().length > 10];
    said.same = Buffer.compare(Buffer.from(await detector.save()), await readFile(file)) === 0;
    const blank = { width: 40, height: 30, data: new Uint8ClampedArray(4800) };
    said.empty = [(await detector.detect(blank)).length, (await detector.detect({ strokes: [] })).length, (await detector.detect({ width: 1, height: 1, data: new Uint8Array(4) })).length, (await detectors[3].detect(blank)).length];
    const strokes = { strokes: [[[0, 0], [60, 0], [25, 100]]] };
    const [seven] = await detector.detect(strokes);
    said.stroke = [seven.class, seven.box[0] > -15 && seven.box[2] < 75 && seven.box[1] > -15 && seven.box[3] < 115];
    said.codes = [];
    for (const call of [
      () => detector.detect(), () => detector.detect(null), () => detector.detect({}), () => detector.detect(new Blob(['no picture'])),
      () => detector.detect(new Float32Array(5)), () => detector.detect({ data: new Float32Array(4).fill(NaN), shape: [2, 2] }),
      () => detector.detect({ data: [0, 1], shape: [2, 2] }), () => detector.detect({ width: 8000, height: 8000, data: new Uint8Array(4) }),
      () => detector.detect({ width: 2, height: 2, data: new Uint8Array(4) }), () => detector.detect({ strokes: [[[0, NaN]]] }),
      () => detector.detect(strokes, { threshold: NaN }), () => detector.detect(strokes, { threshold: 2 }), () => detector.detect(strokes, { most: 0 }),
      () => writer.caption(blank), () => writer.caption(strokes, { language: 'fr' }), () => writer.caption(strokes, { beams: 1e9 }),
      () => painter.generate({ digit: 10 }), () => painter.generate({ digit: 2.5 }), () => painter.generate({ count: 1e6 }), () => painter.generate({ seed: -1 }),
      () => detector.detect(strokes, { signal: AbortSignal.abort() }), () => load('fcn32s'), () => load('nobody'), () => detector.save('onnx'),
    ]) said.codes.push(await code(call()));
    said.lacking = [];
    for (const [call, ...given] of [['predict', strokes], ['predictAll', []], ['features', strokes, []], ['explain', strokes], ['evaluate', {}], ['freeze'], ['withClasses', 2], ['segment', strokes], ['caption', strokes], ['generate']]) {
      said.lacking.push(await code(detector[call](...given)));
    }
    said.lacking.push(await code((async () => { for await (const _ of detector.fit({ inputs: [], labels: [] })); })()), await code(reader.detect(strokes)));
    said.who = (await reader.detect(strokes).catch((e) => e.message));
    detector.dispose();
    said.gone = await code(detector.detect(strokes));
    console.log(JSON.stringify(said));
  `);
  const value = 'value';
  assert.deepEqual(JSON.parse(node('systems.mjs')), {
    again: true, turns: '012345678901', range: true, read: [3, 7], found: Array(8).fill('37'), box: true, most: [1, 0],
    mask: [true, 128, 128, 11], pixels: [true, true], street: ['sky', 'road', 'marking'], caption: [true, true, true, true], japanese: true,
    about: ['faster_rcnn', 10, 3, 128, 128, true, true], same: true, empty: [0, 0, 0, 0], stroke: [7, true],
    codes: [value, value, value, 'unsupported', 'shape', value, 'shape', 'shape', 'shape', value, value, value, value, 'empty', 'missing', value, value, value, value, value, 'AbortError', 'missing', 'missing', 'unsupported'],
    lacking: Array(12).fill('unsupported'), who: 'draw has no detect: that is a call of faster_rcnn and rcnn', gone: 'missing',
  });
});

test('every file of a system that ships has a name', () => {
  const names = ['detect', 'segment', 'caption', 'generate'].flatMap((folder) => readdirSync(path.join(root, 'pretrained', folder)).filter((file) => file.endsWith('.safetensors')));
  writeFileSync(path.join(away, 'names.mjs'), `import { load } from 'hitofude';
    for (const name of ${JSON.stringify(names)}) console.log((await load(name.split('.')[0])).name + '.safetensors');`);
  assert.deepEqual(node('names.mjs').trim().split('\n'), names);
});

const SHEETS = `
  /** A seven and a one on canvases of every ink and paper. */
  const drawn = (ink, paper, [width, height] = [200, 150]) => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [width, height];
    const context = canvas.getContext('2d');
    if (paper) [context.fillStyle] = [paper], context.fillRect(0, 0, width, height);
    [context.strokeStyle, context.lineWidth, context.lineCap, context.lineJoin] = [ink, 6, 'round', 'round'];
    for (const stroke of [[[40, 45], [78, 45], [55, 105]], [[125, 45], [127, 75], [124, 105]]]) {
      context.beginPath();
      stroke.forEach(([x, y]) => context.lineTo(x, y));
      context.stroke();
    }
    return canvas;
  };
  const number = (found) => lines(found).map((line) => line.map((one) => one.class).join('')).join(' ');`;

test('a page: systems come with their own worker when one is asked for, and see every kind of picture', async () => {
  script('systems.html', `
    import { lines, load } from './node_modules/hitofude/package/index.js';
    ${SHEETS}
    const fetched = () => performance.getEntriesByType('resource').map(({ name }) => name.split('/').slice(-2).join('/'));
    const said = {};
    const reader = await load('draw');
    await reader.predict({ strokes: [[[0, 0], [60, 0], [25, 100]]] });
    said.before = fetched().filter((name) => /system|detect|studio|formats/.test(name));
    const detector = await load('faster_rcnn');
    said.after = fetched().some((name) => name === 'package/systems-worker.js');
    said.inks = [];
    for (const [ink, paper] of [['black', 'white'], ['white', 'black'], ['black', null], ['white', null], ['#264a75', '#f7f4ec']]) said.inks.push(number(await detector.detect(drawn(ink, paper))));
    const canvas = drawn('black', 'white');
    const image = new Image();
    image.src = canvas.toDataURL();
    await image.decode();
    const inputs = [image, canvas.getContext('2d').getImageData(0, 0, 200, 150), await createImageBitmap(canvas), await new Promise((done) => canvas.toBlob(done)), { strokes: [[[40, 45], [78, 45], [55, 105]], [[125, 45], [127, 75], [124, 105]]] }];
    const off = new OffscreenCanvas(200, 150);
    off.getContext('2d').drawImage(canvas, 0, 0);
    said.inputs = [];
    for (const input of [...inputs, off]) said.inputs.push(number(await detector.detect(input)));
    // What predict takes, too: a seven alone.
    const seven = new Image();
    const one = drawn('black', 'white');
    one.getContext('2d').clearRect(100, 0, 100, 150);
    seven.src = one.toDataURL();
    await seven.decode();
    said.predict = [(await reader.predict(seven)).class, (await reader.predict(await new Promise((done) => one.toBlob(done)))).class];
    const bytes = await (await fetch('./node_modules/hitofude/pretrained/detect/faster_rcnn.safetensors')).arrayBuffer();
    const others = [await load(bytes), await load('./node_modules/hitofude/pretrained/detect/faster_rcnn.safetensors')];
    for (const other of others) said.inputs.push(number(await other.detect(canvas)));
    const { mask, width, height } = await (await load('fcn8s')).segment(canvas);
    said.mask = [mask.length, width, height];
    const [digit] = await (await load('dcgan')).generate({ digit: 7, seed: 2 });
    one.getContext('2d').putImageData(new ImageData(digit.data, digit.width, digit.height), 0, 0);
    said.drawn = (await reader.predict(digit.pixels)).class;
    said.caption = typeof (await (await load('caption')).caption(canvas)).sentence;
    const caught = (promise) => promise.then(() => 'nothing', (e) => (typeof e.code === 'string' ? e.code : e.name));
    const huge = document.createElement('canvas');
    [huge.width, huge.height] = [8000, 8000];
    said.codes = [];
    for (const call of [() => detector.detect(huge), () => detector.detect(new Image()), () => detector.detect(new Blob(['no'])), () => detector.detect(document.body), () => detector.detect(), () => reader.detect(canvas), () => detector.predict(canvas),
      () => detector.detect(canvas, { signal: AbortSignal.abort() }), () => load('fcn32s'), () => reader.predict()]) said.codes.push(await caught(call()));
    detector.dispose();
    said.codes.push(await caught(detector.detect(canvas)));
    // In a worker of one's own: what reads is there itself, systems have theirs.
    const own = new Worker(URL.createObjectURL(new Blob([\`
      import { load } from '\${new URL('./node_modules/hitofude/package/index.js', location.href)}';
      const seven = { strokes: [[[0, 0], [60, 0], [25, 100]]] };
      const { class: digit } = await (await load('draw')).predict(seven);
      const [found] = await (await load('faster_rcnn')).detect(seven);
      postMessage([digit, found.class]);
    \`], { type: 'text/javascript' })), { type: 'module' });
    said.nested = await new Promise((done) => (own.onmessage = ({ data }) => done(data)));
    document.body.textContent = JSON.stringify(said);
  `);
  const { page, faults } = await opened('systems.html');
  await page.getByText('"codes"').waitFor({ timeout: 60_000 }).catch((error) => assert.fail(`${faults.join('; ')} ${error.message}`));
  assert.deepEqual(JSON.parse(await page.locator('body').innerText()), {
    before: [], after: true, inks: Array(5).fill('71'), inputs: Array(8).fill('71'), predict: [7, 7], mask: [30_000, 200, 150], drawn: 7, caption: 'string', nested: [7, 7],
    codes: ['value', 'network', 'format', 'value', 'value', 'unsupported', 'unsupported', 'AbortError', 'missing', 'value', 'missing'],
  });
  assert.deepEqual(faults, []);
});

test('<hitofude-pad multiple>: it reads a number into its form, says where each digit is, by pointer and by keyboard, in two languages', async () => {
  script('number.html', `
    import './node_modules/hitofude/package/elements.js';
    const pad = document.querySelector('hitofude-pad');
    window.readings = [];
    pad.addEventListener('reading', ({ detail }) => window.readings.push(detail));
  `, '<main><h1>A number</h1><form><hitofude-pad multiple name="number"></hitofude-pad></form></main>');
  const { page, faults } = await opened('number.html');
  const { x, y, width, height } = await page.getByLabel('Drawing pad').boundingBox();
  assert.ok(Math.abs(width / height - 1.5) < 0.02, `${width} × ${height}`);
  const draw = async (points) => {
    await page.mouse.move(x + points[0][0] * width, y + points[0][1] * width);
    await page.mouse.down();
    for (const [u, v] of points) await page.mouse.move(x + u * width, y + v * width);
    await page.mouse.up();
  };
  await draw([[0.12, 0.2], [0.2, 0.2], [0.29, 0.2], [0.24, 0.3], [0.19, 0.42]]);
  await draw([[0.6, 0.2], [0.605, 0.3], [0.6, 0.42]]);
  const value = () => page.evaluate(() => new FormData(document.querySelector('form')).get('number'));
  const answer = page.getByLabel('Answer');
  await answer.getByText('71', { exact: true }).waitFor({ timeout: 20_000 }).catch(async (error) => assert.fail(`${await answer.innerText()} ${error.message}`));
  assert.equal(await value(), '71');
  // Said when the stroke ends, which may be after it was read.
  await page.getByRole('status').filter({ hasText: /^Found: 7 at the left, 1 in the middle$/ }).waitFor();
  const last = await page.evaluate(() => window.readings.at(-1));
  assert.deepEqual([last.number, last.lines, last.digits.map((digit) => digit.class), last.status], ['71', ['71'], [7, 1], 'sure']);
  assert.ok(last.digits.every(({ score, box: [x0, y0, x1, y1] }) => score >= 0.5 && x0 > 0 && x1 < 1 && y0 > 0.1 && y1 < 0.55));
  // A second line, and ink that is no digit: the form has nothing then.
  await page.evaluate(() => (document.querySelector('hitofude-pad').strokes = [...document.querySelector('hitofude-pad').strokes, [[0.9, 0.6], [0.9, 0.6]]]));
  await page.getByText('not sure').first().waitFor();
  assert.equal(await value(), '');
  await page.getByRole('button', { name: 'Undo' }).click();
  await answer.getByText('71', { exact: true }).waitFor();
  const { violations } = await new AxeBuilder({ page }).analyze();
  assert.deepEqual(violations.map(({ id }) => id), []);
  await page.getByRole('button', { name: 'Clear' }).click();
  await answer.getByText('Nothing drawn').waitFor();
  assert.equal(await value(), '');
  await page.getByLabel('Drawing pad').focus();
  for (const key of [...Array(4).fill('ArrowUp'), ' ', ...Array(8).fill('ArrowDown'), ' ']) await page.keyboard.press(key);
  await answer.getByText('1', { exact: true }).waitFor();
  await page.getByRole('status').filter({ hasText: 'Found: 1 in the middle' }).waitFor();
  await page.evaluate(() => (document.documentElement.lang = 'ja') && (document.querySelector('hitofude-pad').multiple = false));
  await page.getByRole('button', { name: '消す' }).waitFor();
  await page.getByLabel('答え').getByText(/^1 \(\d+ %\)$/).waitFor({ timeout: 20_000 });
  assert.equal(await value(), '1');
  assert.deepEqual(faults, []);
});

test('publint and arethetypeswrong find nothing', async () => {
  const { publint } = await import('publint');
  const { messages } = await publint({ pkgDir: path.join(away, 'node_modules', 'hitofude'), strict: true });
  assert.deepEqual(messages.map(({ code, path }) => `${code} ${path.join('.')}`), []);
  const { checkPackage, createPackageFromTarballData } = await import('@arethetypeswrong/core');
  const { problems } = await checkPackage(createPackageFromTarballData(readFileSync(packed)));
  // The package is a module; that CommonJS must import() it is what Node says, too.
  const wrong = problems.filter(({ kind, resolutionKind }) => kind !== 'CJSResolvesToESM' && resolutionKind !== 'node10');
  assert.deepEqual(wrong.map(({ kind, entrypoint }) => `${kind} ${entrypoint}`), []);
});
